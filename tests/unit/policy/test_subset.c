/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server names with tags: which endpoints and relays they are for, what a
 * verdict makes of it, and what is told where there is none.
 */

#include <criterion/criterion.h>

#include "build_yaml.h"
#include "policy/authorize.h"

#define HOST(name, tags)                              \
	"type: ExternalService\nmesh: m\nname: " name \
	"\ntags: { kuma.io/service: s" tags           \
	" }\nnetworking: { address: \"192.0.2.1:80\" }\n---\n"
#define ROUTE(to)                                                      \
	"type: TrafficRoute\nmesh: m\nname: r\nsources: [ { match: { " \
	"kuma.io/service: \"*\" } } ]\ndestinations: [ { match: { "    \
	"kuma.io/service: \"*\" } } ]\nconf: { split: [ " to " ] }\n---\n"
#define TO(tags) "{ weight: 1, destination: { kuma.io/service: s" tags " } }"
#define TO_ALL(tags) \
	"{ weight: 1, destination: { kuma.io/service: \"*\"" tags " } }"
#define INGRESS(offers)                                                       \
	"type: ZoneIngress\nname: far\nzone: z2\nnetworking: { address: "     \
	"10.0.0.9, port: 1, advertisedAddress: 203.0.113.2, advertisedPort: " \
	"1 }\navailableServices: [ " offers " ]\n---\n"
#define OFFER(tags)                         \
	"{ tags: { kuma.io/service: s" tags \
	" }, instances: 1, mesh: m, externalService: true }"
#define ALLOW MTP("m", "p", "kind: Mesh", "kind: Mesh", "Allow")
#define AWAY MESH("m", "zoneEgress: true") ALLOW
#define HERE MESH("m", "") ALLOW
#define V(n) ", version: v" #n
#define TWO HOST("a", V(1)) HOST("b", V(2))

/* want: keys of the endpoints that a caller gets, and "+" for a relay. */
static const struct {
	const char *yaml;
	const char *sni;
	const char *want;
	enum route route;
} rows[] = {
	{ HERE TWO, "s{mesh=m}", "ab", ROUTE_SERVE },
	{ HERE TWO ROUTE(TO("")), "s{mesh=m}", "ab", ROUTE_SERVE },
	{ HERE TWO ROUTE(TO("") ", " TO(V(1))), "s{mesh=m}", "ab",
	    ROUTE_SERVE },
	{ HERE TWO ROUTE(TO("") ", " TO(V(1))), "s{mesh=m,version=v1}", "a",
	    ROUTE_SERVE },
	{ HERE TWO ROUTE(TO(V(2)) ", " TO(V(1))), "s{mesh=m,version=v2}", "b",
	    ROUTE_SERVE },
	{ HERE TWO ROUTE(TO(V(2)) ", " TO(V(1))), "S{mesh=m,version=V2}", "b",
	    ROUTE_SERVE },
	{ HERE TWO ROUTE(TO_ALL("") ", " TO_ALL(V(1))), "s{mesh=m,version=v1}",
	    "a", ROUTE_SERVE },
	{ HERE TWO ROUTE(TO("") ", " TO(V(3))), "s{mesh=m,version=v3}", "",
	    ROUTE_NO_SUBSET },
	/* Every endpoint has the tag: the name narrows nothing. */
	{ HERE HOST("a", V(1)) HOST("b", V(1)) ROUTE(TO(V(1))),
	    "s{mesh=m,version=v1}", "ab", ROUTE_SERVE },
	{ HERE TWO HOST("c", V(1) ", env: x") ROUTE(TO(V(1)) ", " TO("")),
	    "s{mesh=m,version=v1}", "ac", ROUTE_SERVE },
	{ HERE TWO HOST("c", V(1) ", env: x")
		ROUTE(TO(V(1) ", env: x") ", " TO("")),
	    "s{env=x,mesh=m,version=v1}", "c", ROUTE_SERVE },
	/* Names that differ in case only are one, for what either means. */
	{ HERE HOST("a", ", v: X") HOST("b", ", v: x") HOST("c", ", v: y")
		ROUTE(TO(", v: X") ", " TO(", v: x")),
	    "s{mesh=m,v=x}", "ab", ROUTE_SERVE },
	/* Other zones. */
	{ AWAY HOST("a", V(1)) INGRESS(OFFER(V(2)))
		ROUTE(TO(V(1)) ", " TO(V(2))),
	    "s{mesh=m,version=v1}", "a", ROUTE_SERVE },
	{ AWAY HOST("a", V(1)) INGRESS(OFFER(V(2)))
		ROUTE(TO(V(1)) ", " TO(V(2))),
	    "s{mesh=m,version=v2}", "+", ROUTE_RELAY },
	{ AWAY INGRESS(OFFER(V(1)) ", " OFFER(V(2)))
		ROUTE(TO(V(1)) ", " TO(V(2)) ", " TO(V(3))),
	    "s{mesh=m,version=v2}", "+", ROUTE_RELAY },
	{ AWAY INGRESS(OFFER(V(1)) ", " OFFER(V(2)))
		ROUTE(TO(V(1)) ", " TO(V(2)) ", " TO(V(3))),
	    "s{mesh=m,version=v3}", "", ROUTE_NO_SUBSET },
};

static void
print_allowed(const struct service *s, struct str sni, struct text *out)
{
	struct str uri = STR("spiffe://m/web");
	uint64_t relays = service_scope(s, sni).relays;
	struct identity *id;
	struct verdict v;
	size_t i;

	cr_assert_eq(identity_new(STR("m"), &uri, 1, 0, &id), IDENTITY_OK);
	authorize(s, id, sni, &v);
	for (i = 0; i < s->n_local; i++)
		if ((v.rulesets >> s->local[i].ruleset & 1) != 0)
			text_add(out, s->local[i].endpoint->key);
	for (i = 0; i < s->n_remote; i++)
		if ((relays >> s->remote[i].ruleset & 1) != 0)
			text_add_char(out, '+');
	identity_free(id);
}

Test(subset, table)
{
	struct problems pr = PROBLEMS_NONE;
	struct text got = TEXT_EMPTY;
	const struct service *s;
	struct snapshot *snap;
	struct store *st;
	struct str sni;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		st = store_new();
		snap = build_in(
		    st, rows[i].yaml, &default_settings, NULL, NULL, &pr);
		cr_assert_eq(pr.errors, 0, "row %zu", i);
		sni = str_of(rows[i].sni);
		s = snapshot_match(snap, sni);
		cr_assert_not_null(s, "row %zu", i);
		text_clear(&got);
		print_allowed(s, sni, &got);
		cr_expect(str_eq(text_str(&got), str_of(rows[i].want)),
		    "row %zu: %.*s", i, STR_ARG(text_str(&got)));
		cr_expect_eq(
		    service_route(s, service_scope(s, sni), false, true, 0),
		    rows[i].route, "row %zu", i);
		snapshot_unref(snap);
		store_free(st);
	}
	text_free(&got);
	problems_free(&pr);
}

static struct service *
service_of(const struct snapshot *snap)
{
	struct service *s = snapshot_find(snap, STR("m/ES/s"));

	cr_assert_not_null(s);
	return s;
}

/* Without need nothing is kept, and rules are the same as ever. */
Test(subset, names_for_all_cost_nothing)
{
	struct snapshot *all = build_yaml(HERE TWO ROUTE(TO("")));
	struct snapshot *same =
	    build_yaml(HERE HOST("a", V(1)) HOST("b", V(1)) ROUTE(TO(V(1))));
	struct snapshot *narrow = build_yaml(HERE TWO ROUTE(TO(V(1))));

	cr_expect_null(service_of(all)->scopes);
	cr_expect_null(service_of(same)->scopes);
	cr_expect_eq(service_of(same)->n_rulesets, 1);
	cr_expect_not_null(service_of(narrow)->scopes);
	cr_expect_eq(service_of(narrow)->n_rulesets, 2);
	cr_expect_eq(service_of(narrow)->rulesets[0].block,
	    service_of(narrow)->rulesets[1].block);
	cr_expect_not(digest_eq(&service_of(narrow)->rulesets[0].digest,
	    &service_of(narrow)->rulesets[1].digest));
	snapshot_unref(all);
	snapshot_unref(same);
	snapshot_unref(narrow);
}

/* A name that the service has no more is for nothing; nobody is asked. */
Test(subset, report_mode_opens_no_other_endpoint)
{
	struct build_settings set = default_settings;
	struct problems pr = PROBLEMS_NONE;
	struct store *st = store_new();
	struct str uri = STR("spiffe://m/web");
	const struct service *s;
	struct snapshot *snap;
	struct identity *id;
	struct verdict v;

	set.report_only = true;
	snap = build_in(st, MESH("m", "") TWO ROUTE(TO(V(1)) ", " TO("")), &set,
	    NULL, NULL, &pr);
	s = service_of(snap);
	cr_assert_eq(identity_new(STR("m"), &uri, 1, 0, &id), IDENTITY_OK);
	authorize(s, id, STR("s{mesh=m,version=v1}"), &v);
	cr_expect(v.is_allowed && v.is_reported);
	cr_expect_eq(v.rulesets, UINT64_C(1) << s->local[0].ruleset);
	cr_expect_eq(v.kept_rulesets, v.rulesets);
	authorize(s, id, STR("s{mesh=m,version=v9}"), &v);
	cr_expect(!v.is_allowed && v.has_no_subset);
	cr_expect_eq(v.kept_rulesets, 0);
	identity_free(id);
	snapshot_unref(snap);
	store_free(st);
	problems_free(&pr);
}
