/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What our server side remembers of callers: chains that it does not verify
 * twice, and sessions without their certificates.
 */

#include <criterion/criterion.h>

#include "base/attr.h"
#include "base/clock.h"
#include "tls/callers.h"
#include "tls/session_table.h"
#include "tls/tls_mesh.h"
#include "unit/tls/tls_duo.h"

#define SNI "es-tls{mesh=default}"

static struct pki *ca;
static struct mesh_spec *mesh;
static struct tls_identities *set;

static void
setup(void)
{
	ca = pki_mesh_ca("default");
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
}

TestSuite(wire_tls_callers, .init = setup, .fini = teardown);

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

struct call {
	enum tls_failure failure;
	bool is_resumed;
	SSL_SESSION *session; /* owned */
};

static struct call
call(struct duo_peer *o)
{
	struct call r;
	struct duo d;

	o->sni = SNI;
	duo_init(&d);
	duo_peer_client(&d, o);
	duo_accept(&d, set, "default", TLS_ALPN_NONE);
	(void)duo_shake(&d);
	r = (struct call){ .failure = wire_tls_failure(d.wire),
		.is_resumed = d.io == IO_DONE && SSL_session_reused(d.ssl),
		.session = d.session };
	d.session = NULL;
	SSL_set_shutdown(d.ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
	duo_fini(&d);
	return r;
}

static enum tls_failure
call_in_full(const struct pki *leaf, int version, const char *chain_pem)
{
	struct duo_peer o = {
		.cert = leaf, .max_version = version, .chain_pem = chain_pem
	};
	struct call r = call(&o);

	cr_expect_not(r.is_resumed);
	SSL_SESSION_free(r.session);
	return r.failure;
}

/* Nobody can be verified by this set any more: only what is known gets in. */
static void
forget_ca(void)
{
	SSL_CTX_set_cert_store(
	    tls_identities_find(set, STR("default"))->ctx, X509_STORE_new());
}

/* The mesh changes its CA. */
static struct mesh_spec *
use_ca(const struct pki *other)
{
	struct mesh_spec *m = duo_mesh("default", other, NULL);
	struct tls_identities *next;

	m->digest.b[0] ^= 1;
	next = duo_set(m, set);
	tls_identities_unref(set);
	set = next;
	return m;
}

static const struct callers *
memory(void)
{
	return tls_identities_find(set, STR("default"))->callers;
}

Test(wire_tls_callers, a_chain_is_verified_once)
{
	struct pki *a = pki_sidecar(ca, "default", "a", NULL);
	struct pki *b = pki_sidecar(ca, "default", "b", NULL);
	size_t i;

	if (!duo_is_openssl())
		cr_skip("the context that is changed is OpenSSL's here");
	cr_expect_eq(call_in_full(a, TLS1_3_VERSION, NULL), TLS_FAIL_NONE);
	forget_ca();
	for (i = 0; i < ARRAY_LEN(versions); i++) {
		cr_expect_eq(call_in_full(a, versions[i], NULL), TLS_FAIL_NONE);
		/* The control: without its memory nobody gets in. */
		cr_expect_eq(
		    call_in_full(b, versions[i], NULL), TLS_FAIL_CHAIN);
	}
	pki_free(a);
	pki_free(b);
}

Test(wire_tls_callers, only_success_is_remembered)
{
	struct pki_options o = { .subject = "CN=other" };
	struct pki *other = pki_ca_new(NULL, &o);
	struct pki *a = pki_sidecar(other, "default", "a", NULL);
	int i;

	for (i = 0; i < 3; i++)
		cr_expect_eq(
		    call_in_full(a, TLS1_3_VERSION, NULL), TLS_FAIL_CHAIN);
	pki_free(a);
	pki_free(other);
}

/* The same leaf is not good without what led from it to the CA. */
Test(wire_tls_callers, a_chain_is_known_as_a_whole)
{
	struct pki_options o = { .subject = "CN=between" };
	struct pki *between = pki_ca_new(ca, &o);
	struct pki *a = pki_sidecar(between, "default", "a", NULL);

	cr_expect_eq(
	    call_in_full(a, TLS1_3_VERSION, between->cert_pem), TLS_FAIL_NONE);
	cr_expect_eq(call_in_full(a, TLS1_3_VERSION, NULL), TLS_FAIL_CHAIN);
	cr_expect_eq(
	    call_in_full(a, TLS1_3_VERSION, between->cert_pem), TLS_FAIL_NONE);
	pki_free(a);
	pki_free(between);
}

/* A remembered chain has its times, those of an intermediate too. */
Test(wire_tls_callers, a_known_chain_is_not_good_for_ever)
{
	static const struct {
		const char *what;
		int64_t after_s;
		enum tls_failure failure;
	} rows[] = {
		{ "before the intermediate is valid", -200, TLS_FAIL_EXPIRED },
		{ "while all is", -50, TLS_FAIL_NONE },
		{ "after the intermediate has expired", 400, TLS_FAIL_EXPIRED },
	};
	struct pki_options io = {
		.subject = "CN=between", .from_s = -100, .to_s = 300
	};
	struct pki_options lo = {
		.sans = "URI:spiffe://default/a", .from_s = -1000, .to_s = 1000
	};
	struct pki_options ro = { .subject = "CN=old", .from_s = -5000 };
	struct pki *root = pki_ca_new(NULL, &ro);
	struct pki *between = pki_ca_new(root, &io);
	struct pki *a = pki_leaf_new(between, &lo);
	struct mesh_spec *m = use_ca(root);
	uint64_t ms = clock_ms();
	int64_t wall = clock_wall_ms();
	size_t i;

	cr_expect_eq(
	    call_in_full(a, TLS1_3_VERSION, between->cert_pem), TLS_FAIL_NONE);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		clock_fake(ms + 100000, wall + rows[i].after_s * 1000);
		cr_expect_eq(call_in_full(a, TLS1_3_VERSION, between->cert_pem),
		    rows[i].failure, "%s", rows[i].what);
	}
	mesh_spec_unref(m);
	pki_free(a);
	pki_free(between);
	pki_free(root);
}

Test(wire_tls_callers, a_new_ca_set_knows_nobody)
{
	struct pki_options o = { .subject = "CN=other" };
	struct pki *a = pki_sidecar(ca, "default", "a", NULL);
	struct pki *other = pki_ca_new(NULL, &o);
	struct mesh_spec *m;

	cr_expect_eq(call_in_full(a, TLS1_3_VERSION, NULL), TLS_FAIL_NONE);
	m = use_ca(other);
	cr_expect_eq(call_in_full(a, TLS1_3_VERSION, NULL), TLS_FAIL_CHAIN);
	mesh_spec_unref(m);
	pki_free(other);
	pki_free(a);
}

/* The chain would be several kilobytes; of it only the names are needed. */
Test(wire_tls_callers, a_session_is_small_and_without_certificate)
{
	struct pki_options io = { .subject = "CN=between", .key = PKI_RSA2048 };
	struct pki *between = pki_ca_new(ca, &io);
	struct pki_options lo = { .sans = "URI:spiffe://default/a",
		.key = PKI_RSA2048 };
	struct pki *a = pki_leaf_new(between, &lo);
	struct session_table *t = callers_sessions(memory());
	const unsigned char *ticket;
	struct duo_peer o = { .cert = a, .chain_pem = between->cert_pem };
	struct call first, second;
	size_t i, n;

	for (i = 0; i < ARRAY_LEN(versions); i++) {
		o.max_version = versions[i];
		o.session = NULL;
		first = call(&o);
		cr_assert_not_null(first.session);
		SSL_SESSION_get0_ticket(first.session, &ticket, &n);
		if (duo_is_openssl())
			cr_expect_eq(n, versions[i] == TLS1_3_VERSION ? 32 : 0);
		else
			cr_expect_lt(n, 300, "%zu", n);
		o.session = first.session;
		second = call(&o);
		cr_expect(second.is_resumed, "%x", (unsigned)versions[i]);
		SSL_SESSION_free(first.session);
		SSL_SESSION_free(second.session);
	}
	/* One each, and what TLS 1.3 gave for the one that was used. */
	cr_expect_eq(session_table_count(t), 3);
	cr_expect_lt(
	    session_table_bytes(t), 3 * 500, "%zu", session_table_bytes(t));
	pki_free(a);
	pki_free(between);
}

/* Who has more names than we keep is welcome, but always in full. */
Test(wire_tls_callers, too_large_a_session_is_not_kept)
{
	struct text sans = TEXT_EMPTY;
	struct pki_options lo = { .sans = NULL };
	struct call first, second;
	struct pki *a;
	size_t i;

	text_add(&sans, STR("URI:spiffe://default/a"));
	for (i = 0; i < 50; i++)
		text_addf(&sans, ",URI:kuma://tag-%zu/%0100d", i, 0);
	lo.sans = sans.p;
	a = pki_leaf_new(ca, &lo);
	for (i = 0; i < ARRAY_LEN(versions); i++) {
		struct duo_peer o = { .cert = a, .max_version = versions[i] };

		first = call(&o);
		cr_expect_eq(first.failure, TLS_FAIL_NONE);
		o.session = first.session;
		second = call(&o);
		cr_expect_eq(second.failure, TLS_FAIL_NONE);
		cr_expect_not(second.is_resumed);
		SSL_SESSION_free(first.session);
		SSL_SESSION_free(second.session);
	}
	cr_expect_eq(session_table_count(callers_sessions(memory())), 0);
	pki_free(a);
	text_free(&sans);
}
