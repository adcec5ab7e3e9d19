/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sorting what speaks of a service under its name.  What it then means is
 * decided in the other compile_*.c.  Main thread.
 */

#include "policy/compile_index.h"

#include "model/dataplane.h"
#include "policy/compile.h"
#include "policy/compile_permit.h"

struct named *
named_find(struct named *table, struct str name)
{
	struct named *n;

	if (name.len == 0)
		return NULL;
	HASH_FIND(hh, table, name.p, name.len, n);
	return n;
}

static void
init_destinations(struct destinations *d)
{
	d->first = NULL;
	d->last = &d->first;
}

struct named *
named_get(struct compile *c, struct named **table, struct str name)
{
	struct named *n = named_find(*table, name);

	if (n != NULL)
		return n;
	n = arena_alloc(&c->arena, sizeof(*n));
	n->name = name;
	n->last_member = &n->members;
	n->last_offer = &n->offers;
	init_destinations(&n->destinations);
	n->permits.tp.last = &n->permits.tp.first;
	n->permits.mtp.last = &n->permits.mtp.first;
	HASH_ADD_KEYPTR(hh, *table, n->name.p, n->name.len, n);
	return n;
}

static void
index_members(struct compile *c, struct mesh_build *m)
{
	const struct resource *const *v;
	struct member *member;
	struct named *n;
	size_t i, count;

	v = resources_of(c, KIND_EXTERNAL_SERVICE, m->name, &count);
	for (i = 0; i < count; i++) {
		member = arena_alloc(&c->arena, sizeof(*member));
		member->r = v[i];
		member->es = external_service_of(v[i]);
		member->zone = tags_get(&member->es->tags, STR("kuma.io/zone"));
		n = named_get(c, &m->names,
		    tags_get(&member->es->tags, STR("kuma.io/service")));
		*n->last_member = member;
		n->last_member = &member->next;
		n->n_members++;
	}
}

static void
index_dataplanes(struct compile *c, struct mesh_build *m)
{
	const struct resource *const *v;
	const struct dataplane *dp;
	struct named *n;
	size_t i, j, count;

	v = resources_of(c, KIND_DATAPLANE, m->name, &count);
	for (i = 0; i < count; i++) {
		dp = dataplane_of(v[i]);
		for (j = 0; j < dp->n_services; j++) {
			n = named_find(m->names, dp->services[j]);
			if (n != NULL)
				n->is_dataplane = true;
		}
	}
}

static void
add_destination(struct compile *c, struct destinations *to,
    const struct resource *r, const struct route_destination *destination)
{
	struct destination_use *use = arena_alloc(&c->arena, sizeof(*use));

	use->destination = destination;
	use->route = r;
	*to->last = use;
	to->last = &use->next;
}

static void
index_routes(struct compile *c, struct mesh_build *m, enum kind kind)
{
	const struct route_destination *d;
	const struct resource *const *v;
	const struct route_resource *route;
	size_t i, j, count;

	v = resources_of(c, kind, m->name, &count);
	if (kind == KIND_TRAFFIC_ROUTE && count > 0)
		m->has_routes = true;
	for (i = 0; i < count; i++) {
		route = route_of(v[i]);
		for (j = 0; j < route->n_destinations; j++) {
			d = &route->destinations[j];
			if (str_eq(d->service, STR("*")))
				add_destination(c, &m->everywhere, v[i], d);
			else
				add_destination(c,
				    &named_get(c, &m->names, d->service)
					 ->destinations,
				    v[i], d);
		}
	}
}

static void
index_offers(struct compile *c, struct mesh_build *m)
{
	const struct available_service *service;
	struct ingress *ingress;
	struct offer *offer;
	struct named *n;
	struct str name;
	size_t i;

	for (ingress = c->ingresses; ingress != NULL; ingress = ingress->next)
		for (i = 0; i < ingress->zi->n_services; i++) {
			service = &ingress->zi->services[i];
			name = tags_get(&service->tags, STR("kuma.io/service"));
			if (!str_eq(service->mesh, m->name) || name.len == 0)
				continue;
			offer = arena_alloc(&c->arena, sizeof(*offer));
			offer->ingress = ingress;
			offer->service = service;
			n = named_get(c, &m->names, name);
			*n->last_offer = offer;
			n->last_offer = &offer->next;
		}
}

void
index_mesh(struct compile *c, struct mesh_build *m)
{
	init_destinations(&m->everywhere);
	index_members(c, m);
	index_dataplanes(c, m);
	index_routes(c, m, KIND_TRAFFIC_ROUTE);
	index_routes(c, m, KIND_MESH_HTTP_ROUTE);
	index_routes(c, m, KIND_MESH_TCP_ROUTE);
	index_offers(c, m);
	index_permits(c, m);
	index_traffic(c, m);
	index_policies(c, m);
}

void
forget_mesh(struct mesh_build *m)
{
	HASH_CLEAR(hh, m->names);
	HASH_CLEAR(hh, m->mes_names);
	forget_rules(&m->rules);
	forget_traffic(&m->traffic);
}
