/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONN_CONN_H
#define CONN_CONN_H

/*
 * One client connection, from accept to its line in the access log.  Private
 * to conn/: the daemon sees conns.h.  A worker's thread.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "conn/caller_limits.h"
#include "conn/conns.h"
#include "conn/outcome.h"
#include "conn/relay.h"
#include "conn/sources.h"
#include "net/wire.h"
#include "policy/authorize.h"
#include "policy/service.h"
#include "tls/hello.h"
#include "tls/wire_tls.h"
#include "upstream/name.h"
#include "upstream/reach.h"

/* What a step of a life says to its driver. */
enum next {
	GO,   /* done: enter the next one */
	WAIT, /* an event will run us again */
	END   /* the outcome is set */
};

enum stage {
	PEEK,
	MATCH,
	HANDSHAKE,
	AUTHORIZE,
	ASK_NAME,
	ADMIT,
	REACH,
	CARRY,
	STAGE_N
};

/* The server as it was reached; for the relay and the log. */
struct conn_server {
	struct wire *wire;
	struct cluster *cluster;    /* referenced */
	struct upstream_name *name; /* likewise; of a wildcard service */
	struct cluster_guard guard; /* goes with wire */
	char *endpoint_key;
	char *endpoint; /* host:port */
	struct addr addr;
	bool has_tls;
	struct tls_info tls;
	uint64_t dns_us;
	uint64_t connect_us;
};

struct exchange;
struct front;

struct conn {
	TAILQ_ENTRY(conn) link;
	struct conns *all;
	const struct listener_info *listener;
	enum stage stage;
	bool is_remote; /* the caller is of another zone */
	bool is_over;   /* released; only the memory is left */
	enum route route;
	enum outcome outcome;
	struct front *front; /* HTTP services, in CARRY */
	struct wire *client;
	struct service *service;
	struct service *newest; /* the newest snapshot's, as of newest_at */
	uint64_t newest_at;     /* conns.snapshots then; 0: never asked */
	struct timer deadline;
	struct addr from;
	uint64_t id;
	uint64_t started_us;
	char *sni; /* as sent; NULL before MATCH */
	/* Of a wildcard service, in the caller's own TLS; NULL: not known. */
	char *inner_sni;
	struct source *source; /* a relay's; NULL otherwise */
	bool is_dialling;
	bool alpn_h2; /* offered */
	bool alpn_http11;
	enum tls_alpn alpn; /* what we agreed to */
	bool speaks_tls;    /* the first bytes inside look like TLS again */
	bool saw_bytes;
	bool is_detecting; /* CARRY waits for the version of HTTP */
	bool is_handshaking;
	bool is_counted;        /* among its caller's connections */
	bool has_kept_rate;     /* of new connections: it was counted */
	struct caller_use *use; /* its caller's; NULL: has no limits */
	struct verdict verdict;
	char *rule;       /* the verdict's, kept for the log */
	char *would_rule; /* likewise; NULL: nothing was reported */
	struct reach *reach;
	enum reach_status reach_status;
	bool is_reached;
	struct conn_server server;
	struct relay relay;
	struct proxy_header *proxy_header; /* NULL: no server wanted it yet */
	uint64_t first_byte_us;
	struct {
		uint64_t bytes_in;
		uint64_t bytes_out;
		bool is_told; /* the connection */
	} used;               /* what the table of uses has of it */
	char *detail;
};

TAILQ_HEAD(conn_list, conn);

/* What the connections of a worker share. */
struct conns {
	struct conn_env env;
	struct snapshot *snapshot;
	uint64_t snapshots; /* that there were, this one included */
	struct tls_identities *identities;
	struct conn_list list;
	size_t n;
	uint64_t next_id;
	struct sources *sources;
	struct addr *ingresses;
	size_t n_ingresses;
	struct exchange *spare_exchanges; /* exchange_spare.c */
	unsigned n_spare_exchanges;
	struct stats_set *outcomes[OUT_N];
	struct conn *reauthorize_next; /* NULL: no walk is under way */
	bool walks;
	/* What the walk has ended, and who wants to know when it is over. */
	struct revoked revoked;
	void (*on_walked)(const struct revoked *r, void *arg);
	void *on_walked_arg;
	struct conn *note_next; /* conns_note_uses(); NULL: none is left */
	bool is_noting;
	bool is_draining;
	bool is_freeing;
	struct timer drain_deadline;
	void (*on_drained)(void *arg);
	void *on_drained_arg;
};

/* Begins; c may be gone when this returns. */
void conn_start(struct conns *cs, int fd, const struct addr *from,
    const struct listener_info *l);
/* Run stages until one has to wait or the connection is over. */
void conn_run(struct conn *c);
/* Set the outcome; always returns END.  detail is copied, may be NULL. */
enum next conn_finish(struct conn *c, enum outcome o, const char *detail);
/* End it from outside, now. */
void conn_end(struct conn *c, enum outcome o, const char *detail);
/* It carries requests, and each of them asks for itself. */
bool conn_asks_by_request(const struct conn *c);
/* Without a byte, of a connection to s (NULL: of any) that carries bytes. */
unsigned conn_idle_ms(const struct conn *c, const struct service *s);
/* The service as the newest snapshot has it, or NULL when it is gone. */
struct service *conn_newest_service(struct conn *c);
/* For the log: v's texts may go with its service. */
void conn_keep_verdict(struct conn *c, const struct verdict *v);
void conn_count_verdict(struct cluster *cluster, const struct verdict *v);
/* Stop after what is in progress. */
void conn_drain(struct conn *c);
const char *conn_stage_name(enum stage s);

/* conn_proxy_header.c: what s's server is told of the caller; or NULL. */
struct proxy_header *conn_proxy_header(struct conn *c, const struct service *s);

/* conn_reauthorize.c */

/*
 * Ask again after a reload; ends the connection, or its requests, if permission
 * is gone.  How often it asked.
 */
unsigned conn_reauthorize(struct conn *c);
/*
 * Would the newest rules let the caller use what it has open under had: the
 * service, by an endpoint (empty: none yet), and, if it has a wildcard, by this
 * name (likewise)?  v: what they say.
 */
bool conn_may_go_on(struct conn *c, const struct service *had,
    struct str endpoint_key, struct str name, struct verdict *v) MUST_CHECK;

/* In the walk: it, or a request of it, ends because of v. */
void conn_count_revoked(
    struct conn *c, const struct verdict *v, bool is_request);

/* conn_use.c: it is over. */
void conn_note_use(struct conn *c);

/* conns.c: c left the list. */
void conns_forget(struct conns *cs, struct conn *c);

/* handshake.c */
enum next conn_handshake(struct conn *c);

/* inner_name.c */
enum next conn_ask_name(struct conn *c);
/* Once the cluster is there: its name, or END. */
enum next conn_choose_name(struct conn *c);

/* conn_traffic.c */

/* GO, or END when its caller has too many, or there are too many new ones. */
enum next conn_keep_limits(struct conn *c);
/* It counts from now on, if there are limits since the reload. */
void conn_join_limits(struct conn *c);
void conn_leave_limits(struct conn *c);
/* Of the newest service. */
struct caller_caps conn_caps(struct conn *c);
/* Bytes went; false: that was too much for its caller's day. */
bool conn_moves(struct conn *c, uint64_t n);
/* One request; CALLER_LIMIT_N, or what refuses it. */
enum caller_limit conn_asks(
    struct conn *c, const struct caller_caps *caps) MUST_CHECK;
/* Counts it; why is filled. */
enum outcome conn_limited(
    struct conn *c, enum caller_limit l, char *why, size_t cap);

/* carry_bytes.c */
enum next conn_carry_bytes(struct conn *c);

/* conn_log.c: the connection's line. */
void conn_log(struct conn *c);

#endif
