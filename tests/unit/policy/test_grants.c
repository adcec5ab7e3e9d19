/* SPDX-License-Identifier: Apache-2.0 */
/* policy/grant.h: what a grant gets around, and what it does not. */

#include <criterion/criterion.h>

#include "build_yaml.h"
#include "policy/authorize.h"
#include "policy/grant.h"
#include "policy/sni.h"

#define NOW_S 1700000000
#define PLAIN \
	MESH("m", "") ES("m", "es", "es", "192.0.2.1:80", "") MES("m", "mes")
#define STRICT                                                    \
	MESH("m", "defaultForbidMeshExternalServiceAccess: true") \
	ES("m", "es", "es", "192.0.2.1:80", "") MES("m", "mes")
#define ANY "kind: Mesh"
#define RULES(rules)                                                      \
	"type: MeshTrafficPermission\nmesh: m\nname: r\n"                 \
	"spec: { targetRef: { kind: Mesh }, rules: [ { default: { " rules \
	" } } ] }\n---\n"
#define WEB_ID "[ { spiffeID: { type: Exact, value: 'spiffe://m/web' } } ]"

static const struct grant one = {
	.id = 7,
	.mesh = { "m", 1 },
	.caller = { "spiffe://m/web", 14 },
	.service = { "es", 2 },
	.reason = { "fix the db", 10 },
	.until_s = NOW_S + 100,
	.given_s = NOW_S,
	.uid = 5,
};

struct rig {
	struct store *store;
	struct problems problems;
	struct snapshot *snapshot;
};

static void
build(struct rig *r, const char *yaml, const struct grant *v, size_t n,
    int64_t now_s)
{
	struct build_settings set = default_settings;

	set.grants = v;
	set.n_grants = n;
	set.now_s = now_s;
	r->store = store_new();
	r->problems = PROBLEMS_NONE;
	r->snapshot = build_in(r->store, yaml, &set, NULL, NULL, &r->problems);
}

static void
drop(struct rig *r)
{
	snapshot_unref(r->snapshot);
	problems_free(&r->problems);
	store_free(r->store);
}

static struct verdict
ask(const struct rig *r, struct str sni, const char *uri)
{
	struct str uris = str_of(uri);
	const struct service *s = snapshot_match(r->snapshot, sni);
	struct identity *id;
	struct verdict v;

	cr_assert_not_null(s);
	cr_assert_eq(identity_new(STR("m"), &uris, 1, 0, &id), IDENTITY_OK);
	authorize(s, id, sni, &v);
	identity_free(id);
	return v;
}

#define ES_NAME STR("es{mesh=m}")

static const struct {
	const char *yaml;
	bool web, other;
	bool is_by_grant; /* web */
} rows[] = {
	{ PLAIN, true, false, true },
	{ PLAIN MTP("m", "p", ANY, ANY, "Deny"), true, false, true },
	{ PLAIN MTP("m", "p", ANY, ANY, "Allow"), true, true, true },
	/* It does not keep a TrafficPermission away. */
	{ PLAIN TP("m", "t", "*", "*"), true, true, true },
	/* What nothing gets around. */
	{ PLAIN RULES("deny: " WEB_ID), false, false, false },
	{ PLAIN MTP("m", "p", ANY, ANY, "Alow"), false, false, false },
};

Test(grants, table)
{
	struct rig r;
	struct verdict web, other;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		build(&r, rows[i].yaml, &one, 1, NOW_S);
		web = ask(&r, ES_NAME, "spiffe://m/web");
		other = ask(&r, ES_NAME, "spiffe://m/other");
		cr_expect_eq(web.is_allowed, rows[i].web, "row %zu", i);
		cr_expect_eq(other.is_allowed, rows[i].other, "row %zu", i);
		cr_expect_eq(
		    str_eq(web.rule, STR("grant 7: fix the db, until "
					 "2023-11-14T22:15:00.000Z, by uid 5")),
		    rows[i].is_by_grant, "row %zu: %.*s", i, STR_ARG(web.rule));
		drop(&r);
	}
}

/* Where only what names a MeshExternalService counts, a grant does. */
Test(grants, of_a_mesh_external_service)
{
	struct text sni = TEXT_EMPTY;
	struct grant g = one;
	struct rig r;

	g.service = STR("mes");
	sni_print_hashed(STR("mes"), STR("m"), 443, "mes", NULL, 0, &sni);
	build(&r, STRICT, &g, 1, NOW_S);
	cr_expect(ask(&r, text_str(&sni), "spiffe://m/web").is_allowed);
	cr_expect_not(ask(&r, text_str(&sni), "spiffe://m/a").is_allowed);
	cr_expect_not(ask(&r, ES_NAME, "spiffe://m/web").is_allowed);
	drop(&r);
	text_free(&sni);
}

Test(grants, end)
{
	struct rig r;

	build(&r, PLAIN, &one, 1, NOW_S + 99);
	cr_expect(ask(&r, ES_NAME, "spiffe://m/web").is_allowed);
	cr_expect_eq(snapshot_next_end_s(r.snapshot), NOW_S + 100);
	drop(&r);
	build(&r, PLAIN, &one, 1, NOW_S + 100);
	cr_expect_not(ask(&r, ES_NAME, "spiffe://m/web").is_allowed);
	cr_expect_eq(snapshot_next_end_s(r.snapshot), INT64_MAX);
	drop(&r);
}

/* Of another mesh: nothing; another reason is another service. */
Test(grants, are_told_apart)
{
	struct grant of_other = one, again = one;
	struct rig a, b;

	of_other.mesh = STR("n");
	build(&a, PLAIN, &of_other, 1, NOW_S);
	cr_expect_not(ask(&a, ES_NAME, "spiffe://m/web").is_allowed);
	drop(&a);
	again.id = 8;
	build(&a, PLAIN, &one, 1, NOW_S);
	build(&b, PLAIN, &again, 1, NOW_S);
	cr_expect_not(digest_eq(&snapshot_match(a.snapshot, ES_NAME)->digest,
	    &snapshot_match(b.snapshot, ES_NAME)->digest));
	drop(&a);
	drop(&b);
}

Test(grants, check)
{
	static const struct {
		const char *caller, *service, *reason;
		bool is_good;
	} texts[] = {
		{ "spiffe://m/web", "es", "because", true },
		{ "kuma://kuma.io/zone/a", "es", "because of ü", true },
		{ "web", "es", "because", false },
		{ "", "es", "because", false },
		{ "*", "es", "because", false },
		{ "spiffe://m/a b", "es", "because", false },
		{ "spiffe://m/web", "", "because", false },
		{ "spiffe://m/web", "a b", "because", false },
		{ "spiffe://m/web", "es", "", false },
		{ "spiffe://m/web", "es", "  ", false },
		{ "spiffe://m/web", "es", "a\nb", false },
		{ "spiffe://m/web", "es", "a \"b\"", false },
		{ "spiffe://m/web", "es", "a\\b", false },
	};
	struct text why = TEXT_EMPTY;
	struct grant g = one;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		text_clear(&why);
		g.caller = str_of(texts[i].caller);
		g.service = str_of(texts[i].service);
		g.reason = str_of(texts[i].reason);
		cr_expect_eq(
		    grant_check(&g, &why), texts[i].is_good, "row %zu", i);
		cr_expect_eq(why.len == 0, texts[i].is_good, "row %zu", i);
	}
	text_free(&why);
}
