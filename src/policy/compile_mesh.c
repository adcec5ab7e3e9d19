/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom a mesh trusts, and as whom we answer in it: files of the configuration
 * if they are given, else the CA among the resources (Kuma section 3.2).  Main
 * thread.
 */

#include "base/xalloc.h"
#include "policy/compile.h"

#define CA_PATH "mtls.backends"

enum found {
	FOUND,
	BROKEN, /* half of it, or not usable: the last good one stays */
	ABSENT
};

static struct blob *
find_secret(struct compile *c, const struct mesh_build *m, const char *part)
{
	struct data_source source = { .kind = SOURCE_SECRET };
	struct blob *b = NULL;

	source.value = str_of(arena_printf(&c->arena, "%.*s.ca-builtin-%s-%.*s",
	    STR_ARG(m->name), part, STR_ARG(m->mesh->backend)));
	if (store_find(c->store, KIND_SECRET, m->name, source.value) != NULL)
		b = source_blob(
		    c, m->r, m->name, &source, CA_PATH, PROBLEM_ERROR);
	return b;
}

static struct blob *
find_given(struct compile *c, const struct mesh_build *m,
    const struct data_source *source, const char *path)
{
	if (source->kind == SOURCE_NONE)
		return NULL;
	return source_blob(c, m->r, m->name, source, path, PROBLEM_ERROR);
}

static void
find_ca(struct compile *c, const struct mesh_build *m, struct blob **cert,
    struct blob **key)
{
	*cert = NULL;
	*key = NULL;
	switch (m->mesh->ca_type) {
	case CA_BUILTIN:
		*cert = find_secret(c, m, "cert");
		*key = find_secret(c, m, "key");
		return;
	case CA_PROVIDED:
		*cert =
		    find_given(c, m, &m->mesh->ca_cert, CA_PATH ".conf.cert");
		*key = find_given(c, m, &m->mesh->ca_key, CA_PATH ".conf.key");
		return;
	case CA_OTHER:
		return;
	}
}

static enum found
check_ca(struct compile *c, const struct mesh_build *m, struct blob *ca)
{
	struct text why = TEXT_EMPTY;
	bool is_good = share_check_ca(c->share, ca, &why);

	if (!is_good)
		problem_add(c->pr, PROBLEM_ERROR, m->r->file, m->r->line,
		    CA_PATH, "the mesh's CA is not usable: %.*s",
		    STR_ARG(text_str(&why)));
	text_free(&why);
	return is_good ? FOUND : BROKEN;
}

static enum problem_level
level_of(const struct compile *c, const struct mesh_build *m)
{
	size_t n, n_mes;

	resources_of(c, KIND_EXTERNAL_SERVICE, m->name, &n);
	resources_of(c, KIND_MESH_EXTERNAL_SERVICE, m->name, &n_mes);
	return n + n_mes > 0 ? PROBLEM_ERROR : PROBLEM_WARNING;
}

/* What the operator has to add, in the words of the backend's type. */
static void
report_missing(struct compile *c, const struct mesh_build *m,
    const struct blob *cert, const struct blob *key, bool last_good_stays)
{
	struct text what = TEXT_EMPTY;
	struct str mesh = m->name, backend = m->mesh->backend;

	switch (m->mesh->ca_type) {
	case CA_BUILTIN:
		if (cert == NULL)
			text_addf(&what, "Secret %.*s.ca-builtin-cert-%.*s%s",
			    STR_ARG(mesh), STR_ARG(backend),
			    key == NULL ? " and " : "");
		if (key == NULL)
			text_addf(&what, "Secret %.*s.ca-builtin-key-%.*s",
			    STR_ARG(mesh), STR_ARG(backend));
		text_add_z(&what, " (kumactl get secret), or an identity "
				  "(with its ca) to the configuration");
		break;
	case CA_PROVIDED:
		text_addf(&what,
		    "%s%s%s of backend %.*s, or an identity "
		    "(with its ca) to the configuration",
		    cert == NULL ? "conf.cert" : "",
		    cert == NULL && key == NULL ? " and " : "",
		    key == NULL ? "conf.key" : "", STR_ARG(backend));
		break;
	case CA_OTHER:
		text_add_z(&what, "an identity with its ca to the "
				  "configuration: the backend keeps its CA "
				  "elsewhere");
		break;
	}
	problem_add(c->pr, level_of(c, m), m->r->file, m->r->line, CA_PATH,
	    "nothing to answer callers of mesh %.*s with, %s: add %.*s",
	    STR_ARG(mesh),
	    last_good_stays ? "but for what was in force before"
			    : "its services are not offered",
	    STR_ARG(text_str(&what)));
	text_free(&what);
}

static enum found
mint_with_ca(struct compile *c, const struct mesh_build *m, bool has_prev,
    struct mesh_spec *draft)
{
	struct text why = TEXT_EMPTY;
	struct blob *cert, *key;
	bool is_half, is_pair;

	find_ca(c, m, &cert, &key);
	if (cert == NULL || key == NULL) {
		is_half = cert != NULL || key != NULL;
		report_missing(c, m, cert, key, is_half && has_prev);
		return is_half ? BROKEN : ABSENT;
	}
	if (check_ca(c, m, cert) == BROKEN)
		return BROKEN;
	is_pair = share_check_pair(c->share, cert, key, &why);
	if (!is_pair)
		problem_add(c->pr, PROBLEM_ERROR, m->r->file, m->r->line,
		    CA_PATH,
		    "the mesh's CA and its key do not go together: "
		    "%.*s",
		    STR_ARG(text_str(&why)));
	text_free(&why);
	draft->ca = cert;
	draft->ca_cert = cert;
	draft->ca_key = key;
	return is_pair ? FOUND : BROKEN;
}

static enum found
use_given(struct compile *c, const struct mesh_build *m,
    const struct given_identity *given, struct mesh_spec *draft)
{
	struct text why = TEXT_EMPTY;
	struct blob *key;
	bool is_pair;

	draft->cert = share_blob(c->share, given->cert_pem);
	draft->key = share_blob(c->share, given->key_pem);
	is_pair = share_check_pair(c->share, draft->cert, draft->key, &why);
	if (!is_pair)
		problem_add(c->pr, PROBLEM_ERROR, NULL, 0, draft->origin,
		    "cert and key are not usable: %.*s",
		    STR_ARG(text_str(&why)));
	text_free(&why);
	if (!is_pair)
		return BROKEN;
	if (given->ca_pem.len > 0)
		draft->ca = share_blob(c->share, given->ca_pem);
	else
		find_ca(c, m, &draft->ca, &key);
	if (draft->ca != NULL)
		return check_ca(c, m, draft->ca);
	problem_add(c->pr, level_of(c, m), NULL, 0, draft->origin,
	    "nothing to verify callers of mesh %.*s with, its services are "
	    "not offered: give ca here, or the CA's certificate among the "
	    "resources",
	    STR_ARG(m->name));
	return ABSENT;
}

static const struct given_identity *
given_for(const struct compile *c, const struct mesh_build *m, size_t *index)
{
	size_t i;

	for (i = 0; i < c->set->n_identities; i++)
		if (str_eq(str_of(c->set->identities[i].mesh), m->name)) {
			*index = i;
			return &c->set->identities[i];
		}
	return NULL;
}

static void
add_blob(struct fingerprint *f, const struct blob *b)
{
	fingerprint_u64(f, b != NULL);
	if (b != NULL)
		fingerprint_digest(f, &b->digest);
}

static struct digest
digest_spec(const struct mesh_spec *m, struct fingerprint *f)
{
	fingerprint_str(f, str_of(m->mesh));
	add_blob(f, m->ca);
	add_blob(f, m->cert);
	add_blob(f, m->key);
	add_blob(f, m->ca_cert);
	add_blob(f, m->ca_key);
	fingerprint_u64(f, m->leaf_life_s);
	return fingerprint_take(f);
}

static struct mesh_spec *
find_prev(const struct compile *c, struct str mesh)
{
	struct mesh_spec *const *v;
	size_t i, n;

	if (c->prev == NULL)
		return NULL;
	v = snapshot_meshes(c->prev, &n);
	for (i = 0; i < n; i++)
		if (str_eq(str_of(v[i]->mesh), mesh))
			return v[i];
	return NULL;
}

static struct blob *
ref_or_null(struct blob *b)
{
	return b == NULL ? NULL : blob_ref(b);
}

static struct mesh_spec *
seal(struct compile *c, struct mesh_spec *draft, struct mesh_spec *prev)
{
	struct mesh_spec *m;

	draft->digest = digest_spec(draft, &c->fingerprint);
	if (prev != NULL && digest_eq(&prev->digest, &draft->digest) &&
	    strcmp(prev->origin, draft->origin) == 0)
		return mesh_spec_ref(prev);
	m = xmemdup(draft, sizeof(*draft));
	ref_init(&m->ref);
	m->mesh = xstrdup(draft->mesh);
	m->origin = xstrdup(draft->origin);
	ref_or_null(m->ca);
	ref_or_null(m->cert);
	ref_or_null(m->key);
	ref_or_null(m->ca_cert);
	ref_or_null(m->ca_key);
	return m;
}

void
compile_mesh(struct compile *c, struct mesh_build *m)
{
	struct mesh_spec draft = { .leaf_life_s = m->mesh->leaf_life_s };
	struct mesh_spec *prev = find_prev(c, m->name);
	const struct given_identity *given;
	enum found found;
	size_t index;

	/* Whoever is behind us serves: a key here could only be stolen. */
	if (c->set->relays_only) {
		m->can_serve = true;
		return;
	}
	draft.mesh = arena_strdup(&c->arena, m->name);
	given = given_for(c, m, &index);
	if (given != NULL)
		draft.origin = arena_printf(&c->arena, "identity[%zu]", index);
	else
		draft.origin =
		    arena_strdup(&c->arena, resource_origin(&c->arena, m->r));
	found = given != NULL ? use_given(c, m, given, &draft)
			      : mint_with_ca(c, m, prev != NULL, &draft);
	switch (found) {
	case FOUND:
		plan_add_mesh(c->plan, seal(c, &draft, prev));
		m->can_serve = true;
		return;
	case BROKEN:
		if (prev == NULL)
			return;
		plan_add_mesh(c->plan, mesh_spec_ref(prev));
		m->can_serve = true;
		return;
	case ABSENT:
		return;
	}
}
