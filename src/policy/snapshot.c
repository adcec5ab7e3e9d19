/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holding, matching and comparing.  What is held comes from a plan; see
 * compile.c for how resources make one, and snapshot_print.c for its text.
 * Made in the main thread, read in all.
 */

#include "policy/snapshot.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/problem.h"
#include "base/xalloc.h"
#include "policy/plan.h"
#include "policy/service_seal.h"

/* RFC 6066 section 3 allows more, DNS (RFC 1035) does not. */
#define NAME_MAX_BYTES 255

struct name_entry {
	struct service *service;
	UT_hash_handle hh; /* by one of its server names */
};

struct snapshot {
	struct ref ref;
	struct service **services; /* by key */
	size_t n_services;
	struct mesh_spec **meshes; /* by mesh */
	size_t n_meshes;
	struct service *zone_egresses;
	struct str *ingress_hosts;
	size_t n_ingress_hosts;
	int64_t next_end_s;
	struct name_entry *entries; /* memory of names */
	struct name_entry *names;
	struct arena arena; /* the plan's */
};

static int
compare_services(const void *a, const void *b)
{
	struct service *const *x = a, *const *y = b;

	return str_cmp((*x)->key, (*y)->key);
}

static int
compare_meshes(const void *a, const void *b)
{
	struct mesh_spec *const *x = a, *const *y = b;

	return strcmp((*x)->mesh, (*y)->mesh);
}

static void
sort(void *v, size_t n, size_t size, int (*compare)(const void *, const void *))
{
	if (n > 0)
		qsort(v, n, size, compare);
}

static void
share_with(const struct snapshot *prev, struct service **s)
{
	struct service *old;

	if (prev == NULL)
		return;
	old = snapshot_find(prev, (*s)->key);
	if (old == NULL || old == *s || !service_same(old, *s))
		return;
	service_unref(*s);
	*s = service_ref(old);
}

/* "file:line Kind/name" back into the place and the name. */
static void
report_taken(struct problems *pr, const struct service *loser,
    const struct service *holder, struct str name)
{
	struct str place = loser->origin;
	uint64_t line = 0;
	size_t i, j;
	char *file;

	for (i = place.len; i > 0 && place.p[i - 1] != ' '; i--)
		;
	place.len = i > 0 ? i - 1 : 0;
	for (j = place.len; j > 0 && place.p[j - 1] != ':'; j--)
		;
	if (!str_to_u64(str_from(place, j), UINT32_MAX, &line))
		line = 0;
	file = str_dup(str_first(place, j > 0 ? j - 1 : 0));
	problem_add(pr, PROBLEM_ERROR, file, (unsigned)line, NULL,
	    "server name %.*s already stands for %.*s (%.*s), and names "
	    "are compared without regard to case: rename one",
	    STR_ARG(name), STR_ARG(holder->key), STR_ARG(holder->origin));
	free(file);
}

static void
add_names(struct snapshot *s, struct service *service, struct name_entry **next,
    struct problems *pr)
{
	struct name_entry *e;
	struct str name;
	size_t i;

	for (i = 0; i < service->n_snis; i++) {
		name = service->snis[i];
		HASH_FIND(hh, s->names, name.p, name.len, e);
		if (e != NULL) {
			report_taken(pr, service, e->service, name);
			continue;
		}
		e = (*next)++;
		e->service = service;
		HASH_ADD_KEYPTR(hh, s->names, name.p, name.len, e);
	}
}

static void
index_names(struct snapshot *s, struct problems *pr)
{
	struct name_entry *next;
	size_t i, n = 0;

	for (i = 0; i < s->n_services; i++)
		n += s->services[i]->n_snis;
	s->entries = xcalloc(n > 0 ? n : 1, sizeof(*s->entries));
	next = s->entries;
	for (i = 0; i < s->n_services; i++)
		add_names(s, s->services[i], &next, pr);
}

struct snapshot *
snapshot_freeze(
    struct plan *p, const struct snapshot *prev, struct problems *pr)
{
	struct snapshot *s = xcalloc(1, sizeof(*s));
	size_t i;

	ref_init(&s->ref);
	for (i = 0; i < p->n_services; i++)
		share_with(prev, &p->services[i]);
	s->services = p->services;
	s->n_services = p->n_services;
	s->meshes = p->meshes;
	s->n_meshes = p->n_meshes;
	s->zone_egresses = p->zone_egresses;
	s->ingress_hosts = p->ingress_hosts;
	s->n_ingress_hosts = p->n_ingress_hosts;
	s->next_end_s = p->next_end_s;
	s->arena = p->arena;
	free(p);
	sort(
	    s->services, s->n_services, sizeof(*s->services), compare_services);
	sort(s->meshes, s->n_meshes, sizeof(*s->meshes), compare_meshes);
	index_names(s, pr);
	return s;
}

struct snapshot *
snapshot_ref(struct snapshot *s)
{
	ref_up(&s->ref);
	return s;
}

void
snapshot_unref(struct snapshot *s)
{
	size_t i;

	if (s == NULL || !ref_down(&s->ref))
		return;
	HASH_CLEAR(hh, s->names);
	free(s->entries);
	for (i = 0; i < s->n_services; i++)
		service_unref(s->services[i]);
	for (i = 0; i < s->n_meshes; i++)
		mesh_spec_unref(s->meshes[i]);
	service_unref(s->zone_egresses);
	free(s->services);
	free(s->meshes);
	arena_fini(&s->arena);
	free(s);
}

struct service *
snapshot_match(const struct snapshot *s, struct str sni)
{
	char folded[NAME_MAX_BYTES];
	struct name_entry *e;

	if (sni.len == 0 || sni.len > sizeof(folded))
		return NULL;
	memcpy(folded, sni.p, sni.len);
	ascii_lower(folded, sni.len);
	HASH_FIND(hh, s->names, folded, sni.len, e);
	return e == NULL ? NULL : e->service;
}

struct service *
snapshot_find(const struct snapshot *s, struct str key)
{
	size_t low = 0, high = s->n_services, mid;
	int order;

	while (low < high) {
		mid = low + (high - low) / 2;
		order = str_cmp(s->services[mid]->key, key);
		if (order == 0)
			return s->services[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

struct service *const *
snapshot_services(const struct snapshot *s, size_t *n)
{
	*n = s->n_services;
	return s->services;
}

struct mesh_spec *const *
snapshot_meshes(const struct snapshot *s, size_t *n)
{
	*n = s->n_meshes;
	return s->meshes;
}

struct service *
snapshot_zone_egresses(const struct snapshot *s)
{
	return s->zone_egresses;
}

const struct str *
snapshot_ingress_hosts(const struct snapshot *s, size_t *n)
{
	*n = s->n_ingress_hosts;
	return s->ingress_hosts;
}

int64_t
snapshot_next_end_s(const struct snapshot *s)
{
	return s->next_end_s;
}

/* Both are sorted by key: one walk over the two. */
void
snapshot_diff(const struct snapshot *prev, const struct snapshot *s,
    struct snapshot_diff *out)
{
	size_t n_prev = prev == NULL ? 0 : prev->n_services, i = 0, j = 0;
	int order;

	*out = (struct snapshot_diff){ .n_changed = 0 };
	out->changed = xcalloc(s->n_services + 1, sizeof(*out->changed));
	out->gone = xcalloc(n_prev + 1, sizeof(*out->gone));
	while (i < n_prev || j < s->n_services) {
		if (i == n_prev)
			order = 1;
		else if (j == s->n_services)
			order = -1;
		else
			order = str_cmp(
			    prev->services[i]->key, s->services[j]->key);
		if (order < 0) {
			out->gone[out->n_gone++] = prev->services[i++];
			continue;
		}
		if (order > 0 || !digest_eq(&prev->services[i]->digest,
				     &s->services[j]->digest))
			out->changed[out->n_changed++] = s->services[j];
		if (order == 0)
			i++;
		j++;
	}
}
