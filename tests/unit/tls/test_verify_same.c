/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random certificates, chains, names and switches: each is decided by us, in a
 * handshake, and by X509_verify_cert() and X509_check_host() and its kin, which
 * know nothing of us.  Both must say the same.  VERIFY_SEED=n repeats a run,
 * VERIFY_COMBINATIONS=n makes a longer one.
 */

#include <criterion/criterion.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/attr.h"
#include "policy/fingerprint.h"
#include "policy/tls_spec_seal.h"
#include "support/pki_revoke.h"
#include "unit/tls/tls_duo.h"

#define COMBINATIONS 1000
#define SANS_MOST 4
#define NAMES_MOST 3

static uint64_t state;

static unsigned
dice(size_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)((state >> 11) % n);
}

#define PICK(v) (v)[dice(ARRAY_LEN(v))]

static const char *const sans[] = { "DNS:a.example", "DNS:b.example",
	"DNS:A.Example", "DNS:*.example", "DNS:*.a.example", "DNS:a.b.example",
	"DNS:*.com", "DNS:x*.example", "DNS:*", "DNS:example",
	"DNS:xn--bcher-kva.example", "DNS:*.b.example", "DNS:192.0.2.1",
	"IP:192.0.2.1", "IP:192.0.2.2", "IP:2001:db8::1", "URI:spiffe://m/a",
	"URI:spiffe://m/ab", "URI:spiffe://n/a", "URI:a.example",
	"EMAIL:ops@example", "EMAIL:ops@EXAMPLE", "EMAIL:Ops@example",
	"EMAIL:a.example" };

static const struct tls_name names[] = {
	{ .kind = TLS_NAME_DNS, .value = { "a.example", 9 } },
	{ .kind = TLS_NAME_DNS, .value = { "b.example", 9 } },
	{ .kind = TLS_NAME_DNS, .value = { "a.b.example", 11 } },
	{ .kind = TLS_NAME_DNS, .value = { "x.a.example", 11 } },
	{ .kind = TLS_NAME_DNS, .value = { "xa.example", 10 } },
	{ .kind = TLS_NAME_DNS, .value = { "a.com", 5 } },
	{ .kind = TLS_NAME_DNS, .value = { "example", 7 } },
	{ .kind = TLS_NAME_DNS, .value = { "xn--bcher-kva.example", 21 } },
	{ .kind = TLS_NAME_DNS,
	    .match = TLS_NAME_SUFFIX,
	    .value = { ".example", 8 } },
	{ .kind = TLS_NAME_DNS,
	    .match = TLS_NAME_SUFFIX,
	    .value = { ".b.example", 10 } },
	{ .kind = TLS_NAME_IP, .value = { "192.0.2.1", 9 } },
	{ .kind = TLS_NAME_IP, .value = { "192.0.2.3", 9 } },
	{ .kind = TLS_NAME_IP, .value = { "2001:db8:0::1", 13 } },
	{ .kind = TLS_NAME_URI, .value = { "spiffe://m/a", 12 } },
	{ .kind = TLS_NAME_URI, .value = { "a.example", 9 } },
	{ .kind = TLS_NAME_URI,
	    .match = TLS_NAME_PREFIX,
	    .value = { "spiffe://m/", 11 } },
	{ .kind = TLS_NAME_EMAIL, .value = { "ops@example", 11 } },
	{ .kind = TLS_NAME_EMAIL, .value = { "ops@b.example", 13 } },
};

/* Who may issue; each of the second row is issued by one of the first. */
enum { ROOT_A, ROOT_B, UNDER_A, EXPIRED_A, UNDER_B, NAMESAKE_B, ISSUERS };
static struct pki *issuers[ISSUERS];
static const int above[ISSUERS] = { ROOT_A, ROOT_B, ROOT_A, ROOT_A, ROOT_B,
	ROOT_B };

struct combination {
	int issuer;
	char sans[256];
	struct pki_options leaf_options;
	struct pki *leaf;
	int shown; /* beside the leaf; -1: nothing */
	int trusted[2];
	struct tls_spec draft;
	struct tls_name names[NAMES_MOST];
	char *crl;
	int version;
};

static void
setup(void)
{
	static const struct pki_options o[ISSUERS] = {
		{ .subject = "CN=root A" },
		{ .subject = "CN=root B" },
		{ .subject = "CN=between" },
		{ .subject = "CN=ended", .from_s = -7200, .to_s = -3600 },
		{ .subject = "CN=beside" },
		{ .subject = "CN=between" },
	};
	int i;

	for (i = 0; i < ISSUERS; i++)
		issuers[i] =
		    pki_ca_new(above[i] == i ? NULL : issuers[above[i]], &o[i]);
}

static void
teardown(void)
{
	int i;

	for (i = 0; i < ISSUERS; i++)
		pki_free(issuers[i]);
}

TestSuite(verify_same, .init = setup, .fini = teardown);

static void
choose_leaf(struct combination *c)
{
	static const char *const ekus[] = { NULL, NULL, NULL, "", "serverAuth",
		"clientAuth", "serverAuth,clientAuth" };
	static const int64_t times[][2] = { { 0, 0 }, { 0, 0 }, { 0, 0 },
		{ 0, 0 }, { 0, 0 }, { -7200, -3600 }, { 3600, 7200 } };
	size_t when = dice(ARRAY_LEN(times)), n = dice(SANS_MOST + 1), i;

	for (i = 0; i < n; i++)
		(void)snprintf(c->sans + strlen(c->sans),
		    sizeof(c->sans) - strlen(c->sans), "%s%s", i > 0 ? "," : "",
		    PICK(sans));
	c->leaf_options = (struct pki_options){
		.subject = "CN=a.example",
		.sans = n > 0 ? c->sans : NULL,
		.eku = PICK(ekus),
		.from_s = times[when][0],
		.to_s = times[when][1],
		.no_key_ids = dice(8) == 0,
	};
	c->issuer = (int)dice(ISSUERS);
	c->leaf = pki_leaf_new(issuers[c->issuer], &c->leaf_options);
	c->shown = dice(4) > 0 ? c->issuer : (int)dice(ISSUERS + 1) - 1;
}

static char *
join(char *a, char *b)
{
	char *all = malloc(strlen(a) + strlen(b) + 1);

	(void)strcpy(stpcpy(all, a), b);
	free(a);
	free(b);
	return all;
}

static char *
list_of(int issuer, const struct pki *revoked)
{
	int64_t next_s = dice(8) == 0 ? -60 : 0;

	return dice(4) == 0 ? pki_crl(issuers[issuer], next_s, revoked, NULL)
			    : pki_crl(issuers[issuer], next_s, NULL);
}

/* The issuer's list, or not; and that of the one above, or not. */
static void
choose_crl(struct combination *c)
{
	if (!c->draft.verify_chain || dice(3) > 0)
		return;
	c->crl = dice(8) > 0 ? list_of(c->issuer, c->leaf)
			     : list_of((int)dice(ISSUERS), c->leaf);
	if (dice(3) > 0)
		c->crl =
		    join(c->crl, list_of(above[c->issuer], issuers[c->issuer]));
	c->draft.crl = blob_new(str_of(c->crl));
	c->draft.crl_whole_chain = dice(2) == 0;
}

static void
choose_settings(struct combination *c)
{
	char *pem;
	size_t i;

	c->trusted[0] = (int)dice(ISSUERS);
	c->trusted[1] = (int)dice(ISSUERS);
	if (dice(2) == 0)
		c->trusted[0] = above[c->issuer];
	pem =
	    pki_chain_pem(issuers[c->trusted[0]], issuers[c->trusted[1]], NULL);
	c->draft = (struct tls_spec){
		.sni = STR("a.example"),
		.verify_chain = dice(5) > 0,
		.verify_names = dice(4) > 0,
		.ca = blob_new(str_of(pem)),
		.names = c->names,
		.n_names = dice(NAMES_MOST) + 1,
		.min_version = TLS1_2_VERSION,
		.max_version = TLS1_3_VERSION,
	};
	free(pem);
	for (i = 0; i < c->draft.n_names; i++)
		c->names[i] = PICK(names);
	choose_crl(c);
	c->version = dice(2) == 0 ? TLS1_2_VERSION : TLS1_3_VERSION;
}

static void
drop(struct combination *c)
{
	blob_unref(c->draft.ca);
	blob_unref(c->draft.crl);
	free(c->crl);
	pki_free(c->leaf);
}

static bool
by_us(
    const struct combination *c, struct tls_clients *clients, struct text *why)
{
	const struct duo_peer o = { .cert = c->leaf,
		.max_version = c->version,
		.chain_pem =
		    c->shown >= 0 ? issuers[c->shown]->cert_pem : NULL };
	struct fingerprint f;
	struct digest digest;
	struct tls_spec *spec;
	struct duo d;
	bool is_good;

	fingerprint_init(&f);
	digest = tls_spec_digest(&c->draft, &f);
	spec = tls_spec_new(&c->draft, &digest);
	fingerprint_fini(&f);
	duo_init(&d);
	duo_peer_server(&d, &o);
	cr_assert(wire_tls_connect(d.wire, clients, spec, STR_NONE, why), "%s",
	    why->p);
	is_good = duo_shake(&d) == IO_DONE;
	text_clear(why);
	text_add(why, wire_tls_failure_text(d.wire));
	duo_fini(&d);
	tls_spec_unref(spec);
	return is_good;
}

static STACK_OF(X509_CRL) * crls_of(const char *pem)
{
	STACK_OF(X509_CRL) *all = sk_X509_CRL_new_null();
	BIO *b = BIO_new_mem_buf(pem, -1);
	X509_CRL *one;

	while ((one = PEM_read_bio_X509_CRL(b, NULL, NULL, NULL)) != NULL)
		sk_X509_CRL_push(all, one);
	BIO_free(b);
	return all;
}

static bool
chain_by_openssl(const struct combination *c)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *x = X509_STORE_CTX_new();
	STACK_OF(X509) *shown = sk_X509_new_null();
	STACK_OF(X509_CRL) *crls = NULL;
	bool is_good;

	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	X509_STORE_add_cert(store, issuers[c->trusted[0]]->cert);
	if (c->trusted[1] != c->trusted[0])
		X509_STORE_add_cert(store, issuers[c->trusted[1]]->cert);
	if (c->shown >= 0)
		sk_X509_push(shown, issuers[c->shown]->cert);
	cr_assert_eq(X509_STORE_CTX_init(x, store, c->leaf->cert, shown), 1);
	cr_assert_eq(X509_STORE_CTX_set_default(x, "ssl_server"), 1);
	if (c->crl != NULL) {
		crls = crls_of(c->crl);
		X509_STORE_CTX_set0_crls(x, crls);
		X509_STORE_CTX_set_flags(
		    x, X509_V_FLAG_CRL_CHECK |
			   (c->draft.crl_whole_chain ? X509_V_FLAG_CRL_CHECK_ALL
						     : 0));
	}
	is_good = X509_verify_cert(x) == 1;
	X509_STORE_CTX_free(x);
	X509_STORE_free(store);
	sk_X509_free(shown);
	sk_X509_CRL_pop_free(crls, X509_CRL_free);
	return is_good;
}

/* OpenSSL has no check of URIs. */
static bool
uri_is_there(X509 *leaf, const struct tls_name *n)
{
	GENERAL_NAMES *all =
	    X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);
	bool is_found = false;
	const GENERAL_NAME *g;
	const char *uri;
	int i;

	for (i = 0; i < sk_GENERAL_NAME_num(all); i++) {
		g = sk_GENERAL_NAME_value(all, i);
		if (g->type != GEN_URI)
			continue;
		uri = (const char *)ASN1_STRING_get0_data(
		    g->d.uniformResourceIdentifier);
		if (n->match == TLS_NAME_PREFIX)
			is_found |= strncmp(uri, n->value.p, n->value.len) == 0;
		else
			is_found |= strcmp(uri, n->value.p) == 0;
	}
	GENERAL_NAMES_free(all);
	return is_found;
}

static bool
name_by_openssl(X509 *leaf, const struct tls_name *n)
{
	const unsigned flags = X509_CHECK_FLAG_NEVER_CHECK_SUBJECT |
			       X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS;

	switch (n->kind) {
	case TLS_NAME_DNS:
		return X509_check_host(
			   leaf, n->value.p, n->value.len, flags, NULL) == 1;
	case TLS_NAME_IP:
		return X509_check_ip_asc(leaf, n->value.p, flags) == 1;
	case TLS_NAME_EMAIL:
		return X509_check_email(
			   leaf, n->value.p, n->value.len, flags) == 1;
	case TLS_NAME_URI:
		return uri_is_there(leaf, n);
	case TLS_NAME_ANY:
		break;
	}
	return false;
}

static bool
by_openssl(const struct combination *c)
{
	size_t i;

	if (c->draft.verify_chain && !chain_by_openssl(c))
		return false;
	if (!c->draft.verify_names)
		return true;
	for (i = 0; i < c->draft.n_names; i++)
		if (name_by_openssl(c->leaf->cert, &c->names[i]))
			return true;
	return false;
}

static uint64_t
number(const char *variable, uint64_t otherwise)
{
	const char *text = getenv(variable);

	return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

Test(verify_same, as_openssl_says)
{
	uint64_t seed = number("VERIFY_SEED", (uint64_t)time(NULL)), i;
	uint64_t most = number("VERIFY_COMBINATIONS", COMBINATIONS);
	struct tls_clients *clients = tls_clients_new();
	unsigned good = 0, differ = 0;
	struct text why = TEXT_EMPTY;
	struct combination c;
	bool ours, theirs;

	(void)printf("VERIFY_SEED=%llu\n", (unsigned long long)seed);
	for (i = 0; i < most && differ < 5; i++) {
		state = (seed + i) * 0x9e3779b97f4a7c15u | 1;
		c = (struct combination){ .shown = -1 };
		choose_leaf(&c);
		choose_settings(&c);
		ours = by_us(&c, clients, &why);
		theirs = by_openssl(&c);
		good += ours;
		differ += ours != theirs;
		cr_expect_eq(ours, theirs,
		    "VERIFY_SEED=%llu: %s (\"%s\"); SANs %s, issuer %d, shown "
		    "%d, trusted %d %d, crl %d",
		    (unsigned long long)(seed + i), ours ? "good" : "bad",
		    why.p, c.sans, c.issuer, c.shown, c.trusted[0],
		    c.trusted[1], c.crl != NULL);
		drop(&c);
	}
	/* A test where all is refused would say little. */
	cr_expect(good > most / 20 && good < most - most / 20,
	    "VERIFY_SEED=%llu: %u of %llu are good", (unsigned long long)seed,
	    good, (unsigned long long)most);
	text_free(&why);
	tls_clients_free(clients);
}
