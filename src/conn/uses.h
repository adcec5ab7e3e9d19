/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONN_USES_H
#define CONN_USES_H

/*
 * Who used what, and which rule let them: a bounded table of counts.  Each
 * worker fills one of its own; the ledger adds them up.  Names come from
 * certificates, requests and resources, so a table keeps only printable ASCII
 * of them, cut to a length.  Own thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/str.h"

enum use_count {
	USE_CONNECTIONS,
	USE_REQUESTS,
	USE_BYTES_IN,
	USE_BYTES_OUT,
	USE_DENIED,
	USE_WOULD_DENY,
	USE_COUNTS
};

/* The first field of a key. */
#define USE_OF_SERVICE 's'
#define USE_OF_RULE 'r'

/* Whoever had to be forgotten stands in one line of the service. */
#define USE_OTHERS STR("*")

struct use_name {
	char kind;
	struct str service;  /* its key; empty for a rule */
	struct str identity; /* or the rule, without the line number */
	struct str host;     /* host:port of the endpoint; may be empty */
};

struct use {
	UT_hash_handle hh;
	struct str key; /* the four, with tabs between them */
	int64_t first_s;
	int64_t last_s;
	uint64_t n[USE_COUNTS];
};

struct uses {
	struct use *table;
	size_t most;
};

struct uses *uses_new(size_t most) MUST_CHECK;
/* NULL is fine. */
void uses_free(struct uses *u);
/* All of it; u is empty afterwards. */
struct uses *uses_move(struct uses *u) MUST_CHECK;
/* Adds n to what is known; what was used least recently goes to others. */
void uses_add(struct uses *u, const struct use_name *name, int64_t first_s,
    int64_t last_s, const uint64_t n[USE_COUNTS]);
void uses_merge(struct uses *to, const struct uses *from);

const struct use *uses_find(const struct uses *u, const struct use_name *name);
struct use_name use_name(const struct use *e);
bool use_is_of_others(const struct use *e);
/* "file:7 Kind/name" without ":7", which changes with every edit. */
void use_rule_name(struct str origin, struct text *out);

#endif
