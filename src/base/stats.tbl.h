/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/*
 * Every metric, one row each; no guard: included once a purpose, with SERVER,
 * LISTENER, CLUSTER, OUTCOME, RESOLVER, EXPIRY, NAMED and RULE defined.  Columns: id,
 * type, exported name, further label or NULL, what it says, what to do about it (""
 * when nothing).
 */

SERVER(UPTIME, STAT_GAUGE, "envoy_server_uptime", NULL,
    "Seconds since the daemon started.", "")
SERVER(LIVE, STAT_GAUGE, "envoy_server_live", NULL,
    "1 while the daemon serves, 0 while it drains.", "")
SERVER(MEMORY_HEAP, STAT_GAUGE, "envoy_server_memory_heap_size", NULL,
    "Resident memory in bytes.", "Compare with the services and connections in use.")
SERVER(CERT_DAYS, STAT_GAUGE, "envoy_server_days_until_first_cert_expiring", NULL,
    "Days until the first of our own certificates or mesh CAs expires.",
    "Below a week: renew the files of `identity`, or the CA among the resources.")

SERVER(RELOADS, STAT_COUNTER, "envoy_listener_manager_lds_update_success", NULL,
    "Reloads of the resources that went into force.", "")
SERVER(RELOADS_REJECTED, STAT_COUNTER, "envoy_listener_manager_lds_update_rejected", NULL,
    "Reloads with at least one document refused; the rest went into force.",
    "`zegressctl status` names each refused document.")
SERVER(RESOURCES_REFUSED, STAT_GAUGE, "zegress_resources_refused", NULL,
    "Documents refused at present (their last good version stays in force).",
    "`zegressctl check` prints file, line and remedy of each.")
SERVER(SERVICES, STAT_GAUGE, "zegress_services", NULL,
    "Services in force.", "")
SERVER(CONTROL_PLANE_CONNECTED, STAT_GAUGE, "envoy_control_plane_connected_state", NULL,
    "1 while the source of resources is readable.",
    "0: the `resources` directory cannot be read.")
SERVER(CONTROL_PLANE_PENDING, STAT_GAUGE, "envoy_control_plane_pending_requests", NULL,
    "Always 0: a directory has no pending requests.", "")
SERVER(TLS_OPENSSL, STAT_GAUGE, "zegress_tls_records_openssl", NULL,
    "TLS connections whose records OpenSSL seals and opens, handshakes included.", "")
SERVER(TLS_OWN, STAT_GAUGE, "zegress_tls_records_own", NULL,
    "TLS connections whose records we seal and open ourselves (`tls_records`).", "")
SERVER(TLS_KERNEL, STAT_GAUGE, "zegress_tls_records_kernel", NULL,
    "TLS connections whose records the kernel seals, and opens unless it refuses (`tls_records`).",
    "Less than expected: the log says what the kernel does not take; those are zegress_tls_records_own.")
SERVER(TLS_IPSEC_MB, STAT_GAUGE, "zegress_tls_records_ipsec_mb", NULL,
    "Of those of our own, the ones whose cipher intel-ipsec-mb does; OpenSSL does the others'.",
    "`zegressctl status` says what does AES-GCM here.")
SERVER(DNS_QUERIES, STAT_COUNTER, "zegress_dns_queries", NULL,
    "Questions to name servers: one for A and one for AAAA; those that are sent again count once.", "")
SERVER(DNS_HITS, STAT_COUNTER, "zegress_dns_hits", NULL,
    "Names that were answered from memory.", "")
SERVER(DNS_FAILURES, STAT_COUNTER, "zegress_dns_failures", NULL,
    "Questions that no name server answered well.",
    "`zegressctl dns` shows which names and servers; see also zegress_resolver_timeouts.")
SERVER(DNS_STALE, STAT_COUNTER, "zegress_dns_stale_served", NULL,
    "Of the answers from memory, those beyond their time, used because no newer one could be had.",
    "Connections still work, for dns.max_stale_s: mend the name servers.")
SERVER(DNS_NAMES, STAT_GAUGE, "zegress_dns_names", NULL,
    "Names remembered, all workers together.", "")
SERVER(DNS_FAILING, STAT_GAUGE, "zegress_dns_failing_names", NULL,
    "Of those, names whose last question failed.",
    "Not 0 for long: `zegressctl dns` shows which, and since when.")
SERVER(CALLERS, STAT_GAUGE, "zegress_callers", NULL,
    "Pairs of caller and service that caller_limits are kept for at present.",
    "At limits.callers: newcomers share one entry of their service; raise it.")
SERVER(CALLERS_SHARED, STAT_GAUGE, "zegress_callers_shared", NULL,
    "Of those, entries that several callers share because limits.callers was reached.",
    "Not 0: raise limits.callers.")
SERVER(CALLERS_AT_CONNECTIONS, STAT_GAUGE, "zegress_callers_at_limit", "limit=\"connections\"",
    "Of those, callers that stand at a limit.",
    "`zegressctl callers` shows who.")
SERVER(CALLERS_AT_REQUESTS, STAT_GAUGE, "zegress_callers_at_limit", "limit=\"requests\"",
    "Of those, callers that stand at a limit.",
    "`zegressctl callers` shows who.")
SERVER(CALLERS_AT_RATE, STAT_GAUGE, "zegress_callers_at_limit", "limit=\"requests_per_s\"",
    "Of those, callers that stand at a limit.",
    "`zegressctl callers` shows who.")
SERVER(CALLERS_AT_BYTES, STAT_GAUGE, "zegress_callers_at_limit", "limit=\"mib_per_day\"",
    "Of those, callers that stand at a limit.",
    "`zegressctl callers` shows who.")
SERVER(MESH_LOG_LOST, STAT_COUNTER, "zegress_mesh_access_log_lost", NULL,
    "Lines that a MeshAccessLog wanted and that were lost: their file could not be written, or their sink took them too slowly, or not at all.",
    "The log names the file or the sink.")
SERVER(WATCHDOG_MISS, STAT_COUNTER, "envoy_server_watchdog_miss", NULL,
    "A worker's loop took longer than 200 ms for one turn.",
    "Add workers, or look for a slow disk under access_log.")
SERVER(WATCHDOG_MEGA_MISS, STAT_COUNTER, "envoy_server_watchdog_mega_miss", NULL,
    "A worker's loop took longer than 1 s for one turn.",
    "As for envoy_server_watchdog_miss.")

LISTENER(DOWNSTREAM_CX_TOTAL, STAT_COUNTER, "envoy_listener_downstream_cx_total", NULL,
    "Connections accepted.", "")
LISTENER(DOWNSTREAM_CX_ACTIVE, STAT_GAUGE, "envoy_listener_downstream_cx_active", NULL,
    "Connections open.", "")
LISTENER(DOWNSTREAM_CX_OVERFLOW, STAT_COUNTER, "envoy_listener_downstream_cx_overflow", NULL,
    "Connections closed at once because `limits.connections` was reached.",
    "Raise the limit and LimitNOFILE, or add an egress.")
LISTENER(DOWNSTREAM_CX_OVERLOAD, STAT_COUNTER, "envoy_listener_downstream_cx_overload_reject", NULL,
    "Connections closed at once because the process was out of descriptors.",
    "Raise LimitNOFILE.")
LISTENER(NO_FILTER_CHAIN, STAT_COUNTER, "envoy_listener_no_filter_chain_match", NULL,
    "Connections without a known server name, or without TLS.",
    "The access log names source and server name.")
LISTENER(SSL_HANDSHAKE, STAT_COUNTER, "envoy_listener_ssl_handshake", NULL,
    "Mutual TLS handshakes completed with mesh callers.", "")
LISTENER(SSL_SESSION_REUSED, STAT_COUNTER, "envoy_listener_ssl_session_reused", NULL,
    "Of those, resumed ones.", "")
LISTENER(SSL_CONNECTION_ERROR, STAT_COUNTER, "envoy_listener_ssl_connection_error", NULL,
    "Handshakes that failed for another reason than the certificate.",
    "The access log says which TLS error.")
LISTENER(SSL_FAIL_VERIFY_ERROR, STAT_COUNTER, "envoy_listener_ssl_fail_verify_error", NULL,
    "Client certificates that do not chain to the mesh's CA, or have expired.",
    "Compare the caller's issuer with the mesh's CA.")
LISTENER(SSL_FAIL_VERIFY_SAN, STAT_COUNTER, "envoy_listener_ssl_fail_verify_san", NULL,
    "Client certificates without a spiffe://<mesh>/ name of the asked-for mesh.",
    "The caller's certificate belongs to another mesh.")
LISTENER(SSL_FAIL_VERIFY_NO_CERT, STAT_COUNTER, "envoy_listener_ssl_fail_verify_no_cert", NULL,
    "Callers that showed no certificate.", "Only mesh callers may use the egress.")

LISTENER(DOWNSTREAM_CX_HTTP1, STAT_COUNTER, "envoy_http_downstream_cx_http1_total", NULL,
    "Connections of callers that speak HTTP/1.1.", "")
LISTENER(DOWNSTREAM_CX_HTTP2, STAT_COUNTER, "envoy_http_downstream_cx_http2_total", NULL,
    "Connections of callers that speak HTTP/2.", "")
LISTENER(DOWNSTREAM_RQ_TOTAL, STAT_COUNTER, "envoy_http_downstream_rq_total", NULL,
    "Requests received, those included that were refused.", "")
LISTENER(DOWNSTREAM_RQ_ACTIVE, STAT_GAUGE, "envoy_http_downstream_rq_active", NULL,
    "Requests in progress.", "")
LISTENER(H2_RX_RESET, STAT_COUNTER, "envoy_http2_rx_reset", NULL,
    "Streams of HTTP/2 that callers reset.",
    "Many: callers give up; compare with the time that answers take.")
LISTENER(H2_TX_RESET, STAT_COUNTER, "envoy_http2_tx_reset", NULL,
    "Streams of HTTP/2 that we reset towards callers.",
    "The access log's outcome and detail say why.")
LISTENER(H2_GOAWAY_SENT, STAT_COUNTER, "envoy_http2_goaway_sent", NULL,
    "Connections of HTTP/2 that we asked callers to leave.", "")
LISTENER(H2_TRAILERS, STAT_COUNTER, "envoy_http2_trailers", NULL,
    "Requests of HTTP/2 with trailers.", "")
LISTENER(H2_HEADER_OVERFLOW, STAT_COUNTER, "envoy_http2_header_overflow", NULL,
    "Requests of HTTP/2 whose head was over limits.head_bytes or limits.headers.",
    "Raise the limit if the caller is right.")
LISTENER(H2_MESSAGE_ERROR, STAT_COUNTER, "envoy_http2_rx_messaging_error", NULL,
    "Requests of HTTP/2 that break RFC 9113.", "The caller has to be mended.")
LISTENER(H2_PROTOCOL_ERROR, STAT_COUNTER, "envoy_http2_protocol_error", NULL,
    "Connections of HTTP/2 on which the caller broke RFC 9113.",
    "The access log's detail says how.")
LISTENER(H2_KEEPALIVE_TIMEOUT, STAT_COUNTER, "envoy_http2_keepalive_timeout", NULL,
    "Connections of HTTP/2 on which the caller did not answer our PING.",
    "The caller or the path to it is gone; see limits.h2_ping_ms.")
LISTENER(H2_HEAD_LATE, STAT_COUNTER, "envoy_http2_head_timeout", NULL,
    "Connections of HTTP/2 on which a field block was begun and not ended in limits.head_ms.",
    "Many of one source: it holds connections open on purpose.")
LISTENER(H2_RESETS_FLOOD, STAT_COUNTER, "envoy_http2_reset_flood", NULL,
    "Connections of HTTP/2 that ended because of too many reset streams (rapid reset).",
    "The access log names the source; an honest caller needs more of limits.h2_resets.")
LISTENER(H2_CONTINUATIONS_FLOOD, STAT_COUNTER, "envoy_http2_continuation_flood", NULL,
    "Connections of HTTP/2 that ended because of too many CONTINUATION frames.",
    "The access log names the source; an honest caller needs more of limits.h2_continuations.")
LISTENER(H2_SETTINGS_FLOOD, STAT_COUNTER, "envoy_http2_settings_flood", NULL,
    "Connections of HTTP/2 that ended because of too many SETTINGS frames.",
    "The access log names the source; an honest caller needs more of limits.h2_settings.")
LISTENER(H2_PINGS_FLOOD, STAT_COUNTER, "envoy_http2_ping_flood", NULL,
    "Connections of HTTP/2 that ended because of too many PING frames.",
    "The access log names the source; an honest caller needs more of limits.h2_pings.")
LISTENER(H2_EMPTY_FRAMES_FLOOD, STAT_COUNTER, "envoy_http2_inbound_empty_frames_flood", NULL,
    "Connections of HTTP/2 that ended because of too many frames without payload.",
    "The access log names the source; an honest caller needs more of limits.h2_empty_frames.")
LISTENER(H2_PRIORITIES_FLOOD, STAT_COUNTER, "envoy_http2_inbound_priority_frames_flood", NULL,
    "Connections of HTTP/2 that ended because of too many PRIORITY frames and frames of unknown types.",
    "The access log names the source; an honest caller needs more of limits.h2_priorities.")
LISTENER(H2_WINDOW_UPDATES_FLOOD, STAT_COUNTER, "envoy_http2_inbound_window_update_frames_flood", NULL,
    "Connections of HTTP/2 that ended because of too many WINDOW_UPDATE frames.",
    "The access log names the source; an honest caller needs more of limits.h2_window_updates.")
LISTENER(H2_TINY_FRAMES_FLOOD, STAT_COUNTER, "envoy_http2_tiny_frames_flood", NULL,
    "Connections of HTTP/2 that ended because of too many tiny DATA frames.",
    "The access log names the source; an honest caller needs more of limits.h2_tiny_frames.")
LISTENER(H2_OUTBOUND_FLOOD, STAT_COUNTER, "envoy_http2_outbound_control_flood", NULL,
    "Connections of HTTP/2 that ended because of too many answers to frames of control that it did not read.",
    "The access log names the source; an honest caller needs more of limits.h2_outbound.")

CLUSTER(UPSTREAM_CX_TOTAL, STAT_COUNTER, "envoy_cluster_upstream_cx_total", NULL,
    "Connections opened to the service.", "")
CLUSTER(UPSTREAM_CX_ACTIVE, STAT_GAUGE, "envoy_cluster_upstream_cx_active", NULL,
    "Connections to the service that are open.", "")
CLUSTER(UPSTREAM_CX_HTTP1, STAT_COUNTER, "envoy_cluster_upstream_cx_http1_total", NULL,
    "Of those opened, connections that speak HTTP/1.1.",
    "Of a service with protocol http2: its server chose HTTP/1.1, and http2_fallback allows it.")
CLUSTER(UPSTREAM_CX_HTTP2, STAT_COUNTER, "envoy_cluster_upstream_cx_http2_total", NULL,
    "Of those opened, connections that speak HTTP/2.", "")
CLUSTER(UPSTREAM_CX_PROTOCOL_ERROR, STAT_COUNTER, "envoy_cluster_upstream_cx_protocol_error", NULL,
    "Connections whose server chose another version of HTTP by ALPN, answered in another, or broke RFC 9113.",
    "Compare the protocol of the service with what its server speaks; see http2_fallback in `services`.")
CLUSTER(UPSTREAM_CX_CONNECT_FAIL, STAT_COUNTER, "envoy_cluster_upstream_cx_connect_fail", NULL,
    "Attempts to connect that failed (name, TCP or TLS).",
    "The access log's outcome and detail say why.")
CLUSTER(UPSTREAM_CX_CONNECT_TIMEOUT, STAT_COUNTER, "envoy_cluster_upstream_cx_connect_timeout", NULL,
    "Of those, attempts that took longer than limits.connect_ms.", "")
CLUSTER(UPSTREAM_CX_CONNECT_MS, STAT_HISTOGRAM, "envoy_cluster_upstream_cx_connect_ms", NULL,
    "Milliseconds from the first SYN until a connection could be used.",
    "Rising: look at the network path, or at the service's accept queue.")
CLUSTER(UPSTREAM_SSL_HANDSHAKE, STAT_COUNTER, "envoy_cluster_ssl_handshake", NULL,
    "TLS handshakes with the service that succeeded.", "")
CLUSTER(UPSTREAM_SSL_SESSION_REUSED, STAT_COUNTER, "envoy_cluster_ssl_session_reused", NULL,
    "Of those, resumed ones; the others were full handshakes.",
    "Few, with many connections: its servers do not share sessions, or tls.resumption is off.")
CLUSTER(UPSTREAM_SSL_FAIL_VERIFY_ERROR, STAT_COUNTER, "envoy_cluster_ssl_fail_verify_error", NULL,
    "Handshakes that failed because the server's certificate does not chain to a CA, is out of date, or was revoked.",
    "The access log's detail says which certificate, and what to change.")
CLUSTER(UPSTREAM_SSL_FAIL_VERIFY_SAN, STAT_COUNTER, "envoy_cluster_ssl_fail_verify_san", NULL,
    "Handshakes that failed because the server's certificate is for another name.",
    "The access log's detail has expected and presented names.")
CLUSTER(UPSTREAM_SSL_CONNECTION_ERROR, STAT_COUNTER, "envoy_cluster_ssl_connection_error", NULL,
    "Handshakes that failed for another reason.",
    "The access log's detail says which.")
CLUSTER(UPSTREAM_CX_TX_BYTES, STAT_COUNTER, "envoy_cluster_upstream_cx_tx_bytes_total", NULL,
    "Payload bytes sent to the service.", "")
CLUSTER(UPSTREAM_CX_RX_BYTES, STAT_COUNTER, "envoy_cluster_upstream_cx_rx_bytes_total", NULL,
    "Payload bytes received from the service.", "")
CLUSTER(UPSTREAM_CX_DESTROY_ACTIVE, STAT_COUNTER, "envoy_cluster_upstream_cx_destroy_remote_with_active_rq", NULL,
    "Connections that the service closed while a request was in progress.",
    "Many: the server restarts or cuts connections.")
CLUSTER(UPSTREAM_CX_POOL_OVERFLOW, STAT_COUNTER, "envoy_cluster_upstream_cx_pool_overflow", NULL,
    "Connections refused because breaker.connections, or limits.upstream_connections, was reached.",
    "Raise the limit if the service can take it.")
CLUSTER(HTTP2_RX_RESET, STAT_COUNTER, "envoy_cluster_http2_rx_reset", NULL,
    "Streams of HTTP/2 that the service reset.",
    "The access log has the code in its detail.")
CLUSTER(HTTP2_TX_RESET, STAT_COUNTER, "envoy_cluster_http2_tx_reset", NULL,
    "Streams of HTTP/2 that we reset: callers gave up, or answers were malformed.", "")
CLUSTER(HTTP2_GOAWAY_SENT, STAT_COUNTER, "envoy_cluster_http2_goaway_sent", NULL,
    "Connections of HTTP/2 that we asked the service to leave.", "")
CLUSTER(HTTP2_TRAILERS, STAT_COUNTER, "envoy_cluster_http2_trailers", NULL,
    "Answers of HTTP/2 with trailers.", "")
CLUSTER(HTTP2_HEADER_OVERFLOW, STAT_COUNTER, "envoy_cluster_http2_header_overflow", NULL,
    "Answers of HTTP/2 whose head was over limits.head_bytes or limits.headers.",
    "Raise the limit if the service is right.")
CLUSTER(HTTP2_RX_MESSAGING_ERROR, STAT_COUNTER, "envoy_cluster_http2_rx_messaging_error", NULL,
    "Answers of HTTP/2 that break RFC 9113.", "The service has to be mended.")
CLUSTER(HTTP2_PROTOCOL_ERROR, STAT_COUNTER, "envoy_cluster_http2_protocol_error", NULL,
    "Connections of HTTP/2 on which the service broke RFC 9113.",
    "The service has to be mended.")
CLUSTER(HTTP2_KEEPALIVE_TIMEOUT, STAT_COUNTER, "envoy_cluster_http2_keepalive_timeout", NULL,
    "Connections of HTTP/2 on which the service did not answer our PING.",
    "See limits.upstream_h2_ping_ms.")
CLUSTER(HTTP2_FLOOD, STAT_COUNTER, "envoy_cluster_http2_flood", NULL,
    "Connections of HTTP/2 that we ended because the service did more of something than a limits.h2_ option allows, or took too long over a field block.",
    "The access log's detail says which.")
CLUSTER(UPSTREAM_RQ_TOTAL, STAT_COUNTER, "envoy_cluster_upstream_rq_total", NULL,
    "Requests sent, or connections relayed for a TCP service.", "")
CLUSTER(UPSTREAM_RQ_ACTIVE, STAT_GAUGE, "envoy_cluster_upstream_rq_active", NULL,
    "Requests in progress.", "")
CLUSTER(UPSTREAM_RQ_1XX, STAT_COUNTER, "envoy_cluster_upstream_rq_xx", "envoy_response_code_class=\"1\"",
    "Responses by the first digit of their status.", "")
CLUSTER(UPSTREAM_RQ_2XX, STAT_COUNTER, "envoy_cluster_upstream_rq_xx", "envoy_response_code_class=\"2\"",
    "Responses by the first digit of their status.", "")
CLUSTER(UPSTREAM_RQ_3XX, STAT_COUNTER, "envoy_cluster_upstream_rq_xx", "envoy_response_code_class=\"3\"",
    "Responses by the first digit of their status.", "")
CLUSTER(UPSTREAM_RQ_4XX, STAT_COUNTER, "envoy_cluster_upstream_rq_xx", "envoy_response_code_class=\"4\"",
    "Responses by the first digit of their status.", "")
CLUSTER(UPSTREAM_RQ_5XX, STAT_COUNTER, "envoy_cluster_upstream_rq_xx", "envoy_response_code_class=\"5\"",
    "Responses by the first digit of their status.", "")
CLUSTER(UPSTREAM_RQ_PENDING_OVERFLOW, STAT_COUNTER, "envoy_cluster_upstream_rq_pending_overflow", NULL,
    "Requests refused because breaker.requests, breaker.pending or limits.upstream_pending was reached.",
    "The service is too slow for what is asked of it.")
CLUSTER(UPSTREAM_RQ_RETRY, STAT_COUNTER, "envoy_cluster_upstream_rq_retry", NULL,
    "Requests sent again on a fresh connection, none of their bytes having been taken.", "")
CLUSTER(UPSTREAM_RQ_RETRY_SUCCESS, STAT_COUNTER, "envoy_cluster_upstream_rq_retry_success", NULL,
    "Of those, answered.", "")
CLUSTER(UPSTREAM_RQ_RETRY_OVERFLOW, STAT_COUNTER, "envoy_cluster_upstream_rq_retry_overflow", NULL,
    "Times that nothing was tried again because breaker.retries, or the share breaker.retry_percent, was used up.",
    "Many endpoints fail at the same time: see zegressctl clusters.")
CLUSTER(UPSTREAM_RQ_TIMEOUT, STAT_COUNTER, "envoy_cluster_upstream_rq_timeout", NULL,
    "Requests that were given up because the service did not answer in time.", "")
CLUSTER(CB_CX_OPEN, STAT_GAUGE_MAX, "envoy_cluster_circuit_breakers_default_cx_open", NULL,
    "1 while breaker.connections, or limits.upstream_connections, is reached.", "")
CLUSTER(CB_RQ_OPEN, STAT_GAUGE_MAX, "envoy_cluster_circuit_breakers_default_rq_open", NULL,
    "1 while breaker.requests is reached.", "")
CLUSTER(CB_RQ_PENDING_OPEN, STAT_GAUGE_MAX, "envoy_cluster_circuit_breakers_default_rq_pending_open", NULL,
    "1 while breaker.pending, or limits.upstream_pending, is reached.", "")
CLUSTER(CB_RQ_RETRY_OPEN, STAT_GAUGE_MAX, "envoy_cluster_circuit_breakers_default_rq_retry_open", NULL,
    "1 while breaker.retries is reached.", "")
CLUSTER(CB_REMAINING_CX, STAT_GAUGE_MAX, "envoy_cluster_circuit_breakers_default_remaining_cx", NULL,
    "Connections left below breaker.connections; 0 without it.", "")
CLUSTER(CB_REMAINING_PENDING, STAT_GAUGE_MAX, "envoy_cluster_circuit_breakers_default_remaining_pending", NULL,
    "Requests that may still wait below breaker.pending; 0 without it.", "")
CLUSTER(CB_REMAINING_RQ, STAT_GAUGE_MAX, "envoy_cluster_circuit_breakers_default_remaining_rq", NULL,
    "Requests left below breaker.requests; 0 without it.", "")
CLUSTER(CB_REMAINING_RETRIES, STAT_GAUGE_MAX, "envoy_cluster_circuit_breakers_default_remaining_retries", NULL,
    "Retries left below breaker.retries; 0 without it.", "")
CLUSTER(MEMBERSHIP_HEALTHY, STAT_GAUGE_MAX, "envoy_cluster_membership_healthy", NULL,
    "Endpoints that are not left out and have no failed connect in the last 10 s.",
    "0: no endpoint can be reached.")
CLUSTER(MEMBERSHIP_TOTAL, STAT_GAUGE_MAX, "envoy_cluster_membership_total", NULL,
    "Endpoints.", "")
CLUSTER(OUTLIER_ACTIVE, STAT_GAUGE_MAX, "envoy_cluster_outlier_detection_ejections_active", NULL,
    "Endpoints that are left out at present because of what they answered.",
    "`zegressctl clusters` names them.")
CLUSTER(OUTLIER_EJECTIONS, STAT_COUNTER, "envoy_cluster_outlier_detection_ejections_enforced_total", NULL,
    "Times that an endpoint was left out.", "The daemon's log names endpoint and cause.")
CLUSTER(OUTLIER_OVERFLOW, STAT_COUNTER, "envoy_cluster_outlier_detection_ejections_overflow", NULL,
    "Times that an endpoint stayed only because of outlier.max_ejection_percent.", "")
CLUSTER(OUTLIER_5XX, STAT_COUNTER, "envoy_cluster_outlier_detection_ejections_enforced_consecutive_5xx", NULL,
    "Times that an endpoint was left out by outlier.consecutive_5xx.", "")
CLUSTER(OUTLIER_GATEWAY, STAT_COUNTER, "envoy_cluster_outlier_detection_ejections_enforced_consecutive_gateway_failure", NULL,
    "Times that an endpoint was left out by outlier.consecutive_gateway_failure.", "")
CLUSTER(OUTLIER_LOCAL, STAT_COUNTER, "envoy_cluster_outlier_detection_ejections_enforced_consecutive_local_origin_failure", NULL,
    "Times that an endpoint was left out by outlier.consecutive_local_origin_failure.", "")
CLUSTER(OUTLIER_SUCCESS_RATE, STAT_COUNTER, "envoy_cluster_outlier_detection_ejections_enforced_success_rate", NULL,
    "Times that an endpoint was left out by outlier.success_rate_stdev_factor.", "")
CLUSTER(OUTLIER_FAILURE_PERCENT, STAT_COUNTER, "envoy_cluster_outlier_detection_ejections_enforced_failure_percentage", NULL,
    "Times that an endpoint was left out by outlier.failure_percentage_threshold.", "")
CLUSTER(HEALTH_ATTEMPT, STAT_COUNTER, "envoy_cluster_health_check_attempt", NULL,
    "Active checks of endpoints.", "")
CLUSTER(HEALTH_SUCCESS, STAT_COUNTER, "envoy_cluster_health_check_success", NULL,
    "Of those, good ones.", "")
CLUSTER(HEALTH_FAILURE, STAT_COUNTER, "envoy_cluster_health_check_failure", NULL,
    "Of those, bad ones.", "`zegressctl clusters` says what was wrong with the last one.")
CLUSTER(UPDATE_SUCCESS, STAT_COUNTER, "envoy_cluster_update_success", NULL,
    "Reloads that changed the service.", "")
CLUSTER(UPDATE_REJECTED, STAT_COUNTER, "envoy_cluster_update_rejected", NULL,
    "Always 0: what is refused is counted in zegress_resources_refused.", "")
CLUSTER(RBAC_ALLOWED, STAT_COUNTER, "zegress_service_allowed", NULL,
    "Connections or requests that a rule allowed.", "")
CLUSTER(RBAC_DENIED, STAT_COUNTER, "zegress_service_denied", NULL,
    "Connections or requests refused by permission.",
    "The access log names caller and rule.")
CLUSTER(SHADOW_DENIED, STAT_COUNTER, "zegress_service_shadow_denied", NULL,
    "Connections or requests that a rule of AllowWithShadowDeny allowed; they are among those allowed.",
    "The access log names caller and rule (shadow_denied).")
CLUSTER(WOULD_DENY, STAT_COUNTER, "zegress_service_would_deny", NULL,
    "Connections or requests that went on although permission refuses them, because of report mode; they are not among those allowed.",
    "The access log names caller and rule (would_deny). 0 for long enough: report mode can be ended.")
CLUSTER(RATE_ENABLED, STAT_COUNTER, "envoy_http_local_rate_limit_enabled", "envoy_local_http_ratelimit_prefix=\"rate_limit\"",
    "Requests that a RateLimit or MeshRateLimit was asked about.", "")
CLUSTER(RATE_OK, STAT_COUNTER, "envoy_http_local_rate_limit_ok", "envoy_local_http_ratelimit_prefix=\"rate_limit\"",
    "Of those, requests within the limit.", "")
CLUSTER(RATE_LIMITED, STAT_COUNTER, "envoy_http_local_rate_limit_rate_limited", "envoy_local_http_ratelimit_prefix=\"rate_limit\"",
    "Of those, requests over the limit.",
    "The access log names caller and rule.")
CLUSTER(RATE_ENFORCED, STAT_COUNTER, "envoy_http_local_rate_limit_enforced", "envoy_local_http_ratelimit_prefix=\"rate_limit\"",
    "Requests that were refused because of it.", "")
CLUSTER(CX_RATE_LIMITED, STAT_COUNTER, "envoy_local_rate_limit_rate_limited", "envoy_local_ratelimit_prefix=\"tcp_rate_limit\"",
    "Connections closed because a MeshRateLimit allows no more new ones.",
    "The access log names caller and rule.")
CLUSTER(FAULT_ABORTS, STAT_COUNTER, "envoy_http_fault_aborts_injected", NULL,
    "Requests that a FaultInjection or MeshFaultInjection aborted.",
    "The access log names caller and rule.")
CLUSTER(FAULT_DELAYS, STAT_COUNTER, "envoy_http_fault_delays_injected", NULL,
    "Requests that one delayed.", "As above.")
CLUSTER(FAULT_PACED, STAT_COUNTER, "envoy_http_fault_response_rl_injected", NULL,
    "Requests whose answer one gives a bandwidth.", "As above.")
CLUSTER(CALLER_LIMITED_CONNECTIONS, STAT_COUNTER, "zegress_service_caller_limited", "limit=\"connections\"",
    "Connections and requests refused or cut because their caller reached a limit of caller_limits.",
    "`zegressctl callers` shows who; the access log names them, too.")
CLUSTER(CALLER_LIMITED_REQUESTS, STAT_COUNTER, "zegress_service_caller_limited", "limit=\"requests\"",
    "Connections and requests refused or cut because their caller reached a limit of caller_limits.",
    "`zegressctl callers` shows who; the access log names them, too.")
CLUSTER(CALLER_LIMITED_RATE, STAT_COUNTER, "zegress_service_caller_limited", "limit=\"requests_per_s\"",
    "Connections and requests refused or cut because their caller reached a limit of caller_limits.",
    "`zegressctl callers` shows who; the access log names them, too.")
CLUSTER(CALLER_LIMITED_BYTES, STAT_COUNTER, "zegress_service_caller_limited", "limit=\"mib_per_day\"",
    "Connections and requests refused or cut because their caller reached a limit of caller_limits.",
    "`zegressctl callers` shows who; the access log names them, too.")
CLUSTER(WILDCARD_NAMES, STAT_GAUGE, "zegress_wildcard_names", NULL,
    "Names of the service's wildcard that workers know at present.",
    "`zegressctl clusters` lists them.")
CLUSTER(WILDCARD_EVICTED, STAT_COUNTER, "zegress_wildcard_evicted", NULL,
    "Names of the service's wildcard that made room for others.",
    "Rising steadily: more names are in use than wildcard_names; raise it in `services`.")
CLUSTER(WILDCARD_REFUSED, STAT_COUNTER, "zegress_wildcard_refused", NULL,
    "Requests or connections that asked for no name, or for one that the service's wildcard is not for.",
    "The access log has what was asked for.")
CLUSTER(WILDCARD_OVERFLOW, STAT_COUNTER, "zegress_wildcard_overflow", NULL,
    "Requests or connections refused because wildcard_names names were in use.",
    "Raise wildcard_names in `services`.")

OUTCOME(ENDED, STAT_COUNTER, "zegress_ended_total", NULL,
    "Connections and requests by how they ended; zegressd(8) lists the outcomes.",
    "The access log has a line for each, with the detail.")

RESOLVER(RESOLVER_QUERIES, STAT_COUNTER, "zegress_resolver_queries", NULL,
    "Queries sent to a name server.", "")
RESOLVER(RESOLVER_ANSWERS, STAT_COUNTER, "zegress_resolver_answers", NULL,
    "Its answers that were of use, \"no such name\" included.", "")
RESOLVER(RESOLVER_FAILURES, STAT_COUNTER, "zegress_resolver_failures", NULL,
    "Its answers that were not: SERVFAIL, REFUSED, malformed, or about another name.",
    "`zegressctl dns` shows for which names; the next server was asked.")
RESOLVER(RESOLVER_TIMEOUTS, STAT_COUNTER, "zegress_resolver_timeouts", NULL,
    "Queries that it did not answer in dns.timeout_ms, or refused to take.",
    "It stands behind the others for a while; see whether it can be reached.")

EXPIRY(NOT_AFTER, STAT_GAUGE, "zegress_not_after_seconds", NULL,
    "When a certificate or CA ends, seconds since 1970, by kind and name: identity and mesh_ca (mesh), ca and client_certificate (digest, as in `zegressctl services -v`), server_chain (service, as its servers have shown).",
    "The log warns in time (expiry_warning_days), `zegressctl status` names what is near.")

NAMED(NAME_CX_TOTAL, STAT_COUNTER, "zegress_wildcard_name_cx_total", NULL,
    "Connections opened to a name of a wildcard service, while the name is known.", "")
NAMED(NAME_CX_FAIL, STAT_COUNTER, "zegress_wildcard_name_cx_fail", NULL,
    "Attempts to connect to that name that failed (name, address, TCP or TLS).",
    "The access log's outcome and detail say why.")
NAMED(NAME_USES, STAT_COUNTER, "zegress_wildcard_name_uses", NULL,
    "Requests or connections that asked for that name.", "")

RULE(RULE_ALLOWED, STAT_COUNTER, "zegress_rule_allowed", NULL,
    "Connections or requests that this rule allowed, as file:line Kind/name. The first 16 rules of a service are told apart, the rest is rule=\"other\"; a service has at most 18 values of the label.", "")
RULE(RULE_DENIED, STAT_COUNTER, "zegress_rule_denied", NULL,
    "Connections or requests that this rule refused, or \"no rule matches\".",
    "`zegressctl explain CALLER SERVICE` shows how a decision comes about.")
RULE(RULE_WOULD_DENY, STAT_COUNTER, "zegress_rule_would_deny", NULL,
    "Connections or requests that this rule, or \"no rule matches\", would have refused, were it not for report mode.", "")
RULE(RULE_REVOKED, STAT_COUNTER, "zegress_rule_revoked", NULL,
    "Connections and requests ended by a reload, by the rule that refuses them now (on_revoke); not those of services that are gone.", "")

#undef SERVER
#undef LISTENER
#undef CLUSTER
#undef OUTCOME
#undef RESOLVER
#undef EXPIRY
#undef NAMED
#undef RULE
/* clang-format on */
