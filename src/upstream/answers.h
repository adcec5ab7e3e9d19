/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_ANSWERS_H
#define UPSTREAM_ANSWERS_H

/*
 * The addresses that an endpoint leads to, without those that we must not
 * connect to: addr_refused(), and our own listeners, be they bound to an
 * address or to all of this host's.  Own thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/addr.h"
#include "upstream/cluster.h"

struct answers {
	struct addr *v;
	size_t n;
	size_t next; /* the one that is to be tried */
};

/* Why an address was left out. */
struct refused_answer {
	struct addr addr;
	const char *why; /* NULL: none was */
};

/*
 * Copies what may be used, with port, from the turn-th on (round the end).
 * The first that is left out is told in refused.
 */
void answers_set(struct answers *as, const struct upstream_env *env,
    const struct addr *v, size_t n, uint16_t port, bool is_literal,
    unsigned turn, struct refused_answer *refused);
void answers_free(struct answers *as);

/* Would a connection to a come back to us? */
bool answers_is_own(const struct addr *own, size_t n, const struct addr *a);

#endif
