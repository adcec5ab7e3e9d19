/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker is made in main's thread, handed to its own, and taken apart in
 * main's again after that has ended.  In between main only posts: each request
 * is a struct job that carries what it needs and is freed by whoever runs it.
 */

#include "daemon/worker.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "admin/ledger.h"
#include "base/log.h"
#include "base/stats.h"
#include "base/xalloc.h"
#include "conn/access_log.h"
#include "conn/conns.h"
#include "conn/mesh_logs.h"
#include "conn/uses.h"
#include "daemon/config.h"
#include "daemon/listener.h"
#include "net/dns_sets.h"
#include "policy/snapshot.h"
#include "tls/identity_store.h"
#include "tls/wire_tls.h"
#include "upstream/cluster.h"

#define SWEEP_MS 60000
#define CONTEXT_IDLE_MS 600000
/* Longer than any wait for a connection. */
#define RESOLVER_IDLE_MS 900000

struct worker {
	size_t number;
	pthread_t thread;
	bool is_running;
	struct loop *loop;
	struct loop *main;
	struct stats_shard *stats;
	struct dns_sets *dns;
	struct tls_clients *tls;
	struct upstream_env upstream;
	struct clusters *clusters;
	struct access_log *log;
	struct mesh_logs *mesh_logs; /* NULL: none may be written */
	struct ledger *ledger;       /* NULL: no uses are noted */
	struct uses *uses;           /* since they were last handed over */
	unsigned note_ms;
	struct timer note;
	struct conn_env env;
	struct conns *conns;
	struct listener_info *infos;
	struct acceptor **acceptors;
	size_t n_acceptors;
	struct timer sweep;
	struct job *draining; /* to be answered when no connection is left */
};

/* One request to a worker. */
struct job {
	struct worker *worker;
	struct snapshot *snapshot;
	struct tls_identities *identities;
	struct addr *addrs;
	size_t n_addrs;
	struct worker_query query;
	char *name; /* of query */
	struct text *out;
	void (*fn)(void *arg);
	void (*on_walked)(const struct revoked *r, void *arg);
	void *arg;
};

static struct job *
job_new(struct worker *w, void (*fn)(void *), void *arg)
{
	struct job *j = xcalloc(1, sizeof(*j));

	j->worker = w;
	j->fn = fn;
	j->arg = arg;
	return j;
}

/* To main, which may be who runs this when the thread has ended. */
static void
answer(struct job *j)
{
	if (j->fn != NULL && j->worker->is_running)
		loop_post(j->worker->main, j->fn, j->arg);
	else if (j->fn != NULL)
		j->fn(j->arg);
	free(j);
}

/* Uses on their way to main. */
struct handover {
	struct ledger *ledger;
	struct uses *uses;
};

static void
take_uses(void *arg)
{
	struct handover *h = arg;

	ledger_take(h->ledger, h->uses);
	free(h);
}

/* So that no table is shared between threads. */
static void
on_note(void *arg)
{
	struct worker *w = arg;
	struct handover *h;

	conns_note_uses(w->conns);
	if (w->uses->table != NULL) {
		h = xcalloc(1, sizeof(*h));
		h->ledger = w->ledger;
		h->uses = uses_move(w->uses);
		loop_post(w->main, take_uses, h);
	}
	timer_set(&w->note, w->note_ms);
}

static void
make_uses(struct worker *w, const struct worker_env *env)
{
	if (env->ledger == NULL)
		return;
	w->ledger = env->ledger;
	w->uses = uses_new(env->config->ledger_entries);
	w->note_ms = env->config->ledger_interval_s * 500;
	timer_init(&w->note, w->loop, on_note, w);
	timer_set(&w->note, w->note_ms);
}

/* In main's thread, when no connection is left. */
static void
give_uses(struct worker *w)
{
	if (w->ledger != NULL)
		ledger_take(w->ledger, w->uses);
}

static void
on_sweep(void *arg)
{
	struct worker *w = arg;

	tls_clients_sweep(w->tls, CONTEXT_IDLE_MS);
	dns_sets_sweep(w->dns, RESOLVER_IDLE_MS);
	timer_set(&w->sweep, SWEEP_MS);
}

static void
make_infos(struct worker *w, const struct listeners *ls)
{
	const struct listener *l;
	size_t i;

	w->infos = xcalloc(ls->n + 1, sizeof(*w->infos));
	for (i = 0; i < ls->n; i++) {
		l = &ls->v[i];
		w->infos[i] = (struct listener_info){
			.role = l->is_ingress ? ROLE_INGRESS : ROLE_EGRESS,
			.relays_only = l->is_ingress && !ls->has_egress,
			.stats = stats_get(w->stats, SCOPE_LISTENER, l->name),
			.name = str_of(l->name),
		};
	}
}

static void
make_acceptors(struct worker *w, struct listeners *ls)
{
	size_t i;

	w->acceptors = xcalloc(ls->n + 1, sizeof(struct acceptor *));
	for (i = 0; i < ls->n; i++) {
		w->acceptors[w->n_acceptors++] =
		    acceptor_new(w->loop, listener_take(&ls->v[i], w->number),
			&w->infos[i], w->conns);
	}
}

static void
make_upstream(struct worker *w, const struct worker_env *env, size_t number,
    const struct snapshot *s)
{
	const struct config *c = env->config;
	struct dns_config dns = c->dns;

	dns.askers = (uint32_t)env->n_workers;
	dns.stats = w->stats;
	w->dns = dns_sets_new(w->loop, &dns);
	w->tls = tls_clients_new();
	w->upstream = (struct upstream_env){
		.loop = w->loop,
		.dns = dns_sets_get(w->dns, NULL, 0),
		.dns_sets = w->dns,
		.tls = w->tls,
		.stats = w->stats,
		.addr_rules = &c->addr_rules,
		.own = env->listeners->own,
		.n_own = env->listeners->n_own,
		.own_pid = getpid(),
		.limits = &c->upstream,
		.http = &c->http,
		.h2 = &c->h2_server,
		.chains = env->chains,
		.rates = env->rates,
		.shared = env->shared,
		.number = number,
		.n_workers = env->n_workers,
	};
	w->clusters = clusters_new(&w->upstream);
	clusters_watch(w->clusters, s);
}

/* NULL: none may be written. */
static struct mesh_logs *
make_mesh_logs(const struct worker *w, const struct config *c)
{
	struct mesh_logs_env env = {
		.loop = w->loop,
		.dns = w->dns,
		.stats = w->stats,
		.http = &c->http,
		.h2 = &c->h2_server,
	};

	if (c->mesh_log_folder[0] != '\0')
		env.folder = c->mesh_log_folder;
	else if (c->mesh_log_sinks.n == 0)
		return NULL;
	return mesh_logs_new(&env);
}

struct worker *
worker_new(const struct worker_env *env, size_t number, struct snapshot *s,
    struct tls_identities *t)
{
	const struct config *c = env->config;
	struct worker *w = xcalloc(1, sizeof(*w));

	w->number = number;
	w->main = env->main;
	w->loop = loop_new();
	w->stats = stats_shard_new();
	make_upstream(w, env, number, s);
	if (env->log != NULL)
		w->log = access_log_new(env->log, w->loop);
	w->mesh_logs = make_mesh_logs(w, c);
	make_uses(w, env);
	w->env = (struct conn_env){
		.loop = w->loop,
		.clusters = w->clusters,
		.stats = w->stats,
		.log = w->log,
		.mesh_logs = w->mesh_logs,
		.uses = w->uses,
		.limits = &c->conn,
		.callers = env->callers,
		.http = &c->http,
		.h2 = &c->h2,
		.logs_query = c->logs_query,
		.remote_sources = c->remote_sources.v,
		.n_remote_sources = c->remote_sources.n,
		.keep_revoked = c->keeps_revoked,
		.zone = str_of(c->zone),
	};
	w->conns = conns_new(&w->env, s, t);
	make_infos(w, env->listeners);
	make_acceptors(w, env->listeners);
	timer_init(&w->sweep, w->loop, on_sweep, w);
	timer_set(&w->sweep, SWEEP_MS);
	return w;
}

static void *
run(void *arg)
{
	struct worker *w = arg;

	loop_run(w->loop);
	return NULL;
}

bool
worker_start(struct worker *w)
{
	char name[16];

	w->is_running = true;
	if (pthread_create(&w->thread, NULL, run, w) != 0) {
		w->is_running = false;
		return false;
	}
	snprintf(name, sizeof(name), "worker-%u", (unsigned)w->number % 1000);
	pthread_setname_np(w->thread, name);
	return true;
}

void
worker_stop(struct worker *w)
{
	if (w == NULL || !w->is_running)
		return;
	loop_stop(w->loop);
	pthread_join(w->thread, NULL);
	w->is_running = false;
}

void
worker_settle(struct worker *w)
{
	if (w != NULL)
		loop_turn(w->loop);
}

void
worker_free(struct worker *w)
{
	size_t i;

	if (w == NULL)
		return;
	worker_stop(w);
	timer_stop(&w->sweep);
	if (w->ledger != NULL)
		timer_stop(&w->note);
	for (i = 0; i < w->n_acceptors; i++)
		acceptor_free(w->acceptors[i]);
	free(w->acceptors);
	conns_free(w->conns);
	loop_turn(w->loop);
	give_uses(w);
	if (w->log != NULL)
		access_log_free(w->log);
	mesh_logs_free(w->mesh_logs);
	clusters_free(w->clusters);
	tls_clients_free(w->tls);
	dns_sets_free(w->dns);
	loop_free(w->loop);
	stats_shard_free(w->stats);
	free(w->infos);
	free(w->draining);
	free(w);
}

static void
do_switch(void *arg)
{
	struct job *j = arg;
	struct worker *w = j->worker;

	conns_set_snapshot(w->conns, j->snapshot);
	conns_set_identities(w->conns, j->identities);
	clusters_sync(w->clusters, j->snapshot);
	snapshot_unref(j->snapshot);
	tls_identities_unref(j->identities);
	answer(j);
}

void
worker_switch(struct worker *w, struct snapshot *s, struct tls_identities *t,
    void (*fn)(void *), void *arg)
{
	struct job *j = job_new(w, fn, arg);

	j->snapshot = snapshot_ref(s);
	j->identities = tls_identities_ref(t);
	loop_post(w->loop, do_switch, j);
}

static void
do_reauthorize(void *arg)
{
	struct job *j = arg;

	conns_reauthorize(j->worker->conns, j->on_walked, j->arg);
	free(j);
}

void
worker_reauthorize(
    struct worker *w, void (*fn)(const struct revoked *r, void *arg), void *arg)
{
	struct job *j = job_new(w, NULL, arg);

	j->on_walked = fn;
	loop_post(w->loop, do_reauthorize, j);
}

static void
do_set_ingresses(void *arg)
{
	struct job *j = arg;

	conns_set_ingresses(j->worker->conns, j->addrs, j->n_addrs);
	free(j->addrs);
	answer(j);
}

void
worker_set_ingresses(struct worker *w, const struct addr *v, size_t n)
{
	struct job *j = job_new(w, NULL, NULL);

	j->addrs = n > 0 ? xmemdup(v, n * sizeof(*v)) : NULL;
	j->n_addrs = n;
	loop_post(w->loop, do_set_ingresses, j);
}

static void
on_drained(void *arg)
{
	struct job *j = arg;

	j->worker->draining = NULL;
	answer(j);
}

static void
do_drain(void *arg)
{
	struct job *j = arg;
	struct worker *w = j->worker;
	size_t i;

	for (i = 0; i < w->n_acceptors; i++)
		acceptor_stop(w->acceptors[i]);
	w->draining = j;
	conns_drain(w->conns, on_drained, j);
}

void
worker_drain(struct worker *w, void (*fn)(void *), void *arg)
{
	loop_post(w->loop, do_drain, job_new(w, fn, arg));
}

static void
do_reopen(void *arg)
{
	struct worker *w = arg;

	if (w->mesh_logs != NULL)
		mesh_logs_reopen(w->mesh_logs);
}

void
worker_reopen_logs(struct worker *w)
{
	loop_post(w->loop, do_reopen, w);
}

static void
do_ping(void *arg)
{
	answer(arg);
}

void
worker_ping(struct worker *w, void (*fn)(void *), void *arg)
{
	loop_post(w->loop, do_ping, job_new(w, fn, arg));
}

uint64_t
worker_longest_turn_ms(struct worker *w)
{
	return loop_longest_turn_ms(w->loop);
}

static void
do_print(void *arg)
{
	struct job *j = arg;

	switch (j->query.part) {
	case WORKER_CONNS:
		conns_print(j->worker->conns, j->query.max, j->out);
		break;
	case WORKER_CLUSTERS:
		clusters_print(j->worker->clusters, j->out);
		break;
	case WORKER_DNS:
		dns_sets_print(j->worker->dns, j->query.max, j->out);
		break;
	case WORKER_DNS_FLUSH:
		text_addf(j->out, "%zu forgotten\n",
		    dns_sets_flush(j->worker->dns, str_of(j->name)));
		break;
	case WORKER_NOTHING:
		break;
	}
	j->fn(j->arg);
	free(j->name);
	free(j);
}

void
worker_print(struct worker *w, const struct worker_query *q, struct text *out,
    void (*fn)(void *), void *arg)
{
	struct job *j = job_new(w, fn, arg);

	j->query = *q;
	j->name = str_dup(q->name);
	j->out = out;
	loop_post(w->loop, do_print, j);
}
