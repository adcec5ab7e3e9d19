/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONN_HASH_BY_H
#define CONN_HASH_BY_H

/*
 * What balance.hash of a service names, of a caller and a request, as the one
 * number that the balance goes by.  The same in every worker and egress.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "net/addr.h"
#include "policy/identity.h"
#include "policy/service_options.h"

struct head;
struct reach_want;

/* Sixteen digits. */
#define HASH_COOKIE_TEXT 17

struct hash_source {
	const struct identity *caller; /* NULL: not known any more */
	const struct addr *from;
	const struct head *request; /* NULL: a connection */
	struct str host;            /* as it was asked for */
	/*
	 * Who has no cookie that is to be given gets this one, made here if it
	 * is empty; of requests only.
	 */
	char *cookie;
};

/* Sets hash and has_hash of want, where o wants a hash and it has something. */
void hash_by(const struct service_options *o, const struct hash_source *s,
    struct reach_want *want);
/* The Set-Cookie for cookie, as it was made; in a. */
struct str hash_by_set_cookie(const struct service_options *o,
    const char *cookie, struct arena *a) MUST_CHECK;

#endif
