/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See grants.h.  What stands in the file is as little trusted as any input: a
 * line is either understood whole or gives nothing.
 */

#include "daemon/grants.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file_save.h"
#include "base/log.h"
#include "base/problem.h"
#include "base/xalloc.h"
#include "feed/read_file.h"

#define FILE_MOST ((size_t)2 << 20)

struct grants {
	char *dir;
	char *path;
	struct grant v[GRANTS_MOST];
	char *lines[GRANTS_MOST]; /* where the texts of v are */
	size_t n;
	uint64_t next_id;
	bool has_bad; /* the file has lines that are not in v */
};

/* ID GIVEN UNTIL UID MESH CALLER SERVICE REASON */
static void
print_line(const struct grant *g, struct text *out)
{
	char given[CLOCK_TEXT], until[CLOCK_TEXT];

	clock_print(g->given_s * 1000, given);
	clock_print(g->until_s * 1000, until);
	text_addf(out, "%" PRIu64 " %s %s %" PRIu32 " %.*s %.*s %.*s %.*s\n",
	    g->id, given, until, g->uid, STR_ARG(g->mesh), STR_ARG(g->caller),
	    STR_ARG(g->service), STR_ARG(g->reason));
}

static bool
parse_line(struct str line, struct grant *g)
{
	struct text unused = TEXT_EMPTY;
	uint64_t uid = 0;
	bool is_good;

	is_good = str_to_u64(str_cut(&line, ' '), UINT64_MAX - 1, &g->id);
	is_good = clock_parse(str_cut(&line, ' '), &g->given_s) && is_good;
	is_good = clock_parse(str_cut(&line, ' '), &g->until_s) && is_good;
	is_good = str_to_u64(str_cut(&line, ' '), UINT32_MAX, &uid) && is_good;
	g->uid = (uint32_t)uid;
	g->mesh = str_cut(&line, ' ');
	g->caller = str_cut(&line, ' ');
	g->service = str_cut(&line, ' ');
	g->reason = line;
	is_good = is_good && g->id > 0 && g->until_s > g->given_s &&
		  g->until_s - g->given_s <= GRANT_LONGEST_S &&
		  grant_check(g, &unused);
	text_free(&unused);
	return is_good;
}

static bool
has_id(const struct grants *g, uint64_t id)
{
	size_t i;

	for (i = 0; i < g->n; i++)
		if (g->v[i].id == id)
			return true;
	return false;
}

/* The texts of v are moved into a line of its own. */
static void
append(struct grants *g, const struct grant *want)
{
	struct text line = TEXT_EMPTY;

	print_line(want, &line);
	line.len--; /* its end */
	g->lines[g->n] = str_dup(text_str(&line));
	text_free(&line);
	if (!parse_line(str_of(g->lines[g->n]), &g->v[g->n]))
		abort(); /* it was checked */
	g->n++;
}

/* Given in the future: the clock was set back, and it lasts no longer. */
static void
shorten(struct grant *g, int64_t now_s)
{
	int64_t most_s = now_s + (g->until_s - g->given_s);

	if (g->until_s > most_s)
		g->until_s = most_s;
}

static void
read_line(struct grants *g, struct str line, unsigned number, int64_t now_s,
    struct problems *pr)
{
	struct grant found;
	struct str rest = line;

	line = str_trim(line);
	rest = line;
	if (line.len == 0 || *line.p == '#')
		return;
	if (str_eq(str_cut(&rest, ' '), STR("next")) &&
	    str_to_u64(rest, UINT64_MAX - 1, &g->next_id))
		return;
	if (!parse_line(line, &found) || has_id(g, found.id)) {
		g->has_bad = true;
		problem_add(pr, PROBLEM_ERROR, g->path, number, NULL,
		    "is no grant, and gives nothing: give it again with "
		    "zegressctl grant");
		return;
	}
	if (found.id >= g->next_id)
		g->next_id = found.id + 1;
	if (g->n == GRANTS_MOST || found.until_s <= now_s)
		return;
	append(g, &found);
	shorten(&g->v[g->n - 1], now_s);
}

static void
load(struct grants *g, int64_t now_s, struct problems *pr)
{
	struct text all = TEXT_EMPTY, why = TEXT_EMPTY;
	struct str rest;
	unsigned number = 0;

	switch (read_file(g->path, FILE_MOST, &all, &why)) {
	case READ_OK:
		for (rest = text_str(&all); rest.len > 0;)
			read_line(g, str_cut(&rest, '\n'), ++number, now_s, pr);
		break;
	case READ_GONE:
		break;
	case READ_CHANGED:
	case READ_SHORT:
	case READ_FAILED:
		g->has_bad = true;
		problem_add(pr, PROBLEM_ERROR, g->path, 0, NULL,
		    "cannot be read (%s): no grant is in force", why.p);
		break;
	}
	text_free(&all);
	text_free(&why);
}

struct grants *
grants_new(const char *dir, int64_t now_s, struct problems *pr)
{
	struct grants *g = xcalloc(1, sizeof(*g));

	g->dir = xstrdup(dir);
	g->path = xasprintf("%s/grants", dir);
	g->next_id = 1;
	if (*dir != '\0')
		load(g, now_s, pr);
	return g;
}

void
grants_free(struct grants *g)
{
	size_t i;

	if (g == NULL)
		return;
	for (i = 0; i < g->n; i++)
		free(g->lines[i]);
	free(g->dir);
	free(g->path);
	free(g);
}

const struct grant *
grants_list(const struct grants *g, size_t *n)
{
	*n = g->n;
	return g->v;
}

struct grant *
grants_join(const struct grants *g, const struct grant *first, size_t *n)
{
	struct grant *all = xcalloc(*n + g->n + 1, sizeof(*all));
	size_t i;

	for (i = 0; i < *n; i++)
		all[i] = first[i];
	for (i = 0; i < g->n; i++)
		all[*n + i] = g->v[i];
	*n += g->n;
	return all;
}

/* What was not understood is kept beside it, once. */
static bool
set_bad_aside(struct grants *g)
{
	char *bad;
	bool is_good;

	if (!g->has_bad)
		return true;
	bad = xasprintf("%s.bad", g->path);
	is_good = rename(g->path, bad) == 0;
	free(bad);
	g->has_bad = !is_good;
	return is_good;
}

static bool
save(struct grants *g, struct text *why)
{
	struct text all = TEXT_EMPTY;
	char *fresh = xasprintf("%s.new", g->path);
	bool is_good;
	size_t i;

	text_addf(&all,
	    "# Grants of zegressd, which writes this file: see "
	    "zegressctl(8).\nnext %" PRIu64 "\n",
	    g->next_id);
	for (i = 0; i < g->n; i++)
		print_line(&g->v[i], &all);
	is_good = *g->dir != '\0' && file_write(fresh, text_str(&all)) &&
		  set_bad_aside(g) && file_put_in_place(fresh, g->path);
	if (!is_good)
		text_addf(why, "%s cannot be written (%s); see option state",
		    g->path, strerror(errno));
	free(fresh);
	text_free(&all);
	return is_good;
}

static void
take_out(struct grants *g, size_t at)
{
	free(g->lines[at]);
	g->n--;
	memmove(&g->v[at], &g->v[at + 1], (g->n - at) * sizeof(*g->v));
	memmove(
	    &g->lines[at], &g->lines[at + 1], (g->n - at) * sizeof(*g->lines));
}

bool
grants_add(
    struct grants *g, const struct grant *want, uint64_t *id, struct text *why)
{
	struct grant given = *want;

	if (g->n == GRANTS_MOST) {
		text_addf(why, "there are %d grants, and no more can be given",
		    GRANTS_MOST);
		return false;
	}
	*id = given.id = g->next_id++;
	append(g, &given);
	if (save(g, why))
		return true;
	take_out(g, g->n - 1);
	return false;
}

bool
grants_remove(struct grants *g, uint64_t id, struct text *why)
{
	struct text unused = TEXT_EMPTY;
	size_t i;

	for (i = 0; i < g->n && g->v[i].id != id; i++)
		;
	if (i == g->n) {
		text_addf(why, "there is no grant %" PRIu64, id);
		return false;
	}
	take_out(g, i);
	/* It is over either way; that it comes back has to be known. */
	if (!save(g, &unused))
		text_addf(why, "%s: it comes back with a restart", unused.p);
	text_free(&unused);
	return true;
}

void
grants_drop_over(struct grants *g, int64_t now_s)
{
	struct text why = TEXT_EMPTY;
	size_t i = 0, before = g->n;

	while (i < g->n) {
		if (g->v[i].until_s > now_s) {
			i++;
			continue;
		}
		log_info("grant", "%" PRIu64 " is over", g->v[i].id);
		take_out(g, i);
	}
	if (g->n < before && !save(g, &why))
		log_warn("grant", "%s", why.p);
	text_free(&why);
}
