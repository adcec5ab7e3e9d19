/* SPDX-License-Identifier: Apache-2.0 */
/* Limits that hold while many threads use them. */

#include <criterion/criterion.h>
#include <pthread.h>

#include "upstream/breaker.h"

#define THREADS 4
#define LIMIT 3
#define ROUNDS 20000

static struct breaker shared;
static atomic_uint inside, most_inside, begun;

Test(breaker, counts_and_remembers)
{
	struct breaker b = { .now = 0 };

	cr_expect(breaker_try(&b, 2));
	breaker_up(&b);
	cr_expect_not(breaker_try(&b, 2));
	cr_expect(breaker_try(&b, 0), "any number");
	cr_expect_eq(breaker_now(&b), 3);
	breaker_down(&b);
	breaker_down(&b);
	cr_expect_eq(breaker_now(&b), 1);
	cr_expect_eq(breaker_highest(&b), 3);
	cr_expect(breaker_try(&b, 2));
	cr_expect_eq(breaker_highest(&b), 3);
}

static void *
use(void *arg)
{
	unsigned n, most;

	(void)arg;
	for (int i = 0; i < ROUNDS; i++) {
		if (!breaker_try(&shared, LIMIT))
			continue;
		n = atomic_fetch_add(&inside, 1) + 1;
		most = atomic_load(&most_inside);
		while (most < n &&
		       !atomic_compare_exchange_weak(&most_inside, &most, n))
			;
		atomic_fetch_add(&begun, 1);
		atomic_fetch_sub(&inside, 1);
		breaker_down(&shared);
	}
	return NULL;
}

Test(breaker, no_more_than_the_limit_at_a_time)
{
	pthread_t v[THREADS];

	for (int i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&v[i], NULL, use, NULL), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(v[i], NULL);
	cr_expect_leq(atomic_load(&most_inside), LIMIT);
	cr_expect_leq(breaker_highest(&shared), LIMIT);
	cr_expect_eq(breaker_now(&shared), 0);
	cr_expect_gt(atomic_load(&begun), 0);
}
