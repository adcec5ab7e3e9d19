/* SPDX-License-Identifier: Apache-2.0 */
/* PEM that an operator may give us, and what is said about it. */

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/attr.h"
#include "support/pki.h"
#include "tls/pem.h"

#define LOCKED                                                        \
	"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIH0MF8GCSqGSIb3DQ\n" \
	"-----END ENCRYPTED PRIVATE KEY-----\n"

static struct pki *ca, *leaf, *rsa, *edwards;

static void
setup(void)
{
	struct pki_options o = { .subject = "CN=ca" };
	struct pki_options r = { .sans = "DNS:a", .key = PKI_RSA2048 };
	struct pki_options e = { .sans = "DNS:a", .key = PKI_ED25519 };

	ca = pki_ca_new(NULL, &o);
	leaf = pki_server(ca, "a.example");
	rsa = pki_leaf_new(ca, &r);
	edwards = pki_leaf_new(ca, &e);
}

static void
teardown(void)
{
	pki_free(ca);
	pki_free(leaf);
	pki_free(rsa);
	pki_free(edwards);
}

TestSuite(pem, .init = setup, .fini = teardown);

static void
expect_why(const char *what, bool is_ok, struct text *why, const char *part)
{
	cr_expect_eq(is_ok, part == NULL, "%s", what);
	if (part != NULL)
		cr_expect(why->p != NULL && strstr(why->p, part) != NULL,
		    "%s: %s", what, why->p);
	else
		cr_expect_eq(why->len, 0, "%s: %s", what, why->p);
	text_free(why);
}

Test(pem, pairs)
{
	char *chain = pki_chain_pem(leaf, ca, NULL);
	char *wrong_order = pki_chain_pem(ca, leaf, NULL);
	const struct {
		const char *what, *cert, *key, *why;
	} rows[] = {
		{ "EC", leaf->cert_pem, leaf->key_pem, NULL },
		{ "RSA", rsa->cert_pem, rsa->key_pem, NULL },
		{ "Ed25519", edwards->cert_pem, edwards->key_pem, NULL },
		{ "a chain", chain, leaf->key_pem, NULL },
		{ "a chain in the wrong order", wrong_order, leaf->key_pem,
		    "does not belong to the first certificate" },
		{ "another's key", leaf->cert_pem, ca->key_pem,
		    "does not belong" },
		{ "another kind of key", leaf->cert_pem, rsa->key_pem,
		    "does not belong" },
		{ "empty key", leaf->cert_pem, "", "no private key" },
		{ "certificate for key", leaf->cert_pem, leaf->cert_pem,
		    "no private key" },
		{ "locked key", leaf->cert_pem, LOCKED, "passphrase" },
		/* Whoever writes PEM leads to no token. */
		{ "a URI", leaf->cert_pem, "pkcs11:object=a",
		    "no private key" },
		{ "no token's name", leaf->cert_pem, "token:00",
		    "no private key" },
		{ "damaged key", leaf->cert_pem,
		    "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE "
		    "KEY-----\n",
		    "cannot be decoded" },
		{ "empty certificate", "", leaf->key_pem, "no certificate" },
		{ "key for certificate", leaf->key_pem, leaf->key_pem,
		    "no certificate" },
	};
	struct text why = TEXT_EMPTY;
	bool is_ok;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		is_ok = pem_ops.check_pair(
		    str_of(rows[i].cert), str_of(rows[i].key), &why);
		expect_why(rows[i].what, is_ok, &why, rows[i].why);
	}
	free(chain);
	free(wrong_order);
}

Test(pem, bundles)
{
	char *two = pki_chain_pem(ca, leaf, NULL);
	struct text commented = TEXT_EMPTY, damaged = TEXT_EMPTY;
	struct text why = TEXT_EMPTY;
	bool is_ok;
	size_t i;

	text_addf(&commented, "# our CA\r\n%s\nand so on\n", ca->cert_pem);
	text_addf(&damaged,
	    "%s-----BEGIN CERTIFICATE-----\nAAAA\n-----END "
	    "CERTIFICATE-----\n",
	    ca->cert_pem);
	const struct {
		const char *what, *pem, *why;
	} rows[] = {
		{ "one", ca->cert_pem, NULL },
		{ "two", two, NULL },
		{ "with words around it", commented.p, NULL },
		{ "nothing", "", "no certificate" },
		{ "no PEM", "xyz", "no certificate" },
		{ "only a key", ca->key_pem, "no certificate" },
		{ "the second is damaged", damaged.p,
		    "certificate 2 of it cannot be decoded" },
		{ "cut off", "-----BEGIN CERTIFICATE-----\nMIIB\n",
		    "certificate 1 of it cannot be decoded" },
	};
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		is_ok = pem_ops.check_ca(str_of(rows[i].pem), &why);
		expect_why(rows[i].what, is_ok, &why, rows[i].why);
	}
	text_free(&commented);
	text_free(&damaged);
	free(two);
}

Test(pem, not_after)
{
	struct pki_options o = { .sans = "DNS:a", .to_s = 1000 };
	struct pki *p = pki_leaf_new(ca, &o);
	int64_t left = pem_not_after(str_of(p->cert_pem)) - time(NULL);

	cr_expect(left > 990 && left <= 1000, "%lld", (long long)left);
	cr_expect_eq(pem_not_after(STR("nothing")), 0);
	pki_free(p);
}

Test(pem, system_ca)
{
	setenv("SSL_CERT_FILE", "/a/bundle.pem", 1);
	cr_expect_str_eq(pem_ops.system_ca(), "/a/bundle.pem");
	setenv("SSL_CERT_FILE", "", 1);
	if (pem_ops.system_ca() != NULL)
		cr_expect_eq(pem_ops.system_ca()[0], '/');
}
