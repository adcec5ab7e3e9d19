/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HANDSHAKE: mutual TLS with the caller, as the mesh of the service it asked
 * for.  What comes out is an identity; what may go wrong is sorted here into
 * outcomes and counters.  A worker's thread.
 */

#include <stdio.h>

#include "conn/conn.h"

/* HTTP/2 is the better one of two that the caller can do. */
static enum tls_alpn
choose_alpn(const struct conn *c)
{
	if (!protocol_is_http(c->service->protocol))
		return TLS_ALPN_NONE;
	if (c->alpn_h2)
		return TLS_ALPN_H2;
	return c->alpn_http11 ? TLS_ALPN_HTTP11 : TLS_ALPN_NONE;
}

static enum next
begin(struct conn *c)
{
	struct tls_identities *ids = c->all->identities;
	const struct tls_mesh *mesh;

	mesh = tls_identities_find(ids, c->service->mesh);
	if (mesh == NULL)
		return conn_finish(c, OUT_NO_IDENTITY, NULL);
	c->alpn = choose_alpn(c);
	wire_tls_accept(c->client, ids, mesh, c->alpn, str_of(c->sni));
	return GO;
}

/* Outcome and counter of each failure; the text says the rest. */
static enum next
failed(struct conn *c)
{
	struct stats_set *stats = c->listener->stats;
	struct str why = wire_tls_failure_text(c->client);
	enum outcome o = OUT_TLS_CALLER_ERROR;
	unsigned stat = STAT_SSL_CONNECTION_ERROR;
	char text[512];

	switch (wire_tls_failure(c->client)) {
	case TLS_FAIL_NO_CERT:
		o = OUT_TLS_NO_CERT;
		stat = STAT_SSL_FAIL_VERIFY_NO_CERT;
		break;
	case TLS_FAIL_CHAIN:
	case TLS_FAIL_PURPOSE:
		o = OUT_TLS_CALLER_CHAIN;
		stat = STAT_SSL_FAIL_VERIFY_ERROR;
		break;
	case TLS_FAIL_EXPIRED:
		o = OUT_TLS_CALLER_EXPIRED;
		stat = STAT_SSL_FAIL_VERIFY_ERROR;
		break;
	case TLS_FAIL_NAME:
	case TLS_FAIL_SAN:
		o = OUT_TLS_CALLER_SAN;
		stat = STAT_SSL_FAIL_VERIFY_SAN;
		break;
	case TLS_FAIL_NONE:
	case TLS_FAIL_VERSION:
	case TLS_FAIL_NOT_TLS:
	case TLS_FAIL_ALERT:
	case TLS_FAIL_RENEGOTIATION:
	case TLS_FAIL_CLOSED:
	case TLS_FAIL_OTHER:
		break;
	}
	stat_inc(stats, stat);
	(void)snprintf(text, sizeof(text), "%.*s", STR_ARG(why));
	return conn_finish(c, o, text);
}

static void
succeeded(struct conn *c)
{
	struct tls_info info;

	wire_tls_info(c->client, &info);
	stat_inc(c->listener->stats, STAT_SSL_HANDSHAKE);
	if (info.is_resumed)
		stat_inc(c->listener->stats, STAT_SSL_SESSION_REUSED);
}

enum next
conn_handshake(struct conn *c)
{
	if (c->route == ROUTE_RELAY)
		return GO;
	if (!c->is_handshaking) {
		if (begin(c) == END)
			return END;
		c->is_handshaking = true;
	}
	switch (wire_tls_handshake(c->client)) {
	case IO_DONE:
		succeeded(c);
		return GO;
	case IO_AGAIN:
		return WAIT;
	case IO_EOF:
	case IO_CUT:
	case IO_FAIL:
		break;
	}
	return failed(c);
}
