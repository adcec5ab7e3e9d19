/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HTTP_H1_SCAN_H
#define HTTP_H1_SCAN_H

/*
 * The byte classes of RFC 9110 and 9112, and the two loops in which parsing
 * spends its time.  Private to the HTTP/1.1 parser.  Pure.
 */

#include <stdbool.h>
#include <stdint.h>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum h1_class {
	H1_TCHAR = 1,    /* of tokens: methods and field names */
	H1_HOST_CHAR = 2 /* of a host name and its port */
};
extern const uint8_t h1_classes[256];

static inline bool
h1_is(char c, enum h1_class class)
{
	return (h1_classes[(unsigned char)c] & class) != 0;
}

static inline bool
h1_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* May stand in a field value: all but CTL; obs-text may. */
static inline bool
h1_is_value(char c)
{
	return c == '\t' || ((unsigned char)c >= 0x20 && c != 0x7f);
}

/* Visible ASCII; not '#', which starts what is never sent (a fragment). */
static inline bool
h1_is_target(char c)
{
	return c > 0x20 && c < 0x7f && c != '#';
}

/* The first byte that may not stand in a field value, or end. */
static inline const char *
h1_skip_value(const char *p, const char *end)
{
#ifdef __SSE2__
	const __m128i last_ctl = _mm_set1_epi8(0x1f);
	const __m128i del = _mm_set1_epi8(0x7f);
	const __m128i tab = _mm_set1_epi8('\t');
	__m128i v, bad;
	int mask;

	for (; end - p >= 16; p += 16) {
		v = _mm_loadu_si128((const __m128i *)(const void *)p);
		bad = _mm_cmpeq_epi8(_mm_min_epu8(v, last_ctl), v);
		bad = _mm_andnot_si128(_mm_cmpeq_epi8(v, tab), bad);
		bad = _mm_or_si128(bad, _mm_cmpeq_epi8(v, del));
		mask = _mm_movemask_epi8(bad);
		if (mask != 0)
			return p + __builtin_ctz((unsigned)mask);
	}
#endif
	while (p < end && h1_is_value(*p))
		p++;
	return p;
}

/* The first byte that may not stand in a request target, or end. */
static inline const char *
h1_skip_target(const char *p, const char *end)
{
#ifdef __SSE2__
	const __m128i space = _mm_set1_epi8(0x21);
	const __m128i del = _mm_set1_epi8(0x7f);
	const __m128i hash = _mm_set1_epi8('#');
	__m128i v, bad;
	int mask;

	for (; end - p >= 16; p += 16) {
		v = _mm_loadu_si128((const __m128i *)(const void *)p);
		/* Signed, so bytes over 0x7f are below, too. */
		bad = _mm_cmplt_epi8(v, space);
		bad = _mm_or_si128(bad, _mm_cmpeq_epi8(v, del));
		bad = _mm_or_si128(bad, _mm_cmpeq_epi8(v, hash));
		mask = _mm_movemask_epi8(bad);
		if (mask != 0)
			return p + __builtin_ctz((unsigned)mask);
	}
#endif
	while (p < end && h1_is_target(*p))
		p++;
	return p;
}

#endif
