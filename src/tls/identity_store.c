/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The set of all meshes' identities, remade after a reload and when one is
 * due.  What stays the same is the same object as before, so that a rotation
 * of one mesh is felt by nobody else.  Made in the main thread; read and
 * released in any.
 */

#include "tls/identity_store.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/problem.h"
#include "base/ref.h"
#include "base/xalloc.h"
#include "tls/cert.h"
#include "tls/tls_mesh.h"

/* How long after a failed renewal the next one is tried. */
#define RETRY_S 60

struct tls_identities {
	struct ref ref;
	int64_t due_s;
	struct tls_mesh **v; /* sorted by mesh */
	size_t n;
};

static int
compare(const void *a, const void *b)
{
	const struct tls_mesh *const *x = a, *const *y = b;

	return strcmp((*x)->mesh, (*y)->mesh);
}

static struct tls_mesh *
find(const struct tls_identities *t, struct str mesh)
{
	size_t lo = 0, hi = t != NULL ? t->n : 0, mid;
	int c;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		c = str_cmp(mesh, str_of(t->v[mid]->mesh));
		if (c == 0)
			return t->v[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

static void
log_minted(const struct tls_mesh *m)
{
	struct text until = TEXT_EMPTY;

	cert_print_time(m->not_after_s, &until);
	log_info(m->mesh,
	    "minted %s, valid until %s, with the CA key of %s: this host can "
	    "impersonate mesh %s",
	    m->spiffe, until.p, m->origin, m->mesh);
	text_free(&until);
}

/* Tell what is wrong; what still works goes on. */
static struct tls_mesh *
keep_or_drop(const struct mesh_spec *spec, struct tls_mesh *old, int64_t now_s,
    const char *why, struct problems *pr)
{
	bool keeps = old != NULL && old->not_after_s > now_s;

	problem_add(pr, PROBLEM_ERROR, NULL, 0, NULL, "%s: mesh %s %s: %s",
	    spec->origin, spec->mesh,
	    keeps ? "keeps its earlier identity" : "cannot be served", why);
	return keeps ? tls_mesh_ref(old) : NULL;
}

static struct tls_mesh *
renew(const struct mesh_spec *spec, struct tls_mesh *old, int64_t now_s,
    struct problems *pr)
{
	struct text why = TEXT_EMPTY;
	struct tls_mesh *m;

	if (old != NULL && digest_eq(&old->spec_digest, &spec->digest) &&
	    now_s < old->due_s && now_s < old->not_after_s)
		return tls_mesh_ref(old);
	m = tls_mesh_new(spec, old, now_s, &why);
	if (m == NULL)
		m = keep_or_drop(spec, old, now_s, why.p, pr);
	else if (m->is_minted)
		log_minted(m);
	text_free(&why);
	return m;
}

/* One that is overdue was kept for want of a better one. */
static void
note_due(struct tls_identities *t, const struct tls_mesh *m, int64_t now_s)
{
	int64_t due_s = m->due_s > now_s ? m->due_s : now_s + RETRY_S;

	if (due_s < t->due_s)
		t->due_s = due_s;
}

struct tls_identities *
tls_identities_new(struct mesh_spec *const *meshes, size_t n,
    const struct tls_identities *prev, int64_t now_s, struct problems *pr)
{
	struct tls_identities *t = xcalloc(1, sizeof(*t));
	struct tls_mesh *m;
	size_t i;

	ref_init(&t->ref);
	t->v = xcalloc(n + 1, sizeof(struct tls_mesh *));
	t->due_s = INT64_MAX;
	for (i = 0; i < n; i++) {
		m = renew(
		    meshes[i], find(prev, str_of(meshes[i]->mesh)), now_s, pr);
		if (m == NULL)
			continue;
		t->v[t->n++] = m;
		note_due(t, m, now_s);
	}
	qsort(t->v, t->n, sizeof(struct tls_mesh *), compare);
	return t;
}

struct tls_identities *
tls_identities_ref(struct tls_identities *t)
{
	ref_up(&t->ref);
	return t;
}

void
tls_identities_unref(struct tls_identities *t)
{
	size_t i;

	if (t == NULL || !ref_down(&t->ref))
		return;
	for (i = 0; i < t->n; i++)
		tls_mesh_unref(t->v[i]);
	free(t->v);
	free(t);
}

const struct tls_mesh *
tls_identities_find(const struct tls_identities *t, struct str mesh)
{
	return find(t, mesh);
}

int64_t
tls_identities_due_s(const struct tls_identities *t)
{
	return t->due_s;
}

size_t
tls_identities_count(const struct tls_identities *t)
{
	return t->n;
}

void
tls_identities_info(
    const struct tls_identities *t, size_t i, struct tls_mesh_info *out)
{
	const struct tls_mesh *m = t->v[i];

	*out = (struct tls_mesh_info){
		.mesh = str_of(m->mesh),
		.origin = str_of(m->origin),
		.is_minted = m->is_minted,
		.not_after_s = m->not_after_s,
		.ca_not_after_s = m->ca_not_after_s,
		.spiffe = str_of(m->spiffe),
	};
}
