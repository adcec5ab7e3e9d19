/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cursor over untrusted bytes.  Once bad, nothing is left, so that no
 * read behind an error can succeed by chance.  Pure; any thread.
 */

#include "base/reader.h"

void
reader_init(struct reader *r, const void *p, size_t n)
{
	*r = (struct reader){ .p = p, .left = n };
}

/* The next n bytes, or NULL. */
static const uint8_t *
advance(struct reader *r, size_t n)
{
	const uint8_t *at = r->p;

	if (n > r->left) {
		reader_fail(r);
		return NULL;
	}
	if (n > 0)
		r->p += n;
	r->left -= n;
	return at;
}

static uint32_t
read_number(struct reader *r, size_t n)
{
	const uint8_t *p = advance(r, n);
	uint32_t value = 0;
	size_t i;

	if (p == NULL)
		return 0;
	for (i = 0; i < n; i++)
		value = value << 8 | p[i];
	return value;
}

uint8_t
reader_u8(struct reader *r)
{
	return (uint8_t)read_number(r, 1);
}

uint16_t
reader_u16(struct reader *r)
{
	return (uint16_t)read_number(r, 2);
}

uint32_t
reader_u24(struct reader *r)
{
	return read_number(r, 3);
}

uint32_t
reader_u32(struct reader *r)
{
	return read_number(r, 4);
}

struct str
reader_bytes(struct reader *r, size_t n)
{
	const uint8_t *p = advance(r, n);

	if (p == NULL)
		return STR_NONE;
	return (struct str){ .p = (const void *)p, .len = n };
}

void
reader_skip(struct reader *r, size_t n)
{
	(void)advance(r, n);
}

struct reader
reader_sub(struct reader *r, size_t n)
{
	struct reader sub = { .p = advance(r, n), .left = n };

	if (reader_is_bad(r))
		reader_fail(&sub);
	return sub;
}

size_t
reader_left(const struct reader *r)
{
	return r->left;
}

void
reader_fail(struct reader *r)
{
	r->is_bad = true;
	r->left = 0;
}

bool
reader_is_bad(const struct reader *r)
{
	return r->is_bad;
}
