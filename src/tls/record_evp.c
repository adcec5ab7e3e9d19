/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records by OpenSSL's EVP: on every machine, all ciphers.  A context is keyed
 * once and given a nonce for each record; nothing is looked up by name then.
 */

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "tls/library.h"
#include "tls/record_cipher.h"

struct evp_cipher {
	struct record_cipher base;
	EVP_CIPHER_CTX *ctx;
};

static EVP_CIPHER_CTX *
ctx_of(struct record_cipher *c)
{
	return CONTAINER_OF(c, struct evp_cipher, base)->ctx;
}

static bool
evp_can(enum record_aead a)
{
	(void)a;
	return true;
}

static const EVP_CIPHER *
cipher_of(enum record_aead a)
{
	switch (a) {
	case RECORD_AES128_GCM:
		return library_aes128_gcm();
	case RECORD_AES256_GCM:
		return library_aes256_gcm();
	case RECORD_CHACHA20:
		break;
	}
	return library_chacha20();
}

static void
evp_free(struct record_cipher *c)
{
	/* It wipes its key. */
	EVP_CIPHER_CTX_free(ctx_of(c));
	free(CONTAINER_OF(c, struct evp_cipher, base));
}

static struct record_cipher *
evp_make(enum record_aead a, const uint8_t *key, bool is_sealing)
{
	struct evp_cipher *c = xcalloc(1, sizeof(*c));

	c->base.engine = record_engine_evp();
	c->ctx = EVP_CIPHER_CTX_new();
	if (c->ctx != NULL && EVP_CipherInit_ex(c->ctx, cipher_of(a), NULL, key,
				  NULL, is_sealing ? 1 : 0) == 1)
		return &c->base;
	evp_free(&c->base);
	return NULL;
}

static bool
start(EVP_CIPHER_CTX *ctx, const struct record_bytes *b)
{
	int unused;

	/* -1: in the direction that the key was made for. */
	return EVP_CipherInit_ex(ctx, NULL, NULL, NULL, b->nonce, -1) == 1 &&
	       EVP_CipherUpdate(ctx, NULL, &unused, b->aad, (int)b->aad_len) ==
		   1;
}

static bool
run(EVP_CIPHER_CTX *ctx, const uint8_t *in, size_t n, uint8_t *out)
{
	int done;

	return n == 0 || (EVP_CipherUpdate(ctx, out, &done, in, (int)n) == 1 &&
			     (size_t)done == n);
}

static bool
evp_seal(struct record_cipher *c, const struct record_bytes *b,
    const uint8_t *end, size_t n_end)
{
	EVP_CIPHER_CTX *ctx = ctx_of(c);
	uint8_t *tag = b->out + b->n + n_end;
	int unused;

	if (start(ctx, b) && run(ctx, b->in, b->n, b->out) &&
	    run(ctx, end, n_end, b->out + b->n) &&
	    EVP_CipherFinal_ex(ctx, tag, &unused) == 1 &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, RECORD_TAG, tag) ==
		1)
		return true;
	ERR_clear_error();
	return false;
}

static bool
evp_open(struct record_cipher *c, const struct record_bytes *b,
    const uint8_t tag[RECORD_TAG])
{
	EVP_CIPHER_CTX *ctx = ctx_of(c);
	uint8_t want[RECORD_TAG];
	int unused;

	memcpy(want, tag, sizeof(want));
	if (start(ctx, b) && run(ctx, b->in, b->n, b->out) &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, RECORD_TAG, want) ==
		1 &&
	    EVP_CipherFinal_ex(ctx, b->out + b->n, &unused) == 1)
		return true;
	ERR_clear_error();
	return false;
}

const struct record_engine *
record_engine_evp(void)
{
	static const struct record_engine engine = {
		.name = "OpenSSL",
		.can = evp_can,
		.make = evp_make,
		.seal = evp_seal,
		.open = evp_open,
		.free = evp_free,
	};

	return &engine;
}
