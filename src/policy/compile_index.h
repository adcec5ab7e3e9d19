/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_COMPILE_INDEX_H
#define POLICY_COMPILE_INDEX_H

/*
 * Everything that speaks of one service name, found by that name, so that no
 * pass compares each with each.  All of it lies in the build's arena.  Main
 * thread.
 */

#include <stdbool.h>

#include "base/hash.h"
#include "base/str.h"
#include "model/external_service.h"
#include "model/mesh.h"
#include "model/route.h"
#include "model/zone_proxy.h"
#include "policy/compile_policies.h"
#include "policy/compile_rules.h"
#include "policy/compile_traffic.h"

struct compile;
struct named;

/* An ExternalService. */
struct member {
	const struct resource *r;
	const struct external_service *es;
	struct str zone; /* its kuma.io/zone; empty: none */
	struct member *next;
};

/* The ZoneIngress of another zone, with an address to dial. */
struct ingress {
	const struct resource *r;
	const struct zone_ingress *zi;
	struct str zone;
	struct str origin;
	unsigned rank; /* by name */
	bool host_is_address;
	struct ingress *next;
	struct ingress *next_in_zone;
};

struct zone {
	struct str name;
	struct ingress *ingresses;
	struct ingress **last;
	bool is_warned;
	const struct named *asked_for; /* by the service at hand */
	UT_hash_handle hh;
};

/* An item of a ZoneIngress's availableServices. */
struct offer {
	const struct ingress *ingress;
	const struct available_service *service;
	struct offer *next;
};

struct destination_use {
	const struct route_destination *destination;
	const struct resource *route;
	struct destination_use *next;
};

struct destinations {
	struct destination_use *first;
	struct destination_use **last;
};

/* One kuma.io/service of a mesh. */
struct named {
	struct str name;
	struct member *members; /* by name */
	struct member **last_member;
	size_t n_members;
	struct offer *offers; /* by ingress */
	struct offer **last_offer;
	struct destinations destinations;
	struct permit_lists permits;
	struct traffic_use *traffic; /* by rank */
	struct policy_lists policies;
	bool is_dataplane;
	UT_hash_handle hh;
};

struct mesh_build {
	const struct resource *r;
	const struct mesh *mesh;
	struct str name;
	bool can_serve;  /* there is a CA and an identity */
	bool has_routes; /* a TrafficRoute; without one every name exists */
	bool is_zone_egress_warned;
	struct named *names;
	struct named *mes_names;        /* for policies only */
	struct destinations everywhere; /* destinations of all services */
	struct rule_index rules;
	struct traffic_index traffic;
	struct policy_lists policies; /* not found by a name */
};

/* Found or made. */
struct named *named_get(
    struct compile *c, struct named **table, struct str name);
struct named *named_find(struct named *table, struct str name);
struct zone *zone_get(struct compile *c, struct str name);

void index_mesh(struct compile *c, struct mesh_build *m);
void forget_mesh(struct mesh_build *m);

#endif
