/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Smooth weighted round robin: at each pick everybody who takes part earns his
 * weight, and who has most pays the sum of all.  So turns are spread evenly
 * (a a b a, not a a a b), also when callers may use different endpoints.
 */

#include "upstream/pick.h"

#include "upstream/known_names.h"

bool
pick_allows(const struct reach_want *want, const struct live_endpoint *e)
{
	if (e->is_gone || (want->only_zoned && !e->is_zoned))
		return false;
	/* A connection to one name is of no use for another. */
	if (e->name_id != upstream_name_id(want->name))
		return false;
	/* A relay's caller has not been asked who he is: the other zone does.
	 */
	if (want->is_relay)
		return true;
	return e->ruleset < SERVICE_RULESETS_MAX &&
	       (want->rulesets >> e->ruleset & 1) != 0;
}

static bool
has(const struct live_endpoints *list, const struct live_endpoint *e)
{
	size_t i;

	for (i = 0; list != NULL && i < list->n; i++)
		if (list->v[i] == e)
			return true;
	return false;
}

static bool
takes_part(const struct live_endpoint *e, const struct reach_want *want,
    const struct live_endpoints *tried)
{
	return pick_allows(want, e) && !has(tried, e);
}

/* Lower is better; only the best ones share the turns. */
static uint64_t
rank(const struct live_endpoint *e, uint64_t now_ms)
{
	uint64_t is_failed = !live_endpoint_is_healthy(e, now_ms);
	uint64_t is_weightless = e->endpoint->weight == 0;

	return is_failed << 33 | (uint64_t)e->endpoint->priority << 1 |
	       is_weightless;
}

static uint64_t
best_rank(const struct live_endpoints *all, const struct reach_want *want,
    const struct live_endpoints *tried, uint64_t now_ms)
{
	uint64_t best = UINT64_MAX, r;
	size_t i;

	for (i = 0; i < all->n; i++) {
		if (!takes_part(all->v[i], want, tried))
			continue;
		r = rank(all->v[i], now_ms);
		if (r < best)
			best = r;
	}
	return best;
}

static bool
has_more(const struct live_endpoint *a, const struct live_endpoint *b)
{
	return (int64_t)(a->credit - b->credit) > 0;
}

struct live_endpoint *
pick_endpoint(const struct live_endpoints *all, const struct reach_want *want,
    const struct live_endpoints *tried, uint64_t now_ms)
{
	uint64_t best = best_rank(all, want, tried, now_ms), sum = 0, weight;
	struct live_endpoint *found = NULL, *e;
	size_t i;

	for (i = 0; i < all->n; i++) {
		e = all->v[i];
		if (!takes_part(e, want, tried) || rank(e, now_ms) != best)
			continue;
		weight = e->endpoint->weight > 0 ? e->endpoint->weight : 1;
		e->credit += weight;
		sum += weight;
		if (found == NULL || has_more(e, found))
			found = e;
	}
	if (found != NULL)
		found->credit -= sum;
	return found;
}

size_t
pick_left(const struct live_endpoints *all, const struct reach_want *want,
    const struct live_endpoints *tried)
{
	size_t i, n = 0;

	for (i = 0; i < all->n; i++)
		n += takes_part(all->v[i], want, tried);
	return n;
}
