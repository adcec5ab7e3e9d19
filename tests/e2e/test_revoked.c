/* SPDX-License-Identifier: Apache-2.0 */
/* A reload that takes permission away says what it ended, and counts it. */

#include <stdio.h>
#include <string.h>

#include "e2e/fixture.h"

#define VICTIMS 1000
#define OTHERS 40
#define CLOSED_MS 1000

static void
call_as(struct world *w, struct mesh_client *m, const struct pki *p)
{
	struct mesh_options o = caller(w, "raw");

	o.cert_pem = p->cert_pem;
	o.key_pem = p->key_pem;
	cr_assert(mesh_open(m, &o), "%s", m->error);
	check_echo(m, "ext");
}

/* Nobody but batch is allowed, and until the reload nobody is denied. */
static void
start(struct world *w, const struct egress_options *o)
{
	world_init_with(w, o);
	(void)world_serve(
	    w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "ext" });
	(void)world_serve(w,
	    &(struct ext_config){ .protocol = EXT_HTTP, .fault = EXT_STALLS });
	write_es(w->e,
	    &(struct es){ .name = "raw", .port = ext_port(w->servers[0]) });
	write_es(w->e, &(struct es){ .name = "slow",
			   .protocol = "http",
			   .port = ext_port(w->servers[1]) });
	egress_remove(w->e, "allow-all.yaml");
	write_permission(w->e, "allow-batch", "raw",
	    "kind: MeshService, name: batch", "Allow");
	world_start(w);
}

static double
rule_metric(struct egress *e, const char *what, const char *rule)
{
	char line[256];

	(void)snprintf(line, sizeof(line),
	    "zegress_rule_%s{envoy_cluster_name=\"default_raw\",rule=\"%s",
	    what, rule);
	return egress_metric(e, line);
}

Test(revoke, a_thousand_within_a_second_and_counted, .timeout = 180)
{
	static struct mesh_client victim[VICTIMS], other[OTHERS];
	static char said[4096];
	struct egress_options o = { .workers = 3,
		.config = "report_only = true;" };
	struct world w;
	struct pki *batch;
	uint64_t from, took;
	size_t i;

	start(&w, &o);
	batch = pki_sidecar(w.mesh_ca, "default", "batch", "zone-1");
	for (i = 0; i < VICTIMS; i++)
		call_as(&w, &victim[i], w.web);
	for (i = 0; i < OTHERS; i++)
		call_as(&w, &other[i], batch);
	o.dns_port = w.dns_port;
	o.config = NULL;
	egress_configure(w.e, &o);
	from = clock_ms();
	cr_expect_eq(egress_ctl_status(w.e, "reload", said, sizeof(said)), 0,
	    "%s", said);
	for (i = 0; i < VICTIMS; i++)
		cr_expect_eq(mesh_wait_end(&victim[i], 5000), MESH_FIN);
	took = clock_ms() - from;
	cr_expect_lt(took, CLOSED_MS, "after %u ms", (unsigned)took);
	cr_expect(
	    strstr(said, "ended 1000 connections, 0 requests\n"
			 "  1000 connections, 0 requests of default/ES/raw: "
			 "no rule matches\n") != NULL,
	    "%s", said);
	cr_expect(WAIT_UNTIL(
	    5000, egress_said(w.e,
		      "ended 1000 connections, 0 requests; 1000 connections, 0 "
		      "requests of default/ES/raw: no rule matches")));
	cr_expect_eq(ended(w.e, "revoked"), VICTIMS);
	cr_expect_eq(rule_metric(w.e, "revoked", "no rule matches"), VICTIMS);
	cr_expect_eq(
	    rule_metric(w.e, "would_deny", "no rule matches"), VICTIMS);
	for (i = 0; i < OTHERS; i++)
		check_echo(&other[i], "ext");
	for (i = 0; i < VICTIMS; i++)
		mesh_close(&victim[i]);
	for (i = 0; i < OTHERS; i++)
		mesh_close(&other[i]);
	world_end(&w);
	pki_free(batch);
}

/* Requests are told apart from connections. */
Test(revoke, counts_requests)
{
	static const char request[] = "GET /late HTTP/1.1\r\nHost: h\r\n\r\n";
	struct egress_options o = { .config = "report_only = true;" };
	struct mesh_client m;
	struct world w;
	char answer[4096];
	const char *said;

	start(&w, &o);
	call(&w, &m, "slow");
	cr_assert(mesh_write(&m, request, strlen(request)));
	cr_assert(WAIT_UNTIL(5000, seen(w.servers[1]).connections == 1));
	o.dns_port = w.dns_port;
	o.config = NULL;
	egress_configure(w.e, &o);
	said = egress_ctl(w.e, "reload");
	cr_expect(strstr(said, "ended 0 connections, 1 requests\n") != NULL,
	    "%s", said);
	cr_expect(mesh_read_response(&m, answer, sizeof(answer)));
	cr_expect(strstr(answer, " 403 ") != NULL, "%s", answer);
	/* Nothing is ended twice. */
	said = egress_ctl(w.e, "reload");
	cr_expect_null(strstr(said, "ended"), "%s", said);
	ext_go_on(w.servers[1]);
	mesh_close(&m);
	world_end(&w);
}
