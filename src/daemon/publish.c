/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two phases.  build() makes everything new beside what serves, and only
 * if that differs do workers hear of it: an equal build is dropped, so that a
 * rewritten file costs nothing.  Nothing here can fail halfway: what is wrong
 * is a problem with a name, and what it concerns stays as it was.
 */

#include "daemon/publish.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/stats.h"
#include "base/xalloc.h"
#include "daemon/config.h"
#include "daemon/ends.h"
#include "daemon/grants.h"
#include "daemon/key_files.h"
#include "daemon/key_watch.h"
#include "daemon/problem_log.h"
#include "daemon/tls_files.h"
#include "daemon/walk.h"
#include "daemon/worker.h"
#include "feed/feed.h"
#include "model/store.h"
#include "policy/snapshot.h"
#include "tls/identity_store.h"
#include "tls/pem.h"

#define ROTATION_LEAST_MS 60000
#define ROTATION_MOST_MS 3600000

struct publisher {
	struct loop *loop;
	struct feed *feed;
	struct config *config;
	struct stats_set *stats;
	struct store *store;
	struct key_files *files;
	struct key_watch *watch; /* NULL: nobody waits for changes */
	struct tls_files *tls_files;
	struct problem_log *log;
	/* In force, and what was wrong when it was made. */
	struct snapshot *snapshot;
	struct tls_identities *identities;
	/* Before it, and perhaps still with a worker. */
	struct snapshot **old;
	size_t n_old;
	struct problems file_problems;
	struct problems build_problems;
	struct problems mint_problems;
	struct problems all; /* these, and the store's */
	struct publish_status status;
	struct timer rotation;
	struct ends *ends;
	struct grants *grants; /* NULL: none */
	struct walk *walk;     /* under way; NULL: none is */
	struct worker *const *workers;
	size_t n_workers;
	uint64_t generation; /* of the newest switch */
	size_t switching;    /* workers that it still waits for */
	void (*fn)(void *arg);
	void *arg;
};

static void
on_rotation(void *arg)
{
	publisher_build(arg, PUBLISH_ROTATION);
}

static void
on_end(void *arg)
{
	publisher_build(arg, PUBLISH_ENDED);
}

struct publisher *
publisher_new(
    struct loop *l, struct feed *f, struct config *c, struct stats_set *stats)
{
	struct publisher *p = xcalloc(1, sizeof(*p));

	p->loop = l;
	p->feed = f;
	p->config = c;
	p->stats = stats;
	p->store = store_new();
	p->files = key_files_new();
	p->tls_files = tls_files_new();
	p->log = problem_log_new();
	p->ends = ends_new(l, on_end, p);
	timer_init(&p->rotation, l, on_rotation, p);
	return p;
}

static void
forget_old(struct publisher *p)
{
	while (p->n_old > 0)
		snapshot_unref(p->old[--p->n_old]);
	free(p->old);
	p->old = NULL;
}

/*
 * Kept until no worker has it: whoever lets go last frees ten thousand
 * services, and that is not to be a worker with connections that wait.
 */
static void
retire(struct publisher *p, struct snapshot *s)
{
	if (s == NULL)
		return;
	p->old = xreallocarray(p->old, p->n_old + 1, sizeof(struct snapshot *));
	p->old[p->n_old++] = s;
}

void
publisher_free(struct publisher *p)
{
	if (p == NULL)
		return;
	timer_stop(&p->rotation);
	ends_free(p->ends);
	walk_forget(p->walk);
	key_watch_free(p->watch);
	forget_old(p);
	snapshot_unref(p->snapshot);
	tls_identities_unref(p->identities);
	problems_free(&p->file_problems);
	problems_free(&p->build_problems);
	problems_free(&p->mint_problems);
	problems_free(&p->all);
	problem_log_free(p->log);
	key_files_free(p->files);
	tls_files_free(p->tls_files);
	store_free(p->store);
	config_free(p->config);
	free(p);
}

static void
on_keys(void *arg)
{
	publisher_build(arg, PUBLISH_KEYS);
}

void
publisher_watch_keys(struct publisher *p)
{
	p->watch = key_watch_new(p->loop, p->files, p->tls_files, on_keys, p);
}

void
publisher_set_workers(
    struct publisher *p, struct worker *const *workers, size_t n)
{
	p->workers = workers;
	p->n_workers = n;
}

void
publisher_on_published(struct publisher *p, void (*fn)(void *), void *arg)
{
	p->fn = fn;
	p->arg = arg;
}

static void
problems_replace(struct problems *pr)
{
	problems_free(pr);
	*pr = PROBLEMS_NONE;
}

/* One line, however much it is. */
#define TOLD_ROWS 8

static void
on_walked(struct walk *k, void *arg)
{
	struct publisher *p = arg;
	struct text what = TEXT_EMPTY;

	if (!walk_ended_nothing(k)) {
		walk_print(k, TOLD_ROWS, "; ", &what);
		log_info("revoked", "ended %s", what.p);
	}
	text_free(&what);
	walk_forget(k);
	p->walk = NULL;
}

/* Every worker has the newest snapshot. */
static void
ask_anew(struct publisher *p)
{
	walk_forget(p->walk);
	p->walk = NULL;
	if (p->n_workers > 0)
		p->walk =
		    walk_start(p->loop, p->workers, p->n_workers, on_walked, p);
	forget_old(p);
}

void
publisher_settle(struct publisher *p, struct text *out)
{
	if (p->switching > 0) {
		p->switching = 0;
		p->generation++; /* answers still under way say nothing new */
		ask_anew(p);
	}
	if (p->walk == NULL)
		return;
	if (!walk_wait(p->walk))
		log_warn("reload", "a worker is late");
	if (walk_ended_nothing(p->walk))
		return;
	text_add_z(out, "ended ");
	walk_print(p->walk, SIZE_MAX, "\n  ", out);
	text_add_char(out, '\n');
}

/* One worker's answer to one switch. */
struct answer {
	struct publisher *publisher;
	uint64_t generation;
};

/*
 * Permission is asked of the newest snapshot only when every worker has it:
 * a caller may have connections in all of them.
 */
static void
on_switched(void *arg)
{
	struct answer *a = arg;
	struct publisher *p = a->publisher;

	if (a->generation == p->generation && --p->switching == 0)
		ask_anew(p);
	free(a);
}

static void
switch_workers(struct publisher *p)
{
	struct answer *a;
	size_t i;

	p->generation++;
	p->switching = p->n_workers;
	if (p->n_workers == 0)
		forget_old(p);
	for (i = 0; i < p->n_workers; i++) {
		a = xcalloc(1, sizeof(*a));
		a->publisher = p;
		a->generation = p->generation;
		worker_switch(
		    p->workers[i], p->snapshot, p->identities, on_switched, a);
	}
}

/* Rotation is looked after now and then even when the clock jumps. */
static void
set_rotation(struct publisher *p)
{
	int64_t due = tls_identities_due_s(p->identities);
	int64_t left = due == INT64_MAX ? INT64_MAX : due - clock_wall_s();
	uint64_t ms = ROTATION_MOST_MS;

	if (left < ROTATION_MOST_MS / 1000)
		ms = left > 0 ? (uint64_t)left * 1000 : ROTATION_LEAST_MS;
	timer_set(&p->rotation, ms);
}

static bool
is_same_service(const struct service *a, const struct service *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	return digest_eq(&a->digest, &b->digest);
}

static bool
has_same_meshes(const struct snapshot *a, const struct snapshot *b)
{
	size_t n, m, i;
	struct mesh_spec *const *x = snapshot_meshes(a, &n);
	struct mesh_spec *const *y = snapshot_meshes(b, &m);

	for (i = 0; i < n && n == m; i++)
		if (!digest_eq(&x[i]->digest, &y[i]->digest))
			return false;
	return n == m;
}

static bool
has_same_hosts(const struct snapshot *a, const struct snapshot *b)
{
	size_t n, m, i;
	const struct str *x = snapshot_ingress_hosts(a, &n);
	const struct str *y = snapshot_ingress_hosts(b, &m);

	for (i = 0; i < n && n == m; i++)
		if (!str_eq(x[i], y[i]))
			return false;
	return n == m;
}

static bool
is_same(const struct snapshot *a, const struct snapshot *b)
{
	struct snapshot_diff diff;
	bool is_same_services;

	snapshot_diff(a, b, &diff);
	is_same_services = diff.n_changed == 0 && diff.n_gone == 0;
	free(diff.changed);
	free(diff.gone);
	return is_same_services && has_same_meshes(a, b) &&
	       has_same_hosts(a, b) &&
	       is_same_service(
		   snapshot_zone_egresses(a), snapshot_zone_egresses(b));
}

/* False: s, which is dropped, says nothing new. */
static bool
take_snapshot(struct publisher *p, struct snapshot *s)
{
	if (p->snapshot != NULL && is_same(p->snapshot, s)) {
		snapshot_unref(s);
		return false;
	}
	retire(p, p->snapshot);
	p->snapshot = s;
	return true;
}

static bool
build_snapshot(struct publisher *p)
{
	struct build_settings set;
	struct grant *grants = NULL;
	struct snapshot *s;

	config_build_settings(p->config, &set);
	set.now_s = ends_now_s(p->ends);
	if (p->grants != NULL) {
		grants_drop_over(p->grants, set.now_s);
		grants = grants_join(p->grants, set.grants, &set.n_grants);
		set.grants = grants;
	}
	set.identities = key_files_identities(p->files, &set.n_identities);
	set.pairs = key_files_pairs(p->files, &set.n_pairs);
	set.files = tls_files_get(p->tls_files, &set.n_files);
	problems_replace(&p->build_problems);
	s = snapshot_build(
	    p->store, &set, p->snapshot, &pem_ops, &p->build_problems);
	free(grants);
	ends_set(p->ends, snapshot_next_end_s(s));
	return take_snapshot(p, s);
}

/*
 * Identities follow the meshes of the snapshot, and the clock.  When there is
 * nothing to do prev's are shared one by one, so a new set costs little.
 */
static void
build_identities(struct publisher *p)
{
	struct tls_identities *t;
	size_t n;
	struct mesh_spec *const *meshes = snapshot_meshes(p->snapshot, &n);

	problems_replace(&p->mint_problems);
	t = tls_identities_new(
	    meshes, n, p->identities, clock_wall_s(), &p->mint_problems);
	tls_identities_unref(p->identities);
	p->identities = t;
}

static void
read_files(struct publisher *p)
{
	problems_replace(&p->file_problems);
	key_files_read(p->files, p->config, &p->file_problems);
	tls_files_read(p->tls_files, p->config, &p->file_problems);
}

/* Read what the cause asks for; true when there may be something to build. */
static bool
listen_to(struct publisher *p, enum publish_cause cause)
{
	bool has_changed;

	if (cause == PUBLISH_ROTATION)
		return false;
	if (cause == PUBLISH_ENDED)
		return true;
	if (cause == PUBLISH_KEYS) {
		read_files(p);
		return true;
	}
	if (cause == PUBLISH_ASKED)
		feed_rescan(p->feed);
	feed_fill(p->feed, p->store);
	has_changed = store_commit(p->store);
	if (cause == PUBLISH_CHANGE)
		return has_changed;
	read_files(p);
	/* Files that resources name may have changed without being heard. */
	return true;
}

/* Places, not problems: one document may be wrong in several ways. */
static size_t
places(const struct problems *pr)
{
	const struct problem *p, *last = NULL;
	size_t n = 0, i;

	for (i = 0; i < pr->n; i++) {
		p = &pr->v[i];
		if (p->level != PROBLEM_ERROR)
			continue;
		n += last == NULL || last->line != p->line ||
		     !str_eq(str_of(last->file), str_of(p->file));
		last = p;
	}
	return n;
}

static bool
has_refused(const struct store *st, const char *file)
{
	const struct refused *v;
	size_t n, i;

	v = store_refused(st, &n);
	for (i = 0; i < n; i++)
		if (strcmp(v[i].file, file) == 0)
			return true;
	return false;
}

/* Files of which not even a document can be told, as empty ones. */
static size_t
unreadable_files(const struct store *st)
{
	const struct problems *pr = store_problems(st);
	size_t n = 0, i;

	for (i = 0; i < pr->n; i++)
		n += pr->v[i].level == PROBLEM_ERROR && pr->v[i].line == 0 &&
		     !has_refused(st, pr->v[i].file);
	return n;
}

static void
sum_up(struct publisher *p, enum publish_cause cause)
{
	size_t refused;

	problems_replace(&p->all);
	problems_append(&p->all, store_problems(p->store));
	problems_append(&p->all, &p->file_problems);
	problems_append(&p->all, &p->build_problems);
	problems_append(&p->all, &p->mint_problems);
	if (cause != PUBLISH_CHECK)
		problem_log_tell(p->log, &p->all);
	store_refused(p->store, &refused);
	p->status.refused =
	    refused + unreadable_files(p->store) + places(&p->file_problems) +
	    places(&p->build_problems) + places(&p->mint_problems);
}

static void
count(struct publisher *p, enum publish_cause cause)
{
	size_t n_services;

	snapshot_services(p->snapshot, &n_services);
	stat_set(p->stats, STAT_SERVICES, n_services);
	stat_set(p->stats, STAT_RESOURCES_REFUSED, p->status.refused);
	stat_set(p->stats, STAT_CONTROL_PLANE_CONNECTED,
	    feed_error(p->feed) == NULL);
	if (cause == PUBLISH_ROTATION)
		return;
	if (p->status.refused > 0)
		stat_inc(p->stats, STAT_RELOADS_REJECTED);
	if (p->status.has_changed)
		stat_inc(p->stats, STAT_RELOADS);
}

static void
say(const struct publisher *p)
{
	size_t n_services, n_meshes;

	snapshot_services(p->snapshot, &n_services);
	snapshot_meshes(p->snapshot, &n_meshes);
	log_info("resources",
	    "%zu services of %zu meshes in force, %zu refused, %u ms",
	    n_services, n_meshes, p->status.refused, p->status.took_ms);
}

void
publisher_build(struct publisher *p, enum publish_cause cause)
{
	uint64_t start_us = clock_us();
	bool is_new = false;

	if (listen_to(p, cause))
		is_new = build_snapshot(p);
	if (is_new || cause == PUBLISH_ROTATION) {
		build_identities(p);
		switch_workers(p);
		p->status.builds++;
	}
	p->status.has_changed = is_new;
	p->status.last_ms = clock_wall_ms();
	p->status.took_ms = (unsigned)((clock_us() - start_us) / 1000);
	sum_up(p, cause);
	count(p, cause);
	set_rotation(p);
	if (is_new && cause != PUBLISH_CHECK)
		say(p);
	if (p->fn != NULL)
		p->fn(p->arg);
}

void
publisher_set_grants(struct publisher *p, struct grants *g)
{
	p->grants = g;
}

int64_t
publisher_now_s(const struct publisher *p)
{
	return ends_now_s(p->ends);
}

void
publisher_set_config(struct publisher *p, struct config *c)
{
	config_free(p->config);
	p->config = c;
}

const struct config *
publisher_config(const struct publisher *p)
{
	return p->config;
}

struct snapshot *
publisher_snapshot(const struct publisher *p)
{
	return p->snapshot;
}

struct tls_identities *
publisher_identities(const struct publisher *p)
{
	return p->identities;
}

const struct store *
publisher_store(const struct publisher *p)
{
	return p->store;
}

const struct problems *
publisher_problems(const struct publisher *p)
{
	return &p->all;
}

struct publish_status
publisher_status(const struct publisher *p)
{
	return p->status;
}

const char *
publisher_feed_error(const struct publisher *p)
{
	return feed_error(p->feed);
}
