/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONN_REVOKED_H
#define CONN_REVOKED_H

/*
 * What one asking anew has ended: connections and requests by service and by
 * the rule that denies them now.  Bounded; no thread of its own.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* The rest is counted without names. */
#define REVOKED_ROWS 64

struct revoked_row {
	char *service; /* its key */
	char *rule;
	uint64_t connections;
	uint64_t requests;
};

struct revoked {
	struct revoked_row v[REVOKED_ROWS];
	size_t n;
	uint64_t connections; /* all, those of no row too */
	uint64_t requests;
};

void revoked_free(struct revoked *r);
void revoked_add(struct revoked *r, struct str service, struct str rule,
    uint64_t connections, uint64_t requests);
void revoked_merge(struct revoked *to, const struct revoked *from);
bool revoked_is_empty(const struct revoked *r);
/*
 * "12 connections, 3 requests", then at most so many rows behind `before` each,
 * as "9 connections, 3 requests of SERVICE: RULE".
 */
void revoked_print(
    const struct revoked *r, size_t rows, const char *before, struct text *out);

#endif
