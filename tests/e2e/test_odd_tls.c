/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS and PROXY headers as HAProxy and nginx want them: client certificates,
 * old versions and ciphers, names that they do not know; the log says what to
 * change.
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "e2e/odd.h"

#define CA "caCert: { secret: ext-ca }"
#define PAIR CA ", clientCert: { secret: cert }, clientKey: { secret: key }"
#define ANSWER                                                     \
	" http-request return status 200 content-type text/plain " \
	"lf-string \"dn=%%[ssl_c_s_dn] src=%%[src] "               \
	"pp=%%[fc_pp_authority] sni=%%[ssl_fc_sni] \"\n"

static void
serve(struct world *w, const struct odd *o, const char *name, const char *tls)
{
	write_es(w->e, &(struct es){ .name = name,
			   .protocol = "http",
			   .host = "odd.example",
			   .port = o->port,
			   .tls = tls });
}

static void
make_client(struct world *w)
{
	struct pki *p = pki_leaf_new(
	    w->external_ca, &(struct pki_options){
				.subject = "CN=egress", .eku = "clientAuth" });

	egress_secret(w->e, "default", "cert", p->cert_pem);
	egress_secret(w->e, "default", "key", p->key_pem);
	pki_free(p);
}

static void
run_tls_haproxy(struct odd *o, struct world *w, const char *more)
{
	char bind[512];

	odd_init(o, w);
	odd_certify(o, w, "odd.example");
	(void)snprintf(bind, sizeof(bind), "ssl crt %s ca-file %s %s", o->cert,
	    o->ca, more);
	odd_run_haproxy(o, w, bind, ANSWER);
}

/* A failure, and a line of the access log with all that it is to say. */
static void
check_refused(
    struct world *w, const char *service, const char *outcome, const char *hint)
{
	char name[64];
	const char *line;

	cr_expect_eq(status_of(get_once(w, service, "/")), 503, "%s", service);
	(void)snprintf(name, sizeof(name), "\"service\":\"%s\"", service);
	cr_expect(has_outcome(w->e, outcome, name), "%s: %s", service,
	    egress_log_line(w->e, name, NULL));
	line = egress_log_line(w->e, name, hint);
	cr_expect_not_null(
	    line, "%s: %s", service, egress_log_line(w->e, name, NULL));
}

Test(odd, haproxy_wants_a_certificate)
{
	static const char *const versions[] = { "ssl-max-ver TLSv1.2",
		"ssl-min-ver TLSv1.3" };
	struct world w;
	struct odd o[2];
	const char *a;
	char name[32], more[64];

	ODD_NEEDS(HAPROXY);
	world_init(&w, NULL);
	make_client(&w);
	for (int i = 0; i < 2; i++) {
		(void)snprintf(
		    more, sizeof(more), "verify required %s", versions[i]);
		run_tls_haproxy(&o[i], &w, more);
		(void)snprintf(name, sizeof(name), "with-%d", i);
		serve(&w, &o[i], name, PAIR);
		(void)snprintf(name, sizeof(name), "without-%d", i);
		serve(&w, &o[i], name, CA);
	}
	world_start(&w);
	for (int i = 0; i < 2; i++) {
		(void)snprintf(name, sizeof(name), "with-%d", i);
		a = get_once(&w, name, "/");
		cr_expect_eq(status_of(a), 200, "%s", a);
		cr_expect_not_null(
		    strstr(a, "dn=/CN=egress src=127.0.0.1"), "%s", a);
		(void)snprintf(name, sizeof(name), "without-%d", i);
		check_refused(
		    &w, name, "tls_alert_received", "client certificate");
		cr_expect_eq(odd_count(&o[i], "GET / "), 1);
		odd_end(&o[i]);
	}
	world_end(&w);
}

/* nginx asks for one, takes none, and says so by an answer. */
Test(odd, nginx_wants_a_certificate)
{
	struct world w;
	struct odd o;
	const char *a;

	ODD_NEEDS(NGINX);
	world_init(&w, NULL);
	make_client(&w);
	odd_init(&o, &w);
	odd_certify(&o, &w, "odd.example");
	odd_run_nginx(&o, &w, "ssl",
	    "ssl_certificate %s; ssl_certificate_key %s;\n"
	    "ssl_client_certificate %s; ssl_verify_client on;\n"
	    "location / { return 200 $ssl_client_s_dn; }",
	    o.cert, o.cert, o.ca);
	serve(&w, &o, "with", PAIR);
	serve(&w, &o, "without", CA);
	world_start(&w);
	a = get_once(&w, "with", "/");
	cr_expect_eq(status_of(a), 200, "%s", a);
	cr_expect_not_null(strstr(a, "CN=egress"), "%s", a);
	a = get_once(&w, "without", "/");
	cr_expect_eq(status_of(a), 400);
	cr_expect_not_null(strstr(a, "No required SSL certificate"), "%s", a);
	cr_expect(has_outcome(w.e, "ok", "\"status\":400"));
	world_end(&w);
	odd_end(&o);
}

Test(odd, nginx_knows_another_name)
{
	struct world w;
	struct odd o;

	ODD_NEEDS(NGINX);
	world_init(&w, NULL);
	odd_init(&o, &w);
	world_name(&w, "odd.example", "127.0.0.1");
	odd_run_nginx(&o, &w, "ssl", "ssl_reject_handshake on;");
	serve(&w, &o, "api", CA);
	world_start(&w);
	check_refused(&w, "api", "tls_alert_received",
	    "it does not know the server name");
	world_end(&w);
	odd_end(&o);
}

/* Ciphers and versions that are off unless asked for. */
Test(odd, haproxy_is_old)
{
	static const char cbc[] =
	    "ssl-max-ver TLSv1.2 ciphers ECDHE-ECDSA-AES128-SHA256";
	static const char old[] = "ssl-min-ver TLSv1.0 ssl-max-ver TLSv1.1 "
				  "ciphers ALL:@SECLEVEL=0";
	struct world w;
	struct odd o[2];

	ODD_NEEDS(HAPROXY);
	world_init(&w,
	    "services = ( { match = { service = \"cbc-on\"; }; tls = { "
	    "ciphers = [ \"ECDHE-ECDSA-AES128-SHA256\" ]; }; }, "
	    "{ match = { service = \"old-on\"; }; weak_tls = true; tls = { "
	    "min_version = \"1.0\"; }; } );");
	run_tls_haproxy(&o[0], &w, cbc);
	run_tls_haproxy(&o[1], &w, old);
	serve(&w, &o[0], "cbc", CA);
	serve(&w, &o[0], "cbc-on", CA);
	serve(&w, &o[1], "old", CA);
	serve(&w, &o[1], "old-on", CA);
	world_start(&w);
	check_refused(&w, "cbc", "tls_alert_received", "tls.ciphers");
	cr_expect_eq(status_of(get_once(&w, "cbc-on", "/")), 200);
	check_refused(&w, "old", "tls_alert_received", "tls.min_version");
	cr_expect_eq(status_of(get_once(&w, "old-on", "/")), 200);
	world_end(&w);
	for (int i = 0; i < 2; i++)
		odd_end(&o[i]);
}

#define INTRODUCE                                                       \
	"services = ( { proxy_protocol = \"v2\"; health = { check = "   \
	"\"http\"; path = \"/check\"; interval_ms = 100; timeout_ms = " \
	"2000; unhealthy_threshold = 1; }; } );"

/* The header comes before TLS; checks have one, too. */
Test(odd, haproxy_takes_our_introduction)
{
	struct world w;
	struct odd o;
	const char *a;

	ODD_NEEDS(HAPROXY);
	world_init(&w, INTRODUCE);
	run_tls_haproxy(&o, &w, "accept-proxy");
	serve(&w, &o, "api", CA);
	world_start(&w);
	a = get_once(&w, "api", "/");
	cr_expect_eq(status_of(a), 200, "%s", a);
	cr_expect_not_null(strstr(a, "src=127.0.0.1 pp=api{mesh=default} "
				     "sni=odd.example"),
	    "%s", a);
	cr_expect(WAIT_UNTIL(5000,
	    strstr(egress_ctl(w.e, "clusters"), "checked: good") != NULL));
	cr_expect_geq(odd_saw(&o, "GET /check 200 "), 1);
	world_end(&w);
	odd_end(&o);
}

/* nginx reads it, too; and says nothing to who has none. */
Test(odd, nginx_takes_our_introduction)
{
	struct world w;
	struct odd o;
	const char *a;

	ODD_NEEDS(NGINX);
	world_init(&w,
	    "services = ( { match = { service = \"api\"; }; proxy_protocol = "
	    "\"v2\"; } );");
	odd_init(&o, &w);
	world_name(&w, "odd.example", "127.0.0.1");
	odd_run_nginx(&o, &w, "proxy_protocol",
	    "location / { return 200 \"from $proxy_protocol_addr.\"; }");
	serve(&w, &o, "api", NULL);
	serve(&w, &o, "mute", NULL);
	world_start(&w);
	a = get_once(&w, "api", "/");
	cr_expect_eq(status_of(a), 200, "%s", a);
	cr_expect_not_null(strstr(a, "from 127.0.0.1."), "%s", a);
	check_refused(&w, "mute", "connection_terminated", NULL);
	world_end(&w);
	odd_end(&o);
}
