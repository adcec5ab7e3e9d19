/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes that a wire holds while something waits; it goes away when the
 * last one is consumed.  Its size is bounded by those who add: see wire.h.
 */

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "net/wire.h"

#define BUF_FIRST 512

static void
make_room(struct wire_buf *b, size_t n)
{
	size_t len = b->to - b->from, cap;

	if (b->cap - b->to >= n)
		return;
	if (b->from > 0 && b->from >= len && b->cap - len >= n) {
		memmove(b->p, b->p + b->from, len);
	} else {
		cap = b->cap < BUF_FIRST / 2 ? BUF_FIRST : b->cap * 2;
		if (cap < len + n)
			cap = len + n;
		if (b->from > 0)
			memmove(b->p, b->p + b->from, len);
		b->p = xreallocarray(b->p, cap, 1);
		b->cap = cap;
	}
	b->from = 0;
	b->to = len;
}

void
wire_buf_add(struct wire_buf *b, struct str bytes)
{
	if (bytes.len == 0)
		return;
	make_room(b, bytes.len);
	memcpy(b->p + b->to, bytes.p, bytes.len);
	b->to += bytes.len;
}

void
wire_buf_consume(struct wire_buf *b, size_t n)
{
	b->from += n;
	if (b->from >= b->to)
		wire_buf_free(b);
}

void
wire_buf_free(struct wire_buf *b)
{
	free(b->p);
	*b = (struct wire_buf){ .p = NULL };
}

struct str
wire_buf_str(const struct wire_buf *b)
{
	if (b->p == NULL)
		return STR_NONE;
	return (struct str){
		.p = (const void *)(b->p + b->from),
		.len = b->to - b->from,
	};
}
