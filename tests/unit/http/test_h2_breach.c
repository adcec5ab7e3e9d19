/* SPDX-License-Identifier: Apache-2.0 */
/* Peers that speak something else, or break the rules of the connection. */

#include <nghttp2/nghttp2.h>

#include "unit/http/h2_rig.h"

Test(h2_breach, a_server_that_speaks_http_1)
{
	struct text t = TEXT_EMPTY;
	struct stream *st;
	struct head h;
	struct h2_rig r;

	h2_rig_init(&r);
	h2_rig_open(&r, H2_CLIENT);
	st = h2_rig_open_stream(&r.client);
	h2_rig_request(&h, "GET", "/");
	st->ops->push_head(st, &h, true);
	h2_rig_turn(&r);
	text_add_z(&t, "HTTP/1.1 400 \"No\"\r\n\r\n");
	h2_rig_send(&r, &t);
	h2_rig_expect_over(
	    r.client.session, H2_END_NOT_H2, "\"HTTP/1.1 400 .No.....\"");
	h2_rig_expect_failed(st, STREAM_BAD_MESSAGE);
	h2_rig_release(st, false);
	h2_rig_close(&r);
	text_free(&t);
}

Test(h2_breach, a_caller_that_speaks_http_1)
{
	struct text t = TEXT_EMPTY;
	struct h2_rig r;

	h2_rig_init(&r);
	h2_rig_open(&r, H2_SERVER);
	text_add_z(&t, "GET /?secret HTTP/1.1\r\n\r\n");
	h2_rig_send(&r, &t);
	h2_rig_expect_over(r.server.session, H2_END_NOT_H2, "said \"GET\"");
	h2_rig_close(&r);
	text_free(&t);
}

static const struct {
	const char *what;
	unsigned type;
	uint32_t stream;
	struct str payload;
	uint32_t code;
} breaches[] = {
	{ "DATA on no stream", H2_FRAME_DATA, 0, STR("x"),
	    NGHTTP2_PROTOCOL_ERROR },
	{ "DATA on an idle stream", H2_FRAME_DATA, 5, STR("x"),
	    NGHTTP2_PROTOCOL_ERROR },
	{ "a PING of 7 bytes", H2_FRAME_PING, 0, STR("1234567"),
	    NGHTTP2_FRAME_SIZE_ERROR },
	{ "PRIORITY of no stream", H2_FRAME_PRIORITY, 0, STR("\0\0\0\0\1"),
	    NGHTTP2_PROTOCOL_ERROR },
	{ "CONTINUATION of nothing", H2_FRAME_CONTINUATION, 1, STR("x"),
	    NGHTTP2_PROTOCOL_ERROR },
	{ "a promise by a client", H2_FRAME_PUSH_PROMISE, 1, STR("\0\0\0\2"),
	    NGHTTP2_PROTOCOL_ERROR },
	{ "a window opened by 0", H2_FRAME_WINDOW_UPDATE, 0, STR("\0\0\0\0"),
	    NGHTTP2_PROTOCOL_ERROR },
	{ "a window beyond its most", H2_FRAME_WINDOW_UPDATE, 0,
	    STR("\x7f\xff\xff\xff"), NGHTTP2_FLOW_CONTROL_ERROR },
	{ "no HPACK", H2_FRAME_HEADERS, 1, STR("\xff\xff\xff\xff\xff\xff"),
	    NGHTTP2_COMPRESSION_ERROR },
	{ "settings of 5 bytes", H2_FRAME_SETTINGS, 0, STR("12345"),
	    NGHTTP2_FRAME_SIZE_ERROR },
	{ "a reset of an idle stream", H2_FRAME_RST_STREAM, 7, STR("\0\0\0\10"),
	    NGHTTP2_PROTOCOL_ERROR },
};

Test(h2_breach, breaches_of_the_protocol)
{
	struct text t = TEXT_EMPTY;
	struct h2_rig r;
	uint32_t code;

	for (size_t i = 0; i < ARRAY_LEN(breaches); i++) {
		h2_rig_init(&r);
		h2_rig_open(&r, H2_SERVER);
		h2_put_preface(&t);
		h2_put_frame(&t, breaches[i].type, H2_FLAG_END_HEADERS & 0,
		    breaches[i].stream, breaches[i].payload);
		h2_rig_send(&r, &t);
		code = h2_rig_code(&r, H2_FRAME_GOAWAY);
		cr_expect_eq(
		    code, breaches[i].code, "%s: %u", breaches[i].what, code);
		cr_expect_eq(h2_session_end(r.server.session), H2_END_PROTOCOL,
		    "%s", breaches[i].what);
		cr_expect_gt(h2_session_end_text(r.server.session).len, 0);
		cr_expect_eq(r.server.counts[H2_PROTOCOL_ERROR], 1);
		cr_expect_eq(r.server.counts[H2_GOAWAY_SENT], 1);
		cr_expect_gt(r.server.changes, 0);
		h2_rig_close(&r);
	}
	text_free(&t);
}

/* Who ended a stream may not go on with it. */
Test(h2_breach, frames_on_an_ended_stream)
{
	static const unsigned types[] = { H2_FRAME_DATA, H2_FRAME_HEADERS };
	struct text t = TEXT_EMPTY;
	struct head *h;
	struct h2_rig r;

	for (size_t i = 0; i < 2 * ARRAY_LEN(types); i++) {
		h2_rig_init(&r);
		h2_rig_open(&r, H2_SERVER);
		h2_put_preface(&t);
		h2_put_request(&t, 1, H2_FLAG_END_STREAM);
		h2_rig_send(&r, &t);
		cr_assert_eq(h2_rig_head(r.server.streams[0], &h), PULL_DATA);
		if (i >= ARRAY_LEN(types)) {
			h2_rig_answer(r.server.streams[0], 200, NULL);
			h2_rig_release(r.server.streams[0], true);
		}
		h2_rig_turn(&r);
		h2_put_frame(
		    &t, types[i % ARRAY_LEN(types)], 0, 1, STR("\x82"));
		h2_rig_send(&r, &t);
		cr_expect_eq(
		    h2_rig_code(&r, H2_FRAME_GOAWAY), NGHTTP2_STREAM_CLOSED);
		h2_rig_expect_over(r.server.session, H2_END_PROTOCOL, "ended");
		if (i < ARRAY_LEN(types))
			h2_rig_release(r.server.streams[0], false);
		h2_rig_close(&r);
	}
	text_free(&t);
}

static const struct {
	const char *what;
	uint32_t ids[4];
	uint32_t code; /* of the last */
} orders[] = {
	{ "upwards", { 1, 3, 5 }, UINT32_MAX },
	{ "with gaps", { 3, 9, 21 }, UINT32_MAX },
	{ "the first was skipped", { 3, 1 }, NGHTTP2_PROTOCOL_ERROR },
	{ "one was skipped", { 1, 5, 3 }, NGHTTP2_PROTOCOL_ERROR },
	{ "the last of many", { 1, 21, 19 }, NGHTTP2_PROTOCOL_ERROR },
};

/* Streams are begun in order (RFC 9113, section 5.1.1). */
Test(h2_breach, the_order_of_streams)
{
	struct text t = TEXT_EMPTY;
	struct h2_rig r;

	for (size_t i = 0; i < ARRAY_LEN(orders); i++) {
		h2_rig_init(&r);
		h2_rig_open(&r, H2_SERVER);
		h2_put_preface(&t);
		for (size_t k = 0; orders[i].ids[k] != 0; k++)
			h2_put_request(&t, orders[i].ids[k], 0);
		h2_rig_send(&r, &t);
		cr_expect_eq(h2_rig_code(&r, H2_FRAME_GOAWAY), orders[i].code,
		    "%s", orders[i].what);
		for (unsigned k = 0; k < r.server.n_streams; k++)
			h2_rig_release(r.server.streams[k], false);
		h2_rig_close(&r);
	}
	text_free(&t);
}

/* Trailers come on a stream that is not the newest. */
Test(h2_breach, trailers_after_newer_streams)
{
	struct text t = TEXT_EMPTY, trailers = TEXT_EMPTY, body = TEXT_EMPTY;
	struct head *h;
	struct h2_rig r;

	h2_rig_init(&r);
	h2_rig_open(&r, H2_SERVER);
	h2_put_preface(&t);
	h2_put_request(&t, 3, 0);
	h2_put_request(&t, 9, H2_FLAG_END_STREAM);
	h2_put_field(&trailers, "x", STR("y"));
	h2_put_frame(&t, H2_FRAME_HEADERS,
	    H2_FLAG_END_HEADERS | H2_FLAG_END_STREAM, 3, text_str(&trailers));
	h2_rig_send(&r, &t);
	cr_assert_eq(r.server.n_streams, 2);
	cr_assert_eq(h2_rig_head(r.server.streams[0], &h), PULL_DATA);
	cr_expect_eq(h2_rig_body(r.server.streams[0], &body), PULL_END);
	cr_expect_not_null(
	    r.server.streams[0]->ops->trailers(r.server.streams[0]));
	cr_expect_eq(h2_rig_code(&r, H2_FRAME_GOAWAY), UINT32_MAX);
	for (unsigned k = 0; k < r.server.n_streams; k++)
		h2_rig_release(r.server.streams[k], false);
	h2_rig_close(&r);
	text_free(&trailers);
	text_free(&body);
	text_free(&t);
}

Test(h2_breach, a_window_that_is_not_kept)
{
	static const char zeros[16384];
	struct text t = TEXT_EMPTY;
	struct h2_rig r;

	h2_rig_init(&r);
	r.limits.stream_window = 65535;
	h2_rig_open(&r, H2_SERVER);
	h2_put_preface(&t);
	h2_put_frame(&t, H2_FRAME_SETTINGS, H2_FLAG_ACK, 0, STR_NONE);
	h2_put_request(&t, 1, 0);
	for (int i = 0; i < 5; i++)
		h2_put_frame(&t, H2_FRAME_DATA, 0, 1,
		    (struct str){ zeros, sizeof(zeros) });
	h2_rig_send(&r, &t);
	cr_expect_eq(
	    h2_rig_code(&r, H2_FRAME_RST_STREAM), NGHTTP2_FLOW_CONTROL_ERROR);
	h2_rig_expect_failed(r.server.streams[0], STREAM_BAD_MESSAGE);
	h2_rig_release(r.server.streams[0], false);
	h2_rig_close(&r);
	text_free(&t);
}

Test(h2_breach, streams_beyond_the_limit_are_refused)
{
	struct text t = TEXT_EMPTY;
	struct str payload;
	struct h2_frame f;
	unsigned refused = 0;
	struct h2_rig r;

	h2_rig_init(&r);
	r.limits.streams = 2;
	h2_rig_open(&r, H2_SERVER);
	h2_put_preface(&t);
	for (uint32_t id = 1; id < 11; id += 2)
		h2_put_request(&t, id, H2_FLAG_END_STREAM);
	h2_rig_send(&r, &t);
	cr_expect_eq(r.server.n_streams, 2);
	while (h2_rig_next(&r, H2_FRAME_RST_STREAM, &f, &payload)) {
		cr_expect(str_eq(payload, STR("\0\0\0\7")), "REFUSED_STREAM");
		refused++;
	}
	cr_expect_eq(refused, 3);
	cr_expect_eq(h2_session_state(r.server.session), H2_OPEN);
	h2_rig_release(r.server.streams[0], false);
	h2_rig_release(r.server.streams[1], false);
	h2_rig_close(&r);
	text_free(&t);
}

Test(h2_breach, streams_left_follow_the_servers_settings)
{
	struct text t = TEXT_EMPTY;
	struct stream *st;
	struct h2_rig r;

	h2_rig_init(&r);
	r.limits.streams = 1000;
	h2_rig_open(&r, H2_CLIENT);
	cr_expect_not(h2_session_has_settings(r.client.session));
	cr_expect_eq(h2_session_streams_left(r.client.session), 100);
	h2_put_settings(&t, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 3);
	r.client.changes = 0;
	h2_rig_send(&r, &t);
	cr_expect(h2_session_has_settings(r.client.session));
	cr_expect_not(h2_session_takes_connect(r.client.session));
	cr_expect_gt(r.client.changes, 0);
	cr_expect_eq(h2_session_streams_left(r.client.session), 3);
	st = h2_rig_ask(&r, "/");
	cr_expect_eq(h2_session_streams_left(r.client.session), 2);
	h2_put_settings(&t, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 5000);
	h2_rig_send(&r, &t);
	cr_expect_eq(h2_session_streams_left(r.client.session), 999);
	h2_rig_release(st, false);
	h2_rig_close(&r);
	text_free(&t);
}
