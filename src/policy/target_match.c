/* SPDX-License-Identifier: Apache-2.0 */
/* See target_match.h. */

#include "policy/target_match.h"

#include "base/arena.h"

bool
target_selects_tags(
    const struct target_ref *t, struct str service, const struct tags *tags)
{
	switch (t->kind) {
	case TARGET_NONE:
	case TARGET_MESH:
		return true;
	case TARGET_MESH_SUBSET:
		return tags_match(&t->tags, tags);
	case TARGET_MESH_SERVICE:
		return str_eq(t->name, service);
	case TARGET_MESH_SERVICE_SUBSET:
		return str_eq(t->name, service) && tags_match(&t->tags, tags);
	case TARGET_MESH_GATEWAY:
	case TARGET_MESH_EXTERNAL_SERVICE:
	case TARGET_MESH_MULTI_ZONE_SERVICE:
	case TARGET_MESH_HTTP_ROUTE:
	case TARGET_DATAPLANE:
		return false;
	}
	return false;
}

static bool
names_mes(const struct target_ref *t, const struct resource *r, uint16_t port)
{
	uint64_t section;

	if (t->name.len > 0 && !str_eq(t->name, r->display_name) &&
	    !str_eq(t->name, r->name))
		return false;
	/* A section is the port. */
	if (t->section_name.len > 0 &&
	    (!str_to_u64(t->section_name, UINT16_MAX, &section) ||
		section != port))
		return false;
	return tags_match(&t->labels, &r->labels);
}

bool
target_selects_mes(
    const struct target_ref *t, const struct resource *r, uint16_t port)
{
	switch (t->kind) {
	case TARGET_NONE:
	case TARGET_MESH:
		return true;
	case TARGET_MESH_EXTERNAL_SERVICE:
		return names_mes(t, r, port);
	case TARGET_MESH_SUBSET:
	case TARGET_MESH_GATEWAY:
	case TARGET_MESH_SERVICE:
	case TARGET_MESH_SERVICE_SUBSET:
	case TARGET_MESH_MULTI_ZONE_SERVICE:
	case TARGET_MESH_HTTP_ROUTE:
	case TARGET_DATAPLANE:
		return false;
	}
	return false;
}

static int
kind_rank(const struct target_ref *t)
{
	if (t == NULL)
		return 0;
	switch (t->kind) {
	case TARGET_NONE:
	case TARGET_MESH:
		return 0;
	case TARGET_MESH_SUBSET:
		return 1;
	case TARGET_MESH_GATEWAY:
		return 2;
	case TARGET_MESH_SERVICE:
	case TARGET_MESH_EXTERNAL_SERVICE:
	case TARGET_MESH_MULTI_ZONE_SERVICE:
		return 3;
	case TARGET_MESH_SERVICE_SUBSET:
		return 4;
	case TARGET_MESH_HTTP_ROUTE:
	case TARGET_DATAPLANE:
		return 5;
	}
	return 0;
}

static int
origin_rank(const struct resource *r)
{
	return str_eq(tags_get(&r->labels, STR("kuma.io/origin")), STR("zone"));
}

static int
role_rank(const struct resource *r)
{
	struct str role = tags_get(&r->labels, STR("kuma.io/policy-role"));

	if (str_eq(role, STR("workload-owner")))
		return 3;
	if (str_eq(role, STR("consumer")))
		return 2;
	return str_eq(role, STR("producer"));
}

int
target_rank_order(const struct resource *a, const struct target_ref *a_target,
    const struct resource *b, const struct target_ref *b_target)
{
	int order = kind_rank(b_target) - kind_rank(a_target);

	if (order == 0)
		order = origin_rank(b) - origin_rank(a);
	return order != 0 ? order : role_rank(b) - role_rank(a);
}

int
target_order(const struct resource *a, const struct target_ref *a_target,
    const struct resource *b, const struct target_ref *b_target)
{
	int order = target_rank_order(a, a_target, b, b_target);

	if (order == 0)
		order = str_cmp(a->display_name, b->display_name);
	return order != 0 ? order : str_cmp(a->name, b->name);
}

bool
resource_is_shadow(const struct resource *r)
{
	return str_eq(
	    tags_get(&r->labels, STR("kuma.io/effect")), STR("shadow"));
}

static struct str
tag_uri(struct arena *a, struct str mesh, const struct tag *t)
{
	if (str_eq(t->key, STR("kuma.io/service")))
		return str_of(arena_printf(
		    a, "spiffe://%.*s/%.*s", STR_ARG(mesh), STR_ARG(t->value)));
	return str_of(arena_printf(
	    a, "kuma://%.*s/%.*s", STR_ARG(t->key), STR_ARG(t->value)));
}

static void
add_uri(struct principal *p, struct str uri)
{
	p->tests[p->n_tests++] = (struct uri_test){ .uri = uri };
}

static void
add_service(
    struct arena *a, struct str mesh, struct str name, struct principal *p)
{
	struct tag t = { .key = STR("kuma.io/service"), .value = name };

	add_uri(p, tag_uri(a, mesh, &t));
}

void
principal_of_tags(struct arena *a, struct str mesh, const struct tags *tags,
    struct principal *out)
{
	size_t i;

	/* One more, for the name that a target may add. */
	out->tests = arena_alloc(a, (tags->n + 1) * sizeof(*out->tests));
	out->n_tests = 0;
	for (i = 0; i < tags->n; i++)
		if (!str_eq(tags->v[i].value, STR("*")))
			add_uri(out, tag_uri(a, mesh, &tags->v[i]));
}

bool
principal_of_target(struct arena *a, struct str mesh,
    const struct target_ref *t, struct principal *out)
{
	const struct tags none = { .n = 0 };

	switch (t->kind) {
	case TARGET_NONE:
	case TARGET_MESH:
		principal_of_tags(a, mesh, &none, out);
		return true;
	case TARGET_MESH_SUBSET:
		principal_of_tags(a, mesh, &t->tags, out);
		return true;
	case TARGET_MESH_SERVICE:
		principal_of_tags(a, mesh, &none, out);
		add_service(a, mesh, t->name, out);
		return true;
	case TARGET_MESH_SERVICE_SUBSET:
		principal_of_tags(a, mesh, &t->tags, out);
		add_service(a, mesh, t->name, out);
		return true;
	case TARGET_MESH_GATEWAY:
	case TARGET_MESH_EXTERNAL_SERVICE:
	case TARGET_MESH_MULTI_ZONE_SERVICE:
	case TARGET_MESH_HTTP_ROUTE:
	case TARGET_DATAPLANE:
		return false;
	}
	return false;
}

struct fit
fit_of(const struct tags *selector)
{
	struct fit fit = { .tags = selector->n };
	size_t i;

	for (i = 0; i < selector->n; i++)
		if (!str_eq(selector->v[i].value, STR("*")))
			fit.exact++;
	return fit;
}

bool
fit_is_better(struct fit a, struct fit b)
{
	return a.tags != b.tags ? a.tags > b.tags : a.exact > b.exact;
}
