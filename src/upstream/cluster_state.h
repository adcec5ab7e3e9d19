/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_CLUSTER_STATE_H
#define UPSTREAM_CLUSTER_STATE_H

/*
 * What a cluster is made of: for the files of this folder that move a part of
 * it, and for nobody else.
 */

#include <sys/queue.h>

#include "base/hash.h"
#include "net/families.h"
#include "upstream/balance.h"
#include "upstream/cluster.h"
#include "upstream/endpoint.h"
#include "upstream/known_names.h"
#include "upstream/lease.h"
#include "upstream/outward.h"
#include "upstream/pool.h"
#include "upstream/rates.h"
#include "upstream/reach.h"
#include "upstream/rule_counts.h"
#include "upstream/shared.h"

TAILQ_HEAD(lease_list, lease);
TAILQ_HEAD(dialing_list, dialing);
TAILQ_HEAD(probe_list, probe);
TAILQ_HEAD(reach_list, reach);
TAILQ_HEAD(cluster_list, cluster);

/* Services may have one name in the metrics, and one may follow another. */
struct cluster_counts {
	unsigned users;
	struct stats_set *set;
	UT_hash_handle hh; /* by set */
};

/* Those of this label, counted until dropped. */
struct cluster_counts *counts_get(
    struct clusters *cs, enum stat_scope scope, struct str label) MUST_CHECK;
void counts_drop(struct clusters *cs, struct cluster_counts *k);

struct cluster {
	unsigned refs; /* the table's; of guards, leases, reaches, callers */
	struct clusters *all;
	struct service *service;
	struct outward *outward; /* of service */
	struct rate_set *rates;  /* likewise; NULL: none */
	struct shared_service *shared;
	struct shared_member *member; /* of shared */
	unsigned wants;               /* what it added to shared.wanted */
	struct cluster_counts *counts;
	struct rule_counts *rules; /* NULL: none was asked yet */
	struct live_endpoints local;
	struct live_endpoints remote;
	/* Of a wildcard service: who they are, local being what they share. */
	struct known_names names;
	struct balance *balance; /* of local, as the service wants it */
	struct balance *relays;  /* of remote: in turn, by weight */
	bool is_dropped; /* the service is gone: nothing is kept for later */

	size_t n_open;     /* connections */
	size_t n_reaching; /* on their way */

	/* lease.c, lease_queue.c, dialing.c */
	struct lease_list waiting;
	size_t n_waiting;
	size_t n_undialed; /* of those, without a dialing of their own */
	struct lease_list told;
	struct timer telling;
	bool is_feeding;
	struct timer patience;        /* of those who wait at the limit */
	struct dialing_list dialings; /* those with room for owners first */

	struct probe_list probes; /* probe.c */

	/* reach.c */
	struct reach_list reaches;
	size_t n_direct; /* reaches that are not a lease's */

	TAILQ_ENTRY(cluster) link; /* of clusters.dropped */
	UT_hash_handle hh;         /* by the service's key */
};

/* A power of two. */
#define CLUSTERS_RECENT 64

struct clusters {
	struct upstream_env env;
	struct families families;
	struct snapshot *snapshot; /* of the last sync; NULL before */
	struct cluster *table;
	struct cluster *recent[CLUSTERS_RECENT]; /* by service; of the table */
	struct cluster_list dropped;
	struct cluster_counts *counts;
	uint64_t names_made;
	struct pool pool;
	struct timer health;   /* while some endpoint is unhealthy */
	struct shared *shared; /* its own, if env has none */
};

static inline const struct upstream_env *
cluster_env(const struct cluster *c)
{
	return &c->all->env;
}

static inline struct stats_set *
cluster_set(const struct cluster *c)
{
	return c->counts->set;
}

static inline uint64_t
cluster_now_ms(const struct cluster *c)
{
	return loop_now_ms(c->all->env.loop);
}

/* Is it this worker that checks its endpoints? */
bool cluster_is_prober(const struct cluster *c);
/* The endpoints that want is about. */
const struct live_endpoints *cluster_endpoints(
    const struct cluster *c, const struct reach_want *want);

struct balance *cluster_balance(
    const struct cluster *c, const struct reach_want *want);

/* Count the healthy ones anew after something was learnt. */
void cluster_note_health(struct cluster *c);
/* The gauges that say which limit is reached. */
void cluster_note_limits(struct cluster *c);
/* Room for one more connection, if need be in place of an idle one. */
bool cluster_make_room(struct cluster *c);
bool cluster_is_full(const struct cluster *c);

/* One more open connection. */
struct cluster_guard cluster_guard_hold(struct cluster *c,
    struct live_endpoint *e, struct live_target *t) MUST_CHECK;
/* The same, of one that was counted in the breaker on its way. */
struct cluster_guard cluster_guard_take(struct cluster *c,
    struct live_endpoint *e, struct live_target *t) MUST_CHECK;

/* cluster_limits.c */
const struct breaker_settings *cluster_breakers(const struct cluster *c);
/*
 * One more of it, within the limits; cluster_end() is to follow.  False: it is
 * counted as an overflow, and cluster_limit_name() says of what.
 */
bool cluster_begin(struct cluster *c, enum breaker_id id) MUST_CHECK;
void cluster_end(struct cluster *c, enum breaker_id id);
bool cluster_has_own_limit(const struct cluster *c, enum breaker_id id);
/* Its own, or that of each worker; 0: none. */
unsigned cluster_limit(const struct cluster *c, enum breaker_id id);
const char *cluster_limit_name(const struct cluster *c, enum breaker_id id);
/* At the limit, by chance, as many wait here and elsewhere. */
bool cluster_gives_way(const struct cluster *c);
/* What is kept idle here, and others wait for, is closed. */
void cluster_yield(struct cluster *c);
/* Who waits here lets the others know. */
void cluster_note_wants(struct cluster *c);
void cluster_on_news(void *arg, unsigned news);

/* cluster_sync.c */
/*
 * What list is from now on; keeps: of those that are as they were, health and
 * connections stay.
 */
void live_endpoints_set(struct cluster *c, struct live_endpoints *list,
    const struct service_endpoint *v, size_t n, bool keeps, uint64_t name_id);
/* Nothing is new to who knows nothing: slow start is for who comes later. */
void live_endpoints_note_known(const struct live_endpoints *list);
/* As c's service wants it, for a list that outlives it. */
struct balance *cluster_new_balance(
    const struct cluster *c, const struct live_endpoints *list) MUST_CHECK;
void cluster_set_service(struct cluster *c, struct service *s);
/* Bits of from's rulesets, or sets of relays, as bits of to's equal ones. */
void cluster_translate(const struct service *from, const struct service *to,
    struct reach_want *want);
/* Out of the table; it lives on until the last reference goes. */
void cluster_drop(struct cluster *c);

/* lease.c, lease_queue.c */
void lease_init(struct cluster *c);
void lease_init_telling(struct cluster *c);
/* Somebody may have room now. */
void lease_feed(struct cluster *c);
void lease_translate(struct cluster *c, const struct service *from);
/* Of the pool: b is of no use any more, or has room for others. */
void lease_on_changed(struct back *b);

/* dialing.c */
void dialing_translate(struct cluster *c, const struct service *from);
void dialing_stop_all(struct cluster *c);

/* reach.c */
void reach_translate(struct cluster *c, const struct service *from);

#endif
