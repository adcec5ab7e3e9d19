/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secrets that change while the daemon serves: secrets/MESH/NAME, and Secrets
 * among the resources.  What belongs together changes together.
 */

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "e2e/fixture.h"

#define CA "caCert: { secret: ext-ca }"
#define PAIR                                                              \
	CA ", clientCert: { secret: client-cert }, clientKey: { secret: " \
	   "client-key }"

static struct pki *
client_new(const struct world *w, const char *subject)
{
	return pki_leaf_new(
	    w->external_ca, &(struct pki_options){ .subject = subject });
}

static void
put_cert(struct world *w, const struct pki *p)
{
	egress_secret(w->e, "default", "client-cert", p->cert_pem);
}

static void
put_key(struct world *w, const struct pki *p)
{
	egress_secret(w->e, "default", "client-key", p->key_pem);
}

/* Service "pair", whose server asks for a client certificate. */
static struct ext_server *
prepare_pair(struct world *w)
{
	struct ext_server *s;

	world_init(w, NULL);
	s = world_serve_tls(w, "pair.example",
	    &(struct ext_config){ .protocol = EXT_RAW,
		.client_ca_pem = w->external_ca->cert_pem });
	write_es(w->e, &(struct es){ .name = "pair",
			   .host = "pair.example",
			   .port = ext_port(s),
			   .tls = PAIR });
	return s;
}

static bool
answers(struct world *w, const char *service)
{
	struct mesh_options o = caller(w, service);
	struct mesh_client m;
	char c;
	bool ok = mesh_open(&m, &o) && mesh_write(&m, "x", 1) &&
		  mesh_read(&m, &c, 1) == 1;

	mesh_close(&m);
	return ok;
}

static bool
shows(struct world *w, struct ext_server *s, const char *subject)
{
	return answers(w, "pair") && strstr(seen(s).peer, subject) != NULL;
}

static bool
has_problem(struct world *w, const char *text)
{
	return WAIT_UNTIL(
	    5000, strstr(egress_ctl(w->e, "check"), text) != NULL);
}

static bool
is_mended(struct world *w)
{
	return WAIT_UNTIL(
	    5000, egress_metric(w->e, "zegress_resources_refused") == 0);
}

Test(secrets, a_client_pair_changes_together_or_not_at_all)
{
	struct world w;
	struct ext_server *s = prepare_pair(&w);
	struct pki *first = client_new(&w, "CN=first");
	struct pki *second = client_new(&w, "CN=second");
	struct mesh_client m;
	char path[256];

	put_cert(&w, first);
	put_key(&w, first);
	world_start(&w);
	cr_assert(shows(&w, s, "first"));
	call(&w, &m, "pair");
	put_cert(&w, second);
	cr_expect(has_problem(&w, "clientCert"), "half a pair is no problem");
	cr_expect(strstr(egress_ctl(w.e, "check"), "pair.yaml:") != NULL);
	cr_expect(shows(&w, s, "first"), "not the old pair: %s", seen(s).peer);
	put_key(&w, second);
	cr_expect(is_mended(&w));
	cr_expect(shows(&w, s, "second"));
	/* Who is connected stays. */
	cr_assert(mesh_write(&m, "y", 1));
	cr_expect_eq(mesh_read_full(&m, &(char){ 0 }, 1), 1);
	mesh_close(&m);
	/* A Secret that is removed is no reason to stop either. */
	(void)snprintf(
	    path, sizeof(path), "%s/secrets/default/client-key", w.e->dir);
	cr_expect_eq(remove(path), 0);
	cr_expect(has_problem(&w, "client-key"));
	cr_expect(shows(&w, s, "second"));
	world_end(&w);
	pki_free(first);
	pki_free(second);
}

/* Both written within the quiet time: nobody sees half of it. */
Test(secrets, a_client_pair_written_at_once)
{
	struct world w;
	struct ext_server *s = prepare_pair(&w);
	struct pki *first = client_new(&w, "CN=first");
	struct pki *second = client_new(&w, "CN=second");

	put_cert(&w, first);
	put_key(&w, first);
	world_start(&w);
	cr_assert(shows(&w, s, "first"));
	put_cert(&w, second);
	put_key(&w, second);
	cr_expect(WAIT_UNTIL(5000, shows(&w, s, "second")));
	cr_expect_not(egress_said(w.e, "clientCert"));
	world_end(&w);
	pki_free(first);
	pki_free(second);
}

/* At the start there is no old pair; the others are served. */
Test(secrets, half_a_pair_at_the_start)
{
	struct world w;
	struct ext_server *s = prepare_pair(&w);
	struct pki *p = client_new(&w, "CN=late");

	write_es(w.e, &(struct es){ .name = "plain",
			  .port = ext_port(world_serve(&w,
			      &(struct ext_config){ .protocol = EXT_RAW })) });
	put_cert(&w, p);
	world_start(&w);
	cr_expect(has_problem(&w, "client-key"));
	cr_expect(answers(&w, "plain"));
	cr_expect_not(answers(&w, "pair"));
	cr_expect_eq(seen(s).connections, 0);
	put_key(&w, p);
	cr_expect(WAIT_UNTIL(5000, shows(&w, s, "late")));
	world_end(&w);
	pki_free(p);
}

/* The CA of a service moves on with its server. */
Test(secrets, a_ca_changes)
{
	struct world w;
	struct pki *ca, *cert;
	struct ext_server *s;

	world_init(&w, NULL);
	ca = pki_ca_new(NULL, &(struct pki_options){ .subject = "CN=new" });
	cert = pki_server(ca, "new.example");
	world_name(&w, "new.example", "127.0.0.1");
	s = world_serve(&w, &(struct ext_config){ .protocol = EXT_RAW,
				.cert_pem = cert->cert_pem,
				.key_pem = cert->key_pem });
	write_es(w.e, &(struct es){ .name = "new",
			  .host = "new.example",
			  .port = ext_port(s),
			  .tls = CA });
	world_start(&w);
	cr_expect_not(answers(&w, "new"));
	cr_expect(has_outcome(w.e, "tls_certificate_error", NULL));
	egress_secret(w.e, "default", "ext-ca", ca->cert_pem);
	cr_expect(WAIT_UNTIL(5000, answers(&w, "new")));
	/* Rubbish is refused, and the good one serves. */
	egress_secret(w.e, "default", "ext-ca", "no certificate at all\n");
	cr_expect(has_problem(&w, "caCert"));
	cr_expect(answers(&w, "new"));
	egress_secret(w.e, "default", "ext-ca", w.external_ca->cert_pem);
	cr_expect(WAIT_UNTIL(5000, !answers(&w, "new")));
	cr_expect(is_mended(&w));
	world_end(&w);
	pki_free(ca);
	pki_free(cert);
}

static void
write_secret(struct world *w, const char *name, const char *value)
{
	struct text data = TEXT_EMPTY;
	char file[64];

	base64_encode(str_of(value), &data);
	(void)snprintf(file, sizeof(file), "secret-%s.yaml", name);
	egress_writef(w->e, file,
	    "type: Secret\nmesh: default\nname: %s\ndata: %.*s\n", name,
	    (int)data.len, data.p);
	text_free(&data);
}

/* Secrets may be resources as well, and of two the one in force stays. */
Test(secrets, as_resources)
{
	struct world w;
	struct pki *other;
	struct ext_server *s;

	world_init(&w, NULL);
	s = world_serve_tls(
	    &w, "res.example", &(struct ext_config){ .protocol = EXT_RAW });
	other = pki_mesh_ca("other");
	write_secret(&w, "res-ca", w.external_ca->cert_pem);
	write_es(w.e, &(struct es){ .name = "res",
			  .host = "res.example",
			  .port = ext_port(s),
			  .tls = "caCert: { secret: res-ca }" });
	world_start(&w);
	cr_expect(answers(&w, "res"));
	egress_secret(w.e, "default", "res-ca", other->cert_pem);
	cr_expect(has_problem(&w, "secret-res-ca.yaml:1"));
	cr_expect(answers(&w, "res"));
	egress_remove(w.e, "secret-res-ca.yaml");
	cr_expect(WAIT_UNTIL(5000, !answers(&w, "res")));
	world_end(&w);
	pki_free(other);
}

/* The mesh's own CA: certificate and key go together too. */
Test(secrets, half_a_mesh_ca_leaves_the_old_one)
{
	struct world w;
	struct pki *ca = pki_mesh_ca("default");
	struct pki *p = pki_sidecar(ca, "default", "web", "zone-1");
	struct mesh_options o;
	struct mesh_client m;

	world_init(&w, NULL);
	write_es(w.e, &(struct es){ .name = "raw",
			  .port = ext_port(world_serve(&w,
			      &(struct ext_config){ .protocol = EXT_RAW })) });
	world_start(&w);
	cr_expect(answers(&w, "raw"));
	call(&w, &m, "raw");
	egress_secret(
	    w.e, "default", "default.ca-builtin-cert-ca-1", ca->cert_pem);
	cr_expect(has_problem(&w, "mesh-default.yaml:1: mtls.backends"));
	cr_expect(answers(&w, "raw"));
	egress_secret(
	    w.e, "default", "default.ca-builtin-key-ca-1", ca->key_pem);
	cr_expect(is_mended(&w));
	o = caller(&w, "raw");
	cr_expect_not(answers(&w, "raw"), "a caller of the old CA");
	/* Who had proved themselves before stays. */
	cr_assert(mesh_write(&m, "y", 1));
	cr_expect_eq(mesh_read_full(&m, &(char){ 0 }, 1), 1);
	mesh_close(&m);
	o.ca_pem = ca->cert_pem;
	o.cert_pem = p->cert_pem;
	o.key_pem = p->key_pem;
	cr_assert(mesh_open(&m, &o), "%s", m.error);
	cr_assert(mesh_write(&m, "y", 1));
	cr_expect_eq(mesh_read_full(&m, &(char){ 0 }, 1), 1);
	mesh_close(&m);
	world_end(&w);
	pki_free(ca);
	pki_free(p);
}
