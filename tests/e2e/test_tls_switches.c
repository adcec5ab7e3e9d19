/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The switches of `services` about TLS: each does what its name says, whatever
 * the resource has, and what is wrong with a server is told in the log.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "e2e/fixture.h"
#include "support/pki_revoke.h"

#define CA "caCert: { secret: ext-ca }"
#define FOR(name, tls) "{ match = { service = \"" name "\"; }; " tls " }"
#define TLS(name, switches) FOR(name, "tls = { " switches " };")

static char dir[64];

static void
make_dir(void)
{
	(void)strcpy(dir, "/tmp/zegress-e2e-tls-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
}

static void
put(const char *name, const char *text)
{
	char path[128], temporary[140];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	(void)snprintf(temporary, sizeof(temporary), "%s.new", path);
	f = fopen(temporary, "w");
	cr_assert(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
	cr_assert_eq(rename(temporary, path), 0);
}

/* One echo through the service; false: the caller saw its end instead. */
static bool
works(struct world *w, const char *sni)
{
	struct mesh_options o = caller(w, "");
	struct mesh_client m;
	char c;
	bool ok;

	o.sni = sni;
	cr_assert(mesh_open(&m, &o), "%s: %s", sni, m.error);
	ok = say(&m, "x") && mesh_read(&m, &c, 1) == 1;
	cr_expect(ok || m.end == MESH_FIN || m.end == MESH_RST, "%s: end %d",
	    sni, (int)m.end);
	mesh_close(&m);
	return ok;
}

static void
add(struct world *w, const char *name, struct ext_server *s)
{
	write_es(w->e, &(struct es){ .name = name,
			   .host = "ext.example",
			   .port = ext_port(s),
			   .tls = CA });
}

/* Does its log line say so? */
static void
expect_said(struct world *w, const char *service, const char *part)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "\"service\":\"%s\"", service);
	cr_expect_not_null(
	    egress_log_line(w->e, name, part), "%s lacks %s", service, part);
}

static struct ext_server *
serve_as(struct world *w, const struct pki_options *o, struct ext_config c)
{
	struct pki *p = pki_leaf_new(w->external_ca, o);
	struct ext_server *s;

	c.protocol = EXT_RAW;
	c.cert_pem = p->cert_pem;
	c.key_pem = p->key_pem;
	s = world_serve(w, &c);
	pki_free(p);
	return s;
}

#define NAMES                                                        \
	"DNS:api.partner.example,IP:192.0.2.7,URI:spiffe://partner/" \
	"api,EMAIL:ops@partner.example"

/* clang-format off */
static const char name_config[] = "services = ( "
    TLS("dns", "names = [ \"dns:x.example\", \"dns:API.partner.example\" ];") ", "
    TLS("suffix", "names = [ \"dns-suffix:.partner.example\" ];") ", "
    TLS("prefix", "names = [ \"prefix:api.\" ];") ", "
    TLS("ip", "names = [ \"ip:192.0.2.7\" ];") ", "
    TLS("uri", "names = [ \"uri:spiffe://partner/api\" ];") ", "
    TLS("uri-prefix", "names = [ \"uri-prefix:spiffe://partner/\" ];") ", "
    TLS("email", "names = [ \"email:ops@PARTNER.example\" ];") ", "
    TLS("wrong", "names = [ \"dns-suffix:.other.example\", \"uri-prefix:spiffe://other/\" ];") ", "
    TLS("no-names", "verify_names = \"off\";") ", "
    TLS("no-sni", "sni = \"none\"; verify_names = \"off\";") ", "
    TLS("other-sni", "sni = \"shown.example\"; names = [ \"dns:api.partner.example\" ];") ", "
    TLS("only-sni", "sni = \"api.partner.example\";") " );";
/* clang-format on */

Test(tls_switches, names_and_sni)
{
	static const struct {
		const char *name;
		bool works;
		const char *sni;
		const char *said;
	} rows[] = {
		{ "as-is", false, NULL,
		    "expected ext.example; the certificate has DNS "
		    "api.partner.example, IP 192.0.2.7, URI "
		    "spiffe://partner/api, email ops@partner.example; correct "
		    "serverName or tls.names, or the server's certificate; its "
		    "chain: 0 \\\"CN=partner\\\" until 20" },
		{ "dns", true, "ext.example", NULL },
		{ "suffix", true, NULL, NULL },
		{ "prefix", true, NULL, NULL },
		{ "ip", true, NULL, NULL },
		{ "uri", true, NULL, NULL },
		{ "uri-prefix", true, NULL, NULL },
		{ "email", true, NULL, NULL },
		{ "wrong", false, NULL,
		    "expected *.other.example or spiffe://other/*" },
		{ "no-names", true, NULL, NULL },
		{ "no-sni", true, "", NULL },
		{ "other-sni", true, "shown.example", NULL },
		/* The name that is sent is not what is expected. */
		{ "only-sni", false, "api.partner.example",
		    "expected ext.example" },
	};
	struct ext_server *s;
	struct world w;

	world_init(&w, name_config);
	world_name(&w, "ext.example", "127.0.0.1");
	s = serve_as(&w,
	    &(struct pki_options){ .subject = "CN=partner", .sans = NAMES },
	    (struct ext_config){ .name = "ext" });
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		add(&w, rows[i].name, s);
	world_start(&w);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(works(&w, sni_of(rows[i].name)), rows[i].works,
		    "%s", rows[i].name);
		if (rows[i].sni != NULL && rows[i].works)
			cr_expect_str_eq(
			    seen(s).sni, rows[i].sni, "%s", rows[i].name);
		if (rows[i].said != NULL)
			expect_said(&w, rows[i].name, rows[i].said);
	}
	world_end(&w);
}

/* A file instead of the resource's CA; a broken one changes nothing. */
Test(tls_switches, ca_of_a_file)
{
	struct pki *other =
	    pki_ca_new(NULL, &(struct pki_options){ .subject = "CN=Other" });
	char config[512];
	struct ext_server *s;
	struct world w;

	make_dir();
	(void)snprintf(config, sizeof(config),
	    "services = ( { match = { service = \"file\"; }; tls = { ca = "
	    "\"%s/ca.pem\"; }; }, { match = { service = \"system\"; }; tls = { "
	    "ca = \"system\"; }; }, { match = { service = \"nobody\"; }; tls = "
	    "{ verify_chain = \"off\"; }; } );",
	    dir);
	world_init(&w, config);
	put("ca.pem", w.external_ca->cert_pem);
	s = world_serve_tls(
	    &w, "ext.example", &(struct ext_config){ .protocol = EXT_RAW });
	/* Without caCert these would be verified by the system's CAs. */
	write_es(w.e, &(struct es){ .name = "file",
			  .host = "ext.example",
			  .port = ext_port(s),
			  .tls = "" });
	add(&w, "system", s);
	add(&w, "nobody", s);
	world_start(&w);
	cr_expect(works(&w, sni_of("file")));
	cr_expect_not(works(&w, sni_of("system")));
	cr_expect(works(&w, sni_of("nobody")));
	put("ca.pem", "nonsense");
	(void)egress_ctl(w.e, "reload");
	cr_expect(works(&w, sni_of("file")));
	cr_expect_not_null(
	    strstr(egress_ctl(w.e, "check"), "there is no certificate in it"));
	/* A change is noticed without being told of. */
	put("ca.pem", other->cert_pem);
	cr_expect(WAIT_UNTIL(5000, !works(&w, sni_of("file"))));
	expect_said(&w, "file", "add the CA that issued it to caCert");
	put("ca.pem", w.external_ca->cert_pem);
	cr_expect(WAIT_UNTIL(5000, works(&w, sni_of("file"))));
	world_end(&w);
	pki_free(other);
	egress_remove_tree(dir);
}

/* A certificate that is revoked while its chain and a session are known. */
Test(tls_switches, revocation_lists)
{
	char config[512], *crl;
	struct ext_server *s;
	struct pki *leaf;
	struct world w;

	make_dir();
	(void)snprintf(config, sizeof(config),
	    "services = ( { match = { service = \"ext\"; }; tls = { crl = [ "
	    "\"%s/crl.pem\" ]; }; } );",
	    dir);
	world_init(&w, config);
	world_name(&w, "ext.example", "127.0.0.1");
	leaf = pki_server(w.external_ca, "ext.example");
	s = world_serve(&w, &(struct ext_config){ .protocol = EXT_RAW,
				.cert_pem = leaf->cert_pem,
				.key_pem = leaf->key_pem });
	add(&w, "ext", s);
	crl = pki_crl(w.external_ca, 0, NULL);
	put("crl.pem", crl);
	free(crl);
	world_start(&w);
	cr_expect(works(&w, sni_of("ext")));
	cr_expect(works(&w, sni_of("ext")));
	cr_expect_eq(seen(s).resumed, 1);
	crl = pki_crl(w.external_ca, 0, leaf, NULL);
	put("crl.pem", crl);
	free(crl);
	/* Nobody says that there is a new one. */
	cr_expect(WAIT_UNTIL(5000, !works(&w, sni_of("ext"))));
	expect_said(&w, "ext",
	    "was revoked, says the list of its issuer; it must be replaced; "
	    "expected ext.example; the certificate has DNS ext.example; its "
	    "chain: 0");
	crl = pki_crl(w.external_ca, -60, NULL);
	put("crl.pem", crl);
	free(crl);
	(void)egress_ctl(w.e, "reload");
	cr_expect_not(works(&w, sni_of("ext")));
	expect_said(&w, "ext", "put the newest list of its issuer");
	/* What cannot be read does not take the last list away. */
	put("crl.pem", "nonsense");
	(void)egress_ctl(w.e, "reload");
	cr_expect_not(works(&w, sni_of("ext")));
	world_end(&w);
	pki_free(leaf);
	egress_remove_tree(dir);
}

/* clang-format off */
static const char staple_config[] = "services = ( "
    TLS("good-require", "ocsp = \"require\";") ", "
    TLS("good-check", "ocsp = \"check\";") ", "
    TLS("bad-require", "ocsp = \"require\";") ", "
    TLS("bad-check", "ocsp = \"check\";") ", "
    TLS("none-require", "ocsp = \"require\";") ", "
    TLS("none-check", "ocsp = \"check\";") " );";
/* clang-format on */

Test(tls_switches, stapled_answers)
{
	static const struct {
		const char *name;
		bool stapled;
		enum pki_status status;
		bool works;
		const char *said;
	} rows[] = {
		{ "good-require", true, PKI_GOOD, true, NULL },
		{ "good-check", true, PKI_GOOD, true, NULL },
		{ "bad-require", true, PKI_REVOKED, false,
		    "says that its certificate was revoked" },
		{ "bad-check", true, PKI_REVOKED, false,
		    "says that its certificate was revoked" },
		{ "bad-off", true, PKI_REVOKED, true, NULL },
		{ "none-require", false, PKI_GOOD, false,
		    "the server stapled no answer of OCSP" },
		{ "none-check", false, PKI_GOOD, true, NULL },
	};
	unsigned char *der[sizeof(rows) / sizeof(rows[0])];
	struct world w;

	world_init(&w, staple_config);
	world_name(&w, "ext.example", "127.0.0.1");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pki *leaf = pki_server(w.external_ca, "ext.example");
		struct ext_config c = { .protocol = EXT_RAW,
			.cert_pem = leaf->cert_pem,
			.key_pem = leaf->key_pem };
		der[i] = pki_staple_new(
		    &(struct pki_staple){ .issuer = w.external_ca,
			.leaf = leaf,
			.status = rows[i].status },
		    &c.staple_len);

		if (rows[i].stapled)
			c.staple = der[i];
		add(&w, rows[i].name, world_serve(&w, &c));
		pki_free(leaf);
	}
	world_start(&w);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(works(&w, sni_of(rows[i].name)), rows[i].works,
		    "%s", rows[i].name);
		if (rows[i].said != NULL)
			expect_said(&w, rows[i].name, rows[i].said);
	}
	world_end(&w);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		free(der[i]);
}

/* clang-format off */
static const char weak_config[] = "services = ( "
    FOR("old", "weak_tls = true;") ", "
    FOR("es-old", "weak_tls = true; tls = { min_version = \"1.0\"; };") " );";
/* clang-format on */

/* TLS 1.0 and 1.1 for the one service that says so, and nobody else. */
Test(tls_switches, weak_tls)
{
	struct ext_server *s;
	struct world w;

	world_init(&w, weak_config);
	s = world_serve_tls(&w, "ext.example",
	    &(struct ext_config){ .protocol = EXT_RAW,
		.min_version = TLS1_VERSION,
		.max_version = TLS1_VERSION,
		.ciphers = "DEFAULT:@SECLEVEL=0",
		.is_weak = true });
	write_mes(w.e,
	    &(struct mes){ .name = "old",
		.host = "ext.example",
		.port = ext_port(s),
		.tls = "version: { min: TLS10 }, verification: { " CA " }" });
	write_mes(w.e,
	    &(struct mes){ .name = "new",
		.host = "ext.example",
		.port = ext_port(s),
		.tls = "version: { min: TLS10 }, verification: { " CA " }" });
	add(&w, "es-old", s);
	add(&w, "es-new", s);
	world_start(&w);
	cr_expect(works(&w, mes_sni("old")));
	cr_expect_str_eq(seen(s).version, "TLSv1");
	cr_expect(works(&w, sni_of("es-old")));
	cr_expect_not(works(&w, mes_sni("new")));
	cr_expect_not(works(&w, sni_of("es-new")));
	expect_said(&w, "es-new", "no common TLS version");
	world_end(&w);
}

/* clang-format off */
static const char choice_config[] = "services = ( "
    TLS("v12", "max_version = \"1.2\"; ciphers = [ \"ECDHE-ECDSA-AES256-GCM-SHA384\" ];") ", "
    TLS("v13", "min_version = \"1.3\"; ciphersuites = [ \"TLS_CHACHA20_POLY1305_SHA256\" ]; groups = [ \"?X25519MLKEM768\", \"P-384\" ];") ", "
    TLS("sigs", "signature_algorithms = [ \"rsa_pss_rsae_sha256\" ];") " );";
/* clang-format on */

Test(tls_switches, what_is_negotiated)
{
	struct ext_server *s;
	struct world w;

	world_init(&w, choice_config);
	s = world_serve_tls(&w, "ext.example",
	    &(struct ext_config){
		.protocol = EXT_RAW, .groups = "X25519:P-384" });
	add(&w, "v12", s);
	add(&w, "v13", s);
	add(&w, "sigs", s);
	world_start(&w);
	cr_expect(works(&w, sni_of("v12")));
	cr_expect_str_eq(seen(s).version, "TLSv1.2");
	cr_expect_str_eq(seen(s).cipher, "ECDHE-ECDSA-AES256-GCM-SHA384");
	cr_expect(works(&w, sni_of("v13")));
	cr_expect_str_eq(seen(s).version, "TLSv1.3");
	cr_expect_str_eq(seen(s).cipher, "TLS_CHACHA20_POLY1305_SHA256");
	cr_expect_str_eq(seen(s).group, "secp384r1");
	/* The server's key is of another kind. */
	cr_expect_not(works(&w, sni_of("sigs")));
	world_end(&w);
}

/* clang-format off */
static const char renegotiation_config[] = "services = ( "
    TLS("on", "renegotiation = \"on\";") ", "
    TLS("most", "renegotiation = \"on\"; renegotiations = 9;") " );";
/* clang-format on */

/* As often as it is said, although the resource does not allow it at all. */
Test(tls_switches, renegotiation)
{
	struct ext_server *s, *forever;
	struct world w;

	world_init(&w, renegotiation_config);
	s = world_serve_tls(&w, "ext.example",
	    &(struct ext_config){ .protocol = EXT_RAW,
		.max_version = TLS1_2_VERSION,
		.fault = EXT_RENEGOTIATES });
	add(&w, "on", s);
	add(&w, "off", s);
	forever = world_serve_tls(&w, "ext.example",
	    &(struct ext_config){ .protocol = EXT_RAW,
		.max_version = TLS1_2_VERSION,
		.fault = EXT_RENEGOTIATES_FOREVER });
	add(&w, "most", forever);
	world_start(&w);
	cr_expect(works(&w, sni_of("on")));
	cr_expect_not(works(&w, sni_of("off")));
	expect_said(&w, "off", "allowRenegotiation");
	cr_expect_not(works(&w, sni_of("most")));
	expect_said(&w, "most", "more than 9 times");
	world_end(&w);
}

/* Full and resumed handshakes, and why others failed, by service. */
Test(tls_switches, metrics)
{
	struct ext_server *s;
	struct world w;

	world_init(
	    &w, "services = ( " TLS("full", "resumption = false;") " );");
	world_name(&w, "other.example", "127.0.0.1");
	s = world_serve_tls(
	    &w, "ext.example", &(struct ext_config){ .protocol = EXT_RAW });
	add(&w, "ext", s);
	add(&w, "full", s);
	write_es(w.e, &(struct es){ .name = "misnamed",
			  .host = "other.example",
			  .port = ext_port(s),
			  .tls = CA });
	write_es(w.e, &(struct es){ .name = "unknown",
			  .host = "ext.example",
			  .port = ext_port(s),
			  .tls = "" });
	world_start(&w);
	for (int i = 0; i < 3; i++) {
		cr_expect(works(&w, sni_of("ext")));
		cr_expect(works(&w, sni_of("full")));
	}
	cr_expect_not(works(&w, sni_of("misnamed")));
	cr_expect_not(works(&w, sni_of("unknown")));
#define METRIC(name, service) \
	cluster_metric(w.e, "envoy_cluster_ssl_" name, service)
	cr_expect_eq(METRIC("handshake", "ext"), 3);
	cr_expect_eq(METRIC("session_reused", "ext"), 2);
	cr_expect_eq(METRIC("handshake", "full"), 3);
	cr_expect_eq(METRIC("session_reused", "full"), 0);
	cr_expect_eq(METRIC("fail_verify_san", "misnamed"), 1);
	cr_expect_eq(METRIC("fail_verify_error", "misnamed"), 0);
	cr_expect_eq(METRIC("fail_verify_error", "unknown"), 1);
	cr_expect_eq(seen(s).resumed, 2);
	world_end(&w);
}
