/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONN_CONNS_H
#define CONN_CONNS_H

/*
 * All client connections of one worker, and what they share.  The daemon makes
 * one a worker; conn/conn.c tells the life of each.  Own thread, unless said.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/stats.h"
#include "base/str.h"
#include "conn/revoked.h"
#include "http/http_limits.h"
#include "net/addr.h"
#include "net/loop.h"
#include "policy/snapshot.h"
#include "tls/identity_store.h"
#include "upstream/cluster.h"

struct access_log;
struct mesh_logs;
struct caller_limits;
struct conns;
struct uses;

struct conn_limits {
	unsigned hello_ms;       /* 15000 */
	unsigned tls_ms;         /* 15000 */
	unsigned idle_ms;        /* a relay without a byte; 3600000 */
	unsigned head_ms;        /* of a request begun; 15000 */
	unsigned http_idle_ms;   /* between requests; 300000 */
	unsigned stream_idle_ms; /* within one, without a byte; 300000 */
	unsigned drain_ms;       /* from drain to the last close; 30000 */
	size_t connections;      /* of one worker; 100000 */
	size_t source_relays;    /* of one source address in one worker; 1000 */
	size_t source_dials;     /* pending, likewise; 100 */
	size_t drain_body;       /* of a refused request; 65536 */
	size_t body_bytes;       /* of any request; 0: no limit */
};

enum listener_role { ROLE_EGRESS, ROLE_INGRESS };

struct listener_info {
	enum listener_role role;
	/*
	 * An ingress listener on a host that also has an egress listener goes
	 * on in the process; else it only relays to the zone's ZoneEgresses.
	 */
	bool relays_only;
	struct stats_set *stats; /* of this worker */
	struct str name;         /* "127.0.0.1:10002" */
};

/* Everything outlives the conns. */
struct conn_env {
	struct loop *loop;
	struct clusters *clusters;
	struct stats_shard *stats;
	struct access_log *log;      /* NULL: off */
	struct mesh_logs *mesh_logs; /* NULL: none may be written */
	struct uses *uses;           /* NULL: off */
	const struct conn_limits *limits;
	const struct http_limits *http;
	const struct h2_limits *h2;
	struct caller_limits *callers;     /* of the daemon */
	const struct cidr *remote_sources; /* beside the ZoneIngresses */
	size_t n_remote_sources;
	/* Below n, for chances; NULL: rng_below(). */
	uint32_t (*random)(uint32_t n);
	bool keep_revoked; /* on_revoke = "keep" */
	bool logs_query;   /* access_log_query */
	struct str zone;
};

/* s and t are referenced. */
struct conns *conns_new(const struct conn_env *env, struct snapshot *s,
    struct tls_identities *t) MUST_CHECK;
/* Ends every connection at once. */
void conns_free(struct conns *cs);

/* A new client; takes fd over. */
void conns_accept(struct conns *cs, int fd, const struct addr *from,
    const struct listener_info *l);

/* The newest; connections keep their service, and ask this for permission. */
void conns_set_snapshot(struct conns *cs, struct snapshot *s);
void conns_set_identities(struct conns *cs, struct tls_identities *t);
/*
 * Ask anew for every open TCP connection and every request under way, 256 a
 * turn of the loop; those whose permission is gone end (REVOKED), unless
 * keep_revoked.  Call when every worker has switched.  fn (may be NULL) is told
 * once what was ended, in this thread; early if all is asked once more.
 */
void conns_reauthorize(struct conns *cs,
    void (*fn)(const struct revoked *r, void *arg), void *arg);
/* ingress: addresses that this zone's ZoneIngresses have (resolved). */
void conns_set_ingresses(struct conns *cs, const struct addr *v, size_t n);

/*
 * Stop: idle connections end now, others when their request is through, all
 * after drain_ms.  fn is called when none is left.
 */
void conns_drain(struct conns *cs, void (*fn)(void *arg), void *arg);

/* What open connections carried since the last time goes to env.uses. */
void conns_note_uses(struct conns *cs);

size_t conns_count(const struct conns *cs);
/* A line a connection, for `zegressctl conns`; at most max of them. */
void conns_print(const struct conns *cs, size_t max, struct text *out);

#endif
