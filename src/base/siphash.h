/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SIPHASH_H
#define BASE_SIPHASH_H

/* SipHash-2-4 under a given key; hash.h is what tables use. */

#include <stddef.h>
#include <stdint.h>

uint64_t siphash24(const uint64_t key[2], const void *p, size_t n);

#endif
