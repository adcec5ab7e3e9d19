/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_RECORD_H
#define TLS_RECORD_H

/*
 * Sealing and opening single records of TLS 1.2 and 1.3 (RFC 8446, section 5;
 * RFC 5246, section 6.2) with authenticated ciphers.  One pass, from one place
 * of memory to another or in place.  Pure: what a record means is for others.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tls/record_key.h"

#define RECORD_HEADER 5
#define RECORD_PLAIN 16384
/* Before and behind the bytes of a record that we make. */
#define RECORD_BEFORE_MOST (RECORD_HEADER + 8)
#define RECORD_AFTER_MOST (1 + RECORD_TAG)
#define RECORD_OVERHEAD_MOST (RECORD_BEFORE_MOST + RECORD_AFTER_MOST)
/* What a peer's record may have behind its header, whatever its version. */
#define RECORD_BODY_MOST (RECORD_PLAIN + 2048)

enum record_type {
	RECORD_CHANGE_CIPHER_SPEC = 20,
	RECORD_ALERT = 21,
	RECORD_HANDSHAKE = 22,
	RECORD_DATA = 23
};

/* The length that its header gives, header included; p has RECORD_HEADER. */
size_t record_len(const uint8_t *p);

/* Where in a record the bytes are that it carries. */
size_t record_before(const struct record_key *k);

/*
 * Make one record of n <= RECORD_PLAIN bytes at out, which has room for them
 * and RECORD_OVERHEAD_MOST more.  in may be out + record_before(k) and must not
 * overlap out otherwise.  Gives the record's length; 0: the library failed, or
 * the key has no number left.
 */
size_t record_seal(struct record_key *k, enum record_type type,
    const uint8_t *in, size_t n, uint8_t *out) MUST_CHECK;

struct record {
	uint8_t type; /* TLS 1.3: the inner one; may be none of ours */
	size_t len;
	uint8_t alert; /* of a record that is not good: what to say about it */
};

/*
 * Open the record of n = record_len() bytes at p into out, which has room for
 * n bytes.  False: it is bad, nothing in out may be used, and neither may k.
 */
bool record_open(struct record_key *k, const uint8_t *p, size_t n, uint8_t *out,
    struct record *r) MUST_CHECK;

#endif
