/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/*
 * How connections and requests end, one row each; no guard: define OUTCOME,
 * include; undefined again.  Columns: id, word in logs and metrics (of RFC
 * 9209, section 2.3, where that has one), HTTP status and body of the local
 * reply (0: none), what it means and what to do.
 */

/* In order. */
OUTCOME(OK, "ok", 0, "", "Both sides ended in order.")
OUTCOME(IDLE, "idle", 0, "", "Nothing was sent for limits.idle_ms; closed.")
OUTCOME(DRAINED, "drained", 0, "", "The daemon was told to stop, and the drain time was over.")

/* Before anyone has proved who they are. */
OUTCOME(NO_BYTES, "no_bytes", 0, "", "The caller connected and sent nothing for limits.hello_ms.")
OUTCOME(HELLO_LATE, "hello_late", 0, "", "Half a ClientHello, and no more for limits.hello_ms; reset.")
OUTCOME(HELLO_BAD, "hello_bad", 0, "", "The ClientHello makes no sense; reset.")
OUTCOME(NOT_TLS, "not_tls", 0, "", "The caller speaks no TLS; reset. Only mesh callers may use the egress.")
OUTCOME(NO_SNI, "no_sni", 0, "", "The caller names no service; reset.")
OUTCOME(NO_SERVICE, "no_service", 0, "", "No service has this server name; reset. Compare with `zegressctl services`.")
OUTCOME(NO_IDENTITY, "no_identity", 0, "", "The egress has no certificate for the mesh; reset. See `identity`, or add the mesh CA's key.")
OUTCOME(NO_ZONE_INGRESS, "no_zone_ingress", 0, "", "The service belongs to a zone of which no ZoneIngress is known; closed.")
OUTCOME(NOT_ZONED, "not_zoned", 0, "", "A caller of another zone asked for a service that is not tagged with this zone; closed.")
OUTCOME(THIRD_ZONE, "third_zone", 0, "", "A caller of another zone asked for a service of yet another one; closed.")
OUTCOME(SOURCE_LIMIT, "source_limit", 0, "", "Too many relays or dials of one source address (limits.source_relays, limits.source_dials); closed.")
OUTCOME(CONNECTION_LIMIT, "connection_limit_reached", 0, "", "limits.connections is reached; closed.")

/* The handshake with the caller. */
OUTCOME(TLS_LATE, "tls_late", 0, "", "The handshake was not done in limits.tls_ms; reset.")
OUTCOME(TLS_NO_CERT, "tls_no_certificate", 0, "", "The caller showed no certificate.")
OUTCOME(TLS_CALLER_CHAIN, "tls_caller_untrusted", 0, "", "The caller's certificate does not chain to the mesh's CA.")
OUTCOME(TLS_CALLER_EXPIRED, "tls_caller_expired", 0, "", "The caller's certificate has expired, or is not valid yet.")
OUTCOME(TLS_CALLER_SAN, "tls_caller_name", 0, "", "The caller's certificate has no spiffe:// name of the mesh.")
OUTCOME(TLS_CALLER_ERROR, "tls_caller_error", 0, "", "Another failure of the caller's handshake; the detail says which.")

/* Decisions. */
OUTCOME(DENIED, "denied", 403, "RBAC: access denied", "No rule allows the caller to use the service.")
OUTCOME(REVOKED, "revoked", 403, "RBAC: access denied", "A reload took the permission away: closed; a request whose answer had not begun is answered (on_revoke).")
OUTCOME(CERT_ENDED, "caller_expired", 0, "", "The caller's certificate ran out while the connection was open; closed at the next request.")
OUTCOME(NAME_MISSING, "name_missing", 0, "", "The service is a wildcard whose bytes are not looked at, and the caller's own TLS did not say in limits.hello_ms which name it wants; reset.")
OUTCOME(NAME_REFUSED, "name_refused", 421, "Misdirected Request", "The service is a wildcard, and not for the name or the port that was asked for; a connection is reset.")
OUTCOME(CONNECTION_RATE, "connection_rate_limited", 0, "", "More new connections to the service than MeshRateLimit allows; closed. The rule is in the access log.")
OUTCOME(RATE_LIMITED, "rate_limited", 429, "local_rate_limited", "More requests to the service than RateLimit or MeshRateLimit allows. The rule is in the access log.")
OUTCOME(FAULT, "fault_injected", 503, "fault filter abort", "FaultInjection or MeshFaultInjection aborts the request on purpose, with its own status. The rule is in the access log.")
OUTCOME(CALLER_CONNECTIONS, "caller_connection_limit", 0, "", "The caller has as many connections to the service as caller_limits.connections allows; closed.")
OUTCOME(CALLER_REQUESTS, "caller_request_limit", 429, "caller limit reached", "The caller has as many requests under way as caller_limits.requests allows.")
OUTCOME(CALLER_RATE, "caller_rate_limit", 429, "caller limit reached", "The caller asks more often than caller_limits.requests_per_s allows.")
OUTCOME(CALLER_BYTES, "caller_byte_limit", 429, "caller limit reached", "The caller has used up caller_limits.mib_per_day; what was under way was cut.")

/* Towards the external service. */
OUTCOME(NO_ENDPOINT, "destination_unavailable", 503, "no healthy upstream", "No endpoint is left that may be used.")
OUTCOME(NO_SUBSET, "no_endpoint_of_subset", 503, "no healthy upstream", "The server name has tags of a route (version=v1, say), and no endpoint of the service has them. Compare with the names in `zegressctl services -v`.")
OUTCOME(DNS_ERROR, "dns_error", 503, "no healthy upstream", "The endpoint's name does not resolve, or the resolver fails.")
OUTCOME(DNS_TIMEOUT, "dns_timeout", 503, "no healthy upstream", "No resolver answered in time.")
OUTCOME(IP_PROHIBITED, "destination_ip_prohibited", 503, "no healthy upstream", "The name leads to an address that the egress must not connect to (allow_addresses).")
OUTCOME(IP_UNROUTABLE, "destination_ip_unroutable", 503, "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure", "There is no route to the address.")
OUTCOME(CONNECT_REFUSED, "connection_refused", 503, "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure", "The server refuses the connection.")
OUTCOME(CONNECT_LATE, "connection_timeout", 503, "upstream connect error or disconnect/reset before headers. reset reason: connection timeout", "The server did not answer in limits.connect_ms (TCP and TLS).")
OUTCOME(UPSTREAM_TLS, "tls_protocol_error", 503, "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure", "The TLS handshake with the server failed; the detail says how.")
OUTCOME(UPSTREAM_CERT, "tls_certificate_error", 503, "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure", "The server's certificate is not accepted; the detail says what was expected and shown.")
OUTCOME(UPSTREAM_ALERT, "tls_alert_received", 503, "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure", "The server refused the handshake; a client certificate may be missing.")
OUTCOME(UPSTREAM_RENEGOTIATION, "tls_renegotiation", 503, "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure", "The server asked to renegotiate; allowRenegotiation is off, or its cap was reached.")
OUTCOME(UPSTREAM_LIMIT, "upstream_limit_reached", 503, "upstream connect error or disconnect/reset before headers. reset reason: overflow", "limits.upstream_connections or limits.upstream_pending is reached.")
OUTCOME(UPSTREAM_CLOSED, "connection_terminated", 503, "upstream connect error or disconnect/reset before headers. reset reason: connection termination", "The server closed the connection, or reset it.")
OUTCOME(UPSTREAM_RESET, "http_request_refused", 503, "upstream connect error or disconnect/reset before headers. reset reason: remote reset", "The server reset the request's stream before it answered; the detail has its code.")
OUTCOME(UPSTREAM_PROTOCOL, "http_protocol_error", 503, "upstream connect error or disconnect/reset before headers. reset reason: protocol error", "The server does not speak the service's version of HTTP: it chose another by ALPN, or answered in another. See http2_fallback in services.")
OUTCOME(PARENT_AUTH, "parent_proxy_auth", 503, "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure", "The parent proxy wants a user and password, or others than ours; see proxy_auth_file in services.")
OUTCOME(PARENT_DENIED, "parent_proxy_denied", 503, "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure", "The parent proxy does not let us go to the server; the detail has its answer.")
OUTCOME(PARENT_FAILED, "parent_proxy_error", 503, "upstream connect error or disconnect/reset before headers. reset reason: remote connection failure", "The parent proxy could not reach the server, closed, or does not speak what services.proxy says; the detail says which.")
OUTCOME(NO_FDS, "out_of_descriptors", 503, "no healthy upstream", "The process has no descriptor left; raise LimitNOFILE.")

/* While carrying. */
OUTCOME(CALLER_RESET, "caller_reset", 0, "", "The caller reset the connection, or the stream of its request.")
OUTCOME(CALLER_CUT, "caller_cut", 0, "", "The caller closed without TLS close_notify; its bytes were passed on.")
OUTCOME(UPSTREAM_CUT, "upstream_cut", 0, "", "The server closed without TLS close_notify; its bytes were passed on.")
OUTCOME(TLS_IN_TLS, "tls_in_tls", 0, "", "The caller speaks TLS into a service whose TLS the egress originates; let it speak plainly, or set tls.enabled to false.")
OUTCOME(HTTP2_BROKEN, "http2_protocol_error", 0, "", "The caller's connection of HTTP/2 broke RFC 9113; it ended with GOAWAY.")
OUTCOME(HTTP2_ABUSE, "http2_abuse", 0, "", "The caller did more of something than a limits.h2_ option allows; the connection ended with GOAWAY and ENHANCE_YOUR_CALM, the detail says which.")
OUTCOME(HTTP2_SILENT, "http2_ping_timeout", 0, "", "The caller did not answer a PING in limits.h2_ping_timeout_ms.")

/* HTTP requests. */
OUTCOME(REQUEST_BAD, "http_request_error", 400, "Bad Request", "The request breaks RFC 9112 or 9113.")
OUTCOME(REQUEST_NO_HOST, "http_request_no_host", 400, "", "The request has no Host.")
OUTCOME(REQUEST_VERSION, "http_request_version", 426, "Upgrade Required", "The request is not HTTP/1.1.")
OUTCOME(REQUEST_TOO_LARGE, "http_request_headers_too_large", 431, "Request Header Fields Too Large", "limits.head_bytes, limits.line_bytes or limits.headers is exceeded.")
OUTCOME(REQUEST_CODING, "http_request_coding", 501, "Not Implemented", "The request has a transfer coding other than chunked.")
OUTCOME(REQUEST_CONNECT, "http_request_connect", 404, "", "CONNECT is not offered.")
OUTCOME(REQUEST_BODY, "http_request_body_too_large", 413, "Payload Too Large", "The request's body is over limits.body_bytes.")
OUTCOME(REQUEST_UPGRADE, "http_request_upgrade", 403, "", "The service does not offer this upgrade; see upgrades in services.")
OUTCOME(UPGRADE_FAILED, "http_upgrade_failed", 502, "upstream sent an invalid response", "The server did not agree to the upgrade as it was asked, or cannot do it over its version of HTTP.")
OUTCOME(REQUEST_CUT, "http_request_incomplete", 0, "", "The caller ended in the middle of its request.")
OUTCOME(REQUEST_LATE, "http_request_timeout", 408, "", "The request's head was not complete in limits.head_ms.")
OUTCOME(RESPONSE_BAD, "http_response_error", 502, "upstream sent an invalid response", "The server's answer breaks RFC 9112 or 9113.")
OUTCOME(RESPONSE_LATE, "http_response_timeout", 504, "stream timeout", "The server took the request and did not answer for limits.stream_idle_ms.")
OUTCOME(REQUEST_LONG, "http_request_too_long", 504, "upstream request timeout", "The answer was not complete in the service's request_ms.")
OUTCOME(RESPONSE_CUT, "http_response_incomplete", 0, "", "The server ended in the middle of its answer; the caller's connection was cut too.")

/* Ours. */
OUTCOME(INTERNAL, "proxy_internal_error", 500, "", "A fault of the daemon; please report it with the log line.")

#undef OUTCOME
/* clang-format on */
