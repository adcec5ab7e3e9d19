/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Targets of an endpoint: kept in step with answers of DNS, found by address,
 * put in order by health.
 */

#include "upstream/targets.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "upstream/cluster_state.h"

struct live_target *
live_target_ref(struct live_target *t)
{
	if (t != NULL)
		t->refs++;
	return t;
}

void
live_target_unref(struct live_target *t)
{
	if (t == NULL || --t->refs > 0)
		return;
	shared_endpoint_unref(t->known, t->is_offered);
	free(t);
}

void
live_target_failed(struct live_target *t, uint64_t now_ms)
{
	if (t == NULL)
		return;
	t->is_failing = true;
	t->failed_ms = now_ms;
}

void
live_target_worked(struct live_target *t)
{
	if (t != NULL)
		t->is_failing = false;
}

/* "bank 10.0.0.1:443" among the "targets bank". */
static struct live_target *
target_new(
    const struct cluster *c, const struct endpoint *e, const struct addr *a)
{
	struct live_target *t = xcalloc(1, sizeof(*t));
	struct text group = TEXT_EMPTY, key = TEXT_EMPTY;
	char addr[ADDR_TEXT];

	addr_print(a, addr);
	text_addf(&group, "targets %.*s", STR_ARG(e->key));
	text_addf(&key, "%.*s %s", STR_ARG(e->key), addr);
	t->refs = 1;
	t->addr = *a;
	t->is_offered = true;
	t->known = shared_endpoint_get(
	    c->shared, text_str(&group), text_str(&key), &e->digest);
	text_free(&group);
	text_free(&key);
	return t;
}

struct live_target *
targets_find(const struct live_endpoint *e, const struct addr *a)
{
	size_t i;

	for (i = 0; i < e->targets.n; i++)
		if (addr_eq(&e->targets.v[i]->addr, a))
			return e->targets.v[i];
	return NULL;
}

static void
offer(struct live_target *t, bool is_offered, uint64_t now_ms)
{
	if (t->is_offered == is_offered)
		return;
	t->is_offered = is_offered;
	t->gone_ms = now_ms;
	shared_endpoint_offer(t->known, is_offered);
}

static bool
has(const struct addr *v, size_t n, const struct addr *a)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (addr_eq(&v[i], a))
			return true;
	return false;
}

/* Those that are gone for long, or for which there is no room. */
static void
forget(struct live_endpoint *e, uint64_t now_ms, size_t room)
{
	struct live_targets *all = &e->targets;
	struct live_target *t;
	size_t i, n = 0;

	for (i = 0; i < all->n; i++) {
		t = all->v[i];
		if (t->is_offered || (now_ms - t->gone_ms < TARGETS_GONE_MS &&
					 all->n - i + n <= room))
			all->v[n++] = t;
		else
			live_target_unref(t);
	}
	all->n = n;
}

void
targets_set(
    struct cluster *c, struct live_endpoint *e, const struct addr *v, size_t n)
{
	uint64_t now = cluster_now_ms(c);
	struct live_target *t;
	size_t i, n_new = 0;

	if (n > TARGETS_MOST)
		n = TARGETS_MOST;
	if (e->targets.v == NULL)
		e->targets.v =
		    xcalloc(TARGETS_MOST, sizeof(struct live_target *));
	for (i = 0; i < e->targets.n; i++)
		offer(e->targets.v[i],
		    e->is_offered && has(v, n, &e->targets.v[i]->addr), now);
	for (i = 0; i < n; i++)
		n_new += targets_find(e, &v[i]) == NULL;
	forget(e, now, TARGETS_MOST - n_new);
	for (i = 0; i < n; i++) {
		t = targets_find(e, &v[i]);
		if (t == NULL)
			e->targets.v[e->targets.n++] =
			    target_new(c, e->endpoint, &v[i]);
		offer(targets_find(e, &v[i]), e->is_offered, now);
	}
}

void
targets_withdraw(struct live_endpoint *e, uint64_t now_ms)
{
	size_t i;

	for (i = 0; i < e->targets.n; i++)
		offer(e->targets.v[i], false, now_ms);
}

static enum endpoint_health
health_at(const struct live_endpoint *e, const struct addr *a, uint64_t now_ms)
{
	const struct live_target *t = targets_find(e, a);

	return t != NULL ? live_target_health(t, now_ms) : ENDPOINT_HEALTHY;
}

void
targets_sort(
    const struct live_endpoint *e, struct addr *v, size_t n, uint64_t now_ms)
{
	enum endpoint_health h[TARGETS_MOST], mine;
	struct addr a;
	size_t i, k;

	for (i = 0; i < n && i < TARGETS_MOST; i++) {
		a = v[i];
		mine = health_at(e, &a, now_ms);
		for (k = i; k > 0 && h[k - 1] > mine; k--) {
			v[k] = v[k - 1];
			h[k] = h[k - 1];
		}
		v[k] = a;
		h[k] = mine;
	}
}

bool
targets_shun(
    const struct live_endpoint *e, const struct live_target *t, uint64_t now_ms)
{
	enum endpoint_health mine;
	size_t i;

	if (t == NULL)
		return false;
	mine = live_target_health(t, now_ms);
	for (i = 0; mine != ENDPOINT_HEALTHY && i < e->targets.n; i++)
		if (e->targets.v[i]->is_offered &&
		    live_target_health(e->targets.v[i], now_ms) < mine)
			return true;
	return false;
}

void
targets_free(struct live_endpoint *e)
{
	size_t i;

	for (i = 0; i < e->targets.n; i++)
		live_target_unref(e->targets.v[i]);
	free(e->targets.v);
	e->targets = (struct live_targets){ .v = NULL };
}
