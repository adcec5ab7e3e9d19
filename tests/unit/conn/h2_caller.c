/* SPDX-License-Identifier: Apache-2.0 */
/* See h2_caller.h. */

#include "unit/conn/h2_caller.h"

#include <criterion/criterion.h>
#include <sys/socket.h>

#define TURNS 30

static void
on_change(void *arg)
{
	(void)arg;
}

static const struct h2_events events = { .on_change = on_change };

static void
on_ready(void *arg)
{
	(void)arg;
}

void
h2_caller_dial(struct h2_caller *c, struct rig *g, const char *sni)
{
	struct text why = TEXT_EMPTY;
	enum io io = IO_AGAIN;
	struct addr from;
	int fd[2];

	*c = (struct h2_caller){ .g = g, .limits = g->h2, .end = IO_AGAIN };
	cr_assert(addr_parse(STR("192.0.2.7"), 1234, &from));
	cr_assert_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	conns_accept(g->conns, fd[0], &from, &g->listener);
	c->wire = wire_new(g->loop, fd[1]);
	cr_assert(
	    wire_tls_connect_mesh(c->wire, str_of(sni), str_of(g->ca->cert_pem),
		str_of(g->caller->cert_pem), str_of(g->caller->key_pem),
		STR("spiffe://default/zone-egress"), &why),
	    "%s", why.p);
	for (int i = 0; i < 100 && io == IO_AGAIN; i++) {
		io = wire_tls_handshake(c->wire);
		loop_turn(g->loop);
	}
	cr_assert_eq(io, IO_DONE);
	text_add_z(&c->got, "");
	h2_caller_turn(c);
}

void
h2_caller_speak(struct h2_caller *c)
{
	c->limits.ping_ms = 0;
	c->session = h2_session_new(
	    c->wire, H2_CLIENT, &c->g->http, &c->limits, &events, c);
	c->wire = NULL;
	h2_caller_turn(c);
}

static void
listen_by_hand(struct h2_caller *c)
{
	struct span s;

	if (c->wire == NULL)
		return;
	while (c->end == IO_AGAIN || c->end == IO_DONE) {
		c->end = wire_read(c->wire, &s);
		if (c->end != IO_DONE)
			break;
		text_add(&c->got,
		    (struct str){ .p = (const void *)s.p, .len = s.len });
	}
}

static enum pull
read_body(struct h2_call *call)
{
	struct stream *s = call->stream;
	enum pull pull;
	struct span span;

	while ((pull = s->ops->pull_body(s, SIZE_MAX, &span)) == PULL_DATA)
		text_add(&call->body,
		    (struct str){ .p = (const void *)span.p, .len = span.len });
	return pull;
}

static enum pull
read_answer(struct h2_call *call)
{
	struct stream *s = call->stream;
	enum pull pull = PULL_DATA;
	struct head *h;

	while (call->status < 200 && pull == PULL_DATA) {
		pull = s->ops->pull_head(s, &h);
		if (pull == PULL_DATA)
			call->status = h->status;
	}
	return pull == PULL_DATA ? read_body(call) : pull;
}

static void
look_at(struct h2_call *call)
{
	struct stream *s = call->stream;
	enum pull pull;

	if (s == NULL)
		return;
	pull = read_answer(call);
	if (pull == PULL_WAIT)
		return;
	call->has_ended = pull == PULL_END;
	call->error = s->error;
	call->reset_code = s->reset_code;
	s->ops->release(s, call->has_ended);
	call->stream = NULL;
}

void
h2_caller_turn(struct h2_caller *c)
{
	for (int i = 0; i < TURNS; i++) {
		loop_turn(c->g->loop);
		listen_by_hand(c);
		for (size_t k = 0; k < c->n; k++)
			look_at(&c->calls[k]);
	}
}

void
h2_caller_say(struct h2_caller *c, const void *bytes, size_t n)
{
	cr_assert_eq(
	    wire_write(c->wire, (struct str){ .p = bytes, .len = n }), IO_DONE);
	h2_caller_turn(c);
}

struct h2_call *
h2_caller_ask(
    struct h2_caller *c, const char *method, const char *path, bool has_body)
{
	struct h2_call *call = &c->calls[c->n++];
	struct head h;

	cr_assert_leq(c->n, H2_CALLS);
	cr_assert_gt(h2_session_streams_left(c->session), 0);
	head_init(&h);
	h.is_request = true;
	h.method = str_of(method);
	h.path = str_of(path);
	h.scheme = STR("http");
	h.authority = STR("asked.example");
	h.has_host = true;
	h.body = has_body ? BODY_STREAMED : BODY_NONE;
	*call = (struct h2_call){ .stream = h2_session_open(c->session) };
	text_add_z(&call->body, "");
	call->stream->on_ready = on_ready;
	call->stream->ops->push_head(call->stream, &h, !has_body);
	call->stream->ops->flush(call->stream);
	return call;
}

void
h2_caller_pass(struct h2_caller *c, uint64_t ms)
{
	rig_pass(c->g, ms);
	h2_caller_turn(c);
}

void
h2_caller_take_back(struct h2_caller *c, struct h2_call *call)
{
	call->stream->ops->release(call->stream, false);
	call->stream = NULL;
	h2_caller_turn(c);
}

void
h2_caller_hang_up(struct h2_caller *c)
{
	for (size_t i = 0; i < c->n; i++) {
		struct h2_call *call = &c->calls[i];

		if (call->stream != NULL)
			call->stream->ops->release(call->stream, false);
		call->stream = NULL;
		text_free(&call->body);
	}
	h2_session_free(c->session);
	wire_free(c->wire);
	c->session = NULL;
	c->wire = NULL;
	c->n = 0;
	rig_turn(c->g, 20);
	text_free(&c->got);
}
