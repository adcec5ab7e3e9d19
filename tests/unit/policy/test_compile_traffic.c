/* SPDX-License-Identifier: Apache-2.0 */
/* Kuma sections 8.3 to 8.6, row by row: who has to keep to what, and where. */

#include <criterion/criterion.h>
#include <stdlib.h>

#include "build_yaml.h"
#include "policy/identity.h"
#include "policy/sni.h"

#define HTTP_ES(name, service, more)                                           \
	"type: ExternalService\nmesh: m\nname: " name                          \
	"\ntags: { kuma.io/service: " service ", kuma.io/protocol: http " more \
	" }\nnetworking: { address: \"192.0.2.1:80\" }\n---\n"
#define HTTP_MES(name)                                               \
	"type: MeshExternalService\nmesh: m\nname: " name            \
	"\nlabels: { team: post }\nspec: { match: { type: "          \
	"HostnameGenerator, port: 443, protocol: http }, endpoints:" \
	" [ { address: 192.0.2.1, port: 443 } ] }\n---\n"
#define ALL                                     \
	MESH("m", "")                           \
	HTTP_ES("es-1", "es", ", version: '1'") \
	HTTP_ES("es-2", "es", ", version: '2'") \
	ES("m", "tcp", "tcp", "192.0.2.2:80", "") HTTP_MES("mes")

#define RL(name, sources, destination, num)                              \
	"type: RateLimit\nmesh: m\nname: " name "\nsources: [ " sources  \
	" ]\ndestinations: [ { match: { " destination " } } ]\nconf: { " \
	"http: { requests: " #num ", interval: 1s } }\n---\n"
#define BY(tags) "{ match: { " tags " } }"
#define WEB "kuma.io/service: web"
#define ANY "kuma.io/service: '*'"
#define TO_ES "kuma.io/service: es"
#define MRL(name, top, from)                                         \
	"type: MeshRateLimit\nmesh: m\nname: " name "\nspec: { " top \
	" from: [ " from " ] }\n---\n"
#define TOP(target) "targetRef: { " target " },"
#define FROM(who, local) \
	"{ targetRef: { " who " }, default: { local: { " local " } } }"
#define FROM_MESH(local) FROM("kind: Mesh", local)
#define HTTP(num) "http: { requestRate: { num: " #num ", interval: 1s } }"
#define TCP(num) "tcp: { connectionRate: { num: " #num ", interval: 1s } }"
#define SHADOW(document) "labels: { kuma.io/effect: shadow }\n" document

#define WEB_SVC "kind: MeshService, name: web"

/* Numbers of the limit of the caller web of zone eu; 0: none. */
static const struct {
	const char *what;
	const char *yaml;
	unsigned es, mes, connections, tcp; /* requests of es, of mes, ... */
} limits[] = {
	{ "nothing", "", 0, 0, 0, 0 },
	{ "by service", RL("a", BY(WEB), TO_ES, 5), 5, 0, 0, 0 },
	{ "of somebody else", RL("a", BY("kuma.io/service: we"), TO_ES, 5), 0,
	    0, 0, 0 },
	{ "one of two sources",
	    RL("a", BY("kuma.io/service: x") "," BY(WEB), TO_ES, 5), 5, 0, 0,
	    0 },
	{ "all tags of a source",
	    RL("a", BY(WEB ", kuma.io/zone: us"), TO_ES, 5), 0, 0, 0, 0 },
	{ "any value", RL("a", BY(ANY ", version: '*'"), TO_ES, 5), 5, 0, 0,
	    0 },
	{ "of one ExternalService for its service",
	    RL("a", BY(WEB), TO_ES ", version: '2'", 5), 5, 0, 0, 0 },
	{ "of no ExternalService", RL("a", BY(WEB), TO_ES ", version: '3'", 5),
	    0, 0, 0, 0 },
	{ "of every service", RL("a", BY(WEB), ANY, 5), 5, 5, 0, 0 },
	{ "legacy never names a MeshExternalService",
	    RL("a", BY(WEB), "kuma.io/service: mes", 5), 0, 0, 0, 0 },
	{ "most specific source first",
	    RL("a", BY(ANY), TO_ES, 1) RL("b", BY(WEB), TO_ES, 2)
		RL("c", BY(WEB ", kuma.io/zone: eu"), TO_ES, 3),
	    3, 0, 0, 0 },
	{ "of equals the first by name",
	    RL("b", BY(WEB), TO_ES, 2) RL("a", BY(WEB), TO_ES, 1), 1, 0, 0, 0 },
	{ "of all to all", MRL("a", "", FROM_MESH(HTTP(5) ", " TCP(7))), 5, 5,
	    7, 7 },
	{ "of a service",
	    MRL("a", TOP("kind: MeshService, name: es"), FROM_MESH(HTTP(5))), 5,
	    0, 0, 0 },
	{ "of a subset",
	    MRL("a", TOP("kind: MeshSubset, tags: { version: '2' }"),
		FROM_MESH(HTTP(5))),
	    5, 0, 0, 0 },
	{ "of a MeshExternalService",
	    MRL("a",
		TOP("kind: MeshExternalService, name: mes, sectionName: '443'"),
		FROM_MESH(HTTP(5) "," TCP(3))),
	    0, 5, 0, 0 },
	{ "by its labels",
	    MRL("a", TOP("kind: MeshExternalService, labels: { team: post }"),
		FROM_MESH(HTTP(5))),
	    0, 5, 0, 0 },
	{ "another port",
	    MRL("a",
		TOP("kind: MeshExternalService, name: mes, sectionName: '80'"),
		FROM_MESH(HTTP(5))),
	    0, 0, 0, 0 },
	{ "of Dataplanes", MRL("a", TOP("kind: Dataplane"), FROM_MESH(HTTP(5))),
	    0, 0, 0, 0 },
	{ "shadow",
	    "type: MeshRateLimit\nmesh: m\nname: a\n" SHADOW(
		"spec: { from: [ " FROM_MESH(HTTP(5)) " ] }\n---\n"),
	    0, 0, 0, 0 },
	{ "disabled",
	    MRL("a", "",
		FROM_MESH("http: { disabled: true, requestRate: { "
			  "num: 5, interval: 1s } }")),
	    0, 0, 0, 0 },
	{ "no rate",
	    MRL("a", "",
		FROM_MESH("http: { onRateLimit: { status: "
			  "503 } }")),
	    0, 0, 0, 0 },
	{ "the narrower wins",
	    MRL("z", TOP("kind: MeshService, name: es"), FROM_MESH(HTTP(5)))
		MRL("a", "", FROM_MESH(HTTP(6))),
	    5, 6, 0, 0 },
	{ "the first name wins",
	    MRL("b", "", FROM_MESH(HTTP(6))) MRL("a", "", FROM_MESH(HTTP(5))),
	    5, 5, 0, 0 },
	{ "the later item wins",
	    MRL("a", "", FROM_MESH(HTTP(5)) "," FROM(WEB_SVC, HTTP(6))), 6, 6,
	    0, 0 },
	{ "the later item wins, broad as it is",
	    MRL("a", "", FROM(WEB_SVC, HTTP(6)) "," FROM_MESH(HTTP(5))), 5, 5,
	    0, 0 },
	{ "disabled above",
	    MRL("a", TOP("kind: MeshService, name: es"),
		FROM_MESH("http: { disabled: true }"))
		MRL("b", "", FROM_MESH(HTTP(5) "," TCP(7))),
	    0, 5, 7, 7 },
	{ "enabled again above",
	    MRL("a", TOP("kind: MeshService, name: es"),
		FROM_MESH("http: { disabled: false }")) MRL("b", "",
		FROM_MESH("http: { disabled: true, requestRate: "
			  "{ num: 5, interval: 1s } }")),
	    5, 0, 0, 0 },
	{ "disabled for one caller",
	    MRL("a", "",
		FROM_MESH(HTTP(5) "," TCP(7)) "," FROM(
		    WEB_SVC, "http: { disabled: true }")),
	    0, 0, 7, 7 },
	{ "both kinds: the older keeps its own",
	    RL("a", BY(WEB), TO_ES, 5) MRL("a", "", FROM_MESH(HTTP(6))), 5, 6,
	    0, 0 },
	{ "both kinds: callers without one",
	    RL("a", BY("kuma.io/service: x"), TO_ES, 5)
		MRL("a", "", FROM_MESH(HTTP(6))),
	    6, 6, 0, 0 },
	{ "of another mesh",
	    MESH("n", "") "type: MeshRateLimit\nmesh: n\nname: a\nspec: { "
			  "from: [ " FROM_MESH(HTTP(5)) " ] }\n---\n",
	    0, 0, 0, 0 },
};

static const char *const web[] = { "spiffe://m/web", "kuma://kuma.io/zone/eu" };

static struct identity *
caller(const char *const *uris)
{
	struct str v[] = { str_of(uris[0]), str_of(uris[1]) };
	struct identity *id;

	cr_assert_eq(identity_new(STR("m"), v, 2, 0, &id), IDENTITY_OK);
	return id;
}

static const struct traffic_policy *
traffic_of(const struct snapshot *s, const char *key)
{
	const struct service *found = snapshot_find(s, str_of(key));

	cr_assert_not_null(found, "%s", key);
	return found->traffic;
}

static unsigned
limit_of(const struct snapshot *s, const char *key, enum rate_of of)
{
	struct identity *id = caller(web);
	const struct rate_rule *r = traffic_rate(traffic_of(s, key), of, id);

	identity_free(id);
	return r == NULL ? 0 : (unsigned)r->num;
}

Test(compile_traffic, limits)
{
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct text yaml = TEXT_EMPTY;
		struct snapshot *s;

		text_add_z(&yaml, ALL);
		text_add_z(&yaml, limits[i].yaml);
		s = build_yaml(yaml.p);
		cr_expect_eq(limit_of(s, "m/ES/es", RATE_OF_REQUESTS),
		    limits[i].es, "%s: es", limits[i].what);
		cr_expect_eq(limit_of(s, "m/MES/mes", RATE_OF_REQUESTS),
		    limits[i].mes, "%s: mes", limits[i].what);
		cr_expect_eq(limit_of(s, "m/ES/es", RATE_OF_CONNECTIONS),
		    limits[i].connections, "%s: connections", limits[i].what);
		cr_expect_eq(limit_of(s, "m/ES/tcp", RATE_OF_CONNECTIONS),
		    limits[i].tcp, "%s: tcp", limits[i].what);
		/* A limit of requests is none where none is looked at. */
		cr_expect_eq(limit_of(s, "m/ES/tcp", RATE_OF_REQUESTS), 0,
		    "%s: requests of tcp", limits[i].what);
		snapshot_unref(s);
		text_free(&yaml);
	}
}

#define FI(name, sources, destination, conf)                                  \
	"type: FaultInjection\nmesh: m\nname: " name "\nsources: [ " sources  \
	" ]\ndestinations: [ { match: { " destination                         \
	", kuma.io/protocol: http } } ]\nconf: { abort: { httpStatus: " #conf \
	", percentage: 100 } }\n---\n"
#define MFI(name, top, from)                                              \
	"type: MeshFaultInjection\nmesh: m\nname: " name "\nspec: { " top \
	" from: [ " from " ] }\n---\n"
#define FAULTS(who, list) "{ targetRef: { " who " }, default: { " list " } }"
#define ABORT(status) \
	"http: [ { abort: { httpStatus: " #status ", percentage: 1 } } ]"

static const struct {
	const char *what;
	const char *yaml;
	const char *es, *mes; /* statuses of all that apply */
} faults[] = {
	{ "nothing", "", "", "" },
	{ "of a service", FI("a", BY(WEB), TO_ES, 501), " 501", "" },
	{ "of somebody else", FI("a", BY("kuma.io/service: x"), TO_ES, 501), "",
	    "" },
	{ "of one ExternalService for its service",
	    FI("a", BY(WEB), TO_ES ", version: '1'", 501), " 501", "" },
	{ "of every service", FI("a", BY(WEB), ANY, 501), " 501", " 501" },
	{ "all that match",
	    FI("b", BY(ANY), TO_ES, 502) FI("a", BY(ANY), TO_ES, 501)
		FI("c", BY(WEB), TO_ES, 503),
	    " 503 501 502", "" },
	{ "of all", MFI("a", "", FAULTS("kind: Mesh", ABORT(501))), " 501",
	    " 501" },
	{ "of web", MFI("a", "", FAULTS(WEB_SVC, ABORT(501))), " 501", " 501" },
	{ "of others",
	    MFI("a", "", FAULTS("kind: MeshService, name: x", ABORT(501))), "",
	    "" },
	{ "of a subset",
	    MFI("a", "",
		FAULTS("kind: MeshSubset, tags: { kuma.io/zone: eu }",
		    ABORT(501))),
	    " 501", " 501" },
	{ "of a MeshExternalService",
	    MFI("a", TOP("kind: MeshExternalService, name: mes"),
		FAULTS("kind: Mesh", ABORT(501))),
	    "", " 501" },
	{ "a list takes the place of another",
	    MFI("a", TOP("kind: MeshService, name: es"),
		FAULTS(WEB_SVC, ABORT(501)))
		MFI("b", "", FAULTS("kind: Mesh", ABORT(502))),
	    " 501", " 502" },
	{ "an empty list too",
	    MFI("a", TOP("kind: MeshService, name: es"),
		FAULTS(WEB_SVC, "http: []"))
		MFI("b", "", FAULTS("kind: Mesh", ABORT(502))),
	    "", " 502" },
	{ "no list does not",
	    MFI("a", TOP("kind: MeshService, name: es"), FAULTS(WEB_SVC, ""))
		MFI("b", "", FAULTS("kind: Mesh", ABORT(502))),
	    " 502", " 502" },
	{ "both kinds apply",
	    FI("a", BY(WEB), TO_ES, 501)
		MFI("b", "", FAULTS("kind: Mesh", ABORT(502))),
	    " 501 502", " 502" },
	{ "shadow",
	    "type: MeshFaultInjection\nmesh: m\nname: a\n" SHADOW(
		"spec: { from: [ " FAULTS("kind: Mesh", ABORT(501)) " ] }\n"
								    "---\n"),
	    "", "" },
	{ "no answer of 1xx", FI("a", BY(WEB), TO_ES, 100), " 0", "" },
};

static void
expect_faults(
    const struct traffic_policy *t, const char *want, const char *what)
{
	struct identity *id = caller(web);
	const struct fault_rule *f = NULL;
	struct text got = TEXT_EMPTY;

	text_add_z(&got, "");
	while ((f = traffic_fault(t, f, id)) != NULL)
		text_addf(&got, " %u", f->abort_status);
	cr_expect_str_eq(got.p != NULL ? got.p : "", want, "%s", what);
	text_free(&got);
	identity_free(id);
}

Test(compile_traffic, faults)
{
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		struct text yaml = TEXT_EMPTY;
		struct snapshot *s;

		text_add_z(&yaml, ALL);
		text_add_z(&yaml, faults[i].yaml);
		s = build_yaml(yaml.p);
		expect_faults(
		    traffic_of(s, "m/ES/es"), faults[i].es, faults[i].what);
		expect_faults(
		    traffic_of(s, "m/MES/mes"), faults[i].mes, faults[i].what);
		cr_expect_null(traffic_of(s, "m/ES/tcp"), "%s", faults[i].what);
		snapshot_unref(s);
		text_free(&yaml);
	}
}

static const struct rate_rule *
rule_for(const struct snapshot *s, const char *key, const char *const *uris)
{
	struct identity *id = caller(uris);
	const struct rate_rule *r =
	    traffic_rate(traffic_of(s, key), RATE_OF_REQUESTS, id);

	identity_free(id);
	cr_assert_not_null(r);
	return r;
}

static bool
same_bucket(const struct rate_rule *a, const struct rate_rule *b)
{
	return digest_eq(&a->bucket, &b->bucket);
}

/* What all may do together stays theirs, whatever else differs. */
Test(compile_traffic, callers_share_the_bucket_of_one_number)
{
	static const char *const shop[] = { "spiffe://m/shop",
		"kuma://kuma.io/zone/eu" };
	static const char *const bank[] = { "spiffe://m/bank",
		"kuma://kuma.io/zone/eu" };
	struct snapshot *s = build_yaml(ALL MRL("a", "",
	    FROM_MESH(HTTP(5)) "," FROM(WEB_SVC,
		"http: { onRateLimit: { "
		"status: 503 } }") "," FROM("kind: MeshService, name: bank",
		HTTP(5))));
	const struct rate_rule *of_web = rule_for(s, "m/ES/es", web);
	const struct rate_rule *of_shop = rule_for(s, "m/ES/es", shop);

	cr_expect_eq(of_web->status, 503);
	cr_expect_eq(of_shop->status, 429);
	cr_expect(same_bucket(of_web, of_shop));
	cr_expect_not(same_bucket(of_web, rule_for(s, "m/ES/es", bank)));
	/* A bucket each by the key: the rules are one object. */
	cr_expect_eq(traffic_of(s, "m/ES/es"), traffic_of(s, "m/MES/mes"));
	snapshot_unref(s);
}

/* Number, interval and document make it; places and answers do not. */
Test(compile_traffic, a_bucket_outlives_reloads)
{
	static const struct {
		const char *what;
		const char *yaml;
		bool is_same;
	} rows[] = {
		{ "moved", "---\n\n---\n" ALL MRL("a", "", FROM_MESH(HTTP(5))),
		    true },
		{ "another answer",
		    ALL MRL("a", "",
			FROM_MESH("http: { requestRate: { num: 5, interval: "
				  "1s }, onRateLimit: { status: 503 } }")),
		    true },
		{ "another document beside it",
		    ALL MRL("a", "", FROM_MESH(HTTP(5)))
			MRL("b", "", FROM_MESH(HTTP(9))),
		    true },
		{ "another number", ALL MRL("a", "", FROM_MESH(HTTP(6))),
		    false },
		{ "another interval",
		    ALL MRL("a", "",
			FROM_MESH(
			    "http: { requestRate: { num: 5, interval: 2s } }")),
		    false },
		{ "another name", ALL MRL("b", "", FROM_MESH(HTTP(5))), false },
	};
	struct snapshot *s = build_yaml(ALL MRL("a", "", FROM_MESH(HTTP(5))));
	const struct rate_rule *before = rule_for(s, "m/ES/es", web);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct snapshot *next = build_yaml(rows[i].yaml);

		cr_expect_eq(
		    same_bucket(before, rule_for(next, "m/ES/es", web)),
		    rows[i].is_same, "%s", rows[i].what);
		snapshot_unref(next);
	}
	snapshot_unref(s);
}

/* Tags of many kinds that go together in any way: said, and none is free. */
Test(compile_traffic, more_combinations_than_there_is_room_for)
{
	struct problems pr = PROBLEMS_NONE;
	struct store *st = store_new();
	struct text yaml = TEXT_EMPTY;
	struct snapshot *s;

	text_add_z(&yaml,
	    ALL "type: MeshRateLimit\nmesh: m\nname: a\nspec:\n  from:\n");
	for (int i = 0; i < 40; i++)
		text_addf(&yaml,
		    "  - { targetRef: { kind: MeshSubset, tags: { t%d: a } }, "
		    "default: { local: { " HTTP(8) " } } }\n",
		    i);
	text_add_z(&yaml, "  - " FROM_MESH(HTTP(5)) "\n");
	s = build_in(st, yaml.p, &default_settings, NULL, NULL, &pr);
	cr_assert_eq(pr.n, 1u);
	cr_expect_eq(pr.v[0].level, PROBLEM_WARNING);
	cr_expect_str_eq(pr.v[0].path, "spec.from");
	cr_expect_eq(limit_of(s, "m/ES/es", RATE_OF_REQUESTS), 5);
	snapshot_unref(s);
	store_free(st);
	problems_free(&pr);
	text_free(&yaml);
}
