/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers about PEM for those who may not see OpenSSL: policy, when it builds
 * a snapshot.  Any thread.
 */

#include "tls/pem.h"

#include "tls/cert.h"
#include "tls/crl.h"
#include "tls/pem_read.h"
#include "tls/system_store.h"
#include "tls/tls_choice.h"

static bool
check_ca(struct str pem, struct text *why)
{
	STACK_OF(X509) *certs = pem_read_certs(pem, why);

	pem_free_certs(certs);
	return certs != NULL;
}

static bool
check_pair(struct str cert_pem, struct str key_pem, struct text *why)
{
	STACK_OF(X509) * chain;
	EVP_PKEY *key;

	if (!pem_read_pair(cert_pem, key_pem, &chain, &key, why))
		return false;
	pem_free_certs(chain);
	EVP_PKEY_free(key);
	return true;
}

/* Read now, in the main thread: no worker shall wait for it later. */
static const char *
system_ca(void)
{
	const char *path = system_store_path();
	struct text why = TEXT_EMPTY;

	if (path != NULL)
		(void)!system_store(&why);
	text_free(&why);
	return path;
}

static bool
check_crl(struct str pem, struct text *why)
{
	STACK_OF(X509_CRL) *crls = crl_read(pem, why);

	crl_free(crls);
	return crls != NULL;
}

const struct tls_ops pem_ops = {
	.check_ca = check_ca,
	.check_pair = check_pair,
	.system_ca = system_ca,
	.check_crl = check_crl,
	.check_choice = tls_choice_is_known,
};

int64_t
pem_not_after(struct str cert_pem)
{
	struct text why = TEXT_EMPTY;
	STACK_OF(X509) *certs = pem_read_certs(cert_pem, &why);
	int64_t end = 0;

	if (certs != NULL)
		end = cert_not_after(sk_X509_value(certs, 0));
	pem_free_certs(certs);
	text_free(&why);
	return end;
}

int64_t
pem_earliest_end(struct str certs_pem)
{
	struct text why = TEXT_EMPTY;
	STACK_OF(X509) *certs = pem_read_certs(certs_pem, &why);
	int64_t end = 0;

	if (certs != NULL)
		end = cert_earliest_end(certs);
	pem_free_certs(certs);
	text_free(&why);
	return end;
}
