/* SPDX-License-Identifier: Apache-2.0 */
/* Who is calling, and as whom the egress answers: the mesh handshake. */

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "e2e/fixture.h"

static void
start_with_echo(struct world *w, const char *config)
{
	struct ext_server *s;

	world_init(w, config);
	s = world_serve(
	    w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "ext" });
	write_es(w->e, &(struct es){ .name = "echo", .port = ext_port(s) });
	s = world_serve(w, &(struct ext_config){ .protocol = EXT_HTTP });
	write_es(
	    w->e, &(struct es){
		      .name = "web", .protocol = "http", .port = ext_port(s) });
}

Test(caller, versions_and_protocols_offered)
{
	static const struct {
		int version;
		const char *alpn;
		const char *service;
		const char *selected;
	} rows[] = {
		{ TLS1_2_VERSION, "kuma", "echo", "" },
		{ TLS1_3_VERSION, "kuma", "echo", "" },
		{ TLS1_2_VERSION, NULL, "echo", "" },
		{ TLS1_3_VERSION, NULL, "echo", "" },
		{ TLS1_3_VERSION, "h2", "echo", "" },
		{ TLS1_2_VERSION, "http/1.1", "echo", "" },
		{ TLS1_3_VERSION, "http/1.1", "web", "http/1.1" },
		{ TLS1_2_VERSION, "h2,http/1.1", "web", "h2" },
		{ TLS1_3_VERSION, "http/1.1,h2", "web", "h2" },
		{ TLS1_3_VERSION, "kuma,h2", "web", "" },
		{ TLS1_3_VERSION, "kuma", "web", "" },
		{ TLS1_3_VERSION, "kuma,http/1.1", "web", "" },
		{ TLS1_2_VERSION, "bogus", "web", "" },
	};
	struct world w;

	start_with_echo(&w, NULL);
	world_start(&w);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mesh_options o = caller(&w, rows[i].service);
		struct mesh_client m;
		const unsigned char *alpn;
		unsigned n;

		o.max_version = rows[i].version;
		o.alpn = rows[i].alpn;
		cr_assert(mesh_open(&m, &o), "row %zu: %s", i, m.error);
		cr_expect_eq(SSL_version(m.ssl), rows[i].version, "row %zu", i);
		SSL_get0_alpn_selected(m.ssl, &alpn, &n);
		cr_expect(
		    n == strlen(rows[i].selected) &&
			(n == 0 || memcmp(alpn, rows[i].selected, n) == 0),
		    "row %zu: selected %.*s", i, (int)n, (const char *)alpn);
		if (strcmp(rows[i].service, "echo") == 0)
			check_echo(&m, "ext");
		else if (strcmp(rows[i].selected, "h2") != 0)
			cr_expect_eq(status_of(ask_get(&m, "/")), 200);
		mesh_close(&m);
	}
	world_end(&w);
}

Test(caller, minted_identity)
{
	struct world w;
	struct mesh_client m;
	int days, seconds;
	X509 *x;

	start_with_echo(&w, NULL);
	world_start(&w);
	call(&w, &m, "echo");
	cr_expect_str_eq(m.peer_uris,
	    "spiffe://default/zone-egress kuma://kuma.io/service/zone-egress");
	x = SSL_get1_peer_certificate(m.ssl);
	cr_expect_eq(X509_NAME_entry_count(X509_get_subject_name(x)), 0);
	cr_expect(EVP_PKEY_is_a(X509_get0_pubkey(x), "EC"));
	cr_assert(ASN1_TIME_diff(
	    &days, &seconds, X509_get0_notBefore(x), X509_get0_notAfter(x)));
	cr_expect(days == 1 && seconds <= 60, "%d days, %d s", days, seconds);
	X509_free(x);
	mesh_close(&m);
	cr_expect(egress_said(w.e, "can impersonate"));
	world_end(&w);
}

static void
write_identity(struct world *w, struct pki *p, const struct pki *ca)
{
	char cert[128], key[128], path[128];

	(void)snprintf(cert, sizeof(cert), "%s/id.pem", w->home);
	(void)snprintf(key, sizeof(key), "%s/id.key", w->home);
	(void)snprintf(path, sizeof(path), "%s/id-ca.pem", w->home);
	pki_write(p, cert, key);
	pki_write(ca, path, NULL);
}

static void
configure_identity(struct world *w)
{
	char config[512];

	(void)snprintf(config, sizeof(config),
	    "identity = ( { mesh = \"default\"; cert = \"%s/id.pem\"; "
	    "key = \"%s/id.key\"; ca = \"%s/id-ca.pem\"; } );",
	    w->home, w->home, w->home);
	egress_configure(w->e, &(struct egress_options){ .config = config });
}

/* The files win over minting, and their CA over the mesh's. */
Test(caller, identity_from_files)
{
	struct world w;
	struct pki *ca = pki_mesh_ca("default");
	struct pki *id = pki_sidecar(ca, "default", "zone-egress", NULL);
	struct pki *other = pki_sidecar(ca, "default", "web", "zone-1");
	struct mesh_options o;
	struct mesh_client m;

	start_with_echo(&w, NULL);
	write_identity(&w, id, ca);
	configure_identity(&w);
	world_start(&w);
	o = caller(&w, "echo");
	o.ca_pem = ca->cert_pem;
	o.cert_pem = other->cert_pem;
	o.key_pem = other->key_pem;
	cr_assert(mesh_open(&m, &o), "%s", m.error);
	check_echo(&m, "ext");
	cr_expect(strstr(m.peer_uris, "kuma://kuma.io/protocol/http") != NULL,
	    "not the certificate of the files: %s", m.peer_uris);
	mesh_close(&m);
	o.cert_pem = w.web->cert_pem;
	o.key_pem = w.web->key_pem;
	(void)mesh_open(&m, &o);
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_ALERT);
	cr_expect_eq(m.alert, SSL_AD_UNKNOWN_CA);
	mesh_close(&m);
	world_end(&w);
	pki_free(ca);
	pki_free(id);
	pki_free(other);
}

/* New files are taken at SIGHUP; who was connected stays. */
Test(caller, identity_files_are_read_again)
{
	struct world w;
	struct pki *old, *new;
	struct mesh_client m, later;

	start_with_echo(&w, NULL);
	old = pki_leaf_new(w.mesh_ca,
	    &(struct pki_options){
		.sans = "URI:spiffe://default/zone-egress,URI:kuma://n/1" });
	new = pki_leaf_new(w.mesh_ca,
	    &(struct pki_options){
		.sans = "URI:spiffe://default/zone-egress,URI:kuma://n/2" });
	write_identity(&w, old, w.mesh_ca);
	configure_identity(&w);
	world_start(&w);
	call(&w, &m, "echo");
	cr_expect(strstr(m.peer_uris, "kuma://n/1") != NULL);
	write_identity(&w, new, w.mesh_ca);
	egress_signal(w.e, SIGHUP);
	for (int i = 0; i < 200; i++) {
		call(&w, &later, "echo");
		bool is_new = strstr(later.peer_uris, "kuma://n/2") != NULL;
		mesh_close(&later);
		if (is_new)
			break;
		cr_assert_lt(i, 199, "the new certificate never came");
		(void)poll(NULL, 0, 10);
	}
	check_echo(&m, "ext");
	mesh_close(&m);
	world_end(&w);
	pki_free(old);
	pki_free(new);
}

struct bad_caller {
	const char *name;
	bool no_cert;
	bool other_ca;
	struct pki_options cert;
	int alert_12;
	int alert_13;
	const char *outcome;
};

#define DAY 86400
#define GOOD_SAN "URI:spiffe://default/web"

static const struct bad_caller bad_callers[] = {
	{ .name = "no certificate",
	    .no_cert = true,
	    .alert_12 = SSL_AD_HANDSHAKE_FAILURE,
	    .alert_13 = 116,
	    .outcome = "tls_no_certificate" },
	{ .name = "another CA",
	    .other_ca = true,
	    .cert = { .sans = GOOD_SAN },
	    .alert_12 = SSL_AD_UNKNOWN_CA,
	    .alert_13 = SSL_AD_UNKNOWN_CA,
	    .outcome = "tls_caller_untrusted" },
	{ .name = "expired",
	    .cert = { .sans = GOOD_SAN, .from_s = -2 * DAY, .to_s = -60 },
	    .alert_12 = SSL_AD_CERTIFICATE_EXPIRED,
	    .alert_13 = SSL_AD_CERTIFICATE_EXPIRED,
	    .outcome = "tls_caller_expired" },
	{ .name = "not valid yet",
	    .cert = { .sans = GOOD_SAN, .from_s = 3600, .to_s = DAY },
	    .alert_12 = SSL_AD_CERTIFICATE_EXPIRED,
	    .alert_13 = SSL_AD_CERTIFICATE_EXPIRED,
	    .outcome = "tls_caller_expired" },
	{ .name = "of another mesh",
	    .cert = { .sans = "URI:spiffe://other/web" },
	    .alert_12 = SSL_AD_CERTIFICATE_UNKNOWN,
	    .alert_13 = SSL_AD_CERTIFICATE_UNKNOWN,
	    .outcome = "tls_caller_name" },
	{ .name = "of a mesh whose name begins alike",
	    .cert = { .sans = "URI:spiffe://default-2/web" },
	    .alert_12 = SSL_AD_CERTIFICATE_UNKNOWN,
	    .alert_13 = SSL_AD_CERTIFICATE_UNKNOWN,
	    .outcome = "tls_caller_name" },
	{ .name = "no SAN",
	    .cert = { .subject = "CN=web" },
	    .alert_12 = SSL_AD_CERTIFICATE_UNKNOWN,
	    .alert_13 = SSL_AD_CERTIFICATE_UNKNOWN,
	    .outcome = "tls_caller_name" },
	{ .name = "a DNS SAN only",
	    .cert = { .sans = "DNS:web.example" },
	    .alert_12 = SSL_AD_CERTIFICATE_UNKNOWN,
	    .alert_13 = SSL_AD_CERTIFICATE_UNKNOWN,
	    .outcome = "tls_caller_name" },
	{ .name = "a NUL in a SAN",
	    .cert = { .sans = GOOD_SAN ",URI:kuma://a/b%00c" },
	    .alert_12 = SSL_AD_CERTIFICATE_UNKNOWN,
	    .alert_13 = SSL_AD_CERTIFICATE_UNKNOWN,
	    .outcome = "tls_caller_name" },
	{ .name = "for servers only",
	    .cert = { .sans = GOOD_SAN, .eku = "serverAuth" },
	    .alert_12 = SSL_AD_UNSUPPORTED_CERTIFICATE,
	    .alert_13 = SSL_AD_UNSUPPORTED_CERTIFICATE,
	    .outcome = "tls_caller_untrusted" },
};

static void
try_bad_caller(struct world *w, const struct bad_caller *b, int version)
{
	struct pki *ca = b->other_ca ? pki_mesh_ca("default") : NULL;
	struct pki *p = pki_leaf_new(ca != NULL ? ca : w->mesh_ca, &b->cert);
	struct mesh_options o = caller(w, "echo");
	int alert = version == TLS1_3_VERSION ? b->alert_13 : b->alert_12;
	struct mesh_client m;
	bool opened;

	o.max_version = version;
	o.cert_pem = b->no_cert ? NULL : p->cert_pem;
	o.key_pem = p->key_pem;
	opened = mesh_open(&m, &o);
	cr_expect_eq(opened, version == TLS1_3_VERSION, "%s, %x: the handshake",
	    b->name, (unsigned)version);
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_ALERT, "%s, %x: end %d",
	    b->name, (unsigned)version, (int)m.end);
	cr_expect_eq(m.alert, alert, "%s, %x: alert %d, not %d", b->name,
	    (unsigned)version, m.alert, alert);
	mesh_close(&m);
	pki_free(p);
	pki_free(ca);
}

Test(caller, bad_certificates_get_the_alerts_of_the_recording)
{
	struct world w;
	struct ext_server *ext;

	start_with_echo(&w, NULL);
	ext = w.servers[0];
	world_start(&w);
	for (size_t i = 0; i < sizeof(bad_callers) / sizeof(bad_callers[0]);
	     i++) {
		const struct bad_caller *b = &bad_callers[i];
		char outcome[96];

		(void)snprintf(
		    outcome, sizeof(outcome), "\"outcome\":\"%s\"", b->outcome);
		unsigned before = egress_logged(w.e, outcome, NULL);
		try_bad_caller(&w, b, TLS1_2_VERSION);
		try_bad_caller(&w, b, TLS1_3_VERSION);
		cr_expect(WAIT_UNTIL(5000,
			      egress_logged(w.e, outcome, NULL) == before + 2),
		    "%s: not logged as %s", b->name, b->outcome);
	}
	cr_expect_eq(seen(ext).connections, 0);
	world_end(&w);
}

Test(caller, good_certificates_of_other_shapes)
{
	static const struct {
		const char *name;
		struct pki_options cert;
	} rows[] = {
		{ "no extended key usage", { .sans = GOOD_SAN, .eku = "" } },
		{ "for clients only",
		    { .sans = GOOD_SAN, .eku = "clientAuth" } },
		{ "RSA", { .sans = GOOD_SAN, .key = PKI_RSA2048 } },
		{ "P-384", { .sans = GOOD_SAN, .key = PKI_EC384 } },
		{ "no key identifiers",
		    { .sans = GOOD_SAN, .no_key_ids = true } },
		{ "a name of another mesh beside ours",
		    { .sans = "URI:spiffe://other/x," GOOD_SAN } },
	};
	struct world w;

	start_with_echo(&w, NULL);
	world_start(&w);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pki *p = pki_leaf_new(w.mesh_ca, &rows[i].cert);
		struct mesh_options o = caller(&w, "echo");
		struct mesh_client m;

		o.cert_pem = p->cert_pem;
		o.key_pem = p->key_pem;
		cr_assert(mesh_open(&m, &o), "%s: %s", rows[i].name, m.error);
		check_echo(&m, "ext");
		mesh_close(&m);
		pki_free(p);
	}
	world_end(&w);
}

/* A chain that needs the intermediate which the caller sends. */
Test(caller, intermediate_certificate)
{
	struct world w;
	struct pki *mid, *leaf;
	struct mesh_options o;
	struct mesh_client m;
	char *chain;

	start_with_echo(&w, NULL);
	mid = pki_ca_new(w.mesh_ca, &(struct pki_options){ .subject = "CN=mid",
					.sans = "URI:spiffe://default" });
	leaf = pki_sidecar(mid, "default", "web", NULL);
	chain = pki_chain_pem(leaf, mid, NULL);
	world_start(&w);
	o = caller(&w, "echo");
	o.cert_pem = chain;
	o.key_pem = leaf->key_pem;
	cr_assert(mesh_open(&m, &o), "%s", m.error);
	check_echo(&m, "ext");
	mesh_close(&m);
	world_end(&w);
	free(chain);
	pki_free(mid);
	pki_free(leaf);
}

Test(caller, what_the_tls_of_the_caller_must_be)
{
	static const struct {
		const char *name;
		int max_version;
		const char *ciphers;
		const char *groups;
		int alert; /* 0: it is accepted */
	} rows[] = {
		{ "1.1", TLS1_1_VERSION, NULL, NULL, SSL_AD_PROTOCOL_VERSION },
		{ "CBC", TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA", NULL,
		    SSL_AD_HANDSHAKE_FAILURE },
		{ "P-384", TLS1_2_VERSION, NULL, "P-384",
		    SSL_AD_HANDSHAKE_FAILURE },
		{ "P-256", TLS1_2_VERSION, NULL, "P-256", 0 },
		{ "AES-128", TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256",
		    NULL, 0 },
		{ "AES-256", TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384",
		    NULL, 0 },
		{ "CHACHA20", TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305",
		    NULL, 0 },
	};
	struct world w;

	start_with_echo(&w, NULL);
	world_start(&w);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mesh_options o = caller(&w, "echo");
		struct mesh_client m;

		o.max_version = rows[i].max_version;
		o.ciphers = rows[i].ciphers;
		o.groups = rows[i].groups;
		cr_expect_eq(mesh_open(&m, &o), rows[i].alert == 0, "%s: %s",
		    rows[i].name, m.error);
		cr_expect_eq(m.alert, rows[i].alert, "%s: alert %d",
		    rows[i].name, m.alert);
		mesh_close(&m);
	}
	world_end(&w);
}

/* The server name decides certificate and CA, on one port. */
Test(caller, two_meshes_on_one_port)
{
	struct world w;
	struct pki *ca = pki_mesh_ca("blue");
	struct pki *blue = pki_sidecar(ca, "blue", "web", "zone-1");
	struct pki *liar = pki_sidecar(ca, "default", "web", "zone-1");
	struct mesh_options o;
	struct mesh_client m;

	start_with_echo(&w, NULL);
	write_mesh(w.e, "blue", ca, "zoneEgress: true");
	write_es(w.e, &(struct es){ .name = "blue-echo",
			  .service = "echo",
			  .mesh = "blue",
			  .port = ext_port(w.servers[0]) });
	egress_write(w.e, "blue-allow.yaml",
	    "type: TrafficPermission\nmesh: blue\nname: all\n"
	    "sources: [ { match: { kuma.io/service: '*' } } ]\n"
	    "destinations: [ { match: { kuma.io/service: '*' } } ]\n");
	world_start(&w);
	o = caller(&w, "echo");
	o.sni = "echo{mesh=blue}";
	o.ca_pem = ca->cert_pem;
	o.cert_pem = blue->cert_pem;
	o.key_pem = blue->key_pem;
	cr_assert(mesh_open(&m, &o), "%s", m.error);
	cr_expect(strstr(m.peer_uris, "spiffe://blue/zone-egress") != NULL);
	check_echo(&m, "ext");
	mesh_close(&m);
	call(&w, &m, "echo");
	check_echo(&m, "ext");
	mesh_close(&m);

	/* Each mesh's certificates are worth nothing in the other. */
	o.sni = sni_of("echo");
	o.ca_pem = w.mesh_ca->cert_pem;
	(void)mesh_open(&m, &o);
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_ALERT);
	cr_expect_eq(m.alert, SSL_AD_UNKNOWN_CA);
	mesh_close(&m);
	o.cert_pem = liar->cert_pem;
	o.key_pem = liar->key_pem;
	(void)mesh_open(&m, &o);
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_ALERT);
	cr_expect_eq(m.alert, SSL_AD_UNKNOWN_CA, "no CA is shared");
	mesh_close(&m);
	o.sni = "echo{mesh=blue}";
	o.ca_pem = ca->cert_pem;
	(void)mesh_open(&m, &o);
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_ALERT);
	cr_expect_eq(m.alert, SSL_AD_CERTIFICATE_UNKNOWN);
	mesh_close(&m);
	world_end(&w);
	pki_free(ca);
	pki_free(blue);
	pki_free(liar);
}
