/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bodies both ways at once through sockets of few bytes, byte for byte; and
 * readers that have stopped, which must stop the sender and cost no memory.
 */

#include <sys/socket.h>

#include "base/clock.h"
#include "http/h2_side.h"
#include "unit/http/h2_rig.h"

#define TOTAL ((uint64_t)6 * 1024 * 1024)
#define STREAMS 5
#define TURNS_MOST 200000

/* One end of one stream. */
struct end {
	struct stream *stream;
	uint64_t sent;
	uint64_t received;
	uint64_t total;
	unsigned seed;
	bool has_head;
	bool is_done;
	bool is_stalled; /* pulls nothing */
};

static uint8_t
byte_at(uint64_t i, unsigned seed)
{
	return (uint8_t)((i + seed) * 2654435761u >> 13);
}

static void
push_some(struct end *e)
{
	static uint8_t piece[70000];
	size_t n, credit;

	while (e->sent < e->total &&
	       (credit = e->stream->ops->can_push(e->stream)) > 0) {
		n = (size_t)(e->sent * 7 % (e->sent % 3 == 0 ? 50 : 65536)) + 1;
		if (n > credit)
			n = credit;
		if (n > e->total - e->sent)
			n = (size_t)(e->total - e->sent);
		for (size_t i = 0; i < n; i++)
			piece[i] = byte_at(e->sent + i, e->seed);
		e->stream->ops->push_body(
		    e->stream, (struct str){ (const void *)piece, n });
		e->sent += n;
		if (e->sent == e->total)
			e->stream->ops->push_end(e->stream, NULL);
	}
	e->stream->ops->flush(e->stream);
}

static void
pull_some(struct end *e)
{
	enum pull p = PULL_DATA;
	struct span span;
	struct head *h;

	if (e->is_stalled || e->is_done)
		return;
	if (!e->has_head) {
		p = e->stream->ops->pull_head(e->stream, &h);
		e->has_head = p == PULL_DATA;
	}
	while (p == PULL_DATA) {
		p = e->stream->ops->pull_body(e->stream, 5000, &span);
		if (p != PULL_DATA)
			break;
		for (size_t i = 0; i < span.len; i++)
			cr_assert_eq(span.p[i],
			    byte_at(e->received + i, e->seed),
			    "byte %zu of a piece at %lu", i, e->received);
		e->received += span.len;
	}
	cr_assert_neq(p, PULL_FAIL, "%s", stream_error_text(e->stream->error));
	e->is_done = p == PULL_END;
}

static void
go_on(void *arg)
{
	pull_some(arg);
	push_some(arg);
}

struct ends {
	struct end client[STREAMS];
	struct end server[STREAMS];
	unsigned n;
	size_t most_held;
};

static void
attach(struct end *e, struct stream *st, unsigned seed, uint64_t total)
{
	*e = (struct end){ .stream = st, .seed = seed, .total = total };
	st->on_ready = go_on;
	st->arg = e;
}

static void
ask_all(struct h2_rig *r, struct ends *es, uint64_t up)
{
	struct stream *st;
	struct head h;

	es->n = STREAMS;
	for (unsigned i = 0; i < es->n; i++) {
		st = h2_session_open(r->client.session);
		attach(&es->client[i], st, i, up);
		h2_rig_request(&h, "POST", "/");
		h.body = BODY_STREAMED;
		st->ops->push_head(st, &h, up == 0);
	}
	h2_rig_turn(r);
	cr_assert_eq(r->server.n_streams, STREAMS);
}

static void
answer_all(struct h2_rig *r, struct ends *es, uint64_t down)
{
	struct stream *st;
	struct head h;

	for (unsigned i = 0; i < es->n; i++) {
		st = r->server.streams[i];
		attach(&es->server[i], st, i, down);
		head_init(&h);
		h.status = 200;
		h.body = BODY_STREAMED;
		st->ops->push_head(st, &h, down == 0);
	}
}

static size_t
held_by(const struct h2_session *s)
{
	size_t held = s->wire->in.cap + s->wire->out.cap;
	const struct h2_stream *st;

	TAILQ_FOREACH(st, &s->streams, in_streams)
	held += h2_queue_held(&st->received) + h2_queue_held(&st->sending);
	return held;
}

static bool
are_done(const struct ends *es)
{
	for (unsigned i = 0; i < es->n; i++)
		if (!es->client[i].is_done || !es->server[i].is_done)
			return false;
	return true;
}

static void
run(struct h2_rig *r, struct ends *es, int turns)
{
	size_t held;

	for (unsigned i = 0; i < es->n; i++) {
		go_on(&es->client[i]);
		go_on(&es->server[i]);
	}
	for (int i = 0; i < turns && !are_done(es); i++) {
		loop_turn(r->loop);
		held = held_by(r->client.session) + held_by(r->server.session);
		if (held > es->most_held)
			es->most_held = held;
	}
}

static void
shrink_sockets(struct h2_rig *r, int bytes)
{
	int fds[2] = { h2_session_wire(r->client.session)->fd,
		h2_session_wire(r->server.session)->fd };

	for (int i = 0; i < 2; i++)
		cr_assert_eq(setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &bytes,
				 sizeof(bytes)),
		    0);
}

static void
release_all(struct ends *es, bool is_whole)
{
	for (unsigned i = 0; i < es->n; i++) {
		h2_rig_release(es->client[i].stream, is_whole);
		h2_rig_release(es->server[i].stream, is_whole);
	}
}

/* Windows far bigger than the sockets: neither side may wait for the other. */
static void
transfer(uint64_t up, uint64_t down, int sndbuf)
{
	static struct ends es;
	struct h2_rig r;

	es = (struct ends){ .n = 0 };
	h2_rig_init(&r);
	h2_rig_open_pair(&r);
	shrink_sockets(&r, sndbuf);
	ask_all(&r, &es, up);
	answer_all(&r, &es, down);
	run(&r, &es, TURNS_MOST);
	for (unsigned i = 0; i < es.n; i++) {
		cr_expect_eq(es.server[i].received, up, "stream %u: %lu", i,
		    es.server[i].received);
		cr_expect_eq(es.client[i].received, down, "stream %u: %lu", i,
		    es.client[i].received);
		cr_expect_eq(es.client[i].stream->bytes_out, up);
		cr_expect_eq(es.client[i].stream->bytes_in, down);
	}
	release_all(&es, true);
	h2_rig_turn(&r);
	cr_expect_eq(h2_session_streams(r.client.session), 0);
	cr_expect_eq(h2_session_streams(r.server.session), 0);
	cr_expect_eq(h2_session_state(r.client.session), H2_OPEN);
	cr_expect_eq(h2_session_state(r.server.session), H2_OPEN);
	cr_expect_eq(held_by(r.client.session), 0);
	cr_expect_eq(held_by(r.server.session), 0);
	h2_rig_close(&r);
}

Test(h2_flow, both_ways_through_small_sockets)
{
	transfer(TOTAL, TOTAL, 4096);
}

Test(h2_flow, up_only)
{
	transfer(TOTAL, 0, 65536);
}

Test(h2_flow, down_only)
{
	transfer(0, TOTAL, 65536);
}

/* All that a stopped reader can make us hold is what windows allow. */
static void
stall(bool is_client)
{
	static struct ends es;
	uint64_t sent[STREAMS], all = 0;
	struct h2_rig r;

	es = (struct ends){ .n = 0 };
	h2_rig_init(&r);
	h2_rig_open_pair(&r);
	ask_all(&r, &es, is_client ? 0 : UINT64_MAX);
	answer_all(&r, &es, is_client ? UINT64_MAX : 0);
	for (unsigned i = 0; i < es.n; i++)
		(is_client ? &es.client[i] : &es.server[i])->is_stalled = true;
	run(&r, &es, 300);
	for (unsigned i = 0; i < es.n; i++) {
		sent[i] = is_client ? es.server[i].sent : es.client[i].sent;
		all += sent[i];
		cr_expect_gt(sent[i], 60000, "%lu", sent[i]);
	}
	run(&r, &es, 300);
	for (unsigned i = 0; i < es.n; i++)
		cr_expect_eq(
		    sent[i], is_client ? es.server[i].sent : es.client[i].sent);
	/* The connection's window, and a little on the sender's side. */
	cr_expect_leq(all, 1048576 + STREAMS * 32 * 1024);
	cr_expect_leq(es.most_held, 1048576 + 2 * STREAMS * 48 * 1024 + 262144,
	    "%zu", es.most_held);
	cr_expect_geq(es.most_held, 1000000, "else this proves nothing");
	/* What was held is given back, and others may go on. */
	for (unsigned i = 1; i < es.n; i++) {
		h2_rig_release(es.client[i].stream, false);
		h2_rig_release(es.server[i].stream, false);
	}
	es.n = 1;
	es.client[0].is_stalled = es.server[0].is_stalled = false;
	es.client[0].total = is_client ? 0 : sent[0] + TOTAL;
	es.server[0].total = is_client ? sent[0] + TOTAL : 0;
	run(&r, &es, TURNS_MOST);
	cr_expect_eq((is_client ? &es.client[0] : &es.server[0])->received,
	    sent[0] + TOTAL);
	release_all(&es, true);
	h2_rig_turn(&r);
	cr_expect_eq(held_by(r.client.session), 0);
	cr_expect_eq(held_by(r.server.session), 0);
	h2_rig_close(&r);
}

Test(h2_flow, a_caller_that_stopped_reading)
{
	stall(true);
}

Test(h2_flow, a_server_that_stopped_reading)
{
	stall(false);
}

/* A peer that does not even read its socket. */
Test(h2_flow, a_socket_that_nobody_reads)
{
	struct text t = TEXT_EMPTY;
	struct stream *st;
	struct head h;
	size_t n, all = 0;
	struct h2_rig r;

	h2_rig_init(&r);
	h2_rig_open(&r, H2_SERVER);
	h2_put_preface(&t);
	h2_put_settings(&t, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0x7fffffff);
	h2_put_request(&t, 1, H2_FLAG_END_STREAM);
	h2_put_frame(&t, H2_FRAME_WINDOW_UPDATE, 0, 0, STR("\x7f\xff\x00\x00"));
	h2_rig_send_deaf(&r, &t);
	cr_assert_eq(r.server.n_streams, 1);
	st = r.server.streams[0];
	cr_assert_eq(h2_rig_head(st, &(struct head *){ NULL }), PULL_DATA);
	head_init(&h);
	h.status = 200;
	h.body = BODY_STREAMED;
	st->ops->push_head(st, &h, false);
	for (int i = 0; i < 5000; i++) {
		static const char zeros[65536];

		n = st->ops->can_push(st);
		if (wire_unsent(h2_session_wire(r.server.session)) > 0)
			cr_assert_eq(n, 0, "%zu", n);
		st->ops->push_body(
		    st, (struct str){ zeros, n < 65536 ? n : 65536 });
		all += n;
		st->ops->flush(st);
		loop_turn(r.loop);
	}
	cr_expect_eq(st->ops->can_push(st), 0);
	cr_expect_lt(all, 1048576);
	cr_expect_leq(held_by(r.server.session), 128 * 1024);
	r.server.ready = 0;
	h2_rig_turn(&r);
	cr_expect_gt(r.server.ready, 0, "it is told when there is room");
	cr_expect_gt(st->ops->can_push(st), 0);
	h2_rig_release(st, false);
	h2_rig_close(&r);
	text_free(&t);
}

static unsigned
count_data(struct h2_rig *r)
{
	struct str payload;
	struct h2_frame f;
	unsigned n = 0;

	while (h2_rig_next(r, H2_FRAME_DATA, &f, &payload))
		n++;
	return n;
}

/* A window opened byte by byte is not worth a frame each. */
Test(h2_flow, thin_windows_are_served_slowly)
{
	struct text t = TEXT_EMPTY;
	struct stream *st;
	struct head h;
	struct h2_rig r;
	unsigned first;

	clock_fake(1000, 0);
	h2_rig_init(&r);
	h2_rig_open(&r, H2_SERVER);
	h2_put_preface(&t);
	h2_put_settings(&t, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1);
	h2_put_request(&t, 1, H2_FLAG_END_STREAM);
	h2_rig_send(&r, &t);
	st = r.server.streams[0];
	head_init(&h);
	h.status = 200;
	h.body = BODY_STREAMED;
	st->ops->push_head(st, &h, false);
	st->ops->push_body(st, STR("0123456789012345678901234567890123456789"));
	st->ops->flush(st);
	h2_rig_turn(&r);
	first = count_data(&r);
	cr_expect_eq(first, 1, "the first byte goes at once");
	for (int i = 0; i < 20; i++) {
		h2_put_frame(&t, H2_FRAME_WINDOW_UPDATE, 0, 1, STR("\0\0\0\1"));
		h2_rig_send(&r, &t);
	}
	cr_expect_eq(count_data(&r), 0);
	h2_rig_at(&r, 1101);
	cr_expect_eq(count_data(&r), 1, "all that is there then, in one");
	h2_put_frame(&t, H2_FRAME_WINDOW_UPDATE, 0, 1, STR("\0\0\0\1"));
	h2_rig_send(&r, &t);
	cr_expect_eq(count_data(&r), 0);
	h2_put_frame(&t, H2_FRAME_WINDOW_UPDATE, 0, 1, STR("\0\0\x10\0"));
	h2_rig_send(&r, &t);
	cr_expect_eq(count_data(&r), 1, "a wide window is served at once");
	h2_rig_release(st, false);
	h2_rig_close(&r);
	text_free(&t);
	clock_unfake();
}

/* A last byte for which there is room has nothing to wait for. */
Test(h2_flow, a_small_end_goes_at_once)
{
	struct text t = TEXT_EMPTY;
	struct stream *st;
	struct h2_rig r;

	clock_fake(1000, 0);
	h2_rig_init(&r);
	h2_rig_open(&r, H2_SERVER);
	h2_put_preface(&t);
	h2_put_settings(&t, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 10);
	for (uint32_t id = 1; id < 20; id += 2)
		h2_put_request(&t, id, H2_FLAG_END_STREAM);
	h2_rig_send(&r, &t);
	for (unsigned i = 0; i < 10; i++) {
		st = r.server.streams[i];
		h2_rig_answer(st, 200, "0123456789");
		h2_rig_release(st, true);
	}
	h2_rig_turn(&r);
	cr_expect_eq(count_data(&r), 10);
	cr_expect_eq(h2_session_streams(r.server.session), 0);
	h2_rig_close(&r);
	text_free(&t);
	clock_unfake();
}

/* Trailers are under no flow control: who has all the bytes gets the end. */
Test(h2_flow, trailers_need_no_window)
{
	struct field field = { .id = FIELD_GRPC_STATUS,
		.name = STR("grpc-status"),
		.value = STR("0") };
	struct text t = TEXT_EMPTY;
	struct str payload;
	struct h2_frame f;
	struct stream *st;
	struct head h;
	struct h2_rig r;

	h2_rig_init(&r);
	h2_rig_open(&r, H2_SERVER);
	h2_put_preface(&t);
	h2_put_settings(&t, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 10);
	h2_put_request(&t, 1, H2_FLAG_END_STREAM);
	h2_rig_send(&r, &t);
	st = r.server.streams[0];
	head_init(&h);
	h.status = 200;
	h.body = BODY_STREAMED;
	st->ops->push_head(st, &h, false);
	st->ops->push_body(st, STR("0123456789"));
	st->ops->flush(st);
	h2_rig_turn(&r);
	cr_expect_eq(count_data(&r), 1);
	cr_expect_eq(st->ops->can_push(st), 0);
	h.fields = &field;
	h.n_fields = 1;
	st->ops->push_end(st, &h);
	st->ops->flush(st);
	h2_rig_release(st, true);
	h2_rig_turn(&r);
	cr_assert(h2_rig_next(&r, H2_FRAME_HEADERS, &f, &payload));
	cr_expect(f.flags & H2_FLAG_END_STREAM);
	cr_expect_eq(h2_session_streams(r.server.session), 0);
	h2_rig_close(&r);
	text_free(&t);
}

/* A caller that does not take the rest of an answer is not waited for. */
Test(h2_flow, the_rest_of_an_answer_does_not_wait_for_ever)
{
	struct text t = TEXT_EMPTY;
	struct h2_rig r;

	clock_fake(1000, 0);
	h2_rig_init(&r);
	h2_rig_open(&r, H2_SERVER);
	h2_put_preface(&t);
	h2_put_settings(&t, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0);
	h2_put_request(&t, 1, H2_FLAG_END_STREAM);
	h2_rig_send(&r, &t);
	h2_rig_answer(r.server.streams[0], 200, "never taken");
	h2_rig_release(r.server.streams[0], true);
	h2_rig_at(&r, 32000);
	cr_expect_eq(h2_session_streams(r.server.session), 1);
	h2_rig_at(&r, 70000);
	cr_expect_eq(h2_rig_code(&r, H2_FRAME_RST_STREAM), NGHTTP2_CANCEL);
	cr_expect_eq(h2_session_streams(r.server.session), 0);
	h2_rig_close(&r);
	text_free(&t);
	clock_unfake();
}
