/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_STATS_H
#define BASE_STATS_H

/*
 * Counters, gauges and histograms.  Their rows stand in stats.tbl.h: name,
 * scope, type, what it says and what to do about it; zegress-stats(7) and the
 * Prometheus text are made from the same rows.
 *
 * A scope is a set of values with one label value: the server, a listener, a
 * cluster (envoy_cluster_name).  Each worker writes its own shard with plain
 * relaxed stores; whoever renders adds the shards up.  The lock of a shard is
 * taken when a scope is made, dropped or rendered, never to count.
 */

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/*
 * Label of each: none, envoy_listener_address, envoy_cluster_name, outcome,
 * resolver; of an expiry two, kind and name, of a name under a wildcard
 * envoy_cluster_name and name, and of a rule envoy_cluster_name and rule, whose
 * values are its name up to the first blank and the rest.
 */
enum stat_scope {
	SCOPE_SERVER,
	SCOPE_LISTENER,
	SCOPE_CLUSTER,
	SCOPE_OUTCOME,
	SCOPE_RESOLVER,
	SCOPE_EXPIRY,
	SCOPE_NAMED,
	SCOPE_RULE,
	SCOPE_N
};
enum stat_type {
	STAT_COUNTER,
	STAT_GAUGE,
	STAT_GAUGE_MAX, /* every shard sees the whole: the largest holds */
	STAT_HISTOGRAM
};

enum stat_server {
#define SERVER(id, ...) STAT_##id,
#define LISTENER(...)
#define CLUSTER(...)
#define OUTCOME(...)
#define RESOLVER(...)
#define EXPIRY(...)
#define NAMED(...)
#define RULE(...)
#include "base/stats.tbl.h"
	STAT_SERVER_N
};
enum stat_listener {
#define SERVER(...)
#define LISTENER(id, ...) STAT_##id,
#define CLUSTER(...)
#define OUTCOME(...)
#define RESOLVER(...)
#define EXPIRY(...)
#define NAMED(...)
#define RULE(...)
#include "base/stats.tbl.h"
	STAT_LISTENER_N
};
enum stat_cluster {
#define SERVER(...)
#define LISTENER(...)
#define CLUSTER(id, ...) STAT_##id,
#define OUTCOME(...)
#define RESOLVER(...)
#define EXPIRY(...)
#define NAMED(...)
#define RULE(...)
#include "base/stats.tbl.h"
	STAT_CLUSTER_N
};
enum stat_outcome {
#define SERVER(...)
#define LISTENER(...)
#define CLUSTER(...)
#define OUTCOME(id, ...) STAT_##id,
#define RESOLVER(...)
#define EXPIRY(...)
#define NAMED(...)
#define RULE(...)
#include "base/stats.tbl.h"
	STAT_OUTCOME_N
};
enum stat_resolver {
#define SERVER(...)
#define LISTENER(...)
#define CLUSTER(...)
#define OUTCOME(...)
#define RESOLVER(id, ...) STAT_##id,
#define EXPIRY(...)
#define NAMED(...)
#define RULE(...)
#include "base/stats.tbl.h"
	STAT_RESOLVER_N
};
enum stat_expiry {
#define SERVER(...)
#define LISTENER(...)
#define CLUSTER(...)
#define OUTCOME(...)
#define RESOLVER(...)
#define EXPIRY(id, ...) STAT_##id,
#define NAMED(...)
#define RULE(...)
#include "base/stats.tbl.h"
	STAT_EXPIRY_N
};
enum stat_named {
#define SERVER(...)
#define LISTENER(...)
#define CLUSTER(...)
#define OUTCOME(...)
#define RESOLVER(...)
#define EXPIRY(...)
#define NAMED(id, ...) STAT_##id,
#define RULE(...)
#include "base/stats.tbl.h"
	STAT_NAMED_N
};
enum stat_rule {
#define SERVER(...)
#define LISTENER(...)
#define CLUSTER(...)
#define OUTCOME(...)
#define RESOLVER(...)
#define EXPIRY(...)
#define NAMED(...)
#define RULE(id, ...) STAT_##id,
#include "base/stats.tbl.h"
	STAT_RULE_N
};

/* Upper bounds in ms, as Envoy's default buckets; the last is +Inf. */
#define STATS_BUCKETS 20
extern const double stats_bucket_ms[STATS_BUCKETS - 1];

struct histogram {
	_Atomic uint64_t bucket[STATS_BUCKETS];
	_Atomic uint64_t sum_us;
};

/* One scope in one shard. */
struct stats_set {
	enum stat_scope scope;
	char *name; /* label value: listener, cluster, outcome, …; or NULL */
	_Atomic uint64_t *v;
	/* Histograms of a cluster: time to connect. Made on first use. */
	_Atomic(struct histogram *) connect_ms;
};

struct stats_shard;

/* A shard a thread that counts; they are known to stats_render(). */
struct stats_shard *stats_shard_new(void) MUST_CHECK;
void stats_shard_free(struct stats_shard *s);
/* Found or made; lives until dropped or the shard is freed.  Own thread. */
struct stats_set *stats_get(
    struct stats_shard *s, enum stat_scope scope, const char *name);
void stats_drop(struct stats_shard *s, struct stats_set *set);

static inline void
stat_add(struct stats_set *s, unsigned id, uint64_t n)
{
	/* One writer a shard, so no locked instruction is needed. */
	atomic_store_explicit(&s->v[id],
	    atomic_load_explicit(&s->v[id], memory_order_relaxed) + n,
	    memory_order_relaxed);
}

static inline void
stat_inc(struct stats_set *s, unsigned id)
{
	stat_add(s, id, 1);
}

static inline void
stat_dec(struct stats_set *s, unsigned id)
{
	stat_add(s, id, UINT64_MAX);
}

static inline void
stat_set(struct stats_set *s, unsigned id, uint64_t n)
{
	atomic_store_explicit(&s->v[id], n, memory_order_relaxed);
}

void stat_connect_time(struct stats_set *s, uint64_t us);

/* One value over all shards; for tests and status. */
uint64_t stats_sum(enum stat_scope scope, const char *name, unsigned id);

/* Prometheus text (version 0.0.4) of all shards, added up.  Any thread. */
void stats_render(struct text *out);

/* Every row, for the manual's check and the docs. */
struct stat_row {
	enum stat_scope scope;
	enum stat_type type;
	const char *name;  /* as exported */
	const char *label; /* further fixed label, e.g. x="1"; or NULL */
	const char *help;
	const char *advice;
};
size_t stats_rows(const struct stat_row **rows);

#endif
