/* SPDX-License-Identifier: Apache-2.0 */
/* http/h1_body.h: where bodies end, whatever pieces they come in. */

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "http/h1_body.h"
#include "unit/http/parse_rig.h"

struct result {
	enum h1_body_status end; /* H1_BODY_MORE when the bytes ran out */
	struct text data;
	struct text trailers;
	size_t used;
};

static void
start(struct h1_body *b, enum body_kind kind, uint64_t length)
{
	struct head h;

	head_init(&h);
	h.body = kind;
	h.content_length = length;
	h1_body_init(b, &h);
}

/* As far as these bytes go; each call sees a block of its own size. */
static enum h1_body_status
feed(struct h1_body *b, struct str bytes, size_t credit,
    const struct http_limits *limits, struct result *r)
{
	enum h1_body_status s;
	struct str data, left = bytes;
	size_t used;
	char *copy;

	do {
		copy = left.len > 0 ? xmemdup(left.p, left.len) : NULL;
		s = h1_body_next(b, (struct str){ copy, left.len }, credit,
		    limits, &data, &used, &r->trailers);
		cr_assert_leq(used, left.len);
		cr_assert_leq(data.len, credit);
		text_add(&r->data, data);
		left = str_from(left, used);
		r->used += used;
		free(copy);
	} while (s == H1_BODY_DATA);
	return s;
}

static void
decode(struct result *r, enum body_kind kind, uint64_t length, struct str bytes,
    size_t cut, size_t credit, const struct http_limits *limits)
{
	struct h1_body b;

	*r = (struct result){ .data = TEXT_EMPTY, .trailers = TEXT_EMPTY };
	start(&b, kind, length);
	r->end = feed(&b, str_first(bytes, cut), credit, limits, r);
	if (r->end == H1_BODY_MORE)
		r->end = feed(&b, str_from(bytes, cut), credit, limits, r);
}

static void
free_result(struct result *r)
{
	text_free(&r->data);
	text_free(&r->trailers);
}

/* clang-format off */
static const struct {
	const char *what;
	struct str bytes;
	enum h1_body_status end;
	const char *data;
	const char *trailers;
	size_t after; /* bytes that are not part of it */
} rows[] = {
	{ "nothing", STR("0\r\n\r\n"), H1_BODY_END, "", "", 0 },
	{ "one chunk", STR("3\r\nabc\r\n0\r\n\r\n"), H1_BODY_END, "abc", "", 0 },
	{ "several chunks", STR("1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n"), H1_BODY_END, "abcdef", "", 0 },
	{ "hex in both cases", STR("a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n"), H1_BODY_END, "01234567890123456789a", "", 0 },
	{ "leading zeros", STR("0000000000000001\r\na\r\n00\r\n\r\n"), H1_BODY_END, "a", "", 0 },
	{ "data that looks like the end", STR("5\r\n0\r\n\r\n\r\n0\r\n\r\n"), H1_BODY_END, "0\r\n\r\n", "", 0 },
	{ "the next message stays", STR("1\r\na\r\n0\r\n\r\nGET /"), H1_BODY_END, "a", "", 5 },
	{ "trailers", STR("1\r\na\r\n0\r\nA: 1\r\nB: 2\r\n\r\n"), H1_BODY_END, "a", "A: 1\r\nB: 2\r\n", 0 },
	{ "an extension", STR("1;x\r\na\r\n0;y\r\n\r\n"), H1_BODY_END, "a", "", 0 },
	{ "an extension with a value", STR("1;x=y;z=1\r\na\r\n0\r\n\r\n"), H1_BODY_END, "a", "", 0 },
	{ "a quoted extension", STR("1;x=\"a;\\\" b\t\xff\";y\r\na\r\n0\r\n\r\n"), H1_BODY_END, "a", "", 0 },
	{ "an empty quoted extension", STR("1;x=\"\"\r\na\r\n0\r\n\r\n"), H1_BODY_END, "a", "", 0 },
	{ "unfinished", STR("3\r\nab"), H1_BODY_MORE, "ab", "", 0 },
	{ "unfinished after the data", STR("1\r\na\r\n"), H1_BODY_MORE, "a", "", 0 },
	{ "unfinished at the last chunk", STR("0\r\n"), H1_BODY_MORE, "", "", 0 },
	{ "unfinished within trailers", STR("0\r\nA: 1\r\n"), H1_BODY_MORE, "", "A: 1\r\n", 0 },
	{ "no size", STR("\r\n\r\n"), H1_BODY_BAD, "", "", 0 },
	{ "an extension without size", STR(";x\r\n"), H1_BODY_BAD, "", "", 0 },
	{ "plus", STR("+1\r\na\r\n"), H1_BODY_BAD, "", "", 0 },
	{ "minus", STR("-1\r\na\r\n"), H1_BODY_BAD, "", "", 0 },
	{ "0x", STR("0x1\r\na\r\n"), H1_BODY_BAD, "", "", 0 },
	{ "not hex", STR("g\r\n"), H1_BODY_BAD, "", "", 0 },
	{ "17 digits", STR("00000000000000001\r\na\r\n"), H1_BODY_BAD, "", "", 0 },
	{ "a space before the size", STR(" 1\r\na\r\n"), H1_BODY_BAD, "", "", 0 },
	{ "a space after the size", STR("1 \r\na\r\n"), H1_BODY_BAD, "", "", 0 },
	{ "a tab after the size", STR("1\t\r\na\r\n"), H1_BODY_BAD, "", "", 0 },
	{ "an underscore", STR("1_0\r\na\r\n"), H1_BODY_BAD, "", "", 0 },
	{ "NUL in the size", STR("1\0\r\na\r\n"), H1_BODY_BAD, "", "", 0 },
	{ "bare LF after the size", STR("1\na\r\n0\r\n\r\n"), H1_BODY_BAD, "", "", 0 },
	{ "bare CR after the size", STR("1\ra\r\n0\r\n\r\n"), H1_BODY_BAD, "", "", 0 },
	{ "two CRs after the size", STR("1\r\r\na\r\n"), H1_BODY_BAD, "", "", 0 },
	{ "bare LF after the data", STR("1\r\na\n0\r\n\r\n"), H1_BODY_BAD, "a", "", 0 },
	{ "nothing after the data", STR("1\r\na0\r\n\r\n"), H1_BODY_BAD, "a", "", 0 },
	{ "more data than said", STR("1\r\nab\r\n0\r\n\r\n"), H1_BODY_BAD, "a", "", 0 },
	{ "less data than said", STR("3\r\na\r\n0\r\n\r\n"), H1_BODY_BAD, "a\r\n", "", 0 },
	{ "bare LF at the end", STR("0\r\n\n"), H1_BODY_BAD, "", "\n", 0 },
	{ "bare LF after a trailer", STR("0\r\nA: 1\n\r\n"), H1_BODY_BAD, "", "A: 1\n", 0 },
	{ "CR and something at the end", STR("0\r\n\rX"), H1_BODY_BAD, "", "", 0 },
	{ "an extension without name", STR("1;\r\na\r\n"), H1_BODY_BAD, "", "", 0 },
	{ "an extension without value", STR("1;x=\r\na\r\n"), H1_BODY_BAD, "", "", 0 },
	{ "an extension after a space", STR("1 ;x\r\na\r\n"), H1_BODY_BAD, "", "", 0 },
	{ "a space in an extension", STR("1; x\r\na\r\n"), H1_BODY_BAD, "", "", 0 },
	{ "a control byte in an extension", STR("1;x\x01\r\na\r\n"), H1_BODY_BAD, "", "", 0 },
	{ "a bare LF in an extension", STR("1;x\na\r\n"), H1_BODY_BAD, "", "", 0 },
	{ "a bare CR in a quoted extension", STR("1;x=\"\r\n\"\r\na\r\n"), H1_BODY_BAD, "", "", 0 },
	{ "a control byte after a backslash", STR("1;x=\"\\\n\"\r\na\r\n"), H1_BODY_BAD, "", "", 0 },
	{ "something behind the quotes", STR("1;x=\"a\"b\r\na\r\n"), H1_BODY_BAD, "", "", 0 },
};
/* clang-format on */

static void
expect_row(size_t i, size_t cut, size_t credit)
{
	struct result r;

	decode(&r, BODY_STREAMED, 0, rows[i].bytes, cut, credit, &parse_limits);
	cr_expect_eq(r.end, rows[i].end, "%s, cut at %zu, credit %zu: %d",
	    rows[i].what, cut, credit, (int)r.end);
	cr_expect(str_eq(text_str(&r.data), str_of(rows[i].data)),
	    "%s, cut at %zu: '%.*s'", rows[i].what, cut,
	    STR_ARG(text_str(&r.data)));
	cr_expect(str_eq(text_str(&r.trailers), str_of(rows[i].trailers)),
	    "%s, cut at %zu: trailers '%.*s'", rows[i].what, cut,
	    STR_ARG(text_str(&r.trailers)));
	if (rows[i].end == H1_BODY_END)
		cr_expect_eq(rows[i].bytes.len - r.used, rows[i].after,
		    "%s, cut at %zu: used %zu", rows[i].what, cut, r.used);
	free_result(&r);
}

Test(h1_body, chunks_are_read_or_refused_in_any_pieces)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		for (size_t cut = 0; cut <= rows[i].bytes.len; cut++) {
			expect_row(i, cut, SIZE_MAX);
			expect_row(i, cut, 1);
		}
	}
}

Test(h1_body, byte_by_byte_gives_the_same)
{
	struct h1_body b;
	struct result r;
	enum h1_body_status s;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		r = (struct result){ .data = TEXT_EMPTY };
		start(&b, BODY_STREAMED, 0);
		s = H1_BODY_MORE;
		for (size_t at = 0; at < rows[i].bytes.len && s == H1_BODY_MORE;
		     at++)
			s = feed(&b, str_first(str_from(rows[i].bytes, at), 1),
			    SIZE_MAX, &parse_limits, &r);
		cr_expect_eq(s, rows[i].end, "%s", rows[i].what);
		cr_expect(str_eq(text_str(&r.data), str_of(rows[i].data)), "%s",
		    rows[i].what);
		free_result(&r);
	}
}

Test(h1_body, a_length_ends_where_it_says)
{
	struct str bytes = STR("abcdefgh");
	struct result r;

	for (size_t length = 0; length <= bytes.len; length++) {
		for (size_t cut = 0; cut <= bytes.len; cut++) {
			decode(&r, BODY_LENGTH, length, bytes, cut, 3,
			    &parse_limits);
			cr_expect_eq(r.end, H1_BODY_END);
			cr_expect_eq(r.used, length);
			cr_expect(str_eq(
			    text_str(&r.data), str_first(bytes, length)));
			free_result(&r);
		}
	}
	decode(&r, BODY_LENGTH, 9, bytes, 0, 3, &parse_limits);
	cr_expect_eq(r.end, H1_BODY_MORE);
	free_result(&r);
}

Test(h1_body, no_body_uses_nothing)
{
	struct result r;

	decode(&r, BODY_NONE, 0, STR("GET"), 3, SIZE_MAX, &parse_limits);
	cr_expect_eq(r.end, H1_BODY_END);
	cr_expect_eq(r.used, 0);
	free_result(&r);
}

Test(h1_body, the_end_of_the_connection_ends_only_what_it_may)
{
	struct result r = { .data = TEXT_EMPTY };
	struct h1_body b;

	start(&b, BODY_TO_CLOSE, 0);
	cr_expect_eq(
	    feed(&b, STR("0\r\n\r\n"), 2, &parse_limits, &r), H1_BODY_MORE);
	cr_expect(str_eq(text_str(&r.data), STR("0\r\n\r\n")));
	cr_expect(h1_body_eof(&b));
	cr_expect_not(h1_body_is_over(&b));

	start(&b, BODY_LENGTH, 1);
	cr_expect_not(h1_body_eof(&b));
	cr_expect_eq(feed(&b, STR("x"), 9, &parse_limits, &r), H1_BODY_END);
	cr_expect(h1_body_eof(&b));

	start(&b, BODY_STREAMED, 0);
	cr_expect_eq(
	    feed(&b, STR("0\r\n\r"), 9, &parse_limits, &r), H1_BODY_MORE);
	cr_expect_not(h1_body_eof(&b));
	cr_expect_eq(feed(&b, STR("\n"), 9, &parse_limits, &r), H1_BODY_END);
	cr_expect(h1_body_eof(&b));
	free_result(&r);
}

Test(h1_body, a_chunk_of_63_bits_is_only_a_number)
{
	struct result r;

	decode(&r, BODY_STREAMED, 0, STR("7fffffffffffffff\r\nabc"), 20, 2,
	    &parse_limits);
	cr_expect_eq(r.end, H1_BODY_MORE);
	cr_expect(str_eq(text_str(&r.data), STR("abc")));
	free_result(&r);
	decode(&r, BODY_STREAMED, 0, STR("8000000000000000\r\nabc"), 20, 2,
	    &parse_limits);
	cr_expect_eq(r.end, H1_BODY_BAD);
	free_result(&r);
}

Test(h1_body, without_credit_only_framing_is_used)
{
	struct result r = { .data = TEXT_EMPTY };
	struct h1_body b;

	start(&b, BODY_STREAMED, 0);
	cr_expect_eq(
	    feed(&b, STR("3\r\nabc\r\n0\r\n\r\n"), 0, &parse_limits, &r),
	    H1_BODY_MORE);
	cr_expect_eq(r.used, 3);
	cr_expect_eq(r.data.len, 0);
	free_result(&r);
}

Test(h1_body, trailers_are_capped)
{
	struct http_limits limits = parse_limits;
	struct str bytes = STR("0\r\nA: 1\r\nB: 2\r\n\r\n");
	struct result r;

	limits.trailer_bytes = 12;
	decode(&r, BODY_STREAMED, 0, bytes, 5, SIZE_MAX, &limits);
	cr_expect_eq(r.end, H1_BODY_END);
	free_result(&r);
	limits.trailer_bytes = 11;
	for (size_t cut = 0; cut <= bytes.len; cut++) {
		decode(&r, BODY_STREAMED, 0, bytes, cut, SIZE_MAX, &limits);
		cr_expect_eq(r.end, H1_BODY_BAD, "cut at %zu", cut);
		cr_expect_leq(r.trailers.len, 11);
		free_result(&r);
	}
}

Test(h1_body, extensions_are_capped)
{
	struct text t = TEXT_EMPTY;
	struct result r;

	text_add_z(&t, "1;");
	while (t.len < 254)
		text_add_char(&t, 'x');
	text_add_z(&t, "\r\na\r\n0\r\n\r\n");
	decode(&r, BODY_STREAMED, 0, text_str(&t), 7, SIZE_MAX, &parse_limits);
	cr_expect_eq(r.end, H1_BODY_END);
	free_result(&r);
	t.len = 254;
	text_add_z(&t, "xx\r\na\r\n0\r\n\r\n");
	decode(&r, BODY_STREAMED, 0, text_str(&t), 7, SIZE_MAX, &parse_limits);
	cr_expect_eq(r.end, H1_BODY_BAD);
	free_result(&r);
	text_free(&t);
}
