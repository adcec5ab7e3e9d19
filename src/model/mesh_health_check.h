/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_MESH_HEALTH_CHECK_H
#define MODEL_MESH_HEALTH_CHECK_H

/* The values of a MeshHealthCheck's items: outbound_policy.h. */

enum mesh_health_check_value {
	MHC_INTERVAL,
	MHC_TIMEOUT,
	MHC_UNHEALTHY,
	MHC_HEALTHY,
	MHC_INITIAL_JITTER,
	MHC_JITTER,
	MHC_JITTER_PERCENT,
	MHC_PANIC, /* thousandths of a percent; Kuma has it no more */
	MHC_FAILS_ON_PANIC,
	MHC_EVENT_LOG,
	MHC_ALWAYS_LOG,
	MHC_NO_TRAFFIC_INTERVAL,
	MHC_REUSES_CONNECTION,
	MHC_TCP, /* was given, … */
	MHC_TCP_DISABLED,
	MHC_TCP_SEND,
	MHC_TCP_RECEIVE, /* struct str */
	MHC_HTTP,
	MHC_HTTP_DISABLED,
	MHC_HTTP_PATH,
	MHC_HTTP_HEADERS,  /* was given */
	MHC_HTTP_STATUSES, /* unsigned */
	MHC_GRPC,
	MHC_GRPC_DISABLED,
	MHC_GRPC_SERVICE,
	MHC_GRPC_AUTHORITY
};

#endif
