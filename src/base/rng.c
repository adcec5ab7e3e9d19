/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random numbers that are fast and need not be secret: xoshiro256**, a state
 * a thread.  What must not be foretold comes straight from the kernel.
 */

#include "base/rng.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/random.h>

struct rng {
	uint64_t s[4];
	bool is_seeded;
};

static _Thread_local struct rng local;
static pthread_once_t seed_once = PTHREAD_ONCE_INIT;
static uint64_t process_seed;

void
rng_kernel(void *p, size_t n)
{
	char *to = p;
	ssize_t got;

	while (n > 0) {
		got = getrandom(to, n, 0);
		if (got == -1 && errno == EINTR)
			continue;
		/* Without a seed hash tables could be attacked. */
		if (got <= 0)
			abort();
		to += got;
		n -= (size_t)got;
	}
}

static uint64_t
rotate(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

uint64_t
rng_u64(void)
{
	uint64_t *s = local.s, result, t;

	if (!local.is_seeded) {
		rng_kernel(s, sizeof(local.s));
		/* All zero is the one state that never changes. */
		s[0] |= (s[0] | s[1] | s[2] | s[3]) == 0;
		local.is_seeded = true;
	}
	result = rotate(s[1] * 5, 7) * 9;
	t = s[1] << 17;
	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate(s[3], 45);
	return result;
}

/* The high half of a product; draws that would favour some are repeated. */
uint32_t
rng_below(uint32_t n)
{
	uint32_t unfair = (uint32_t)-n % n;
	uint64_t product;

	do
		product = (rng_u64() >> 32) * n;
	while ((uint32_t)product < unfair);
	return (uint32_t)(product >> 32);
}

static void
make_process_seed(void)
{
	rng_kernel(&process_seed, sizeof(process_seed));
}

uint64_t
rng_process_seed(void)
{
	pthread_once(&seed_once, make_process_seed);
	return process_seed;
}

/* Nibbles of x, the lowest last. */
static char *
put_hex(char *to, uint64_t x, unsigned n)
{
	static const char hex[] = "0123456789abcdef";

	while (n-- > 0)
		*to++ = hex[x >> (n * 4) & 15];
	return to;
}

void
rng_uuid(char out[37])
{
	uint64_t a = rng_u64(), b = rng_u64();
	char *to = out;

	to = put_hex(to, a >> 32, 8);
	*to++ = '-';
	to = put_hex(to, a >> 16, 4);
	*to++ = '-';
	*to++ = '4';
	to = put_hex(to, a, 3);
	*to++ = '-';
	to = put_hex(to, 8 | (b >> 60 & 3), 1);
	to = put_hex(to, b >> 48, 3);
	*to++ = '-';
	to = put_hex(to, b, 12);
	*to = '\0';
}
