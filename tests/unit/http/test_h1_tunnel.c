/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a session after 101, in both roles. */

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "unit/http/session_rig.h"

#define NAMED "Connection: Upgrade\r\nUpgrade: websocket\r\n"
#define ASKED "GET /chat HTTP/1.1\r\nHost: a\r\n" NAMED "\r\n"
#define AGREED "HTTP/1.1 101 Switching Protocols\r\n" NAMED "\r\n"

static const struct stream_ops *
ops_of(const struct rig *r)
{
	return r->stream->ops;
}

static void
push(struct rig *r, const char *bytes)
{
	ops_of(r)->push_body(r->stream, str_of(bytes));
	ops_of(r)->flush(r->stream);
}

static void
push_end(struct rig *r)
{
	ops_of(r)->push_end(r->stream, NULL);
	ops_of(r)->flush(r->stream);
}

static void
expect_pulled(struct rig *r, const char *want, enum pull end)
{
	struct text got = TEXT_EMPTY;
	enum pull p = rig_pull_body(r, SIZE_MAX, &got);

	cr_expect_eq(p, end, "'%s': %d, %s", want, (int)p,
	    stream_error_text(r->stream->error));
	cr_expect(str_eq(text_str(&got), str_of(want)), "'%.*s', not '%s'",
	    STR_ARG(text_str(&got)), want);
	text_free(&got);
}

/* Client role: the request is out. */
static void
ask(struct rig *r)
{
	struct head h;

	head_init(&h);
	h.is_request = true;
	h.method = STR("GET");
	h.path = STR("/chat");
	h.authority = STR("a");
	h.upgrade = STR("websocket");
	h.body = BODY_TUNNEL;
	ops_of(r)->push_head(r->stream, &h, false);
	ops_of(r)->flush(r->stream);
	rig_expect_got(r, ASKED);
}

static void
ask_and_switch(struct rig *r, struct str answer)
{
	struct head *h;

	rig_open(r, H1_CLIENT);
	ask(r);
	rig_send(r, answer);
	cr_assert_eq(rig_pull_head(r, &h), PULL_DATA);
	cr_assert_eq(h->status, 101);
	cr_expect_eq(h->body, BODY_TUNNEL);
	cr_expect(str_eq(h->upgrade, STR("websocket")));
}

/* Server role: the request is there. */
static void
take(struct rig *r, struct str bytes)
{
	struct head *h;

	rig_open(r, H1_SERVER);
	rig_send(r, bytes);
	cr_assert_eq(rig_pull_head(r, &h), PULL_DATA);
	cr_assert(str_eq(h->upgrade, STR("websocket")));
}

static void
agree(struct rig *r)
{
	struct head h;

	head_init(&h);
	h.status = 101;
	h.reason = STR("Switching Protocols");
	h.upgrade = STR("websocket");
	h.body = BODY_TUNNEL;
	ops_of(r)->push_head(r->stream, &h, false);
	ops_of(r)->flush(r->stream);
}

static void
finish_whole(struct rig *r)
{
	rig_turn(r);
	cr_expect_gt(ops_of(r)->can_push(r->stream), 0, "all of it is out");
	rig_release(r, true);
	cr_expect_not(h1_session_can_reuse(r->session));
	rig_close(r);
}

Test(h1_tunnel, client_role_moves_bytes_until_both_have_ended)
{
	struct rig r;

	ask_and_switch(&r, STR(AGREED));
	rig_send(&r, STR("HTTP/1.1 200 OK\r\n\r\n"));
	expect_pulled(&r, "HTTP/1.1 200 OK\r\n\r\n", PULL_WAIT);
	push(&r, "GET / HTTP/1.1\r\n\r\n");
	push(&r, "2");
	rig_expect_got(&r, "GET / HTTP/1.1\r\n\r\n2");
	push(&r, "last");
	push_end(&r);
	rig_expect_got(&r, "last");
	cr_expect(r.is_eof, "our direction has ended");
	rig_send(&r, STR("still"));
	expect_pulled(&r, "still", PULL_WAIT);
	cr_assert_eq(shutdown(r.peer, SHUT_WR), 0);
	expect_pulled(&r, "", PULL_END);
	expect_pulled(&r, "", PULL_END);
	cr_expect_eq(r.stream->error, STREAM_OK);
	cr_expect_eq(r.stream->bytes_in, 24);
	cr_expect_eq(r.stream->bytes_out, 23);
	cr_expect_null(ops_of(&r)->trailers(r.stream));
	finish_whole(&r);
}

Test(h1_tunnel, server_role_moves_bytes_until_both_have_ended)
{
	struct rig r;

	take(&r, STR(ASKED));
	agree(&r);
	rig_expect_got(&r, AGREED);
	rig_send(&r, STR(ASKED "x"));
	expect_pulled(&r, ASKED "x", PULL_WAIT);
	cr_assert_eq(shutdown(r.peer, SHUT_WR), 0);
	expect_pulled(&r, "", PULL_END);
	push(&r, "after");
	rig_expect_got(&r, "after");
	cr_expect_not(r.is_eof);
	push_end(&r);
	rig_expect_got(&r, "");
	cr_expect(r.is_eof);
	finish_whole(&r);
}

Test(h1_tunnel, bytes_behind_the_head_are_its_first_wherever_they_are_cut)
{
	struct str all = STR(AGREED "HTTP/1.1 100 x\r\n\r\n");
	struct rig r;
	struct head *h;

	for (size_t cut = 1; cut < all.len; cut++) {
		rig_open(&r, H1_CLIENT);
		ask(&r);
		rig_send(&r, str_first(all, cut));
		loop_turn(r.loop);
		if (cut < sizeof(AGREED) - 1)
			cr_assert_eq(rig_pull_head(&r, &h), PULL_WAIT);
		rig_send(&r, str_from(all, cut));
		cr_assert_eq(rig_pull_head(&r, &h), PULL_DATA);
		expect_pulled(&r, "HTTP/1.1 100 x\r\n\r\n", PULL_WAIT);
		rig_close(&r);
	}
}

Test(h1_tunnel, bytes_behind_the_request_are_its_first)
{
	struct rig r;

	take(&r, STR(ASKED "GET / HTTP/1.1\r\n"));
	agree(&r);
	expect_pulled(&r, "GET / HTTP/1.1\r\n", PULL_WAIT);
	rig_close(&r);
}

/* More of them than the room of a head takes. */
Test(h1_tunnel, many_bytes_behind_the_request)
{
	enum { N = 100000 };
	struct text all = TEXT_EMPTY, got = TEXT_EMPTY;
	struct rig r;

	text_add_z(&all, ASKED);
	for (unsigned i = 0; i < N; i++)
		text_add_char(&all, (char)('a' + i % 26));
	take(&r, text_str(&all));
	agree(&r);
	cr_expect_eq(rig_pull_body(&r, 1000, &got), PULL_WAIT);
	cr_expect(str_eq(
	    text_str(&got), str_from(text_str(&all), sizeof(ASKED) - 1)));
	text_free(&all);
	text_free(&got);
	rig_close(&r);
}

Test(h1_tunnel, big_pieces_are_not_framed)
{
	enum { N = 50000 };
	char *big = xmalloc(N + 1);
	struct rig r;

	memset(big, 'x', N);
	big[N] = '\0';
	ask_and_switch(&r, STR(AGREED));
	push(&r, big);
	rig_expect_got(&r, big);
	free(big);
	rig_close(&r);
}

Test(h1_tunnel, interim_answers_may_come_first)
{
	struct rig r;
	struct head *h;

	rig_open(&r, H1_CLIENT);
	ask(&r);
	rig_send(&r, STR("HTTP/1.1 103 x\r\n\r\n" AGREED "a"));
	cr_assert_eq(rig_pull_head(&r, &h), PULL_DATA);
	cr_assert_eq(h->status, 103);
	cr_assert_eq(rig_pull_head(&r, &h), PULL_DATA);
	cr_assert_eq(h->status, 101);
	expect_pulled(&r, "a", PULL_WAIT);
	rig_close(&r);
}

static const struct {
	const char *what;
	bool asks;
	enum body_kind body;
} unasked[] = {
	{ "nothing was asked", false, BODY_NONE },
	{ "asked for, and not by who would carry it", true, BODY_NONE },
};

Test(h1_tunnel, nobody_switches_who_was_not_asked)
{
	struct rig r;
	struct head h, *a;

	for (size_t i = 0; i < ARRAY_LEN(unasked); i++) {
		rig_open(&r, H1_CLIENT);
		head_init(&h);
		h.is_request = true;
		h.method = STR("GET");
		h.path = STR("/chat");
		h.authority = STR("a");
		h.upgrade = unasked[i].asks ? STR("websocket") : STR_NONE;
		ops_of(&r)->push_head(r.stream, &h, true);
		ops_of(&r)->flush(r.stream);
		rig_send(&r, STR(AGREED));
		cr_expect_eq(
		    rig_pull_head(&r, &a), PULL_FAIL, "%s", unasked[i].what);
		cr_expect_eq(r.stream->error, STREAM_BAD_MESSAGE);
		rig_close(&r);
	}
}

Test(h1_tunnel, a_server_that_declines_keeps_its_connection)
{
	struct rig r;
	struct head *h;

	rig_open(&r, H1_CLIENT);
	ask(&r);
	rig_send(&r, STR("HTTP/1.1 404 x\r\nContent-Length: 2\r\n\r\nno"));
	cr_assert_eq(rig_pull_head(&r, &h), PULL_DATA);
	cr_expect_eq(h->status, 404);
	expect_pulled(&r, "no", PULL_END);
	push_end(&r);
	rig_release(&r, true);
	cr_expect(h1_session_can_reuse(r.session));
	rig_next(&r);
	rig_ask(&r, "GET");
	rig_expect_got(&r, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	rig_close(&r);
}

/* The next request may come: nothing was promised. */
Test(h1_tunnel, a_caller_whose_wish_is_declined_may_ask_more)
{
	struct rig r;
	struct head *h;

	take(&r, STR(ASKED));
	rig_answer(&r, "no");
	rig_expect_got(&r, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno");
	rig_release(&r, true);
	cr_assert(h1_session_can_reuse(r.session));
	rig_next(&r);
	rig_send(&r, STR("GET / HTTP/1.1\r\nHost: a\r\n\r\n"));
	cr_expect_eq(rig_pull_head(&r, &h), PULL_DATA);
	cr_expect_eq(h->upgrade.len, 0);
	rig_close(&r);
}

/* The server would read it as the next request. */
Test(h1_tunnel, nothing_is_sent_before_it_stands)
{
	struct rig r;

	rig_open(&r, H1_CLIENT);
	ask(&r);
	push(&r, "GET /admin HTTP/1.1\r\n\r\n");
	cr_expect_eq(ops_of(&r)->can_push(r.stream), 0);
	rig_expect_got(&r, "");
	rig_release(&r, false);
	cr_expect_not(h1_session_can_reuse(r.session));
	rig_close(&r);
}

static const struct {
	const char *what;
	struct str in;
} no_switch[] = {
	{ "no wish", STR("GET / HTTP/1.1\r\nHost: a\r\n\r\n") },
	{ "a body is to come",
	    STR("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n" NAMED
		"\r\n") },
};

Test(h1_tunnel, a_front_does_not_switch_where_it_cannot)
{
	struct rig r;
	struct head *h;

	for (size_t i = 0; i < ARRAY_LEN(no_switch); i++) {
		rig_open(&r, H1_SERVER);
		rig_send(&r, no_switch[i].in);
		cr_assert_eq(rig_pull_head(&r, &h), PULL_DATA);
		agree(&r);
		cr_expect_eq(
		    ops_of(&r)->can_push(r.stream), 0, "%s", no_switch[i].what);
		rig_expect_got(&r, "");
		rig_release(&r, true);
		cr_expect_not(h1_session_can_reuse(r.session));
		rig_close(&r);
	}
}

/* An answer of 101 keeps its Connection to itself. */
Test(h1_tunnel, a_session_that_is_closing_switches_without_saying_close)
{
	struct rig r;

	take(&r, STR(ASKED));
	h1_session_close_after(r.session);
	agree(&r);
	rig_expect_got(&r, AGREED);
	rig_close(&r);
}

/* The end of TLS without close_notify, as the wire tells of it. */
static enum io
read_cut(struct wire *w, struct span *out)
{
	(void)w;
	*out = (struct span){ .p = NULL };
	return IO_CUT;
}

static void
cut_wire(struct rig *r, struct wire_ops *ops)
{
	struct wire *w = h1_session_wire(r->session);

	*ops = *w->ops;
	ops->read = read_cut;
	w->ops = ops;
}

Test(h1_tunnel, a_cut_is_an_end_that_is_told)
{
	struct wire_ops ops;
	struct rig r;

	ask_and_switch(&r, STR(AGREED));
	cut_wire(&r, &ops);
	expect_pulled(&r, "", PULL_END);
	cr_expect_eq(r.stream->error, STREAM_CUT);
	push(&r, "still");
	push_end(&r);
	rig_expect_got(&r, "still");
	cr_expect(r.is_eof);
	finish_whole(&r);
}

static void
reset_by_peer(struct rig *r)
{
	/* With unread bytes in its socket. */
	push(r, "unread");
	rig_hang_up(r);
	loop_turn(r->loop);
}

Test(h1_tunnel, a_reset_is_a_failure)
{
	struct rig r;

	ask_and_switch(&r, STR(AGREED));
	reset_by_peer(&r);
	expect_pulled(&r, "", PULL_FAIL);
	cr_expect_eq(r.stream->error, STREAM_RESET);
	rig_release(&r, false);
	cr_expect_not(h1_session_can_reuse(r.session));
	rig_close(&r);
}

/* Though its own direction had ended in order; nothing else would say so. */
Test(h1_tunnel, writing_that_fails_is_told_in_both_roles)
{
	struct rig r;

	for (unsigned role = 0; role < 2; role++) {
		if (role == 0) {
			ask_and_switch(&r, STR(AGREED));
		} else {
			take(&r, STR(ASKED));
			agree(&r);
			rig_expect_got(&r, AGREED);
		}
		cr_assert_eq(shutdown(r.peer, SHUT_WR), 0);
		expect_pulled(&r, "", PULL_END);
		rig_hang_up(&r);
		r.ready = 0;
		push(&r, "x");
		for (int i = 0; i < 3; i++)
			loop_turn(r.loop);
		cr_expect_eq(ops_of(&r)->can_push(r.stream), 0);
		cr_expect_eq(r.stream->error, STREAM_RESET, "role %u", role);
		cr_expect_gt(r.ready, 0);
		rig_release(&r, false);
		rig_close(&r);
	}
}

Test(h1_tunnel, what_is_not_whole_is_reset)
{
	char byte;
	struct rig r;

	take(&r, STR(ASKED));
	agree(&r);
	rig_expect_got(&r, AGREED);
	push_end(&r);
	rig_turn(&r);
	cr_assert(r.is_eof);
	rig_release(&r, false);
	h1_session_linger(r.session, NULL, NULL);
	h1_session_free(r.session);
	loop_turn(r.loop);
	cr_expect_eq(send(r.peer, "x", 1, MSG_NOSIGNAL), -1);
	cr_expect_leq(recv(r.peer, &byte, 1, 0), 0);
	close(r.peer);
	loop_free(r.loop);
	text_free(&r.got);
}

static void
note_done(void *arg)
{
	bool *is_done = arg;

	*is_done = true;
}

/* As a front ends: what the caller has not read yet is not thrown away. */
Test(h1_tunnel, a_lingering_front_sends_the_rest)
{
	enum { N = 4 * 1024 * 1024 };
	char *big = xmalloc(N + 1);
	bool is_done = false;
	struct rig r;

	memset(big, 'x', N);
	big[N] = '\0';
	take(&r, STR(ASKED));
	agree(&r);
	rig_expect_got(&r, AGREED);
	cr_assert_eq(shutdown(r.peer, SHUT_WR), 0);
	expect_pulled(&r, "", PULL_END);
	push(&r, big);
	push_end(&r);
	cr_expect_eq(ops_of(&r)->can_push(r.stream), 0, "not all of it is out");
	rig_release(&r, true);
	h1_session_linger(r.session, note_done, &is_done);
	for (int i = 0; i < 3; i++)
		loop_turn(r.loop);
	cr_expect_not(is_done);
	for (int i = 0; i < 1000 && !r.is_eof; i++)
		rig_turn(&r);
	cr_expect_eq(r.got.len, N);
	rig_turn(&r);
	cr_expect(is_done);
	free(big);
	rig_close(&r);
}
