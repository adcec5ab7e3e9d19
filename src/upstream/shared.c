/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table in shards, each with a lock for finding, making and dropping; a
 * service has a lock of its own for what is in it.  The one is never taken
 * with the other.
 */

#include "upstream/shared.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "net/loop.h"

/* A power of two. */
#define SHARDS 16

struct shard {
	pthread_mutex_t lock;
	struct shared_service *table;
};

struct shared {
	struct shard shards[SHARDS];
};

struct shared *
shared_new(void)
{
	struct shared *s = xcalloc(1, sizeof(*s));
	size_t i;

	for (i = 0; i < SHARDS; i++)
		pthread_mutex_init(&s->shards[i].lock, NULL);
	return s;
}

void
shared_free(struct shared *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < SHARDS; i++)
		pthread_mutex_destroy(&s->shards[i].lock);
	free(s);
}

static struct shard *
shard_of(struct shared *s, const char *key, size_t len)
{
	return &s->shards[hash_bytes(key, len) % SHARDS];
}

static struct shared_service *
service_new(struct shared *all, struct str key)
{
	struct shared_service *s = xcalloc(1, sizeof(*s));

	s->all = all;
	s->key = str_dup(key);
	s->key_len = key.len;
	pthread_mutex_init(&s->lock, NULL);
	TAILQ_INIT(&s->members);
	return s;
}

struct shared_service *
shared_service_get(struct shared *all, struct str key)
{
	struct shard *shard = shard_of(all, key.p, key.len);
	struct shared_service *s;

	pthread_mutex_lock(&shard->lock);
	HASH_FIND(hh, shard->table, key.p, key.len, s);
	if (s == NULL) {
		s = service_new(all, key);
		HASH_ADD_KEYPTR(hh, shard->table, s->key, s->key_len, s);
	}
	s->refs++;
	pthread_mutex_unlock(&shard->lock);
	return s;
}

void
shared_service_unref(struct shared_service *s)
{
	struct shard *shard;
	bool is_last;

	if (s == NULL)
		return;
	shard = shard_of(s->all, s->key, s->key_len);
	pthread_mutex_lock(&shard->lock);
	is_last = --s->refs == 0;
	if (is_last)
		HASH_DELETE(hh, shard->table, s);
	pthread_mutex_unlock(&shard->lock);
	if (!is_last)
		return;
	pthread_mutex_destroy(&s->lock);
	free(s->key);
	free(s);
}

/* Who has a reference may take another. */
static void
service_ref_again(struct shared_service *s)
{
	struct shard *shard = shard_of(s->all, s->key, s->key_len);

	pthread_mutex_lock(&shard->lock);
	s->refs++;
	pthread_mutex_unlock(&shard->lock);
}

static struct shared_group *
find_or_make_group(struct shared_service *s, struct str name)
{
	struct shared_group *g;

	HASH_FIND(hh, s->groups, name.p, name.len, g);
	if (g != NULL)
		return g;
	g = xcalloc(1, sizeof(*g));
	g->service = s;
	g->name = str_dup(name);
	TAILQ_INIT(&g->endpoints);
	HASH_ADD_KEYPTR(hh, s->groups, g->name, name.len, g);
	return g;
}

static void
group_unref(struct shared_group *g)
{
	if (--g->refs > 0)
		return;
	HASH_DELETE(hh, g->service->groups, g);
	free(g->name);
	free(g);
}

static struct shared_endpoint *
find_or_make_endpoint(
    struct shared_group *g, struct str key, const struct digest *d)
{
	struct shared_endpoint *k;

	TAILQ_FOREACH(k, &g->endpoints, link)
	if (digest_eq(&k->digest, d) && str_eq(str_of(k->key), key))
		return k;
	k = xcalloc(1, sizeof(*k));
	k->group = g;
	k->key = str_dup(key);
	k->digest = *d;
	TAILQ_INSERT_TAIL(&g->endpoints, k, link);
	g->refs++;
	return k;
}

struct shared_endpoint *
shared_endpoint_get(struct shared_service *s, struct str group, struct str key,
    const struct digest *d)
{
	struct shared_endpoint *k;

	service_ref_again(s);
	pthread_mutex_lock(&s->lock);
	k = find_or_make_endpoint(find_or_make_group(s, group), key, d);
	k->refs++;
	k->offered++;
	pthread_mutex_unlock(&s->lock);
	return k;
}

static void
endpoint_free(struct shared_endpoint *k)
{
	TAILQ_REMOVE(&k->group->endpoints, k, link);
	group_unref(k->group);
	free(k->why);
	free(k->key);
	free(k);
}

void
shared_endpoint_unref(struct shared_endpoint *k, bool is_offered)
{
	struct shared_service *s;

	if (k == NULL)
		return;
	s = k->group->service;
	pthread_mutex_lock(&s->lock);
	k->offered -= is_offered;
	if (--k->refs == 0)
		endpoint_free(k);
	pthread_mutex_unlock(&s->lock);
	shared_service_unref(s);
}

void
shared_endpoint_offer(struct shared_endpoint *k, bool is_offered)
{
	pthread_mutex_lock(&k->group->service->lock);
	if (is_offered)
		k->offered++;
	else
		k->offered--;
	pthread_mutex_unlock(&k->group->service->lock);
}

void
shared_forgive(struct shared_service *s)
{
	struct shared_endpoint *k;
	struct shared_group *g;

	pthread_mutex_lock(&s->lock);
	for (g = s->groups; g != NULL; g = g->hh.next)
		TAILQ_FOREACH(k, &g->endpoints, link)
		{
			k->outlier = (struct outlier_host){ 0 };
			atomic_store_explicit(
			    &k->out_until_ms, 0, memory_order_relaxed);
		}
	pthread_mutex_unlock(&s->lock);
}

void
shared_endpoint_explain(struct shared_endpoint *k, const char *why)
{
	char *copy = why[0] != '\0' ? xstrdup(why) : NULL;
	char *old;

	pthread_mutex_lock(&k->group->service->lock);
	old = k->why;
	k->why = copy;
	pthread_mutex_unlock(&k->group->service->lock);
	free(old);
}

void
shared_endpoint_why(struct shared_endpoint *k, struct text *out)
{
	pthread_mutex_lock(&k->group->service->lock);
	if (k->why != NULL)
		text_add_z(out, k->why);
	pthread_mutex_unlock(&k->group->service->lock);
}

struct shared_member *
shared_join(struct shared_service *s, struct loop *l,
    void (*fn)(void *arg, unsigned news), void *arg)
{
	struct shared_member *m = xcalloc(1, sizeof(*m));

	ref_init(&m->ref);
	m->loop = l;
	m->fn = fn;
	m->arg = arg;
	pthread_mutex_lock(&s->lock);
	TAILQ_INSERT_TAIL(&s->members, m, link);
	pthread_mutex_unlock(&s->lock);
	return m;
}

static void
member_unref(struct shared_member *m)
{
	if (ref_down(&m->ref))
		free(m);
}

void
shared_leave(struct shared_service *s, struct shared_member *m)
{
	pthread_mutex_lock(&s->lock);
	TAILQ_REMOVE(&s->members, m, link);
	pthread_mutex_unlock(&s->lock);
	/* What was posted to it comes all the same. */
	m->arg = NULL;
	member_unref(m);
}

static void
on_news(void *arg)
{
	struct shared_member *m = arg;
	unsigned news = atomic_exchange(&m->news, 0);

	if (m->arg != NULL)
		m->fn(m->arg, news);
	member_unref(m);
}

void
shared_tell(struct shared_service *s, const struct shared_member *but,
    enum shared_news news)
{
	struct shared_member *m;

	pthread_mutex_lock(&s->lock);
	TAILQ_FOREACH(m, &s->members, link)
	{
		/* One post carries all that comes before it is read. */
		if (m == but || atomic_fetch_or(&m->news, news) != 0)
			continue;
		ref_up(&m->ref);
		loop_post(m->loop, on_news, m);
	}
	pthread_mutex_unlock(&s->lock);
}

unsigned
shared_requests(struct shared_service *s)
{
	const struct shared_member *m;
	unsigned n = 0;

	pthread_mutex_lock(&s->lock);
	TAILQ_FOREACH(m, &s->members, link)
	n += atomic_load_explicit(&m->requests, memory_order_relaxed);
	pthread_mutex_unlock(&s->lock);
	return n;
}
