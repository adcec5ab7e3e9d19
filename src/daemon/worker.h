/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_WORKER_H
#define DAEMON_WORKER_H

/*
 * One thread that carries traffic, with everything that belongs to it: loop,
 * resolver, contexts, clusters, connections, counters.  Main makes workers and
 * speaks to them by posting; a worker answers in the same way.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "net/addr.h"
#include "net/loop.h"

struct access_log_file;
struct caller_limits;
struct chain_book;
struct config;
struct ledger;
struct listeners;
struct rates;
struct revoked;
struct shared;
struct snapshot;
struct tls_identities;
struct worker;

/* Everything outlives the worker. */
struct worker_env {
	size_t n_workers;
	const struct config *config;
	struct listeners *listeners; /* a descriptor of each is taken */
	struct access_log_file *log; /* NULL: off */
	struct shared *shared;       /* what workers know together */
	struct loop *main;
	struct chain_book *chains;
	struct rates *rates;
	struct ledger *ledger; /* NULL: none is kept */
	struct caller_limits *callers;
};

/* Not running yet.  s and t are referenced. */
struct worker *worker_new(const struct worker_env *env, size_t number,
    struct snapshot *s, struct tls_identities *t) MUST_CHECK;
/* False: no thread could be started. */
bool worker_start(struct worker *w) MUST_CHECK;
/*
 * End the thread, if it runs.  What is posted afterwards waits for
 * worker_settle(), which does it in main's thread and calls fn at once.
 */
void worker_stop(struct worker *w);
void worker_settle(struct worker *w);
/* Stops it, and ends every connection.  NULL is fine. */
void worker_free(struct worker *w);

/* From here on main's thread.  fn(arg) is called in main's loop, when done. */
void worker_switch(struct worker *w, struct snapshot *s,
    struct tls_identities *t, void (*fn)(void *arg), void *arg);
/* fn is called once in the worker's thread, when it has asked for all. */
void worker_reauthorize(struct worker *w,
    void (*fn)(const struct revoked *r, void *arg), void *arg);
void worker_set_ingresses(struct worker *w, const struct addr *v, size_t n);
void worker_drain(struct worker *w, void (*fn)(void *arg), void *arg);
/* The files of MeshAccessLogs, after a rotation. */
void worker_reopen_logs(struct worker *w);
/* Only to see whether it still turns. */
void worker_ping(struct worker *w, void (*fn)(void *arg), void *arg);
uint64_t worker_longest_turn_ms(struct worker *w);

enum worker_part {
	WORKER_CONNS,
	WORKER_CLUSTERS,
	WORKER_DNS,
	WORKER_DNS_FLUSH,
	WORKER_NOTHING /* only that all that was posted before is done */
};
struct worker_query {
	enum worker_part part;
	size_t max;      /* lines, where there may be many */
	struct str name; /* of DNS_FLUSH; empty: all */
};
/*
 * Fill out in the worker's thread, then call fn there.  The name is copied, out
 * and arg stay the caller's.
 */
void worker_print(struct worker *w, const struct worker_query *q,
    struct text *out, void (*fn)(void *arg), void *arg);

#endif
