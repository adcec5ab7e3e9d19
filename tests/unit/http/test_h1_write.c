/* SPDX-License-Identifier: Apache-2.0 */
/* http/h1_write.h: heads, chunks and trailers as bytes. */

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "http/h1_write.h"
#include "unit/http/parse_rig.h"

#define GET "GET / HTTP/1.1\r\n"
#define HOST "Host: a\r\n"

static void
expect_written(
    const struct head *h, bool says_close, const char *want, const char *what)
{
	size_t n, len = strlen(want);
	char *out;

	/* Every room that is too small says so; the right one fits. */
	for (size_t cap = 0; cap <= len; cap++) {
		out = xmalloc(cap + 1);
		n = h1_write_head(h, says_close, out, cap);
		cr_expect_eq(
		    n, cap == len ? len : 0, "%s: %zu in %zu", what, n, cap);
		if (cap == len)
			cr_expect_arr_eq(
			    out, want, len, "%s: '%.*s'", what, (int)n, out);
		free(out);
	}
}

/* clang-format off */
static const struct {
	const char *what;
	enum parse_kind kind;
	struct str in;
	const char *out;
} rows[] = {
	{ "a request as it is", PARSE_REQUEST,
	    STR(GET HOST "Accept: */*\r\nX: 1\r\n\r\n"),
	    GET HOST "Accept: */*\r\nX: 1\r\n\r\n" },
	{ "Host comes first", PARSE_REQUEST,
	    STR(GET "Accept: */*\r\nhost:a\r\nX: 1\r\n\r\n"),
	    GET HOST "Accept: */*\r\nX: 1\r\n\r\n" },
	{ "spaces before a value stay, those behind it go", PARSE_REQUEST,
	    STR(GET HOST "A:1\r\nB:  2 \r\nC: 3\t\r\nD: \r\n\r\n"),
	    GET HOST "A:1\r\nB:  2\r\nC: 3\r\nD: \r\n\r\n" },
	{ "the line before it is not told", PARSE_REQUEST,
	    STR("\r\n" GET HOST "\r\n"), GET HOST "\r\n" },
	{ "absolute-form becomes origin-form", PARSE_REQUEST,
	    STR("GET http://a/p?q HTTP/1.1\r\n" HOST "\r\n"),
	    "GET /p?q HTTP/1.1\r\n" HOST "\r\n" },
	{ "absolute-form without a path", PARSE_REQUEST,
	    STR("GET http://a HTTP/1.1\r\n" HOST "\r\n"), GET HOST "\r\n" },
	{ "OPTIONS of everything", PARSE_REQUEST,
	    STR("OPTIONS http://a HTTP/1.1\r\n" HOST "\r\n"),
	    "OPTIONS * HTTP/1.1\r\n" HOST "\r\n" },
	{ "CONNECT", PARSE_REQUEST,
	    STR("CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"),
	    "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n" },
	{ "a length is written anew", PARSE_REQUEST,
	    STR(GET HOST "Content-LENGTH:007\r\nX: 1\r\n\r\n"),
	    GET HOST "X: 1\r\nContent-Length: 7\r\n\r\n" },
	{ "a length of nothing stays", PARSE_REQUEST,
	    STR("POST / HTTP/1.1\r\nContent-Length: 0\r\n" HOST "\r\n"),
	    "POST / HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n" },
	{ "chunks", PARSE_REQUEST,
	    STR(GET HOST "transfer-encoding:CHUNKED\r\nX: 1\r\n\r\n"),
	    GET HOST "X: 1\r\nTransfer-Encoding: chunked\r\n\r\n" },
	{ "a response", PARSE_RESPONSE,
	    STR("HTTP/1.1 404 Not  There\r\nServer: x\r\nContent-Length: 3\r\n\r\n"),
	    "HTTP/1.1 404 Not  There\r\nServer: x\r\nContent-Length: 3\r\n\r\n" },
	{ "a response without a reason", PARSE_RESPONSE,
	    STR("HTTP/1.1 200\r\nContent-Length: 3\r\n\r\n"),
	    "HTTP/1.1 200 \r\nContent-Length: 3\r\n\r\n" },
	{ "a body to the end becomes chunks", PARSE_RESPONSE,
	    STR("HTTP/1.0 200 OK\r\nX: 1\r\n\r\n"),
	    "HTTP/1.1 200 OK\r\nX: 1\r\nTransfer-Encoding: chunked\r\n\r\n" },
	{ "the length for HEAD", PARSE_HEAD_RESPONSE,
	    STR("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n"),
	    "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n" },
	{ "no length for HEAD", PARSE_HEAD_RESPONSE,
	    STR("HTTP/1.1 200 OK\r\n\r\n"), "HTTP/1.1 200 OK\r\n\r\n" },
	{ "304 with a length", PARSE_RESPONSE,
	    STR("HTTP/1.1 304 x\r\nContent-Length: 3\r\n\r\n"),
	    "HTTP/1.1 304 x\r\nContent-Length: 3\r\n\r\n" },
	{ "304 without", PARSE_RESPONSE,
	    STR("HTTP/1.1 304 x\r\n\r\n"), "HTTP/1.1 304 x\r\n\r\n" },
	{ "204 has none", PARSE_RESPONSE,
	    STR("HTTP/1.1 204 x\r\nContent-Length: 0\r\n\r\n"),
	    "HTTP/1.1 204 x\r\n\r\n" },
	{ "100 has none", PARSE_RESPONSE,
	    STR("HTTP/1.1 100 x\r\n\r\n"), "HTTP/1.1 100 x\r\n\r\n" },
};
/* clang-format on */

Test(h1_write, heads_without_edits)
{
	struct reading *r = xmalloc(sizeof(*r));

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_assert_eq(
		    parse_whole(r, rows[i].kind, rows[i].in, &parse_limits),
		    H1_OK, "%s", rows[i].what);
		expect_written(&r->h, false, rows[i].out, rows[i].what);
	}
	free(r);
}

Test(h1_write, the_same_without_knowing_of_lines)
{
	struct reading *r = xmalloc(sizeof(*r));

	parse_whole(r, PARSE_REQUEST,
	    STR(GET HOST "A:1\r\nB:  2 \r\nC: 3\r\n\r\n"), &parse_limits);
	r->h.has_lines = false;
	expect_written(
	    &r->h, false, GET HOST "A: 1\r\nB: 2\r\nC: 3\r\n\r\n", "fields");
	free(r);
}

Test(h1_write, edits)
{
	struct reading *r = xmalloc(sizeof(*r));

	parse_whole(r, PARSE_REQUEST,
	    STR(GET
		"A: 1\r\nB: 2\r\n" HOST
		"C: 3\r\nD: 4\r\nE: 5\r\nContent-Length: 2\r\nF: 6\r\n\r\n"),
	    &parse_limits);
	r->h.authority = STR("other:81");
	r->h.path = STR("/x");
	head_remove_name(&r->h, STR("d"));
	head_remove_name(&r->h, STR("f"));
	head_add(&r->h, STR("G"), STR("7"));
	head_add(&r->h, STR("H"), STR("8"));
	head_remove_name(&r->h, STR("h"));
	expect_written(&r->h, true,
	    "GET /x HTTP/1.1\r\nHost: other:81\r\nA: 1\r\nB: 2\r\nC: 3\r\n"
	    "E: 5\r\nG: 7\r\nContent-Length: 2\r\nConnection: close\r\n\r\n",
	    "edits");
	free(r);
}

Test(h1_write, every_set_of_removed_fields)
{
	static const char *const lines[] = { "A: 1\r\n", "B:2\r\n", "C: \r\n",
		"D: 4\r\n", "E: 5\r\n" };
	struct reading *r = xmalloc(sizeof(*r));
	struct text want = TEXT_EMPTY;

	for (unsigned set = 0; set < 32; set++) {
		parse_whole(r, PARSE_REQUEST,
		    STR(GET HOST "A: 1\r\nB:2\r\nC: \r\nD: 4\r\nE: 5\r\n\r\n"),
		    &parse_limits);
		text_clear(&want);
		text_add_z(&want, GET HOST);
		for (unsigned i = 0; i < 5; i++) {
			r->h.fields[i + 1].is_removed = (set >> i & 1) != 0;
			if ((set >> i & 1) == 0)
				text_add_z(&want, lines[i]);
		}
		text_add_z(&want, "\r\n");
		expect_written(&r->h, false, want.p, "a set");
	}
	text_free(&want);
	free(r);
}

Test(h1_write, a_made_response)
{
	struct head h;

	head_init(&h);
	h.status = 503;
	h.reason = STR("Service Unavailable");
	expect_written(&h, false,
	    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
	    "no body");
	h.body = BODY_LENGTH;
	h.content_length = UINT64_MAX;
	expect_written(&h, false,
	    "HTTP/1.1 503 Service Unavailable\r\n"
	    "Content-Length: 18446744073709551615\r\n\r\n",
	    "the greatest length");
}

Test(h1_write, chunk_heads)
{
	static const struct {
		size_t n;
		const char *want;
	} chunks[] = { { 1, "1\r\n" }, { 15, "f\r\n" }, { 16, "10\r\n" },
		{ 65536, "10000\r\n" }, { 0xabcdef, "abcdef\r\n" },
		{ SIZE_MAX, "ffffffffffffffff\r\n" } };
	char out[H1_CHUNK_HEAD_MAX];
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(chunks); i++) {
		n = h1_write_chunk_head(chunks[i].n, out);
		cr_expect_eq(n, strlen(chunks[i].want));
		cr_expect_arr_eq(out, chunks[i].want, n);
	}
}

static void
expect_end(const struct head *trailers, const char *want)
{
	size_t n, len = strlen(want);
	char *out;

	for (size_t cap = 0; cap <= len; cap++) {
		out = xmalloc(cap + 1);
		n = h1_write_end(trailers, out, cap);
		cr_expect_eq(n, cap == len ? len : 0, "%zu in %zu", n, cap);
		if (cap == len)
			cr_expect_arr_eq(out, want, len);
		free(out);
	}
}

Test(h1_write, trailers_without_what_must_not_stand_there)
{
	struct field *fields = xcalloc(HEAD_FIELDS_MAX, sizeof(*fields));
	struct head h;

	expect_end(NULL, "0\r\n\r\n");
	cr_assert_eq(
	    h1_parse_trailers(
		STR("X-Sum: 1\r\nAuthorization: x\r\nSet-Cookie: "
		    "a=b\r\nX-Kuma-Tags: "
		    "&a=b&\r\ngrpc-status: 0\r\nCookie: c\r\n"
		    "Content-Encoding: gzip\r\nTrailer: a\r\n"
		    "X-Forwarded-Client-Cert: a\r\nGrpc-Message: ok\r\n"),
		&parse_limits, fields, &h),
	    H1_OK);
	/* These are refused when they are read; not by everybody. */
	head_add(&h, STR("Content-Length"), STR("3"));
	head_add(&h, STR("TRANSFER-encoding"), STR("chunked"));
	head_add(&h, STR("Host"), STR("b"));
	head_add(&h, STR("Connection"), STR("close"));
	head_add(&h, STR("TE"), STR("x"));
	expect_end(
	    &h, "0\r\nX-Sum: 1\r\ngrpc-status: 0\r\nGrpc-Message: ok\r\n\r\n");
	free(fields);
}
