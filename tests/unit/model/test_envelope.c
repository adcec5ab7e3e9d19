/* SPDX-License-Identifier: Apache-2.0 */
/* The two forms, and which kind, mesh and name a document has. */

#include "model/external_service.h"
#include "model/mesh_external_service.h"
#include "model/secret.h"
#include "unit/model/model_load.h"

#define KUBE(kind) "apiVersion: kuma.io/v1alpha1\nkind: " kind "\n"
#define ES_SPEC                                 \
	"spec:\n  tags: {kuma.io/service: a}\n" \
	"  networking: {address: \"a.example:1\"}\n"
#define ES_FIELDS \
	"tags: {kuma.io/service: a}\nnetworking: {address: \"a.example:1\"}\n"
#define MES_SPEC "spec: {match: {port: 1}}\n"

Test(envelope, kind_mesh_and_name)
{
	static const struct {
		const char *what, *text;
		enum kind kind;
		const char *mesh, *name;
	} rows[] = {
		{ "Universal, legacy",
		    "type: ExternalService\nmesh: m\nname: n\n" ES_FIELDS,
		    KIND_EXTERNAL_SERVICE, "m", "n" },
		{ "Universal, without mesh",
		    "type: ExternalService\nname: n\n" ES_FIELDS,
		    KIND_EXTERNAL_SERVICE, "default", "n" },
		{ "Universal, newer",
		    "type: MeshExternalService\nmesh: m\nname: n\n" MES_SPEC,
		    KIND_MESH_EXTERNAL_SERVICE, "m", "n" },
		{ "Kubernetes, legacy: mesh beside metadata",
		    KUBE("ExternalService") "mesh: m\nmetadata: {name: "
					    "n}\n" ES_SPEC,
		    KIND_EXTERNAL_SERVICE, "m", "n" },
		{ "Kubernetes, legacy, without mesh",
		    KUBE("ExternalService") "metadata: {name: n}\n" ES_SPEC,
		    KIND_EXTERNAL_SERVICE, "default", "n" },
		{ "Kubernetes, newer: mesh by label",
		    KUBE("MeshExternalService") "metadata: {name: n, "
						"namespace: kuma-system, "
						"labels: {kuma.io/mesh: "
						"m}}\n" MES_SPEC,
		    KIND_MESH_EXTERNAL_SERVICE, "m", "n.kuma-system" },
		{ "Kubernetes, newer, without label",
		    KUBE(
			"MeshExternalService") "metadata: {name: n}\n" MES_SPEC,
		    KIND_MESH_EXTERNAL_SERVICE, "default", "n" },
		{ "Kubernetes, newer: mesh beside metadata is nothing",
		    KUBE(
			"MeshExternalService") "mesh: m\n"
					       "metadata: {name: n}\n" MES_SPEC,
		    KIND_MESH_EXTERNAL_SERVICE, "default", "n" },
		{ "a global kind", "type: Mesh\nmesh: m\nname: n\n", KIND_MESH,
		    "", "n" },
		{ "a global kind in Kubernetes",
		    KUBE("Mesh") "metadata: {name: n}\n", KIND_MESH, "", "n" },
		{ "a kind that is not used",
		    "type: MeshTrace\nmesh: m\nname: n\nspec: {to: 5}\n",
		    KIND_MESH_TRACE, "m", "n" },
		{ "a legacy kind that is not used",
		    KUBE("TrafficLog") "mesh: m\nmetadata: {name: n}\n"
				       "spec: {x: y}\n",
		    KIND_TRAFFIC_LOG, "m", "n" },
		{ "JSON",
		    "{\"type\":\"ExternalService\",\"mesh\":\"m\","
		    "\"name\":\"n\",\"creationTime\":\"2026-01-01T00:00:00Z\","
		    "\"tags\":{\"kuma.io/service\":\"a\"},"
		    "\"networking\":{\"address\":\"a.example:1\"}}",
		    KIND_EXTERNAL_SERVICE, "m", "n" },
		{ "Kuma's Secret in Kubernetes",
		    "apiVersion: v1\nkind: Secret\n"
		    "type: system.kuma.io/secret\n"
		    "metadata: {name: n, namespace: kuma-system, "
		    "labels: {kuma.io/mesh: m}}\ndata: {value: aGVsbG8=}\n",
		    KIND_SECRET, "m", "n" },
		{ "the same, without mesh",
		    "apiVersion: v1\nkind: Secret\n"
		    "type: system.kuma.io/secret\n"
		    "metadata: {name: n}\nstringData: {value: hello}\n",
		    KIND_SECRET, "default", "n" },
		{ "a global Secret in Kubernetes",
		    "apiVersion: v1\nkind: Secret\n"
		    "type: system.kuma.io/global-secret\n"
		    "metadata: {name: n}\ndata: {value: aGVsbG8=}\n",
		    KIND_GLOBAL_SECRET, "", "n" },
		{ "another Secret",
		    "apiVersion: v1\nkind: Secret\ntype: Opaque\n"
		    "metadata: {name: n}\ndata: {value: aGVsbG8=}\n",
		    KIND_FOREIGN, "", "Secret/n" },
		{ "another object",
		    "apiVersion: apps/v1\nkind: Deployment\n"
		    "metadata: {name: n}\nspec: {replicas: 1}\n",
		    KIND_FOREIGN, "", "Deployment/n" },
	};
	struct store *st;
	char *all;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		st = load(rows[i].text);
		all = print_problems(st);
		cr_expect_eq(
		    count_in_force(st), 1u, "%s\n%s", rows[i].what, all);
		cr_expect_not_null(
		    find(st, rows[i].kind, rows[i].mesh, rows[i].name),
		    "%s\n%s", rows[i].what, all);
		free(all);
		store_free(st);
	}
}

Test(envelope, both_forms_say_the_same)
{
	struct store *st = load(
	    "type: ExternalService\nmesh: m\nname: u\n" ES_FIELDS
	    "---\n" KUBE("ExternalService") "mesh: m\n"
					    "metadata: {name: k}\n" ES_SPEC);
	const struct external_service *u =
	    external_service_of(find(st, KIND_EXTERNAL_SERVICE, "m", "u"));
	const struct external_service *k =
	    external_service_of(find(st, KIND_EXTERNAL_SERVICE, "m", "k"));

	cr_assert_not_null(u);
	cr_assert_not_null(k);
	cr_expect(str_eq(u->address, k->address));
	cr_expect(str_eq(u->tags.v[0].value, k->tags.v[0].value));
	store_free(st);
}

Test(envelope, labels_and_display_name)
{
	struct store *st = load(
	    "type: MeshExternalService\nmesh: m\nname: n\n"
	    "labels: {kuma.io/display-name: shown, kuma.io/zone: eu}\n" MES_SPEC
	    "---\n" KUBE("MeshExternalService") "metadata: {name: k, labels: "
						"{kuma.io/mesh: m, x: "
						"\"\"}}\n" MES_SPEC);
	const struct resource *n =
	    find(st, KIND_MESH_EXTERNAL_SERVICE, "m", "n");
	const struct resource *k =
	    find(st, KIND_MESH_EXTERNAL_SERVICE, "m", "k");

	cr_assert_not_null(n);
	cr_assert_not_null(k);
	expect_str(n->display_name, "shown");
	expect_str(tags_get(&n->labels, STR("kuma.io/zone")), "eu");
	expect_str(k->display_name, "k");
	cr_expect_eq(k->labels.n, 2u);
	cr_expect_str_eq(n->file, "f.yaml");
	cr_expect_eq(n->line, 1u);
	cr_expect_eq(k->line, 7u);
	store_free(st);
}

#define META(space) "metadata: {name: n, namespace: " space "}\n"
#define KUBE_MES(space) KUBE("MeshExternalService") META(space) MES_SPEC
#define KUBE_ES(space) KUBE("ExternalService") META(space) ES_SPEC

Test(envelope, a_name_in_kubernetes_is_of_its_namespace)
{
	struct store *st = store_new();
	const struct resource *r;

	put(st, "a", KUBE_MES("a"));
	put(st, "b", KUBE_MES("b"));
	put(st, "c", KUBE_ES("a"));
	store_commit(st);
	r = find(st, KIND_MESH_EXTERNAL_SERVICE, "default", "n.b");
	cr_expect_eq(store_problems(st)->n, 0u);
	cr_expect_eq(count_in_force(st), 3u);
	cr_assert_not_null(r);
	expect_str(r->display_name, "n");
	cr_expect_not_null(
	    find(st, KIND_MESH_EXTERNAL_SERVICE, "default", "n.a"));
	cr_expect_not_null(find(st, KIND_EXTERNAL_SERVICE, "default", "n"));
	store_free(st);
}

Test(envelope, secrets_are_decoded)
{
	struct store *st =
	    load("type: Secret\nmesh: m\nname: s\ndata: aGVs\n"
		 "---\ntype: GlobalSecret\nname: g\ndata: bG8=\n"
		 "---\napiVersion: v1\nkind: Secret\n"
		 "type: system.kuma.io/secret\nmetadata: {name: k}\n"
		 "data: {value: aGVsbG8=}\n");

	cr_expect_eq(store_problems(st)->n, 0u);
	expect_str(secret_of(find(st, KIND_SECRET, "m", "s"))->data, "hel");
	expect_str(
	    secret_of(find(st, KIND_GLOBAL_SECRET, "", "g"))->data, "lo");
	expect_str(
	    secret_of(find(st, KIND_SECRET, "default", "k"))->data, "hello");
	store_free(st);
}

#define ES "type: ExternalService\n"

Test(envelope, what_is_refused)
{
	static const struct wrong rows[] = {
		{ "no kind", "name: n\n", "-", "" },
		{ "a list at the top", "- a\n", "-", "" },
		{ "a text", "hello\n", "-", "" },
		{ "unknown kind", "type: ExamplePolicy\nname: n\n", "type",
		    "" },
		{ "unknown kind in Kubernetes",
		    KUBE("Example") "metadata: {name: n}\n", "kind", "" },
		{ "kind of the wrong type", "type: [a]\nname: n\n", "type",
		    "" },
		{ "no apiVersion", "kind: Mesh\nmetadata: {name: n}\n",
		    "apiVersion", "" },
		{ "unknown version",
		    "apiVersion: kuma.io/v2\nkind: Mesh\n"
		    "metadata: {name: n}\n",
		    "apiVersion", "" },
		{ "a list of objects",
		    "apiVersion: v1\nkind: List\nitems: []\n", "items", "" },
		{ "a REST list", "{\"total\": 0, \"items\": []}", "items", "" },
		{ "no name", "type: Mesh\n", "name", "" },
		{ "empty name", "type: Mesh\nname: \"\"\n", "name", "" },
		{ "no name in Kubernetes", KUBE("Mesh"), "metadata.name", "" },
		{ "metadata of the wrong type", KUBE("Mesh") "metadata: x\n",
		    "metadata", "" },
		{ "name is a number", "type: Mesh\nname: 5\n", "name", "" },
		{ "name with a slash", "type: Mesh\nname: a/b\n", "name", "" },
		{ "name with a newline", "type: Mesh\nname: \"a\\nb\"\n",
		    "name", "" },
		{ "name with odd characters only warns",
		    "type: Mesh\nname: Shop\n", "", "name" },
		{ "mesh is a number", ES "mesh: 5\nname: n\n" ES_FIELDS, "mesh",
		    "" },
		{ "labels of the wrong type",
		    ES "name: n\nlabels: {a: 1}\n" ES_FIELDS, "labels[\"a\"]",
		    "" },
		{ "unknown field at the top",
		    ES "name: n\nnetwork: {}\n" ES_FIELDS, "", "network" },
		{ "unknown field around a spec",
		    KUBE("Mesh") "metadata: {name: n}\nspek: {}\n", "",
		    "spek" },
		{ "mesh where the label counts",
		    KUBE(
			"MeshExternalService") "mesh: m\n"
					       "metadata: {name: n}\n" MES_SPEC,
		    "", "mesh" },
		{ "spec of the wrong type",
		    KUBE("MeshExternalService") "metadata: {name: n}\n"
						"spec: []\n",
		    "spec", "" },
		{ "Secret without data", "type: Secret\nname: n\n", "data",
		    "" },
		{ "Secret that is no base64",
		    "type: Secret\nname: n\ndata: \"$(openssl)\"\n", "data",
		    "" },
		{ "Secret that is a number",
		    "type: Secret\nname: n\ndata: 1234\n", "data", "" },
		{ "empty Secret in Kubernetes",
		    "apiVersion: v1\nkind: Secret\n"
		    "type: system.kuma.io/secret\nmetadata: {name: n}\n"
		    "data: {}\n",
		    "data", "" },
	};

	expect_wrong(rows, ARRAY_LEN(rows));
}

Test(envelope, an_unknown_kind_names_the_nearest)
{
	struct store *st = load("type: ExternalServise\nname: n\n");
	char *all = print_problems(st);

	cr_expect_not_null(
	    strstr(all, "did you mean ExternalService?"), "%s", all);
	free(all);
	store_free(st);
}

Test(kind, rows_and_names_agree)
{
	const struct kind_row *row;
	int k;

	for (k = 0; k < KIND_N; k++) {
		row = kind_row((enum kind)k);
		if (k != KIND_FOREIGN)
			cr_expect_eq((int)kind_find(str_of(row->name)), k, "%s",
			    row->name);
		cr_expect_eq(row->use == KIND_NOT_USED, row->spec_size == 0,
		    "%s", row->name);
		cr_expect_eq(
		    row->bind == NULL, row->spec_size == 0, "%s", row->name);
	}
	cr_expect_eq(kind_find(STR("(not of Kuma)")), KIND_N);
	cr_expect_eq(kind_find(STR("mesh")), KIND_N);
	cr_expect(kind_row(KIND_TRAFFIC_PERMISSION)->is_permission);
	cr_expect_not(kind_row(KIND_MESH)->is_permission);
}

Test(tags, match_and_look_up)
{
	struct tag v[] = { { STR("a"), STR("1") }, { STR("b"), STR("2") } };
	struct tag w[] = { { STR("a"), STR("*") } };
	struct tag x[] = { { STR("a"), STR("2") } };
	struct tag y[] = { { STR("c"), STR("*") } };
	struct tags t = { v, 2 }, star = { w, 1 }, other = { x, 1 },
		    absent = { y, 1 }, none = { NULL, 0 };

	cr_expect(tags_match(&t, &t));
	cr_expect(tags_match(&star, &t));
	cr_expect(tags_match(&none, &t));
	cr_expect_not(tags_match(&other, &t));
	cr_expect_not(tags_match(&absent, &t));
	cr_expect_not(tags_match(&t, &star));
	expect_str(tags_get(&t, STR("b")), "2");
	cr_expect_null(tags_get(&t, STR("c")).p);
}
