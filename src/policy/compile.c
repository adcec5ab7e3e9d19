/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order of the passes from resources to a plan, and the few words that
 * all passes share.  Each pass reports what makes no sense and leaves it out.
 * Main thread.
 */

#include "policy/compile.h"

static struct compile
begin(const struct store *st, const struct build_settings *set,
    const struct snapshot *prev, const struct tls_ops *tls, struct problems *pr)
{
	struct compile c = {
		.store = st,
		.set = set,
		.prev = prev,
		.tls = tls,
		.pr = pr,
		.plan = plan_new(),
	};

	fingerprint_init(&c.fingerprint);
	arena_init(&c.arena, 65536);
	c.is_entry_used = arena_alloc(&c.arena, set->n_services + 1);
	return c;
}

static void
end(struct compile *c)
{
	size_t i;

	for (i = 0; i < c->n_meshes; i++)
		forget_mesh(&c->meshes[i]);
	HASH_CLEAR(hh, c->zones);
	share_free(c->share);
	fingerprint_fini(&c->fingerprint);
	arena_fini(&c->arena);
}

/* Services are offered only to callers that prove who they are. */
static void
find_meshes(struct compile *c)
{
	const struct resource *const *v;
	struct mesh_build *m;
	size_t i, n;

	v = store_list(c->store, KIND_MESH, &n);
	c->meshes = arena_alloc(&c->arena, (n + 1) * sizeof(*c->meshes));
	for (i = 0; i < n; i++) {
		if (!mesh_of(v[i])->has_mtls)
			continue;
		m = &c->meshes[c->n_meshes++];
		m->r = v[i];
		m->mesh = mesh_of(v[i]);
		m->name = v[i]->name;
	}
}

static bool
is_served(const struct compile *c, struct str mesh)
{
	size_t i;

	for (i = 0; i < c->n_meshes; i++)
		if (str_eq(c->meshes[i].name, mesh))
			return true;
	return false;
}

/* Once a mesh, at its first service. */
static void
warn_unserved(struct compile *c, enum kind kind)
{
	const struct resource *const *v;
	const struct resource *mesh;
	size_t i, n;

	v = store_list(c->store, kind, &n);
	for (i = 0; i < n; i++) {
		if ((i > 0 && str_eq(v[i]->mesh, v[i - 1]->mesh)) ||
		    is_served(c, v[i]->mesh))
			continue;
		mesh = store_find(c->store, KIND_MESH, STR_NONE, v[i]->mesh);
		if (mesh == NULL)
			problem_add(c->pr, PROBLEM_WARNING, v[i]->file,
			    v[i]->line, "mesh",
			    "there is no Mesh %.*s, its %ss are not "
			    "offered: add it, with mtls",
			    STR_ARG(v[i]->mesh), kind_row(kind)->name);
		else
			problem_add(c->pr, PROBLEM_WARNING, mesh->file,
			    mesh->line, "mtls",
			    "mesh %.*s has no mutual TLS, its %ss are not "
			    "offered: add mtls with an enabledBackend",
			    STR_ARG(v[i]->mesh), kind_row(kind)->name);
	}
}

static void
warn_unused_identities(struct compile *c)
{
	const struct given_identity *given = c->set->identities;
	struct text path = TEXT_EMPTY;
	size_t i;

	for (i = 0; i < c->set->n_identities; i++) {
		if (is_served(c, str_of(given[i].mesh)))
			continue;
		text_clear(&path);
		text_addf(&path, "identity[%zu]", i);
		problem_add(c->pr, PROBLEM_WARNING, NULL, 0, path.p,
		    "is for mesh %s, and no Mesh of that name has mutual TLS: "
		    "nothing uses it; add the Mesh, or correct the name",
		    given[i].mesh);
	}
	text_free(&path);
}

struct plan *
compile(const struct store *st, const struct build_settings *set,
    const struct snapshot *prev, const struct tls_ops *tls, struct problems *pr)
{
	struct compile c = begin(st, set, prev, tls, pr);
	struct mesh_build *m;
	size_t i;

	c.share = share_new(tls, &c.fingerprint);
	share_seed(c.share, prev);
	index_zones(&c);
	find_meshes(&c);
	warn_unserved(&c, KIND_EXTERNAL_SERVICE);
	warn_unserved(&c, KIND_MESH_EXTERNAL_SERVICE);
	warn_unused_identities(&c);
	for (i = 0; i < c.n_meshes; i++) {
		m = &c.meshes[i];
		index_mesh(&c, m);
		compile_mesh(&c, m);
		compile_services(&c, m);
		compile_mesh_external_services(&c, m);
	}
	compile_zone_egresses(&c);
	warn_unused_entries(&c);
	end(&c);
	return c.plan;
}

struct snapshot *
snapshot_build(const struct store *st, const struct build_settings *set,
    const struct snapshot *prev, const struct tls_ops *tls, struct problems *pr)
{
	return snapshot_freeze(compile(st, set, prev, tls, pr), prev, pr);
}

struct str
resource_origin(struct arena *a, const struct resource *r)
{
	return str_of(
	    arena_printf(a, "%s:%u %s/%.*s", r->file != NULL ? r->file : "-",
		r->line, kind_row(r->kind)->name, STR_ARG(r->name)));
}

/* Lists are sorted by mesh. */
static size_t
first_of(const struct resource *const *v, size_t n, struct str mesh, int above)
{
	size_t low = 0, high = n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (str_cmp(v[mid]->mesh, mesh) < above)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const struct resource *const *
resources_of(
    const struct compile *c, enum kind kind, struct str mesh, size_t *n)
{
	const struct resource *const *v;
	size_t all, from;

	v = store_list(c->store, kind, &all);
	from = first_of(v, all, mesh, 0);
	*n = first_of(v, all, mesh, 1) - from;
	return *n == 0 ? NULL : v + from;
}

struct str
service_key(struct arena *a, struct str mesh, const char *what, struct str name)
{
	return str_of(arena_printf(
	    a, "%.*s/%s/%.*s", STR_ARG(mesh), what, STR_ARG(name)));
}

static bool
is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '_';
}

struct str
stats_name(struct arena *a, struct str mesh, struct str name)
{
	char *s = arena_printf(a, "%.*s_%.*s", STR_ARG(mesh), STR_ARG(name));
	char *at;

	for (at = s; *at != '\0'; at++)
		if (!is_plain(*at))
			*at = '_';
	return str_of(s);
}

enum protocol
protocol_of(struct str name)
{
	static const struct {
		struct str name;
		enum protocol protocol;
	} known[] = {
		{ { "kafka", 5 }, PROTO_KAFKA },
		{ { "http", 4 }, PROTO_HTTP },
		{ { "http2", 5 }, PROTO_HTTP2 },
		{ { "grpc", 4 }, PROTO_GRPC },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(known); i++)
		if (str_eq_nocase(name, known[i].name))
			return known[i].protocol;
	return PROTO_TCP;
}

bool
name_fits(struct compile *c, const struct resource *r, struct str name)
{
	if (name.len <= 255)
		return true;
	problem_add(c->pr, PROBLEM_ERROR, r->file, r->line, NULL,
	    "server name %.*s... has %zu bytes, at most 255 can be asked for: "
	    "shorten the names and tags that make it",
	    40, name.p, name.len);
	return false;
}

struct service *
find_prev_service(const struct compile *c, struct str key)
{
	return c->prev == NULL ? NULL : snapshot_find(c->prev, key);
}
