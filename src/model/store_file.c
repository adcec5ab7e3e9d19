/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loads a file document by document; those whose text is unchanged are not
 * parsed again.
 *
 * A version is damaged if it seems to be cut off or garbled, so that what it
 * lacks may be missing by accident: it holds a document, not seen before, of
 * which not even the name can be told; or it has fewer documents than before,
 * and ends in a refused one or in the middle of a line; or it is blank.  Then
 * the documents of the version before it stay, all of them.  Main thread.
 */

#include "model/store_file.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "model/cut.h"

void
documents_add(struct documents *list, struct document *d)
{
	if (list->n == list->cap) {
		list->cap = list->cap == 0 ? 4 : list->cap * 2;
		list->v = xreallocarray(list->v, list->cap, sizeof(*list->v));
	}
	list->v[list->n++] = d;
}

void
documents_free(struct documents *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		document_free(list->v[i]);
	free(list->v);
	*list = (struct documents){ .v = NULL };
}

static void
retire(struct documents *retired, struct document *d)
{
	d->place = PLACE_RETIRED;
	documents_add(retired, d);
}

static void
retire_all(struct documents *retired, struct documents *from)
{
	size_t i;

	for (i = 0; i < from->n; i++)
		retire(retired, from->v[i]);
	free(from->v);
	*from = (struct documents){ .v = NULL };
}

struct store_file *
store_file_new(const char *key, const char *path)
{
	struct store_file *f = xcalloc(1, sizeof(*f));

	f->key = xstrdup(key);
	f->path = xstrdup(path);
	return f;
}

static void
forget_bytes(struct store_file *f)
{
	/* A key may have been among them. */
	if (f->bytes != NULL)
		explicit_bzero(f->bytes, f->len);
	free(f->bytes);
	f->bytes = NULL;
	f->len = 0;
}

static void
set_failure(struct store_file *f, const char *why)
{
	free(f->failure);
	f->failure = why != NULL ? xstrdup(why) : NULL;
}

void
store_file_free(struct store_file *f, struct documents *retired)
{
	forget_bytes(f);
	retire_all(retired, &f->docs);
	retire_all(retired, &f->newer);
	free(f->failure);
	free(f->key);
	free(f->path);
	free(f);
}

void
store_file_put(struct store_file *f, struct str bytes)
{
	forget_bytes(f);
	f->bytes = str_dup(bytes);
	f->len = bytes.len;
	f->is_dropped = false;
	set_failure(f, NULL);
}

void
store_file_fail(struct store_file *f, const char *why)
{
	forget_bytes(f);
	f->is_dropped = false;
	set_failure(f, why);
}

/* The documents known so far, by the digests of their texts. */
struct known {
	struct digest digest;
	struct document *d;
	bool is_used;
	UT_hash_handle hh;
};

struct version {
	struct known *known; /* all, as an array */
	struct known *table;
	size_t n_known;
	struct documents docs; /* in the order of the file */
};

static void
know(struct version *v, const struct documents *list)
{
	struct known *k, *twin;
	size_t i;

	for (i = 0; i < list->n; i++) {
		k = &v->known[v->n_known++];
		k->d = list->v[i];
		k->digest = k->d->r->digest;
		HASH_FIND(hh, v->table, &k->digest, sizeof(k->digest), twin);
		if (twin == NULL)
			HASH_ADD(hh, v->table, digest, sizeof(k->digest), k);
	}
}

static void
version_init(struct version *v, const struct store_file *f)
{
	*v = (struct version){ .known = NULL };
	v->known = xcalloc(f->docs.n + f->newer.n + 1, sizeof(*v->known));
	know(v, &f->docs);
	know(v, &f->newer);
}

static void
version_fini(struct version *v)
{
	HASH_CLEAR(hh, v->table);
	free(v->known);
}

/* One that is known and was not found yet in this version; or NULL. */
static struct document *
reuse(struct version *v, const struct digest *digest)
{
	struct known *k;

	HASH_FIND(hh, v->table, digest, sizeof(*digest), k);
	if (k == NULL || k->is_used)
		return NULL;
	k->is_used = true;
	return k->d;
}

static void
read_documents(struct version *v, const struct store_file *f)
{
	struct cut c = cut_start((struct str){ .p = f->bytes, .len = f->len });
	struct document *d;
	struct digest digest;
	struct str text;
	unsigned line;

	while (cut_next(&c, &text, &line)) {
		digest = digest_of(text);
		d = reuse(v, &digest);
		if (d == NULL)
			d = document_read(f->path, line, text, &digest);
		if (d == NULL)
			continue;
		d->next_line = line;
		documents_add(&v->docs, d);
	}
}

static bool
has_good(const struct documents *list)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		if (list->v[i]->state == DOC_GOOD)
			return true;
	}
	return false;
}

static bool
has_new_unreadable(const struct version *v)
{
	size_t i;

	for (i = 0; i < v->docs.n; i++) {
		if (v->docs.v[i]->place != PLACE_FILE &&
		    v->docs.v[i]->state == DOC_UNREADABLE)
			return true;
	}
	return false;
}

static bool
ends_in_newline(const struct store_file *f)
{
	return f->len > 0 && f->bytes[f->len - 1] == '\n';
}

/* Fewer documents, and the last one looks as if the rest were cut off. */
static bool
is_cut_off(const struct store_file *f, const struct version *v)
{
	const struct document *last;

	if (v->docs.n == 0 || v->docs.n >= f->docs.n)
		return false;
	last = v->docs.v[v->docs.n - 1];
	return last->place != PLACE_FILE &&
	       (last->state != DOC_GOOD ||
		   (f->ends_in_newline && !ends_in_newline(f)));
}

static bool
is_damaged(const struct store_file *f, const struct version *v)
{
	struct str bytes = { .p = f->bytes, .len = f->len };

	return has_good(&f->docs) &&
	       (has_new_unreadable(v) || is_cut_off(f, v) ||
		   str_trim(bytes).len == 0);
}

/*
 * Of a garbled permission in a damaged version: whether the version before
 * has one of its kind that the new one lacks.  That is its last good version.
 */
static void
cover(const struct version *v, struct document *d)
{
	struct known *k;
	size_t i;

	d->is_covered = false;
	if (!d->r->is_broken || d->state != DOC_UNREADABLE)
		return;
	for (i = 0; i < v->n_known && !d->is_covered; i++) {
		k = &v->known[i];
		if (k->is_used || k->d->place != PLACE_FILE ||
		    k->d->state != DOC_GOOD || k->d->r->kind != d->r->kind)
			continue;
		d->is_covered = k->is_used = true;
	}
}

static void
put_place(struct documents *list, struct document *d, enum document_place place)
{
	d->place = place;
	document_move(d, d->next_line);
	documents_add(list, d);
}

/* Of what was known, retire what this version does not have. */
static void
retire_unused(const struct version *v, enum document_place place,
    struct documents *retired)
{
	size_t i;

	for (i = 0; i < v->n_known; i++) {
		if (!v->known[i].is_used && v->known[i].d->place == place)
			retire(retired, v->known[i].d);
	}
}

static void
keep_docs(struct store_file *f, struct version *v, struct documents *retired)
{
	struct document *d;
	size_t i;

	retire_unused(v, PLACE_NEWER, retired);
	f->newer.n = 0;
	for (i = 0; i < v->docs.n; i++) {
		d = v->docs.v[i];
		if (d->place == PLACE_FILE)
			continue;
		cover(v, d);
		put_place(&f->newer, d, PLACE_NEWER);
	}
}

static void
replace_docs(struct store_file *f, struct version *v, struct documents *retired)
{
	size_t i;

	retire_unused(v, PLACE_NEWER, retired);
	retire_unused(v, PLACE_FILE, retired);
	f->newer.n = f->docs.n = 0;
	f->ends_in_newline = ends_in_newline(f);
	for (i = 0; i < v->docs.n; i++) {
		v->docs.v[i]->is_covered = false;
		put_place(&f->docs, v->docs.v[i], PLACE_FILE);
	}
}

static void
load_documents(struct store_file *f, struct documents *retired)
{
	struct version v;

	version_init(&v, f);
	read_documents(&v, f);
	f->is_damaged = is_damaged(f, &v);
	if (f->is_damaged)
		keep_docs(f, &v, retired);
	else
		replace_docs(f, &v, retired);
	free(v.docs.v);
	version_fini(&v);
}

static void
load_secret(struct store_file *f, struct documents *retired)
{
	struct str bytes = { .p = f->bytes, .len = f->len };
	struct document *d;

	f->is_damaged = f->len == 0;
	if (f->is_damaged)
		return;
	d = document_of_secret(f->mesh, f->name, f->path, bytes);
	retire_all(retired, &f->docs);
	put_place(&f->docs, d, PLACE_FILE);
}

static bool
load_bytes(struct store_file *f, struct documents *retired)
{
	struct digest digest =
	    digest_of((struct str){ .p = f->bytes, .len = f->len });

	if (f->has_digest && digest_eq(&digest, &f->digest))
		return false;
	f->digest = digest;
	f->has_digest = true;
	if (f->mesh.p != NULL)
		load_secret(f, retired);
	else
		load_documents(f, retired);
	return true;
}

bool
store_file_load(struct store_file *f, struct documents *retired)
{
	bool is_changed = f->failure != NULL || f->was_failing;

	f->was_failing = f->failure != NULL;
	if (f->bytes != NULL && load_bytes(f, retired))
		is_changed = true;
	forget_bytes(f);
	return is_changed;
}
