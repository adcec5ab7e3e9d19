/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a build shares, checks once, and keeps; what documents mean is in the
 * golden cases.
 */

#include <criterion/criterion.h>
#include <stdatomic.h>

#include "build_yaml.h"

#define TLS ", tls: { enabled: true, caCert: { inlineString: the ca } }"
#define ALL MTP("m", "all", "kind: Mesh", "kind: Mesh", "Allow")
#define A ES("m", "a", "a", "a.example:443", TLS)
#define B ES("m", "b", "b", "b.example:443", TLS)
#define A_BESIDE ES("m", "a2", "a", "a.example:443", TLS)

static atomic_int ca_checks;
static atomic_int pair_checks;

static bool
count_ca(struct str pem, struct text *why)
{
	(void)pem;
	(void)why;
	atomic_fetch_add(&ca_checks, 1);
	return true;
}

static bool
count_pair(struct str cert, struct str key, struct text *why)
{
	(void)cert;
	(void)key;
	(void)why;
	atomic_fetch_add(&pair_checks, 1);
	return true;
}

static const char *
no_system_ca(void)
{
	return NULL;
}

static const struct tls_ops counting = {
	.check_ca = count_ca,
	.check_pair = count_pair,
	.system_ca = no_system_ca,
};

static const struct service *
get(const struct snapshot *s, const char *key)
{
	const struct service *service = snapshot_find(s, str_of(key));

	cr_assert_not_null(service, "%s", key);
	return service;
}

static const struct endpoint *
first(const struct snapshot *s, const char *key)
{
	cr_assert_gt(get(s, key)->n_local, 0, "%s", key);
	return get(s, key)->local[0].endpoint;
}

Test(compile, pem_is_checked_once)
{
	struct problems pr = PROBLEMS_NONE;
	struct store *st = store_new();
	struct snapshot *a, *b;

	a = build_in(st, MESH("m", "") ALL A B A_BESIDE, &default_settings,
	    NULL, &counting, &pr);
	/* The mesh's CA, and that of the three services. */
	cr_expect_eq(ca_checks, 2);
	cr_expect_eq(pair_checks, 1);
	b = build_in(
	    st, MESH("m", "") ALL B, &default_settings, a, &counting, &pr);
	cr_expect_eq(ca_checks, 2, "what the snapshot before holds is good");
	cr_expect_eq(pair_checks, 1);
	cr_expect_eq(pr.n, 0);
	snapshot_unref(a);
	snapshot_unref(b);
	store_free(st);
}

Test(compile, equal_things_are_one_object)
{
	struct snapshot *s = build_yaml(MESH("m", "") ALL A B A_BESIDE);
	const struct service *a = get(s, "m/ES/a"), *b = get(s, "m/ES/b");

	cr_assert_eq(a->n_local, 2);
	cr_assert_eq(a->n_rulesets, 1);
	cr_expect_eq(a->local[0].endpoint->tls, a->local[1].endpoint->tls);
	cr_expect_neq(a->local[0].endpoint->tls, b->local[0].endpoint->tls);
	cr_expect_eq(
	    a->local[0].endpoint->tls->ca, b->local[0].endpoint->tls->ca);
	cr_expect_eq(a->rulesets[0].block, b->rulesets[0].block);
	snapshot_unref(s);
}

/* Rules change, endpoints stay what they are: health hangs on them. */
Test(compile, endpoints_outlive_their_rules)
{
	struct problems pr = PROBLEMS_NONE;
	struct store *st = store_new();
	struct snapshot *a = build_in(
	    st, MESH("m", "") A B ALL, &default_settings, NULL, NULL, &pr);
	struct snapshot *b = build_in(st,
	    MESH("m", "") A B MTP("m", "b", "kind: MeshService, name: a",
		"kind: Mesh", "Deny") ALL,
	    &default_settings, a, NULL, &pr);

	cr_expect_neq(get(a, "m/ES/a"), get(b, "m/ES/a"));
	cr_expect_eq(first(a, "m/ES/a"), first(b, "m/ES/a"));
	snapshot_unref(a);
	cr_expect(str_eq(first(b, "m/ES/a")->host, STR("a.example")));
	snapshot_unref(b);
	store_free(st);
	problems_free(&pr);
}

static struct mesh_spec *
only_mesh(const struct snapshot *s)
{
	struct mesh_spec *const *v;
	size_t n;

	v = snapshot_meshes(s, &n);
	cr_assert_eq(n, 1);
	return v[0];
}

Test(compile, mesh_specs_are_shared)
{
	struct problems pr = PROBLEMS_NONE;
	struct store *st = store_new();
	struct snapshot *a, *b;

	a = build_in(st, MESH("m", "") A, &default_settings, NULL, NULL, &pr);
	b = build_in(
	    st, MESH("m", "") A B ALL, &default_settings, a, NULL, &pr);
	cr_expect_eq(only_mesh(a), only_mesh(b));
	snapshot_unref(a);
	cr_expect(str_eq(blob_str(only_mesh(b)->ca_key), STR("key one")));
	snapshot_unref(b);
	store_free(st);
	problems_free(&pr);
}

Test(compile, last_good_is_not_for_ever)
{
	struct problems pr = PROBLEMS_NONE;
	struct store *st = store_new();
	struct snapshot *a, *b, *c;

	a = build_in(
	    st, MESH("m", "") ALL A, &default_settings, NULL, NULL, &pr);
	b = build_in(st,
	    MESH("m", "") ALL ES("m", "a", "a", "a.example:443",
		", tls: { enabled: true, caCert: { secret: none } }"),
	    &default_settings, a, NULL, &pr);
	cr_expect_eq(pr.errors, 1);
	cr_expect_eq(first(a, "m/ES/a"), first(b, "m/ES/a"));
	/* Taken out on purpose, it is gone. */
	c = build_in(st, MESH("m", "") ALL B, &default_settings, b, NULL, &pr);
	cr_expect_null(snapshot_find(c, STR("m/ES/a")));
	snapshot_unref(a);
	snapshot_unref(b);
	snapshot_unref(c);
	store_free(st);
	problems_free(&pr);
}

/* Verdicts have 64 bits: what does not fit is refused, not let in. */
Test(compile, rulesets_are_bounded)
{
	struct problems pr = PROBLEMS_NONE;
	struct text yaml = TEXT_EMPTY;
	struct store *st = store_new();
	struct snapshot *s;
	unsigned i;

	text_add_z(&yaml, MESH("m", ""));
	for (i = 0; i <= SERVICE_RULESETS_MAX; i++) {
		text_addf(&yaml,
		    "type: ExternalService\nmesh: m\nname: e%02u\ntags: { "
		    "kuma.io/service: s, n: \"%u\" }\nnetworking: { address: "
		    "192.0.2.1:80 }\n---\n",
		    i, i);
		text_addf(&yaml,
		    "type: TrafficPermission\nmesh: m\nname: p%u\nsources: [ { "
		    "match: { kuma.io/service: \"*\" } } ]\ndestinations: [ { "
		    "match: { kuma.io/service: s, n: \"%u\" } } ]\n---\n",
		    i, i);
	}
	s = build_in(st, yaml.p, &default_settings, NULL, NULL, &pr);
	cr_expect_eq(get(s, "m/ES/s")->n_rulesets, SERVICE_RULESETS_MAX);
	cr_expect_eq(get(s, "m/ES/s")->n_local, SERVICE_RULESETS_MAX);
	cr_expect_eq(pr.errors, 1);
	snapshot_unref(s);
	store_free(st);
	problems_free(&pr);
	text_free(&yaml);
}

Test(compile, a_name_too_long_is_an_error)
{
	struct problems pr = PROBLEMS_NONE;
	struct text yaml = TEXT_EMPTY;
	struct store *st = store_new();
	struct snapshot *s;
	unsigned i;

	text_add_z(&yaml, MESH("m", "") ES("m", "ok", "ok", "a.b:1", ""));
	text_add_z(&yaml, "type: ExternalService\nmesh: m\nname: long\ntags: "
			  "{ kuma.io/service: ");
	for (i = 0; i < 256; i++)
		text_add_char(&yaml, 'x');
	text_add_z(&yaml, " }\nnetworking: { address: 192.0.2.1:80 }\n");
	s = build_in(st, yaml.p, &default_settings, NULL, NULL, &pr);
	cr_expect_eq(pr.errors, 1);
	cr_expect_not_null(snapshot_match(s, STR("ok{mesh=m}")));
	snapshot_unref(s);
	store_free(st);
	problems_free(&pr);
	text_free(&yaml);
}

/* Nothing at all is still a snapshot. */
Test(compile, empty)
{
	struct snapshot *s = build_yaml("");
	struct text t = TEXT_EMPTY;
	size_t n;

	snapshot_services(s, &n);
	cr_expect_eq(n, 0);
	cr_expect_null(snapshot_zone_egresses(s));
	cr_expect_null(snapshot_match(s, STR("a{mesh=m}")));
	snapshot_print(s, &t);
	cr_expect_eq(t.len, 0);
	snapshot_unref(s);
}

/* Never a key in what is printed for people. */
Test(compile, print_has_no_keys)
{
	struct problems pr = PROBLEMS_NONE;
	struct store *st = store_new();
	struct text t = TEXT_EMPTY;
	struct snapshot *s = build_in(st,
	    MESH("m", "") ES("m", "a", "a", "a.example:443",
		", tls: { enabled: true, clientCert: { inlineString: shown }, "
		"clientKey: { inlineString: hidden } }"),
	    &default_settings, NULL, NULL, &pr);

	snapshot_print(s, &t);
	cr_expect_not_null(strstr(t.p, "client-certificate="));
	cr_expect_null(strstr(t.p, "hidden"));
	cr_expect_null(strstr(t.p, "key one"));
	snapshot_unref(s);
	store_free(st);
	text_free(&t);
	problems_free(&pr);
}
