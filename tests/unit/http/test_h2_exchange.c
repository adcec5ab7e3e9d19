/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and answers in order, from session to session. */

#include <stdio.h>

#include "base/clock.h"
#include "unit/http/h2_rig.h"

static struct str
value_of(const struct head *h, const char *name)
{
	for (size_t i = 0; i < h->n_fields; i++)
		if (str_eq(h->fields[i].name, str_of(name)))
			return h->fields[i].value;
	return STR("(none)");
}

static void
expect_str(struct str got, const char *want)
{
	cr_expect(
	    str_eq(got, str_of(want)), "'%.*s', not '%s'", STR_ARG(got), want);
}

/* The server's stream number i, its request pulled. */
static struct stream *
served(struct h2_rig *r, unsigned i, struct head **h)
{
	cr_assert_gt(r->server.n_streams, i);
	cr_assert_eq(h2_rig_head(r->server.streams[i], h), PULL_DATA);
	return r->server.streams[i];
}

Test(h2_exchange, a_request_and_its_answer)
{
	struct text body = TEXT_EMPTY;
	struct stream *back, *front;
	struct head *h;
	struct h2_rig r;

	h2_rig_init(&r);
	h2_rig_open_pair(&r);
	back = h2_rig_ask(&r, "/x?y");
	cr_expect_eq(back->version, HTTP_2);
	cr_expect(back->is_multiplexed);
	cr_expect_eq(back->id, 1);
	front = served(&r, 0, &h);
	cr_expect_eq(front->id, 1);
	cr_expect(h->is_request);
	expect_str(h->method, "GET");
	expect_str(h->scheme, "https");
	expect_str(h->authority, "a.example");
	expect_str(h->path, "/x?y");
	cr_expect_eq(h->body, BODY_NONE);
	cr_expect_eq(h2_rig_body(front, &body), PULL_END);
	h2_rig_answer(front, 200, "hello");
	h2_rig_release(front, true);
	h2_rig_turn(&r);
	cr_assert_eq(h2_rig_head(back, &h), PULL_DATA);
	cr_expect_not(h->is_request);
	cr_expect_eq(h->status, 200);
	cr_expect_eq(h->body, BODY_STREAMED);
	cr_expect_eq(h2_rig_body(back, &body), PULL_END);
	expect_str(text_str(&body), "hello");
	cr_expect_eq(back->bytes_in, 5);
	cr_expect_null(back->ops->trailers(back));
	h2_rig_release(back, true);
	h2_rig_turn(&r);
	cr_expect_eq(h2_session_streams(r.client.session), 0);
	cr_expect_eq(h2_session_streams(r.server.session), 0);
	cr_expect_eq(r.client.counts[H2_TX_RESET], 0);
	cr_expect_eq(r.server.counts[H2_TX_RESET], 0);
	h2_rig_close(&r);
	text_free(&body);
}

Test(h2_exchange, fields_as_they_are_and_as_they_must_be)
{
	struct field fields[] = {
		{ .id = FIELD_OTHER,
		    .name = STR("X-Upper"),
		    .value = STR("1") },
		{ .id = FIELD_CONNECTION,
		    .name = STR("Connection"),
		    .value = STR("x") },
		{ .id = FIELD_TE, .name = STR("TE"), .value = STR("gzip") },
		{ .id = FIELD_HOST, .name = STR("Host"), .value = STR("b") },
		{ .id = FIELD_CONTENT_LENGTH,
		    .name = STR("Content-Length"),
		    .value = STR("77") },
		{ .id = FIELD_OTHER,
		    .name = STR("x-gone"),
		    .value = STR("1"),
		    .is_removed = true },
		{ .id = FIELD_OTHER,
		    .name = STR("cookie"),
		    .value = STR("a=b") },
	};
	struct text body = TEXT_EMPTY;
	struct stream *back;
	struct head h, *got;
	struct h2_rig r;

	h2_rig_init(&r);
	h2_rig_open_pair(&r);
	back = h2_rig_open_stream(&r.client);
	h2_rig_request(&h, "POST", "/");
	h.fields = fields;
	h.n_fields = ARRAY_LEN(fields);
	h.body = BODY_LENGTH;
	h.content_length = 3;
	h.takes_trailers = true;
	head_add(&h, STR("X-Added"), STR("2"));
	back->ops->push_head(back, &h, false);
	back->ops->push_body(back, STR("abc"));
	back->ops->push_end(back, NULL);
	back->ops->flush(back);
	h2_rig_turn(&r);
	(void)served(&r, 0, &got);
	expect_str(value_of(got, "x-upper"), "1");
	expect_str(value_of(got, "x-added"), "2");
	expect_str(value_of(got, "cookie"), "a=b");
	expect_str(value_of(got, "connection"), "(none)");
	expect_str(value_of(got, "te"), "(none)");
	expect_str(value_of(got, "x-gone"), "(none)");
	expect_str(value_of(got, "content-length"), "3");
	expect_str(got->authority, "a.example");
	cr_expect(got->takes_trailers);
	cr_expect_eq(got->n_fields, 4);
	cr_expect_eq(got->body, BODY_LENGTH);
	cr_expect_eq(got->content_length, 3);
	cr_expect_eq(h2_rig_body(r.server.streams[0], &body), PULL_END);
	expect_str(text_str(&body), "abc");
	h2_rig_release(r.server.streams[0], false);
	h2_rig_release(back, false);
	h2_rig_close(&r);
	text_free(&body);
}

/* It came as one that is never put into a table (RFC 7541, section 6.2.3). */
static bool
is_secret(const struct head *h, const char *name)
{
	for (size_t i = 0; i < h->n_fields; i++)
		if (str_eq(h->fields[i].name, str_of(name)))
			return h->fields[i].is_secret;
	cr_assert_fail("%s did not come", name);
	return false;
}

Test(h2_exchange, what_no_table_should_have)
{
	struct field fields[] = {
		{ .name = STR("x-token"),
		    .value = STR("hush"),
		    .is_secret = true },
		{ .name = STR("x-plain"), .value = STR("1") },
		{ .name = STR("x-request-id"), .value = STR("2") },
		{ .name = STR("TraceParent"), .value = STR("3") },
		{ .name = STR("x-b3-traceid"), .value = STR("4") },
		{ .name = STR("cookie"),
		    .value = STR("a=0123456789012345678901234567890123456789"),
		    .is_secret = true },
	};
	struct stream *back;
	struct head h, *got;
	struct h2_rig r;

	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		fields[i].id = field_id_of(fields[i].name);
	h2_rig_init(&r);
	h2_rig_open_pair(&r);
	back = h2_rig_open_stream(&r.client);
	h2_rig_request(&h, "GET", "/");
	h.fields = fields;
	h.n_fields = ARRAY_LEN(fields);
	back->ops->push_head(back, &h, true);
	back->ops->flush(back);
	h2_rig_turn(&r);
	(void)served(&r, 0, &got);
	cr_expect(is_secret(got, "x-token"));
	cr_expect_not(is_secret(got, "x-plain"));
	/* Their values come once. */
	cr_expect(is_secret(got, "x-request-id"));
	cr_expect(is_secret(got, "traceparent"));
	cr_expect(is_secret(got, "x-b3-traceid"));
	cr_expect(is_secret(got, "cookie"));
	expect_str(value_of(got, "x-request-id"), "2");
	h2_rig_release(r.server.streams[0], false);
	h2_rig_release(back, false);
	h2_rig_close(&r);
}

Test(h2_exchange, interim_answers_then_the_final_one_and_trailers)
{
	struct field field = { .id = FIELD_GRPC_STATUS,
		.name = STR("grpc-status"),
		.value = STR("5") };
	struct field early = {
		.id = FIELD_OTHER, .name = STR("link"), .value = STR("</a>")
	};
	struct text body = TEXT_EMPTY;
	struct stream *back, *front;
	const struct head *trailers;
	struct head h, *got;
	struct h2_rig r;

	h2_rig_init(&r);
	h2_rig_open_pair(&r);
	back = h2_rig_ask(&r, "/");
	front = served(&r, 0, &got);
	head_init(&h);
	h.status = 103;
	h.fields = &early;
	h.n_fields = 1;
	front->ops->push_head(front, &h, false);
	h.status = 102;
	front->ops->push_head(front, &h, false);
	h.status = 200;
	h.body = BODY_STREAMED;
	front->ops->push_head(front, &h, false);
	front->ops->push_body(front, STR("x"));
	h.fields = &field;
	front->ops->push_end(front, &h);
	front->ops->flush(front);
	h2_rig_release(front, true);
	h2_rig_turn(&r);
	cr_assert_eq(h2_rig_head(back, &got), PULL_DATA);
	cr_expect_eq(got->status, 103);
	expect_str(value_of(got, "link"), "</a>");
	cr_expect_eq(h2_rig_body(back, &body), PULL_WAIT);
	cr_assert_eq(h2_rig_head(back, &got), PULL_DATA);
	cr_expect_eq(got->status, 102);
	cr_assert_eq(h2_rig_head(back, &got), PULL_DATA);
	cr_expect_eq(got->status, 200);
	cr_expect_eq(h2_rig_body(back, &body), PULL_END);
	trailers = back->ops->trailers(back);
	cr_assert_not_null(trailers);
	expect_str(head_get(trailers, FIELD_GRPC_STATUS), "5");
	cr_expect_eq(r.client.counts[H2_TRAILERS], 1);
	cr_expect_eq(r.server.counts[H2_TRAILERS], 1);
	h2_rig_release(back, true);
	h2_rig_turn(&r);
	cr_expect_eq(h2_session_streams(r.client.session), 0);
	h2_rig_close(&r);
	text_free(&body);
}

Test(h2_exchange, trailers_of_a_request_without_what_may_not_trail)
{
	struct field fields[] = {
		{ .id = FIELD_OTHER, .name = STR("X-Sum"), .value = STR("9") },
		{ .id = FIELD_OTHER, .name = STR("cookie"), .value = STR("c") },
		{ .id = FIELD_CONTENT_LENGTH,
		    .name = STR("content-length"),
		    .value = STR("1") },
	};
	struct text body = TEXT_EMPTY;
	struct stream *back, *front;
	const struct head *trailers;
	struct head h, *got;
	struct h2_rig r;

	h2_rig_init(&r);
	h2_rig_open_pair(&r);
	back = h2_rig_open_stream(&r.client);
	h2_rig_request(&h, "POST", "/");
	h.body = BODY_STREAMED;
	back->ops->push_head(back, &h, false);
	head_init(&h);
	h.fields = fields;
	h.n_fields = ARRAY_LEN(fields);
	back->ops->push_end(back, &h);
	back->ops->flush(back);
	h2_rig_turn(&r);
	front = served(&r, 0, &got);
	cr_expect_eq(h2_rig_body(front, &body), PULL_END);
	trailers = front->ops->trailers(front);
	cr_assert_not_null(trailers);
	cr_expect_eq(trailers->n_fields, 1);
	expect_str(value_of(trailers, "x-sum"), "9");
	h2_rig_answer(front, 204, NULL);
	h2_rig_release(front, true);
	h2_rig_turn(&r);
	cr_assert_eq(h2_rig_head(back, &got), PULL_DATA);
	cr_expect_eq(got->status, 204);
	cr_expect_eq(got->body, BODY_NONE);
	h2_rig_release(back, true);
	h2_rig_close(&r);
}

Test(h2_exchange, the_answer_to_head_has_a_length_and_no_body)
{
	struct stream *back, *front;
	struct head h, *got;
	struct h2_rig r;

	h2_rig_init(&r);
	h2_rig_open_pair(&r);
	back = h2_rig_open_stream(&r.client);
	h2_rig_request(&h, "HEAD", "/");
	back->ops->push_head(back, &h, true);
	back->ops->flush(back);
	h2_rig_turn(&r);
	front = served(&r, 0, &got);
	head_init(&h);
	h.status = 200;
	h.is_head_request = true;
	h.has_length = true;
	h.content_length = 123;
	front->ops->push_head(front, &h, true);
	front->ops->flush(front);
	h2_rig_release(front, true);
	h2_rig_turn(&r);
	cr_assert_eq(h2_rig_head(back, &got), PULL_DATA);
	cr_expect(got->is_head_request);
	cr_expect_eq(got->body, BODY_NONE);
	cr_expect(got->has_length);
	cr_expect_eq(got->content_length, 123);
	h2_rig_release(back, true);
	h2_rig_turn(&r);
	cr_expect_eq(h2_session_streams(r.client.session), 0);
	h2_rig_close(&r);
}

/* RFC 8441: CONNECT with a protocol, agreed to, carries bytes both ways. */
Test(h2_exchange, a_tunnel)
{
	struct text got_bytes = TEXT_EMPTY;
	struct stream *back, *front;
	struct head h, *got;
	struct h2_rig r;

	h2_rig_init(&r);
	h2_rig_open_pair(&r);
	cr_expect(h2_session_has_settings(r.client.session));
	cr_expect(h2_session_takes_connect(r.client.session));
	back = h2_rig_open_stream(&r.client);
	h2_rig_request(&h, "GET", "/chat");
	h.upgrade = STR("websocket");
	h.body = BODY_TUNNEL;
	back->ops->push_head(back, &h, false);
	back->ops->flush(back);
	h2_rig_turn(&r);
	front = served(&r, 0, &got);
	expect_str(got->method, "CONNECT");
	expect_str(got->upgrade, "websocket");
	expect_str(got->path, "/chat");
	cr_expect_eq(got->body, BODY_STREAMED);
	head_init(&h);
	h.status = 101;
	h.upgrade = STR("websocket");
	h.body = BODY_TUNNEL;
	front->ops->push_head(front, &h, false);
	front->ops->push_body(front, STR("from the server"));
	front->ops->flush(front);
	h2_rig_turn(&r);
	cr_assert_eq(h2_rig_head(back, &got), PULL_DATA);
	cr_expect_eq(got->status, 200);
	cr_expect_eq(got->body, BODY_TUNNEL);
	expect_str(got->upgrade, "websocket");
	cr_expect_eq(h2_rig_body(back, &got_bytes), PULL_WAIT);
	expect_str(text_str(&got_bytes), "from the server");
	text_clear(&got_bytes);
	back->ops->push_body(back, STR("from the client"));
	back->ops->push_end(back, NULL);
	back->ops->flush(back);
	h2_rig_turn(&r);
	cr_expect_eq(h2_rig_body(front, &got_bytes), PULL_END);
	expect_str(text_str(&got_bytes), "from the client");
	front->ops->push_end(front, NULL);
	h2_rig_release(front, true);
	h2_rig_turn(&r);
	cr_expect_eq(h2_rig_body(back, &got_bytes), PULL_END);
	h2_rig_release(back, true);
	h2_rig_turn(&r);
	cr_expect_eq(h2_session_streams(r.client.session), 0);
	h2_rig_close(&r);
	text_free(&got_bytes);
}

/* The answer is all said, the request is not: the rest is not wanted. */
static void
answer_early(bool is_sent_first)
{
	struct text body = TEXT_EMPTY;
	struct stream *back, *front;
	struct head h, *got;
	struct h2_rig r;

	h2_rig_init(&r);
	h2_rig_open_pair(&r);
	back = h2_rig_open_stream(&r.client);
	h2_rig_request(&h, "POST", "/");
	h.body = BODY_STREAMED;
	back->ops->push_head(back, &h, false);
	back->ops->push_body(back, STR("some"));
	back->ops->flush(back);
	h2_rig_turn(&r);
	front = served(&r, 0, &got);
	h2_rig_answer(front, 413, "no");
	if (is_sent_first)
		h2_rig_turn(&r);
	h2_rig_release(front, false);
	h2_rig_turn(&r);
	cr_expect_eq(r.server.counts[H2_TX_RESET], 1);
	cr_expect_eq(back->reset_code, 0, "NO_ERROR");
	cr_expect_eq(back->ops->can_push(back), 0);
	cr_assert_eq(h2_rig_head(back, &got), PULL_DATA);
	cr_expect_eq(got->status, 413);
	cr_expect_eq(h2_rig_body(back, &body), PULL_END);
	expect_str(text_str(&body), "no");
	h2_rig_release(back, false);
	h2_rig_turn(&r);
	cr_expect_eq(h2_session_streams(r.client.session), 0);
	cr_expect_eq(h2_session_streams(r.server.session), 0);
	h2_rig_close(&r);
	text_free(&body);
}

Test(h2_exchange, an_early_answer_stops_the_request)
{
	answer_early(false);
	answer_early(true);
}

Test(h2_exchange, many_streams_at_once_each_its_own_answer)
{
	struct stream *backs[80];
	struct text body = TEXT_EMPTY;
	struct head *got;
	struct h2_rig r;
	char path[16];

	h2_rig_init(&r);
	h2_rig_open_pair(&r);
	cr_expect_eq(h2_session_streams_left(r.client.session), 100);
	for (int i = 0; i < 80; i++) {
		(void)snprintf(path, sizeof(path), "/%d", i);
		backs[i] = h2_rig_ask(&r, path);
	}
	cr_expect_eq(h2_session_streams_left(r.client.session), 20);
	cr_assert_eq(r.server.n_streams, 80);
	for (unsigned i = 0; i < 80; i++) {
		(void)served(&r, 79 - i, &got);
		(void)snprintf(path, sizeof(path), "%.*s", STR_ARG(got->path));
		h2_rig_answer(r.server.streams[79 - i], 200, path);
		h2_rig_release(r.server.streams[79 - i], true);
	}
	h2_rig_turn(&r);
	for (int i = 0; i < 80; i++) {
		(void)snprintf(path, sizeof(path), "/%d", i);
		text_clear(&body);
		cr_assert_eq(h2_rig_head(backs[i], &got), PULL_DATA);
		cr_expect_eq(h2_rig_body(backs[i], &body), PULL_END);
		expect_str(text_str(&body), path);
		h2_rig_release(backs[i], true);
	}
	h2_rig_turn(&r);
	cr_expect_eq(h2_session_streams_left(r.client.session), 100);
	h2_rig_close(&r);
	text_free(&body);
}

static void
ask_and_answer(struct h2_rig *r, const char *path)
{
	unsigned i = r->server.n_streams;
	struct text body = TEXT_EMPTY;
	struct stream *back = h2_rig_ask(r, path);
	struct head *h;

	cr_assert_eq(r->server.n_streams, i + 1);
	cr_assert_eq(h2_rig_head(r->server.streams[i], &h), PULL_DATA);
	cr_expect(str_eq(h->path, str_of(path)));
	h2_rig_answer(r->server.streams[i], 200, "hello");
	h2_rig_release(r->server.streams[i], true);
	h2_rig_turn(r);
	cr_assert_eq(h2_rig_head(back, &h), PULL_DATA);
	cr_expect_eq(h->status, 200);
	cr_expect_eq(h2_rig_body(back, &body), PULL_END);
	cr_expect(str_eq(text_str(&body), STR("hello")));
	h2_rig_release(back, true);
	h2_rig_turn(r);
	text_free(&body);
}

/* Its memory is given back, and it works as before. */
Test(h2_exchange, who_is_idle_rests)
{
	struct stream *back;
	struct h2_rig r;

	clock_fake(1000, 0);
	h2_rig_init(&r);
	h2_rig_open_pair(&r);
	ask_and_answer(&r, "/1");
	h2_rig_at(&r, 9000);
	cr_expect_eq(r.client.rests + r.server.rests, 0, "too early");
	ask_and_answer(&r, "/2");
	back = h2_rig_ask(&r, "/3");
	h2_rig_at(&r, 30000);
	cr_expect_eq(r.client.rests + r.server.rests, 0, "a stream is open");
	h2_rig_release(back, false);
	h2_rig_turn(&r);
	h2_rig_release(r.server.streams[2], false);
	h2_rig_turn(&r);
	h2_rig_at(&r, 31000);
	h2_rig_at(&r, 43000);
	cr_expect_eq(r.client.rests, 1);
	cr_expect_eq(r.server.rests, 1);
	h2_rig_at(&r, 90000);
	cr_expect_eq(r.client.rests + r.server.rests, 2, "once is enough");
	ask_and_answer(&r, "/2");
	ask_and_answer(&r, "/5");
	h2_rig_at(&r, 91000);
	h2_rig_at(&r, 120000);
	cr_expect_eq(r.client.rests + r.server.rests, 4);
	h2_rig_close(&r);
	clock_unfake();
}
