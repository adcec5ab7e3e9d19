/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_PACK_H
#define POLICY_PACK_H

/*
 * An immutable object laid out in one piece of memory of exactly its size.
 * The code that lays it out runs twice: over a pack without memory, which only
 * counts, then over one with as much zeroed memory as was counted.
 */

#include <stddef.h>

#include "base/str.h"

struct arena;

struct pack {
	char *base; /* NULL: counting */
	size_t used;
};

/* Memory of just the size that counting gave, in a. */
struct pack pack_in(struct arena *a, const struct pack *count);
/* A copy of n bytes at p; NULL while counting.  align is a power of two. */
void *pack_copy(struct pack *k, const void *p, size_t n, size_t align);
/* A terminated copy; while counting its p is NULL. */
struct str pack_str(struct pack *k, struct str s);
struct str *pack_strs(struct pack *k, const struct str *v, size_t n);

#endif
