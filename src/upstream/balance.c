/* SPDX-License-Identifier: Apache-2.0 */
/*
 * First who: endpoints that are healthy and have a weight, of a priority that
 * is drawn by its health; where there is none, healthy ones without weight,
 * then the others, lower priorities first.  Then which: balance_policy.c.
 *
 * A priority can carry as much of the load as is healthy of its weight, times
 * the factor of overprovisioning, 100 % at most.  What the first cannot carry
 * goes to the next.
 */

#include "upstream/balance.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "upstream/balance_state.h"

/* Parts that the load is divided into. */
#define WHOLE BALANCE_WHOLE
/* Parts of a weight, for those that are warming up. */
#define WARM 1000

struct balance_settings
balance_settings_of(const struct service_options *o, bool counts_requests)
{
	return (struct balance_settings){
		.policy = o->balance_policy,
		.choices = o->balance_choices,
		.table_size = o->balance_table_size,
		.ring_least = o->balance_ring_least,
		.overprovisioning = o->balance_overprovisioning,
		.panic = o->balance_panic,
		.slow_start_ms = o->balance_slow_start_ms,
		.slow_start_least = o->balance_slow_start_least,
		.counts_requests = counts_requests,
		.is_strict = o->health.fails_in_panic,
	};
}

struct balance *
balance_new(const struct balance_settings *s, const struct live_endpoints *all,
    uint64_t seed)
{
	struct balance *b = xcalloc(1, sizeof(*b));

	b->settings = *s;
	b->all = all;
	b->lots = seed;
	return b;
}

void
balance_free(struct balance *b)
{
	if (b == NULL)
		return;
	balance_table_free(b->table);
	free(b->levels);
	free(b->v);
	free(b);
}

bool
balance_is_strict(const struct balance *b)
{
	return b->settings.is_strict;
}

const struct live_endpoints *
balance_endpoints(const struct balance *b)
{
	return b->all;
}

uint64_t
balance_lot(struct balance *b)
{
	b->lots += UINT64_C(0x9e3779b97f4a7c15);
	return balance_mix(b->lots);
}

static int
compare_levels(const void *a, const void *b)
{
	const struct level *x = a, *y = b;

	return (x->priority > y->priority) - (x->priority < y->priority);
}

static unsigned
level_of(const struct balance *b, unsigned priority)
{
	const struct level key = { .priority = priority };
	const struct level *l =
	    bsearch(&key, b->levels, b->n_levels, sizeof(key), compare_levels);

	return (unsigned)(l - b->levels);
}

/* Most clusters are never asked, or have one endpoint. */
static void
prepare(struct balance *b)
{
	const struct live_endpoints *all = b->all;
	size_t i, n = 0;

	b->v = xcalloc(all->n, sizeof(*b->v));
	b->levels = xcalloc(all->n, sizeof(*b->levels));
	for (i = 0; i < all->n; i++)
		b->levels[i].priority = all->v[i]->endpoint->priority;
	qsort(b->levels, all->n, sizeof(*b->levels), compare_levels);
	for (i = 0; i < all->n; i++)
		if (i == 0 ||
		    b->levels[i].priority != b->levels[n - 1].priority)
			b->levels[n++].priority = b->levels[i].priority;
	b->n_levels = n;
	/* They may come from the balance of before a reload. */
	for (i = 0; i < all->n; i++) {
		all->v[i]->level = level_of(b, all->v[i]->endpoint->priority);
		all->v[i]->mark = 0;
	}
}

/* Who was not among the healthy ones before begins small. */
static void
note_warmth(struct live_endpoint *e, const struct balance *b, uint64_t now_ms)
{
	if (e->standing == STANDING_BAD)
		e->is_known_good = false;
	if (e->standing != STANDING_GOOD)
		return;
	if (!e->is_known_good) {
		e->is_known_good = e->is_warming = true;
		e->warming_since_ms = now_ms;
	}
	if (now_ms - e->warming_since_ms >= b->settings.slow_start_ms)
		e->is_warming = false;
}

/* Of WARM. */
static uint64_t
warmth_of(
    const struct live_endpoint *e, const struct balance *b, uint64_t now_ms)
{
	uint64_t least = b->settings.slow_start_least * WARM / 100, grown;

	if (!e->is_warming || b->settings.slow_start_ms == 0)
		return WARM;
	grown =
	    (now_ms - e->warming_since_ms) * WARM / b->settings.slow_start_ms;
	if (grown > WARM)
		return WARM;
	return grown > least ? grown : least;
}

static void
weigh(struct balance *b, uint64_t now_ms)
{
	struct live_endpoint *e;
	struct level *l;
	size_t i;

	for (i = 0; i < b->n_levels; i++)
		b->levels[i].total = b->levels[i].good = 0;
	for (i = 0; i < b->all->n; i++) {
		e = b->all->v[i];
		l = &b->levels[e->level];
		if (e->standing == STANDING_OUT)
			continue;
		if (b->settings.slow_start_ms > 0)
			note_warmth(e, b, now_ms);
		l->total += e->endpoint->weight;
		if (e->standing == STANDING_GOOD)
			l->good += e->endpoint->weight;
	}
}

/* What it can carry, of WHOLE. */
static unsigned
capacity_of(const struct level *l, const struct balance *b)
{
	double share;

	if (l->good == l->total)
		return l->good > 0 ? WHOLE : 0;
	share = (double)l->good / (double)l->total * WHOLE *
		b->settings.overprovisioning / 100;
	/* What is there at all counts. */
	if (share < 1)
		return l->good > 0;
	return share < WHOLE ? (unsigned)(share + 0.5) : WHOLE;
}

/* All capacities, WHOLE at most; 0: nothing is healthy. */
static unsigned
share_load(struct balance *b)
{
	unsigned all = 0, left = WHOLE;
	struct level *l, *first = NULL;
	size_t i;

	for (i = 0; i < b->n_levels; i++) {
		l = &b->levels[i];
		l->load = capacity_of(l, b);
		all += l->load;
		if (first == NULL && l->load > 0)
			first = l;
	}
	if (all == 0)
		return 0;
	for (i = 0; i < b->n_levels; i++) {
		l = &b->levels[i];
		if (all < WHOLE)
			l->load = l->load * WHOLE / all;
		if (l->load > left)
			l->load = left;
		left -= l->load;
	}
	first->load += left; /* of rounding */
	return all < WHOLE ? all : WHOLE;
}

/* Equal hashes, equal priorities, while health stays as it is. */
static unsigned
draw_part(struct balance *b, const uint64_t *hash)
{
	uint64_t x = hash != NULL ? balance_mix(*hash ^ WHOLE) : balance_lot(b);

	return (unsigned)((x >> 32) * WHOLE >> 32);
}

static struct level *
draw_level(struct balance *b, const uint64_t *hash)
{
	struct level *l = b->levels;
	unsigned part;

	if (l->load == WHOLE)
		return l;
	part = draw_part(b, hash);
	for (; part >= l->load; l++)
		part -= l->load;
	return l;
}

static void
add(struct balance *b, struct live_endpoint *e, uint64_t now_ms)
{
	uint64_t weight = e->endpoint->weight;
	struct candidate *c = &b->v[b->n++];

	c->endpoint = e;
	c->weight = (weight > 0 ? weight : 1) * warmth_of(e, b, now_ms);
	b->sum += c->weight;
	e->mark = b->pick;
}

/* Those of this standing or better; false: there are none. */
static bool
gather(struct balance *b, const struct level *l, enum standing least,
    bool has_weight, uint64_t now_ms)
{
	struct live_endpoint *e;
	size_t i;

	b->n = 0;
	b->sum = 0;
	b->pick++;
	for (i = 0; i < b->all->n; i++) {
		e = b->all->v[i];
		if (&b->levels[e->level] == l && e->standing >= least &&
		    (e->endpoint->weight > 0) == has_weight)
			add(b, e, now_ms);
	}
	return b->n > 0;
}

static bool
gather_any(struct balance *b, enum standing least, uint64_t now_ms)
{
	struct level *l, *end = b->levels + b->n_levels;

	for (l = b->levels; l < end; l++)
		if (gather(b, l, least, true, now_ms) ||
		    gather(b, l, least, false, now_ms))
			return true;
	return false;
}

static bool
is_in_panic(const struct balance *b, const struct level *l, unsigned carried)
{
	return carried < WHOLE && b->settings.panic > 0 &&
	       (double)l->good * 100 < (double)l->total * b->settings.panic;
}

static bool
gather_candidates(struct balance *b, const uint64_t *hash, uint64_t now_ms)
{
	unsigned carried;
	struct level *l;

	weigh(b, now_ms);
	carried = share_load(b);
	if (carried == 0)
		return gather_any(b, STANDING_GOOD, now_ms) ||
		       gather_any(b, STANDING_BAD, now_ms);
	l = draw_level(b, hash);
	return gather(b, l,
	    is_in_panic(b, l, carried) ? STANDING_BAD : STANDING_GOOD, true,
	    now_ms);
}

struct live_endpoint *
balance_choose(struct balance *b, const uint64_t *hash, uint64_t now_ms)
{
	const struct live_endpoints *all = b->all;
	struct live_endpoint *e;

	if (all->n == 0)
		return NULL;
	if (all->n == 1) {
		e = all->v[0];
		return e->standing >= STANDING_BAD ? e : NULL;
	}
	if (b->levels == NULL)
		prepare(b);
	if (!gather_candidates(b, hash, now_ms))
		return NULL;
	if (b->n == 1)
		return b->v[0].endpoint;
	return balance_apply(
	    b, balance_mix(hash != NULL ? *hash : balance_lot(b)));
}

unsigned
balance_survey(struct balance *b, uint64_t now_ms)
{
	struct live_endpoint *e;
	size_t i;

	if (b->all->n == 0)
		return 0;
	if (b->levels == NULL)
		prepare(b);
	for (i = 0; i < b->all->n; i++) {
		e = b->all->v[i];
		e->standing = live_endpoint_is_healthy(e, now_ms)
				  ? STANDING_GOOD
				  : STANDING_BAD;
	}
	weigh(b, now_ms);
	return share_load(b);
}

unsigned
balance_load_of(const struct balance *b, const struct live_endpoint *e)
{
	return b->levels[e->level].load * 100 / WHOLE;
}

unsigned
balance_warmth_of(
    const struct balance *b, const struct live_endpoint *e, uint64_t now_ms)
{
	return (unsigned)(warmth_of(e, b, now_ms) * 100 / WARM);
}
