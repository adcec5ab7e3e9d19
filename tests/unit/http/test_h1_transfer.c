/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two sessions, coupled by a socket pair of few bytes: big bodies both ways at
 * once, byte for byte, while neither side ever holds much.
 */

#include <criterion/criterion.h>
#include <sys/socket.h>

#include "http/h1_session.h"
#include "net/loop.h"
#include "unit/http/parse_rig.h"

#define TOTAL ((uint64_t)10 * 1024 * 1024)
#define TURNS_MOST 2000000

/* One direction of one side. */
struct source {
	uint64_t at;
	unsigned seed;
	bool is_ended;
};

struct side {
	struct stream *stream;
	struct h1_session *session;
	struct source source;
	uint64_t received;
	bool has_begun; /* to send */
	bool has_head;
	bool is_done;
	size_t most_held;
};

/* Any byte of the body, by its place. */
static uint8_t
byte_at(uint64_t i)
{
	return (uint8_t)(i * 2654435761u >> 13);
}

static void
push_some(struct side *s)
{
	static uint8_t piece[70000];
	size_t n, credit;

	while (s->has_begun && !s->source.is_ended &&
	       (credit = s->stream->ops->can_push(s->stream)) > 0) {
		s->source.seed = s->source.seed * 1103515245u + 12345u;
		n = (s->source.seed >> 8) %
		    (s->source.at % 3 == 0 ? 50 : 65536);
		if (n > credit)
			n = credit;
		if (n > TOTAL - s->source.at)
			n = (size_t)(TOTAL - s->source.at);
		for (size_t i = 0; i < n; i++)
			piece[i] = byte_at(s->source.at + i);
		s->stream->ops->push_body(
		    s->stream, (struct str){ (const void *)piece, n });
		s->source.at += n;
		if (s->source.at < TOTAL)
			continue;
		s->stream->ops->push_end(s->stream, NULL);
		s->source.is_ended = true;
	}
	s->stream->ops->flush(s->stream);
}

static void
pull_some(struct side *s, size_t credit)
{
	enum pull p = PULL_DATA;
	struct span span;
	struct head *h;

	if (!s->has_head) {
		p = s->stream->ops->pull_head(s->stream, &h);
		s->has_head = p == PULL_DATA;
	}
	while (p == PULL_DATA) {
		p = s->stream->ops->pull_body(s->stream, credit, &span);
		if (p != PULL_DATA)
			break;
		for (size_t i = 0; i < span.len; i++)
			cr_assert_eq(span.p[i], byte_at(s->received + i),
			    "byte %zu of a piece at %lu", i, s->received);
		s->received += span.len;
	}
	cr_assert_neq(p, PULL_FAIL, "%s", stream_error_text(s->stream->error));
	s->is_done |= p == PULL_END;
}

static void
go_on(void *arg)
{
	struct side *s = arg;
	const struct wire *w = h1_session_wire(s->session);

	if (!s->is_done)
		pull_some(s, 5000);
	push_some(s);
	if (w->in.cap + w->out.cap > s->most_held)
		s->most_held = w->in.cap + w->out.cap;
}

static void
open_side(struct side *s, struct loop *l, int fd, enum h1_role role)
{
	int small = 4096;

	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	*s = (struct side){ .source.seed = role == H1_SERVER ? 1 : 2 };
	s->session = h1_session_new(wire_new(l, fd), role, &parse_limits);
	s->stream = h1_session_stream(s->session);
	s->stream->on_ready = go_on;
	s->stream->arg = s;
}

static void
begin(struct side *s, bool is_request, enum body_kind kind)
{
	struct head h;

	head_init(&h);
	h.is_request = is_request;
	h.method = STR("POST");
	h.path = STR("/");
	h.authority = STR("a");
	h.status = 200;
	h.body = kind;
	h.content_length = TOTAL;
	s->stream->ops->push_head(s->stream, &h, false);
	s->has_begun = true;
}

static void
transfer(enum body_kind up, enum body_kind down)
{
	struct loop *l = loop_new();
	struct side client, server;
	int fds[2];

	cr_assert_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	open_side(&client, l, fds[0], H1_CLIENT);
	open_side(&server, l, fds[1], H1_SERVER);
	begin(&client, true, up);
	push_some(&client);
	for (int i = 0; i < TURNS_MOST && !server.has_head; i++) {
		loop_turn(l);
		pull_some(&server, 1);
	}
	begin(&server, false, down);
	push_some(&server);
	for (int i = 0; i < TURNS_MOST && !(client.is_done && server.is_done);
	     i++)
		loop_turn(l);
	cr_expect_eq(server.received, TOTAL);
	cr_expect_eq(client.received, TOTAL);
	cr_expect_eq(server.stream->bytes_in, TOTAL);
	cr_expect_eq(server.stream->bytes_out, TOTAL);
	/* What was accepted and not sent, and what was read and not pulled. */
	cr_expect_lt(client.most_held, 512 * 1024, "%zu", client.most_held);
	cr_expect_lt(server.most_held, 512 * 1024, "%zu", server.most_held);
	client.stream->ops->release(client.stream, true);
	server.stream->ops->release(server.stream, true);
	cr_expect(h1_session_can_reuse(client.session));
	cr_expect(h1_session_can_reuse(server.session));
	h1_session_free(client.session);
	h1_session_free(server.session);
	loop_free(l);
}

Test(h1_transfer, chunks_both_ways)
{
	transfer(BODY_STREAMED, BODY_STREAMED);
}

Test(h1_transfer, length_up_and_chunks_down)
{
	transfer(BODY_LENGTH, BODY_STREAMED);
}

Test(h1_transfer, chunks_up_and_length_down)
{
	transfer(BODY_STREAMED, BODY_LENGTH);
}

/* A reader that has stopped stops the writer, and memory with it. */
Test(h1_transfer, a_stopped_reader)
{
	struct loop *l = loop_new();
	struct side client, server;
	uint64_t at;
	int fds[2];

	cr_assert_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	open_side(&client, l, fds[0], H1_CLIENT);
	open_side(&server, l, fds[1], H1_SERVER);
	server.stream->on_ready = NULL;
	begin(&client, true, BODY_STREAMED);
	push_some(&client);
	for (int i = 0; i < 100; i++)
		loop_turn(l);
	at = client.source.at;
	cr_expect_lt(at, 512 * 1024);
	cr_expect_eq(client.stream->ops->can_push(client.stream), 0);
	for (int i = 0; i < 100; i++)
		loop_turn(l);
	cr_expect_eq(client.source.at, at);
	cr_expect_leq(wire_unsent(h1_session_wire(client.session)), 100000);
	h1_session_free(client.session);
	h1_session_free(server.session);
	loop_free(l);
}
