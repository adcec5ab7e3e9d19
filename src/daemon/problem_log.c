/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lines that were told the last time, in a table.  A directory in which
 * everything is wrong must not flood the log: after a hundred lines the rest
 * is a number.  Main thread.
 */

#include "daemon/problem_log.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/problem.h"
#include "base/str.h"
#include "base/xalloc.h"

#define LINES_MOST 100

struct told {
	char *line;
	UT_hash_handle hh;
};

struct problem_log {
	struct told *last; /* by line */
};

struct problem_log *
problem_log_new(void)
{
	return xcalloc(1, sizeof(struct problem_log));
}

static void
clear(struct told **set)
{
	struct told *t, *next;

	for (t = *set; t != NULL; t = next) {
		next = t->hh.next;
		HASH_DEL(*set, t);
		free(t->line);
		free(t);
	}
}

void
problem_log_free(struct problem_log *l)
{
	if (l == NULL)
		return;
	clear(&l->last);
	free(l);
}

static bool
has(const struct told *set, const char *line)
{
	const struct told *t;

	HASH_FIND_STR(set, line, t);
	return t != NULL;
}

static void
add(struct told **set, char *line)
{
	struct told *t = xcalloc(1, sizeof(*t));

	t->line = line;
	HASH_ADD_KEYPTR(hh, *set, t->line, strlen(t->line), t);
}

static void
tell(const struct problem *p, const char *line)
{
	switch (p->level) {
	case PROBLEM_WARNING:
		log_warn(NULL, "%s", line);
		break;
	case PROBLEM_ERROR:
		log_error(NULL, "%s", line);
		break;
	}
}

void
problems_log(const struct problems *pr)
{
	struct text line;
	size_t i;

	for (i = 0; i < pr->n; i++) {
		line = TEXT_EMPTY;
		problem_print(&pr->v[i], &line);
		tell(&pr->v[i], line.p);
		text_free(&line);
	}
}

void
problem_log_tell(struct problem_log *l, const struct problems *pr)
{
	struct told *now = NULL, *t;
	size_t fresh = 0, mended = 0, i;
	struct text text;
	char *line;

	for (i = 0; i < pr->n; i++) {
		text = TEXT_EMPTY;
		problem_print(&pr->v[i], &text);
		line = text_take(&text);
		if (has(now, line)) {
			free(line);
			continue;
		}
		if (!has(l->last, line) && fresh++ < LINES_MOST)
			tell(&pr->v[i], line);
		add(&now, line);
	}
	if (fresh > LINES_MOST)
		log_error(NULL, "and %zu more: `zegressctl check` prints all",
		    fresh - LINES_MOST);
	for (t = l->last; t != NULL; t = t->hh.next)
		mended += !has(now, t->line);
	if (mended > 0)
		log_info(NULL, "%zu problem%s mended", mended,
		    mended == 1 ? "" : "s");
	clear(&l->last);
	l->last = now;
}
