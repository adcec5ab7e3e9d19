/* SPDX-License-Identifier: Apache-2.0 */
/* http/h1_parse.h: how long a line may be, in whatever pieces it comes. */

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "unit/http/parse_rig.h"

/* 16 bytes is what "GET / HTTP/1.1xx" has. */
#define MOST 16
#define GET "GET / HTTP/1.1\r\n"
#define HOST "Host: a\r\n"

/* clang-format off */
static const struct {
	const char *what;
	enum parse_kind kind;
	struct str bytes;
	enum h1_status status;
} rows[] = {
	{ "all shorter", PARSE_REQUEST, STR(GET HOST "\r\n"), H1_OK },
	{ "the longest request line", PARSE_REQUEST, STR("GET /12 HTTP/1.1\r\n" HOST "\r\n"), H1_OK },
	{ "too long a request line", PARSE_REQUEST, STR("GET /123 HTTP/1.1\r\n" HOST "\r\n"), H1_TOO_LARGE },
	{ "an empty line before the longest", PARSE_REQUEST, STR("\r\nGET /12 HTTP/1.1\r\n" HOST "\r\n"), H1_OK },
	{ "an empty line before one too long", PARSE_REQUEST, STR("\r\nGET /123 HTTP/1.1\r\n" HOST "\r\n"), H1_TOO_LARGE },
	{ "too long a method", PARSE_REQUEST, STR("GETGETGETGETGETGETGET"), H1_TOO_LARGE },
	{ "a request line that does not end", PARSE_REQUEST, STR("GET /aaaaaaaaaaaaaaaaaaaaaaaaaaa"), H1_TOO_LARGE },
	{ "the longest field", PARSE_REQUEST, STR(GET HOST "X: 3456789abcdef\r\n\r\n"), H1_OK },
	{ "too long a field", PARSE_REQUEST, STR(GET HOST "X: 3456789abcdefg\r\n\r\n"), H1_TOO_LARGE },
	{ "too long a field, the last", PARSE_REQUEST, STR(GET HOST "X: 1\r\nY: 3456789abcdefg\r\n\r\n"), H1_TOO_LARGE },
	{ "too long a name", PARSE_REQUEST, STR(GET HOST "Xxxxxxxxxxxxxxxxxxxxx: 1\r\n\r\n"), H1_TOO_LARGE },
	{ "too many spaces before a value", PARSE_REQUEST, STR(GET HOST "X:                1\r\n\r\n"), H1_TOO_LARGE },
	{ "too many spaces behind a value", PARSE_REQUEST, STR(GET HOST "X: 1              \r\n\r\n"), H1_TOO_LARGE },
	{ "a field that does not end", PARSE_REQUEST, STR(GET HOST "X: aaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), H1_TOO_LARGE },
	{ "a bad byte before the limit", PARSE_REQUEST, STR(GET HOST "X: a\0aaaaaaaaaaaaaaaaaaaaa\r\n\r\n"), H1_BAD },
	{ "a bad byte behind the limit", PARSE_REQUEST, STR(GET HOST "X: aaaaaaaaaaaaaaaaaaaaa\0a\r\n\r\n"), H1_TOO_LARGE },
	{ "a bare CR at the limit", PARSE_REQUEST, STR(GET HOST "X: 3456789abcdef\rg\r\n\r\n"), H1_BAD },
	{ "the longest status line", PARSE_RESPONSE, STR("HTTP/1.1 200 abc\r\n\r\n"), H1_OK },
	{ "too long a status line", PARSE_RESPONSE, STR("HTTP/1.1 200 abcd\r\n\r\n"), H1_TOO_LARGE },
	{ "too long a field of an answer", PARSE_RESPONSE, STR("HTTP/1.1 200 \r\nX: 3456789abcdefg\r\n\r\n"), H1_TOO_LARGE },
};
/* clang-format on */

Test(h1_line, too_long_ones_are_refused_in_any_pieces)
{
	struct reading *r = xmalloc(sizeof(*r));
	struct http_limits limits = parse_limits;

	limits.line_bytes = MOST;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		parse_whole(r, rows[i].kind, rows[i].bytes, &limits);
		cr_expect_eq(r->status, rows[i].status, "%s: %s, not %s",
		    rows[i].what, parse_status_text(r->status),
		    parse_status_text(rows[i].status));
		parse_expect_same_in_pieces(
		    r, rows[i].kind, &limits, rows[i].what);
	}
	free(r);
}

/* Found where it stands, not where the line ends or the head gets too big. */
Test(h1_line, an_endless_one_is_refused_as_soon_as_it_is_too_long)
{
	struct reading *r = xmalloc(sizeof(*r));
	struct http_limits limits = parse_limits;
	struct text t = TEXT_EMPTY;
	enum h1_status s = H1_MORE;
	size_t scanned = 0, begin;

	limits.line_bytes = MOST;
	text_add_z(&t, GET HOST "X: ");
	begin = t.len - 3;
	while (s == H1_MORE && t.len < 1000) {
		text_add_char(&t, 'x');
		s = h1_parse_request(text_str(&t), &limits, &scanned, r->fields,
		    &r->h, &r->used);
	}
	cr_expect_eq(s, H1_TOO_LARGE);
	cr_expect_eq(t.len - begin, MOST + 2, "after %zu", t.len - begin);
	text_free(&t);
	free(r);
}

Test(h1_line, trailers_have_the_same_limit)
{
	struct field *fields = xcalloc(HEAD_FIELDS_MAX, sizeof(*fields));
	struct http_limits limits = parse_limits;
	struct head h;

	limits.line_bytes = MOST;
	cr_expect_eq(h1_parse_trailers(STR("X: 3456789abcdef\r\nY: 1\r\n"),
			 &limits, fields, &h),
	    H1_OK);
	cr_expect_eq(h1_parse_trailers(STR("Y: 1\r\nX: 3456789abcdefg\r\n"),
			 &limits, fields, &h),
	    H1_TOO_LARGE);
	free(fields);
}

Test(h1_line, no_limit_is_none)
{
	struct reading *r = xmalloc(sizeof(*r));
	struct text t = TEXT_EMPTY;

	text_add_z(&t, GET HOST "X: ");
	while (t.len < 50000)
		text_add_char(&t, 'x');
	text_add_z(&t, "\r\n\r\n");
	cr_expect_eq(
	    parse_whole(r, PARSE_REQUEST, text_str(&t), &parse_limits), H1_OK);
	text_free(&t);
	free(r);
}
