/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Servers whose certificates were revoked: by lists, and by the answers of OCSP
 * that they staple; and that neither is passed by when a chain or a session is
 * known.
 */

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/attr.h"
#include "base/clock.h"
#include "support/pki_revoke.h"
#include "tls/client_context.h"
#include "unit/tls/tls_duo.h"

#define NAME "api.example.com"

static struct pki *ca, *between, *leaf, *other;
static struct tls_clients *clients;

static void
setup(void)
{
	struct pki_options o = { .subject = "CN=between" };
	struct pki_options l = { .subject = "CN=leaf", .sans = "DNS:" NAME };

	ca = pki_ca_new(NULL, &(struct pki_options){ .subject = "CN=CA" });
	between = pki_ca_new(ca, &o);
	leaf = pki_leaf_new(between, &l);
	other = pki_leaf_new(between, &l);
	clients = tls_clients_new();
}

static void
teardown(void)
{
	clock_unfake();
	tls_clients_free(clients);
	pki_free(leaf);
	pki_free(other);
	pki_free(between);
	pki_free(ca);
}

TestSuite(wire_tls_revoked, .init = setup, .fini = teardown);

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

static struct tls_spec *
spec_with(const char *crl, bool whole_chain, enum tls_ocsp ocsp)
{
	struct tls_spec *s = duo_spec(ca, NAME, NAME, NULL);

	s->crl = crl != NULL ? blob_new(str_of(crl)) : NULL;
	s->crl_whole_chain = whole_chain;
	s->ocsp = ocsp;
	duo_spec_seal(s);
	return s;
}

struct end {
	enum tls_failure failure;
	bool is_resumed;
	int alert;
	char why[1200];
};

static struct end
reach_ctx(struct tls_spec *s, SSL_CTX *ctx)
{
	struct text why = TEXT_EMPTY;
	struct tls_info info;
	struct span in;
	struct end e;
	struct duo d;

	duo_init(&d);
	duo_peer_server_of(&d, ctx);
	cr_assert(wire_tls_connect(d.wire, clients, s, STR("h:443"), &why),
	    "%s", why.p);
	(void)duo_shake(&d);
	e.failure = wire_tls_failure(d.wire);
	e.is_resumed = false;
	e.alert = d.alert;
	(void)snprintf(e.why, sizeof(e.why), "%.*s",
	    STR_ARG(wire_tls_failure_text(d.wire)));
	if (d.io == IO_DONE) {
		wire_tls_info(d.wire, &info);
		e.is_resumed = info.is_resumed;
		/* Tickets are read with what follows them. */
		cr_assert_eq(SSL_write(d.ssl, "x", 1), 1);
		cr_assert_eq(duo_read(&d, &in), IO_DONE);
	}
	duo_fini(&d);
	return e;
}

static struct end
reach(struct tls_spec *s, const struct pki *cert, int version)
{
	const struct duo_peer o = { .cert = cert,
		.max_version = version,
		.chain_pem = between->cert_pem };
	SSL_CTX *ctx = duo_server_ctx(&o);
	struct end e = reach_ctx(s, ctx);

	SSL_CTX_free(ctx);
	return e;
}

static char *
two(char *a, char *b)
{
	char *all = malloc(strlen(a) + strlen(b) + 1);

	(void)strcpy(stpcpy(all, a), b);
	free(a);
	free(b);
	return all;
}

Test(wire_tls_revoked, by_lists)
{
	struct pki *stranger =
	    pki_ca_new(NULL, &(struct pki_options){ .subject = "CN=between" });
	const struct {
		const char *what;
		char *crl;
		bool whole_chain;
		enum tls_failure failure;
		const char *text;
	} rows[] = {
		{ "nobody is revoked", pki_crl(between, 0, NULL), false,
		    TLS_FAIL_NONE, "" },
		{ "another is", pki_crl(between, 0, other, NULL), false,
		    TLS_FAIL_NONE, "" },
		{ "it is", pki_crl(between, 0, other, leaf, NULL), false,
		    TLS_FAIL_CHAIN, "the certificate \"CN=leaf\" was revoked" },
		{ "out of date", pki_crl(between, -60, NULL), false,
		    TLS_FAIL_CHAIN,
		    "CRL has expired; put the newest list of its issuer into "
		    "tls.crl" },
		{ "of another CA", pki_crl(ca, 0, NULL), false, TLS_FAIL_CHAIN,
		    "unable to get certificate CRL; put the newest list" },
		{ "of a namesake", pki_crl(stranger, 0, NULL), false,
		    TLS_FAIL_CHAIN, "put the newest list" },
		{ "of the whole chain",
		    two(pki_crl(between, 0, NULL), pki_crl(ca, 0, NULL)), true,
		    TLS_FAIL_NONE, "" },
		{ "not of all of it", pki_crl(between, 0, NULL), true,
		    TLS_FAIL_CHAIN, "unable to get certificate CRL" },
		{ "the intermediate is revoked",
		    two(pki_crl(between, 0, NULL),
			pki_crl(ca, 0, between, NULL)),
		    true, TLS_FAIL_CHAIN,
		    "of \"CN=between\" (depth 1) was revoked" },
		{ "the intermediate is, and the leaf asked about",
		    two(pki_crl(between, 0, NULL),
			pki_crl(ca, 0, between, NULL)),
		    false, TLS_FAIL_NONE, "" },
	};
	struct tls_spec *s;
	struct end e;
	size_t i, v;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		s = spec_with(rows[i].crl, rows[i].whole_chain, TLS_OCSP_OFF);
		for (v = 0; v < ARRAY_LEN(versions); v++) {
			e = reach(s, leaf, versions[v]);
			cr_expect_eq(e.failure, rows[i].failure, "%s: %s",
			    rows[i].what, e.why);
			cr_expect(strstr(e.why, rows[i].text) != NULL, "%s: %s",
			    rows[i].what, e.why);
		}
		tls_spec_unref(s);
		free(rows[i].crl);
	}
	pki_free(stranger);
}

/* The same server was good under the same CA before the list came. */
Test(wire_tls_revoked, a_list_is_asked_of_known_chains)
{
	char *crl = pki_crl(between, 0, leaf, NULL);
	char *good = pki_crl(between, 300, NULL);
	struct tls_spec *without = spec_with(NULL, false, TLS_OCSP_OFF);
	struct tls_spec *with = spec_with(crl, false, TLS_OCSP_OFF);
	struct tls_spec *ends = spec_with(good, false, TLS_OCSP_OFF);
	uint64_t ms = clock_ms();
	int64_t wall = clock_wall_ms();
	struct end e;

	e = reach(without, leaf, TLS1_3_VERSION);
	cr_expect_eq(e.failure, TLS_FAIL_NONE, "%s", e.why);
	e = reach(with, leaf, TLS1_3_VERSION);
	cr_expect_eq(e.failure, TLS_FAIL_CHAIN, "%s", e.why);
	e = reach(ends, leaf, TLS1_3_VERSION);
	cr_expect_eq(e.failure, TLS_FAIL_NONE, "%s", e.why);
	/* A list that went out of date is out of date for all. */
	clock_fake(ms + 600000, wall + 600000);
	e = reach(ends, leaf, TLS1_3_VERSION);
	cr_expect_eq(e.failure, TLS_FAIL_CHAIN, "%s", e.why);
	tls_spec_unref(without);
	tls_spec_unref(with);
	tls_spec_unref(ends);
	free(crl);
	free(good);
}

/* Nor does a session live longer than what was said of its certificate. */
Test(wire_tls_revoked, a_session_ends_with_its_list)
{
	char *crl = pki_crl(between, 300, NULL);
	struct duo_peer o = { .cert = leaf, .chain_pem = between->cert_pem };
	struct pki_staple so = {
		.issuer = between, .leaf = leaf, .next_s = 300
	};
	unsigned char *der = pki_staple_new(&so, &o.staple_len);
	struct tls_spec *specs[2] = { spec_with(crl, false, TLS_OCSP_OFF),
		spec_with(NULL, false, TLS_OCSP_REQUIRE) };
	uint64_t ms = clock_ms();
	int64_t wall = clock_wall_ms();
	SSL_CTX *ctx;
	struct end e;
	size_t i, v;

	o.staple = der;
	for (i = 0; i < ARRAY_LEN(specs); i++)
		for (v = 0; v < ARRAY_LEN(versions); v++) {
			clock_unfake();
			o.max_version = versions[v];
			ctx = duo_server_ctx(&o);
			e = reach_ctx(specs[i], ctx);
			cr_expect_eq(e.failure, TLS_FAIL_NONE, "%s", e.why);
			e = reach_ctx(specs[i], ctx);
			cr_expect(e.is_resumed, "%zu %zu %s", i, v, e.why);
			clock_fake(ms + 400000, wall + 400000);
			e = reach_ctx(specs[i], ctx);
			cr_expect_not(e.is_resumed);
			SSL_CTX_free(ctx);
		}
	tls_spec_unref(specs[0]);
	tls_spec_unref(specs[1]);
	free(der);
	free(crl);
}

static struct end
reach_stapled(enum tls_ocsp ocsp, const struct pki *cert, int version,
    const struct pki_staple *staple)
{
	struct tls_spec *s = spec_with(NULL, false, ocsp);
	struct duo_peer o = { .cert = cert,
		.max_version = version,
		.chain_pem = between->cert_pem };
	unsigned char *der = NULL;
	SSL_CTX *ctx;
	struct end e;

	if (staple != NULL)
		der = pki_staple_new(staple, &o.staple_len);
	o.staple = der;
	ctx = duo_server_ctx(&o);
	e = reach_ctx(s, ctx);
	SSL_CTX_free(ctx);
	tls_spec_unref(s);
	free(der);
	return e;
}

Test(wire_tls_revoked, by_stapled_answers)
{
	struct pki *named = pki_leaf_new(
	    between, &(struct pki_options){
			 .subject = "CN=responder", .eku = "OCSPSigning" });
	struct pki *unnamed = pki_leaf_new(
	    between, &(struct pki_options){ .subject = "CN=somebody" });
	const struct {
		const char *what;
		struct pki_staple o; /* without issuer and leaf */
		const char *text;    /* "": good */
	} rows[] = {
		{ "good", { .status = PKI_GOOD }, "" },
		{ "good, by SHA-256", { .by_sha256 = true }, "" },
		{ "good, open-ended", { .is_open_ended = true }, "" },
		{ "good, of a responder that the CA named", { .signer = named },
		    "" },
		{ "revoked", { .status = PKI_REVOKED },
		    "says that its certificate was revoked" },
		{ "unknown", { .status = PKI_UNKNOWN },
		    "its CA does not know the certificate" },
		{ "out of date", { .from_s = -7200, .next_s = -3600 },
		    "is out of date" },
		{ "early", { .from_s = 3000 }, "is not valid yet" },
		{ "old and open-ended",
		    { .from_s = -8 * 86400, .is_open_ended = true },
		    "is out of date" },
		{ "of somebody whom the CA did not name", { .signer = unnamed },
		    "is not signed by the CA" },
		{ "of the CA's CA", { .signer = ca },
		    "is not signed by the CA" },
		{ "about another", { .leaf = other },
		    "is about another certificate" },
		{ "an error", { .is_error = true }, "none but an error" },
	};
	static const enum tls_ocsp modes[] = { TLS_OCSP_CHECK,
		TLS_OCSP_REQUIRE };
	struct pki_staple o;
	struct end e;
	size_t i, v, m;

	for (i = 0; i < ARRAY_LEN(rows); i++)
		for (v = 0; v < 2; v++)
			for (m = 0; m < 2; m++) {
				o = rows[i].o;
				o.issuer = between;
				if (o.leaf == NULL)
					o.leaf = leaf;
				e = reach_stapled(
				    modes[m], leaf, versions[v], &o);
				cr_expect_eq(e.failure,
				    rows[i].text[0] != '\0' ? TLS_FAIL_CHAIN
							    : TLS_FAIL_NONE,
				    "%s: %s", rows[i].what, e.why);
				cr_expect(strstr(e.why, rows[i].text) != NULL,
				    "%s: %s", rows[i].what, e.why);
				if (rows[i].text[0] != '\0')
					cr_expect_eq(e.alert,
					    SSL_AD_BAD_CERTIFICATE_STATUS_RESPONSE,
					    "%s: %d", rows[i].what, e.alert);
			}
	/* Who does not ask is told nothing. */
	o = (struct pki_staple){
		.issuer = between, .leaf = leaf, .status = PKI_REVOKED
	};
	e = reach_stapled(TLS_OCSP_OFF, leaf, TLS1_3_VERSION, &o);
	cr_expect_eq(e.failure, TLS_FAIL_NONE, "%s", e.why);
	pki_free(named);
	pki_free(unnamed);
}

Test(wire_tls_revoked, answers_that_do_not_come)
{
	struct pki *promises =
	    pki_leaf_new(between, &(struct pki_options){ .subject = "CN=leaf",
				      .sans = "DNS:" NAME,
				      .must_staple = true });
	const struct {
		enum tls_ocsp ocsp;
		const struct pki *cert;
		const char *text;
	} rows[] = {
		{ TLS_OCSP_OFF, leaf, "" },
		{ TLS_OCSP_OFF, promises, "" },
		{ TLS_OCSP_CHECK, leaf, "" },
		{ TLS_OCSP_CHECK, promises, "promises a stapled answer" },
		{ TLS_OCSP_REQUIRE, leaf, "set tls.ocsp = \"check\"" },
		{ TLS_OCSP_REQUIRE, promises, "stapled no answer" },
	};
	struct end e;
	size_t i, v;

	for (i = 0; i < ARRAY_LEN(rows); i++)
		for (v = 0; v < 2; v++) {
			e = reach_stapled(
			    rows[i].ocsp, rows[i].cert, versions[v], NULL);
			cr_expect_eq(e.failure,
			    rows[i].text[0] != '\0' ? TLS_FAIL_CHAIN
						    : TLS_FAIL_NONE,
			    "row %zu: %s", i, e.why);
			cr_expect(strstr(e.why, rows[i].text) != NULL,
			    "row %zu: %s", i, e.why);
		}
	pki_free(promises);
}

/* The sentence has all that is wanted to mend it. */
Test(wire_tls_revoked, says_everything)
{
	char *crl = pki_crl(between, 0, leaf, NULL);
	struct tls_spec *s = spec_with(crl, false, TLS_OCSP_OFF);
	struct end e = reach(s, leaf, TLS1_3_VERSION);
	static const char *const parts[] = {
		"\"CN=leaf\" was revoked, says the list of its issuer; it must "
		"be replaced; expected " NAME "; the certificate has DNS " NAME
		"; its chain: 0 \"CN=leaf\" "
		"until 20",
		", 1 \"CN=between\" until 20",
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(parts); i++)
		cr_expect(strstr(e.why, parts[i]) != NULL, "%s", e.why);
	tls_spec_unref(s);
	free(crl);
}

/* With resumption off every handshake is a full one. */
Test(wire_tls_revoked, sessions_only_where_wanted)
{
	struct duo_peer o = { .cert = leaf, .chain_pem = between->cert_pem };
	struct tls_spec *with = spec_with(NULL, false, TLS_OCSP_OFF);
	struct tls_spec *without = spec_with(NULL, false, TLS_OCSP_OFF);
	SSL_CTX *ctx;
	size_t v;

	without->no_resumption = true;
	duo_spec_seal(without);
	for (v = 0; v < 2; v++) {
		o.max_version = versions[v];
		ctx = duo_server_ctx(&o);
		cr_expect_not(reach_ctx(with, ctx).is_resumed);
		cr_expect(reach_ctx(with, ctx).is_resumed);
		cr_expect_not(reach_ctx(without, ctx).is_resumed);
		cr_expect_not(reach_ctx(without, ctx).is_resumed);
		SSL_CTX_free(ctx);
	}
	tls_spec_unref(with);
	tls_spec_unref(without);
}
