/* SPDX-License-Identifier: Apache-2.0 */
/* Which names in a certificate are the expected one. */

#include <criterion/criterion.h>

#include "base/attr.h"
#include "support/pki.h"
#include "tls/verify_name.h"

static const struct {
	const char *sans;
	enum tls_name_match match;
	const char *name;
	bool is_found;
} rows[] = {
	{ "DNS:a.example.com", TLS_NAME_EXACT, "a.example.com", true },
	{ "DNS:A.Example.COM", TLS_NAME_EXACT, "a.example.com", true },
	{ "DNS:b.example.com,DNS:a.example.com", TLS_NAME_EXACT,
	    "a.example.com", true },
	{ "DNS:a.example.com.", TLS_NAME_EXACT, "a.example.com", true },
	{ "DNS:a.example.com", TLS_NAME_EXACT, "a.example.com.", true },
	{ "DNS:example.com", TLS_NAME_EXACT, "a.example.com", false },
	{ "DNS:a.example.com", TLS_NAME_EXACT, "example.com", false },
	{ "DNS:a.example.com", TLS_NAME_EXACT, ".example.com", false },
	{ "DNS:a.example.com", TLS_NAME_EXACT, "", false },
	{ "DNS:a.example.com%00.evil", TLS_NAME_EXACT, "a.example.com", false },

	{ "DNS:*.example.com", TLS_NAME_EXACT, "a.example.com", true },
	{ "DNS:*.example.com", TLS_NAME_EXACT, "xn--bcher-kva.example.com",
	    true },
	{ "DNS:*.example.com", TLS_NAME_EXACT, "example.com", false },
	{ "DNS:*.example.com", TLS_NAME_EXACT, ".example.com", false },
	{ "DNS:*.example.com", TLS_NAME_EXACT, "a.b.example.com", false },
	{ "DNS:*.com", TLS_NAME_EXACT, "example.com", false },
	{ "DNS:*", TLS_NAME_EXACT, "localhost", false },
	{ "DNS:a*.example.com", TLS_NAME_EXACT, "ab.example.com", false },
	{ "DNS:*a.example.com", TLS_NAME_EXACT, "ba.example.com", false },
	{ "DNS:a.*.com", TLS_NAME_EXACT, "a.example.com", false },
	{ "DNS:www.example.com", TLS_NAME_EXACT, "*.example.com", false },

	{ "IP:192.0.2.1", TLS_NAME_EXACT, "192.0.2.1", true },
	{ "IP:192.0.2.1", TLS_NAME_EXACT, "192.0.2.2", false },
	{ "IP:2001:db8::1", TLS_NAME_EXACT, "2001:db8:0:0::1", true },
	{ "IP:2001:db8::1", TLS_NAME_EXACT, "[2001:db8::1]", true },
	{ "DNS:192.0.2.1", TLS_NAME_EXACT, "192.0.2.1", false },
	{ "DNS:*.0.2.1", TLS_NAME_EXACT, "192.0.2.1", false },
	{ "IP:192.0.2.1", TLS_NAME_PREFIX, "192.", false },

	{ "URI:spiffe://a/b", TLS_NAME_EXACT, "spiffe://a/b", true },
	{ "URI:spiffe://a/b", TLS_NAME_EXACT, "spiffe://a/B", false },
	{ "URI:spiffe://a/bc", TLS_NAME_EXACT, "spiffe://a/b", false },
	{ "URI:spiffe://a/b", TLS_NAME_PREFIX, "spiffe://a/", true },
	{ "URI:spiffe://a/b", TLS_NAME_PREFIX, "spiffe://b/", false },
	{ "DNS:a.example.com", TLS_NAME_PREFIX, "A.Ex", true },
	{ "DNS:a.example.com", TLS_NAME_PREFIX, "b", false },
	{ "DNS:a.example.com", TLS_NAME_PREFIX, "", false },
	{ "DNS:a", TLS_NAME_PREFIX, "a.example.com", false },
	{ "EMAIL:a@example.com", TLS_NAME_EXACT, "a@example.com", false },
	{ NULL, TLS_NAME_EXACT, "common.example.com", false },
};

static struct pki *ca;

static void
setup(void)
{
	struct pki_options o = { .subject = "CN=ca" };

	ca = pki_ca_new(NULL, &o);
}

static void
teardown(void)
{
	pki_free(ca);
}

TestSuite(verify_name, .init = setup, .fini = teardown);

Test(verify_name, table)
{
	struct pki_options o = { .subject = "CN=common.example.com" };
	struct text why = TEXT_EMPTY;
	struct tls_name name;
	struct pki *p;
	bool is_found;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		o.sans = rows[i].sans;
		p = pki_leaf_new(ca, &o);
		name = (struct tls_name){ rows[i].match, str_of(rows[i].name) };
		is_found = verify_names(p->cert, &name, 1, &why);
		cr_expect_eq(is_found, rows[i].is_found, "%s in %s",
		    rows[i].name, rows[i].sans);
		cr_expect_eq(why.len > 0, !is_found);
		text_free(&why);
		pki_free(p);
	}
}

Test(verify_name, one_of_several_is_enough)
{
	struct pki_options o = { .sans = "DNS:a.example,URI:spiffe://m/b" };
	struct tls_name names[] = { { TLS_NAME_EXACT, STR("b.example") },
		{ TLS_NAME_PREFIX, STR("spiffe://m/") } };
	struct text why = TEXT_EMPTY;
	struct pki *p = pki_leaf_new(ca, &o);

	cr_expect(verify_names(p->cert, names, 2, &why));
	cr_expect_not(verify_names(p->cert, names, 1, &why));
	text_clear(&why);
	cr_expect_not(verify_names(p->cert, names, 0, &why));
	cr_expect(strstr(why.p, "expected nothing") != NULL);
	text_free(&why);
	pki_free(p);
}

Test(verify_name, the_sentence_is_bounded_and_clean)
{
	struct pki_options o = {
		.sans = "DNS:a,DNS:b%1b[2Jx,DNS:c,DNS:d,DNS:e,DNS:f,DNS:g,DNS:h"
	};
	struct tls_name names[2] = { { TLS_NAME_EXACT, STR("z.example") },
		{ TLS_NAME_PREFIX, STR("spiffe://m/") } };
	struct text why = TEXT_EMPTY;
	struct pki *p = pki_leaf_new(ca, &o);

	cr_expect_not(verify_names(p->cert, names, 2, &why));
	cr_expect_str_eq(why.p,
	    "the certificate is not for the expected name: expected z.example "
	    "or spiffe://m/*; the certificate has DNS a, DNS b?[2Jx, DNS c, "
	    "DNS d, DNS e, DNS f and 2 more");
	text_free(&why);
	pki_free(p);
}
