/* SPDX-License-Identifier: Apache-2.0 */
/* See lines.h. */

#include "lines.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"

void
lines_add(struct lines *l, char *line)
{
	l->v = xreallocarray(l->v, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = line;
}

bool
lines_have(const struct lines *l, struct str line)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_eq(str_of(l->v[i]), line))
			return true;
	return false;
}

static int
compare(const void *a, const void *b)
{
	char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

void
lines_sort(struct lines *l)
{
	if (l->n > 0)
		qsort(l->v, l->n, sizeof(*l->v), compare);
}

void
lines_join(struct lines *l, const char *separator, struct text *out)
{
	for (size_t i = 0; i < l->n; i++)
		if (i == 0 || strcmp(l->v[i - 1], l->v[i]) != 0) {
			text_add_z(out, i > 0 ? separator : "");
			text_add_z(out, l->v[i]);
		}
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = LINES_NONE;
}

char *
lines_take(struct lines *l, const char *separator)
{
	struct text t = TEXT_EMPTY;

	lines_join(l, separator, &t);
	return text_take(&t);
}

bool
next_line(struct str *rest, struct str *line)
{
	if (rest->len == 0)
		return false;
	*line = str_cut(rest, '\n');
	return true;
}
