/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SPARE_H
#define BASE_SPARE_H

/*
 * Blocks that come and go by the hundred: a thread keeps those that it freed,
 * up to a bound, and takes them again.  malloc(3) does the same for
 * seven of a size, which a burst of streams is far over.
 *
 * Blocks may be freed by another thread than the one that took them; then it
 * keeps them.  Under the address sanitizer nothing is kept, so that it sees
 * every use of a block after its end.
 */

#include <stddef.h>

#include "base/attr.h"

/* Larger ones are not kept. */
#define SPARE_BLOCK_MOST ((size_t)24 * 1024)

void *spare_alloc(size_t n) MUST_CHECK;
/* Zeroed. */
void *spare_calloc(size_t n, size_t size) MUST_CHECK;
/* p NULL: as spare_alloc(). */
void *spare_realloc(void *p, size_t n) MUST_CHECK;
/* NULL is fine. */
void spare_free(void *p);

/* Bytes that this thread keeps. */
size_t spare_kept(void);

#endif
