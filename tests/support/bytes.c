/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes that grow, for tests. */

#include "support/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
bytes_add(struct bytes *b, const void *p, size_t n)
{
	if (b->n + n + 1 > b->cap) {
		b->cap = (b->n + n + 1) * 2;
		b->p = realloc(b->p, b->cap);
		if (b->p == NULL)
			abort();
	}
	if (n > 0)
		memcpy(b->p + b->n, p, n);
	b->n += n;
	b->p[b->n] = '\0';
}

void
bytes_addf(struct bytes *b, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		abort();
	bytes_add(b, text, (size_t)n);
	free(text);
}

void
bytes_cut(struct bytes *b, size_t n)
{
	if (n == 0)
		return;
	b->n -= n;
	memmove(b->p, b->p + n, b->n + 1);
}

void
bytes_free(struct bytes *b)
{
	free(b->p);
	memset(b, 0, sizeof(*b));
}

const char *
bytes_text(const struct bytes *b)
{
	return b->p != NULL ? b->p : "";
}

uint8_t
pattern_at(uint64_t i)
{
	return (uint8_t)(i * 7 ^ i >> 8 ^ (i >> 16) * 5);
}
