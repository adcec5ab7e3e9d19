/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of the candidates is next, by a row of the table policies.  Who is a
 * candidate is said in balance.c.
 */

#include <stdlib.h>

#include "base/siphash.h"
#include "base/xalloc.h"
#include "upstream/balance_state.h"

/* In a table, past those that take no part: the rest may have no place. */
#define STEPS_MAX 1024

static struct live_endpoint *take_turns(struct balance *b, uint64_t hash);
static struct live_endpoint *choose_least(struct balance *b, uint64_t hash);
static struct live_endpoint *draw_one(struct balance *b, uint64_t hash);
static struct live_endpoint *follow_hash(struct balance *b, uint64_t hash);

static struct balance_table *
make_ring(
    const struct balance_host *v, size_t n, const struct balance_settings *s)
{
	return balance_ring_new(v, n, s->ring_least, s->table_size);
}

static struct balance_table *
make_maglev(
    const struct balance_host *v, size_t n, const struct balance_settings *s)
{
	return balance_maglev_new(v, n, s->table_size);
}

static const struct policy {
	const char *name;
	struct live_endpoint *(*choose)(struct balance *b, uint64_t hash);
	/* Of those that go by hash. */
	struct balance_table *(*make)(const struct balance_host *v, size_t n,
	    const struct balance_settings *s);
	size_t (*start)(const struct balance_table *t, uint64_t hash);
} policies[] = {
	[BALANCE_ROUND_ROBIN] = { "round_robin", take_turns, NULL, NULL },
	[BALANCE_LEAST_REQUEST] = { "least_request", choose_least, NULL, NULL },
	[BALANCE_RANDOM] = { "random", draw_one, NULL, NULL },
	[BALANCE_RING_HASH] = { "ring_hash", follow_hash, make_ring,
	    balance_ring_start },
	[BALANCE_MAGLEV] = { "maglev", follow_hash, make_maglev,
	    balance_maglev_start },
};

static const struct policy *
policy_of(const struct balance *b)
{
	return &policies[b->settings.policy];
}

const char *
balance_name(const struct balance *b)
{
	return policy_of(b)->name;
}

static bool
has_more(const struct live_endpoint *a, const struct live_endpoint *b)
{
	return (int64_t)(a->credit - b->credit) > 0;
}

/*
 * Smooth weighted round robin: at each pick everybody who takes part earns his
 * weight, and who has most pays the sum of all.  So turns are spread evenly
 * (a a b a, not a a a b), also when callers may use different endpoints.
 */
static struct live_endpoint *
take_turns(struct balance *b, uint64_t hash)
{
	struct live_endpoint *found = NULL, *e;
	size_t i;

	(void)hash;
	for (i = 0; i < b->n; i++) {
		e = b->v[i].endpoint;
		e->credit += b->v[i].weight;
		if (found == NULL || has_more(e, found))
			found = e;
	}
	found->credit -= b->sum;
	return found;
}

/* By weight. */
static size_t
draw(const struct balance *b, uint64_t random)
{
	uint64_t left = random % b->sum;
	size_t i;

	for (i = 0; left >= b->v[i].weight; i++)
		left -= b->v[i].weight;
	return i;
}

static struct live_endpoint *
draw_one(struct balance *b, uint64_t hash)
{
	return b->v[draw(b, hash)].endpoint;
}

static uint64_t
load_of(const struct balance *b, const struct live_endpoint *e)
{
	return b->settings.counts_requests ? e->requests
					   : e->active + e->connecting;
}

static bool
is_less(const struct balance *b, const struct candidate *a,
    const struct candidate *than)
{
	return (double)load_of(b, a->endpoint) * (double)than->weight <
	       (double)load_of(b, than->endpoint) * (double)a->weight;
}

/*
 * The least loaded for its weight of some that are drawn by weight.  Of equals
 * the first that was drawn: without load weights alone decide.
 */
static struct live_endpoint *
choose_least(struct balance *b, uint64_t hash)
{
	struct candidate best = { .endpoint = NULL };
	unsigned left = b->settings.choices;
	size_t i;

	for (; left > 0 && b->n > 0; left--, hash = balance_lot(b)) {
		i = draw(b, hash);
		if (best.endpoint == NULL || is_less(b, &b->v[i], &best))
			best = b->v[i];
		b->sum -= b->v[i].weight;
		b->v[i] = b->v[--b->n];
	}
	return best.endpoint;
}

/*
 * An endpoint is where it leads to: its name may be a number in a list.  The
 * key of the hash is fixed, so that all egresses think alike.
 */
static uint64_t
id_of(const struct live_endpoint *e)
{
	static const uint64_t key[2] = { UINT64_C(0x7a65677265737331),
		UINT64_C(0x62616c616e636531) };
	struct text t = TEXT_EMPTY;
	uint64_t id;

	text_addf(&t, "%.*s %u", STR_ARG(e->endpoint->host),
	    (unsigned)e->endpoint->port);
	id = siphash24(key, t.p, t.len);
	text_free(&t);
	return id;
}

static int
compare_ids(const void *a, const void *b)
{
	const struct live_endpoint *p = *(struct live_endpoint *const *)a;
	const struct live_endpoint *q = *(struct live_endpoint *const *)b;

	return (p->hash_id > q->hash_id) - (p->hash_id < q->hash_id);
}

/* Twice the same place in a list is twice its share. */
static void
set_ids(const struct live_endpoints *all)
{
	struct live_endpoint **v =
	    xcalloc(all->n, sizeof(struct live_endpoint *));
	uint64_t id = 0, plain = 0;
	size_t i;

	for (i = 0; i < all->n; i++) {
		v[i] = all->v[i];
		v[i]->hash_id = id_of(v[i]);
	}
	qsort(v, all->n, sizeof(struct live_endpoint *), compare_ids);
	for (i = 0; i < all->n; i++) {
		if (i > 0 && v[i]->hash_id == plain)
			id = balance_mix(id + 1);
		else
			id = plain = v[i]->hash_id;
		v[i]->hash_id = id;
	}
	free(v);
}

static void
make_table(struct balance *b)
{
	struct balance_host *v = xcalloc(b->all->n, sizeof(*v));
	size_t i;

	set_ids(b->all);
	for (i = 0; i < b->all->n; i++) {
		v[i].id = b->all->v[i]->hash_id;
		v[i].weight = b->all->v[i]->endpoint->weight;
	}
	b->table = policy_of(b)->make(v, b->all->n, &b->settings);
	b->has_table = true;
	free(v);
}

/* How far below 1 x is as a fraction: -log2(x / 2^32), times 2^16. */
static uint64_t
depth_of(uint32_t x)
{
	uint64_t y = (uint64_t)x + 1, whole = 0, part = 0;
	unsigned i;

	for (; y < UINT64_C(1) << 32; y <<= 1)
		whole++;
	/* From 1 to below 2, times 2^31; a square has twice the logarithm. */
	for (y >>= 1, i = 0; i < 16; i++) {
		y = y * y >> 31;
		part = part << 1 | y >> 32;
		y >>= y >> 32;
	}
	return (whole << 16) - part;
}

/*
 * Rendezvous hashing: each endpoint draws a lot from the mix of hash and
 * itself, by weight; for those that have no place in a table.
 */
static struct live_endpoint *
meet(const struct balance *b, uint64_t hash)
{
	struct live_endpoint *found = NULL;
	double least = 0, score;
	uint64_t mix;
	size_t i;

	for (i = 0; i < b->n; i++) {
		mix = balance_mix(hash ^ b->v[i].endpoint->hash_id);
		score = (double)depth_of((uint32_t)(mix >> 32)) /
			(double)b->v[i].weight;
		if (found == NULL || score < least) {
			least = score;
			found = b->v[i].endpoint;
		}
	}
	return found;
}

static struct live_endpoint *
follow_hash(struct balance *b, uint64_t hash)
{
	const struct balance_table *t;
	struct live_endpoint *e;
	size_t i, at;

	if (!b->has_table)
		make_table(b);
	t = b->table;
	if (t == NULL)
		return meet(b, hash);
	at = policy_of(b)->start(t, hash);
	for (i = 0; i < t->n && i < STEPS_MAX; i++) {
		e = b->all->v[t->hosts[at]];
		if (e->mark == b->pick)
			return e;
		at = at + 1 < t->n ? at + 1 : 0;
	}
	return meet(b, hash);
}

struct live_endpoint *
balance_apply(struct balance *b, uint64_t hash)
{
	return policy_of(b)->choose(b, hash);
}
