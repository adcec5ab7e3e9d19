/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Report mode, of one document, of a service and of the daemon; and ends of
 * permissions.
 */

#include <criterion/criterion.h>
#include <stdio.h>

#include "base/rng.h"
#include "build_yaml.h"
#include "make_service.h"
#include "policy/authorize.h"
#include "policy/sni.h"

static struct identity *
caller(struct str text)
{
	struct str uris[8];
	struct identity *id;
	size_t n = 0;

	while (text.len > 0)
		uris[n++] = str_cut(&text, ' ');
	cr_assert_eq(identity_new(STR("m"), uris, n, 0, &id), IDENTITY_OK);
	return id;
}

static void
report_service(struct service *draft)
{
	draft->report = REPORT_SERVICE;
}

static void
report_daemon(struct service *draft)
{
	draft->report = REPORT_DAEMON;
}

#define NONE "no rule matches"
#define OF_SERVICE "report mode of the service"

static const struct {
	const char *rules; /* asked as spiffe://m/web */
	enum report_mode mode;
	bool is_allowed, is_reported;
	uint64_t rulesets, kept;
	const char *rule, *would; /* would NULL: nothing is reported */
} rows[] = {
	/* A document's denial opens nothing, and shuts nothing. */
	{ "report *", REPORT_OFF, false, false, 0, 0, NONE, NULL },
	{ "report *\nallow *", REPORT_OFF, true, true, 1, 1, "test:2 Rule/r2",
	    "test:1 Rule/r1" },
	{ "report spiffe://m/x\nallow *", REPORT_OFF, true, false, 1, 1,
	    "test:2 Rule/r2", NULL },
	{ "allow *\nreport *", REPORT_OFF, true, false, 1, 1, "test:1 Rule/r1",
	    NULL },
	{ "report *\ndeny *", REPORT_OFF, false, false, 0, 0, "test:2 Rule/r2",
	    NULL },
	{ "report *\nshadow *", REPORT_OFF, true, true, 1, 1, "test:2 Rule/r2",
	    "test:1 Rule/r1" },
	/* Somewhere the caller is allowed outright. */
	{ "report *\nallow *\n--\nallow *", REPORT_OFF, true, false, 3, 3,
	    "test:3 Rule/r3", NULL },
	{ "report *\nallow *\n--\ndeny *", REPORT_OFF, true, true, 1, 1,
	    "test:2 Rule/r2", "test:1 Rule/r1" },
	/* The service: everybody, to all there is. */
	{ "", REPORT_SERVICE, true, true, 1, 1, OF_SERVICE, NONE },
	{ "deny *\n--\ndeny *", REPORT_SERVICE, true, true, 3, 3, OF_SERVICE,
	    "test:1 Rule/r1" },
	{ "report *\n--\ndeny *", REPORT_SERVICE, true, true, 3, 3, OF_SERVICE,
	    "test:1 Rule/r1" },
	/* Who is allowed keeps what is his, and what he has open. */
	{ "deny *\n--\nallow *", REPORT_SERVICE, true, false, 2, 3,
	    "test:2 Rule/r2", NULL },
	{ "report *\nallow *\n--\ndeny *", REPORT_SERVICE, true, true, 1, 3,
	    "test:2 Rule/r2", "test:1 Rule/r1" },
	{ "allow spiffe://m/a", REPORT_DAEMON, true, true, 1, 1,
	    "report mode of the daemon", NONE },
};

static struct service *
make(const char *rules, enum report_mode mode)
{
	switch (mode) {
	case REPORT_OFF:
		return make_service("s", rules, NULL, NULL);
	case REPORT_SERVICE:
		return make_service_with(
		    "s", rules, NULL, NULL, report_service);
	case REPORT_DAEMON:
		break;
	}
	return make_service_with("s", rules, NULL, NULL, report_daemon);
}

Test(report, table)
{
	struct identity *id = caller(STR("spiffe://m/web"));
	struct service *s;
	struct verdict v;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		s = make(rows[i].rules, rows[i].mode);
		authorize(s, id, STR_NONE, &v);
		cr_expect_eq(v.is_allowed, rows[i].is_allowed, "row %zu", i);
		cr_expect_eq(v.is_reported, rows[i].is_reported, "row %zu", i);
		cr_expect_eq(v.rulesets, rows[i].rulesets, "row %zu", i);
		cr_expect_eq(v.kept_rulesets, rows[i].kept, "row %zu", i);
		cr_expect(str_eq(v.rule, str_of(rows[i].rule)), "row %zu: %.*s",
		    i, STR_ARG(v.rule));
		cr_expect(str_eq(v.would_rule, str_of(rows[i].would)),
		    "row %zu: %.*s", i, STR_ARG(v.would_rule));
		service_unref(s);
	}
	identity_free(id);
}

/* Rules of all rulesets are counted through. */
Test(report, numbers_rules)
{
	struct identity *id = caller(STR("spiffe://m/web"));
	struct service *s = make_service("s",
	    "deny spiffe://m/a\n--\nreport *\ndeny spiffe://m/b\nallow *", NULL,
	    NULL);
	struct verdict v;

	authorize(s, id, STR_NONE, &v);
	cr_expect_eq(v.rule_number, 3);
	cr_expect_eq(v.would_number, 1);
	service_unref(s);
	s = make_service("s", "allow spiffe://m/a", NULL, NULL);
	authorize(s, id, STR_NONE, &v);
	cr_expect_eq(v.rule_number, RULE_NONE);
	service_unref(s);
	identity_free(id);
}

#define CALLERS 3

static const char *const callers[CALLERS] = { "spiffe://m/a",
	"spiffe://m/b kuma://zone/x", "spiffe://m/c kuma://zone/y" };

/* The same rules three times: as written, in force, and without reports. */
struct texts {
	struct text given, enforced, without;
};

static void
add_rule(struct texts *t)
{
	static const char *const effects[] = { "allow", "deny", "report",
		"shadow" };
	static const char *const whom[] = { "*", "spiffe://m/a", "spiffe://m/b",
		"kuma://zone/x", "spiffe://m/a spiffe://m/c" };
	const char *effect = effects[rng_u64() % ARRAY_LEN(effects)];
	const char *who = whom[rng_u64() % ARRAY_LEN(whom)];
	bool is_report = strcmp(effect, "report") == 0;

	text_addf(&t->given, "%s %s\n", effect, who);
	text_addf(&t->enforced, "%s %s\n", is_report ? "deny" : effect, who);
	if (!is_report)
		text_addf(&t->without, "%s %s\n", effect, who);
}

static void
add_end(struct texts *t)
{
	text_add_z(&t->given, "--\n");
	text_add_z(&t->enforced, "--\n");
	text_add_z(&t->without, "--\n");
}

static struct texts
random_rules(void)
{
	struct texts t = { .given = TEXT_EMPTY };
	size_t sets = 1 + rng_u64() % 3, i, n;

	for (i = 0; i < sets; i++) {
		if (i > 0)
			add_end(&t);
		for (n = rng_u64() % 5; n > 0; n--)
			add_rule(&t);
	}
	text_add_char(&t.given, '\0');
	text_add_char(&t.enforced, '\0');
	text_add_char(&t.without, '\0');
	return t;
}

static struct verdict
decide(const char *rules, enum report_mode mode, const struct identity *id)
{
	struct service *s = make(rules, mode);
	struct verdict v;

	authorize(s, id, STR_NONE, &v);
	v.rule = v.would_rule = STR_NONE;
	service_unref(s);
	return v;
}

static void
check_rules(const struct texts *t, enum report_mode mode, const char *who)
{
	struct identity *id = caller(str_of(who));
	struct verdict v = decide(t->given.p, mode, id);
	struct verdict enforced = decide(t->enforced.p, REPORT_OFF, id);
	struct verdict without = decide(t->without.p, REPORT_OFF, id);

	/* It never blocks, */
	cr_expect_eq(v.is_allowed, without.is_allowed || mode != REPORT_OFF,
	    "%s: %s", who, t->given.p);
	/* opens by itself only what a whole service says, */
	if (without.is_allowed || mode == REPORT_OFF)
		cr_expect_eq(
		    v.rulesets, without.rulesets, "%s: %s", who, t->given.p);
	/* tells exactly those who would be denied, */
	cr_expect_eq(v.is_reported, v.is_allowed && !enforced.is_allowed,
	    "%s: %s", who, t->given.p);
	/* and takes nobody for one of them who is allowed. */
	if (enforced.is_allowed)
		cr_expect(
		    v.is_allowed && !v.is_reported, "%s: %s", who, t->given.p);
	cr_expect_eq(v.rulesets & ~v.kept_rulesets, 0, "%s", t->given.p);
	identity_free(id);
}

Test(report, never_blocks_and_changes_nobody_who_is_allowed)
{
	struct texts t;

	for (size_t i = 0; i < 2000; i++) {
		t = random_rules();
		for (size_t j = 0; j < CALLERS; j++) {
			check_rules(&t, REPORT_OFF, callers[j]);
			check_rules(&t, REPORT_SERVICE, callers[j]);
		}
		text_free(&t.given);
		text_free(&t.enforced);
		text_free(&t.without);
	}
}

/* Documents */

#define BASE \
	MESH("m", "") ES("m", "es", "es", "192.0.2.1:80", "") MES("m", "mes")
#define ITEM(who, action) \
	"{ targetRef: { " who " }, default: { action: " action " } }"
#define LABELED(name, labels, items)                            \
	"type: MeshTrafficPermission\nmesh: m\nname: " name     \
	"\nlabels: { " labels " }\nspec: { targetRef: { kind: " \
	"Mesh }, from: [ " items " ] }\n---\n"
#define WEB "kind: MeshService, name: web"
#define REPORT "zegress.io/mode: report"
#define ANY "kind: Mesh"

#define WITH_RULES(name, labels, rules)                         \
	"type: MeshTrafficPermission\nmesh: m\nname: " name     \
	"\nlabels: { " labels " }\nspec: { targetRef: { kind: " \
	"Mesh }, rules: [ { default: { " rules " } } ] }\n---\n"
#define WEB_ID "[ { spiffeID: { type: Exact, value: 'spiffe://m/web' } } ]"
#define ALL_IDS "[ { spiffeID: { type: Prefix, value: 'spiffe://m/' } } ]"

static const struct {
	const char *yaml;
	bool web, other; /* who gets in to es */
	bool is_web_reported, is_other_reported;
} documents[] = {
	{ BASE LABELED("p", REPORT, ITEM(ANY, "Deny")), false, false, false,
	    false },
	/* Another document allows: the report does not stand in its way. */
	{ BASE LABELED("a", REPORT, ITEM(ANY, "Deny"))
		MTP("m", "b", ANY, WEB, "Allow"),
	    true, false, true, false },
	/* A later item is asked first: what it allows is allowed. */
	{ BASE LABELED("a", REPORT, ITEM(ANY, "Deny") ", " ITEM(WEB, "Allow"))
		MTP("m", "b", ANY, ANY, "Allow"),
	    true, true, false, true },
	/* Nor of a TrafficPermission, which it would keep away. */
	{ BASE TP("m", "t", "*", "*") LABELED("a", REPORT, ITEM(WEB, "Deny")),
	    true, true, true, true },
	{ BASE TP("m", "t", "*", "*") LABELED("a", REPORT, ITEM(WEB, "Allow")),
	    true, true, false, true },
	/* The rules form likewise: what it denies, and that it is there. */
	{ BASE WITH_RULES("a", REPORT, "deny: " WEB_ID)
		WITH_RULES("b", "", "allow: " ALL_IDS),
	    true, true, true, false },
	{ BASE WITH_RULES("a", REPORT, "deny: " WEB_ID), false, false, false,
	    false },
	{ BASE TP("m", "t", "*", "*") WITH_RULES("a", REPORT, "allow: " WEB_ID),
	    true, true, false, true },
	/* One in force keeps it away. */
	{ BASE TP("m", "t", "*", "*") LABELED("a", REPORT, ITEM(WEB, "Deny"))
		MTP("m", "b", ANY, WEB, "Deny"),
	    false, false, false, false },
	{ BASE LABELED("a", "zegress.io/mode: enforce", ITEM(ANY, "Deny"))
		MTP("m", "b", ANY, WEB, "Allow"),
	    false, false, false, false },
};

static struct verdict
ask(const struct snapshot *s, const char *uri)
{
	const struct service *service = snapshot_match(s, STR("es{mesh=m}"));
	struct identity *id = caller(str_of(uri));
	struct verdict v;

	cr_assert_not_null(service);
	authorize(service, id, STR_NONE, &v);
	identity_free(id);
	return v;
}

static void
check_document(size_t i, const struct snapshot *s)
{
	struct verdict web = ask(s, "spiffe://m/web");
	struct verdict other = ask(s, "spiffe://m/other");

	cr_expect_eq(web.is_allowed, documents[i].web, "row %zu", i);
	cr_expect_eq(other.is_allowed, documents[i].other, "row %zu", i);
	cr_expect_eq(
	    web.is_reported, documents[i].is_web_reported, "row %zu", i);
	cr_expect_eq(
	    other.is_reported, documents[i].is_other_reported, "row %zu", i);
}

Test(report, of_a_document)
{
	struct problems pr;
	struct snapshot *s;
	struct store *st;

	for (size_t i = 0; i < ARRAY_LEN(documents); i++) {
		pr = PROBLEMS_NONE;
		st = store_new();
		s = build_in(
		    st, documents[i].yaml, &default_settings, NULL, NULL, &pr);
		cr_expect_eq(store_problems(st)->n, 0, "row %zu", i);
		check_document(i, s);
		snapshot_unref(s);
		problems_free(&pr);
		store_free(st);
	}
}

/* A MeshExternalService that mes_without_rule opens stays open. */
Test(report, of_a_document_opens_no_less)
{
	struct build_settings set = default_settings;
	struct problems pr = PROBLEMS_NONE;
	struct store *st = store_new();
	struct identity *id = caller(STR("spiffe://m/web"));
	struct text sni = TEXT_EMPTY;
	struct snapshot *s;
	struct verdict v;

	set.mes_without_rule_allows = true;
	s = build_in(st, BASE LABELED("a", REPORT, ITEM(ANY, "Deny")), &set,
	    NULL, NULL, &pr);
	sni_print_hashed(STR("mes"), STR("m"), 443, "mes", NULL, 0, &sni);
	authorize(snapshot_match(s, text_str(&sni)), id, text_str(&sni), &v);
	cr_expect(v.is_allowed && v.is_reported);
	cr_expect(str_eq(v.rule, STR("mes_without_rule")));
	identity_free(id);
	text_free(&sni);
	snapshot_unref(s);
	problems_free(&pr);
	store_free(st);
}

Test(report, of_a_service_by_its_option)
{
	struct service_entry entry = {
		.service = STR("es"),
		.given = { [SERVICE_OPTION_REPORT] = true },
		.options = { .report = true },
	};
	struct build_settings set = default_settings;
	struct problems pr = PROBLEMS_NONE;
	struct store *st = store_new();
	struct snapshot *s;
	struct verdict v;

	set.services = &entry;
	set.n_services = 1;
	s = build_in(st, BASE, &set, NULL, NULL, &pr);
	v = ask(s, "spiffe://m/web");
	cr_expect(v.is_allowed && v.is_reported);
	cr_expect(str_eq(v.would_rule, STR(NONE)));
	cr_expect(str_eq(v.rule, STR(OF_SERVICE)));
	snapshot_unref(s);
	problems_free(&pr);
	store_free(st);
}

/* Who must not be understood wrongly: labels of our own. */
Test(report, bad_labels_are_refused)
{
	static const struct {
		const char *label, *said;
	} bad[] = {
		{ "zegress.io/mode: reprot", "is no mode" },
		{ "zegress.io/mode: \"\"", "is no mode" },
		{ "zegress.io/until: tomorrow", "is no time" },
		{ "zegress.io/until: 2026-02-30T00:00:00Z", "is no time" },
		{ "zegress.io/until: \"\"", "is no time" },
		{ "zegress.io/until: 1970-01-01T00:00:00Z", "is no time" },
	};
	char yaml[2048];
	struct problems pr;
	struct snapshot *s;
	struct store *st;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		pr = PROBLEMS_NONE;
		st = store_new();
		snprintf(yaml, sizeof(yaml),
		    "%s" LABELED("p", "%s", ITEM(ANY, "Allow")), BASE,
		    bad[i].label);
		s = build_in(st, yaml, &default_settings, NULL, NULL, &pr);
		cr_expect_eq(store_problems(st)->errors, 1, "%s", yaml);
		cr_expect(strstr(store_problems(st)->v[0].message,
			      bad[i].said) != NULL);
		cr_expect_gt(store_problems(st)->v[0].line, 0);
		cr_expect_not(ask(s, "spiffe://m/web").is_allowed);
		snapshot_unref(s);
		problems_free(&pr);
		store_free(st);
	}
}

Test(ends, of_a_permission)
{
	static const struct {
		int64_t now_s;
		bool is_allowed;
		int64_t next_s;
		size_t problems;
	} at[] = {
		{ 1798739999, true, 1798740000, 0 },
		{ 1798740000, false, INT64_MAX, 1 },
		{ 1798750000, false, INT64_MAX, 1 },
	};
	struct build_settings set = default_settings;
	struct store *st = store_new();
	struct problems pr;
	struct snapshot *s;

	for (size_t i = 0; i < ARRAY_LEN(at); i++) {
		pr = PROBLEMS_NONE;
		set.now_s = at[i].now_s;
		s = build_in(st,
		    BASE LABELED("p", "zegress.io/until: 2026-12-31T18:00:00Z",
			ITEM(ANY, "Allow")),
		    &set, NULL, NULL, &pr);
		cr_expect_eq(store_problems(st)->errors, 0);
		cr_expect_eq(ask(s, "spiffe://m/web").is_allowed,
		    at[i].is_allowed, "at %zu", i);
		cr_expect_eq(snapshot_next_end_s(s), at[i].next_s, "at %zu", i);
		cr_expect_eq(pr.n, at[i].problems, "at %zu", i);
		snapshot_unref(s);
		problems_free(&pr);
	}
	store_free(st);
}
