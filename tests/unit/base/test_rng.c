/* SPDX-License-Identifier: Apache-2.0 */
/* base/rng.h: ranges, spread, threads, the form of a UUID. */

#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#include "base/rng.h"

#define DRAWS 60000

Test(rng, below_stays_below_and_reaches_all)
{
	static const uint32_t sides[] = { 1, 2, 3, 6, 7 };
	unsigned seen[7];
	uint32_t n;
	size_t i, j;

	for (i = 0; i < sizeof(sides) / sizeof(sides[0]); i++) {
		memset(seen, 0, sizeof(seen));
		for (j = 0; j < DRAWS; j++) {
			n = rng_below(sides[i]);
			cr_assert_lt(n, sides[i]);
			seen[n]++;
		}
		/* Ten standard deviations and more: never by chance. */
		for (j = 0; j < sides[i]; j++)
			cr_expect(seen[j] > DRAWS / sides[i] * 9 / 10 &&
				      seen[j] < DRAWS / sides[i] * 11 / 10 + 1,
			    "%u of %u: %u", (unsigned)j, sides[i], seen[j]);
	}
}

/*
 * With three quarters of the range as a limit, a draw that is only scaled
 * would give some numbers twice as often as others.
 */
Test(rng, below_has_no_bias)
{
	const uint32_t limit = UINT32_C(3) << 30;
	unsigned i, third[3] = { 0, 0, 0 };

	for (i = 0; i < DRAWS; i++)
		third[rng_below(limit) % 3]++;
	for (i = 0; i < 3; i++)
		cr_expect(third[i] > DRAWS / 3 * 95 / 100, "%u", third[i]);
}

Test(rng, every_bit_moves)
{
	uint64_t n, ones = 0, zeros = 0;
	unsigned i;

	for (i = 0; i < 100; i++) {
		n = rng_u64();
		ones |= n;
		zeros |= ~n;
	}
	cr_expect_eq(ones, UINT64_MAX);
	cr_expect_eq(zeros, UINT64_MAX);
}

static void *
draw(void *arg)
{
	uint64_t *to = arg;

	to[0] = rng_u64();
	to[1] = rng_process_seed();
	return NULL;
}

Test(rng, threads_differ_but_share_the_process_seed)
{
	uint64_t mine[2], other[2];
	pthread_t thread;

	draw(mine);
	cr_assert_eq(pthread_create(&thread, NULL, draw, other), 0);
	pthread_join(thread, NULL);
	cr_expect_neq(mine[0], other[0]);
	cr_expect_eq(mine[1], other[1]);
}

Test(rng, kernel_fills_all_bytes)
{
	unsigned char b[1000], seen[1000];
	unsigned i, j;

	memset(seen, 0, sizeof(seen));
	for (i = 0; i < 20; i++) {
		memset(b, 0, sizeof(b));
		rng_kernel(b, sizeof(b));
		for (j = 0; j < sizeof(b); j++)
			seen[j] |= b[j];
	}
	for (j = 0; j < sizeof(b); j++)
		cr_assert_neq(seen[j], 0, "byte %u", j);
}

Test(rng, uuid_has_the_form_of_version_4)
{
	static const char form[] = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";
	char a[37], b[37];
	unsigned i, round;

	for (round = 0; round < 100; round++) {
		rng_uuid(a);
		cr_assert_eq(strlen(a), 36);
		for (i = 0; i < 36; i++)
			if (form[i] == 'x')
				cr_assert(strchr("0123456789abcdef", a[i]));
			else if (form[i] == 'y')
				cr_assert(strchr("89ab", a[i]));
			else
				cr_assert_eq(a[i], form[i]);
		rng_uuid(b);
		cr_assert_str_neq(a, b);
	}
}
