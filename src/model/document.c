/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parse, read the envelope, bind by the kind's rows, check: each step tells
 * all that it finds, and the document is refused when any of it is an error.
 * A permission that is refused says what it would have targeted, if that much
 * of it is beyond doubt.  The tree is gone afterwards, and its scalars
 * overwritten: some are keys.  Main thread.
 */

#include "model/document.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "model/bind.h"
#include "model/envelope.h"
#include "model/guess.h"
#include "model/secret.h"
#include "model/shared_bytes.h"
#include "model/target_bind.h"

static struct document *
document_new(const char *file, unsigned line)
{
	struct document *d = xcalloc(1, sizeof(*d));
	struct resource *r = xcalloc(1, sizeof(*r));

	/* One chunk does for a service, and there are many of these. */
	arena_init(&r->arena, 512);
	r->file = shared_bytes_take(str_of(file)).p;
	r->line = line;
	r->kind = KIND_N;
	d->r = r;
	return d;
}

void
document_free(struct document *d)
{
	struct resource *r;

	if (d == NULL)
		return;
	r = d->r;
	if (r->spec != NULL) {
		secret_wipe(r);
		bind_wipe(kind_row(r->kind)->bind, r->spec);
	}
	arena_fini(&r->arena);
	shared_bytes_drop(str_of(r->file));
	free(r);
	problems_free(&d->pr);
	free(d);
}

void
document_move(struct document *d, unsigned line)
{
	long delta = (long)line - (long)d->r->line;
	size_t i;

	if (delta == 0)
		return;
	d->r->line = line;
	if (d->r->spec != NULL)
		bind_move(kind_row(d->r->kind)->bind, d->r->spec, delta);
	for (i = 0; i < d->pr.n; i++) {
		if (d->pr.v[i].line > 0)
			d->pr.v[i].line = (unsigned)(d->pr.v[i].line + delta);
	}
}

/* path is at or below above: "a.b" and "a.b[0].c" are, of "a.b". */
static bool
is_within(struct str path, struct str above)
{
	if (!str_starts(path, above))
		return false;
	return path.len == above.len || above.len == 0 ||
	       path.p[above.len] == '.' || path.p[above.len] == '[';
}

/*
 * Among the first n problems, those of types: the field is wrong already, or
 * what it stands in is.
 */
static bool
is_told(const struct problems *pr, size_t n, const char *path)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (pr->v[i].level == PROBLEM_ERROR && pr->v[i].path != NULL &&
		    is_within(str_of(path), str_of(pr->v[i].path)))
			return true;
	}
	return false;
}

static unsigned
line_of(const struct node *root, const struct envelope *env, const char *path)
{
	unsigned line = bind_line_of(env->body, str_of(path));

	if (line == 0)
		line = bind_line_of(root, str_of(path));
	return line != 0 ? line : root->line;
}

static void
check(struct document *d, const struct node *root, const struct envelope *env)
{
	struct problems found = PROBLEMS_NONE;
	size_t i, n = d->pr.n;
	struct problem *p;

	kind_row(d->r->kind)->check(d->r, &found);
	for (i = 0; i < found.n; i++) {
		p = &found.v[i];
		if (is_told(&d->pr, n, p->path))
			continue;
		if (p->line == 0)
			p->line = line_of(root, env, p->path);
		problem_add(&d->pr, p->level, d->r->file, p->line, p->path,
		    "%s", p->message);
	}
	problems_free(&found);
}

/* An error, from that problem on, lies in the field, or around it. */
static bool
is_touched(
    const struct problems *pr, size_t from, struct str field, bool around_too)
{
	struct str path;
	size_t i;

	for (i = from; i < pr->n; i++) {
		path = str_of(pr->v[i].path);
		if (pr->v[i].level == PROBLEM_ERROR &&
		    (is_within(path, field) ||
			(around_too && is_within(field, path))))
			return true;
	}
	return false;
}

static struct str
target_path(enum kind kind)
{
	return kind == KIND_TRAFFIC_PERMISSION ? STR("destinations")
					       : STR("spec.targetRef");
}

static void
bind_spec(struct document *d, struct binder *b, const struct node *root,
    const struct envelope *env)
{
	const struct kind_row *row = kind_row(d->r->kind);
	struct str target = target_path(d->r->kind);
	size_t before = d->pr.n;
	bool is_readable;

	if (row->spec_size == 0)
		return;
	d->r->spec = arena_alloc(&d->r->arena, row->spec_size);
	b->is_proto = !row->has_spec;
	b->also = env->also;
	bind_map(b, row->bind, env->body, env->body_path, d->r->spec);
	is_readable = !is_touched(&d->pr, before, target, true);
	before = d->pr.n;
	check(d, root, env);
	d->r->target_is_known = row->is_permission && env->mesh_is_known &&
				is_readable &&
				!is_touched(&d->pr, before, target, false);
}

static void
set_names(struct resource *r, const struct envelope *env)
{
	r->kind = env->kind;
	r->name = env->name;
	r->mesh = arena_str(&r->arena, env->mesh);
	r->labels = env->labels;
	r->display_name = env->shown_name;
}

static void
read_root(struct document *d, const struct node *root)
{
	struct binder b = { .arena = &d->r->arena,
		.pr = &d->pr,
		.file = d->r->file,
		.is_proto = false };
	struct envelope env;

	if (!bind_expect(&b, root, NODE_MAP, NULL) ||
	    !envelope_read(&b, root, &env))
		return;
	d->kind = env.kind_text;
	set_names(d->r, &env);
	if (env.kind != KIND_N)
		bind_spec(d, &b, root, &env);
	if (env.name.len > 0 && (env.mesh_is_known || env.kind == KIND_N))
		d->state = d->pr.errors > 0 ? DOC_REFUSED : DOC_GOOD;
}

/* Whatever could not be read, a line may say that it is a permission. */
static void
guess(struct document *d, struct str text)
{
	struct guess g = guess_from_text(text);
	struct resource *r = d->r;
	const struct kind_row *row;

	r->kind = kind_find(g.kind);
	r->mesh = arena_str(&r->arena, g.mesh);
	r->name = arena_str(&r->arena, g.name);
	r->display_name = r->name;
	d->kind = arena_str(&r->arena, g.kind);
	if (r->kind == KIND_N)
		return;
	row = kind_row(r->kind);
	if (row->scope == SCOPE_GLOBAL)
		r->mesh = STR_NONE;
	if (row->spec_size > 0)
		r->spec = arena_alloc(&r->arena, row->spec_size);
}

struct document *
document_read(const char *file, unsigned line, struct str text,
    const struct digest *digest)
{
	struct document *d = document_new(file, line);
	const struct node *root;
	struct arena tree;

	arena_init(&tree, 4096);
	d->state = DOC_UNREADABLE;
	d->r->digest = *digest;
	root = node_parse(&tree, text, d->r->file, line, &d->pr);
	if (root != NULL && root->kind == NODE_NULL) {
		document_free(d);
		d = NULL;
	} else if (root != NULL) {
		read_root(d, root);
		node_wipe(root);
	}
	arena_fini(&tree);
	if (d == NULL)
		return NULL;
	if (d->state == DOC_UNREADABLE && d->r->kind == KIND_N)
		guess(d, text);
	if (d->state != DOC_GOOD && d->r->kind != KIND_N &&
	    kind_row(d->r->kind)->is_permission)
		d->r->is_broken = true;
	return d;
}

struct document *
document_of_secret(
    struct str mesh, struct str name, const char *file, struct str bytes)
{
	struct document *d = document_new(file, 0);
	struct resource *r = d->r;
	struct secret *secret;

	secret = arena_alloc(&r->arena, sizeof(*secret));
	secret->data = arena_str(&r->arena, bytes);
	r->kind = KIND_SECRET;
	r->mesh = arena_str(&r->arena, mesh);
	r->name = r->display_name = arena_str(&r->arena, name);
	r->digest = digest_of(bytes);
	r->spec = secret;
	d->kind = STR("Secret");
	d->state = DOC_GOOD;
	return d;
}
