/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_GRANT_H
#define POLICY_GRANT_H

/*
 * A permission that somebody gave for a time, beside all documents: one caller,
 * one service.  It counts before what documents say, but not before a refusal
 * that nothing is to get around: a document that was not understood, and a deny
 * of the rules form.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"

/* A value: texts are somebody else's. */
struct grant {
	uint64_t id;      /* 0: it stands in the configuration */
	struct str place; /* there, FILE:LINE */
	struct str mesh;
	struct str caller;  /* a URI of its certificate, whole */
	struct str service; /* its name, of either kind */
	struct str reason;
	int64_t until_s;
	int64_t given_s;
	uint32_t uid; /* who gave it */
};

/*
 * The part that is not as it must be, by its name in the configuration, or
 * NULL.
 */
const char *grant_bad_part(const struct grant *g, struct text *why) MUST_CHECK;
/* Whether what must be there is, and nothing of it can break a line. */
bool grant_check(const struct grant *g, struct text *why) MUST_CHECK;
/* For people, as the origin of its rule. */
void grant_print(const struct grant *g, struct text *out);

#endif
