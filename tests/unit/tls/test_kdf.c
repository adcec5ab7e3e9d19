/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our key derivations, as libssl asks for them, against those of OpenSSL's
 * default provider; what is asked in another way is refused.
 */

#include <criterion/criterion.h>
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <string.h>

#include "tls/kdf.h"
#include "tls/lean.h"
#include "tls/lean_kdf.h"
#include "tls/secret_watch.h"

#define ROUNDS 400
#define PARAMS_MOST 12

struct ask {
	const char *kdf;
	OSSL_PARAM p[PARAMS_MOST];
	size_t n;
};

static void
add_octets(struct ask *a, const char *name, void *p, size_t n)
{
	a->p[a->n++] = OSSL_PARAM_construct_octet_string(name, p, n);
}

static void
add_digest(struct ask *a, char *name)
{
	a->p[a->n++] =
	    OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, name, 0);
}

static int
run(OSSL_LIB_CTX *lib, struct ask *a, uint8_t *out, size_t n)
{
	EVP_KDF *kdf = EVP_KDF_fetch(lib, a->kdf, NULL);
	EVP_KDF_CTX *c = EVP_KDF_CTX_new(kdf);
	int r;

	cr_assert_not_null(c, "%s", a->kdf);
	a->p[a->n] = OSSL_PARAM_construct_end();
	r = EVP_KDF_derive(c, out, n, a->p);
	EVP_KDF_CTX_free(c);
	EVP_KDF_free(kdf);
	return r;
}

static void
compare(struct ask *a, size_t n, const char *what)
{
	uint8_t want[512], got[512];

	cr_assert_leq(n, sizeof(want));
	memset(want, 1, sizeof(want));
	memset(got, 2, sizeof(got));
	cr_assert_eq(run(lean_whole_library(), a, want, n), 1, "%s", what);
	cr_assert_eq(run(lean_library(), a, got, n), 1, "%s", what);
	cr_assert_arr_eq(want, got, n, "%s, %zu bytes", what, n);
}

static size_t
up_to(size_t most)
{
	uint16_t r;

	RAND_bytes((void *)&r, sizeof(r));
	return r % (most + 1);
}

static char *
some_digest(size_t i)
{
	static char names[][9] = { "SHA2-256", "SHA2-384", "SHA256", "sha384" };

	return names[i % 4];
}

Test(kdf, expands_labels_as_openssl_does)
{
	static char label[] = "c hs traffic of some length, and more of it";
	int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
	uint8_t secret[200], data[64];
	struct ask a;
	size_t i;

	for (i = 0; i < ROUNDS; i++) {
		a = (struct ask){ .kdf = "TLS13-KDF" };
		RAND_bytes(secret, sizeof(secret));
		RAND_bytes(data, sizeof(data));
		a.p[a.n++] =
		    OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode);
		add_digest(&a, some_digest(i));
		add_octets(&a, OSSL_KDF_PARAM_KEY, secret, 1 + up_to(199));
		add_octets(&a, OSSL_KDF_PARAM_PREFIX, (char[]){ "tls13 " }, 6);
		add_octets(&a, OSSL_KDF_PARAM_LABEL, label,
		    1 + up_to(sizeof(label) - 2));
		if (i % 3 > 0)
			add_octets(
			    &a, OSSL_KDF_PARAM_DATA, data, 1 + up_to(63));
		compare(&a, 1 + up_to(199), "expand");
	}
}

Test(kdf, extracts_the_secrets_of_the_schedule_as_openssl_does)
{
	int mode = EVP_KDF_HKDF_MODE_EXTRACT_ONLY;
	uint8_t before[48], fresh[100];
	struct ask a;
	size_t i, len;

	for (i = 0; i < ROUNDS; i++) {
		a = (struct ask){ .kdf = "TLS13-KDF" };
		len = i % 2 == 0 ? 32 : 48;
		RAND_bytes(before, sizeof(before));
		RAND_bytes(fresh, sizeof(fresh));
		a.p[a.n++] =
		    OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode);
		add_digest(&a, some_digest(i));
		if (i % 5 > 0)
			add_octets(
			    &a, OSSL_KDF_PARAM_KEY, fresh, 1 + up_to(99));
		if (i % 7 > 0)
			add_octets(&a, OSSL_KDF_PARAM_SALT, before, len);
		add_octets(&a, OSSL_KDF_PARAM_PREFIX, (char[]){ "tls13 " }, 6);
		add_octets(&a, OSSL_KDF_PARAM_LABEL, (char[]){ "derived" }, 7);
		compare(&a, len, "extract");
	}
}

Test(kdf, the_function_of_tls_1_2_as_openssl_has_it)
{
	uint8_t secret[200], seed[5][64];
	struct ask a;
	size_t i, n;

	for (i = 0; i < ROUNDS; i++) {
		a = (struct ask){ .kdf = "TLS1-PRF" };
		RAND_bytes(secret, sizeof(secret));
		RAND_bytes((void *)seed, sizeof(seed));
		add_digest(&a, some_digest(i));
		add_octets(&a, OSSL_KDF_PARAM_SECRET, secret, 1 + up_to(199));
		for (n = 0; n <= i % 5; n++)
			add_octets(
			    &a, OSSL_KDF_PARAM_SEED, seed[n], 1 + up_to(63));
		compare(&a, 1 + up_to(299), "prf");
	}
}

/* No answer is better than a wrong one. */
Test(kdf, what_libssl_never_asks_is_refused)
{
	int expand = EVP_KDF_HKDF_MODE_EXPAND_ONLY, both = 0;
	static char md5[] = "MD5-SHA1", sha[] = "SHA2-256", label[] = "key";
	struct {
		const char *kdf, *what;
		char *digest;
		int *mode;
		char *secret;
		size_t seeds;
	} rows[] = {
		{ "TLS13-KDF", "another hash", md5, &expand, label, 0 },
		{ "TLS13-KDF", "no hash", NULL, &expand, label, 0 },
		{ "TLS13-KDF", "no mode", sha, NULL, label, 0 },
		{ "TLS13-KDF", "both modes", sha, &both, label, 0 },
		{ "TLS13-KDF", "no secret", sha, &expand, NULL, 0 },
		{ "TLS1-PRF", "another hash", md5, NULL, label, 1 },
		{ "TLS1-PRF", "no secret", sha, NULL, NULL, 1 },
		{ "TLS1-PRF", "no seed", sha, NULL, label, 0 },
		{ "TLS1-PRF", "too many seeds", sha, NULL, label,
		    KDF_PIECES_MOST + 1 },
	};
	uint8_t out[32];
	struct ask a;
	size_t i, n;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		a = (struct ask){ .kdf = rows[i].kdf };
		if (rows[i].digest != NULL)
			add_digest(&a, rows[i].digest);
		if (rows[i].mode != NULL)
			a.p[a.n++] = OSSL_PARAM_construct_int(
			    OSSL_KDF_PARAM_MODE, rows[i].mode);
		if (rows[i].secret != NULL)
			add_octets(&a,
			    strcmp(a.kdf, "TLS1-PRF") == 0
				? OSSL_KDF_PARAM_SECRET
				: OSSL_KDF_PARAM_KEY,
			    rows[i].secret, 3);
		if (strcmp(a.kdf, "TLS13-KDF") == 0)
			add_octets(&a, OSSL_KDF_PARAM_LABEL, label, 3);
		for (n = 0; n < rows[i].seeds; n++)
			add_octets(&a, OSSL_KDF_PARAM_SEED, label, 3);
		cr_expect_neq(run(lean_library(), &a, out, sizeof(out)), 1,
		    "%s: %s", rows[i].kdf, rows[i].what);
	}
}

static struct {
	size_t n_client, n_server, len;
	uint8_t secret[KDF_HASH_MOST];
} heard;

static void
on_secret(void *arg, bool is_client, const uint8_t *secret, size_t n)
{
	cr_assert_eq(arg, &heard);
	if (is_client)
		heard.n_client++;
	else
		heard.n_server++;
	heard.len = n;
	memcpy(heard.secret, secret, n);
}

static void
derive_label(char *label, uint8_t out[32])
{
	int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
	struct ask a = { .kdf = "TLS13-KDF" };

	a.p[a.n++] = OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode);
	add_digest(&a, (char[]){ "SHA2-256" });
	add_octets(&a, OSSL_KDF_PARAM_KEY, (char[]){ "secret" }, 6);
	add_octets(&a, OSSL_KDF_PARAM_PREFIX, (char[]){ "tls13 " }, 6);
	add_octets(&a, OSSL_KDF_PARAM_LABEL, label, strlen(label));
	cr_assert_eq(run(lean_library(), &a, out, 32), 1);
}

Test(kdf, who_watches_is_told_the_secrets_of_data_and_no_others)
{
	struct secret_watch w = { .on_secret = on_secret, .arg = &heard };
	static char others[][16] = { "c hs traffic", "s hs traffic",
		"exp master", "res master", "c e traffic", "key" };
	uint8_t out[32];
	size_t i;

	secret_watch_set(&w);
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		derive_label(others[i], out);
	cr_expect_eq(heard.n_client + heard.n_server, 0);
	derive_label((char[]){ "c ap traffic" }, out);
	cr_expect_eq(heard.n_client, 1);
	cr_expect_eq(heard.len, sizeof(out));
	cr_expect_arr_eq(heard.secret, out, sizeof(out));
	derive_label((char[]){ "s ap traffic" }, out);
	cr_expect_eq(heard.n_server, 1);
	cr_expect_arr_eq(heard.secret, out, sizeof(out));
	secret_watch_set(NULL);
	derive_label((char[]){ "s ap traffic" }, out);
	cr_expect_eq(heard.n_client + heard.n_server, 2);
}
