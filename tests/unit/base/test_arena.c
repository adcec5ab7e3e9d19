/* SPDX-License-Identifier: Apache-2.0 */
/* base/arena.h: pieces are zeroed, aligned, apart, and freed together. */

#include <criterion/criterion.h>
#include <stdalign.h>
#include <stdint.h>

#include "base/arena.h"

Test(arena, pieces_are_zeroed_aligned_and_apart)
{
	struct arena a;
	unsigned char *piece[500];
	size_t i, j, n;

	arena_init(&a, 64);
	for (i = 0; i < ARRAY_LEN(piece); i++) {
		n = i % 97;
		piece[i] = arena_alloc(&a, n);
		cr_assert_eq((uintptr_t)piece[i] % alignof(max_align_t), 0);
		for (j = 0; j < n; j++)
			cr_assert_eq(piece[i][j], 0, "piece %zu", i);
		memset(piece[i], (int)(i & 0xff), n);
	}
	for (i = 0; i < ARRAY_LEN(piece); i++)
		for (j = 0; j < i % 97; j++)
			cr_assert_eq(piece[i][j], i & 0xff, "piece %zu", i);
	arena_fini(&a);
}

Test(arena, nothing_is_held_before_the_first_use)
{
	struct arena a;
	void *p;

	arena_init(&a, 0);
	cr_expect_eq(arena_bytes(&a), 0);
	p = arena_alloc(&a, 1);
	cr_expect_not_null(p);
	cr_expect_gt(arena_bytes(&a), 0);
	arena_fini(&a);
	cr_expect_eq(arena_bytes(&a), 0);
}

Test(arena, can_be_used_again_after_fini)
{
	struct arena a;

	arena_init(&a, 0);
	cr_expect_str_eq(arena_strdup(&a, STR("one")), "one");
	arena_fini(&a);
	cr_expect_str_eq(arena_strdup(&a, STR("two")), "two");
	arena_fini(&a);
}

Test(arena, cleared_it_keeps_one_chunk_and_gives_zeroes)
{
	struct arena a;
	unsigned char *first, *again;
	size_t i;

	arena_init(&a, 256);
	arena_clear(&a);
	cr_expect_eq(arena_bytes(&a), 0);
	first = arena_alloc(&a, 100);
	memset(first, 0xff, 100);
	arena_clear(&a);
	cr_expect_gt(arena_bytes(&a), 0);
	again = arena_alloc(&a, 100);
	cr_expect_eq(again, first);
	for (i = 0; i < 100; i++)
		cr_assert_eq(again[i], 0);
	/* What an unusual life needed is not kept. */
	again = arena_alloc(&a, 1000);
	again[999] = 1;
	arena_clear(&a);
	cr_expect_eq(arena_bytes(&a), 0);
	first = arena_alloc(&a, 1000);
	first[0] = 1;
	arena_clear(&a);
	cr_expect_eq(arena_bytes(&a), 0);
	arena_fini(&a);
}

Test(arena, a_large_piece_leaves_the_chunk_in_use)
{
	struct arena a;
	char *first, *large, *second;

	arena_init(&a, 1024);
	first = arena_alloc(&a, 16);
	large = arena_alloc(&a, 1000000);
	second = arena_alloc(&a, 16);
	memset(large, 1, 1000000);
	cr_expect_eq(second, first + 16);
	cr_expect_lt(arena_bytes(&a), 1000000 + 2048);
	arena_fini(&a);
}

Test(arena, a_large_piece_may_come_first)
{
	struct arena a;
	char *large, *small;

	arena_init(&a, 64);
	large = arena_alloc(&a, 1001);
	memset(large, 1, 1001);
	small = arena_alloc(&a, 8);
	cr_expect_eq(small[0], 0);
	cr_expect(small >= large + 1001 || small < large);
	arena_fini(&a);
}

Test(arena, copies)
{
	struct arena a;
	struct str s;

	arena_init(&a, 0);
	s = arena_str(&a, STR("a\0b"));
	cr_expect(str_eq(s, STR("a\0b")));
	cr_expect_eq(s.p[s.len], '\0');
	cr_expect_null(arena_str(&a, STR_NONE).p, "absent stays absent");
	cr_expect_not_null(arena_str(&a, STR("")).p);
	cr_expect_str_eq(arena_strdup(&a, STR_NONE), "");
	cr_expect_str_eq(arena_printf(&a, "%s-%d", "x", 7), "x-7");
	arena_fini(&a);
}
