/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_BALANCE_STATE_H
#define UPSTREAM_BALANCE_STATE_H

/*
 * What a balance is made of: for balance.c, which says who may be chosen, and
 * balance_policy.c, which chooses.
 */

#include "upstream/balance.h"
#include "upstream/balance_table.h"

struct level {
	unsigned priority;
	uint64_t total; /* weight of those that the caller may use */
	uint64_t good;  /* of these, weight of the healthy ones */
	unsigned load;  /* of WHOLE */
};

struct candidate {
	struct live_endpoint *endpoint;
	uint64_t weight;
};

struct balance {
	struct balance_settings settings;
	const struct live_endpoints *all;
	struct level *levels; /* by priority; NULL: not made yet */
	size_t n_levels;
	struct candidate *v; /* of this pick; room for all */
	size_t n;
	uint64_t sum;  /* of their weights */
	uint64_t pick; /* its number, which is the mark of candidates */
	uint64_t lots;
	struct balance_table *table;
	bool has_table; /* it was made, or there can be none */
};

/* Drawn anew each time. */
uint64_t balance_lot(struct balance *b);

/* balance_policy.c: one of the candidates; there is one at least. */
struct live_endpoint *balance_apply(struct balance *b, uint64_t hash);

#endif
