/* SPDX-License-Identifier: Apache-2.0 */
/* base/digest.h: SHA-256, and fields that cannot run into each other. */

#include <criterion/criterion.h>
#include <pthread.h>

#include "base/digest.h"

/* FIPS 180-2, B.1, and the well-known hash of nothing. */
Test(digest, is_sha256)
{
	static const uint8_t abc[4] = { 0xba, 0x78, 0x16, 0xbf };
	struct digest d = digest_of(STR("abc"));
	char text[17];

	cr_expect_eq(memcmp(d.b, abc, sizeof(abc)), 0);
	digest_print(&d, text);
	cr_expect_str_eq(text, "ba7816bf8f01cfea");
	d = digest_of(STR_NONE);
	digest_print(&d, text);
	cr_expect_str_eq(text, "e3b0c44298fc1c14");
}

static struct digest
digest_two(struct digester *d, struct str a, struct str b)
{
	digester_add(d, a);
	digester_add(d, b);
	return digester_take(d);
}

Test(digest, fields_are_kept_apart)
{
	struct digester *d = digester_new();
	struct digest ab_c = digest_two(d, STR("ab"), STR("c"));
	struct digest a_bc = digest_two(d, STR("a"), STR("bc"));
	struct digest abc_ = digest_two(d, STR("abc"), STR(""));
	struct digest one;

	digester_add(d, STR("abc"));
	one = digester_take(d);
	cr_expect_not(digest_eq(&ab_c, &a_bc));
	cr_expect_not(digest_eq(&ab_c, &abc_));
	cr_expect_not(digest_eq(&abc_, &one), "an empty field is a field");
	digester_free(d);
}

Test(digest, a_digester_can_be_used_anew)
{
	struct digester *d = digester_new();
	struct digest first = digest_two(d, STR("x"), STR_NONE);
	struct digest second = digest_two(d, STR("x"), STR(""));

	cr_expect(digest_eq(&first, &second));
	digester_free(d);
	digester_free(NULL);
}

Test(digest, numbers_and_digests_count)
{
	struct digester *d = digester_new();
	struct digest sub = digest_of(STR("x")), a, b, c;

	digester_add_u64(d, 1);
	a = digester_take(d);
	digester_add_u64(d, UINT64_C(1) << 56);
	b = digester_take(d);
	cr_expect_not(digest_eq(&a, &b));
	digester_add_digest(d, &sub);
	a = digester_take(d);
	digester_add(
	    d, (struct str){ .p = (const void *)sub.b, .len = DIGEST_LEN });
	b = digester_take(d);
	sub.b[DIGEST_LEN - 1] ^= 1;
	digester_add_digest(d, &sub);
	c = digester_take(d);
	cr_expect(digest_eq(&a, &b), "a digest is a field of its bytes");
	cr_expect_not(digest_eq(&a, &c), "its last byte counts");
	digester_free(d);
}

static void *
digest_many(void *arg)
{
	struct digest want = digest_of(STR("abc")), got;
	bool *is_same = arg;
	unsigned i;

	*is_same = true;
	for (i = 0; i < 1000; i++) {
		got = digest_of(STR("abc"));
		*is_same &= digest_eq(&got, &want);
	}
	return NULL;
}

Test(digest, threads_may_start_together)
{
	pthread_t threads[4];
	bool is_same[4];
	unsigned i;

	for (i = 0; i < 4; i++)
		cr_assert_eq(
		    pthread_create(&threads[i], NULL, digest_many, &is_same[i]),
		    0);
	for (i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		cr_expect(is_same[i]);
	}
}

/* FIPS 180-2, A.1, and the well-known hash of nothing. */
Test(digest, sha1)
{
	static const uint8_t abc[] = { 0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06, 0x81,
		0x6a, 0xba, 0x3e, 0x25, 0x71, 0x78, 0x50, 0xc2, 0x6c, 0x9c,
		0xd0, 0xd8, 0x9d };
	static const uint8_t none[] = { 0xda, 0x39, 0xa3, 0xee, 0x5e };
	uint8_t out[DIGEST_SHA1_LEN];

	digest_sha1(STR("abc"), out);
	cr_expect_arr_eq(out, abc, sizeof(abc));
	digest_sha1(STR_NONE, out);
	cr_expect_arr_eq(out, none, sizeof(none));
}
