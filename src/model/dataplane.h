/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_DATAPLANE_H
#define MODEL_DATAPLANE_H

/* Dataplane: only the service names of its inbounds. */

#include "model/resource.h"

struct dataplane {
	struct str *services; /* networking.inbound[].tags kuma.io/service */
	size_t n_services;
};

const struct dataplane *dataplane_of(const struct resource *r);

#endif
