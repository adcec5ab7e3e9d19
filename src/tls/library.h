/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_LIBRARY_H
#define TLS_LIBRARY_H

/*
 * Where one TLS library differs from another.  All of tls/ speaks OpenSSL's
 * API as far as AWS-LC has it too; the rest is here, in a function named for
 * what it is for.  library_openssl.c or library_awslc.c implements it, as the
 * build was configured.  Any thread, unless it is about one connection.
 */

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"
#include "tls/secret_watch.h"
#include "tls/wire_tls.h"

/* What the library keeps for the whole process. */

/* For records; never NULL. */
const EVP_CIPHER *library_aes128_gcm(void);
const EVP_CIPHER *library_aes256_gcm(void);
const EVP_CIPHER *library_chacha20(void);
const EVP_MD *library_sha256(void);
/* The kind of BIO that bio.c implements. */
const BIO_METHOD *library_bio_method(void);

/* Keys and certificates. */

bool library_random(uint8_t *p, size_t n) MUST_CHECK;
/* Never NULL; what it is filled with decides what it is. */
X509 *library_cert_new(void);
/* Likewise. */
X509_CRL *library_crl_new(void);
/* The one in a PEM, or NULL. */
EVP_PKEY *library_key_read(BIO *pem, pem_password_cb *cb) MUST_CHECK;
/* For ECDSA with P-256; NULL: failed. */
EVP_PKEY *library_key_new(void) MUST_CHECK;
/* What certificates are signed with; NULL: the key brings its own. */
const EVP_MD *library_signing_digest(const EVP_PKEY *key);
bool library_load_bundle(X509_STORE *store, const char *path) MUST_CHECK;

/* Connections. */

/* is_wide: old algorithms may be asked for.  NULL: failed. */
SSL_CTX *library_context_new(const SSL_METHOD *method, bool is_wide) MUST_CHECK;
/* TLS 1.0 and 1.1, with what they used. */
bool library_allow_weak(SSL_CTX *ctx) MUST_CHECK;
/*
 * Ask servers for a stapled answer of OCSP; check comes in a handshake once
 * their chain is verified, with an answer or not: 1 to go on, 0 to refuse.
 */
void library_ask_for_staple(SSL_CTX *ctx, int (*check)(SSL *ssl, void *arg));
/* The answer, DER; empty: none came. */
struct str library_staple(const SSL *ssl);
/* A server may ask for more, or again, once the connection is open. */
void library_allow_late(SSL *ssl, bool has_cert);
void library_refuse_late(SSL *ssl);
/* What the handshake left unsent, if there is any. */
void library_flush(SSL *ssl);
/* The group that was agreed on; NULL: none. */
const char *library_group(SSL *ssl);
/* Are records as everybody's: not compressed, and not kept small? */
bool library_has_usual_records(const SSL *ssl);
/* The secrets of an open TLS 1.3, if they were not told as they came. */
void library_tell_secrets(const SSL *ssl, const struct secret_watch *w);
/* Numbers of the next records, if the library knows and tells. */
bool library_record_numbers(const SSL *ssl, uint64_t *in, uint64_t *out);

/* Sessions of callers, as resume.c keeps them. */

/* ctx has its callbacks already; life_s: of a session. */
void library_sessions_set_up(SSL_CTX *ctx, uint32_t life_s);
/*
 * Bytes that go with a session, and with those that come of it.  ssl is the
 * connection that made or resumed it; what is read is the library's.
 */
bool library_session_note(SSL_SESSION *s, struct str note) MUST_CHECK;
bool library_session_read_note(const SSL *ssl, SSL_SESSION *s, struct str *out);
/* As bytes, its note with it; what names the peer may be there or not. */
int library_session_print(SSL_SESSION *s, unsigned char **out) MUST_CHECK;
SSL_SESSION *library_session_parse(struct str bytes) MUST_CHECK;
/* Does this part of it only name the peer? */
bool library_session_is_peer(uint8_t tag);

/* Why it failed. */

/* Of services; both libraries and alerts say it alike. */
#define TEXT_NO_VERSION                            \
	"no common TLS version (towards servers: " \
	"tls.min_version, tls.max_version, weak_tls)"

struct library_reason {
	int reason; /* ERR_GET_REASON() of ERR_LIB_SSL; 0: the last row */
	enum tls_failure failure;
	const char *text; /* NULL: the library's own words */
};

/* Beside those that all libraries call the same. */
extern const struct library_reason library_reasons[];

#endif
