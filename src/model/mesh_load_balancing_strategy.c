/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a MeshLoadBalancingStrategy may say (Kuma section 8.7).  How balancers
 * choose is in mlbs_hash.c.  Main thread.
 */

#include "model/mesh_load_balancing_strategy.h"

#include <stdio.h>

#include "base/arena.h"
#include "model/kind_rows.h"
#include "model/mlbs_hash.h"
#include "model/outbound_policy.h"
#include "model/target_bind.h"

#define AFFINITY(field) offsetof(struct mlbs_affinity, field)
#define FAILOVER(field) offsetof(struct mlbs_failover, field)

static const struct bind affinity_rows[] = {
	{ .key = "key",
	    .type = BIND_STR,
	    .offset = AFFINITY(key),
	    .has_offset = AFFINITY(has_key) },
	{ .key = "weight",
	    .type = BIND_UNSIGNED,
	    .offset = AFFINITY(weight),
	    .has_offset = AFFINITY(has_weight) },
	{ .type = BIND_END },
};

static void
check_weights(struct binder *b, const struct node *n, const struct path *at,
    const struct mlbs_affinity *v)
{
	size_t i, with = 0;

	for (i = 0; i < n->n; i++) {
		if (v[i].key.len == 0)
			bind_error(b, n->line, PATH_IN(PATH_ITEM(at, i), "key"),
			    "must not be empty");
		if (v[i].has_weight && v[i].weight == 0)
			bind_error(b, n->line,
			    PATH_IN(PATH_ITEM(at, i), "weight"),
			    "must be greater than 0");
		with += v[i].has_weight;
	}
	if (with > 0 && with != n->n)
		bind_error(b, n->line, at,
		    "all or none affinity tags should have weight");
}

static void
read_affinity(
    struct binder *b, const struct node *n, const struct path *at, void *field)
{
	struct policy_value *value = field;
	const struct node_entry *e;
	struct mlbs_affinity *v;
	size_t i = 0;

	if (!bind_expect(b, n, NODE_LIST, at))
		return;
	v = arena_alloc(b->arena, (n->n + 1) * sizeof(*v));
	for (e = n->first; e != NULL; e = e->next, i++)
		bind_map(b, affinity_rows, e->value, PATH_ITEM(at, i), &v[i]);
	check_weights(b, n, at, v);
	value->is_given = true;
	value->list.items = v;
	value->list.n = n->n;
}

/* Names that are not empty. */
static void
read_zones(struct binder *b, const struct node *n, const struct path *at,
    const struct str **out, size_t *n_out)
{
	struct policy_value v = { .is_given = false };
	const struct str *zones;
	size_t i;

	value_read_texts(b, n, at, &v);
	if (!v.is_given)
		return;
	zones = v.list.items;
	for (i = 0; i < v.list.n; i++)
		if (zones[i].len == 0)
			bind_error(
			    b, n->line, PATH_ITEM(at, i), "must not be empty");
	*out = zones;
	*n_out = v.list.n;
}

static void
read_from_zones(
    struct binder *b, const struct node *n, const struct path *at, void *field)
{
	struct mlbs_failover *f = field;

	read_zones(b, n, at, &f->from, &f->n_from);
}

static void
read_to_zones(
    struct binder *b, const struct node *n, const struct path *at, void *field)
{
	struct mlbs_failover *f = field;

	read_zones(b, n, at, &f->zones, &f->n_zones);
}

static const struct bind_value zone_types[] = {
	{ "None", MLBS_ZONES_NONE },
	{ "Only", MLBS_ZONES_ONLY },
	{ "Any", MLBS_ZONES_ANY },
	{ "AnyExcept", MLBS_ZONES_ANY_EXCEPT },
	{ NULL, 0 },
};

static const struct bind from_rows[] = {
	{ .key = "zones", .type = BIND_READ, .read = read_from_zones },
	{ .type = BIND_END },
};

static const struct bind to_rows[] = {
	{ .key = "type",
	    .type = BIND_ENUM,
	    .offset = FAILOVER(type),
	    .values = zone_types },
	{ .key = "zones", .type = BIND_READ, .read = read_to_zones },
	{ .type = BIND_END },
};

static const struct bind failover_rows[] = {
	{ .key = "from",
	    .type = BIND_STRUCT,
	    .sub = from_rows,
	    .has_offset = FAILOVER(has_from) },
	{ .key = "to", .type = BIND_STRUCT, .sub = to_rows },
	{ .type = BIND_END },
};

static void
check_failover(struct binder *b, unsigned line, const struct path *at,
    const struct mlbs_failover *f)
{
	const struct path *to = PATH_IN(at, "to");

	if (f->has_from && f->n_from == 0)
		bind_error(b, line, PATH_IN(PATH_IN(at, "from"), "zones"),
		    "must not be empty");
	switch (f->type) {
	case MLBS_ZONES_UNKNOWN:
		bind_error(b, line, PATH_IN(to, "type"), "unrecognized type");
		break;
	case MLBS_ZONES_NONE:
	case MLBS_ZONES_ANY:
		if (f->n_zones > 0)
			bind_error(b, line, PATH_IN(to, "zones"),
			    "must be empty when type is %s",
			    f->type == MLBS_ZONES_ANY ? "Any" : "None");
		break;
	case MLBS_ZONES_ONLY:
	case MLBS_ZONES_ANY_EXCEPT:
		if (f->n_zones == 0)
			bind_error(b, line, PATH_IN(to, "zones"),
			    "must not be empty when type is %s",
			    f->type == MLBS_ZONES_ONLY ? "Only" : "AnyExcept");
		break;
	}
}

static void
read_failover(
    struct binder *b, const struct node *n, const struct path *at, void *field)
{
	struct policy_value *value = field;
	const struct node_entry *e;
	struct mlbs_failover *v;
	size_t i = 0;

	if (!bind_expect(b, n, NODE_LIST, at))
		return;
	v = arena_alloc(b->arena, (n->n + 1) * sizeof(*v));
	for (e = n->first; e != NULL; e = e->next, i++) {
		if (bind_map(
			b, failover_rows, e->value, PATH_ITEM(at, i), &v[i]))
			check_failover(b, e->line, PATH_ITEM(at, i), &v[i]);
	}
	value->is_given = true;
	value->list.items = v;
	value->list.n = n->n;
}

static const struct bind local_zone_rows[] = {
	OUTBOUND_ROW("affinityTags", MLBS_AFFINITY, read_affinity),
	{ .type = BIND_END },
};

static const struct bind threshold_rows[] = {
	OUTBOUND_ROW("percentage", MLBS_THRESHOLD,
	    value_read_decimal_percent_above_zero),
	{ .type = BIND_END },
};

static const struct bind cross_zone_rows[] = {
	OUTBOUND_ROW("failover", MLBS_FAILOVER, read_failover),
	{ .key = "failoverThreshold",
	    .type = BIND_STRUCT,
	    .sub = threshold_rows },
	{ .type = BIND_END },
};

static const struct bind locality_rows[] = {
	OUTBOUND_ROW("disabled", MLBS_LOCALITY_DISABLED, value_read_bool),
	OUTBOUND_GROUP("localZone", MLBS_LOCAL_ZONE, local_zone_rows),
	OUTBOUND_GROUP("crossZone", MLBS_CROSS_ZONE, cross_zone_rows),
	{ .type = BIND_END },
};

static const struct bind default_rows[] = {
	OUTBOUND_GROUP("localityAwareness", MLBS_LOCALITY, locality_rows),
	OUTBOUND_GROUP("loadBalancer", MLBS_BALANCER, mlbs_balancer_rows),
	OUTBOUND_ROW("hashPolicies", MLBS_HASH, mlbs_read_hashes),
	{ .type = BIND_END },
};

static const struct bind item_rows[] = OUTBOUND_ITEM_ROWS(default_rows);

const struct bind mesh_load_balancing_strategy_bind[] = {
	OUTBOUND_TARGET_ROW,
	OUTBOUND_LIST("to", OUTBOUND_TO, item_rows),
	{ .type = BIND_END },
};

static void
check_route(const struct policy_value *v, const char *at, struct problems *pr)
{
	static const char why[] =
	    "field is not allowed when targetRef.kind is MeshHTTPRoute, only "
	    "hashPolicies is supported";

	if (v[MLBS_BALANCER].is_given)
		outbound_error(pr, at, "loadBalancer", why);
	if (v[MLBS_LOCALITY].is_given)
		outbound_error(pr, at, "localityAwareness", why);
}

static void
check_item(
    const struct outbound_item *item, const char *at, struct problems *pr)
{
	const struct target_ref *t = &item->target;
	const struct policy_value *v = item->v;

	if (t->kind == TARGET_MESH_HTTP_ROUTE)
		check_route(v, at, pr);
	if (t->kind == TARGET_MESH_SERVICE && v[MLBS_CROSS_ZONE].is_given &&
	    (t->section_name.len > 0 || t->labels.n > 0))
		outbound_error(pr, at, "localityAwareness.crossZone",
		    "must not be set: MeshService traffic is local");
	if (v[MLBS_HASH].is_given && v[MLBS_RING_HASH].is_given)
		outbound_error(pr, at, "loadBalancer.ringHash.hashPolicies",
		    "hashPolicies already specified in the root level");
	if (v[MLBS_HASH].is_given && v[MLBS_MAGLEV_HASH].is_given)
		outbound_error(pr, at, "loadBalancer.maglev.hashPolicies",
		    "hashPolicies already specified in the root level");
}

void
mesh_load_balancing_strategy_check(struct resource *r, struct problems *pr)
{
	const struct outbound_demands demands = {
		.top = outbound_top_kinds,
		.to = outbound_to_kinds | TARGET_BIT(TARGET_MESH_HTTP_ROUTE),
		.check = check_item,
	};

	outbound_policy_check(r->spec, &demands, pr);
}
