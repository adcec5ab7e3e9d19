/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Paths of fields, printed as Kuma prints them (networking.tls.caCert,
 * spec.endpoints[0].port, tags["version"]) and followed back into a tree, for
 * the line of a problem that was found after binding.  Main thread.
 */

#include "model/bind.h"

void
path_print(const struct path *at, struct text *out)
{
	if (at == NULL)
		return;
	path_print(at->up, out);
	switch (at->part) {
	case PATH_FIELD:
		if (out->len > 0)
			text_add_char(out, '.');
		text_add(out, str_first(at->key, 128));
		break;
	case PATH_QUOTED:
		text_add_z(out, "[\"");
		text_add(out, str_first(at->key, 128));
		text_add_z(out, "\"]");
		break;
	case PATH_INDEX:
		text_add_char(out, '[');
		text_add_u64(out, at->index);
		text_add_char(out, ']');
		break;
	}
}

static struct str
cut_brackets(struct str *path, size_t *index)
{
	ptrdiff_t end = str_index(*path, ']');
	struct str inside;
	uint64_t n;

	if (end < 0) {
		*path = STR_NONE;
		return STR_NONE;
	}
	inside = str_first(str_from(*path, 1), (size_t)end - 1);
	*path = str_from(*path, (size_t)end + 1);
	if (str_to_u64(inside, SIZE_MAX / 2, &n)) {
		*index = (size_t)n;
		return STR_NONE;
	}
	return inside.len >= 2 ? str_first(str_from(inside, 1), inside.len - 2)
			       : STR_NONE;
}

struct str
path_cut(struct str *path, size_t *index)
{
	struct str part;
	size_t n = 0;

	*index = SIZE_MAX;
	if (str_starts(*path, STR("[")))
		return cut_brackets(path, index);
	if (str_starts(*path, STR(".")))
		*path = str_from(*path, 1);
	while (n < path->len && path->p[n] != '.' && path->p[n] != '[')
		n++;
	part = str_first(*path, n);
	*path = str_from(*path, n);
	return part;
}

static const struct node_entry *
find_entry(const struct node *n, struct str key, size_t index)
{
	const struct node_entry *e = n->first;

	if (index != SIZE_MAX) {
		while (n->kind == NODE_LIST && e != NULL && index-- > 0)
			e = e->next;
		return n->kind == NODE_LIST ? e : NULL;
	}
	while (n->kind == NODE_MAP && e != NULL && !str_eq(e->key, key))
		e = e->next;
	return n->kind == NODE_MAP ? e : NULL;
}

unsigned
bind_line_of(const struct node *root, struct str path)
{
	const struct node_entry *e;
	unsigned line = 0;
	struct str key;
	size_t index;

	while (root != NULL && path.len > 0) {
		key = path_cut(&path, &index);
		e = find_entry(root, key, index);
		if (e == NULL)
			break;
		line = e->line;
		root = e->value;
	}
	return line;
}
