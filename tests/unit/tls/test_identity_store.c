/* SPDX-License-Identifier: Apache-2.0 */
/*
 * As whom we answer: what is minted, what is shared between sets, when it is
 * due, and what is said when it cannot be.
 */

#include <criterion/criterion.h>
#include <openssl/x509v3.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/problem.h"
#include "tls/cert.h"
#include "tls/mint.h"
#include "tls/pem_read.h"
#include "tls/tls_mesh.h"
#include "unit/tls/tls_duo.h"

static struct pki *ca;
static struct problems pr;
static int64_t now;

static void
setup(void)
{
	ca = pki_mesh_ca("default");
	pr = PROBLEMS_NONE;
	now = clock_wall_s();
}

static void
teardown(void)
{
	problems_free(&pr);
	pki_free(ca);
}

TestSuite(identity_store, .init = setup, .fini = teardown);

static X509 *
mint(const struct pki *by, uint64_t life_s, int64_t at_s)
{
	struct mint_request rq = {
		.mesh = STR("default"),
		.ca_cert_pem = str_of(by->cert_pem),
		.ca_key_pem = str_of(by->key_pem),
		.life_s = life_s,
		.now_s = at_s,
	};
	struct text why = TEXT_EMPTY;
	EVP_PKEY *key;
	X509 *leaf;

	cr_assert(mint_leaf(&rq, &leaf, &key, &why), "%s", why.p);
	cr_expect(EVP_PKEY_is_a(key, "EC"));
	cr_expect_eq(X509_check_private_key(leaf, key), 1);
	EVP_PKEY_free(key);
	return leaf;
}

Test(identity_store, a_minted_leaf_is_as_kuma_makes_it)
{
	X509 *leaf = mint(ca, 3600, now);
	struct sans sans;
	BIGNUM *serial;

	cr_expect_eq(X509_NAME_entry_count(X509_get_subject_name(leaf)), 0);
	cr_expect_eq(X509_NAME_cmp(X509_get_issuer_name(leaf),
			 X509_get_subject_name(ca->cert)),
	    0);
	cr_expect_eq(X509_verify(leaf, ca->key), 1);
	cr_expect_eq(X509_check_issued(ca->cert, leaf), X509_V_OK);
	cr_expect_eq(cert_not_before(leaf), now - 10);
	cr_expect_eq(cert_not_after(leaf), now + 3600);
	cr_expect_eq(X509_get_key_usage(leaf), KU_DIGITAL_SIGNATURE);
	cr_expect_eq(
	    X509_get_extended_key_usage(leaf), XKU_SSL_SERVER | XKU_SSL_CLIENT);
	cr_expect_eq(X509_check_ca(leaf), 0);
	cr_expect_not_null(X509_get0_subject_key_id(leaf));
	cr_expect_eq(ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(leaf),
			 X509_get0_subject_key_id(ca->cert)),
	    0);
	serial = ASN1_INTEGER_to_BN(X509_get0_serialNumber(leaf), NULL);
	cr_expect(BN_num_bits(serial) > 96 && BN_num_bits(serial) <= 128);
	BN_free(serial);
	cert_sans(leaf, &sans);
	cr_assert_eq(sans.n, 2);
	cr_expect(str_eq(sans.v[0].value, STR("spiffe://default/zone-egress")));
	cr_expect(
	    str_eq(sans.v[1].value, STR("kuma://kuma.io/service/zone-egress")));
	cert_sans_free(&sans);
	cr_expect_eq(X509_EXTENSION_get_critical(X509_get_ext(leaf,
			 X509_get_ext_by_NID(leaf, NID_subject_alt_name, -1))),
	    1);
	X509_free(leaf);
}

Test(identity_store, mints_with_every_kind_of_ca_key)
{
	static const enum pki_key keys[] = { PKI_RSA2048, PKI_EC384,
		PKI_ED25519 };
	struct pki_options o = { .subject = "CN=ca" };
	struct pki *by;
	X509 *leaf;
	size_t i;

	for (i = 0; i < ARRAY_LEN(keys); i++) {
		o.key = keys[i];
		o.no_key_ids = i == 1;
		by = pki_ca_new(NULL, &o);
		leaf = mint(by, 3600, now);
		cr_expect_eq(X509_verify(leaf, by->key), 1, "row %zu", i);
		X509_free(leaf);
		pki_free(by);
	}
}

Test(identity_store, a_leaf_does_not_outlive_its_ca)
{
	struct pki_options o = { .subject = "CN=short", .to_s = 1000 };
	struct pki *by = pki_ca_new(NULL, &o);
	X509 *leaf = mint(by, 86400, now);

	cr_expect_eq(cert_not_after(leaf), cert_not_after(by->cert));
	X509_free(leaf);
	pki_free(by);
}

static void
expect_problem(const char *part)
{
	cr_assert_eq(pr.n, 1);
	cr_expect(strstr(pr.v[0].message, part) != NULL, "%s", pr.v[0].message);
	cr_expect(strstr(pr.v[0].message, "mesh.yaml:1 Mesh/default") != NULL,
	    "names where: %s", pr.v[0].message);
}

Test(identity_store, a_mesh_that_cannot_be_served_is_left_out)
{
	struct pki_options expired = {
		.subject = "CN=old", .from_s = -7200, .to_s = -60
	};
	struct pki_options future = { .subject = "CN=new", .from_s = 600 };
	struct pki *bad[] = { pki_ca_new(NULL, &expired),
		pki_ca_new(NULL, &future),
		pki_sidecar(ca, "default", "x", NULL) };
	static const char *const parts[] = { "the CA certificate expired on 20",
		"is not valid before 20", "is not a CA's" };
	struct tls_identities *t;
	struct mesh_spec *m;
	size_t i;

	for (i = 0; i < ARRAY_LEN(bad); i++) {
		m = duo_mesh("default", bad[i], NULL);
		t = tls_identities_new(&m, 1, NULL, now, &pr);
		cr_expect_eq(tls_identities_count(t), 0);
		cr_expect_null(tls_identities_find(t, STR("default")));
		cr_expect_eq(tls_identities_due_s(t), INT64_MAX);
		expect_problem(parts[i]);
		expect_problem("cannot be served");
		problems_free(&pr);
		pr = PROBLEMS_NONE;
		tls_identities_unref(t);
		mesh_spec_unref(m);
		pki_free(bad[i]);
	}
}

Test(identity_store, what_did_not_change_is_shared)
{
	struct mesh_spec *m[2] = { duo_mesh("default", ca, NULL), NULL };
	struct tls_identities *one, *two, *three;
	struct pki *blue = pki_mesh_ca("blue");

	m[1] = duo_mesh("blue", blue, NULL);
	one = tls_identities_new(m, 1, NULL, now, &pr);
	two = tls_identities_new(m, 2, one, now + 5, &pr);
	cr_expect_eq(tls_identities_count(two), 2);
	cr_expect_eq(tls_identities_find(one, STR("default")),
	    tls_identities_find(two, STR("default")));
	cr_expect_not_null(tls_identities_find(two, STR("blue")));
	cr_expect_null(tls_identities_find(two, STR("blu")));
	cr_expect_null(tls_identities_find(two, STR("")));
	/* A change makes a new one, with the same sessions of callers. */
	m[0]->digest.b[5] ^= 1;
	three = tls_identities_new(m, 2, two, now + 5, &pr);
	cr_expect_neq(tls_identities_find(three, STR("default")),
	    tls_identities_find(two, STR("default")));
	cr_expect_eq(tls_identities_find(three, STR("default"))->callers,
	    tls_identities_find(two, STR("default"))->callers);
	cr_expect_eq(tls_identities_find(three, STR("blue")),
	    tls_identities_find(two, STR("blue")));
	cr_expect_eq(pr.n, 0);
	tls_identities_unref(one);
	tls_identities_unref(two);
	tls_identities_unref(three);
	mesh_spec_unref(m[0]);
	mesh_spec_unref(m[1]);
	pki_free(blue);
}

Test(identity_store, is_renewed_at_four_fifths)
{
	struct mesh_spec *m = duo_mesh("default", ca, NULL);
	struct tls_identities *one, *two, *three;
	struct tls_mesh_info info;

	m->leaf_life_s = 1000;
	one = tls_identities_new(&m, 1, NULL, now, &pr);
	cr_expect_eq(tls_identities_due_s(one), now + 800);
	two = tls_identities_new(&m, 1, one, now + 799, &pr);
	cr_expect_eq(tls_identities_find(one, STR("default")),
	    tls_identities_find(two, STR("default")));
	three = tls_identities_new(&m, 1, two, now + 800, &pr);
	cr_expect_neq(tls_identities_find(three, STR("default")),
	    tls_identities_find(two, STR("default")));
	cr_expect_eq(tls_identities_due_s(three), now + 1600);
	tls_identities_info(three, 0, &info);
	cr_expect_eq(info.not_after_s, now + 1800);
	cr_expect(info.is_minted);
	cr_expect_eq(info.ca_not_after_s, cert_not_after(ca->cert));
	cr_expect(str_eq(info.mesh, STR("default")));
	cr_expect(str_eq(info.origin, STR("mesh.yaml:1 Mesh/default")));
	cr_expect(str_eq(info.spiffe, STR("spiffe://default/zone-egress")));
	tls_identities_unref(one);
	tls_identities_unref(two);
	tls_identities_unref(three);
	mesh_spec_unref(m);
}

Test(identity_store, a_broken_change_keeps_what_works)
{
	struct pki_options expired = {
		.subject = "CN=old", .from_s = -7200, .to_s = -60
	};
	struct pki *old = pki_ca_new(NULL, &expired);
	struct mesh_spec *good = duo_mesh("default", ca, NULL);
	struct mesh_spec *bad = duo_mesh("default", old, NULL);
	struct tls_identities *one, *two, *three;

	good->leaf_life_s = 12;
	one = tls_identities_new(&good, 1, NULL, now, &pr);
	two = tls_identities_new(&bad, 1, one, now + 10, &pr);
	cr_expect_eq(tls_identities_find(one, STR("default")),
	    tls_identities_find(two, STR("default")));
	expect_problem("keeps its earlier identity");
	problems_free(&pr);
	pr = PROBLEMS_NONE;
	/* Renewal is tried again, but not all the time. */
	cr_expect_eq(tls_identities_due_s(two), now + 10 + 60);
	/* As long as that lasts. */
	three = tls_identities_new(&bad, 1, two, now + 90000, &pr);
	cr_expect_eq(tls_identities_count(three), 0);
	tls_identities_unref(one);
	tls_identities_unref(two);
	tls_identities_unref(three);
	mesh_spec_unref(good);
	mesh_spec_unref(bad);
	pki_free(old);
}

Test(identity_store, a_given_identity)
{
	struct pki *own = pki_sidecar(ca, "default", "zone-egress", NULL);
	struct pki *other = pki_sidecar(ca, "default", "zone-egress", NULL);
	struct mesh_spec *m = duo_mesh("default", ca, own);
	struct tls_identities *t;
	struct tls_mesh_info info;

	t = tls_identities_new(&m, 1, NULL, now, &pr);
	cr_assert_eq(tls_identities_count(t), 1);
	tls_identities_info(t, 0, &info);
	cr_expect_not(info.is_minted);
	cr_expect_eq(info.not_after_s, cert_not_after(own->cert));
	cr_expect_eq(tls_identities_due_s(t), INT64_MAX);
	tls_identities_unref(t);
	blob_unref(m->key);
	m->key = blob_new(str_of(other->key_pem));
	t = tls_identities_new(&m, 1, NULL, now, &pr);
	cr_expect_eq(tls_identities_count(t), 0);
	expect_problem("the configured identity: the private key does not "
		       "belong to the first certificate");
	tls_identities_unref(t);
	problems_free(&pr);
	pr = PROBLEMS_NONE;
	blob_unref(m->key);
	blob_unref(m->cert);
	m->cert = NULL;
	m->key = NULL;
	t = tls_identities_new(&m, 1, NULL, now, &pr);
	cr_expect_eq(tls_identities_count(t), 0);
	expect_problem("the key of its CA is not among the resources");
	tls_identities_unref(t);
	mesh_spec_unref(m);
	pki_free(own);
	pki_free(other);
}
