/* SPDX-License-Identifier: Apache-2.0 */
/* What comes before a service is known: good, bad, half or no ClientHello. */

#include <stdio.h>
#include <string.h>

#include "e2e/fixture.h"

static struct ext_server *
start(struct world *w, const char *config)
{
	struct ext_server *s;

	world_init(w, config);
	s = world_serve(
	    w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "ext" });
	write_es(w->e, &(struct es){ .name = "echo", .port = ext_port(s) });
	world_start(w);
	return s;
}

/* The bytes of a ClientHello for the service. */
static size_t
make_hello(const char *sni, unsigned char *out, size_t cap)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(ctx);
	BIO *in = BIO_new(BIO_s_mem()), *to = BIO_new(BIO_s_mem());
	int n;

	SSL_set_bio(ssl, in, to);
	SSL_set_tlsext_host_name(ssl, sni);
	cr_assert_eq(SSL_connect(ssl), -1);
	n = BIO_read(to, out, (int)cap);
	cr_assert_gt(n, 100);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	return (size_t)n;
}

static double
unmatched(struct world *w)
{
	return egress_metric(w->e, "envoy_listener_no_filter_chain_match{");
}

Test(hello, unknown_and_missing_names_are_reset_without_an_alert)
{
	static const struct {
		const char *sni;
		const char *outcome;
	} rows[] = {
		{ "nobody{mesh=default}", "no_service" },
		{ "echo{mesh=other}", "no_service" },
		{ "echo{mesh=default,version=v1}", "no_service" },
		{ "echo", "no_service" },
		{ "echo.example", "no_service" },
		{ NULL, "no_sni" },
	};
	struct world w;
	struct ext_server *ext = start(&w, NULL);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION;
		     version++) {
			struct mesh_options o = caller(&w, "echo");
			struct mesh_client m;

			o.sni = rows[i].sni;
			o.max_version = version;
			cr_expect_not(mesh_open(&m, &o));
			cr_expect_eq(
			    m.end, MESH_RST, "row %zu: end %d", i, (int)m.end);
			cr_expect_eq(m.alert, 0, "row %zu: an alert", i);
			mesh_close(&m);
		}
	}
	cr_expect(WAIT_UNTIL(5000, ended(w.e, "no_service") >= 10));
	cr_expect_eq(ended(w.e, "no_service"), 10);
	cr_expect_eq(ended(w.e, "no_sni"), 2);
	cr_expect_eq(unmatched(&w), 12);
	cr_expect(has_outcome(w.e, "no_service", "\"sni\":\"echo.example\""));
	cr_expect_eq(seen(ext).connections, 0);
	world_end(&w);
}

/* Twelve refusals in a moment are one warning of the daemon's log. */
Test(hello, warnings_are_at_most_one_a_second_a_source)
{
	struct world w;
	char *at, log[16384] = "";
	unsigned n = 0;
	uint64_t from;
	FILE *f;

	(void)start(&w, NULL);
	from = clock_ms();
	for (int i = 0; i < 12; i++) {
		struct mesh_options o = caller(&w, "nobody");
		struct mesh_client m;

		cr_expect_not(mesh_open(&m, &o));
		mesh_close(&m);
	}
	cr_expect(WAIT_UNTIL(5000, ended(w.e, "no_service") >= 12));
	f = fopen(w.e->log_path, "re");
	(void)!fread(log, 1, sizeof(log) - 1, f);
	(void)fclose(f);
	for (at = log; (at = strstr(at, "no_service")) != NULL; at++)
		n++;
	cr_expect_geq(n, 1);
	cr_expect_leq(n, 1 + (clock_ms() - from) / 1000, "%u warnings", n);
	world_end(&w);
}

Test(hello, plaintext_is_reset)
{
	static const char *const rows[] = {
		"GET / HTTP/1.1\r\nHost: echo\r\n\r\n",
		"SSH-2.0-client\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	};
	struct world w;

	(void)start(&w, NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mesh_options o = caller(&w, "echo");
		struct mesh_client m;

		cr_assert(mesh_connect(&m, &o));
		cr_assert(mesh_write(&m, rows[i], strlen(rows[i])));
		cr_expect_eq(mesh_wait_end(&m, 5000), MESH_RST, "row %zu: %d",
		    i, (int)m.end);
		mesh_close(&m);
	}
	cr_expect(WAIT_UNTIL(5000, ended(w.e, "not_tls") == 3));
	cr_expect_eq(unmatched(&w), 3);
	world_end(&w);
}

Test(hello, a_hello_that_makes_no_sense_is_reset)
{
	unsigned char hello[2048];
	struct world w;
	struct mesh_options o;
	struct mesh_client m;
	size_t n;

	(void)start(&w, NULL);
	n = make_hello(sni_of("echo"), hello, sizeof(hello));
	memset(hello + 44, 0xff, n - 44); /* lengths that lead nowhere */
	o = caller(&w, "echo");
	cr_assert(mesh_connect(&m, &o));
	cr_assert(mesh_write(&m, hello, n));
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_RST);
	mesh_close(&m);
	cr_expect(WAIT_UNTIL(5000, ended(w.e, "hello_bad") == 1));
	world_end(&w);
}

Test(hello, names_are_compared_without_case)
{
	struct world w;
	struct mesh_options o;
	struct mesh_client m;

	(void)start(&w, NULL);
	o = caller(&w, "echo");
	o.sni = "EchO{MESH=Default}";
	cr_assert(mesh_open(&m, &o), "%s", m.error);
	check_echo(&m, "ext");
	mesh_close(&m);
	world_end(&w);
}

/* A hello may come byte by byte, and what follows it is not lost. */
Test(hello, in_small_pieces)
{
	unsigned char hello[2048], answer[16];
	struct world w;
	struct mesh_options o;
	struct mesh_client m;
	size_t n;

	(void)start(&w, NULL);
	n = make_hello(sni_of("echo"), hello, sizeof(hello));
	o = caller(&w, "echo");
	cr_assert(mesh_connect(&m, &o));
	for (size_t i = 0; i < n; i++)
		cr_assert(mesh_write(&m, hello + i, 1));
	cr_assert_eq(mesh_read_full(&m, answer, 6), 6);
	cr_expect_eq(answer[0], 22, "no handshake record");
	cr_expect_eq(answer[5], 2, "no ServerHello");
	mesh_close(&m);
	world_end(&w);
}

Test(hello, silence_ends_by_fin_and_half_a_hello_by_reset)
{
	unsigned char hello[2048];
	struct world w;
	struct mesh_options o;
	struct mesh_client silent, half;
	uint64_t from, took;
	size_t n;

	(void)start(&w, "limits = { hello_ms = 300; };");
	n = make_hello(sni_of("echo"), hello, sizeof(hello));
	o = caller(&w, "echo");
	from = clock_ms();
	cr_assert(mesh_connect(&silent, &o));
	cr_assert(mesh_connect(&half, &o));
	cr_assert(mesh_write(&half, hello, n / 2));
	cr_expect_eq(mesh_wait_end(&silent, 5000), MESH_FIN);
	cr_expect_eq(mesh_wait_end(&half, 5000), MESH_RST);
	took = clock_ms() - from;
	cr_expect(took >= 290 && took < 3000, "after %u ms", (unsigned)took);
	mesh_close(&silent);
	mesh_close(&half);
	cr_expect(has_outcome(w.e, "no_bytes", NULL));
	cr_expect(has_outcome(w.e, "hello_late", NULL));
	world_end(&w);
}

/* A trickle does not extend the time. */
Test(hello, a_slow_hello_is_late_all_the_same)
{
	unsigned char hello[2048];
	struct world w;
	struct mesh_options o;
	struct mesh_client m;
	size_t i;

	(void)start(&w, "limits = { hello_ms = 200; };");
	(void)make_hello(sni_of("echo"), hello, sizeof(hello));
	o = caller(&w, "echo");
	cr_assert(mesh_connect(&m, &o));
	for (i = 0; i < 200; i++) {
		if (!mesh_write(&m, hello + i, 1))
			break;
		(void)poll(NULL, 0, 10);
	}
	cr_expect_lt(i, 200);
	mesh_close(&m);
	cr_expect(has_outcome(w.e, "hello_late", NULL));
	world_end(&w);
}

Test(hello, an_unfinished_handshake_is_reset)
{
	unsigned char hello[2048];
	struct world w;
	struct mesh_options o;
	struct mesh_client m;
	char b[8192];
	uint64_t from, took;
	size_t n;

	(void)start(&w, "limits = { tls_ms = 300; };");
	n = make_hello(sni_of("echo"), hello, sizeof(hello));
	o = caller(&w, "echo");
	from = clock_ms();
	cr_assert(mesh_connect(&m, &o));
	cr_assert(mesh_write(&m, hello, n));
	while (mesh_read(&m, b, sizeof(b)) > 0)
		;
	took = clock_ms() - from;
	cr_expect_eq(m.end, MESH_RST);
	cr_expect(took >= 290 && took < 3000, "after %u ms", (unsigned)took);
	mesh_close(&m);
	cr_expect(has_outcome(w.e, "tls_late", NULL));
	world_end(&w);
}

/* The times of hello and handshake are over once the caller is known. */
Test(hello, silence_after_the_handshake_is_fine)
{
	struct world w;
	struct mesh_client m;

	(void)start(&w, "limits = { hello_ms = 100; tls_ms = 1000; };");
	call(&w, &m, "echo");
	cr_expect_eq(mesh_wait_end(&m, 1300), MESH_TIMEOUT);
	check_echo(&m, "ext");
	mesh_close(&m);
	world_end(&w);
}

Test(hello, closing_early_is_no_harm)
{
	unsigned char hello[2048];
	struct world w;
	struct mesh_options o;
	struct mesh_client m;
	size_t n;

	(void)start(&w, NULL);
	n = make_hello(sni_of("echo"), hello, sizeof(hello));
	o = caller(&w, "echo");
	cr_assert(mesh_connect(&m, &o));
	mesh_close(&m);
	cr_assert(mesh_connect(&m, &o));
	cr_assert(mesh_write(&m, hello, n / 2));
	mesh_close(&m);
	cr_assert(mesh_connect(&m, &o));
	cr_assert(mesh_write(&m, hello, n));
	mesh_close(&m);
	cr_assert(mesh_connect(&m, &o));
	cr_assert(mesh_write(&m, hello, n));
	mesh_reset(&m);
	call(&w, &m, "echo");
	check_echo(&m, "ext");
	mesh_close(&m);
	cr_expect(WAIT_UNTIL(5000,
	    egress_metric(w.e, "envoy_listener_downstream_cx_active{") == 0));
	world_end(&w);
}

Test(hello, too_many_connections_are_closed)
{
	struct world w;
	struct mesh_options o;
	struct mesh_client m[3];

	(void)start(&w, "limits = { connections = 2; };");
	o = caller(&w, "echo");
	call(&w, &m[0], "echo");
	call(&w, &m[1], "echo");
	check_echo(&m[1], "ext");
	cr_expect_not(mesh_open(&m[2], &o));
	mesh_close(&m[2]);
	cr_expect_eq(ended(w.e, "connection_limit_reached"), 1);
	cr_expect_eq(
	    egress_metric(w.e, "envoy_listener_downstream_cx_overflow{"), 1);
	mesh_close(&m[0]);
	cr_expect(WAIT_UNTIL(
	    5000, mesh_open(&m[2], &o) || (mesh_close(&m[2]), false)));
	check_echo(&m[2], "ext");
	mesh_close(&m[1]);
	mesh_close(&m[2]);
	world_end(&w);
}

/* A mesh whose CA key is not here, and no files: nobody can answer for it. */
Test(hello, a_mesh_without_an_identity_is_not_offered)
{
	struct world w;
	struct pki *ca = pki_mesh_ca("bare");
	struct mesh_options o;
	struct mesh_client m;
	const char *said;

	(void)start(&w, NULL);
	egress_secret(w.e, "bare", "bare-ca", ca->cert_pem);
	egress_writef(w.e, "bare.yaml",
	    "type: Mesh\nname: bare\nmtls:\n  enabledBackend: ca-1\n"
	    "  backends:\n  - name: ca-1\n    type: provided\n"
	    "    conf: { cert: { secret: bare-ca }, key: { secret: gone } }\n"
	    "---\ntype: ExternalService\nmesh: bare\nname: there\n"
	    "tags: { kuma.io/service: there }\n"
	    "networking: { address: '127.0.0.1:%u' }\n",
	    ext_port(w.servers[0]));
	cr_expect(WAIT_UNTIL(
	    5000, strstr(egress_ctl(w.e, "check"), "Secret gone") != NULL));
	said = egress_ctl(w.e, "check");
	cr_expect(
	    strstr(said, "bare.yaml:1: mtls.backends") != NULL, "%s", said);
	o = caller(&w, "echo");
	o.sni = "there{mesh=bare}";
	cr_expect_not(mesh_open(&m, &o));
	cr_expect_eq(m.end, MESH_RST);
	mesh_close(&m);
	/* The other mesh is none the worse. */
	call(&w, &m, "echo");
	check_echo(&m, "ext");
	mesh_close(&m);
	world_end(&w);
	pki_free(ca);
}
