/* SPDX-License-Identifier: Apache-2.0 */
/* Which certificates we show, to callers and to servers. */

#include <criterion/criterion.h>
#include <stdlib.h>

#include "unit/tls/tls_duo.h"

#define SNI "es-tls{mesh=default}"

static struct pki *root, *between, *own, *caller;

static void
setup(void)
{
	struct pki_options o = { .subject = "CN=between" };

	root = pki_mesh_ca("default");
	between = pki_ca_new(root, &o);
	own = pki_sidecar(between, "default", "zone-egress", NULL);
	caller = pki_sidecar(between, "default", "client", NULL);
}

static void
teardown(void)
{
	pki_free(root);
	pki_free(between);
	pki_free(own);
	pki_free(caller);
}

TestSuite(wire_tls_shown, .init = setup, .fini = teardown);

/* ca: PEM of the mesh's CA set. */
static int
shown_to_caller(const struct pki *ours, const char *ca)
{
	struct duo_peer o = { .cert = caller,
		/* OpenSSL's client trusts it alone. */
		.ca = root,
		.sni = SNI,
		.chain_pem = between->cert_pem };
	struct mesh_spec *m = duo_mesh("default", root, ours);
	struct blob *old = m->ca;
	struct tls_identities *set;
	struct duo d;
	int n;

	m->ca = blob_new(str_of(ca));
	blob_unref(old);
	set = duo_set(m, NULL);
	duo_init(&d);
	duo_peer_client(&d, &o);
	duo_accept(&d, set, "default", TLS_ALPN_NONE);
	cr_expect_eq(duo_shake(&d), IO_DONE, "%.*s",
	    STR_ARG(wire_tls_failure_text(d.wire)));
	cr_expect_eq(SSL_get_verify_result(d.ssl), X509_V_OK);
	n = sk_X509_num(SSL_get_peer_cert_chain(d.ssl));
	duo_fini(&d);
	tls_identities_unref(set);
	mesh_spec_unref(m);
	return n;
}

/* The root is the caller's to have; sending it costs, and proves nothing. */
Test(wire_tls_shown, a_leaf_of_the_root_goes_alone)
{
	cr_expect_eq(shown_to_caller(NULL, root->cert_pem), 1);
}

Test(wire_tls_shown, a_leaf_that_came_alone_is_completed)
{
	char *both = pki_chain_pem(root, between, NULL);

	cr_expect_eq(shown_to_caller(own, both), 2);
	free(both);
}

Test(wire_tls_shown, a_chain_that_was_given_is_shown)
{
	char *chain = pki_chain_pem(own, between, NULL);
	struct pki given = *own;

	given.cert_pem = chain;
	cr_expect_eq(shown_to_caller(&given, root->cert_pem), 2);
	free(chain);
}
