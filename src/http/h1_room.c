/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rooms and the thread's spare ones.  The spares are thread-local, because no
 * lock should stand in the way of a request; they are freed when their thread
 * ends, and it does not matter which thread a session ends in.
 */

#include "http/h1_room.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/xalloc.h"

#define SPARES_MOST 32
/* Most heads are smaller; what comes behind is copied only if it fits. */
#define ADD_FIRST ((size_t)4096)

struct spares {
	struct h1_room *first;
	unsigned n;
	bool is_registered; /* to be freed with the thread */
};

static _Thread_local struct spares local;
static pthread_key_t key;
static pthread_once_t key_once = PTHREAD_ONCE_INIT;

static void
free_room(struct h1_room *r)
{
	if (r->p != r->first)
		free(r->p);
	text_free(&r->trailer_lines);
	free(r->trailer_fields);
	free(r);
}

static void
free_spares(void *arg)
{
	struct spares *sp = arg;
	struct h1_room *r;

	while ((r = sp->first) != NULL) {
		sp->first = r->next;
		free_room(r);
	}
	*sp = (struct spares){ .first = NULL };
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

struct h1_room *
h1_room_take(void)
{
	struct h1_room *r = local.first;

	if (r != NULL) {
		local.first = r->next;
		local.n--;
	} else {
		r = xmalloc(sizeof(*r));
		r->p = r->first;
		r->cap = sizeof(r->first);
		r->trailer_lines = TEXT_EMPTY;
		r->trailer_fields = NULL;
	}
	h1_room_clear(r);
	return r;
}

/* What an unusual message needed is not kept. */
static void
shrink(struct h1_room *r)
{
	if (r->p != r->first)
		free(r->p);
	r->p = r->first;
	r->cap = sizeof(r->first);
	text_free(&r->trailer_lines);
	free(r->trailer_fields);
	r->trailer_fields = NULL;
}

void
h1_room_give(struct h1_room *r)
{
	if (r == NULL)
		return;
	if (local.n == SPARES_MOST) {
		free_room(r);
		return;
	}
	shrink(r);
	if (!local.is_registered)
		register_thread();
	r->next = local.first;
	local.first = r;
	local.n++;
}

void
h1_room_clear(struct h1_room *r)
{
	r->scanned = 0;
	r->used = 0;
	r->len = 0;
	head_init(&r->trailers);
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
