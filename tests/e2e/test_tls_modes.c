/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls.verification.mode of MeshExternalServices, before a real server: what
 * each leaves out and what it keeps, as documented, and as Kuma 2 has it.
 */

#include <openssl/ssl.h>
#include <string.h>

#include "e2e/fixture.h"

#define CA "caCert: { secret: ext-ca }"
#define OTHER_CA "caCert: { secret: other-ca }"
#define NAMED "serverName: ext.example"
#define PAIR "clientCert: { secret: c-cert }, clientKey: { secret: c-key }"
#define MODE(m) "verification: { mode: " m ", " NAMED ", " CA ", " PAIR " }"
/* Its certificate is of another CA. */
#define MODE_OTHER_CA(m) \
	"verification: { mode: " m ", " NAMED ", " OTHER_CA ", " PAIR " }"
/* Its certificate has another name. */
#define MODE_OTHER_NAME(m)                                        \
	"verification: { mode: " m ", serverName: third.example," \
	" " CA ", " PAIR " }"
#define ONLY_12 "version: { min: TLS12, max: TLS12 }, "
#define CLIENT "/CN=client"

struct mode {
	const char *name;
	const char *tls;
	bool works;
	/* What the server saw, where it works. */
	const char *sni;
	const char *peer;
	const char *version;
};

static bool
works(struct world *w, const char *name)
{
	struct mesh_options o = caller(w, "");
	struct mesh_client m;
	bool ok;
	char c;

	o.sni = mes_sni(name);
	cr_assert(mesh_open(&m, &o), "%s: %s", name, m.error);
	ok = say(&m, "x") && mesh_read(&m, &c, 1) == 1;
	mesh_close(&m);
	return ok;
}

static void
check_modes(const char *config, const struct mode *rows, size_t n)
{
	struct pki *client, *other;
	struct ext_server *s;
	struct ext_seen got;
	struct world w;

	world_init(&w, config);
	client = pki_leaf_new(
	    w.external_ca, &(struct pki_options){ .subject = "CN=client" });
	other =
	    pki_ca_new(NULL, &(struct pki_options){ .subject = "CN=Other" });
	egress_secret(w.e, "default", "c-cert", client->cert_pem);
	egress_secret(w.e, "default", "c-key", client->key_pem);
	egress_secret(w.e, "default", "other-ca", other->cert_pem);
	/* It asks for a certificate and does without. */
	s = world_serve_tls(&w, "ext.example",
	    &(struct ext_config){ .protocol = EXT_RAW,
		.fault = EXT_LIKES_CERT,
		.client_ca_pem = w.external_ca->cert_pem });
	world_name(&w, "dialled.example", "127.0.0.1");
	for (size_t i = 0; i < n; i++)
		write_mes(w.e, &(struct mes){ .name = rows[i].name,
				   .host = "dialled.example",
				   .port = ext_port(s),
				   .tls = rows[i].tls });
	world_start(&w);
	for (size_t i = 0; i < n; i++) {
		cr_expect_eq(
		    works(&w, rows[i].name), rows[i].works, "%s", rows[i].name);
		if (!rows[i].works)
			continue;
		got = seen(s);
		cr_expect_str_eq(got.sni, rows[i].sni, "%s", rows[i].name);
		cr_expect_str_eq(got.peer, rows[i].peer, "%s", rows[i].name);
		cr_expect_str_eq(
		    got.version, rows[i].version, "%s", rows[i].name);
	}
	world_end(&w);
	pki_free(client);
	pki_free(other);
}

Test(tls_modes, as_documented)
{
	static const struct mode rows[] = {
		{ "secured", MODE("Secured"), true, "ext.example", CLIENT,
		    "TLSv1.3" },
		{ "secured-ca", MODE_OTHER_CA("Secured"), false, NULL, NULL,
		    NULL },
		{ "secured-name", MODE_OTHER_NAME("Secured"), false, NULL, NULL,
		    NULL },
		/* The chain is verified, and the name is asked for. */
		{ "san", MODE_OTHER_NAME("SkipSAN"), true, "third.example",
		    CLIENT, "TLSv1.3" },
		{ "san-ca", MODE_OTHER_CA("SkipSAN"), false, NULL, NULL, NULL },
		/* The name is compared. */
		{ "ca", MODE_OTHER_CA("SkipCA"), true, "ext.example", CLIENT,
		    "TLSv1.3" },
		{ "ca-name", MODE_OTHER_NAME("SkipCA"), false, NULL, NULL,
		    NULL },
		{ "all", MODE_OTHER_CA("SkipAll"), true, "ext.example", CLIENT,
		    "TLSv1.3" },
		{ "all-name", MODE_OTHER_NAME("SkipAll"), true, "third.example",
		    CLIENT, "TLSv1.3" },
		/* Limits of the version hold in every one. */
		{ "san-12", ONLY_12 MODE("SkipSAN"), true, "ext.example",
		    CLIENT, "TLSv1.2" },
		{ "ca-12", ONLY_12 MODE("SkipCA"), true, "ext.example", CLIENT,
		    "TLSv1.2" },
		{ "all-12", ONLY_12 MODE("SkipAll"), true, "ext.example",
		    CLIENT, "TLSv1.2" },
	};

	check_modes(NULL, rows, sizeof(rows) / sizeof(rows[0]));
}

Test(tls_modes, as_kuma_2)
{
	static const struct mode rows[] = {
		{ "secured", MODE("Secured"), true, "ext.example", CLIENT,
		    "TLSv1.3" },
		{ "secured-ca", MODE_OTHER_CA("Secured"), false, NULL, NULL,
		    NULL },
		{ "secured-name", MODE_OTHER_NAME("Secured"), false, NULL, NULL,
		    NULL },
		/* serverName is forgotten; the chain is verified. */
		{ "san", MODE_OTHER_NAME("SkipSAN"), true, "dialled.example",
		    CLIENT, "TLSv1.3" },
		{ "san-ca", MODE_OTHER_CA("SkipSAN"), false, NULL, NULL, NULL },
		{ "san-12", ONLY_12 MODE("SkipSAN"), true, "dialled.example",
		    CLIENT, "TLSv1.2" },
		/* Nothing is verified, and no version is out of bounds. */
		{ "ca", MODE_OTHER_CA("SkipCA"), true, "ext.example", CLIENT,
		    "TLSv1.3" },
		{ "ca-name", MODE_OTHER_NAME("SkipCA"), true, "third.example",
		    CLIENT, "TLSv1.3" },
		{ "ca-12", ONLY_12 MODE("SkipCA"), true, "ext.example", CLIENT,
		    "TLSv1.3" },
		/* Nor is there a client certificate. */
		{ "all", MODE_OTHER_NAME("SkipAll"), true, "dialled.example",
		    "", "TLSv1.3" },
		{ "all-12", ONLY_12 MODE("SkipAll"), true, "dialled.example",
		    "", "TLSv1.3" },
	};

	check_modes(
	    "compat = \"kuma-2\";", rows, sizeof(rows) / sizeof(rows[0]));
}
