/* SPDX-License-Identifier: Apache-2.0 */
/* Permissions: both kinds, and how they fail closed. */

#include "model/permission.h"
#include "unit/model/model_load.h"

#define TP "type: TrafficPermission\nmesh: shop\nname: p\n"
#define FROM_WEB "sources: [{match: {kuma.io/service: web}}]\n"
#define TO_PAY "destinations: [{match: {kuma.io/service: pay}}]\n"
#define MTP "type: MeshTrafficPermission\nmesh: shop\nname: p\nspec:\n"
#define FROM_MESH \
	"  from: [{targetRef: {kind: Mesh}, default: {action: Allow}}]\n"

static const struct resource *
tp(const struct store *st)
{
	return find(st, KIND_TRAFFIC_PERMISSION, "shop", "p");
}

static const struct resource *
mtp(const struct store *st)
{
	return find(st, KIND_MESH_TRAFFIC_PERMISSION, "shop", "p");
}

Test(permission, legacy_selectors_are_read)
{
	struct store *st =
	    load(TP "sources:\n"
		    "- match: {kuma.io/service: web, kuma.io/zone: eu}\n"
		    "- match: {kuma.io/service: \"*\"}\n" TO_PAY);
	const struct traffic_permission *p = traffic_permission_of(tp(st));

	cr_assert_not_null(p);
	cr_expect_eq(store_problems(st)->n, 0u);
	cr_expect_not(tp(st)->is_broken);
	cr_assert_eq(p->n_sources, 2u);
	cr_expect_eq(p->sources[0].n, 2u);
	expect_str(tags_get(&p->sources[1], STR("kuma.io/service")), "*");
	cr_assert_eq(p->n_destinations, 1u);
	store_free(st);
}

Test(permission, the_from_form_is_read)
{
	struct store *st = load(
	    MTP "  targetRef: {kind: MeshServiceSubset, name: pay, "
		"tags: {version: v1}}\n"
		"  from:\n"
		"  - targetRef: {kind: MeshSubset, tags: {kuma.io/zone: eu}}\n"
		"    default: {action: AllowWithShadowDeny}\n"
		"  - targetRef: {kind: MeshService, name: web}\n"
		"    default: {action: Deny}\n");
	const struct mesh_traffic_permission *p =
	    mesh_traffic_permission_of(mtp(st));

	cr_assert_not_null(p);
	cr_expect_eq(store_problems(st)->n, 0u);
	cr_expect_eq(p->target.kind, TARGET_MESH_SERVICE_SUBSET);
	expect_str(p->target.name, "pay");
	expect_str(tags_get(&p->target.tags, STR("version")), "v1");
	cr_assert_eq(p->n_from, 2u);
	cr_expect_eq(p->from[0].target.kind, TARGET_MESH_SUBSET);
	cr_expect_eq(p->from[0].action, MTP_ALLOW_WITH_SHADOW_DENY);
	cr_expect_eq(p->from[1].action, MTP_DENY);
	cr_expect_eq(p->from[1].line, 9u);
	cr_expect_not(p->has_rules);
	store_free(st);
}

Test(permission, without_target_it_is_the_mesh)
{
	struct store *st = load(MTP FROM_MESH);
	const struct mesh_traffic_permission *p =
	    mesh_traffic_permission_of(mtp(st));

	cr_assert_not_null(p);
	cr_expect_eq(p->target.kind, TARGET_NONE);
	cr_expect_eq(p->from[0].target.kind, TARGET_MESH);
	store_free(st);
}

Test(permission, the_rules_form_warns)
{
	struct store *st = load(MTP "  rules: [{default: {allow: []}}]\n");
	char *all = print_problems(st);

	cr_assert_not_null(mtp(st));
	cr_expect(mesh_traffic_permission_of(mtp(st))->has_rules);
	cr_expect_not(mtp(st)->is_broken);
	cr_expect_not_null(strstr(all, "f.yaml:5: spec.rules: warning: the "
				       "rules form is not in force yet"),
	    "%s", all);
	free(all);
	store_free(st);
}

#define TARGET(text) MTP "  targetRef: {" text "}\n" FROM_MESH
#define FROM(text) \
	MTP "  from: [{targetRef: {" text "}, default: {action: Deny}}]\n"

Test(permission, what_is_refused)
{
	static const struct wrong rows[] = {
		{ "good", TP FROM_WEB TO_PAY, "", "" },
		{ "no sources", TP TO_PAY, "sources", "" },
		{ "no destinations", TP FROM_WEB, "destinations", "" },
		{ "empty match", TP FROM_WEB "destinations: [{match: {}}]\n",
		    "destinations[0].match", "" },
		{ "empty value",
		    TP "sources: [{match: {kuma.io/service: \"\"}}]\n" TO_PAY,
		    "sources[0].match[\"kuma.io/service\"]", "" },
		{ "half a star",
		    TP
		    "sources: [{match: {kuma.io/service: \"we*\"}}]\n" TO_PAY,
		    "sources[0].match[\"kuma.io/service\"]", "" },
		{ "a number", TP "sources: [{match: {version: 1}}]\n" TO_PAY,
		    "sources[0].match sources[0].match[\"version\"]", "" },
		{ "fields in spec", TP "spec: {sources: []}\n",
		    "destinations sources", "spec" },
		{ "from and rules", MTP FROM_MESH "  rules: []\n", "spec", "" },
		{ "neither", MTP "  targetRef: {kind: Mesh}\n", "spec", "" },
		{ "no spec",
		    "type: MeshTrafficPermission\nmesh: shop\nname: p\n",
		    "spec", "" },
		{ "no action", MTP "  from: [{targetRef: {kind: Mesh}}]\n",
		    "spec.from[0].default.action", "" },
		{ "unknown action",
		    MTP "  from: [{targetRef: {kind: Mesh}, default: {action: "
			"ALLOW}}]\n",
		    "spec.from[0].default.action", "" },
		{ "from without target",
		    MTP "  from: [{default: {action: Allow}}]\n",
		    "spec.from[0].targetRef.kind", "" },
		{ "from a gateway", FROM("kind: MeshGateway, name: g"),
		    "spec.from[0].targetRef.kind", "" },
		{ "from an unknown kind", FROM("kind: Everyone"),
		    "spec.from[0].targetRef.kind", "" },
		{ "service without name", FROM("kind: MeshService"),
		    "spec.from[0].targetRef.name", "" },
		{ "mesh with a name", FROM("kind: Mesh, name: x"),
		    "spec.from[0].targetRef.name", "" },
		{ "mesh with tags", FROM("kind: Mesh, tags: {a: b}"),
		    "spec.from[0].targetRef.tags", "" },
		{ "service with tags",
		    FROM("kind: MeshService, name: a, tags: {a: b}"),
		    "spec.from[0].targetRef.tags", "" },
		{ "target Dataplane",
		    TARGET("kind: Dataplane, labels: {app: a}"), "", "" },
		{ "target MeshExternalService",
		    TARGET("kind: MeshExternalService, name: pay"), "", "" },
		{ "target of another kind",
		    TARGET("kind: MeshHTTPRoute, name: a"),
		    "spec.targetRef.kind", "" },
		{ "target without kind", TARGET("name: a"),
		    "spec.targetRef.kind", "" },
		{ "tag is a bool",
		    TARGET("kind: MeshSubset, tags: {custom: true}"),
		    "spec.targetRef.tags[\"custom\"]", "" },
	};

	expect_wrong(rows, ARRAY_LEN(rows));
}

/* What a permission that was never understood denies. */
Test(permission, fails_closed)
{
	static const struct {
		const char *what, *text;
		enum kind kind;
		const char *mesh, *name;
		bool target_is_known;
	} rows[] = {
		{ "target readable",
		    TARGET("kind: MeshService, name: pay") "  rules: []\n",
		    KIND_MESH_TRAFFIC_PERMISSION, "shop", "p", true },
		{ "target broken", TARGET("kind: MeshService"),
		    KIND_MESH_TRAFFIC_PERMISSION, "shop", "p", false },
		{ "action broken",
		    MTP "  targetRef: {kind: MeshService, name: pay}\n"
			"  from: [{targetRef: {kind: Mesh}}]\n",
		    KIND_MESH_TRAFFIC_PERMISSION, "shop", "p", true },
		{ "spec is no map",
		    "type: MeshTrafficPermission\nmesh: shop\nname: p\n"
		    "spec: x\n",
		    KIND_MESH_TRAFFIC_PERMISSION, "shop", "p", false },
		{ "sources broken", TP TO_PAY "sources: 5\n",
		    KIND_TRAFFIC_PERMISSION, "shop", "p", true },
		{ "destinations broken", TP FROM_WEB "destinations: 5\n",
		    KIND_TRAFFIC_PERMISSION, "shop", "p", false },
		{ "no name",
		    "type: TrafficPermission\nmesh: shop\n" FROM_WEB TO_PAY,
		    KIND_TRAFFIC_PERMISSION, "shop", "", true },
		{ "mesh unreadable",
		    "type: TrafficPermission\nmesh: 5\nname: p\n" FROM_WEB
			TO_PAY,
		    KIND_TRAFFIC_PERMISSION, "", "p", false },
		{ "no YAML", TP "sources: [\n", KIND_TRAFFIC_PERMISSION, "shop",
		    "p", false },
		{ "no YAML, no mesh",
		    "kind: MeshTrafficPermission\nspec: {{{\n",
		    KIND_MESH_TRAFFIC_PERMISSION, "", "", false },
		{ "JSON cut off",
		    "{\n  \"type\": \"MeshTrafficPermission\",\n  \"mesh\": "
		    "\"shop\",\n  \"name\": \"p\", \"spec\": {",
		    KIND_MESH_TRAFFIC_PERMISSION, "shop", "p", false },
		{ "inside a list",
		    "apiVersion: v1\nkind: List\nitems:\n"
		    "- kind: TrafficPermission\n  mesh: shop\n",
		    KIND_TRAFFIC_PERMISSION, "", "", false },
		{ "Kubernetes without apiVersion",
		    "kind: TrafficPermission\nmesh: shop\nmetadata: {name: p}\n"
		    "spec:\n  " FROM_WEB "  " TO_PAY,
		    KIND_TRAFFIC_PERMISSION, "shop", "p", true },
	};
	const struct resource *const *list;
	struct store *st;
	size_t i, n;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		st = load(rows[i].text);
		list = store_list(st, rows[i].kind, &n);
		cr_assert_eq(n, 1u, "%s", rows[i].what);
		cr_expect(list[0]->is_broken, "%s", rows[i].what);
		cr_expect_not_null(list[0]->spec);
		cr_expect(str_eq(list[0]->mesh, str_of(rows[i].mesh)),
		    "%s: mesh \"%.*s\"", rows[i].what, STR_ARG(list[0]->mesh));
		if (rows[i].name[0] != '\0')
			cr_expect(str_eq(list[0]->name, str_of(rows[i].name)),
			    "%s", rows[i].what);
		cr_expect_eq(list[0]->target_is_known, rows[i].target_is_known,
		    "%s", rows[i].what);
		store_free(st);
	}
}

Test(permission, other_kinds_do_not_stay_when_broken)
{
	struct store *st = load("type: ExternalService\nname: a\n");

	cr_expect_eq(count_in_force(st), 0u);
	store_free(st);
}
