/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

/*
 * SHA-256 of what a thing is made of: equal digests mean equal things.  The
 * one file outside tls/ that calls libcrypto, for nothing but hashes.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define DIGEST_LEN 32

struct digest {
	uint8_t b[DIGEST_LEN];
};

/* Fields are separated by their lengths, so that "a","bc" is not "ab","c". */
struct digester;

struct digester *digester_new(void) MUST_CHECK;
void digester_add(struct digester *d, struct str field);
void digester_add_u64(struct digester *d, uint64_t field);
void digester_add_digest(struct digester *d, const struct digest *field);
/* The result; d can be used anew afterwards. */
struct digest digester_take(struct digester *d);
void digester_free(struct digester *d);

struct digest digest_of(struct str bytes);
bool digest_eq(const struct digest *a, const struct digest *b);
/* The first 16 hex digits, for people. */
void digest_print(const struct digest *d, char out[17]);

#define DIGEST_SHA1_LEN 20
/* SHA-1, which proves nothing any more; where a protocol names it. */
void digest_sha1(struct str bytes, uint8_t out[DIGEST_SHA1_LEN]);

#endif
