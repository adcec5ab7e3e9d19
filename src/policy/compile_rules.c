/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which permission wins (Kuma sections 8.1 and 8.2, with the differences that
 * each ExternalService is judged by all of its own tags, and that a
 * MeshExternalService is permitted like any other).  How rules are asked is in
 * authorize.c; how documents become rules is in compile_permit.c.  Main
 * thread.
 */

#include "policy/compile_rules.h"

#include "base/xalloc.h"
#include "policy/compile.h"
#include "policy/target_match.h"

/* Services that the same permits select have the same rules. */
struct rule_cache {
	struct rule_block *block;
	uint32_t *ids;
	UT_hash_handle hh;
};

/* Several lists of one order, walked as one. */
struct merge {
	const struct permit_use *at[3];
};

static const struct permit_use *
merge_next(struct merge *m)
{
	const struct permit_use *use;
	size_t i, least = 0;

	for (i = 1; i < ARRAY_LEN(m->at); i++)
		if (m->at[least] == NULL ||
		    (m->at[i] != NULL &&
			m->at[i]->permit->rank < m->at[least]->permit->rank))
			least = i;
	use = m->at[least];
	if (use != NULL)
		m->at[least] = use->next;
	return use;
}

static void
take(struct rule_index *x, const struct permit *p)
{
	if (x->n_ids == x->cap_ids) {
		x->cap_ids *= 2;
		x->ids = xreallocarray(x->ids, x->cap_ids, sizeof(*x->ids));
	}
	x->ids[x->n_ids++] = p->rank;
}

/*
 * What decides where no document does: those in report mode are none, but they
 * say that it would not get to that.
 */
static void
take_fallback(struct rule_index *x, const struct permit *p)
{
	const struct permit *first = NULL;
	size_t i;

	for (i = 0; i < x->n_ids; i++) {
		if (x->permits[x->ids[i]]->is_grant)
			continue;
		first = x->permits[x->ids[i]];
		if (!first->is_reported)
			return;
	}
	if (first != NULL)
		take(x, first->shutter);
	take(x, p);
}

static struct rule_block *
make_block(struct compile *c, const struct rule_index *x)
{
	struct rule_block draft = { .n_rules = 0 }, *block;
	const struct permit *p;
	size_t i;

	for (i = 0; i < x->n_ids; i++)
		draft.n_rules += x->permits[x->ids[i]]->n_rules;
	draft.rules = xcalloc(draft.n_rules + 1, sizeof(*draft.rules));
	draft.n_rules = 0;
	for (i = 0; i < x->n_ids; i++) {
		p = x->permits[x->ids[i]];
		if (p->n_rules > 0)
			memcpy(draft.rules + draft.n_rules, p->rules,
			    p->n_rules * sizeof(*p->rules));
		draft.n_rules += p->n_rules;
	}
	block = share_rules(c->share, &draft);
	free(draft.rules);
	return block;
}

/* The rules of what was taken, in that order. */
static struct rule_block *
block_of(struct compile *c, struct rule_index *x)
{
	size_t bytes = x->n_ids * sizeof(*x->ids);
	struct rule_cache *e;

	HASH_FIND(hh, x->cache, x->ids, bytes, e);
	if (e == NULL) {
		e = arena_alloc(&c->arena, sizeof(*e));
		e->ids = arena_alloc(&c->arena, bytes + 1);
		if (bytes > 0)
			memcpy(e->ids, x->ids, bytes);
		e->block = make_block(c, x);
		HASH_ADD_KEYPTR(hh, x->cache, e->ids, bytes, e);
	}
	x->n_ids = 0;
	return rule_block_ref(e->block);
}

void
forget_rules(struct rule_index *x)
{
	struct rule_cache *e;

	for (e = x->cache; e != NULL; e = e->hh.next)
		rule_block_unref(e->block);
	HASH_CLEAR(hh, x->cache);
	free(x->ids);
	free(x->permits);
}

/*
 * The one TrafficPermission that speaks for the tags; of equals the first by
 * name.  One that was not understood speaks before all others.
 */
static const struct permit *
best_tp(const struct rule_index *x, const struct permit_lists *by_name,
    const struct tags *tags)
{
	struct merge merge = { .at = {
				   x->general.tp.first, by_name->tp.first } };
	const struct permit *best = NULL;
	const struct permit_use *use;
	struct fit fit, best_fit = { .tags = 0 };

	while ((use = merge_next(&merge)) != NULL) {
		if (!tags_match(use->selector, tags))
			continue;
		if (use->permit->is_denial)
			return use->permit;
		fit = fit_of(use->selector);
		if (best != NULL && !fit_is_better(fit, best_fit))
			continue;
		best = use->permit;
		best_fit = fit;
	}
	return best;
}

/* The MeshTrafficPermissions of a service, as they are gone through. */
struct taking {
	bool is_closed; /* nothing behind can decide any more */
	const struct permit *with_from;
	const struct permit *with_rules;
};

static bool
takes_more(const struct rule_index *x, const struct taking *t)
{
	return !t->is_closed ||
	       (x->has_from && x->has_rules && !x->is_mix_told &&
		   (t->with_from == NULL || t->with_rules == NULL));
}

static void
take_mtp(struct rule_index *x, struct taking *t, const struct permit *p)
{
	if (p->is_grant) {
		if (!t->is_closed)
			take(x, p);
		return;
	}
	if (!p->is_denial && p->mtp->n_rules > 0)
		t->with_rules = p;
	else if (!p->is_denial)
		t->with_from = p;
	if (t->is_closed)
		return;
	take(x, p);
	t->is_closed = p->is_final;
}

/* Kuma's sidecars would not look at from then: say once what is done here. */
static void
tell_mix(struct compile *c, struct rule_index *x, const struct taking *t,
    struct str service)
{
	const struct resource *from, *rules;

	if (t->with_from == NULL || t->with_rules == NULL || x->is_mix_told)
		return;
	x->is_mix_told = true;
	from = t->with_from->r;
	rules = t->with_rules->r;
	problem_add(c->pr, PROBLEM_WARNING, rules->file, rules->line,
	    "spec.rules",
	    "%s:%u MeshTrafficPermission/%.*s has from and selects service "
	    "%.*s too: a deny of either wins; use one form for a service",
	    from->file, from->line, STR_ARG(from->name), STR_ARG(service));
}

struct rule_block *
rules_of_external_service(struct compile *c, struct mesh_build *m,
    const struct named *n, const struct tags *tags)
{
	struct rule_index *x = &m->rules;
	struct merge merge = { .at = { x->general.mtp.first,
				   n->permits.mtp.first } };
	const struct permit *tp = best_tp(x, &n->permits, tags);
	struct taking taking = { .is_closed = false };
	const struct permit_use *use;

	if (x->denied != NULL)
		tp = x->denied;
	if (tp != NULL && tp->is_denial) {
		take(x, tp);
		return block_of(c, x);
	}
	while (takes_more(x, &taking) && (use = merge_next(&merge)) != NULL)
		if (target_selects_tags(
			&use->permit->mtp->target, n->name, tags))
			take_mtp(x, &taking, use->permit);
	tell_mix(c, x, &taking, n->name);
	if (tp != NULL)
		take_fallback(x, tp);
	return block_of(c, x);
}

static bool
selects_mes(const struct permit *p, const struct resource *r, uint16_t port,
    bool is_named_only)
{
	const struct target_ref *t = &p->mtp->target;

	/* What is denied is denied, named or not. */
	if (is_named_only && !p->is_denial && !p->is_for_named &&
	    t->kind != TARGET_MESH_EXTERNAL_SERVICE)
		return false;
	return target_selects_mes(t, r, port);
}

/* A TrafficPermission for every service, and for nothing narrower. */
static const struct permit *
tp_for_all(const struct rule_index *x)
{
	const struct permit *found = NULL;
	const struct permit_use *use;

	for (use = x->general.tp.first; use != NULL; use = use->next) {
		if (use->selector->n != 1 ||
		    !str_eq(use->selector->v[0].key, STR("kuma.io/service")))
			continue;
		if (use->permit->is_denial)
			return use->permit;
		if (found == NULL)
			found = use->permit;
	}
	return found;
}

static const struct permit_use *
named_mtps(struct mesh_build *m, struct str name)
{
	struct named *n = named_find(m->mes_names, name);

	return n == NULL ? NULL : n->permits.mtp.first;
}

struct rule_block *
rules_of_mes(struct compile *c, struct mesh_build *m, const struct resource *r,
    uint16_t port)
{
	bool is_named_only = m->mesh->forbid_mesh_external_services;
	struct rule_index *x = &m->rules;
	struct merge merge = { .at = { x->general.mtp.first,
				   named_mtps(m, r->display_name) } };
	const struct permit *tp = tp_for_all(x);
	struct taking taking = { .is_closed = false };
	const struct permit_use *use;

	if (!str_eq(r->name, r->display_name))
		merge.at[2] = named_mtps(m, r->name);
	if (x->denied != NULL)
		tp = x->denied;
	if (tp != NULL && tp->is_denial) {
		take(x, tp);
		return block_of(c, x);
	}
	while (takes_more(x, &taking) && (use = merge_next(&merge)) != NULL)
		if (selects_mes(use->permit, r, port, is_named_only))
			take_mtp(x, &taking, use->permit);
	tell_mix(c, x, &taking, r->display_name);
	if (tp == NULL)
		tp = x->unruled;
	if (!is_named_only && tp != NULL)
		take_fallback(x, tp);
	return block_of(c, x);
}
