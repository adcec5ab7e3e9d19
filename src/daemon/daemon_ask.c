/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a running daemon is asked for, by signals and by the admin interfaces:
 * to stop, to read everything again, to show itself.  Main thread.
 */

#include "daemon/daemon_state.h"

#include <string.h>

#include "base/log.h"
#include "base/problem.h"
#include "base/stats.h"
#include "conn/access_log.h"
#include "conn/caller_limits.h"
#include "conn/outcome.h"
#include "daemon/config.h"
#include "daemon/gather.h"
#include "daemon/notify.h"
#include "daemon/problem_log.h"
#include "daemon/publish.h"
#include "daemon/vitals.h"
#include "daemon/worker.h"

static void
on_drained(void *arg)
{
	struct daemon *d = arg;

	if (--d->draining == 0)
		loop_stop(d->loop);
}

/* The first wish to stop drains, the second does not wait. */
static void
stop(void *arg)
{
	struct daemon *d = arg;
	size_t i;

	if (d->phase == PHASE_DRAINING) {
		log_info("daemon", "told to stop again: ending at once");
		loop_stop(d->loop);
		return;
	}
	log_info(
	    "daemon", "draining for at most %u ms", d->config->conn.drain_ms);
	d->phase = PHASE_DRAINING;
	notify_stopping();
	stat_set(d->stats, STAT_LIVE, 0);
	d->draining = d->n_workers;
	for (i = 0; i < d->n_workers; i++)
		worker_drain(d->workers[i], on_drained, d);
}

static void
take_config(struct daemon *d, struct config *c)
{
	struct text fixed = TEXT_EMPTY;

	config_fixed_changes(d->config, c, &fixed);
	if (fixed.len > 0)
		log_warn(
		    d->path, "takes effect at the next start: %s", fixed.p);
	text_free(&fixed);
	publisher_set_config(d->publisher, c);
}

/* In force means: in every worker, and for what is open. */
static void
settle(struct daemon *d, struct text *out)
{
	const struct worker_query nothing = { .part = WORKER_NOTHING };
	struct text unused = TEXT_EMPTY;

	if (gather_print(d->workers, d->n_workers, &nothing, &unused))
		publisher_settle(d->publisher, out);
	else
		log_warn("reload", "a worker is late");
	text_free(&unused);
}

void
daemon_publish_grants(struct daemon *d, struct text *out)
{
	publisher_build(d->publisher, PUBLISH_ENDED);
	settle(d, out);
}

/* False: the configuration is refused, and nothing has changed. */
static bool
reload(void *arg, struct text *out)
{
	struct problems pr = PROBLEMS_NONE;
	struct daemon *d = arg;
	struct config *c;
	size_t i;

	notify_reloading();
	c = config_load(d->path, &pr);
	problems_log(&pr);
	for (i = 0; i < pr.n; i++) {
		problem_print(&pr.v[i], out);
		text_add_char(out, '\n');
	}
	problems_free(&pr);
	if (c != NULL) {
		take_config(d, c);
		publisher_build(d->publisher, PUBLISH_ASKED);
		settle(d, out);
	}
	notify_ready();
	return c != NULL;
}

static void
reopen(struct daemon *d)
{
	size_t i;

	if (d->log != NULL && !access_log_reopen(d->log))
		log_error("access_log",
		    "cannot be opened again; the old file stays in use");
	for (i = 0; i < d->n_workers; i++)
		worker_reopen_logs(d->workers[i]);
}

void
daemon_obey(void *arg, enum wish wish)
{
	struct text unused = TEXT_EMPTY;
	struct daemon *d = arg;

	switch (wish) {
	case WISH_STOP:
		stop(d);
		break;
	case WISH_RELOAD:
		if (!reload(d, &unused))
			log_error(d->path, "refused; all stays as it was");
		text_free(&unused);
		break;
	case WISH_REOPEN:
		reopen(d);
		break;
	}
}

static uint64_t
connections(const struct daemon *d)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < d->listeners.n; i++)
		n += stats_sum(SCOPE_LISTENER, d->listeners.v[i].name,
		    STAT_DOWNSTREAM_CX_ACTIVE);
	return n;
}

static void
show(void *arg, struct admin_state *out)
{
	const struct daemon *d = arg;
	struct publish_status s = publisher_status(d->publisher);

	*out = (struct admin_state){
		.phase = d->phase,
		.zone = d->config->zone,
		.uptime_s = vitals_uptime_s(d->vitals),
		.n_workers = d->n_workers,
		.connections = connections(d),
		.revoked = stats_sum(
		    SCOPE_OUTCOME, outcome_row(OUT_REVOKED)->word, STAT_ENDED),
		.listeners = d->shown,
		.n_listeners = d->listeners.n,
		.refused = s.refused,
		.reloads = s.builds,
		.reload_ms = s.last_ms,
		.reload_took_ms = s.took_ms,
		.feed_error = publisher_feed_error(d->publisher),
		.problems = publisher_problems(d->publisher),
		.snapshot = publisher_snapshot(d->publisher),
		.identities = publisher_identities(d->publisher),
		.store = publisher_store(d->publisher),
		.expiry = d->expiry,
		.ledger = d->ledger,
	};
}

static bool
collect(void *arg, enum admin_part part, size_t max, struct text *out)
{
	static const enum worker_part parts[] = {
		[PART_CONNS] = WORKER_CONNS,
		[PART_CLUSTERS] = WORKER_CLUSTERS,
		[PART_DNS] = WORKER_DNS,
		[PART_CALLERS] = WORKER_NOTHING,
	};
	const struct worker_query q = { .part = parts[part], .max = max };
	const struct daemon *d = arg;

	if (part != PART_CALLERS)
		return gather_print(d->workers, d->n_workers, &q, out);
	caller_limits_print(d->callers, max, out);
	return true;
}

static bool
flush_dns(void *arg, struct str name, struct text *out)
{
	const struct worker_query q = {
		.part = WORKER_DNS_FLUSH,
		.name = name,
	};
	const struct daemon *d = arg;

	return gather_print(d->workers, d->n_workers, &q, out);
}

struct admin_source
daemon_source(struct daemon *d)
{
	return (struct admin_source){
		.state = show,
		.collect = collect,
		.flush_dns = flush_dns,
		.reload = reload,
		.drain = stop,
		.grant = daemon_grant,
		.revoke_grant = daemon_revoke_grant,
		.list_grants = daemon_list_grants,
		.arg = d,
	};
}
