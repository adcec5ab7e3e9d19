/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client side's session cache.  A key says everything that must be equal:
 * the digest of the TLS settings and the endpoint, so that a session never
 * speaks for a server that other settings would have refused.  One thread.
 */

#include "tls/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/xalloc.h"

/* Servers send two tickets at once, mostly. */
#define SESSIONS_A_KEY 2

struct kept {
	SSL_SESSION *s;
	int64_t end_s;
};

struct entry {
	UT_hash_handle hh;
	struct kept v[SESSIONS_A_KEY]; /* the oldest first */
	size_t n;
	size_t key_len;
	char key[];
};

struct session_cache {
	struct entry *entries; /* uthash keeps them in order of insertion */
	size_t max_keys;
};

struct session_cache *
session_cache_new(size_t max_keys)
{
	struct session_cache *c = xcalloc(1, sizeof(*c));

	c->max_keys = max_keys;
	return c;
}

static void
forget(struct session_cache *c, struct entry *e)
{
	HASH_DEL(c->entries, e);
	while (e->n > 0)
		SSL_SESSION_free(e->v[--e->n].s);
	free(e);
}

void
session_cache_free(struct session_cache *c)
{
	if (c == NULL)
		return;
	while (c->entries != NULL)
		forget(c, c->entries);
	free(c);
}

size_t
session_count(const struct session_cache *c)
{
	return HASH_COUNT(c->entries);
}

static struct entry *
find(struct session_cache *c, struct str key)
{
	struct entry *e;

	HASH_FIND(hh, c->entries, key.p, key.len, e);
	return e;
}

static struct entry *
add(struct session_cache *c, struct str key)
{
	struct entry *e = xcalloc(1, sizeof(*e) + key.len);

	if (HASH_COUNT(c->entries) >= c->max_keys)
		forget(c, c->entries);
	e->key_len = key.len;
	memcpy(e->key, key.p, key.len);
	HASH_ADD_KEYPTR(hh, c->entries, e->key, e->key_len, e);
	return e;
}

static struct kept
remove_oldest(struct entry *e)
{
	struct kept first = e->v[0];

	e->n--;
	memmove(&e->v[0], &e->v[1], e->n * sizeof(e->v[0]));
	return first;
}

void
session_put(
    struct session_cache *c, struct str key, SSL_SESSION *s, int64_t end_s)
{
	struct entry *e = find(c, key);

	if (e == NULL)
		e = add(c, key);
	if (e->n == SESSIONS_A_KEY)
		SSL_SESSION_free(remove_oldest(e).s);
	e->v[e->n++] = (struct kept){ .s = s, .end_s = end_s };
}

static bool
is_single_use(const SSL_SESSION *s)
{
	return SSL_SESSION_get_protocol_version(s) >= TLS1_3_VERSION;
}

SSL_SESSION *
session_take(
    struct session_cache *c, struct str key, int64_t now_s, int64_t *end_s)
{
	struct entry *e = find(c, key);
	struct kept k;

	while (e != NULL && e->n > 0) {
		k = e->v[e->n - 1];
		if (now_s >= k.end_s || SSL_SESSION_is_resumable(k.s) != 1) {
			e->n--;
			SSL_SESSION_free(k.s);
			continue;
		}
		*end_s = k.end_s;
		if (is_single_use(k.s))
			e->n--;
		else
			SSL_SESSION_up_ref(k.s);
		if (e->n == 0)
			forget(c, e);
		return k.s;
	}
	if (e != NULL)
		forget(c, e);
	return NULL;
}

void
session_drop(struct session_cache *c, struct str key)
{
	struct entry *e = find(c, key);

	if (e != NULL)
		forget(c, e);
}
