/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a caller is, for servers that want to be told by a PROXY header: made
 * when the first one does, and the same for all requests of the connection.
 */

#include "conn/conn.h"
#include "upstream/proxy_protocol.h"

static struct proxy_header *
make(struct conn *c)
{
	const struct identity *id = wire_tls_identity(c->client);
	struct proxy_facts f = {
		.from = c->from,
		.sni = str_of(c->sni),
		.spiffe = id != NULL ? id->spiffe : STR_NONE,
	};
	struct tls_info tls;

	if (!wire_local(c->client, &f.to))
		f.to.len = 0;
	wire_tls_info(c->client, &tls);
	f.tls_version = tls.version;
	return proxy_header_new(&f);
}

struct proxy_header *
conn_proxy_header(struct conn *c, const struct service *s)
{
	if (c->route != ROUTE_SERVE ||
	    s->options->proxy_protocol == PROXY_PROTOCOL_OFF)
		return NULL;
	if (c->proxy_header == NULL)
		c->proxy_header = make(c);
	return c->proxy_header;
}
