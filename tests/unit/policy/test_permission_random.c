/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold for any permissions: of random ones, from a fixed seed.
 * PERMISSION_ROUNDS and PERMISSION_SEED in the environment ask for more, and
 * for others.
 */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "build_yaml.h"
#include "policy/authorize.h"
#include "policy/fingerprint.h"
#include "policy/rule_finder.h"
#include "policy/service_seal.h"
#include "policy/sni.h"

#define ROUNDS 150

static uint64_t state;

static uint64_t
env_number(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text == NULL ? otherwise : strtoull(text, NULL, 10);
}

static uint64_t
begin(void)
{
	state = env_number("PERMISSION_SEED", 7) * 2654435769u + 1;
	return env_number("PERMISSION_ROUNDS", ROUNDS);
}

static size_t
below(size_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(state >> 33) % n;
}

static const char *
one_of(const char *const *v, size_t n)
{
	return v[below(n)];
}

#define ONE_OF(v) one_of((v), ARRAY_LEN(v))

/* A rule is found where asking each would find it. */

static const char *const uris[] = { "spiffe://m/a", "spiffe://m/ab",
	"spiffe://m/b", "spiffe://m/b/c", "kuma://zone/x", "kuma://zone/y",
	"kuma://team/1", "kuma://team/2" };
static const char *const names[] = { "es{mesh=m}", "a1.mes.443.m.mes" };

static struct uri_test
random_test(void)
{
	struct uri_test t = { .uri = str_of(ONE_OF(uris)) };

	switch (below(8)) {
	case 0:
		t.is_prefix = true;
		t.uri = str_first(t.uri, 5 + below(t.uri.len - 4));
		break;
	case 1:
		t.is_negated = true;
		break;
	case 2:
		t = (struct uri_test){ .uri = str_of(ONE_OF(names)),
			.is_sni = true };
		break;
	default:
		break;
	}
	return t;
}

static struct principal
random_principal(struct arena *a)
{
	struct principal p = { .n_tests = 1 + below(3) };

	p.tests = arena_alloc(a, p.n_tests * sizeof(*p.tests));
	for (size_t i = 0; i < p.n_tests; i++)
		p.tests[i] = random_test();
	return p;
}

static struct rule
random_rule(struct arena *a)
{
	struct rule r = { .effect = below(2) ? RULE_ALLOW : RULE_DENY,
		.origin.text = STR("t:1 Rule/r"),
		.n_principals = below(3) };

	r.is_report = r.effect == RULE_DENY && below(3) == 0;
	r.principals = arena_alloc(a, 3 * sizeof(*r.principals));
	for (size_t i = 0; i < r.n_principals; i++)
		r.principals[i] = random_principal(a);
	return r;
}

static struct rule_block *
random_block(struct arena *a)
{
	struct rule_block draft = { .n_rules = below(60) };
	struct fingerprint f;

	fingerprint_init(&f);
	draft.rules = arena_alloc(a, 60 * sizeof(*draft.rules));
	for (size_t i = 0; i < draft.n_rules; i++)
		draft.rules[i] = random_rule(a);
	rule_block_digest(&draft, &f);
	fingerprint_fini(&f);
	return rule_block_new(&draft);
}

static struct identity *
random_caller(void)
{
	struct str v[4] = { STR("spiffe://m/ab") };
	size_t n = 1 + below(4);
	struct identity *id;

	for (size_t i = 1; i < n; i++)
		v[i] = str_of(ONE_OF(uris));
	v[0] = str_of(uris[below(4)]);
	cr_assert_eq(identity_new(STR("m"), v, n, 0, &id), IDENTITY_OK);
	return id;
}

Test(permission_random, the_first_rule_is_found)
{
	uint64_t rounds = begin() * 4, with_finder = 0, found = 0;

	for (uint64_t i = 0; i < rounds; i++) {
		struct arena a;
		struct rule_block *b;

		arena_init(&a, 0);
		b = random_block(&a);
		with_finder += b->finder != NULL;
		for (size_t j = 0; j < 16; j++) {
			struct identity *id = random_caller();
			struct str sni =
			    below(3) ? str_of(ONE_OF(names)) : STR_NONE;
			bool only = j % 2;
			const struct rule *want = rule_find(
			    NULL, b->rules, b->n_rules, id, sni, only);

			found += want != NULL;
			cr_assert_eq(rule_find(b->finder, b->rules, b->n_rules,
					 id, sni, only),
			    want, "round %lu", (unsigned long)i);
			identity_free(id);
		}
		rule_block_unref(b);
		arena_fini(&a);
	}
	cr_expect_gt(with_finder, rounds / 2);
	cr_expect_gt(found, rounds);
}

/* Documents, and who may use what by them. */

#define DOCS 8
#define MOST_DOCS (DOCS + 8)
#define CALLERS 6
#define SERVICES 3
#define BASE                                                                  \
	MESH("m", "")                                                         \
	"type: ExternalService\nmesh: m\nname: es\ntags: { "                  \
	"kuma.io/service: es, v: one, w: two }\nnetworking: { address: "      \
	"\"192.0.2.1:80\" }\n---\n" ES("m", "es2", "es2", "192.0.2.1:80", "") \
	    MES("m", "mes")

static const char *const callers[CALLERS] = { "spiffe://m/web",
	"spiffe://m/web kuma://kuma.io/zone/x",
	"spiffe://m/web2 kuma://kuma.io/zone/y", "spiffe://m/api",
	"spiffe://m/api kuma://kuma.io/zone/x kuma://v/one",
	"spiffe://m/batch" };
static const char *const services[] = { "web", "web2", "api", "batch", "*" };

struct docs {
	struct text v[MOST_DOCS];
	size_t n;
};

static struct text *
next_doc(struct docs *d)
{
	cr_assert_lt(d->n, (size_t)MOST_DOCS);
	d->v[d->n] = TEXT_EMPTY;
	return &d->v[d->n++];
}

static void
drop(struct docs *d)
{
	while (d->n > 0)
		text_free(&d->v[--d->n]);
}

static void
add_tp(struct docs *d)
{
	static const char *const to[] = { "kuma.io/service: es",
		"kuma.io/service: es, v: one", "kuma.io/service: \"*\"",
		"kuma.io/service: \"*\", v: \"*\"", "v: one",
		"kuma.io/service: es2" };
	static const char *const more[] = { "", ", kuma.io/zone: x", "",
		", v: \"*\"" };
	size_t n = d->n;

	text_addf(next_doc(d),
	    "type: TrafficPermission\nmesh: m\nname: t%zu\nsources: [ { "
	    "match: { kuma.io/service: \"%s\"%s } } ]\ndestinations: [ { "
	    "match: { %s } } ]\n",
	    n, ONE_OF(services), ONE_OF(more), ONE_OF(to));
}

static void
add_mtp(struct docs *d, const char *mesh, const char *target, const char *body)
{
	size_t n = d->n;

	text_addf(next_doc(d),
	    "type: MeshTrafficPermission\nmesh: %s\nname: p%zu\nspec:\n  "
	    "targetRef: { %s }\n  %s\n",
	    mesh, n, target, body);
}

static const char *
random_target(void)
{
	static const char *const targets[] = { "kind: Mesh",
		"kind: MeshService, name: es",
		"kind: MeshSubset, tags: { v: one }",
		"kind: MeshServiceSubset, name: es, tags: { w: two }",
		"kind: MeshExternalService, name: mes",
		"kind: MeshService, name: es2" };

	return ONE_OF(targets);
}

static void
add_from(struct docs *d)
{
	static const char *const who[] = { "kind: Mesh",
		"kind: MeshService, name: web", "kind: MeshService, name: api",
		"kind: MeshSubset, tags: { kuma.io/zone: x }",
		"kind: MeshServiceSubset, name: api, tags: { v: one }" };
	static const char *const actions[] = { "Allow", "Deny",
		"AllowWithShadowDeny" };
	struct text body = TEXT_EMPTY;

	text_add_z(&body, "from: [ ");
	for (size_t i = 0, n = 1 + below(3); i < n; i++)
		text_addf(&body,
		    "%s{ targetRef: { %s }, default: { action: %s } }",
		    i > 0 ? ", " : "", ONE_OF(who), ONE_OF(actions));
	text_add_z(&body, " ]");
	add_mtp(d, "m", random_target(), body.p);
	text_free(&body);
}

static void
add_rules(struct docs *d)
{
	static const char *const lists[] = { "deny", "allow",
		"allowWithShadowDeny" };
	static const char *const matches[] = { CALLER(
						   "Exact", "spiffe://m/web"),
		CALLER("Prefix", "spiffe://m/web"),
		CALLER("Prefix", "spiffe://m/"),
		CALLER("Exact", "spiffe://m/api"), ASKED("es{mesh=m}") };
	struct text body = TEXT_EMPTY;

	text_addf(&body, "rules: [ { default: { %s: [ %s, %s ] } }, ",
	    ONE_OF(lists), ONE_OF(matches), ONE_OF(matches));
	text_addf(&body, "{ default: { %s: [ %s ] } } ]", ONE_OF(lists),
	    ONE_OF(matches));
	add_mtp(d, "m", random_target(), body.p);
	text_free(&body);
}

static void
random_docs(struct docs *d)
{
	size_t n = below(DOCS) + 1;

	d->n = 0;
	while (d->n < n) {
		switch (below(3)) {
		case 0:
			add_tp(d);
			break;
		case 1:
			add_from(d);
			break;
		default:
			add_rules(d);
			break;
		}
	}
}

static uint64_t
ask(const struct snapshot *s, struct str sni, size_t caller)
{
	const struct service *service = snapshot_match(s, sni);
	struct str rest = str_of(callers[caller]), v[4];
	struct identity *id;
	struct verdict verdict;
	size_t n = 0;

	while (rest.len > 0)
		v[n++] = str_cut(&rest, ' ');
	cr_assert_not_null(service);
	cr_assert_eq(identity_new(STR("m"), v, n, 0, &id), IDENTITY_OK);
	authorize(service, id, sni, &verdict);
	identity_free(id);
	return verdict.is_allowed;
}

/* A bit for each service and caller. */
static uint64_t
answers(const struct snapshot *s)
{
	struct text mes = TEXT_EMPTY;
	struct str snis[SERVICES] = { STR("es{mesh=m}"), STR("es2{mesh=m}") };
	uint64_t all = 0;

	sni_print_hashed(STR("mes"), STR("m"), 443, "mes", NULL, 0, &mes);
	snis[2] = text_str(&mes);
	for (size_t i = 0; i < SERVICES; i++)
		for (size_t j = 0; j < CALLERS; j++)
			all |= ask(s, snis[i], j) << (i * CALLERS + j);
	text_free(&mes);
	return all;
}

#define OF_CALLER(i)                                         \
	((UINT64_C(1) << (i)) | (UINT64_C(1) << ((i) + 6)) | \
	    (UINT64_C(1) << ((i) + 12)))

/* Document i is in file (i * step + first) % n. */
static uint64_t
build(const struct docs *d, size_t first, size_t step)
{
	struct problems pr = PROBLEMS_NONE;
	struct store *st = store_new();
	struct snapshot *s;
	char path[32];
	uint64_t all;
	size_t i, at;

	for (i = 0; i < d->n; i++) {
		at = (i * step + first) % d->n;
		(void)snprintf(path, sizeof(path), "f%02zu.yaml", i);
		store_put_file(st, path, text_str(&d->v[at]));
	}
	store_put_file(st, "z.yaml", STR(BASE));
	(void)store_commit(st);
	s = snapshot_build(st, &default_settings, NULL, NULL, &pr);
	cr_assert_eq(store_problems(st)->errors + pr.errors, 0);
	all = answers(s);
	snapshot_unref(s);
	problems_free(&pr);
	store_free(st);
	return all;
}

Test(permission_random, the_order_of_files_never_matters)
{
	uint64_t rounds = begin(), some = 0;
	struct docs d;

	for (uint64_t i = 0; i < rounds; i++) {
		uint64_t all;

		random_docs(&d);
		all = build(&d, 0, 1);
		some += all != 0;
		/* The other way round, and from elsewhere. */
		cr_expect_eq(build(&d, d.n - 1, d.n > 1 ? d.n - 1 : 1), all,
		    "round %lu", (unsigned long)i);
		cr_expect_eq(build(&d, below(d.n), 1), all, "round %lu",
		    (unsigned long)i);
		drop(&d);
	}
	cr_expect_gt(some, rounds / 4);
}

Test(permission_random, what_is_unrelated_changes_nothing)
{
	static const char *const everybody =
	    "from: [ { targetRef: { kind: Mesh }, default: { action: Allow } } "
	    "]";
	static const char *const nobody =
	    "rules: [ { default: { deny: [ " CALLER(
		"Prefix", "spiffe://m/") " ] } } ]";
	uint64_t rounds = begin();
	struct docs d;

	for (uint64_t i = 0; i < rounds; i++) {
		uint64_t all;

		random_docs(&d);
		all = build(&d, 0, 1);
		add_mtp(&d, "n", "kind: Mesh", everybody);
		add_mtp(&d, "n", "kind: Mesh", nobody);
		add_mtp(&d, "m", "kind: MeshService, name: mes", everybody);
		add_mtp(&d, "m", "kind: MeshService, name: mes", nobody);
		add_mtp(&d, "m", "kind: MeshExternalService, name: es", nobody);
		add_mtp(&d, "m", "kind: MeshSubset, tags: { v: two }", nobody);
		add_mtp(&d, "m", "kind: Dataplane", nobody);
		cr_expect_eq(
		    build(&d, 0, 1), all, "round %lu", (unsigned long)i);
		drop(&d);
	}
}

Test(permission_random, a_deny_of_rules_wins)
{
	uint64_t rounds = begin(), lost = 0;
	struct docs d;

	for (uint64_t i = 0; i < rounds; i++) {
		uint64_t before, after;

		random_docs(&d);
		before = build(&d, 0, 1);
		add_mtp(&d, "m", "kind: Mesh",
		    "rules: [ { default: { deny: [ " CALLER(
			"Exact", "spiffe://m/api") " ] } } ]");
		after = build(&d, 0, 1);
		cr_expect_eq(after & (OF_CALLER(3) | OF_CALLER(4)), 0,
		    "round %lu", (unsigned long)i);
		/* And a denial opens nothing. */
		cr_expect_eq(after & ~before, 0, "round %lu", (unsigned long)i);
		lost += before != after;
		drop(&d);
	}
	cr_expect_gt(lost, rounds / 8);
}

/* Of TrafficPermissions, whatever else there is: only the best fit counts. */
Test(permission_random, more_tags_beat_fewer)
{
	uint64_t rounds = begin();
	struct docs d = { .n = 0 };

	for (uint64_t i = 0; i < rounds; i++) {
		size_t n = below(DOCS);

		while (d.n < n)
			add_tp(&d);
		text_add_z(next_doc(&d),
		    "type: TrafficPermission\nmesh: m\nname: z\nsources: [ { "
		    "match: { kuma.io/service: batch } } ]\ndestinations: [ { "
		    "match: { kuma.io/service: es, v: one, w: two } } ]\n");
		cr_expect_eq(build(&d, 0, 1) & 0x3f, 1 << 5, "round %lu",
		    (unsigned long)i);
		drop(&d);
	}
}
