/* SPDX-License-Identifier: Apache-2.0 */
/* Verified chains: when one is known, and how many are. */

#include <criterion/criterion.h>

#include "base/attr.h"
#include "tls/chain_table.h"

static struct digest
key_of(unsigned n)
{
	return digest_of((struct str){ .p = (const void *)&n, sizeof(n) });
}

Test(chain_table, is_asked_for_the_time_too)
{
	static const struct {
		int64_t now_s;
		bool is_known;
	} rows[] = {
		{ 99, false },
		{ 100, true },
		{ 199, true },
		/* As OpenSSL has it: not valid in its last second. */
		{ 200, false },
		{ 201, false },
	};
	struct chain_times times = { .not_before_s = 100, .not_after_s = 200 };
	struct chain_table *t = chain_table_new();
	struct digest key = key_of(1), other = key_of(2);
	struct chain_times out;
	size_t i;

	chain_table_put(t, &key, &times);
	for (i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(chain_table_get(t, &key, rows[i].now_s, &out),
		    rows[i].is_known, "at %d", (int)rows[i].now_s);
	cr_assert(chain_table_get(t, &key, 150, &out));
	cr_expect_eq(out.not_after_s, 200);
	cr_expect_not(chain_table_get(t, &other, 150, &out));
	chain_table_free(t);
}

Test(chain_table, forgets_when_it_is_full)
{
	struct chain_times times = { .not_before_s = 1, .not_after_s = 200 };
	struct chain_table *t = chain_table_new();
	struct chain_times out;
	struct digest key;
	unsigned i, n = 0;

	for (i = 0; i < 20000; i++) {
		key = key_of(i);
		chain_table_put(t, &key, &times);
		cr_assert(chain_table_get(t, &key, 100, &out), "%u", i);
	}
	for (i = 0; i < 20000; i++) {
		key = key_of(i);
		n += chain_table_get(t, &key, 100, &out);
	}
	cr_expect_geq(n, 2048);
	cr_expect_leq(n, 4096);
	chain_table_free(t);
}
