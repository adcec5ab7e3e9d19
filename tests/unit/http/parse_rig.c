/* SPDX-License-Identifier: Apache-2.0 */
/* See parse_rig.h. */

#include "unit/http/parse_rig.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/xalloc.h"

const struct http_limits parse_limits = {
	.head_bytes = 61440, .fields = 100, .trailer_bytes = 8192
};

const char *
parse_status_text(enum h1_status s)
{
	static const char *const names[] = { "OK", "MORE", "BAD", "NO_HOST",
		"TOO_LARGE", "VERSION", "NOT_IMPLEMENTED" };

	return names[s];
}

static enum h1_status
parse(struct reading *r, enum parse_kind kind, struct str bytes,
    const struct http_limits *limits, size_t *scanned)
{
	r->bytes = bytes;
	if (kind == PARSE_REQUEST)
		r->status = h1_parse_request(
		    bytes, limits, scanned, r->fields, &r->h, &r->used);
	else
		r->status = h1_parse_response(bytes, limits, scanned,
		    kind == PARSE_HEAD_RESPONSE, r->fields, &r->h, &r->used);
	return r->status;
}

enum h1_status
parse_whole(struct reading *r, enum parse_kind kind, struct str bytes,
    const struct http_limits *limits)
{
	size_t scanned = 0;

	return parse(r, kind, bytes, limits, &scanned);
}

void
parse_print_fields(const struct head *h, struct text *out)
{
	for (size_t i = 0; i < h->n_fields; i++) {
		if (h->fields[i].is_removed)
			continue;
		if (out->len > 0)
			text_add_char(out, '|');
		text_add(out, h->fields[i].name);
		text_add_z(out, ": ");
		text_add(out, h->fields[i].value);
	}
}

static bool
is_same_head(const struct head *a, const struct head *b)
{
	struct text fa = TEXT_EMPTY, fb = TEXT_EMPTY;
	bool is_same;

	parse_print_fields(a, &fa);
	parse_print_fields(b, &fb);
	is_same = str_eq(text_str(&fa), text_str(&fb)) &&
		  str_eq(a->method, b->method) && str_eq(a->path, b->path) &&
		  str_eq(a->authority, b->authority) &&
		  str_eq(a->scheme, b->scheme) &&
		  str_eq(a->reason, b->reason) && a->status == b->status &&
		  a->minor == b->minor && a->body == b->body &&
		  a->content_length == b->content_length &&
		  a->has_length == b->has_length &&
		  a->wants_close == b->wants_close &&
		  a->expects_continue == b->expects_continue &&
		  str_eq(a->upgrade, b->upgrade) &&
		  a->takes_trailers == b->takes_trailers;
	text_free(&fa);
	text_free(&fb);
	return is_same;
}

static void
expect_same(const struct reading *a, const struct reading *b, size_t cut,
    const char *what)
{
	cr_expect_eq(a->status, b->status, "%s, cut at %zu: %s, not %s", what,
	    cut, parse_status_text(b->status), parse_status_text(a->status));
	if (a->status != H1_OK || b->status != H1_OK)
		return;
	cr_expect_eq(a->used, b->used, "%s, cut at %zu", what, cut);
	cr_expect(
	    is_same_head(&a->h, &b->h), "%s, cut at %zu: the heads", what, cut);
}

/*
 * The first part is in a block of its own size, so that reading too far is
 * noticed; the block is the caller's to free.
 */
static char *
parse_cut(struct reading *r, enum parse_kind kind, struct str all,
    const struct http_limits *limits, size_t cut)
{
	char *copy = cut > 0 ? xmemdup(all.p, cut) : NULL;
	size_t scanned = 0;

	parse(r, kind, (struct str){ copy, cut }, limits, &scanned);
	if (r->status == H1_MORE)
		parse(r, kind, all, limits, &scanned);
	return copy;
}

static void
parse_bytewise(
    struct reading *r, enum parse_kind kind, const struct http_limits *limits)
{
	size_t scanned = 0, i = 0;
	struct str all = r->bytes;

	do
		parse(r, kind, str_first(all, i), limits, &scanned);
	while (r->status == H1_MORE && ++i <= all.len);
	r->bytes = all;
}

void
parse_expect_same_in_pieces(const struct reading *r, enum parse_kind kind,
    const struct http_limits *limits, const char *what)
{
	struct reading *b = xmalloc(sizeof(*b));
	size_t cut;
	char *copy;

	for (cut = 0; cut < r->bytes.len; cut++) {
		copy = parse_cut(b, kind, r->bytes, limits, cut);
		expect_same(r, b, cut, what);
		free(copy);
	}
	b->bytes = r->bytes;
	parse_bytewise(b, kind, limits);
	expect_same(r, b, r->bytes.len, what);
	free(b);
}
