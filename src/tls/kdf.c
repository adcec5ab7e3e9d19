/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A handshake derives about thirty keys, each of them a few blocks of SHA-2.
 * Asked for it by name, OpenSSL looks up an algorithm, copies contexts and
 * allocates for every one: ten times the work.  Hence the functions of SHA-2
 * themselves, which OpenSSL calls old ("deprecated") and every library has.
 */

#define OPENSSL_SUPPRESS_DEPRECATED

#include "tls/kdf.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>

#define BLOCK_MOST 128
#define LABEL_MOST 255

union state {
	SHA256_CTX sha256;
	SHA512_CTX sha384;
};

/* A key of HMAC (RFC 2104), worked into both of its hashes. */
struct hmac {
	enum kdf_hash h;
	union state inner;
	union state outer;
};

static const struct {
	const char *name;
	enum kdf_hash h;
} names[] = {
	{ "SHA2-256", KDF_SHA256 },
	{ "SHA256", KDF_SHA256 },
	{ "SHA-256", KDF_SHA256 },
	{ "SHA2-384", KDF_SHA384 },
	{ "SHA384", KDF_SHA384 },
	{ "SHA-384", KDF_SHA384 },
};

bool
kdf_hash_find(const char *name, enum kdf_hash *out)
{
	struct str s = str_of(name);
	size_t i;

	for (i = 0; i < ARRAY_LEN(names); i++) {
		if (!str_eq_nocase(s, str_of(names[i].name)))
			continue;
		*out = names[i].h;
		return true;
	}
	return false;
}

size_t
kdf_hash_len(enum kdf_hash h)
{
	return h == KDF_SHA256 ? SHA256_DIGEST_LENGTH : SHA384_DIGEST_LENGTH;
}

static size_t
block_len(enum kdf_hash h)
{
	return h == KDF_SHA256 ? SHA256_CBLOCK : SHA512_CBLOCK;
}

/* These fail for no reason that a caller could meet. */
static void
start(enum kdf_hash h, union state *s)
{
	if (h == KDF_SHA256)
		(void)SHA256_Init(&s->sha256);
	else
		(void)SHA384_Init(&s->sha384);
}

static void
add(enum kdf_hash h, union state *s, const void *p, size_t n)
{
	if (n == 0)
		return;
	if (h == KDF_SHA256)
		(void)SHA256_Update(&s->sha256, p, n);
	else
		(void)SHA384_Update(&s->sha384, p, n);
}

static void
finish(enum kdf_hash h, union state *s, uint8_t *out)
{
	if (h == KDF_SHA256)
		(void)SHA256_Final(out, &s->sha256);
	else
		(void)SHA384_Final(out, &s->sha384);
}

void
kdf_hash_of_nothing(enum kdf_hash h, uint8_t *out)
{
	union state s;

	start(h, &s);
	finish(h, &s, out);
}

static void
add_padded(enum kdf_hash h, union state *s, const uint8_t *key, uint8_t pad)
{
	uint8_t block[BLOCK_MOST];
	size_t n = block_len(h), i;

	for (i = 0; i < n; i++)
		block[i] = key[i] ^ pad;
	start(h, s);
	add(h, s, block, n);
	OPENSSL_cleanse(block, n);
}

static void
hmac_init(struct hmac *m, enum kdf_hash h, struct str key)
{
	uint8_t block[BLOCK_MOST] = { 0 };

	m->h = h;
	if (key.len > block_len(h)) {
		start(h, &m->inner);
		add(h, &m->inner, key.p, key.len);
		finish(h, &m->inner, block);
	} else if (key.len > 0) {
		memcpy(block, key.p, key.len);
	}
	add_padded(h, &m->inner, block, 0x36);
	add_padded(h, &m->outer, block, 0x5c);
	OPENSSL_cleanse(block, sizeof(block));
}

static void
hmac_fini(struct hmac *m)
{
	OPENSSL_cleanse(m, sizeof(*m));
}

/* Of all pieces in a row; out may be one of them. */
static void
hmac_of(const struct hmac *m, const struct str *v, size_t n, uint8_t *out)
{
	uint8_t inner[KDF_HASH_MOST];
	union state s = m->inner;
	size_t i;

	for (i = 0; i < n; i++)
		add(m->h, &s, v[i].p, v[i].len);
	finish(m->h, &s, inner);
	s = m->outer;
	add(m->h, &s, inner, kdf_hash_len(m->h));
	finish(m->h, &s, out);
	OPENSSL_cleanse(&s, sizeof(s));
	OPENSSL_cleanse(inner, sizeof(inner));
}

static struct str
bytes(const uint8_t *p, size_t n)
{
	return (struct str){ .p = (const void *)p, .len = n };
}

void
kdf_extract(enum kdf_hash h, struct str salt, struct str secret, uint8_t *out)
{
	struct hmac m;

	hmac_init(&m, h, salt);
	hmac_of(&m, &secret, 1, out);
	hmac_fini(&m);
}

/* What fits; the rest of the last hash is nobody's. */
static void
give(uint8_t **out, size_t *n, const uint8_t *hash, size_t len)
{
	if (len > *n)
		len = *n;
	memcpy(*out, hash, len);
	*out += len;
	*n -= len;
}

/* HKDF-Expand: each hash is over the one before, info and a count. */
static void
expand(const struct hmac *m, struct str info, uint8_t *out, size_t n)
{
	size_t len = kdf_hash_len(m->h);
	uint8_t hash[KDF_HASH_MOST], count = 0;
	struct str v[] = { STR_NONE, info, bytes(&count, 1) };

	while (n > 0) {
		count++;
		hmac_of(m, v, ARRAY_LEN(v), hash);
		v[0] = bytes(hash, len);
		give(&out, &n, hash, len);
	}
	OPENSSL_cleanse(hash, sizeof(hash));
}

bool
kdf_expand_label(enum kdf_hash h, struct str secret, struct str label,
    struct str context, uint8_t *out, size_t n)
{
	uint8_t info[2 + 1 + LABEL_MOST + 1 + UINT8_MAX];
	size_t at = 0;
	struct hmac m;

	if (label.len > LABEL_MOST || context.len > UINT8_MAX ||
	    n > UINT8_MAX * kdf_hash_len(h))
		return false;
	info[at++] = (uint8_t)(n >> 8);
	info[at++] = (uint8_t)n;
	info[at++] = (uint8_t)label.len;
	memcpy(info + at, label.p, label.len);
	at += label.len;
	info[at++] = (uint8_t)context.len;
	if (context.len > 0)
		memcpy(info + at, context.p, context.len);
	at += context.len;
	hmac_init(&m, h, secret);
	expand(&m, bytes(info, at), out, n);
	hmac_fini(&m);
	return true;
}

bool
kdf_prf(enum kdf_hash h, struct str secret, const struct str *seed,
    size_t n_seed, uint8_t *out, size_t n)
{
	uint8_t a[KDF_HASH_MOST], hash[KDF_HASH_MOST];
	size_t len = kdf_hash_len(h);
	struct str v[1 + KDF_PIECES_MOST];
	struct hmac m;

	if (n_seed > KDF_PIECES_MOST)
		return false;
	memcpy(v + 1, seed, n_seed * sizeof(*seed));
	v[0] = bytes(a, len);
	hmac_init(&m, h, secret);
	hmac_of(&m, seed, n_seed, a);
	while (n > 0) {
		hmac_of(&m, v, 1 + n_seed, hash);
		give(&out, &n, hash, len);
		if (n > 0)
			hmac_of(&m, v, 1, a);
	}
	hmac_fini(&m);
	OPENSSL_cleanse(a, sizeof(a));
	OPENSSL_cleanse(hash, sizeof(hash));
	return true;
}
