/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What connections and requests leave in the worker's table of uses: at their
 * end, and meanwhile as well, whenever the daemon asks: some last for days.
 * A worker's thread.
 */

#include <stdio.h>

#include "base/clock.h"
#include "conn/exchange.h"
#include "conn/front.h"
#include "conn/uses.h"

/* Connections and requests that are looked at in one turn of the loop. */
#define SLICE 256

static void
add(struct conn *c, const struct service *s, struct str rule, struct str host,
    const uint64_t n[USE_COUNTS])
{
	struct uses *uses = c->all->env.uses;
	struct text text = TEXT_EMPTY;
	int64_t now_s = clock_wall_s();
	struct use_name name = {
		.kind = USE_OF_SERVICE,
		.service = s->key,
		.identity = wire_tls_identity(c->client)->spiffe,
		.host = host,
	};

	uses_add(uses, &name, now_s, now_s, n);
	if (rule.len == 0)
		return;
	use_rule_name(rule, &text);
	name = (struct use_name){
		.kind = USE_OF_RULE,
		.identity = text_str(&text),
	};
	uses_add(uses, &name, now_s, now_s, n);
	text_free(&text);
}

static bool
is_noted(const struct conn *c)
{
	return c->all->env.uses != NULL && c->service != NULL &&
	       c->route == ROUTE_SERVE && c->stage > HANDSHAKE &&
	       wire_tls_identity(c->client) != NULL;
}

/* Of the requests each says its own; this is how they came. */
static void
note_front(struct conn *c)
{
	const uint64_t n[USE_COUNTS] = { [USE_CONNECTIONS] = 1 };

	if (c->front == NULL || c->front->requests == 0 || c->used.is_told)
		return;
	c->used.is_told = true;
	add(c, c->service, STR_NONE, STR_NONE, n);
}

/* What is new since the last time. */
static void
note_bytes(struct conn *c)
{
	const uint64_t n[USE_COUNTS] = {
		[USE_CONNECTIONS] = !c->used.is_told,
		[USE_BYTES_IN] = c->relay.bytes_up - c->used.bytes_in,
		[USE_BYTES_OUT] = c->relay.bytes_down - c->used.bytes_out,
		[USE_WOULD_DENY] = c->would_rule != NULL && !c->used.is_told,
	};

	if (c->used.is_told && n[USE_BYTES_IN] + n[USE_BYTES_OUT] == 0)
		return;
	c->used.is_told = true;
	c->used.bytes_in = c->relay.bytes_up;
	c->used.bytes_out = c->relay.bytes_down;
	add(c, c->service, str_of(c->rule), str_of(c->server.endpoint), n);
}

void
conn_note_use(struct conn *c)
{
	const uint64_t denied[USE_COUNTS] = { [USE_DENIED] = 1 };

	if (!is_noted(c))
		return;
	if (conn_asks_by_request(c))
		note_front(c);
	else if (c->outcome == OUT_DENIED)
		add(c, c->service, str_of(c->rule), STR_NONE, denied);
	else if (c->rule != NULL)
		note_bytes(c);
}

static void
note_request(struct exchange *x)
{
	const bool is_denied = x->outcome == OUT_DENIED;
	const uint64_t in = is_denied ? 0 : x->front->bytes_in;
	const uint64_t out = is_denied ? 0 : x->front->bytes_out;
	const bool is_first = !x->used.is_told;
	const uint64_t n[USE_COUNTS] = {
		[USE_REQUESTS] = !is_denied && is_first,
		[USE_BYTES_IN] = is_denied ? 0 : in - x->used.bytes_in,
		[USE_BYTES_OUT] = is_denied ? 0 : out - x->used.bytes_out,
		[USE_DENIED] = is_denied,
		[USE_WOULD_DENY] = x->verdict.is_reported && is_first,
	};
	const struct endpoint *e = x->is_leased ? x->lease.endpoint : NULL;
	struct str host = STR_NONE;
	char room[320];

	if (!is_denied && !is_first && n[USE_BYTES_IN] + n[USE_BYTES_OUT] == 0)
		return;
	if (e != NULL) {
		(void)snprintf(room, sizeof(room), "%.*s:%u", STR_ARG(e->host),
		    (unsigned)e->port);
		host = endpoint_is_unix(e) ? e->host : str_of(room);
	}
	x->used.is_told = true;
	x->used.bytes_in = in;
	x->used.bytes_out = out;
	add(x->conn, x->service, x->verdict.rule, host, n);
}

void
exchange_note_use(struct exchange *x)
{
	bool is_denied = x->outcome == OUT_DENIED;

	if (is_noted(x->conn) && x->service != NULL &&
	    (is_denied || x->verdict.is_allowed))
		note_request(x);
}

void
exchange_note_use_so_far(struct exchange *x)
{
	if (x->is_leased && x->lease.endpoint != NULL && x->outcome == OUT_OK &&
	    x->verdict.is_allowed)
		note_request(x);
}

/* How much there was to look at. */
static unsigned
note_so_far(struct conn *c)
{
	if (!is_noted(c))
		return 1;
	if (!conn_asks_by_request(c)) {
		if (c->relay.client != NULL)
			note_bytes(c);
		return 1;
	}
	if (c->front == NULL)
		return 1;
	note_front(c);
	c->front->ops->note_uses(c->front);
	return 1 + c->front->open;
}

/* The cursor moves on by itself when the connection it is at ends. */
static void
note_slice(void *arg)
{
	struct conns *cs = arg;
	struct conn *c;
	unsigned n = 0;

	while (n < SLICE && cs->note_next != NULL) {
		c = cs->note_next;
		cs->note_next = TAILQ_NEXT(c, link);
		n += note_so_far(c);
	}
	cs->is_noting = cs->note_next != NULL;
	if (cs->is_noting)
		loop_post(cs->env.loop, note_slice, cs);
}

void
conns_note_uses(struct conns *cs)
{
	cs->note_next = TAILQ_FIRST(&cs->list);
	if (!cs->is_noting)
		note_slice(cs);
}
