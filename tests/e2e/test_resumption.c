/* SPDX-License-Identifier: Apache-2.0 */
/* Resumed sessions of mesh callers: for whom, for what, for how long. */

#include <string.h>

#include "e2e/fixture.h"

static struct ext_server *
start(struct world *w)
{
	struct ext_server *s;

	world_init(w, NULL);
	s = world_serve(
	    w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "ext" });
	write_es(w->e, &(struct es){ .name = "echo", .port = ext_port(s) });
	write_es(w->e, &(struct es){ .name = "other", .port = ext_port(s) });
	world_start(w);
	return s;
}

static double
reused(struct world *w)
{
	return egress_metric(w->e, "envoy_listener_ssl_session_reused{");
}

/* A connection, and the ticket that it leaves (owned by the caller). */
static SSL_SESSION *
take_session(struct world *w, struct mesh_options *o)
{
	struct mesh_client m;
	SSL_SESSION *s;

	(void)w;
	cr_assert(mesh_open(&m, o), "%s", m.error);
	check_echo(&m, "ext");
	s = m.session;
	m.session = NULL;
	mesh_close(&m);
	cr_assert_not_null(s, "no ticket came");
	return s;
}

Test(resumption, in_both_versions_with_the_identity)
{
	struct world w;

	(void)start(&w);
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION;
	     version++) {
		struct mesh_options o = caller(&w, "echo");
		struct mesh_client m;

		o.max_version = version;
		o.session = take_session(&w, &o);
		/* The identity travels in the session. */
		o.cert_pem = NULL;
		cr_assert(mesh_open(&m, &o), "%s", m.error);
		cr_expect(m.is_resumed, "version %x", (unsigned)version);
		check_echo(&m, "ext");
		mesh_close(&m);
		SSL_SESSION_free(o.session);
	}
	cr_expect_eq(reused(&w), 2);
	cr_expect(WAIT_UNTIL(
	    5000, egress_logged(w.e, "\"tls_in_resumed\":1",
		      "\"identity\":\"spiffe://default/web\"") == 2));
	world_end(&w);
}

Test(resumption, permission_is_asked_anew)
{
	struct world w;
	struct ext_server *ext = start(&w);
	struct mesh_options o = caller(&w, "echo");
	struct mesh_client m;

	o.session = take_session(&w, &o);
	egress_remove(w.e, "allow-all.yaml");
	cr_assert(WAIT_UNTIL(5000,
	    strstr(egress_ctl(w.e, "services -v echo"), "no rule") != NULL));
	unsigned before = seen(ext).connections;
	cr_assert(mesh_open(&m, &o), "%s", m.error);
	cr_expect(m.is_resumed);
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_FIN);
	cr_expect_eq(seen(ext).connections, before);
	cr_expect(has_outcome(w.e, "denied", "\"tls_in_resumed\":1"));
	mesh_close(&m);
	SSL_SESSION_free(o.session);
	world_end(&w);
}

Test(resumption, not_for_another_service)
{
	struct world w;

	(void)start(&w);
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION;
	     version++) {
		struct mesh_options o = caller(&w, "echo");
		struct mesh_client m;

		o.max_version = version;
		o.session = take_session(&w, &o);
		o.sni = sni_of("other");
		cr_assert(mesh_open(&m, &o), "%s", m.error);
		cr_expect_not(m.is_resumed, "version %x", (unsigned)version);
		check_echo(&m, "ext");
		mesh_close(&m);
		SSL_SESSION_free(o.session);
	}
	cr_expect_eq(reused(&w), 0);
	world_end(&w);
}

static bool
is_served(const struct mesh_options *o)
{
	struct mesh_client m;
	char c;
	bool ok = mesh_open(&m, o) && say(&m, "x") && mesh_read(&m, &c, 1) == 1;

	mesh_close(&m);
	return ok;
}

/* A ticket of the old CA is no proof under the new one. */
Test(resumption, not_after_the_mesh_changed_its_ca)
{
	struct world w;
	struct pki *ca = pki_mesh_ca("default");
	struct pki *p = pki_sidecar(ca, "default", "web", "zone-1");
	struct mesh_options o, fresh;
	struct mesh_client m;

	(void)start(&w);
	o = caller(&w, "echo");
	o.session = take_session(&w, &o);
	write_mesh(w.e, "default", ca, "zoneEgress: true");
	fresh = caller(&w, "echo");
	fresh.ca_pem = ca->cert_pem;
	fresh.cert_pem = p->cert_pem;
	fresh.key_pem = p->key_pem;
	cr_assert(WAIT_UNTIL(5000, is_served(&fresh)));
	o.ca_pem = ca->cert_pem;
	if (mesh_open(&m, &o))
		(void)mesh_wait_end(&m, 5000);
	cr_expect_not(m.is_resumed);
	cr_expect_eq(m.end, MESH_ALERT, "end %d", (int)m.end);
	cr_expect_eq(m.alert, SSL_AD_UNKNOWN_CA);
	mesh_close(&m);
	SSL_SESSION_free(o.session);
	world_end(&w);
	pki_free(ca);
	pki_free(p);
}

/* Reloads of other things leave the tickets alone. */
Test(resumption, goes_on_over_a_reload)
{
	struct world w;
	struct ext_server *ext = start(&w);
	struct mesh_options o = caller(&w, "echo");
	struct mesh_client m;

	o.session = take_session(&w, &o);
	write_es(w.e, &(struct es){ .name = "new", .port = ext_port(ext) });
	cr_assert(WAIT_UNTIL(
	    5000, strstr(egress_ctl(w.e, "services"), "ES/new ") != NULL));
	cr_assert(mesh_open(&m, &o), "%s", m.error);
	cr_expect(m.is_resumed);
	check_echo(&m, "ext");
	mesh_close(&m);
	SSL_SESSION_free(o.session);
	world_end(&w);
}

/* Neither a session nor an HTTP connection outlives the certificate. */
Test(resumption, not_after_the_certificate_has_expired)
{
	struct world w;
	struct pki *p;
	struct mesh_options o;
	struct mesh_client m, http;
	time_t end = time(NULL) + 3;

	(void)start(&w);
	write_es(w.e, &(struct es){ .name = "http",
			  .protocol = "http",
			  .port = ext_port(world_serve(&w,
			      &(struct ext_config){ .protocol = EXT_HTTP })) });
	p = pki_leaf_new(
	    w.mesh_ca, &(struct pki_options){
			   .sans = "URI:spiffe://default/web", .to_s = 3 });
	o = caller(&w, "echo");
	o.cert_pem = p->cert_pem;
	o.key_pem = p->key_pem;
	o.session = take_session(&w, &o);
	cr_assert(WAIT_UNTIL(
	    5000, strstr(egress_ctl(w.e, "services"), "ES/http ") != NULL));
	struct mesh_options h = o;
	h.session = NULL;
	h.sni = sni_of("http");
	cr_assert(mesh_open(&http, &h), "%s", http.error);
	cr_expect_eq(status_of(ask_get(&http, "/")), 200);
	cr_assert(WAIT_UNTIL(8000, time(NULL) > end + 1));
	cr_expect_eq(status_of(ask_get(&http, "/")), 0);
	cr_expect(has_outcome(w.e, "caller_expired", NULL));
	mesh_close(&http);
	if (mesh_open(&m, &o))
		(void)mesh_wait_end(&m, 5000);
	cr_expect_not(m.is_resumed);
	cr_expect_eq(m.alert, SSL_AD_CERTIFICATE_EXPIRED);
	mesh_close(&m);
	SSL_SESSION_free(o.session);
	world_end(&w);
	pki_free(p);
}

/* Sessions are everybody's: which worker accepts does not matter. */
Test(resumption, on_each_worker)
{
	struct world w;
	struct ext_server *s;
	struct mesh_client m;

	world_init_with(&w, &(struct egress_options){ .workers = 2 });
	s = world_serve(
	    &w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "ext" });
	write_es(w.e, &(struct es){ .name = "echo", .port = ext_port(s) });
	world_start(&w);
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION;
	     version++) {
		struct mesh_options o = caller(&w, "echo");

		o.max_version = version;
		o.session = take_session(&w, &o);
		o.cert_pem = NULL;
		for (int i = 0; i < 12; i++) {
			cr_assert(mesh_open(&m, &o), "%s", m.error);
			cr_expect(m.is_resumed, "%x, %d", (unsigned)version, i);
			check_echo(&m, "ext");
			/* OpenSSL uses one of TLS 1.3 once. */
			if (version == TLS1_3_VERSION) {
				SSL_SESSION_free(o.session);
				o.session = m.session;
				m.session = NULL;
			}
			mesh_close(&m);
		}
		SSL_SESSION_free(o.session);
	}
	cr_expect_eq(reused(&w), 24);
	world_end(&w);
}
