/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our server side against OpenSSL's client: who gets in, who is told what, and
 * whose session is resumed.
 */

#include <criterion/criterion.h>
#include <openssl/err.h>

#include "base/attr.h"
#include "base/clock.h"
#include "base/problem.h"
#include "unit/tls/tls_duo.h"

#define SNI "es-tls{mesh=default}"

static struct pki *ca, *other_ca, *twin_ca;
static struct mesh_spec *mesh;
static struct tls_identities *set;

static void
setup(void)
{
	struct pki_options other = { .subject = "CN=other" };
	struct pki_options twin = { .subject = "O=Kuma,OU=Mesh,CN=default",
		.no_key_ids = true };

	ca = pki_mesh_ca("default");
	other_ca = pki_ca_new(NULL, &other);
	twin_ca = pki_ca_new(NULL, &twin);
	mesh = duo_mesh("default", ca, NULL);
	set = duo_set(mesh, NULL);
}

static void
teardown(void)
{
	clock_unfake();
	tls_identities_unref(set);
	mesh_spec_unref(mesh);
	pki_free(ca);
	pki_free(other_ca);
	pki_free(twin_ca);
}

TestSuite(wire_tls_server, .init = setup, .fini = teardown);

enum issuer { BY_MESH, BY_OTHER, BY_TWIN };

static const struct {
	const char *what;
	enum issuer by;
	struct pki_options o;
	int alert; /* -1: let in */
	enum tls_failure failure;
} callers[] = {
	{ "as a sidecar has it", BY_MESH,
	    { .sans = "URI:spiffe://default/client,"
		      "URI:kuma://kuma.io/service/client",
		.sans_critical = true },
	    -1, TLS_FAIL_NONE },
	{ "RSA key", BY_MESH,
	    { .sans = "URI:spiffe://default/client", .key = PKI_RSA2048 }, -1,
	    TLS_FAIL_NONE },
	{ "clientAuth only", BY_MESH,
	    { .sans = "URI:spiffe://default/client", .eku = "clientAuth" }, -1,
	    TLS_FAIL_NONE },
	{ "no extended key usage", BY_MESH,
	    { .sans = "URI:spiffe://default/client", .eku = "" }, -1,
	    TLS_FAIL_NONE },
	{ "spiffe name among others", BY_MESH,
	    { .sans = "DNS:a.example,URI:https://x,URI:spiffe://default/b" },
	    -1, TLS_FAIL_NONE },
	{ "serverAuth only", BY_MESH,
	    { .sans = "URI:spiffe://default/client", .eku = "serverAuth" },
	    SSL_AD_UNSUPPORTED_CERTIFICATE, TLS_FAIL_PURPOSE },
	{ "another CA", BY_OTHER, { .sans = "URI:spiffe://default/client" },
	    SSL_AD_UNKNOWN_CA, TLS_FAIL_CHAIN },
	{ "another CA of the same name", BY_TWIN,
	    { .sans = "URI:spiffe://default/client" }, SSL_AD_UNKNOWN_CA,
	    TLS_FAIL_CHAIN },
	{ "another mesh", BY_MESH, { .sans = "URI:spiffe://other/client" },
	    SSL_AD_CERTIFICATE_UNKNOWN, TLS_FAIL_SAN },
	{ "a mesh that begins alike", BY_MESH,
	    { .sans = "URI:spiffe://default2/client" },
	    SSL_AD_CERTIFICATE_UNKNOWN, TLS_FAIL_SAN },
	{ "the trust domain alone", BY_MESH, { .sans = "URI:spiffe://default" },
	    SSL_AD_CERTIFICATE_UNKNOWN, TLS_FAIL_SAN },
	{ "no SAN", BY_MESH, { .subject = "CN=spiffe://default/client" },
	    SSL_AD_CERTIFICATE_UNKNOWN, TLS_FAIL_SAN },
	{ "DNS SAN only", BY_MESH, { .sans = "DNS:spiffe://default/client" },
	    SSL_AD_CERTIFICATE_UNKNOWN, TLS_FAIL_SAN },
	{ "NUL in a SAN", BY_MESH,
	    { .sans = "URI:spiffe://default/client%00.evil" },
	    SSL_AD_CERTIFICATE_UNKNOWN, TLS_FAIL_SAN },
	{ "NUL in another SAN", BY_MESH,
	    { .sans = "URI:spiffe://default/client,DNS:a%00b" },
	    SSL_AD_CERTIFICATE_UNKNOWN, TLS_FAIL_SAN },
	{ "a byte outside ASCII", BY_MESH,
	    { .sans = "URI:spiffe://default/cli%C3%A9nt" },
	    SSL_AD_CERTIFICATE_UNKNOWN, TLS_FAIL_SAN },
	{ "expired", BY_MESH,
	    { .sans = "URI:spiffe://default/client",
		.from_s = -7200,
		.to_s = -60 },
	    SSL_AD_CERTIFICATE_EXPIRED, TLS_FAIL_EXPIRED },
	{ "not yet valid", BY_MESH,
	    { .sans = "URI:spiffe://default/client", .from_s = 600 },
	    SSL_AD_CERTIFICATE_EXPIRED, TLS_FAIL_EXPIRED },
};

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

static const struct pki *
issuer(enum issuer by)
{
	switch (by) {
	case BY_MESH:
		return ca;
	case BY_OTHER:
		return other_ca;
	case BY_TWIN:
		return twin_ca;
	}
	return NULL;
}

static void
check_caller(size_t i, int version)
{
	struct pki *leaf = pki_leaf_new(issuer(callers[i].by), &callers[i].o);
	struct duo_peer o = {
		.cert = leaf, .ca = ca, .sni = SNI, .max_version = version
	};
	enum io expected = callers[i].alert == -1 ? IO_DONE : IO_FAIL;
	struct duo d;

	duo_init(&d);
	duo_peer_client(&d, &o);
	duo_accept(&d, set, "default", TLS_ALPN_NONE);
	cr_expect_eq(duo_shake(&d), expected, "%s, %x: %.*s", callers[i].what,
	    version, STR_ARG(wire_tls_failure_text(d.wire)));
	cr_expect_eq(wire_tls_failure(d.wire), callers[i].failure,
	    "%s, %x: failure %d", callers[i].what, version,
	    wire_tls_failure(d.wire));
	cr_expect_eq(d.alert, callers[i].alert, "%s, %x: alert %d",
	    callers[i].what, version, d.alert);
	cr_expect_eq(wire_tls_identity(d.wire) != NULL, expected == IO_DONE,
	    "%s: identity", callers[i].what);
	duo_fini(&d);
	pki_free(leaf);
}

Test(wire_tls_server, every_kind_of_caller)
{
	size_t i, v;

	for (i = 0; i < ARRAY_LEN(callers); i++)
		for (v = 0; v < ARRAY_LEN(versions); v++)
			check_caller(i, versions[v]);
}

Test(wire_tls_server, no_certificate)
{
	static const int alerts[] = { SSL_AD_HANDSHAKE_FAILURE,
		SSL_AD_CERTIFICATE_REQUIRED };
	struct duo_peer o = { .sni = SNI };
	struct duo d;
	size_t v;

	for (v = 0; v < ARRAY_LEN(versions); v++) {
		o.max_version = versions[v];
		duo_init(&d);
		duo_peer_client(&d, &o);
		duo_accept(&d, set, "default", TLS_ALPN_NONE);
		cr_expect_eq(duo_shake(&d), IO_FAIL);
		cr_expect_eq(wire_tls_failure(d.wire), TLS_FAIL_NO_CERT);
		cr_expect_eq(d.alert, alerts[v], "alert %d", d.alert);
		duo_fini(&d);
	}
}

static const struct {
	const char *what;
	struct duo_peer o;
	int alert;
	const char *group;
} offers[] = {
	{ "TLS 1.1",
	    { .max_version = TLS1_1_VERSION, .ciphers = "ALL:@SECLEVEL=0" },
	    SSL_AD_PROTOCOL_VERSION, NULL },
	{ "CBC",
	    { .max_version = TLS1_2_VERSION,
		.ciphers = "ECDHE-ECDSA-AES128-SHA256" },
	    SSL_AD_HANDSHAKE_FAILURE, NULL },
	{ "RSA key exchange",
	    { .max_version = TLS1_2_VERSION, .ciphers = "AES128-GCM-SHA256" },
	    SSL_AD_HANDSHAKE_FAILURE, NULL },
	{ "P-384 in 1.2", { .max_version = TLS1_2_VERSION, .groups = "P-384" },
	    SSL_AD_HANDSHAKE_FAILURE, NULL },
	{ "P-384 in 1.3", { .groups = "P-384" }, SSL_AD_HANDSHAKE_FAILURE,
	    NULL },
	{ "P-256", { .groups = "P-256" }, -1, "secp256r1" },
	{ "P-384 first", { .groups = "P-384:P-256" }, -1, "secp256r1" },
	{ "X25519", { .groups = "X25519" }, -1, "x25519" },
	{ "CHACHA20",
	    { .max_version = TLS1_2_VERSION,
		.ciphers = "ECDHE-ECDSA-CHACHA20-POLY1305" },
	    -1, "x25519" },
	{ "AES-256",
	    { .max_version = TLS1_2_VERSION,
		.ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384" },
	    -1, "x25519" },
};

static void
check_offer(size_t i, const struct pki *leaf)
{
	struct duo_peer o = offers[i].o;
	struct tls_info info;
	struct duo d;

	o.cert = leaf;
	o.sni = SNI;
	duo_init(&d);
	duo_peer_client(&d, &o);
	duo_accept(&d, set, "default", TLS_ALPN_NONE);
	cr_expect_eq(duo_shake(&d), offers[i].alert == -1 ? IO_DONE : IO_FAIL,
	    "%s", offers[i].what);
	cr_expect_eq(
	    d.alert, offers[i].alert, "%s: alert %d", offers[i].what, d.alert);
	if (d.io == IO_DONE) {
		wire_tls_info(d.wire, &info);
		cr_expect(strcasecmp(info.group, offers[i].group) == 0,
		    "%s: %s", offers[i].what, info.group);
	} else {
		cr_expect_eq(wire_tls_failure(d.wire), TLS_FAIL_VERSION, "%s",
		    offers[i].what);
	}
	duo_fini(&d);
}

Test(wire_tls_server, what_may_be_negotiated)
{
	struct pki *leaf = pki_sidecar(ca, "default", "client", NULL);
	size_t i;

	for (i = 0; i < ARRAY_LEN(offers); i++)
		check_offer(i, leaf);
	pki_free(leaf);
}

static const struct {
	const char *offered;
	enum tls_alpn alpn;
	const char *selected;
} alpns[] = {
	{ NULL, TLS_ALPN_HTTP11, "" },
	{ "kuma", TLS_ALPN_NONE, "" },
	{ "kuma", TLS_ALPN_HTTP11, "" },
	{ "bogus", TLS_ALPN_HTTP11, "" },
	{ "h2", TLS_ALPN_HTTP11, "" },
	{ "http/1.1", TLS_ALPN_NONE, "" },
	{ "http/1.1", TLS_ALPN_HTTP11, "http/1.1" },
	{ "h2,http/1.1", TLS_ALPN_HTTP11, "http/1.1" },
	{ "http/1.1,kuma", TLS_ALPN_HTTP11, "" },
	{ NULL, TLS_ALPN_H2, "" },
	{ "kuma", TLS_ALPN_H2, "" },
	{ "h2,kuma", TLS_ALPN_H2, "" },
	{ "h2", TLS_ALPN_NONE, "" },
	{ "h2", TLS_ALPN_H2, "h2" },
	{ "http/1.1,h2", TLS_ALPN_H2, "h2" },
	{ "http/1.1", TLS_ALPN_H2, "" },
	{ "h2c,h22", TLS_ALPN_H2, "" },
};

Test(wire_tls_server, no_alpn_offer_is_an_error)
{
	struct pki *leaf = pki_sidecar(ca, "default", "client", NULL);
	struct tls_info info;
	struct duo_peer o;
	struct duo d;
	size_t i;

	for (i = 0; i < ARRAY_LEN(alpns); i++) {
		o = (struct duo_peer){
			.cert = leaf, .sni = SNI, .alpn = alpns[i].offered
		};
		duo_init(&d);
		duo_peer_client(&d, &o);
		duo_accept(&d, set, "default", alpns[i].alpn);
		cr_expect_eq(duo_shake(&d), IO_DONE, "row %zu", i);
		wire_tls_info(d.wire, &info);
		cr_expect(str_eq(info.alpn, str_of(alpns[i].selected)),
		    "row %zu: %.*s", i, STR_ARG(info.alpn));
		duo_fini(&d);
	}
	pki_free(leaf);
}

Test(wire_tls_server, asks_for_the_mesh_ca_and_shows_its_spiffe_name)
{
	struct pki *leaf = pki_sidecar(ca, "default", "client", "zone-1");
	struct duo_peer o = { .cert = leaf,
		.ca = ca,
		.sni = SNI,
		.max_version = TLS1_2_VERSION };
	const STACK_OF(X509_NAME) * names;
	const struct identity *id;
	struct tls_info info;
	struct duo d;

	duo_init(&d);
	duo_peer_client(&d, &o);
	duo_accept(&d, set, "default", TLS_ALPN_NONE);
	cr_assert_eq(duo_shake(&d), IO_DONE);
	names = SSL_get0_peer_CA_list(d.ssl);
	cr_assert_eq(sk_X509_NAME_num(names), 1);
	cr_expect_eq(X509_NAME_cmp(sk_X509_NAME_value(names, 0),
			 X509_get_subject_name(ca->cert)),
	    0);
	id = wire_tls_identity(d.wire);
	cr_expect(str_eq(id->spiffe, STR("spiffe://default/client")));
	cr_expect(identity_has(id, STR("kuma://kuma.io/zone/zone-1")));
	wire_tls_info(d.wire, &info);
	cr_expect_str_eq(info.version, "TLSv1.2");
	cr_expect_str_eq(info.peer_subject, "URI spiffe://default/client");
	cr_expect(str_eq(info.sni, STR(SNI)));
	cr_expect_not(info.is_resumed);
	duo_fini(&d);
	pki_free(leaf);
}

Test(wire_tls_server, says_in_a_sentence_what_is_wrong)
{
	struct pki_options expired = { .sans = "URI:spiffe://default/client",
		.from_s = -7200,
		.to_s = -60 };
	struct pki *leaf = pki_leaf_new(ca, &expired);
	struct pki *foreign = pki_sidecar(ca, "blue", "client", NULL);
	const struct pki *certs[] = { leaf, foreign };
	const char *parts[] = { "URI spiffe://default/client expired on 20",
		"has no URI spiffe://default/...; it has URI "
		"spiffe://blue/client" };
	struct duo_peer o = { .sni = SNI };
	struct duo d;
	size_t i;

	for (i = 0; i < ARRAY_LEN(certs); i++) {
		o.cert = certs[i];
		duo_init(&d);
		duo_peer_client(&d, &o);
		duo_accept(&d, set, "default", TLS_ALPN_NONE);
		cr_expect_eq(duo_shake(&d), IO_FAIL);
		cr_expect(
		    strstr(wire_tls_failure_text(d.wire).p, parts[i]) != NULL,
		    "%s", wire_tls_failure_text(d.wire).p);
		duo_fini(&d);
	}
	pki_free(leaf);
	pki_free(foreign);
}

/* One connection; the ticket it got, to free. */
static SSL_SESSION *
visit(struct tls_identities *with, const struct pki *leaf, int version,
    const char *sni, SSL_SESSION *offered, bool *is_resumed, int *alert)
{
	struct duo_peer o = { .cert = leaf,
		.sni = sni,
		.max_version = version,
		.session = offered };
	SSL_SESSION *s;
	struct duo d;

	duo_init(&d);
	duo_peer_client(&d, &o);
	duo_accept(&d, with, "default", TLS_ALPN_NONE);
	*is_resumed = duo_shake(&d) == IO_DONE && SSL_session_reused(d.ssl);
	*alert = d.alert;
	if (d.io == IO_DONE) {
		const struct identity *id = wire_tls_identity(d.wire);

		cr_expect(str_eq(id->spiffe, STR("spiffe://default/client")),
		    "%.*s", STR_ARG(id->spiffe));
		cr_expect_eq(id->n_uris, 3);
	}
	s = d.session;
	d.session = NULL;
	if (d.ssl != NULL)
		SSL_set_shutdown(
		    d.ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	duo_fini(&d);
	return s;
}

enum then {
	SAME,
	OTHER_CASE,
	OTHER_NAME,
	OTHER_CA_SET,
	NEW_LEAF,
	KEY_ROTATED,
	TOO_OLD
};

static const struct {
	const char *what;
	enum then then;
	bool is_resumed;
} visits[] = {
	{ "same name", SAME, true },
	{ "same name, other case", OTHER_CASE, true },
	{ "other name", OTHER_NAME, false },
	{ "other CA set", OTHER_CA_SET, false },
	{ "our certificate was renewed", NEW_LEAF, true },
	{ "after a key rotation", KEY_ROTATED, true },
	{ "after two hours", TOO_OLD, false },
};

static struct tls_identities *
after(enum then then, struct mesh_spec **m)
{
	struct pki *both;
	struct blob *old;
	char *pem;

	*m = NULL;
	if (then != OTHER_CA_SET && then != NEW_LEAF)
		return tls_identities_ref(set);
	*m = duo_mesh("default", ca, NULL);
	/* Any change of the resource makes a new digest. */
	(*m)->digest.b[0] ^= 1;
	if (then == OTHER_CA_SET) {
		both = other_ca;
		pem = pki_chain_pem(ca, both, NULL);
		old = (*m)->ca;
		(*m)->ca = blob_new(str_of(pem));
		blob_unref(old);
		free(pem);
	}
	return duo_set(*m, set);
}

static void
move_clock(enum then then)
{
	uint64_t ms = clock_ms();
	int64_t wall = clock_wall_ms();

	if (then == KEY_ROTATED)
		clock_fake(ms + 5400 * 1000, wall + 5400 * 1000);
	if (then == TOO_OLD)
		clock_fake(ms + 7201 * 1000, wall + 7201 * 1000);
}

static void
check_visit(size_t i, int version, const struct pki *leaf)
{
	const char *sni = SNI;
	struct tls_identities *then;
	SSL_SESSION *first, *second;
	struct mesh_spec *m;
	bool is_resumed;
	int alert;

	if (visits[i].then == OTHER_NAME)
		sni = "es-other{mesh=default}";
	if (visits[i].then == OTHER_CASE)
		sni = "ES-TLS{mesh=default}";
	first = visit(set, leaf, version, SNI, NULL, &is_resumed, &alert);
	cr_assert_not_null(
	    first, "%s, %x: a ticket came", visits[i].what, version);
	cr_expect_not(is_resumed);
	then = after(visits[i].then, &m);
	move_clock(visits[i].then);
	second = visit(then, leaf, version, sni, first, &is_resumed, &alert);
	cr_expect_eq(is_resumed, visits[i].is_resumed, "%s, %x: resumed %d",
	    visits[i].what, version, is_resumed);
	cr_expect_eq(
	    alert, -1, "%s, %x: alert %d", visits[i].what, version, alert);
	clock_unfake();
	SSL_SESSION_free(first);
	SSL_SESSION_free(second);
	tls_identities_unref(then);
	mesh_spec_unref(m);
}

Test(wire_tls_server, resumes_only_what_is_the_same)
{
	struct pki_options o = { .sans = "URI:spiffe://default/client,"
					 "URI:kuma://kuma.io/service/client,"
					 "URI:kuma://kuma.io/zone/z",
		.to_s = 20000 };
	struct pki *leaf = pki_leaf_new(ca, &o);
	size_t i, v;

	for (i = 0; i < ARRAY_LEN(visits); i++)
		for (v = 0; v < ARRAY_LEN(versions); v++)
			check_visit(i, versions[v], leaf);
	pki_free(leaf);
}

/* Renewing a ticket must not put off the next look at the certificate. */
Test(wire_tls_server, a_renewed_ticket_lives_no_longer)
{
	struct pki_options o = { .sans = "URI:spiffe://default/client,"
					 "URI:kuma://kuma.io/service/client,"
					 "URI:kuma://kuma.io/zone/z",
		.to_s = 20000 };
	struct pki *leaf = pki_leaf_new(ca, &o);
	SSL_SESSION *first, *second, *third;
	uint64_t ms = clock_ms();
	int64_t wall = clock_wall_ms();
	bool is_resumed;
	int alert;

	first =
	    visit(set, leaf, TLS1_3_VERSION, SNI, NULL, &is_resumed, &alert);
	clock_fake(ms + 4000 * 1000, wall + 4000 * 1000);
	second =
	    visit(set, leaf, TLS1_3_VERSION, SNI, first, &is_resumed, &alert);
	cr_expect(is_resumed);
	cr_assert_not_null(second);
	clock_fake(ms + 8000 * 1000, wall + 8000 * 1000);
	third =
	    visit(set, leaf, TLS1_3_VERSION, SNI, second, &is_resumed, &alert);
	cr_expect_not(is_resumed);
	SSL_SESSION_free(first);
	SSL_SESSION_free(second);
	SSL_SESSION_free(third);
	pki_free(leaf);
}

Test(wire_tls_server, an_expired_caller_is_not_resumed)
{
	struct pki_options o = { .sans = "URI:spiffe://default/client,"
					 "URI:kuma://a/b,URI:kuma://c/d",
		.to_s = 600 };
	struct pki *leaf = pki_leaf_new(ca, &o);
	SSL_SESSION *first, *second;
	bool is_resumed;
	size_t v;
	int alert;

	for (v = 0; v < ARRAY_LEN(versions); v++) {
		first = visit(
		    set, leaf, versions[v], SNI, NULL, &is_resumed, &alert);
		cr_assert_not_null(first);
		clock_fake(
		    clock_ms() + 700 * 1000, clock_wall_ms() + 700 * 1000);
		second = visit(
		    set, leaf, versions[v], SNI, first, &is_resumed, &alert);
		cr_expect_not(is_resumed);
		cr_expect_eq(alert, SSL_AD_CERTIFICATE_EXPIRED);
		clock_unfake();
		SSL_SESSION_free(first);
		SSL_SESSION_free(second);
	}
	pki_free(leaf);
}

Test(wire_tls_server, refuses_to_renegotiate)
{
	struct pki *leaf = pki_sidecar(ca, "default", "client", NULL);
	struct duo_peer o = {
		.cert = leaf, .sni = SNI, .max_version = TLS1_2_VERSION
	};
	struct span in;
	struct duo d;
	char b[16];
	int i;

	duo_init(&d);
	duo_peer_client(&d, &o);
	duo_accept(&d, set, "default", TLS_ALPN_NONE);
	cr_assert_eq(duo_shake(&d), IO_DONE);
	SSL_renegotiate(d.ssl);
	(void)SSL_do_handshake(d.ssl);
	for (i = 0; i < 20; i++) {
		loop_turn(d.loop);
		(void)wire_read(d.wire, &in);
		(void)SSL_read(d.ssl, b, sizeof(b));
	}
	cr_expect_eq(d.alert, SSL_AD_NO_RENEGOTIATION, "alert %d", d.alert);
	duo_fini(&d);
	pki_free(leaf);
}
