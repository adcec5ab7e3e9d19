/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads lists only; whether they are signed, in time, and what they say is
 * asked by OpenSSL when a chain is verified.  A block that cannot be read is an
 * error: a list that is left out revokes nobody.  Any thread.
 */

#include "tls/crl.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdlib.h>

#include "tls/cert.h"
#include "tls/library.h"
#include "tls/pem_read.h"

#define CRLS_MAX 1000

void
crl_free(STACK_OF(X509_CRL) * crls)
{
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
}

static bool
read_all(BIO *b, STACK_OF(X509_CRL) * crls)
{
	X509_CRL *c;

	while (sk_X509_CRL_num(crls) < CRLS_MAX) {
		c = library_crl_new();
		if (PEM_read_bio_X509_CRL(b, &c, pem_no_passphrase, NULL) ==
		    NULL) {
			X509_CRL_free(c);
			/* The end looks like this too. */
			return ERR_GET_REASON(ERR_peek_last_error()) ==
			       PEM_R_NO_START_LINE;
		}
		if (sk_X509_CRL_push(crls, c) == 0)
			abort();
	}
	return false;
}

STACK_OF(X509_CRL) * crl_read(struct str pem, struct text *why)
{
	STACK_OF(X509_CRL) *crls = sk_X509_CRL_new_null();
	BIO *b = pem_open(pem);
	bool is_ok;

	if (crls == NULL)
		abort();
	ERR_clear_error();
	is_ok = b == NULL || read_all(b, crls);
	BIO_free(b);
	ERR_clear_error();
	if (is_ok && sk_X509_CRL_num(crls) > 0)
		return crls;
	if (is_ok)
		text_add(why, STR("there is no revocation list in it (expected "
				  "a -----BEGIN X509 CRL----- block)"));
	else
		text_addf(why, "revocation list %zu of it cannot be decoded",
		    (size_t)sk_X509_CRL_num(crls) + 1);
	crl_free(crls);
	return NULL;
}

int64_t
crl_earliest_end(const STACK_OF(X509_CRL) * crls)
{
	const ASN1_TIME *next;
	int64_t earliest = INT64_MAX, end;
	int i;

	for (i = 0; i < sk_X509_CRL_num(crls); i++) {
		next = X509_CRL_get0_nextUpdate(sk_X509_CRL_value(crls, i));
		if (next == NULL)
			continue;
		end = cert_seconds(next);
		if (end < earliest)
			earliest = end;
	}
	return earliest;
}
