/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table by names.  When it is full a tenth of it, the longest unused, goes
 * at once, so that a flood of new names costs little each.
 */

#include "conn/uses.h"

#include <stdlib.h>

#include "base/xalloc.h"

/* Of each name in a key. */
#define NAME_MOST 300
#define KEY_MOST (3 * NAME_MOST + 8)

struct uses *
uses_new(size_t most)
{
	struct uses *u = xcalloc(1, sizeof(*u));

	u->most = most;
	return u;
}

static void
drop(struct uses *u, struct use *e)
{
	HASH_DELETE(hh, u->table, e);
	free(e);
}

void
uses_free(struct uses *u)
{
	struct use *e, *next;

	if (u == NULL)
		return;
	HASH_ITER(hh, u->table, e, next)
	drop(u, e);
	free(u);
}

struct uses *
uses_move(struct uses *u)
{
	struct uses *to = uses_new(u->most);

	to->table = u->table;
	u->table = NULL;
	return to;
}

static size_t
put(char *at, struct str s)
{
	size_t i;

	s = str_first(s, NAME_MOST);
	for (i = 0; i < s.len; i++)
		at[i] = s.p[i] < ' ' || s.p[i] > '~' ? '?' : s.p[i];
	at[i] = '\t';
	return i + 1;
}

/* What it returns lives in room. */
static struct str
make_key(const struct use_name *name, char room[KEY_MOST])
{
	size_t n = 0;

	room[n++] = name->kind;
	room[n++] = '\t';
	n += put(room + n, name->service);
	n += put(room + n, name->identity);
	n += put(room + n, name->host);
	return (struct str){ .p = room, .len = n - 1 };
}

static struct use *
find(const struct uses *u, struct str key)
{
	struct use *e;

	HASH_FIND(hh, u->table, key.p, key.len, e);
	return e;
}

const struct use *
uses_find(const struct uses *u, const struct use_name *name)
{
	char room[KEY_MOST];

	return find(u, make_key(name, room));
}

struct use_name
use_name(const struct use *e)
{
	struct str rest = e->key;
	struct use_name name = { .kind = rest.p[0] };

	(void)str_cut(&rest, '\t');
	name.service = str_cut(&rest, '\t');
	name.identity = str_cut(&rest, '\t');
	name.host = rest;
	return name;
}

bool
use_is_of_others(const struct use *e)
{
	return str_eq(use_name(e).identity, USE_OTHERS);
}

static struct use *
add_new(struct uses *u, struct str key, int64_t first_s)
{
	struct use *e = xcalloc(1, sizeof(*e) + key.len);
	char *at = (char *)(e + 1);

	memcpy(at, key.p, key.len);
	e->key = (struct str){ .p = at, .len = key.len };
	e->first_s = first_s;
	e->last_s = first_s;
	HASH_ADD_KEYPTR(hh, u->table, e->key.p, e->key.len, e);
	return e;
}

static void
add_to(struct use *e, int64_t first_s, int64_t last_s,
    const uint64_t n[USE_COUNTS])
{
	unsigned i;

	if (first_s < e->first_s)
		e->first_s = first_s;
	if (last_s > e->last_s)
		e->last_s = last_s;
	for (i = 0; i < USE_COUNTS; i++)
		e->n[i] =
		    n[i] > UINT64_MAX - e->n[i] ? UINT64_MAX : e->n[i] + n[i];
}

static void
add_key(struct uses *u, struct str key, int64_t first_s, int64_t last_s,
    const uint64_t n[USE_COUNTS])
{
	struct use *e = find(u, key);

	if (e == NULL)
		e = add_new(u, key, first_s);
	add_to(e, first_s, last_s, n);
}

/* Others have half of the room at most: then they go together. */
static void
forget(struct uses *u, struct use *e, size_t *others)
{
	struct use_name name = use_name(e);
	bool was_others = use_is_of_others(e);
	char room[KEY_MOST];
	size_t before;

	if (was_others || *others >= u->most / 2)
		name.service = STR_NONE;
	name.identity = USE_OTHERS;
	name.host = STR_NONE;
	HASH_DELETE(hh, u->table, e);
	before = HASH_COUNT(u->table);
	if (name.kind == USE_OF_SERVICE)
		add_key(u, make_key(&name, room), e->first_s, e->last_s, e->n);
	*others += HASH_COUNT(u->table) - before;
	*others -= was_others;
	free(e);
}

static int
compare_ages(const void *a, const void *b)
{
	const struct use *const *x = a, *const *y = b;
	bool is_x_others = use_is_of_others(*x);

	if (is_x_others != use_is_of_others(*y))
		return is_x_others ? 1 : -1;
	if ((*x)->last_s != (*y)->last_s)
		return (*x)->last_s < (*y)->last_s ? -1 : 1;
	return str_cmp((*x)->key, (*y)->key);
}

static void
make_room(struct uses *u)
{
	size_t n = HASH_COUNT(u->table), i = 0, others = 0;
	struct use **v = xreallocarray(NULL, n, sizeof(struct use *));
	struct use *e;

	for (e = u->table; e != NULL; e = e->hh.next) {
		others += use_is_of_others(e);
		v[i++] = e;
	}
	qsort(v, n, sizeof(struct use *), compare_ages);
	for (i = 0; i < n && HASH_COUNT(u->table) > u->most - u->most / 10; i++)
		forget(u, v[i], &others);
	free(v);
}

void
uses_add(struct uses *u, const struct use_name *name, int64_t first_s,
    int64_t last_s, const uint64_t n[USE_COUNTS])
{
	char room[KEY_MOST];

	add_key(u, make_key(name, room), first_s, last_s, n);
	if (HASH_COUNT(u->table) > u->most)
		make_room(u);
}

void
uses_merge(struct uses *to, const struct uses *from)
{
	const struct use *e;

	for (e = from->table; e != NULL; e = e->hh.next)
		add_key(to, e->key, e->first_s, e->last_s, e->n);
	if (HASH_COUNT(to->table) > to->most)
		make_room(to);
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

void
use_rule_name(struct str origin, struct text *out)
{
	size_t blank = origin.len, at;

	while (blank > 0 && origin.p[blank - 1] != ' ')
		blank--;
	at = blank > 0 ? blank - 1 : 0;
	while (at > 0 && is_digit(origin.p[at - 1]))
		at--;
	if (at > 1 && at + 1 < blank && origin.p[at - 1] == ':') {
		text_add(out, str_first(origin, at - 1));
		text_add(out, str_from(origin, blank - 1));
	} else {
		text_add(out, origin);
	}
}
