/* SPDX-License-Identifier: Apache-2.0 */
/* What SIGHUP reads again: the configuration, and identities. */

#include <stdio.h>
#include <string.h>

#include "e2e/fixture.h"

static void
start(struct world *w)
{
	struct ext_server *s;

	world_init(w, NULL);
	s = world_serve(
	    w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "ext" });
	write_es(w->e, &(struct es){ .name = "raw", .port = ext_port(s) });
	write_mes(w->e, &(struct mes){ .name = "mes", .port = ext_port(s) });
	world_start(w);
}

static bool
opens(struct world *w, const char *sni)
{
	struct mesh_options o = caller(w, "raw");
	struct mesh_client m;
	char c;
	bool ok;

	o.sni = sni;
	ok = mesh_open(&m, &o) && mesh_write(&m, "x", 1) &&
	     mesh_read(&m, &c, 1) == 1;
	mesh_close(&m);
	return ok;
}

static void
configure(struct world *w, const char *config)
{
	egress_configure(w->e, &(struct egress_options){
				   .config = config, .dns_port = w->dns_port });
}

Test(settings, sighup_takes_what_may_change)
{
	struct world w;
	struct mesh_client m;

	start(&w);
	egress_remove(w.e, "allow-all.yaml");
	cr_expect(WAIT_UNTIL(5000, !opens(&w, mes_sni("mes"))));
	configure(&w, "mes_without_rule = \"allow\";");
	egress_signal(w.e, SIGHUP);
	cr_expect(WAIT_UNTIL(5000, opens(&w, mes_sni("mes"))));
	cr_expect_not(opens(&w, sni_of("raw")));
	cr_expect(egress_said(w.e, "open to every caller"));
	/* It is taken back from those who are connected, too. */
	struct mesh_options o = caller(&w, "raw");
	o.sni = mes_sni("mes");
	cr_assert(mesh_open(&m, &o), "%s", m.error);
	check_echo(&m, "ext");
	configure(&w, NULL);
	egress_signal(w.e, SIGHUP);
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_FIN);
	cr_expect(has_outcome(w.e, "revoked", "\"service\":\"mes\""));
	mesh_close(&m);
	world_end(&w);
}

/* What cannot change now is told, and all else goes on. */
Test(settings, sighup_tells_what_it_cannot_take)
{
	struct world w;

	start(&w);
	configure(&w, "limits = { hello_ms = 77; };\nmixed_endpoints = "
		      "\"refuse\";");
	egress_signal(w.e, SIGHUP);
	cr_expect(WAIT_UNTIL(5000, egress_said(w.e, "at the next start")));
	cr_expect(egress_said(w.e, "limits.hello_ms"));
	cr_expect_not(egress_said(w.e, "mixed_endpoints,"));
	cr_expect(opens(&w, sni_of("raw")));
	world_end(&w);
}

Test(settings, a_bad_configuration_leaves_the_old_one)
{
	struct world w;
	struct mesh_client m;
	char out[4096];

	start(&w);
	call(&w, &m, "raw");
	check_echo(&m, "ext");
	configure(&w, "mes_without_rul = \"allow\";");
	egress_signal(w.e, SIGHUP);
	cr_expect(WAIT_UNTIL(5000, egress_said(w.e, "all stays as it was")));
	cr_expect(egress_said(w.e, "did you mean mes_without_rule?"));
	cr_expect_eq(egress_ctl_status(w.e, "reload", out, sizeof(out)), 1);
	cr_expect(strstr(out, "zegressd.conf:") != NULL &&
		      strstr(out, "mes_without_rul: ") != NULL,
	    "%s", out);
	check_echo(&m, "ext");
	cr_expect(opens(&w, sni_of("raw")));
	/* Resources go on being watched. */
	write_es(
	    w.e, &(struct es){ .name = "new", .port = ext_port(w.servers[0]) });
	cr_expect(in_force(w.e, "ES/new "));
	cr_expect_eq(remove(w.e->config_path), 0);
	cr_expect_eq(egress_ctl_status(w.e, "reload", out, sizeof(out)), 1);
	check_echo(&m, "ext");
	configure(&w, NULL);
	cr_expect_eq(egress_ctl_status(w.e, "reload", out, sizeof(out)), 0);
	mesh_close(&m);
	world_end(&w);
}

static void
write_files(struct world *w, const struct pki *cert, const struct pki *key)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "%s/id.pem", w->home);
	pki_write(cert, path, NULL);
	(void)snprintf(path, sizeof(path), "%s/id.key", w->home);
	pki_write(key, NULL, path);
}

static struct pki *
identity_new(const struct world *w, const char *mark)
{
	char sans[128];

	(void)snprintf(sans, sizeof(sans),
	    "URI:spiffe://default/zone-egress,URI:kuma://mark/%s", mark);
	return pki_leaf_new(w->mesh_ca, &(struct pki_options){ .sans = sans });
}

static void
configure_identity(struct world *w)
{
	char config[512];

	(void)snprintf(config, sizeof(config),
	    "identity = ( { mesh = \"default\"; cert = \"%s/id.pem\"; "
	    "key = \"%s/id.key\"; } );",
	    w->home, w->home);
	configure(w, config);
}

/* Does the egress show the certificate with this mark? */
static bool
shows(struct world *w, const char *mark)
{
	struct mesh_options o = caller(w, "raw");
	struct mesh_client m;
	bool ok = mesh_open(&m, &o) && strstr(m.peer_uris, mark) != NULL;

	mesh_close(&m);
	return ok;
}

Test(settings, identities_are_taken_from_files_at_sighup)
{
	struct world w;
	struct pki *first, *second;
	struct mesh_client m;
	char out[4096];

	start(&w);
	first = identity_new(&w, "1");
	second = identity_new(&w, "2");
	call(&w, &m, "raw");
	check_echo(&m, "ext");
	write_files(&w, first, first);
	configure_identity(&w);
	egress_signal(w.e, SIGHUP);
	cr_expect(WAIT_UNTIL(5000, shows(&w, "kuma://mark/1")));
	/* A new certificate without its key is refused, the old one shown. */
	write_files(&w, second, first);
	cr_expect_eq(egress_ctl_status(w.e, "reload", out, sizeof(out)), 1);
	cr_expect(strstr(out, "zegressd.conf:") != NULL &&
		      strstr(out, "id.pem and ") != NULL,
	    "%s", out);
	cr_expect_eq(egress_metric(w.e, "zegress_resources_refused"), 1);
	cr_expect(shows(&w, "kuma://mark/1"));
	write_files(&w, second, second);
	cr_expect_eq(
	    egress_ctl_status(w.e, "reload", out, sizeof(out)), 0, "%s", out);
	cr_expect(shows(&w, "kuma://mark/2"));
	/* Without the files it mints again. */
	configure(&w, NULL);
	cr_expect_eq(
	    egress_ctl_status(w.e, "reload", out, sizeof(out)), 0, "%s", out);
	cr_expect(shows(&w, "kuma://kuma.io/service/zone-egress"));
	check_echo(&m, "ext");
	mesh_close(&m);
	world_end(&w);
	pki_free(first);
	pki_free(second);
}

#define LIFE_S 6

static void
write_short_lived(struct world *w)
{
	egress_writef(w->e, "mesh-default.yaml",
	    "type: Mesh\nname: default\nmtls:\n  enabledBackend: ca-1\n"
	    "  backends:\n  - name: ca-1\n    type: builtin\n"
	    "    dpCert: { rotation: { expiration: %ds } }\n",
	    LIFE_S);
}

/* When the certificate that a new connection is shown ends, from now. */
static int
life_shown(struct world *w)
{
	struct mesh_client m;
	int days, seconds;
	X509 *x;

	call(w, &m, "raw");
	x = SSL_get1_peer_certificate(m.ssl);
	cr_assert(ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(x)));
	X509_free(x);
	check_echo(&m, "ext");
	mesh_close(&m);
	return days * 86400 + seconds;
}

/* At four fifths of its life, and nobody notices. */
Test(settings, a_minted_identity_is_renewed_in_time)
{
	struct world w;
	struct mesh_client m;
	uint64_t from, took;
	int left;

	start(&w);
	call(&w, &m, "raw");
	check_echo(&m, "ext");
	write_short_lived(&w);
	cr_assert(WAIT_UNTIL(5000, life_shown(&w) <= LIFE_S));
	from = clock_ms();
	/* It grows when another one is shown. */
	for (int last = LIFE_S;; last = left) {
		left = life_shown(&w);
		cr_assert_geq(left, 0, "an expired certificate is shown");
		if (left > last)
			break;
		check_echo(&m, "ext");
		(void)poll(NULL, 0, 20);
	}
	took = clock_ms() - from;
	cr_expect(took >= 3000 && took < LIFE_S * 1000, "after %u ms",
	    (unsigned)took);
	check_echo(&m, "ext");
	mesh_close(&m);
	cr_expect(has_outcome(w.e, "ok", NULL));
	cr_expect_eq(egress_metric(w.e, "zegress_resources_refused"), 0);
	world_end(&w);
}
