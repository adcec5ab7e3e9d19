/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the services section says of TLS, beside what the resource says: each
 * switch by itself, and what does not go together.
 */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "policy/endpoint_named.h"
#include "policy/fingerprint.h"
#include "policy/service_option.h"
#include "unit/policy/build_yaml.h"

#define ES_TLS(name, tls)                                             \
	"type: ExternalService\nmesh: m\nname: " name "\ntags: { "    \
	"kuma.io/service: " name " }\nnetworking: { address: \"" name \
	".example:443\", tls: { enabled: true" tls " } }\n---\n"
#define MES_TLS(name, tls)                                                  \
	"type: MeshExternalService\nmesh: m\nname: " name                   \
	"\nspec: { match: { type: HostnameGenerator, port: 443, "           \
	"protocol: tcp }, endpoints: [ { address: a.example, port: 443 }, " \
	"{ address: 192.0.2.7, port: 443 } ], tls: { enabled: true" tls     \
	" } }\n---\n"
#define CA "caCert: { inlineString: the ca }"
#define RESOURCES                                                              \
	MESH("m", "")                                                          \
	ES_TLS("es", ", " CA)                                                  \
	MES_TLS("mes", ", verification: { " CA " }")                           \
	MES_TLS("skip-ca", ", verification: { mode: SkipCA }")                 \
	MES_TLS("skip-all", ", verification: { mode: SkipAll }")               \
	MES_TLS("old",                                                         \
	    ", version: { min: TLS10, max: TLS11 }, verification: { " CA " }") \
	MES_TLS(                                                               \
	    "old-min", ", version: { min: TLS10 }, verification: { " CA " }")

static const struct given_file files[] = {
	{ .path = { "/ca", 3 }, .bytes = { "file ca", 7 } },
	{ .path = { "/crl", 4 }, .bytes = { "a list", 6 } },
	{ .path = { "/bad", 4 } },
};

static const char *
system_ca(void)
{
	return "/etc/ssl/certs/ca-certificates.crt";
}

static bool
check_ca(struct str pem, struct text *why)
{
	(void)pem;
	(void)why;
	return true;
}

static bool
check_pair(struct str cert, struct str key, struct text *why)
{
	(void)cert;
	(void)key;
	(void)why;
	return true;
}

static const struct tls_ops ops = {
	.check_ca = check_ca, .check_pair = check_pair, .system_ca = system_ca
};

struct row {
	const char *what;
	const char *service;
	void (*set)(struct service_options *o);
	unsigned given[4]; /* 1 more than the option; 0 ends them */
	const char *tls;   /* of the first endpoint; NULL: it has none */
	const char *said;  /* NULL: nothing */
};

/* Digests of what is in files and resources are an '@'. */
static void
add_masked(struct str line, struct text *out)
{
	size_t i;

	while (line.len > 0) {
		text_add_char(out, line.p[0]);
		line = str_from(line, 1);
		if (out->p[out->len - 1] != '=')
			continue;
		for (i = 0; i < line.len && line.p[i] != ' '; i++)
			if (strchr("0123456789abcdef", line.p[i]) == NULL)
				break;
		if (i != 16)
			continue;
		text_add_char(out, '@');
		line = str_from(line, i);
	}
}

/* The lines of the dump that begin with "    tls". */
static void
tls_of(const struct snapshot *s, const char *key, struct text *out)
{
	const struct service *service = snapshot_find(s, str_of(key));
	struct text all = TEXT_EMPTY;
	struct str rest, line;

	cr_assert_not_null(service, "%s", key);
	service_print(service, &all);
	for (rest = text_str(&all); rest.len > 0;) {
		line = str_trim(str_cut(&rest, '\n'));
		if (!str_starts(line, STR("tls ")))
			continue;
		add_masked(str_from(line, 4), out);
		text_add_char(out, '\n');
	}
	text_add_z(out, "");
	text_free(&all);
}

static void
check_as(const struct row *row, const char *kind, bool as_kuma2)
{
	struct build_settings set = default_settings;
	struct service_entry e = { .service = str_of(row->service),
		.options = *service_options_standard(),
		.file = "conf",
		.line = 7 };
	struct problems pr = PROBLEMS_NONE;
	struct text said = TEXT_EMPTY, tls = TEXT_EMPTY;
	struct store *st = store_new();
	struct snapshot *s;
	char key[64];
	size_t i;

	for (i = 0; i < ARRAY_LEN(row->given) && row->given[i] > 0; i++)
		e.given[row->given[i] - 1] = true;
	row->set(&e.options);
	set.modes_as_kuma2 = as_kuma2;
	set.services = &e;
	set.n_services = 1;
	set.files = files;
	set.n_files = ARRAY_LEN(files);
	s = build_in(st, RESOURCES, &set, NULL, &ops, &pr);
	for (i = 0; i < pr.n; i++)
		if (pr.v[i].path != NULL &&
		    strncmp(pr.v[i].path, "services.", 9) == 0) {
			problem_print(&pr.v[i], &said);
			text_add_char(&said, '\n');
		}
	text_add_z(&said, "");
	(void)snprintf(key, sizeof(key), "m/%s/%s", kind, row->service);
	tls_of(s, key, &tls);
	cr_expect_str_eq(tls.p, row->tls != NULL ? row->tls : "", "%s: %s",
	    row->what, tls.p);
	cr_expect_str_eq(said.p, row->said != NULL ? row->said : "", "%s: %s",
	    row->what, said.p);
	text_free(&said);
	text_free(&tls);
	problems_free(&pr);
	snapshot_unref(s);
	store_free(st);
}

#define G(id) SERVICE_OPTION_##id + 1u
#define SET(name, body)                                   \
	static void set_##name(struct service_options *o) \
	{                                                 \
		body;                                     \
	}

static const struct str some_names[] = { { "dns:x.example", 13 },
	{ "dns-suffix:.example", 19 }, { "email:o@example", 15 } };
static const struct str ciphers[] = { { "A", 1 }, { "?B", 2 } };
static const struct str lists[] = { { "/crl", 4 }, { "/crl", 4 } };
static const struct str bad_lists[] = { { "/crl", 4 }, { "/bad", 4 } };

/* clang-format off */
SET(nothing, (void)o)
SET(sni_none, o->tls_sni = STR("none"))
SET(sni_name, o->tls_sni = STR("other.example"))
SET(chain_off, o->tls_verify_chain = TLS_OFF)
SET(chain_on, o->tls_verify_chain = TLS_ON)
SET(names_off, o->tls_verify_names = TLS_OFF)
SET(names_on, o->tls_verify_names = TLS_ON)
SET(names, o->tls_names = ((struct str_list){ some_names, 3 }))
SET(ca_system, o->tls_ca = STR("system"))
SET(ca_file, o->tls_ca = STR("/ca"))
SET(ca_bad, o->tls_ca = STR("/bad"))
SET(crl, o->tls_crl = ((struct str_list){ lists, 2 }); o->tls_crl_check = CRL_CHECK_CHAIN)
SET(crl_bad, o->tls_crl = ((struct str_list){ bad_lists, 2 }))
SET(crl_unverified, o->tls_crl = ((struct str_list){ lists, 1 }); o->tls_verify_chain = TLS_OFF)
SET(ocsp, o->tls_ocsp = TLS_OCSP_REQUIRE)
SET(min_13, o->tls_min_version = TLS_VERSION_1_3)
SET(max_12, o->tls_max_version = TLS_VERSION_1_2)
SET(min_10, o->tls_min_version = TLS_VERSION_1_0)
SET(max_11, o->tls_max_version = TLS_VERSION_1_1)
SET(upside_down, o->tls_min_version = TLS_VERSION_1_3; o->tls_max_version = TLS_VERSION_1_2)
SET(weak, o->weak_tls = true)
SET(weak_10, o->weak_tls = true; o->tls_min_version = TLS_VERSION_1_0)
SET(weak_11, o->weak_tls = true; o->tls_max_version = TLS_VERSION_1_1)
SET(ciphers, o->tls_ciphers = ((struct str_list){ ciphers, 2 }))
SET(renegotiation, o->tls_renegotiation = TLS_ON)
SET(no_resumption, o->tls_resumption = false)
/* clang-format on */

#define WEAK_SAID                                                           \
	"TLS below 1.2 is broken: give 1.2 or 1.3, or set weak_tls = true " \
	"for it if the server knows no better\n"
#define PREFIX(option, service) \
	"conf:7: services." option ": service " service " of mesh m: "

static const struct row es_rows[] = {
	{ "as it is", "es", set_nothing, { 0 },
	    "sni=es.example ca=@ names=es.example versions=1.2-1.3\n", NULL },
	{ "no SNI", "es", set_sni_none, { G(TLS_SNI) },
	    "no-sni ca=@ names=es.example versions=1.2-1.3\n", NULL },
	{ "another SNI", "es", set_sni_name, { G(TLS_SNI) },
	    "sni=other.example ca=@ names=es.example versions=1.2-1.3\n",
	    NULL },
	{ "no chain", "es", set_chain_off, { G(TLS_VERIFY_CHAIN) },
	    "sni=es.example ca=any names=es.example versions=1.2-1.3\n", NULL },
	{ "no names", "es", set_names_off, { G(TLS_VERIFY_NAMES) },
	    "sni=es.example ca=@ names=any versions=1.2-1.3\n", NULL },
	{ "other names", "es", set_names, { G(TLS_NAMES) },
	    "sni=es.example ca=@ "
	    "names=x.example,suffix:.example,o@example versions=1.2-1.3\n",
	    NULL },
	{ "system", "es", set_ca_system, { G(TLS_CA) },
	    "sni=es.example ca=system names=es.example versions=1.2-1.3\n",
	    NULL },
	{ "a file", "es", set_ca_file, { G(TLS_CA) },
	    "sni=es.example ca=@ names=es.example versions=1.2-1.3\n", NULL },
	{ "a bad file", "es", set_ca_bad, { G(TLS_CA) }, NULL,
	    PREFIX("tls.ca", "es") "its file of CAs cannot be used: mend "
				   "it\n" },
	{ "lists", "es", set_crl, { G(TLS_CRL), G(TLS_CRL_CHECK) },
	    "sni=es.example ca=@ names=es.example versions=1.2-1.3 "
	    "crl-of-chain=@\n",
	    NULL },
	{ "a bad list", "es", set_crl_bad, { G(TLS_CRL) }, NULL,
	    PREFIX("tls.crl", "es") "one of its revocation lists cannot be "
				    "used: mend it\n" },
	{ "lists and no chain", "es", set_crl_unverified,
	    { G(TLS_CRL), G(TLS_VERIFY_CHAIN) }, NULL,
	    PREFIX("tls.crl", "es") "whether a certificate was revoked says "
				    "nothing where its chain is not verified: "
				    "set tls.verify_chain = \"on\", or take "
				    "this out\n" },
	{ "ocsp", "es", set_ocsp, { G(TLS_OCSP) },
	    "sni=es.example ca=@ names=es.example versions=1.2-1.3 "
	    "ocsp=require\n",
	    NULL },
	{ "from 1.3", "es", set_min_13, { G(TLS_MIN_VERSION) },
	    "sni=es.example ca=@ names=es.example versions=1.3-1.3\n", NULL },
	{ "up to 1.2", "es", set_max_12, { G(TLS_MAX_VERSION) },
	    "sni=es.example ca=@ names=es.example versions=1.2-1.2\n", NULL },
	{ "1.0 without weak_tls", "es", set_min_10, { G(TLS_MIN_VERSION) },
	    NULL, PREFIX("tls.min_version", "es") WEAK_SAID },
	{ "up to 1.1 without weak_tls", "es", set_max_11,
	    { G(TLS_MAX_VERSION) }, NULL,
	    PREFIX("tls.max_version", "es") WEAK_SAID },
	{ "upside down", "es", set_upside_down,
	    { G(TLS_MIN_VERSION), G(TLS_MAX_VERSION) }, NULL,
	    PREFIX("tls.max_version", "es") "the highest version is below the "
					    "lowest one: give both here, or "
					    "change the resource's\n" },
	{ "weak_tls alone", "es", set_weak, { G(WEAK_TLS) },
	    "sni=es.example ca=@ names=es.example versions=1.2-1.3\n", NULL },
	{ "from 1.0", "es", set_weak_10, { G(WEAK_TLS), G(TLS_MIN_VERSION) },
	    "sni=es.example ca=@ names=es.example versions=1.0-1.3 weak\n",
	    NULL },
	{ "up to 1.1", "es", set_weak_11, { G(WEAK_TLS), G(TLS_MAX_VERSION) },
	    "sni=es.example ca=@ names=es.example versions=1.0-1.1 weak\n",
	    NULL },
	{ "ciphers", "es", set_ciphers, { G(TLS_CIPHERS) },
	    "sni=es.example ca=@ names=es.example versions=1.2-1.3 "
	    "ciphers=A:?B\n",
	    NULL },
	{ "renegotiation", "es", set_renegotiation, { G(TLS_RENEGOTIATION) },
	    "sni=es.example ca=@ names=es.example versions=1.2-1.3 "
	    "renegotiation\n",
	    NULL },
	{ "no resumption", "es", set_no_resumption, { G(TLS_RESUMPTION) },
	    "sni=es.example ca=@ names=es.example versions=1.2-1.3 "
	    "no-resumption\n",
	    NULL },
};

#define BOTH(first, second, rest) first " " rest "\n" second " " rest "\n"
#define A "sni=a.example"
#define B "no-sni"

/* Endpoints have names of their own, whatever is switched. */
static const struct row mes_rows[] = {
	{ "as it is", "mes", set_nothing, { 0 },
	    A " ca=@ names=a.example versions=1.2-1.3\n" B
	      " ca=@ names=192.0.2.7 versions=1.2-1.3\n",
	    NULL },
	{ "another SNI", "mes", set_sni_name, { G(TLS_SNI) },
	    "sni=other.example ca=@ names=a.example versions=1.2-1.3\n"
	    "sni=other.example ca=@ names=192.0.2.7 versions=1.2-1.3\n",
	    NULL },
	{ "SkipCA", "skip-ca", set_nothing, { 0 },
	    A " ca=any names=a.example versions=1.2-1.3\n" B
	      " ca=any names=192.0.2.7 versions=1.2-1.3\n",
	    NULL },
	{ "SkipCA, and yet", "skip-ca", set_chain_on, { G(TLS_VERIFY_CHAIN) },
	    A " ca=system names=a.example versions=1.2-1.3\n" B
	      " ca=system names=192.0.2.7 versions=1.2-1.3\n",
	    NULL },
	{ "SkipAll, and yet the name", "skip-all", set_names_on,
	    { G(TLS_VERIFY_NAMES) },
	    A " ca=any names=a.example versions=1.2-1.3\n" B
	      " ca=any names=192.0.2.7 versions=1.2-1.3\n",
	    NULL },
	{ "too old", "old", set_nothing, { 0 }, NULL, NULL },
	{ "too old, and said so", "old", set_weak, { G(WEAK_TLS) },
	    BOTH(A " ca=@ names=a.example", B " ca=@ names=192.0.2.7",
		"versions=1.0-1.1 weak"),
	    NULL },
	{ "too old at the low end", "old-min", set_nothing, { 0 },
	    BOTH(A " ca=@ names=a.example", B " ca=@ names=192.0.2.7",
		"versions=1.2-1.3"),
	    NULL },
	{ "old at the low end, and said so", "old-min", set_weak,
	    { G(WEAK_TLS) },
	    BOTH(A " ca=@ names=a.example", B " ca=@ names=192.0.2.7",
		"versions=1.0-1.3 weak"),
	    NULL },
};

/* Kuma's literal modes, and switches still have their say. */
static const struct row kuma2_rows[] = {
	{ "SkipCA", "skip-ca", set_nothing, { 0 },
	    BOTH(A " verify=nothing", B " verify=nothing", "versions=1.2-1.3"),
	    NULL },
	{ "SkipCA, and yet the name", "skip-ca", set_names_on,
	    { G(TLS_VERIFY_NAMES) },
	    A " ca=any names=a.example versions=1.2-1.3\n" B
	      " ca=any names=192.0.2.7 versions=1.2-1.3\n",
	    NULL },
};

Test(tls_options, of_an_external_service)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(es_rows); i++)
		check_as(&es_rows[i], "ES", false);
}

Test(tls_options, of_a_mesh_external_service)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(mes_rows); i++)
		check_as(&mes_rows[i], "MES", false);
}

Test(tls_options, as_kuma_2)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(kuma2_rows); i++)
		check_as(&kuma2_rows[i], "MES", true);
}

/* Of a service that stands for many names: see endpoint_named.h. */
static void
check_named(const struct row *row, const char *sni, size_t n, const char *name)
{
	struct build_settings set = default_settings;
	struct service_entry e = { .service = STR("es"),
		.options = *service_options_standard() };
	struct problems pr = PROBLEMS_NONE;
	struct store *st = store_new();
	struct fingerprint f;
	struct endpoint *named;
	struct snapshot *s;
	size_t i;

	for (i = 0; i < ARRAY_LEN(row->given) && row->given[i] > 0; i++)
		e.given[row->given[i] - 1] = true;
	row->set(&e.options);
	set.services = &e;
	set.n_services = 1;
	s = build_in(st, RESOURCES, &set, NULL, &ops, &pr);
	fingerprint_init(&f);
	named =
	    endpoint_named(snapshot_find(s, STR("m/ES/es"))->local[0].endpoint,
		STR("one.example"), &f);
	cr_expect(str_eq(named->tls->sni, str_of(sni)), "%s", row->what);
	cr_assert_eq(named->tls->n_names, n, "%s", row->what);
	cr_expect(
	    str_eq(named->tls->names[0].value, str_of(name)), "%s", row->what);
	endpoint_unref(named);
	fingerprint_fini(&f);
	problems_free(&pr);
	snapshot_unref(s);
	store_free(st);
}

Test(tls_options, of_a_service_of_many_names)
{
	static const struct row rows[] = {
		{ .what = "as it is", .set = set_nothing },
		{ .what = "no SNI",
		    .set = set_sni_none,
		    .given = { G(TLS_SNI) } },
		{ .what = "names",
		    .set = set_names,
		    .given = { G(TLS_NAMES) } },
	};

	check_named(&rows[0], "one.example", 1, "one.example");
	check_named(&rows[1], "", 1, "one.example");
	check_named(&rows[2], "one.example", 3, "x.example");
}

Test(tls_options, where_there_is_no_tls)
{
	static const struct service_entry e = { .service = { "plain", 5 },
		.given = { [SERVICE_OPTION_TLS_OCSP] = true },
		.file = "conf",
		.line = 7 };
	struct build_settings set = default_settings;
	struct problems pr = PROBLEMS_NONE;
	struct text said = TEXT_EMPTY;
	struct store *st = store_new();
	struct snapshot *s;

	set.services = &e;
	set.n_services = 1;
	s = build_in(st,
	    MESH("m", "") ES("m", "plain", "plain", "a.example:80", ""), &set,
	    NULL, &ops, &pr);
	cr_assert_eq(pr.n, 1);
	problem_print(&pr.v[0], &said);
	cr_expect_str_eq(said.p,
	    "conf:7: services.match: warning: plain of service plain has no "
	    "TLS, so what is said of it takes no effect: enable it in the "
	    "resource");
	text_free(&said);
	problems_free(&pr);
	snapshot_unref(s);
	store_free(st);
}
