/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the policies that speak of a service, and merges what they say.  Which
 * of two speaks: first by the policy's own target, origin and role, then by
 * how near `to` names the service, then the first by name, then the last item
 * of one document.  Main thread.
 */

#include "policy/compile_policies.h"

#include <stdlib.h>

#include "policy/compile.h"
#include "policy/policy_options.h"
#include "policy/target_match.h"

static const struct target_ref *
top_of(const struct policy_use *use)
{
	return &use->policy->target;
}

static int
to_rank(const struct policy_use *use)
{
	const struct target_ref *t = &use->item->target;

	if (t->kind == TARGET_NONE || t->kind == TARGET_MESH)
		return 0;
	return t->section_name.len > 0 ? 2 : 1;
}

/* Lowest precedence first. */
static int
compare_uses(const void *a, const void *b)
{
	const struct policy_use *x = a, *y = b;
	int order = target_rank_order(y->r, top_of(y), x->r, top_of(x));

	if (order == 0)
		order = to_rank(x) - to_rank(y);
	if (order == 0)
		order = str_cmp(y->r->display_name, x->r->display_name);
	if (order == 0)
		order = str_cmp(y->r->name, x->r->name);
	if (order == 0)
		order = (x->item > y->item) - (x->item < y->item);
	return order;
}

static void
append(struct policy_list *to, struct policy_use *use)
{
	if (to->first == NULL)
		to->first = use;
	else
		to->last->next = use;
	to->last = use;
}

/* Under the name that it is looked for by. */
static void
file_use(struct compile *c, struct mesh_build *m, enum outbound_kind kind,
    struct policy_use *use)
{
	const struct target_ref *t = &use->item->target;
	struct named **table = &m->names;

	switch (t->kind) {
	case TARGET_NONE:
	case TARGET_MESH:
		append(&m->policies.of[kind], use);
		return;
	case TARGET_MESH_SERVICE:
		break;
	case TARGET_MESH_EXTERNAL_SERVICE:
		table = &m->mes_names;
		if (t->name.len == 0) {
			append(&m->policies.of[kind], use);
			return;
		}
		break;
	case TARGET_MESH_SUBSET:
	case TARGET_MESH_GATEWAY:
	case TARGET_MESH_SERVICE_SUBSET:
	case TARGET_MESH_MULTI_ZONE_SERVICE:
	case TARGET_MESH_HTTP_ROUTE:
	case TARGET_DATAPLANE:
		return;
	}
	/* By labels it is chosen among MeshServices. */
	if (t->name.len > 0)
		append(&named_get(c, table, t->name)->policies.of[kind], use);
}

static size_t
count_items(const struct resource *const *v, size_t n)
{
	size_t i, sum = 0;

	for (i = 0; i < n; i++)
		sum += outbound_policy_of(v[i])->items[OUTBOUND_TO].n;
	return sum;
}

static void
index_kind(struct compile *c, struct mesh_build *m, enum outbound_kind kind)
{
	const struct outbound_items *items;
	const struct resource *const *v;
	size_t i, j, n, n_uses = 0;
	struct policy_use *uses;

	v = resources_of(c, outbound_kinds[kind], m->name, &n);
	uses = arena_alloc(&c->arena, (count_items(v, n) + 1) * sizeof(*uses));
	for (i = 0; i < n; i++) {
		items = &outbound_policy_of(v[i])->items[OUTBOUND_TO];
		if (resource_is_shadow(v[i]))
			continue;
		for (j = 0; j < items->n; j++)
			uses[n_uses++] = (struct policy_use){
				.r = v[i],
				.policy = outbound_policy_of(v[i]),
				.item = &items->v[j],
			};
	}
	qsort(uses, n_uses, sizeof(*uses), compare_uses);
	for (i = 0; i < n_uses; i++) {
		uses[i].rank = (uint32_t)i;
		file_use(c, m, kind, &uses[i]);
	}
}

void
index_policies(struct compile *c, struct mesh_build *m)
{
	enum outbound_kind kind;

	for (kind = 0; kind < OUTBOUND_KINDS; kind++)
		index_kind(c, m, kind);
}

static bool
speaks_of(const struct policy_use *use, const struct policy_subject *about)
{
	const struct target_ref *top = top_of(use), *to = &use->item->target;

	if (about->mes != NULL)
		return target_selects_mes(to, about->mes, about->port);
	if (top->kind != TARGET_NONE && top->kind != TARGET_MESH)
		return false;
	return to->kind != TARGET_MESH_EXTERNAL_SERVICE;
}

static void
merge_item(struct policy_use *use, struct policy_conf *out)
{
	size_t i;

	out->is_matched = true;
	for (i = 0; i < OUTBOUND_VALUES_MAX; i++) {
		if (!use->item->v[i].is_given)
			continue;
		out->v[i] = use->item->v[i];
		out->from[i] = use;
	}
}

static struct policy_use *
first_named(struct named *table, struct str name, enum outbound_kind kind)
{
	const struct named *n = named_find(table, name);

	return n == NULL ? NULL : n->policies.of[kind].first;
}

/* Several lists, each from low to high, walked as one. */
struct walk {
	struct policy_use *at[3];
};

static struct policy_use *
walk_next(struct walk *w)
{
	struct policy_use *use, **least = NULL;
	size_t i;

	for (i = 0; i < ARRAY_LEN(w->at); i++)
		if (w->at[i] != NULL &&
		    (least == NULL || w->at[i]->rank < (*least)->rank))
			least = &w->at[i];
	if (least == NULL)
		return NULL;
	use = *least;
	*least = use->next;
	return use;
}

bool
policy_conf_of(const struct policy_subject *about, enum outbound_kind kind,
    struct policy_conf *out)
{
	const struct mesh_build *m = about->mesh;
	const struct resource *r = about->mes;
	struct policy_use *use;
	struct walk w = { .at = { m->policies.of[kind].first } };

	*out = (struct policy_conf){ .is_matched = false };
	if (about->named != NULL)
		w.at[1] = about->named->policies.of[kind].first;
	if (r != NULL)
		w.at[1] = first_named(m->mes_names, r->display_name, kind);
	if (r != NULL && !str_eq(r->name, r->display_name))
		w.at[2] = first_named(m->mes_names, r->name, kind);
	while ((use = walk_next(&w)) != NULL)
		if (speaks_of(use, about))
			merge_item(use, out);
	return out->is_matched;
}

void
tell_unused(struct compile *c, const struct policy_conf *conf, size_t i,
    const char *field, const char *why)
{
	struct policy_use *use = conf->from[i];
	const struct outbound_items *items;
	struct text path = TEXT_EMPTY;

	if (!conf->v[i].is_given || (use->told & 1u << i) != 0)
		return;
	use->told |= 1u << i;
	items = &use->policy->items[OUTBOUND_TO];
	text_addf(&path, "spec.to[%zu].default.%s",
	    (size_t)(use->item - items->v), field);
	problem_add(c->pr, PROBLEM_WARNING, use->r->file, use->item->line,
	    path.p, "takes no effect here: %s", why);
	text_free(&path);
}

/*
 * A sidecar keeps to timeouts and retries already, so they count here only
 * where somebody means the service by its name.
 */
static void
forget_mesh_wide(struct policy_conf *conf)
{
	size_t i;

	for (i = 0; i < OUTBOUND_VALUES_MAX; i++)
		if (conf->v[i].is_given && to_rank(conf->from[i]) == 0)
			conf->v[i].is_given = false;
}

void
options_of_policies(struct compile *c, const struct policy_subject *about,
    const struct service *draft, struct arena *a, struct policy_options *out)
{
	struct policy_conf conf;

	if (about->is_elsewhere) {
		if (policy_conf_of(about, OUTBOUND_BALANCE, &conf))
			options_of_zones(c, &conf, a, out);
		return;
	}
	if (policy_conf_of(about, OUTBOUND_BALANCE, &conf))
		options_of_balance(c, &conf, about, draft, a, out);
	if (policy_conf_of(about, OUTBOUND_HEALTH, &conf))
		options_of_health(c, &conf, about, draft, a, out);
	/* Behind it, as its healthyPanicThreshold goes first. */
	if (policy_conf_of(about, OUTBOUND_BREAKER, &conf))
		options_of_breaker(c, &conf, out);
	if (policy_conf_of(about, OUTBOUND_TIMEOUT, &conf)) {
		forget_mesh_wide(&conf);
		options_of_timeout(c, &conf, out);
	}
	if (policy_conf_of(about, OUTBOUND_RETRY, &conf)) {
		forget_mesh_wide(&conf);
		options_of_retry(c, &conf, draft, out);
	}
}
