/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_SLAB_H
#define BASE_SLAB_H

/*
 * Many objects of one size that come and go at about the same time: from
 * mappings of their own, each of which goes back to the system with the last
 * object in it.  malloc(3) would keep what is between others.  Any thread; an
 * object may be given back by another than the one that took it.  Under the
 * address sanitizer each is from malloc(3), so that it sees every use of one
 * after its end.
 */

#include <pthread.h>
#include <stddef.h>

#include "base/attr.h"

#define SLAB_ALIGN 64

struct slab;

struct slab_pool {
	pthread_mutex_t lock;
	size_t size;       /* of an object; a multiple of SLAB_ALIGN */
	struct slab *open; /* with room, the one that was opened last first */
	size_t n;          /* slabs that there are */
};

#define SLAB_POOL(bytes)                                           \
	{                                                          \
		.lock = PTHREAD_MUTEX_INITIALIZER, .size = (bytes) \
	}

/* Aligned to SLAB_ALIGN; what it holds is not known. */
void *slab_take(struct slab_pool *pool) MUST_CHECK;
void slab_give(struct slab_pool *pool, void *p);

#endif
