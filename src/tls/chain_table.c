/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A key says by itself in which shard and set a chain is.  Only who holds a
 * certificate of the CA can put one in, and a set that is full forgets one of
 * its own, so that the worst is what there would be without this: a chain that
 * is verified again.  Any thread: a lock a shard.
 */

#include "tls/chain_table.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/xalloc.h"

#define SHARDS 16
#define SETS 64
#define WAYS 4

struct known {
	struct digest key;
	struct chain_times times; /* zero: nothing is here */
};

struct shard {
	pthread_mutex_t lock;
	unsigned hand;
	struct known v[SETS][WAYS];
};

struct chain_table {
	struct shard shards[SHARDS];
};

struct chain_table *
chain_table_new(void)
{
	struct chain_table *t = xcalloc(1, sizeof(*t));
	size_t i;

	for (i = 0; i < SHARDS; i++)
		pthread_mutex_init(&t->shards[i].lock, NULL);
	return t;
}

void
chain_table_free(struct chain_table *t)
{
	size_t i;

	if (t == NULL)
		return;
	for (i = 0; i < SHARDS; i++)
		pthread_mutex_destroy(&t->shards[i].lock);
	free(t);
}

static struct shard *
shard_of(struct chain_table *t, const struct digest *key)
{
	return &t->shards[key->b[0] % SHARDS];
}

static struct known *
find(struct shard *s, const struct digest *key)
{
	struct known *set = s->v[key->b[1] % SETS];
	size_t i;

	for (i = 0; i < WAYS; i++)
		if (set[i].times.not_after_s != 0 &&
		    digest_eq(&set[i].key, key))
			return &set[i];
	return NULL;
}

void
chain_table_put(struct chain_table *t, const struct digest *key,
    const struct chain_times *times)
{
	struct shard *s = shard_of(t, key);
	struct known *k;

	pthread_mutex_lock(&s->lock);
	k = find(s, key);
	if (k == NULL)
		k = &s->v[key->b[1] % SETS][s->hand++ % WAYS];
	*k = (struct known){ .key = *key, .times = *times };
	pthread_mutex_unlock(&s->lock);
}

bool
chain_table_get(struct chain_table *t, const struct digest *key, int64_t now_s,
    struct chain_times *out)
{
	struct shard *s = shard_of(t, key);
	const struct known *k;
	bool is_good;

	pthread_mutex_lock(&s->lock);
	k = find(s, key);
	is_good = k != NULL && now_s >= k->times.not_before_s &&
		  now_s < k->times.not_after_s;
	if (is_good)
		*out = k->times;
	pthread_mutex_unlock(&s->lock);
	return is_good;
}
