/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shards with a lock each: for finding, making and forgetting entries, and for
 * looking at all of them.  What is counted are atomics that nothing else
 * depends on.  Bytes and the day that they are of are one number, so that a
 * new day begins for all threads at once.
 */

#include "conn/caller_limits.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/xalloc.h"
#include "upstream/gcra.h"

#define SHARDS 64
#define DAY_S 86400
#define MIB (UINT64_C(1) << 20)
/* Days since 1970 above, bytes of that day below: 256 TiB, until 2149. */
#define DAY_SHIFT 48
#define BYTES_MOST ((UINT64_C(1) << DAY_SHIFT) - 1)

struct caller_use {
	char *key; /* service, NUL, caller */
	size_t key_len;
	size_t service_len;
	bool is_shared; /* by all for whom there was no room */
	unsigned holders;
	_Atomic uint64_t connections;
	_Atomic uint64_t requests;
	struct gcra rate;
	_Atomic uint64_t day_bytes;
	_Atomic uint64_t caps[CALLER_LIMIT_N]; /* as of late, for people */
	UT_hash_handle hh;
};

struct shard {
	pthread_mutex_t lock;
	struct caller_use *table;
};

struct caller_limits {
	struct shard shards[SHARDS];
	size_t most;
	_Atomic size_t n; /* but for shared ones */
};

/* In the order of enum caller_limit. */
static const char *const names[] = {
	"caller_limits.connections",
	"caller_limits.requests",
	"caller_limits.requests_per_s",
	"caller_limits.mib_per_day",
};

const char *
caller_limit_name(enum caller_limit l)
{
	return names[l];
}

struct caller_caps
caller_caps_of(const struct service_options *o)
{
	return (
	    struct caller_caps){ .v = {
				     [CALLER_CONNECTIONS] =
					 o->caller_connections,
				     [CALLER_REQUESTS] = o->caller_requests,
				     [CALLER_RATE] = o->caller_requests_per_s,
				     [CALLER_BYTES] =
					 o->caller_mib_per_day * MIB,
				 } };
}

bool
caller_caps_any(const struct caller_caps *caps)
{
	uint64_t any = 0;

	for (size_t i = 0; i < CALLER_LIMIT_N; i++)
		any |= caps->v[i];
	return any != 0;
}

void
caller_limit_explain(const struct caller_use *u, enum caller_limit l,
    const struct caller_caps *caps, char *out, size_t cap)
{
	uint64_t n = caps->v[l] / (l == CALLER_BYTES ? MIB : 1);

	(void)snprintf(out, cap, "%s = %llu is reached%s", names[l],
	    (unsigned long long)n,
	    u->is_shared ? ", together with all callers that limits.callers "
			   "has no room for"
			 : "");
}

static uint64_t
now_ns(void)
{
	return clock_us() * 1000;
}

static uint64_t
today(void)
{
	return (uint64_t)clock_wall_s() / DAY_S;
}

static uint64_t
load(const _Atomic uint64_t *v)
{
	return atomic_load_explicit(v, memory_order_relaxed);
}

static uint64_t
bytes_today(const struct caller_use *u)
{
	uint64_t v = load(&u->day_bytes);

	return v >> DAY_SHIFT == today() ? v & BYTES_MOST : 0;
}

struct caller_limits *
caller_limits_new(size_t most)
{
	struct caller_limits *t = xcalloc(1, sizeof(*t));

	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_init(&t->shards[i].lock, NULL);
	t->most = most;
	return t;
}

static void
forget(struct caller_limits *t, struct shard *s, struct caller_use *u)
{
	HASH_DEL(s->table, u);
	if (!u->is_shared)
		atomic_fetch_sub(&t->n, 1);
	free(u->key);
	free(u);
}

void
caller_limits_free(struct caller_limits *t)
{
	struct caller_use *u, *next;

	if (t == NULL)
		return;
	for (size_t i = 0; i < SHARDS; i++) {
		HASH_ITER(hh, t->shards[i].table, u, next)
		forget(t, &t->shards[i], u);
		pthread_mutex_destroy(&t->shards[i].lock);
	}
	free(t);
}

/* What it used matters no more. */
static bool
is_spent(const struct caller_use *u)
{
	return u->holders == 0 && gcra_is_fresh(&u->rate, now_ns()) &&
	       (load(&u->caps[CALLER_BYTES]) == 0 || bytes_today(u) == 0);
}

/* False: there is no room for one more. */
static bool
take_room(struct caller_limits *t)
{
	size_t n = atomic_load(&t->n);

	do {
		if (n >= t->most)
			return false;
	} while (!atomic_compare_exchange_weak(&t->n, &n, n + 1));
	return true;
}

struct key {
	char *p;
	size_t len;
};

static struct key
key_of(struct str caller, struct str service)
{
	struct key k = { .len = service.len + 1 + caller.len };

	k.p = xcalloc(1, k.len + 1);
	if (service.len > 0)
		memcpy(k.p, service.p, service.len);
	if (caller.len > 0)
		memcpy(k.p + service.len + 1, caller.p, caller.len);
	return k;
}

static struct caller_use *
make(struct shard *s, struct key k, size_t service_len, bool is_shared)
{
	struct caller_use *u = xcalloc(1, sizeof(*u));

	u->key = k.p;
	u->key_len = k.len;
	u->service_len = service_len;
	u->is_shared = is_shared;
	HASH_ADD_KEYPTR(hh, s->table, u->key, u->key_len, u);
	return u;
}

/* NULL: it is not there, and there is no room.  k is taken. */
static struct caller_use *
hold(struct caller_limits *t, struct key k, size_t service_len, bool is_shared)
{
	struct shard *s = &t->shards[hash_bytes(k.p, k.len) % SHARDS];
	struct caller_use *u;

	pthread_mutex_lock(&s->lock);
	HASH_FIND(hh, s->table, k.p, k.len, u);
	if (u == NULL && (is_shared || take_room(t))) {
		u = make(s, k, service_len, is_shared);
		k.p = NULL;
	}
	if (u != NULL)
		u->holders++;
	pthread_mutex_unlock(&s->lock);
	free(k.p);
	return u;
}

struct caller_use *
caller_limits_hold(
    struct caller_limits *t, struct str caller, struct str service)
{
	struct caller_use *u =
	    hold(t, key_of(caller, service), service.len, false);

	if (u == NULL)
		u = hold(t, key_of(STR_NONE, service), service.len, true);
	return u;
}

void
caller_limits_let_go(struct caller_limits *t, struct caller_use *u)
{
	struct shard *s = &t->shards[hash_bytes(u->key, u->key_len) % SHARDS];

	pthread_mutex_lock(&s->lock);
	u->holders--;
	if (is_spent(u))
		forget(t, s, u);
	pthread_mutex_unlock(&s->lock);
}

/* For whoever looks; only what changed is written. */
static void
note(struct caller_use *u, const struct caller_caps *caps)
{
	for (size_t i = 0; i < CALLER_LIMIT_N; i++)
		if (load(&u->caps[i]) != caps->v[i])
			atomic_store_explicit(
			    &u->caps[i], caps->v[i], memory_order_relaxed);
}

/* One more, if that is not too many. */
static bool
add_one(_Atomic uint64_t *v, uint64_t most)
{
	uint64_t n = load(v);

	do {
		if (most > 0 && n >= most)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(
	    v, &n, n + 1, memory_order_relaxed, memory_order_relaxed));
	return true;
}

static void
take_one(_Atomic uint64_t *v)
{
	atomic_fetch_sub_explicit(v, 1, memory_order_relaxed);
}

bool
caller_has_bytes(const struct caller_use *u, const struct caller_caps *caps)
{
	return caps->v[CALLER_BYTES] == 0 ||
	       bytes_today(u) < caps->v[CALLER_BYTES];
}

enum caller_limit
caller_connects(struct caller_use *u, const struct caller_caps *caps)
{
	note(u, caps);
	return add_one(&u->connections, caps->v[CALLER_CONNECTIONS])
		   ? CALLER_LIMIT_N
		   : CALLER_CONNECTIONS;
}

void
caller_has_connection(struct caller_use *u)
{
	(void)add_one(&u->connections, 0);
}

void
caller_disconnects(struct caller_use *u)
{
	take_one(&u->connections);
}

static bool
keeps_rate(struct caller_use *u, uint64_t a_second)
{
	struct gcra_limit l;

	if (a_second == 0)
		return true;
	l = gcra_limit(a_second, 1000);
	return gcra_take(&u->rate, &l, now_ns());
}

enum caller_limit
caller_asks(struct caller_use *u, const struct caller_caps *caps)
{
	note(u, caps);
	if (!caller_has_bytes(u, caps))
		return CALLER_BYTES;
	if (!add_one(&u->requests, caps->v[CALLER_REQUESTS]))
		return CALLER_REQUESTS;
	if (keeps_rate(u, caps->v[CALLER_RATE]))
		return CALLER_LIMIT_N;
	take_one(&u->requests);
	return CALLER_RATE;
}

void
caller_is_answered(struct caller_use *u)
{
	take_one(&u->requests);
}

bool
caller_moves(struct caller_use *u, const struct caller_caps *caps, uint64_t n)
{
	uint64_t day = today(), was = load(&u->day_bytes), bytes;

	do {
		bytes = was >> DAY_SHIFT == day ? was & BYTES_MOST : 0;
		bytes = n < BYTES_MOST - bytes ? bytes + n : BYTES_MOST;
	} while (!atomic_compare_exchange_weak_explicit(&u->day_bytes, &was,
	    day << DAY_SHIFT | bytes, memory_order_relaxed,
	    memory_order_relaxed));
	return caps->v[CALLER_BYTES] == 0 || bytes <= caps->v[CALLER_BYTES];
}

/* How much of it is used at the moment. */
static uint64_t
used(const struct caller_use *u, enum caller_limit l)
{
	uint64_t most = load(&u->caps[l]);
	struct gcra_limit rate;

	switch (l) {
	case CALLER_CONNECTIONS:
		return load(&u->connections);
	case CALLER_REQUESTS:
		return load(&u->requests);
	case CALLER_RATE:
		if (most == 0)
			return 0;
		rate = gcra_limit(most, 1000);
		return most - gcra_left(&u->rate, &rate, now_ns());
	case CALLER_BYTES:
		return bytes_today(u);
	case CALLER_LIMIT_N:
		break;
	}
	return 0;
}

static void
count(const struct caller_use *u, struct caller_counts *c)
{
	uint64_t most;

	c->entries++;
	c->shared += u->is_shared;
	for (enum caller_limit l = 0; l < CALLER_LIMIT_N; l++) {
		most = load(&u->caps[l]);
		c->at_limit[l] += most > 0 && used(u, l) >= most;
	}
}

struct caller_counts
caller_limits_look(struct caller_limits *t)
{
	struct caller_counts c = { .entries = 0 };
	struct caller_use *u, *next;

	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *s = &t->shards[i];

		pthread_mutex_lock(&s->lock);
		HASH_ITER(hh, s->table, u, next)
		{
			if (is_spent(u))
				forget(t, s, u);
			else
				count(u, &c);
		}
		pthread_mutex_unlock(&s->lock);
	}
	return c;
}

/* "requests=3/10 (7 left)"; without a limit only what is used. */
static void
print_one(const struct caller_use *u, enum caller_limit l, const char *word,
    uint64_t unit, struct text *out)
{
	uint64_t most = load(&u->caps[l]), n = used(u, l);
	uint64_t left = most > n ? most - n : 0;

	text_addf(out, " %s=%llu", word, (unsigned long long)(n / unit));
	if (most > 0)
		text_addf(out, "/%llu left=%llu",
		    (unsigned long long)(most / unit),
		    (unsigned long long)(left / unit));
}

static void
print(const struct caller_use *u, struct text *out)
{
	text_addf(out, "%s service=%.*s",
	    u->is_shared ? "(others)" : u->key + u->service_len + 1,
	    (int)u->service_len, u->key);
	print_one(u, CALLER_CONNECTIONS, "connections", 1, out);
	print_one(u, CALLER_REQUESTS, "requests", 1, out);
	if (load(&u->caps[CALLER_RATE]) > 0)
		print_one(u, CALLER_RATE, "requests_per_s", 1, out);
	print_one(u, CALLER_BYTES, "mib_today", MIB, out);
	text_add_char(out, '\n');
}

void
caller_limits_print(struct caller_limits *t, size_t max, struct text *out)
{
	struct caller_use *u;
	size_t n = 0;

	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *s = &t->shards[i];

		pthread_mutex_lock(&s->lock);
		for (u = s->table; u != NULL && n < max; u = u->hh.next, n++)
			print(u, out);
		pthread_mutex_unlock(&s->lock);
	}
}
