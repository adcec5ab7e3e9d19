/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A provider that is the default one with shorter lists, and a memory of
 * verified certificates.  Nothing here is fit for use outside of a bench: the
 * memory knows no bounds of time.
 */

#include "lean.h"

#include <openssl/core_dispatch.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#define OPERATIONS 32
#define REMEMBERED 256

static OSSL_PROVIDER *whole;
static OSSL_ALGORITHM *lists[OPERATIONS];

static bool
is_any_of(const char *names, const char *const *wanted)
{
	size_t size = strcspn(names, ":");

	for (; *wanted != NULL; wanted++)
		if (strlen(*wanted) == size &&
		    strncmp(names, *wanted, size) == 0)
			return true;
	return false;
}

static bool
is_needed(int operation, const OSSL_ALGORITHM *a)
{
	static const char *const signers[] = { "EC", "RSA", NULL };
	static const char *const keys[] = { "EC", "RSA", "RSA-PSS", "X25519",
		"HMAC", NULL };

	switch (operation) {
	case OSSL_OP_ENCODER:
		return false;
	case OSSL_OP_DECODER:
		return is_any_of(a->algorithm_names, signers) &&
		       strstr(a->property_definition, "input=der") != NULL &&
		       strstr(a->property_definition,
			   "structure=SubjectPublicKeyInfo") != NULL;
	case OSSL_OP_KEYMGMT:
		return is_any_of(a->algorithm_names, keys);
	default:
		return true;
	}
}

static const OSSL_ALGORITHM *
query(void *provider, int operation, int *no_cache)
{
	const OSSL_ALGORITHM *all;
	size_t n = 0, kept = 0;

	(void)provider;
	*no_cache = 0;
	if (operation < 0 || operation >= OPERATIONS)
		return NULL;
	if (lists[operation] != NULL)
		return lists[operation];
	all = OSSL_PROVIDER_query_operation(whole, operation, no_cache);
	if (all == NULL)
		return NULL;
	while (all[n].algorithm_names != NULL)
		n++;
	lists[operation] = calloc(n + 1, sizeof(*all));
	if (lists[operation] == NULL)
		abort();
	for (size_t i = 0; i < n; i++)
		if (is_needed(operation, &all[i]))
			lists[operation][kept++] = all[i];
	return lists[operation];
}

static int
get_capabilities(void *provider, const char *of, OSSL_CALLBACK *cb, void *arg)
{
	(void)provider;
	return OSSL_PROVIDER_get_capabilities(whole, of, cb, arg);
}

static const OSSL_DISPATCH functions[] = {
	{ OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query },
	{ OSSL_FUNC_PROVIDER_GET_CAPABILITIES,
	    (void (*)(void))get_capabilities },
	{ 0, NULL },
};

static int
start(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *in,
    const OSSL_DISPATCH **out, void **provider)
{
	(void)core;
	(void)in;
	*out = functions;
	*provider = OSSL_PROVIDER_get0_provider_ctx(whole);
	return 1;
}

OSSL_LIB_CTX *
lean_context(void)
{
	static OSSL_LIB_CTX *lean;

	if (lean != NULL)
		return lean;
	lean = OSSL_LIB_CTX_new();
	whole = OSSL_PROVIDER_load(OSSL_LIB_CTX_new(), "default");
	if (lean == NULL || whole == NULL ||
	    OSSL_PROVIDER_add_builtin(lean, "lean", start) != 1 ||
	    OSSL_PROVIDER_load(lean, "lean") == NULL)
		abort();
	return lean;
}

static int
verify_once(X509_STORE_CTX *store, void *arg)
{
	static unsigned char known[REMEMBERED][EVP_MAX_MD_SIZE];
	unsigned char digest[EVP_MAX_MD_SIZE] = { 0 };
	unsigned char *slot;
	X509 *cert = X509_STORE_CTX_get0_cert(store);

	(void)arg;
	if (cert == NULL || X509_digest(cert, EVP_sha256(), digest, NULL) != 1)
		return 0;
	slot = known[digest[0] % REMEMBERED];
	if (memcmp(slot, digest, sizeof(digest)) == 0) {
		X509_STORE_CTX_set_error(store, X509_V_OK);
		return 1;
	}
	if (X509_verify_cert(store) != 1)
		return 0;
	memcpy(slot, digest, sizeof(digest));
	return 1;
}

void
lean_remember_chains(SSL_CTX *ctx)
{
	SSL_CTX_set_cert_verify_callback(ctx, verify_once, NULL);
}

bool
lean_use_identity(SSL_CTX *ctx, const char *cert, const char *key)
{
	FILE *f = fopen(key, "r");
	EVP_PKEY *k =
	    f == NULL ? NULL : PEM_read_PrivateKey(f, NULL, NULL, NULL);
	bool ok = k != NULL &&
		  SSL_CTX_use_certificate_chain_file(ctx, cert) == 1 &&
		  SSL_CTX_use_PrivateKey(ctx, k) == 1;

	if (f != NULL)
		fclose(f);
	EVP_PKEY_free(k);
	/* Or our own chain is built and verified in each handshake. */
	SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);
	return ok;
}
