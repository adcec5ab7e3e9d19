/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one place where OpenSSL is set up.  A library context of our own keeps
 * openssl.cnf, and whatever else runs in this process, out of our handshakes.
 * It is made on the first call and lives as long as the process.  Any thread.
 */

#include "tls/tls_init.h"

#include <openssl/crypto.h>
#include <openssl/provider.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/log.h"
#include "tls/bio.h"
#include "tls/lean.h"
#include "tls/library.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct {
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
	return lib.aes128_gcm != NULL && lib.aes256_gcm != NULL &&
	       lib.chacha20 != NULL;
}

static void
set_up(void)
{
	OSSL_PROVIDER *all = NULL;

	OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG |
			     OPENSSL_INIT_LOAD_SSL_STRINGS |
			     OPENSSL_INIT_LOAD_CRYPTO_STRINGS,
	    NULL);
	lib.ctx = OSSL_LIB_CTX_new();
	if (lib.ctx != NULL)
		all = OSSL_PROVIDER_load(lib.ctx, "default");
	if (all == NULL)
		goto broken;
	lib.lean = lean_new(all);
	lib.sha256 = EVP_MD_fetch(lib.ctx, "SHA256", NULL);
	lib.bio = bio_method_new();
	if (lib.lean != NULL && lib.sha256 != NULL && lib.bio != NULL &&
	    fetch_for_records())
		return;
broken:
	log_error("tls", "OpenSSL's default provider cannot be loaded; "
			 "reinstall the library (libssl3)");
	abort();
}

void
tls_init(void)
{
	pthread_once(&once, set_up);
}

OSSL_LIB_CTX *
library_ctx(void)
{
	tls_init();
	return lib.ctx;
}

OSSL_LIB_CTX *
library_lean_ctx(void)
{
	tls_init();
	return lib.lean;
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
