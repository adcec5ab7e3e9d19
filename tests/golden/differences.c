/* SPDX-License-Identifier: Apache-2.0 */
/* See differences.h. */

#include "differences.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "case.h"
#include "lines.h"

#define TABLE STR("## Met where we compare")

/* Without spaces around it, nor the marks of code. */
static char *
cell_text(struct str cell)
{
	cell = str_trim(cell);
	if (cell.len >= 2 && cell.p[0] == '`' && str_ends(cell, STR("`")))
		cell = str_first(str_from(cell, 1), cell.len - 2);
	return str_dup(cell);
}

static void
add_row(struct differences *d, struct str line, unsigned number)
{
	struct difference row = { .line = number };
	struct str cell;

	str_cut(&line, '|');
	while (line.len > 0) {
		cell = str_cut(&line, '|');
		if (row.n_cells < DIFFERENCE_CELLS)
			row.cell[row.n_cells] = cell_text(cell);
		row.n_cells++;
	}
	for (size_t i = row.n_cells; i < DIFFERENCE_CELLS; i++)
		row.cell[i] = xstrdup("");
	d->v = xreallocarray(d->v, d->n + 1, sizeof(*d->v));
	d->v[d->n++] = row;
}

bool
differences_read(const char *path, struct differences *out)
{
	struct text bytes = TEXT_EMPTY;
	bool is_table = false;
	unsigned number = 0, rows = 0;
	struct str rest, line;

	*out = (struct differences){ .v = NULL };
	if (!read_whole(path, &bytes))
		return false;
	rest = text_str(&bytes);
	while (next_line(&rest, &line)) {
		number++;
		if (str_starts(line, STR("## ")))
			is_table = str_eq(line, TABLE);
		/* Two lines of each table are its head. */
		rows = str_starts(line, STR("|")) ? rows + 1 : 0;
		if (is_table && rows > 2)
			add_row(out, line, number);
	}
	text_free(&bytes);
	return true;
}

void
differences_free(struct differences *d)
{
	for (size_t i = 0; i < d->n; i++)
		for (size_t k = 0; k < DIFFERENCE_CELLS; k++)
			free(d->v[i].cell[k]);
	free(d->v);
	*d = (struct differences){ .v = NULL };
}

static bool
fits(const char *pattern, const char *text)
{
	return fnmatch(pattern, text, 0) == 0;
}

bool
difference_is_of(const struct difference *row, const char *of)
{
	return fits(row->cell[0], of);
}

bool
differences_allow(struct differences *d, const char *of, const char *name,
    const char *what, const char *theirs, const char *ours)
{
	struct difference *row;
	bool is_allowed = false;

	for (row = d->v; row < d->v + d->n; row++) {
		if (!difference_is_of(row, of) || !fits(row->cell[1], name) ||
		    !fits(row->cell[2], what) ||
		    strcmp(row->cell[3], theirs) != 0 ||
		    strcmp(row->cell[4], ours) != 0)
			continue;
		row->is_met = true;
		is_allowed = true;
	}
	return is_allowed;
}
