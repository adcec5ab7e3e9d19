/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

/*
 * What uthash needs to be safe against chosen keys: include this instead of
 * <uthash.h>.  Keys are hashed by SipHash-2-4 with a seed of this process.
 */

#include <stddef.h>
#include <stdint.h>

/* SipHash-2-4 with the seed of this process. */
uint64_t hash_bytes(const void *p, size_t n);

#define HASH_FUNCTION(key, len, out) \
	((out) = (unsigned)hash_bytes((key), (size_t)(len)))
#define uthash_fatal(msg) abort()
#define HASH_NONFATAL_OOM 0

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wundef"
#include <stdlib.h>
#include <uthash.h>
#pragma GCC diagnostic pop

#endif
