/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds the tree from libyaml's events (which reads JSON as well), on a
 * stack of its own, so that no text can make us recurse.  Left out on purpose:
 * merge keys, keys that are no scalars, and tags other than the core schema's.
 * An alias shares the node it names; since a node is not known by its anchor
 * before it is complete, no tree contains itself.
 */

#include "model/node.h"

#include <stdlib.h>
#include <yaml.h>

#include "base/arena.h"
#include "base/problem.h"
#include "model/scalar.h"

/* From here on duplicate keys are looked for by sorting. */
#define FEW_KEYS 16
/* Anchors are searched one by one. */
#define MOST_ANCHORS 256

struct anchor {
	struct str name;
	const struct node *node;
	struct anchor *next;
};

/* A map or list that is still open. */
struct frame {
	struct node *node;
	struct node_entry *last;
	struct str anchor;
	struct str key;
	unsigned key_line;
	bool has_key;
};

struct builder {
	struct arena *arena;
	struct problems *pr;
	const char *file;
	unsigned first_line;
	struct frame stack[NODE_MOST_DEPTH];
	size_t depth;
	struct anchor *anchors;
	size_t n_anchors;
	const struct node *root;
	bool is_bad;
};

static unsigned
line_of(const struct builder *b, yaml_mark_t mark)
{
	return b->first_line + (unsigned)mark.line;
}

static void
fail(struct builder *b, unsigned line, const char *why)
{
	problem_add(b->pr, PROBLEM_ERROR, b->file, line, NULL, "%s", why);
	b->is_bad = true;
}

static struct str
copy(struct builder *b, const yaml_char_t *p, size_t n)
{
	return arena_str(
	    b->arena, (struct str){ .p = (const char *)p, .len = n });
}

static struct str
copy_z(struct builder *b, const yaml_char_t *p)
{
	return p == NULL ? STR_NONE : copy(b, p, strlen((const char *)p));
}

static int
entry_cmp(const void *a, const void *b)
{
	const struct node_entry *const *x = a, *const *y = b;

	return str_cmp((*x)->key, (*y)->key);
}

static const struct node_entry *
twice_in_many(const struct node *map)
{
	const struct node_entry **v, *e, *twice = NULL;
	size_t i = 0;

	v = calloc(map->n, sizeof(*v));
	if (v == NULL)
		abort();
	for (e = map->first; e != NULL; e = e->next)
		v[i++] = e;
	qsort(v, map->n, sizeof(*v), entry_cmp);
	for (i = 1; i < map->n && twice == NULL; i++) {
		if (str_eq(v[i - 1]->key, v[i]->key))
			twice = v[i]->line > v[i - 1]->line ? v[i] : v[i - 1];
	}
	free(v);
	return twice;
}

static const struct node_entry *
twice_in_few(const struct node *map)
{
	const struct node_entry *e, *f;

	for (e = map->first; e != NULL; e = e->next) {
		for (f = map->first; f != e; f = f->next) {
			if (str_eq(e->key, f->key))
				return e;
		}
	}
	return NULL;
}

/* Two values for one key: whichever we took, someone meant the other. */
static void
check_keys(struct builder *b, const struct node *map)
{
	const struct node_entry *twice =
	    map->n > FEW_KEYS ? twice_in_many(map) : twice_in_few(map);

	if (twice == NULL)
		return;
	problem_add(b->pr, PROBLEM_ERROR, b->file, twice->line, NULL,
	    "the key \"%.*s\" stands twice in one map; remove one",
	    STR_ARG(str_first(twice->key, 64)));
	b->is_bad = true;
}

static void
name_anchor(struct builder *b, struct str name, const struct node *n)
{
	struct anchor *an;

	if (name.p == NULL)
		return;
	if (++b->n_anchors > MOST_ANCHORS)
		fail(b, n->line, "too many anchors in one document");
	an = arena_alloc(b->arena, sizeof(*an));
	*an = (struct anchor){ .name = name, .node = n, .next = b->anchors };
	b->anchors = an;
}

/* n is complete: it is the root, or belongs to the innermost open frame. */
static void
attach(struct builder *b, const struct node *n)
{
	struct node_entry *e;
	struct frame *f;

	if (b->depth == 0) {
		b->root = n;
		return;
	}
	f = &b->stack[b->depth - 1];
	e = arena_alloc(b->arena, sizeof(*e));
	*e = (struct node_entry){
		.key = f->key,
		.line = f->has_key ? f->key_line : n->line,
		.value = n,
	};
	if (f->last == NULL)
		f->node->first = e;
	else
		f->last->next = e;
	f->last = e;
	f->node->n++;
	f->has_key = false;
	if (f->node->height <= n->height)
		f->node->height = n->height + 1;
	f->node->weight += n->weight;
	if (b->depth + n->height > NODE_MOST_DEPTH)
		fail(b, n->line, "nested too deeply");
	if (f->node->weight > NODE_MOST_NODES)
		fail(b, n->line,
		    "too many values in one document, aliases "
		    "counted where they are used");
}

static bool
wants_key(const struct builder *b)
{
	const struct frame *f;

	if (b->depth == 0)
		return false;
	f = &b->stack[b->depth - 1];
	return f->node->kind == NODE_MAP && !f->has_key;
}

static void
on_key(struct builder *b, const yaml_event_t *ev)
{
	struct frame *f = &b->stack[b->depth - 1];

	f->key = copy(b, ev->data.scalar.value, ev->data.scalar.length);
	f->key_line = line_of(b, ev->start_mark);
	f->has_key = true;
	if (ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
	    str_eq(f->key, STR("<<")))
		fail(b, f->key_line,
		    "the merge key \"<<\" is not supported; "
		    "write the fields out");
	if (ev->data.scalar.anchor != NULL)
		fail(b, f->key_line, "a key cannot be an anchor");
}

static bool
is_core_tag(const yaml_char_t *tag, const char *name)
{
	static const struct str prefix = { .p = "tag:yaml.org,2002:",
		.len = 18 };
	struct str s = str_of((const char *)tag);

	return str_starts(s, prefix) &&
	       str_eq(str_from(s, prefix.len), str_of(name));
}

static void
on_scalar(struct builder *b, const yaml_event_t *ev)
{
	bool is_plain = ev->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	struct node *n;

	if (wants_key(b)) {
		on_key(b, ev);
		return;
	}
	n = arena_alloc(b->arena, sizeof(*n));
	*n = (struct node){
		.kind = NODE_TEXT,
		.line = line_of(b, ev->start_mark),
		.is_quoted = !is_plain,
		.height = 1,
		.weight = 1,
		.text = copy(b, ev->data.scalar.value, ev->data.scalar.length),
	};
	if (is_core_tag(ev->data.scalar.tag, "str"))
		n->is_quoted = true;
	else if (is_plain)
		n->kind = scalar_kind(n->text);
	name_anchor(b, copy_z(b, ev->data.scalar.anchor), n);
	attach(b, n);
}

static void
on_start(struct builder *b, enum node_kind kind, const yaml_char_t *anchor,
    yaml_mark_t mark)
{
	struct node *n;

	if (wants_key(b)) {
		fail(b, line_of(b, mark), "a key must be a plain word or text");
		return;
	}
	if (b->depth == NODE_MOST_DEPTH) {
		fail(b, line_of(b, mark), "nested too deeply");
		return;
	}
	n = arena_alloc(b->arena, sizeof(*n));
	*n = (struct node){
		.kind = kind,
		.line = line_of(b, mark),
		.height = 1,
		.weight = 1,
	};
	b->stack[b->depth++] = (struct frame){
		.node = n,
		.anchor = copy_z(b, anchor),
	};
}

static void
on_end(struct builder *b)
{
	struct frame *f = &b->stack[--b->depth];

	if (f->node->kind == NODE_MAP)
		check_keys(b, f->node);
	name_anchor(b, f->anchor, f->node);
	attach(b, f->node);
}

static void
on_alias(struct builder *b, const yaml_event_t *ev)
{
	struct str name = str_of((const char *)ev->data.alias.anchor);
	const struct anchor *an = b->anchors;

	while (an != NULL && !str_eq(an->name, name))
		an = an->next;
	if (an == NULL)
		fail(b, line_of(b, ev->start_mark),
		    "an alias to what is not defined before it");
	else if (wants_key(b))
		fail(b, line_of(b, ev->start_mark), "a key cannot be an alias");
	else
		attach(b, an->node);
}

static void
on_event(struct builder *b, const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_STREAM_END_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		break;
	case YAML_DOCUMENT_START_EVENT:
		if (b->root != NULL)
			fail(b, line_of(b, ev->start_mark),
			    "a second document; separate them by a line ---");
		break;
	case YAML_ALIAS_EVENT:
		on_alias(b, ev);
		break;
	case YAML_SCALAR_EVENT:
		on_scalar(b, ev);
		break;
	case YAML_SEQUENCE_START_EVENT:
		on_start(b, NODE_LIST, ev->data.sequence_start.anchor,
		    ev->start_mark);
		break;
	case YAML_MAPPING_START_EVENT:
		on_start(
		    b, NODE_MAP, ev->data.mapping_start.anchor, ev->start_mark);
		break;
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		on_end(b);
		break;
	}
}

/* An encoding error has an offset but no mark; a mark may lie past the end. */
static unsigned
syntax_line(const struct builder *b, const yaml_parser_t *p, struct str text)
{
	bool by_offset = p->error == YAML_READER_ERROR;
	size_t end = by_offset ? p->problem_offset : text.len, i;
	unsigned line = b->first_line;

	for (i = 0; i < end && i + 1 < text.len; i++)
		line += text.p[i] == '\n';
	if (by_offset || line_of(b, p->problem_mark) > line)
		return line;
	return line_of(b, p->problem_mark);
}

static void
fail_syntax(struct builder *b, const yaml_parser_t *p, struct str text)
{
	problem_add(b->pr, PROBLEM_ERROR, b->file, syntax_line(b, p, text),
	    NULL, "not YAML or JSON: %s",
	    p->problem != NULL ? p->problem : "cannot be read");
	b->is_bad = true;
}

static void
run(struct builder *b, yaml_parser_t *p, struct str text)
{
	bool is_over = false;
	yaml_event_t ev;

	while (!is_over && !b->is_bad) {
		if (!yaml_parser_parse(p, &ev)) {
			fail_syntax(b, p, text);
			break;
		}
		is_over = ev.type == YAML_STREAM_END_EVENT;
		on_event(b, &ev);
		yaml_event_delete(&ev);
	}
}

const struct node *
node_parse(struct arena *a, struct str text, const char *file,
    unsigned first_line, struct problems *pr)
{
	static const struct node nothing = {
		.kind = NODE_NULL, .height = 1, .weight = 1
	};
	struct builder b = {
		.arena = a, .pr = pr, .file = file, .first_line = first_line
	};
	yaml_parser_t p;

	if (text.len > NODE_MOST_BYTES) {
		fail(&b, first_line, "longer than 4 MiB");
		return NULL;
	}
	if (!yaml_parser_initialize(&p))
		abort();
	yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
	    &p, (const unsigned char *)(text.len > 0 ? text.p : ""), text.len);
	run(&b, &p, text);
	yaml_parser_delete(&p);
	if (b.is_bad)
		return NULL;
	return b.root != NULL ? b.root : &nothing;
}

const struct node *
node_get(const struct node *map, struct str key)
{
	const struct node_entry *e;

	if (map == NULL || map->kind != NODE_MAP)
		return NULL;
	for (e = map->first; e != NULL; e = e->next) {
		if (str_eq(e->key, key))
			return e->value;
	}
	return NULL;
}

const char *
node_kind_name(enum node_kind kind)
{
	switch (kind) {
	case NODE_NULL:
		return "nothing";
	case NODE_BOOL:
		return "true or false";
	case NODE_NUMBER:
		return "a number";
	case NODE_TEXT:
		return "a text";
	case NODE_MAP:
		return "a map";
	case NODE_LIST:
		return "a list";
	}
	return "";
}

static void
wipe_text(struct str s)
{
	/* The tree is const to its readers; the bytes are the arena's. */
	if (s.len > 0)
		explicit_bzero((void *)(uintptr_t)s.p, s.len);
}

/* Depth is capped, and so is the work, by the root's weight. */
void
node_wipe(const struct node *root)
{
	const struct node_entry *e;

	if (root->kind != NODE_MAP && root->kind != NODE_LIST)
		wipe_text(root->text);
	for (e = root->first; e != NULL; e = e->next)
		node_wipe(e->value);
}
