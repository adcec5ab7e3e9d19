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
	cr_expect_eq(p->n_rules, 0u);
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

Test(permission, the_rules_form_is_read)
{
	struct store *st = load(MTP
	    "  rules:\n"
	    "  - default:\n"
	    "      deny:\n"
	    "      - spiffeID: {type: Exact, value: \"spiffe://shop/a\"}\n"
	    "      - sni: {type: Exact, value: a1.pay.443.shop.mes}\n"
	    "      allowWithShadowDeny:\n"
	    "      - spiffeID: {type: Prefix, value: \"spiffe://shop/b/\"}\n"
	    "        sni: {type: Exact, value: \"pay{mesh=shop}\"}\n"
	    "  - default:\n"
	    "      allow:\n"
	    "      - spiffeID: {type: Prefix, value: \"spiffe://shop\"}\n");
	const struct mesh_traffic_permission *p =
	    mesh_traffic_permission_of(mtp(st));

	cr_assert_not_null(p);
	cr_expect_eq(store_problems(st)->n, 0u);
	cr_expect_eq(p->n_from, 0u);
	cr_assert_eq(p->n_rules, 2u);
	cr_assert_eq(p->rules[0].deny.n, 2u);
	cr_expect(p->rules[0].deny.v[0].spiffe.is_given);
	cr_expect_not(p->rules[0].deny.v[0].sni.is_given);
	cr_expect_eq(p->rules[0].deny.v[0].spiffe.type, MATCH_EXACT);
	expect_str(p->rules[0].deny.v[0].spiffe.value, "spiffe://shop/a");
	cr_expect_not(p->rules[0].deny.v[1].spiffe.is_given);
	expect_str(p->rules[0].deny.v[1].sni.value, "a1.pay.443.shop.mes");
	cr_assert_eq(p->rules[0].allow_with_shadow_deny.n, 1u);
	cr_expect_eq(
	    p->rules[0].allow_with_shadow_deny.v[0].spiffe.type, MATCH_PREFIX);
	cr_expect_eq(p->rules[0].allow.n, 0u);
	cr_assert_eq(p->rules[1].allow.n, 1u);
	cr_expect_eq(p->rules[1].allow.v[0].line, 15u);
	store_free(st);
}

Test(permission, a_shadow_document_says_so)
{
	struct store *st =
	    load("type: MeshTrafficPermission\nmesh: shop\nname: p\n"
		 "labels: {kuma.io/effect: shadow}\nspec:\n" FROM_MESH);
	char *all = print_problems(st);

	cr_assert_not_null(mtp(st));
	cr_expect_not(mtp(st)->is_broken);
	cr_expect_not_null(strstr(all, "labels[\"kuma.io/effect\"]: warning: "
				       "shadow: the document is checked and "
				       "has no effect"),
	    "%s", all);
	free(all);
	store_free(st);
}

#define RULES(text) MTP "  rules: [{default: {" text "}}]\n"
#define ALLOW(text) RULES("allow: [{" text "}]")
#define SPIFFE(text) ALLOW("spiffeID: {" text "}")
#define EXACT(value) SPIFFE("type: Exact, value: \"" value "\"")
#define PREFIX(value) SPIFFE("type: Prefix, value: \"" value "\"")
#define SNI(value) ALLOW("sni: {type: Exact, value: \"" value "\"}")
#define IN_RULE "spec.rules[0].default"
#define IN_MATCH IN_RULE ".allow[0]"
#define IN_SPIFFE IN_MATCH ".spiffeID"

Test(permission, what_is_refused_of_rules)
{
	static const struct wrong rows[] = {
		{ "good", EXACT("spiffe://shop/ns/a/sa/B_1.x"), "", "" },
		{ "a prefix", PREFIX("spiffe://shop"), "", "" },
		{ "a prefix with a slash", PREFIX("spiffe://shop/a/"), "", "" },
		{ "a server name", SNI("sni.extsvc.default.z.aws.8443"), "",
		    "" },
		{ "a server name of tags", SNI("pay{mesh=shop,v=1}"), "", "" },
		{ "neither list", RULES(""), IN_RULE, "" },
		{ "empty lists", RULES("deny: []"), IN_RULE, "" },
		{ "no default", MTP "  rules: [{}]\n", IN_RULE, "" },
		{ "default empty", MTP "  rules: [{default: }]\n", IN_RULE,
		    "" },
		{ "no rules", MTP "  rules: []\n", "spec", "" },
		{ "rules is a map", MTP "  rules: {}\n", "spec spec.rules",
		    "" },
		{ "both",
		    MTP FROM_MESH "  rules: [{default: {deny: [{sni: "
				  "{type: Exact, value: a}}]}}]\n",
		    "spec", "" },
		{ "match of nothing", ALLOW(""), IN_MATCH, "" },
		/* Without these it would say more than it does. */
		{ "a misspelt list",
		    RULES("allow: [{sni: {type: Exact, "
			  "value: a}}], denny: []"),
		    IN_RULE ".denny", "" },
		{ "a misspelt field",
		    ALLOW("sni: {type: Exact, value: a}, "
			  "spiffeId: {type: Exact}"),
		    IN_MATCH ".spiffeId", "" },
		{ "an empty field",
		    ALLOW("sni: {type: Exact, value: a}, "
			  "spiffeID: "),
		    IN_SPIFFE, "" },
		{ "a field of Kuma's future",
		    SPIFFE("type: Exact, value: \"spiffe://shop/a\", "
			   "method: GET"),
		    IN_SPIFFE ".method", "" },
		{ "no type", SPIFFE("value: \"spiffe://shop/a\""),
		    IN_SPIFFE ".type", "" },
		{ "no value", SPIFFE("type: Exact"), IN_SPIFFE ".value", "" },
		{ "unknown type",
		    SPIFFE("type: Regex, value: \"spiffe://shop/a\""),
		    IN_SPIFFE ".type", "" },
		{ "no scheme", EXACT("some-service"), IN_SPIFFE ".value", "" },
		{ "a tag", EXACT("kuma://kuma.io/zone/a"), IN_SPIFFE ".value",
		    "" },
		{ "no domain", PREFIX("spiffe://"), IN_SPIFFE ".value", "" },
		{ "domain in capitals", EXACT("spiffe://Shop/a"),
		    IN_SPIFFE ".value", "" },
		{ "an end of slash", EXACT("spiffe://shop/a/"),
		    IN_SPIFFE ".value", "" },
		{ "empty segment", PREFIX("spiffe://shop//a"),
		    IN_SPIFFE ".value", "" },
		{ "dots", EXACT("spiffe://shop/../a"), IN_SPIFFE ".value", "" },
		{ "a star", EXACT("spiffe://shop/*"), IN_SPIFFE ".value", "" },
		{ "another domain", EXACT("spiffe://bank/a"), "",
		    IN_SPIFFE ".value" },
		{ "a domain alone", EXACT("spiffe://shop"), "",
		    IN_SPIFFE ".value" },
		{ "a domain that begins alike", PREFIX("spiffe://shop2"), "",
		    IN_SPIFFE ".value" },
		{ "sni empty", SNI(""), IN_MATCH ".sni.value", "" },
		{ "sni of type Prefix", ALLOW("sni: {type: Prefix, value: a}"),
		    IN_MATCH ".sni.type", "" },
		{ "sni without type", ALLOW("sni: {value: a}"),
		    IN_MATCH ".sni.type", "" },
		{ "sni no name", SNI("not_valid"), IN_MATCH ".sni.value", "" },
		{ "sni in capitals", SNI("Pay"), IN_MATCH ".sni.value", "" },
		{ "sni half of tags", SNI("pay{mesh=shop"),
		    IN_MATCH ".sni.value", "" },
		{ "each list",
		    RULES("deny: [{}], allowWithShadowDeny: [{}], allow: [{sni:"
			  " {type: Exact, value: a}}, {}]"),
		    IN_RULE ".allowWithShadowDeny[0] " IN_RULE
			    ".allow[1] " IN_RULE ".deny[0]",
		    "" },
	};

	expect_wrong(rows, ARRAY_LEN(rows));
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
		{ "target with a field mistyped",
		    TARGET("kind: MeshService, name: pay, tag: {a: b}"),
		    "spec.targetRef.tag", "" },
		{ "target with two names",
		    TARGET("kind: MeshSubset, namee: pay"),
		    "spec.targetRef.namee", "" },
		{ "every field of a target",
		    TARGET("kind: MeshService, name: pay, namespace: n, "
			   "sectionName: s, proxyTypes: [Sidecar], mesh: '', "
			   "labels: {a: b}"),
		    "", "" },
		{ "target of another mesh",
		    TARGET("kind: MeshService, name: pay, mesh: other"),
		    "spec.targetRef.mesh", "" },
		{ "from of another mesh",
		    FROM("kind: MeshService, name: web, mesh: other"),
		    "spec.from[0].targetRef.mesh", "" },
		{ "mesh that is no text",
		    TARGET("kind: MeshService, name: pay, mesh: [a]"),
		    "spec.targetRef.mesh", "" },
		{ "from with a field mistyped",
		    FROM("kind: MeshSubset, tag: {kuma.io/zone: eu}"),
		    "spec.from[0].targetRef.tag", "" },
		{ "a field beside the target",
		    MTP "  from: [{targetRef: {kind: Mesh}, default: {action: "
			"Deny}, tags: {a: b}}]\n",
		    "spec.from[0].tags", "" },
		{ "a field beside the action",
		    MTP "  from: [{targetRef: {kind: Mesh}, default: {action: "
			"Deny, actoin: Allow}}]\n",
		    "spec.from[0].default.actoin", "" },
		{ "target in the wrong case",
		    MTP
		    "  targetref: {kind: MeshService, name: pay}\n" FROM_MESH,
		    "spec.targetref", "" },
		{ "target that is empty", MTP "  targetRef:\n" FROM_MESH,
		    "spec.targetRef", "" },
		{ "rules with a target",
		    MTP "  rules: [{targetRef: {kind: Mesh}, default: {deny: "
			"[{sni: {type: Exact, value: a}}]}}]\n",
		    "spec.rules[0].targetRef", "" },
		{ "tag is a bool",
		    TARGET("kind: MeshSubset, tags: {custom: true}"),
		    "spec.targetRef.tags[\"custom\"]", "" },
	};

	expect_wrong(rows, ARRAY_LEN(rows));
}

Test(permission, the_nearest_field_is_named)
{
	struct store *st =
	    load(FROM("kind: MeshSubset, tag: {kuma.io/zone: eu}"));
	char *said = print_problems(st);

	cr_expect_not_null(
	    strstr(said, "f.yaml:5: spec.from[0].targetRef.tag: unknown field; "
			 "did you mean tags?"),
	    "%s", said);
	free(said);
	store_free(st);
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
		    TARGET("kind: MeshService, name: pay") "  rules: [{}]\n",
		    KIND_MESH_TRAFFIC_PERMISSION, "shop", "p", true },
		{ "target broken", TARGET("kind: MeshService"),
		    KIND_MESH_TRAFFIC_PERMISSION, "shop", "p", false },
		{ "target with a field mistyped",
		    TARGET("kind: MeshService, name: pay, tag: {a: b}"),
		    KIND_MESH_TRAFFIC_PERMISSION, "shop", "p", false },
		{ "target in the wrong case",
		    MTP
		    "  targetref: {kind: MeshService, name: pay}\n" FROM_MESH,
		    KIND_MESH_TRAFFIC_PERMISSION, "shop", "p", true },
		{ "from with a field mistyped",
		    MTP "  targetRef: {kind: MeshService, name: pay}\n"
			"  from: [{targetRef: {kind: MeshSubset, tag: {a: "
			"b}}, default: {action: Allow}}]\n",
		    KIND_MESH_TRAFFIC_PERMISSION, "shop", "p", true },
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
