/* SPDX-License-Identifier: Apache-2.0 */
/* The table of kinds, made from kind.tbl.h.  Constant. */

#include "model/kind.h"

#include "model/dataplane.h"
#include "model/external_service.h"
#include "model/fault_injection.h"
#include "model/kind_rows.h"
#include "model/mesh.h"
#include "model/mesh_external_service.h"
#include "model/outbound_policy.h"
#include "model/permission.h"
#include "model/rate_limit.h"
#include "model/route.h"
#include "model/secret.h"
#include "model/zone_proxy.h"

enum {
	size_of_none = 0,
	size_of_mesh = sizeof(struct mesh),
	size_of_external_service = sizeof(struct external_service),
	size_of_mesh_external_service = sizeof(struct mesh_external_service),
	size_of_zone_egress = sizeof(struct zone_egress),
	size_of_zone_ingress = sizeof(struct zone_ingress),
	size_of_secret = sizeof(struct secret),
	size_of_traffic_permission = sizeof(struct traffic_permission),
	size_of_mesh_traffic_permission =
	    sizeof(struct mesh_traffic_permission),
	size_of_rate_limit = sizeof(struct rate_limit),
	size_of_mesh_rate_limit = sizeof(struct mesh_rate_limit),
	size_of_fault_injection = sizeof(struct fault_injection),
	size_of_mesh_fault_injection = sizeof(struct mesh_fault_injection),
	size_of_traffic_route = sizeof(struct route_resource),
	size_of_mesh_http_route = sizeof(struct route_resource),
	size_of_mesh_tcp_route = sizeof(struct route_resource),
	size_of_dataplane = sizeof(struct dataplane),
	size_of_mesh_load_balancing_strategy = sizeof(struct outbound_policy),
	size_of_mesh_circuit_breaker = sizeof(struct outbound_policy),
	size_of_mesh_health_check = sizeof(struct outbound_policy),
	size_of_mesh_timeout = sizeof(struct outbound_policy),
	size_of_mesh_retry = sizeof(struct outbound_policy),
	size_of_mesh_access_log = sizeof(struct outbound_policy)
};

static const struct kind_row rows[KIND_N] = {
#define KIND(id, n, s, u, spec, module)                                     \
	[KIND_##id] = {                                                     \
		.name = (n),                                                \
		.scope = (s),                                               \
		.use = (u),                                                 \
		.has_spec = (spec),                                         \
		.spec_size = size_of_##module,                              \
		.bind = module##_bind,                                      \
		.check = module##_check,                                    \
		.is_permission = KIND_##id == KIND_TRAFFIC_PERMISSION ||    \
				 KIND_##id == KIND_MESH_TRAFFIC_PERMISSION, \
	},
#include "model/kind.tbl.h"
};

const struct kind_row *
kind_row(enum kind k)
{
	return &rows[k];
}

enum kind
kind_find(struct str name)
{
	size_t k;

	for (k = 0; k < KIND_N; k++) {
		if (k != KIND_FOREIGN && str_eq(name, str_of(rows[k].name)))
			return (enum kind)k;
	}
	return KIND_N;
}
