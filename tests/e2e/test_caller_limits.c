/* SPDX-License-Identifier: Apache-2.0 */
/* What a caller may have of a service: caller_limits of services. */

#include <stdio.h>
#include <string.h>

#include "e2e/peers.h"

/* Services api (http) and raw (tcp) with these caller_limits; two workers. */
static void
start(struct world *w, const char *limits)
{
	char config[512];
	struct ext_server *s;

	(void)snprintf(config, sizeof(config),
	    "services = ( { match = { mesh = \"default\"; };\n"
	    "  caller_limits = { %s }; } );",
	    limits);
	world_init_with(
	    w, &(struct egress_options){ .workers = 2, .config = config });
	s = world_serve(w, &(struct ext_config){ .protocol = EXT_HTTP });
	write_es(
	    w->e, &(struct es){
		      .name = "api", .protocol = "http", .port = ext_port(s) });
	s = world_serve(w, &(struct ext_config){ .protocol = EXT_RAW });
	write_es(w->e, &(struct es){ .name = "raw", .port = ext_port(s) });
	world_start(w);
}

static void
call_as(struct world *w, struct mesh_client *m, const struct pki *p,
    const char *service)
{
	struct mesh_options o = caller(w, service);

	o.cert_pem = p->cert_pem;
	o.key_pem = p->key_pem;
	cr_assert(mesh_open(m, &o), "%s", m->error);
}

#define LISTED(w, text) \
	WAIT_UNTIL(5000, strstr(egress_ctl((w)->e, "callers"), text) != NULL)

Test(limits, connections_of_a_caller)
{
	struct world w;
	struct pki *batch;
	struct mesh_client m[3], other;

	start(&w, "connections = 2;");
	for (int i = 0; i < 2; i++) {
		call(&w, &m[i], "raw");
		cr_assert(mesh_pump(&m[i], 10, 10));
	}
	call(&w, &m[2], "raw");
	cr_expect_eq(mesh_wait_end(&m[2], 5000), MESH_FIN);
	mesh_close(&m[2]);
	cr_expect(has_outcome(w.e, "caller_connection_limit",
	    "caller_limits.connections = 2 is reached"));
	cr_expect(LISTED(&w, "spiffe://default/web service=default/ES/raw "
			     "connections=2/2 left=0"),
	    "%s", egress_ctl(w.e, "callers"));
	cr_expect(WAIT_UNTIL(
	    5000, egress_metric(w.e,
		      "zegress_callers_at_limit{limit=\"connections\"}") == 1));
	/* Another caller, and another service. */
	batch = pki_sidecar(w.mesh_ca, "default", "batch", "zone-1");
	call_as(&w, &other, batch, "raw");
	cr_expect(mesh_pump(&other, 10, 10));
	mesh_close(&other);
	cr_expect_eq(status_of(get_once(&w, "api", "/")), 200);
	/* When one is over there is room again. */
	mesh_close(&m[0]);
	cr_expect(LISTED(&w, "connections=1/2 left=1"));
	call(&w, &m[0], "raw");
	cr_expect(mesh_pump(&m[0], 10, 10));
	mesh_close(&m[0]);
	mesh_close(&m[1]);
	cr_expect(
	    WAIT_UNTIL(5000, egress_metric(w.e, "zegress_callers ") == 0));
	cr_expect_str_eq(egress_ctl(w.e, "callers"), "");
	world_end(&w);
	pki_free(batch);
}

Test(limits, requests_of_a_caller)
{
	struct world w;
	struct mesh_client busy, m;
	const char *a;

	start(&w, "requests = 1;");
	call(&w, &busy, "api");
	call(&w, &m, "api");
	cr_assert(say(&busy, "GET /hang HTTP/1.1\r\nHost: x\r\n\r\n"));
	cr_assert(WAIT_UNTIL(5000, seen(w.servers[0]).requests == 1));
	a = ask_get(&m, "/");
	cr_expect_eq(status_of(a), 429, "%s", a);
	cr_expect(strstr(a, "\r\n\r\ncaller limit reached") != NULL, "%s", a);
	cr_expect(has_outcome(w.e, "caller_request_limit",
	    "caller_limits.requests = 1 is reached"));
	cr_expect_eq(egress_metric(w.e,
			 "zegress_service_caller_limited{envoy_cluster_name="
			 "\"default_api\",limit=\"requests\"}"),
	    1);
	mesh_close(&busy);
	cr_expect(WAIT_UNTIL(5000, status_of(ask_get(&m, "/")) == 200));
	mesh_close(&m);
	world_end(&w);
}

Test(limits, requests_a_second_of_a_caller)
{
	struct world w;
	struct pki *batch;
	struct mesh_client m;
	unsigned passed = 0;
	uint64_t from;

	start(&w, "requests_per_s = 5;");
	batch = pki_sidecar(w.mesh_ca, "default", "batch", "zone-1");
	from = clock_ms();
	/* By connections of both workers. */
	for (int i = 0; i < 20; i++)
		passed += status_of(get_once(&w, "api", "/")) == 200;
	cr_expect_geq(passed, 5);
	cr_expect_leq(passed, 5 + (clock_ms() - from) / 200);
	cr_expect(has_outcome(w.e, "caller_rate_limit",
	    "caller_limits.requests_per_s = 5 is reached"));
	call_as(&w, &m, batch, "api");
	cr_expect_eq(status_of(ask_get(&m, "/")), 200);
	mesh_close(&m);
	world_end(&w);
	pki_free(batch);
}

/* Connections that carry bytes, and requests. */
Test(limits, bytes_a_day_of_a_caller)
{
	static char big[21000000];
	struct world w;
	struct mesh_client m;

	start(&w, "mib_per_day = 1;");
	call(&w, &m, "raw");
	cr_expect(mesh_pump(&m, 400000, 400000));
	cr_expect(LISTED(&w, "mib_today=0/1 left=0"), "%s",
	    egress_ctl(w.e, "callers"));
	cr_expect_not(mesh_pump(&m, 400000, 400000));
	cr_expect_neq(m.end, MESH_OPEN);
	mesh_close(&m);
	cr_expect(has_outcome(w.e, "caller_byte_limit",
	    "caller_limits.mib_per_day = 1 is reached"));
	/* It is over for today, for whoever has this name. */
	call(&w, &m, "raw");
	cr_expect_neq(mesh_wait_end(&m, 5000), MESH_OPEN);
	mesh_close(&m);
	/* Of another service nothing is used up; until it is, and then not at
	 * once: what a turn sends is counted after it. */
	call(&w, &m, "api");
	cr_expect_eq(status_of(ask_get(&m, "/bytes/1000")), 200);
	cr_assert(say(&m, "GET /bytes/20000000 HTTP/1.1\r\nHost: x\r\n\r\n"));
	cr_expect_not(mesh_read_response(&m, big, sizeof(big)));
	mesh_close(&m);
	cr_expect_eq(status_of(get_once(&w, "api", "/")), 429);
	cr_expect(has_outcome(
	    w.e, "caller_byte_limit", "\"path\":\"/bytes/20000000\""));
	world_end(&w);
}

/* Limits that come by a reload count what is there already. */
Test(limits, of_connections_that_were_there_before)
{
	struct world w;
	struct mesh_client m[2];

	start(&w, "connections = 0;");
	call(&w, &m[0], "raw");
	cr_assert(mesh_pump(&m[0], 10, 10));
	cr_expect_str_eq(egress_ctl(w.e, "callers"), "");
	egress_configure(w.e,
	    &(struct egress_options){ .workers = 2,
		.config = "services = ( { match = { mesh = \"default\"; }; "
			  "caller_limits = { connections = 1; }; } );" });
	(void)egress_ctl(w.e, "reload");
	cr_expect(LISTED(&w, "service=default/ES/raw connections=1"), "%s",
	    egress_ctl(w.e, "callers"));
	call(&w, &m[1], "raw");
	cr_expect_eq(mesh_wait_end(&m[1], 5000), MESH_FIN);
	cr_expect(mesh_pump(&m[0], 10, 10), "that one stays");
	mesh_close(&m[0]);
	mesh_close(&m[1]);
	world_end(&w);
}
