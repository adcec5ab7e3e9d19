/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See the header.  A slab begins where its address is a multiple of its size,
 * so an object knows its slab; free objects of it are a list.
 */

#include "base/slab.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define SLAB_SIZE ((size_t)128 * 1024)

struct slab {
	struct slab *next; /* of the pool's open ones */
	struct slab *prev;
	void *free;    /* objects that were given back, each leads on */
	size_t fresh;  /* offset of those that were never taken */
	size_t in_use; /* objects */
};

#define FIRST ((sizeof(struct slab) + SLAB_ALIGN - 1) / SLAB_ALIGN * SLAB_ALIGN)

static bool
is_full(const struct slab_pool *pool, const struct slab *s)
{
	return s->free == NULL && s->fresh + pool->size > SLAB_SIZE;
}

static void
open_slab(struct slab_pool *pool, struct slab *s)
{
	s->prev = NULL;
	s->next = pool->open;
	if (s->next != NULL)
		s->next->prev = s;
	pool->open = s;
}

static void
close_slab(struct slab_pool *pool, struct slab *s)
{
	if (s->next != NULL)
		s->next->prev = s->prev;
	if (s->prev != NULL)
		s->prev->next = s->next;
	else
		pool->open = s->next;
}

/* Twice as much, so that a slab with its address is in it; the rest goes. */
static struct slab *
map_slab(struct slab_pool *pool)
{
	char *p = mmap(NULL, 2 * SLAB_SIZE, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	size_t before;
	struct slab *s;

	if (p == MAP_FAILED)
		abort();
	before = SLAB_SIZE - (uintptr_t)p % SLAB_SIZE;
	(void)munmap(p, before);
	if (before < SLAB_SIZE)
		(void)munmap(p + before + SLAB_SIZE, SLAB_SIZE - before);
	s = (void *)(p + before);
	*s = (struct slab){ .fresh = FIRST };
	pool->n++;
	open_slab(pool, s);
	return s;
}

static void *
take(struct slab_pool *pool)
{
	struct slab *s = pool->open != NULL ? pool->open : map_slab(pool);
	void *p = s->free;

	if (p != NULL) {
		s->free = *(void **)p;
	} else {
		p = (char *)s + s->fresh;
		s->fresh += pool->size;
	}
	s->in_use++;
	if (is_full(pool, s))
		close_slab(pool, s);
	return p;
}

/* The last slab with room stays, else one object would map it again and again.
 */
static void
give(struct slab_pool *pool, void *p)
{
	struct slab *s = (void *)((char *)p - (uintptr_t)p % SLAB_SIZE);

	if (is_full(pool, s))
		open_slab(pool, s);
	*(void **)p = s->free;
	s->free = p;
	s->in_use--;
	if (s->in_use > 0 || (pool->open == s && s->next == NULL))
		return;
	close_slab(pool, s);
	pool->n--;
	(void)munmap(s, SLAB_SIZE);
}

#ifdef __SANITIZE_ADDRESS__
static void *
take_checked(size_t size)
{
	void *p = aligned_alloc(SLAB_ALIGN, size);

	if (p == NULL)
		abort();
	return p;
}
#endif

void *
slab_take(struct slab_pool *pool)
{
	void *p;

	pthread_mutex_lock(&pool->lock);
#ifdef __SANITIZE_ADDRESS__
	(void)take;
	p = take_checked(pool->size);
#else
	p = take(pool);
#endif
	pthread_mutex_unlock(&pool->lock);
	return p;
}

void
slab_give(struct slab_pool *pool, void *p)
{
	pthread_mutex_lock(&pool->lock);
#ifdef __SANITIZE_ADDRESS__
	(void)give;
	free(p);
#else
	give(pool, p);
#endif
	pthread_mutex_unlock(&pool->lock);
}
