/* SPDX-License-Identifier: Apache-2.0 */
/*
 * To read a public key OpenSSL 3 asks every decoder for every kind of key that
 * its providers offer, and to find those it copies the list of every algorithm
 * of any sort that it has ever looked for.  It reads the key of the peer in
 * every full handshake, and this was the most expensive part of one.  So this
 * context offers what certificates and handshakes of TLS 1.2 and 1.3 name, as
 * we allow them, and nothing else: no private keys, PEM or PKCS #8, no DSA, no
 * finite-field Diffie-Hellman, no SHA-3 below a certificate, none of the old
 * ciphers.  Who needs those uses the full context.  Key derivation is ours
 * (lean_kdf.h).  Made once; read by any thread.
 */

#include "tls/lean.h"

#include <openssl/core_dispatch.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/xalloc.h"
#include "tls/lean_kdf.h"

/* A few of these are of later versions. */
static const char *const digests[] = { "SHA2-256", "SHA2-384", "SHA2-512",
	"SHA2-224", "SHA1", "MD5-SHA1", "MD5", NULL };
static const char *const ciphers[] = { "AES-128-GCM", "AES-256-GCM",
	"ChaCha20-Poly1305", "AES-256-CTR", NULL };
static const char *const macs[] = { "HMAC", NULL };
static const char *const keys[] = { "EC", "RSA", "RSA-PSS", "ED25519", "ED448",
	"X25519", "HMAC", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87", "ML-KEM-768",
	"X25519MLKEM768", NULL };
static const char *const exchanges[] = { "ECDH", "X25519", NULL };
static const char *const signatures[] = { "ECDSA", "RSA", "ED25519", "ED448",
	"HMAC", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87", NULL };
static const char *const signers[] = { "EC", "RSA", "RSA-PSS", "ED25519",
	"ED448", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87", NULL };
static const char *const none[] = { NULL };

static const struct {
	int operation;
	const char *const *names;
} chosen[] = {
	{ OSSL_OP_DIGEST, digests },
	{ OSSL_OP_CIPHER, ciphers },
	{ OSSL_OP_MAC, macs },
	{ OSSL_OP_KEYMGMT, keys },
	{ OSSL_OP_KEYEXCH, exchanges },
	{ OSSL_OP_SIGNATURE, signatures },
	{ OSSL_OP_DECODER, signers },
	{ OSSL_OP_ENCODER, none },
};

/* One provider a process: the tables must outlive all that was fetched. */
static struct {
	OSSL_PROVIDER *from;
	OSSL_ALGORITHM *tables[ARRAY_LEN(chosen)];
} lean;

/* "EC:id-ecPublicKey:1.2.840.10045.2.1" is called EC. */
static bool
is_called(const OSSL_ALGORITHM *a, const char *name)
{
	size_t n = strlen(name);

	return strncmp(a->algorithm_names, name, n) == 0 &&
	       (a->algorithm_names[n] == '\0' || a->algorithm_names[n] == ':');
}

/* The form in which a certificate has its key. */
static bool
is_of_certificate(const OSSL_ALGORITHM *a)
{
	const char *what = a->property_definition;

	return what != NULL && strstr(what, "input=der") != NULL &&
	       strstr(what, "structure=SubjectPublicKeyInfo") != NULL;
}

static bool
is_chosen(const OSSL_ALGORITHM *a, size_t row)
{
	const char *const *name;

	if (chosen[row].operation == OSSL_OP_DECODER && !is_of_certificate(a))
		return false;
	for (name = chosen[row].names; *name != NULL; name++)
		if (is_called(a, *name))
			return true;
	return false;
}

static OSSL_ALGORITHM *
choose(size_t row)
{
	const OSSL_ALGORITHM *all;
	OSSL_ALGORITHM *table;
	size_t i, n = 0;
	int no_cache;

	all = OSSL_PROVIDER_query_operation(
	    lean.from, chosen[row].operation, &no_cache);
	while (all != NULL && all[n].algorithm_names != NULL)
		n++;
	table = xcalloc(n + 1, sizeof(*table));
	for (i = 0, n = 0; all != NULL && all[i].algorithm_names != NULL; i++)
		if (is_chosen(&all[i], row))
			table[n++] = all[i];
	return table;
}

static const OSSL_ALGORITHM *
query(void *provider, int operation, int *no_cache)
{
	size_t i;

	(void)provider;
	*no_cache = 0;
	if (operation == OSSL_OP_KDF)
		return lean_kdfs;
	for (i = 0; i < ARRAY_LEN(chosen); i++)
		if (chosen[i].operation == operation)
			return lean.tables[i];
	return OSSL_PROVIDER_query_operation(lean.from, operation, no_cache);
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
	size_t i;

	lean.from = from;
	for (i = 0; i < ARRAY_LEN(chosen); i++)
		lean.tables[i] = choose(i);
	if (ctx != NULL && OSSL_PROVIDER_add_builtin(ctx, "lean", start) == 1 &&
	    OSSL_PROVIDER_load(ctx, "lean") != NULL)
		return ctx;
	OSSL_LIB_CTX_free(ctx);
	return NULL;
}
