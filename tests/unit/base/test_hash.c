/* SPDX-License-Identifier: Apache-2.0 */
/* base/hash.h and base/siphash.h: the authors' vectors, and a seeded table. */

#include <criterion/criterion.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/hash.h"
#include "base/siphash.h"
#include "base/xalloc.h"

/* Key 00 01 … 0f, message 00 01 … of n bytes, as published. */
Test(siphash, published_vectors)
{
	static const uint64_t key[2] = { UINT64_C(0x0706050403020100),
		UINT64_C(0x0f0e0d0c0b0a0908) };
	static const struct {
		size_t n;
		uint64_t want;
	} rows[] = {
		{ 0, UINT64_C(0x726fdb47dd0e0e31) },
		{ 1, UINT64_C(0x74f839c593dc67fd) },
		{ 7, UINT64_C(0xab0200f58b01d137) },
		{ 8, UINT64_C(0x93f5f5799a932462) },
		{ 15, UINT64_C(0xa129ca6149be45e5) },
		{ 63, UINT64_C(0x958a324ceb064572) },
	};
	unsigned char message[64];
	size_t i;

	for (i = 0; i < sizeof(message); i++)
		message[i] = (unsigned char)i;
	for (i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(siphash24(key, message, rows[i].n), rows[i].want,
		    "%zu bytes", rows[i].n);
}

Test(hash, is_stable_and_seeded)
{
	static const uint64_t zero[2];

	cr_expect_eq(hash_bytes("abc", 3), hash_bytes("abc", 3));
	cr_expect_neq(hash_bytes("abc", 3), hash_bytes("abd", 3));
	cr_expect_neq(hash_bytes("abc", 3), siphash24(zero, "abc", 3));
}

struct item {
	unsigned n;
	char key[16];
	UT_hash_handle hh;
};

Test(hash, tables_find_what_was_added)
{
	struct item *table = NULL, *it, *next;
	char key[16];
	unsigned i;

	for (i = 0; i < 1000; i++) {
		it = xcalloc(1, sizeof(*it));
		it->n = i;
		snprintf(it->key, sizeof(it->key), "key-%u", i);
		HASH_ADD_STR(table, key, it);
	}
	for (i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "key-%u", i);
		HASH_FIND_STR(table, key, it);
		cr_assert_not_null(it, "%s", key);
		cr_assert_eq(it->n, i);
	}
	HASH_FIND_STR(table, "key-1000", it);
	cr_expect_null(it);
	HASH_ITER(hh, table, it, next)
	{
		HASH_DEL(table, it);
		free(it);
	}
	cr_expect_null(table);
}
