/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of what is wrong with what an operator wrote.  Who finds a problem
 * words it; nothing here knows what it is about.  One thread a list.
 */

#include "base/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"

void
problems_free(struct problems *pr)
{
	size_t i;

	for (i = 0; i < pr->n; i++) {
		free(pr->v[i].file);
		free(pr->v[i].path);
		free(pr->v[i].message);
	}
	free(pr->v);
	*pr = PROBLEMS_NONE;
}

static char *
copy_or_null(const char *s)
{
	return s == NULL ? NULL : xstrdup(s);
}

static struct problem *
append(struct problems *pr, enum problem_level level, const char *file,
    unsigned line, const char *path)
{
	struct problem *p;

	if (pr->n == pr->cap) {
		pr->cap = pr->cap == 0 ? 8 : pr->cap * 2;
		pr->v = xreallocarray(pr->v, pr->cap, sizeof(*pr->v));
	}
	if (level == PROBLEM_ERROR)
		pr->errors++;
	p = &pr->v[pr->n++];
	*p = (struct problem){
		.level = level,
		.file = copy_or_null(file),
		.line = line,
		.path = copy_or_null(path),
	};
	return p;
}

void
problem_add(struct problems *pr, enum problem_level level, const char *file,
    unsigned line, const char *path, const char *fmt, ...)
{
	struct problem *p = append(pr, level, file, line, path);
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&p->message, fmt, ap) == -1)
		p->message = xstrdup(fmt);
	va_end(ap);
}

void
problems_append(struct problems *pr, const struct problems *from)
{
	const struct problem *p;
	size_t i, n = from->n;

	for (i = 0; i < n; i++) {
		p = &from->v[i];
		append(pr, p->level, p->file, p->line, p->path)->message =
		    xstrdup(p->message);
	}
}

void
problem_print(const struct problem *p, struct text *out)
{
	if (p->file != NULL && p->line > 0)
		text_addf(out, "%s:%u: ", p->file, p->line);
	else if (p->file != NULL)
		text_addf(out, "%s: ", p->file);
	if (p->path != NULL && p->path[0] != '\0')
		text_addf(out, "%s: ", p->path);
	if (p->level == PROBLEM_WARNING)
		text_add_z(out, "warning: ");
	text_add_z(out, p->message);
}
