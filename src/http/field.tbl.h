/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off */
/* FIELD(id, lower-case name, flags): define FIELD, include; undefined again. */
#define FIELD_HOP 1 /* of one connection only */
#define FIELD_UNIQUE 2 /* of one message only */
FIELD(CONNECTION, "connection", FIELD_HOP)
FIELD(KEEP_ALIVE, "keep-alive", FIELD_HOP)
FIELD(PROXY_CONNECTION, "proxy-connection", FIELD_HOP)
FIELD(PROXY_AUTHENTICATE, "proxy-authenticate", 0)
FIELD(PROXY_AUTHORIZATION, "proxy-authorization", FIELD_HOP)
FIELD(TE, "te", FIELD_HOP)
FIELD(TRAILER, "trailer", 0)
FIELD(TRANSFER_ENCODING, "transfer-encoding", FIELD_HOP)
FIELD(UPGRADE, "upgrade", FIELD_HOP)
FIELD(CONTENT_LENGTH, "content-length", 0)
FIELD(HOST, "host", 0)
FIELD(EXPECT, "expect", 0)
FIELD(VIA, "via", 0)
FIELD(SERVER, "server", 0)
FIELD(X_FORWARDED_FOR, "x-forwarded-for", 0)
FIELD(X_FORWARDED_PROTO, "x-forwarded-proto", 0)
FIELD(X_FORWARDED_CLIENT_CERT, "x-forwarded-client-cert", 0)
FIELD(X_REQUEST_ID, "x-request-id", FIELD_UNIQUE)
FIELD(X_KUMA_TAGS, "x-kuma-tags", 0)
FIELD(WWW_AUTHENTICATE, "www-authenticate", 0)
FIELD(GRPC_STATUS, "grpc-status", 0)
FIELD(CONTENT_TYPE, "content-type", 0)
#undef FIELD
/* clang-format on */
