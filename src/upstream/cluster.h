/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_CLUSTER_H
#define UPSTREAM_CLUSTER_H

/*
 * The live state of one service in one worker: its endpoints with what is
 * known of their health, idle connections, who waits for one, its counters.
 * Made on first use; kept over reloads by the service's key, an endpoint by
 * its key and digest.  Own thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/stats.h"
#include "net/dns.h"
#include "net/loop.h"
#include "policy/service.h"
#include "policy/snapshot.h"
#include "tls/wire_tls.h"

struct addr_rules;
struct chain_book;
struct shared;
struct cluster;
struct clusters;
struct dns_sets;
struct h2_limits;
struct http_limits;
struct live_endpoint;
struct rates;

struct upstream_limits {
	unsigned connect_ms;      /* one service: name, TCP and TLS; 5000 */
	unsigned pool_idle_ms;    /* an idle connection is closed; 60000 */
	size_t pool_per_endpoint; /* idle connections kept; 1024 */
	size_t connections;       /* of one service in one worker; 1024 */
	size_t pending;           /* waiting for a connection; 1024 */
};

/* What all clusters of a worker use; everything outlives them. */
struct upstream_env {
	struct loop *loop;
	struct dns *dns;
	struct dns_sets *dns_sets; /* NULL: dns alone */
	struct tls_clients *tls;
	struct stats_shard *stats;
	const struct addr_rules *addr_rules;
	/* Our own listeners: refused for literal addresses too. */
	const struct addr *own;
	size_t n_own;
	/* Nor to a Unix socket of this process; 0: that is fine. */
	pid_t own_pid;
	const struct upstream_limits *limits;
	const struct http_limits *http;
	const struct h2_limits *h2; /* of the client role */
	struct chain_book *chains;  /* NULL: nobody wants to know */
	struct rates *rates;        /* NULL: what has a rate is refused */
	struct shared *shared;      /* by all workers; NULL: by nobody */
	/* Which worker this is, of how many; 0 of 0: the only one. */
	size_t number;
	size_t n_workers;
};

struct clusters *clusters_new(const struct upstream_env *env) MUST_CHECK;
/* After the last lease, reach and guard has ended. */
void clusters_free(struct clusters *cs);

/*
 * The cluster of s, made, or brought up to date with s (but not back to an
 * older one than that of the last clusters_sync()).  Borrowed: it is there
 * until the next turn of the loop, or as long as a reference is held.
 */
struct cluster *clusters_get(struct clusters *cs, struct service *s);
struct cluster *cluster_ref(struct cluster *c);
/* NULL is fine. */
void cluster_unref(struct cluster *c);

/*
 * After a reload: keep, change or drop what was made so far.  s is referenced
 * until the next one.  Idle connections of endpoints that changed or went are
 * closed, those in use end with what they are used for; what still waits or
 * dials goes on under the new rules.
 */
void clusters_sync(struct clusters *cs, struct snapshot *s);

/*
 * Make those whose endpoints this worker checks.  clusters_sync() does it too;
 * at the start nothing else does.
 */
void clusters_watch(struct clusters *cs, const struct snapshot *s);

/*
 * The share that an open connection has in its cluster: it is counted, and
 * cluster and endpoint stay, until it is released.  Goes with the wire: see
 * struct reached.  Copying it moves it; released ones are zero.
 */
struct cluster_guard {
	struct cluster *cluster; /* NULL: nothing is held */
	struct live_endpoint *endpoint;
	struct live_target *target; /* of endpoint, if it has any; or NULL */
};
/* The connection is closed.  Fine on a zero one. */
void cluster_guard_release(struct cluster_guard *g);

/*
 * For service_route(): some local endpoint of these rulesets has an address (or
 * none has been asked for yet) and no failed connect in the last 10 s.
 */
bool cluster_local_is_live(const struct cluster *c, uint64_t rulesets);
/*
 * The same where balance.zones is given: the local ones are the first priority,
 * and get as much of the load as they can carry.  dice: any random number.
 */
bool cluster_local_is_next(
    const struct cluster *c, uint64_t rulesets, uint64_t dice);
struct stats_set *cluster_stats(struct cluster *c);
/*
 * A request is about to be sent again, within the budget of the service; false:
 * it is not.  The end follows when the request has ended.
 */
bool cluster_begin_retry(struct cluster *c) MUST_CHECK;
void cluster_end_retry(struct cluster *c);

/* Of the service, or else of the daemon: to connect, all included. */
unsigned cluster_connect_ms(const struct cluster *c);

/* One line an endpoint, for `zegressctl services` and /clusters. */
void clusters_print(const struct clusters *cs, struct text *out);

#endif
