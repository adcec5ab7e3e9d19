/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_ROUTE_H
#define MODEL_ROUTE_H

/*
 * TrafficRoute, MeshHTTPRoute and MeshTCPRoute.  They route in the sidecar;
 * here only the destinations they name count, because each makes a server
 * name (tags) that sidecars may ask for.
 */

#include "model/resource.h"

struct route_destination {
	struct str service; /* "*": every service */
	struct tags tags;   /* without kuma.io/service */
};

struct route_resource {
	struct route_destination *destinations;
	size_t n_destinations;
};

/* For KIND_TRAFFIC_ROUTE, KIND_MESH_HTTP_ROUTE and KIND_MESH_TCP_ROUTE. */
const struct route_resource *route_of(const struct resource *r);

#endif
