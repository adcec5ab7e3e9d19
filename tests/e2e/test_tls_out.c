/* SPDX-License-Identifier: Apache-2.0 */
/* TLS to the external server: trust, names, SNI, client certificates. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "e2e/fixture.h"

#define CA "caCert: { secret: ext-ca }"

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

static struct ext_server *
serve(struct world *w, const char *name)
{
	return world_serve_tls(
	    w, name, &(struct ext_config){ .protocol = EXT_RAW });
}

struct row {
	const char *name;
	const char *host;
	const char *tls;
	bool works;
	const char *sni; /* that the server saw */
	const char *outcome;
};

/* All rows as services of one server. */
static void
check_rows(
    struct world *w, struct ext_server *s, const struct row *rows, size_t n)
{
	char name[64];

	for (size_t i = 0; i < n; i++)
		write_es(w->e, &(struct es){ .name = rows[i].name,
				   .host = rows[i].host,
				   .port = ext_port(s),
				   .tls = rows[i].tls });
	world_start(w);
	for (size_t i = 0; i < n; i++) {
		cr_expect_eq(works(w, sni_of(rows[i].name)), rows[i].works,
		    "%s", rows[i].name);
		if (rows[i].sni != NULL)
			cr_expect_str_eq(seen(s).sni, rows[i].sni, "%s: %s",
			    rows[i].name, seen(s).sni);
		(void)snprintf(
		    name, sizeof(name), "\"service\":\"%s\"", rows[i].name);
		if (rows[i].outcome != NULL)
			cr_expect(has_outcome(w->e, rows[i].outcome, name),
			    "%s: not %s", rows[i].name, rows[i].outcome);
	}
}

#define ROWS(v) (v), sizeof(v) / sizeof((v)[0])

Test(tls_out, names)
{
	static const struct row rows[] = {
		{ "plain-case", "ext.example", CA, true, "ext.example", NULL },
		{ "upper", "EXT.example", CA, true, NULL, NULL },
		{ "wrong-name", "other.example", CA, false, NULL,
		    "tls_certificate_error" },
		{ "wrong-server-name", "ext.example",
		    CA ", serverName: other.example", false, NULL,
		    "tls_certificate_error" },
		{ "server-name", "other.example",
		    CA ", serverName: ext.example", true, "ext.example", NULL },
		{ "skips", "other.example",
		    CA ", skipHostnameVerification: true", true,
		    "other.example", NULL },
		{ "address", "127.0.0.1", CA, false, NULL,
		    "tls_certificate_error" },
		{ "address-with-name", "127.0.0.1",
		    CA ", serverName: ext.example", true, "ext.example", NULL },
		{ "address-skips", "127.0.0.1",
		    CA ", skipHostnameVerification: true", true, "", NULL },
		{ "sni-off", "ext.example", CA ", serverName: ''", true, "",
		    NULL },
	};
	struct world w;
	struct ext_server *s;

	world_init(&w, NULL);
	s = serve(&w, "ext.example");
	world_name(&w, "other.example", "127.0.0.1");
	world_name(&w, "EXT.example", "127.0.0.1");
	check_rows(&w, s, ROWS(rows));
	cr_expect_not_null(egress_log_line(
	    w.e, "\"outcome\":\"tls_certificate_error\"", "other.example"));
	world_end(&w);
}

/* A certificate for an IP address satisfies a service that is one. */
Test(tls_out, address_in_the_certificate)
{
	static const struct row rows[] = {
		{ "address", "127.0.0.1", CA, true, "", NULL },
		{ "name", "ext.example", CA, false, NULL,
		    "tls_certificate_error" },
	};
	struct world w;
	struct ext_server *s;

	world_init(&w, NULL);
	s = serve(&w, "127.0.0.1");
	world_name(&w, "ext.example", "127.0.0.1");
	check_rows(&w, s, ROWS(rows));
	world_end(&w);
}

/* Where caCert may come from. */
Test(tls_out, sources_of_the_ca)
{
	struct world w;
	struct ext_server *s;
	struct pki *other =
	    pki_ca_new(NULL, &(struct pki_options){ .subject = "CN=Other CA" });
	BIO *b64 = BIO_new(BIO_f_base64()), *mem = BIO_new(BIO_s_mem());
	char text[3][9000], *at;
	long n;

	world_init(&w, NULL);
	s = serve(&w, "ext.example");
	BIO_set_flags(b64, BIO_FLAGS_BASE64_NO_NL);
	BIO_push(b64, mem);
	BIO_write(
	    b64, w.external_ca->cert_pem, (int)strlen(w.external_ca->cert_pem));
	(void)BIO_flush(b64);
	n = BIO_get_mem_data(mem, &at);
	(void)snprintf(
	    text[0], sizeof(text[0]), "caCert: { inline: %.*s }", (int)n, at);
	(void)snprintf(text[1], sizeof(text[1]), "caCert: { inlineString: %s }",
	    quoted(w.external_ca->cert_pem));
	(void)snprintf(text[2], sizeof(text[2]), "caCert: { inlineString: %s }",
	    quoted(other->cert_pem));
	const struct row rows[] = {
		{ "secret", "ext.example", CA, true, NULL, NULL },
		{ "base64", "ext.example", text[0], true, NULL, NULL },
		{ "text", "ext.example", text[1], true, NULL, NULL },
		{ "wrong", "ext.example", text[2], false, NULL,
		    "tls_certificate_error" },
		{ "wrong-but-skips", "ext.example",
		    strcat(text[2], ", skipHostnameVerification: true"), false,
		    NULL, "tls_certificate_error" },
	};
	check_rows(&w, s, ROWS(rows));
	BIO_free_all(b64);
	world_end(&w);
	pki_free(other);
}

/* Without caCert the system's bundle verifies, and does not know our CA. */
Test(tls_out, without_ca)
{
	static const struct row rows[] = {
		{ "bare", "ext.example", "", false, NULL,
		    "tls_certificate_error" },
		{ "bare-skips", "ext.example", "skipHostnameVerification: true",
		    false, NULL, "tls_certificate_error" },
	};
	struct world w;
	struct ext_server *s;

	world_init(&w, NULL);
	s = serve(&w, "ext.example");
	check_rows(&w, s, ROWS(rows));
	world_end(&w);
}

Test(tls_out, without_ca_and_told_not_to_verify)
{
	static const struct row rows[] = {
		{ "bare", "ext.example", "", true, "ext.example", NULL },
		{ "bare-other", "other.example", "", true, "other.example",
		    NULL },
		{ "with-ca", "other.example", CA, false, NULL,
		    "tls_certificate_error" },
	};
	struct world w;
	struct ext_server *s;
	const char *said;

	world_init(&w, "verify_without_ca = \"none\";");
	s = serve(&w, "ext.example");
	world_name(&w, "other.example", "127.0.0.1");
	check_rows(&w, s, ROWS(rows));
	said = egress_ctl(w.e, "check");
	cr_expect(strstr(said, "bare.yaml") != NULL &&
		      strstr(said, "warning") != NULL,
	    "no warning: %s", said);
	cr_expect_null(strstr(said, "with-ca.yaml"), "%s", said);
	world_end(&w);
}

Test(tls_out, bad_server_certificates)
{
	static const struct {
		const char *name;
		struct pki_options cert;
		bool works;
	} rows[] = {
		{ "expired",
		    { .sans = "DNS:www.ext.example",
			.from_s = -200000,
			.to_s = -60 },
		    false },
		{ "not-yet",
		    { .sans = "DNS:www.ext.example",
			.from_s = 3600,
			.to_s = 7200 },
		    false },
		{ "for-clients",
		    { .sans = "DNS:www.ext.example", .eku = "clientAuth" },
		    false },
		{ "no-eku", { .sans = "DNS:www.ext.example", .eku = "" },
		    true },
		{ "wildcard", { .sans = "DNS:*.ext.example" }, true },
		{ "common-name", { .subject = "CN=www.ext.example" }, false },
		{ "p384", { .sans = "DNS:www.ext.example", .key = PKI_EC384 },
		    true },
	};
	struct world w;

	world_init(&w, NULL);
	world_name(&w, "www.ext.example", "127.0.0.1");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pki *p = pki_leaf_new(w.external_ca, &rows[i].cert);

		write_es(w.e, &(struct es){ .name = rows[i].name,
				  .host = "www.ext.example",
				  .port = ext_port(world_serve(&w,
				      &(struct ext_config){ .protocol = EXT_RAW,
					  .cert_pem = p->cert_pem,
					  .key_pem = p->key_pem })),
				  .tls = CA });
		pki_free(p);
	}
	world_start(&w);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_eq(works(&w, sni_of(rows[i].name)), rows[i].works,
		    "%s", rows[i].name);
	world_end(&w);
}

Test(tls_out, versions_of_the_server)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct world w;
	struct ext_server *s[2];
	char name[32];

	world_init(&w, NULL);
	for (int i = 0; i < 2; i++) {
		s[i] = world_serve_tls(&w, "ext.example",
		    &(struct ext_config){ .protocol = EXT_RAW,
			.min_version = versions[i],
			.max_version = versions[i] });
		(void)snprintf(name, sizeof(name), "s%d", i);
		write_es(w.e, &(struct es){ .name = name,
				  .host = "ext.example",
				  .port = ext_port(s[i]),
				  .tls = CA });
	}
	world_start(&w);
	cr_expect(works(&w, sni_of("s0")));
	cr_expect_str_eq(seen(s[0]).version, "TLSv1.2");
	cr_expect(works(&w, sni_of("s1")));
	cr_expect_str_eq(seen(s[1]).version, "TLSv1.3");
	cr_expect_not_null(
	    egress_log_line(w.e, "\"tls_out\":\"TLSv1.2", "\"s0\""));
	cr_expect_not_null(
	    egress_log_line(w.e, "\"tls_out\":\"TLSv1.3", "\"s1\""));
	world_end(&w);
}

/* The server demands a certificate. */
Test(tls_out, client_certificate)
{
	struct world w;
	struct pki *client, *stranger_ca, *stranger;
	struct ext_server *s[2];
	char tls[3][16000], name[32];

	world_init(&w, NULL);
	client = pki_leaf_new(
	    w.external_ca, &(struct pki_options){
			       .subject = "CN=egress", .eku = "clientAuth" });
	stranger_ca = pki_ca_new(
	    NULL, &(struct pki_options){ .subject = "CN=Stranger CA" });
	stranger = pki_leaf_new(
	    stranger_ca, &(struct pki_options){ .subject = "CN=stranger" });
	egress_secret(w.e, "default", "client-cert", client->cert_pem);
	egress_secret(w.e, "default", "client-key", client->key_pem);
	(void)snprintf(tls[0], sizeof(tls[0]), "%s",
	    CA ", clientCert: { secret: client-cert }, "
	       "clientKey: { secret: client-key }");
	(void)snprintf(tls[1], sizeof(tls[1]),
	    CA ", clientCert: { inlineString: %s }, "
	       "clientKey: { inlineString: %s }",
	    quoted(stranger->cert_pem), quoted(stranger->key_pem));
	(void)snprintf(tls[2], sizeof(tls[2]), "%s", CA);
	for (int v = 0; v < 2; v++) {
		s[v] = world_serve_tls(&w, "ext.example",
		    &(struct ext_config){ .protocol = EXT_RAW,
			.max_version = v == 0 ? TLS1_2_VERSION : TLS1_3_VERSION,
			.client_ca_pem = w.external_ca->cert_pem });
		for (int i = 0; i < 3; i++) {
			(void)snprintf(name, sizeof(name), "c%d-%d", v, i);
			write_es(w.e, &(struct es){ .name = name,
					  .host = "ext.example",
					  .port = ext_port(s[v]),
					  .tls = tls[i] });
		}
	}
	world_start(&w);
	for (int v = 0; v < 2; v++) {
		(void)snprintf(name, sizeof(name), "c%d-0", v);
		cr_expect(works(&w, sni_of(name)), "%s", name);
		cr_expect_str_eq(seen(s[v]).peer, "/CN=egress");
		for (int i = 1; i < 3; i++) {
			(void)snprintf(name, sizeof(name), "c%d-%d", v, i);
			cr_expect_not(works(&w, sni_of(name)), "%s", name);
		}
	}
	/* 1.2 refuses within the handshake, and that is what is logged. */
	cr_expect(has_outcome(w.e, "tls_alert_received", "\"c0-2\""));
	world_end(&w);
	pki_free(client);
	pki_free(stranger);
	pki_free(stranger_ca);
}

/* Sessions are resumed, but never without the same settings. */
Test(tls_out, sessions_are_resumed)
{
	struct world w;
	struct ext_server *s;

	world_init(&w, NULL);
	s = world_serve_tls(&w, "ext.example",
	    &(struct ext_config){
		.protocol = EXT_RAW, .max_version = TLS1_2_VERSION });
	write_es(w.e, &(struct es){ .name = "ext",
			  .host = "ext.example",
			  .port = ext_port(s),
			  .tls = CA });
	world_start(&w);
	for (int i = 0; i < 3; i++)
		cr_expect(works(&w, sni_of("ext")));
	cr_expect_eq(seen(s).resumed, 2);
	world_end(&w);
}

/* ALPN by protocol: http/1.1 for http, nothing for tcp. */
Test(tls_out, alpn)
{
	struct world w;
	struct ext_server *tcp, *http;

	world_init(&w, NULL);
	tcp = world_serve_tls(&w, "tcp.example",
	    &(struct ext_config){ .protocol = EXT_RAW, .alpn = "http/1.1" });
	http = world_serve_tls(&w, "http.example",
	    &(struct ext_config){ .protocol = EXT_HTTP, .alpn = "http/1.1" });
	write_es(w.e, &(struct es){ .name = "tcp",
			  .host = "tcp.example",
			  .port = ext_port(tcp),
			  .tls = CA });
	write_es(w.e, &(struct es){ .name = "http",
			  .protocol = "http",
			  .host = "http.example",
			  .port = ext_port(http),
			  .tls = CA });
	world_start(&w);
	cr_expect(works(&w, sni_of("tcp")));
	cr_expect_str_eq(seen(tcp).alpn, "");
	cr_expect_eq(status_of(get_once(&w, "http", "/")), 200);
	cr_expect_str_eq(seen(http).alpn, "http/1.1");
	world_end(&w);
}

/* A mistake in one service is that service's. */
Test(tls_out, bad_material_at_load)
{
	static const struct {
		const char *name, *tls;
	} rows[] = {
		{ "no-such-secret", "caCert: { secret: gone }" },
		{ "no-pem", "caCert: { inlineString: nonsense }" },
		{ "half-a-pair", CA ", clientCert: { secret: ext-ca }" },
		{ "not-a-pair",
		    CA ", clientCert: { secret: ext-ca }, clientKey: { secret: "
		       "other-key }" },
	};
	struct world w;
	struct ext_server *s;
	struct pki *other = pki_mesh_ca("x");

	world_init(&w, NULL);
	s = serve(&w, "ext.example");
	egress_secret(w.e, "default", "other-key", other->key_pem);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		write_es(w.e, &(struct es){ .name = rows[i].name,
				  .host = "ext.example",
				  .port = ext_port(s),
				  .tls = rows[i].tls });
	write_es(w.e, &(struct es){ .name = "good",
			  .host = "ext.example",
			  .port = ext_port(s),
			  .tls = CA });
	world_start(&w);
	cr_expect(works(&w, sni_of("good")));
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct mesh_options o = caller(&w, rows[i].name);
		struct mesh_client m;
		char file[64];

		if (mesh_open(&m, &o))
			cr_expect_neq(mesh_wait_end(&m, 5000), MESH_TIMEOUT,
			    "%s is served", rows[i].name);
		mesh_close(&m);
		(void)snprintf(file, sizeof(file), "%s.yaml", rows[i].name);
		cr_expect(strstr(egress_ctl(w.e, "check"), file) != NULL,
		    "%s is not reported", file);
	}
	cr_expect_eq(seen(s).connections, 1);
	world_end(&w);
	pki_free(other);
}

Test(tls_out, mesh_external_service_modes)
{
	static const struct {
		const char *name, *host, *tls;
		bool works;
	} rows[] = {
		{ "secured", "ext.example", "verification: { " CA " }", true },
		{ "secured-wrong", "other.example", "verification: { " CA " }",
		    false },
		{ "named", "other.example",
		    "verification: { serverName: ext.example, " CA " }", true },
		{ "skip-san", "other.example",
		    "verification: { mode: SkipSAN, " CA " }", true },
		{ "skip-san-wrong-ca", "ext.example",
		    "verification: { mode: SkipSAN }", false },
		{ "skip-ca", "ext.example", "verification: { mode: SkipCA }",
		    true },
		{ "skip-ca-wrong-name", "other.example",
		    "verification: { mode: SkipCA }", false },
		{ "skip-all", "other.example",
		    "verification: { mode: SkipAll }", true },
		{ "sans", "other.example",
		    "verification: { subjectAltNames: [ { type: Exact, value: "
		    "ext.example } ], " CA " }",
		    true },
		{ "sans-prefix", "other.example",
		    "verification: { subjectAltNames: [ { type: Prefix, value: "
		    "ext. } ], " CA " }",
		    true },
		{ "sans-wrong", "other.example",
		    "verification: { subjectAltNames: [ { type: Exact, value: "
		    "third.example } ], " CA " }",
		    false },
		{ "default-is-secured", "ext.example", "version: {}", false },
	};
	struct world w;
	struct ext_server *s;

	world_init(&w, NULL);
	s = serve(&w, "ext.example");
	world_name(&w, "other.example", "127.0.0.1");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		write_mes(w.e, &(struct mes){ .name = rows[i].name,
				   .host = rows[i].host,
				   .port = ext_port(s),
				   .tls = rows[i].tls });
	world_start(&w);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_eq(works(&w, mes_sni(rows[i].name)), rows[i].works,
		    "%s", rows[i].name);
	world_end(&w);
}

Test(tls_out, mesh_external_service_versions)
{
	static const struct {
		const char *name, *tls;
		int server_max;
		bool works;
	} rows[] = {
		{ "only12",
		    "version: { min: TLS12, max: TLS12 }, "
		    "verification: { " CA " }",
		    TLS1_3_VERSION, true },
		{ "only13",
		    "version: { min: TLS13, max: TLS13 }, "
		    "verification: { " CA " }",
		    TLS1_3_VERSION, true },
		{ "only13-old-server",
		    "version: { min: TLS13 }, verification: { " CA " }",
		    TLS1_2_VERSION, false },
	};
	static const char *const versions[] = { "TLSv1.2", "TLSv1.3", "" };
	struct world w;
	struct ext_server *s[3];

	world_init(&w, NULL);
	for (size_t i = 0; i < 3; i++) {
		s[i] = world_serve_tls(&w, "ext.example",
		    &(struct ext_config){ .protocol = EXT_RAW,
			.max_version = rows[i].server_max });
		write_mes(w.e, &(struct mes){ .name = rows[i].name,
				   .host = "ext.example",
				   .port = ext_port(s[i]),
				   .tls = rows[i].tls });
	}
	world_start(&w);
	for (size_t i = 0; i < 3; i++) {
		cr_expect_eq(works(&w, mes_sni(rows[i].name)), rows[i].works,
		    "%s", rows[i].name);
		cr_expect_str_eq(seen(s[i]).version, versions[i]);
	}
	world_end(&w);
}
