/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log is read line by line and each decision is asked of a snapshot, so
 * that memory does not grow with the log.  The snapshot is built as for an
 * egress that only relays: rules are all there, and neither certificates nor
 * Secrets are wanted.
 */

#include "daemon/replay.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/problem.h"
#include "base/xalloc.h"
#include "daemon/config.h"
#include "daemon/replay_changes.h"
#include "daemon/replay_line.h"
#include "feed/dir.h"
#include "feed/feed.h"
#include "model/store.h"
#include "net/loop.h"
#include "policy/authorize.h"
#include "policy/snapshot.h"
#include "tls/pem.h"

/* Lines that are named, of those that cannot be read. */
#define NAMED_MOST 20

struct replay_run {
	struct snapshot *snapshot;
	struct replay_changes *changes;
	uint64_t line;
	uint64_t decided;
	uint64_t changed;
	uint64_t undecided;
	uint64_t assumed;
	uint64_t unreadable;
	uint64_t named[NAMED_MOST];
};

static bool
tell_problems(const struct problems *pr)
{
	struct text line;
	size_t i;

	for (i = 0; i < pr->n; i++) {
		if (pr->v[i].level != PROBLEM_ERROR)
			continue;
		line = TEXT_EMPTY;
		problem_print(&pr->v[i], &line);
		fprintf(stderr, "%s\n", line.p);
		text_free(&line);
	}
	return pr->errors == 0;
}

/* False: some document is refused, and its rules are not there. */
static bool
load_dir(struct replay_run *r, const char *dir, struct build_settings *set)
{
	struct problems pr = PROBLEMS_NONE;
	struct loop *l = loop_new();
	struct feed *f = feed_dir_new(l, dir, "");
	struct store *st = store_new();
	bool is_good = true;

	feed_fill(f, st);
	store_commit(st);
	if (feed_error(f) != NULL) {
		fprintf(stderr, "%s: %s\n", dir, feed_error(f));
		is_good = false;
	}
	is_good = tell_problems(store_problems(st)) && is_good;
	set->relays_only = true;
	set->now_s = clock_wall_s();
	r->snapshot = snapshot_build(st, set, NULL, &pem_ops, &pr);
	is_good = tell_problems(&pr) && is_good;
	problems_free(&pr);
	store_free(st);
	feed_free(f);
	loop_free(l);
	return is_good;
}

static bool
load(struct replay_run *r, const struct replay_options *o)
{
	struct build_settings set = {
		.zone = STR("default"),
		.serve_mixed_endpoints = true,
	};
	struct problems pr = PROBLEMS_NONE;
	struct config *c = NULL;
	bool is_good = true;

	if (!o->may_lack_config || access(o->config, F_OK) == 0) {
		c = config_load(o->config, &pr);
		is_good = tell_problems(&pr) && c != NULL;
		problems_free(&pr);
	}
	if (is_good && c != NULL)
		config_build_settings(c, &set);
	if (is_good && o->resources == NULL && c == NULL) {
		fputs("no resources are named\n", stderr);
		is_good = false;
	}
	if (is_good)
		is_good = load_dir(r,
		    o->resources != NULL ? o->resources : c->resources, &set);
	config_free(c);
	return is_good;
}

/* As a connection would be decided about that comes now. */
static void
decide(
    const struct replay_run *r, const struct replay_line *l, struct verdict *v)
{
	struct service *s = snapshot_match(r->snapshot, l->sni);
	struct identity *id;

	*v = (struct verdict){ .rule = STR("no service has the server name") };
	if (s == NULL)
		return;
	v->rule = STR("no identity in the service's mesh");
	if (identity_new(s->mesh, l->uris, l->n_uris, INT64_MAX, &id) !=
	    IDENTITY_OK)
		return;
	authorize(s, id, l->sni, v);
	identity_free(id);
}

static void
note_change(
    struct replay_run *r, const struct replay_line *l, const struct verdict *v)
{
	struct replay_found f = {
		.time = l->time,
		.identity = l->identity,
		.mesh = l->mesh,
		.service = l->service,
		.old_rule = l->rule,
		.new_rule = v->rule,
	};

	if (v->has_no_subset) {
		f.change = REPLAY_TO_NO_ENDPOINT;
	} else if (!v->is_allowed) {
		f.change = REPLAY_TO_DENIED;
	} else if (!l->was_allowed) {
		f.change = REPLAY_TO_ALLOWED;
	} else {
		f.change = REPLAY_TO_WOULD_DENY;
		f.new_rule = v->would_rule;
	}
	r->changed++;
	replay_changes_add(r->changes, &f);
}

static void
take_decided(struct replay_run *r, const struct replay_line *l)
{
	struct verdict v;

	r->decided++;
	r->assumed += l->is_assumed;
	decide(r, l, &v);
	if (v.is_allowed != l->was_allowed ||
	    (v.is_reported && !l->was_reported))
		note_change(r, l, &v);
}

static void
take_line(struct replay_run *r, struct str bytes)
{
	struct replay_line l;

	r->line++;
	switch (replay_line_read(bytes, &l)) {
	case REPLAY_DECIDED:
		take_decided(r, &l);
		break;
	case REPLAY_UNDECIDED:
		r->undecided++;
		break;
	case REPLAY_UNREADABLE:
		if (r->unreadable < NAMED_MOST)
			r->named[r->unreadable] = r->line;
		r->unreadable++;
		break;
	}
	replay_line_free(&l);
}

/* Of a line that is too long one byte too many is kept: it is not read. */
static void
read_lines(struct replay_run *r, FILE *f)
{
	struct text line = TEXT_EMPTY;
	int c;

	while ((c = getc_unlocked(f)) != EOF) {
		if (c == '\n') {
			take_line(r, text_str(&line));
			text_clear(&line);
		} else if (line.len <= REPLAY_LINE_MOST) {
			text_add_char(&line, (char)c);
		}
	}
	if (line.len > 0)
		take_line(r, text_str(&line));
	text_free(&line);
}

static bool
read_log(struct replay_run *r, const char *path)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	bool is_good = f != NULL;

	if (is_good) {
		read_lines(r, f);
		is_good = ferror(f) == 0;
	}
	if (!is_good)
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	if (f != NULL && f != stdin)
		fclose(f);
	return is_good;
}

static void
print_unreadable(const struct replay_run *r, struct text *out)
{
	uint64_t i;

	text_addf(out,
	    "%llu lines could not be read:", (unsigned long long)r->unreadable);
	for (i = 0; i < r->unreadable && i < NAMED_MOST; i++)
		text_addf(out, " %llu", (unsigned long long)r->named[i]);
	text_add_z(out, r->unreadable > NAMED_MOST ? " ...\n" : "\n");
}

static void
print(const struct replay_run *r)
{
	struct text out = TEXT_EMPTY;

	replay_changes_print(r->changes, &out);
	text_addf(&out,
	    "%llu decisions, %llu would change; %llu lines tell of none\n",
	    (unsigned long long)r->decided, (unsigned long long)r->changed,
	    (unsigned long long)r->undecided);
	if (r->assumed > 0)
		text_addf(&out,
		    "%llu do not have caller_uris: their callers were taken to "
		    "have an identity and a zone only\n",
		    (unsigned long long)r->assumed);
	if (r->unreadable > 0)
		print_unreadable(r, &out);
	fputs(out.p, stdout);
	text_free(&out);
}

enum replay_result
replay(const struct replay_options *o)
{
	struct replay_run r = { .snapshot = NULL };
	bool is_good = load(&r, o);

	r.changes = replay_changes_new();
	if (r.snapshot != NULL && read_log(&r, o->log))
		print(&r);
	else
		is_good = false;
	replay_changes_free(r.changes);
	snapshot_unref(r.snapshot);
	if (!is_good)
		return REPLAY_FAILED;
	return r.changed > 0 ? REPLAY_CHANGED : REPLAY_SAME;
}
