/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the destinations that routes name, wherever they stand in them:
 * weights, matches and the rest of a route act in the sidecar, and are not
 * looked at.  Main thread.
 */

#include "model/route.h"

#include "base/arena.h"
#include "model/kind_rows.h"
#include "model/target_bind.h"

static struct route_destination *
add_destination(struct binder *b, struct route_resource *r)
{
	struct route_destination *v;
	size_t n = r->n_destinations;

	/* Full at each power of two. */
	if ((n & (n - 1)) == 0) {
		v = arena_alloc(b->arena, (n == 0 ? 1 : n * 2) * sizeof(*v));
		if (n > 0)
			memcpy(v, r->destinations, n * sizeof(*v));
		r->destinations = v;
	}
	return &r->destinations[r->n_destinations++];
}

static const struct node_entry *
items(const struct node *list)
{
	return list != NULL && list->kind == NODE_LIST ? list->first : NULL;
}

/* kuma.io/service is the name; the other tags narrow it. */
static void
take_service(struct route_destination *d)
{
	size_t i, n = 0;

	for (i = 0; i < d->tags.n; i++) {
		if (str_eq(d->tags.v[i].key, STR("kuma.io/service")))
			d->service = d->tags.v[i].value;
		else
			d->tags.v[n++] = d->tags.v[i];
	}
	d->tags.n = n;
}

static void
read_tags(struct binder *b, const struct node *n, const struct path *at,
    struct route_resource *r)
{
	struct route_destination *d;

	if (!node_is_given(n))
		return;
	d = add_destination(b, r);
	bind_tags(b, n, at, &d->tags);
	take_service(d);
	if (d->service.len == 0)
		bind_error(b, n->line, at,
		    "mandatory tag \"kuma.io/service\" is missing");
}

/* destination and split[].destination, of the whole or of one http[]. */
static void
read_targets(struct binder *b, const struct node *n, const struct path *at,
    struct route_resource *r)
{
	const struct path *split = PATH_IN(at, "split");
	const struct node_entry *e;
	size_t i = 0;

	read_tags(
	    b, node_get(n, STR("destination")), PATH_IN(at, "destination"), r);
	for (e = items(node_get(n, STR("split"))); e != NULL; e = e->next, i++)
		read_tags(b, node_get(e->value, STR("destination")),
		    PATH_IN(PATH_ITEM(split, i), "destination"), r);
}

static void
read_conf(
    struct binder *b, const struct node *n, const struct path *at, void *field)
{
	const struct path *http = PATH_IN(at, "http");
	const struct node_entry *e;
	size_t i = 0;

	if (!bind_expect(b, n, NODE_MAP, at))
		return;
	read_targets(b, n, at, field);
	for (e = items(node_get(n, STR("http"))); e != NULL; e = e->next, i++)
		read_targets(b, e->value, PATH_ITEM(http, i), field);
}

const struct bind traffic_route_bind[] = {
	{ .key = "sources", .type = BIND_SKIP },
	{ .key = "destinations", .type = BIND_SKIP },
	{ .key = "conf", .type = BIND_READ, .offset = 0, .read = read_conf },
	{ .type = BIND_END },
};

static bool
is_text(const struct node *n, const char *text)
{
	return n != NULL && n->kind == NODE_TEXT &&
	       str_eq(n->text, str_of(text));
}

static void
read_backend(struct binder *b, const struct node *n, const struct path *at,
    struct route_resource *r)
{
	const struct node *kind = node_get(n, STR("kind"));
	const struct node *name = node_get(n, STR("name"));
	const struct node *tags = node_get(n, STR("tags"));
	struct str service = STR("*");
	struct route_destination *d;

	if (is_text(kind, "MeshService") ||
	    is_text(kind, "MeshServiceSubset")) {
		/* One chosen by labels is no kuma.io/service. */
		if (!node_is_given(name) ||
		    !bind_str(b, name, PATH_IN(at, "name"), &service))
			return;
	} else if (!is_text(kind, "Mesh") && !is_text(kind, "MeshSubset")) {
		return;
	}
	d = add_destination(b, r);
	d->service = service;
	if (node_is_given(tags))
		bind_tags(b, tags, PATH_IN(at, "tags"), &d->tags);
}

static void
read_filters(struct binder *b, const struct node *list, const struct path *at,
    struct route_resource *r)
{
	const struct node_entry *e;
	const struct node *mirror;
	size_t i = 0;

	for (e = items(list); e != NULL; e = e->next, i++) {
		mirror = node_get(e->value, STR("requestMirror"));
		read_backend(b, node_get(mirror, STR("backendRef")),
		    PATH_IN(PATH_IN(PATH_ITEM(at, i), "requestMirror"),
			"backendRef"),
		    r);
	}
}

static void
read_rule(struct binder *b, const struct node *rule, const struct path *at,
    struct route_resource *r)
{
	const struct node *conf = node_get(rule, STR("default"));
	const struct path *here = PATH_IN(at, "default");
	const struct path *refs = PATH_IN(here, "backendRefs");
	const struct node_entry *e;
	size_t i = 0;

	for (e = items(node_get(conf, STR("backendRefs"))); e != NULL;
	     e = e->next, i++)
		read_backend(b, e->value, PATH_ITEM(refs, i), r);
	read_filters(
	    b, node_get(conf, STR("filters")), PATH_IN(here, "filters"), r);
}

static void
read_to(
    struct binder *b, const struct node *n, const struct path *at, void *field)
{
	const struct node_entry *to, *rule;
	size_t i = 0, k;

	if (!bind_expect(b, n, NODE_LIST, at))
		return;
	for (to = n->first; to != NULL; to = to->next, i++) {
		k = 0;
		for (rule = items(node_get(to->value, STR("rules")));
		     rule != NULL; rule = rule->next, k++)
			read_rule(b, rule->value,
			    PATH_ITEM(PATH_IN(PATH_ITEM(at, i), "rules"), k),
			    field);
	}
}

const struct bind mesh_http_route_bind[] = {
	{ .key = "targetRef", .type = BIND_SKIP },
	{ .key = "to", .type = BIND_READ, .offset = 0, .read = read_to },
	{ .type = BIND_END },
};

const struct bind mesh_tcp_route_bind[] = {
	{ .key = "targetRef", .type = BIND_SKIP },
	{ .key = "to", .type = BIND_READ, .offset = 0, .read = read_to },
	{ .type = BIND_END },
};

void
traffic_route_check(struct resource *r, struct problems *pr)
{
	const struct route_resource *route = r->spec;

	if (route->n_destinations == 0)
		problem_add(pr, PROBLEM_WARNING, NULL, 0, "conf",
		    "names no destination, so it makes no server name");
}

void
mesh_http_route_check(struct resource *r, struct problems *pr)
{
	(void)r;
	(void)pr;
}

void
mesh_tcp_route_check(struct resource *r, struct problems *pr)
{
	(void)r;
	(void)pr;
}

const struct route_resource *
route_of(const struct resource *r)
{
	bool is_route = r != NULL && (r->kind == KIND_TRAFFIC_ROUTE ||
					 r->kind == KIND_MESH_HTTP_ROUTE ||
					 r->kind == KIND_MESH_TCP_ROUTE);

	return is_route ? r->spec : NULL;
}
