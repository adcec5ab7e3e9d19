/* SPDX-License-Identifier: Apache-2.0 */
/* The library context of connections: little to choose from, and enough. */

#include <criterion/criterion.h>
#include <openssl/decoder.h>
#include <openssl/x509.h>

#include "base/attr.h"
#include "support/pki.h"
#include "tls/lean.h"

static void
count(OSSL_DECODER *d, void *arg)
{
	size_t *n = arg;

	(void)d;
	++*n;
}

static size_t
decoders(OSSL_LIB_CTX *ctx)
{
	size_t n = 0;

	OSSL_DECODER_do_all_provided(ctx, count, &n);
	return n;
}

static void
count_cipher(EVP_CIPHER *c, void *arg)
{
	size_t *n = arg;

	(void)c;
	++*n;
}

static size_t
ciphers(OSSL_LIB_CTX *ctx)
{
	size_t n = 0;

	EVP_CIPHER_do_all_provided(ctx, count_cipher, &n);
	return n;
}

/* Each certificate costs a walk over all of them. */
Test(lean, has_little_to_choose_from)
{
	cr_expect_leq(
	    decoders(lean_library()), 8, "%zu", decoders(lean_library()));
	cr_expect_gt(decoders(lean_whole_library()), 30);
	cr_expect_leq(
	    ciphers(lean_library()), 4, "%zu", ciphers(lean_library()));
	cr_expect_gt(ciphers(lean_whole_library()), 30);
}

Test(lean, reads_the_keys_that_certificates_have)
{
	static const enum pki_key keys[] = { PKI_EC256, PKI_EC384, PKI_RSA2048,
		PKI_ED25519 };
	const unsigned char *at;
	unsigned char *der;
	struct pki *p;
	X509 *c;
	size_t i;
	int n;

	for (i = 0; i < ARRAY_LEN(keys); i++) {
		p = pki_ca_new(NULL, &(struct pki_options){ .key = keys[i] });
		der = NULL;
		n = i2d_X509(p->cert, &der);
		at = der;
		c = X509_new_ex(lean_library(), NULL);
		cr_assert_not_null(d2i_X509(&c, &at, n));
		cr_assert_not_null(X509_get0_pubkey(c), "row %zu", i);
		cr_expect_eq(
		    EVP_PKEY_eq(X509_get0_pubkey(c), p->key), 1, "row %zu", i);
		/* Signed by itself: both of these are of the lean kind. */
		cr_expect_eq(
		    X509_verify(c, X509_get0_pubkey(c)), 1, "row %zu", i);
		X509_free(c);
		OPENSSL_free(der);
		pki_free(p);
	}
}
