/* SPDX-License-Identifier: Apache-2.0 */
/* http/h1_session.h in the server role: requests in, answers out. */

#include "unit/http/session_rig.h"

#include <stdlib.h>
#include <sys/socket.h>

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"
#define OK(length, body) \
	"HTTP/1.1 200 OK\r\nContent-Length: " length "\r\n\r\n" body

/* The next request has this path and body; it is answered with its body. */
static void
expect_request(struct rig *r, const char *path, const char *body, size_t credit)
{
	struct text got = TEXT_EMPTY;
	struct head *h;

	cr_assert_eq(rig_pull_head(r, &h), PULL_DATA, "%s: %s", path,
	    stream_error_text(r->stream->error));
	cr_expect(str_eq(h->path, str_of(path)), "'%.*s', not '%s'",
	    STR_ARG(h->path), path);
	cr_expect_eq(rig_pull_body(r, credit, &got), PULL_END, "%s", path);
	cr_expect(str_eq(text_str(&got), str_of(body)), "%s: '%.*s'", path,
	    STR_ARG(text_str(&got)));
	text_free(&got);
}

static void
serve(struct rig *r, const char *path, const char *body, size_t credit)
{
	expect_request(r, path, body, credit);
	rig_answer(r, path);
	rig_release(r, true);
	cr_expect(h1_session_can_reuse(r->session), "%s", path);
	rig_next(r);
}

Test(h1_server, one_request_after_the_other)
{
	struct rig r;

	rig_open(&r, H1_SERVER);
	for (int i = 0; i < 3; i++) {
		rig_send(&r, STR(GET));
		serve(&r, "/", "", SIZE_MAX);
		rig_expect_got(&r, OK("1", "/"));
		cr_expect_not(h1_session_has_input(r.session));
	}
	rig_close(&r);
}

#define PIPELINE                                                            \
	"GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"                                \
	"POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"     \
	"\r\nPOST /3 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n" \
	"\r\n3\r\nabc\r\n4;x\r\ndefg\r\n0\r\n\r\n"                          \
	"GET /4 HTTP/1.1\r\nHost: a\r\n\r\n"

static void
expect_pipeline(struct rig *r, size_t credit)
{
	serve(r, "/1", "", credit);
	serve(r, "/2", "hello", credit);
	serve(r, "/3", "abcdefg", credit);
	serve(r, "/4", "", credit);
	rig_expect_got(
	    r, OK("2", "/1") OK("2", "/2") OK("2", "/3") OK("2", "/4"));
}

Test(h1_server, pipelined_requests_wait_for_each_other)
{
	struct rig r;

	rig_open(&r, H1_SERVER);
	for (size_t credit = 1; credit < 9; credit++) {
		rig_send(&r, STR(PIPELINE));
		expect_pipeline(&r, credit);
	}
	rig_close(&r);
}

Test(h1_server, pipelined_requests_cut_anywhere)
{
	struct str all = STR(PIPELINE);
	struct rig r;
	struct head *h;

	rig_open(&r, H1_SERVER);
	for (size_t cut = 1; cut < all.len; cut++) {
		rig_send(&r, str_first(all, cut));
		/* It has what came before the rest does. */
		if (cut < 10)
			cr_expect_eq(rig_pull_head(&r, &h), PULL_WAIT);
		rig_turn(&r);
		rig_send(&r, str_from(all, cut));
		expect_pipeline(&r, SIZE_MAX);
	}
	rig_close(&r);
}

Test(h1_server, a_head_that_trickles_in)
{
	struct str all = STR(POST "Content-Length: 3\r\n\r\nabc");
	struct rig r;
	struct head *h;

	rig_open(&r, H1_SERVER);
	cr_expect_not(h1_session_has_input(r.session));
	for (size_t i = 0; i < all.len - 4; i++) {
		rig_send(&r, str_first(str_from(all, i), 1));
		cr_assert_eq(rig_pull_head(&r, &h), PULL_WAIT);
		cr_expect(h1_session_has_input(r.session));
	}
	rig_send(&r, str_from(all, all.len - 4));
	serve(&r, "/", "abc", 2);
	rig_close(&r);
}

Test(h1_server, the_head_stays_while_the_body_is_read)
{
	struct text got = TEXT_EMPTY;
	struct rig r;
	struct head *h;

	rig_open(&r, H1_SERVER);
	rig_send(&r, STR("POST /kept HTTP/1.1\r\nHost: a\r\nX-Kept: yes\r\n"
			 "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n"));
	cr_assert_eq(rig_pull_head(&r, &h), PULL_DATA);
	rig_send(&r, STR("1\r\nb\r\n2\r\ncd\r\n0\r\n\r\n" GET));
	cr_expect_eq(rig_pull_body(&r, SIZE_MAX, &got), PULL_END);
	cr_expect(str_eq(text_str(&got), STR("abcd")));
	cr_expect(str_eq(h->path, STR("/kept")));
	cr_expect(str_eq(h->fields[1].value, STR("yes")));
	cr_expect_eq(r.stream->bytes_in, 4);
	text_free(&got);
	rig_close(&r);
}

Test(h1_server, a_big_body_behind_a_head)
{
	struct text body = TEXT_EMPTY, all = TEXT_EMPTY;
	struct rig r;

	for (unsigned i = 0; i < 10000; i++)
		text_addf(&body, "%u,", i);
	text_addf(
	    &all, POST "Content-Length: %zu\r\n\r\n%s" GET, body.len, body.p);
	rig_open(&r, H1_SERVER);
	rig_send(&r, text_str(&all));
	serve(&r, "/", body.p, 7777);
	serve(&r, "/", "", 1);
	rig_expect_got(&r, OK("1", "/") OK("1", "/"));
	text_free(&body);
	text_free(&all);
	rig_close(&r);
}

Test(h1_server, a_head_bigger_than_most)
{
	struct text all = TEXT_EMPTY;
	struct rig r;
	struct head *h;

	text_add_z(&all, "GET / HTTP/1.1\r\nHost: a\r\nX: ");
	while (all.len < 60000)
		text_add_char(&all, 'x');
	text_add_z(&all, "\r\n\r\n" GET);
	rig_open(&r, H1_SERVER);
	rig_send(&r, text_str(&all));
	cr_assert_eq(rig_pull_head(&r, &h), PULL_DATA);
	cr_expect_eq(h->fields[1].value.len, 60000 - 28);
	rig_answer(&r, "");
	rig_release(&r, true);
	rig_next(&r);
	serve(&r, "/", "", 1);
	text_free(&all);
	rig_close(&r);
}

Test(h1_server, a_continue_is_passed_on_and_then_the_answer)
{
	struct text got = TEXT_EMPTY;
	struct rig r;
	struct head *h, cont;

	rig_open(&r, H1_SERVER);
	rig_send(
	    &r, STR(POST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"));
	cr_assert_eq(rig_pull_head(&r, &h), PULL_DATA);
	cr_expect(h->expects_continue);
	head_init(&cont);
	cont.status = 100;
	cont.reason = STR("Continue");
	r.stream->ops->push_head(r.stream, &cont, false);
	r.stream->ops->flush(r.stream);
	rig_expect_got(&r, "HTTP/1.1 100 Continue\r\n\r\n");
	rig_send(&r, STR("hi"));
	cr_expect_eq(rig_pull_body(&r, SIZE_MAX, &got), PULL_END);
	cr_expect(str_eq(text_str(&got), STR("hi")));
	rig_answer(&r, "x");
	rig_expect_got(&r, OK("1", "x"));
	rig_release(&r, true);
	cr_expect(h1_session_can_reuse(r.session));
	text_free(&got);
	rig_close(&r);
}

Test(h1_server, an_answer_instead_of_the_continue_closes)
{
	struct rig r;
	struct head *h;

	rig_open(&r, H1_SERVER);
	rig_send(
	    &r, STR(POST "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"));
	cr_assert_eq(rig_pull_head(&r, &h), PULL_DATA);
	rig_answer(&r, "no");
	rig_expect_got(&r,
	    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n"
	    "\r\nno");
	rig_release(&r, true);
	cr_expect_not(h1_session_can_reuse(r.session));
	rig_close(&r);
}

Test(h1_server, early_answer_with_an_unread_body_cannot_be_reused)
{
	struct rig r;
	struct head *h;

	rig_open(&r, H1_SERVER);
	rig_send(&r, STR(POST "Content-Length: 5\r\n\r\nab"));
	cr_assert_eq(rig_pull_head(&r, &h), PULL_DATA);
	rig_answer(&r, "no");
	rig_release(&r, true);
	cr_expect_not(h1_session_can_reuse(r.session));
	rig_close(&r);
}

/* clang-format off */
static const struct {
	const char *what;
	struct str in;
	bool does_end;
	enum stream_error error;
} errors[] = {
	{ "TLS", STR("\x16\x03\x01\x02"), false, STREAM_LOOKS_TLS },
	{ "one byte of TLS", STR("\x16"), false, STREAM_LOOKS_TLS },
	{ "0x16 and no TLS", STR("\x16\x04"), false, STREAM_BAD_MESSAGE },
	{ "HTTP/2", STR("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), false, STREAM_PREFACE },
	{ "another version", STR("GET / HTTP/2.0\r\n\r\n"), false, STREAM_VERSION },
	{ "HTTP/1.0", STR("GET / HTTP/1.0\r\n\r\n"), false, STREAM_VERSION },
	{ "no HTTP", STR("SSH-2.0-x\r\n"), false, STREAM_BAD_MESSAGE },
	{ "no Host", STR("GET / HTTP/1.1\r\n\r\n"), false, STREAM_NO_HOST },
	{ "another coding", STR(POST "Transfer-Encoding: gzip\r\n\r\n"), false, STREAM_NOT_IMPLEMENTED },
	{ "closed", STR(""), true, STREAM_IDLE_CLOSED },
	{ "closed within a head", STR("GET / HT"), true, STREAM_CUT },
};
/* clang-format on */

Test(h1_server, heads_that_cannot_be_served)
{
	struct rig r;
	struct head *h;

	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		rig_open(&r, H1_SERVER);
		if (errors[i].in.len > 0)
			rig_send(&r, errors[i].in);
		if (errors[i].does_end)
			rig_hang_up(&r);
		cr_expect_eq(
		    rig_pull_head(&r, &h), PULL_FAIL, "%s", errors[i].what);
		cr_expect_eq(r.stream->error, errors[i].error, "%s: %s",
		    errors[i].what, stream_error_text(r.stream->error));
		cr_expect_not(h1_session_can_reuse(r.session));
		rig_close(&r);
	}
}

Test(h1_server, an_endless_head_is_too_large_and_then_answered)
{
	struct text all = TEXT_EMPTY;
	struct rig r;
	struct head *h;

	text_add_z(&all, "GET / HTTP/1.1\r\nX: ");
	while (all.len < 70000)
		text_add_char(&all, 'x');
	rig_open(&r, H1_SERVER);
	rig_send(&r, text_str(&all));
	cr_expect_eq(rig_pull_head(&r, &h), PULL_FAIL);
	cr_expect_eq(r.stream->error, STREAM_TOO_LARGE);
	rig_answer(&r, "");
	rig_expect_got(&r, "HTTP/1.1 200 OK\r\nContent-Length: "
			   "0\r\nConnection: close\r\n\r\n");
	rig_release(&r, true);
	cr_expect_not(h1_session_can_reuse(r.session));
	text_free(&all);
	rig_close(&r);
}

/* clang-format off */
static const struct {
	const char *what;
	struct str in;
	enum stream_error error;
} cut_bodies[] = {
	{ "a length not reached", STR(POST "Content-Length: 5\r\n\r\nab"), STREAM_CUT },
	{ "no last chunk", STR(POST "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n"), STREAM_CUT },
	{ "half the last chunk", STR(POST "Transfer-Encoding: chunked\r\n\r\n0\r\n"), STREAM_CUT },
	{ "a bad chunk", STR(POST "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n"), STREAM_BAD_MESSAGE },
	{ "bad trailers", STR(POST "Transfer-Encoding: chunked\r\n\r\n0\r\nA : 1\r\n\r\n"), STREAM_BAD_MESSAGE },
	{ "a bare LF in trailers", STR(POST "Transfer-Encoding: chunked\r\n\r\n0\r\nA: 1\n\r\n"), STREAM_BAD_MESSAGE },
};
/* clang-format on */

Test(h1_server, bodies_that_do_not_end_well)
{
	struct text got = TEXT_EMPTY;
	struct rig r;
	struct head *h;

	for (size_t i = 0; i < ARRAY_LEN(cut_bodies); i++) {
		rig_open(&r, H1_SERVER);
		rig_send(&r, cut_bodies[i].in);
		rig_hang_up(&r);
		cr_assert_eq(
		    rig_pull_head(&r, &h), PULL_DATA, "%s", cut_bodies[i].what);
		cr_expect_eq(rig_pull_body(&r, SIZE_MAX, &got), PULL_FAIL, "%s",
		    cut_bodies[i].what);
		cr_expect_eq(r.stream->error, cut_bodies[i].error, "%s: %s",
		    cut_bodies[i].what, stream_error_text(r.stream->error));
		cr_expect_eq(rig_pull_body(&r, SIZE_MAX, &got), PULL_FAIL);
		rig_release(&r, false);
		cr_expect_not(h1_session_can_reuse(r.session));
		rig_close(&r);
	}
	text_free(&got);
}

Test(h1_server, a_reset_is_no_end)
{
	struct text got = TEXT_EMPTY;
	struct rig r;
	struct head *h;

	rig_open(&r, H1_SERVER);
	rig_send(&r, STR(POST "Content-Length: 5\r\n\r\n"));
	cr_assert_eq(rig_pull_head(&r, &h), PULL_DATA);
	rig_answer(&r, "unread");
	rig_hang_up(&r);
	cr_expect_eq(rig_pull_body(&r, SIZE_MAX, &got), PULL_FAIL);
	cr_expect_eq(r.stream->error, STREAM_RESET);
	text_free(&got);
	rig_close(&r);
}

Test(h1_server, close_is_answered_with_close)
{
	struct rig r;

	rig_open(&r, H1_SERVER);
	rig_send(&r,
	    STR("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" GET));
	expect_request(&r, "/", "", 1);
	rig_answer(&r, "");
	rig_expect_got(&r, "HTTP/1.1 200 OK\r\nContent-Length: "
			   "0\r\nConnection: close\r\n\r\n");
	rig_release(&r, true);
	cr_expect_not(h1_session_can_reuse(r.session));
	rig_close(&r);
}

Test(h1_server, close_after_says_so)
{
	struct rig r;

	rig_open(&r, H1_SERVER);
	rig_send(&r, STR(GET));
	expect_request(&r, "/", "", 1);
	h1_session_close_after(r.session);
	rig_answer(&r, "");
	rig_expect_got(&r, "HTTP/1.1 200 OK\r\nContent-Length: "
			   "0\r\nConnection: close\r\n\r\n");
	rig_release(&r, true);
	cr_expect_not(h1_session_can_reuse(r.session));
	rig_close(&r);
}

Test(h1_server, on_ready_comes_with_bytes)
{
	struct rig r;
	struct head *h;

	rig_open(&r, H1_SERVER);
	rig_turn(&r);
	cr_expect_eq(r.stream->ops->pull_head(r.stream, &h), PULL_WAIT);
	r.ready = 0;
	rig_turn(&r);
	cr_expect_eq(r.ready, 0);
	rig_send(&r, STR("GET / "));
	rig_turn(&r);
	cr_expect_eq(r.ready, 1);
	cr_expect_eq(r.stream->ops->pull_head(r.stream, &h), PULL_WAIT);
	rig_send(&r, STR("HTTP/1.1\r\nHost: a\r\n\r\n"));
	rig_turn(&r);
	cr_expect_eq(r.ready, 2);
	cr_expect_eq(r.stream->ops->pull_head(r.stream, &h), PULL_DATA);
	rig_close(&r);
}

static void
note(void *arg)
{
	bool *is_done = arg;

	*is_done = true;
}

Test(h1_server, lingering_sends_the_answer_and_waits_for_the_peer)
{
	bool is_done = false;
	struct rig r;
	struct head *h;

	rig_open(&r, H1_SERVER);
	rig_send(&r, STR(POST "Content-Length: 100000\r\n\r\nab"));
	cr_assert_eq(rig_pull_head(&r, &h), PULL_DATA);
	h1_session_close_after(r.session);
	rig_answer(&r, "no");
	rig_release(&r, true);
	h1_session_linger(r.session, note, &is_done);
	cr_expect_not(is_done, "not from inside a call");
	rig_send(&r, STR("more that nobody reads"));
	rig_expect_got(&r,
	    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n"
	    "\r\nno");
	cr_expect(r.is_eof);
	cr_expect_not(is_done);
	rig_hang_up(&r);
	rig_turn(&r);
	cr_expect(is_done);
	rig_close(&r);
}

/*
 * Who sends and sends finds his socket full, but no reset: that could take the
 * answer from him.  When it is enough is the business of who lingers.
 */
Test(h1_server, lingering_does_not_read_for_ever)
{
	bool is_done = false;
	struct rig r;
	char junk[16384] = { 0 };
	size_t sent = 0;
	ssize_t n;

	rig_open(&r, H1_SERVER);
	rig_send(&r, STR("x\r\n"));
	h1_session_linger(r.session, note, &is_done);
	for (unsigned full = 0; full < 100 && sent < 64 * 1024 * 1024;) {
		n = send(r.peer, junk, sizeof(junk), MSG_NOSIGNAL);
		full = n > 0 ? 0 : full + 1;
		if (n > 0)
			sent += (size_t)n;
		else
			cr_assert_eq(errno, EAGAIN);
		loop_turn(r.loop);
	}
	cr_expect_not(is_done);
	cr_expect_gt(sent, 1024 * 1024);
	cr_expect_lt(sent, 64 * 1024 * 1024);
	rig_close(&r);
}
