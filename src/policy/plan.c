/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plan: a growing list of services and meshes.  Main thread.
 */

#include "policy/plan.h"

#include <stdlib.h>

#include "base/xalloc.h"

struct plan *
plan_new(void)
{
	struct plan *p = xcalloc(1, sizeof(*p));

	arena_init(&p->arena, 0);
	p->next_end_s = INT64_MAX;
	return p;
}

void
plan_free(struct plan *p)
{
	size_t i;

	if (p == NULL)
		return;
	for (i = 0; i < p->n_services; i++)
		service_unref(p->services[i]);
	for (i = 0; i < p->n_meshes; i++)
		mesh_spec_unref(p->meshes[i]);
	service_unref(p->zone_egresses);
	free(p->services);
	free(p->meshes);
	arena_fini(&p->arena);
	free(p);
}

static size_t
more(size_t cap)
{
	return cap == 0 ? 16 : cap * 2;
}

void
plan_add_service(struct plan *p, struct service *s)
{
	if (p->n_services == p->cap_services) {
		p->cap_services = more(p->cap_services);
		p->services = xreallocarray(
		    p->services, p->cap_services, sizeof(struct service *));
	}
	p->services[p->n_services++] = s;
}

void
plan_add_mesh(struct plan *p, struct mesh_spec *m)
{
	if (p->n_meshes == p->cap_meshes) {
		p->cap_meshes = more(p->cap_meshes);
		p->meshes = xreallocarray(
		    p->meshes, p->cap_meshes, sizeof(struct mesh_spec *));
	}
	p->meshes[p->n_meshes++] = m;
}
