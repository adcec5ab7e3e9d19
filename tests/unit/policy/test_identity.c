/* SPDX-License-Identifier: Apache-2.0 */
/* Who a caller is: URI SANs in, a name of the asked-for mesh out. */

#include <criterion/criterion.h>

#include "policy/identity.h"

static const struct {
	const char *mesh;
	const char *uris; /* separated by spaces */
	enum identity_status status;
	const char *service;
} rows[] = {
	{ "m", "spiffe://m/web", IDENTITY_OK, "web" },
	{ "m", "kuma://kuma.io/zone/z spiffe://m/web", IDENTITY_OK, "web" },
	/* The first of the mesh counts, in the certificate's order. */
	{ "m", "spiffe://m/web spiffe://m/api", IDENTITY_OK, "web" },
	{ "m", "spiffe://other/a spiffe://m/web", IDENTITY_OK, "web" },
	{ "m", "spiffe://m/ns/a/sa/b", IDENTITY_OK, "ns/a/sa/b" },
	{ "m", "spiffe://other/web", IDENTITY_NO_SPIFFE, NULL },
	{ "m", "spiffe://mesh/web", IDENTITY_NO_SPIFFE, NULL },
	{ "m", "spiffe://M/web", IDENTITY_NO_SPIFFE, NULL },
	{ "m", "spiffe://m", IDENTITY_NO_SPIFFE, NULL },
	{ "m", "spiffe://m/", IDENTITY_NO_SPIFFE, NULL },
	{ "m", "https://m/web kuma://kuma.io/service/web", IDENTITY_NO_SPIFFE,
	    NULL },
	{ "m", "", IDENTITY_NO_SPIFFE, NULL },
	{ "", "spiffe:///web", IDENTITY_NO_SPIFFE, NULL },
	{ "m", "spiffe://m/web kuma://a/\xc3\xa4", IDENTITY_BAD_SAN, NULL },
	{ "m", "spiffe://m/web\x7f", IDENTITY_BAD_SAN, NULL },
	{ "m", "spiffe://m/web\n", IDENTITY_BAD_SAN, NULL },
};

static size_t
split(const char *text, struct str *out)
{
	struct str rest = str_of(text);
	size_t n = 0;

	while (rest.len > 0)
		out[n++] = str_cut(&rest, ' ');
	return n;
}

Test(identity, table)
{
	struct str uris[8];
	struct identity *id;
	size_t i, n;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		n = split(rows[i].uris, uris);
		cr_expect_eq(
		    identity_new(str_of(rows[i].mesh), uris, n, 5, &id),
		    rows[i].status, "row %zu", i);
		cr_expect_eq(
		    id != NULL, rows[i].status == IDENTITY_OK, "row %zu", i);
		if (id != NULL)
			cr_expect(str_eq(id->service, str_of(rows[i].service)),
			    "row %zu", i);
		identity_free(id);
	}
}

Test(identity, a_nul_is_refused)
{
	struct str uri = STR("spiffe://m/web\0.evil");
	struct identity *id;

	cr_expect_eq(identity_new(STR("m"), &uri, 1, 0, &id), IDENTITY_BAD_SAN);
	cr_expect_null(id);
}

Test(identity, too_many_are_refused)
{
	struct str uris[IDENTITY_URIS_MAX + 1];
	struct identity *id;
	size_t i;

	for (i = 0; i <= IDENTITY_URIS_MAX; i++)
		uris[i] = STR("spiffe://m/web");
	cr_expect_eq(identity_new(STR("m"), uris, i, 0, &id), IDENTITY_BAD_SAN);
	cr_expect_eq(identity_new(STR("m"), uris, i - 1, 0, &id), IDENTITY_OK);
	identity_free(id);
}

static struct identity *
make(const char *text)
{
	struct str uris[8];
	struct identity *id;
	size_t n = split(text, uris);

	cr_assert_eq(
	    identity_new(STR("m"), uris, n, 1234567890123, &id), IDENTITY_OK);
	return id;
}

Test(identity, names_are_whole)
{
	struct identity *id =
	    make("spiffe://m/web kuma://kuma.io/zone/zone-1 kuma://a/b/c");

	cr_expect(identity_has(id, STR("spiffe://m/web")));
	cr_expect(identity_has(id, STR("kuma://kuma.io/zone/zone-1")));
	cr_expect_not(identity_has(id, STR("kuma://kuma.io/zone/zone-")));
	cr_expect_not(identity_has(id, STR("spiffe://m/web2")));
	cr_expect_not(identity_has(id, STR("")));
	cr_expect(str_eq(identity_tag(id, STR("kuma.io/zone")), STR("zone-1")));
	cr_expect_eq(identity_tag(id, STR("kuma.io")).len,
	    strlen("zone/zone-1"), "the tag is a prefix up to a slash");
	cr_expect_eq(identity_tag(id, STR("version")).len, 0);
	identity_free(id);
}

static void
expect_equal(const struct identity *a, const struct identity *b)
{
	size_t i;

	cr_assert_not_null(b);
	cr_assert_eq(a->n_uris, b->n_uris);
	for (i = 0; i < a->n_uris; i++)
		cr_expect(str_eq(a->uris[i], b->uris[i]));
	cr_expect(str_eq(a->spiffe, b->spiffe));
	cr_expect(str_eq(a->service, b->service));
	cr_expect_eq(a->not_after_s, b->not_after_s);
}

Test(identity, dup)
{
	struct identity *id = make("spiffe://m/web kuma://z/y spiffe://m/api");
	struct identity *copy = identity_dup(id);

	expect_equal(id, copy);
	cr_expect_neq(id->spiffe.p, copy->spiffe.p);
	identity_free(id);
	identity_free(copy);
}

Test(identity, pack_and_back)
{
	struct identity *id = make("kuma://z/y spiffe://m/web spiffe://m/api");
	struct text t = TEXT_EMPTY;
	struct identity *back;

	identity_pack(id, &t);
	back = identity_unpack(text_str(&t), STR("m"));
	expect_equal(id, back);
	cr_expect_null(identity_unpack(text_str(&t), STR("other")),
	    "another mesh believes nothing of it");
	identity_free(id);
	identity_free(back);
	text_free(&t);
}

/* A session that was cut or written to gives nobody, and nothing is read. */
Test(identity, unpack_damaged)
{
	struct identity *id = make("kuma://z/y spiffe://m/web");
	struct text t = TEXT_EMPTY;
	struct identity *back;
	char *copy;
	size_t i;

	identity_pack(id, &t);
	for (i = 0; i < t.len; i++) {
		copy = str_dup(str_first(text_str(&t), i));
		cr_expect_null(
		    identity_unpack(
			(struct str){ .p = copy, .len = i }, STR("m")),
		    "cut at %zu", i);
		free(copy);
	}
	text_add_char(&t, 'x');
	cr_expect_null(identity_unpack(text_str(&t), STR("m")), "more follows");
	t.len--;
	for (i = 0; i < t.len; i++) {
		t.p[i] ^= (char)0x80;
		back = identity_unpack(text_str(&t), STR("m"));
		/* Bytes 1 to 8 are the time, which any value can be. */
		cr_expect_eq(back != NULL, i >= 1 && i <= 8, "byte %zu", i);
		identity_free(back);
		t.p[i] ^= (char)0x80;
	}
	text_free(&t);
	identity_free(id);
}
