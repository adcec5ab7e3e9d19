/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger in memory and on disk.  A file that is there and has not one good
 * line is somebody else's: it is left alone.
 */

#include "admin/ledger.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin/ledger_file.h"
#include "base/clock.h"
#include "base/file_save.h"
#include "base/log.h"
#include "base/xalloc.h"

/* A line is at most some 1200 bytes. */
#define BYTES_MOST ((size_t)1 << 28)

struct ledger {
	struct uses *uses;
	struct timer timer;
	unsigned interval_ms; /* half: workers hand over as often */
	char *path;
	char *next_path; /* beside it: what is being written */
	int64_t since_s;
	bool has_news;
	bool is_foreign;
	bool has_failed; /* and that was told */
};

static bool
save(const struct ledger *g)
{
	struct text bytes = TEXT_EMPTY;
	bool is_good;

	ledger_file_print(g->uses, g->since_s, &bytes);
	is_good = file_write(g->next_path, text_str(&bytes)) &&
		  file_put_in_place(g->next_path, g->path);
	text_free(&bytes);
	return is_good;
}

static void
save_news(struct ledger *g)
{
	if (!g->has_news || g->is_foreign)
		return;
	g->has_news = !save(g);
	if (g->has_news && !g->has_failed)
		log_error("ledger", "%s cannot be written: %s; trying on",
		    g->path, strerror(errno));
	g->has_failed = g->has_news;
}

static void
on_interval(void *arg)
{
	struct ledger *g = arg;

	save_news(g);
	timer_set(&g->timer, g->interval_ms);
}

/* False: there is none. */
static bool
read_file_of(const char *path, struct text *out)
{
	FILE *f = fopen(path, "re");
	size_t n;

	if (f == NULL)
		return false;
	do {
		n = fread(text_reserve(out, 65536), 1, 65536, f);
		out->len += n;
	} while (n > 0 && out->len < BYTES_MOST);
	fclose(f);
	return true;
}

static void
load(struct ledger *g)
{
	struct text bytes = TEXT_EMPTY;
	struct ledger_read r;

	if (!read_file_of(g->path, &bytes)) {
		if (errno != ENOENT)
			log_error("ledger", "%s cannot be read: %s", g->path,
			    strerror(errno));
		return;
	}
	ledger_file_read(text_str(&bytes), g->uses, &r);
	g->is_foreign = r.good == 0 && bytes.len > 0;
	text_free(&bytes);
	if (r.since_s > 0 && r.since_s < g->since_s)
		g->since_s = r.since_s;
	if (g->is_foreign)
		log_error("ledger",
		    "%s is no ledger: it is left alone, and nothing is kept",
		    g->path);
	else if (r.bad > 0)
		log_warn("ledger", "%s: %zu lines were damaged, %zu are good",
		    g->path, r.bad, r.good);
}

struct ledger *
ledger_new(struct loop *l, const struct ledger_settings *set)
{
	struct ledger *g = xcalloc(1, sizeof(*g));

	g->uses = uses_new(set->entries);
	g->interval_ms = set->interval_s * 500;
	g->path = xstrdup(set->file);
	g->next_path = xasprintf("%s.new", set->file);
	g->since_s = clock_wall_s();
	load(g);
	g->has_news = true;
	timer_init(&g->timer, l, on_interval, g);
	timer_set(&g->timer, g->interval_ms);
	return g;
}

void
ledger_free(struct ledger *g)
{
	if (g == NULL)
		return;
	timer_stop(&g->timer);
	save_news(g);
	uses_free(g->uses);
	free(g->path);
	free(g->next_path);
	free(g);
}

void
ledger_take(struct ledger *g, struct uses *u)
{
	g->has_news = g->has_news || u->table != NULL;
	uses_merge(g->uses, u);
	uses_free(u);
}

const struct uses *
ledger_uses(const struct ledger *g)
{
	return g->uses;
}

int64_t
ledger_since_s(const struct ledger *g)
{
	return g->since_s;
}
