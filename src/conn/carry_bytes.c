/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CARRY for bytes: what a relay (relay.c) moves is counted, its ends become
 * outcomes, and a caller that speaks TLS into the TLS that we originate is
 * recognised.  A worker's thread.
 */

#include <stdio.h>

#include "base/clock.h"
#include "conn/conn.h"

/* The caller's TLS inside the TLS that we originate: nearly always a mistake.
 */
static void
look_inside(struct conn *c)
{
	struct span s;

	if (c->saw_bytes || wire_read(c->client, &s) != IO_DONE)
		return;
	c->saw_bytes = true;
	c->speaks_tls =
	    hello_looks_like_tls((struct str){ (char *)s.p, s.len });
	wire_keep(c->client, (struct str){ (char *)s.p, s.len });
}

static void
begin_relay(struct conn *c)
{
	struct stats_set *stats = cluster_stats(c->server.cluster);

	relay_init(&c->relay, c->client, c->server.wire);
	c->saw_bytes = false;
	stat_inc(stats, STAT_UPSTREAM_RQ_TOTAL);
	stat_inc(stats, STAT_UPSTREAM_RQ_ACTIVE);
}

/* False: too many for the caller's day. */
static bool
count_bytes(struct conn *c, uint64_t up, uint64_t down)
{
	struct stats_set *stats = cluster_stats(c->server.cluster);

	stat_add(stats, STAT_UPSTREAM_CX_TX_BYTES, c->relay.bytes_up - up);
	stat_add(stats, STAT_UPSTREAM_CX_RX_BYTES, c->relay.bytes_down - down);
	if (c->first_byte_us == 0 && c->relay.bytes_down > 0)
		c->first_byte_us = clock_us();
	return conn_moves(
	    c, c->relay.bytes_up - up + c->relay.bytes_down - down);
}

static enum next
too_many_bytes(struct conn *c)
{
	char why[192];
	enum outcome o = conn_limited(c, CALLER_BYTES, why, sizeof(why));

	return conn_finish(c, o, why);
}

static enum next
relay_ended(struct conn *c)
{
	if (c->speaks_tls)
		return conn_finish(c, OUT_TLS_IN_TLS, NULL);
	if (c->relay.server_was_cut)
		return conn_finish(c, OUT_UPSTREAM_CUT, NULL);
	if (c->relay.client_was_cut)
		return conn_finish(c, OUT_CALLER_CUT, NULL);
	return conn_finish(c, OUT_OK, NULL);
}

static enum next
server_failed(struct conn *c)
{
	const struct wire *w = c->server.wire;
	char text[512] = "";

	if (c->speaks_tls)
		return conn_finish(c, OUT_TLS_IN_TLS, NULL);
	if (!c->server.has_tls)
		return conn_finish(c, OUT_UPSTREAM_CLOSED, NULL);
	(void)snprintf(
	    text, sizeof(text), "%.*s", STR_ARG(wire_tls_failure_text(w)));
	return conn_finish(c,
	    wire_tls_failure(w) == TLS_FAIL_NONE
		? OUT_UPSTREAM_CLOSED
		: outcome_of_tls(wire_tls_failure(w)),
	    text);
}

enum next
conn_carry_bytes(struct conn *c)
{
	uint64_t up, down;

	if (c->relay.client == NULL)
		begin_relay(c);
	if (c->server.has_tls)
		look_inside(c);
	up = c->relay.bytes_up;
	down = c->relay.bytes_down;
	switch (relay_run(&c->relay)) {
	case RELAY_GOES_ON:
		break;
	case RELAY_DONE:
		(void)count_bytes(c, up, down);
		return relay_ended(c);
	case RELAY_CLIENT_FAIL:
		(void)count_bytes(c, up, down);
		return conn_finish(c, OUT_CALLER_RESET, NULL);
	case RELAY_SERVER_FAIL:
		(void)count_bytes(c, up, down);
		return server_failed(c);
	}
	if (up != c->relay.bytes_up || down != c->relay.bytes_down) {
		if (!count_bytes(c, up, down))
			return too_many_bytes(c);
		timer_set(&c->deadline, conn_idle_ms(c, c->service));
	}
	return WAIT;
}
