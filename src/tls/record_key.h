/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_RECORD_KEY_H
#define TLS_RECORD_KEY_H

/*
 * Keys of the record layer: which ciphers we know, and how the secrets of a
 * handshake become the keys of its two directions (RFC 5246, section 6.3; RFC
 * 8446, section 7).  Pure: no socket, no SSL object.  What is secret is wiped
 * by record_key_fini().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "tls/record_cipher.h"

#define RECORD_SECRET_MOST 48
#define RECORD_KEY_MOST 32
/* The master secret and the randoms of TLS 1.2. */
#define RECORD_MASTER 48
#define RECORD_RANDOM 32

enum record_version { RECORD_TLS_1_2, RECORD_TLS_1_3 };

struct record_suite {
	unsigned id; /* as on the wire: 0x1301 */
	enum record_version version;
	enum record_aead aead;
	const char *digest;
	size_t secret_len; /* of TLS 1.3: as long as the digest */
	size_t key_len;
	size_t explicit_len; /* of the nonce: it is in each record */
};

/* One direction of one connection.  Zeroed memory is no key. */
struct record_key {
	struct record_cipher *cipher; /* NULL: not since record_key_rest() */
	/* Who makes the cipher; NULL: the best that there is. */
	const struct record_engine *engine;
	const struct record_suite *suite;
	uint64_t seq; /* of the next record */
	uint8_t iv[RECORD_IV];
	bool is_sealing;
	uint8_t key[RECORD_KEY_MOST];       /* of the cipher */
	uint8_t secret[RECORD_SECRET_MOST]; /* TLS 1.3: the next one's root */
};

/* NULL: not one of ours. */
const struct record_suite *record_suite_find(
    unsigned id, enum record_version version);

/*
 * False means that the library failed.  These set all but engine and seq, which
 * counts the records that somebody else handled under the same key.
 */
bool record_key_from_secret(struct record_key *k, const struct record_suite *s,
    const uint8_t *secret, bool is_sealing) MUST_CHECK;
bool record_keys_from_master(struct record_key *client,
    struct record_key *server, const struct record_suite *s,
    const uint8_t master[RECORD_MASTER],
    const uint8_t client_random[RECORD_RANDOM],
    const uint8_t server_random[RECORD_RANDOM], bool is_server) MUST_CHECK;
/* TLS 1.3: the key that comes after a KeyUpdate; seq begins anew. */
bool record_key_update(struct record_key *k) MUST_CHECK;
/*
 * Free the cipher, which is most of a key; the next record makes it again,
 * which costs about as much as the record.
 */
void record_key_rest(struct record_key *k);
/* The cipher is there; false: the library failed. */
bool record_key_wake(struct record_key *k) MUST_CHECK;
void record_key_fini(struct record_key *k);

/* HKDF-Expand-Label with an empty context (RFC 8446, section 7.1). */
bool record_expand(const char *digest, const uint8_t *secret, size_t secret_len,
    const char *label, uint8_t *out, size_t n) MUST_CHECK;

#endif
