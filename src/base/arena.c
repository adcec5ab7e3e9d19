/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory with one life, as a list of chunks that grow.  A piece too large to
 * share a chunk gets one of its own, behind the one in use.  One thread.
 */

#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"

#define DEFAULT_BYTES 1024
#define MOST_BYTES 65536
#define ALIGN alignof(max_align_t)

struct arena_chunk {
	struct arena_chunk *next;
	size_t size; /* of data */
	alignas(max_align_t) char data[];
};

void
arena_init(struct arena *a, size_t first_bytes)
{
	*a = (struct arena){
		.first_bytes = first_bytes > 0 ? first_bytes : DEFAULT_BYTES,
	};
}

void
arena_fini(struct arena *a)
{
	struct arena_chunk *chunk;

	while ((chunk = a->head) != NULL) {
		a->head = chunk->next;
		free(chunk);
	}
	a->used = 0;
}

void
arena_clear(struct arena *a)
{
	struct arena_chunk *chunk = a->head;

	if (chunk == NULL)
		return;
	if (chunk->next != NULL || chunk->size != a->first_bytes) {
		arena_fini(a);
		return;
	}
	memset(chunk->data, 0, a->used);
	a->used = 0;
}

static struct arena_chunk *
new_chunk(size_t size)
{
	struct arena_chunk *chunk;

	/* A sum that wraps asks for what no allocator can give. */
	if (__builtin_add_overflow(size, sizeof(*chunk), &size))
		size = SIZE_MAX;
	chunk = xcalloc(1, size);
	chunk->size = size - sizeof(*chunk);
	return chunk;
}

static void *
alloc_alone(struct arena *a, size_t n)
{
	struct arena_chunk *chunk = new_chunk(n);

	if (a->head == NULL) {
		a->head = chunk;
		a->used = n;
	} else {
		chunk->next = a->head->next;
		a->head->next = chunk;
	}
	return chunk->data;
}

static size_t
next_size(const struct arena *a)
{
	size_t size;

	if (a->head == NULL)
		return a->first_bytes;
	size = a->head->size;
	return size < MOST_BYTES / 2 ? size * 2 : MOST_BYTES;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	struct arena_chunk *chunk;
	size_t size;

	if (n > SIZE_MAX / 2)
		return alloc_alone(a, SIZE_MAX);
	n = (n > 0 ? n + ALIGN - 1 : ALIGN) & ~(ALIGN - 1);
	if (a->head == NULL || n > a->head->size - a->used) {
		size = next_size(a);
		if (n > size / 2)
			return alloc_alone(a, n);
		chunk = new_chunk(size);
		chunk->next = a->head;
		a->head = chunk;
		a->used = 0;
	}
	a->used += n;
	return a->head->data + a->used - n;
}

char *
arena_strdup(struct arena *a, struct str s)
{
	char *copy = arena_alloc(a, s.len + 1);

	if (s.len > 0)
		memcpy(copy, s.p, s.len);
	return copy;
}

struct str
arena_str(struct arena *a, struct str s)
{
	if (s.p == NULL)
		return STR_NONE;
	return (struct str){ .p = arena_strdup(a, s), .len = s.len };
}

char *
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *whole, *s;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&whole, fmt, ap);
	va_end(ap);
	if (n == -1)
		return arena_strdup(a, STR(""));
	s = arena_strdup(a, (struct str){ .p = whole, .len = (size_t)n });
	free(whole);
	return s;
}

size_t
arena_bytes(const struct arena *a)
{
	const struct arena_chunk *chunk;
	size_t sum = 0;

	for (chunk = a->head; chunk != NULL; chunk = chunk->next)
		sum += sizeof(*chunk) + chunk->size;
	return sum;
}
