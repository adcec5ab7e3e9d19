/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table by all that a change is grouped by.  What is beyond its room is
 * counted by direction only.  What is printed goes to terminals, so nothing
 * but printable ASCII does.
 */

#include "daemon/replay_changes.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/xalloc.h"

/* Of each text; what follows is cut off. */
#define TEXT_MOST 512

struct group {
	UT_hash_handle hh;
	struct text key; /* the direction, and all texts with line ends */
	uint64_t n;
	struct text first; /* times */
	struct text last;
};

struct replay_changes {
	struct group *table;
	uint64_t others[REPLAY_CHANGE_N];
};

static const char *const titles[REPLAY_CHANGE_N] = {
	[REPLAY_TO_DENIED] = "allowed -> denied",
	[REPLAY_TO_WOULD_DENY] = "allowed -> allowed by report mode only",
	[REPLAY_TO_ALLOWED] = "denied -> allowed",
	[REPLAY_TO_NO_ENDPOINT] = "allowed -> no endpoint for the server name",
};

struct replay_changes *
replay_changes_new(void)
{
	return xcalloc(1, sizeof(struct replay_changes));
}

static void
group_free(struct replay_changes *c, struct group *g)
{
	HASH_DELETE(hh, c->table, g);
	text_free(&g->key);
	text_free(&g->first);
	text_free(&g->last);
	free(g);
}

void
replay_changes_free(struct replay_changes *c)
{
	struct group *g, *next;

	HASH_ITER(hh, c->table, g, next)
	group_free(c, g);
	free(c);
}

static void
add_plain(struct text *to, struct str s)
{
	size_t i;
	char c;

	s = str_first(s, TEXT_MOST);
	for (i = 0; i < s.len; i++) {
		c = s.p[i];
		text_add_char(to, c < ' ' || c > '~' ? '?' : c);
	}
}

static void
print_key(const struct replay_found *f, struct text *key)
{
	text_add_char(key, (char)('0' + f->change));
	text_add_z(key, "  ");
	add_plain(key, f->identity);
	text_add_z(key, " for ");
	add_plain(key, f->mesh);
	text_add_char(key, '/');
	add_plain(key, f->service);
	text_add_z(key, "\n    was: ");
	add_plain(key, f->old_rule.len > 0 ? f->old_rule : STR("not told"));
	text_add_z(key, "\n    now: ");
	add_plain(key, f->new_rule);
	text_add_char(key, '\n');
}

static struct group *
get(struct replay_changes *c, struct text *key)
{
	struct group *g;

	HASH_FIND(hh, c->table, key->p, key->len, g);
	if (g != NULL || HASH_COUNT(c->table) >= REPLAY_CHANGES_MOST)
		return g;
	g = xcalloc(1, sizeof(*g));
	text_add(&g->key, text_str(key));
	HASH_ADD_KEYPTR(hh, c->table, g->key.p, g->key.len, g);
	return g;
}

/* All are of one form, so that texts have the order of times. */
static void
note_time(struct group *g, struct str time)
{
	time = str_first(time, 32);
	if (time.len == 0)
		return;
	if (g->first.len == 0 || str_cmp(time, text_str(&g->first)) < 0) {
		text_clear(&g->first);
		add_plain(&g->first, time);
	}
	if (g->last.len == 0 || str_cmp(time, text_str(&g->last)) > 0) {
		text_clear(&g->last);
		add_plain(&g->last, time);
	}
}

void
replay_changes_add(struct replay_changes *c, const struct replay_found *f)
{
	struct text key = TEXT_EMPTY;
	struct group *g;

	print_key(f, &key);
	g = get(c, &key);
	text_free(&key);
	if (g == NULL) {
		c->others[f->change]++;
		return;
	}
	g->n++;
	note_time(g, f->time);
}

static int
compare(const struct group *a, const struct group *b)
{
	if (a->key.p[0] != b->key.p[0])
		return a->key.p[0] < b->key.p[0] ? -1 : 1;
	if (a->n != b->n)
		return a->n > b->n ? -1 : 1;
	return str_cmp(text_str(&a->key), text_str(&b->key));
}

static void
print_group(const struct group *g, struct text *out)
{
	text_add(out, str_from(text_str(&g->key), 1));
	text_addf(out, "    %llu times", (unsigned long long)g->n);
	if (g->first.len > 0)
		text_addf(out, ", from %s to %s", g->first.p, g->last.p);
	text_add_char(out, '\n');
}

void
replay_changes_print(struct replay_changes *c, struct text *out)
{
	const struct group *g;
	unsigned i;
	bool is_first;

	HASH_SORT(c->table, compare);
	for (i = 0; i < REPLAY_CHANGE_N; i++) {
		is_first = true;
		for (g = c->table; g != NULL; g = g->hh.next) {
			if ((unsigned)(g->key.p[0] - '0') != i)
				continue;
			if (is_first)
				text_addf(out, "%s\n", titles[i]);
			is_first = false;
			print_group(g, out);
		}
		if (c->others[i] > 0)
			text_addf(out, "%s: %llu more, of other callers\n",
			    titles[i], (unsigned long long)c->others[i]);
	}
}
