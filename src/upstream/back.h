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
struct pool;

struct back_ops {
	/* A stream for one more exchange; only while streams_left > 0. */
	struct stream *(*open)(struct back *b);
	/* After the release of its stream: may it be used again? */
	bool (*can_reuse)(const struct back *b);
	/* Nobody uses it: closed(b) is called when it is of no use any more,
	 * never before this returns, and not once it was opened again. */
	void (*rest)(struct back *b, void (*closed)(struct back *b));
	/* Closes the connection and frees b. */
	void (*close)(struct back *b);
};

struct back {
	const struct back_ops *ops;
	unsigned streams_left; /* exchanges that may be added now */
	bool is_private;       /* authenticated for one caller */
	bool is_used;          /* an exchange had it, or it lay in the pool */
	struct cluster_guard guard;
	struct pool *pool;             /* that it lies in */
	TAILQ_ENTRY(back) in_endpoint; /* while it is idle */
	TAILQ_ENTRY(back) in_pool;
	uint64_t idle_since_ms;
	const struct wire *wire; /* closed by close() */
	struct addr addr;
	bool has_tls;
	struct tls_info tls;
	uint64_t dns_us;
	uint64_t connect_us;
};

TAILQ_HEAD(back_list, back);

#endif
