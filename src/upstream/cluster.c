/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clusters of a worker, found by the service's key, and what is counted of
 * each.  What a reload does to them is in cluster_sync.c, the text about them
 * in cluster_print.c, their queue in lease.c.
 */

#include "upstream/cluster.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "upstream/cluster_state.h"

/* How often unhealthy endpoints are looked at again, for the gauge. */
#define HEALTH_EVERY_MS 1000

/* There may be ten thousand of them. */
_Static_assert(sizeof(struct cluster) <= 1024, "a cluster is small");

struct cluster_counts *
counts_get(struct clusters *cs, enum stat_scope scope, struct str label)
{
	char *name = str_dup(label);
	struct stats_set *set = stats_get(cs->env.stats, scope, name);
	struct cluster_counts *k;

	free(name);
	HASH_FIND(hh, cs->counts, &set, sizeof(set), k);
	if (k == NULL) {
		k = xcalloc(1, sizeof(*k));
		k->set = set;
		HASH_ADD(hh, cs->counts, set, sizeof(k->set), k);
	}
	k->users++;
	return k;
}

void
counts_drop(struct clusters *cs, struct cluster_counts *k)
{
	if (--k->users > 0)
		return;
	HASH_DELETE(hh, cs->counts, k);
	stats_drop(cs->env.stats, k->set);
	free(k);
}

static void
on_health(void *arg)
{
	struct clusters *cs = arg;
	struct cluster *c, *next;

	HASH_ITER(hh, cs->table, c, next)
	{
		cluster_note_health(c);
		cluster_note_limits(c);
	}
}

struct clusters *
clusters_new(const struct upstream_env *env)
{
	struct clusters *cs = xcalloc(1, sizeof(*cs));

	cs->env = *env;
	if (env->shared == NULL)
		cs->env.shared = cs->shared = shared_new();
	TAILQ_INIT(&cs->dropped);
	pool_init(&cs->pool, env->loop, env->limits, lease_on_changed);
	timer_init(&cs->health, env->loop, on_health, cs);
	return cs;
}

void
clusters_free(struct clusters *cs)
{
	struct cluster *c, *next;

	if (cs == NULL)
		return;
	HASH_ITER(hh, cs->table, c, next)
	cluster_drop(c);
	for (c = TAILQ_FIRST(&cs->dropped); c != NULL; c = next) {
		/* What is dialled for nobody in particular still holds it. */
		cluster_ref(c);
		dialing_stop_all(c);
		next = TAILQ_NEXT(c, link);
		cluster_unref(c);
	}
	pool_fini(&cs->pool);
	timer_stop(&cs->health);
	snapshot_unref(cs->snapshot);
	shared_free(cs->shared);
	free(cs);
}

static struct cluster *
cluster_new(struct clusters *cs, struct service *s)
{
	struct cluster *c = xcalloc(1, sizeof(*c));

	c->refs = 1;
	c->all = cs;
	c->counts = counts_get(cs, SCOPE_CLUSTER, s->stats_name);
	c->shared = shared_service_get(cs->env.shared, s->key);
	c->member = shared_join(c->shared, cs->env.loop, cluster_on_news, c);
	lease_init(c);
	known_names_init(c);
	TAILQ_INIT(&c->probes);
	TAILQ_INIT(&c->reaches);
	cluster_set_service(c, s);
	HASH_ADD_KEYPTR(
	    hh, cs->table, c->service->key.p, c->service->key.len, c);
	return c;
}

struct cluster *
cluster_ref(struct cluster *c)
{
	c->refs++;
	return c;
}

static void
unref_all(struct live_endpoints *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		live_endpoint_unref(list->v[i]);
	free(list->v);
}

void
cluster_unref(struct cluster *c)
{
	struct clusters *cs;

	if (c == NULL || --c->refs > 0)
		return;
	cs = c->all;
	TAILQ_REMOVE(&cs->dropped, c, link);
	timer_stop(&c->patience);
	timer_stop(&c->telling);
	known_names_fini(c);
	rule_counts_free(c);
	counts_drop(cs, c->counts);
	balance_free(c->balance);
	balance_free(c->relays);
	unref_all(&c->local);
	unref_all(&c->remote);
	c->n_undialed = 0;
	cluster_note_wants(c);
	shared_leave(c->shared, c->member);
	shared_service_unref(c->shared);
	outward_unref(c->outward);
	rate_set_free(c->rates);
	service_unref(c->service);
	free(c);
}

/* Is what c has newer than s, for all that the last sync said? */
static bool
is_newer(const struct clusters *cs, const struct cluster *c)
{
	if (cs->snapshot == NULL)
		return false;
	return snapshot_find(cs->snapshot, c->service->key) == c->service ||
	       snapshot_zone_egresses(cs->snapshot) == c->service;
}

static struct cluster *
find_or_make(struct clusters *cs, struct service *s)
{
	struct cluster *c;

	HASH_FIND(hh, cs->table, s->key.p, s->key.len, c);
	if (c == NULL)
		return cluster_new(cs, s);
	if (c->service != s && !is_newer(cs, c))
		cluster_set_service(c, s);
	return c;
}

/* Each request asks, and nearly always for what one before asked for. */
struct cluster *
clusters_get(struct clusters *cs, struct service *s)
{
	uintptr_t at = (uintptr_t)s / sizeof(*s) % CLUSTERS_RECENT;
	struct cluster *c = cs->recent[at];

	if (c != NULL && c->service == s)
		return c;
	c = find_or_make(cs, s);
	cs->recent[at] = c;
	return c;
}

static bool
is_prober(const struct clusters *cs, const struct service *s)
{
	return cs->env.n_workers == 0 ||
	       hash_bytes(s->key.p, s->key.len) % cs->env.n_workers ==
		   cs->env.number;
}

bool
cluster_is_prober(const struct cluster *c)
{
	return is_prober(c->all, c->service);
}

void
clusters_watch(struct clusters *cs, const struct snapshot *s)
{
	struct service *const *v;
	size_t n, i;

	v = snapshot_services(s, &n);
	for (i = 0; i < n; i++)
		if (v[i]->options->health.kind != HEALTH_NONE &&
		    is_prober(cs, v[i]))
			(void)clusters_get(cs, v[i]);
}

const struct live_endpoints *
cluster_endpoints(const struct cluster *c, const struct reach_want *want)
{
	static const struct live_endpoints none;

	if (want->is_relay)
		return &c->remote;
	if (want->name != NULL)
		return &want->name->endpoints;
	/* What the resource says of a wildcard is nowhere to connect to. */
	return c->service->options->wildcard.len > 0 ? &none : &c->local;
}

struct balance *
cluster_balance(const struct cluster *c, const struct reach_want *want)
{
	if (want->is_relay)
		return c->relays;
	return want->name != NULL ? want->name->balance : c->balance;
}

bool
cluster_local_is_live(const struct cluster *c, uint64_t rulesets)
{
	size_t i;

	for (i = 0; i < c->local.n; i++)
		if ((rulesets >> c->local.v[i]->ruleset & 1) != 0 &&
		    live_endpoint_is_healthy(c->local.v[i], cluster_now_ms(c)))
			return true;
	return false;
}

/* Of BALANCE_WHOLE. */
static unsigned
local_share(const struct cluster *c)
{
	uint64_t now = cluster_now_ms(c);
	unsigned local = balance_survey(c->balance, now), all;

	if (local == BALANCE_WHOLE)
		return local;
	all = local + balance_survey(c->relays, now);
	if (all == 0)
		return BALANCE_WHOLE;
	return all < BALANCE_WHOLE ? local * BALANCE_WHOLE / all : local;
}

bool
cluster_local_is_next(const struct cluster *c, uint64_t rulesets, uint64_t dice)
{
	bool is_live = cluster_local_is_live(c, rulesets);

	if (c->service->options->balance_zones.n == 0)
		return is_live;
	/* The share is that of all: it says nothing of a few. */
	if (c->service->scopes != NULL && !is_live)
		return false;
	return dice % BALANCE_WHOLE < local_share(c);
}

unsigned
cluster_connect_ms(const struct cluster *c)
{
	unsigned own = c->service->options->connect_ms;

	return own > 0 ? own : cluster_env(c)->limits->connect_ms;
}

struct stats_set *
cluster_stats(struct cluster *c)
{
	return cluster_set(c);
}

static size_t
count_healthy(const struct live_endpoints *list, uint64_t now_ms)
{
	size_t i, n = 0;

	for (i = 0; i < list->n; i++)
		n += live_endpoint_is_healthy(list->v[i], now_ms);
	return n;
}

static size_t
count_ejected(const struct live_endpoints *list, uint64_t now_ms)
{
	size_t i, n = 0;

	for (i = 0; i < list->n; i++)
		n += live_endpoint_health(list->v[i], now_ms) ==
		     ENDPOINT_EJECTED;
	return n;
}

/* Gauges of limits that other workers reach too are brought up to date. */
static bool
is_shared_limited(const struct cluster *c)
{
	enum breaker_id id;

	for (id = 0; id < BREAKER_N; id++)
		if (cluster_has_own_limit(c, id))
			return true;
	return false;
}

void
cluster_note_health(struct cluster *c)
{
	uint64_t now = cluster_now_ms(c);
	size_t all = c->local.n + c->remote.n;
	size_t healthy =
	    count_healthy(&c->local, now) + count_healthy(&c->remote, now);

	stat_set(cluster_set(c), STAT_MEMBERSHIP_TOTAL, all);
	stat_set(cluster_set(c), STAT_MEMBERSHIP_HEALTHY, healthy);
	stat_set(cluster_set(c), STAT_OUTLIER_ACTIVE,
	    count_ejected(&c->local, now) + count_ejected(&c->remote, now));
	if ((healthy < all || is_shared_limited(c)) &&
	    !timer_is_set(&c->all->health))
		timer_set(&c->all->health, HEALTH_EVERY_MS);
}

struct cluster_guard
cluster_guard_hold(
    struct cluster *c, struct live_endpoint *e, struct live_target *t)
{
	breaker_up(&c->shared->breakers[BREAKER_CONNECTIONS]);
	return cluster_guard_take(c, e, t);
}

struct cluster_guard
cluster_guard_take(
    struct cluster *c, struct live_endpoint *e, struct live_target *t)
{
	c->n_open++;
	e->active++;
	stat_inc(cluster_set(c), STAT_UPSTREAM_CX_TOTAL);
	stat_inc(cluster_set(c), STAT_UPSTREAM_CX_ACTIVE);
	return (struct cluster_guard){
		.cluster = cluster_ref(c),
		.endpoint = live_endpoint_ref(e),
		.target = live_target_ref(t),
	};
}

void
cluster_guard_release(struct cluster_guard *g)
{
	struct cluster *c = g->cluster;

	if (c == NULL)
		return;
	c->n_open--;
	g->endpoint->active--;
	stat_dec(cluster_set(c), STAT_UPSTREAM_CX_ACTIVE);
	cluster_end(c, BREAKER_CONNECTIONS);
	live_target_unref(g->target);
	live_endpoint_unref(g->endpoint);
	*g = (struct cluster_guard){ .cluster = NULL };
	lease_feed(c);
	cluster_unref(c);
}
