/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Servers that begin a handshake in the middle: refused unless the service
 * allows it, with a cap; and client certificates that are asked for late.
 */

#include <string.h>

#include "e2e/fixture.h"

#define CA "caCert: { secret: ext-ca }"
#define CERT                                         \
	CA ", clientCert: { secret: client-cert }, " \
	   "clientKey: { secret: client-key }"
#define ALLOW ", allowRenegotiation: true"

static struct ext_server *
start(struct world *w, const struct ext_config *c, const char *protocol,
    const char *tls)
{
	struct ext_config mine = *c;
	struct pki *client;
	struct ext_server *s;

	world_init(w, NULL);
	client = pki_leaf_new(
	    w->external_ca, &(struct pki_options){
				.subject = "CN=egress", .eku = "clientAuth" });
	egress_secret(w->e, "default", "client-cert", client->cert_pem);
	egress_secret(w->e, "default", "client-key", client->key_pem);
	if (mine.fault == EXT_ASKS_FOR_CERT)
		mine.client_ca_pem = w->external_ca->cert_pem;
	s = world_serve_tls(w, "ext.example", &mine);
	write_es(w->e, &(struct es){ .name = "ext",
			   .protocol = protocol,
			   .host = "ext.example",
			   .port = ext_port(s),
			   .tls = tls });
	world_start(w);
	pki_free(client);
	return s;
}

static bool
echoes(struct world *w)
{
	struct mesh_client m;
	char b[8];
	bool ok;

	call(w, &m, "ext");
	ok = say(&m, "hello") && mesh_read_full(&m, b, 5) == 5;
	/* Data goes on after the handshake, both ways. */
	ok = ok && say(&m, "again") && mesh_read_full(&m, b, 5) == 5;
	cr_expect(ok || m.end != MESH_TIMEOUT, "it hangs");
	mesh_close(&m);
	return ok;
}

Test(renegotiation, is_refused_by_default)
{
	struct world w;
	struct ext_server *s = start(&w,
	    &(struct ext_config){ .protocol = EXT_RAW,
		.fault = EXT_RENEGOTIATES,
		.max_version = TLS1_2_VERSION },
	    "tcp", CA);

	cr_expect_not(echoes(&w));
	cr_expect(WAIT_UNTIL(5000, seen(s).open == 0));
	cr_expect_eq(seen(s).renegotiated, 0);
	cr_expect(has_outcome(w.e, "tls_renegotiation", NULL));
	world_end(&w);
}

Test(renegotiation, where_it_is_allowed)
{
	struct world w;
	struct ext_server *s = start(&w,
	    &(struct ext_config){ .protocol = EXT_RAW,
		.fault = EXT_RENEGOTIATES,
		.max_version = TLS1_2_VERSION },
	    "tcp", CA ALLOW);

	cr_expect(echoes(&w));
	cr_expect_eq(seen(s).renegotiated, 1);
	world_end(&w);
}

Test(renegotiation, has_a_cap)
{
	struct world w;
	struct ext_server *s = start(&w,
	    &(struct ext_config){ .protocol = EXT_RAW,
		.fault = EXT_RENEGOTIATES_FOREVER,
		.max_version = TLS1_2_VERSION },
	    "tcp", CA ALLOW);

	cr_expect_not(echoes(&w));
	cr_expect(WAIT_UNTIL(5000, seen(s).open == 0));
	cr_expect_geq(seen(s).renegotiated, 1);
	cr_expect_lt(seen(s).renegotiated, 100);
	cr_expect(has_outcome(w.e, "tls_renegotiation", NULL));
	world_end(&w);
}

Test(renegotiation, a_request_of_http)
{
	struct world w;
	struct ext_server *s = start(&w,
	    &(struct ext_config){ .protocol = EXT_HTTP,
		.fault = EXT_RENEGOTIATES,
		.max_version = TLS1_2_VERSION },
	    "http", CA ALLOW);
	const char *a = get_once(&w, "ext", "/x");

	cr_expect_eq(status_of(a), 200, "%s", a);
	cr_expect_eq(seen(s).renegotiated, 1);
	world_end(&w);
}

Test(renegotiation, a_refused_request_of_http)
{
	struct world w;
	const char *a;

	(void)start(&w,
	    &(struct ext_config){ .protocol = EXT_HTTP,
		.fault = EXT_RENEGOTIATES,
		.max_version = TLS1_2_VERSION },
	    "http", CA);
	a = get_once(&w, "ext", "/x");
	cr_expect_eq(status_of(a), 503, "%s", a);
	world_end(&w);
}

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

Test(renegotiation, a_certificate_that_is_asked_for_late)
{
	for (int i = 0; i < 2; i++) {
		struct world w;
		struct ext_server *s;

		/* The second has its directory beside the first. */
		s = start(&w,
		    &(struct ext_config){ .protocol = EXT_RAW,
			.fault = EXT_ASKS_FOR_CERT,
			.max_version = versions[i] },
		    "tcp", CERT ALLOW);
		cr_expect(echoes(&w), "version %x: %s", (unsigned)versions[i],
		    seen(s).error);
		cr_expect_eq(seen(s).renegotiated, 1);
		cr_expect_str_eq(seen(s).peer, "/CN=egress");
		world_end(&w);
		egress_remove_tree(w.home);
	}
}

/* Not allowed: 1.2 is refused, and 1.3 is not even offered. */
Test(renegotiation, a_late_certificate_where_it_is_not_allowed)
{
	for (int i = 0; i < 2; i++) {
		struct world w;
		struct ext_server *s;

		s = start(&w,
		    &(struct ext_config){ .protocol = EXT_RAW,
			.fault = EXT_ASKS_FOR_CERT,
			.max_version = versions[i] },
		    "tcp", CERT);
		cr_expect_not(echoes(&w), "version %x", (unsigned)versions[i]);
		cr_expect_eq(seen(s).renegotiated, 0);
		cr_expect_str_eq(seen(s).peer, "");
		world_end(&w);
		egress_remove_tree(w.home);
	}
}

/* Allowed, but there is none to show. */
Test(renegotiation, a_late_certificate_that_is_missing)
{
	for (int i = 0; i < 2; i++) {
		struct world w;
		struct ext_server *s;

		s = start(&w,
		    &(struct ext_config){ .protocol = EXT_RAW,
			.fault = EXT_ASKS_FOR_CERT,
			.max_version = versions[i] },
		    "tcp", CA ALLOW);
		cr_expect_not(echoes(&w), "version %x", (unsigned)versions[i]);
		cr_expect_str_eq(seen(s).peer, "");
		world_end(&w);
		egress_remove_tree(w.home);
	}
}
