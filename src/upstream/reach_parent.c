/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Steps of a reach between the open connection and TLS: what is said to a
 * parent proxy, until what follows is the server's, and to a server that wants
 * to know who calls.
 */

#include <errno.h>
#include <string.h>

#include "upstream/proxy_protocol.h"
#include "upstream/reach_state.h"

/* In one piece, so that no copy of a password stays behind. */
#define SAID_MOST 2048

/* Relays go to our own zones, whatever the way to the outside is. */
bool
reach_has_parent(const struct reach *r)
{
	return r->outward->parent.kind != PARENT_NONE && !r->want.is_relay &&
	       reach_unix_path(r).p == NULL;
}

static const struct addr_rules *
rules_of(const struct reach *r)
{
	return r->want.name != NULL ? &r->outward->named_rules
				    : &r->outward->rules;
}

struct reach_place
reach_place(const struct reach *r)
{
	const struct endpoint *e = r->at->endpoint;
	const struct parent *p = &r->outward->parent;

	if (r->step == TARGET || !reach_has_parent(r))
		return (struct reach_place){
			.host = e->host,
			.port = e->port,
			.is_address = e->host_is_address,
			.is_endpoint = true,
			.rules = rules_of(r),
			.turn = &r->at->turn,
		};
	return (struct reach_place){
		.host = p->host,
		.port = p->port,
		.is_address = p->host_is_address,
		.rules = &r->outward->rules,
		.turn = &r->outward->parent_turn,
	};
}

bool
reach_next_target(struct reach *r)
{
	struct answers *left = &r->targets;

	if (left->n == 0)
		return false;
	r->target_addr = left->v[0];
	addr_print_host(&left->v[0], r->target_text);
	r->target = str_of(r->target_text);
	r->target_port = addr_port(&left->v[0]);
	left->n--;
	memmove(left->v, left->v + 1, left->n * sizeof(*left->v));
	return true;
}

static enum next
fail(struct reach *r, enum reach_status s, enum further further,
    const char *what)
{
	const struct parent *p = &r->outward->parent;
	const struct endpoint *e = r->at->endpoint;

	return reach_fail(r, s, further,
	    "%.*s: parent proxy %.*s:%u, asked for %.*s:%u: %s",
	    STR_ARG(e->key), STR_ARG(p->host), (unsigned)p->port,
	    STR_ARG(r->target), (unsigned)r->target_port, what);
}

/* Another address or endpoint may be there; credentials stay the same. */
static enum next
fail_talk(struct reach *r)
{
	const char *why = r->talk.why;

	switch (r->talk.failure) {
	case PARENT_AUTH:
		return fail(r, REACH_PARENT_AUTH, NO_FURTHER, why);
	case PARENT_DENIED:
		return fail(r, REACH_PARENT_DENIED, NEXT_ENDPOINT, why);
	case PARENT_BROKEN:
		return fail(r, REACH_PARENT_FAILED, NEXT_ADDRESS, why);
	case PARENT_REFUSED:
		return fail(r, REACH_REFUSED, NEXT_TARGET, why);
	case PARENT_UNREACHABLE:
		return fail(r, REACH_UNREACHABLE, NEXT_TARGET, why);
	case PARENT_LATE:
		return fail(r, REACH_LATE, NEXT_TARGET, why);
	case PARENT_OTHER:
		break;
	}
	return fail(r, REACH_PARENT_FAILED, NEXT_TARGET, why);
}

static enum next
fail_cut(struct reach *r)
{
	bool is_reset = r->result.wire->error == ECONNRESET;

	return fail(r, is_reset ? REACH_RESET : REACH_PARENT_FAILED,
	    NEXT_ADDRESS,
	    is_reset ? "it reset the connection" : "it closed the connection");
}

static enum next
use_tunnel(struct reach *r, struct str rest)
{
	if (rest.len > 0 && r->at->endpoint->tls != NULL)
		return fail(r, REACH_PARENT_FAILED, NEXT_ENDPOINT,
		    "bytes came before a handshake had begun");
	wire_keep(r->result.wire, rest);
	return GO;
}

/* Memory of t is wiped. */
static void
forget(struct text *t)
{
	if (t->p != NULL)
		explicit_bzero(t->p, t->cap);
	text_free(t);
}

void
reach_forget_secret(struct reach *r)
{
	r->talk.auth = STR_NONE;
	forget(&r->secret);
}

/* What it said, and what we say next, which may hold the password. */
static enum next
hear(struct reach *r, struct str bytes)
{
	struct text out = TEXT_EMPTY;
	enum parent_says says;
	enum io io = IO_DONE;
	size_t used;

	(void)text_reserve(&out, SAID_MOST);
	says = parent_hear(&r->talk, bytes, &used, &out);
	if (out.len > 0)
		io = wire_write(r->result.wire, text_str(&out));
	forget(&out);
	if (says == PARENT_FAILED)
		return fail_talk(r);
	if (io == IO_FAIL)
		return fail_cut(r);
	bytes = str_from(bytes, used);
	if (says == PARENT_OPEN) {
		reach_forget_secret(r);
		return use_tunnel(r, bytes);
	}
	wire_keep(r->result.wire, bytes);
	/* Kept bytes would only come again. */
	return bytes.len > 0 ? WAIT : AGAIN;
}

static enum next
listen_to(struct reach *r)
{
	struct span span;
	enum next next;

	for (;;) {
		switch (wire_read(r->result.wire, &span)) {
		case IO_DONE:
			break;
		case IO_AGAIN:
			return WAIT;
		case IO_EOF:
		case IO_CUT:
		case IO_FAIL:
			return fail_cut(r);
		}
		next = hear(r,
		    (struct str){ .p = (const void *)span.p, .len = span.len });
		if (next != AGAIN || r->result.wire == NULL)
			return next;
	}
}

static void
on_ready(void *arg)
{
	reach_run(arg);
}

/* False: the reach has failed, and *next says what follows. */
static bool
begin(struct reach *r, enum next *next)
{
	struct parent_auth *auth = &r->outward->auth;
	struct text out = TEXT_EMPTY, why = TEXT_EMPTY;
	enum io io;

	r->progress = ASKED;
	r->talk = (struct parent_talk){
		.kind = r->outward->parent.kind,
		.host = r->target,
		.port = r->target_port,
	};
	if (!parent_auth_get(auth, r->talk.kind, &r->secret, &why)) {
		*next = fail(r, REACH_PARENT_AUTH, NO_FURTHER, why.p);
		text_free(&why);
		return false;
	}
	r->talk.auth = text_str(&r->secret);
	(void)text_reserve(&out, SAID_MOST);
	wire_set_owner(r->result.wire, on_ready, r);
	parent_begin(&r->talk, &out);
	io = wire_write(r->result.wire, text_str(&out));
	forget(&out);
	if (io != IO_FAIL)
		return true;
	*next = fail_cut(r);
	return false;
}

enum next
reach_parent(struct reach *r)
{
	enum next next;

	if (!reach_has_parent(r))
		return GO;
	if (r->progress == TO_ASK && r->target_addr.len > 0)
		reach_aim(r, targets_find(r->at, &r->target_addr));
	if (r->progress == TO_ASK && !begin(r, &next))
		return next;
	if (r->progress == LATE)
		return fail(r, REACH_LATE,
		    r->targets.n > 0 ? NEXT_TARGET : NEXT_ADDRESS,
		    "it took too long");
	return listen_to(r);
}

/* Whoever has none was not let in, see reach_life.c, but for checks. */
static struct str
greeting(const struct reach *r)
{
	return r->is_probe ? proxy_header_local()
			   : text_str(&r->want.proxy_header->bytes);
}

enum next
reach_greet(struct reach *r)
{
	if (!r->outward->introduces_caller || r->want.is_relay)
		return GO;
	if (wire_write(r->result.wire, greeting(r)) == IO_FAIL)
		return reach_fail_connection(
		    r, REACH_RESET, "it closed before it was greeted");
	return GO;
}
