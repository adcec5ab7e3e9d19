/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a live_endpoint and its health.  Who uses it next is decided in
 * pick.c; its idle connections are moved by pool.c.
 */

#include "upstream/endpoint.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "upstream/shared.h"

struct live_endpoint *
live_endpoint_new(const struct service_endpoint *se)
{
	struct live_endpoint *e = xcalloc(1, sizeof(*e));

	e->refs = 1;
	e->endpoint = endpoint_ref(se->endpoint);
	e->ruleset = se->ruleset;
	e->is_zoned = se->is_zoned;
	TAILQ_INIT(&e->shared);
	TAILQ_INIT(&e->idle);
	TAILQ_INIT(&e->pinned);
	return e;
}

struct live_endpoint *
live_endpoint_ref(struct live_endpoint *e)
{
	e->refs++;
	return e;
}

void
live_endpoint_unref(struct live_endpoint *e)
{
	if (e == NULL || --e->refs > 0)
		return;
	targets_free(e);
	shared_endpoint_unref(e->known, e->is_offered);
	endpoint_unref(e->endpoint);
	free(e->failure);
	free(e);
}

void
live_endpoint_failed(struct live_endpoint *e, uint64_t now_ms, const char *text)
{
	free(e->failure);
	e->failure = xstrdup(text);
	e->failed_ms = now_ms;
	e->is_failing = true;
}

void
live_endpoint_worked(struct live_endpoint *e)
{
	e->is_failing = false;
}

void
live_endpoint_share(struct live_endpoint *e, struct shared_endpoint *k)
{
	e->known = k;
	e->is_offered = true;
}

void
live_endpoint_offer(struct live_endpoint *e, bool is_offered)
{
	if (e->known == NULL || e->is_offered == is_offered)
		return;
	shared_endpoint_offer(e->known, is_offered);
	e->is_offered = is_offered;
}

struct shared_endpoint *
live_known(const struct live_endpoint *e, const struct live_target *t)
{
	return t != NULL ? t->known : e->known;
}

static enum endpoint_health
health_of(const struct shared_endpoint *k, bool is_failing, uint64_t failed_ms,
    uint64_t now_ms)
{
	if (k != NULL && atomic_load_explicit(
			     &k->probed, memory_order_relaxed) == PROBED_BAD)
		return ENDPOINT_UNHEALTHY;
	if (k != NULL && now_ms < atomic_load_explicit(
				      &k->out_until_ms, memory_order_relaxed))
		return ENDPOINT_EJECTED;
	return is_failing && now_ms - failed_ms < ENDPOINT_FAILED_MS
		   ? ENDPOINT_FAILING
		   : ENDPOINT_HEALTHY;
}

enum endpoint_health
live_target_health(const struct live_target *t, uint64_t now_ms)
{
	return health_of(t->known, t->is_failing, t->failed_ms, now_ms);
}

static enum endpoint_health
best_target(const struct live_endpoint *e, uint64_t now_ms)
{
	enum endpoint_health best = ENDPOINT_UNHEALTHY, h;
	size_t i, n = 0;

	for (i = 0; i < e->targets.n; i++) {
		if (!e->targets.v[i]->is_offered)
			continue;
		n++;
		h = live_target_health(e->targets.v[i], now_ms);
		if (h < best)
			best = h;
	}
	return n > 0 ? best : ENDPOINT_HEALTHY;
}

enum endpoint_health
live_endpoint_health(const struct live_endpoint *e, uint64_t now_ms)
{
	enum endpoint_health own =
	    health_of(e->known, e->is_failing, e->failed_ms, now_ms);
	enum endpoint_health best;

	if (e->targets.n == 0)
		return own;
	best = best_target(e, now_ms);
	return best > own ? best : own;
}

bool
live_endpoint_is_healthy(const struct live_endpoint *e, uint64_t now_ms)
{
	return live_endpoint_health(e, now_ms) == ENDPOINT_HEALTHY;
}
