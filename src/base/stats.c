/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shards of counters: one thread writes a shard, anyone may read it.  The
 * list of shards is the process's, because what is rendered is the process.
 * The Prometheus text is made in stats_render.c.
 */

#include "base/stats.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/stats_shard.h"
#include "base/xalloc.h"

struct stats_shard {
	/* Held to change a table, and by other threads to read one. */
	pthread_mutex_t lock;
	struct stats_entry *sets[SCOPE_N];
	struct stats_shard *next;
};

static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;
static struct stats_shard *all;

size_t
stats_scope_len(enum stat_scope scope)
{
	switch (scope) {
	case SCOPE_SERVER:
		return STAT_SERVER_N;
	case SCOPE_LISTENER:
		return STAT_LISTENER_N;
	case SCOPE_CLUSTER:
		return STAT_CLUSTER_N;
	case SCOPE_OUTCOME:
		return STAT_OUTCOME_N;
	case SCOPE_RESOLVER:
		return STAT_RESOLVER_N;
	case SCOPE_EXPIRY:
		return STAT_EXPIRY_N;
	case SCOPE_NAMED:
		return STAT_NAMED_N;
	case SCOPE_RULE:
		return STAT_RULE_N;
	case SCOPE_N:
		break;
	}
	return 0;
}

struct stats_shard *
stats_shard_new(void)
{
	struct stats_shard *s = xcalloc(1, sizeof(*s));

	pthread_mutex_init(&s->lock, NULL);
	pthread_mutex_lock(&all_lock);
	s->next = all;
	all = s;
	pthread_mutex_unlock(&all_lock);
	return s;
}

static void
free_entry(struct stats_entry *e)
{
	free(e->set.name);
	free(e->set.v);
	free(atomic_load(&e->set.connect_ms));
	free(e);
}

void
stats_shard_free(struct stats_shard *s)
{
	struct stats_shard **at;
	struct stats_entry *e, *next;
	unsigned scope;

	if (s == NULL)
		return;
	pthread_mutex_lock(&all_lock);
	for (at = &all; *at != s; at = &(*at)->next)
		;
	*at = s->next;
	pthread_mutex_unlock(&all_lock);
	for (scope = 0; scope < SCOPE_N; scope++)
		HASH_ITER(hh, s->sets[scope], e, next)
		{
			HASH_DEL(s->sets[scope], e);
			free_entry(e);
		}
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static struct stats_entry *
find(struct stats_shard *s, enum stat_scope scope, const char *name)
{
	struct stats_entry *e;

	HASH_FIND_STR(s->sets[scope], name, e);
	return e;
}

struct stats_set *
stats_get(struct stats_shard *s, enum stat_scope scope, const char *name)
{
	const char *key = name != NULL ? name : "";
	struct stats_entry *e;

	/* Only this thread changes the tables, so it reads without the lock. */
	e = find(s, scope, key);
	if (e != NULL)
		return &e->set;
	e = xcalloc(1, sizeof(*e));
	e->set.scope = scope;
	e->set.name = xstrdup(key);
	e->set.v = xcalloc(stats_scope_len(scope), sizeof(*e->set.v));
	pthread_mutex_lock(&s->lock);
	HASH_ADD_KEYPTR(
	    hh, s->sets[scope], e->set.name, strlen(e->set.name), e);
	pthread_mutex_unlock(&s->lock);
	return &e->set;
}

void
stats_drop(struct stats_shard *s, struct stats_set *set)
{
	struct stats_entry *e;

	if (set == NULL)
		return;
	e = CONTAINER_OF(set, struct stats_entry, set);
	pthread_mutex_lock(&s->lock);
	HASH_DEL(s->sets[set->scope], e);
	pthread_mutex_unlock(&s->lock);
	free_entry(e);
}

static void
add_relaxed(_Atomic uint64_t *to, uint64_t n)
{
	/* As stat_add(): one writer. */
	atomic_store_explicit(to,
	    atomic_load_explicit(to, memory_order_relaxed) + n,
	    memory_order_relaxed);
}

void
stat_connect_time(struct stats_set *s, uint64_t us)
{
	struct histogram *h;
	double ms = (double)us / 1000;
	unsigned i = 0;

	h = atomic_load_explicit(&s->connect_ms, memory_order_relaxed);
	if (h == NULL) {
		h = xcalloc(1, sizeof(*h));
		atomic_store_explicit(&s->connect_ms, h, memory_order_release);
	}
	while (i < STATS_BUCKETS - 1 && ms > stats_bucket_ms[i])
		i++;
	add_relaxed(&h->bucket[i], 1);
	add_relaxed(&h->sum_us, us);
}

void
stats_each(void (*visit)(const struct stats_set *set, void *arg), void *arg)
{
	struct stats_shard *s;
	struct stats_entry *e;
	unsigned scope;

	pthread_mutex_lock(&all_lock);
	for (s = all; s != NULL; s = s->next) {
		pthread_mutex_lock(&s->lock);
		for (scope = 0; scope < SCOPE_N; scope++)
			for (e = s->sets[scope]; e != NULL; e = e->hh.next)
				visit(&e->set, arg);
		pthread_mutex_unlock(&s->lock);
	}
	pthread_mutex_unlock(&all_lock);
}

void
stats_each_named(enum stat_scope scope, const char *name,
    void (*visit)(const struct stats_set *set, void *arg), void *arg)
{
	struct stats_shard *s;
	struct stats_entry *e;

	pthread_mutex_lock(&all_lock);
	for (s = all; s != NULL; s = s->next) {
		pthread_mutex_lock(&s->lock);
		e = find(s, scope, name != NULL ? name : "");
		if (e != NULL)
			visit(&e->set, arg);
		pthread_mutex_unlock(&s->lock);
	}
	pthread_mutex_unlock(&all_lock);
}

void
stats_merge(const struct stat_row *row, uint64_t *sum, uint64_t n)
{
	if (row->type != STAT_GAUGE_MAX)
		*sum += n;
	else if (n > *sum)
		*sum = n;
}

struct lookup {
	const struct stat_row *row;
	unsigned id;
	uint64_t sum;
};

static void
look(const struct stats_set *set, void *arg)
{
	struct lookup *l = arg;

	stats_merge(l->row, &l->sum,
	    atomic_load_explicit(&set->v[l->id], memory_order_relaxed));
}

uint64_t
stats_sum(enum stat_scope scope, const char *name, unsigned id)
{
	struct lookup l = { .id = id };
	size_t n = stats_rows(&l.row);
	unsigned at = 0;

	for (; n > 0; l.row++, n--)
		if (l.row->scope == scope && at++ == id)
			break;
	if (n == 0)
		return 0;
	stats_each_named(scope, name, look, &l);
	return l.sum;
}
