/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel is given: keys by the examples of RFC 8448, section 3, in its
 * own layout; and what is said where it has no TLS.
 */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "tls/kernel_tls.h"
#include "tls/tls_records.h"
#include "unit/tls/fake_kernel.h"

#define KEY_1 "17422dda596ed5d9acd890e3c63f5051"
#define KEY_2 "9f02283b6c9c07efc26bb9f2ac92e356"

static size_t
from_hex(const char *hex, uint8_t *out)
{
	unsigned b;
	size_t n = 0;

	for (; *hex != '\0'; hex += 2) {
		cr_assert_eq(sscanf(hex, "%2x", &b), 1);
		out[n++] = (uint8_t)b;
	}
	return n;
}

/* version and cipher as this machine stores them, iv, key, salt, number. */
static void
expect_key(const struct record_key *k, uint16_t version, uint16_t cipher,
    const char *rest, const char *what)
{
	uint8_t got[KERNEL_TLS_KEY_MOST], want[KERNEL_TLS_KEY_MOST];
	size_t n = kernel_tls_key(k, got);

	if (n == 0)
		cr_skip("built without <linux/tls.h>");
	memcpy(want, &version, 2);
	memcpy(want + 2, &cipher, 2);
	cr_assert_eq(n, 4 + from_hex(rest, want + 4), "%s: %zu", what, n);
	cr_expect_arr_eq(got, want, n, "%s", what);
}

Test(kernel_tls, keys_of_rfc_8448)
{
	static const struct {
		const char *secret, *rest;
		uint64_t seq;
	} rows[] = {
		{ "9e40646ce79a7f9dc05af8889bce6552"
		  "875afa0b06df0087f792ebb7c17504a5",
		    "ee08579033e523d9" KEY_1 "5b78923d"
		    "0000000000000000",
		    0 },
		{ "a11af9f05531f856ad47116b45a95032"
		  "8204b4f44bfb6b3a4b4f1f3fcb631643",
		    "dd83549aadf1e984" KEY_2 "cf782b88"
		    "0000000000010203",
		    0x10203 },
	};
	uint8_t secret[RECORD_SECRET_MOST];
	size_t i;

	for (i = 0; i < 2; i++) {
		struct record_key k = { .seq = rows[i].seq };

		(void)from_hex(rows[i].secret, secret);
		cr_assert(record_key_from_secret(&k,
		    record_suite_find(0x1301, RECORD_TLS_1_3), secret, true));
		expect_key(&k, 0x0304, 51, rows[i].rest, "AES-128");
		record_key_fini(&k);
	}
}

#define LONG_KEY                           \
	"000102030405060708090a0b0c0d0e0f" \
	"101112131415161718191a1b1c1d1e1f"

/* In TLS 1.2 with AES-GCM, the number is the IV that counts on. */
Test(kernel_tls, keys_of_other_suites)
{
	static const struct {
		unsigned id;
		enum record_version version;
		uint16_t version_id, cipher;
		const char *rest;
	} rows[] = {
		{ 0x1302, RECORD_TLS_1_3, 0x0304, 52,
		    "a4a5a6a7a8a9aaab" LONG_KEY "a0a1a2a3"
		    "0000000000000009" },
		{ 0x1303, RECORD_TLS_1_3, 0x0304, 54,
		    "a0a1a2a3a4a5a6a7a8a9aaab" LONG_KEY "0000000000000009" },
		{ 0xc02f, RECORD_TLS_1_2, 0x0303, 51,
		    "0000000000000009"
		    "000102030405060708090a0b0c0d0e0f"
		    "a0a1a2a3"
		    "0000000000000009" },
		{ 0xc030, RECORD_TLS_1_2, 0x0303, 52,
		    "0000000000000009" LONG_KEY "a0a1a2a3"
		    "0000000000000009" },
		{ 0xcca8, RECORD_TLS_1_2, 0x0303, 54,
		    "a0a1a2a3a4a5a6a7a8a9aaab" LONG_KEY "0000000000000009" },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		struct record_key k = {
			.suite = record_suite_find(rows[i].id, rows[i].version),
			.seq = 9,
		};
		char name[16];

		cr_assert_not_null(k.suite);
		(void)from_hex("a0a1a2a3a4a5a6a7a8a9aaab", k.iv);
		(void)from_hex(LONG_KEY, k.key);
		(void)snprintf(name, sizeof(name), "%x", rows[i].id);
		expect_key(
		    &k, rows[i].version_id, rows[i].cipher, rows[i].rest, name);
	}
}

Test(kernel_tls, what_helps_is_said)
{
	struct text why = TEXT_EMPTY;

	if (kernel_tls_is_there(&why))
		cr_skip("this kernel has TLS");
	cr_expect(strstr(why.p, "modprobe tls") != NULL ||
		      strstr(why.p, "<linux/tls.h>") != NULL,
	    "%s", why.p);
	text_free(&why);
}

Test(kernel_tls, only_who_chose_it_gets_it)
{
	struct text said = TEXT_EMPTY;

	tls_records_choose(TLS_RECORDS_AUTO);
	cr_expect_not(tls_records_may_be_kernel());
	tls_records_choose(TLS_RECORDS_OWN);
	cr_expect_not(tls_records_may_be_kernel());
	tls_records_print(&said);
	cr_expect_null(strstr(said.p, "kernel"));
	text_clear(&said);
	tls_records_choose(TLS_RECORDS_KERNEL);
	cr_expect(tls_records_may_be_kernel());
	cr_expect(tls_records_may_be_own());
	tls_records_print(&said);
	cr_expect_not_null(strstr(said.p, "the kernel's"));
	text_free(&said);
}
