/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table by the service's name in the metrics.  A service whose servers have
 * several certificates shows now the one, now the other; that the earliest was
 * renewed shows in that it does not come again.  Any thread.
 */

#include "upstream/chain_book.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/xalloc.h"
#include "upstream/cluster_state.h"

#define SERVICES_MOST 65536
#define REPLACED_S 3600
/* What an endpoint shows all the time is told so often. */
#define NOTE_MS 60000

struct chain {
	char *service;
	int64_t end_s;
	int64_t seen_s; /* the last time */
	UT_hash_handle hh;
};

struct chain_book {
	pthread_mutex_t lock;
	struct chain *chains;
	size_t n;
	uint64_t version;
};

struct chain_book *
chain_book_new(void)
{
	struct chain_book *b = xcalloc(1, sizeof(*b));

	pthread_mutex_init(&b->lock, NULL);
	return b;
}

static void
drop(struct chain_book *b, struct chain *c)
{
	HASH_DEL(b->chains, c);
	b->n--;
	free(c->service);
	free(c);
}

void
chain_book_free(struct chain_book *b)
{
	struct chain *c, *next;

	if (b == NULL)
		return;
	for (c = b->chains; c != NULL; c = next) {
		next = c->hh.next;
		drop(b, c);
	}
	pthread_mutex_destroy(&b->lock);
	free(b);
}

static struct chain *
find(struct chain_book *b, struct str service)
{
	struct chain *c;

	HASH_FIND(hh, b->chains, service.p, service.len, c);
	return c;
}

static struct chain *
add(struct chain_book *b, struct str service)
{
	struct chain *c;

	if (b->n >= SERVICES_MOST)
		return NULL;
	c = xcalloc(1, sizeof(*c));
	c->service = str_dup(service);
	HASH_ADD_KEYPTR(hh, b->chains, c->service, service.len, c);
	b->n++;
	return c;
}

static void
note(struct chain_book *b, struct chain *c, int64_t end_s, int64_t now_s)
{
	if (c->end_s != 0 && end_s > c->end_s && now_s - c->seen_s < REPLACED_S)
		return;
	b->version += c->end_s != end_s;
	c->end_s = end_s;
	c->seen_s = now_s;
}

void
chain_book_note(
    struct chain_book *b, struct str service, int64_t end_s, int64_t now_s)
{
	struct chain *c;

	pthread_mutex_lock(&b->lock);
	c = find(b, service);
	if (c == NULL)
		c = add(b, service);
	if (c != NULL)
		note(b, c, end_s, now_s);
	pthread_mutex_unlock(&b->lock);
}

void
chain_book_forget(struct chain_book *b, struct str service)
{
	struct chain *c;

	pthread_mutex_lock(&b->lock);
	c = find(b, service);
	if (c != NULL) {
		drop(b, c);
		b->version++;
	}
	pthread_mutex_unlock(&b->lock);
}

uint64_t
chain_book_version(struct chain_book *b)
{
	uint64_t version;

	pthread_mutex_lock(&b->lock);
	version = b->version;
	pthread_mutex_unlock(&b->lock);
	return version;
}

void
chain_book_each(struct chain_book *b,
    void (*visit)(void *arg, struct str service, int64_t end_s), void *arg)
{
	const struct chain *c;

	pthread_mutex_lock(&b->lock);
	for (c = b->chains; c != NULL; c = c->hh.next)
		visit(arg, str_of(c->service), c->end_s);
	pthread_mutex_unlock(&b->lock);
}

void
cluster_saw_chain(struct cluster *c, struct live_endpoint *e, int64_t end_s)
{
	struct chain_book *b = cluster_env(c)->chains;
	uint64_t now_ms = cluster_now_ms(c);

	if (b == NULL || end_s == 0)
		return;
	if (e->chain_end_s == end_s && now_ms - e->chain_noted_ms < NOTE_MS)
		return;
	e->chain_end_s = end_s;
	e->chain_noted_ms = now_ms;
	chain_book_note(b, c->service->stats_name, end_s, clock_wall_s());
}
