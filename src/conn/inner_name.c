/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ASK_NAME, for services that stand for all names under a suffix and whose
 * bytes are not looked at: the ClientHello of the caller's own TLS, inside of
 * the mesh's, has the name.  It is read and kept, and goes to that server
 * untouched.  A worker's thread.
 */

#include <stdlib.h>

#include "conn/conn.h"

static enum next
read_inner_hello(struct conn *c, struct str bytes)
{
	struct hello hello;

	switch (hello_parse(bytes, &hello)) {
	case HELLO_OK:
		break;
	case HELLO_MORE:
		return WAIT;
	case HELLO_NOT_TLS:
		return conn_finish(c, OUT_NAME_MISSING, "no TLS inside");
	case HELLO_BAD:
		return conn_finish(c, OUT_NAME_MISSING,
		    "the ClientHello inside makes no sense");
	}
	if (hello.sni_len == 0)
		return conn_finish(c, OUT_NAME_MISSING,
		    "the ClientHello inside has no server name");
	free(c->inner_sni);
	c->inner_sni = str_dup((struct str){ hello.sni, hello.sni_len });
	return GO;
}

/*
 * A service that stands for many names, and whose bytes are not looked at: the
 * caller's own TLS says which one it wants, and goes there as it is.
 */
enum next
conn_ask_name(struct conn *c)
{
	struct span span;
	struct str bytes;

	if (c->route == ROUTE_RELAY || conn_asks_by_request(c) ||
	    c->service->options->wildcard.len == 0)
		return GO;
	switch (wire_read(c->client, &span)) {
	case IO_DONE:
		break;
	case IO_AGAIN:
		return WAIT;
	case IO_EOF:
	case IO_CUT:
		return conn_finish(c, OUT_NAME_MISSING, "nothing came");
	case IO_FAIL:
		return conn_finish(c, OUT_CALLER_RESET, NULL);
	}
	bytes = (struct str){ .p = (const void *)span.p, .len = span.len };
	wire_keep(c->client, bytes);
	return read_inner_hello(c, bytes);
}

/* The newest wildcard decides, as it does about requests. */
enum next
conn_choose_name(struct conn *c)
{
	struct conn_server *s = &c->server;
	const char *why;

	if (c->route == ROUTE_RELAY)
		return GO;
	switch (upstream_name_get(
	    s->cluster, NAME_SNI, str_of(c->inner_sni), &s->name, &why)) {
	case NAME_GIVEN:
		break;
	case NAME_REFUSED:
		return conn_finish(c, OUT_NAME_REFUSED, why);
	case NAME_FULL:
		return conn_finish(c, OUT_UPSTREAM_LIMIT, why);
	}
	return GO;
}
