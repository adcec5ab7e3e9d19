/* SPDX-License-Identifier: Apache-2.0 */
/* Server names, against every worked value of Kuma's documents and tests. */

#include <criterion/criterion.h>

#include "model/target.h"
#include "policy/sni.h"

#define A62 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B62 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

struct row {
	const char *service;
	const char *mesh;
	const char *tags; /* k=v k=v */
	const char *sni;
};

static const struct row tag_rows[] = {
	{ "externalservice-1", "mesh-1", "", "externalservice-1{mesh=mesh-1}" },
	{ "externalservice", "mesh-1", "", "externalservice{mesh=mesh-1}" },
	{ "externalservice", "mesh-2", "", "externalservice{mesh=mesh-2}" },
	{ "externalservice-2", "mesh-1", "version=v1",
	    "externalservice-2{mesh=mesh-1,version=v1}" },
	{ "backend", "", "version=v1 env=prod region=eu app=backend-app",
	    "backend{app=backend-app,env=prod,region=eu,version=v1}" },
	{ "backend", "", "", "backend" },
	{ "es-tls", "default", "kuma.io/service=es-tls",
	    "es-tls{mesh=default}" },
	/* The pseudo tag is ours, whatever a resource says. */
	{ "b", "m", "mesh=other zone=z", "b{mesh=m,zone=z}" },
	{ "b", "m", "kuma.io/zone=eu a=1", "b{a=1,kuma.io/zone=eu,mesh=m}" },
};

static size_t
parse_tags(const char *text, struct tag *out)
{
	struct str rest = str_of(text), word;
	size_t n = 0;

	while (rest.len > 0) {
		word = str_cut(&rest, ' ');
		out[n].key = str_cut(&word, '=');
		out[n++].value = word;
	}
	return n;
}

Test(sni, tags_worked_values)
{
	struct tag tags[8];
	struct text t = TEXT_EMPTY;
	size_t i, n;

	for (i = 0; i < ARRAY_LEN(tag_rows); i++) {
		n = parse_tags(tag_rows[i].tags, tags);
		text_clear(&t);
		sni_print_tags(str_of(tag_rows[i].service),
		    str_of(tag_rows[i].mesh), tags, n, &t);
		cr_expect_str_eq(t.p, tag_rows[i].sni, "row %zu", i);
	}
	text_free(&t);
}

Test(sni, tags_are_read_back)
{
	struct tag tags[8];
	struct text t = TEXT_EMPTY;
	struct sni_tags p;
	size_t i, j, n;

	for (i = 0; i < ARRAY_LEN(tag_rows); i++) {
		cr_assert(
		    sni_parse_tags(str_of(tag_rows[i].sni), &p), "row %zu", i);
		for (n = j = 0; j < p.n; j++, n++) {
			tags[n].key = p.keys[j];
			tags[n].value = p.values[j];
		}
		text_clear(&t);
		sni_print_tags(p.service, p.mesh, tags, n, &t);
		cr_expect_str_eq(t.p, tag_rows[i].sni, "row %zu", i);
	}
	text_free(&t);
}

Test(sni, tags_malformed)
{
	static const char *const rows[] = { "", "{mesh=m}", "a{mesh=m",
		"a{mesh=m}}", "a{{mesh=m}", "a{}", "a{mesh}", "a{mesh=}",
		"a{=m}", "a{mesh=m,}", "a{,mesh=m}", "a{mesh=m}b", "a{k=v,k=w}",
		"a{mesh=m,mesh=n}", "a{k=v=w}", "a}", "a{x=}y}" };
	struct sni_tags p;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_not(
		    sni_parse_tags(str_of(rows[i]), &p), "%s", rows[i]);
}

Test(sni, tags_are_bounded)
{
	struct text t = TEXT_EMPTY;
	struct sni_tags p;
	unsigned i;

	text_add_z(&t, "a{mesh=m");
	for (i = 0; i < SNI_TAGS_MAX; i++)
		text_addf(&t, ",k%u=v", i);
	text_add_z(&t, "}");
	cr_expect(sni_parse_tags(text_str(&t), &p));
	cr_expect_eq(p.n, SNI_TAGS_MAX);
	t.len--;
	text_add_z(&t, ",more=v}");
	cr_expect_not(sni_parse_tags(text_str(&t), &p));
	text_free(&t);
}

static const struct {
	const char *name;
	const char *mesh;
	uint16_t port;
	const char *type;
	const char *tags;
	const char *sni;
} hash_rows[] = {
	{ "backend", "demo", 8080, "ms", "",
	    "ae10a8071b8a8eeb8.backend.8080.demo.ms" },
	{ "backend", "demo", 8080, "mzms", "",
	    "ae10a8071b8a8eeb8.backend.8080.demo.mzms" },
	{ "backend", "demo", 8080, "ms", "x=a",
	    "a333a125865a97632.backend.8080.demo.ms" },
	{ A62 "-qwe", B62 "-qwe", 8080, "ms", "x=a",
	    "a5b91d8a08567bf09." A62 "x.8080." B62 "x.ms" },
	{ "meshexternalservice-1", "mesh-1", 9090, "mes", "",
	    "a45e197ed7825551b.meshexternalservice-1.9090.mesh-1.mes" },
	{ "example", "default", 9090, "mes", "",
	    "afce62f771ed74b78.example.9090.default.mes" },
	{ "example2", "default", 9090, "mes", "",
	    "a0ac70962fd61fdc0.example2.9090.default.mes" },
	{ "external", "mesh-1", 9000, "mes", "",
	    "ad098e6a3e7e807e1.external.9000.mesh-1.mes" },
	{ "backend", "default", 80, "ms", "",
	    "a601e0c00295a9fbe.backend.80.default.ms" },
	{ "multi-backend", "default", 80, "mzms", "",
	    "a6844c35bc637ba96.multi-backend.80.default.mzms" },
	{ "httpbin", "default", 80, "mes", "",
	    "a260442408b1a89a9.httpbin.80.default.mes" },
	{ "ext-srv-1", "default", 80, "mes", "",
	    "a0169786d757222ad.ext-srv-1.80.default.mes" },
	/* As recorded between a real sidecar and its egress. */
	{ "mes-tls", "default", 443, "mes", "",
	    "aa6700a9e84b4c1a3.mes-tls.443.default.mes" },
};

Test(sni, hashed_worked_values)
{
	struct tag tags[4];
	struct text t = TEXT_EMPTY;
	size_t i, n;

	for (i = 0; i < ARRAY_LEN(hash_rows); i++) {
		n = parse_tags(hash_rows[i].tags, tags);
		text_clear(&t);
		sni_print_hashed(str_of(hash_rows[i].name),
		    str_of(hash_rows[i].mesh), hash_rows[i].port,
		    hash_rows[i].type, tags, n, &t);
		cr_expect_str_eq(t.p, hash_rows[i].sni, "row %zu", i);
	}
	text_free(&t);
}

Test(sni, hashed_are_read_back)
{
	struct sni_hashed h;
	struct str name;
	size_t i;

	for (i = 0; i < ARRAY_LEN(hash_rows); i++) {
		cr_assert(sni_parse_hashed(str_of(hash_rows[i].sni), &h),
		    "row %zu", i);
		name = str_first(str_of(hash_rows[i].name), 62);
		cr_expect(str_starts(h.name, name), "row %zu", i);
		cr_expect_eq(h.port, hash_rows[i].port, "row %zu", i);
		cr_expect(
		    str_eq(h.type, str_of(hash_rows[i].type)), "row %zu", i);
		cr_expect(str_starts(
			      h.mesh, str_first(str_of(hash_rows[i].mesh), 62)),
		    "row %zu", i);
	}
}

Test(sni, hashed_with_dots)
{
	struct sni_hashed h;

	cr_assert(sni_parse_hashed(
	    STR("ae10a8071b8a8eeb8.back.end.ns.8080.a.b.ms"), &h));
	cr_expect(str_eq(h.name, STR("back.end.ns")));
	cr_expect(str_eq(h.mesh, STR("a.b")));
	cr_expect_eq(h.hash, UINT64_C(0xe10a8071b8a8eeb8));
	/* A mesh that is a number is still the last label. */
	cr_assert(sni_parse_hashed(STR("ae10a8071b8a8eeb8.x.8080.80.ms"), &h));
	cr_expect_eq(h.port, 8080);
	cr_expect(str_eq(h.mesh, STR("80")));
}

Test(sni, hashed_malformed)
{
	static const char *const rows[] = { "", "a", "mes", ".mes",
		"be10a8071b8a8eeb8.x.80.m.mes", "ae10a8071b8a8eeb.x.80.m.mes",
		"ae10a8071b8a8eebg.x.80.m.mes", "ae10a8071b8a8eeb8.x.80.m.foo",
		"ae10a8071b8a8eeb8.x.0.m.mes",
		"ae10a8071b8a8eeb8.x.65536.m.mes", "ae10a8071b8a8eeb8.x.m.mes",
		"ae10a8071b8a8eeb8.80.m.mes", "ae10a8071b8a8eeb8.x.80.mes",
		"ae10a8071b8a8eeb8.mes", "ae10a8071b8a8eeb8..80.m.mes",
		"ae10a8071b8a8eeb8.x.80..mes" };
	struct sni_hashed h;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_not(
		    sni_parse_hashed(str_of(rows[i]), &h), "%s", rows[i]);
}
