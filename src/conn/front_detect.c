/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which version of HTTP a caller speaks.  What TLS agreed on holds; a caller
 * that offered nothing, as sidecars do, is known by the connection preface of
 * HTTP/2 (RFC 9113, section 3.4).  Nothing is consumed here.  A worker's
 * thread.
 */

#include "conn/front.h"

static const struct str preface = STR("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

const char *
front_version_name(enum http_version v)
{
	switch (v) {
	case HTTP_1_1:
		return "1.1";
	case HTTP_2:
		break;
	}
	return "2";
}

static enum next
take_h1(struct conn *c, struct front **out)
{
	*out = h1_front_new(c);
	return GO;
}

static enum next
take_h2(struct conn *c, struct front **out)
{
	*out = h2_front_new(c);
	return GO;
}

/* Silence has its time, and so has a preface that was begun. */
static enum next
wait_for_more(struct conn *c, bool has_begun)
{
	const struct conn_limits *lim = c->all->env.limits;

	if (c->is_detecting && c->saw_bytes == has_begun)
		return WAIT;
	c->is_detecting = true;
	c->saw_bytes = has_begun;
	timer_set(&c->deadline, has_begun ? lim->head_ms : lim->http_idle_ms);
	return WAIT;
}

/* bytes: all that came. */
static enum next
judge(struct conn *c, struct str bytes, struct front **out)
{
	if (str_starts(bytes, preface))
		return take_h2(c, out);
	if (str_starts(preface, bytes))
		return wait_for_more(c, true);
	return take_h1(c, out);
}

enum next
front_detect(struct conn *c, struct front **out)
{
	struct str bytes;
	struct span span;

	switch (c->alpn) {
	case TLS_ALPN_H2:
		return take_h2(c, out);
	case TLS_ALPN_HTTP11:
		return take_h1(c, out);
	case TLS_ALPN_NONE:
		break;
	}
	switch (wire_read(c->client, &span)) {
	case IO_DONE:
		break;
	case IO_AGAIN:
		return wait_for_more(c, false);
	case IO_EOF:
	case IO_CUT:
		return conn_finish(c,
		    c->saw_bytes && c->is_detecting ? OUT_REQUEST_CUT : OUT_OK,
		    NULL);
	case IO_FAIL:
		return conn_finish(c, OUT_CALLER_RESET, NULL);
	}
	bytes = (struct str){ .p = (const void *)span.p, .len = span.len };
	wire_keep(c->client, bytes);
	return judge(c, bytes, out);
}
