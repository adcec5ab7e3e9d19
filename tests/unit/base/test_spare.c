/* SPDX-License-Identifier: Apache-2.0 */
#include "base/spare.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#define BOUND ((size_t)2048 * 1024)

static bool
keeps(void)
{
#ifdef __SANITIZE_ADDRESS__
	return false;
#else
	return true;
#endif
}

Test(spare, blocks_of_every_size)
{
	for (size_t n = 0; n < 3000; n += 7) {
		unsigned char *p = spare_alloc(n), *q = spare_calloc(n, 1);

		cr_assert_eq((uintptr_t)p % alignof(max_align_t), 0);
		cr_assert_neq(p, q);
		memset(p, 0xa5, n);
		for (size_t i = 0; i < n; i++)
			cr_assert_eq(q[i], 0, "byte %zu of %zu", i, n);
		spare_free(p);
		spare_free(q);
	}
	spare_free(NULL);
}

Test(spare, the_last_one_freed_is_the_next)
{
	void *p = spare_alloc(200), *q;

	spare_free(p);
	cr_expect_eq(spare_kept() > 0, keeps());
	q = spare_alloc(190);
	if (keeps())
		cr_expect_eq(q, p);
	cr_expect_eq(spare_kept(), 0);
	spare_free(q);
	q = spare_alloc(900);
	cr_expect_neq(q, p, "another size");
	spare_free(q);
}

Test(spare, zeroed_also_when_used_before)
{
	unsigned char *p = spare_alloc(100);

	memset(p, 0xff, 100);
	spare_free(p);
	p = spare_calloc(10, 10);
	for (size_t i = 0; i < 100; i++)
		cr_assert_eq(p[i], 0);
	spare_free(p);
}

Test(spare, growing_keeps_the_bytes)
{
	char *p = spare_realloc(NULL, 5);

	memcpy(p, "text", 5);
	for (size_t n = 6; n < 5000; n += n / 2) {
		p = spare_realloc(p, n);
		cr_assert_str_eq(p, "text");
		memset(p + 5, 'x', n - 5);
	}
	spare_free(p);
}

Test(spare, so_many_are_kept)
{
	static void *p[4000];

	for (size_t i = 0; i < 4000; i++)
		p[i] = spare_alloc(1000);
	for (size_t i = 0; i < 4000; i++)
		spare_free(p[i]);
	cr_expect_leq(spare_kept(), BOUND);
	if (keeps())
		cr_expect_gt(spare_kept(), BOUND / 2);
	p[0] = spare_alloc(100000);
	spare_free(p[0]);
	cr_expect_leq(spare_kept(), BOUND, "large ones are not kept");
}

static void *
free_it(void *p)
{
	spare_free(p);
	return NULL;
}

/* What that thread keeps is freed with it: the leak sanitizer looks. */
Test(spare, freed_by_another_thread)
{
	pthread_t t;

	cr_assert_eq(pthread_create(&t, NULL, free_it, spare_alloc(64)), 0);
	cr_assert_eq(pthread_join(t, NULL), 0);
	cr_expect_eq(spare_kept(), 0);
}

#ifndef __SANITIZE_ADDRESS__
Test(spare, freed_twice_ends_the_process, .signal = SIGABRT)
{
	void *p = spare_alloc(64);

	spare_free(p);
	spare_free(p);
}
#endif
