/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists of free blocks, one for each size in steps of 64 bytes, a set a
 * thread; freed when the thread ends.  A block begins with its size, and says
 * there whether it is in use, so that one freed twice ends the process.
 */

#include "base/spare.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define STEP ((size_t)64)
#define CLASSES (SPARE_BLOCK_MOST / STEP + 2) /* with the head of a block */
#ifdef __SANITIZE_ADDRESS__
#define KEPT_MOST ((size_t)0)
#else
#define KEPT_MOST ((size_t)2048 * 1024)
#endif

enum use { USE_LIVE = 0x4c697665, USE_FREE = 0x46726565 };

struct block {
	alignas(max_align_t) uint32_t cap; /* with this head */
	enum use use;
	alignas(max_align_t) struct block *next; /* of those that are free */
};

#define HEAD offsetof(struct block, next)

struct spares {
	struct block *free[CLASSES]; /* by cap / STEP */
	size_t kept;
	bool is_registered; /* to be freed with the thread */
};

static _Thread_local struct spares local;
static pthread_key_t key;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;

static void
free_spares(void *arg)
{
	struct spares *sp = arg;
	struct block *b;

	for (size_t i = 0; i < CLASSES; i++)
		while ((b = sp->free[i]) != NULL) {
			sp->free[i] = b->next;
			free(b);
		}
	*sp = (struct spares){ .kept = 0 };
}

static void
make_key(void)
{
	if (pthread_key_create(&key, free_spares) != 0)
		abort();
}

static void
register_thread(void)
{
	if (pthread_once(&key_once, make_key) != 0 ||
	    pthread_setspecific(key, &local) != 0)
		abort();
	local.is_registered = true;
}

static struct block *
block_of(void *p)
{
	struct block *b = (void *)((char *)p - HEAD);

	/* Whatever overwrote it, or freed it before: no further. */
	if (b->use != USE_LIVE)
		abort();
	return b;
}

void *
spare_alloc(size_t n)
{
	size_t at, cap;
	struct block *b;

	if (n > UINT32_MAX - HEAD - STEP)
		abort();
	at = (n + HEAD + STEP - 1) / STEP;
	cap = at * STEP;
	if (at < CLASSES && (b = local.free[at]) != NULL) {
		local.free[at] = b->next;
		local.kept -= cap;
	} else {
		b = xmalloc(cap);
		b->cap = (uint32_t)cap;
	}
	b->use = USE_LIVE;
	return (char *)b + HEAD;
}

void *
spare_calloc(size_t n, size_t size)
{
	void *p;

	if (size != 0 && n > SIZE_MAX / size)
		abort();
	p = spare_alloc(n * size);
	memset(p, 0, n * size);
	return p;
}

void *
spare_realloc(void *p, size_t n)
{
	struct block *b;
	void *to;

	if (p == NULL)
		return spare_alloc(n);
	b = block_of(p);
	if (n <= b->cap - HEAD)
		return p;
	to = spare_alloc(n);
	memcpy(to, p, b->cap - HEAD);
	spare_free(p);
	return to;
}

void
spare_free(void *p)
{
	struct block *b;

	if (p == NULL)
		return;
	b = block_of(p);
	b->use = USE_FREE;
	if (b->cap / STEP >= CLASSES || local.kept + b->cap > KEPT_MOST) {
		free(b);
		return;
	}
	if (!local.is_registered)
		register_thread();
	b->next = local.free[b->cap / STEP];
	local.free[b->cap / STEP] = b;
	local.kept += b->cap;
}

size_t
spare_kept(void)
{
	return local.kept;
}
