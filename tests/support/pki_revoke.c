/* SPDX-License-Identifier: Apache-2.0 */
/* See the header; by OpenSSL alone. */

#include "support/pki_revoke.h"

#include <openssl/ocsp.h>
#include <openssl/pem.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY_S 86400

static void
require(bool is_ok, const char *what)
{
	if (is_ok)
		return;
	(void)fprintf(stderr, "pki: %s failed\n", what);
	abort();
}

static ASN1_TIME *
in(int64_t s)
{
	return ASN1_TIME_set(NULL, time(NULL) + (time_t)s);
}

static void
revoke(X509_CRL *crl, const struct pki *p)
{
	X509_REVOKED *r = X509_REVOKED_new();
	ASN1_TIME *when = in(-30);

	require(X509_REVOKED_set_serialNumber(
		    r, X509_get_serialNumber(p->cert)) == 1 &&
		    X509_REVOKED_set_revocationDate(r, when) == 1 &&
		    X509_CRL_add0_revoked(crl, r) == 1,
	    "revoked certificate");
	ASN1_TIME_free(when);
}

static char *
crl_pem(X509_CRL *crl)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *at, *copy;
	long n;

	require(PEM_write_bio_X509_CRL(b, crl) == 1, "PEM");
	n = BIO_get_mem_data(b, &at);
	copy = strndup(at, (size_t)n);
	BIO_free(b);
	return copy;
}

char *
pki_crl(const struct pki *ca, int64_t next_s, ...)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *from = in(-3600);
	ASN1_TIME *next = in(next_s != 0 ? next_s : DAY_S);
	const struct pki *p;
	char *pem;
	va_list ap;

	require(X509_CRL_set_version(crl, X509_CRL_VERSION_2) == 1 &&
		    X509_CRL_set_issuer_name(
			crl, X509_get_subject_name(ca->cert)) == 1 &&
		    X509_CRL_set1_lastUpdate(crl, from) == 1 &&
		    X509_CRL_set1_nextUpdate(crl, next) == 1,
	    "CRL");
	va_start(ap, next_s);
	while ((p = va_arg(ap, const struct pki *)) != NULL)
		revoke(crl, p);
	va_end(ap);
	require(X509_CRL_sort(crl) == 1 &&
		    X509_CRL_sign(crl, ca->key, EVP_sha256()) > 0,
	    "signature of CRL");
	pem = crl_pem(crl);
	ASN1_TIME_free(from);
	ASN1_TIME_free(next);
	X509_CRL_free(crl);
	return pem;
}

static int
status_of(enum pki_status s)
{
	switch (s) {
	case PKI_GOOD:
		return V_OCSP_CERTSTATUS_GOOD;
	case PKI_REVOKED:
		return V_OCSP_CERTSTATUS_REVOKED;
	case PKI_UNKNOWN:
		break;
	}
	return V_OCSP_CERTSTATUS_UNKNOWN;
}

static OCSP_BASICRESP *
make_answer(const struct pki_staple *o)
{
	const struct pki *signer = o->signer != NULL ? o->signer : o->issuer;
	OCSP_BASICRESP *answer = OCSP_BASICRESP_new();
	OCSP_CERTID *id =
	    OCSP_cert_to_id(o->by_sha256 ? EVP_sha256() : EVP_sha1(),
		o->leaf->cert, o->issuer->cert);
	ASN1_TIME *from = in(o->from_s != 0 ? o->from_s : -60);
	ASN1_TIME *next = in(o->next_s != 0 ? o->next_s : 3600);
	ASN1_TIME *when = o->status == PKI_REVOKED ? in(-30) : NULL;

	require(OCSP_basic_add1_status(answer, id, status_of(o->status),
		    OCSP_REVOKED_STATUS_KEYCOMPROMISE, when, from,
		    o->is_open_ended ? NULL : next) != NULL,
	    "status");
	require(OCSP_basic_sign(answer, signer->cert, signer->key, EVP_sha256(),
		    NULL, 0) == 1,
	    "signature of answer");
	OCSP_CERTID_free(id);
	ASN1_TIME_free(from);
	ASN1_TIME_free(next);
	ASN1_TIME_free(when);
	return answer;
}

unsigned char *
pki_staple_new(const struct pki_staple *o, size_t *n)
{
	OCSP_BASICRESP *answer = make_answer(o);
	OCSP_RESPONSE *r =
	    o->is_error
		? OCSP_response_create(OCSP_RESPONSE_STATUS_TRYLATER, NULL)
		: OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, answer);
	unsigned char *der = NULL, *copy;
	int len = i2d_OCSP_RESPONSE(r, &der);

	require(len > 0, "answer");
	copy = malloc((size_t)len);
	require(copy != NULL, "memory");
	memcpy(copy, der, (size_t)len);
	*n = (size_t)len;
	OPENSSL_free(der);
	OCSP_RESPONSE_free(r);
	OCSP_BASICRESP_free(answer);
	return copy;
}
