/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files and Secrets come in, resources in force come out.  A commit looks at
 * what was heard (store_file.c), picks what is in force (in_force.c), and frees
 * what nothing refers to any more.  Main thread.
 */

#include "model/store.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "model/in_force.h"
#include "model/store_file.h"

/* Sorted by key. */
struct files {
	struct store_file **v;
	size_t n;
	size_t cap;
};

struct names {
	const char **v;
	size_t cap;
};

struct store {
	struct files files;
	struct files secrets;
	struct documents in_force; /* sorted; owned by files, or kept */
	struct documents kept;     /* in force though their file lacks them */
	const struct resource **list; /* in_force once more */
	struct problems problems;
	struct refused *refused;
	size_t n_refused;
	size_t refused_cap;
	struct names *names;
};

struct store *
store_new(void)
{
	struct store *st = xcalloc(1, sizeof(*st));

	st->names = xcalloc(1, sizeof(*st->names));
	return st;
}

static void
free_files(struct files *files, struct documents *retired)
{
	size_t i;

	for (i = 0; i < files->n; i++)
		store_file_free(files->v[i], retired);
	free(files->v);
}

void
store_free(struct store *st)
{
	struct documents retired = { .v = NULL };

	if (st == NULL)
		return;
	free_files(&st->files, &retired);
	free_files(&st->secrets, &retired);
	documents_free(&retired);
	documents_free(&st->kept);
	free(st->in_force.v);
	free(st->list);
	problems_free(&st->problems);
	free(st->refused);
	free(st->names->v);
	free(st->names);
	free(st);
}

/* Where key is, or belongs. */
static size_t
place_of(const struct files *files, const char *key)
{
	size_t low = 0, high = files->n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (strcmp(files->v[mid]->key, key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct store_file *
find_file(const struct files *files, const char *key)
{
	size_t i = place_of(files, key);

	if (i == files->n || strcmp(files->v[i]->key, key) != 0)
		return NULL;
	return files->v[i];
}

static struct store_file *
get_file(struct files *files, const char *key, const char *path)
{
	struct store_file *f = find_file(files, key);
	size_t i;

	if (f != NULL)
		return f;
	if (files->n == files->cap) {
		files->cap = files->cap == 0 ? 16 : files->cap * 2;
		files->v =
		    xreallocarray(files->v, files->cap, sizeof(*files->v));
	}
	i = place_of(files, key);
	memmove(
	    &files->v[i + 1], &files->v[i], (files->n - i) * sizeof(*files->v));
	files->n++;
	return files->v[i] = store_file_new(key, path);
}

void
store_put_file(struct store *st, const char *path, struct str bytes)
{
	store_file_put(get_file(&st->files, path, path), bytes);
}

static void
drop(struct files *files, const char *key)
{
	struct store_file *f = find_file(files, key);

	if (f != NULL)
		f->is_dropped = true;
}

void
store_drop_file(struct store *st, const char *path)
{
	drop(&st->files, path);
}

void
store_fail_file(struct store *st, const char *path, const char *why)
{
	store_file_fail(get_file(&st->files, path, path), why);
}

static char *
secret_key(struct str mesh, struct str name)
{
	return xasprintf("%.*s/%.*s", STR_ARG(mesh), STR_ARG(name));
}

void
store_put_secret(struct store *st, struct str mesh, struct str name,
    const char *path, struct str bytes)
{
	char *key = secret_key(mesh, name);
	struct store_file *f = get_file(&st->secrets, key, path);

	/* Views into the key, which lives as long as they do. */
	f->mesh = str_first(str_of(f->key), mesh.len);
	f->name = str_from(str_of(f->key), mesh.len + 1);
	store_file_put(f, bytes);
	free(key);
}

void
store_drop_secret(struct store *st, struct str mesh, struct str name)
{
	char *key = secret_key(mesh, name);

	drop(&st->secrets, key);
	free(key);
}

const char *const *
store_files(const struct store *st, size_t *n)
{
	struct names *names = st->names;
	size_t i;

	if (names->cap < st->files.n + 1) {
		names->cap = st->files.n + 1;
		names->v =
		    xreallocarray(names->v, names->cap, sizeof(*names->v));
	}
	*n = 0;
	for (i = 0; i < st->files.n; i++) {
		if (!st->files.v[i]->is_dropped)
			names->v[(*n)++] = st->files.v[i]->path;
	}
	return names->v;
}

/* True if anything came of what was heard. */
static bool
load_files(struct files *files, struct documents *retired)
{
	bool is_changed = false;
	struct store_file *f;
	size_t i, n = 0;

	for (i = 0; i < files->n; i++) {
		f = files->v[i];
		if (f->is_dropped) {
			store_file_free(f, retired);
			is_changed = true;
			continue;
		}
		if (store_file_load(f, retired))
			is_changed = true;
		files->v[n++] = f;
	}
	files->n = n;
	return is_changed;
}

static void
sift(struct pick *p, const struct documents *list, bool is_newer)
{
	struct document *d;
	size_t i;

	for (i = 0; i < list->n; i++) {
		d = list->v[i];
		if (d->state != DOC_GOOD)
			documents_add(&p->bad, d);
		else if (!is_newer)
			documents_add(&p->good, d);
	}
}

static void
collect(struct pick *p, const struct files *files)
{
	size_t i;

	for (i = 0; i < files->n; i++) {
		sift(p, &files->v[i]->docs, false);
		sift(p, &files->v[i]->newer, true);
	}
}

static bool
is_same(const struct documents *a, const struct documents *b)
{
	const struct resource *x, *y;
	size_t i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++) {
		x = a->v[i]->r;
		y = b->v[i]->r;
		if (x != y &&
		    (x->kind != y->kind || !str_eq(x->mesh, y->mesh) ||
			!str_eq(x->name, y->name) ||
			x->is_broken != y->is_broken ||
			!digest_eq(&x->digest, &y->digest)))
			return false;
	}
	return true;
}

static void
fill_list(struct store *st)
{
	size_t i;

	free(st->list);
	st->list = xcalloc(st->in_force.n + 1, sizeof(*st->list));
	for (i = 0; i < st->in_force.n; i++)
		st->list[i] = st->in_force.v[i]->r;
}

/* What left its file stays if it is in force, and goes if not. */
static void
free_retired(struct store *st, struct documents *retired)
{
	size_t i;

	st->kept = (struct documents){ .v = NULL };
	for (i = 0; i < retired->n; i++) {
		if (retired->v[i]->is_in_force)
			documents_add(&st->kept, retired->v[i]);
		else
			document_free(retired->v[i]);
	}
	free(retired->v);
}

static void
refuse(struct store *st, const struct document *d)
{
	const struct document *good =
	    documents_find(&st->in_force, d->r->kind, d->r->mesh, d->r->name);

	if (st->n_refused == st->refused_cap) {
		st->refused_cap =
		    st->refused_cap == 0 ? 8 : 2 * st->refused_cap;
		st->refused = xreallocarray(
		    st->refused, st->refused_cap, sizeof(*st->refused));
	}
	st->refused[st->n_refused++] = (struct refused){
		.file = d->r->file,
		.line = d->r->line,
		.kind = d->kind,
		.mesh = d->r->mesh,
		.name = d->r->name,
		.has_last_good =
		    d->is_covered || (good != NULL && good->state == DOC_GOOD),
	};
}

static void
report_documents(struct store *st, const struct documents *list, bool is_newer)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		problems_append(&st->problems, &list->v[i]->pr);
		if (is_newer || list->v[i]->state != DOC_GOOD)
			refuse(st, list->v[i]);
	}
}

static void
report_file(struct store *st, const struct store_file *f)
{
	if (f->failure != NULL)
		problem_add(&st->problems, PROBLEM_ERROR, f->path, 0, NULL,
		    "%s; what it held before stays in force", f->failure);
	if (f->is_damaged)
		problem_add(&st->problems, PROBLEM_ERROR, f->path, 0, NULL,
		    "%s; what it held before stays in force",
		    f->newer.n == 0 ? "is empty or cut off; to remove its "
				      "resources, remove the file"
				    : "cannot be read in full");
	report_documents(st, &f->docs, false);
	report_documents(st, &f->newer, true);
}

static int
problem_cmp(const void *a, const void *b)
{
	const struct problem *x = a, *y = b;
	int order = strcmp(x->file, y->file);

	if (order == 0)
		order = (x->line > y->line) - (x->line < y->line);
	if (order == 0)
		order = strcmp(x->path != NULL ? x->path : "",
		    y->path != NULL ? y->path : "");
	return order != 0 ? order : strcmp(x->message, y->message);
}

static int
refused_cmp(const void *a, const void *b)
{
	const struct refused *x = a, *y = b;
	int order = strcmp(x->file, y->file);

	return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static void
report(struct store *st, const struct pick *p)
{
	size_t i;

	problems_free(&st->problems);
	st->n_refused = 0;
	for (i = 0; i < st->files.n; i++)
		report_file(st, st->files.v[i]);
	for (i = 0; i < st->secrets.n; i++)
		report_file(st, st->secrets.v[i]);
	problems_append(&st->problems, &p->pr);
	for (i = 0; i < p->doubles.n; i++)
		refuse(st, p->doubles.v[i]);
	if (st->problems.n > 1)
		qsort(st->problems.v, st->problems.n, sizeof(*st->problems.v),
		    problem_cmp);
	if (st->n_refused > 1)
		qsort(st->refused, st->n_refused, sizeof(*st->refused),
		    refused_cmp);
}

bool
store_commit(struct store *st)
{
	struct documents retired = st->kept;
	struct pick p = { .before = &st->in_force, .retired = &retired };
	bool is_heard, is_changed;

	st->kept = (struct documents){ .v = NULL };
	is_heard = load_files(&st->files, &retired);
	is_heard |= load_files(&st->secrets, &retired);
	if (!is_heard) {
		st->kept = retired;
		return false;
	}
	collect(&p, &st->files);
	collect(&p, &st->secrets);
	pick_run(&p);
	is_changed = !is_same(&st->in_force, &p.in_force);
	free(st->in_force.v);
	st->in_force = p.in_force;
	fill_list(st);
	free_retired(st, &retired);
	report(st, &p);
	pick_fini(&p);
	return is_changed;
}

/* The first of that kind or a later one. */
static size_t
first_of(const struct store *st, int kind)
{
	size_t low = 0, high = st->in_force.n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if ((int)st->list[mid]->kind < kind)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct resource *const *
store_list(const struct store *st, enum kind kind, size_t *n)
{
	size_t from = first_of(st, (int)kind);

	*n = first_of(st, (int)kind + 1) - from;
	return st->list != NULL ? st->list + from : NULL;
}

const struct resource *
store_find(
    const struct store *st, enum kind kind, struct str mesh, struct str name)
{
	const struct document *d =
	    documents_find(&st->in_force, kind, mesh, name);

	return d != NULL ? d->r : NULL;
}

const struct problems *
store_problems(const struct store *st)
{
	return &st->problems;
}

const struct refused *
store_refused(const struct store *st, size_t *n)
{
	*n = st->n_refused;
	return st->refused;
}
