/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_ZONE_PROXY_H
#define MODEL_ZONE_PROXY_H

/* ZoneIngress and ZoneEgress (Kuma zone_ingress.proto, zoneegress.proto). */

#include "model/resource.h"

struct available_service {
	struct tags tags; /* as written, kuma.io/service included */
	struct str mesh;
	unsigned instances;
	bool is_external; /* externalService: true */
};

struct zone_ingress {
	struct str zone; /* empty: this zone */
	struct str address;
	uint16_t port;
	uint16_t admin_port;           /* 0: not given */
	struct str advertised_address; /* both, or neither */
	uint16_t advertised_port;
	bool has_available_services; /* else it serves all of its zone */
	struct available_service *services;
	size_t n_services;
};

struct zone_egress {
	struct str zone; /* empty: this zone */
	struct str address;
	uint16_t port;
	uint16_t admin_port; /* 0: not given */
};

const struct zone_ingress *zone_ingress_of(const struct resource *r);
const struct zone_egress *zone_egress_of(const struct resource *r);

#endif
