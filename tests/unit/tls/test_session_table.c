/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions of callers by id: what is given, what gives way, and how many. */

#include <criterion/criterion.h>
#include <string.h>

#include "tls/session_table.h"

#define NOW 1000

static void
put(struct session_table *t, unsigned n, struct str bytes, int64_t end_s,
    bool is_lasting)
{
	struct session_entry e = {
		.bytes = bytes, .end_s = end_s, .is_lasting = is_lasting
	};

	/* Shard, set, and what tells them apart. */
	memcpy(e.id, &n, sizeof(n));
	memcpy(e.id + SESSION_ID_LEN - sizeof(n), &n, sizeof(n));
	session_table_put(t, &e, NOW);
}

static bool
has(struct session_table *t, unsigned n, int64_t now_s, struct str expected)
{
	uint8_t id[SESSION_ID_LEN] = { 0 };
	struct text out = TEXT_EMPTY;
	bool is_found;

	memcpy(id, &n, sizeof(n));
	memcpy(id + SESSION_ID_LEN - sizeof(n), &n, sizeof(n));
	is_found = session_table_get(t, id, now_s, &out);
	if (is_found)
		cr_expect(str_eq(text_str(&out), expected), "%u", n);
	text_free(&out);
	return is_found;
}

Test(session_table, gives_what_was_put_until_its_end)
{
	struct session_table *t = session_table_new(1024, 1 << 20);

	put(t, 1, STR("one"), NOW + 10, true);
	put(t, 2, STR("two"), NOW + 20, false);
	cr_expect(has(t, 1, NOW, STR("one")));
	cr_expect(has(t, 1, NOW + 9, STR("one")), "more than once");
	cr_expect_not(has(t, 1, NOW + 10, STR("")));
	cr_expect(has(t, 2, NOW + 10, STR("two")));
	cr_expect_not(has(t, 3, NOW, STR("")));
	cr_expect_eq(session_table_count(t), 2);
	session_table_free(t);
}

/* An id that differs only where no shard or set depends on it. */
Test(session_table, an_id_counts_as_a_whole)
{
	struct session_table *t = session_table_new(1024, 1 << 20);
	struct text out = TEXT_EMPTY;
	uint8_t id[SESSION_ID_LEN] = { 0 };

	put(t, 0, STR("zero"), NOW + 10, true);
	cr_expect(session_table_get(t, id, NOW, &out));
	id[SESSION_ID_LEN - 1] = 1;
	cr_expect_not(session_table_get(t, id, NOW, &out));
	text_free(&out);
	session_table_free(t);
}

Test(session_table, its_number_is_bounded)
{
	struct session_table *t = session_table_new(1024, 1 << 20);
	unsigned i;

	for (i = 0; i < 20000; i++)
		put(t, i, STR("bytes"), NOW + 10, i % 2 == 0);
	cr_expect_leq(session_table_count(t), 1024);
	cr_expect_geq(session_table_count(t), 1024 / 2);
	cr_expect(has(t, 19999, NOW, STR("bytes")), "the newest is there");
	session_table_free(t);
}

Test(session_table, its_bytes_are_bounded)
{
	static const char big[SESSION_BYTES_MAX + 1];
	struct session_table *t = session_table_new(1024, 256 * 1024);
	unsigned i;

	for (i = 0; i < 2000; i++)
		put(t, i, (struct str){ .p = big, .len = 3000 }, NOW + 10,
		    i % 2 == 0);
	cr_expect_leq(session_table_bytes(t), 256 * 1024);
	cr_expect_gt(session_table_count(t), 16);
	put(t, 5000, (struct str){ .p = big, .len = sizeof(big) }, NOW + 10,
	    true);
	cr_expect_not(has(t, 5000, NOW, STR("")), "too large by itself");
	session_table_free(t);
}

/* All in one set: those of one use make place for each other. */
Test(session_table, what_is_used_outlives_what_is_not)
{
	static const struct str lasting = { .p = "kept", .len = 4 };
	struct session_table *t = session_table_new(1, 1 << 20);
	unsigned i;

	put(t, 0, lasting, NOW + 10, true);
	for (i = 1; i < 200; i++) {
		cr_assert(has(t, 0, NOW, lasting), "before %u", i);
		put(t, i << 8, STR("once"), NOW + 10, false);
	}
	cr_expect_leq(session_table_count(t), 8);
	session_table_free(t);
}

Test(session_table, what_is_over_makes_place)
{
	struct session_table *t = session_table_new(1024, 1 << 20);
	unsigned i;

	for (i = 0; i < 64; i++)
		put(t, i, STR("old"), NOW, true);
	/* In another set.  The hand comes by, two places at each new one. */
	for (i = 0; i < 16 * 64; i++)
		put(t, i % 16 | 1 << 8, STR("new"), NOW + 10, true);
	for (i = 16; i < 64; i++)
		cr_expect_not(has(t, i, NOW - 1, STR("old")), "%u", i);
	session_table_free(t);
}
