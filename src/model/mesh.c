/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a Mesh may say about mutual TLS and routing.  Its other sections act in
 * the sidecars: known, so that no one is warned of them, and not read.  That
 * the CA's certificate and key are any good is found where they are used.
 * Main thread.
 */

#include "model/mesh.h"

#include <stdio.h>

#include "base/arena.h"
#include "model/kind_rows.h"
#include "model/scalar.h"
#include "model/target_bind.h"

#define AT(field) offsetof(struct mesh, field)
#define BACKEND(field) offsetof(struct mesh_backend, field)
#define DAY_S 86400

static const struct bind rotation_rows[] = {
	{ .key = "expiration", .type = BIND_STR, .offset = BACKEND(leaf_life) },
	{ .type = BIND_END },
};

static const struct bind dp_cert_rows[] = {
	{ .key = "rotation", .type = BIND_STRUCT, .sub = rotation_rows },
	{ .key = "requestTimeout", .type = BIND_SKIP },
	{ .type = BIND_END },
};

/* A plugin's conf holds what the plugin likes. */
static void
read_conf(
    struct binder *b, const struct node *n, const struct path *at, void *field)
{
	struct mesh_backend *backend = field;
	const struct node *cert, *key;

	if (!bind_expect(b, n, NODE_MAP, at))
		return;
	cert = node_get(n, STR("cert"));
	key = node_get(n, STR("key"));
	if (node_is_given(cert) && cert->kind == NODE_MAP)
		bind_source(b, cert, PATH_IN(at, "cert"), &backend->ca_cert);
	if (node_is_given(key) && key->kind == NODE_MAP)
		bind_source(b, key, PATH_IN(at, "key"), &backend->ca_key);
}

static const struct bind backend_rows[] = {
	{ .key = "name", .type = BIND_STR, .offset = BACKEND(name) },
	{ .key = "type", .type = BIND_STR, .offset = BACKEND(type) },
	{ .key = "conf", .type = BIND_READ, .offset = 0, .read = read_conf },
	{ .key = "dpCert", .type = BIND_STRUCT, .sub = dp_cert_rows },
	{ .key = "mode", .type = BIND_SKIP },
	{ .key = "rootChain", .type = BIND_SKIP },
	{ .type = BIND_HELD, .offset = BACKEND(ca_cert) },
	{ .type = BIND_HELD, .offset = BACKEND(ca_key) },
	{ .type = BIND_LINE, .offset = BACKEND(line) },
	{ .type = BIND_END },
};

static const struct bind mtls_rows[] = {
	{ .key = "enabledBackend", .type = BIND_STR, .offset = AT(backend) },
	{ .key = "backends",
	    .type = BIND_LIST,
	    .offset = AT(backends),
	    .n_offset = AT(n_backends),
	    .size = sizeof(struct mesh_backend),
	    .sub = backend_rows },
	{ .key = "skipValidation", .type = BIND_SKIP },
	{ .type = BIND_END },
};

static const struct bind routing_rows[] = {
	{ .key = "zoneEgress", .type = BIND_BOOL, .offset = AT(zone_egress) },
	{ .key = "localityAwareLoadBalancing",
	    .type = BIND_BOOL,
	    .offset = AT(locality_aware) },
	{ .key = "defaultForbidMeshExternalServiceAccess",
	    .type = BIND_BOOL,
	    .offset = AT(forbid_mesh_external_services) },
	{ .type = BIND_END },
};

const struct bind mesh_bind[] = {
	{ .key = "mtls", .type = BIND_STRUCT, .sub = mtls_rows },
	{ .key = "routing", .type = BIND_STRUCT, .sub = routing_rows },
	{ .key = "networking", .type = BIND_SKIP },
	{ .key = "logging", .type = BIND_SKIP },
	{ .key = "tracing", .type = BIND_SKIP },
	{ .key = "metrics", .type = BIND_SKIP },
	{ .key = "constraints", .type = BIND_SKIP },
	{ .key = "meshServices", .type = BIND_SKIP },
	{ .key = "skipCreatingInitialPolicies", .type = BIND_SKIP },
	{ .type = BIND_HELD, .offset = AT(ca_cert) },
	{ .type = BIND_HELD, .offset = AT(ca_key) },
	{ .type = BIND_END },
};

static void
complain(struct problems *pr, size_t i, const char *field, const char *why)
{
	char path[96];

	snprintf(path, sizeof(path), "mtls.backends[%zu].%s", i, field);
	problem_add(pr, PROBLEM_ERROR, NULL, 0, path, "%s", why);
}

static void
check_provided(
    const struct mesh_backend *backend, size_t i, struct problems *pr)
{
	static const char why[] = "data source has to be chosen";

	if (backend->ca_cert.kind == SOURCE_NONE)
		complain(pr, i, "conf.cert",
		    backend->ca_cert.fault != NULL ? backend->ca_cert.fault
						   : why);
	if (backend->ca_key.kind == SOURCE_NONE)
		complain(pr, i, "conf.key",
		    backend->ca_key.fault != NULL ? backend->ca_key.fault
						  : why);
}

static uint64_t
leaf_life_s(const struct mesh_backend *backend, size_t i, struct problems *pr)
{
	uint64_t ms;

	if (backend->leaf_life.len == 0)
		return DAY_S;
	if (!parse_duration_ms(backend->leaf_life, &ms) || ms == 0) {
		complain(pr, i, "dpCert.rotation.expiration",
		    "has to be a duration in y, w, d, h, m, s, ms, as 24h");
		return DAY_S;
	}
	return ms < 1000 ? 1 : ms / 1000;
}

static void
check_backend(struct mesh *m, size_t i, struct problems *pr)
{
	const struct mesh_backend *backend = &m->backends[i];
	uint64_t life = leaf_life_s(backend, i, pr);
	enum ca_type type = CA_OTHER;

	if (backend->name.len == 0)
		complain(pr, i, "name", "cannot be empty");
	if (backend->type.len == 0)
		complain(pr, i, "type", "cannot be empty");
	if (str_eq(backend->type, STR("builtin")))
		type = CA_BUILTIN;
	if (str_eq(backend->type, STR("provided"))) {
		type = CA_PROVIDED;
		check_provided(backend, i, pr);
	}
	if (m->backend.len == 0 || !str_eq(backend->name, m->backend))
		return;
	m->has_mtls = true;
	m->ca_type = type;
	m->leaf_life_s = life;
	if (type == CA_PROVIDED) {
		m->ca_cert = backend->ca_cert;
		m->ca_key = backend->ca_key;
	}
}

void
mesh_check(struct resource *r, struct problems *pr)
{
	struct mesh *m = r->spec;
	size_t i;

	m->leaf_life_s = DAY_S;
	if (m->n_backends > 1)
		problem_add(pr, PROBLEM_ERROR, NULL, 0, "mtls.backends",
		    "cannot have more than 1 backend");
	for (i = 0; i < m->n_backends; i++)
		check_backend(m, i, pr);
	if (m->backend.len > 0 && !m->has_mtls)
		problem_add(pr, PROBLEM_ERROR, NULL, 0, "mtls.enabledBackend",
		    "has to be set to one of the backends in the mesh");
	/* Kuma refuses it; without mTLS nothing comes here all the same. */
	if (m->zone_egress && !m->has_mtls)
		problem_add(pr, PROBLEM_WARNING, NULL, 0, "mtls",
		    "has to be set when zoneEgress is enabled; this mesh has "
		    "no traffic through the egress until it is");
}

const struct mesh *
mesh_of(const struct resource *r)
{
	return r != NULL && r->kind == KIND_MESH ? r->spec : NULL;
}
