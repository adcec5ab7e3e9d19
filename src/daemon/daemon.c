/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's own life, in the order of START: each step builds on those
 * before it, and one that fails ends the start.  What was made is taken apart
 * in release(), in the opposite order.  Nothing listens before the first
 * snapshot is there, and no traffic is carried with rights that were only
 * needed to begin.
 *
 * Main's thread; it carries no traffic, only changes, signals and questions.
 */

#include "daemon/daemon.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "admin/admin_route.h"
#include "admin/control.h"
#include "admin/expiry.h"
#include "admin/ledger.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/stats.h"
#include "base/xalloc.h"
#include "conn/access_log.h"
#include "conn/caller_limits.h"
#include "daemon/config.h"
#include "daemon/config_check.h"
#include "daemon/crypto.h"
#include "daemon/daemon_state.h"
#include "daemon/grants.h"
#include "daemon/ingress_hosts.h"
#include "daemon/listener.h"
#include "daemon/notify.h"
#include "daemon/problem_log.h"
#include "daemon/publish.h"
#include "daemon/sandbox.h"
#include "daemon/signals.h"
#include "daemon/vitals.h"
#include "daemon/watchdog.h"
#include "daemon/worker.h"
#include "feed/dir.h"
#include "http/server.h"
#include "net/sock.h"
#include "tls/tls_records.h"
#include "upstream/chain_book.h"
#include "upstream/rates.h"
#include "upstream/shared.h"

#define ADMIN_CONNECTIONS 64
#define ADMIN_BACKLOG 64

/* Every step of the start, in this order; each has a function below. */
#define START(X)     \
	X(configure) \
	X(load)      \
	X(open_log)  \
	X(listen_on) \
	X(become)    \
	X(work)      \
	X(attend)    \
	X(confine)

#define X(fn) static bool fn(struct daemon *);
START(X)
#undef X

static bool
configure(struct daemon *d)
{
	struct problems pr = PROBLEMS_NONE;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	bool is_good;

	d->config = config_load(d->path, &pr);
	is_good = d->config != NULL && crypto_start(d->config, &pr);
	if (is_good)
		config_check_host(d->config, PROBLEM_ERROR, &pr);
	is_good = is_good && pr.errors == 0;
	problems_log(&pr);
	problems_free(&pr);
	if (!is_good)
		return false;
	d->n_workers = d->config->workers;
	if (d->n_workers == 0)
		d->n_workers = cpus > 0 ? (size_t)cpus : 1;
	return true;
}

static void
on_change(void *arg)
{
	struct daemon *d = arg;

	publisher_build(d->publisher, PUBLISH_CHANGE);
}

/* The publisher's copy may be replaced by a reload, so it has its own. */
static bool
load(struct daemon *d)
{
	struct problems pr = PROBLEMS_NONE;
	struct config *c = config_load(d->path, &pr);

	problems_free(&pr);
	if (c == NULL)
		return false;
	d->feed =
	    feed_dir_new(d->loop, d->config->resources, d->config->secrets);
	d->grants = grants_new(d->config->state, clock_wall_s(), &pr);
	problems_log(&pr);
	problems_free(&pr);
	d->publisher = publisher_new(d->loop, d->feed, c, d->stats);
	publisher_set_grants(d->publisher, d->grants);
	publisher_build(d->publisher, PUBLISH_START);
	if (feed_error(d->feed) == NULL)
		return true;
	log_error(d->feed->ops->name, "%s", feed_error(d->feed));
	return false;
}

static bool
open_log(struct daemon *d)
{
	struct text why = TEXT_EMPTY;
	const char *path = d->config->access_log;

	if (strcmp(path, "off") == 0)
		return true;
	d->log = access_log_open(path, d->config->access_log_format, &why);
	if (d->log == NULL)
		log_error("access_log", "%s", why.p);
	text_free(&why);
	return d->log != NULL;
}

static bool
open_admin(struct daemon *d)
{
	const struct config *c = d->config;
	char name[ADDR_TEXT];
	struct addr a;

	d->admin_fd = -1;
	if (c->admin_address[0] == '\0')
		return true;
	if (addr_parse(str_of(c->admin_address), (uint16_t)c->admin_port, &a))
		d->admin_fd = sock_listen(&a, false, ADMIN_BACKLOG);
	if (d->admin_fd == -1 || !listener_bound(d->admin_fd, &a)) {
		log_error("admin", "%s port %u: %s", c->admin_address,
		    c->admin_port, strerror(errno));
		return false;
	}
	listeners_add_own(&d->listeners, &a);
	addr_print(&a, name);
	log_info(name, "admin: http://%s/", name);
	return true;
}

static bool
open_control(struct daemon *d)
{
	const char *path = d->config->admin_socket;

	d->control_fd = -1;
	if (path[0] == '\0')
		return true;
	d->control_fd = sock_listen_unix(path, 0660, ADMIN_BACKLOG);
	if (d->control_fd == -1)
		log_error("admin.socket", "%s: %s", path, strerror(errno));
	return d->control_fd != -1;
}

static bool
listen_on(struct daemon *d)
{
	struct problems pr = PROBLEMS_NONE;
	bool is_good;
	size_t i;

	sock_raise_nofile();
	is_good = listeners_open(&d->listeners, d->config, d->n_workers, &pr);
	problems_log(&pr);
	problems_free(&pr);
	if (!is_good || !open_admin(d) || !open_control(d))
		return false;
	d->shown = xcalloc(d->listeners.n + 1, sizeof(*d->shown));
	for (i = 0; i < d->listeners.n; i++) {
		d->shown[i] = (struct admin_listener){
			.name = d->listeners.v[i].name,
			.is_ingress = d->listeners.v[i].is_ingress,
		};
		log_info(d->shown[i].name, "listening, %s",
		    d->shown[i].is_ingress ? "ingress" : "egress");
	}
	return true;
}

static bool
become(struct daemon *d)
{
	const struct config *c = d->config;

	if (d->control_fd != -1 && !sandbox_give(c->admin_socket, c->user))
		return false;
	return sandbox_become(c->user);
}

static void
on_published(void *arg)
{
	struct daemon *d = arg;
	struct publish_status s = publisher_status(d->publisher);
	size_t n;

	ingress_hosts_set(d->ingresses, publisher_snapshot(d->publisher));
	expiry_follow(d->expiry, publisher_snapshot(d->publisher),
	    publisher_identities(d->publisher));
	snapshot_services(publisher_snapshot(d->publisher), &n);
	notify_status("%zu services, %zu refused", n, s.refused);
}

/* Where there is a state directory, and it is ours. */
static void
open_ledger(struct daemon *d)
{
	struct ledger_settings set = {
		.entries = d->config->ledger_entries,
		.interval_s = d->config->ledger_interval_s,
	};
	char *file;

	if (set.entries == 0 || d->config->state[0] == '\0')
		return;
	if (access(d->config->state, W_OK | X_OK) == -1) {
		log_info("ledger", "%s: %s: none is kept", d->config->state,
		    strerror(errno));
		return;
	}
	set.file = file = xasprintf("%s/ledger", d->config->state);
	d->ledger = ledger_new(d->loop, &set);
	free(file);
}

static bool
work(struct daemon *d)
{
	struct worker_env env = {
		.n_workers = d->n_workers,
		.config = d->config,
		.listeners = &d->listeners,
		.log = d->log,
		.shared = d->shared,
		.main = d->loop,
	};
	size_t i;

	env.chains = d->chains = chain_book_new();
	env.rates = d->rates = rates_new();
	open_ledger(d);
	env.ledger = d->ledger;
	env.callers = d->callers = caller_limits_new(d->config->callers);
	d->expiry = expiry_new(d->shard, d->chains);
	d->workers = xcalloc(d->n_workers, sizeof(struct worker *));
	for (i = 0; i < d->n_workers; i++)
		d->workers[i] =
		    worker_new(&env, i, publisher_snapshot(d->publisher),
			publisher_identities(d->publisher));
	for (i = 0; i < d->n_workers; i++)
		if (!worker_start(d->workers[i])) {
			log_error("worker", "%s", strerror(errno));
			return false;
		}
	publisher_set_workers(d->publisher, d->workers, d->n_workers);
	d->ingresses = ingress_hosts_new(
	    d->loop, &d->config->dns, d->workers, d->n_workers);
	publisher_on_published(d->publisher, on_published, d);
	on_published(d);
	return true;
}

static bool
attend(struct daemon *d)
{
	d->vitals =
	    vitals_new(d->loop, d->stats, d->publisher, d->expiry, d->callers);
	d->watchdog = watchdog_new(d->loop, d->stats, d->workers, d->n_workers);
	d->signals = signals_new(d->loop, daemon_obey, d);
	d->source = daemon_source(d);
	if (d->admin_fd != -1)
		d->admin = server_new(d->loop, d->admin_fd, ADMIN_CONNECTIONS,
		    admin_route_handle, &d->source);
	if (d->control_fd != -1)
		d->control = control_new(d->loop, d->control_fd, &d->source);
	d->admin_fd = -1;
	d->control_fd = -1;
	feed_start(d->feed, on_change, d);
	publisher_watch_keys(d->publisher);
	return true;
}

static bool
confine(struct daemon *d)
{
	return !d->config->has_sandbox || sandbox_enter();
}

/*
 * Answers may be on their way in both directions: they are brought to an end
 * while those who wait for them are still there.
 */
static void
stop_workers(struct daemon *d)
{
	size_t i;

	if (d->workers == NULL)
		return;
	for (i = 0; i < d->n_workers; i++)
		worker_stop(d->workers[i]);
	loop_turn(d->loop);
	for (i = 0; i < d->n_workers; i++)
		worker_settle(d->workers[i]);
}

/* Those who ask go first, then those who work, then what they worked on. */
static void
release(struct daemon *d)
{
	size_t i;

	if (d->control != NULL || d->control_fd != -1)
		unlink(d->config->admin_socket);
	control_free(d->control);
	if (d->admin != NULL)
		server_free(d->admin);
	signals_free(d->signals);
	stop_workers(d);
	watchdog_free(d->watchdog);
	ingress_hosts_free(d->ingresses);
	if (d->publisher != NULL)
		publisher_set_workers(d->publisher, NULL, 0);
	for (i = 0; d->workers != NULL && i < d->n_workers; i++)
		worker_free(d->workers[i]);
	shared_free(d->shared);
	if (d->vitals != NULL)
		vitals_free(d->vitals);
	ledger_free(d->ledger);
	expiry_free(d->expiry);
	chain_book_free(d->chains);
	rates_free(d->rates);
	caller_limits_free(d->callers);
	publisher_free(d->publisher);
	grants_free(d->grants);
	feed_free(d->feed);
	if (d->log != NULL)
		access_log_close(d->log);
	listeners_close(&d->listeners);
	if (d->admin_fd != -1)
		close(d->admin_fd);
	if (d->control_fd != -1)
		close(d->control_fd);
	loop_free(d->loop);
	stats_shard_free(d->shard);
	free(d->workers);
	free(d->shown);
	config_free(d->config);
}

static void
log_records(void)
{
	struct text what = TEXT_EMPTY;

	tls_records_print(&what);
	log_info("tls", "records: %s", what.p);
	text_free(&what);
}

int
daemon_run(const char *config_path)
{
	static const struct {
		bool (*run)(struct daemon *);
	} steps[] = {
#define X(fn) { fn },
		START(X)
#undef X
	};
	struct daemon d = {
		.path = config_path,
		.admin_fd = -1,
		.control_fd = -1,
	};
	bool is_up = true;
	size_t i;

	signals_block();
	d.loop = loop_new();
	d.shard = stats_shard_new();
	d.stats = stats_get(d.shard, SCOPE_SERVER, NULL);
	d.shared = shared_new();
	for (i = 0; i < ARRAY_LEN(steps) && is_up; i++)
		is_up = steps[i].run(&d);
	if (is_up) {
		d.phase = PHASE_SERVING;
		notify_ready();
		log_records();
		log_info("daemon", "serving");
		loop_run(d.loop);
		log_info("daemon", "stopped");
	}
	release(&d);
	return is_up ? EXIT_SUCCESS : EXIT_FAILURE;
}
