/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which policies about traffic concern a service (Kuma sections 8.1 and 8.3 to
 * 8.6).  Those of the older kinds that name one ExternalService by its tags
 * concern its whole service, as in Kuma: which endpoint a request will go to is
 * not known when it is limited.  MeshExternalServices are concerned like
 * ExternalServices, which they are not in Kuma.  Main thread.
 */

#include "policy/compile_traffic.h"

#include "base/hash.h"
#include "model/fault_injection.h"
#include "model/mesh_external_service.h"
#include "model/rate_limit.h"
#include "policy/compile.h"
#include "policy/target_match.h"
#include "policy/traffic_merge.h"

/* Services that the same policies concern share what comes of them. */
struct traffic_cache {
	struct traffic_policy *policy; /* referenced, or NULL */
	uint32_t *key;                 /* see key_of() */
	UT_hash_handle hh;
};

static const enum kind kinds[] = { KIND_RATE_LIMIT, KIND_MESH_RATE_LIMIT,
	KIND_FAULT_INJECTION, KIND_MESH_FAULT_INJECTION };

static void
callers_of_sources(struct compile *c, struct traffic_doc *d,
    const struct tags *sources, size_t n)
{
	d->callers = arena_alloc(&c->arena, (n + 1) * sizeof(*d->callers));
	d->n_callers = n;
	for (size_t i = 0; i < n; i++)
		principal_of_tags(
		    &c->arena, d->r->mesh, &sources[i], &d->callers[i]);
}

/* Kinds that mean no caller were refused when the document was read. */
static void
add_caller(
    struct compile *c, struct traffic_doc *d, const struct target_ref *from)
{
	if (!principal_of_target(
		&c->arena, d->r->mesh, from, &d->callers[d->n_callers++]))
		abort();
}

static void
callers_of_mrl(
    struct compile *c, struct traffic_doc *d, const struct mesh_rate_limit *mrl)
{
	d->target = &mrl->target;
	d->callers =
	    arena_alloc(&c->arena, (mrl->n_from + 1) * sizeof(*d->callers));
	for (size_t i = 0; i < mrl->n_from; i++)
		add_caller(c, d, &mrl->from[i].target);
}

static void
callers_of_mfi(struct compile *c, struct traffic_doc *d,
    const struct mesh_fault_injection *mfi)
{
	d->target = &mfi->target;
	d->callers =
	    arena_alloc(&c->arena, (mfi->n_from + 1) * sizeof(*d->callers));
	for (size_t i = 0; i < mfi->n_from; i++)
		add_caller(c, d, &mfi->from[i].target);
}

static struct traffic_doc *
make_doc(struct compile *c, const struct resource *r)
{
	struct traffic_doc *d = arena_alloc(&c->arena, sizeof(*d));
	const struct fault_injection *fi = fault_injection_of(r);
	const struct rate_limit *rl = rate_limit_of(r);

	d->r = r;
	d->origin = resource_origin(&c->arena, r);
	if (rl != NULL)
		callers_of_sources(c, d, rl->sources, rl->n_sources);
	else if (fi != NULL)
		callers_of_sources(c, d, fi->sources, fi->n_sources);
	else if (r->kind == KIND_MESH_RATE_LIMIT)
		callers_of_mrl(c, d, mesh_rate_limit_of(r));
	else
		callers_of_mfi(c, d, mesh_fault_injection_of(r));
	return d;
}

static struct fit
best_source(const struct traffic_doc *d)
{
	const struct rate_limit *rl = rate_limit_of(d->r);
	const struct fault_injection *fi = fault_injection_of(d->r);
	const struct tags *v = rl != NULL ? rl->sources : fi->sources;
	struct fit best = { .tags = 0 }, fit;

	for (size_t i = 0; i < d->n_callers; i++) {
		fit = fit_of(&v[i]);
		if (fit_is_better(fit, best))
			best = fit;
	}
	return best;
}

/* Most specific source first; of equals the first by name. */
static int
compare_legacy(const struct traffic_doc *a, const struct traffic_doc *b)
{
	struct fit x = best_source(a), y = best_source(b);

	if (fit_is_better(x, y))
		return -1;
	if (fit_is_better(y, x))
		return 1;
	return str_cmp(a->r->name, b->r->name);
}

static int
compare_docs(const void *a, const void *b)
{
	struct traffic_doc *const *x = a, *const *y = b;
	const struct resource *r = (*x)->r, *s = (*y)->r;

	if (r->kind != s->kind)
		return r->kind < s->kind ? -1 : 1;
	if ((*x)->target == NULL)
		return compare_legacy(*x, *y);
	return target_order(r, (*x)->target, s, (*y)->target);
}

static void
prepend(struct compile *c, struct traffic_use **list, struct traffic_doc *d,
    const struct tags *selector)
{
	struct traffic_use *use = arena_alloc(&c->arena, sizeof(*use));

	use->doc = d;
	use->selector = selector;
	use->next = *list;
	*list = use;
}

static void
file_legacy(struct compile *c, struct mesh_build *m, struct traffic_doc *d,
    const struct tags *destinations, size_t n)
{
	struct str service;

	for (size_t i = 0; i < n; i++) {
		service = tags_get(&destinations[i], STR("kuma.io/service"));
		prepend(c,
		    service.p == NULL || str_eq(service, STR("*"))
			? &m->traffic.general
			: &named_get(c, &m->names, service)->traffic,
		    d, &destinations[i]);
	}
}

/* By labels MeshServices are chosen, and MeshExternalServices. */
static void
file_target(struct compile *c, struct mesh_build *m, struct traffic_doc *d)
{
	struct traffic_use **list = &m->traffic.general;
	struct str name = d->target->name;

	switch (d->target->kind) {
	case TARGET_MESH_SERVICE:
	case TARGET_MESH_SERVICE_SUBSET:
		if (name.len == 0)
			return;
		list = &named_get(c, &m->names, name)->traffic;
		break;
	case TARGET_MESH_EXTERNAL_SERVICE:
		if (name.len > 0)
			list = &named_get(c, &m->mes_names, name)->traffic;
		break;
	case TARGET_NONE:
	case TARGET_MESH:
	case TARGET_MESH_SUBSET:
		break;
	case TARGET_MESH_GATEWAY:
	case TARGET_MESH_MULTI_ZONE_SERVICE:
	case TARGET_MESH_HTTP_ROUTE:
	case TARGET_DATAPLANE:
		/* Selects no external service. */
		return;
	}
	prepend(c, list, d, NULL);
}

static void
file(struct compile *c, struct mesh_build *m, struct traffic_doc *d)
{
	const struct rate_limit *rl = rate_limit_of(d->r);
	const struct fault_injection *fi = fault_injection_of(d->r);

	if (rl != NULL)
		file_legacy(c, m, d, rl->destinations, rl->n_destinations);
	else if (fi != NULL)
		file_legacy(c, m, d, fi->destinations, fi->n_destinations);
	else
		file_target(c, m, d);
}

static size_t
add_docs(struct compile *c, const struct mesh_build *m, enum kind kind,
    struct traffic_doc **to)
{
	const struct resource *const *v;
	size_t i, n, made = 0;

	v = resources_of(c, kind, m->name, &n);
	for (i = 0; i < n; i++) {
		if (resource_is_shadow(v[i]))
			continue;
		if (to != NULL)
			to[made] = make_doc(c, v[i]);
		made++;
	}
	return made;
}

void
index_traffic(struct compile *c, struct mesh_build *m)
{
	struct traffic_doc **v;
	size_t i, n = 0;

	for (i = 0; i < ARRAY_LEN(kinds); i++)
		n += add_docs(c, m, kinds[i], NULL);
	if (n == 0)
		return;
	v = arena_alloc(&c->arena, n * sizeof(*v));
	n = 0;
	for (i = 0; i < ARRAY_LEN(kinds); i++)
		n += add_docs(c, m, kinds[i], v + n);
	qsort(v, n, sizeof(*v), compare_docs);
	for (i = n; i-- > 0;) {
		v[i]->rank = (uint32_t)i;
		file(c, m, v[i]);
	}
}

/* The service at hand: what of it is matched, and what was found. */
struct selection {
	const struct service *service;
	const struct named *external; /* or NULL, and then: */
	const struct resource *mes;
	uint16_t port;
	struct tags tags; /* for selectors */
	struct str zone;
	struct traffic_doc **v;
	size_t n;
	size_t cap;
	struct arena *a;
};

static bool
concerns_tags(
    const struct traffic_use *use, struct str name, const struct tags *tags)
{
	return use->doc->target != NULL
		   ? target_selects_tags(use->doc->target, name, tags)
		   : tags_match(use->selector, tags);
}

static bool
concerns(const struct traffic_use *use, const struct selection *s)
{
	const struct member *member;

	if (s->external == NULL)
		return use->doc->target != NULL
			   ? target_selects_mes(
				 use->doc->target, s->mes, s->port)
			   : tags_match(use->selector, &s->tags);
	for (member = s->external->members; member != NULL;
	     member = member->next)
		if ((member->zone.len == 0 || str_eq(member->zone, s->zone)) &&
		    concerns_tags(use, s->external->name, &member->es->tags))
			return true;
	return false;
}

static void
take(struct selection *s, struct traffic_doc *d)
{
	struct traffic_doc **v;

	if (s->n == s->cap) {
		s->cap = s->cap == 0 ? 8 : s->cap * 2;
		v = arena_alloc(s->a, s->cap * sizeof(struct traffic_doc *));
		if (s->n > 0)
			memcpy(v, s->v, s->n * sizeof(struct traffic_doc *));
		s->v = v;
	}
	d->taken_for = s->service;
	s->v[s->n++] = d;
}

static void
take_from(struct selection *s, const struct traffic_use *use)
{
	for (; use != NULL; use = use->next)
		if (use->doc->taken_for != s->service && concerns(use, s))
			take(s, use->doc);
}

static int
compare_ranks(const void *a, const void *b)
{
	struct traffic_doc *const *x = a, *const *y = b;

	return ((*x)->rank > (*y)->rank) - ((*x)->rank < (*y)->rank);
}

static void
warn_crowded(struct compile *c, struct mesh_build *m, const struct selection *s)
{
	const struct resource *r = s->v[0]->r;

	if (m->traffic.is_crowded)
		return;
	m->traffic.is_crowded = true;
	problem_add(c->pr, PROBLEM_WARNING, r->file, r->line, "spec.from",
	    "the tags of callers in this and other %ss for service %.*s "
	    "combine in more than %d ways; callers of the rest get what the "
	    "narrowest of these says: use fewer different tags",
	    kind_row(r->kind)->name, STR_ARG(s->service->name),
	    TRAFFIC_CELLS_MAX);
}

static struct traffic_policy *
merge_selection(struct compile *c, struct mesh_build *m, struct selection *s)
{
	struct traffic_policy draft = { .n_rates = 0 };
	struct traffic_merge merge = {
		.mesh = m->name,
		.has_requests = protocol_is_http(s->service->protocol),
		.docs = s->v,
		.n_docs = s->n,
		.a = s->a,
		.f = &c->fingerprint,
	};

	traffic_merge(&merge, &draft);
	if (merge.is_crowded)
		warn_crowded(c, m, s);
	if (draft.n_rates + draft.n_faults == 0)
		return NULL;
	return share_traffic(c->share, &draft);
}

/* All that counts: the documents, and whether their limits of requests do. */
static uint32_t *
key_of(struct arena *a, const struct selection *s, size_t *bytes)
{
	uint32_t *key = arena_alloc(a, (s->n + 1) * sizeof(*key));

	key[0] = protocol_is_http(s->service->protocol);
	for (size_t i = 0; i < s->n; i++)
		key[i + 1] = s->v[i]->rank;
	*bytes = (s->n + 1) * sizeof(*key);
	return key;
}

static struct traffic_cache *
remember(struct compile *c, struct mesh_build *m, struct selection *s)
{
	struct traffic_cache *e = arena_alloc(&c->arena, sizeof(*e));
	size_t bytes;

	e->key = key_of(&c->arena, s, &bytes);
	e->policy = merge_selection(c, m, s);
	HASH_ADD_KEYPTR(hh, m->traffic.cache, e->key, bytes, e);
	return e;
}

void
forget_traffic(struct traffic_index *x)
{
	struct traffic_cache *e;

	for (e = x->cache; e != NULL; e = e->hh.next)
		traffic_policy_unref(e->policy);
	HASH_CLEAR(hh, x->cache);
}

static struct traffic_policy *
compile_selection(struct compile *c, struct mesh_build *m, struct selection *s)
{
	struct traffic_cache *e;
	uint32_t *key;
	size_t bytes;

	/* The next service may lie where this one did. */
	for (size_t i = 0; i < s->n; i++)
		s->v[i]->taken_for = NULL;
	if (s->n == 0)
		return NULL;
	qsort(s->v, s->n, sizeof(*s->v), compare_ranks);
	key = key_of(s->a, s, &bytes);
	HASH_FIND(hh, m->traffic.cache, key, bytes, e);
	if (e == NULL)
		e = remember(c, m, s);
	return e->policy == NULL ? NULL : traffic_policy_ref(e->policy);
}

struct traffic_policy *
traffic_of_external_service(struct compile *c, struct mesh_build *m,
    const struct named *n, const struct service *draft)
{
	struct traffic_policy *made;
	struct arena a;
	struct selection s = {
		.service = draft,
		.external = n,
		.zone = c->set->zone,
		.a = &a,
	};

	if (m->traffic.general == NULL && n->traffic == NULL)
		return NULL;
	arena_init(&a, 1024);
	take_from(&s, m->traffic.general);
	take_from(&s, n->traffic);
	made = compile_selection(c, m, &s);
	arena_fini(&a);
	return made;
}

static void
take_named(struct selection *s, const struct mesh_build *m, struct str name)
{
	const struct named *n = named_find(m->mes_names, name);

	if (n != NULL)
		take_from(s, n->traffic);
}

struct traffic_policy *
traffic_of_mes(struct compile *c, struct mesh_build *m,
    const struct resource *r, const struct service *draft)
{
	const struct mesh_external_service *mes = mesh_external_service_of(r);
	/* A selector of any service means it too; no name is a "*". */
	struct tag tags[] = {
		{ STR("kuma.io/protocol"), mes->protocol },
		{ STR("kuma.io/service"), STR("*") },
	};
	struct traffic_policy *made;
	struct arena a;
	struct selection s = {
		.service = draft,
		.mes = r,
		.port = mes->port,
		.tags = { .v = tags, .n = ARRAY_LEN(tags) },
		.a = &a,
	};

	arena_init(&a, 1024);
	take_from(&s, m->traffic.general);
	take_named(&s, m, r->display_name);
	take_named(&s, m, r->name);
	made = compile_selection(c, m, &s);
	arena_fini(&a);
	return made;
}
