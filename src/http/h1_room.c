/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rooms are base/spare's: no lock stands in the way of a request, and it does
 * not matter which thread a session ends in.
 */

#include "http/h1_room.h"

#include <stdlib.h>

#include "base/spare.h"
#include "base/xalloc.h"

/* Most heads are smaller; what comes behind is copied only if it fits. */
#define ADD_FIRST ((size_t)4096)

_Static_assert(
    sizeof(struct h1_room) <= SPARE_BLOCK_MOST, "a room is not kept");

struct h1_room *
h1_room_take(void)
{
	struct h1_room *r = spare_alloc(sizeof(*r));

	r->p = r->first;
	r->cap = sizeof(r->first);
	r->trailer_lines = TEXT_EMPTY;
	r->trailer_fields = NULL;
	h1_room_clear(r);
	return r;
}

void
h1_room_give(struct h1_room *r)
{
	if (r == NULL)
		return;
	/* What an unusual message needed is not kept. */
	if (r->p != r->first)
		free(r->p);
	text_free(&r->trailer_lines);
	free(r->trailer_fields);
	spare_free(r);
}

void
h1_room_clear(struct h1_room *r)
{
	r->scanned = 0;
	r->used = 0;
	r->len = 0;
}

static void
grow(struct h1_room *r, size_t most)
{
	size_t cap = r->cap * 2 < most ? r->cap * 2 : most;

	if (cap <= r->cap)
		return;
	if (r->p == r->first) {
		r->p = xmalloc(cap);
		memcpy(r->p, r->first, r->len);
	} else {
		r->p = xreallocarray(r->p, cap, 1);
	}
	r->cap = cap;
}

size_t
h1_room_add(struct h1_room *r, struct str bytes, size_t most)
{
	size_t n;

	if (r->len == r->cap)
		grow(r, most);
	n = r->cap - r->len;
	if (r->len < ADD_FIRST && n > ADD_FIRST - r->len)
		n = ADD_FIRST - r->len;
	if (n > bytes.len)
		n = bytes.len;
	if (n > 0)
		memcpy(r->p + r->len, bytes.p, n);
	r->len += n;
	return n;
}

struct str
h1_room_rest(const struct h1_room *r)
{
	return (struct str){ .p = (const void *)(r->p + r->used),
		.len = r->len - r->used };
}
