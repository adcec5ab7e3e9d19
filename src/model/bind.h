/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_BIND_H
#define MODEL_BIND_H

/*
 * From the tree of a document to a struct, by a table of rows: key, type,
 * where it goes.  A value of the wrong type is an error with its path; a field
 * that no row knows is a warning, since Kuma ignores it, but for maps that
 * would mean more without it.  Main thread.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/problem.h"
#include "base/str.h"
#include "model/node.h"

struct arena;
struct bind;

/* Where a field is, from the innermost part outwards; NULL is the top. */
struct path {
	const struct path *up;
	enum path_part {
		PATH_FIELD,  /* .key */
		PATH_QUOTED, /* ["key"] */
		PATH_INDEX   /* [index] */
	} part;
	struct str key;
	size_t index;
};

/* A part of a path that lives as long as the block it stands in. */
#define PATH_IN(above, name) \
	(&(const struct path){ .up = (above), .key = STR(name) })
#define PATH_ITEM(above, i)    \
	(&(const struct path){ \
	    .up = (above), .part = PATH_INDEX, .index = (i) })
#define PATH_KEY(above, name)  \
	(&(const struct path){ \
	    .up = (above), .part = PATH_QUOTED, .key = (name) })

void path_print(const struct path *at, struct text *out);

/* What binding one document needs and fills. */
struct binder {
	struct arena *arena; /* of the values */
	struct problems *pr;
	const char *file;
	bool is_proto; /* as protobuf's JSON: ca_cert is caCert, "1" is 1 */
	/* Rows for keys at the top that are the envelope's; or NULL. */
	const struct bind *also;
};

enum bind_type {
	BIND_END = 0, /* the last row */
	BIND_SKIP,    /* known, and of no use here */
	BIND_STR,
	BIND_BOOL,
	BIND_PORT, /* 1 to 65535, into a uint16_t */
	BIND_UNSIGNED,
	BIND_ENUM,   /* one of values, into an enum, as an int */
	BIND_TAGS,   /* a map of texts, into struct tags */
	BIND_SOURCE, /* struct data_source */
	BIND_TARGET, /* struct target_ref */
	BIND_STRUCT, /* a map, by the rows of sub, into the same struct */
	BIND_LIST,   /* a list of maps, by sub, into an array and its length */
	BIND_READ,   /* by a function */
	BIND_LINE,   /* no key: the line of the map itself, an unsigned */
	BIND_HELD,   /* no key: a struct data_source that another row fills */
	/* No key: in this map, what no row knows or is empty is an error. */
	BIND_STRICT
};

struct bind_value {
	const char *name; /* NULL ends the list */
	int value;
};

struct bind {
	const char *key;
	enum bind_type type;
	size_t offset;     /* of the value, in the struct of these rows */
	size_t n_offset;   /* BIND_LIST: of the length, a size_t */
	size_t has_offset; /* of a bool: it was given; 0: nobody asks */
	size_t size;       /* BIND_LIST: bytes an element */
	const struct bind *sub;
	const struct bind_value *values;
	void (*read)(struct binder *b, const struct node *n,
	    const struct path *at, void *field);
};

/* Fill out, zeroed by the caller, from n by rows; false if n is no map. */
bool bind_map(struct binder *b, const struct bind *rows, const struct node *n,
    const struct path *at, void *out);
bool bind_str(struct binder *b, const struct node *n, const struct path *at,
    struct str *out);
bool bind_bool(
    struct binder *b, const struct node *n, const struct path *at, bool *out);
/* False, and a problem, if n is not of that kind. */
bool bind_expect(struct binder *b, const struct node *n, enum node_kind kind,
    const struct path *at);
/* A value that is empty or null counts as not given. */
bool node_is_given(const struct node *n);

void bind_error(struct binder *b, unsigned line, const struct path *at,
    const char *fmt, ...) PRINTF_LIKE(4, 5);
void bind_warn(struct binder *b, unsigned line, const struct path *at,
    const char *fmt, ...) PRINTF_LIKE(4, 5);

/* The line of the field a printed path names, or of what is left of it. */
unsigned bind_line_of(const struct node *root, struct str path);
/* The first part of a printed path; the rest stays. */
struct str path_cut(struct str *path, size_t *index);

/* Every line number of what rows filled moves by delta. */
void bind_move(const struct bind *rows, void *spec, long delta);
/* The bytes of every data source are overwritten. */
void bind_wipe(const struct bind *rows, void *spec);

#endif
