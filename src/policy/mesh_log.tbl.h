/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/*
 * Operators of a MeshAccessLog's format, one row each; no guard: define
 * MESH_LOG_OP, include; undefined again.  Columns: id, name between the %,
 * what it gives.
 */
MESH_LOG_OP(START_TIME, "START_TIME", "When it began, RFC 3339.")
MESH_LOG_OP(EMIT_TIME, "EMIT_TIME", "When it ended, RFC 3339.")
MESH_LOG_OP(PROTOCOL, "PROTOCOL", "HTTP/1.1 or HTTP/2.")
MESH_LOG_OP(RESPONSE_CODE, "RESPONSE_CODE", "Status of the answer; 0: none.")
MESH_LOG_OP(RESPONSE_CODE_DETAILS, "RESPONSE_CODE_DETAILS", "How it ended: a word of zegressd(8).")
MESH_LOG_OP(RESPONSE_FLAGS, "RESPONSE_FLAGS", "The same word, unless it ended in order. Envoy has letters here.")
MESH_LOG_OP(BYTES_RECEIVED, "BYTES_RECEIVED", "Payload from the caller.")
MESH_LOG_OP(BYTES_SENT, "BYTES_SENT", "Payload to the caller.")
MESH_LOG_OP(DURATION, "DURATION", "Milliseconds from its start to its end.")
MESH_LOG_OP(RESPONSE_DURATION, "RESPONSE_DURATION", "Milliseconds from its start to the server's first byte.")
MESH_LOG_OP(UPSTREAM_HOST, "UPSTREAM_HOST", "The address that was connected to.")
MESH_LOG_OP(UPSTREAM_REMOTE_ADDRESS, "UPSTREAM_REMOTE_ADDRESS", "The same.")
MESH_LOG_OP(UPSTREAM_CLUSTER, "UPSTREAM_CLUSTER", "The service's name in the metrics.")
MESH_LOG_OP(REQUESTED_SERVER_NAME, "REQUESTED_SERVER_NAME", "The server name that the caller sent.")
MESH_LOG_OP(DOWNSTREAM_REMOTE_ADDRESS, "DOWNSTREAM_REMOTE_ADDRESS", "The caller's address.")
MESH_LOG_OP(DOWNSTREAM_REMOTE_HOST, "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", "The same without its port.")
MESH_LOG_OP(DOWNSTREAM_LOCAL_ADDRESS, "DOWNSTREAM_LOCAL_ADDRESS", "Our address it came to.")
MESH_LOG_OP(DOWNSTREAM_PEER, "DOWNSTREAM_PEER_URI_SAN", "The caller's SPIFFE name.")
MESH_LOG_OP(CONNECTION_ID, "CONNECTION_ID", "Of the connection, as in our access log.")
MESH_LOG_OP(GRPC_STATUS, "GRPC_STATUS", "grpc-status of the answer.")
MESH_LOG_OP(REQ, "REQ", "REQ(:METHOD), REQ(:PATH), REQ(:AUTHORITY), REQ(X-REQUEST-ID) of the request; nothing else of it is kept.")
MESH_LOG_OP(RESP, "RESP", "RESP(:STATUS), RESP(GRPC-STATUS) of the answer; nothing else of it is kept.")
MESH_LOG_OP(KUMA_MESH, "KUMA_MESH", "The mesh of the service.")
MESH_LOG_OP(KUMA_SOURCE_SERVICE, "KUMA_SOURCE_SERVICE", "The caller's service, by its certificate; unknown without one.")
MESH_LOG_OP(KUMA_DESTINATION_SERVICE, "KUMA_DESTINATION_SERVICE", "The service.")
MESH_LOG_OP(KUMA_SOURCE_HOST, "KUMA_SOURCE_ADDRESS_WITHOUT_PORT", "The caller's address without its port.")
MESH_LOG_OP(KUMA_SOURCE_ADDRESS, "KUMA_SOURCE_ADDRESS", "The caller's address.")
MESH_LOG_OP(KUMA_TRAFFIC_DIRECTION, "KUMA_TRAFFIC_DIRECTION", "OUTBOUND.")
#undef MESH_LOG_OP
/* clang-format on */
