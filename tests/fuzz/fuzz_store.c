/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole files as the store takes them: cut, parsed, bound, checked and put
 * into force, then damaged, then put again.  What was good stays through the
 * damage, and the same bytes change nothing.
 */

#include "fuzz.h"
#include "model/store.h"

static size_t
count(const struct store *st)
{
	size_t n, sum = 0;
	int k;

	for (k = 0; k < KIND_N; k++) {
		store_list(st, (enum kind)k, &n);
		sum += n;
	}
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str bytes = { .p = (const void *)data, .len = n };
	struct store *st = store_new();
	size_t before, refused;

	store_put_file(st, "fuzz.yaml", bytes);
	FUZZ_CHECK(store_commit(st) == (count(st) > 0));
	before = count(st);
	store_refused(st, &refused);
	FUZZ_CHECK((refused > 0) == (store_problems(st)->errors > 0));
	store_put_file(st, "fuzz.yaml", bytes);
	FUZZ_CHECK(!store_commit(st));
	store_put_file(st, "fuzz.yaml", STR(""));
	(void)store_commit(st);
	FUZZ_CHECK(count(st) == before || count(st) == 0);
	store_put_file(st, "fuzz.yaml", str_first(bytes, n / 2));
	(void)store_commit(st);
	store_put_file(st, "fuzz.yaml", bytes);
	(void)store_commit(st);
	FUZZ_CHECK(before == 0 || count(st) > 0);
	store_drop_file(st, "fuzz.yaml");
	(void)store_commit(st);
	FUZZ_CHECK(count(st) == 0 && store_problems(st)->n == 0);
	store_free(st);
	return 0;
}
