/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_REF_H
#define BASE_REF_H

/* Atomic reference counts for objects that several threads share. */

#include <stdatomic.h>
#include <stdbool.h>

struct ref {
	atomic_uint count;
};

/* One reference, the caller's. */
static inline void
ref_init(struct ref *r)
{
	atomic_init(&r->count, 1);
}

static inline void
ref_up(struct ref *r)
{
	atomic_fetch_add_explicit(&r->count, 1, memory_order_relaxed);
}

/* True for the last one: the caller frees the object. */
static inline bool
ref_down(struct ref *r)
{
	return atomic_fetch_sub_explicit(&r->count, 1, memory_order_acq_rel) ==
	       1;
}

#endif
