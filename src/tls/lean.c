/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL 3 walks through every kind of key and every decoder that its
 * providers offer, each time that it reads the public key of a certificate,
 * and it reads that of the peer in every full handshake.  Forty decoders, most
 * of them for files and for keys that no certificate holds, make this the most
 * expensive part of one.  So this context offers what a peer's certificate may
 * have, and no private keys, PEM, PKCS #8, DSA or finite-field Diffie-Hellman:
 * who needs those uses the full context.  Everything else is passed on as it
 * is.  Made once; read by any thread.
 */

#include "tls/lean.h"

#include <openssl/core_dispatch.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/xalloc.h"

/* One provider a process: the tables must outlive all that was fetched. */
static struct {
	OSSL_PROVIDER *from;
	OSSL_ALGORITHM *decoders;
	OSSL_ALGORITHM *keys;
} lean;

/* "EC:id-ecPublicKey:1.2.840.10045.2.1" is called EC. */
static bool
is_called(const OSSL_ALGORITHM *a, const char *name)
{
	size_t n = strlen(name);

	return strncmp(a->algorithm_names, name, n) == 0 &&
	       (a->algorithm_names[n] == '\0' || a->algorithm_names[n] == ':');
}

/* Keys that sign; of what later versions know, ML-DSA may come in TLS. */
static bool
keep_decoder(const OSSL_ALGORITHM *a)
{
	static const char *const signers[] = { "EC", "RSA", "RSA-PSS",
		"ED25519", "ED448", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87" };
	const char *what = a->property_definition;
	size_t i;

	if (what == NULL || strstr(what, "input=der") == NULL ||
	    strstr(what, "structure=SubjectPublicKeyInfo") == NULL)
		return false;
	for (i = 0; i < ARRAY_LEN(signers); i++)
		if (is_called(a, signers[i]))
			return true;
	return false;
}

static bool
keep_key(const OSSL_ALGORITHM *a)
{
	static const char *const unused[] = { "DH", "DHX", "DSA", "SM2", "X448",
		"HKDF", "TLS1-PRF", "SCRYPT", "SIPHASH", "POLY1305", "CMAC" };
	size_t i;

	for (i = 0; i < ARRAY_LEN(unused); i++)
		if (is_called(a, unused[i]))
			return false;
	return true;
}

static OSSL_ALGORITHM *
choose(int operation, bool (*keep)(const OSSL_ALGORITHM *))
{
	const OSSL_ALGORITHM *all;
	OSSL_ALGORITHM *chosen;
	size_t i, n = 0;
	int no_cache;

	all = OSSL_PROVIDER_query_operation(lean.from, operation, &no_cache);
	if (all == NULL)
		return NULL;
	while (all[n].algorithm_names != NULL)
		n++;
	chosen = xcalloc(n + 1, sizeof(*chosen));
	for (i = 0, n = 0; all[i].algorithm_names != NULL; i++)
		if (keep(&all[i]))
			chosen[n++] = all[i];
	return chosen;
}

static const OSSL_ALGORITHM *
query(void *provider, int operation, int *no_cache)
{
	(void)provider;
	*no_cache = 0;
	switch (operation) {
	case OSSL_OP_DECODER:
		return lean.decoders;
	case OSSL_OP_KEYMGMT:
		return lean.keys;
	default:
		return OSSL_PROVIDER_query_operation(
		    lean.from, operation, no_cache);
	}
}

/* The groups, and in later versions the signatures, that TLS may use. */
static int
get_capabilities(
    void *provider, const char *which, OSSL_CALLBACK *cb, void *arg)
{
	(void)provider;
	return OSSL_PROVIDER_get_capabilities(lean.from, which, cb, arg);
}

/* OpenSSL keeps functions of all kinds in one table of this type. */
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
	/* Its algorithms are given this, and expect their own. */
	*provider = OSSL_PROVIDER_get0_provider_ctx(lean.from);
	return 1;
}

OSSL_LIB_CTX *
lean_new(OSSL_PROVIDER *from)
{
	OSSL_LIB_CTX *ctx = OSSL_LIB_CTX_new();

	lean.from = from;
	lean.decoders = choose(OSSL_OP_DECODER, keep_decoder);
	lean.keys = choose(OSSL_OP_KEYMGMT, keep_key);
	if (ctx != NULL && lean.decoders != NULL && lean.keys != NULL &&
	    OSSL_PROVIDER_add_builtin(ctx, "lean", start) == 1 &&
	    OSSL_PROVIDER_load(ctx, "lean") != NULL)
		return ctx;
	OSSL_LIB_CTX_free(ctx);
	return NULL;
}
