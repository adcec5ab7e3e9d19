/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_KDF_H
#define TLS_KDF_H

/*
 * Keys out of secrets, as TLS derives them: HKDF with the labels of TLS 1.3
 * (RFC 5869; RFC 8446, section 7.1) and the pseudo-random function of TLS 1.2
 * (RFC 5246, section 5), over SHA-256 and SHA-384.  Pure; nothing secret stays
 * in memory that is not the caller's.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/str.h"

#define KDF_HASH_MOST 48

enum kdf_hash { KDF_SHA256, KDF_SHA384 };

/* By one of the names that OpenSSL gives it. */
bool kdf_hash_find(const char *name, enum kdf_hash *out) MUST_CHECK;
size_t kdf_hash_len(enum kdf_hash h);

/* HKDF-Extract; out has kdf_hash_len() bytes, and may be where an input is. */
void kdf_extract(
    enum kdf_hash h, struct str salt, struct str secret, uint8_t *out);

/*
 * HKDF-Expand-Label.  label with its prefix ("tls13 key").  False: a part is
 * longer than the format can say.
 */
bool kdf_expand_label(enum kdf_hash h, struct str secret, struct str label,
    struct str context, uint8_t *out, size_t n) MUST_CHECK;

/* The hash of nothing. */
void kdf_hash_of_nothing(enum kdf_hash h, uint8_t *out);

/* PRF of TLS 1.2: the seed, label included, comes in pieces. */
#define KDF_PIECES_MOST 8
bool kdf_prf(enum kdf_hash h, struct str secret, const struct str *seed,
    size_t n_seed, uint8_t *out, size_t n) MUST_CHECK;

#endif
