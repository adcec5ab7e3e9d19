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
#include <string.h>
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

/* The nibbles of x as bytes, in the order in which they lie in memory. */
static uint64_t
spread(uint32_t x)
{
	uint64_t n = x;

	n = (n | n << 16) & UINT64_C(0x0000ffff0000ffff);
	n = (n | n << 8) & UINT64_C(0x00ff00ff00ff00ff);
	return (n | n << 4) & UINT64_C(0x0f0f0f0f0f0f0f0f);
}

/* Eight digits at a time: those from ten on lie 39 further than the others. */
static void
put_hex(char to[8], uint32_t x)
{
	uint64_t n = spread(x);
	uint64_t is_letter = (n + UINT64_C(0x0606060606060606)) >> 4 &
			     UINT64_C(0x0101010101010101);

	n += UINT64_C(0x3030303030303030) + is_letter * ('a' - '9' - 1);
	memcpy(to, &n, sizeof(n));
}

/* RFC 9562, section 5.4. */
void
rng_uuid(char out[37])
{
	uint64_t a = rng_u64(), b = rng_u64();
	char d[32];

	put_hex(d, (uint32_t)a);
	put_hex(d + 8, (uint32_t)(a >> 32));
	put_hex(d + 16, (uint32_t)b);
	put_hex(d + 24, (uint32_t)(b >> 32));
	d[12] = '4';
	d[16] = "89ab"[b >> 62];
	memcpy(out, d, 8);
	memcpy(out + 9, d + 8, 4);
	memcpy(out + 14, d + 12, 4);
	memcpy(out + 19, d + 16, 4);
	memcpy(out + 24, d + 20, 12);
	out[8] = out[13] = out[18] = out[23] = '-';
	out[36] = '\0';
}
