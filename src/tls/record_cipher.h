/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_RECORD_CIPHER_H
#define TLS_RECORD_CIPHER_H

/*
 * The authenticated ciphers that seal and open records, by whichever library
 * does it best here: AES-GCM by intel-ipsec-mb where this is built with it and
 * runs on a CPU for it, all else by OpenSSL's EVP.  One cipher is one key in
 * one direction; engines are the process's, read by any thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

#define RECORD_IV 12
#define RECORD_TAG 16

enum record_aead { RECORD_AES128_GCM, RECORD_AES256_GCM, RECORD_CHACHA20 };

/* One record's worth. */
struct record_bytes {
	const uint8_t *nonce; /* RECORD_IV of them, never twice under a key */
	const uint8_t *aad;
	size_t aad_len;
	const uint8_t *in; /* where out is, or apart from it */
	size_t n;
	uint8_t *out;
};

struct record_engine;

/* What every engine's own begins with. */
struct record_cipher {
	const struct record_engine *engine;
};

struct record_engine {
	const char *name;
	bool (*can)(enum record_aead a);
	/* NULL: the library failed. */
	struct record_cipher *(*make)(
	    enum record_aead a, const uint8_t *key, bool is_sealing);
	/*
	 * To out, the tag behind it.  The n_end bytes at end come in between,
	 * sealed as if they stood behind those of in.
	 */
	bool (*seal)(struct record_cipher *c, const struct record_bytes *b,
	    const uint8_t *end, size_t n_end);
	/* False: the tag is not that of these bytes. */
	bool (*open)(struct record_cipher *c, const struct record_bytes *b,
	    const uint8_t tag[RECORD_TAG]);
	/* The key is wiped. */
	void (*free)(struct record_cipher *c);
};

/* The best one for this cipher. */
const struct record_engine *record_engine_for(enum record_aead a);

/* All of them, best first, for tests and for people; NULL: no i-th one. */
const struct record_engine *record_engine_at(size_t i);

/* Does another library than OpenSSL do it? */
bool record_cipher_is_fast(const struct record_cipher *c);
void record_cipher_free(struct record_cipher *c);

/* For record_cipher.c and them.  NULL: of no use here. */
const struct record_engine *record_engine_evp(void);
const struct record_engine *record_engine_ipsec_mb(void);

#endif
