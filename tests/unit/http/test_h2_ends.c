/* SPDX-License-Identifier: Apache-2.0 */
/* How streams and connections end, in order and otherwise; both roles. */

#include <nghttp2/nghttp2.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "unit/http/h2_rig.h"

/* A client's session that asked, and a test that is its server. */
static struct stream *
open_asking(struct h2_rig *r, struct text *t)
{
	h2_rig_init(r);
	h2_rig_open(r, H2_CLIENT);
	h2_put_frame(t, H2_FRAME_SETTINGS, 0, 0, STR_NONE);
	h2_rig_send(r, t);
	return h2_rig_ask(r, "/");
}

static void
put_status(struct text *t, uint32_t stream, const char *status, unsigned flags)
{
	struct text p = TEXT_EMPTY;

	h2_put_field(&p, ":status", str_of(status));
	h2_put_frame(t, H2_FRAME_HEADERS, H2_FLAG_END_HEADERS | flags, stream,
	    text_str(&p));
	text_free(&p);
}

static void
put_code(struct text *t, unsigned type, uint32_t stream, uint32_t first,
    uint32_t code)
{
	struct text p = TEXT_EMPTY;

	if (type == H2_FRAME_GOAWAY)
		h2_put_u32(&p, first);
	h2_put_u32(&p, code);
	h2_put_frame(t, type, 0, stream, text_str(&p));
	text_free(&p);
}

static const struct {
	const char *what;
	uint32_t code;
	bool has_head;
	enum stream_error want;
} resets[] = {
	{ "refused", NGHTTP2_REFUSED_STREAM, false, STREAM_REFUSED },
	{ "cancelled", NGHTTP2_CANCEL, false, STREAM_RESET },
	{ "in order, but without an answer", NGHTTP2_NO_ERROR, false,
	    STREAM_RESET },
	{ "broken in the middle", NGHTTP2_INTERNAL_ERROR, true, STREAM_RESET },
	{ "refused after all", NGHTTP2_REFUSED_STREAM, true, STREAM_RESET },
};

Test(h2_ends, a_server_resets)
{
	struct text t = TEXT_EMPTY;
	struct stream *st;
	struct h2_rig r;

	for (size_t i = 0; i < ARRAY_LEN(resets); i++) {
		st = open_asking(&r, &t);
		if (resets[i].has_head) {
			put_status(&t, 1, "200", 0);
			h2_put_frame(&t, H2_FRAME_DATA, 0, 1, STR("part"));
		}
		put_code(&t, H2_FRAME_RST_STREAM, 1, 0, resets[i].code);
		r.client.ready = 0;
		h2_rig_send(&r, &t);
		cr_expect_gt(r.client.ready, 0, "%s", resets[i].what);
		h2_rig_expect_failed(st, resets[i].want);
		cr_expect_eq(st->reset_code, resets[i].code);
		cr_expect_eq(r.client.counts[H2_RX_RESET], 1);
		h2_rig_release(st, false);
		h2_rig_turn(&r);
		cr_expect_eq(h2_session_streams(r.client.session), 0);
		cr_expect_eq(h2_session_state(r.client.session), H2_OPEN);
		cr_expect_eq(r.client.counts[H2_TX_RESET], 0);
		h2_rig_close(&r);
	}
	text_free(&t);
}

Test(h2_ends, a_caller_resets)
{
	struct text t = TEXT_EMPTY;
	struct stream *st;
	struct head *h;
	struct h2_rig r;

	h2_rig_init(&r);
	h2_rig_open(&r, H2_SERVER);
	h2_put_preface(&t);
	h2_put_request(&t, 1, H2_FLAG_END_STREAM);
	h2_rig_send(&r, &t);
	st = r.server.streams[0];
	cr_assert_eq(h2_rig_head(st, &h), PULL_DATA);
	put_code(&t, H2_FRAME_RST_STREAM, 1, 0, NGHTTP2_CANCEL);
	h2_rig_send(&r, &t);
	cr_expect_eq(r.server.ready, 1);
	h2_rig_expect_failed(st, STREAM_RESET);
	cr_expect_eq(st->reset_code, NGHTTP2_CANCEL);
	/* Whoever answers now does no harm. */
	h2_rig_answer(st, 200, "late");
	h2_rig_release(st, false);
	h2_rig_turn(&r);
	cr_expect_eq(h2_session_streams(r.server.session), 0);
	h2_rig_close(&r);
	text_free(&t);
}

/* What both ends say when an owner lets go in the middle. */
static const struct {
	const char *what;
	enum h2_role role;
	uint32_t code;
	uint32_t want;
} releases[] = {
	{ "a client cancels", H2_CLIENT, 0, NGHTTP2_CANCEL },
	{ "a client says why", H2_CLIENT, NGHTTP2_ENHANCE_YOUR_CALM,
	    NGHTTP2_ENHANCE_YOUR_CALM },
	{ "a server failed", H2_SERVER, 0, NGHTTP2_INTERNAL_ERROR },
	{ "a server passes on", H2_SERVER, NGHTTP2_CANCEL, NGHTTP2_CANCEL },
};

Test(h2_ends, an_owner_lets_go)
{
	struct stream *back, *front, *quits, *sees;
	struct head *h;
	struct h2_rig r;

	for (size_t i = 0; i < ARRAY_LEN(releases); i++) {
		h2_rig_init(&r);
		h2_rig_open_pair(&r);
		back = h2_rig_ask(&r, "/");
		front = r.server.streams[0];
		cr_assert_eq(h2_rig_head(front, &h), PULL_DATA);
		quits = releases[i].role == H2_CLIENT ? back : front;
		sees = releases[i].role == H2_CLIENT ? front : back;
		quits->reset_code = releases[i].code;
		h2_rig_release(quits, false);
		h2_rig_turn(&r);
		h2_rig_expect_failed(sees, STREAM_RESET);
		cr_expect_eq(
		    sees->reset_code, releases[i].want, "%s", releases[i].what);
		h2_rig_release(sees, false);
		h2_rig_turn(&r);
		cr_expect_eq(h2_session_streams(r.client.session), 0);
		cr_expect_eq(h2_session_streams(r.server.session), 0);
		h2_rig_close(&r);
	}
}

/* A stream that nothing was pushed on leaves no trace. */
Test(h2_ends, released_before_it_was_used)
{
	struct h2_rig r;

	h2_rig_init(&r);
	h2_rig_open_pair(&r);
	h2_rig_release(h2_rig_open_stream(&r.client), false);
	h2_rig_release(h2_rig_open_stream(&r.client), true);
	h2_rig_turn(&r);
	cr_expect_eq(h2_session_streams(r.client.session), 0);
	cr_expect_eq(r.server.n_streams, 0);
	h2_rig_close(&r);
}

/* Asked and let go in one turn: the request must not come after its reset. */
Test(h2_ends, released_before_it_was_sent)
{
	struct stream *st;
	struct head h;
	struct h2_rig r;

	h2_rig_init(&r);
	h2_rig_open_pair(&r);
	st = h2_rig_open_stream(&r.client);
	h2_rig_request(&h, "POST", "/");
	h.body = BODY_STREAMED;
	st->ops->push_head(st, &h, false);
	st->ops->push_body(st, STR("abc"));
	h2_rig_release(st, false);
	h2_rig_turn(&r);
	cr_expect_eq(h2_session_streams(r.client.session), 0);
	cr_expect_eq(r.server.n_streams, 0);
	cr_expect_eq(h2_session_state(r.server.session), H2_OPEN);
	h2_rig_close(&r);
}

Test(h2_ends, goaway_sends_the_unprocessed_back)
{
	struct stream *one, *two;
	struct text t = TEXT_EMPTY, body = TEXT_EMPTY;
	struct head *h;
	struct h2_rig r;

	one = open_asking(&r, &t);
	two = h2_rig_ask(&r, "/2");
	put_code(&t, H2_FRAME_GOAWAY, 0, 1, NGHTTP2_NO_ERROR);
	r.client.changes = 0;
	h2_rig_send(&r, &t);
	cr_expect_eq(h2_session_state(r.client.session), H2_GOING);
	cr_expect_gt(r.client.changes, 0);
	cr_expect_eq(h2_session_streams_left(r.client.session), 0);
	h2_rig_expect_failed(two, STREAM_REFUSED);
	h2_rig_release(two, false);
	cr_expect_eq(h2_rig_head(one, &h), PULL_WAIT);
	put_status(&t, 1, "200", 0);
	h2_put_frame(&t, H2_FRAME_DATA, H2_FLAG_END_STREAM, 1, STR("done"));
	h2_rig_send(&r, &t);
	cr_assert_eq(h2_rig_head(one, &h), PULL_DATA);
	cr_expect_eq(h2_rig_body(one, &body), PULL_END);
	cr_expect(str_eq(text_str(&body), STR("done")));
	h2_rig_release(one, true);
	r.client.changes = 0;
	h2_rig_turn(&r);
	h2_rig_expect_over(r.client.session, H2_END_CLOSED, "GOAWAY");
	cr_expect_gt(r.client.changes, 0);
	h2_rig_close(&r);
	text_free(&t);
	text_free(&body);
}

/* Two GOAWAYs: the first takes nothing back of what is on its way. */
Test(h2_ends, a_drain_by_the_server)
{
	struct stream *one, *two;
	struct head *h;
	struct h2_rig r;

	h2_rig_init(&r);
	h2_rig_open_pair(&r);
	one = h2_rig_ask(&r, "/1");
	two = h2_session_open(r.client.session);
	h2_session_drain(r.server.session);
	cr_expect_eq(h2_session_state(r.server.session), H2_GOING);
	/* It crosses the first GOAWAY. */
	{
		struct head q;

		h2_rig_request(&q, "GET", "/2");
		two->ops->push_head(two, &q, true);
		two->ops->flush(two);
	}
	h2_rig_turn(&r);
	cr_expect_eq(h2_session_state(r.client.session), H2_GOING);
	cr_assert_eq(r.server.n_streams, 2);
	cr_expect_eq(r.server.counts[H2_GOAWAY_SENT], 1);
	cr_expect_eq(h2_session_state(r.server.session), H2_GOING);
	for (unsigned i = 0; i < 2; i++) {
		cr_assert_eq(h2_rig_head(r.server.streams[i], &h), PULL_DATA);
		h2_rig_answer(r.server.streams[i], 200, "x");
		h2_rig_release(r.server.streams[i], true);
	}
	h2_rig_turn(&r);
	cr_assert_eq(h2_rig_head(one, &h), PULL_DATA);
	cr_assert_eq(h2_rig_head(two, &h), PULL_DATA);
	h2_rig_release(one, true);
	h2_rig_release(two, true);
	h2_rig_turn(&r);
	h2_rig_expect_over(r.server.session, H2_END_CLOSED, "GOAWAY");
	h2_rig_expect_over(r.client.session, H2_END_CLOSED, "GOAWAY");
	h2_rig_close(&r);
}

Test(h2_ends, a_drain_whose_peer_answers_no_ping)
{
	struct text t = TEXT_EMPTY;
	struct str payload;
	struct h2_frame f;
	struct h2_rig r;

	clock_fake(1000, 0);
	h2_rig_init(&r);
	h2_rig_open(&r, H2_SERVER);
	h2_put_preface(&t);
	h2_rig_send(&r, &t);
	h2_session_drain(r.server.session);
	h2_rig_turn(&r);
	cr_assert(h2_rig_next(&r, H2_FRAME_GOAWAY, &f, &payload));
	cr_expect(str_eq(str_first(payload, 4), STR("\x7f\xff\xff\xff")));
	h2_put_request(&t, 1, H2_FLAG_END_STREAM);
	h2_rig_send(&r, &t);
	cr_expect_eq(r.server.n_streams, 1, "taken after the first GOAWAY");
	h2_rig_at(&r, 2100);
	cr_assert(h2_rig_next(&r, H2_FRAME_GOAWAY, &f, &payload));
	cr_expect(str_eq(str_first(payload, 4), STR("\0\0\0\1")));
	h2_put_request(&t, 3, H2_FLAG_END_STREAM);
	h2_rig_send(&r, &t);
	cr_expect_eq(r.server.n_streams, 1, "not taken after the second");
	h2_rig_answer(r.server.streams[0], 200, NULL);
	h2_rig_release(r.server.streams[0], true);
	h2_rig_turn(&r);
	h2_rig_expect_over(r.server.session, H2_END_CLOSED, "GOAWAY");
	h2_rig_close(&r);
	text_free(&t);
	clock_unfake();
}

Test(h2_ends, a_drain_by_the_client)
{
	struct stream *st;
	struct head *h;
	struct h2_rig r;

	h2_rig_init(&r);
	h2_rig_open_pair(&r);
	st = h2_rig_ask(&r, "/");
	h2_session_drain(r.client.session);
	h2_rig_turn(&r);
	cr_expect_eq(h2_session_state(r.client.session), H2_GOING);
	cr_expect_eq(h2_session_streams_left(r.client.session), 0);
	h2_rig_answer(r.server.streams[0], 200, "x");
	h2_rig_release(r.server.streams[0], true);
	h2_rig_turn(&r);
	cr_assert_eq(h2_rig_head(st, &h), PULL_DATA);
	h2_rig_release(st, true);
	h2_rig_turn(&r);
	h2_rig_expect_over(r.client.session, H2_END_CLOSED, "GOAWAY");
	h2_rig_expect_over(r.server.session, H2_END_CLOSED, "GOAWAY");
	h2_rig_close(&r);
}

enum when { BEFORE_SENT, BEFORE_HEAD, AFTER_INTERIM, IN_BODY, AFTER_END };

static const struct {
	enum when when;
	enum stream_error want;
} losses[] = {
	{ BEFORE_SENT, STREAM_REFUSED },
	{ BEFORE_HEAD, STREAM_CLOSED_EARLY },
	{ AFTER_INTERIM, STREAM_CUT },
	{ IN_BODY, STREAM_CUT },
	{ AFTER_END, STREAM_OK },
};

Test(h2_ends, a_server_that_closes)
{
	struct text t = TEXT_EMPTY, body = TEXT_EMPTY;
	struct stream *st;
	struct head h, *got;
	struct h2_rig r;

	for (size_t i = 0; i < ARRAY_LEN(losses); i++) {
		enum when when = losses[i].when;

		st = open_asking(&r, &t);
		if (when == AFTER_INTERIM)
			put_status(&t, 1, "103", 0);
		if (when == IN_BODY || when == AFTER_END)
			put_status(&t, 1, "200", 0);
		if (when == IN_BODY || when == AFTER_END)
			h2_put_frame(&t, H2_FRAME_DATA,
			    when == AFTER_END ? H2_FLAG_END_STREAM : 0, 1,
			    STR("abc"));
		if (t.len > 0)
			h2_rig_send(&r, &t);
		if (when == BEFORE_SENT) {
			h2_rig_release(st, false);
			h2_rig_turn(&r);
			cr_assert_eq(shutdown(r.peer, SHUT_RDWR), 0);
			st = h2_rig_open_stream(&r.client);
			h2_rig_request(&h, "GET", "/");
			st->ops->push_head(st, &h, true);
			st->ops->flush(st);
		}
		h2_rig_hang_up(&r);
		cr_expect_eq(h2_session_state(r.client.session), H2_OVER);
		if (when == AFTER_END) {
			cr_assert_eq(h2_rig_head(st, &got), PULL_DATA);
			cr_expect_eq(h2_rig_body(st, &body), PULL_END);
			cr_expect(str_eq(text_str(&body), STR("abc")));
		} else {
			h2_rig_expect_failed(st, losses[i].want);
		}
		h2_rig_release(st, when == AFTER_END);
		h2_rig_turn(&r);
		cr_expect_eq(h2_session_streams(r.client.session), 0);
		h2_rig_close(&r);
	}
	text_free(&t);
	text_free(&body);
}

Test(h2_ends, a_caller_that_closes)
{
	struct text t = TEXT_EMPTY;
	struct h2_rig r;

	h2_rig_init(&r);
	h2_rig_open(&r, H2_SERVER);
	h2_put_preface(&t);
	h2_put_request(&t, 1, 0);
	h2_put_request(&t, 3, H2_FLAG_END_STREAM);
	h2_rig_send(&r, &t);
	h2_rig_hang_up(&r);
	h2_rig_expect_over(r.server.session, H2_END_CUT, "streams open");
	h2_rig_expect_failed(r.server.streams[0], STREAM_CUT);
	h2_rig_expect_failed(r.server.streams[1], STREAM_CUT);
	h2_rig_release(r.server.streams[0], false);
	h2_rig_release(r.server.streams[1], false);
	h2_rig_close(&r);
	text_free(&t);
}

Test(h2_ends, a_caller_that_closes_in_order)
{
	struct text t = TEXT_EMPTY;
	struct h2_rig r;

	h2_rig_init(&r);
	h2_rig_open(&r, H2_SERVER);
	h2_put_preface(&t);
	h2_rig_send(&r, &t);
	h2_rig_hang_up(&r);
	h2_rig_expect_over(r.server.session, H2_END_CLOSED, "closed");
	h2_rig_close(&r);
	text_free(&t);
}

Test(h2_ends, no_preface_in_time)
{
	struct text t = TEXT_EMPTY;
	struct h2_rig r;

	clock_fake(1000, 0);
	h2_rig_init(&r);
	h2_rig_open(&r, H2_SERVER);
	text_add_z(&t, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
	h2_rig_send(&r, &t);
	h2_rig_at(&r, 15900);
	cr_expect_eq(h2_session_state(r.server.session), H2_OPEN);
	h2_rig_at(&r, 16100);
	h2_rig_expect_over(r.server.session, H2_END_LATE, "preface");
	h2_rig_close(&r);
	text_free(&t);
	clock_unfake();
}

/* The time counts from the block's begin, whatever trickles in. */
Test(h2_ends, a_field_block_that_does_not_end)
{
	struct text t = TEXT_EMPTY;
	struct h2_rig r;

	clock_fake(1000, 0);
	h2_rig_init(&r);
	h2_rig_open(&r, H2_SERVER);
	h2_put_preface(&t);
	h2_rig_send(&r, &t);
	h2_rig_at(&r, 500000);
	cr_expect_eq(h2_session_state(r.server.session), H2_OPEN);
	h2_put_frame(&t, H2_FRAME_HEADERS, 0, 1, STR("\x82"));
	h2_rig_send(&r, &t);
	clock_fake(510000, 0);
	h2_put_frame(&t, H2_FRAME_CONTINUATION, 0, 1, STR("\x84"));
	h2_rig_send(&r, &t);
	cr_expect_eq(h2_session_state(r.server.session), H2_OPEN);
	h2_rig_at(&r, 515100);
	h2_rig_expect_over(r.server.session, H2_END_LATE, "field block");
	cr_expect_eq(r.server.counts[H2_HEAD_LATE], 1);
	cr_expect_eq(
	    h2_rig_code(&r, H2_FRAME_GOAWAY), NGHTTP2_ENHANCE_YOUR_CALM);
	cr_expect_eq(r.server.n_streams, 0);
	h2_rig_close(&r);
	text_free(&t);
	clock_unfake();
}

Test(h2_ends, a_ping_finds_the_dead)
{
	struct text t = TEXT_EMPTY;
	struct stream *st;
	struct str payload;
	struct h2_frame f;
	struct h2_rig r;

	clock_fake(1000, 0);
	h2_rig_init(&r);
	r.limits.ping_ms = 5000;
	r.limits.ping_timeout_ms = 2000;
	h2_rig_open(&r, H2_CLIENT);
	h2_put_frame(&t, H2_FRAME_SETTINGS, 0, 0, STR_NONE);
	h2_rig_send(&r, &t);
	h2_rig_at(&r, 20000);
	cr_expect_not(h2_rig_next(&r, H2_FRAME_PING, &f, &payload),
	    "nobody asks while no stream is open");
	r.parsed = 24;
	st = h2_rig_ask(&r, "/");
	h2_rig_at(&r, 25100);
	cr_assert(h2_rig_next(&r, H2_FRAME_PING, &f, &payload));
	h2_put_frame(&t, H2_FRAME_PING, H2_FLAG_ACK, 0, payload);
	h2_rig_send(&r, &t);
	h2_rig_at(&r, 29000);
	cr_expect_not(h2_rig_next(&r, H2_FRAME_PING, &f, &payload));
	h2_rig_at(&r, 30200);
	cr_assert(h2_rig_next(&r, H2_FRAME_PING, &f, &payload));
	cr_expect_eq(h2_session_state(r.client.session), H2_OPEN);
	h2_rig_at(&r, 32300);
	h2_rig_expect_over(r.client.session, H2_END_SILENT, "PING");
	cr_expect_eq(r.client.counts[H2_KEEPALIVE_TIMEOUT], 1);
	h2_rig_expect_failed(st, STREAM_WIRE);
	h2_rig_release(st, false);
	h2_rig_close(&r);
	text_free(&t);
	clock_unfake();
}

static void
on_lingered(void *arg)
{
	bool *done = arg;

	*done = true;
}

/* The last words arrive, though the peer still talks. */
Test(h2_ends, lingering)
{
	struct text t = TEXT_EMPTY;
	bool is_done = false;
	struct h2_rig r;

	h2_rig_init(&r);
	h2_rig_open(&r, H2_SERVER);
	h2_put_preface(&t);
	h2_put_request(&t, 1, 0);
	h2_put_frame(&t, H2_FRAME_DATA, 0, 0, STR("breach"));
	h2_rig_send_deaf(&r, &t);
	cr_expect_eq(h2_session_state(r.server.session), H2_OVER);
	h2_session_linger(r.server.session, on_lingered, &is_done);
	for (int i = 0; i < 20; i++)
		h2_put_frame(&t, H2_FRAME_PING, 0, 0, STR("12345678"));
	h2_rig_send(&r, &t);
	cr_expect_not(is_done);
	cr_expect(r.is_eof);
	cr_expect_eq(h2_rig_code(&r, H2_FRAME_GOAWAY), NGHTTP2_PROTOCOL_ERROR);
	h2_rig_hang_up(&r);
	cr_expect(is_done);
	h2_rig_close(&r);
	text_free(&t);
}
