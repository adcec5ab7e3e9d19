/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Goes over what a table of rows has filled: lines move when a document does,
 * and bytes that may be a key are overwritten before they are freed.  Main
 * thread.
 */

#include "model/bind.h"

#include "model/target.h"
#include "model/target_bind.h"

struct walk {
	void (*on_line)(struct walk *w, unsigned *line);
	void (*on_source)(struct data_source *s);
	long delta;
};

static void each(struct walk *w, const struct bind *rows, char *base);

static void
each_item(struct walk *w, const struct bind *row, char *base)
{
	char *const *list = (void *)(base + row->offset);
	const size_t *n = (void *)(base + row->n_offset);
	size_t i;

	for (i = 0; i < *n; i++)
		each(w, row->sub, *list + i * row->size);
}

static void
each_row(struct walk *w, const struct bind *row, char *base)
{
	void *field = base + row->offset;
	struct data_source *source;
	struct target_ref *target;

	switch (row->type) {
	case BIND_END:
	case BIND_SKIP:
	case BIND_STR:
	case BIND_BOOL:
	case BIND_PORT:
	case BIND_UNSIGNED:
	case BIND_ENUM:
	case BIND_TAGS:
	case BIND_READ:
	case BIND_STRICT:
		break;
	case BIND_LINE:
		w->on_line(w, field);
		break;
	case BIND_SOURCE:
	case BIND_HELD:
		source = field;
		w->on_line(w, &source->line);
		w->on_source(source);
		break;
	case BIND_TARGET:
		target = field;
		w->on_line(w, &target->line);
		break;
	case BIND_STRUCT:
		each(w, row->sub, base);
		break;
	case BIND_LIST:
		each_item(w, row, base);
		break;
	}
}

static void
each(struct walk *w, const struct bind *rows, char *base)
{
	for (; rows->type != BIND_END; rows++)
		each_row(w, rows, base);
}

static void
move_line(struct walk *w, unsigned *line)
{
	if (*line > 0)
		*line = (unsigned)((long)*line + w->delta);
}

static void
leave_line(struct walk *w, unsigned *line)
{
	(void)w;
	(void)line;
}

static void
leave_source(struct data_source *s)
{
	(void)s;
}

void
bind_move(const struct bind *rows, void *spec, long delta)
{
	struct walk w = {
		.on_line = move_line, .on_source = leave_source, .delta = delta
	};

	each(&w, rows, spec);
}

void
bind_wipe(const struct bind *rows, void *spec)
{
	struct walk w = { .on_line = leave_line, .on_source = source_wipe };

	each(&w, rows, spec);
}
