/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See the header.  TLS 1.2 knows two kinds of nonce: AES-GCM takes 4 bytes of
 * the key block and 8 of each record (RFC 5288), ChaCha20 takes 12 and mixes
 * in the number of the record (RFC 7905), as TLS 1.3 does for all.
 */

#include "tls/record_key.h"

#include <openssl/crypto.h>
#include <string.h>

#include "tls/kdf.h"

#define LABEL_MOST 32
#define GCM_SALT 4
#define GCM_EXPLICIT 8

/* clang-format off */
static const struct record_suite suites[] = {
	{ 0x1301, RECORD_TLS_1_3, RECORD_AES128_GCM, "SHA2-256", 32, 16, 0 },
	{ 0x1302, RECORD_TLS_1_3, RECORD_AES256_GCM, "SHA2-384", 48, 32, 0 },
	{ 0x1303, RECORD_TLS_1_3, RECORD_CHACHA20, "SHA2-256", 32, 32, 0 },
	{ 0xc02b, RECORD_TLS_1_2, RECORD_AES128_GCM, "SHA2-256", 0, 16,
	    GCM_EXPLICIT },
	{ 0xc02f, RECORD_TLS_1_2, RECORD_AES128_GCM, "SHA2-256", 0, 16,
	    GCM_EXPLICIT },
	{ 0xc02c, RECORD_TLS_1_2, RECORD_AES256_GCM, "SHA2-384", 0, 32,
	    GCM_EXPLICIT },
	{ 0xc030, RECORD_TLS_1_2, RECORD_AES256_GCM, "SHA2-384", 0, 32,
	    GCM_EXPLICIT },
	{ 0xcca8, RECORD_TLS_1_2, RECORD_CHACHA20, "SHA2-256", 0, 32, 0 },
	{ 0xcca9, RECORD_TLS_1_2, RECORD_CHACHA20, "SHA2-256", 0, 32, 0 },
};
/* clang-format on */

const struct record_suite *
record_suite_find(unsigned id, enum record_version version)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(suites); i++)
		if (suites[i].id == id && suites[i].version == version)
			return &suites[i];
	return NULL;
}

static struct str
bytes(const uint8_t *p, size_t n)
{
	return (struct str){ .p = (const void *)p, .len = n };
}

bool
record_expand(const char *digest, const uint8_t *secret, size_t secret_len,
    const char *label, uint8_t *out, size_t n)
{
	char full[LABEL_MOST] = "tls13 ";
	size_t at = strlen(full), len = strlen(label);
	enum kdf_hash h;

	if (len > sizeof(full) - at || !kdf_hash_find(digest, &h))
		return false;
	memcpy(full + at, label, len);
	return kdf_expand_label(h, bytes(secret, secret_len),
	    (struct str){ .p = full, .len = at + len }, STR_NONE, out, n);
}

bool
record_key_wake(struct record_key *k)
{
	const struct record_engine *e = k->engine;

	if (k->cipher != NULL)
		return true;
	if (e == NULL)
		e = record_engine_for(k->suite->aead);
	k->cipher = e->make(k->suite->aead, k->key, k->is_sealing);
	return k->cipher != NULL;
}

void
record_key_rest(struct record_key *k)
{
	record_cipher_free(k->cipher);
	k->cipher = NULL;
}

static bool
start_cipher(struct record_key *k, const uint8_t *key)
{
	record_key_rest(k);
	memcpy(k->key, key, k->suite->key_len);
	return record_key_wake(k);
}

static bool
start_secret(struct record_key *k)
{
	const struct record_suite *s = k->suite;
	uint8_t key[RECORD_KEY_MOST];
	bool is_ok;

	is_ok = record_expand(s->digest, k->secret, s->secret_len, "key", key,
		    s->key_len) &&
		record_expand(s->digest, k->secret, s->secret_len, "iv", k->iv,
		    sizeof(k->iv)) &&
		start_cipher(k, key);
	OPENSSL_cleanse(key, sizeof(key));
	return is_ok;
}

bool
record_key_from_secret(struct record_key *k, const struct record_suite *s,
    const uint8_t *secret, bool is_sealing)
{
	k->suite = s;
	k->is_sealing = is_sealing;
	memmove(k->secret, secret, s->secret_len);
	return start_secret(k);
}

bool
record_key_update(struct record_key *k)
{
	const struct record_suite *s = k->suite;
	uint8_t next[RECORD_SECRET_MOST];
	bool is_ok;

	is_ok = record_expand(s->digest, k->secret, s->secret_len,
	    "traffic upd", next, s->secret_len);
	if (is_ok) {
		memcpy(k->secret, next, s->secret_len);
		k->seq = 0;
		is_ok = start_secret(k);
	}
	OPENSSL_cleanse(next, sizeof(next));
	return is_ok;
}

/* The parts of the key block, in their order. */
struct block {
	uint8_t b[2 * RECORD_KEY_MOST + 2 * RECORD_IV];
	size_t at;
};

static const uint8_t *
cut(struct block *b, size_t n)
{
	b->at += n;
	return b->b + b->at - n;
}

bool
record_keys_from_master(struct record_key *client, struct record_key *server,
    const struct record_suite *s, const uint8_t master[RECORD_MASTER],
    const uint8_t client_random[RECORD_RANDOM],
    const uint8_t server_random[RECORD_RANDOM], bool is_server)
{
	size_t iv_len = s->explicit_len > 0 ? GCM_SALT : RECORD_IV;
	struct str seed[] = {
		STR("key expansion"),
		bytes(server_random, RECORD_RANDOM),
		bytes(client_random, RECORD_RANDOM),
	};
	struct block b = { .at = 0 };
	const uint8_t *client_key, *server_key;
	enum kdf_hash h;
	bool is_ok;

	is_ok = kdf_hash_find(s->digest, &h) &&
		kdf_prf(h, bytes(master, RECORD_MASTER), seed, ARRAY_LEN(seed),
		    b.b, 2 * (s->key_len + iv_len));
	client->suite = server->suite = s;
	client->is_sealing = !is_server;
	server->is_sealing = is_server;
	client_key = cut(&b, s->key_len);
	server_key = cut(&b, s->key_len);
	memcpy(client->iv, cut(&b, iv_len), iv_len);
	memcpy(server->iv, cut(&b, iv_len), iv_len);
	is_ok = is_ok && start_cipher(client, client_key) &&
		start_cipher(server, server_key);
	OPENSSL_cleanse(&b, sizeof(b));
	return is_ok;
}

void
record_key_fini(struct record_key *k)
{
	record_cipher_free(k->cipher);
	OPENSSL_cleanse(k, sizeof(*k));
}
