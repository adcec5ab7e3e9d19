/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FUZZ_H1_AGAIN_H
#define FUZZ_H1_AGAIN_H

/*
 * What both HTTP/1.1 drivers assert: a head that was written reads as the same
 * head, and a body is the same in whatever pieces it comes.
 */

#include <string.h>

#include "fuzz.h"
#include "http/h1_body.h"
#include "http/h1_write.h"

#define AGAIN_ROOM ((size_t)80 * 1024)

static const struct http_limits again_limits = {
	.head_bytes = 61440,
	.fields = 100,
	.trailer_bytes = 8192,
};

static inline bool
again_is_framing(const struct field *f, bool is_request)
{
	return f->id == FIELD_CONTENT_LENGTH || field_is_hop_by_hop(f->id) ||
	       (f->id == FIELD_HOST && is_request);
}

/* The next field that is left and is not written anew. */
static inline const struct field *
again_next(const struct head *h, size_t *i)
{
	const struct field *f;

	while (*i < h->n_fields) {
		f = &h->fields[(*i)++];
		if (!f->is_removed && !again_is_framing(f, h->is_request))
			return f;
	}
	return NULL;
}

static inline void
again_check_fields(const struct head *a, const struct head *b)
{
	const struct field *fa, *fb;
	size_t ia = 0, ib = 0;

	do {
		fa = again_next(a, &ia);
		fb = again_next(b, &ib);
		FUZZ_CHECK((fa == NULL) == (fb == NULL));
		if (fa == NULL)
			return;
		FUZZ_CHECK(str_eq(fa->name, fb->name));
		FUZZ_CHECK(str_eq(fa->value, fb->value));
		FUZZ_CHECK(fa->id == fb->id);
	} while (fa != NULL);
}

static inline void
again_check(const struct head *a, const struct head *b)
{
	enum body_kind kind =
	    a->body == BODY_TO_CLOSE ? BODY_STREAMED : a->body;

	FUZZ_CHECK(str_eq(a->method, b->method));
	FUZZ_CHECK(str_eq(a->path, b->path));
	FUZZ_CHECK(str_eq(a->authority, b->authority));
	FUZZ_CHECK(a->status == b->status);
	FUZZ_CHECK(str_eq(a->reason, b->reason));
	/* HTTP/1.0 closes without saying so. */
	FUZZ_CHECK(a->wants_close == b->wants_close || a->minor == 0);
	FUZZ_CHECK(a->expects_continue == b->expects_continue);
	FUZZ_CHECK(str_eq(a->upgrade, b->upgrade));
	FUZZ_CHECK(a->takes_trailers == b->takes_trailers);
	FUZZ_CHECK(b->body == kind);
	if (kind == BODY_LENGTH)
		FUZZ_CHECK(a->content_length == b->content_length);
	again_check_fields(a, b);
}

/* All of a body from bytes, at most step of them at a time. */
static inline enum h1_body_status
again_decode(const struct head *h, struct str bytes, size_t step,
    struct text *data, struct text *trailers)
{
	enum h1_body_status s = H1_BODY_MORE;
	struct str piece, some;
	struct h1_body b;
	size_t used;

	h1_body_init(&b, h);
	while (bytes.len > 0 && (s == H1_BODY_MORE || s == H1_BODY_DATA)) {
		some = str_first(bytes, step);
		s = h1_body_next(
		    &b, some, SIZE_MAX, &again_limits, &piece, &used, trailers);
		FUZZ_CHECK(used <= some.len);
		FUZZ_CHECK(piece.len <= used);
		FUZZ_CHECK(used > 0 || s == H1_BODY_END || s == H1_BODY_BAD);
		text_add(data, piece);
		bytes = str_from(bytes, used);
	}
	return s;
}

static inline void
again_check_body(const struct head *h, struct str bytes)
{
	struct text data[2] = { TEXT_EMPTY, TEXT_EMPTY };
	struct text trailers[2] = { TEXT_EMPTY, TEXT_EMPTY };
	enum h1_body_status whole, bytewise;
	int i;

	whole = again_decode(h, bytes, SIZE_MAX, &data[0], &trailers[0]);
	bytewise = again_decode(h, bytes, 1, &data[1], &trailers[1]);
	FUZZ_CHECK((whole == H1_BODY_BAD) == (bytewise == H1_BODY_BAD));
	FUZZ_CHECK((whole == H1_BODY_END) == (bytewise == H1_BODY_END));
	FUZZ_CHECK(str_eq(text_str(&data[0]), text_str(&data[1])));
	FUZZ_CHECK(trailers[0].len <= again_limits.trailer_bytes);
	for (i = 0; i < 2; i++) {
		text_free(&data[i]);
		text_free(&trailers[i]);
	}
}

#endif
