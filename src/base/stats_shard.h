/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_STATS_SHARD_H
#define BASE_STATS_SHARD_H

/*
 * How shards keep their sets: what stats.c and stats_render.c share, and
 * nobody else sees.
 */

#include "base/hash.h"
#include "base/stats.h"

struct stats_entry {
	struct stats_set set;
	UT_hash_handle hh; /* by set.name, a table a scope */
};

/* Values in a set of this scope. */
size_t stats_scope_len(enum stat_scope scope);

/*
 * Call visit with every set of every shard, or only with those of one scope
 * and name.  A shard's lock is held meanwhile: no set of it comes or goes.
 */
void stats_each(
    void (*visit)(const struct stats_set *set, void *arg), void *arg);
void stats_each_named(enum stat_scope scope, const char *name,
    void (*visit)(const struct stats_set *set, void *arg), void *arg);

/* Add n to *sum, in the way of the row's type. */
void stats_merge(const struct stat_row *row, uint64_t *sum, uint64_t n);

#endif
