/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

/*
 * Memory with one life: many small pieces that are freed together.  Used for
 * a parsed document, a service, a request head.  Not for several threads.
 */

#include <stddef.h>

#include "base/str.h"

struct arena {
	struct arena_chunk *head;
	size_t used;
	size_t first_bytes;
};

/* Nothing is allocated before the first use; first_bytes 0 is a default. */
void arena_init(struct arena *a, size_t first_bytes);
void arena_fini(struct arena *a);
/* As arena_fini(), but the first chunk may stay for what comes next. */
void arena_clear(struct arena *a);
/* Zeroed, aligned for any type. */
void *arena_alloc(struct arena *a, size_t n) MUST_CHECK;
/* A copy, terminated. */
char *arena_strdup(struct arena *a, struct str s) MUST_CHECK;
struct str arena_str(struct arena *a, struct str s);
char *arena_printf(struct arena *a, const char *fmt, ...)
    PRINTF_LIKE(2, 3) MUST_CHECK;
/* Bytes held, for the memory figures. */
size_t arena_bytes(const struct arena *a);

#endif
