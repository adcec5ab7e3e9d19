/* SPDX-License-Identifier: Apache-2.0 */
/* When certificates end: metrics, the log, status and services -v. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "e2e/fixture.h"

#define CA "caCert: { secret: ext-ca }"
#define DAY 86400

static double
not_after(struct world *w, const char *kind, const char *name)
{
	char line[256];

	(void)snprintf(line, sizeof(line),
	    "zegress_not_after_seconds{kind=\"%s\",name=\"%s\"}", kind, name);
	return egress_metric(w->e, line);
}

static bool
is_about(double value, int64_t from_now_s)
{
	double wanted = (double)(time(NULL) + from_now_s);

	return value > wanted - 600 && value < wanted + 600;
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

/* A service of this name whose server's certificate ends then. */
static void
add_service(struct world *w, const char *name, int64_t to_s, const char *tls)
{
	char host[64], sans[80];
	struct pki *p;

	(void)snprintf(host, sizeof(host), "%s.example", name);
	(void)snprintf(sans, sizeof(sans), "DNS:%s", host);
	p = pki_leaf_new(w->external_ca,
	    &(struct pki_options){
		.sans = sans, .from_s = -30 * DAY, .to_s = to_s });
	world_name(w, host, "127.0.0.1");
	write_es(w->e, &(struct es){ .name = name,
			   .host = host,
			   .port = ext_port(world_serve(
			       w, &(struct ext_config){ .protocol = EXT_RAW,
				      .cert_pem = p->cert_pem,
				      .key_pem = p->key_pem })),
			   .tls = tls });
	pki_free(p);
}

Test(expiry, chains_of_servers)
{
	struct world w;

	world_init(&w, NULL);
	add_service(&w, "far", 400 * DAY, CA);
	add_service(&w, "near", 5 * DAY + 600, CA);
	add_service(&w, "past", -60, CA);
	world_start(&w);
	/* Nobody has seen one yet. */
	cr_expect_eq(not_after(&w, "server_chain", "default_near"), -1);
	cr_expect(answers(&w, "far"));
	cr_expect(answers(&w, "near"));
	cr_expect_not(answers(&w, "past"));
	cr_expect(WAIT_UNTIL(5000,
	    is_about(not_after(&w, "server_chain", "default_far"), 400 * DAY)));
	cr_expect(
	    is_about(not_after(&w, "server_chain", "default_near"), 5 * DAY));
	/* What was refused for it is an end, too. */
	cr_expect(WAIT_UNTIL(
	    5000, is_about(not_after(&w, "server_chain", "default_past"), 0)));
	cr_expect(WAIT_UNTIL(5000,
	    egress_said(w.e, "servers of default_near expires in 5 days")));
	cr_expect(WAIT_UNTIL(
	    5000, egress_said(w.e, "servers of default_past has expired")));
	cr_expect_not(egress_said(w.e, "default_far expires"));
	cr_expect_not_null(
	    strstr(egress_ctl(w.e, "status"), "default_near expires in 5"));
	cr_expect_null(strstr(egress_ctl(w.e, "status"), "default_far"));
	cr_expect_not_null(strstr(
	    egress_ctl(w.e, "services -v near"), "server_chain default_near"));
	/* A service that goes takes its end along. */
	egress_remove(w.e, "near.yaml");
	cr_expect(WAIT_UNTIL(
	    5000, not_after(&w, "server_chain", "default_near") == -1));
	world_end(&w);
}

/* One that is not verified is seen all the same. */
Test(expiry, chains_that_are_not_verified)
{
	struct world w;

	world_init(&w, "verify_without_ca = \"none\";");
	add_service(&w, "bare", 3 * DAY + 600, "");
	world_start(&w);
	cr_expect(answers(&w, "bare"));
	cr_expect(WAIT_UNTIL(5000,
	    is_about(not_after(&w, "server_chain", "default_bare"), 3 * DAY)));
	world_end(&w);
}

/* The value after this text in what `services -v` prints; or "". */
static const char *
digest_after(struct world *w, const char *what)
{
	static char hex[17];
	const char *at = strstr(egress_ctl(w->e, "services -v"), what);

	hex[0] = '\0';
	if (at != NULL)
		(void)sscanf(at + strlen(what), "%16[0-9a-f]", hex);
	return hex;
}

Test(expiry, ours)
{
	struct world w;
	struct pki *client, *soon;
	char cert[128], key[128], config[512];

	world_init(&w, NULL);
	client = pki_leaf_new(
	    w.external_ca, &(struct pki_options){ .subject = "CN=client",
			       .to_s = 20 * DAY - 600 });
	soon = pki_leaf_new(w.mesh_ca,
	    &(struct pki_options){
		.sans = "URI:spiffe://default/zone-egress", .to_s = 3600 });
	egress_secret(w.e, "default", "cert", client->cert_pem);
	egress_secret(w.e, "default", "key", client->key_pem);
	add_service(&w, "pair", 400 * DAY,
	    CA ", clientCert: { secret: cert }, clientKey: { secret: key }");
	(void)snprintf(cert, sizeof(cert), "%s/id.pem", w.home);
	(void)snprintf(key, sizeof(key), "%s/id.key", w.home);
	pki_write(soon, cert, key);
	(void)snprintf(config, sizeof(config),
	    "identity = ( { mesh = \"default\"; cert = \"%s\"; key = \"%s\"; } "
	    ");\nexpiry_warning_days = \"25 2\";\n",
	    cert, key);
	egress_configure(w.e, &(struct egress_options){
				  .config = config, .dns_port = w.dns_port });
	world_start(&w);
	cr_expect(is_about(not_after(&w, "identity", "default"), 3600));
	cr_expect_gt(not_after(&w, "mesh_ca", "default"),
	    (double)(time(NULL) + 3000 * (int64_t)DAY));
	cr_expect(is_about(not_after(&w, "client_certificate",
			       digest_after(&w, "client-certificate=")),
	    20 * DAY - 600));
	cr_expect_gt(not_after(&w, "ca", digest_after(&w, " ca=")), 0);
	cr_expect(egress_said(w.e, "our certificate for mesh default expires"));
	cr_expect(egress_said(w.e, "of default/ES/pair expires in 19 days"));
	cr_expect_not_null(
	    strstr(egress_ctl(w.e, "status"), "our certificate for mesh"));
	/* Mended: the warning is over. */
	pki_free(soon);
	soon = pki_leaf_new(w.mesh_ca,
	    &(struct pki_options){ .sans = "URI:spiffe://default/zone-egress",
		.to_s = 300 * DAY });
	pki_write(soon, cert, key);
	cr_expect(WAIT_UNTIL(
	    5000, is_about(not_after(&w, "identity", "default"), 300 * DAY)));
	cr_expect(WAIT_UNTIL(5000,
	    strstr(egress_ctl(w.e, "status"), "our certificate") == NULL));
	world_end(&w);
	pki_free(client);
	pki_free(soon);
}

Test(expiry, days_are_numbers)
{
	char words[256], out[8192];
	struct world w;

	world_init(&w, "expiry_warning_days = \"a week\";");
	(void)snprintf(words, sizeof(words), "-t -f %s", w.e->config_path);
	cr_expect_eq(run_program("zegressd", words, out, sizeof(out)), 1);
	cr_expect_not_null(
	    strstr(out, "expiry_warning_days: wants"), "%s", out);
	world_end(&w);
}
