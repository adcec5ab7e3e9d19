/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads "key: value" where a line starts with it, indented or in JSON's
 * quotes or not.  The first line of each key counts.  Pure, any thread.
 */

#include "model/guess.h"

static bool
is_decoration(char c)
{
	return c == ' ' || c == '\t' || c == '{' || c == '[' || c == ',' ||
	       c == '"' || c == '\'' || c == '-';
}

static struct str
strip(struct str s)
{
	while (s.len > 0 && is_decoration(s.p[0]))
		s = str_from(s, 1);
	return s;
}

/* Up to what ends a word: blank, quote, comma, comment, bracket. */
static struct str
word(struct str s)
{
	size_t n = 0;

	s = strip(s);
	while (n < s.len && !is_decoration(s.p[n]) && s.p[n] != '#' &&
	       s.p[n] != '}' && s.p[n] != ']' && s.p[n] != '\r')
		n++;
	/* A dash, not at the start, is part of a name. */
	while (n < s.len && s.p[n] == '-') {
		n++;
		while (n < s.len && !is_decoration(s.p[n]) && s.p[n] != '}')
			n++;
	}
	return str_first(s, n);
}

/* The value of key, if the line starts with it; p is NULL otherwise. */
static struct str
value_of(struct str line, struct str key)
{
	struct str rest;

	if (!str_starts(line, key))
		return STR_NONE;
	rest = str_from(line, key.len);
	while (rest.len > 0 &&
	       (rest.p[0] == '"' || rest.p[0] == '\'' || rest.p[0] == ' '))
		rest = str_from(rest, 1);
	if (!str_starts(rest, STR(":")))
		return STR_NONE;
	rest = word(str_from(rest, 1));
	return rest.len > 0 ? rest : STR_NONE;
}

static void
take(struct str line, struct str key, struct str *out)
{
	if (out->p == NULL)
		*out = value_of(line, key);
}

static bool
is_permission(struct str kind)
{
	return str_ends(kind, STR("TrafficPermission"));
}

/* A permission inside something else counts: then of an unknown mesh. */
static void
take_kind(struct str line, struct guess *g, bool *is_inside)
{
	struct str kind = value_of(line, STR("kind"));

	if (kind.p == NULL)
		kind = value_of(line, STR("type"));
	if (kind.p == NULL || is_permission(g->kind))
		return;
	if (g->kind.p == NULL) {
		g->kind = kind;
	} else if (is_permission(kind)) {
		g->kind = kind;
		*is_inside = true;
	}
}

struct guess
guess_from_text(struct str text)
{
	struct guess g = { .kind = STR_NONE };
	bool is_inside = false;
	struct str line;

	while (text.p != NULL) {
		line = strip(str_cut(&text, '\n'));
		take_kind(line, &g, &is_inside);
		take(line, STR("mesh"), &g.mesh);
		take(line, STR("kuma.io/mesh"), &g.mesh);
		take(line, STR("name"), &g.name);
	}
	if (is_inside)
		g.mesh = STR_NONE;
	return g;
}
