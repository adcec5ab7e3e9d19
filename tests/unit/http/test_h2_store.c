/* SPDX-License-Identifier: Apache-2.0 */
/* Queues of bytes: in order, in few pieces, and nothing is left behind. */

#include <criterion/criterion.h>

#include "http/h2_store.h"

static void
expect_taken(struct h2_queue *q, size_t most, const char *want)
{
	struct span s = h2_queue_take(q, most);

	cr_expect(
	    str_eq((struct str){ (const void *)s.p, s.len }, str_of(want)),
	    "'%.*s', not '%s'", (int)s.len, s.p != NULL ? (char *)s.p : "",
	    want);
}

Test(h2_store, bytes_come_out_as_they_went_in)
{
	struct h2_queue q = { .first = NULL };

	expect_taken(&q, 10, "");
	h2_queue_add(&q, STR("hello "));
	h2_queue_add(&q, STR("world"));
	cr_expect_eq(q.len, 11);
	expect_taken(&q, 0, "");
	expect_taken(&q, 3, "hel");
	expect_taken(&q, 100, "lo world");
	cr_expect_eq(q.len, 0);
	/* Its last piece is still borrowed. */
	cr_expect_gt(h2_queue_held(&q), 0);
	expect_taken(&q, 100, "");
	cr_expect_eq(h2_queue_held(&q), 0);
	h2_queue_add(&q, STR("again"));
	h2_queue_clear(&q);
	cr_expect_eq(q.len, 0);
	cr_expect_eq(h2_queue_held(&q), 0);
}

/* Pieces of all sizes, against what they must be. */
Test(h2_store, many_pieces)
{
	static uint8_t bytes[5000];
	struct h2_queue q = { .first = NULL };
	uint64_t in = 0, out = 0;
	struct span s;
	size_t n;

	for (unsigned round = 1; round < 4000; round++) {
		n = round * 7919u % sizeof(bytes);
		for (size_t i = 0; i < n; i++)
			bytes[i] = (uint8_t)((in + i) * 31 >> 3);
		h2_queue_add(&q, (struct str){ (const void *)bytes, n });
		in += n;
		cr_assert_eq(q.len, in - out);
		cr_assert_leq(h2_queue_held(&q), q.len + 2 * 16384 + 1024);
		while (q.len > round * 13 % 60000) {
			s = h2_queue_take(&q, 1 + round * 104729u % 9000);
			cr_assert_gt(s.len, 0);
			for (size_t i = 0; i < s.len; i++)
				cr_assert_eq(
				    s.p[i], (uint8_t)((out + i) * 31 >> 3));
			out += s.len;
		}
	}
	h2_queue_clear(&q);
}

/* A byte each does not cost a big chunk each. */
Test(h2_store, few_bytes_cost_little)
{
	struct h2_queue q = { .first = NULL };

	h2_queue_add(&q, STR("x"));
	cr_expect_leq(h2_queue_held(&q), 1024);
	h2_queue_clear(&q);
}

Test(h2_store, rooms)
{
	struct h2_room *r = h2_room_take(3, 100), *big;

	cr_expect_eq(r->head.n_fields, 3);
	cr_expect_eq((void *)r->head.fields, (void *)r->fields);
	memset(h2_room_bytes(r), 'x', 100);
	cr_expect_eq(h2_room_bytes(r), (char *)&r->fields[3]);
	h2_room_give(r);
	big = h2_room_take(128, 61440);
	memset(h2_room_bytes(big), 'x', 61440);
	h2_room_give(big);
	h2_room_give(NULL);
}
