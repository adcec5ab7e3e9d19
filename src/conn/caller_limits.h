/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONN_CALLER_LIMITS_H
#define CONN_CALLER_LIMITS_H

/*
 * How much of a service each caller uses, for the limits that `services` sets
 * (caller_limits): connections and requests at a time, requests a second, bytes
 * a day of UTC.  One table for the whole daemon, so that limits are exact
 * however many workers there are; an entry is found once a connection, under
 * the lock of its shard, and then counted in atomics.  Any thread.
 *
 * The table is bounded.  Callers for whom there is no room share one entry of
 * the service: together they get what one may have, never more.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "policy/service_options.h"

struct caller_limits;
struct caller_use;

/* Which limit it is that refuses. */
enum caller_limit {
	CALLER_CONNECTIONS,
	CALLER_REQUESTS,
	CALLER_RATE,
	CALLER_BYTES,
	CALLER_LIMIT_N, /* none */
};

/* What one caller may have of one service; 0: no limit. */
struct caller_caps {
	uint64_t v[CALLER_LIMIT_N];
};

struct caller_caps caller_caps_of(const struct service_options *o);
bool caller_caps_any(const struct caller_caps *caps);
/* "caller_limits.connections", as people write it. */
const char *caller_limit_name(enum caller_limit l);
/* "caller_limits.requests = 10"; of a shared entry it says so. */
void caller_limit_explain(const struct caller_use *u, enum caller_limit l,
    const struct caller_caps *caps, char *out, size_t cap);

/* most: entries.  Unused ones vanish by caller_limits_look(). */
struct caller_limits *caller_limits_new(size_t most) MUST_CHECK;
/* After the last entry was let go.  NULL is fine. */
void caller_limits_free(struct caller_limits *t);

/* Found or made, and there until it is let go. */
struct caller_use *caller_limits_hold(
    struct caller_limits *t, struct str caller, struct str service) MUST_CHECK;
void caller_limits_let_go(struct caller_limits *t, struct caller_use *u);

/*
 * What begins counts until it ends; CALLER_LIMIT_N, or what refuses it, and
 * then nothing was counted.
 */
enum caller_limit caller_connects(
    struct caller_use *u, const struct caller_caps *caps) MUST_CHECK;
/* It is open already: it counts, whatever the limit is. */
void caller_has_connection(struct caller_use *u);
void caller_disconnects(struct caller_use *u);
enum caller_limit caller_asks(
    struct caller_use *u, const struct caller_caps *caps) MUST_CHECK;
void caller_is_answered(struct caller_use *u);
/* Something is left of today's. */
bool caller_has_bytes(
    const struct caller_use *u, const struct caller_caps *caps);
/* n bytes went, and count; false: with them it is too much for today. */
bool caller_moves(
    struct caller_use *u, const struct caller_caps *caps, uint64_t n);

/* How many entries there are, and at which of their limits they stand. */
struct caller_counts {
	size_t entries;
	size_t shared;
	size_t at_limit[CALLER_LIMIT_N];
};
/* Counts, and forgets who uses nothing any more.  Main, once a second. */
struct caller_counts caller_limits_look(struct caller_limits *t);
/* A line a caller and service, at most max. */
void caller_limits_print(struct caller_limits *t, size_t max, struct text *out);

#endif
