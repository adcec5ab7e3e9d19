/* SPDX-License-Identifier: Apache-2.0 */
/* Which names in a certificate are the expected one. */

#include <criterion/criterion.h>

#include "base/attr.h"
#include "policy/tls_name.h"
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

/* The same as an operator writes it, which says among which names. */
static const struct {
	const char *sans;
	const char *text;
	bool is_found;
} written[] = {
	{ "DNS:a.example.com", "dns:A.example.com", true },
	{ "DNS:*.example.com", "dns:a.example.com", true },
	{ "URI:a.example.com", "dns:a.example.com", false },
	{ "DNS:a.example.com", "uri:a:b", false },
	{ "DNS:a.example.com", "dns-suffix:.example.com", true },
	{ "DNS:a.b.EXAMPLE.com", "dns-suffix:.example.com", true },
	{ "DNS:*.example.com", "dns-suffix:.example.com", true },
	{ "DNS:example.com", "dns-suffix:.example.com", false },
	{ "DNS:badexample.com", "dns-suffix:.example.com", false },
	{ "DNS:a.example.com.evil", "dns-suffix:.example.com", false },
	{ "URI:x://a.example.com", "dns-suffix:.example.com", false },
	{ "IP:192.0.2.1", "ip:192.0.2.1", true },
	{ "IP:192.0.2.1", "ip:192.0.2.2", false },
	{ "IP:2001:db8::1", "ip:2001:db8:0::1", true },
	{ "DNS:192.0.2.1", "ip:192.0.2.1", false },
	{ "URI:spiffe://m/a", "uri:spiffe://m/a", true },
	{ "URI:spiffe://m/ab", "uri:spiffe://m/a", false },
	{ "URI:spiffe://m/ab", "uri-prefix:spiffe://m/", true },
	{ "URI:spiffe://mm/ab", "uri-prefix:spiffe://m/", false },
	{ "DNS:spiffe", "uri-prefix:spiffe://m/", false },
	{ "URI:spiffe://m/ab", "prefix:spiffe://m/", true },
	{ "DNS:api.example", "prefix:api.", true },
	{ "EMAIL:a@Example.com", "email:a@example.COM", true },
	{ "EMAIL:A@example.com", "email:a@example.com", false },
	{ "EMAIL:a@example.com.evil", "email:a@example.com", false },
	{ "DNS:example.com", "email:a@example.com", false },
	{ "EMAIL:b@x@example.com", "email:b@example.com", false },
	{ "EMAIL:api.example", "prefix:api.", false },
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
		name = (struct tls_name){ .match = rows[i].match,
			.value = str_of(rows[i].name) };
		is_found = verify_names(p->cert, &name, 1, &why);
		cr_expect_eq(is_found, rows[i].is_found, "%s in %s",
		    rows[i].name, rows[i].sans);
		cr_expect_eq(why.len > 0, !is_found);
		text_free(&why);
		pki_free(p);
	}
}

Test(verify_name, as_written)
{
	struct pki_options o = { .subject = "CN=common.example.com" };
	struct text why = TEXT_EMPTY;
	struct tls_name name;
	const char *wants;
	struct pki *p;
	size_t i;

	for (i = 0; i < ARRAY_LEN(written); i++) {
		o.sans = written[i].sans;
		p = pki_leaf_new(ca, &o);
		cr_assert(
		    tls_name_parse(str_of(written[i].text), &name, &wants),
		    "%s: %s", written[i].text, wants);
		cr_expect_eq(verify_names(p->cert, &name, 1, &why),
		    written[i].is_found, "%s in %s", written[i].text,
		    written[i].sans);
		text_free(&why);
		pki_free(p);
	}
}

Test(verify_name, what_may_not_be_written)
{
	static const char *const bad[] = { "", "a.example", "dns:", "DNS:a",
		"dns:*.example", "dns:a b", "dns:.example", "dns:192.0.2.1",
		"dns-suffix:example", "dns-suffix:.",
		"dns-suffix:", "dns-suffix:..a",
		"prefix:", "ip:", "ip:a.example", "ip:192.0.2.1/24",
		"uri:", "uri:nothing", "uri:a:", "uri-prefix:spiffe",
		"uri-prefix:spiffe:", "uri-prefix:x://", "email:", "email:a",
		"email:@b", "email:a@", "email:a@b@c" };
	struct tls_name name;
	const char *wants;
	size_t i;

	for (i = 0; i < ARRAY_LEN(bad); i++) {
		wants = NULL;
		cr_expect_not(tls_name_parse(str_of(bad[i]), &name, &wants),
		    "%s", bad[i]);
		cr_expect(strstr(wants, "wants ") == wants, "%s", bad[i]);
	}
}

Test(verify_name, one_of_several_is_enough)
{
	struct pki_options o = { .sans = "DNS:a.example,URI:spiffe://m/b" };
	struct tls_name names[] = { { .value = STR("b.example") },
		{ .match = TLS_NAME_PREFIX, .value = STR("spiffe://m/") } };
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
	struct tls_name names[2] = { { .value = STR("z.example") },
		{ .match = TLS_NAME_PREFIX, .value = STR("spiffe://m/") } };
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
