/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Maglev's table (Eisenbud and others, NSDI 2016, section 3.4): each host has
 * an order of its own of all places; in turn they take the first that is still
 * free in it, who has less weight more seldom.  Shares are nearly exact, and a
 * host that goes moves few places of others.
 */

#include <stdlib.h>

#include "base/xalloc.h"
#include "upstream/balance_table.h"

/* So that each host has some. */
#define LEAST_PLACES 4
#define FREE UINT16_MAX
/* Of a turn: where hosts begin. */
#define STEPS 1024

struct taker {
	uint64_t id;
	uint64_t weight;
	uint64_t taken; /* places, which are few; weights have 32 bits */
	size_t at;
	size_t step;
	size_t host;
	struct taker *next; /* of those whose turn is in the same round */
};

/* In the order in which they came. */
struct round {
	struct taker *first;
	struct taker *last;
};

static bool
is_prime(size_t n)
{
	size_t i;

	for (i = 3; i * i <= n; i += 2)
		if (n % i == 0)
			return false;
	return n % 2 != 0;
}

/* Then every step but 0 comes past all places. */
static size_t
prime_from(size_t n)
{
	while (!is_prime(n))
		n++;
	return n;
}

/* The order of the list is to play no part. */
static int
compare(const void *a, const void *b)
{
	const struct taker *p = a, *q = b;

	return (p->id > q->id) - (p->id < q->id);
}

static size_t
make_takers(struct taker *to, const struct balance_host *v, size_t n,
    size_t places, uint64_t *most)
{
	size_t i, used = 0;

	for (i = 0; i < n; i++) {
		if (v[i].weight == 0)
			continue;
		to[used++] = (struct taker){
			.id = v[i].id,
			.weight = v[i].weight,
			.at = balance_mix(v[i].id) % places,
			.step = balance_mix(~v[i].id) % (places - 1) + 1,
			.host = i,
		};
		if (v[i].weight > *most)
			*most = v[i].weight;
	}
	if (used > 0)
		qsort(to, used, sizeof(*to), compare);
	return used;
}

static void
take_one(struct balance_table *t, struct taker *k)
{
	size_t at = k->at;

	while (t->hosts[at] != FREE) {
		at += k->step;
		if (at >= t->n)
			at -= t->n;
	}
	t->hosts[at] = (uint16_t)k->host;
	k->at = at;
}

/*
 * Who weighs most has a turn in each round, who weighs a third of that in each
 * third one, beginning somewhere in the first three.  There are no more rounds
 * than places; a later turn never comes.
 */
static void
plan_turn(struct round *rounds, size_t n, struct taker *k, uint64_t most)
{
	uint64_t at =
	    (k->taken * STEPS + k->id % STEPS) * most / (k->weight * STEPS);
	struct round *r;

	if (at >= n)
		return;
	r = &rounds[at];
	k->next = NULL;
	if (r->first == NULL)
		r->first = k;
	else
		r->last->next = k;
	r->last = k;
}

static void
fill(struct balance_table *t, struct taker *v, size_t n, uint64_t most)
{
	struct round *rounds = xcalloc(t->n, sizeof(*rounds)), *r;
	struct taker *k, *next;
	size_t i, left = t->n;

	for (i = 0; i < n; i++)
		plan_turn(rounds, t->n, &v[i], most);
	for (r = rounds; left > 0; r++)
		for (k = r->first; k != NULL && left > 0; k = next, left--) {
			next = k->next;
			take_one(t, k);
			k->taken++;
			plan_turn(rounds, t->n, k, most);
		}
	free(rounds);
}

struct balance_table *
balance_maglev_new(const struct balance_host *v, size_t n, size_t size)
{
	size_t places =
	    prime_from(size > n * LEAST_PLACES ? size : n * LEAST_PLACES);
	struct balance_table *t = NULL;
	struct taker *takers;
	uint64_t most = 0;
	size_t i, used;

	if (n >= BALANCE_HOSTS_MAX)
		return NULL;
	takers = xcalloc(n + 1, sizeof(*takers));
	used = make_takers(takers, v, n, places, &most);
	if (used > 0) {
		t = xcalloc(1, sizeof(*t));
		t->n = places;
		t->hosts = xcalloc(places, sizeof(*t->hosts));
		for (i = 0; i < places; i++)
			t->hosts[i] = FREE;
		fill(t, takers, used, most);
	}
	free(takers);
	return t;
}

size_t
balance_maglev_start(const struct balance_table *t, uint64_t hash)
{
	return hash % t->n;
}
