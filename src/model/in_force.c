/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Of the good documents of one kind, mesh and name, the one that was in force
 * stays, else the newer version of it in its file, else the first by path.  A
 * refused document leaves its last good version in force; a refused
 * permission without one is in force itself, as broken.  Main thread.
 */

#include "model/in_force.h"

#include <stdlib.h>
#include <string.h>

static int
key_cmp(
    const struct resource *r, enum kind kind, struct str mesh, struct str name)
{
	int order;

	if (r->kind != kind)
		return r->kind < kind ? -1 : 1;
	order = str_cmp(r->mesh, mesh);
	return order != 0 ? order : str_cmp(r->name, name);
}

int
document_cmp(const struct document *a, const struct document *b)
{
	const struct resource *x = a->r, *y = b->r;
	int order = key_cmp(x, y->kind, y->mesh, y->name);

	if (order == 0)
		order = strcmp(x->file, y->file);
	if (order == 0)
		order = (x->line > y->line) - (x->line < y->line);
	return order;
}

static int
cmp(const void *a, const void *b)
{
	struct document *const *x = a, *const *y = b;

	return document_cmp(*x, *y);
}

static void
sort(struct documents *list)
{
	if (list->n > 1)
		qsort(list->v, list->n, sizeof(*list->v), cmp);
}

struct document *
documents_find(const struct documents *sorted, enum kind kind, struct str mesh,
    struct str name)
{
	struct document *d, *first = NULL;
	size_t low = 0, high = sorted->n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (key_cmp(sorted->v[mid]->r, kind, mesh, name) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	for (mid = low; mid < sorted->n; mid++) {
		d = sorted->v[mid];
		if (key_cmp(d->r, kind, mesh, name) != 0)
			break;
		if (first == NULL || d->state == DOC_GOOD)
			first = d;
		if (d->state == DOC_GOOD)
			break;
	}
	return first;
}

static struct document *
find_before(const struct pick *p, const struct resource *r)
{
	struct document *d =
	    documents_find(p->before, r->kind, r->mesh, r->name);

	return d != NULL && d->state == DOC_GOOD ? d : NULL;
}

static void
enforce(struct pick *p, struct document *d)
{
	if (d->is_in_force)
		return;
	d->is_in_force = true;
	documents_add(&p->in_force, d);
}

static struct document *
choose(const struct pick *p, struct document *const *group, size_t n)
{
	const struct document *before = find_before(p, group[0]->r);
	struct document *in_same_file = NULL;
	size_t i;

	for (i = 0; before != NULL && i < n; i++) {
		if (group[i] == before)
			return group[i];
		if (in_same_file == NULL &&
		    strcmp(group[i]->r->file, before->r->file) == 0)
			in_same_file = group[i];
	}
	return in_same_file != NULL ? in_same_file : group[0];
}

static void
tell_double(struct pick *p, struct document *d, const struct resource *first)
{
	const struct resource *r = d->r;

	documents_add(&p->doubles, d);
	problem_add(&p->pr, PROBLEM_ERROR, r->file, r->line, "name",
	    "%s %.*s%s%.*s stands in %s:%u too, and that one is in force; "
	    "remove or rename one",
	    kind_row(r->kind)->name, STR_ARG(r->mesh),
	    r->mesh.len > 0 ? "/" : "", STR_ARG(r->name), first->file,
	    first->line);
}

static void
settle(struct pick *p, struct document *const *group, size_t n)
{
	struct document *winner = choose(p, group, n);
	size_t i;

	enforce(p, winner);
	for (i = 0; i < n; i++) {
		if (group[i] == winner)
			continue;
		/* Nothing depends on which of these is meant. */
		if (winner->r->kind == KIND_FOREIGN)
			enforce(p, group[i]);
		else
			tell_double(p, group[i], winner->r);
	}
}

static void
settle_good(struct pick *p)
{
	struct documents *good = &p->good;
	const struct resource *r;
	size_t i, n;

	sort(good);
	for (i = 0; i < good->n; i += n) {
		r = good->v[i]->r;
		for (n = 1; i + n < good->n; n++) {
			if (key_cmp(good->v[i + n]->r, r->kind, r->mesh,
				r->name) != 0)
				break;
		}
		settle(p, &good->v[i], n);
	}
}

/* A kind misspelt: what had that mesh and name in that file was meant. */
static void
keep_namesake(struct pick *p, const struct document *bad)
{
	const struct resource *r;
	size_t i;

	for (i = 0; i < p->retired->n; i++) {
		r = p->retired->v[i]->r;
		if (documents_find(p->before, r->kind, r->mesh, r->name) ==
			p->retired->v[i] &&
		    str_eq(r->name, bad->r->name) &&
		    (r->mesh.len == 0 || str_eq(r->mesh, bad->r->mesh)) &&
		    strcmp(r->file, bad->r->file) == 0)
			enforce(p, p->retired->v[i]);
	}
}

static void
settle_bad(struct pick *p, size_t n_good)
{
	struct documents good = { .v = p->in_force.v, .n = n_good };
	struct document *d, *before;
	size_t i;

	for (i = 0; i < p->bad.n; i++) {
		d = p->bad.v[i];
		good.v = p->in_force.v;
		if (d->state == DOC_REFUSED && d->r->kind == KIND_N) {
			keep_namesake(p, d);
			continue;
		}
		if (d->state == DOC_REFUSED &&
		    documents_find(&good, d->r->kind, d->r->mesh, d->r->name) !=
			NULL)
			continue;
		before = d->state == DOC_REFUSED ? find_before(p, d->r) : NULL;
		if (before != NULL)
			enforce(p, before);
		else if (d->r->is_broken && !d->is_covered)
			enforce(p, d);
	}
}

static void
unmark(const struct documents *list)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		list->v[i]->is_in_force = false;
}

void
pick_run(struct pick *p)
{
	unmark(p->before);
	unmark(p->retired);
	unmark(&p->good);
	unmark(&p->bad);
	settle_good(p);
	/* Groups come sorted, winners are not: foreign ones share a name. */
	sort(&p->in_force);
	settle_bad(p, p->in_force.n);
	sort(&p->in_force);
}

void
pick_fini(struct pick *p)
{
	free(p->good.v);
	free(p->bad.v);
	free(p->doubles.v);
	problems_free(&p->pr);
}
