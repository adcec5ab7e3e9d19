/* SPDX-License-Identifier: Apache-2.0 */
/* http/h1_parse.h: request heads, what is understood and what is refused. */

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "unit/http/parse_rig.h"

#define GET "GET / HTTP/1.1\r\n"
#define HOST "Host: a\r\n"

struct good {
	const char *what;
	struct str bytes;
	const char *method;
	const char *path;
	const char *authority;
	const char *fields;
	enum body_kind body;
	uint64_t length;
	const char *flags; /* c: close, e: expects 100, l: has a length */
};

/* clang-format off */
static const struct good good[] = {
	{ "the least", STR(GET HOST "\r\n"), "GET", "/", "a", "Host: a", BODY_NONE, 0, "" },
	{ "an empty line before it", STR("\r\n" GET HOST "\r\n"), "GET", "/", "a", "Host: a", BODY_NONE, 0, "" },
	{ "bytes after it", STR(GET HOST "\r\nGET"), "GET", "/", "a", "Host: a", BODY_NONE, 0, "" },
	{ "a query", STR("GET /a/b?c=d&e=%20 HTTP/1.1\r\n" HOST "\r\n"), "GET", "/a/b?c=d&e=%20", "a", "Host: a", BODY_NONE, 0, "" },
	{ "odd but visible bytes in the target", STR("GET /\"<>[]\\^`{|}~ HTTP/1.1\r\n" HOST "\r\n"), "GET", "/\"<>[]\\^`{|}~", "a", "Host: a", BODY_NONE, 0, "" },
	{ "two slashes", STR("GET //b/c HTTP/1.1\r\n" HOST "\r\n"), "GET", "//b/c", "a", "Host: a", BODY_NONE, 0, "" },
	{ "another method", STR("M-SEARCH / HTTP/1.1\r\n" HOST "\r\n"), "M-SEARCH", "/", "a", "Host: a", BODY_NONE, 0, "" },
	{ "a method in lower case is itself", STR("get / HTTP/1.1\r\n" HOST "\r\n"), "get", "/", "a", "Host: a", BODY_NONE, 0, "" },
	{ "every token character", STR("!#$%&'*+-.^_`|~09azAZ / HTTP/1.1\r\n" HOST "\r\n"), "!#$%&'*+-.^_`|~09azAZ", "/", "a", "Host: a", BODY_NONE, 0, "" },
	{ "no space after the colon", STR(GET "Host:a\r\n\r\n"), "GET", "/", "a", "Host: a", BODY_NONE, 0, "" },
	{ "spaces and tabs around a value", STR(GET "Host: \t a \t \r\n\r\n"), "GET", "/", "a", "Host: a", BODY_NONE, 0, "" },
	{ "an empty value", STR(GET HOST "X:\r\nY: \r\n\r\n"), "GET", "/", "a", "Host: a|X: |Y: ", BODY_NONE, 0, "" },
	{ "a tab within a value", STR(GET HOST "X: a\tb\r\n\r\n"), "GET", "/", "a", "Host: a|X: a\tb", BODY_NONE, 0, "" },
	{ "a tab at byte 16 of a value", STR(GET HOST "X: 0123456789abcdef\tb\r\n\r\n"), "GET", "/", "a", "Host: a|X: 0123456789abcdef\tb", BODY_NONE, 0, "" },
	{ "bytes over 0x7f in a value", STR(GET HOST "X: \x80\xff\r\n\r\n"), "GET", "/", "a", "Host: a|X: \x80\xff", BODY_NONE, 0, "" },
	{ "a colon in a value", STR(GET HOST "X: a:b\r\n\r\n"), "GET", "/", "a", "Host: a|X: a:b", BODY_NONE, 0, "" },
	{ "names keep their case", STR(GET "hOST: a\r\nX-fOO: 1\r\n\r\n"), "GET", "/", "a", "hOST: a|X-fOO: 1", BODY_NONE, 0, "" },
	{ "a host with port", STR(GET "Host: a.example:8080\r\n\r\n"), "GET", "/", "a.example:8080", "Host: a.example:8080", BODY_NONE, 0, "" },
	{ "a host with an empty port", STR(GET "Host: a:\r\n\r\n"), "GET", "/", "a:", "Host: a:", BODY_NONE, 0, "" },
	{ "an IPv4 host", STR(GET "Host: 127.0.0.1:1\r\n\r\n"), "GET", "/", "127.0.0.1:1", "Host: 127.0.0.1:1", BODY_NONE, 0, "" },
	{ "an IPv6 host", STR(GET "Host: [2001:db8::1]:443\r\n\r\n"), "GET", "/", "[2001:db8::1]:443", "Host: [2001:db8::1]:443", BODY_NONE, 0, "" },
	{ "an IPv6 host alone", STR(GET "Host: [::ffff:1.2.3.4]\r\n\r\n"), "GET", "/", "[::ffff:1.2.3.4]", "Host: [::ffff:1.2.3.4]", BODY_NONE, 0, "" },
	{ "an underscore in the host", STR(GET "Host: a_b\r\n\r\n"), "GET", "/", "a_b", "Host: a_b", BODY_NONE, 0, "" },
	{ "absolute-form", STR("GET http://a/p?q HTTP/1.1\r\n" HOST "\r\n"), "GET", "/p?q", "a", "Host: a", BODY_NONE, 0, "" },
	{ "absolute-form, case folded", STR("GET HTTPS://A/ HTTP/1.1\r\n" HOST "\r\n"), "GET", "/", "a", "Host: a", BODY_NONE, 0, "" },
	{ "absolute-form without a path", STR("GET http://a HTTP/1.1\r\n" HOST "\r\n"), "GET", "/", "a", "Host: a", BODY_NONE, 0, "" },
	{ "absolute-form of OPTIONS without a path", STR("OPTIONS http://a HTTP/1.1\r\n" HOST "\r\n"), "OPTIONS", "*", "a", "Host: a", BODY_NONE, 0, "" },
	{ "asterisk-form", STR("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"), "OPTIONS", "*", "a", "Host: a", BODY_NONE, 0, "" },
	{ "authority-form", STR("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"), "CONNECT", "", "a:443", "Host: a:443", BODY_NONE, 0, "c" },
	{ "a length", STR("POST / HTTP/1.1\r\n" HOST "Content-Length: 10\r\n\r\n"), "POST", "/", "a", "Host: a|Content-Length: 10", BODY_LENGTH, 10, "l" },
	{ "a length of nothing", STR("POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n"), "POST", "/", "a", "Host: a|Content-Length: 0", BODY_LENGTH, 0, "l" },
	{ "the greatest length", STR("POST / HTTP/1.1\r\n" HOST "content-length: 9223372036854775807\r\n\r\n"), "POST", "/", "a", "Host: a|content-length: 9223372036854775807", BODY_LENGTH, INT64_MAX, "l" },
	{ "a GET with a body", STR(GET HOST "Content-Length: 1\r\n\r\nx"), "GET", "/", "a", "Host: a|Content-Length: 1", BODY_LENGTH, 1, "l" },
	{ "chunks", STR("POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"), "POST", "/", "a", "Host: a|Transfer-Encoding: chunked", BODY_STREAMED, 0, "" },
	{ "chunks in capitals", STR("POST / HTTP/1.1\r\n" HOST "TRANSFER-ENCODING: CHUNKED\r\n\r\n"), "POST", "/", "a", "Host: a|TRANSFER-ENCODING: CHUNKED", BODY_STREAMED, 0, "" },
	{ "close", STR(GET HOST "Connection: Close\r\n\r\n"), "GET", "/", "a", "Host: a|Connection: Close", BODY_NONE, 0, "c" },
	{ "close in a list", STR(GET HOST "Connection: keep-alive , close,x\r\n\r\n"), "GET", "/", "a", "Host: a|Connection: keep-alive , close,x", BODY_NONE, 0, "c" },
	{ "close in the second line", STR(GET HOST "Connection: x\r\nConnection: close\r\n\r\n"), "GET", "/", "a", "Host: a|Connection: x|Connection: close", BODY_NONE, 0, "c" },
	{ "keep-alive", STR(GET HOST "Connection: keep-alive\r\n\r\n"), "GET", "/", "a", "Host: a|Connection: keep-alive", BODY_NONE, 0, "" },
	{ "no close: a word that begins so", STR(GET HOST "Connection: closed\r\n\r\n"), "GET", "/", "a", "Host: a|Connection: closed", BODY_NONE, 0, "" },
	{ "expects 100", STR("PUT / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\nContent-Length: 3\r\n\r\n"), "PUT", "/", "a", "Host: a|Expect: 100-Continue|Content-Length: 3", BODY_LENGTH, 3, "el" },
	{ "expects something else", STR("PUT / HTTP/1.1\r\n" HOST "Expect: tea\r\n\r\n"), "PUT", "/", "a", "Host: a|Expect: tea", BODY_NONE, 0, "" },
};

#define P "POST / HTTP/1.1\r\n" HOST
static const struct {
	const char *what;
	struct str bytes;
	enum h1_status status;
} bad[] = {
	/* Lines. */
	{ "bare LF after the request line", STR("GET / HTTP/1.1\nHost: a\r\n\r\n"), H1_BAD },
	{ "bare LF after a field", STR(GET "Host: a\n\r\n"), H1_BAD },
	{ "bare LF at the end", STR(GET HOST "\n"), H1_BAD },
	{ "bare LF everywhere", STR("GET / HTTP/1.1\nHost: a\n\n"), H1_BAD },
	{ "bare CR after the request line", STR("GET / HTTP/1.1\rHost: a\r\n\r\n"), H1_BAD },
	{ "bare CR in a value", STR(GET HOST "X: a\rb\r\n\r\n"), H1_BAD },
	{ "two CRs", STR(GET "Host: a\r\r\n\r\n"), H1_BAD },
	{ "CR and something at the end", STR(GET HOST "\rX\r\n\r\n"), H1_BAD },
	{ "bare LF before it", STR("\n" GET HOST "\r\n"), H1_BAD },
	{ "two empty lines before it", STR("\r\n\r\n" GET HOST "\r\n"), H1_BAD },
	{ "spaces before it", STR(" " GET HOST "\r\n"), H1_BAD },
	/* The request line. */
	{ "two spaces before the target", STR("GET  / HTTP/1.1\r\n" HOST "\r\n"), H1_BAD },
	{ "two spaces after the target", STR("GET /  HTTP/1.1\r\n" HOST "\r\n"), H1_BAD },
	{ "a space after the version", STR("GET / HTTP/1.1 \r\n" HOST "\r\n"), H1_BAD },
	{ "a tab for a space", STR("GET\t/ HTTP/1.1\r\n" HOST "\r\n"), H1_BAD },
	{ "a tab before the version", STR("GET /\tHTTP/1.1\r\n" HOST "\r\n"), H1_BAD },
	{ "a space in the target", STR("GET /a b HTTP/1.1\r\n" HOST "\r\n"), H1_BAD },
	{ "no method", STR("/ HTTP/1.1\r\n" HOST "\r\n"), H1_BAD },
	{ "a method that is no token", STR("G@T / HTTP/1.1\r\n" HOST "\r\n"), H1_BAD },
	{ "NUL in the target", STR("GET /\0 HTTP/1.1\r\n" HOST "\r\n"), H1_BAD },
	{ "DEL in the target", STR("GET /\x7f HTTP/1.1\r\n" HOST "\r\n"), H1_BAD },
	{ "a byte over 0x7f in the target", STR("GET /\x80 HTTP/1.1\r\n" HOST "\r\n"), H1_BAD },
	{ "the same beyond 16 bytes", STR("GET /0123456789abcdef\xe4 HTTP/1.1\r\n" HOST "\r\n"), H1_BAD },
	{ "a fragment", STR("GET /a#b HTTP/1.1\r\n" HOST "\r\n"), H1_BAD },
	{ "a relative target", STR("GET a HTTP/1.1\r\n" HOST "\r\n"), H1_BAD },
	{ "a target that is a query", STR("GET ?a HTTP/1.1\r\n" HOST "\r\n"), H1_BAD },
	{ "asterisk-form of GET", STR("GET * HTTP/1.1\r\n" HOST "\r\n"), H1_BAD },
	{ "authority-form of GET", STR("GET a:80 HTTP/1.1\r\n" HOST "\r\n"), H1_BAD },
	{ "origin-form of CONNECT", STR("CONNECT / HTTP/1.1\r\n" HOST "\r\n"), H1_BAD },
	{ "CONNECT with another Host", STR("CONNECT b:443 HTTP/1.1\r\nHost: a:443\r\n\r\n"), H1_BAD },
	{ "absolute-form with another Host", STR("GET http://b/ HTTP/1.1\r\n" HOST "\r\n"), H1_BAD },
	{ "absolute-form with another port", STR("GET http://a:80/ HTTP/1.1\r\n" HOST "\r\n"), H1_BAD },
	{ "absolute-form with a user", STR("GET http://u@a/ HTTP/1.1\r\nHost: u@a\r\n\r\n"), H1_BAD },
	{ "absolute-form without a host", STR("GET http:///p HTTP/1.1\r\n" HOST "\r\n"), H1_BAD },
	{ "absolute-form of another scheme", STR("GET ftp://a/ HTTP/1.1\r\n" HOST "\r\n"), H1_BAD },
	{ "absolute-form with one slash", STR("GET http:/a/ HTTP/1.1\r\n" HOST "\r\n"), H1_BAD },
	{ "absolute-form with a query only", STR("GET http://a?q HTTP/1.1\r\n" HOST "\r\n"), H1_BAD },
	{ "a version in lower case", STR("GET / http/1.1\r\n" HOST "\r\n"), H1_BAD },
	{ "a version without a dot", STR("GET / HTTP/11\r\n" HOST "\r\n"), H1_BAD },
	{ "a version of two digits", STR("GET / HTTP/1.11\r\n" HOST "\r\n"), H1_BAD },
	{ "another protocol", STR("GET / RTSP/1.0\r\n" HOST "\r\n"), H1_BAD },
	{ "HTTP/1.0", STR("GET / HTTP/1.0\r\n" HOST "\r\n"), H1_VERSION },
	{ "HTTP/1.2", STR("GET / HTTP/1.2\r\n" HOST "\r\n"), H1_VERSION },
	{ "HTTP/2.0", STR("GET / HTTP/2.0\r\n" HOST "\r\n"), H1_VERSION },
	{ "HTTP/3.7", STR("GET / HTTP/3.7\r\n" HOST "\r\n"), H1_VERSION },
	{ "HTTP/0.9", STR("GET /\r\n"), H1_VERSION },
	/* Fields. */
	{ "space before the colon", STR(GET "Host : a\r\n\r\n"), H1_BAD },
	{ "tab before the colon", STR(GET "Host\t: a\r\n\r\n"), H1_BAD },
	{ "obs-fold by a space", STR(GET HOST "X: a\r\n b\r\n\r\n"), H1_BAD },
	{ "obs-fold by a tab", STR(GET HOST "X: a\r\n\tb\r\n\r\n"), H1_BAD },
	{ "a space before the first field", STR(GET " Host: a\r\n\r\n"), H1_BAD },
	{ "no colon", STR(GET HOST "X\r\n\r\n"), H1_BAD },
	{ "no name", STR(GET HOST ": a\r\n\r\n"), H1_BAD },
	{ "a quote in a name", STR(GET HOST "X\"Y: a\r\n\r\n"), H1_BAD },
	{ "a byte over 0x7f in a name", STR(GET HOST "X\xc3\x84: a\r\n\r\n"), H1_BAD },
	{ "NUL in a name", STR(GET HOST "X\0: a\r\n\r\n"), H1_BAD },
	{ "NUL in a value", STR(GET HOST "X: a\0\r\n\r\n"), H1_BAD },
	{ "NUL beyond 16 bytes of a value", STR(GET HOST "X: 0123456789abcdef\0\r\n\r\n"), H1_BAD },
	{ "a control byte in a value", STR(GET HOST "X: a\x1f\r\n\r\n"), H1_BAD },
	{ "DEL in a value", STR(GET HOST "X: a\x7f\r\n\r\n"), H1_BAD },
	/* Host. */
	{ "no Host", STR(GET "\r\n"), H1_NO_HOST },
	{ "no Host but in the target", STR("GET http://a/ HTTP/1.1\r\n\r\n"), H1_NO_HOST },
	{ "an empty Host", STR(GET "Host:\r\n\r\n"), H1_NO_HOST },
	{ "two Hosts", STR(GET HOST "Host: b\r\n\r\n"), H1_BAD },
	{ "two equal Hosts", STR(GET HOST HOST "\r\n"), H1_BAD },
	{ "a space in Host", STR(GET "Host: a b\r\n\r\n"), H1_BAD },
	{ "a user in Host", STR(GET "Host: u@a\r\n\r\n"), H1_BAD },
	{ "a path in Host", STR(GET "Host: a/b\r\n\r\n"), H1_BAD },
	{ "a backslash in Host", STR(GET "Host: a\\b\r\n\r\n"), H1_BAD },
	{ "a port of letters", STR(GET "Host: a:x\r\n\r\n"), H1_BAD },
	{ "two ports", STR(GET "Host: a:1:2\r\n\r\n"), H1_BAD },
	{ "a port of six digits", STR(GET "Host: a:123456\r\n\r\n"), H1_BAD },
	{ "only a port", STR(GET "Host: :80\r\n\r\n"), H1_BAD },
	{ "half an escape in Host", STR(GET "Host: a%2\r\n\r\n"), H1_BAD },
	{ "no escape after a percent", STR(GET "Host: a%zz\r\n\r\n"), H1_BAD },
	{ "an open bracket", STR(GET "Host: [::1\r\n\r\n"), H1_BAD },
	{ "empty brackets", STR(GET "Host: []\r\n\r\n"), H1_BAD },
	{ "a bracket inside", STR(GET "Host: a[b]\r\n\r\n"), H1_BAD },
	{ "something after the bracket", STR(GET "Host: [::1]a\r\n\r\n"), H1_BAD },
	{ "a name in brackets", STR(GET "Host: [host]\r\n\r\n"), H1_BAD },
	/* Where the body ends. */
	{ "length and coding", STR(P "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"), H1_BAD },
	{ "coding and length", STR(P "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"), H1_BAD },
	{ "two lengths", STR(P "Content-Length: 1\r\nContent-Length: 2\r\n\r\n"), H1_BAD },
	{ "two equal lengths", STR(P "Content-Length: 1\r\nContent-Length: 1\r\n\r\n"), H1_BAD },
	{ "a list of equal lengths", STR(P "Content-Length: 1, 1\r\n\r\n"), H1_BAD },
	{ "an empty length", STR(P "Content-Length:\r\n\r\n"), H1_BAD },
	{ "a length with plus", STR(P "Content-Length: +1\r\n\r\n"), H1_BAD },
	{ "a length below zero", STR(P "Content-Length: -1\r\n\r\n"), H1_BAD },
	{ "a length in hex", STR(P "Content-Length: 0x1\r\n\r\n"), H1_BAD },
	{ "a length with a fraction", STR(P "Content-Length: 1.0\r\n\r\n"), H1_BAD },
	{ "a length with a space", STR(P "Content-Length: 1 1\r\n\r\n"), H1_BAD },
	{ "a length over 63 bits", STR(P "Content-Length: 9223372036854775808\r\n\r\n"), H1_BAD },
	{ "a length over 64 bits", STR(P "Content-Length: 18446744073709551617\r\n\r\n"), H1_BAD },
	{ "two codings", STR(P "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"), H1_BAD },
	{ "another coding", STR(P "Transfer-Encoding: gzip\r\n\r\n"), H1_NOT_IMPLEMENTED },
	{ "another coding before chunked", STR(P "Transfer-Encoding: gzip, chunked\r\n\r\n"), H1_NOT_IMPLEMENTED },
	{ "chunked twice in a list", STR(P "Transfer-Encoding: chunked, chunked\r\n\r\n"), H1_NOT_IMPLEMENTED },
	{ "identity", STR(P "Transfer-Encoding: identity\r\n\r\n"), H1_NOT_IMPLEMENTED },
	{ "an empty coding", STR(P "Transfer-Encoding:\r\n\r\n"), H1_NOT_IMPLEMENTED },
	{ "chunked with a parameter", STR(P "Transfer-Encoding: chunked;q=1\r\n\r\n"), H1_NOT_IMPLEMENTED },
	{ "chunked with a vertical tab", STR(P "Transfer-Encoding: \x0b" "chunked\r\n\r\n"), H1_BAD },
	{ "a coding whose name has a space", STR(P "Transfer-Encoding : chunked\r\n\r\n"), H1_BAD },
};

static const struct str unfinished[] = {
	STR(""), STR("G"), STR("GET"), STR("GET "), STR("GET /"), STR("GET / "),
	STR("GET / HTTP/1.1"), STR("GET / HTTP/1.1\r"), STR(GET), STR(GET "Ho"),
	STR(GET "Host:"), STR(GET "Host: a\r"), STR(GET HOST), STR(GET HOST "\r"),
	STR("\r"), STR("\r\n"), STR("\r\nGET"),
};
/* clang-format on */

static void
expect_str(struct str got, const char *want, const char *what)
{
	cr_expect(str_eq(got, str_of(want)), "%s: '%.*s', not '%s'", what,
	    STR_ARG(got), want);
}

static void
expect_head(const struct head *h, const struct good *row)
{
	struct text fields = TEXT_EMPTY;

	cr_expect(h->is_request, "%s", row->what);
	expect_str(h->method, row->method, row->what);
	expect_str(h->path, row->path, row->what);
	expect_str(h->authority, row->authority, row->what);
	parse_print_fields(h, &fields);
	expect_str(text_str(&fields), row->fields, row->what);
	text_free(&fields);
	cr_expect_eq(h->body, row->body, "%s: body", row->what);
	cr_expect_eq(h->content_length, row->length, "%s: length", row->what);
	cr_expect_eq(h->wants_close, strchr(row->flags, 'c') != NULL,
	    "%s: close", row->what);
	cr_expect_eq(h->expects_continue, strchr(row->flags, 'e') != NULL,
	    "%s: expects 100", row->what);
	cr_expect_eq(h->has_length, strchr(row->flags, 'l') != NULL,
	    "%s: has a length", row->what);
}

Test(h1_request, good_heads_are_understood_in_any_pieces)
{
	struct reading *r = xmalloc(sizeof(*r));

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		parse_whole(r, PARSE_REQUEST, good[i].bytes, &parse_limits);
		cr_expect_eq(r->status, H1_OK, "%s: %s", good[i].what,
		    parse_status_text(r->status));
		if (r->status != H1_OK)
			continue;
		expect_head(&r->h, &good[i]);
		parse_expect_same_in_pieces(
		    r, PARSE_REQUEST, &parse_limits, good[i].what);
	}
	free(r);
}

Test(h1_request, bad_heads_are_refused_in_any_pieces)
{
	struct reading *r = xmalloc(sizeof(*r));

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		parse_whole(r, PARSE_REQUEST, bad[i].bytes, &parse_limits);
		cr_expect_eq(r->status, bad[i].status, "%s: %s, not %s",
		    bad[i].what, parse_status_text(r->status),
		    parse_status_text(bad[i].status));
		parse_expect_same_in_pieces(
		    r, PARSE_REQUEST, &parse_limits, bad[i].what);
	}
	free(r);
}

Test(h1_request, what_is_not_complete_waits_for_more)
{
	struct reading *r = xmalloc(sizeof(*r));

	for (size_t i = 0; i < ARRAY_LEN(unfinished); i++)
		cr_expect_eq(
		    parse_whole(r, PARSE_REQUEST, unfinished[i], &parse_limits),
		    H1_MORE, "'%.*s': %s", STR_ARG(unfinished[i]),
		    parse_status_text(r->status));
	free(r);
}

Test(h1_request, used_is_the_length_of_the_head)
{
	struct reading *r = xmalloc(sizeof(*r));
	struct str head = STR(GET HOST "\r\n");

	parse_whole(r, PARSE_REQUEST, STR(GET HOST "\r\n" GET), &parse_limits);
	cr_expect_eq(r->used, head.len);
	parse_whole(
	    r, PARSE_REQUEST, STR("\r\n" GET HOST "\r\n" GET), &parse_limits);
	cr_expect_eq(r->used, head.len + 2);
	free(r);
}

Test(h1_request, field_limit_is_exact)
{
	struct http_limits limits = parse_limits;
	struct reading *r = xmalloc(sizeof(*r));
	struct str two = STR(GET HOST "X: 1\r\n\r\n");

	limits.fields = 2;
	cr_expect_eq(parse_whole(r, PARSE_REQUEST, two, &limits), H1_OK);
	limits.fields = 1;
	cr_expect_eq(parse_whole(r, PARSE_REQUEST, two, &limits), H1_TOO_LARGE);
	parse_expect_same_in_pieces(r, PARSE_REQUEST, &limits, "two fields");
	free(r);
}

Test(h1_request, more_fields_than_there_is_memory_for_are_never_read)
{
	struct http_limits limits = { .head_bytes = 61440, .fields = 100000 };
	struct reading *r = xmalloc(sizeof(*r));
	struct text t = TEXT_EMPTY;

	text_add_z(&t, GET HOST);
	for (int i = 1; i < HEAD_FIELDS_MAX; i++)
		text_add_z(&t, "X: 1\r\n");
	text_add_z(&t, "\r\n");
	cr_expect_eq(
	    parse_whole(r, PARSE_REQUEST, text_str(&t), &limits), H1_OK);
	cr_expect_eq(r->h.n_fields, HEAD_FIELDS_MAX);
	t.len -= 2;
	text_add_z(&t, "X: 1\r\n\r\n");
	cr_expect_eq(
	    parse_whole(r, PARSE_REQUEST, text_str(&t), &limits), H1_TOO_LARGE);
	text_free(&t);
	free(r);
}

Test(h1_request, byte_limit_is_exact)
{
	struct reading *r = xmalloc(sizeof(*r));
	struct str bytes = STR(GET HOST "X: 0123456789\r\n\r\n");
	struct http_limits limits = parse_limits;

	limits.head_bytes = bytes.len;
	cr_expect_eq(parse_whole(r, PARSE_REQUEST, bytes, &limits), H1_OK);
	parse_expect_same_in_pieces(r, PARSE_REQUEST, &limits, "at the limit");
	limits.head_bytes = bytes.len - 1;
	cr_expect_eq(
	    parse_whole(r, PARSE_REQUEST, bytes, &limits), H1_TOO_LARGE);
	parse_expect_same_in_pieces(r, PARSE_REQUEST, &limits, "over it");
	free(r);
}

Test(h1_request, an_endless_target_is_too_large)
{
	struct reading *r = xmalloc(sizeof(*r));
	struct text t = TEXT_EMPTY;

	text_add_z(&t, "GET /");
	memset(text_reserve(&t, 70000), 'a', 70000);
	t.len += 70000;
	cr_expect_eq(parse_whole(r, PARSE_REQUEST, text_str(&t), &parse_limits),
	    H1_TOO_LARGE);
	text_free(&t);
	free(r);
}

Test(h1_request, connection_names_are_capped)
{
	struct reading *r = xmalloc(sizeof(*r));
	struct text t = TEXT_EMPTY;

	text_add_z(&t, GET HOST "Connection: a");
	for (int i = 1; i < 32; i++)
		text_add_z(&t, ",a");
	text_add_z(&t, "\r\n\r\n");
	cr_expect_eq(
	    parse_whole(r, PARSE_REQUEST, text_str(&t), &parse_limits), H1_OK);
	t.len -= 4;
	text_add_z(&t, ",a\r\n\r\n");
	cr_expect_eq(
	    parse_whole(r, PARSE_REQUEST, text_str(&t), &parse_limits), H1_BAD);
	text_free(&t);
	free(r);
}

/* The states of all bytes of a class, one message a byte. */
static void
expect_class(const char *what, const char *before, const char *after,
    bool (*is_allowed)(unsigned char c))
{
	struct reading *r = xmalloc(sizeof(*r));
	struct text t = TEXT_EMPTY;
	enum h1_status s;

	for (unsigned c = 0; c < 256; c++) {
		text_clear(&t);
		text_add_z(&t, before);
		text_add(&t, (struct str){ (const char[]){ (char)c }, 1 });
		text_add_z(&t, after);
		s = parse_whole(r, PARSE_REQUEST, text_str(&t), &parse_limits);
		cr_expect_eq(s == H1_OK, is_allowed((unsigned char)c),
		    "%s: byte %02x gives %s", what, c, parse_status_text(s));
	}
	text_free(&t);
	free(r);
}

static bool
is_token_byte(unsigned char c)
{
	return c != 0 && (strchr("!#$%&'*+-.^_`|~", c) != NULL ||
			     (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
			     (c >= 'A' && c <= 'Z'));
}

static bool
is_name_byte(unsigned char c)
{
	/* "X:Y: v" is the field X. */
	return c == ':' || is_token_byte(c);
}

static bool
is_value_byte(unsigned char c)
{
	return c == '\t' || (c >= 0x20 && c != 0x7f);
}

static bool
is_target_byte(unsigned char c)
{
	return c > 0x20 && c < 0x7f && c != '#';
}

Test(h1_request, every_byte_where_it_may_stand_and_nowhere_else)
{
	expect_class(
	    "method", "G", "T / HTTP/1.1\r\n" HOST "\r\n", is_token_byte);
	expect_class(
	    "target", "GET /a", "b HTTP/1.1\r\n" HOST "\r\n", is_target_byte);
	expect_class("target in a block", "GET /a",
	    "0123456789abcdef HTTP/1.1\r\n" HOST "\r\n", is_target_byte);
	expect_class("name", GET HOST "X", "Y: v\r\n\r\n", is_name_byte);
	expect_class("value", GET HOST "X: a", "b\r\n\r\n", is_value_byte);
	expect_class("value in a block", GET HOST "X: a",
	    "0123456789abcdef\r\n\r\n", is_value_byte);
}
