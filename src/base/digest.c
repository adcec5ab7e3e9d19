/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hashes by libcrypto, begun once for the process: looking an algorithm up
 * takes a lock, and a load makes tens of thousands of digests.  Any thread; a
 * digester belongs to one.
 */

#include "base/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/xalloc.h"

struct digester {
	EVP_MD_CTX *ctx;
};

static pthread_once_t md_once = PTHREAD_ONCE_INIT;
/* Begun, and never gone on with: others are copies, and need no look-up. */
static EVP_MD_CTX *fresh;
static EVP_MD_CTX *fresh_sha1;

/* Without SHA-256 nothing could be told apart: no way to go on. */
static void
require(bool is_ok)
{
	if (!is_ok)
		abort();
}

static EVP_MD_CTX *
begin(const EVP_MD *md)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	require(ctx != NULL && EVP_DigestInit_ex(ctx, md, NULL) == 1);
	return ctx;
}

static void
begin_both(void)
{
	/* Often the first call of libcrypto: openssl.cnf stays unread. */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	fresh = begin(EVP_sha256());
	fresh_sha1 = begin(EVP_sha1());
}

static void
restart(struct digester *d)
{
	pthread_once(&md_once, begin_both);
	require(EVP_MD_CTX_copy_ex(d->ctx, fresh) == 1);
}

struct digester *
digester_new(void)
{
	struct digester *d = xcalloc(1, sizeof(*d));

	d->ctx = EVP_MD_CTX_new();
	require(d->ctx != NULL);
	restart(d);
	return d;
}

static void
add_length(struct digester *d, uint64_t n)
{
	uint8_t b[8];
	unsigned i;

	for (i = 0; i < sizeof(b); i++)
		b[i] = (uint8_t)(n >> (56 - 8 * i));
	require(EVP_DigestUpdate(d->ctx, b, sizeof(b)) == 1);
}

void
digester_add(struct digester *d, struct str field)
{
	add_length(d, field.len);
	if (field.len > 0)
		require(EVP_DigestUpdate(d->ctx, field.p, field.len) == 1);
}

void
digester_add_u64(struct digester *d, uint64_t field)
{
	add_length(d, sizeof(field));
	add_length(d, field);
}

void
digester_add_digest(struct digester *d, const struct digest *field)
{
	add_length(d, sizeof(field->b));
	require(EVP_DigestUpdate(d->ctx, field->b, sizeof(field->b)) == 1);
}

struct digest
digester_take(struct digester *d)
{
	struct digest result;

	require(EVP_DigestFinal_ex(d->ctx, result.b, NULL) == 1);
	restart(d);
	return result;
}

void
digester_free(struct digester *d)
{
	if (d == NULL)
		return;
	EVP_MD_CTX_free(d->ctx);
	free(d);
}

static void
digest_all(const EVP_MD_CTX *begun, struct str bytes, uint8_t *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	require(ctx != NULL && EVP_MD_CTX_copy_ex(ctx, begun) == 1);
	if (bytes.len > 0)
		require(EVP_DigestUpdate(ctx, bytes.p, bytes.len) == 1);
	require(EVP_DigestFinal_ex(ctx, out, NULL) == 1);
	EVP_MD_CTX_free(ctx);
}

struct digest
digest_of(struct str bytes)
{
	struct digest result;

	pthread_once(&md_once, begin_both);
	digest_all(fresh, bytes, result.b);
	return result;
}

bool
digest_eq(const struct digest *a, const struct digest *b)
{
	return memcmp(a->b, b->b, sizeof(a->b)) == 0;
}

void
digest_print(const struct digest *d, char out[17])
{
	static const char hex[] = "0123456789abcdef";
	unsigned i;

	for (i = 0; i < 8; i++) {
		out[2 * i] = hex[d->b[i] >> 4];
		out[2 * i + 1] = hex[d->b[i] & 15];
	}
	out[16] = '\0';
}

void
digest_sha1(struct str bytes, uint8_t out[DIGEST_SHA1_LEN])
{
	pthread_once(&md_once, begin_both);
	digest_all(fresh_sha1, bytes, out);
}
