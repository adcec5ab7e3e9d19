/* SPDX-License-Identifier: Apache-2.0 */
/* Mesh: mutual TLS, routing, and the durations of certificates. */

#include "model/bind.h"
#include "model/mesh.h"
#include "unit/model/model_load.h"

#define HEAD "type: Mesh\nname: shop\n"
#define BACKEND(text)                                                     \
	HEAD "mtls: {enabledBackend: ca-1, backends: [{name: ca-1, " text \
	     "}]}\n"

static const struct mesh *
only(const struct store *st)
{
	const struct mesh *m = mesh_of(find(st, KIND_MESH, "", "shop"));

	cr_assert_not_null(m);
	return m;
}

Test(mesh, every_field_is_read)
{
	struct store *st = load(HEAD
	    "mtls:\n"
	    "  enabledBackend: ca-1\n"
	    "  skipValidation: true\n"
	    "  backends:\n"
	    "  - name: ca-1\n"
	    "    type: provided\n"
	    "    mode: PERMISSIVE\n"
	    "    dpCert: {rotation: {expiration: 1h30m}, requestTimeout: 5s}\n"
	    "    conf: {cert: {secret: c}, key: {inlineString: k}}\n"
	    "routing:\n"
	    "  zoneEgress: true\n"
	    "  localityAwareLoadBalancing: true\n"
	    "  defaultForbidMeshExternalServiceAccess: true\n"
	    "networking: {outbound: {passthrough: false}}\n"
	    "meshServices: {mode: Exclusive}\n");
	const struct mesh *m = only(st);

	cr_expect_eq(store_problems(st)->n, 0u);
	cr_expect(m->has_mtls);
	expect_str(m->backend, "ca-1");
	cr_expect_eq(m->ca_type, CA_PROVIDED);
	expect_str(m->ca_cert.value, "c");
	expect_str(m->ca_key.value, "k");
	cr_expect_eq(m->ca_key.kind, SOURCE_INLINE);
	cr_expect_eq(m->leaf_life_s, 5400u);
	cr_expect(m->zone_egress && m->locality_aware);
	cr_expect(m->forbid_mesh_external_services);
	store_free(st);
}

Test(mesh, defaults)
{
	struct store *st = load(HEAD);
	const struct mesh *m = only(st);

	cr_expect_not(m->has_mtls);
	cr_expect_eq(m->leaf_life_s, 86400u);
	cr_expect_not(m->zone_egress || m->locality_aware ||
		      m->forbid_mesh_external_services);
	store_free(st);
}

Test(mesh, a_backend_that_is_not_enabled_is_no_mtls)
{
	struct store *st =
	    load(HEAD "mtls: {backends: [{name: a, type: builtin}]}\n");

	cr_expect_not(only(st)->has_mtls);
	store_free(st);
}

Test(mesh, ca_types)
{
	struct store *st = load(BACKEND("type: builtin"));

	cr_expect_eq(only(st)->ca_type, CA_BUILTIN);
	store_free(st);
	st = load(BACKEND("type: vault, conf: {cert: 5, fromCp: {a: b}}"));
	cr_expect_eq(only(st)->ca_type, CA_OTHER);
	store_free(st);
}

Test(mesh, what_is_refused)
{
	static const struct wrong rows[] = {
		{ "good", BACKEND("type: builtin"), "", "" },
		{ "two backends",
		    HEAD "mtls: {enabledBackend: a, backends: [{name: a, type: "
			 "builtin}, {name: b, type: builtin}]}\n",
		    "mtls.backends", "" },
		{ "a backend that is not there",
		    HEAD "mtls: {enabledBackend: x, backends: [{name: a, type: "
			 "builtin}]}\n",
		    "mtls.enabledBackend", "" },
		{ "no backends", HEAD "mtls: {enabledBackend: x}\n",
		    "mtls.enabledBackend", "" },
		{ "backend without name",
		    HEAD "mtls: {backends: [{type: builtin}]}\n",
		    "mtls.backends[0].name", "" },
		{ "backend without type",
		    HEAD "mtls: {backends: [{name: a}]}\n",
		    "mtls.backends[0].type", "" },
		{ "provided without sources", BACKEND("type: provided"),
		    "mtls.backends[0].conf.cert mtls.backends[0].conf.key",
		    "" },
		{ "provided with an empty key",
		    BACKEND("type: provided, conf: {cert: {secret: a}, key: "
			    "{}}"),
		    "mtls.backends[0].conf.key", "" },
		{ "expiration",
		    BACKEND("type: builtin, dpCert: {rotation: {expiration: "
			    "tomorrow}}"),
		    "mtls.backends[0].dpCert.rotation.expiration", "" },
		{ "expiration in days",
		    BACKEND("type: builtin, dpCert: {rotation: {expiration: "
			    "1d}}"),
		    "", "" },
		{ "egress without mTLS only warns",
		    HEAD "routing: {zoneEgress: true}\n", "", "mtls" },
		{ "routing of the wrong type",
		    HEAD "routing: {zoneEgress: \"true\"}\n",
		    "routing.zoneEgress", "" },
		{ "spec in the Universal form",
		    HEAD "spec: {routing: {zoneEgress: true}}\n", "", "spec" },
	};

	expect_wrong(rows, ARRAY_LEN(rows));
}

/* What document_free() does before the memory goes. */
Test(mesh, an_inline_key_is_overwritten_when_it_is_done_with)
{
	struct store *st = load(BACKEND(
	    "type: provided, conf: {cert: {inlineString: the-certificate}, "
	    "key: {inlineString: the-private-key}}"));
	const struct resource *r = find(st, KIND_MESH, "", "shop");
	struct str key = mesh_of(r)->ca_key.value;
	size_t i;

	expect_str(key, "the-private-key");
	bind_wipe(kind_row(KIND_MESH)->bind, r->spec);
	for (i = 0; i < key.len; i++)
		cr_expect_eq(key.p[i], '\0', "byte %zu is left", i);
	cr_expect_eq(mesh_of(r)->ca_key.value.len, 0u);
	cr_expect_eq(mesh_of(r)->backends[0].ca_key.value.len, 0u);
	store_free(st);
}

/* A document that was moved says where its key is now. */
Test(mesh, lines_of_its_sources_move_with_it)
{
	static const char text[] =
	    BACKEND("type: provided, conf: {cert: {secret: c}, key: {secret: "
		    "k}}");
	struct text later = TEXT_EMPTY;
	struct store *st = load(text);

	cr_expect_eq(only(st)->ca_key.line, 3u);
	text_addf(&later, "# a comment\n\n---\n%s", text);
	store_put_file(st, "f.yaml", text_str(&later));
	store_commit(st);
	cr_expect_eq(only(st)->ca_cert.line, 6u);
	cr_expect_eq(only(st)->ca_key.line, 6u);
	text_free(&later);
	store_free(st);
}
