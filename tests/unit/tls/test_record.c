/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records by the examples of RFC 8448, section 3, and what is no good record.
 * Whether OpenSSL agrees is in test_record_openssl.c.
 */

#include <criterion/criterion.h>
#include <openssl/ssl.h>
#include <string.h>

#include "tls/late_message.h"
#include "tls/record.h"
#include "unit/tls/tls_duo.h"

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

static const char client_secret[] =
    "9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5";
static const char server_secret[] =
    "a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643";

static struct record_key
key_of(const char *secret_hex, uint64_t seq, bool is_sealing)
{
	struct record_key k = { .seq = seq };
	uint8_t secret[RECORD_SECRET_MOST];

	(void)from_hex(secret_hex, secret);
	cr_assert(record_key_from_secret(
	    &k, record_suite_find(0x1301, RECORD_TLS_1_3), secret, is_sealing));
	return k;
}

Test(record, keys_of_rfc_8448)
{
	static const struct {
		const char *secret, *key, *iv;
	} rows[] = {
		{ client_secret, "17422dda596ed5d9acd890e3c63f5051",
		    "5b78923dee08579033e523d9" },
		{ server_secret, "9f02283b6c9c07efc26bb9f2ac92e356",
		    "cf782b88dd83549aadf1e984" },
	};
	uint8_t secret[32], want[32], got[32];
	size_t i, n;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		(void)from_hex(rows[i].secret, secret);
		n = from_hex(rows[i].key, want);
		cr_assert(record_expand("SHA2-256", secret, 32, "key", got, n));
		cr_expect_arr_eq(got, want, n, "key %zu", i);
		n = from_hex(rows[i].iv, want);
		cr_assert(record_expand("SHA2-256", secret, 32, "iv", got, n));
		cr_expect_arr_eq(got, want, n, "iv %zu", i);
	}
}

/* Data is the bytes 0 to 49. */
static const struct {
	const char *name, *secret;
	uint64_t seq;
	enum record_type type;
	const char *record;
} examples[] = {
	{ "client's data", client_secret, 0, RECORD_DATA,
	    "1703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b"
	    "9819a8a5b46b395bd54a9a20441e2b62974e1f5a6292a2977014bd1e3deae63aee"
	    "bb21694915e4" },
	{ "server's data", server_secret, 1, RECORD_DATA,
	    "17030300432e937e11ef4ac740e538ad36005fc4a46932fc3225d05f82aa1b36e3"
	    "0efaf97d90e6dffc602dcb501a59a8fcc49c4bf2e5f0a21c0047c2abf332540dd0"
	    "32e167c2955d" },
	{ "client's alert", client_secret, 1, RECORD_ALERT,
	    "1703030013c9872760655666b74d7ff1153efd6db6d0b0e3" },
	{ "server's alert", server_secret, 2, RECORD_ALERT,
	    "1703030013b58fd67166ebf599d24720cfbe7efa7a8864a9" },
};

Test(record, examples_of_rfc_8448)
{
	uint8_t record[128], plain[128], want[50], out[128];
	const uint8_t close_notify[] = { 1, 0 };
	struct record_key k;
	struct record r;
	size_t i, n, len;

	for (i = 0; i < sizeof(want); i++)
		want[i] = (uint8_t)i;
	for (i = 0; i < ARRAY_LEN(examples); i++) {
		const char *name = examples[i].name;
		bool is_data = examples[i].type == RECORD_DATA;
		const uint8_t *in = is_data ? want : close_notify;

		n = from_hex(examples[i].record, record);
		cr_expect_eq(record_len(record), n, "%s", name);
		k = key_of(examples[i].secret, examples[i].seq, false);
		cr_assert(record_open(&k, record, n, plain, &r), "%s", name);
		cr_expect_eq(r.type, examples[i].type, "%s", name);
		len = is_data ? sizeof(want) : sizeof(close_notify);
		cr_assert_eq(r.len, len, "%s", name);
		cr_expect_arr_eq(plain, in, len, "%s", name);
		record_key_fini(&k);

		k = key_of(examples[i].secret, examples[i].seq, true);
		cr_assert_eq(
		    record_seal(&k, examples[i].type, in, len, out), n);
		cr_expect_arr_eq(out, record, n, "%s", name);
		/* In place too. */
		k.seq--;
		memcpy(out + record_before(&k), in, len);
		cr_assert_eq(record_seal(&k, examples[i].type,
				 out + record_before(&k), len, out),
		    n);
		cr_expect_arr_eq(out, record, n, "%s", name);
		record_key_fini(&k);
	}
}

Test(record, every_bit_counts)
{
	uint8_t record[128], plain[128];
	struct record_key k;
	struct record r;
	size_t n, i;

	k = key_of(client_secret, 0, false);
	n = from_hex(examples[0].record, record);
	for (i = 0; i < 8 * n; i++) {
		/* The length says how much is there. */
		if (i / 8 == 3 || i / 8 == 4)
			continue;
		record[i / 8] ^= (uint8_t)(1 << i % 8);
		cr_expect_not(
		    record_open(&k, record, n, plain, &r), "bit %zu", i);
		record[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	cr_expect(record_open(&k, record, n, plain, &r), "and as it was");
	cr_expect_not(record_open(&k, record, n, plain, &r), "but once");
	record_key_fini(&k);
}

/* Seal something that we never would, then look at what is said about it. */
static void
expect_alert(const char *what, const uint8_t *inner, size_t n, uint8_t alert)
{
	static uint8_t record[RECORD_PLAIN + 1024], plain[RECORD_PLAIN + 1024];
	struct record_key out = key_of(client_secret, 7, true);
	struct record_key in = key_of(client_secret, 7, false);
	uint8_t nonce[RECORD_IV];
	size_t body = n + RECORD_TAG;
	struct record r;
	struct record_bytes bytes = {
		.nonce = nonce,
		.aad = record,
		.aad_len = RECORD_HEADER,
		.in = inner,
		.n = n,
		.out = record + RECORD_HEADER,
	};

	memcpy(record, "\x17\x03\x03", 3);
	record[3] = (uint8_t)(body >> 8);
	record[4] = (uint8_t)body;
	memcpy(nonce, out.iv, sizeof(nonce));
	nonce[RECORD_IV - 1] ^= 7;
	cr_assert(out.cipher->engine->seal(out.cipher, &bytes, NULL, 0));
	if (alert == 0) {
		cr_expect(record_open(&in, record, 5 + body, plain, &r),
		    "%s: alert %d", what, r.alert);
	} else {
		cr_expect_not(
		    record_open(&in, record, 5 + body, plain, &r), "%s", what);
		cr_expect_eq(r.alert, alert, "%s: alert %d", what, r.alert);
	}
	record_key_fini(&out);
	record_key_fini(&in);
}

Test(record, padding_and_sizes_of_tls_1_3)
{
	static uint8_t inner[RECORD_PLAIN + 512];

	if (!duo_is_openssl())
		cr_skip("the key's own cipher is OpenSSL's here");
	memset(inner, 0, sizeof(inner));
	expect_alert("only padding", inner, 40, SSL_AD_UNEXPECTED_MESSAGE);
	expect_alert("nothing", inner, 0, SSL_AD_BAD_RECORD_MAC);
	inner[0] = RECORD_DATA;
	expect_alert("no byte", inner, 1, 0);
	expect_alert("no byte, padded", inner, 200, 0);
	memset(inner, 'x', sizeof(inner));
	inner[RECORD_PLAIN] = RECORD_DATA;
	expect_alert("the most", inner, RECORD_PLAIN + 1, 0);
	inner[RECORD_PLAIN + 1] = RECORD_DATA;
	expect_alert(
	    "one more", inner, RECORD_PLAIN + 2, SSL_AD_RECORD_OVERFLOW);
	expect_alert("too much behind the header", inner, RECORD_PLAIN + 241,
	    SSL_AD_RECORD_OVERFLOW);
}

Test(record, a_key_ends_before_its_numbers_do)
{
	struct record_key k = key_of(client_secret, UINT64_MAX, true);
	uint8_t out[64];

	cr_expect_eq(record_seal(&k, RECORD_DATA, out, 0, out), 0);
	k.is_sealing = false;
	record_key_fini(&k);
}

Test(record, only_suites_that_we_know)
{
	cr_expect_null(record_suite_find(0x1304, RECORD_TLS_1_3), "CCM");
	cr_expect_null(record_suite_find(0x1301, RECORD_TLS_1_2));
	cr_expect_null(record_suite_find(0xc02f, RECORD_TLS_1_3));
	cr_expect_null(record_suite_find(0xc013, RECORD_TLS_1_2), "CBC");
	cr_expect_not_null(record_suite_find(0xcca9, RECORD_TLS_1_2));
}

/* Three messages, cut in every way into two and into single bytes. */
Test(record, messages_are_found_wherever_they_are_cut)
{
	static const char all[] = "\x04\x00\x00\x07ticket!\x18\x00\x00\x01\x01"
				  "\x00\x00\x00\x00";
	const size_t n = sizeof(all) - 1;
	size_t cut, i, step, found;

	for (cut = 0; cut <= n; cut++) {
		struct late_cut c = { .have = 0 };
		struct late_message m[3];

		found = 0;
		for (i = 0; i < n; i += step) {
			struct str part;

			step = cut == 0 ? 1 : i == 0 ? cut : n - cut;
			part = (struct str){ all + i, step };
			while (part.len > 0 && late_message_next(&c, &part,
						   &m[found]) == LATE_DONE)
				cr_assert_leq(++found, 3);
		}
		cr_assert_eq(found, 3, "cut at %zu: %zu", cut, found);
		cr_expect_eq(m[0].type, 4);
		cr_expect_eq(m[0].len, 7);
		cr_expect_eq(m[1].type, 24);
		cr_expect_eq(m[1].first, 1, "cut at %zu", cut);
		cr_expect_eq(m[2].type, 0);
		cr_expect_eq(m[2].len, 0);
		cr_expect_not(late_message_is_open(&c));
	}
}
