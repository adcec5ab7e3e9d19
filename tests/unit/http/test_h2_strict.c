/* SPDX-License-Identifier: Apache-2.0 */
/* Which heads are taken, and as what; the others are reset, or answered 431. */

#include <nghttp2/nghttp2.h>
#include <stdio.h>

#include "unit/http/h2_rig.h"

#define FIELDS_MOST 8

struct row {
	const char *what;
	/*
	 * "method scheme authority path upgrade", and then the fields; NULL:
	 * it is refused.
	 */
	const char *as;
	/* name, value, name, value */
	struct str f[2 * FIELDS_MOST];
};

#define GET                                                       \
	STR(":method"), STR("GET"), STR(":scheme"), STR("https"), \
	    STR(":path"), STR("/"), STR(":authority"), STR("a")
#define POST                                                       \
	STR(":method"), STR("POST"), STR(":scheme"), STR("https"), \
	    STR(":path"), STR("/"), STR(":authority"), STR("a")

static const struct row requests[] = {
	{ "plain", "GET https a / ", { GET } },
	{ "a field", "GET https a / |x=1", { GET, STR("x"), STR("1") } },
	{ "an empty value", "GET https a / |x=", { GET, STR("x"), STR("") } },
	{ "tab and obs-text", "GET https a / |x=a\tb\xe4",
	    { GET, STR("x"), STR("a\tb\xe4") } },
	{ "the same Host", "GET https a / ", { GET, STR("host"), STR("A") } },
	{ "Host alone", "GET http b:80 / ",
	    { STR(":method"), STR("GET"), STR(":scheme"), STR("http"),
		STR(":path"), STR("/"), STR("host"), STR("b:80") } },
	{ "cookies are joined", "GET https a / |x=y|cookie=a=1; b=2",
	    { GET, STR("cookie"), STR("a=1"), STR("x"), STR("y"), STR("cookie"),
		STR("b=2") } },
	{ "te: trailers", "GET https a / +te",
	    { GET, STR("te"), STR("trailers") } },
	{ "OPTIONS *", "OPTIONS https a * ",
	    { STR(":method"), STR("OPTIONS"), STR(":scheme"), STR("https"),
		STR(":path"), STR("*"), STR(":authority"), STR("a") } },
	{ "an address", "GET https [::1]:8443 / ",
	    { STR(":method"), STR("GET"), STR(":scheme"), STR("https"),
		STR(":path"), STR("/"), STR(":authority"),
		STR("[::1]:8443") } },
	{ "CONNECT", "CONNECT  a:443  ",
	    { STR(":method"), STR("CONNECT"), STR(":authority"),
		STR("a:443") } },
	{ "CONNECT with a protocol", "CONNECT https a /c websocket",
	    { STR(":method"), STR("CONNECT"), STR(":protocol"),
		STR("websocket"), STR(":scheme"), STR("https"), STR(":path"),
		STR("/c"), STR(":authority"), STR("a") } },
	{ "Expect", "POST https a / +expect|expect=100-continue",
	    { POST, STR("expect"), STR("100-continue") } },
	{ "a body of no bytes", "POST https a / |content-length=0",
	    { POST, STR("content-length"), STR("0") } },

	{ "no method", NULL,
	    { STR(":scheme"), STR("https"), STR(":path"), STR("/"),
		STR(":authority"), STR("a") } },
	{ "no scheme", NULL,
	    { STR(":method"), STR("GET"), STR(":path"), STR("/"),
		STR(":authority"), STR("a") } },
	{ "no path", NULL,
	    { STR(":method"), STR("GET"), STR(":scheme"), STR("https"),
		STR(":authority"), STR("a") } },
	{ "no authority", NULL,
	    { STR(":method"), STR("GET"), STR(":scheme"), STR("https"),
		STR(":path"), STR("/") } },
	{ "an empty path", NULL,
	    { STR(":method"), STR("GET"), STR(":scheme"), STR("https"),
		STR(":path"), STR(""), STR(":authority"), STR("a") } },
	{ "a relative path", NULL,
	    { STR(":method"), STR("GET"), STR(":scheme"), STR("https"),
		STR(":path"), STR("x"), STR(":authority"), STR("a") } },
	{ "GET *", NULL,
	    { STR(":method"), STR("GET"), STR(":scheme"), STR("https"),
		STR(":path"), STR("*"), STR(":authority"), STR("a") } },
	{ "a fragment", NULL,
	    { STR(":method"), STR("GET"), STR(":scheme"), STR("https"),
		STR(":path"), STR("/#x"), STR(":authority"), STR("a") } },
	{ "a blank in the path", NULL,
	    { STR(":method"), STR("GET"), STR(":scheme"), STR("https"),
		STR(":path"), STR("/ HTTP/1.1"), STR(":authority"),
		STR("a") } },
	{ "obs-text in the path", NULL,
	    { STR(":method"), STR("GET"), STR(":scheme"), STR("https"),
		STR(":path"), STR("/\xe4"), STR(":authority"), STR("a") } },
	{ "a line end in the path", NULL,
	    { STR(":method"), STR("GET"), STR(":scheme"), STR("https"),
		STR(":path"), STR("/\r\nx: y"), STR(":authority"), STR("a") } },
	{ "a blank in the method", NULL,
	    { STR(":method"), STR("GET /"), STR(":scheme"), STR("https"),
		STR(":path"), STR("/"), STR(":authority"), STR("a") } },
	{ "another scheme", NULL,
	    { STR(":method"), STR("GET"), STR(":scheme"), STR("ftp"),
		STR(":path"), STR("/"), STR(":authority"), STR("a") } },
	{ "a user", NULL,
	    { STR(":method"), STR("GET"), STR(":scheme"), STR("https"),
		STR(":path"), STR("/"), STR(":authority"), STR("u@a") } },
	{ "a port that is none", NULL,
	    { STR(":method"), STR("GET"), STR(":scheme"), STR("https"),
		STR(":path"), STR("/"), STR(":authority"), STR("a:b") } },
	{ "a port too high", NULL,
	    { STR(":method"), STR("GET"), STR(":scheme"), STR("https"),
		STR(":path"), STR("/"), STR(":authority"), STR("a:65536") } },
	{ "half an address", NULL,
	    { STR(":method"), STR("GET"), STR(":scheme"), STR("https"),
		STR(":path"), STR("/"), STR(":authority"), STR("[::1") } },
	{ "no host before the port", NULL,
	    { STR(":method"), STR("GET"), STR(":scheme"), STR("https"),
		STR(":path"), STR("/"), STR(":authority"), STR(":80") } },
	{ "a line end in the authority", NULL,
	    { STR(":method"), STR("GET"), STR(":scheme"), STR("https"),
		STR(":path"), STR("/"), STR(":authority"), STR("a\r\nx:y") } },
	{ "another Host", NULL, { GET, STR("host"), STR("b") } },
	{ "two Hosts", NULL,
	    { GET, STR("host"), STR("a"), STR("host"), STR("a") } },
	{ "a pseudo field twice", NULL, { GET, STR(":path"), STR("/") } },
	{ "a pseudo field late", NULL,
	    { STR(":method"), STR("GET"), STR(":scheme"), STR("https"),
		STR("x"), STR("y"), STR(":path"), STR("/"), STR(":authority"),
		STR("a") } },
	{ "an unknown pseudo field", NULL, { GET, STR(":x"), STR("y") } },
	{ ":status in a request", NULL, { GET, STR(":status"), STR("200") } },
	{ "a protocol without CONNECT", NULL,
	    { GET, STR(":protocol"), STR("websocket") } },
	{ "a protocol that is no token", NULL,
	    { STR(":method"), STR("CONNECT"), STR(":protocol"), STR("a b"),
		STR(":scheme"), STR("https"), STR(":path"), STR("/"),
		STR(":authority"), STR("a") } },
	{ "CONNECT with a path", NULL,
	    { STR(":method"), STR("CONNECT"), STR(":scheme"), STR("https"),
		STR(":path"), STR("/"), STR(":authority"), STR("a") } },
	{ "upper case", NULL, { GET, STR("X"), STR("y") } },
	{ "a blank in a name", NULL, { GET, STR("x y"), STR("z") } },
	{ "a colon in a name", NULL, { GET, STR("x:y"), STR("z") } },
	{ "a line end in a name", NULL, { GET, STR("x\r\ny"), STR("z") } },
	{ "an empty name", NULL, { GET, STR(""), STR("z") } },
	{ "NUL in a value", NULL, { GET, STR("x"), STR("a\0b") } },
	{ "LF in a value", NULL, { GET, STR("x"), STR("a\nb: c") } },
	{ "CR in a value", NULL, { GET, STR("x"), STR("a\rb") } },
	{ "DEL in a value", NULL, { GET, STR("x"), STR("a\x7f") } },
	{ "a blank before a value", NULL, { GET, STR("x"), STR(" a") } },
	{ "a tab behind a value", NULL, { GET, STR("x"), STR("a\t") } },
	{ "Connection", NULL, { GET, STR("connection"), STR("close") } },
	{ "Keep-Alive", NULL, { GET, STR("keep-alive"), STR("5") } },
	{ "Proxy-Connection", NULL,
	    { GET, STR("proxy-connection"), STR("close") } },
	{ "Transfer-Encoding", NULL,
	    { GET, STR("transfer-encoding"), STR("chunked") } },
	{ "Upgrade", NULL, { GET, STR("upgrade"), STR("websocket") } },
	{ "TE other than trailers", NULL, { GET, STR("te"), STR("gzip") } },
	{ "a length that is none", NULL,
	    { POST, STR("content-length"), STR("1a") } },
	{ "a length with a sign", NULL,
	    { POST, STR("content-length"), STR("+0") } },
	{ "a length too long", NULL,
	    { POST, STR("content-length"), STR("99999999999999999999") } },
	{ "two lengths", NULL,
	    { POST, STR("content-length"), STR("0"), STR("content-length"),
		STR("0") } },
	{ "a length without a body", NULL,
	    { POST, STR("content-length"), STR("1") } },
	/* What a server of HTTP/1.1 could take for something else. */
	{ "a length in disguise", NULL,
	    { POST, STR("content_length"), STR("1") } },
	{ "a coding in disguise", NULL,
	    { POST, STR("transfer_encoding"), STR("chunked") } },
	{ "head is not HEAD", NULL,
	    { STR(":method"), STR("head"), STR(":scheme"), STR("https"),
		STR(":path"), STR("/"), STR(":authority"), STR("a") } },
	{ "PRI", NULL,
	    { STR(":method"), STR("PRI"), STR(":scheme"), STR("https"),
		STR(":path"), STR("/"), STR(":authority"), STR("a") } },
	{ "an escape in the authority", NULL,
	    { STR(":method"), STR("GET"), STR(":scheme"), STR("https"),
		STR(":path"), STR("/"), STR(":authority"), STR("a%41") } },
	{ "two authorities in one", NULL,
	    { STR(":method"), STR("GET"), STR(":scheme"), STR("https"),
		STR(":path"), STR("/"), STR(":authority"), STR("a,b") } },
};

static void
put_block(struct text *t, const struct str *f, unsigned flags, uint32_t id)
{
	struct text p = TEXT_EMPTY;

	for (size_t i = 0; i < FIELDS_MOST && f[2 * i].p != NULL; i++)
		h2_put_field(&p, f[2 * i].p, f[2 * i + 1]);
	h2_put_frame(
	    t, H2_FRAME_HEADERS, H2_FLAG_END_HEADERS | flags, id, text_str(&p));
	text_free(&p);
}

static void
print(const struct head *h, struct text *out)
{
	text_addf(out, "%.*s %.*s %.*s %.*s %.*s", STR_ARG(h->method),
	    STR_ARG(h->scheme), STR_ARG(h->authority), STR_ARG(h->path),
	    STR_ARG(h->upgrade));
	if (h->takes_trailers)
		text_add_z(out, "+te");
	if (h->expects_continue)
		text_add_z(out, "+expect");
	for (size_t i = 0; i < h->n_fields; i++)
		text_addf(out, "|%.*s=%.*s", STR_ARG(h->fields[i].name),
		    STR_ARG(h->fields[i].value));
}

static void
expect_request(struct h2_rig *r, const struct row *row)
{
	struct text as = TEXT_EMPTY;
	struct head *h;

	if (row->as == NULL) {
		cr_expect_eq(r->server.n_streams, 0, "%s", row->what);
		cr_expect_eq(h2_rig_code(r, H2_FRAME_RST_STREAM),
		    NGHTTP2_PROTOCOL_ERROR, "%s", row->what);
		cr_expect_eq(r->server.counts[H2_MESSAGE_ERROR], 1, "%s: %u",
		    row->what, r->server.counts[H2_MESSAGE_ERROR]);
		return;
	}
	cr_assert_eq(r->server.n_streams, 1, "%s", row->what);
	cr_assert_eq(
	    h2_rig_head(r->server.streams[0], &h), PULL_DATA, "%s", row->what);
	print(h, &as);
	cr_expect(str_eq(text_str(&as), str_of(row->as)),
	    "%s: '%.*s', not '%s'", row->what, STR_ARG(text_str(&as)), row->as);
	for (size_t i = 0; i < h->n_fields; i++)
		cr_expect_eq(h->fields[i].id, field_id_of(h->fields[i].name));
	h2_rig_release(r->server.streams[0], false);
	text_free(&as);
}

/* A bad message costs its stream, never the connection. */
Test(h2_strict, requests)
{
	struct text t = TEXT_EMPTY;
	struct h2_rig r;

	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		h2_rig_init(&r);
		h2_rig_open(&r, H2_SERVER);
		h2_put_preface(&t);
		put_block(&t, requests[i].f, H2_FLAG_END_STREAM, 1);
		h2_rig_send(&r, &t);
		expect_request(&r, &requests[i]);
		h2_rig_turn(&r);
		cr_expect_eq(h2_session_state(r.server.session), H2_OPEN, "%s",
		    requests[i].what);
		cr_expect_eq(h2_session_streams(r.server.session), 0, "%s",
		    requests[i].what);
		h2_rig_close(&r);
	}
	text_free(&t);
}

static const struct row responses[] = {
	{ "plain", "200 streamed", { STR(":status"), STR("200") } },
	{ "a length", "404 length",
	    { STR(":status"), STR("404"), STR("content-length"), STR("3") } },
	{ "nothing follows 304", "304 none", { STR(":status"), STR("304") } },
	{ "the highest status", "599 streamed",
	    { STR(":status"), STR("599") } },
	{ "no status", NULL, { STR("x"), STR("y") } },
	{ "two", NULL,
	    { STR(":status"), STR("200"), STR(":status"), STR("200") } },
	{ "too low", NULL, { STR(":status"), STR("099") } },
	{ "too high", NULL, { STR(":status"), STR("600") } },
	{ "no number", NULL, { STR(":status"), STR("2 0") } },
	{ "two digits", NULL, { STR(":status"), STR("20") } },
	{ "101", NULL, { STR(":status"), STR("101") } },
	{ "a method", NULL,
	    { STR(":status"), STR("200"), STR(":method"), STR("GET") } },
	{ "Connection", NULL,
	    { STR(":status"), STR("200"), STR("connection"), STR("close") } },
	{ "LF in a value", NULL,
	    { STR(":status"), STR("200"), STR("x"), STR("a\nb") } },
	{ "upper case", NULL,
	    { STR(":status"), STR("200"), STR("X"), STR("a") } },
	{ "two lengths", NULL,
	    { STR(":status"), STR("200"), STR("content-length"), STR("3"),
		STR("content-length"), STR("3") } },
	{ "204 with a length", NULL,
	    { STR(":status"), STR("204"), STR("content-length"), STR("3") } },
};

static const char *
body_text(enum body_kind k)
{
	return k == BODY_NONE     ? "none"
	       : k == BODY_LENGTH ? "length"
				  : "streamed";
}

Test(h2_strict, responses)
{
	struct text t = TEXT_EMPTY;
	const struct row *row;
	struct stream *st;
	struct head *h;
	struct h2_rig r;
	char as[32];

	for (size_t i = 0; i < ARRAY_LEN(responses); i++) {
		row = &responses[i];
		h2_rig_init(&r);
		h2_rig_open(&r, H2_CLIENT);
		h2_put_frame(&t, H2_FRAME_SETTINGS, 0, 0, STR_NONE);
		h2_rig_send(&r, &t);
		st = h2_rig_ask(&r, "/");
		put_block(&t, row->f, 0, 1);
		h2_rig_send(&r, &t);
		if (row->as != NULL) {
			cr_assert_eq(
			    h2_rig_head(st, &h), PULL_DATA, "%s", row->what);
			(void)snprintf(as, sizeof(as), "%u %s", h->status,
			    body_text(h->body));
			cr_expect_str_eq(as, row->as);
		} else {
			cr_expect_eq(
			    h2_rig_head(st, &h), PULL_FAIL, "%s", row->what);
			cr_expect_eq(st->error, STREAM_BAD_MESSAGE, "%s: %s",
			    row->what, stream_error_text(st->error));
			cr_expect_eq(h2_rig_code(&r, H2_FRAME_RST_STREAM),
			    NGHTTP2_PROTOCOL_ERROR, "%s", row->what);
			cr_expect_eq(r.client.counts[H2_MESSAGE_ERROR], 1);
		}
		h2_rig_release(st, false);
		h2_rig_turn(&r);
		cr_expect_eq(h2_session_streams(r.client.session), 0);
		cr_expect_eq(h2_session_state(r.client.session), H2_OPEN);
		h2_rig_close(&r);
	}
	text_free(&t);
}

/* What comes behind a head has to agree with it. */
static const struct {
	const char *what;
	struct str length;
	struct str data;
	bool has_trailers;
	struct str trailer;
	bool is_good;
} bodies[] = {
	{ "as long as it says", STR("3"), STR("abc"), false, STR_NONE, true },
	{ "and trailers", STR("3"), STR("abc"), true, STR("x-sum"), true },
	{ "shorter", STR("4"), STR("abc"), false, STR_NONE, false },
	{ "longer", STR("2"), STR("abc"), false, STR_NONE, false },
	{ "shorter, with trailers", STR("4"), STR("abc"), true, STR("x"),
	    false },
	{ "a pseudo field in trailers", STR("3"), STR("abc"), true,
	    STR(":path"), false },
	{ "upper case in trailers", STR("3"), STR("abc"), true, STR("X"),
	    false },
	{ "Connection in trailers", STR("3"), STR("abc"), true,
	    STR("connection"), false },
};

Test(h2_strict, bodies)
{
	struct text t = TEXT_EMPTY, body = TEXT_EMPTY;
	struct stream *st;
	struct head *h;
	struct h2_rig r;
	enum pull p;

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		const struct str head[2 * FIELDS_MOST] = { POST,
			STR("content-length"), bodies[i].length };
		const struct str trailers[2 * FIELDS_MOST] = {
			bodies[i].trailer, STR("1")
		};
		unsigned flags =
		    bodies[i].has_trailers ? 0 : H2_FLAG_END_STREAM;

		h2_rig_init(&r);
		h2_rig_open(&r, H2_SERVER);
		h2_put_preface(&t);
		put_block(&t, head, 0, 1);
		h2_rig_send(&r, &t);
		st = r.server.streams[0];
		cr_assert_eq(h2_rig_head(st, &h), PULL_DATA);
		h2_put_frame(&t, H2_FRAME_DATA, flags, 1, bodies[i].data);
		if (bodies[i].has_trailers)
			put_block(&t, trailers, H2_FLAG_END_STREAM, 1);
		h2_rig_send(&r, &t);
		p = h2_rig_body(st, &body);
		cr_expect_eq(p, bodies[i].is_good ? PULL_END : PULL_FAIL,
		    "%s: %d", bodies[i].what, p);
		if (!bodies[i].is_good) {
			cr_expect_eq(st->error, STREAM_BAD_MESSAGE, "%s",
			    bodies[i].what);
			cr_expect_eq(r.server.counts[H2_MESSAGE_ERROR], 1,
			    "%s: %u", bodies[i].what,
			    r.server.counts[H2_MESSAGE_ERROR]);
		}
		h2_rig_release(st, false);
		h2_rig_turn(&r);
		cr_expect_eq(h2_session_streams(r.server.session), 0);
		h2_rig_close(&r);
	}
	text_free(&t);
	text_free(&body);
}

/* Trailers end the message. */
Test(h2_strict, a_second_head)
{
	static const struct str again[2 * FIELDS_MOST] = { STR("x"), STR("y") };
	struct text t = TEXT_EMPTY;
	struct head *h;
	struct h2_rig r;

	h2_rig_init(&r);
	h2_rig_open(&r, H2_SERVER);
	h2_put_preface(&t);
	h2_put_request(&t, 1, 0);
	h2_rig_send(&r, &t);
	put_block(&t, again, 0, 1);
	h2_rig_send(&r, &t);
	cr_expect_eq(h2_rig_head(r.server.streams[0], &h), PULL_FAIL);
	cr_expect_eq(
	    h2_rig_code(&r, H2_FRAME_RST_STREAM), NGHTTP2_PROTOCOL_ERROR);
	h2_rig_release(r.server.streams[0], false);
	h2_rig_close(&r);
	text_free(&t);
}

/* However small the limit: other streams have nothing to do with it. */
Test(h2_strict, trailers_over_their_limit_end_the_stream_alone)
{
	static const struct str trailers[2 * FIELDS_MOST] = { STR("x"),
		STR("abcdefghijkl") };
	static const size_t limits[] = { 0, 3, 12 };
	struct text t = TEXT_EMPTY;
	struct head *h;
	struct h2_rig r;

	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		h2_rig_init(&r);
		r.http.trailer_bytes = limits[i];
		h2_rig_open(&r, H2_SERVER);
		h2_put_preface(&t);
		h2_put_request(&t, 1, 0);
		put_block(&t, trailers, H2_FLAG_END_STREAM, 1);
		h2_rig_send(&r, &t);
		cr_expect_eq(h2_rig_head(r.server.streams[0], &h), PULL_FAIL);
		cr_expect_eq(r.server.streams[0]->error, STREAM_TOO_LARGE);
		h2_rig_release(r.server.streams[0], false);
		h2_put_request(&t, 3, H2_FLAG_END_STREAM);
		h2_rig_send(&r, &t);
		cr_expect_eq(h2_session_state(r.server.session), H2_OPEN);
		cr_assert_eq(r.server.n_streams, 2);
		cr_expect_eq(h2_rig_head(r.server.streams[1], &h), PULL_DATA);
		h2_rig_release(r.server.streams[1], false);
		h2_rig_close(&r);
	}
	text_free(&t);
}

enum excess { BYTES, FIELDS, LINE, PATH };

/* Over a limit: the caller hears 431, and the connection goes on. */
Test(h2_strict, heads_over_a_limit_are_answered)
{
	static char big[3000];
	struct text t = TEXT_EMPTY, p = TEXT_EMPTY;
	struct stream *st;
	struct str payload;
	struct h2_frame f;
	struct head *h;
	struct h2_rig r;

	memset(big, 'x', sizeof(big));
	for (int over = BYTES; over <= PATH; over++) {
		h2_rig_init(&r);
		r.http.head_bytes = 4096;
		r.http.fields = 20;
		r.http.line_bytes = 2048;
		h2_rig_open(&r, H2_SERVER);
		h2_put_preface(&t);
		text_clear(&p);
		h2_put_field(&p, ":method", STR("GET"));
		h2_put_field(&p, ":scheme", STR("https"));
		h2_put_field(&p, ":authority", STR("a"));
		h2_put_field(&p, ":path",
		    over == PATH
			? (memcpy(big, "/", 1), (struct str){ big, 2500 })
			: STR("/"));
		for (int i = 0; i < 21; i++)
			h2_put_field(&p, "x",
			    over == BYTES            ? (struct str){ big, 200 }
			    : over == LINE && i == 0 ? (struct str){ big, 2048 }
			    : over == FIELDS || i == 0 ? STR("y")
						       : STR("z"));
		h2_put_frame(&t, H2_FRAME_HEADERS,
		    H2_FLAG_END_HEADERS | H2_FLAG_END_STREAM, 1, text_str(&p));
		h2_put_request(&t, 3, H2_FLAG_END_STREAM);
		h2_rig_send(&r, &t);
		cr_assert_eq(r.server.n_streams, 2, "%d", over);
		st = r.server.streams[0];
		cr_expect_eq(h2_rig_head(st, &h), PULL_FAIL);
		cr_expect_eq(st->error, STREAM_TOO_LARGE);
		cr_expect_eq(r.server.counts[H2_HEADER_OVERFLOW], 1);
		h2_rig_answer(st, 431, NULL);
		h2_rig_release(st, false);
		h2_rig_turn(&r);
		cr_assert(h2_rig_next(&r, H2_FRAME_HEADERS, &f, &payload));
		cr_expect_eq(f.stream, 1);
		cr_expect(f.flags & H2_FLAG_END_STREAM);
		cr_assert_eq(h2_rig_head(r.server.streams[1], &h), PULL_DATA);
		h2_rig_answer(r.server.streams[1], 200, NULL);
		h2_rig_release(r.server.streams[1], true);
		h2_rig_turn(&r);
		cr_expect_eq(h2_session_streams(r.server.session), 0);
		h2_rig_close(&r);
	}
	text_free(&t);
	text_free(&p);
}

Test(h2_strict, an_answer_over_a_limit_is_cancelled)
{
	static char big[5000];
	struct text t = TEXT_EMPTY, p = TEXT_EMPTY;
	struct stream *st;
	struct head *h;
	struct h2_rig r;

	memset(big, 'x', sizeof(big));
	h2_rig_init(&r);
	r.http.head_bytes = 4096;
	h2_rig_open(&r, H2_CLIENT);
	h2_put_frame(&t, H2_FRAME_SETTINGS, 0, 0, STR_NONE);
	h2_rig_send(&r, &t);
	st = h2_rig_ask(&r, "/");
	h2_put_field(&p, ":status", STR("200"));
	h2_put_field(&p, "x", (struct str){ big, sizeof(big) });
	h2_put_frame(
	    &t, H2_FRAME_HEADERS, H2_FLAG_END_HEADERS, 1, text_str(&p));
	h2_rig_send(&r, &t);
	cr_expect_eq(h2_rig_head(st, &h), PULL_FAIL);
	cr_expect_eq(st->error, STREAM_TOO_LARGE);
	cr_expect_eq(
	    h2_rig_code(&r, H2_FRAME_RST_STREAM), NGHTTP2_ENHANCE_YOUR_CALM);
	h2_rig_release(st, false);
	h2_rig_close(&r);
	text_free(&t);
	text_free(&p);
}

Test(h2_strict, the_limit_is_announced)
{
	struct str payload;
	struct h2_frame f;
	struct h2_rig r;
	bool has_it = false;

	h2_rig_init(&r);
	h2_rig_open(&r, H2_SERVER);
	cr_assert(h2_rig_next(&r, H2_FRAME_SETTINGS, &f, &payload));
	for (size_t i = 0; i + 6 <= payload.len; i += 6)
		has_it |= str_eq(str_first(str_from(payload, i), 6),
		    STR("\0\6\0\0\xfc\x80"));
	/* 61440 bytes and 100 fields, at 32 each. */
	cr_expect(has_it);
	h2_rig_close(&r);
}
