/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of stats.tbl.h as a table, in the order of the file; within one
 * scope that is also the order of its ids.  Constant; any thread.
 */

#include "base/stats.h"

#define ROW(in, t, n, l, h, a) \
	{ .scope = in,         \
		.type = t,     \
		.name = n,     \
		.label = l,    \
		.help = h,     \
		.advice = a },

static const struct stat_row rows_of_table[] = {
#define SERVER(id, ...) ROW(SCOPE_SERVER, __VA_ARGS__)
#define LISTENER(id, ...) ROW(SCOPE_LISTENER, __VA_ARGS__)
#define CLUSTER(id, ...) ROW(SCOPE_CLUSTER, __VA_ARGS__)
#define OUTCOME(id, ...) ROW(SCOPE_OUTCOME, __VA_ARGS__)
#define RESOLVER(id, ...) ROW(SCOPE_RESOLVER, __VA_ARGS__)
#define EXPIRY(id, ...) ROW(SCOPE_EXPIRY, __VA_ARGS__)
#define NAMED(id, ...) ROW(SCOPE_NAMED, __VA_ARGS__)
#define RULE(id, ...) ROW(SCOPE_RULE, __VA_ARGS__)
#include "base/stats.tbl.h"
};

const double stats_bucket_ms[STATS_BUCKETS - 1] = { 0.5, 1, 5, 10, 25, 50, 100,
	250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 600000,
	1800000, 3600000 };

size_t
stats_rows(const struct stat_row **rows)
{
	*rows = rows_of_table;
	return ARRAY_LEN(rows_of_table);
}
