/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes the contexts of both roles.  They are shared by threads and never
 * changed afterwards; what differs by connection is in its struct tls_peer.
 * The verifying itself is in verify.c, resuming in resume.c.
 */

#include "tls/context.h"

#include <openssl/err.h>
#include <stdlib.h>

#include "tls/callers.h"
#include "tls/library.h"
#include "tls/peer.h"
#include "tls/pem_read.h"
#include "tls/resume.h"
#include "tls/staple.h"
#include "tls/system_store.h"
#include "tls/tls_choice.h"
#include "tls/tls_error.h"
#include "tls/verify.h"

/* Forward secrecy and authenticated encryption, nothing else. */
#define CIPHERS                                                      \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:" \
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:" \
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384"
#define CHAIN_DEPTH_MAX 8
#define CERT_BYTES_MAX (64 * 1024)

/* The hybrid group is there from OpenSSL 3.5 on. */
static bool
set_groups(SSL_CTX *ctx, const char *with_hybrid, const char *without)
{
	/* The last one with FIPS: later providers have no X25519 then. */
	bool is_ok = SSL_CTX_set1_groups_list(ctx, with_hybrid) == 1 ||
		     SSL_CTX_set1_groups_list(ctx, without) == 1 ||
		     SSL_CTX_set1_groups_list(ctx, "P-256:P-384") == 1;

	ERR_clear_error();
	return is_ok;
}

static SSL_CTX *
new_ctx(const SSL_METHOD *method, bool is_wide)
{
	SSL_CTX *ctx = library_context_new(method, is_wide);

	if (ctx == NULL)
		abort();
	SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION |
				     SSL_OP_NO_RENEGOTIATION |
				     SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_mode(ctx,
	    SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_read_ahead(ctx, 0);
	SSL_CTX_set_verify_depth(ctx, CHAIN_DEPTH_MAX);
	SSL_CTX_set_max_cert_list(ctx, CERT_BYTES_MAX);
	return ctx;
}

static bool
use_chain(SSL_CTX *ctx, STACK_OF(X509) * chain, EVP_PKEY *key)
{
	int i;

	if (SSL_CTX_use_certificate(ctx, sk_X509_value(chain, 0)) != 1 ||
	    SSL_CTX_use_PrivateKey(ctx, key) != 1)
		return false;
	for (i = 1; i < sk_X509_num(chain); i++)
		if (SSL_CTX_add1_chain_cert(ctx, sk_X509_value(chain, i)) != 1)
			return false;
	return true;
}

/*
 * What leads from a leaf that came alone to the CA, as far as the store knows
 * it, and without the root, which a peer must have.  Left to itself OpenSSL
 * looks for this in every handshake, and verifies our own certificate.
 */
static void
complete_chain(SSL_CTX *ctx)
{
	STACK_OF(X509) *given = NULL;

	SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);
	if (SSL_CTX_get0_chain_certs(ctx, &given) == 1 && given == NULL)
		(void)SSL_CTX_build_cert_chain(
		    ctx, SSL_BUILD_CHAIN_FLAG_NO_ROOT |
			     SSL_BUILD_CHAIN_FLAG_IGNORE_ERROR);
	/* If there is none, the leaf goes alone. */
	ERR_clear_error();
}

/*
 * Whatever is listed is trusted as it stands, an intermediate too: an operator
 * who names one means it.
 */
static X509_STORE *
new_store(STACK_OF(X509) * certs)
{
	X509_STORE *store = X509_STORE_new();
	int i;

	if (store == NULL)
		abort();
	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	for (i = 0; i < sk_X509_num(certs); i++)
		if (X509_STORE_add_cert(store, sk_X509_value(certs, i)) != 1)
			abort();
	return store;
}

/* Callers show us these names when they choose among certificates. */
static void
announce_ca(SSL_CTX *ctx, STACK_OF(X509) * ca)
{
	int i;

	for (i = 0; i < sk_X509_num(ca); i++)
		if (SSL_CTX_add_client_CA(ctx, sk_X509_value(ca, i)) != 1)
			abort();
}

static struct str
wanted_alpn(enum tls_alpn alpn)
{
	switch (alpn) {
	case TLS_ALPN_NONE:
		return STR_NONE;
	case TLS_ALPN_HTTP11:
		return STR("http/1.1");
	case TLS_ALPN_H2:
		return STR("h2");
	}
	return STR_NONE;
}

/*
 * Only what the service speaks, and only to those who know it; "kuma" is
 * offered by sidecars, which do not look at the answer.  No offer is an error.
 */
static int
select_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
    const unsigned char *in, unsigned in_len, void *arg)
{
	const unsigned char *found = NULL, *end = in + in_len;
	struct str id, wanted = wanted_alpn(peer_of(ssl)->alpn);

	(void)arg;
	for (; in < end; in += 1 + *in) {
		id = (struct str){ .p = (const void *)(in + 1), .len = *in };
		if (str_eq(id, STR("kuma")))
			return SSL_TLSEXT_ERR_NOACK;
		if (wanted.len > 0 && str_eq(id, wanted))
			found = in;
	}
	if (found == NULL)
		return SSL_TLSEXT_ERR_NOACK;
	*out = found + 1;
	*out_len = *found;
	return SSL_TLSEXT_ERR_OK;
}

SSL_CTX *
context_server_new(const struct server_setup *s, struct text *why)
{
	SSL_CTX *ctx = new_ctx(TLS_server_method(), false);

	SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
	SSL_CTX_set_max_proto_version(ctx, TLS1_3_VERSION);
	SSL_CTX_set_verify(
	    ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, verify_caller, NULL);
	SSL_CTX_set_cert_store(ctx, new_store(s->ca));
	SSL_CTX_set_alpn_select_cb(ctx, select_alpn, NULL);
	announce_ca(ctx, s->ca);
	resume_set_up(ctx, callers_scope(s->callers));
	if (SSL_CTX_set_cipher_list(ctx, CIPHERS) == 1 &&
	    set_groups(ctx, "X25519MLKEM768:X25519:P-256", "X25519:P-256") &&
	    use_chain(ctx, s->chain, s->key)) {
		complete_chain(ctx);
		return ctx;
	}
	(void)tls_error_take(why);
	SSL_CTX_free(ctx);
	return NULL;
}

static bool
use_ca(SSL_CTX *ctx, const struct tls_spec *spec, struct text *why)
{
	STACK_OF(X509) * certs;
	X509_STORE *store;

	if (!spec->verify_chain)
		return true;
	if (spec->use_system_ca) {
		store = system_store(why);
		if (store != NULL)
			SSL_CTX_set1_cert_store(ctx, store);
		return store != NULL;
	}
	certs = pem_read_certs(blob_str(spec->ca), why);
	if (certs == NULL)
		return false;
	SSL_CTX_set_cert_store(ctx, new_store(certs));
	pem_free_certs(certs);
	return true;
}

static bool
use_client_cert(SSL_CTX *ctx, const struct tls_spec *spec, struct text *why)
{
	STACK_OF(X509) * chain;
	EVP_PKEY *key;
	bool is_ok;

	if (spec->cert == NULL || spec->key == NULL)
		return true;
	if (!pem_read_pair(
		blob_str(spec->cert), blob_str(spec->key), &chain, &key, why))
		return false;
	is_ok = use_chain(ctx, chain, key);
	if (is_ok)
		complete_chain(ctx);
	else
		(void)tls_error_take(why);
	pem_free_certs(chain);
	EVP_PKEY_free(key);
	return is_ok;
}

/* From "a,b" to ids with their lengths in front (RFC 7301, section 3.1). */
static bool
offer_alpn(SSL_CTX *ctx, struct str ids)
{
	unsigned char list[256];
	struct str id;
	unsigned n = 0;

	while (ids.len > 0) {
		id = str_cut(&ids, ',');
		if (id.len == 0 || id.len >= sizeof(list) - n)
			return false;
		list[n++] = (unsigned char)id.len;
		memcpy(list + n, id.p, id.len);
		n += (unsigned)id.len;
	}
	/* This one returns 0 for success. */
	return n == 0 || SSL_CTX_set_alpn_protos(ctx, list, n) == 0;
}

/* What is listed by name may be something that only the whole library has. */
static bool
is_wide(const struct tls_spec *spec)
{
	return spec->is_weak || tls_choice_is_made(spec);
}

static bool
set_versions(SSL_CTX *ctx, const struct tls_spec *spec)
{
	bool is_ok = spec->is_weak ? library_allow_weak(ctx)
				   : SSL_CTX_set_cipher_list(ctx, CIPHERS) == 1;

	return is_ok &&
	       SSL_CTX_set_min_proto_version(ctx, spec->min_version) == 1 &&
	       SSL_CTX_set_max_proto_version(ctx, spec->max_version) == 1 &&
	       set_groups(ctx, "X25519MLKEM768:X25519:P-256:P-384:P-521",
		   "X25519:P-256:P-384:P-521");
}

static void
set_sessions(SSL_CTX *ctx, const struct tls_spec *spec)
{
	if (!spec->no_resumption) {
		SSL_CTX_set_session_cache_mode(
		    ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
		return;
	}
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
}

SSL_CTX *
context_client_new(const struct tls_spec *spec, struct text *why)
{
	/* Old servers may need Diffie-Hellman, or have a key of DSA. */
	SSL_CTX *ctx = new_ctx(TLS_client_method(), is_wide(spec));

	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, verify_server, NULL);
	set_sessions(ctx, spec);
	if (spec->ocsp != TLS_OCSP_OFF)
		staple_set_up(ctx);
	if (!use_ca(ctx, spec, why) || !use_client_cert(ctx, spec, why))
		goto failed;
	if (!set_versions(ctx, spec) || !offer_alpn(ctx, spec->alpn)) {
		(void)tls_error_take(why);
		goto failed;
	}
	if (!tls_choice_set(ctx, spec, why))
		goto failed;
	ERR_clear_error();
	return ctx;
failed:
	SSL_CTX_free(ctx);
	return NULL;
}
