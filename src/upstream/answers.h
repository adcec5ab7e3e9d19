/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_ANSWERS_H
#define UPSTREAM_ANSWERS_H

/*
 * The addresses that an endpoint leads to, in order, without those that we must
 * not connect to: addr_refused(), and our own listeners, be they bound to an
 * address or to all of this host's.  Own thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/addr.h"
#include "net/dial.h"
#include "upstream/cluster.h"
#include "upstream/outward.h"

struct answers {
	struct addr *v; /* in the order in which they are to be tried */
	size_t n;
};

/* Why an address was left out. */
struct refused_answer {
	struct addr addr;
	const char *why; /* NULL: none was */
};

/* What decides about addresses. */
struct answers_rule {
	const struct upstream_env *env;
	const struct families *families;
	const struct outward *outward;
	const struct addr_rules *rules; /* one of outward's */
	uint16_t port;
	bool is_literal;
	bool is_ordered; /* order and ports are right as they are */
	unsigned turn;   /* which one of each family comes first */
	uint64_t now_ms;
};

/*
 * Copies what may be used, with port: the families in turn, the preferred one
 * first (RFC 8305, section 4), unless they are ordered.  The first that is left
 * out is told in refused.
 */
void answers_set(struct answers *as, const struct answers_rule *rule,
    const struct addr *v, size_t n, struct refused_answer *refused);
/* Without those that the dialler tried in vain, or connected to. */
void answers_drop_spent(struct answers *as, const struct dial *d);
void answers_free(struct answers *as);

/* Would a connection to a come back to us? */
bool answers_is_own(const struct addr *own, size_t n, const struct addr *a);

#endif
