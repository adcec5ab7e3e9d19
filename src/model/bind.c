/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a map by a table of rows.  What a kind demands of its values beyond
 * their types is checked by that kind; tags, data sources and targets are
 * read in target_bind.c, paths are printed in path.c.  Main thread.
 */

#include "model/bind.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "model/nearest.h"
#include "model/scalar.h"
#include "model/target.h"
#include "model/target_bind.h"

static void
report(struct binder *b, enum problem_level level, unsigned line,
    const struct path *at, const char *fmt, va_list ap)
{
	struct text path = TEXT_EMPTY;
	char *message;

	if (vasprintf(&message, fmt, ap) == -1)
		abort();
	path_print(at, &path);
	problem_add(b->pr, level, b->file, line, path.p, "%s", message);
	text_free(&path);
	free(message);
}

void
bind_error(struct binder *b, unsigned line, const struct path *at,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(b, PROBLEM_ERROR, line, at, fmt, ap);
	va_end(ap);
}

void
bind_warn(struct binder *b, unsigned line, const struct path *at,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report(b, PROBLEM_WARNING, line, at, fmt, ap);
	va_end(ap);
}

bool
node_is_given(const struct node *n)
{
	return n != NULL && n->kind != NODE_NULL;
}

bool
bind_expect(struct binder *b, const struct node *n, enum node_kind kind,
    const struct path *at)
{
	bool is_plain = n->kind == NODE_NUMBER || n->kind == NODE_BOOL;

	if (n->kind == kind)
		return true;
	if (kind == NODE_TEXT && is_plain)
		bind_error(b, n->line, at,
		    "must be a text, not %s; put it in "
		    "quotes",
		    node_kind_name(n->kind));
	else
		bind_error(b, n->line, at, "must be %s, not %s",
		    node_kind_name(kind), node_kind_name(n->kind));
	return false;
}

bool
bind_str(struct binder *b, const struct node *n, const struct path *at,
    struct str *out)
{
	if (!bind_expect(b, n, NODE_TEXT, at))
		return false;
	*out = arena_str(b->arena, n->text);
	return true;
}

bool
bind_bool(
    struct binder *b, const struct node *n, const struct path *at, bool *out)
{
	if (n->kind == NODE_TEXT && !n->is_quoted &&
	    scalar_to_bool(n->text, out))
		return true;
	return bind_expect(b, n, NODE_BOOL, at) && scalar_to_bool(n->text, out);
}

static bool
read_number(struct binder *b, const struct node *n, const struct path *at,
    uint64_t least, uint64_t most, const char *what, uint64_t *out)
{
	if (!(b->is_proto && n->kind == NODE_TEXT) &&
	    !bind_expect(b, n, NODE_NUMBER, at))
		return false;
	if (str_to_u64(n->text, most, out) && *out >= least)
		return true;
	bind_error(b, n->line, at, "%s must be in the range [%llu, %llu]", what,
	    (unsigned long long)least, (unsigned long long)most);
	return false;
}

static void
read_port(struct binder *b, const struct node *n, const struct path *at,
    uint16_t *out)
{
	uint64_t v;

	if (read_number(b, n, at, 1, 65535, "port", &v))
		*out = (uint16_t)v;
}

static void
read_unsigned(struct binder *b, const struct node *n, const struct path *at,
    unsigned *out)
{
	uint64_t v;

	if (read_number(b, n, at, 0, UINT32_MAX, "value", &v))
		*out = (unsigned)v;
}

static void
complain_value(struct binder *b, const struct node *n, const struct path *at,
    const struct bind_value *v)
{
	struct text known = TEXT_EMPTY;

	for (; v->name != NULL; v++) {
		if (v->name[0] != '\0')
			text_addf(
			    &known, "%s%s", known.len > 0 ? ", " : "", v->name);
	}
	bind_error(b, n->line, at, "must be one of %s", known.p);
	text_free(&known);
}

static void
read_enum(struct binder *b, const struct node *n, const struct path *at,
    const struct bind_value *values, int *out)
{
	const struct bind_value *v = values;

	if (!bind_expect(b, n, NODE_TEXT, at))
		return;
	while (v->name != NULL && !str_eq(n->text, str_of(v->name)))
		v++;
	if (v->name != NULL)
		*out = v->value;
	else
		complain_value(b, n, at, values);
}

static void
read_list(struct binder *b, const struct bind *row, const struct node *n,
    const struct path *at, char *base)
{
	const struct node_entry *e;
	char *v, **list = (void *)(base + row->offset);
	size_t i = 0, *length = (void *)(base + row->n_offset);

	if (!bind_expect(b, n, NODE_LIST, at) || n->n == 0)
		return;
	v = arena_alloc(b->arena, n->n * row->size);
	for (e = n->first; e != NULL; e = e->next, i++)
		bind_map(
		    b, row->sub, e->value, PATH_ITEM(at, i), v + i * row->size);
	*list = v;
	*length = n->n;
}

static void
read_row(struct binder *b, const struct bind *row, const struct node *n,
    const struct path *at, char *base)
{
	void *field = base + row->offset;

	switch (row->type) {
	case BIND_END:
	case BIND_SKIP:
	case BIND_LINE:
	case BIND_HELD:
	case BIND_STRICT:
		break;
	case BIND_STR:
		bind_str(b, n, at, field);
		break;
	case BIND_BOOL:
		bind_bool(b, n, at, field);
		break;
	case BIND_PORT:
		read_port(b, n, at, field);
		break;
	case BIND_UNSIGNED:
		read_unsigned(b, n, at, field);
		break;
	case BIND_ENUM:
		read_enum(b, n, at, row->values, field);
		break;
	case BIND_TAGS:
		bind_tags(b, n, at, field);
		break;
	case BIND_SOURCE:
		bind_shared_source(b, n, at, field);
		break;
	case BIND_TARGET:
		bind_target(b, n, at, field);
		break;
	case BIND_STRUCT:
		bind_map(b, row->sub, n, at, base);
		break;
	case BIND_LIST:
		read_list(b, row, n, at, base);
		break;
	case BIND_READ:
		row->read(b, n, at, field);
		break;
	}
}

/* protobuf's JSON takes a field by its own name too: ca_cert for caCert. */
static bool
is_key(const struct binder *b, struct str written, const char *known)
{
	size_t i = 0, k = 0;
	char c;

	if (str_eq(written, str_of(known)))
		return true;
	if (!b->is_proto || known[0] == '\0')
		return false;
	for (; i < written.len; i++, k++) {
		c = written.p[i];
		if (c == '_' && i > 0 && i + 1 < written.len &&
		    written.p[i + 1] >= 'a' && written.p[i + 1] <= 'z')
			c = (char)(written.p[++i] - 'a' + 'A');
		if (c != known[k])
			return false;
	}
	return known[k] == '\0';
}

static bool
has_key(const struct bind *row)
{
	return row->type != BIND_LINE && row->type != BIND_HELD &&
	       row->type != BIND_STRICT;
}

static bool
is_strict(const struct bind *rows)
{
	while (rows->type != BIND_END && rows->type != BIND_STRICT)
		rows++;
	return rows->type == BIND_STRICT;
}

static const struct bind *
find_row(const struct binder *b, const struct bind *rows, struct str key)
{
	for (; rows->type != BIND_END; rows++) {
		if (has_key(rows) && is_key(b, key, rows->key))
			return rows;
	}
	return NULL;
}

static void
try_rows(const struct bind *row, struct nearest *near, struct text *known)
{
	for (; row != NULL && row->type != BIND_END; row++) {
		if (!has_key(row))
			continue;
		nearest_try(near, row->key);
		text_addf(known, "%s%s", known->len > 0 ? ", " : "", row->key);
	}
}

static void
tell_unknown(struct binder *b, const struct bind *rows,
    const struct node_entry *e, const struct path *at)
{
	struct nearest near = nearest_to(e->key);
	struct text known = TEXT_EMPTY, why = TEXT_EMPTY;

	try_rows(rows, &near, &known);
	if (at->up == NULL)
		try_rows(b->also, &near, &known);
	if (near.best != NULL)
		text_addf(&why, "did you mean %s?", near.best);
	else
		text_addf(
		    &why, "known here: %s", known.p != NULL ? known.p : "none");
	if (is_strict(rows))
		bind_error(b, e->line, at, "unknown field; %s", why.p);
	else
		bind_warn(b, e->line, at, "unknown field, ignored; %s", why.p);
	text_free(&why);
	text_free(&known);
}

static void
tell_empty(struct binder *b, const struct bind *rows, const struct bind *row,
    unsigned line, const struct path *at)
{
	if (row->type != BIND_STRUCT && row->type != BIND_SOURCE &&
	    row->type != BIND_TARGET)
		return;
	if (is_strict(rows))
		bind_error(b, line, at, "must not be empty");
	else
		bind_warn(b, line, at, "empty, taken as not given");
}

static void
read_entry(struct binder *b, const struct bind *rows,
    const struct node_entry *e, const struct path *at, char *base)
{
	const struct bind *row = find_row(b, rows, e->key);
	struct path here = { .up = at, .key = e->key };

	if (row == NULL) {
		if (at != NULL || b->also == NULL ||
		    find_row(b, b->also, e->key) == NULL)
			tell_unknown(b, rows, e, &here);
		return;
	}
	here.key = str_of(row->key);
	if (!node_is_given(e->value)) {
		tell_empty(b, rows, row, e->line, &here);
		return;
	}
	if (row->has_offset != 0)
		*(bool *)(void *)(base + row->has_offset) = true;
	read_row(b, row, e->value, &here, base);
}

/* caCert and ca_cert side by side: which one counts would be a guess. */
static void
check_spellings(struct binder *b, const struct bind *rows, const struct node *n,
    const struct path *at)
{
	const struct node_entry *e;
	const struct bind *row;

	for (e = n->first; b->is_proto && e != NULL; e = e->next) {
		if (str_index(e->key, '_') < 0)
			continue;
		row = find_row(b, rows, e->key);
		if (row != NULL && !str_eq(e->key, str_of(row->key)) &&
		    node_get(n, str_of(row->key)) != NULL)
			bind_error(b, e->line,
			    &(struct path){ .up = at, .key = e->key },
			    "stands here as %s too; remove one", row->key);
	}
}

bool
bind_map(struct binder *b, const struct bind *rows, const struct node *n,
    const struct path *at, void *out)
{
	const struct node_entry *e;
	const struct bind *row;
	char *base = out;

	for (row = rows; row->type != BIND_END; row++) {
		if (row->type == BIND_LINE)
			*(unsigned *)(void *)(base + row->offset) = n->line;
	}
	if (!bind_expect(b, n, NODE_MAP, at))
		return false;
	check_spellings(b, rows, n, at);
	for (e = n->first; e != NULL; e = e->next)
		read_entry(b, rows, e, at, base);
	return true;
}
