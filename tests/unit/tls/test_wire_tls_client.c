/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our client side against OpenSSL's server: whom it believes, what it offers,
 * what it resumes, and what a server may ask for late.
 */

#include <criterion/criterion.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/clock.h"
#include "unit/tls/tls_duo.h"

static struct pki *ca, *other_ca, *caller_ca, *server_cert, *caller;
static struct tls_clients *clients;

static void
setup(void)
{
	struct pki_options mine = { .subject = "CN=test CA" };
	struct pki_options other = { .subject = "CN=other CA" };

	ca = pki_ca_new(NULL, &mine);
	other_ca = pki_ca_new(NULL, &other);
	caller_ca = pki_mesh_ca("default");
	server_cert = pki_server(ca, "api.example.com");
	caller = pki_sidecar(caller_ca, "default", "egress", NULL);
	clients = tls_clients_new();
}

static void
teardown(void)
{
	clock_unfake();
	tls_clients_free(clients);
	pki_free(ca);
	pki_free(other_ca);
	pki_free(caller_ca);
	pki_free(server_cert);
	pki_free(caller);
}

TestSuite(wire_tls_client, .init = setup, .fini = teardown);

static void
expect_text(struct duo *d, const char *what, const char *part)
{
	struct str t = wire_tls_failure_text(d->wire);

	cr_expect(t.p != NULL && strstr(t.p, part) != NULL,
	    "%s: \"%s\" lacks \"%s\"", what, t.p, part);
}

enum trust { TRUST_IT, TRUST_OTHER, TRUST_NOBODY };

static const struct {
	const char *what;
	struct pki_options o; /* of the server's certificate */
	enum trust trust;
	const char *name; /* expected; NULL: names are not verified */
	enum tls_failure failure;
	int alert;
	const char *text;
} servers[] = {
	{ "good", { .sans = "DNS:api.example.com" }, TRUST_IT,
	    "api.example.com", TLS_FAIL_NONE, -1, NULL },
	{ "good, by address", { .sans = "IP:192.0.2.1" }, TRUST_IT, "192.0.2.1",
	    TLS_FAIL_NONE, -1, NULL },
	{ "no extended key usage", { .sans = "DNS:api.example.com", .eku = "" },
	    TRUST_IT, "api.example.com", TLS_FAIL_NONE, -1, NULL },
	{ "unknown CA", { .sans = "DNS:api.example.com", .subject = "CN=srv" },
	    TRUST_OTHER, "api.example.com", TLS_FAIL_CHAIN, SSL_AD_UNKNOWN_CA,
	    "certificate \"CN=srv\", issued by \"CN=test CA\": unable to get "
	    "local issuer certificate; add the CA that issued it to caCert" },
	{ "expired",
	    { .sans = "DNS:api.example.com", .from_s = -7200, .to_s = -60 },
	    TRUST_IT, "api.example.com", TLS_FAIL_EXPIRED,
	    SSL_AD_CERTIFICATE_EXPIRED, "DNS api.example.com expired on 20" },
	{ "not yet valid", { .sans = "DNS:api.example.com", .from_s = 600 },
	    TRUST_IT, "api.example.com", TLS_FAIL_EXPIRED,
	    SSL_AD_CERTIFICATE_EXPIRED, "is not valid before 20" },
	{ "clientAuth only",
	    { .sans = "DNS:api.example.com", .eku = "clientAuth" }, TRUST_IT,
	    "api.example.com", TLS_FAIL_PURPOSE, SSL_AD_UNSUPPORTED_CERTIFICATE,
	    "is not meant for a TLS server" },
	{ "other name", { .sans = "DNS:www.example.com,IP:192.0.2.7" },
	    TRUST_IT, "api.example.com", TLS_FAIL_NAME, SSL_AD_BAD_CERTIFICATE,
	    "expected api.example.com; the certificate has DNS "
	    "www.example.com, IP 192.0.2.7" },
	{ "name only as common name", { .subject = "CN=api.example.com" },
	    TRUST_IT, "api.example.com", TLS_FAIL_NAME, SSL_AD_BAD_CERTIFICATE,
	    "the certificate has no names" },
	{ "other name, not verified", { .sans = "DNS:www.example.com" },
	    TRUST_IT, NULL, TLS_FAIL_NONE, -1, NULL },
	{ "unknown CA, names only", { .sans = "DNS:api.example.com" },
	    TRUST_NOBODY, "api.example.com", TLS_FAIL_NONE, -1, NULL },
	{ "unknown CA, names only, wrong name",
	    { .sans = "DNS:www.example.com" }, TRUST_NOBODY, "api.example.com",
	    TLS_FAIL_NAME, SSL_AD_BAD_CERTIFICATE, "expected api.example.com" },
	{ "expired, nothing verified", { .from_s = -7200, .to_s = -60 },
	    TRUST_NOBODY, NULL, TLS_FAIL_NONE, -1, NULL },
};

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

static const struct pki *
trusted(enum trust t)
{
	switch (t) {
	case TRUST_IT:
		return ca;
	case TRUST_OTHER:
		return other_ca;
	case TRUST_NOBODY:
		break;
	}
	return NULL;
}

static void
check_server(size_t i, int version)
{
	struct pki *leaf = pki_leaf_new(ca, &servers[i].o);
	struct tls_spec *spec = duo_spec(trusted(servers[i].trust),
	    "api.example.com", servers[i].name, NULL);
	struct duo_peer o = { .cert = leaf, .max_version = version };
	enum tls_failure f = servers[i].failure;
	struct duo d;

	duo_init(&d);
	duo_peer_server(&d, &o);
	duo_connect(&d, clients, spec);
	cr_expect_eq(duo_shake(&d), f == TLS_FAIL_NONE ? IO_DONE : IO_FAIL,
	    "%s, %x: %.*s", servers[i].what, version,
	    STR_ARG(wire_tls_failure_text(d.wire)));
	cr_expect_eq(wire_tls_failure(d.wire), f, "%s, %x: failure %d",
	    servers[i].what, version, wire_tls_failure(d.wire));
	cr_expect_eq(d.alert, servers[i].alert, "%s, %x: alert %d",
	    servers[i].what, version, d.alert);
	if (servers[i].text != NULL)
		expect_text(&d, servers[i].what, servers[i].text);
	duo_fini(&d);
	tls_spec_unref(spec);
	pki_free(leaf);
}

Test(wire_tls_client, every_kind_of_server)
{
	size_t i, v;

	for (i = 0; i < ARRAY_LEN(servers); i++)
		for (v = 0; v < ARRAY_LEN(versions); v++)
			check_server(i, versions[v]);
}

Test(wire_tls_client, an_intermediate_as_ca_is_trusted)
{
	struct pki_options mid = { .subject = "CN=middle" };
	struct pki *middle = pki_ca_new(ca, &mid);
	struct pki *leaf = pki_server(middle, "api.example.com");
	struct tls_spec *by_middle =
	    duo_spec(middle, "api.example.com", "api.example.com", NULL);
	struct tls_spec *by_root =
	    duo_spec(ca, "api.example.com", "api.example.com", NULL);
	struct duo_peer o = { .cert = leaf };
	struct duo d;

	duo_init(&d);
	duo_peer_server(&d, &o);
	duo_connect(&d, clients, by_middle);
	cr_expect_eq(duo_shake(&d), IO_DONE);
	duo_fini(&d);

	/* By the root only if the server sends what lies between. */
	duo_init(&d);
	duo_peer_server(&d, &o);
	duo_connect(&d, clients, by_root);
	cr_expect_eq(duo_shake(&d), IO_FAIL);
	duo_fini(&d);

	o.chain_pem = middle->cert_pem;
	duo_init(&d);
	duo_peer_server(&d, &o);
	duo_connect(&d, clients, by_root);
	cr_expect_eq(duo_shake(&d), IO_DONE);
	duo_fini(&d);
	tls_spec_unref(by_middle);
	tls_spec_unref(by_root);
	pki_free(middle);
	pki_free(leaf);
}

Test(wire_tls_client, the_system_bundle_is_read_once)
{
	struct text why = TEXT_EMPTY;
	struct tls_spec *spec =
	    duo_spec(NULL, "api.example.com", "api.example.com", NULL);
	struct duo_peer o = { .cert = server_cert };
	char path[] = "/tmp/zegress-bundle.XXXXXX";
	struct duo d;
	int i;

	close(mkstemp(path));
	pki_write(ca, path, NULL);
	setenv("SSL_CERT_FILE", path, 1);
	spec->verify_chain = true;
	spec->use_system_ca = true;
	duo_spec_seal(spec);
	for (i = 0; i < 2; i++) {
		duo_init(&d);
		duo_peer_server(&d, &o);
		duo_connect(&d, clients, spec);
		cr_expect_eq(duo_shake(&d), IO_DONE);
		duo_fini(&d);
		/* The second context must not need the file any more. */
		unlink(path);
		tls_clients_free(clients);
		clients = tls_clients_new();
	}
	text_free(&why);
	tls_spec_unref(spec);
}

static const struct {
	const char *sni;
	const char *alpn;
} sent[] = {
	{ "api.example.com", "" },
	{ "api.example.com", "http/1.1" },
	{ "es-tls{mesh=default}", "h2" },
	{ "", "" },
};

Test(wire_tls_client, sends_the_name_and_the_protocol_it_is_told_to)
{
	struct duo_peer o = { .cert = server_cert };
	struct tls_spec *spec;
	struct tls_info info;
	struct duo d;
	const char *seen;
	size_t i;

	for (i = 0; i < ARRAY_LEN(sent); i++) {
		spec = duo_spec(ca, sent[i].sni, NULL);
		spec->alpn = str_of(sent[i].alpn);
		spec->digest.b[0] ^= (uint8_t)(i + 1);
		o.alpn = *sent[i].alpn != '\0' ? sent[i].alpn : NULL;
		duo_init(&d);
		duo_peer_server(&d, &o);
		duo_connect(&d, clients, spec);
		cr_expect_eq(duo_shake(&d), IO_DONE, "row %zu", i);
		seen = SSL_get_servername(d.ssl, TLSEXT_NAMETYPE_host_name);
		cr_expect_str_eq(
		    seen != NULL ? seen : "", sent[i].sni, "row %zu", i);
		wire_tls_info(d.wire, &info);
		cr_expect(str_eq(info.alpn, str_of(sent[i].alpn)));
		cr_expect(str_eq(info.sni, str_of(sent[i].sni)));
		cr_expect_str_eq(info.version, "TLSv1.3");
		duo_fini(&d);
		tls_spec_unref(spec);
	}
}

static void
give_cert(struct tls_spec *spec)
{
	spec->cert = blob_new(str_of(caller->cert_pem));
	spec->key = blob_new(str_of(caller->key_pem));
	duo_spec_seal(spec);
}

Test(wire_tls_client, shows_its_certificate_when_asked)
{
	struct duo_peer o = {
		.cert = server_cert, .ca = caller_ca, .wants_cert = true
	};
	struct tls_spec *spec;
	struct duo d;
	size_t v;
	char b;
	int with;

	for (v = 0; v < ARRAY_LEN(versions); v++) {
		for (with = 0; with < 2; with++) {
			spec = duo_spec(ca, "a.example", NULL);
			if (with)
				give_cert(spec);
			o.max_version = versions[v];
			duo_init(&d);
			duo_peer_server(&d, &o);
			duo_connect(&d, clients, spec);
			(void)duo_shake(&d);
			cr_expect_eq(
			    SSL_get0_peer_certificate(d.ssl) != NULL, with);
			if (!with) {
				struct span in;

				cr_expect_eq(duo_read(&d, &in), IO_FAIL);
				cr_expect_eq(
				    wire_tls_failure(d.wire), TLS_FAIL_ALERT);
				expect_text(&d, "no certificate",
				    v == 0 ? "handshake_failure(40)"
					   : "certificate_required(116)");
			}
			(void)b;
			duo_fini(&d);
			tls_spec_unref(spec);
		}
	}
}

Test(wire_tls_client, versions_are_those_of_the_settings)
{
	static const struct {
		uint16_t min, max;
		int server;
		const char *is; /* NULL: fails */
	} rows[] = {
		{ 0x0303, 0x0304, TLS1_2_VERSION, "TLSv1.2" },
		{ 0x0303, 0x0304, TLS1_3_VERSION, "TLSv1.3" },
		{ 0x0303, 0x0303, TLS1_3_VERSION, "TLSv1.2" },
		{ 0x0304, 0x0304, TLS1_2_VERSION, NULL },
		{ 0x0303, 0x0304, TLS1_1_VERSION, NULL },
		{ 0x0301, 0x0304, TLS1_VERSION, "TLSv1" },
		{ 0x0302, 0x0304, TLS1_1_VERSION, "TLSv1.1" },
	};
	struct duo_peer o = { .cert = server_cert };
	struct tls_spec *spec;
	struct tls_info info;
	struct duo d;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		spec = duo_spec(ca, "a.example", NULL);
		spec->min_version = rows[i].min;
		spec->max_version = rows[i].max;
		spec->is_weak = rows[i].min < TLS1_2_VERSION;
		spec->digest.b[0] ^= (uint8_t)(i + 1);
		o.max_version = rows[i].server;
		o.ciphers =
		    rows[i].server < TLS1_2_VERSION ? "ALL:@SECLEVEL=0" : NULL;
		duo_init(&d);
		duo_peer_server(&d, &o);
		duo_connect(&d, clients, spec);
		(void)duo_shake(&d);
		cr_expect_eq(d.io, rows[i].is != NULL ? IO_DONE : IO_FAIL,
		    "row %zu: %.*s", i, STR_ARG(wire_tls_failure_text(d.wire)));
		if (d.io == IO_DONE) {
			wire_tls_info(d.wire, &info);
			cr_expect_str_eq(info.version, rows[i].is);
		} else {
			expect_text(&d, "version", "no common TLS version");
		}
		duo_fini(&d);
		tls_spec_unref(spec);
	}
}

Test(wire_tls_client, says_that_the_peer_does_not_speak_tls)
{
	static const char answer[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
	struct tls_spec *spec = duo_spec(ca, "a.example", NULL);
	enum io io = IO_AGAIN;
	struct duo d;
	int i;

	duo_init(&d);
	duo_connect(&d, clients, spec);
	cr_expect_eq(write(d.fd, answer, sizeof(answer) - 1),
	    (ssize_t)sizeof(answer) - 1);
	for (i = 0; i < 100 && io == IO_AGAIN; i++) {
		loop_turn(d.loop);
		io = wire_tls_handshake(d.wire);
	}
	cr_expect_eq(io, IO_FAIL);
	cr_expect_eq(wire_tls_failure(d.wire), TLS_FAIL_NOT_TLS);
	expect_text(&d, "plain", "it sent \"HTTP/1.1 400 Bad Req");
	duo_fini(&d);
	tls_spec_unref(spec);
}

Test(wire_tls_client, says_that_the_peer_closed)
{
	struct tls_spec *spec = duo_spec(ca, "a.example", NULL);
	enum io io = IO_AGAIN;
	struct duo d;
	int i;

	duo_init(&d);
	duo_connect(&d, clients, spec);
	close(d.fd);
	d.fd = -1;
	for (i = 0; i < 100 && io == IO_AGAIN; i++) {
		loop_turn(d.loop);
		io = wire_tls_handshake(d.wire);
	}
	cr_expect_eq(io, IO_FAIL);
	cr_expect_eq(wire_tls_failure(d.wire), TLS_FAIL_CLOSED);
	duo_fini(&d);
	tls_spec_unref(spec);
}

Test(wire_tls_client, bad_settings_are_refused_with_a_reason)
{
	struct tls_spec *spec = duo_spec(ca, "a.example", NULL);
	struct text why = TEXT_EMPTY;
	struct duo d;

	duo_init(&d);
	spec->cert = blob_new(str_of(caller->cert_pem));
	spec->key = blob_new(str_of(ca->key_pem));
	duo_spec_seal(spec);
	cr_expect_not(
	    wire_tls_connect(d.wire, clients, spec, STR("host:443"), &why));
	cr_expect(strstr(why.p, "does not belong") != NULL, "%s", why.p);
	text_free(&why);
	duo_fini(&d);
	tls_spec_unref(spec);
}

/* One connection with these settings; was it resumed? */
static bool
visit(SSL_CTX *server, struct tls_spec *spec, const char *key)
{
	struct text why = TEXT_EMPTY;
	struct tls_info info;
	struct span in;
	struct duo d;
	int i;

	duo_init(&d);
	duo_peer_server_of(&d, server);
	cr_assert(wire_tls_connect(d.wire, clients, spec, str_of(key), &why));
	cr_expect_eq(duo_shake(&d), IO_DONE);
	/* Tickets come behind the handshake. */
	for (i = 0; i < 5; i++) {
		loop_turn(d.loop);
		(void)wire_read(d.wire, &in);
	}
	wire_tls_info(d.wire, &info);
	duo_fini(&d);
	return info.is_resumed;
}

Test(wire_tls_client, resumes_under_the_same_settings_and_endpoint_only)
{
	struct duo_peer o = { .cert = server_cert };
	struct tls_spec *spec, *other;
	SSL_CTX *server;
	size_t v;

	for (v = 0; v < ARRAY_LEN(versions); v++) {
		o.max_version = versions[v];
		server = duo_server_ctx(&o);
		spec = duo_spec(ca, "a.example", NULL);
		other = duo_spec(ca, "a.example", "api.example.com", NULL);
		cr_expect_not(visit(server, spec, "one"), "%zu first", v);
		cr_expect(visit(server, spec, "one"), "%zu again", v);
		cr_expect(visit(server, spec, "one"), "%zu third", v);
		cr_expect_not(visit(server, spec, "two"), "%zu endpoint", v);
		cr_expect_not(visit(server, other, "one"), "%zu other", v);
		cr_expect(visit(server, other, "one"));
		clock_fake(
		    clock_ms() + 7201 * 1000, clock_wall_ms() + 7201 * 1000);
		cr_expect_not(visit(server, spec, "one"), "%zu too old", v);
		clock_unfake();
		SSL_CTX_free(server);
		tls_spec_unref(spec);
		tls_spec_unref(other);
		tls_clients_free(clients);
		clients = tls_clients_new();
	}
}

Test(wire_tls_client, contexts_are_swept_and_sessions_stay)
{
	struct duo_peer o = { .cert = server_cert };
	SSL_CTX *server = duo_server_ctx(&o);
	struct tls_spec *spec = duo_spec(ca, "a.example", NULL);

	cr_expect_not(visit(server, spec, "one"));
	tls_clients_sweep(clients, 0);
	/* One reference is ours: the swept context let go of its own. */
	cr_expect_eq(atomic_load(&spec->ref.count), 1);
	cr_expect(visit(server, spec, "one"));
	tls_clients_sweep(clients, 60000);
	cr_expect_eq(atomic_load(&spec->ref.count), 2, "used just now");
	SSL_CTX_free(server);
	tls_spec_unref(spec);
}
