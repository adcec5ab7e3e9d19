/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Views of bytes: compare, cut, search, numbers.  The text that grows is in
 * text.c, base64 in base64.c.  Pure; any thread.
 */

#include "base/str.h"

#include "base/xalloc.h"

struct str
str_of(const char *s)
{
	if (s == NULL)
		return STR_NONE;
	return (struct str){ .p = s, .len = strlen(s) };
}

bool
str_alike(struct str a, struct str b)
{
	size_t i;

	for (i = 0; i < a.len; i++)
		if (ascii_lower_char(a.p[i]) != ascii_lower_char(b.p[i]))
			return false;
	return true;
}

int
str_cmp(struct str a, struct str b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int order = n == 0 ? 0 : memcmp(a.p, b.p, n);

	if (order != 0)
		return order;
	return a.len == b.len ? 0 : a.len < b.len ? -1 : 1;
}

bool
str_starts(struct str s, struct str prefix)
{
	return s.len >= prefix.len && str_eq(str_first(s, prefix.len), prefix);
}

bool
str_ends(struct str s, struct str suffix)
{
	return s.len >= suffix.len &&
	       str_eq(str_from(s, s.len - suffix.len), suffix);
}

struct str
str_from(struct str s, size_t i)
{
	if (i > s.len)
		i = s.len;
	if (i == 0)
		return s;
	return (struct str){ .p = s.p + i, .len = s.len - i };
}

struct str
str_first(struct str s, size_t n)
{
	return (struct str){ .p = s.p, .len = n < s.len ? n : s.len };
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str
str_trim(struct str s)
{
	while (s.len > 0 && is_blank(s.p[s.len - 1]))
		s.len--;
	while (s.len > 0 && is_blank(s.p[0]))
		s = str_from(s, 1);
	return s;
}

struct str
str_cut(struct str *s, char c)
{
	struct str all = *s;
	ptrdiff_t at = str_index(all, c);

	if (at == -1) {
		*s = STR_NONE;
		return all;
	}
	*s = str_from(all, (size_t)at + 1);
	return str_first(all, (size_t)at);
}

ptrdiff_t
str_index(struct str s, char c)
{
	const char *at;

	if (s.len == 0)
		return -1;
	at = memchr(s.p, c, s.len);
	return at == NULL ? -1 : at - s.p;
}

char *
str_dup(struct str s)
{
	char *copy = xmalloc(s.len + 1);

	if (s.len > 0)
		memcpy(copy, s.p, s.len);
	copy[s.len] = '\0';
	return copy;
}

bool
str_to_u64(struct str s, uint64_t max, uint64_t *out)
{
	uint64_t digit, n = 0;
	size_t i;

	if (s.len == 0)
		return false;
	for (i = 0; i < s.len; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		digit = (uint64_t)(s.p[i] - '0');
		if (n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	if (n > max)
		return false;
	*out = n;
	return true;
}

struct str
str_of_u64(uint64_t n, char room[U64_TEXT])
{
	size_t at = U64_TEXT;

	do {
		room[--at] = (char)('0' + n % 10);
		n /= 10;
	} while (n > 0);
	return (struct str){ .p = room + at, .len = U64_TEXT - at };
}

uint64_t
str_fnv1a64(struct str s)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	size_t i;

	for (i = 0; i < s.len; i++) {
		hash ^= (unsigned char)s.p[i];
		hash *= UINT64_C(0x100000001b3);
	}
	return hash;
}

void
ascii_lower(char *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = ascii_lower_char(p[i]);
}

char
ascii_lower_char(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}
