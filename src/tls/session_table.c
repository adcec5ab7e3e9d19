/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An id says by itself in which shard and set a session is: it is random, and
 * we chose it.  A set has a few places; where there is none left, and where
 * the bytes are used up, a hand goes round and takes away what is over or was
 * not used since it came by last (the "clock" of page replacement).  Keys of
 * sessions are wiped.  Any thread: a lock a shard.
 */

#include "tls/session_table.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

#define SHARDS 16
#define WAYS 8
/* Places that are looked at for sessions that are over, at each new one. */
#define TIDY 2

struct kept {
	int64_t end_s;
	size_t len;
	bool is_lasting;
	bool is_used;
	uint8_t id[SESSION_ID_LEN];
	char bytes[];
};

struct shard {
	pthread_mutex_t lock;
	struct kept **places; /* its part of all */
	size_t hand;
	size_t n;
	size_t bytes;
};

struct session_table {
	size_t sets;      /* of a shard; a power of two */
	size_t bytes_max; /* of a shard */
	struct kept **places;
	struct shard shards[SHARDS];
};

struct session_table *
session_table_new(size_t n, size_t bytes)
{
	struct session_table *t = xcalloc(1, sizeof(*t));
	size_t i;

	t->sets = 1;
	while (t->sets * WAYS * SHARDS < n)
		t->sets *= 2;
	t->bytes_max = bytes / SHARDS;
	/* In one piece, so that pages come when they are used. */
	t->places = xcalloc(SHARDS * t->sets * WAYS, sizeof(struct kept *));
	for (i = 0; i < SHARDS; i++) {
		pthread_mutex_init(&t->shards[i].lock, NULL);
		t->shards[i].places = t->places + i * t->sets * WAYS;
	}
	return t;
}

static void
drop(struct shard *s, struct kept **place)
{
	struct kept *k = *place;

	*place = NULL;
	s->n--;
	s->bytes -= sizeof(*k) + k->len;
	OPENSSL_cleanse(k->bytes, k->len);
	free(k);
}

void
session_table_free(struct session_table *t)
{
	size_t i, at;

	if (t == NULL)
		return;
	for (i = 0; i < SHARDS; i++) {
		for (at = 0; at < t->sets * WAYS; at++)
			if (t->shards[i].places[at] != NULL)
				drop(&t->shards[i], &t->shards[i].places[at]);
		pthread_mutex_destroy(&t->shards[i].lock);
	}
	free(t->places);
	free(t);
}

static struct shard *
shard_of(struct session_table *t, const uint8_t *id)
{
	return &t->shards[id[0] % SHARDS];
}

static struct kept **
set_of(const struct session_table *t, struct shard *s, const uint8_t *id)
{
	size_t at = (size_t)id[1] | (size_t)id[2] << 8 | (size_t)id[3] << 16;

	return &s->places[(at & (t->sets - 1)) * WAYS];
}

/* The second time that the hand finds it unused, it has to go. */
static bool
must_go(struct kept *k, int64_t now_s)
{
	if (now_s >= k->end_s || !k->is_used)
		return true;
	k->is_used = false;
	return false;
}

static struct kept **
find_place(struct shard *s, struct kept **set, int64_t now_s)
{
	size_t i;

	for (i = 0; i < WAYS; i++)
		if (set[i] == NULL)
			return &set[i];
	for (i = s->hand % WAYS; !must_go(set[i], now_s);)
		i = (i + 1) % WAYS;
	drop(s, &set[i]);
	return &set[i];
}

static void
tidy(const struct session_table *t, struct shard *s, size_t more, int64_t now_s)
{
	struct kept **place;
	size_t i;

	for (i = 0; i < TIDY || (s->n > 0 && s->bytes + more > t->bytes_max);
	     i++) {
		place = &s->places[s->hand];
		s->hand = (s->hand + 1) % (t->sets * WAYS);
		if (*place == NULL)
			continue;
		if (now_s >= (*place)->end_s ||
		    (s->bytes + more > t->bytes_max && must_go(*place, now_s)))
			drop(s, place);
	}
}

void
session_table_put(
    struct session_table *t, const struct session_entry *e, int64_t now_s)
{
	struct shard *s = shard_of(t, e->id);
	struct kept *k, **place;

	if (e->bytes.len > SESSION_BYTES_MAX)
		return;
	k = xmalloc(sizeof(*k) + e->bytes.len);
	k->end_s = e->end_s;
	k->len = e->bytes.len;
	k->is_lasting = e->is_lasting;
	/* Newcomers are not the first to go. */
	k->is_used = e->is_lasting;
	memcpy(k->id, e->id, sizeof(k->id));
	if (k->len > 0)
		memcpy(k->bytes, e->bytes.p, k->len);
	pthread_mutex_lock(&s->lock);
	tidy(t, s, sizeof(*k) + k->len, now_s);
	place = find_place(s, set_of(t, s, e->id), now_s);
	*place = k;
	s->n++;
	s->bytes += sizeof(*k) + k->len;
	pthread_mutex_unlock(&s->lock);
}

bool
session_table_get(struct session_table *t, const uint8_t id[SESSION_ID_LEN],
    int64_t now_s, struct text *out)
{
	struct shard *s = shard_of(t, id);
	struct kept **set, *k;
	bool is_found = false;
	size_t i;

	pthread_mutex_lock(&s->lock);
	set = set_of(t, s, id);
	for (i = 0; i < WAYS && !is_found; i++) {
		k = set[i];
		if (k == NULL || memcmp(k->id, id, sizeof(k->id)) != 0 ||
		    now_s >= k->end_s)
			continue;
		is_found = true;
		k->is_used = k->is_lasting;
		text_add(out, (struct str){ .p = k->bytes, .len = k->len });
	}
	pthread_mutex_unlock(&s->lock);
	return is_found;
}

size_t
session_table_count(struct session_table *t)
{
	size_t i, n = 0;

	for (i = 0; i < SHARDS; i++) {
		pthread_mutex_lock(&t->shards[i].lock);
		n += t->shards[i].n;
		pthread_mutex_unlock(&t->shards[i].lock);
	}
	return n;
}

size_t
session_table_bytes(struct session_table *t)
{
	size_t i, n = 0;

	for (i = 0; i < SHARDS; i++) {
		pthread_mutex_lock(&t->shards[i].lock);
		n += t->shards[i].bytes;
		pthread_mutex_unlock(&t->shards[i].lock);
	}
	return n;
}
