/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one place where OpenSSL is set up, and what of tls/ only OpenSSL has.  A
 * library context of our own keeps openssl.cnf, and whatever else runs in this
 * process, out of our handshakes.  It is made on the first call and lives as
 * long as the process.  Any thread.
 */

#include <openssl/conf.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "tls/bio.h"
#include "tls/lean.h"
#include "tls/library.h"
#include "tls/tls_init.h"

/* TLS 1.0 and 1.1 sign with SHA-1, which level 1 does not know any more. */
#define WEAK_CIPHERS "DEFAULT:@SECLEVEL=0"
/* Of ASN.1: the peer's certificate in the sequence of a session. */
#define DER_PEER 0xa3

/* Beside openssl.cnf: what `openssl fipsinstall` writes. */
#define FIPS_SETTINGS "fipsmodule.cnf"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct {
	bool is_fips; /* before once */
	OSSL_LIB_CTX *ctx;
	OSSL_LIB_CTX *lean;
	EVP_MD *sha256;
	EVP_CIPHER *aes128_gcm;
	EVP_CIPHER *aes256_gcm;
	EVP_CIPHER *chacha20;
	BIO_METHOD *bio;
} lib;

static bool
fetch_for_records(void)
{
	lib.aes128_gcm = EVP_CIPHER_fetch(lib.ctx, "AES-128-GCM", NULL);
	lib.aes256_gcm = EVP_CIPHER_fetch(lib.ctx, "AES-256-GCM", NULL);
	lib.chacha20 = EVP_CIPHER_fetch(lib.ctx, "ChaCha20-Poly1305", NULL);
	ERR_clear_error();
	/* Records stay with OpenSSL then. */
	return lib.is_fips ||
	       (lib.aes128_gcm != NULL && lib.aes256_gcm != NULL &&
		   lib.chacha20 != NULL);
}

static void
set_up(void)
{
	OSSL_PROVIDER *all = NULL;

	OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG |
			     OPENSSL_INIT_LOAD_SSL_STRINGS |
			     OPENSSL_INIT_LOAD_CRYPTO_STRINGS,
	    NULL);
	if (lib.ctx == NULL)
		lib.ctx = OSSL_LIB_CTX_new();
	if (lib.ctx != NULL && !lib.is_fips)
		all = OSSL_PROVIDER_load(lib.ctx, "default");
	if (all == NULL && !lib.is_fips)
		goto broken;
	/* Of the validated module there is no leaner one. */
	lib.lean = lib.is_fips ? lib.ctx : lean_new(all);
	lib.sha256 = EVP_MD_fetch(lib.ctx, "SHA256", NULL);
	lib.bio = bio_method_new();
	if (lib.lean != NULL && lib.sha256 != NULL && lib.bio != NULL &&
	    fetch_for_records())
		return;
broken:
	log_error("tls",
	    "OpenSSL's %s provider cannot be used; reinstall the "
	    "library (libssl3)",
	    lib.is_fips ? "FIPS" : "default");
	abort();
}

void
tls_init(void)
{
	pthread_once(&once, set_up);
}

/* Provider and self-tests as fipsinstall left them, and nothing else. */
static bool
load_fips(OSSL_LIB_CTX *ctx, const char *settings)
{
	CONF *conf = NCONF_new_ex(ctx, NULL);
	char *text = xasprintf("openssl_conf = all\n"
			       "[all]\nproviders = these\n"
			       "[these]\nfips = fips_sect\nbase = base_sect\n"
			       "[base_sect]\nactivate = 1\n"
			       ".include %s\n",
	    settings);
	BIO *b = BIO_new_mem_buf(text, -1);
	long line = 0;
	bool is_good;

	OPENSSL_load_builtin_modules();
	is_good = conf != NULL && b != NULL &&
		  NCONF_load_bio(conf, b, &line) == 1 &&
		  CONF_modules_load(conf, NULL, 0) == 1 &&
		  OSSL_PROVIDER_available(ctx, "fips") == 1 &&
		  EVP_set_default_properties(ctx, "fips=yes") == 1;
	BIO_free(b);
	NCONF_free(conf);
	free(text);
	ERR_clear_error();
	return is_good;
}

bool
tls_init_fips(struct text *why)
{
	OSSL_LIB_CTX *ctx = OSSL_LIB_CTX_new();
	char *settings =
	    xasprintf("%s/" FIPS_SETTINGS, X509_get_default_cert_area());
	bool is_there = access(settings, R_OK) == 0;

	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	if (ctx != NULL && is_there && load_fips(ctx, settings)) {
		lib.is_fips = true;
		lib.ctx = ctx;
		tls_init();
	} else {
		text_addf(why,
		    "the FIPS provider of %s cannot be used (%s %s): install "
		    "it, and run `openssl fipsinstall -out %s -module "
		    "/path/to/fips.so`",
		    OpenSSL_version(OPENSSL_VERSION), settings,
		    is_there ? "does not lead to it" : "is not there",
		    settings);
		OSSL_LIB_CTX_free(ctx);
	}
	free(settings);
	return lib.is_fips;
}

OSSL_LIB_CTX *
lean_library(void)
{
	tls_init();
	return lib.lean;
}

OSSL_LIB_CTX *
lean_whole_library(void)
{
	tls_init();
	return lib.ctx;
}

const EVP_MD *
library_sha256(void)
{
	tls_init();
	return lib.sha256;
}

const EVP_CIPHER *
library_aes128_gcm(void)
{
	tls_init();
	return lib.aes128_gcm;
}

const EVP_CIPHER *
library_aes256_gcm(void)
{
	tls_init();
	return lib.aes256_gcm;
}

const EVP_CIPHER *
library_chacha20(void)
{
	tls_init();
	return lib.chacha20;
}

const BIO_METHOD *
library_bio_method(void)
{
	tls_init();
	return lib.bio;
}

const char *
tls_library_version(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}

bool
library_random(uint8_t *p, size_t n)
{
	return RAND_bytes_ex(lean_whole_library(), p, n, 0) == 1;
}

X509 *
library_cert_new(void)
{
	X509 *c = X509_new_ex(lean_whole_library(), NULL);

	if (c == NULL)
		abort();
	return c;
}

X509_CRL *
library_crl_new(void)
{
	X509_CRL *c = X509_CRL_new_ex(lean_whole_library(), NULL);

	if (c == NULL)
		abort();
	return c;
}

EVP_PKEY *
library_key_read(BIO *pem, pem_password_cb *cb)
{
	return PEM_read_bio_PrivateKey_ex(
	    pem, NULL, cb, NULL, lean_whole_library(), NULL);
}

EVP_PKEY *
library_key_new(void)
{
	return EVP_PKEY_Q_keygen(lean_whole_library(), NULL, "EC", "P-256");
}

/* Ed25519 and Ed448 bring their own digest. */
const EVP_MD *
library_signing_digest(const EVP_PKEY *key)
{
	if (EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448"))
		return NULL;
	return library_sha256();
}

bool
library_load_bundle(X509_STORE *store, const char *path)
{
	return X509_STORE_load_file_ex(
		   store, path, lean_whole_library(), NULL) == 1;
}

SSL_CTX *
library_context_new(const SSL_METHOD *method, bool is_wide)
{
	return SSL_CTX_new_ex(
	    is_wide ? lean_whole_library() : lean_library(), NULL, method);
}

bool
library_allow_weak(SSL_CTX *ctx)
{
	SSL_CTX_set_security_level(ctx, 0);
	return SSL_CTX_set_cipher_list(ctx, WEAK_CIPHERS) == 1;
}

void
library_ask_for_staple(SSL_CTX *ctx, int (*check)(SSL *ssl, void *arg))
{
	SSL_CTX_set_tlsext_status_type(ctx, TLSEXT_STATUSTYPE_ocsp);
	SSL_CTX_set_tlsext_status_cb(ctx, check);
}

struct str
library_staple(const SSL *ssl)
{
	SSL *s = (SSL *)(uintptr_t)ssl;
	const unsigned char *p = NULL;
	long n = SSL_get_tlsext_status_ocsp_resp(s, &p);

	if (p == NULL || n <= 0)
		return STR_NONE;
	return (struct str){ .p = (const void *)p, .len = (size_t)n };
}

void
library_allow_late(SSL *ssl, bool has_cert)
{
	SSL_clear_options(ssl, SSL_OP_NO_RENEGOTIATION);
	SSL_set_post_handshake_auth(ssl, has_cert);
}

/* It answers with no_renegotiation then. */
void
library_refuse_late(SSL *ssl)
{
	SSL_set_options(ssl, SSL_OP_NO_RENEGOTIATION);
}

void
library_flush(SSL *ssl)
{
	(void)ssl;
}

const char *
library_group(SSL *ssl)
{
	int group = (int)SSL_get_negotiated_group(ssl);

	return group != NID_undef ? SSL_group_to_name(ssl, group) : NULL;
}

/* A caller that asked for small records gets them from OpenSSL. */
bool
library_has_usual_records(const SSL *ssl)
{
	return SSL_get_current_compression(ssl) == NULL &&
	       SSL_SESSION_get_max_fragment_length(SSL_get_session(ssl)) ==
		   TLSEXT_max_fragment_length_DISABLED;
}

/* They were: see lean_kdf.c. */
void
library_tell_secrets(const SSL *ssl, const struct secret_watch *w)
{
	(void)ssl;
	(void)w;
}

bool
library_record_numbers(const SSL *ssl, uint64_t *in, uint64_t *out)
{
	(void)ssl;
	(void)in;
	(void)out;
	return false;
}

/* Without tickets, one of TLS 1.3 is an id that on_lookup() is asked for. */
void
library_sessions_set_up(SSL_CTX *ctx, uint32_t life_s)
{
	(void)life_s;
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
}

bool
library_session_note(SSL_SESSION *s, struct str note)
{
	return SSL_SESSION_set1_ticket_appdata(s, note.p, note.len) == 1;
}

bool
library_session_read_note(const SSL *ssl, SSL_SESSION *s, struct str *out)
{
	void *data = NULL;
	size_t n = 0;

	(void)ssl;
	if (SSL_SESSION_get0_ticket_appdata(s, &data, &n) != 1 || data == NULL)
		return false;
	*out = (struct str){ .p = data, .len = n };
	return true;
}

int
library_session_print(SSL_SESSION *s, unsigned char **out)
{
	return i2d_SSL_SESSION(s, out);
}

SSL_SESSION *
library_session_parse(struct str bytes)
{
	const unsigned char *at = (const void *)bytes.p;

	return d2i_SSL_SESSION(NULL, &at, (long)bytes.len);
}

bool
library_session_is_peer(uint8_t tag)
{
	return tag == DER_PEER;
}

const struct library_reason library_reasons[] = {
	{ SSL_R_NO_SUITABLE_KEY_SHARE, TLS_FAIL_VERSION,
	    "no common key exchange group" },
	{ SSL_R_NO_SUITABLE_GROUPS, TLS_FAIL_VERSION,
	    "no common key exchange group" },
	{ SSL_R_NO_SHARED_GROUPS, TLS_FAIL_VERSION,
	    "no common key exchange group" },
	{ SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM, TLS_FAIL_VERSION,
	    "no common signature algorithm" },
	{ SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS, TLS_FAIL_VERSION,
	    "no common signature algorithm" },
	{ SSL_R_VERSION_TOO_LOW, TLS_FAIL_VERSION, TEXT_NO_VERSION },
	{ SSL_R_DH_KEY_TOO_SMALL, TLS_FAIL_VERSION,
	    "the peer's Diffie-Hellman group is too small" },
	{ .reason = 0 },
};
