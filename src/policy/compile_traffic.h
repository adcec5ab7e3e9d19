/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_COMPILE_TRAFFIC_H
#define POLICY_COMPILE_TRAFFIC_H

/*
 * Which policies about traffic (RateLimit, MeshRateLimit, FaultInjection,
 * MeshFaultInjection) concern a service; what comes of them together is in
 * traffic_merge.h.  Main thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "model/resource.h"
#include "policy/principal.h"
#include "policy/service.h"

struct compile;
struct mesh_build;
struct named;

/* A policy, ready to be asked. */
struct traffic_doc {
	const struct resource *r;
	const struct target_ref *target; /* NULL: selectors choose services */
	/* Of each item of sources or from; in an arena. */
	struct principal *callers;
	size_t n_callers;
	struct str origin;
	uint32_t rank; /* in the mesh: by kind, then the higher precedence */
	const struct service *taken_for; /* the service at hand */
};

struct traffic_use {
	struct traffic_doc *doc;
	const struct tags *selector; /* of destinations */
	struct traffic_use *next;
};

struct traffic_cache;

struct traffic_index {
	struct traffic_use *general; /* select by other things than a name */
	bool is_crowded;             /* and it was said */
	struct traffic_cache *cache;
};

/* Fills m->traffic and the lists of the names. */
void index_traffic(struct compile *c, struct mesh_build *m);
/* Its cache. */
void forget_traffic(struct traffic_index *x);

/*
 * A reference each; NULL when nothing concerns the service.  draft: what it
 * is called, for problems, and its protocol count.
 */
struct traffic_policy *traffic_of_external_service(struct compile *c,
    struct mesh_build *m, const struct named *n,
    const struct service *draft) MUST_CHECK;
struct traffic_policy *traffic_of_mes(struct compile *c, struct mesh_build *m,
    const struct resource *r, const struct service *draft) MUST_CHECK;

#endif
