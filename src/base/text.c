/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text that grows (struct text of str.h).  There is always room for the
 * terminator behind what was added.  One thread a text.
 */

#include "base/str.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"

#define FIRST_BYTES 64

void
text_free(struct text *t)
{
	free(t->p);
	*t = TEXT_EMPTY;
}

void
text_clear(struct text *t)
{
	t->len = 0;
	if (t->p != NULL)
		t->p[0] = '\0';
}

char *
text_reserve(struct text *t, size_t n)
{
	size_t cap, need;

	/* A sum that wraps asks for what no allocator can give. */
	if (__builtin_add_overflow(t->len, n, &need) ||
	    __builtin_add_overflow(need, 1, &need))
		need = SIZE_MAX;
	if (need > t->cap) {
		cap = t->cap < FIRST_BYTES / 2 ? FIRST_BYTES : t->cap * 2;
		if (cap < need)
			cap = need;
		t->p = xreallocarray(t->p, cap, 1);
		t->cap = cap;
	}
	t->p[t->len] = '\0';
	t->p[t->len + n] = '\0';
	return t->p + t->len;
}

void
text_add(struct text *t, struct str s)
{
	char *to = text_reserve(t, s.len);

	if (s.len > 0)
		memcpy(to, s.p, s.len);
	t->len += s.len;
}

void
text_add_z(struct text *t, const char *s)
{
	text_add(t, str_of(s));
}

void
text_add_char(struct text *t, char c)
{
	*text_reserve(t, 1) = c;
	t->len++;
}

void
text_add_u64(struct text *t, uint64_t n)
{
	char digits[U64_TEXT];

	text_add(t, str_of_u64(n, digits));
}

void
text_addf(struct text *t, const char *fmt, ...)
{
	va_list ap;
	size_t room;
	int n;

	text_reserve(t, FIRST_BYTES / 2);
	room = t->cap - t->len;
	va_start(ap, fmt);
	n = vsnprintf(t->p + t->len, room, fmt, ap);
	va_end(ap);
	if (n < 0) {
		t->p[t->len] = '\0';
		return;
	}
	if ((size_t)n >= room) {
		text_reserve(t, (size_t)n);
		va_start(ap, fmt);
		vsnprintf(t->p + t->len, (size_t)n + 1, fmt, ap);
		va_end(ap);
	}
	t->len += (size_t)n;
}

struct str
text_str(const struct text *t)
{
	return (struct str){ .p = t->p, .len = t->len };
}

char *
text_take(struct text *t)
{
	char *p;

	text_reserve(t, 0);
	p = t->p;
	*t = TEXT_EMPTY;
	return p;
}
