/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tls/ asks of AWS-LC in another way than of OpenSSL, which its API and
 * its ancestor's come from.  There are no library contexts and nothing to
 * fetch, so most of this is short.  What takes more is to resume: without a
 * ticket AWS-LC resumes nothing in TLS 1.3.  So ours is a ticket that holds no
 * more than an id, and resume.c is asked for the session as it is by OpenSSL.
 *
 * Not here: client certificates that a server asks for after a handshake of
 * TLS 1.3 (such a server is offered TLS 1.2), finite-field Diffie-Hellman,
 * Ed448, small records (RFC 6066, section 4): who asks for those is refused, or
 * goes on without.
 */

#include <openssl/bytestring.h>
#include <openssl/crypto.h>
#include <openssl/ec_key.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/log.h"
#include "base/xalloc.h"
#include "tls/bio.h"
#include "tls/library.h"
#include "tls/session_table.h"
#include "tls/tls_init.h"

/* A session is no longer when it is written anew but for its numbers. */
#define TICKET_SPARE 32
/* Of ASN.1: the peer's certificate and its chain in a session. */
#define DER_PEER 0xa3
#define DER_CHAIN 0xb3

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct {
	BIO_METHOD *bio;
	int session_note; /* where each keeps its struct note */
	int wire_note;
} lib;

struct note {
	size_t len;
	char bytes[];
};

static void
free_note(void *parent, void *ptr, CRYPTO_EX_DATA *all, int index, long argl,
    void *argp)
{
	(void)parent;
	(void)all;
	(void)index;
	(void)argl;
	(void)argp;
	free(ptr);
}

static void
set_up(void)
{
	OPENSSL_init_ssl(0, NULL);
	lib.bio = bio_method_new();
	lib.session_note =
	    SSL_SESSION_get_ex_new_index(0, NULL, NULL, NULL, free_note);
	lib.wire_note = SSL_get_ex_new_index(0, NULL, NULL, NULL, free_note);
	if (lib.bio != NULL && lib.session_note >= 0 && lib.wire_note >= 0)
		return;
	log_error("tls", "AWS-LC cannot be set up");
	abort();
}

void
tls_init(void)
{
	pthread_once(&once, set_up);
}

bool
tls_init_fips(struct text *why)
{
	text_add_z(why, "this build uses AWS-LC, and is not set up for its "
			"validated module: use a build with OpenSSL");
	return false;
}

const char *
tls_library_version(void)
{
	return OpenSSL_version(OPENSSL_VERSION);
}

const EVP_CIPHER *
library_aes128_gcm(void)
{
	return EVP_aes_128_gcm();
}

const EVP_CIPHER *
library_aes256_gcm(void)
{
	return EVP_aes_256_gcm();
}

const EVP_CIPHER *
library_chacha20(void)
{
	return EVP_chacha20_poly1305();
}

const EVP_MD *
library_sha256(void)
{
	return EVP_sha256();
}

const BIO_METHOD *
library_bio_method(void)
{
	tls_init();
	return lib.bio;
}

bool
library_random(uint8_t *p, size_t n)
{
	return RAND_bytes(p, n) == 1;
}

X509 *
library_cert_new(void)
{
	X509 *c = X509_new();

	if (c == NULL)
		abort();
	return c;
}

X509_CRL *
library_crl_new(void)
{
	X509_CRL *c = X509_CRL_new();

	if (c == NULL)
		abort();
	return c;
}

EVP_PKEY *
library_key_read(BIO *pem, pem_password_cb *cb)
{
	return PEM_read_bio_PrivateKey(pem, NULL, cb, NULL);
}

EVP_PKEY *
library_key_new(void)
{
	EC_KEY *ec = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
	EVP_PKEY *key = EVP_PKEY_new();

	if (ec != NULL && key != NULL && EC_KEY_generate_key(ec) == 1 &&
	    EVP_PKEY_set1_EC_KEY(key, ec) == 1) {
		EC_KEY_free(ec);
		return key;
	}
	EC_KEY_free(ec);
	EVP_PKEY_free(key);
	return NULL;
}

const EVP_MD *
library_signing_digest(const EVP_PKEY *key)
{
	return EVP_PKEY_id(key) == EVP_PKEY_ED25519 ? NULL : EVP_sha256();
}

bool
library_load_bundle(X509_STORE *store, const char *path)
{
	return X509_STORE_load_locations(store, path, NULL) == 1;
}

/* As OpenSSL at its usual level: Ed25519, which is off here; no SHA-1. */
static const uint16_t verified[] = {
	SSL_SIGN_ECDSA_SECP256R1_SHA256,
	SSL_SIGN_RSA_PSS_RSAE_SHA256,
	SSL_SIGN_RSA_PKCS1_SHA256,
	SSL_SIGN_ED25519,
	SSL_SIGN_ECDSA_SECP384R1_SHA384,
	SSL_SIGN_RSA_PSS_RSAE_SHA384,
	SSL_SIGN_RSA_PKCS1_SHA384,
	SSL_SIGN_ECDSA_SECP521R1_SHA512,
	SSL_SIGN_RSA_PSS_RSAE_SHA512,
	SSL_SIGN_RSA_PKCS1_SHA512,
};

SSL_CTX *
library_context_new(const SSL_METHOD *method, bool is_wide)
{
	SSL_CTX *ctx;

	tls_init();
	ctx = SSL_CTX_new(method);
	if (ctx == NULL || is_wide ||
	    SSL_CTX_set_verify_algorithm_prefs(
		ctx, verified, ARRAY_LEN(verified)) == 1)
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

bool
library_allow_weak(SSL_CTX *ctx)
{
	return SSL_CTX_set_cipher_list(ctx, "ALL") == 1;
}

void
library_ask_for_staple(SSL_CTX *ctx, int (*check)(SSL *ssl, void *arg))
{
	SSL_CTX_enable_ocsp_stapling(ctx);
	(void)SSL_CTX_set_tlsext_status_cb(ctx, check);
}

struct str
library_staple(const SSL *ssl)
{
	const uint8_t *p = NULL;
	size_t n = SSL_get_tlsext_status_ocsp_resp(ssl, &p);

	if (p == NULL || n == 0 || n == (size_t)-1)
		return STR_NONE;
	return (struct str){ .p = (const void *)p, .len = n };
}

/* Who may ask for our certificate late is spoken to where we can answer. */
void
library_allow_late(SSL *ssl, bool has_cert)
{
	if (has_cert && SSL_get_min_proto_version(ssl) <= TLS1_2_VERSION)
		(void)SSL_set_max_proto_version(ssl, TLS1_2_VERSION);
	SSL_set_renegotiate_mode(ssl, ssl_renegotiate_freely);
}

void
library_refuse_late(SSL *ssl)
{
	SSL_set_renegotiate_mode(ssl, ssl_renegotiate_never);
}

/* A ticket of TLS 1.3 waits for the first bytes that are written. */
void
library_flush(SSL *ssl)
{
	if (SSL_is_server(ssl))
		(void)SSL_write(ssl, "", 0);
}

/* By the names that OpenSSL has for them. */
const char *
library_group(SSL *ssl)
{
	uint16_t id = SSL_get_group_id(ssl);

	switch (id) {
	case 0:
		return NULL;
	case SSL_GROUP_SECP256R1:
		return "secp256r1";
	case SSL_GROUP_SECP384R1:
		return "secp384r1";
	case SSL_GROUP_SECP521R1:
		return "secp521r1";
	case SSL_GROUP_X25519:
		return "x25519";
	default:
		return SSL_get_group_name(id);
	}
}

/* It knows neither compression nor small records. */
bool
library_has_usual_records(const SSL *ssl)
{
	(void)ssl;
	return true;
}

/* Nobody has to watch: it tells when it is asked. */
void
secret_watch_set(const struct secret_watch *w)
{
	(void)w;
}

void
library_tell_secrets(const SSL *ssl, const struct secret_watch *w)
{
	bool is_client = SSL_is_server(ssl) == 0;
	uint8_t secret[EVP_MAX_MD_SIZE];
	size_t n = sizeof(secret);

	if (SSL_get_write_traffic_secret(ssl, secret, &n) == 1)
		w->on_secret(w->arg, is_client, secret, n);
	n = sizeof(secret);
	if (SSL_get_read_traffic_secret(ssl, secret, &n) == 1)
		w->on_secret(w->arg, !is_client, secret, n);
	OPENSSL_cleanse(secret, sizeof(secret));
}

bool
library_record_numbers(const SSL *ssl, uint64_t *in, uint64_t *out)
{
	*in = SSL_get_read_sequence(ssl);
	*out = SSL_get_write_sequence(ssl);
	return true;
}

static struct note *
new_note(struct str bytes)
{
	struct note *n = xmalloc(sizeof(*n) + bytes.len);

	n->len = bytes.len;
	if (bytes.len > 0)
		memcpy(n->bytes, bytes.p, bytes.len);
	return n;
}

static struct str
str_of_note(const struct note *n)
{
	return (struct str){ .p = n->bytes, .len = n->len };
}

bool
library_session_note(SSL_SESSION *s, struct str note)
{
	struct note *n = new_note(note);

	tls_init();
	free(SSL_SESSION_get_ex_data(s, lib.session_note));
	if (SSL_SESSION_set_ex_data(s, lib.session_note, n) == 1)
		return true;
	free(n);
	return false;
}

/*
 * Of a ticket AWS-LC takes bytes, and its session has no note: that is with
 * the connection then.
 */
bool
library_session_read_note(const SSL *ssl, SSL_SESSION *s, struct str *out)
{
	const struct note *n = SSL_SESSION_get_ex_data(s, lib.session_note);

	if (n == NULL && SSL_session_reused(ssl) == 1)
		n = SSL_get_ex_data(ssl, lib.wire_note);
	if (n == NULL)
		return false;
	*out = str_of_note(n);
	return true;
}

/* Behind the session, which says how long it is. */
int
library_session_print(SSL_SESSION *s, unsigned char **out)
{
	const struct note *n = SSL_SESSION_get_ex_data(s, lib.session_note);
	unsigned char *der = NULL;
	int len = i2d_SSL_SESSION(s, &der);

	if (len <= 0 || n == NULL)
		return 0;
	*out = OPENSSL_malloc((size_t)len + n->len);
	if (*out == NULL)
		abort();
	memcpy(*out, der, (size_t)len);
	memcpy(*out + len, n->bytes, n->len);
	OPENSSL_clear_free(der, (size_t)len);
	return len + (int)n->len;
}

SSL_SESSION *
library_session_parse(struct str bytes)
{
	const uint8_t *at = (const void *)bytes.p;
	SSL_SESSION *s = d2i_SSL_SESSION(NULL, &at, (long)bytes.len);
	size_t used;

	if (s == NULL)
		return NULL;
	used = (size_t)(at - (const uint8_t *)(const void *)bytes.p);
	if (library_session_note(s, str_from(bytes, used)))
		return s;
	SSL_SESSION_free(s);
	return NULL;
}

bool
library_session_is_peer(uint8_t tag)
{
	return tag == DER_PEER || tag == DER_CHAIN;
}

/* in without its peer: to read that again would cost more than all else. */
static bool
without_peer(const uint8_t *in, size_t n, CBB *out)
{
	CBS all, body, part;
	CBB sequence;
	CBS_ASN1_TAG tag;

	CBS_init(&all, in, n);
	if (!CBS_get_asn1(&all, &body, CBS_ASN1_SEQUENCE) ||
	    !CBB_add_asn1(out, &sequence, CBS_ASN1_SEQUENCE))
		return false;
	while (CBS_len(&body) > 0) {
		if (!CBS_get_any_asn1_element(&body, &part, &tag, NULL))
			return false;
		if (!library_session_is_peer(CBS_data(&part)[0]) &&
		    !CBB_add_bytes(&sequence, CBS_data(&part), CBS_len(&part)))
			return false;
	}
	return CBB_flush(out) == 1;
}

/* Keep the session der under id, as one that has no ticket. */
static bool
keep(SSL *ssl, const uint8_t *id, const uint8_t *der, size_t n)
{
	SSL_CTX *ctx = SSL_get_SSL_CTX(ssl);
	SSL_SESSION *s = d2i_SSL_SESSION(NULL, &der, (long)n);
	bool is_ok = s != NULL && SSL_SESSION_set1_id(s, id, SESSION_ID_LEN);

	if (is_ok && SSL_session_reused(ssl) == 1)
		is_ok = library_session_note(
		    s, str_of_note(SSL_get_ex_data(ssl, lib.wire_note)));
	if (is_ok)
		(void)SSL_CTX_sess_get_new_cb(ctx)(ssl, s);
	SSL_SESSION_free(s);
	return is_ok;
}

static size_t
max_overhead(SSL *ssl)
{
	(void)ssl;
	return SESSION_ID_LEN + TICKET_SPARE;
}

/* As long as what open_ticket() will answer: it has no more room than that. */
static int
seal_ticket(SSL *ssl, uint8_t *out, size_t *out_len, size_t most,
    const uint8_t *in, size_t n)
{
	uint8_t id[SESSION_ID_LEN];
	bool is_ok;
	CBB der;

	if (CBB_init(&der, n) != 1)
		abort();
	is_ok = without_peer(in, n, &der) && library_random(id, sizeof(id));
	*out_len = CBB_len(&der) + TICKET_SPARE;
	is_ok = is_ok && *out_len >= sizeof(id) && *out_len <= most &&
		keep(ssl, id, CBB_data(&der), CBB_len(&der));
	if (is_ok) {
		memset(out, 0, *out_len);
		memcpy(out, id, sizeof(id));
	}
	OPENSSL_cleanse((void *)(uintptr_t)CBB_data(&der), CBB_len(&der));
	CBB_cleanup(&der);
	return is_ok;
}

static bool
give(SSL_SESSION *s, uint8_t *out, size_t *out_len, size_t most)
{
	uint8_t *der = NULL;
	size_t n = 0;
	bool is_ok = SSL_SESSION_to_bytes_for_ticket(s, &der, &n) == 1;

	is_ok = is_ok && n <= most;
	if (is_ok) {
		memcpy(out, der, n);
		*out_len = n;
	}
	OPENSSL_clear_free(der, n);
	return is_ok;
}

static enum ssl_ticket_aead_result_t
open_ticket(SSL *ssl, uint8_t *out, size_t *out_len, size_t most,
    const uint8_t *in, size_t n)
{
	enum ssl_ticket_aead_result_t r = ssl_ticket_aead_ignore_ticket;
	SSL_CTX *ctx = SSL_get_SSL_CTX(ssl);
	SSL_SESSION *s = NULL;
	int must_ref;

	if (n >= SESSION_ID_LEN)
		s = SSL_CTX_sess_get_get_cb(ctx)(
		    ssl, in, SESSION_ID_LEN, &must_ref);
	if (s == NULL)
		return r;
	free(SSL_get_ex_data(ssl, lib.wire_note));
	if (SSL_set_ex_data(ssl, lib.wire_note,
		SSL_SESSION_get_ex_data(s, lib.session_note)) == 1 &&
	    SSL_SESSION_set_ex_data(s, lib.session_note, NULL) == 1 &&
	    give(s, out, out_len, most))
		r = ssl_ticket_aead_success;
	SSL_SESSION_free(s);
	ERR_clear_error();
	return r;
}

static const SSL_TICKET_AEAD_METHOD tickets = {
	.max_overhead = max_overhead,
	.seal = seal_ticket,
	.open = open_ticket,
};

void
library_sessions_set_up(SSL_CTX *ctx, uint32_t life_s)
{
	SSL_CTX_set_session_psk_dhe_timeout(ctx, life_s);
	SSL_CTX_set_ticket_aead_method(ctx, &tickets);
}

const struct library_reason library_reasons[] = {
	{ SSL_R_NO_SHARED_GROUP, TLS_FAIL_VERSION,
	    "no common key exchange group" },
	{ SSL_R_WRONG_CURVE, TLS_FAIL_VERSION, "no common key exchange group" },
	{ SSL_R_NO_COMMON_SIGNATURE_ALGORITHMS, TLS_FAIL_VERSION,
	    "no common signature algorithm" },
	{ SSL_R_SERVER_CERT_CHANGED, TLS_FAIL_CHAIN,
	    "the server changed its certificate in a renegotiation" },
	{ SSL_R_VERSION_TOO_LOW, TLS_FAIL_VERSION, TEXT_NO_VERSION },
	{ SSL_R_NO_SUPPORTED_VERSIONS_ENABLED, TLS_FAIL_VERSION,
	    "no TLS version is enabled" },
	{ .reason = 0 },
};
