/* SPDX-License-Identifier: Apache-2.0 */
/* http/h1_parse.h: response heads and trailers. */

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "unit/http/parse_rig.h"

#define OK11 "HTTP/1.1 200 OK\r\n"
#define OK10 "HTTP/1.0 200 OK\r\n"

/* clang-format off */
static const struct good {
	const char *what;
	struct str bytes;
	enum parse_kind kind;
	unsigned status;
	const char *reason;
	enum body_kind body;
	uint64_t length;
	const char *flags; /* c: close, 0: HTTP/1.0, l: has a length */
} good[] = {
	{ "the least", STR(OK11 "\r\n"), PARSE_RESPONSE, 200, "OK", BODY_TO_CLOSE, 0, "" },
	{ "an empty reason", STR("HTTP/1.1 200 \r\n\r\n"), PARSE_RESPONSE, 200, "", BODY_TO_CLOSE, 0, "" },
	{ "no reason at all", STR("HTTP/1.1 200\r\n\r\n"), PARSE_RESPONSE, 200, "", BODY_TO_CLOSE, 0, "" },
	{ "a reason of several words", STR("HTTP/1.1 404 Not \xe4\tFound\r\nContent-Length: 0\r\n\r\n"), PARSE_RESPONSE, 404, "Not \xe4\tFound", BODY_LENGTH, 0, "l" },
	{ "the last status", STR("HTTP/1.1 599 x\r\n\r\n"), PARSE_RESPONSE, 599, "x", BODY_TO_CLOSE, 0, "" },
	{ "a length", STR(OK11 "Content-Length: 12\r\n\r\n"), PARSE_RESPONSE, 200, "OK", BODY_LENGTH, 12, "l" },
	{ "chunks", STR(OK11 "transfer-encoding: Chunked\r\n\r\n"), PARSE_RESPONSE, 200, "OK", BODY_STREAMED, 0, "" },
	{ "close", STR(OK11 "Connection: close\r\nContent-Length: 1\r\n\r\n"), PARSE_RESPONSE, 200, "OK", BODY_LENGTH, 1, "cl" },
	{ "100", STR("HTTP/1.1 100 Continue\r\n\r\n"), PARSE_RESPONSE, 100, "Continue", BODY_NONE, 0, "" },
	{ "103 with a field", STR("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"), PARSE_RESPONSE, 103, "Early Hints", BODY_NONE, 0, "" },
	{ "204", STR("HTTP/1.1 204 No Content\r\n\r\n"), PARSE_RESPONSE, 204, "No Content", BODY_NONE, 0, "" },
	{ "204 with a length of nothing", STR("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"), PARSE_RESPONSE, 204, "No Content", BODY_NONE, 0, "l" },
	{ "304 with a length", STR("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n"), PARSE_RESPONSE, 304, "Not Modified", BODY_NONE, 9, "l" },
	{ "304 with chunks", STR("HTTP/1.1 304 x\r\nTransfer-Encoding: chunked\r\n\r\n"), PARSE_RESPONSE, 304, "x", BODY_NONE, 0, "" },
	{ "HEAD with a length", STR(OK11 "Content-Length: 12\r\n\r\n"), PARSE_HEAD_RESPONSE, 200, "OK", BODY_NONE, 12, "l" },
	{ "HEAD with chunks", STR(OK11 "Transfer-Encoding: chunked\r\n\r\n"), PARSE_HEAD_RESPONSE, 200, "OK", BODY_NONE, 0, "" },
	{ "HEAD with neither", STR(OK11 "\r\n"), PARSE_HEAD_RESPONSE, 200, "OK", BODY_NONE, 0, "" },
	{ "HTTP/1.0", STR(OK10 "\r\n"), PARSE_RESPONSE, 200, "OK", BODY_TO_CLOSE, 0, "0c" },
	{ "HTTP/1.0 with a length", STR(OK10 "Content-Length: 1\r\n\r\n"), PARSE_RESPONSE, 200, "OK", BODY_LENGTH, 1, "0cl" },
	{ "HTTP/1.0 that stays", STR(OK10 "Connection: Keep-Alive\r\nContent-Length: 1\r\n\r\n"), PARSE_RESPONSE, 200, "OK", BODY_LENGTH, 1, "0l" },
	{ "HTTP/1.0 that says both", STR(OK10 "Connection: keep-alive, close\r\nContent-Length: 1\r\n\r\n"), PARSE_RESPONSE, 200, "OK", BODY_LENGTH, 1, "0cl" },
	{ "Host means nothing here", STR(OK11 "Host: a b\r\nHost:\r\n\r\n"), PARSE_RESPONSE, 200, "OK", BODY_TO_CLOSE, 0, "" },
};

static const struct {
	const char *what;
	struct str bytes;
	enum h1_status status;
} bad[] = {
	{ "a request", STR("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), H1_BAD },
	{ "an empty line before it", STR("\r\n" OK11 "\r\n"), H1_BAD },
	{ "HTTP/2.0", STR("HTTP/2.0 200 OK\r\n\r\n"), H1_VERSION },
	{ "HTTP/1.2", STR("HTTP/1.2 200 OK\r\n\r\n"), H1_VERSION },
	{ "HTTP/0.9", STR("HTTP/0.9 200 OK\r\n\r\n"), H1_VERSION },
	{ "a version in lower case", STR("http/1.1 200 OK\r\n\r\n"), H1_BAD },
	{ "a status of two digits", STR("HTTP/1.1 20 OK\r\n\r\n"), H1_BAD },
	{ "a status of four digits", STR("HTTP/1.1 2000 OK\r\n\r\n"), H1_BAD },
	{ "a status of letters", STR("HTTP/1.1 2xx OK\r\n\r\n"), H1_BAD },
	{ "a status below 100", STR("HTTP/1.1 099 OK\r\n\r\n"), H1_BAD },
	{ "a status of 600", STR("HTTP/1.1 600 OK\r\n\r\n"), H1_BAD },
	{ "a status of 999", STR("HTTP/1.1 999 OK\r\n\r\n"), H1_BAD },
	{ "a status with plus", STR("HTTP/1.1 +20 OK\r\n\r\n"), H1_BAD },
	{ "two spaces before the status", STR("HTTP/1.1  200 OK\r\n\r\n"), H1_BAD },
	{ "no status", STR("HTTP/1.1\r\n\r\n"), H1_BAD },
	{ "a control byte in the reason", STR("HTTP/1.1 200 O\x01K\r\n\r\n"), H1_BAD },
	{ "bare LF after the status line", STR("HTTP/1.1 200 OK\nX: 1\r\n\r\n"), H1_BAD },
	{ "bare LF after a field", STR(OK11 "X: 1\n\r\n"), H1_BAD },
	{ "bare CR in a value", STR(OK11 "X: 1\r2\r\n\r\n"), H1_BAD },
	{ "obs-fold", STR(OK11 "X: 1\r\n 2\r\n\r\n"), H1_BAD },
	{ "space before the colon", STR(OK11 "X : 1\r\n\r\n"), H1_BAD },
	{ "NUL in a value", STR(OK11 "X: \0\r\n\r\n"), H1_BAD },
	{ "length and coding", STR(OK11 "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"), H1_BAD },
	{ "two equal lengths", STR(OK11 "Content-Length: 1\r\nContent-Length: 1\r\n\r\n"), H1_BAD },
	{ "a list of lengths", STR(OK11 "Content-Length: 1,1\r\n\r\n"), H1_BAD },
	{ "an odd length", STR(OK11 "Content-Length: 1x\r\n\r\n"), H1_BAD },
	{ "another coding", STR(OK11 "Transfer-Encoding: gzip, chunked\r\n\r\n"), H1_BAD },
	{ "a coding in HTTP/1.0", STR(OK10 "Transfer-Encoding: chunked\r\n\r\n"), H1_BAD },
	{ "204 with a body", STR("HTTP/1.1 204 x\r\nContent-Length: 1\r\n\r\n"), H1_BAD },
	{ "204 with chunks", STR("HTTP/1.1 204 x\r\nTransfer-Encoding: chunked\r\n\r\n"), H1_BAD },
	{ "100 with a body", STR("HTTP/1.1 100 x\r\nContent-Length: 1\r\n\r\n"), H1_BAD },
	{ "100 with chunks", STR("HTTP/1.1 100 x\r\nTransfer-Encoding: chunked\r\n\r\n"), H1_BAD },
};
/* clang-format on */

static void
expect_head(const struct head *h, const struct good *row)
{
	cr_expect_not(h->is_request, "%s", row->what);
	cr_expect_eq(h->status, row->status, "%s", row->what);
	cr_expect(str_eq(h->reason, str_of(row->reason)), "%s: '%.*s'",
	    row->what, STR_ARG(h->reason));
	cr_expect_eq(h->body, row->body, "%s: body", row->what);
	cr_expect_eq(h->content_length, row->length, "%s: length", row->what);
	cr_expect_eq(h->is_head_request, row->kind == PARSE_HEAD_RESPONSE);
	cr_expect_eq(h->minor, strchr(row->flags, '0') != NULL ? 0 : 1,
	    "%s: version", row->what);
	cr_expect_eq(h->wants_close, strchr(row->flags, 'c') != NULL,
	    "%s: close", row->what);
	cr_expect_eq(h->has_length, strchr(row->flags, 'l') != NULL,
	    "%s: has a length", row->what);
}

Test(h1_response, good_heads_are_understood_in_any_pieces)
{
	struct reading *r = xmalloc(sizeof(*r));

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		parse_whole(r, good[i].kind, good[i].bytes, &parse_limits);
		cr_expect_eq(r->status, H1_OK, "%s: %s", good[i].what,
		    parse_status_text(r->status));
		if (r->status != H1_OK)
			continue;
		expect_head(&r->h, &good[i]);
		parse_expect_same_in_pieces(
		    r, good[i].kind, &parse_limits, good[i].what);
	}
	free(r);
}

Test(h1_response, bad_heads_are_refused_in_any_pieces)
{
	struct reading *r = xmalloc(sizeof(*r));

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		parse_whole(r, PARSE_RESPONSE, bad[i].bytes, &parse_limits);
		cr_expect_eq(r->status, bad[i].status, "%s: %s, not %s",
		    bad[i].what, parse_status_text(r->status),
		    parse_status_text(bad[i].status));
		parse_expect_same_in_pieces(
		    r, PARSE_RESPONSE, &parse_limits, bad[i].what);
	}
	free(r);
}

Test(h1_response, limits_hold)
{
	struct reading *r = xmalloc(sizeof(*r));
	struct str bytes = STR(OK11 "A: 1\r\nB: 2\r\n\r\n");
	struct http_limits limits = parse_limits;

	limits.fields = 1;
	cr_expect_eq(
	    parse_whole(r, PARSE_RESPONSE, bytes, &limits), H1_TOO_LARGE);
	limits.fields = 2;
	cr_expect_eq(parse_whole(r, PARSE_RESPONSE, bytes, &limits), H1_OK);
	limits.head_bytes = bytes.len - 1;
	cr_expect_eq(
	    parse_whole(r, PARSE_RESPONSE, bytes, &limits), H1_TOO_LARGE);
	free(r);
}

/* clang-format off */
static const struct {
	struct str bytes;
	enum h1_status status;
	const char *fields;
} trailers[] = {
	{ STR(""), H1_OK, "" },
	{ STR("A: 1\r\n"), H1_OK, "A: 1" },
	{ STR("A: 1\r\nB:2 \r\n"), H1_OK, "A: 1|B: 2" },
	{ STR("A: 1\r\n\r\n"), H1_BAD, "" },
	{ STR("A: 1\n"), H1_BAD, "" },
	{ STR("A : 1\r\n"), H1_BAD, "" },
	{ STR(" A: 1\r\n"), H1_BAD, "" },
	{ STR("A: 1\r\n B\r\n"), H1_BAD, "" },
	{ STR("A: 1"), H1_BAD, "" },
	{ STR("A\r\n"), H1_BAD, "" },
	{ STR("A: \0\r\n"), H1_BAD, "" },
};
/* clang-format on */

Test(h1_response, trailers)
{
	struct field *fields = xcalloc(HEAD_FIELDS_MAX, sizeof(*fields));
	struct text got = TEXT_EMPTY;
	enum h1_status s;
	struct head h;

	for (size_t i = 0; i < ARRAY_LEN(trailers); i++) {
		s = h1_parse_trailers(
		    trailers[i].bytes, &parse_limits, fields, &h);
		cr_expect_eq(s, trailers[i].status, "row %zu: %s", i,
		    parse_status_text(s));
		if (s != H1_OK)
			continue;
		text_clear(&got);
		parse_print_fields(&h, &got);
		cr_expect(str_eq(text_str(&got), str_of(trailers[i].fields)),
		    "row %zu: '%.*s'", i, STR_ARG(text_str(&got)));
	}
	text_free(&got);
	free(fields);
}
