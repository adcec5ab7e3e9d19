/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates and keys out of PEM.  Text between the blocks is skipped, as
 * everyone does; a block that is there and cannot be read is an error, since
 * leaving one out of a bundle would change whom we trust.  Any thread.
 */

#include "tls/pem_read.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>

#include "tls/library.h"
#include "tls/token_key.h"

/* The system's bundle has about 150. */
#define CERTS_MAX 1000

void
pem_free_certs(STACK_OF(X509) * certs)
{
	sk_X509_pop_free(certs, X509_free);
}

BIO *
pem_open(struct str pem)
{
	BIO *b;

	if (pem.len == 0 || pem.len > INT_MAX)
		return NULL;
	b = BIO_new_mem_buf(pem.p, (int)pem.len);
	if (b == NULL)
		abort();
	return b;
}

int
pem_no_passphrase(char *buf, int size, int is_writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)is_writing;
	(void)arg;
	return -1;
}

static bool
read_all(BIO *b, STACK_OF(X509) * certs)
{
	X509 *c;

	while (sk_X509_num(certs) < CERTS_MAX) {
		c = library_cert_new();
		if (PEM_read_bio_X509(b, &c, pem_no_passphrase, NULL) == NULL) {
			X509_free(c);
			/* The end looks like this too. */
			return ERR_GET_REASON(ERR_peek_last_error()) ==
			       PEM_R_NO_START_LINE;
		}
		if (sk_X509_push(certs, c) == 0)
			abort();
	}
	return false;
}

STACK_OF(X509) * pem_read_certs(struct str pem, struct text *why)
{
	STACK_OF(X509) *certs = sk_X509_new_null();
	BIO *b = pem_open(pem);
	bool is_ok;

	if (certs == NULL)
		abort();
	ERR_clear_error();
	is_ok = b == NULL || read_all(b, certs);
	BIO_free(b);
	ERR_clear_error();
	if (is_ok && sk_X509_num(certs) > 0)
		return certs;
	if (is_ok)
		text_add(why, STR("there is no certificate in it (expected a "
				  "-----BEGIN CERTIFICATE----- block)"));
	else if (sk_X509_num(certs) >= CERTS_MAX)
		text_addf(
		    why, "it has more than %d certificates", CERTS_MAX - 1);
	else
		text_addf(why, "certificate %zu of it cannot be decoded",
		    (size_t)sk_X509_num(certs) + 1);
	pem_free_certs(certs);
	return NULL;
}

static bool
has(struct str s, const char *word)
{
	return s.len > 0 && memmem(s.p, s.len, word, strlen(word)) != NULL;
}

EVP_PKEY *
pem_read_key(struct str pem, struct text *why)
{
	EVP_PKEY *key = token_find(pem);
	BIO *b = key == NULL ? pem_open(pem) : NULL;

	if (b != NULL)
		key = library_key_read(b, pem_no_passphrase);
	BIO_free(b);
	ERR_clear_error();
	if (key != NULL)
		return key;
	if (has(pem, "ENCRYPTED"))
		text_add(why, STR("the private key is protected by a "
				  "passphrase; store it without one"));
	else if (has(pem, "PRIVATE KEY-----"))
		text_add(why, STR("the private key cannot be decoded"));
	else
		text_add(why, STR("there is no private key in it (expected a "
				  "-----BEGIN PRIVATE KEY----- block)"));
	return NULL;
}

bool
pem_read_pair(struct str cert_pem, struct str key_pem, STACK_OF(X509) * *chain,
    EVP_PKEY **key, struct text *why)
{
	bool fits = false;

	*key = NULL;
	*chain = pem_read_certs(cert_pem, why);
	if (*chain != NULL)
		*key = pem_read_key(key_pem, why);
	if (*key != NULL) {
		fits = X509_check_private_key(sk_X509_value(*chain, 0), *key);
		ERR_clear_error();
		if (!fits)
			text_add(why, STR("the private key does not belong to "
					  "the first certificate"));
	}
	if (fits)
		return true;
	pem_free_certs(*chain);
	EVP_PKEY_free(*key);
	*chain = NULL;
	*key = NULL;
	return false;
}
