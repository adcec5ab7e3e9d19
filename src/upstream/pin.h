/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_PIN_H
#define UPSTREAM_PIN_H

/*
 * The one connection that a server has authenticated for one caller (NTLM,
 * Negotiate), between two exchanges of that caller's connection.  It is never
 * anybody else's.  Idle for limits.pool_idle_ms, closed by its server, or of
 * an endpoint that the service has no more, it is closed like any idle one.
 *
 * Embedded where a caller's connection is, and named in the want of its
 * leases: lease_start() takes what is in it first, if the caller still may use
 * its endpoint, and lease_end() puts it back.  Own thread.
 */

#include <stdbool.h>

#include "base/attr.h"

struct back;
struct cluster;
struct reach_want;

/* Zeroed memory holds nothing. */
struct pin {
	struct back *back;
};

/* Closes what it holds.  Before the end of its owner. */
void pin_release(struct pin *p);

/* Nobody uses b, which is private.  False: it is of no use. */
bool pin_keep(struct pin *p, struct back *b) MUST_CHECK;
/* Out of the pin, for one who wants this of c; NULL: nothing is there. */
struct back *pin_take(struct pin *p, const struct cluster *c,
    const struct reach_want *want) MUST_CHECK;
/* b is about to be closed. */
void pin_forget(struct back *b);

#endif
