/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/*
 * What the `services` section of zegressd.conf can say of a service, one row
 * each; no guard: define SERVICE_ROW, include, and it is undefined again.
 * Columns: id, type (STR, STRS, UINT, BOOL or ONE_OF), member of struct
 * service_options, name below services, default (of a list its words), unit or
 * the words of a ONE_OF, least, most, whom it is for (ANY service, or those
 * whose REQUESTS are looked at), what it does.  A least of 1 wants a text or a
 * list not to be empty.
 */

SERVICE_ROW(HOST, STR, host_text, "host", "endpoint", NULL, 1, 0, REQUESTS,
    "Host (:authority) of requests to the server: \"endpoint\" sends the name that is dialled (where an address is dialled, it stays), \"keep\" what the caller sent, anything else is the name to send, as \"api.example\" or \"api.example:8080\".")
SERVICE_ROW(HTTP2_FALLBACK, BOOL, http2_fallback, "http2_fallback", "false", NULL, 0, 0, REQUESTS,
    "A server of an http2 service may choose HTTP/1.1 by ALPN. Not for grpc.")
SERVICE_ROW(UPGRADES, STRS, upgrades, "upgrades", "websocket", NULL, 0, 0, REQUESTS,
    "Protocols that a request may upgrade to, by Upgrade in HTTP/1.1 or extended CONNECT in HTTP/2; the list replaces the default, an empty one refuses all.")
SERVICE_ROW(FORWARDED_FOR, ONE_OF, forwarded_for, "forwarded_for", "keep", "keep|append|remove", 0, 0, REQUESTS,
    "x-forwarded-for of requests: as the caller sent it, with the caller's address behind it, or none.")
SERVICE_ROW(FORWARD_CLIENT_CERT, BOOL, forwards_client_cert, "forward_client_cert", "false", NULL, 0, 0, REQUESTS,
    "Tell the server who calls, in an x-forwarded-client-cert of our own. The caller's is removed either way.")
SERVICE_ROW(VIA, STR, via, "via", "", NULL, 0, 0, REQUESTS,
    "Name for ourselves in Via of requests and answers; empty: no Via.")
SERVICE_ROW(SERVER, STR, server, "server", "", NULL, 0, 0, REQUESTS,
    "Server of answers; empty: as the server sent it.")
SERVICE_ROW(REQUEST_MS, UINT, request_ms, "request_ms", "0", "ms", 0, 86400000, REQUESTS,
    "Time from a request's head to the end of its answer; 0: no limit.")

#undef SERVICE_ROW
/* clang-format on */
