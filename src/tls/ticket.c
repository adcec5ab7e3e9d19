/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ticket carries, beside OpenSSL's session, until when it may be used, for
 * which server name it was issued, and the caller's identity as it was
 * verified; whatever does not fit leads to a full handshake, never to an
 * error.  A renewed ticket does not live longer than the first one would have:
 * the certificate is seen again every two hours.  Permission is asked
 * elsewhere, each time.  Any thread: a key is copied under its lock.
 */

#include "tls/ticket.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/reader.h"
#include "base/ref.h"
#include "base/xalloc.h"
#include "tls/library.h"
#include "tls/peer.h"
#include "tls/tls_mesh.h"

#define NAME_LEN 16
/* Enough that a ticket's key is there for the two hours of its life. */
#define KEYS 3
#define ROTATE_MS ((uint64_t)3600 * 1000)
#define FORMAT 1

struct ticket_key {
	unsigned char name[NAME_LEN];
	unsigned char aes[32];
	unsigned char mac[32];
	uint64_t made_ms;
};

struct ticket_keys {
	struct ref ref;
	struct digest scope;
	pthread_mutex_t lock;
	struct ticket_key v[KEYS]; /* the newest first */
	size_t n;
};

/* The oldest one is overwritten: with it go the sessions of its time. */
static void
add_key(struct ticket_keys *k, uint64_t now_ms)
{
	struct ticket_key fresh = { .made_ms = now_ms };

	if (RAND_bytes_ex(library_ctx(), fresh.name, NAME_LEN, 0) != 1 ||
	    RAND_priv_bytes_ex(
		library_ctx(), fresh.aes, sizeof(fresh.aes), 0) != 1 ||
	    RAND_priv_bytes_ex(
		library_ctx(), fresh.mac, sizeof(fresh.mac), 0) != 1)
		abort();
	memmove(&k->v[1], &k->v[0], (KEYS - 1) * sizeof(k->v[0]));
	k->v[0] = fresh;
	if (k->n < KEYS)
		k->n++;
	OPENSSL_cleanse(&fresh, sizeof(fresh));
}

struct ticket_keys *
ticket_keys_new(const struct digest *scope)
{
	struct ticket_keys *k = xcalloc(1, sizeof(*k));

	ref_init(&k->ref);
	k->scope = *scope;
	pthread_mutex_init(&k->lock, NULL);
	add_key(k, clock_ms());
	return k;
}

struct ticket_keys *
ticket_keys_ref(struct ticket_keys *k)
{
	ref_up(&k->ref);
	return k;
}

void
ticket_keys_unref(struct ticket_keys *k)
{
	if (k == NULL || !ref_down(&k->ref))
		return;
	OPENSSL_cleanse(k->v, sizeof(k->v));
	pthread_mutex_destroy(&k->lock);
	free(k);
}

const struct digest *
ticket_keys_scope(const struct ticket_keys *k)
{
	return &k->scope;
}

static void
current_key(struct ticket_keys *k, struct ticket_key *out)
{
	uint64_t now_ms = clock_ms();

	pthread_mutex_lock(&k->lock);
	if (now_ms - k->v[0].made_ms >= ROTATE_MS)
		add_key(k, now_ms);
	*out = k->v[0];
	pthread_mutex_unlock(&k->lock);
}

enum key_age { KEY_UNKNOWN, KEY_NEWEST, KEY_OLDER };

static enum key_age
find_key(struct ticket_keys *k, const unsigned char name[NAME_LEN],
    struct ticket_key *out)
{
	uint64_t oldest_ms = KEYS * ROTATE_MS;
	bool is_found = false;
	size_t i;

	pthread_mutex_lock(&k->lock);
	for (i = 0; i < k->n && !is_found; i++) {
		is_found = memcmp(k->v[i].name, name, NAME_LEN) == 0 &&
			   clock_ms() - k->v[i].made_ms < oldest_ms;
		if (is_found)
			*out = k->v[i];
	}
	pthread_mutex_unlock(&k->lock);
	if (!is_found)
		return KEY_UNKNOWN;
	return i == 1 ? KEY_NEWEST : KEY_OLDER;
}

static bool
init_mac(EVP_MAC_CTX *mac, struct ticket_key *key)
{
	static char sha256[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(
		    OSSL_MAC_PARAM_KEY, key->mac, sizeof(key->mac)),
		OSSL_PARAM_construct_utf8_string(
		    OSSL_MAC_PARAM_DIGEST, sha256, 0),
		OSSL_PARAM_construct_end(),
	};

	return EVP_MAC_CTX_set_params(mac, params) == 1;
}

/* OpenSSL's contract: 1 go on, 2 and renew, 0 no such key, -1 broken. */
static int
on_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *c,
    EVP_MAC_CTX *mac, int is_issuing)
{
	struct ticket_keys *k = tls_mesh_tickets(peer_of(ssl)->mesh);
	const EVP_CIPHER *aes = library_aes256_cbc();
	enum key_age age = KEY_NEWEST;
	struct ticket_key key;
	int result = -1;

	if (is_issuing == 0)
		age = find_key(k, name, &key);
	if (age == KEY_UNKNOWN)
		return 0;
	if (is_issuing == 1) {
		current_key(k, &key);
		memcpy(name, key.name, NAME_LEN);
		if (RAND_bytes_ex(library_ctx(), iv,
			(size_t)EVP_CIPHER_get_iv_length(aes), 0) != 1)
			goto out;
	}
	if (EVP_CipherInit_ex2(c, aes, key.aes, iv, is_issuing, NULL) == 1 &&
	    init_mac(mac, &key))
		result = age == KEY_NEWEST ? 1 : 2;
out:
	OPENSSL_cleanse(&key, sizeof(key));
	return result;
}

static void
add_number(struct text *t, uint64_t v, unsigned bytes)
{
	while (bytes-- > 0)
		text_add_char(t, (char)(v >> (8 * bytes) & 0xff));
}

/* OpenSSL is about to write a ticket: say whose it is. */
static int
on_issue(SSL *ssl, void *arg)
{
	const struct tls_peer *p = peer_of(ssl);
	struct text t = TEXT_EMPTY;
	int is_ok;

	(void)arg;
	if (p->identity == NULL)
		return 0;
	add_number(&t, FORMAT, 1);
	add_number(&t, (uint64_t)p->session_end_s, 8);
	add_number(&t, p->sni.len, 2);
	text_add(&t, p->sni);
	identity_pack(p->identity, &t);
	is_ok =
	    SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), t.p, t.len);
	text_free(&t);
	return is_ok;
}

/* Believe the session s, if it is for this name and not over. */
static bool
restore(SSL_SESSION *s, struct tls_peer *p)
{
	struct reader r;
	struct str sni, packed;
	int64_t end_s;
	size_t n = 0;
	void *data = NULL;

	if (s == NULL || SSL_SESSION_get0_ticket_appdata(s, &data, &n) != 1)
		return false;
	reader_init(&r, data, n);
	if (reader_u8(&r) != FORMAT)
		return false;
	end_s = (int64_t)((uint64_t)reader_u32(&r) << 32);
	end_s |= (int64_t)reader_u32(&r);
	sni = reader_bytes(&r, reader_u16(&r));
	packed = reader_bytes(&r, reader_left(&r));
	if (reader_is_bad(&r) || clock_wall_s() >= end_s ||
	    !str_eq_nocase(sni, p->sni))
		return false;
	identity_free(p->identity);
	p->identity = identity_unpack(packed, str_of(p->mesh->mesh));
	if (p->identity == NULL)
		return false;
	p->not_after_s = p->identity->not_after_s;
	p->session_end_s = end_s;
	return true;
}

static SSL_TICKET_RETURN
on_ticket(SSL *ssl, SSL_SESSION *s, const unsigned char *name, size_t name_len,
    SSL_TICKET_STATUS status, void *arg)
{
	(void)name;
	(void)name_len;
	(void)arg;
	switch (status) {
	case SSL_TICKET_SUCCESS:
	case SSL_TICKET_SUCCESS_RENEW:
		if (!restore(s, peer_of(ssl)))
			return SSL_TICKET_RETURN_IGNORE_RENEW;
		/* Callers use one of TLS 1.3 once, and need another. */
		return status == SSL_TICKET_SUCCESS_RENEW ||
			       SSL_version(ssl) >= TLS1_3_VERSION
			   ? SSL_TICKET_RETURN_USE_RENEW
			   : SSL_TICKET_RETURN_USE;
	default:
		/* None, or not ours: a full handshake, and a new one. */
		return SSL_TICKET_RETURN_IGNORE_RENEW;
	}
}

void
ticket_set_up(SSL_CTX *ctx, const struct ticket_keys *k)
{
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_timeout(ctx, PEER_SESSION_S);
	SSL_CTX_set_num_tickets(ctx, 1);
	/* Whatever is resumed was issued for this mesh and this CA set. */
	if (SSL_CTX_set_session_id_context(
		ctx, k->scope.b, sizeof(k->scope.b)) != 1 ||
	    SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_key) != 1 ||
	    SSL_CTX_set_session_ticket_cb(ctx, on_issue, on_ticket, NULL) != 1)
		abort();
}
