/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_PLAN_H
#define POLICY_PLAN_H

/*
 * Where all feeds meet: services and mesh identities, before they are frozen
 * into a snapshot.  compile makes a plan from resources; a feed that speaks
 * xDS will make one from its own messages.  Nothing after the plan knows what
 * a resource is.  Main thread.
 */

#include "policy/mesh_spec.h"
#include "policy/service.h"

struct plan {
	struct service **services; /* a reference each */
	size_t n_services;
	size_t cap_services;
	struct mesh_spec **meshes; /* a reference each */
	size_t n_meshes;
	size_t cap_meshes;
	/* This zone's ZoneEgresses: where a pure ingress listener goes. */
	struct service *zone_egresses; /* NULL: none known */
	/* Addresses of this zone's ZoneIngresses: callers there are remote. */
	struct str *ingress_hosts;
	size_t n_ingress_hosts;
	int64_t next_end_s; /* the first end of a permission; INT64_MAX: none */
	struct arena arena;
};

struct plan *plan_new(void) MUST_CHECK;
void plan_free(struct plan *p);
/* Take over the reference. */
void plan_add_service(struct plan *p, struct service *s);
void plan_add_mesh(struct plan *p, struct mesh_spec *m);

#endif
