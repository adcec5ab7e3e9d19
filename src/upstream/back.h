/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_BACK_H
#define UPSTREAM_BACK_H

/*
 * One open connection to a server that carries exchanges, whatever version of
 * HTTP it speaks: what the pool keeps and leases hold.  Own thread.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "http/stream.h"
#include "net/addr.h"
#include "tls/wire_tls.h"
#include "upstream/cluster.h"

struct back;
struct pin;
struct pool;
struct proxy_header;
struct reached;

struct back_ops {
	/* A stream for one more exchange; only while streams_left > 0. */
	struct stream *(*open)(struct back *b);
	/* May another exchange use it, now or when one of its own has ended? */
	bool (*can_reuse)(const struct back *b);
	/*
	 * A stream of b was released, or b is new: bring streams_left up to
	 * date.  From now on changed(b) is called from the loop when b is of no
	 * use any more or streams_left has changed; until b is closed or, if it
	 * carries one exchange at a time, opened.
	 */
	void (*watch)(struct back *b, void (*changed)(struct back *b));
	/* What went wrong with the connection; empty: nothing to say of it.
	 * NULL: it never has. */
	struct str (*failure)(const struct back *b);
	/* Closes the connection and frees b. */
	void (*close)(struct back *b);
};

/* In which lists of the pool it is. */
enum back_place {
	BACK_OUT,    /* none: no room, of no use, or not yet offered */
	BACK_SHARED, /* exchanges use it, and there is room for more */
	BACK_IDLE,   /* nobody uses it */
	BACK_PINNED  /* nobody uses it; kept for one caller: see pin.h */
};

struct back {
	const struct back_ops *ops;
	unsigned streams_left; /* exchanges that may be added now */
	unsigned leased;       /* exchanges that use it now */
	enum http_version version;
	bool is_private; /* authenticated for one caller */
	bool is_used;    /* an exchange had it, or it lay in the pool */
	struct cluster_guard guard;
	/* Its server was told of this caller, and is for no other; or NULL. */
	struct proxy_header *proxy_header; /* referenced */
	TAILQ_ENTRY(back) in_header;
	struct pool *pool;
	enum back_place place;
	struct pin *pin;               /* that it is kept in */
	TAILQ_ENTRY(back) in_endpoint; /* unless it is out */
	TAILQ_ENTRY(back) in_pool;     /* while it is idle or pinned */
	uint64_t idle_since_ms;
	const struct wire *wire; /* closed by close() */
	struct addr addr;
	bool has_tls;
	struct tls_info tls;
	uint64_t dns_us;
	uint64_t connect_us;
};

TAILQ_HEAD(back_list, back);

/*
 * What the wire of r becomes, which is taken with its guard: HTTP/2 for a
 * service of protocol http2 or grpc, unless ALPN says HTTP/1.1; else HTTP/1.1.
 */
struct back *back_new(struct reached *r) MUST_CHECK;
/* The part that all have in common; wire and guard are taken. */
void back_init(struct back *b, const struct back_ops *ops, struct reached *r);
/* Its end: of the part but for the wire. */
void back_fini(struct back *b);

#endif
