/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SipHash-2-4 (Aumasson and Bernstein, 2012): two rounds a word, four at the
 * end.  The key is the caller's.  Pure; any thread.
 */

#include "base/siphash.h"

struct sip {
	uint64_t a, b, c, d;
};

static uint64_t
rotate(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

static void
mix(struct sip *v)
{
	v->a += v->b;
	v->c += v->d;
	v->b = rotate(v->b, 13) ^ v->a;
	v->d = rotate(v->d, 16) ^ v->c;
	v->a = rotate(v->a, 32);
	v->c += v->b;
	v->a += v->d;
	v->b = rotate(v->b, 17) ^ v->c;
	v->d = rotate(v->d, 21) ^ v->a;
	v->c = rotate(v->c, 32);
}

static void
take_word(struct sip *v, uint64_t word)
{
	v->d ^= word;
	mix(v);
	mix(v);
	v->a ^= word;
}

/* Compilers make one load of this. */
static uint64_t
read_le(const unsigned char *p, size_t n)
{
	uint64_t word = 0;
	size_t i;

	for (i = 0; i < n; i++)
		word |= (uint64_t)p[i] << (8 * i);
	return word;
}

uint64_t
siphash24(const uint64_t key[2], const void *p, size_t n)
{
	struct sip v = {
		.a = key[0] ^ UINT64_C(0x736f6d6570736575),
		.b = key[1] ^ UINT64_C(0x646f72616e646f6d),
		.c = key[0] ^ UINT64_C(0x6c7967656e657261),
		.d = key[1] ^ UINT64_C(0x7465646279746573),
	};
	const unsigned char *at = p;
	size_t left;

	for (left = n; left >= 8; left -= 8, at += 8)
		take_word(&v, read_le(at, 8));
	take_word(&v, (uint64_t)n << 56 | read_le(at, left));
	v.c ^= 0xff;
	mix(&v);
	mix(&v);
	mix(&v);
	mix(&v);
	return v.a ^ v.b ^ v.c ^ v.d;
}
