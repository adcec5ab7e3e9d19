/* SPDX-License-Identifier: Apache-2.0 */
/* The cases; see reference_case.h. */

#include "reference_case.h"

#include "base/attr.h"

#define TRAFFIC "rate fault"
#define OPTIONS "balance.p balance.h balance.c balance.t balance.r balance.o"
#define SERVICES "external-services mesh-external-services"
#define RECORDED(name_, more)                              \
	{                                                  \
		.kind = REFERENCE_RECORDED, .name = name_, \
		.given = SERVICES " " more                 \
	}
#define EGRESS(name_)                                   \
	{                                               \
		.kind = REFERENCE_EGRESS, .name = name_ \
	}
#define POLICY(name_, only_)                                           \
	{                                                              \
		.kind = REFERENCE_POLICY, .name = name_, .only = only_ \
	}
#define EXTERNAL(mesh, sni)           \
	{                             \
		"external-" mesh, sni \
	}

const struct reference_case reference_cases[] = {
	EGRESS("01.externalservice-only"),
	EGRESS("02.internalservice-only"),
	EGRESS("03.mixed-services"),
	EGRESS("04.mixed-services-custom-trafficroute"),
	EGRESS("05.mixed-services-with-custom-trafficpermissions"),
	EGRESS("06.mixed-services-with-external-in-other-zone"),
	POLICY("meshtrafficpermission.apply-egress", "allowed shadow-denied"),
	POLICY("meshratelimit.basic_egress", TRAFFIC),
	POLICY("meshfaultinjection.egress_basic_listener", TRAFFIC),
	{ .kind = REFERENCE_POLICY,
	    .name = "meshcircuitbreaker.basic-meshexternalservice.egress_"
		    "cluster",
	    .only = "breaker outlier " OPTIONS,
	    .of = { EXTERNAL("default",
			"a97b1be7a9d700d3d.external.9000.default.mes"),
		EXTERNAL(
		    "mesh2", "ae3023c8bda61b3c5.external.9000.mesh2.mes") } },
	{ .kind = REFERENCE_POLICY,
	    .name = "meshhealthcheck.basic_egress_meshexternalservice_cluster",
	    .only = "health " OPTIONS,
	    .of = { EXTERNAL("default",
			"a97b1be7a9d700d3d.external.9000.default.mes"),
		EXTERNAL(
		    "mesh2", "ae3023c8bda61b3c5.external.9000.mesh2.mes") } },
	{ .kind = REFERENCE_POLICY,
	    .name = "meshloadbalancingstrategy.egress",
	    .only = "endpoints " OPTIONS,
	    .is_split = true,
	    .of = { { "mesh-1:eds-cluster", "eds-cluster{mesh=mesh-1}" },
		{ "mesh-2:static-cluster", "static-cluster{mesh=mesh-2}" } } },
	{ .kind = REFERENCE_POLICY,
	    .name = "meshloadbalancingstrategy.egress_basic",
	    .only = "endpoints " OPTIONS,
	    .is_split = true,
	    .of = { { "mesh-1:eds-cluster", "eds-cluster{mesh=mesh-1}" },
		{ "mesh-2:static-cluster", "static-cluster{mesh=mesh-2}" } } },
	{ .kind = REFERENCE_POLICY,
	    .name = "meshloadbalancingstrategy.egress_meshexternalservice",
	    .only = OPTIONS,
	    .is_split = true,
	    .of = { { "mesh-1_external___extsvc_9000",
		"ad098e6a3e7e807e1.external.9000.mesh-1.mes" } } },
	{ .kind = REFERENCE_MATCHING,
	    .name = "fromrules/01",
	    .only = "allowed shadow-denied" },
	RECORDED("01-baseline", "mesh tp-allow-all"),
	RECORDED("02-no-permission", "mesh"),
	RECORDED("03-tp-client-only-client", "mesh tp-client-only"),
	RECORDED("03-tp-client-only-client2", "mesh tp-client-only"),
	RECORDED("04-mtp-Allow-client",
	    "mesh mtp-Allow-es-tls mtp-Allow-es-tls-tcp"),
	RECORDED("04-mtp-Allow-client2",
	    "mesh mtp-Allow-es-tls mtp-Allow-es-tls-tcp"),
	RECORDED("04-mtp-AllowWithShadowDeny-client",
	    "mesh mtp-AllowWithShadowDeny-es-tls "
	    "mtp-AllowWithShadowDeny-es-tls-tcp"),
	RECORDED("04-mtp-AllowWithShadowDeny-client2",
	    "mesh mtp-AllowWithShadowDeny-es-tls "
	    "mtp-AllowWithShadowDeny-es-tls-tcp"),
	RECORDED(
	    "04-mtp-Deny-client", "mesh mtp-Deny-es-tls mtp-Deny-es-tls-tcp"),
	RECORDED(
	    "04-mtp-Deny-client2", "mesh mtp-Deny-es-tls mtp-Deny-es-tls-tcp"),
	RECORDED("04-mtp-mesh-client", "mesh mtp-mesh-allow"),
	RECORDED("04-mtp-mesh-client2", "mesh mtp-mesh-allow"),
	RECORDED("05-mes-forbidden", "mesh-forbidmes tp-allow-all"),
	RECORDED("06-ratelimit-legacy", "mesh tp-allow-all ratelimit-legacy"),
	RECORDED("06-ratelimit-mesh",
	    "mesh tp-allow-all ratelimit-mesh ratelimit-mesh-tcp"),
	RECORDED("07-fault-legacy", "mesh tp-allow-all fault-legacy"),
	RECORDED("07-fault-legacy-client2", "mesh tp-allow-all fault-legacy"),
	RECORDED("07-fault-mesh", "mesh tp-allow-all fault-mesh fault-mesh-bw"),
	RECORDED("07-fault-mesh-client2",
	    "mesh tp-allow-all fault-mesh fault-mesh-bw"),
	RECORDED("08-locality-aware", "mesh-locality tp-allow-all"),
	RECORDED("09-zoneegress-off", "mesh-noegress tp-allow-all"),
	RECORDED("11-mes-mixed-runtime", "mesh tp-allow-all mes-mixed"),
	RECORDED("13-cb-hc-lb-timeout", "mesh tp-allow-all mcb mhc mlb mt"),
	RECORDED("14-secret-and-2nd-endpoint",
	    "mesh tp-allow-all secret-ca es-secret"),
	RECORDED("15-two-meshes", "mesh tp-allow-all second-mesh"),
};
const size_t n_reference_cases = ARRAY_LEN(reference_cases);
