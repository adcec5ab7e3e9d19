/* SPDX-License-Identifier: Apache-2.0 */
/* http/h1_session.h in the server role: what is pushed, and what is seen. */

#include <sys/socket.h>

#include "http/reply.h"
#include "unit/http/session_rig.h"

#define GET "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"

static void
take_request(struct rig *r, struct str bytes)
{
	struct head *h;

	rig_send(r, bytes);
	cr_assert_eq(rig_pull_head(r, &h), PULL_DATA);
}

/* Push a head and, for those that may have one, a body of "abc". */
static void
push(struct rig *r, unsigned status, enum body_kind kind, bool is_end)
{
	struct stream *s = r->stream;
	struct head h;

	head_init(&h);
	h.status = (uint16_t)status;
	h.reason = STR("x");
	h.body = kind;
	h.content_length = kind == BODY_LENGTH ? 3 : 0;
	h.has_length = kind == BODY_LENGTH;
	s->ops->push_head(s, &h, is_end);
	if (!is_end) {
		s->ops->push_body(s, STR("abc"));
		s->ops->push_end(s, NULL);
	}
	s->ops->flush(s);
}

/* clang-format off */
static const struct {
	const char *what;
	struct str request;
	unsigned status;
	enum body_kind kind;
	bool is_end;
	const char *want;
} kinds[] = {
	{ "length", STR(GET), 200, BODY_LENGTH, false,
	    "HTTP/1.1 200 x\r\nContent-Length: 3\r\n\r\nabc" },
	{ "chunks", STR(GET), 200, BODY_STREAMED, false,
	    "HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" },
	{ "to the end", STR(GET), 200, BODY_TO_CLOSE, false,
	    "HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" },
	{ "nothing", STR(GET), 200, BODY_NONE, true,
	    "HTTP/1.1 200 x\r\nContent-Length: 0\r\n\r\n" },
	{ "chunks, and none", STR(GET), 200, BODY_STREAMED, true,
	    "HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" },
	{ "204", STR(GET), 204, BODY_NONE, true, "HTTP/1.1 204 x\r\n\r\n" },
	{ "304", STR(GET), 304, BODY_NONE, true, "HTTP/1.1 304 x\r\n\r\n" },
	{ "HEAD with a length", STR("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"), 200, BODY_LENGTH, true,
	    "HTTP/1.1 200 x\r\nContent-Length: 3\r\n\r\n" },
	{ "HEAD with chunks", STR("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n"), 200, BODY_STREAMED, true,
	    "HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n" },
};
/* clang-format on */

Test(h1_answer, answers_of_all_kinds_on_one_connection)
{
	struct rig r;

	rig_open(&r, H1_SERVER);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		take_request(&r, kinds[i].request);
		push(&r, kinds[i].status, kinds[i].kind, kinds[i].is_end);
		rig_expect_got(&r, kinds[i].want);
		cr_expect_eq(r.stream->bytes_out, kinds[i].is_end ? 0 : 3);
		rig_release(&r, true);
		cr_assert(h1_session_can_reuse(r.session), "%s", kinds[i].what);
		rig_next(&r);
	}
	rig_close(&r);
}

Test(h1_answer, head_and_small_body_are_one_write)
{
	char got[512];
	struct rig r;
	ssize_t n;

	rig_open(&r, H1_SERVER);
	take_request(&r, STR(GET));
	push(&r, 200, BODY_STREAMED, false);
	/* A datagram-like look: all of it is there at once. */
	n = recv(r.peer, got, sizeof(got), 0);
	cr_expect_eq(
	    n, (ssize_t)strlen(
		   "HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n"
		   "3\r\nabc\r\n0\r\n\r\n"));
	cr_expect_eq(h1_session_wire(r.session)->bytes_out, (uint64_t)n);
	rig_close(&r);
}

Test(h1_answer, nothing_goes_out_before_flush)
{
	struct rig r;
	struct head h;

	rig_open(&r, H1_SERVER);
	take_request(&r, STR(GET));
	head_init(&h);
	h.status = 200;
	r.stream->ops->push_head(r.stream, &h, true);
	rig_expect_got(&r, "");
	r.stream->ops->flush(r.stream);
	rig_expect_got(&r, "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n");
	rig_close(&r);
}

Test(h1_answer, trailers_both_ways)
{
	struct field fields[] = {
		{ .id = FIELD_OTHER, .name = STR("X-Sum"), .value = STR("1") },
		{ .id = FIELD_HOST, .name = STR("Host"), .value = STR("b") }
	};
	struct text got = TEXT_EMPTY;
	const struct head *in;
	struct head *h, out;
	struct rig r;

	rig_open(&r, H1_SERVER);
	rig_send(&r, STR(POST "Transfer-Encoding: chunked\r\n\r\n"
			      "1\r\na\r\n0\r\nX-A: 1\r\nX-B: 2\r\n\r\n"));
	cr_assert_eq(rig_pull_head(&r, &h), PULL_DATA);
	cr_expect_null(r.stream->ops->trailers(r.stream));
	cr_expect_eq(rig_pull_body(&r, SIZE_MAX, &got), PULL_END);
	in = r.stream->ops->trailers(r.stream);
	cr_assert_not_null(in);
	cr_expect_eq(in->n_fields, 2);
	cr_expect(str_eq(in->fields[1].value, STR("2")));

	head_init(&out);
	out.status = 200;
	out.body = BODY_STREAMED;
	r.stream->ops->push_head(r.stream, &out, false);
	r.stream->ops->push_body(r.stream, STR("ab"));
	out.fields = fields;
	out.n_fields = ARRAY_LEN(fields);
	r.stream->ops->push_end(r.stream, &out);
	r.stream->ops->flush(r.stream);
	rig_expect_got(&r, "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n"
			   "2\r\nab\r\n0\r\nX-Sum: 1\r\n\r\n");
	rig_release(&r, true);
	cr_expect(h1_session_can_reuse(r.session));

	/* They belonged to that request. */
	rig_next(&r);
	take_request(
	    &r, STR(POST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"));
	cr_expect_eq(rig_pull_body(&r, SIZE_MAX, &got), PULL_END);
	cr_expect_null(r.stream->ops->trailers(r.stream));
	text_free(&got);
	rig_close(&r);
}

/* The answer that the head promised, and what is pushed instead. */
static void
break_answer(const char *body, bool is_ended, const char *want)
{
	struct stream *s;
	struct head h;
	struct rig r;

	rig_open(&r, H1_SERVER);
	take_request(&r, STR(GET));
	s = r.stream;
	head_init(&h);
	h.status = 200;
	h.body = BODY_LENGTH;
	h.content_length = 3;
	s->ops->push_head(s, &h, false);
	s->ops->flush(s);
	s->ops->push_body(s, str_of(body));
	if (is_ended)
		s->ops->push_end(s, NULL);
	s->ops->flush(s);
	rig_release(&r, true);
	cr_expect_not(h1_session_can_reuse(r.session), "%s", body);
	rig_expect_got(&r, want);
	rig_close(&r);
}

Test(h1_answer, an_answer_is_never_longer_nor_ended_early)
{
#define HEAD3 "HTTP/1.1 200 \r\nContent-Length: 3\r\n\r\n"
	break_answer("abcd", true, HEAD3);
	break_answer("ab", false, HEAD3 "ab");
	break_answer("ab", true, HEAD3);
	break_answer("", true, HEAD3);
}

Test(h1_answer, a_cut_answer_has_no_last_chunk)
{
	struct head h;
	struct rig r;

	rig_open(&r, H1_SERVER);
	take_request(&r, STR(GET));
	head_init(&h);
	h.status = 200;
	h.body = BODY_STREAMED;
	r.stream->ops->push_head(r.stream, &h, false);
	r.stream->ops->push_body(r.stream, STR("ab"));
	rig_release(&r, false);
	h1_session_free(r.session);
	r.session = NULL;
	rig_expect_got(&r,
	    "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n");
	cr_expect(r.is_eof);
	rig_close(&r);
}

Test(h1_answer, writing_to_one_who_left_is_told_by_the_loop)
{
	struct head h;
	struct rig r;

	rig_open(&r, H1_SERVER);
	take_request(&r, STR(GET));
	rig_hang_up(&r);
	head_init(&h);
	h.status = 200;
	h.body = BODY_STREAMED;
	r.stream->ops->push_head(r.stream, &h, false);
	r.stream->ops->push_body(r.stream, STR("ab"));
	r.ready = 0;
	r.stream->ops->flush(r.stream);
	cr_expect_eq(r.ready, 0, "not from inside a call");
	cr_expect_eq(r.stream->error, STREAM_RESET);
	cr_expect_eq(r.stream->ops->can_push(r.stream), 0);
	rig_turn(&r);
	cr_expect_gt(r.ready, 0);
	rig_release(&r, false);
	cr_expect_not(h1_session_can_reuse(r.session));
	rig_close(&r);
}

Test(h1_answer, a_body_without_a_head_breaks_the_answer)
{
	struct rig r;

	rig_open(&r, H1_SERVER);
	take_request(&r, STR(GET));
	r.stream->ops->push_body(r.stream, STR("x"));
	r.stream->ops->flush(r.stream);
	cr_expect_eq(r.stream->ops->can_push(r.stream), 0);
	rig_expect_got(&r, "");
	rig_release(&r, true);
	cr_expect_not(h1_session_can_reuse(r.session));
	rig_close(&r);
}

/* clang-format off */
static const struct {
	unsigned status;
	const char *body;
	bool is_head;
	bool says_close;
	const char *want;
} replies[] = {
	{ 403, "RBAC: access denied", false, false,
	    "HTTP/1.1 403 Forbidden\r\ncontent-type: text/plain\r\nContent-Length: 19\r\n\r\nRBAC: access denied" },
	{ 403, "RBAC: access denied", true, false,
	    "HTTP/1.1 403 Forbidden\r\ncontent-type: text/plain\r\nContent-Length: 19\r\n\r\n" },
	{ 503, "", false, false,
	    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n" },
	{ 426, "", false, true,
	    "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" },
};
/* clang-format on */

Test(h1_answer, local_replies)
{
	struct rig r;

	for (size_t i = 0; i < ARRAY_LEN(replies); i++) {
		rig_open(&r, H1_SERVER);
		take_request(&r, replies[i].is_head
				     ? STR("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
				     : STR(GET));
		reply_push(r.stream,
		    &(struct reply){ .status = (uint16_t)replies[i].status,
			.body = str_of(replies[i].body),
			.is_head = replies[i].is_head,
			.says_close = replies[i].says_close });
		rig_expect_got(&r, replies[i].want);
		rig_release(&r, true);
		cr_expect_eq(
		    h1_session_can_reuse(r.session), !replies[i].says_close);
		rig_close(&r);
	}
}
