/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a MeshLoadBalancingStrategy comes to: how an endpoint is chosen, and
 * which other zones a kuma.io/service may go to (Kuma section 8.7).  Main
 * thread.
 */

#include "model/mesh_load_balancing_strategy.h"
#include "policy/compile.h"
#include "policy/compile_policies.h"
#include "policy/hash_key.h"
#include "policy/policy_options.h"

/* Kuma's, where localityAwareness has rules, in percent. */
#define USUAL_OVERPROVISIONING 200

static enum balance_policy
policy_of(uint64_t type)
{
	switch ((enum mlbs_type)type) {
	case MLBS_ROUND_ROBIN:
		break;
	case MLBS_LEAST_REQUEST:
		return BALANCE_LEAST_REQUEST;
	case MLBS_RING:
		return BALANCE_RING_HASH;
	case MLBS_RANDOM:
		return BALANCE_RANDOM;
	case MLBS_MAGLEV:
		return BALANCE_MAGLEV;
	}
	return BALANCE_ROUND_ROBIN;
}

/* As balance.hash has it; no text: it is none of ours. */
static struct str
key_of(const struct mlbs_hash *h, struct arena *a)
{
	const char *end = h->is_terminal ? " terminal" : "";

	switch (h->type) {
	case MLBS_HASH_HEADER:
		return str_of(
		    arena_printf(a, "header:%.*s%s", STR_ARG(h->name), end));
	case MLBS_HASH_COOKIE:
		if (!h->is_given)
			return str_of(arena_printf(
			    a, "cookie:%.*s%s", STR_ARG(h->name), end));
		return str_of(arena_printf(a, "cookie:%.*s ttl=%llu%s%.*s%s",
		    STR_ARG(h->name), (unsigned long long)(h->ttl_ms / 1000),
		    h->path.len > 0 ? " path=" : "", STR_ARG(h->path), end));
	case MLBS_HASH_QUERY:
		return str_of(
		    arena_printf(a, "query:%.*s%s", STR_ARG(h->name), end));
	case MLBS_HASH_CONNECTION:
		if (h->uses_source)
			return str_of(arena_printf(a, "source%s", end));
		break;
	case MLBS_HASH_FILTER_STATE:
	case MLBS_HASH_UNKNOWN:
		break;
	}
	return STR_NONE;
}

static bool
is_of_use(struct str key, const struct service *draft)
{
	struct hash_key k;

	return hash_key_parse(key, &k) &&
	       (!hash_key_is_of_request(&k) ||
		   protocol_is_http(draft->protocol));
}

static void
give_hashes(struct compile *c, const struct policy_conf *conf, size_t i,
    const struct service *draft, struct arena *a, struct policy_options *p)
{
	const struct mlbs_hash *h = conf->v[i].list.items;
	struct str_list list = { .n = 0 };
	struct str *v, key;
	size_t j;

	v = arena_alloc(a, (conf->v[i].list.n + 1) * sizeof(*v));
	for (j = 0; j < conf->v[i].list.n; j++) {
		key = key_of(&h[j], a);
		if (h[j].type == MLBS_HASH_FILTER_STATE)
			tell_unused(c, conf, i, "hashPolicies",
			    "there is no filter state to hash");
		if (!is_of_use(key, draft))
			continue;
		v[list.n++] = key;
	}
	list.v = v;
	if (list.n > 0)
		give_strs(p, conf, i, SERVICE_OPTION_BALANCE_HASH, list);
}

/* hashPolicies, or the old place of the type that is chosen. */
static size_t
hashes_of(const struct policy_conf *conf)
{
	if (conf->v[MLBS_HASH].is_given)
		return MLBS_HASH;
	return conf->v[MLBS_TYPE].number == MLBS_RING ? MLBS_RING_HASH
						      : MLBS_MAGLEV_HASH;
}

static void
give_balancer(struct compile *c, const struct policy_conf *conf,
    const struct service *draft, struct arena *a, struct policy_options *p)
{
	uint64_t type = conf->v[MLBS_TYPE].number;
	size_t hashes = hashes_of(conf);

	if (conf->v[MLBS_TYPE].is_given)
		give_number(p, c, conf, MLBS_TYPE,
		    SERVICE_OPTION_BALANCE_POLICY, policy_of(type));
	give_value(p, c, conf, MLBS_CHOICES, SERVICE_OPTION_BALANCE_CHOICES);
	if (type == MLBS_RING)
		give_value(p, c, conf, MLBS_RING_MOST,
		    SERVICE_OPTION_BALANCE_TABLE_SIZE);
	else
		give_value(p, c, conf, MLBS_TABLE_SIZE,
		    SERVICE_OPTION_BALANCE_TABLE_SIZE);
	give_value(
	    p, c, conf, MLBS_RING_LEAST, SERVICE_OPTION_BALANCE_RING_LEAST);
	if (conf->v[hashes].is_given)
		give_hashes(c, conf, hashes, draft, a, p);
	tell_unused(c, conf, MLBS_BIAS,
	    "loadBalancer.leastRequest.activeRequestBias",
	    "requests of endpoints are compared by their weights alone");
}

/* Whole hundreds, cut off before they are multiplied, as in Kuma. */
static uint64_t
overprovisioning(const struct policy_conf *conf)
{
	const struct policy_value *t = &conf->v[MLBS_THRESHOLD];

	if (!t->is_given || t->number == 0)
		return USUAL_OVERPROVISIONING;
	return 100000 / t->number * 100;
}

static bool
has_rules(const struct policy_conf *conf)
{
	return conf->v[MLBS_LOCAL_ZONE].is_given ||
	       conf->v[MLBS_CROSS_ZONE].is_given;
}

static struct str
words_of(const char *kind, const struct str *zones, size_t n, struct arena *a)
{
	struct text t = TEXT_EMPTY;
	struct str out;
	size_t i;

	text_add_z(&t, kind);
	for (i = 0; i < n; i++)
		text_addf(&t, " %.*s", STR_ARG(zones[i]));
	out = arena_str(a, text_str(&t));
	text_free(&t);
	return out;
}

static bool
has_name(const struct str *v, size_t n, struct str name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (str_eq(v[i], name))
			return true;
	return false;
}

/* As balance.zones has it.  A rule for another zone keeps its place. */
static struct str
rule_of(const struct mlbs_failover *f, struct str here, struct arena *a)
{
	if (f->has_from && !has_name(f->from, f->n_from, here))
		return STR("none");
	switch (f->type) {
	case MLBS_ZONES_ANY:
		return STR("any");
	case MLBS_ZONES_ONLY:
		return words_of("only", f->zones, f->n_zones, a);
	case MLBS_ZONES_ANY_EXCEPT:
		return words_of("except", f->zones, f->n_zones, a);
	case MLBS_ZONES_NONE:
	case MLBS_ZONES_UNKNOWN:
		break;
	}
	return STR("none");
}

/* No rule at all leaves this zone alone. */
static struct str_list
rules_of(struct compile *c, const struct policy_conf *conf, struct arena *a)
{
	const struct mlbs_failover *f = conf->v[MLBS_FAILOVER].list.items;
	size_t i, n = conf->v[MLBS_FAILOVER].list.n;
	struct str *v = arena_alloc(a, (n + 1) * sizeof(*v));

	v[0] = STR("none");
	for (i = 0; i < n; i++)
		v[i] = rule_of(&f[i], c->set->zone, a);
	return (struct str_list){ .v = v, .n = n > 0 ? n : 1 };
}

/* Any value of the policy that is given: it speaks of the service. */
static size_t
first_given(const struct policy_conf *conf)
{
	size_t i = 0;

	while (i + 1 < OUTBOUND_VALUES_MAX && !conf->v[i].is_given)
		i++;
	return i;
}

void
options_of_zones(struct compile *c, const struct policy_conf *conf,
    struct arena *a, struct policy_options *p)
{
	bool is_off = conf->v[MLBS_LOCALITY_DISABLED].number != 0;
	size_t i = first_given(conf);

	/* A policy that says nothing is not from anywhere. */
	if (!conf->v[i].is_given)
		return;
	if (conf->v[MLBS_LOCALITY].is_given)
		i = MLBS_LOCALITY;
	give_number(p, c, conf, i, SERVICE_OPTION_BALANCE_LOCALITY,
	    is_off && !has_rules(conf) ? BALANCE_LOCALITY_OFF
				       : BALANCE_LOCALITY_ON);
	if (!has_rules(conf))
		return;
	give_strs(
	    p, conf, i, SERVICE_OPTION_BALANCE_ZONES, rules_of(c, conf, a));
	if (conf->v[MLBS_THRESHOLD].is_given)
		i = MLBS_THRESHOLD;
	give_number(p, c, conf, i, SERVICE_OPTION_BALANCE_OVERPROVISIONING,
	    overprovisioning(conf));
}

void
options_of_balance(struct compile *c, const struct policy_conf *conf,
    const struct policy_subject *about, const struct service *draft,
    struct arena *a, struct policy_options *p)
{
	give_balancer(c, conf, draft, a, p);
	if (about->mes != NULL) {
		tell_unused(c, conf, MLBS_LOCALITY, "localityAwareness",
		    "all endpoints of a MeshExternalService are in its zone; "
		    "give them priorities");
		return;
	}
	options_of_zones(c, conf, a, p);
	tell_unused(c, conf, MLBS_AFFINITY,
	    "localityAwareness.localZone.affinityTags",
	    "the egress has no tags of each caller; they act in the sidecars");
}
