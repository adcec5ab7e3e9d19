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

/*
 * One of TLS 1.3 is used once, and its successor comes when the connection is
 * open: as many are needed as connections begin at a time.
 */
#define SESSIONS_A_KEY 16
/* An older one serves them all. */
#define OLD_SESSIONS_A_KEY 2
/* Of all keys together, for each that there may be. */
#define SHARE 2

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
	size_t n; /* sessions */
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
	c->n -= e->n;
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

static void
drop_oldest(struct session_cache *c, struct entry *e)
{
	SSL_SESSION_free(e->v[0].s);
	c->n--;
	e->n--;
	memmove(&e->v[0], &e->v[1], e->n * sizeof(e->v[0]));
}

static bool
is_single_use(const SSL_SESSION *s)
{
	return SSL_SESSION_get_protocol_version(s) >= TLS1_3_VERSION;
}

/* What the longest kept key has too many goes first. */
static void
make_room(struct session_cache *c, struct entry *e)
{
	while (c->n >= c->max_keys * SHARE) {
		if (c->entries != e && c->entries->n <= 1)
			forget(c, c->entries);
		else if (c->entries->n > 0)
			drop_oldest(c, c->entries);
		else
			break;
	}
}

void
session_put(
    struct session_cache *c, struct str key, SSL_SESSION *s, int64_t end_s)
{
	size_t most = is_single_use(s) ? SESSIONS_A_KEY : OLD_SESSIONS_A_KEY;
	struct entry *e = find(c, key);

	if (e == NULL)
		e = add(c, key);
	while (e->n >= most)
		drop_oldest(c, e);
	make_room(c, e);
	e->v[e->n++] = (struct kept){ .s = s, .end_s = end_s };
	c->n++;
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
			c->n--;
			SSL_SESSION_free(k.s);
			continue;
		}
		*end_s = k.end_s;
		if (is_single_use(k.s)) {
			e->n--;
			c->n--;
		} else {
			SSL_SESSION_up_ref(k.s);
		}
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
