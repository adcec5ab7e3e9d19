/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_STR_H
#define BASE_STR_H

/*
 * A str is a borrowed view of bytes: it owns nothing, and is not terminated.
 * A text owns bytes that grow; text.p is always terminated once anything has
 * been added.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"

struct str {
	const char *p;
	size_t len;
};

#define STR(literal) \
	((struct str){ .p = (literal), .len = sizeof(literal) - 1 })
#define STR_NONE ((struct str){ .p = NULL, .len = 0 })
/* For printf: "%.*s", STR_ARG(s). */
#define STR_ARG(s) (int)(s).len, (s).p

/* NULL gives the empty view. */
struct str str_of(const char *s);
/* Of the same length: see str_eq_nocase(). */
bool str_alike(struct str a, struct str b);
/* Here, so that most of those that differ do so by a glance at their length. */
static inline bool
str_eq(struct str a, struct str b)
{
	/* memcmp() may not be given NULL, not even for no bytes. */
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}
/* ASCII letters compare alike; locale plays no part. */
static inline bool
str_eq_nocase(struct str a, struct str b)
{
	return a.len == b.len && str_alike(a, b);
}
/* As memcmp, a shorter prefix first. */
int str_cmp(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
/* From i (clamped) to the end; n bytes at most. */
struct str str_from(struct str s, size_t i);
struct str str_first(struct str s, size_t n);
/* Without spaces and tabs (and \r, \n) at both ends. */
struct str str_trim(struct str s);
/*
 * Cut s at the first c: what precedes it is returned, what follows stays in
 * *s.  Without c all of it is returned and *s is the empty view with p NULL.
 */
struct str str_cut(struct str *s, char c);
/* -1 when c is not in s. */
ptrdiff_t str_index(struct str s, char c);
/* A copy to free(), terminated. */
char *str_dup(struct str s) MUST_CHECK;
/* Decimal digits only, whole of s, at most max; false otherwise. */
bool str_to_u64(struct str s, uint64_t max, uint64_t *out) MUST_CHECK;

/* The digits of n, at the end of room. */
#define U64_TEXT 20
struct str str_of_u64(uint64_t n, char room[U64_TEXT]);

/* FNV-1a 64 (Kuma's hashed SNI uses it); not for hash tables. */
uint64_t str_fnv1a64(struct str s);

/* Lower-case ASCII letters in place. */
void ascii_lower(char *p, size_t n);
char ascii_lower_char(char c);

struct text {
	char *p;
	size_t len;
	size_t cap;
};

#define TEXT_EMPTY ((struct text){ .p = NULL, .len = 0, .cap = 0 })

void text_free(struct text *t);
void text_clear(struct text *t);
/* Room for n more bytes; the pointer is where they go (len stays). */
char *text_reserve(struct text *t, size_t n);
void text_add(struct text *t, struct str s);
void text_add_z(struct text *t, const char *s);
void text_add_char(struct text *t, char c);
void text_add_u64(struct text *t, uint64_t n);
void text_addf(struct text *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
struct str text_str(const struct text *t);
/* The bytes become the caller's to free(); t is empty afterwards.  Never NULL.
 */
char *text_take(struct text *t) MUST_CHECK;

/* Standard base64 (RFC 4648, section 4), line breaks skipped. */
bool base64_decode(struct str in, struct text *out) MUST_CHECK;
void base64_encode(struct str in, struct text *out);

#endif
