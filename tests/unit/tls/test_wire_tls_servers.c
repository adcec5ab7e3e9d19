/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What our client side remembers of servers: chains that it does not verify
 * twice.  No connection here offers a session.
 */

#include <criterion/criterion.h>

#include "base/attr.h"
#include "base/clock.h"
#include "tls/client_context.h"
#include "unit/tls/tls_duo.h"

#define NAME "api.example.com"

static struct pki *ca;
static struct tls_spec *spec;
static struct tls_clients *clients;

static void
setup(void)
{
	ca = pki_ca_new(NULL, &(struct pki_options){ .subject = "CN=CA" });
	spec = duo_spec(ca, NAME, NAME, NULL);
	clients = tls_clients_new();
}

static void
teardown(void)
{
	clock_unfake();
	tls_clients_free(clients);
	tls_spec_unref(spec);
	pki_free(ca);
}

TestSuite(wire_tls_servers, .init = setup, .fini = teardown);

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

static enum tls_failure
reach_with(struct tls_spec *s, const struct pki *leaf, int version,
    const char *chain_pem)
{
	struct duo_peer o = {
		.cert = leaf, .max_version = version, .chain_pem = chain_pem
	};
	struct text why = TEXT_EMPTY;
	enum tls_failure f;
	struct duo d;

	duo_init(&d);
	duo_peer_server(&d, &o);
	cr_assert(
	    wire_tls_connect(d.wire, clients, s, STR_NONE, &why), "%s", why.p);
	(void)duo_shake(&d);
	f = wire_tls_failure(d.wire);
	if (d.io == IO_DONE)
		cr_expect_not(SSL_session_reused(d.ssl));
	duo_fini(&d);
	return f;
}

static enum tls_failure
reach(const struct pki *leaf, int version, const char *chain_pem)
{
	return reach_with(spec, leaf, version, chain_pem);
}

/* Nobody can be verified any more: only what is known is good. */
static void
forget_ca(struct tls_spec *s)
{
	struct text why = TEXT_EMPTY;
	struct client_context *c = client_context_get(clients, s, &why);

	cr_assert_not_null(c);
	SSL_CTX_set_cert_store(client_context_ssl(c), X509_STORE_new());
	client_context_unref(c);
}

Test(wire_tls_servers, a_chain_is_verified_once)
{
	struct pki *a = pki_server(ca, NAME), *b = pki_server(ca, NAME);
	size_t i;

	cr_expect_eq(reach(a, TLS1_3_VERSION, NULL), TLS_FAIL_NONE);
	forget_ca(spec);
	for (i = 0; i < ARRAY_LEN(versions); i++) {
		cr_expect_eq(reach(a, versions[i], NULL), TLS_FAIL_NONE);
		/* The control: without the memory nobody is good. */
		cr_expect_eq(reach(b, versions[i], NULL), TLS_FAIL_CHAIN);
	}
	pki_free(a);
	pki_free(b);
}

Test(wire_tls_servers, only_success_is_remembered)
{
	struct pki_options o = { .subject = "CN=other" };
	struct pki *other = pki_ca_new(NULL, &o);
	struct pki *a = pki_server(other, NAME);
	int i;

	for (i = 0; i < 3; i++)
		cr_expect_eq(reach(a, TLS1_3_VERSION, NULL), TLS_FAIL_CHAIN);
	pki_free(a);
	pki_free(other);
}

/* What one service's CA is good for says nothing to another service. */
Test(wire_tls_servers, other_settings_know_nobody)
{
	struct pki_options o = { .subject = "CN=other" };
	struct pki *other = pki_ca_new(NULL, &o), *a = pki_server(ca, NAME);
	struct tls_spec *strict = duo_spec(other, NAME, NAME, NULL);
	struct tls_spec *renamed = duo_spec(ca, NAME, "other.example", NULL);

	cr_expect_eq(reach(a, TLS1_3_VERSION, NULL), TLS_FAIL_NONE);
	cr_expect_eq(
	    reach_with(strict, a, TLS1_3_VERSION, NULL), TLS_FAIL_CHAIN);
	cr_expect_eq(
	    reach_with(renamed, a, TLS1_3_VERSION, NULL), TLS_FAIL_NAME);
	/* Names are read every time, of a chain that is known too. */
	cr_expect_eq(
	    reach_with(renamed, a, TLS1_3_VERSION, NULL), TLS_FAIL_NAME);
	cr_expect_eq(reach(a, TLS1_3_VERSION, NULL), TLS_FAIL_NONE);
	tls_spec_unref(strict);
	tls_spec_unref(renamed);
	pki_free(a);
	pki_free(other);
}

/* The same leaf is not good without what led from it to the CA. */
Test(wire_tls_servers, a_chain_is_known_as_a_whole)
{
	struct pki_options o = { .subject = "CN=between" };
	struct pki *between = pki_ca_new(ca, &o);
	struct pki *a = pki_server(between, NAME);

	cr_expect_eq(
	    reach(a, TLS1_3_VERSION, between->cert_pem), TLS_FAIL_NONE);
	cr_expect_eq(reach(a, TLS1_3_VERSION, NULL), TLS_FAIL_CHAIN);
	forget_ca(spec);
	cr_expect_eq(
	    reach(a, TLS1_3_VERSION, between->cert_pem), TLS_FAIL_NONE);
	pki_free(a);
	pki_free(between);
}

/* A remembered chain has its times, those of an intermediate too. */
Test(wire_tls_servers, a_known_chain_is_not_good_for_ever)
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
		.sans = "DNS:" NAME, .from_s = -1000, .to_s = 1000
	};
	struct pki_options ro = { .subject = "CN=old", .from_s = -5000 };
	struct pki *root = pki_ca_new(NULL, &ro);
	struct pki *between = pki_ca_new(root, &io);
	struct pki *a = pki_leaf_new(between, &lo);
	struct tls_spec *s = duo_spec(root, NAME, NAME, NULL);
	uint64_t ms = clock_ms();
	int64_t wall = clock_wall_ms();
	size_t i;

	cr_expect_eq(
	    reach_with(s, a, TLS1_3_VERSION, between->cert_pem), TLS_FAIL_NONE);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		clock_fake(ms + 100000, wall + rows[i].after_s * 1000);
		cr_expect_eq(
		    reach_with(s, a, TLS1_3_VERSION, between->cert_pem),
		    rows[i].failure, "%s", rows[i].what);
	}
	tls_spec_unref(s);
	pki_free(a);
	pki_free(between);
	pki_free(root);
}

/* A context that nobody used for a while takes nothing along. */
Test(wire_tls_servers, a_swept_context_leaves_its_chains)
{
	struct pki *a = pki_server(ca, NAME), *b = pki_server(ca, NAME);

	cr_expect_eq(reach(a, TLS1_3_VERSION, NULL), TLS_FAIL_NONE);
	tls_clients_sweep(clients, 0);
	forget_ca(spec);
	cr_expect_eq(reach(a, TLS1_3_VERSION, NULL), TLS_FAIL_NONE);
	cr_expect_eq(reach(b, TLS1_3_VERSION, NULL), TLS_FAIL_CHAIN);
	pki_free(a);
	pki_free(b);
}
