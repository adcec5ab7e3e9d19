/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/*
 * Every kind of resource that users of Kuma have, one row each; no guard:
 * define KIND, include, and it is undefined again.
 * Columns: id, name, scope, use, fields under spec: in Universal form too,
 * module that reads it (its <module>_bind and <module>_check; the size of its
 * struct stands in kind.c) or none.
 */

KIND(MESH, "Mesh", SCOPE_GLOBAL, KIND_USED, false, mesh)
KIND(EXTERNAL_SERVICE, "ExternalService", SCOPE_MESHED, KIND_USED, false, external_service)
KIND(MESH_EXTERNAL_SERVICE, "MeshExternalService", SCOPE_MESHED, KIND_USED, true, mesh_external_service)
KIND(ZONE_EGRESS, "ZoneEgress", SCOPE_GLOBAL, KIND_USED, false, zone_egress)
KIND(ZONE_INGRESS, "ZoneIngress", SCOPE_GLOBAL, KIND_USED, false, zone_ingress)
KIND(SECRET, "Secret", SCOPE_MESHED, KIND_USED, false, secret)
KIND(GLOBAL_SECRET, "GlobalSecret", SCOPE_GLOBAL, KIND_USED, false, secret)
KIND(TRAFFIC_PERMISSION, "TrafficPermission", SCOPE_MESHED, KIND_USED, false, traffic_permission)
KIND(MESH_TRAFFIC_PERMISSION, "MeshTrafficPermission", SCOPE_MESHED, KIND_USED, true, mesh_traffic_permission)
KIND(RATE_LIMIT, "RateLimit", SCOPE_MESHED, KIND_USED, false, rate_limit)
KIND(MESH_RATE_LIMIT, "MeshRateLimit", SCOPE_MESHED, KIND_USED, true, mesh_rate_limit)
KIND(FAULT_INJECTION, "FaultInjection", SCOPE_MESHED, KIND_USED, false, fault_injection)
KIND(MESH_FAULT_INJECTION, "MeshFaultInjection", SCOPE_MESHED, KIND_USED, true, mesh_fault_injection)
KIND(MESH_LOAD_BALANCING_STRATEGY, "MeshLoadBalancingStrategy", SCOPE_MESHED, KIND_USED, true, mesh_load_balancing_strategy)
KIND(MESH_CIRCUIT_BREAKER, "MeshCircuitBreaker", SCOPE_MESHED, KIND_USED, true, mesh_circuit_breaker)
KIND(MESH_HEALTH_CHECK, "MeshHealthCheck", SCOPE_MESHED, KIND_USED, true, mesh_health_check)
KIND(MESH_TIMEOUT, "MeshTimeout", SCOPE_MESHED, KIND_USED, true, mesh_timeout)
KIND(MESH_RETRY, "MeshRetry", SCOPE_MESHED, KIND_USED, true, mesh_retry)
KIND(MESH_ACCESS_LOG, "MeshAccessLog", SCOPE_MESHED, KIND_USED, true, mesh_access_log)
KIND(TRAFFIC_ROUTE, "TrafficRoute", SCOPE_MESHED, KIND_NAMES_ONLY, false, traffic_route)
KIND(MESH_HTTP_ROUTE, "MeshHTTPRoute", SCOPE_MESHED, KIND_NAMES_ONLY, true, mesh_http_route)
KIND(MESH_TCP_ROUTE, "MeshTCPRoute", SCOPE_MESHED, KIND_NAMES_ONLY, true, mesh_tcp_route)
KIND(DATAPLANE, "Dataplane", SCOPE_MESHED, KIND_NAMES_ONLY, false, dataplane)

/* Kuma's, and without effect here. */
KIND(MESH_TRACE, "MeshTrace", SCOPE_MESHED, KIND_NOT_USED, true, none)
KIND(MESH_METRIC, "MeshMetric", SCOPE_MESHED, KIND_NOT_USED, true, none)
KIND(MESH_TLS, "MeshTLS", SCOPE_MESHED, KIND_NOT_USED, true, none)
KIND(MESH_PROXY_PATCH, "MeshProxyPatch", SCOPE_MESHED, KIND_NOT_USED, true, none)
KIND(MESH_PASSTHROUGH, "MeshPassthrough", SCOPE_MESHED, KIND_NOT_USED, true, none)
KIND(MESH_SERVICE, "MeshService", SCOPE_MESHED, KIND_NOT_USED, true, none)
KIND(MESH_MULTI_ZONE_SERVICE, "MeshMultiZoneService", SCOPE_MESHED, KIND_NOT_USED, true, none)
KIND(MESH_IDENTITY, "MeshIdentity", SCOPE_MESHED, KIND_NOT_USED, true, none)
KIND(MESH_TRUST, "MeshTrust", SCOPE_MESHED, KIND_NOT_USED, true, none)
KIND(MESH_OPENTELEMETRY_BACKEND, "MeshOpenTelemetryBackend", SCOPE_MESHED, KIND_NOT_USED, true, none)
KIND(WORKLOAD, "Workload", SCOPE_MESHED, KIND_NOT_USED, true, none)
KIND(MESH_GATEWAY, "MeshGateway", SCOPE_MESHED, KIND_NOT_USED, false, none)
KIND(MESH_GATEWAY_ROUTE, "MeshGatewayRoute", SCOPE_MESHED, KIND_NOT_USED, false, none)
KIND(MESH_GATEWAY_INSTANCE, "MeshGatewayInstance", SCOPE_MESHED, KIND_NOT_USED, false, none)
KIND(VIRTUAL_OUTBOUND, "VirtualOutbound", SCOPE_MESHED, KIND_NOT_USED, false, none)
KIND(CIRCUIT_BREAKER, "CircuitBreaker", SCOPE_MESHED, KIND_NOT_USED, false, none)
KIND(HEALTH_CHECK, "HealthCheck", SCOPE_MESHED, KIND_NOT_USED, false, none)
KIND(RETRY, "Retry", SCOPE_MESHED, KIND_NOT_USED, false, none)
KIND(TIMEOUT, "Timeout", SCOPE_MESHED, KIND_NOT_USED, false, none)
KIND(TRAFFIC_LOG, "TrafficLog", SCOPE_MESHED, KIND_NOT_USED, false, none)
KIND(TRAFFIC_TRACE, "TrafficTrace", SCOPE_MESHED, KIND_NOT_USED, false, none)
KIND(PROXY_TEMPLATE, "ProxyTemplate", SCOPE_MESHED, KIND_NOT_USED, false, none)
KIND(DATAPLANE_INSIGHT, "DataplaneInsight", SCOPE_MESHED, KIND_NOT_USED, false, none)
KIND(SERVICE_INSIGHT, "ServiceInsight", SCOPE_MESHED, KIND_NOT_USED, false, none)
KIND(ACCESS_LOG, "AccessLog", SCOPE_MESHED, KIND_NOT_USED, false, none)
KIND(HOSTNAME_GENERATOR, "HostnameGenerator", SCOPE_GLOBAL, KIND_NOT_USED, true, none)
KIND(MESH_GATEWAY_CONFIG, "MeshGatewayConfig", SCOPE_GLOBAL, KIND_NOT_USED, true, none)
KIND(CONTAINER_PATCH, "ContainerPatch", SCOPE_GLOBAL, KIND_NOT_USED, true, none)
KIND(ZONE, "Zone", SCOPE_GLOBAL, KIND_NOT_USED, false, none)
KIND(ZONE_INSIGHT, "ZoneInsight", SCOPE_GLOBAL, KIND_NOT_USED, false, none)
KIND(ZONE_INGRESS_INSIGHT, "ZoneIngressInsight", SCOPE_GLOBAL, KIND_NOT_USED, false, none)
KIND(ZONE_EGRESS_INSIGHT, "ZoneEgressInsight", SCOPE_GLOBAL, KIND_NOT_USED, false, none)
KIND(MESH_INSIGHT, "MeshInsight", SCOPE_GLOBAL, KIND_NOT_USED, false, none)
KIND(CONFIG, "Config", SCOPE_GLOBAL, KIND_NOT_USED, false, none)

/*
 * Objects of Kubernetes that are not Kuma's, as often stand in one file with
 * them.  No document can name this kind.
 */
KIND(FOREIGN, "(not of Kuma)", SCOPE_GLOBAL, KIND_NOT_USED, true, none)

#undef KIND
/* clang-format on */
