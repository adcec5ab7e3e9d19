/* SPDX-License-Identifier: Apache-2.0 */
#include "base/slab.h"

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define OBJECT ((size_t)1088)
#define MANY 5000

static bool
has_slabs(void)
{
#ifdef __SANITIZE_ADDRESS__
	return false;
#else
	return true;
#endif
}

Test(slab, objects_do_not_touch)
{
	struct slab_pool pool = SLAB_POOL(OBJECT);
	static unsigned char *v[MANY];
	size_t most;

	for (size_t i = 0; i < MANY; i++) {
		v[i] = slab_take(&pool);
		cr_assert_eq((uintptr_t)v[i] % SLAB_ALIGN, 0);
		memset(v[i], (int)(i % 251), OBJECT);
	}
	most = pool.n;
	if (has_slabs())
		cr_expect_geq(most, MANY * OBJECT / (128 * 1024));
	for (size_t i = 0; i < MANY; i++)
		for (size_t k = 0; k < OBJECT; k++)
			cr_assert_eq(v[i][k], i % 251, "object %zu", i);
	for (size_t i = 0; i < MANY; i++)
		slab_give(&pool, v[i]);
	/* One is kept for the next. */
	cr_expect_leq(pool.n, 1);
}

/* Holes are filled before anything is mapped, and full slabs left alone. */
Test(slab, holes_are_filled)
{
	struct slab_pool pool = SLAB_POOL(OBJECT);
	static void *v[MANY];
	size_t n;

	for (size_t i = 0; i < MANY; i++)
		v[i] = slab_take(&pool);
	n = pool.n;
	for (size_t round = 0; round < 20; round++) {
		for (size_t i = round % 3; i < MANY; i += 3)
			slab_give(&pool, v[i]);
		cr_expect_eq(pool.n, n);
		for (size_t i = round % 3; i < MANY; i += 3)
			v[i] = slab_take(&pool);
		cr_expect_eq(pool.n, n);
	}
	for (size_t i = 0; i < MANY; i++)
		slab_give(&pool, v[i]);
}

static struct slab_pool shared = SLAB_POOL(OBJECT);

static void *
come_and_go(void *arg)
{
	unsigned char mark = *(unsigned char *)arg;
	unsigned char *v[64];

	for (int round = 0; round < 200; round++) {
		for (size_t i = 0; i < 64; i++) {
			v[i] = slab_take(&shared);
			memset(v[i], mark, OBJECT);
		}
		for (size_t i = 0; i < 64; i++) {
			if (v[i][0] != mark || v[i][OBJECT - 1] != mark)
				return arg;
			slab_give(&shared, v[i]);
		}
	}
	return NULL;
}

Test(slab, threads)
{
	unsigned char marks[4] = { 1, 2, 3, 4 };
	pthread_t t[4];
	void *bad;

	for (int i = 0; i < 4; i++)
		cr_assert_eq(
		    pthread_create(&t[i], NULL, come_and_go, &marks[i]), 0);
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], &bad);
		cr_expect_null(bad);
	}
	cr_expect_leq(shared.n, 1);
}
