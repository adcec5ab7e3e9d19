/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Laying an object out in one piece of memory.  Knows no object.  One thread.
 */

#include "policy/pack.h"

#include <stdalign.h>

#include "base/arena.h"

struct pack
pack_in(struct arena *a, const struct pack *count)
{
	arena_init(a, count->used);
	return (struct pack){ .base = arena_alloc(a, count->used) };
}

void *
pack_copy(struct pack *k, const void *p, size_t n, size_t align)
{
	char *at;

	k->used = (k->used + align - 1) & ~(align - 1);
	at = k->base == NULL ? NULL : k->base + k->used;
	k->used += n;
	if (at != NULL && n > 0)
		memcpy(at, p, n);
	return at;
}

struct str
pack_str(struct pack *k, struct str s)
{
	char *at = pack_copy(k, s.p, s.len, 1);

	/* The memory is zeroed, so skipping a byte terminates. */
	k->used++;
	return (struct str){ .p = at, .len = s.len };
}

struct str *
pack_strs(struct pack *k, const struct str *v, size_t n)
{
	struct str *copy = pack_copy(k, v, n * sizeof(*v), alignof(struct str));
	struct str s;
	size_t i;

	for (i = 0; i < n; i++) {
		s = pack_str(k, v[i]);
		if (copy != NULL)
			copy[i] = s;
	}
	return copy;
}
