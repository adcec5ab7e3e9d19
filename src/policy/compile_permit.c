/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From permission documents to rules, each once, and to the lists under which
 * services find them.  Which of them win is decided in compile_rules.c.  Main
 * thread.
 */

#include "policy/compile_permit.h"

#include "base/clock.h"
#include "base/xalloc.h"
#include "policy/compile.h"
#include "policy/compile_matches.h"
#include "policy/target_match.h"

static void
append(struct compile *c, struct permit_list *to, struct permit *p,
    const struct tags *selector)
{
	struct permit_use *use = arena_alloc(&c->arena, sizeof(*use));

	use->permit = p;
	use->selector = selector;
	*to->last = use;
	to->last = &use->next;
}

/* Ranks follow the order in which permits are made. */
struct permit *
permit_new(struct compile *c, struct rule_index *x, const struct resource *r)
{
	struct permit *p = arena_alloc(&c->arena, sizeof(*p));

	if (x->n_permits == x->cap_permits) {
		x->cap_permits = x->cap_permits == 0 ? 16 : x->cap_permits * 2;
		x->permits = xreallocarray(
		    x->permits, x->cap_permits, sizeof(struct permit *));
	}
	p->r = r;
	p->rank = x->n_permits;
	x->permits[x->n_permits++] = p;
	return p;
}

/* False: its end is over, and it is as if the document were not there. */
static bool
lasts(struct compile *c, const struct resource *r)
{
	char at[CLOCK_TEXT];

	if (r->is_broken || r->until_s == 0)
		return true;
	if (r->until_s > c->set->now_s) {
		if (r->until_s < c->plan->next_end_s)
			c->plan->next_end_s = r->until_s;
		return true;
	}
	clock_print(r->until_s * 1000, at);
	problem_add(c->pr, PROBLEM_WARNING, r->file, r->line, "labels",
	    "it ended at %s (zegress.io/until) and has no effect any more: "
	    "remove it, or give it a later end",
	    at);
	return false;
}

/* What its labels say beside its rules. */
static void
finish_rules(struct permit *p)
{
	size_t i;

	p->is_reported = p->r->is_reported;
	for (i = 0; i < p->n_rules; i++) {
		p->rules[i].until_s = p->r->until_s;
		p->rules[i].is_report =
		    p->is_reported && p->rules[i].effect == RULE_DENY;
	}
}

/* One rule for any caller. */
static void
decide_for_all(struct compile *c, struct permit *p, enum rule_effect effect,
    struct str origin)
{
	p->rules = arena_alloc(&c->arena, sizeof(*p->rules));
	p->n_rules = 1;
	p->is_final = true;
	p->is_denial = effect == RULE_DENY && p->r != NULL && p->r->is_broken;
	p->rules[0] = (struct rule){
		.effect = effect,
		.principals =
		    arena_alloc(&c->arena, sizeof(*p->rules[0].principals)),
		.n_principals = 1,
		.origin = { .text = origin },
	};
}

/*
 * In report mode a document does not keep away what decides where there is
 * none; that it would is a denial of its own.
 */
static void
add_shutter(struct compile *c, struct rule_index *x, struct permit *p)
{
	if (!p->is_reported)
		return;
	p->shutter = permit_new(c, x, p->r);
	decide_for_all(
	    c, p->shutter, RULE_DENY, resource_origin(&c->arena, p->r));
	finish_rules(p->shutter);
}

static void
deny_broken(struct compile *c, struct permit *p)
{
	decide_for_all(c, p, RULE_DENY, resource_origin(&c->arena, p->r));
}

static enum rule_effect
effect_of(enum mtp_action action)
{
	switch (action) {
	case MTP_ALLOW:
		return RULE_ALLOW;
	case MTP_DENY:
		return RULE_DENY;
	case MTP_ALLOW_WITH_SHADOW_DENY:
		return RULE_ALLOW_SHADOW_DENY;
	}
	return RULE_DENY;
}

/* Items of one effect in a row become one rule; who is the next free one. */
static void
add_from(struct compile *c, struct permit *p, const struct mtp_from *from,
    struct str origin, struct principal *who)
{
	enum rule_effect effect = effect_of(from->action);

	if (!principal_of_target(&c->arena, p->r->mesh, &from->target, who)) {
		/* Whom it means is unknown: then it denies everybody. */
		if (effect != RULE_DENY)
			return;
		who->n_tests = 0;
	}
	if (p->n_rules == 0 || p->rules[p->n_rules - 1].effect != effect)
		p->rules[p->n_rules++] = (struct rule){
			.effect = effect,
			.principals = who,
			.origin = { .text = origin },
		};
	p->rules[p->n_rules - 1].n_principals++;
	if (who->n_tests == 0)
		p->is_final = effect != RULE_DENY || !p->r->is_reported;
}

static size_t
count_principals(const struct permit *p)
{
	size_t i, n = 0;

	for (i = 0; i < p->n_rules; i++)
		n += p->rules[i].n_principals;
	return n;
}

/* A later item overrides an earlier one: so it is asked first. */
static void
rules_of_mtp(struct compile *c, struct permit *p)
{
	struct str origin = resource_origin(&c->arena, p->r);
	size_t i = p->mtp->n_from;
	struct principal *who;

	p->rules = arena_alloc(&c->arena, i * sizeof(*p->rules));
	who = arena_alloc(&c->arena, i * sizeof(*who));
	while (i-- > 0 && !p->is_final)
		add_from(
		    c, p, &p->mtp->from[i], origin, who + count_principals(p));
	finish_rules(p);
}

static void
rules_of_tp(struct compile *c, struct permit *p)
{
	const struct traffic_permission *tp = traffic_permission_of(p->r);
	struct principal *who;
	size_t i;

	p->rules = arena_alloc(&c->arena, sizeof(*p->rules));
	p->n_rules = 1;
	who = arena_alloc(&c->arena, (tp->n_sources + 1) * sizeof(*who));
	for (i = 0; i < tp->n_sources; i++) {
		principal_of_tags(
		    &c->arena, p->r->mesh, &tp->sources[i], &who[i]);
		p->is_final = p->is_final || who[i].n_tests == 0;
	}
	p->rules[0] = (struct rule){
		.effect = RULE_ALLOW,
		.principals = who,
		.n_principals = tp->n_sources,
		.origin = { .text = resource_origin(&c->arena, p->r) },
	};
	finish_rules(p);
}

static void
file_tp(struct compile *c, struct mesh_build *m, struct permit *p)
{
	const struct traffic_permission *tp = traffic_permission_of(p->r);
	struct permit_list *to;
	struct str service;
	size_t i;

	for (i = 0; i < tp->n_destinations; i++) {
		service =
		    tags_get(&tp->destinations[i], STR("kuma.io/service"));
		to = &m->rules.general.tp;
		if (service.p != NULL && !str_eq(service, STR("*")))
			to = &named_get(c, &m->names, service)->permits.tp;
		append(c, to, p, &tp->destinations[i]);
	}
}

void
permit_file(struct compile *c, struct mesh_build *m, struct permit *p)
{
	const struct target_ref *t = &p->mtp->target;
	struct permit_list *to = &m->rules.general.mtp;

	switch (t->kind) {
	case TARGET_MESH_SERVICE:
	case TARGET_MESH_SERVICE_SUBSET:
		/* By labels it is chosen among MeshServices. */
		if (t->name.len == 0)
			return;
		to = &named_get(c, &m->names, t->name)->permits.mtp;
		break;
	case TARGET_MESH_EXTERNAL_SERVICE:
		if (t->name.len > 0)
			to = &named_get(c, &m->mes_names, t->name)->permits.mtp;
		break;
	case TARGET_NONE:
	case TARGET_MESH:
	case TARGET_MESH_SUBSET:
		break;
	case TARGET_MESH_GATEWAY:
	case TARGET_MESH_MULTI_ZONE_SERVICE:
	case TARGET_MESH_HTTP_ROUTE:
	case TARGET_DATAPLANE:
		/* Selects no external service. */
		return;
	}
	append(c, to, p, NULL);
}

static const struct target_ref *
target_of(const struct resource *r)
{
	return r->is_broken ? NULL : &mesh_traffic_permission_of(r)->target;
}

/* Highest precedence first; what was not understood before all others. */
static int
compare_mtps(const void *a, const void *b)
{
	const struct resource *const *x = a, *const *y = b;

	if ((*x)->is_broken != (*y)->is_broken)
		return (*x)->is_broken ? -1 : 1;
	return target_order(*x, target_of(*x), *y, target_of(*y));
}

/* True: it denies all there is, and stands in no list. */
static bool
deny_all(struct compile *c, struct mesh_build *m, const struct resource *r)
{
	if (!r->is_broken || (r->target_is_known && r->mesh.len > 0))
		return false;
	if (m->rules.denied == NULL) {
		m->rules.denied = permit_new(c, &m->rules, r);
		deny_broken(c, m->rules.denied);
	}
	return true;
}

/* What is asked first is made first, and so gets the better rank. */
enum stage { STAGE_DENY, STAGE_FROM, STAGE_SHADOW, STAGE_ALLOW };

static void
index_rules_form(struct compile *c, struct mesh_build *m,
    const struct resource *r, enum rule_effect effect)
{
	enum sni_part part;
	struct permit *p;

	for (part = WITH_SNI; part <= WITHOUT_SNI; part++) {
		p = permit_new(c, &m->rules, r);
		p->mtp = mesh_traffic_permission_of(r);
		rules_of_matches(&c->arena, p, effect, part);
		finish_rules(p);
		add_shutter(c, &m->rules, p);
		p->is_for_named = effect == RULE_DENY || part == WITH_SNI;
		/* What allows nobody takes TrafficPermissions' place too. */
		if (p->n_rules > 0 ||
		    (effect == RULE_ALLOW && part == WITHOUT_SNI))
			permit_file(c, m, p);
	}
	m->rules.has_rules = true;
}

static void
index_from_form(
    struct compile *c, struct mesh_build *m, const struct resource *r)
{
	struct permit *p = permit_new(c, &m->rules, r);

	p->mtp = mesh_traffic_permission_of(r);
	rules_of_mtp(c, p);
	add_shutter(c, &m->rules, p);
	permit_file(c, m, p);
	m->rules.has_from = true;
}

static void
index_broken(struct compile *c, struct mesh_build *m, const struct resource *r)
{
	struct permit *p = permit_new(c, &m->rules, r);

	p->mtp = mesh_traffic_permission_of(r);
	deny_broken(c, p);
	permit_file(c, m, p);
}

static void
index_mtp(struct compile *c, struct mesh_build *m, const struct resource *r,
    enum stage stage)
{
	bool has_rules = mesh_traffic_permission_of(r)->n_rules > 0;

	switch (stage) {
	case STAGE_DENY:
		if (r->is_broken)
			index_broken(c, m, r);
		else if (has_rules)
			index_rules_form(c, m, r, RULE_DENY);
		break;
	case STAGE_FROM:
		if (!r->is_broken && !has_rules)
			index_from_form(c, m, r);
		break;
	case STAGE_SHADOW:
		if (!r->is_broken && has_rules)
			index_rules_form(c, m, r, RULE_ALLOW_SHADOW_DENY);
		break;
	case STAGE_ALLOW:
		if (!r->is_broken && has_rules)
			index_rules_form(c, m, r, RULE_ALLOW);
		break;
	}
}

/* Those in force, from highest to lowest precedence. */
static const struct resource **
order_mtps(struct compile *c, struct mesh_build *m, size_t *n_order)
{
	const struct resource *const *v;
	const struct resource **order;
	size_t i, n;

	v = resources_of(c, KIND_MESH_TRAFFIC_PERMISSION, m->name, &n);
	order = arena_alloc(&c->arena, (n + 1) * sizeof(*order));
	*n_order = 0;
	for (i = 0; i < n; i++)
		if (!deny_all(c, m, v[i]) &&
		    (v[i]->is_broken || !resource_is_shadow(v[i])) &&
		    lasts(c, v[i]))
			order[(*n_order)++] = v[i];
	qsort(order, *n_order, sizeof(*order), compare_mtps);
	return order;
}

static void
index_mtps(struct compile *c, struct mesh_build *m)
{
	const struct resource **order;
	enum stage stage;
	size_t i, n;

	order = order_mtps(c, m, &n);
	for (stage = STAGE_DENY; stage <= STAGE_ALLOW; stage++) {
		if (stage == STAGE_FROM)
			index_grants(c, m);
		for (i = 0; i < n; i++)
			index_mtp(c, m, order[i], stage);
	}
}

static void
index_tps(struct compile *c, struct mesh_build *m)
{
	const struct resource *const *v;
	struct permit *p;
	size_t i, n;

	v = resources_of(c, KIND_TRAFFIC_PERMISSION, m->name, &n);
	for (i = 0; i < n; i++) {
		if (deny_all(c, m, v[i]) || !lasts(c, v[i]))
			continue;
		p = permit_new(c, &m->rules, v[i]);
		if (v[i]->is_broken)
			deny_broken(c, p);
		else
			rules_of_tp(c, p);
		file_tp(c, m, p);
	}
}

/* Those whose mesh could not be read. */
static void
index_meshless(struct compile *c, struct mesh_build *m, enum kind kind)
{
	const struct resource *const *v;
	size_t i, n;

	v = resources_of(c, kind, STR_NONE, &n);
	for (i = 0; i < n; i++)
		deny_all(c, m, v[i]);
}

void
index_permits(struct compile *c, struct mesh_build *m)
{
	struct rule_index *x = &m->rules;

	x->cap_ids = 16;
	x->ids = xcalloc(x->cap_ids, sizeof(*x->ids));
	x->general.tp.last = &x->general.tp.first;
	x->general.mtp.last = &x->general.mtp.first;
	index_meshless(c, m, KIND_TRAFFIC_PERMISSION);
	index_meshless(c, m, KIND_MESH_TRAFFIC_PERMISSION);
	index_mtps(c, m);
	index_tps(c, m);
	if (c->set->mes_without_rule_allows) {
		x->unruled = permit_new(c, x, NULL);
		decide_for_all(
		    c, x->unruled, RULE_ALLOW, STR("mes_without_rule"));
	}
}
