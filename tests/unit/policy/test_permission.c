/* SPDX-License-Identifier: Apache-2.0 */
/* Who may use what, from permission documents to the answer. */

#include <criterion/criterion.h>

#include "build_yaml.h"
#include "policy/authorize.h"
#include "policy/sni.h"

#define BOTH ES("m", "es", "es", "192.0.2.1:80", "") MES("m", "mes")
#define PLAIN MESH("m", "") BOTH
#define STRICT MESH("m", "defaultForbidMeshExternalServiceAccess: true") BOTH
#define BY_MES "kind: MeshExternalService, name: mes"
#define BY_ES "kind: MeshService, name: es"
#define WEB "kind: MeshService, name: web"
#define IS_WEB CALLER("Exact", "spiffe://m/web")
#define IS_ANY CALLER("Prefix", "spiffe://m/")
#define ALLOW_WEB "allow: [ " IS_WEB " ]"
#define DENY_WEB "deny: [ " IS_WEB " ]"
#define ALLOW_ALL "allow: [ " IS_ANY " ]"
#define MES_SNI "afcc07deb9ca94b79.mes.443.m.mes"

/*
 * The truth table of Kuma, with what is meant to differ: a
 * MeshExternalService is denied unless a rule allows, like any other.
 */
static const struct {
	const char *yaml;
	bool mes_without_rule_allows;
	bool es_web, es_other, mes_web, mes_other; /* who gets in */
} rows[] = {
	{ PLAIN, false, false, false, false, false },
	{ PLAIN TP("m", "t", "web", "es"), false, true, false, false, false },
	{ PLAIN TP("m", "t", "web", "*"), false, true, false, true, false },
	/* A TrafficPermission never names a MeshExternalService. */
	{ PLAIN TP("m", "t", "web", "mes"), false, false, false, false, false },
	{ PLAIN MTP("m", "p", "kind: Mesh", WEB, "Allow"), false, true, false,
	    true, false },
	{ PLAIN MTP("m", "p", BY_ES, WEB, "Allow"), false, true, false, false,
	    false },
	{ PLAIN MTP("m", "p", BY_MES, WEB, "Allow"), false, false, false, true,
	    false },
	/* From-rules replace a TrafficPermission, where they are. */
	{ PLAIN TP("m", "t", "*", "*") MTP("m", "p", BY_ES, WEB, "Allow"),
	    false, true, false, true, true },
	{ PLAIN TP("m", "t", "*", "*") MTP("m", "p", "kind: Mesh", WEB, "Deny"),
	    false, false, false, false, false },
	{ PLAIN TP("m", "t", "*", "*")
		MTP("m", "p", "kind: Mesh", WEB, "AllowWithShadowDeny"),
	    false, true, false, true, false },
	/* The narrower document wins, in either direction. */
	{ PLAIN MTP("m", "a", "kind: Mesh", "kind: Mesh", "Allow")
		MTP("m", "b", BY_ES, WEB, "Deny"),
	    false, false, true, true, true },
	{ PLAIN MTP("m", "a", "kind: Mesh", "kind: Mesh", "Deny")
		MTP("m", "b", BY_MES, WEB, "Allow"),
	    false, false, false, true, false },
	/* Forbidden by default: only what names it counts. */
	{ STRICT TP("m", "t", "*", "*")
		MTP("m", "p", "kind: Mesh", "kind: Mesh", "Allow"),
	    false, true, true, false, false },
	{ STRICT MTP("m", "p", BY_MES, WEB, "Allow"), false, false, false, true,
	    false },
	/* As in Kuma, when asked for. */
	{ PLAIN, true, false, false, true, true },
	{ STRICT, true, false, false, false, false },
	{ PLAIN MTP("m", "p", BY_MES, WEB, "Allow"), true, false, false, true,
	    false },
	{ PLAIN MTP("m", "p", "kind: Mesh", "kind: Mesh", "Deny"), true, false,
	    false, false, false },
	/* The rules form: nothing is allowed but by a match. */
	{ PLAIN MTR("m", "p", "kind: Mesh", ALLOW_WEB), false, true, false,
	    true, false },
	{ PLAIN MTR("m", "p", BY_ES, ALLOW_WEB), false, true, false, false,
	    false },
	{ PLAIN MTR("m", "p", BY_MES, ALLOW_WEB), false, false, false, true,
	    false },
	{ PLAIN MTR(
	      "m", "p", "kind: Mesh", "allowWithShadowDeny: [ " IS_WEB " ]"),
	    false, true, false, true, false },
	{ PLAIN MTR("m", "p", "kind: Dataplane", ALLOW_ALL), false, false,
	    false, false, false },
	/* Deny wins, in one document and across, whatever it targets. */
	{ PLAIN MTR("m", "p", "kind: Mesh", ALLOW_ALL ", " DENY_WEB), false,
	    false, true, false, true },
	{ PLAIN MTR("m", "a", "kind: Mesh", DENY_WEB)
		MTR("m", "b", BY_ES, ALLOW_ALL),
	    false, false, true, false, false },
	{ PLAIN MTR("m", "a", BY_MES, DENY_WEB)
		MTR("m", "b", "kind: Mesh", ALLOW_ALL),
	    false, true, true, false, true },
	/* By the server name, alone and with the caller. */
	{ PLAIN MTR("m", "p", "kind: Mesh", "allow: [ " ASKED(MES_SNI) " ]"),
	    false, false, false, true, true },
	{ PLAIN MTR("m", "p", "kind: Mesh",
	      "allow: [ { spiffeID: { type: Exact, value: "
	      "\"spiffe://m/web\" }, sni: { type: Exact, value: "
	      "\"es{mesh=m}\" } } ]"),
	    false, true, false, false, false },
	{ PLAIN MTR("m", "p", "kind: Mesh",
	      ALLOW_ALL ", deny: [ " ASKED("es{mesh=m}") " ]"),
	    false, false, false, true, true },
	/* They take the place of TrafficPermissions, even to allow nobody. */
	{ PLAIN TP("m", "t", "*", "*") MTR("m", "p", BY_ES, ALLOW_WEB), false,
	    true, false, true, true },
	{ PLAIN TP("m", "t", "*", "*") MTR("m", "p", BY_ES, DENY_WEB), false,
	    false, false, true, true },
	{ PLAIN TP("m", "t", "*", "*") MTR("m", "p", BY_ES,
	      "allow: [ " CALLER("Exact", "spiffe://n/web") " ]"),
	    false, false, false, true, true },
	/* Both forms for one service: a deny of either wins. */
	{ PLAIN MTP("m", "f", "kind: Mesh", "kind: Mesh", "Allow")
		MTR("m", "p", "kind: Mesh", DENY_WEB),
	    false, false, true, false, true },
	{ PLAIN MTP("m", "f", "kind: Mesh", WEB, "Deny")
		MTR("m", "p", "kind: Mesh", ALLOW_ALL),
	    false, false, true, false, true },
	{ PLAIN MTP("m", "f", "kind: Mesh", WEB, "Allow")
		MTR("m", "p", "kind: Mesh",
		    "allow: [ " CALLER("Exact", "spiffe://m/other") " ]"),
	    false, true, true, true, true },
	/* Forbidden by default: a server name names the service too. */
	{ STRICT MTR("m", "p", "kind: Mesh", ALLOW_ALL), false, true, true,
	    false, false },
	{ STRICT MTR("m", "p", BY_MES, ALLOW_WEB), false, false, false, true,
	    false },
	{ STRICT MTR("m", "p", "kind: Mesh", "allow: [ " ASKED(MES_SNI) " ]"),
	    false, false, false, true, true },
	{ STRICT MTR("m", "p", "kind: Mesh", DENY_WEB)
		MTR("m", "q", BY_MES, ALLOW_ALL),
	    false, false, false, false, true },
	/* Of another mesh: nothing. */
	{ PLAIN MESH("n", "")
		MTP("n", "p", "kind: Mesh", "kind: Mesh", "Allow"),
	    false, false, false, false, false },
};

static bool
gets_in(const struct snapshot *s, struct str sni, const char *uri)
{
	const struct service *service = snapshot_match(s, sni);
	struct str uris = str_of(uri);
	struct identity *id;
	struct verdict v;

	cr_assert_not_null(service);
	cr_assert_eq(identity_new(STR("m"), &uris, 1, 0, &id), IDENTITY_OK);
	authorize(service, id, sni, &v);
	identity_free(id);
	return v.is_allowed;
}

Test(permission, truth_table)
{
	struct build_settings set = default_settings;
	struct text mes = TEXT_EMPTY;
	struct problems pr;
	struct snapshot *s;
	struct store *st;
	size_t i;

	sni_print_hashed(STR("mes"), STR("m"), 443, "mes", NULL, 0, &mes);
	cr_assert_str_eq(mes.p, MES_SNI);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		pr = PROBLEMS_NONE;
		st = store_new();
		set.mes_without_rule_allows = rows[i].mes_without_rule_allows;
		s = build_in(st, rows[i].yaml, &set, NULL, NULL, &pr);
		cr_expect_eq(store_problems(st)->errors, 0, "row %zu", i);
		cr_expect_eq(gets_in(s, STR("es{mesh=m}"), "spiffe://m/web"),
		    rows[i].es_web, "row %zu: es, web", i);
		cr_expect_eq(gets_in(s, STR("es{mesh=m}"), "spiffe://m/other"),
		    rows[i].es_other, "row %zu: es, other", i);
		cr_expect_eq(gets_in(s, text_str(&mes), "spiffe://m/web"),
		    rows[i].mes_web, "row %zu: mes, web", i);
		cr_expect_eq(gets_in(s, text_str(&mes), "spiffe://m/other"),
		    rows[i].mes_other, "row %zu: mes, other", i);
		snapshot_unref(s);
		problems_free(&pr);
		store_free(st);
	}
	text_free(&mes);
}

#define TP_FROM(match)                                                    \
	"type: TrafficPermission\nmesh: m\nname: t\nsources: [ { match: " \
	"{ " match                                                        \
	" } } ]\ndestinations: [ { match: { kuma.io/service: es } } "     \
	"]\n---\n"
#define ANY "kind: Mesh"
#define X "kuma.io/zone: x"

/* Callers by every URI of their certificate, and Kuma's truth table. */
static const struct {
	const char *yaml;
	const char *uris; /* by blanks */
	bool is_allowed;
} callers[] = {
	/* TrafficPermission: AND over tags, "*" is no condition. */
	{ PLAIN TP_FROM("kuma.io/service: web"), "spiffe://m/web", true },
	{ PLAIN TP_FROM("kuma.io/service: web"), "spiffe://m/web2", false },
	{ PLAIN TP_FROM("kuma.io/service: web"),
	    "kuma://kuma.io/service/web spiffe://m/api", false },
	{ PLAIN TP_FROM("kuma.io/service: web"),
	    "spiffe://m/api spiffe://m/web", true },
	{ PLAIN TP_FROM("kuma.io/service: web, " X), "spiffe://m/web", false },
	{ PLAIN TP_FROM("kuma.io/service: web, " X),
	    "spiffe://m/web kuma://kuma.io/zone/x", true },
	{ PLAIN TP_FROM("kuma.io/service: web, " X),
	    "spiffe://m/web kuma://kuma.io/zone/xy", false },
	{ PLAIN TP_FROM("kuma.io/service: \"*\", " X),
	    "spiffe://m/api kuma://kuma.io/zone/x", true },
	{ PLAIN TP_FROM("kuma.io/service: \"*\""), "spiffe://m/api", true },
	{ PLAIN TP_FROM(X), "spiffe://m/api kuma://kuma.io/zone/y", false },
	/* The from form: disjoint by negation in Kuma, by order here. */
	{ PLAIN MTP(
	      "m", "p", BY_ES, "kind: MeshSubset, tags: { " X " }", "Allow"),
	    "spiffe://m/api kuma://kuma.io/zone/x", true },
	{ PLAIN MTP(
	      "m", "p", BY_ES, "kind: MeshSubset, tags: { " X " }", "Allow"),
	    "spiffe://m/api kuma://kuma.io/zone/y", false },
	{ PLAIN MTP("m", "p", BY_ES,
	      "kind: MeshServiceSubset, name: web, tags: { " X " }", "Allow"),
	    "spiffe://m/web", false },
	{ PLAIN MTP("m", "p", BY_ES,
	      "kind: MeshServiceSubset, name: web, tags: { " X " }", "Allow"),
	    "spiffe://m/web kuma://kuma.io/zone/x", true },
	{ PLAIN MTP("m", "p", BY_ES,
	      "kind: MeshServiceSubset, name: web, tags: { " X
	      " } }, default: { action: Deny } }, { targetRef: { kind: Mesh",
	      "AllowWithShadowDeny"),
	    "spiffe://m/web", true },
	{ PLAIN MTP("m", "a", ANY, "kind: MeshSubset, tags: { " X " }", "Allow")
		MTP("m", "b", BY_ES, WEB, "Deny"),
	    "spiffe://m/web kuma://kuma.io/zone/x", false },
	{ PLAIN MTP("m", "a", ANY, "kind: MeshSubset, tags: { " X " }", "Allow")
		MTP("m", "b", BY_ES, WEB, "Deny"),
	    "spiffe://m/api kuma://kuma.io/zone/x", true },
	/* Names of another mesh are nobody's here, but may be denied. */
	{ PLAIN MTR("m", "p", ANY,
	      "allow: [ " CALLER("Exact", "spiffe://n/web") " ]"),
	    "spiffe://m/api spiffe://n/web", false },
	{ PLAIN MTR("m", "p", ANY,
	      ALLOW_ALL ", deny: [ " CALLER("Exact", "spiffe://n/web") " ]"),
	    "spiffe://m/api spiffe://n/web", false },
	{ PLAIN MTR("m", "p", ANY,
	      "allow: [ " CALLER("Prefix", "spiffe://m/web") " ]"),
	    "spiffe://m/web-test", true },
	{ PLAIN MTR("m", "p", ANY,
	      "allow: [ " CALLER("Prefix", "spiffe://m/web/") " ]"),
	    "spiffe://m/web-test", false },
	{ PLAIN MTR("m", "p", ANY,
	      "allow: [ " CALLER("Prefix", "spiffe://m/web/") " ]"),
	    "spiffe://m/web/sa", true },
	{ PLAIN MTR(
	      "m", "p", ANY, "allow: [ " CALLER("Prefix", "spiffe://m/a") " ]"),
	    "spiffe://m/web spiffe://n/a", false },
	/* Whatever the service allows, a tag does not stand for a name. */
	{ PLAIN MTR("m", "p", ANY, ALLOW_WEB),
	    "kuma://kuma.io/service/web spiffe://m/api", false },
};

static bool
gets_in_by(const struct snapshot *s, const char *text)
{
	const struct service *service = snapshot_match(s, STR("es{mesh=m}"));
	struct str rest = str_of(text), uris[4];
	struct identity *id;
	struct verdict v;
	size_t n = 0;

	while (rest.len > 0)
		uris[n++] = str_cut(&rest, ' ');
	cr_assert_eq(identity_new(STR("m"), uris, n, 0, &id), IDENTITY_OK);
	authorize(service, id, STR("es{mesh=m}"), &v);
	identity_free(id);
	return v.is_allowed;
}

Test(permission, callers_by_their_certificates)
{
	struct snapshot *s;

	for (size_t i = 0; i < ARRAY_LEN(callers); i++) {
		s = build_yaml(callers[i].yaml);
		cr_expect_eq(gets_in_by(s, callers[i].uris),
		    callers[i].is_allowed, "row %zu: %s", i, callers[i].uris);
		snapshot_unref(s);
	}
}

/* A document whose mesh cannot be read may be meant for any. */
Test(permission, unreadable_mesh_denies_all)
{
	struct problems pr = PROBLEMS_NONE;
	struct store *st = store_new();
	struct snapshot *s = build_in(st,
	    PLAIN MTP("m", "p", "kind: Mesh", "kind: Mesh",
		"Allow") "type: MeshTrafficPermission\nmesh: [ x ]\nname: "
			 "odd\nspec: { "
			 "targetRef: { kind: Mesh }, from: [ { targetRef: { "
			 "kind: Mesh }, "
			 "default: { action: Allow } } ] }\n",
	    &default_settings, NULL, NULL, &pr);

	cr_expect_gt(store_problems(st)->errors, 0);
	cr_expect_not(gets_in(s, STR("es{mesh=m}"), "spiffe://m/web"));
	snapshot_unref(s);
	problems_free(&pr);
	store_free(st);
}

/* One understood before stays in force while its text makes no sense. */
Test(permission, broken_later_keeps_the_last_good)
{
	struct problems pr = PROBLEMS_NONE;
	struct store *st = store_new();
	struct snapshot *a =
	    build_in(st, PLAIN MTP("m", "p", "kind: Mesh", WEB, "Allow"),
		&default_settings, NULL, NULL, &pr);
	struct snapshot *b =
	    build_in(st, PLAIN MTP("m", "p", "kind: Mesh", WEB, "Alow"),
		&default_settings, a, NULL, &pr);

	cr_expect_gt(store_problems(st)->errors, 0);
	cr_expect(gets_in(b, STR("es{mesh=m}"), "spiffe://m/web"));
	cr_expect_not(gets_in(b, STR("es{mesh=m}"), "spiffe://m/other"));
	snapshot_unref(a);
	snapshot_unref(b);
	problems_free(&pr);
	store_free(st);
}

/* Permission is per ExternalService: it gives endpoints, not the service. */
Test(permission, members_are_permitted_one_by_one)
{
	struct snapshot *s = build_yaml(MESH("m",
	    "") "type: ExternalService\nmesh: m\nname: v1\ntags: { "
		"kuma.io/service: s, version: v1 }\nnetworking: { address: "
		"192.0.2.1:80 }\n---\n"
		"type: ExternalService\nmesh: m\nname: v2\ntags: { "
		"kuma.io/service: s, version: v2 }\nnetworking: { address: "
		"192.0.2.2:80 }\n---\n"
		"type: TrafficPermission\nmesh: m\nname: p\nsources: [ { "
		"match: { "
		"kuma.io/service: \"*\" } } ]\ndestinations: [ { match: { "
		"kuma.io/service: s, version: v2 } } ]\n");
	const struct service *service = snapshot_match(s, STR("s{mesh=m}"));
	struct str uri = STR("spiffe://m/web");
	struct identity *id;
	struct verdict v;
	size_t i;

	cr_assert_eq(identity_new(STR("m"), &uri, 1, 0, &id), IDENTITY_OK);
	authorize(service, id, STR("s{mesh=m}"), &v);
	cr_expect(v.is_allowed);
	cr_assert_eq(service->n_local, 2);
	for (i = 0; i < 2; i++)
		cr_expect_eq(v.rulesets >> service->local[i].ruleset & 1,
		    str_eq(service->local[i].endpoint->key, STR("v2")));
	identity_free(id);
	snapshot_unref(s);
}
