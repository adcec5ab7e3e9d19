/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a reload does to the clusters that were made: those whose service is
 * gone are dropped, those whose service changed are brought up to date.  An
 * endpoint that stayed as it was keeps its health and its idle connections.
 */

#include <stdlib.h>

#include "base/rng.h"
#include "base/xalloc.h"
#include "upstream/cluster_state.h"
#include "upstream/probe.h"

static struct live_endpoint *
find_same(const struct live_endpoints *old, const struct endpoint *e)
{
	const struct endpoint *o;
	size_t i;

	for (i = 0; i < old->n; i++) {
		o = old->v[i]->endpoint;
		if (o == e || (str_eq(o->key, e->key) &&
				  digest_eq(&o->digest, &e->digest)))
			return old->v[i];
	}
	return NULL;
}

static struct live_endpoint *
make(struct cluster *c, const struct live_endpoints *list,
    const struct service_endpoint *se, uint64_t name_id)
{
	struct live_endpoint *e = live_endpoint_new(se);
	struct str group = STR("local");

	if (list == &c->remote)
		group = STR("remote");
	else if (name_id != 0)
		group = se->endpoint->host;
	e->name_id = name_id;
	live_endpoint_share(e, shared_endpoint_get(c->shared, group,
				   se->endpoint->key, &se->endpoint->digest));
	return e;
}

static struct live_endpoint *
keep(const struct live_endpoints *old, const struct service_endpoint *se)
{
	struct live_endpoint *e = find_same(old, se->endpoint);

	/* Twice the same one in a list would share one state: not so here. */
	if (e == NULL || !e->is_gone)
		return NULL;
	e->is_gone = false;
	e->ruleset = se->ruleset;
	e->is_zoned = se->is_zoned;
	return live_endpoint_ref(e);
}

void
live_endpoints_set(struct cluster *c, struct live_endpoints *list,
    const struct service_endpoint *v, size_t n, bool keeps, uint64_t name_id)
{
	const struct live_endpoints none = { .v = NULL };
	struct live_endpoints old = *list;
	size_t i;

	for (i = 0; i < old.n; i++)
		old.v[i]->is_gone = true;
	list->v = n > 0 ? xcalloc(n, sizeof(struct live_endpoint *)) : NULL;
	list->n = n;
	/* They speak what the service spoke, and go where it went, before. */
	for (i = 0; i < n; i++) {
		list->v[i] = keep(keeps ? &old : &none, &v[i]);
		if (list->v[i] == NULL)
			list->v[i] = make(c, list, &v[i], name_id);
	}
	for (i = 0; i < old.n; i++) {
		live_endpoint_offer(old.v[i], !old.v[i]->is_gone);
		if (old.v[i]->is_gone) {
			targets_withdraw(old.v[i], cluster_now_ms(c));
			pool_close(old.v[i]);
		}
		live_endpoint_unref(old.v[i]);
	}
	free(old.v);
}

static uint64_t
translate_rulesets(
    const struct service *from, const struct service *to, uint64_t rulesets)
{
	uint64_t out = 0;
	size_t i, j;

	for (i = 0; i < from->n_rulesets && i < SERVICE_RULESETS_MAX; i++) {
		if ((rulesets >> i & 1) == 0)
			continue;
		for (j = 0; j < to->n_rulesets && j < SERVICE_RULESETS_MAX; j++)
			if (digest_eq(&from->rulesets[i].digest,
				&to->rulesets[j].digest))
				out |= UINT64_C(1) << j;
	}
	return out;
}

/* Where the name was for all, it still is: the relay is being dialled. */
static uint64_t
translate_relays(
    const struct service *from, const struct service *to, uint64_t sets)
{
	uint64_t out = 0;
	size_t i, j;

	if (from->n_relay_sets == 0 || to->n_relay_sets == 0)
		return UINT64_MAX;
	for (i = 0; i < from->n_relay_sets; i++) {
		if ((sets >> i & 1) == 0)
			continue;
		for (j = 0; j < to->n_relay_sets; j++)
			if (digest_eq(&from->relay_sets[i], &to->relay_sets[j]))
				out |= UINT64_C(1) << j;
	}
	return out;
}

void
cluster_translate(const struct service *from, const struct service *to,
    struct reach_want *want)
{
	if (from == NULL || from == to)
		return;
	want->rulesets = want->is_relay
			     ? translate_relays(from, to, want->rulesets)
			     : translate_rulesets(from, to, want->rulesets);
}

/* The table's key lies in the service. */
static void
change_key(struct cluster *c, struct service *s)
{
	struct clusters *cs = c->all;

	HASH_DELETE(hh, cs->table, c);
	c->service = s;
	HASH_ADD_KEYPTR(
	    hh, cs->table, c->service->key.p, c->service->key.len, c);
}

void
live_endpoints_note_known(const struct live_endpoints *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		list->v[i]->is_known_good = true;
}

struct balance *
cluster_new_balance(const struct cluster *c, const struct live_endpoints *list)
{
	const struct balance_settings s = balance_settings_of(
	    c->service->options, protocol_is_http(c->service->protocol));

	return balance_new(&s, list, rng_u64());
}

static void
renew_balances(struct cluster *c)
{
	static const struct live_endpoints none;
	struct balance_settings relays =
	    balance_settings_of(service_options_standard(), false);
	/* What the resource says of a wildcard is nowhere to connect to. */
	bool is_wildcard = c->service->options->wildcard.len > 0;

	/* Where zones are in an order, the factor is for them too. */
	if (c->service->options->balance_zones.n > 0)
		relays.overprovisioning =
		    c->service->options->balance_overprovisioning;
	balance_free(c->balance);
	balance_free(c->relays);
	c->balance = cluster_new_balance(c, is_wildcard ? &none : &c->local);
	c->relays = balance_new(&relays, &c->remote, rng_u64());
}

void
cluster_set_service(struct cluster *c, struct service *s)
{
	struct service *old = c->service;
	bool keeps = old != NULL && old->protocol == s->protocol &&
		     outward_is_same(old->options, s->options);
	bool keeps_checks = keeps && probes_are_same(old->options, s->options);

	if (old == s)
		return;
	service_ref(s);
	if (old == NULL) {
		c->service = s;
	} else {
		change_key(c, s);
		if (!digest_eq(&old->digest, &s->digest))
			stat_inc(cluster_set(c), STAT_UPDATE_SUCCESS);
		lease_translate(c, old);
		dialing_translate(c, old);
		reach_translate(c, old);
	}
	outward_unref(c->outward);
	c->outward = outward_new(s->options, cluster_env(c)->addr_rules);
	c->rates = rate_set_follow(c->rates, cluster_env(c)->rates, s);
	if (old != NULL && outlier_is_on(&old->options->outlier) &&
	    !outlier_is_on(&s->options->outlier))
		shared_forgive(c->shared);
	live_endpoints_set(c, &c->local, s->local, s->n_local, keeps, 0);
	live_endpoints_set(c, &c->remote, s->remote, s->n_remote, keeps, 0);
	/* As long as nobody asks, nothing is noted. */
	if (old == NULL || old->options->balance_slow_start_ms == 0)
		live_endpoints_note_known(&c->local);
	renew_balances(c);
	known_names_sync(c, keeps);
	rule_counts_sync(c, old);
	service_unref(old);
	probes_sync(c, keeps_checks);
	cluster_note_health(c);
	cluster_note_limits(c);
}

void
cluster_drop(struct cluster *c)
{
	struct clusters *cs = c->all;
	size_t i;

	HASH_DELETE(hh, cs->table, c);
	memset(cs->recent, 0, sizeof(cs->recent));
	TAILQ_INSERT_TAIL(&cs->dropped, c, link);
	c->is_dropped = true;
	probes_stop(c);
	for (i = 0; i < c->local.n; i++)
		pool_close(c->local.v[i]);
	known_names_close(c);
	cluster_unref(c);
}

static struct service *
find_service(const struct snapshot *s, struct str key)
{
	struct service *egresses = snapshot_zone_egresses(s);

	if (egresses != NULL && str_eq(egresses->key, key))
		return egresses;
	return snapshot_find(s, key);
}

void
clusters_sync(struct clusters *cs, struct snapshot *s)
{
	struct snapshot *old = cs->snapshot;
	struct cluster *c, *next;
	struct service *service;

	cs->snapshot = snapshot_ref(s);
	HASH_ITER(hh, cs->table, c, next)
	{
		service = find_service(s, c->service->key);
		if (service != NULL)
			cluster_set_service(c, service);
		else
			cluster_drop(c);
	}
	clusters_watch(cs, s);
	snapshot_unref(old);
}
