/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ciphers of records: each engine by published examples, and all of them
 * beside each other on random keys, lengths and places.  What there is beside
 * OpenSSL depends on the build and on the CPU.
 */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls/record_cipher.h"

#define KEY_MOST 32
#define AAD_MOST 13
#define PLAIN_MOST 16400
#define ROUNDS 3000

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

/*
 * AES-GCM: cases 4 and 16 of McGrew and Viega's specification of GCM;
 * ChaCha20: RFC 8439, section 2.8.2.
 */
static const struct {
	const char *name;
	enum record_aead aead;
	const char *key, *nonce, *aad, *plain, *sealed;
} examples[] = {
	{ "AES-128-GCM", RECORD_AES128_GCM, "feffe9928665731c6d6a8f9467308308",
	    "cafebabefacedbaddecaf888",
	    "feedfacedeadbeeffeedfacedeadbeefabaddad2",
	    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
	    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
	    "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
	    "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091"
	    "5bc94fbc3221a5db94fae95ae7121a47" },
	{ "AES-256-GCM", RECORD_AES256_GCM,
	    "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
	    "cafebabefacedbaddecaf888",
	    "feedfacedeadbeeffeedfacedeadbeefabaddad2",
	    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
	    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
	    "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
	    "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662"
	    "76fc6ece0f4e1768cddf8853bb2d551b" },
	{ "ChaCha20-Poly1305", RECORD_CHACHA20,
	    "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
	    "070000004041424344454647", "50515253c0c1c2c3c4c5c6c7",
	    "4c616469657320616e642047656e746c656d656e206f662074686520636c6173"
	    "73206f66202739393a204966204920636f756c64206f6666657220796f75206f"
	    "6e6c79206f6e652074697020666f7220746865206675747572652c2073756e73"
	    "637265656e20776f756c642062652069742e",
	    "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d6"
	    "3dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b36"
	    "92ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc"
	    "3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd060"
	    "0691" },
};

static void
check_example(const struct record_engine *e, size_t i)
{
	uint8_t key[KEY_MOST], nonce[RECORD_IV], aad[32], plain[128];
	uint8_t sealed[128 + RECORD_TAG], out[sizeof(sealed)];
	struct record_bytes b = { .nonce = nonce, .aad = aad, .out = out };
	struct record_cipher *c;
	size_t cut;

	(void)from_hex(examples[i].key, key);
	(void)from_hex(examples[i].nonce, nonce);
	b.aad_len = from_hex(examples[i].aad, aad);
	b.n = from_hex(examples[i].plain, plain);
	(void)from_hex(examples[i].sealed, sealed);
	c = e->make(examples[i].aead, key, true);
	cr_assert_not_null(c);
	/* All at once, and with any number of bytes given apart. */
	for (cut = b.n + 1; cut-- > 0;) {
		struct record_bytes part = b;

		part.in = plain;
		part.n = cut;
		memset(out, 0, sizeof(out));
		cr_assert(e->seal(c, &part, plain + cut, b.n - cut));
		cr_expect_arr_eq(out, sealed, b.n + RECORD_TAG, "%s, %s, %zu",
		    e->name, examples[i].name, cut);
	}
	record_cipher_free(c);

	c = e->make(examples[i].aead, key, false);
	b.in = sealed;
	cr_expect(
	    e->open(c, &b, sealed + b.n), "%s, %s", e->name, examples[i].name);
	cr_expect_arr_eq(out, plain, b.n, "%s, %s", e->name, examples[i].name);
	record_cipher_free(c);
}

Test(record_cipher, published_examples)
{
	const struct record_engine *e;
	size_t i, k, checked = 0;

	for (k = 0; (e = record_engine_at(k)) != NULL; k++)
		for (i = 0; i < ARRAY_LEN(examples); i++)
			if (e->can(examples[i].aead)) {
				check_example(e, i);
				checked++;
			}
	cr_expect_geq(checked, ARRAY_LEN(examples));
}

/* xorshift: a failure can be had again. */
static uint64_t
roll(uint64_t *state, uint64_t most)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state % (most + 1);
}

static void
fill(uint64_t *state, uint8_t *p, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		p[i] = (uint8_t)roll(state, 255);
}

/* Half of them short, where each length has a way of its own. */
static size_t
roll_len(uint64_t *state)
{
	return roll(state, 1) == 0 ? roll(state, 300) : roll(state, PLAIN_MOST);
}

struct round {
	enum record_aead aead;
	uint8_t key[KEY_MOST], nonce[RECORD_IV], aad[AAD_MOST];
	size_t aad_len, n;
	const uint8_t *plain;
};

static void
roll_round(uint64_t *state, struct round *r)
{
	static uint8_t noise[PLAIN_MOST];
	size_t i;

	/* Random enough, and cheap: any stretch of it. */
	for (i = 0; i < 64; i++)
		noise[roll(state, PLAIN_MOST - 1)] = (uint8_t)*state;
	r->aead = (enum record_aead)roll(state, 2);
	fill(state, r->key, sizeof(r->key));
	fill(state, r->nonce, sizeof(r->nonce));
	fill(state, r->aad, sizeof(r->aad));
	r->aad_len = roll(state, 1) == 0 ? 5 : AAD_MOST;
	r->n = roll_len(state);
	r->plain = noise + roll(state, PLAIN_MOST - r->n);
}

/* In memory that ends where the tag does. */
static uint8_t *
seal(const struct record_engine *e, const struct round *r, uint64_t *state)
{
	size_t n_end = r->n > 0 ? roll(state, 1) : 0;
	uint8_t *out = malloc(r->n + RECORD_TAG);
	struct record_cipher *c = e->make(r->aead, r->key, true);
	bool is_in_place = roll(state, 1) == 0;
	struct record_bytes b = {
		.nonce = r->nonce,
		.aad = r->aad,
		.aad_len = r->aad_len,
		.in = is_in_place ? out : r->plain,
		.n = r->n - n_end,
		.out = out,
	};

	if (is_in_place)
		memcpy(out, r->plain, r->n);
	cr_assert(e->seal(c, &b, r->plain + b.n, n_end));
	record_cipher_free(c);
	return out;
}

/* sealed is overwritten if it is opened in place. */
static void
check_open(const struct record_engine *e, const struct round *r,
    uint8_t *sealed, bool is_in_place, bool is_good)
{
	struct record_cipher *c = e->make(r->aead, r->key, false);
	uint8_t *out = is_in_place ? sealed : malloc(r->n + 1);
	struct record_bytes b = {
		.nonce = r->nonce,
		.aad = r->aad,
		.aad_len = r->aad_len,
		.in = sealed,
		.n = r->n,
		.out = out,
	};

	cr_assert_eq(e->open(c, &b, sealed + r->n), is_good, "%s, %zu bytes",
	    e->name, r->n);
	if (is_good)
		cr_assert_eq(memcmp(out, r->plain, r->n), 0, "%s, %zu bytes",
		    e->name, r->n);
	if (!is_in_place)
		free(out);
	record_cipher_free(c);
}

/* What one seals the other opens, and nothing that differs by a bit. */
static void
compare(const struct record_engine *a, const struct record_engine *b,
    uint64_t *state)
{
	uint8_t *sealed, bit = (uint8_t)(1 << roll(state, 7));
	struct round r;
	size_t at;

	roll_round(state, &r);
	if (!a->can(r.aead) || !b->can(r.aead))
		return;
	sealed = seal(a, &r, state);
	at = roll(state, r.n + RECORD_TAG - 1);
	sealed[at] ^= bit;
	check_open(b, &r, sealed, false, false);
	sealed[at] ^= bit;
	at = roll(state, r.aad_len - 1);
	r.aad[at] ^= bit;
	check_open(b, &r, sealed, false, false);
	r.aad[at] ^= bit;
	check_open(b, &r, sealed, roll(state, 1) == 0, true);
	free(sealed);
}

Test(record_cipher, engines_agree)
{
	const struct record_engine *a, *b;
	uint64_t state = 0x9e3779b97f4a7c15U;
	size_t i, k, rounds;

	for (i = 0; (a = record_engine_at(i)) != NULL; i++)
		for (k = 0; (b = record_engine_at(k)) != NULL; k++)
			for (rounds = 0; rounds < ROUNDS; rounds++)
				compare(a, b, &state);
	/* OpenSSL is always there, and then last. */
	cr_expect_geq(i, 1);
	cr_expect_str_eq(record_engine_at(i - 1)->name, "OpenSSL");
}

Test(record_cipher, the_best_one_is_taken)
{
	static const enum record_aead all[] = { RECORD_AES128_GCM,
		RECORD_AES256_GCM, RECORD_CHACHA20 };
	const struct record_engine *e;
	size_t i, k;

	for (i = 0; i < ARRAY_LEN(all); i++) {
		for (k = 0; (e = record_engine_at(k)) != NULL; k++)
			if (e->can(all[i]))
				break;
		cr_assert_not_null(e);
		cr_expect_eq(record_engine_for(all[i]), e);
	}
}
