/* SPDX-License-Identifier: Apache-2.0 */
/* http/h1_session.h in the client role: requests out, answers in. */

#include "unit/http/session_rig.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define ASKED "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define OK "HTTP/1.1 200 OK\r\n"

/* Ask, let the peer send this, and take the head that comes first. */
static enum pull
ask(struct rig *r, const char *method, struct str answer, struct head **h)
{
	rig_ask(r, method);
	rig_turn(r);
	text_clear(&r->got);
	if (answer.len > 0)
		rig_send(r, answer);
	return rig_pull_head(r, h);
}

static void
expect_body(struct rig *r, const char *want, enum pull end)
{
	struct text got = TEXT_EMPTY;
	enum pull p = rig_pull_body(r, SIZE_MAX, &got);

	cr_expect_eq(p, end, "'%s': %d, %s", want, (int)p,
	    stream_error_text(r->stream->error));
	cr_expect(str_eq(text_str(&got), str_of(want)), "'%.*s', not '%s'",
	    STR_ARG(text_str(&got)), want);
	text_free(&got);
}

Test(h1_client, one_exchange_after_the_other)
{
	struct rig r;
	struct head *h;

	rig_open(&r, H1_CLIENT);
	for (int i = 0; i < 3; i++) {
		rig_ask(&r, "GET");
		rig_expect_got(&r, ASKED);
		rig_send(&r, STR(OK "Content-Length: 2\r\n\r\nhi"));
		cr_assert_eq(rig_pull_head(&r, &h), PULL_DATA);
		cr_expect_eq(h->status, 200);
		expect_body(&r, "hi", PULL_END);
		rig_release(&r, true);
		cr_assert(h1_session_can_reuse(r.session));
		rig_next(&r);
	}
	rig_close(&r);
}

/* clang-format off */
static const struct {
	const char *what;
	const char *method;
	struct str answer;
	const char *body;
	bool does_end; /* the peer closes behind it */
	enum pull end;
	enum stream_error error;
	bool can_reuse;
} answers[] = {
	{ "length", "GET", STR(OK "Content-Length: 3\r\n\r\nabc"), "abc", false, PULL_END, STREAM_OK, true },
	{ "no bytes", "GET", STR(OK "Content-Length: 0\r\n\r\n"), "", false, PULL_END, STREAM_OK, true },
	{ "chunks", "GET", STR(OK "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"), "abc", false, PULL_END, STREAM_OK, true },
	{ "204", "GET", STR("HTTP/1.1 204 x\r\n\r\n"), "", false, PULL_END, STREAM_OK, true },
	{ "304", "GET", STR("HTTP/1.1 304 x\r\nContent-Length: 3\r\n\r\n"), "", false, PULL_END, STREAM_OK, true },
	{ "HEAD", "HEAD", STR(OK "Content-Length: 3\r\n\r\n"), "", false, PULL_END, STREAM_OK, true },
	{ "HEAD that sends a body", "HEAD", STR(OK "Content-Length: 3\r\n\r\nabc"), "", false, PULL_END, STREAM_OK, false },
	{ "bytes behind the end", "GET", STR(OK "Content-Length: 3\r\n\r\nabcd"), "abc", false, PULL_END, STREAM_OK, false },
	{ "bytes behind the last chunk", "GET", STR(OK "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nHTTP/1.1 "), "", false, PULL_END, STREAM_OK, false },
	{ "says close", "GET", STR(OK "Connection: close\r\nContent-Length: 3\r\n\r\nabc"), "abc", false, PULL_END, STREAM_OK, false },
	{ "HTTP/1.0", "GET", STR("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc"), "abc", false, PULL_END, STREAM_OK, false },
	{ "HTTP/1.0 that stays", "GET", STR("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 3\r\n\r\nabc"), "abc", false, PULL_END, STREAM_OK, true },
	{ "to the end", "GET", STR(OK "\r\nabc"), "abc", true, PULL_END, STREAM_OK, false },
	{ "to the end, and nothing", "GET", STR(OK "\r\n"), "", true, PULL_END, STREAM_OK, false },
	{ "to the end that has not come", "GET", STR(OK "\r\nabc"), "abc", false, PULL_WAIT, STREAM_OK, false },
	{ "length not reached", "GET", STR(OK "Content-Length: 4\r\n\r\nabc"), "abc", true, PULL_FAIL, STREAM_CUT, false },
	{ "no last chunk", "GET", STR(OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"), "abc", true, PULL_FAIL, STREAM_CUT, false },
	{ "bad chunk", "GET", STR(OK "Transfer-Encoding: chunked\r\n\r\n3x\r\nabc\r\n"), "", false, PULL_FAIL, STREAM_BAD_MESSAGE, false },
};
/* clang-format on */

Test(h1_client, answers_of_all_kinds)
{
	struct rig r;
	struct head *h;

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		rig_open(&r, H1_CLIENT);
		cr_assert_eq(ask(&r, answers[i].method, answers[i].answer, &h),
		    PULL_DATA, "%s", answers[i].what);
		if (answers[i].does_end)
			rig_hang_up(&r);
		expect_body(&r, answers[i].body, answers[i].end);
		cr_expect_eq(
		    r.stream->error, answers[i].error, "%s", answers[i].what);
		rig_release(&r, answers[i].end == PULL_END);
		cr_expect_eq(h1_session_can_reuse(r.session),
		    answers[i].can_reuse, "%s", answers[i].what);
		rig_close(&r);
	}
}

Test(h1_client, answers_cut_anywhere)
{
	struct str all = STR("HTTP/1.1 103 x\r\nA: 1\r\n\r\n" OK
			     "Transfer-Encoding: chunked\r\n\r\n"
			     "1;x\r\na\r\n2\r\nbc\r\n0\r\nB: 2\r\n\r\n");
	struct rig r;
	struct head *h;

	rig_open(&r, H1_CLIENT);
	for (size_t cut = 1; cut < all.len; cut++) {
		rig_ask(&r, "GET");
		rig_send(&r, str_first(all, cut));
		rig_turn(&r);
		if (cut < 20)
			cr_expect_eq(rig_pull_head(&r, &h), PULL_WAIT);
		rig_send(&r, str_from(all, cut));
		cr_assert_eq(rig_pull_head(&r, &h), PULL_DATA);
		cr_expect_eq(h->status, 103);
		cr_assert_eq(rig_pull_head(&r, &h), PULL_DATA);
		cr_expect_eq(h->status, 200);
		expect_body(&r, "abc", PULL_END);
		cr_expect_eq(r.stream->ops->trailers(r.stream)->n_fields, 1);
		rig_release(&r, true);
		cr_assert(h1_session_can_reuse(r.session), "cut at %zu", cut);
		rig_next(&r);
	}
	rig_close(&r);
}

Test(h1_client, interim_answers_come_one_by_one)
{
	struct rig r;
	struct head *h;

	rig_open(&r, H1_CLIENT);
	cr_assert_eq(ask(&r, "GET",
			 STR("HTTP/1.1 100 Continue\r\n\r\n"
			     "HTTP/1.1 103 Hints\r\nLink: a\r\n\r\n"),
			 &h),
	    PULL_DATA);
	cr_expect_eq(h->status, 100);
	cr_assert_eq(rig_pull_head(&r, &h), PULL_DATA);
	cr_expect_eq(h->status, 103);
	cr_expect(str_eq(h->fields[0].value, STR("a")));
	cr_expect_eq(rig_pull_head(&r, &h), PULL_WAIT);
	rig_send(&r, STR(OK "Content-Length: 1\r\n\r\nx"));
	cr_assert_eq(rig_pull_head(&r, &h), PULL_DATA);
	cr_expect_eq(h->status, 200);
	expect_body(&r, "x", PULL_END);
	rig_release(&r, true);
	cr_expect(h1_session_can_reuse(r.session));
	rig_close(&r);
}

Test(h1_client, endless_interim_answers_are_refused)
{
	enum pull p = PULL_DATA;
	struct rig r;
	struct head *h;
	int n;

	rig_open(&r, H1_CLIENT);
	rig_ask(&r, "GET");
	for (n = 0; n < 100 && p == PULL_DATA; n++) {
		rig_send(&r, STR("HTTP/1.1 102 x\r\n\r\n"));
		p = rig_pull_head(&r, &h);
	}
	cr_expect_eq(p, PULL_FAIL);
	cr_expect_eq(n, 17);
	cr_expect_eq(r.stream->error, STREAM_BAD_MESSAGE);
	rig_close(&r);
}

/* clang-format off */
static const struct {
	const char *what;
	struct str answer;
	bool does_end;
	enum stream_error error;
} failures[] = {
	{ "nothing", STR(""), true, STREAM_CLOSED_EARLY },
	{ "half a head", STR("HTTP/1.1 200"), true, STREAM_CUT },
	{ "an upgrade", STR("HTTP/1.1 101 x\r\n\r\n"), false, STREAM_BAD_MESSAGE },
	{ "no HTTP", STR("220 mail.example ESMTP\r\n"), false, STREAM_BAD_MESSAGE },
	{ "HTTP/2", STR("HTTP/2.0 200 OK\r\n\r\n"), false, STREAM_VERSION },
	{ "two lengths", STR(OK "Content-Length: 1\r\nContent-Length: 1\r\n\r\n"), false, STREAM_BAD_MESSAGE },
};
/* clang-format on */

Test(h1_client, failures_before_an_answer)
{
	struct rig r;
	struct head *h;

	for (size_t i = 0; i < ARRAY_LEN(failures); i++) {
		rig_open(&r, H1_CLIENT);
		rig_ask(&r, "GET");
		rig_turn(&r);
		if (failures[i].answer.len > 0)
			rig_send(&r, failures[i].answer);
		if (failures[i].does_end)
			rig_hang_up(&r);
		cr_expect_eq(
		    rig_pull_head(&r, &h), PULL_FAIL, "%s", failures[i].what);
		cr_expect_eq(r.stream->error, failures[i].error, "%s: %s",
		    failures[i].what, stream_error_text(r.stream->error));
		rig_release(&r, false);
		cr_expect_not(h1_session_can_reuse(r.session));
		rig_close(&r);
	}
}

Test(h1_client, a_reset_before_an_answer_is_an_early_close)
{
	struct rig r;
	struct head *h;

	rig_open(&r, H1_CLIENT);
	rig_ask(&r, "GET");
	/* What it has not read makes this a reset. */
	rig_hang_up(&r);
	cr_expect_eq(rig_pull_head(&r, &h), PULL_FAIL);
	cr_expect_eq(r.stream->error, STREAM_CLOSED_EARLY);
	rig_close(&r);
}

Test(h1_client, closed_after_an_interim_answer_is_not_early)
{
	struct rig r;
	struct head *h;

	rig_open(&r, H1_CLIENT);
	cr_assert_eq(
	    ask(&r, "GET", STR("HTTP/1.1 100 x\r\n\r\n"), &h), PULL_DATA);
	rig_hang_up(&r);
	cr_expect_eq(rig_pull_head(&r, &h), PULL_FAIL);
	cr_expect_eq(r.stream->error, STREAM_CUT);
	rig_close(&r);
}

Test(h1_client, nothing_is_read_before_it_asked)
{
	struct rig r;
	struct head *h;

	rig_open(&r, H1_CLIENT);
	rig_send(&r, STR(OK "Content-Length: 0\r\n\r\n"));
	cr_expect_eq(rig_pull_head(&r, &h), PULL_WAIT);
	rig_close(&r);
}

Test(h1_client, released_unused_it_is_as_good_as_before)
{
	struct rig r;

	rig_open(&r, H1_CLIENT);
	rig_release(&r, false);
	cr_expect(h1_session_can_reuse(r.session));
	rig_close(&r);
}

static void
begin_upload(struct rig *r, enum body_kind kind, uint64_t length)
{
	struct head h;

	head_init(&h);
	h.is_request = true;
	h.method = STR("POST");
	h.path = STR("/");
	h.authority = STR("a");
	h.body = kind;
	h.content_length = length;
	r->stream->ops->push_head(r->stream, &h, false);
}

Test(h1_client, an_answer_while_the_request_is_being_sent)
{
	struct rig r;
	struct head *h;

	rig_open(&r, H1_CLIENT);
	begin_upload(&r, BODY_LENGTH, 10);
	r.stream->ops->push_body(r.stream, STR("abc"));
	r.stream->ops->flush(r.stream);
	rig_expect_got(
	    &r, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
	rig_send(&r, STR("HTTP/1.1 413 x\r\nContent-Length: 2\r\n\r\nno"));
	cr_assert_eq(rig_pull_head(&r, &h), PULL_DATA);
	cr_expect_eq(h->status, 413);
	expect_body(&r, "no", PULL_END);
	rig_release(&r, true);
	cr_expect_not(h1_session_can_reuse(r.session));
	rig_close(&r);
}

Test(h1_client, an_answer_is_read_although_writing_failed)
{
	struct rig r;
	struct head *h;

	rig_open(&r, H1_CLIENT);
	begin_upload(&r, BODY_STREAMED, 0);
	r.stream->ops->flush(r.stream);
	rig_turn(&r);
	rig_send(&r, STR("HTTP/1.1 413 x\r\nContent-Length: 2\r\n\r\nno"));
	rig_hang_up(&r);
	r.stream->ops->push_body(r.stream, STR("abc"));
	r.stream->ops->flush(r.stream);
	cr_expect_eq(r.stream->ops->can_push(r.stream), 0);
	cr_expect_eq(r.stream->error, STREAM_OK);
	cr_assert_eq(rig_pull_head(&r, &h), PULL_DATA);
	cr_expect_eq(h->status, 413);
	expect_body(&r, "no", PULL_END);
	rig_release(&r, true);
	cr_expect_not(h1_session_can_reuse(r.session));
	rig_close(&r);
}

Test(h1_client, chunks_of_a_request)
{
	struct rig r;

	rig_open(&r, H1_CLIENT);
	begin_upload(&r, BODY_STREAMED, 0);
	r.stream->ops->push_body(r.stream, STR("abc"));
	r.stream->ops->push_body(r.stream, STR(""));
	r.stream->ops->push_body(r.stream, STR("0123456789abcdef"));
	r.stream->ops->push_end(r.stream, NULL);
	r.stream->ops->flush(r.stream);
	rig_expect_got(&r,
	    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "3\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n");
	rig_close(&r);
}

static void
count(void *arg)
{
	unsigned *n = arg;

	++*n;
}

/* An exchange is over, and the session in its pool. */
static void
open_idle(struct rig *r, unsigned *n, struct str answer)
{
	struct head *h;

	*n = 0;
	rig_open(r, H1_CLIENT);
	cr_assert_eq(ask(r, "GET", answer, &h), PULL_DATA);
	expect_body(r, "", PULL_END);
	rig_release(r, true);
	h1_session_set_idle(r->session, count, n);
	cr_expect_eq(*n, 0, "not from inside a call");
}

#define EMPTY STR(OK "Content-Length: 0\r\n\r\n")

Test(h1_client, idle_and_quiet)
{
	struct head *h;
	struct rig r;
	unsigned n;

	open_idle(&r, &n, EMPTY);
	rig_turn(&r);
	cr_expect_eq(n, 0);
	cr_expect(h1_session_can_reuse(r.session));
	rig_next(&r);
	cr_assert_eq(ask(&r, "GET", EMPTY, &h), PULL_DATA);
	cr_expect_eq(n, 0);
	rig_close(&r);
}

Test(h1_client, idle_and_closed)
{
	struct rig r;
	unsigned n;

	open_idle(&r, &n, EMPTY);
	rig_hang_up(&r);
	rig_turn(&r);
	cr_expect_eq(n, 1);
	cr_expect_not(h1_session_can_reuse(r.session));
	rig_close(&r);
}

Test(h1_client, idle_and_told_something)
{
	struct rig r;
	unsigned n;

	open_idle(&r, &n, EMPTY);
	rig_send(&r, STR("HTTP/1.1 408 x\r\n\r\n"));
	rig_turn(&r);
	cr_expect_eq(n, 1);
	cr_expect_not(h1_session_can_reuse(r.session));
	rig_close(&r);
}

Test(h1_client, closed_right_behind_the_answer)
{
	struct head *h;
	struct rig r;
	unsigned n = 0;

	rig_open(&r, H1_CLIENT);
	rig_ask(&r, "GET");
	rig_turn(&r);
	rig_send(&r, EMPTY);
	rig_hang_up(&r);
	cr_assert_eq(rig_pull_head(&r, &h), PULL_DATA);
	rig_release(&r, true);
	h1_session_set_idle(r.session, count, &n);
	cr_expect_eq(n, 0, "not from inside a call");
	rig_turn(&r);
	cr_expect_eq(n, 1);
	rig_close(&r);
}

Test(h1_client, idle_holds_no_buffer)
{
	const struct wire *w;
	struct rig r;
	unsigned n;

	open_idle(&r, &n, EMPTY);
	w = h1_session_wire(r.session);
	cr_expect_null(w->in.p);
	cr_expect_null(w->out.p);
	rig_close(&r);
}

/* A wire whose bytes end as TLS without close_notify does. */
static const char *scripted;

static enum io
read_scripted(struct wire *w, struct span *out)
{
	static uint8_t buffer[256];

	(void)w;
	if (scripted == NULL)
		return IO_CUT;
	out->len = strlen(scripted);
	out->p = memcpy(buffer, scripted, out->len);
	scripted = NULL;
	return IO_DONE;
}

static void
answer_and_cut(const char *answer, enum stream_error want)
{
	struct wire_ops ops;
	struct text got = TEXT_EMPTY;
	struct head *h;
	struct rig r;
	struct wire *w;

	rig_open(&r, H1_CLIENT);
	rig_ask(&r, "GET");
	w = h1_session_wire(r.session);
	ops = *w->ops;
	ops.read = read_scripted;
	w->ops = &ops;
	scripted = answer;
	if (rig_pull_head(&r, &h) == PULL_DATA)
		cr_expect_eq(rig_pull_body(&r, SIZE_MAX, &got), PULL_FAIL);
	cr_expect_eq(
	    r.stream->error, want, "%s", stream_error_text(r.stream->error));
	text_free(&got);
	rig_release(&r, false);
	rig_close(&r);
}

Test(h1_client, a_cut_wire_never_ends_a_body)
{
	answer_and_cut(OK "\r\nabc", STREAM_CUT);
	answer_and_cut(NULL, STREAM_CLOSED_EARLY);
}
