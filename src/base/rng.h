/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_RNG_H
#define BASE_RNG_H

/*
 * Random numbers for balance, jitter, request ids and hash seeds: fast, seeded
 * from getrandom(2), a state a thread.  Keys and nonces come from OpenSSL.
 */

#include <stddef.h>
#include <stdint.h>

uint64_t rng_u64(void);
/* 0 <= result < n, n > 0, without bias. */
uint32_t rng_below(uint32_t n);
/* One value a process, for seeding hash tables. */
uint64_t rng_process_seed(void);
/* Straight from the kernel: unlike the above, not to be foretold. */
void rng_kernel(void *p, size_t n);
/* RFC 4122 version 4, 36 characters and a NUL. */
void rng_uuid(char out[37]);

#endif
