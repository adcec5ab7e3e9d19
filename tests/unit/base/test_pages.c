/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pages.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define N ((size_t)16 * 1024 + 10)

static size_t
resident(void *p, size_t page)
{
	unsigned char in[64];
	size_t n = (N + page - 1) / page, found = 0;

	cr_assert_leq(n, sizeof(in));
	cr_assert_eq(mincore(p, n * page, in), 0);
	for (size_t i = 0; i < n; i++)
		found += in[i] & 1;
	return found;
}

Test(pages, only_what_is_touched_costs)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *dirty = malloc(64 * page), *p;

	/* So that there is used memory to be taken again. */
	memset(dirty, 0xa5, 64 * page);
	__asm__ volatile("" : : "r"(dirty) : "memory");
	free(dirty);
	p = pages_alloc(N);
	cr_expect_eq((uintptr_t)p % page, 0);
	cr_expect_eq(resident(p, page), 0);
	p[0] = p[1] = 1;
	cr_expect_eq(resident(p, page), 1);
	memset(p, 0xa5, N);
	cr_expect_eq(resident(p, page), (N + page - 1) / page);
	pages_forget(p, N);
	cr_expect_eq(resident(p, page), 0);
	/* It is still there to be used. */
	memset(p, 0x5a, N);
	cr_expect_eq(p[N - 1], 0x5a);
	free(p);
}
