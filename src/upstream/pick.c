/* SPDX-License-Identifier: Apache-2.0 */
/* Who takes part in a pick, and how it stands.  The choice is in balance.c. */

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

static enum standing
standing_of(const struct live_endpoint *e, const struct reach_want *want,
    const struct live_endpoints *tried, bool is_strict, uint64_t now_ms)
{
	enum endpoint_health h;

	if (!pick_allows(want, e))
		return STANDING_OUT;
	if (has(tried, e))
		return STANDING_TRIED;
	h = live_endpoint_health(e, now_ms);
	if (is_strict && h >= ENDPOINT_EJECTED)
		return STANDING_OUT;
	return h == ENDPOINT_HEALTHY ? STANDING_GOOD : STANDING_BAD;
}

struct live_endpoint *
pick_endpoint(struct balance *b, const struct reach_want *want,
    const struct live_endpoints *tried, uint64_t now_ms)
{
	const struct live_endpoints *all = balance_endpoints(b);
	const bool is_strict = balance_is_strict(b);
	struct live_endpoint *e;
	size_t i;

	for (i = 0; i < all->n; i++) {
		e = all->v[i];
		e->standing = standing_of(e, want, tried, is_strict, now_ms);
	}
	return balance_choose(b, want->has_hash ? &want->hash : NULL, now_ms);
}

size_t
pick_left(const struct live_endpoints *all, const struct reach_want *want,
    const struct live_endpoints *tried)
{
	size_t i, n = 0;

	for (i = 0; i < all->n; i++)
		n += pick_allows(want, all->v[i]) && !has(tried, all->v[i]);
	return n;
}
