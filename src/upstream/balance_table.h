/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_BALANCE_TABLE_H
#define UPSTREAM_BALANCE_TABLE_H

/*
 * From a hash to an endpoint, so that few hashes change theirs when endpoints
 * come and go: the ring (balance_ring.c) and Maglev's table
 * (balance_maglev.c).  Both are made of all endpoints; who finds one that
 * takes no part goes on to the next place, which moves only the hashes of that
 * one.  Equal in all workers, processes and hosts that know the same
 * endpoints.  Pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct balance_host {
	uint64_t id;     /* by what it is, not where it stands in the list */
	unsigned weight; /* 0: has no place */
};

/* Hosts are numbers below this. */
#define BALANCE_HOSTS_MAX UINT16_MAX

struct balance_table {
	size_t n;            /* places */
	uint16_t *hosts;     /* which is where */
	uint32_t *positions; /* of the ring, rising; NULL: Maglev's */
};

/*
 * At least so many points, as far as size, the most, allows it.  NULL if no
 * host has a weight, or there are too many.
 */
struct balance_table *balance_ring_new(const struct balance_host *v, size_t n,
    size_t least, size_t size) MUST_CHECK;
/* The place where a hash begins. */
size_t balance_ring_start(const struct balance_table *t, uint64_t hash);

/* NULL likewise. */
struct balance_table *balance_maglev_new(
    const struct balance_host *v, size_t n, size_t size) MUST_CHECK;
size_t balance_maglev_start(const struct balance_table *t, uint64_t hash);

/* NULL is fine. */
void balance_table_free(struct balance_table *t);

/* Every bit of x for every bit of the result. */
static inline uint64_t
balance_mix(uint64_t x)
{
	x ^= x >> 30;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

#endif
