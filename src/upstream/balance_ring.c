/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Consistent hashing: each host has points on a ring, as many as its weight
 * says, and a hash belongs to the first point that follows it.
 */

#include <stdlib.h>

#include "base/xalloc.h"
#include "upstream/balance_table.h"

/* Of the lightest host. */
#define POINTS 512

struct point {
	uint32_t position;
	uint16_t host;
	uint64_t id;
};

/* Where two hosts have the same point the order in the list plays no part. */
static bool
is_before(const struct point *p, const struct point *q)
{
	if (p->position != q->position)
		return p->position < q->position;
	return p->id < q->id;
}

/* By insertion: they are nearly sorted. */
static void
finish(struct point *v, size_t n)
{
	struct point p;
	size_t i, j;

	for (i = 1; i < n; i++) {
		p = v[i];
		for (j = i; j > 0 && is_before(&p, &v[j - 1]); j--)
			v[j] = v[j - 1];
		v[j] = p;
	}
}

/*
 * Positions are spread evenly, so that each of as many drawers as there are
 * points gets one or a few.
 */
static void
sort(struct point *to, const struct point *from, size_t n)
{
	size_t *ends = xcalloc(n + 1, sizeof(*ends)), i;

	for (i = 0; i < n; i++)
		ends[from[i].position * (uint64_t)n >> 32]++;
	for (i = 1; i < n; i++)
		ends[i] += ends[i - 1];
	for (i = n; i-- > 0;)
		to[--ends[from[i].position * (uint64_t)n >> 32]] = from[i];
	free(ends);
	finish(to, n);
}

/*
 * Points for each unit of weight.  As long as the ring has room for them they
 * do not depend on how many hosts there are: else each one that comes or goes
 * would change the points of all.  0: nobody has a weight.
 */
static double
points_per_weight(
    const struct balance_host *v, size_t n, size_t at_least, size_t size)
{
	uint64_t sum = 0, least = 0;
	double per;
	size_t i;

	for (i = 0; i < n; i++) {
		sum += v[i].weight;
		if (v[i].weight > 0 && (least == 0 || v[i].weight < least))
			least = v[i].weight;
	}
	if (sum == 0)
		return 0;
	per = POINTS / (double)least;
	if (per * (double)sum < (double)at_least)
		per = (double)at_least / (double)sum;
	return per * (double)sum <= (double)size ? per
						 : (double)size / (double)sum;
}

static size_t
points_of(const struct balance_host *h, double per)
{
	double n = (double)h->weight * per;

	if (h->weight == 0)
		return 0;
	return n < 1 ? 1 : (size_t)(n + 0.5);
}

static size_t
add_points(struct point *to, const struct balance_host *h, size_t host,
    size_t n_points)
{
	size_t i;

	for (i = 0; i < n_points; i++)
		to[i] = (struct point){
			.position =
			    (uint32_t)(balance_mix(h->id + balance_mix(i)) >>
				       32),
			.host = (uint16_t)host,
			.id = h->id,
		};
	return n_points;
}

static struct balance_table *
make(const struct point *unsorted, size_t n)
{
	struct balance_table *t = xcalloc(1, sizeof(*t));
	struct point *points = xcalloc(n, sizeof(*points));
	size_t i;

	sort(points, unsorted, n);
	t->n = n;
	t->hosts = xcalloc(n, sizeof(*t->hosts));
	t->positions = xcalloc(n, sizeof(*t->positions));
	for (i = 0; i < n; i++) {
		t->hosts[i] = points[i].host;
		t->positions[i] = points[i].position;
	}
	free(points);
	return t;
}

struct balance_table *
balance_ring_new(
    const struct balance_host *v, size_t n, size_t least, size_t size)
{
	double per = points_per_weight(v, n, least, size);
	struct balance_table *t;
	struct point *points;
	size_t i, used = 0, most = n;

	if (per <= 0 || n > BALANCE_HOSTS_MAX)
		return NULL;
	for (i = 0; i < n; i++)
		most += points_of(&v[i], per);
	points = xcalloc(most, sizeof(*points));
	for (i = 0; i < n; i++)
		used +=
		    add_points(points + used, &v[i], i, points_of(&v[i], per));
	t = make(points, used);
	free(points);
	return t;
}

size_t
balance_ring_start(const struct balance_table *t, uint64_t hash)
{
	uint32_t at = (uint32_t)(hash >> 32);
	size_t low = 0, high = t->n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (t->positions[mid] < at)
			low = mid + 1;
		else
			high = mid;
	}
	return low < t->n ? low : 0;
}

void
balance_table_free(struct balance_table *t)
{
	if (t == NULL)
		return;
	free(t->hosts);
	free(t->positions);
	free(t);
}
