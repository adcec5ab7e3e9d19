/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seeded hash behind every table: keys come from peers and from files, so
 * nobody may know which of them collide.  The seed is made once; any thread.
 */

#include "base/hash.h"

#include <pthread.h>

#include "base/rng.h"
#include "base/siphash.h"

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static uint64_t key[2];

/* Two words that rng_u64() never showed to anyone. */
static void
make_key(void)
{
	rng_kernel(key, sizeof(key));
}

uint64_t
hash_bytes(const void *p, size_t n)
{
	pthread_once(&key_once, make_key);
	return siphash24(key, p, n);
}
