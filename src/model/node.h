/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_NODE_H
#define MODEL_NODE_H

/*
 * The text of one document, YAML or JSON, as a tree whose nodes know their
 * lines.  What a node means to us is not here: see bind.h.  Depth and number
 * of nodes are capped, aliases counted as often as they are used, so that no
 * text is larger as a tree than it may be as a text.  One thread a tree.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct arena;
struct problems;

enum node_kind {
	NODE_NULL, /* empty, ~ or null, without quotes */
	NODE_BOOL, /* true or false, without quotes */
	NODE_NUMBER,
	NODE_TEXT,
	NODE_MAP,
	NODE_LIST
};

/* One value of a map or list; a list's have no key. */
struct node_entry {
	struct str key;
	unsigned line; /* of the key, or of a list's value */
	const struct node *value;
	const struct node_entry *next;
};

struct node {
	enum node_kind kind;
	unsigned line;
	bool is_quoted;  /* scalars: quoted, or a block */
	unsigned height; /* levels in it, itself included */
	size_t weight;   /* nodes in it, itself included, aliases expanded */
	struct str text; /* of a scalar, as it stands */
	size_t n;        /* entries */
	const struct node_entry *first;
};

#define NODE_MOST_BYTES (4u << 20)
#define NODE_MOST_DEPTH 64
#define NODE_MOST_NODES 250000

/*
 * The tree of text, whose first line is numbered first_line.  NULL when it is
 * no document, and then pr says why.  A text without content is a NODE_NULL.
 * The tree lives in a; file is named in problems and may be NULL.
 */
const struct node *node_parse(struct arena *a, struct str text,
    const char *file, unsigned first_line, struct problems *pr) MUST_CHECK;

/* The value of key in a map, exactly as written; NULL otherwise. */
const struct node *node_get(const struct node *map, struct str key);
/* "a text", "a list" …: for messages. */
const char *node_kind_name(enum node_kind kind);
/* Overwrite every scalar: it may have been a key. */
void node_wipe(const struct node *root);

#endif
