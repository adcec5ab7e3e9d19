/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other zones: whose ingress has what, and which services go there untouched
 * (Kuma sections 2.2, 6.3 and 7).  Also the two proxies of this zone that an
 * ingress listener has to know.  Main thread.
 */

#include <arpa/inet.h>

#include "base/xalloc.h"
#include "policy/compile.h"
#include "policy/compile_subset.h"
#include "policy/service_option.h"
#include "policy/service_seal.h"
#include "policy/zone_order.h"

struct zone *
zone_get(struct compile *c, struct str name)
{
	struct zone *z;

	HASH_FIND(hh, c->zones, name.p, name.len, z);
	if (z != NULL)
		return z;
	z = arena_alloc(&c->arena, sizeof(*z));
	z->name = name;
	z->last = &z->ingresses;
	HASH_ADD_KEYPTR(hh, c->zones, z->name.p, z->name.len, z);
	return z;
}

static bool
is_here(const struct compile *c, struct str zone)
{
	return zone.len == 0 || str_eq(zone, c->set->zone);
}

static bool
is_address(struct str host)
{
	unsigned char b[sizeof(struct in6_addr)];
	char z[INET6_ADDRSTRLEN + 1];

	if (host.len >= sizeof(z))
		return false;
	memcpy(z, host.p, host.len);
	z[host.len] = '\0';
	return inet_pton(AF_INET, z, b) == 1 || inet_pton(AF_INET6, z, b) == 1;
}

static void
add_ingress_host(struct compile *c, const struct zone_ingress *zi)
{
	struct plan *p = c->plan;
	size_t i;

	for (i = 0; i < p->n_ingress_hosts; i++)
		if (str_eq(p->ingress_hosts[i], zi->address))
			return;
	if (zi->address.len > 0)
		p->ingress_hosts[p->n_ingress_hosts++] =
		    arena_str(&p->arena, zi->address);
}

void
index_zones(struct compile *c)
{
	struct ingress *ingress, **last = &c->ingresses;
	const struct resource *const *v;
	const struct zone_ingress *zi;
	struct zone *zone;
	size_t i, n;

	v = store_list(c->store, KIND_ZONE_INGRESS, &n);
	c->plan->ingress_hosts = arena_alloc(
	    &c->plan->arena, (n + 1) * sizeof(*c->plan->ingress_hosts));
	for (i = 0; i < n; i++) {
		zi = zone_ingress_of(v[i]);
		if (is_here(c, zi->zone)) {
			add_ingress_host(c, zi);
			continue;
		}
		if (zi->advertised_address.len == 0 ||
		    zi->advertised_port == 0) {
			problem_add(c->pr, PROBLEM_WARNING, v[i]->file,
			    v[i]->line, "networking.advertisedAddress",
			    "is missing, so this ingress of zone %.*s cannot "
			    "be dialled from here: give it and "
			    "advertisedPort",
			    STR_ARG(zi->zone));
			continue;
		}
		ingress = arena_alloc(&c->arena, sizeof(*ingress));
		*ingress = (struct ingress){
			.r = v[i],
			.zi = zi,
			.zone = zi->zone,
			.origin = resource_origin(&c->arena, v[i]),
			.rank = (unsigned)i,
			.host_is_address = is_address(zi->advertised_address),
		};
		*last = ingress;
		last = &ingress->next;
		zone = zone_get(c, zi->zone);
		*zone->last = ingress;
		zone->last = &ingress->next_in_zone;
	}
}

/* The relays of one service while they are gathered. */
struct relays {
	struct relay {
		const struct ingress *ingress;
		unsigned weight;
		struct cover cover;
	} * v;
	size_t n;
	size_t cap;
	struct subsets *subsets;
};

static bool
is_same_place(const struct ingress *a, const struct ingress *b)
{
	return a->zi->advertised_port == b->zi->advertised_port &&
	       str_eq(a->zi->advertised_address, b->zi->advertised_address);
}

/*
 * Several ingresses behind one address are one: the first counts.  Items of
 * one ingress add up.
 */
static void
gather(struct relays *to, const struct ingress *ingress, unsigned weight)
{
	size_t i;

	for (i = 0; i < to->n; i++) {
		if (to->v[i].ingress == ingress) {
			if (weight <= UINT32_MAX - to->v[i].weight)
				to->v[i].weight += weight;
			return;
		}
		if (is_same_place(to->v[i].ingress, ingress))
			return;
	}
	if (to->n == to->cap) {
		to->cap = to->cap == 0 ? 4 : to->cap * 2;
		to->v = xreallocarray(to->v, to->cap, sizeof(*to->v));
	}
	to->v[to->n++] = (struct relay){ .ingress = ingress, .weight = weight };
}

/* What is behind the ingress, if it is one of them, has these tags. */
static void
cover(struct relays *to, const struct ingress *ingress, const struct tags *tags)
{
	size_t i;

	for (i = 0; to->subsets->has_tags && i < to->n; i++)
		if (to->v[i].ingress == ingress)
			subsets_cover(to->subsets, tags, &to->v[i].cover);
}

static int
by_rank(const void *a, const void *b)
{
	const struct relay *x = a, *y = b;

	return (x->ingress->rank > y->ingress->rank) -
	       (x->ingress->rank < y->ingress->rank);
}

static struct endpoint *
make_relay(struct compile *c, const struct relay *relay, unsigned priority,
    struct arena *a)
{
	const struct zone_ingress *zi = relay->ingress->zi;
	struct endpoint draft = {
		.key = str_of(arena_printf(
		    a, "ingress/%.*s", STR_ARG(relay->ingress->r->name))),
		.origin = relay->ingress->origin,
		.host = zi->advertised_address,
		.port = zi->advertised_port,
		.host_is_address = relay->ingress->host_is_address,
		.zone = relay->ingress->zone,
		.weight = relay->weight,
		.priority = priority,
	};

	return share_relay(c->share, &draft);
}

static bool
is_about_zones(enum service_option o)
{
	return o == SERVICE_OPTION_BALANCE_LOCALITY ||
	       o == SERVICE_OPTION_BALANCE_ZONES ||
	       o == SERVICE_OPTION_BALANCE_OVERPROVISIONING;
}

static void
drop_all_but_zones(struct service_options *o, struct arena *a)
{
	struct option_source *v;
	size_t i, n = 0;

	v = arena_alloc(a, (o->n_sources + 1) * sizeof(*v));
	for (i = 0; i < SERVICE_OPTION_N; i++)
		if (!is_about_zones((enum service_option)i))
			service_option_copy((enum service_option)i,
			    service_options_standard(), o);
	for (i = 0; i < o->n_sources; i++)
		if (is_about_zones(o->sources[i].option))
			v[n++] = o->sources[i];
	o->sources = v;
	o->n_sources = n;
	service_options_derive(o);
}

/*
 * What the options say of other zones.  Where nobody is served here they say
 * nothing else.
 */
static void
set_locality(struct compile *c, const struct policy_subject *about,
    struct service *draft, struct arena *a, struct service_options *o)
{
	if (draft->options != NULL)
		*o = *draft->options;
	else
		choose_options(c, about, draft, a, o);
	switch (o->balance_locality) {
	case BALANCE_LOCALITY_AS_MESH:
		draft->is_locality_aware |= o->balance_zones.n > 0;
		break;
	case BALANCE_LOCALITY_ON:
	case BALANCE_LOCALITY_OFF:
		draft->is_locality_aware =
		    o->balance_locality == BALANCE_LOCALITY_ON;
	}
	if (draft->options != NULL || o->balance_zones.n == 0)
		return;
	drop_all_but_zones(o, a);
	draft->options = share_options(c->share, o);
}

/* False: no zone of balance.zones is this one. */
static bool
find_priority(
    const struct service_options *o, struct str zone, unsigned *priority)
{
	if (o->balance_zones.n > 0) {
		*priority = zone_order(&o->balance_zones, zone);
		return *priority > 0;
	}
	*priority = 0;
	return true;
}

static void
put_relay(struct compile *c, const struct relays *from,
    const struct relay *relay, unsigned priority, struct service *draft)
{
	struct service_endpoint *to = &draft->remote[draft->n_remote];

	if (!subsets_relay_set(
		from->subsets, draft, relay->cover, &to->ruleset)) {
		problem_add(c->pr, PROBLEM_ERROR, relay->ingress->r->file,
		    relay->ingress->r->line, "availableServices",
		    "the ingresses that offer %.*s have more than %d "
		    "different sets of tags that routes ask for, and this one "
		    "is left out: name fewer subsets in routes",
		    STR_ARG(draft->name), SERVICE_RULESETS_MAX);
		return;
	}
	to->endpoint = make_relay(c, relay, priority, from->subsets->arena);
	draft->n_remote++;
}

/* Ends the gathering. */
static void
put_relays(struct compile *c, struct relays *from,
    const struct policy_subject *about, struct service *draft)
{
	struct arena *a = from->subsets->arena;
	struct service_options o = *service_options_standard();
	const struct relay *relay;
	unsigned priority;
	size_t i;

	/* A MeshExternalService has one zone, and locality is not for it. */
	if (about != NULL)
		set_locality(c, about, draft, a, &o);
	if (from->n > 0)
		qsort(from->v, from->n, sizeof(*from->v), by_rank);
	draft->remote = arena_alloc(a, (from->n + 1) * sizeof(*draft->remote));
	for (i = 0; i < from->n; i++) {
		relay = &from->v[i];
		if (find_priority(&o, relay->ingress->zone, &priority))
			put_relay(c, from, relay, priority, draft);
	}
	free(from->v);
}

/* Ingresses that do not say what they have, have all of their zone. */
static void
gather_zone(struct relays *to, const struct zone *zone)
{
	const struct ingress *i;

	for (i = zone->ingresses; i != NULL; i = i->next_in_zone)
		if (!i->zi->has_available_services)
			gather(to, i, 1);
}

static void
gather_offer(struct relays *to, const struct offer *o)
{
	unsigned weight = o->service->instances;

	gather(to, o->ingress, weight > 0 ? weight : 1);
	cover(to, o->ingress, &o->service->tags);
}

/* An ingress that does not say what it has, has all members of its zone. */
static void
cover_member(struct relays *to, const struct member *member, struct zone *zone)
{
	const struct ingress *i;

	for (i = zone->ingresses; i != NULL; i = i->next_in_zone)
		if (!i->zi->has_available_services)
			cover(to, i, &member->es->tags);
}

static bool
has_relay_to(const struct relays *to, struct str zone)
{
	size_t i;

	for (i = 0; i < to->n; i++)
		if (str_eq(to->v[i].ingress->zone, zone))
			return true;
	return false;
}

/* Told once a zone. */
static void
set_unreachable(struct compile *c, struct zone *zone, const struct resource *r,
    struct service *draft)
{
	if (draft->unreachable_zone.len == 0)
		draft->unreachable_zone = zone->name;
	if (zone->is_warned)
		return;
	zone->is_warned = true;
	problem_add(c->pr, PROBLEM_WARNING, r->file, r->line,
	    r->kind == KIND_EXTERNAL_SERVICE ? "tags" : "labels",
	    "is for zone %.*s, and no ZoneIngress of that zone offers it: "
	    "callers here cannot reach it; add the ZoneIngress, with "
	    "advertisedAddress and advertisedPort",
	    STR_ARG(zone->name));
}

/* Told once a mesh. */
static void
set_kept_home(struct compile *c, struct mesh_build *m,
    const struct member *member, struct service *draft)
{
	if (draft->unreachable_zone.len == 0)
		draft->unreachable_zone = member->zone;
	if (m->is_zone_egress_warned)
		return;
	m->is_zone_egress_warned = true;
	problem_add(c->pr, PROBLEM_WARNING, member->r->file, member->r->line,
	    "tags",
	    "is for zone %.*s, and mesh %.*s sends nothing to other zones "
	    "through its egresses: set routing.zoneEgress",
	    STR_ARG(member->zone), STR_ARG(m->name));
}

/* First the zones that are tagged, then who offers it, then who does not. */
static void
gather_members(struct compile *c, const struct named *n, struct relays *to,
    struct service *draft)
{
	const struct member *member;
	const struct offer *o;
	struct zone *zone;

	for (member = n->members; member != NULL; member = member->next) {
		if (is_here(c, member->zone))
			continue;
		zone = zone_get(c, member->zone);
		if (zone->asked_for != n)
			gather_zone(to, zone);
		zone->asked_for = n;
		cover_member(to, member, zone);
	}
	for (o = n->offers; o != NULL; o = o->next)
		if (o->service->is_external ||
		    zone_get(c, o->ingress->zone)->asked_for == n)
			gather_offer(to, o);
	for (member = n->members; member != NULL; member = member->next) {
		if (is_here(c, member->zone))
			continue;
		zone = zone_get(c, member->zone);
		if (zone->asked_for != n)
			continue;
		zone->asked_for = NULL;
		if (!has_relay_to(to, zone->name))
			set_unreachable(c, zone, member->r, draft);
	}
}

void
add_relays(struct compile *c, struct mesh_build *m, const struct named *n,
    struct service *draft, struct subsets *subsets)
{
	const struct policy_subject about = {
		.mesh = m,
		.named = n,
		.is_elsewhere = true,
	};
	struct relays to = { .subsets = subsets };
	const struct member *member;

	if (m->mesh->zone_egress)
		gather_members(c, n, &to, draft);
	for (member = n->members; member != NULL; member = member->next)
		if (!m->mesh->zone_egress && !is_here(c, member->zone))
			set_kept_home(c, m, member, draft);
	put_relays(c, &to, &about, draft);
}

void
add_zone_relays(struct compile *c, struct str name, const struct resource *r,
    struct service *draft, struct arena *a)
{
	struct subsets all = { .arena = a };
	struct relays to = { .subsets = &all };
	struct zone *zone = zone_get(c, name);
	struct ingress *i;

	/* What an ingress offers is never a MeshExternalService: all count. */
	for (i = zone->ingresses; i != NULL; i = i->next_in_zone)
		gather(&to, i, 1);
	if (to.n == 0)
		set_unreachable(c, zone, r, draft);
	put_relays(c, &to, NULL, draft);
}

static bool
is_external(const struct named *n)
{
	const struct offer *o;

	for (o = n->offers; o != NULL; o = o->next)
		if (o->service->is_external)
			return true;
	return false;
}

void
compile_relay(struct compile *c, struct mesh_build *m, const struct named *n)
{
	bool is_es = is_external(n);
	struct service draft = {
		.kind = is_es ? SERVICE_EXTERNAL : SERVICE_INTERNAL,
		.mesh = m->name,
		.name = n->name,
		.origin = n->offers->ingress->origin,
		.is_locality_aware = m->mesh->locality_aware,
	};
	const struct policy_subject about = {
		.mesh = m,
		.named = n,
		.is_elsewhere = true,
	};
	struct subsets subsets = { .arena = NULL };
	struct relays to = { .subsets = &subsets };
	const struct offer *o;
	struct arena a;

	if (!m->mesh->zone_egress)
		return;
	note_zone_entries(c, draft.mesh, draft.name);
	arena_init(&a, 2048);
	subsets.arena = &a;
	draft.key =
	    service_key(&a, m->name, is_es ? "ES" : "internal", n->name);
	draft.stats_name = stats_name(&a, m->name, n->name);
	draft.protocol = protocol_of(
	    tags_get(&n->offers->service->tags, STR("kuma.io/protocol")));
	add_tag_names(c, m, n, n->offers->ingress->r, &draft, &subsets);
	if (draft.n_snis > 0) {
		for (o = n->offers; o != NULL; o = o->next)
			gather_offer(&to, o);
		put_relays(c, &to, &about, &draft);
		subsets_settle(c, &subsets, n, &draft);
		plan_add_service(c->plan,
		    seal_service(c, &draft, find_prev_service(c, draft.key)));
	}
	arena_fini(&a);
}

static struct endpoint *
make_zone_egress(struct compile *c, const struct resource *r, struct arena *a)
{
	const struct zone_egress *ze = zone_egress_of(r);
	struct endpoint draft = {
		.key = str_of(arena_printf(a, "egress/%.*s", STR_ARG(r->name))),
		.origin = resource_origin(a, r),
		.host = ze->address,
		.port = ze->port,
		.host_is_address = is_address(ze->address),
		.zone = ze->zone,
		.weight = 1,
	};

	return share_relay(c->share, &draft);
}

void
compile_zone_egresses(struct compile *c)
{
	struct service draft = {
		.kind = SERVICE_INTERNAL,
		.key = STR("zone-egresses"),
		.name = STR("zone-egresses"),
		.stats_name = STR("zone-egresses"),
	};
	const struct resource *const *v;
	const struct zone_egress *ze;
	struct arena a;
	size_t i, n;

	v = store_list(c->store, KIND_ZONE_EGRESS, &n);
	arena_init(&a, 2048);
	draft.remote = arena_alloc(&a, (n + 1) * sizeof(*draft.remote));
	for (i = 0; i < n; i++) {
		ze = zone_egress_of(v[i]);
		if (!is_here(c, ze->zone) || ze->address.len == 0)
			continue;
		draft.remote[draft.n_remote++].endpoint =
		    make_zone_egress(c, v[i], &a);
	}
	if (draft.n_remote > 0) {
		draft.origin = draft.remote[0].endpoint->origin;
		c->plan->zone_egresses = seal_service(c, &draft,
		    c->prev != NULL ? snapshot_zone_egresses(c->prev) : NULL);
	}
	arena_fini(&a);
}
