/* SPDX-License-Identifier: Apache-2.0 */
/* Policies of the mesh change what the daemon does, and say that they did. */

#include <stdio.h>
#include <string.h>

#include "e2e/peers.h"
#include "e2e/zones.h"

static void
put(struct world *w, const char *kind, const char *what)
{
	egress_writef(w->e, "policy.yaml",
	    "type: %s\nmesh: default\nname: p\nspec:\n  to:\n"
	    "  - targetRef: { kind: MeshService, name: api }\n"
	    "    default: { %s }\n",
	    kind, what);
}

/* Service api of two servers of HTTP, and a policy of that kind for it. */
static void
start(struct world *w, const char *kind, const char *what,
    struct ext_server *v[2])
{
	static const char *const names[] = { "one", "two" };

	world_init(w, NULL);
	for (int i = 0; i < 2; i++) {
		v[i] =
		    world_serve(w, &(struct ext_config){ .protocol = EXT_HTTP,
				       .name = names[i] });
		write_es(w->e, &(struct es){ .name = names[i],
				   .service = "api",
				   .protocol = "http",
				   .port = ext_port(v[i]) });
	}
	put(w, kind, what);
	world_start(w);
}

static int
good_ones(struct world *w, int n)
{
	int good = 0;

	for (int i = 0; i < n; i++)
		good += status_of(get_once(w, "api", "/")) == 200;
	return good;
}

static bool
shows(struct world *w, const char *text)
{
	return strstr(egress_ctl(w->e, "services -v"), text) != NULL;
}

Test(policies, a_circuit_breaker_leaves_an_endpoint_out)
{
	struct ext_server *v[2];
	struct world w;
	unsigned before;

	start(&w, "MeshCircuitBreaker",
	    "outlierDetection: { baseEjectionTime: 60s, detectors: { "
	    "gatewayFailures: { consecutive: 2 } } }",
	    v);
	cr_expect(shows(&w, "MeshCircuitBreaker/p: "
			    "outlier.consecutive_gateway_failure"));
	ext_set_status(v[0], 503);
	cr_expect(WAIT_UNTIL(
	    5000, good_ones(&w, 1) == 1 &&
		      egress_said(w.e, "endpoint one is left out for 60000 "
				       "ms")));
	before = seen(v[0]).requests;
	cr_expect_eq(good_ones(&w, 10), 10);
	cr_expect_eq(seen(v[0]).requests, before);
	/* Without the policy nobody is left out. */
	ext_set_status(v[0], 200);
	egress_remove(w.e, "policy.yaml");
	(void)egress_ctl(w.e, "reload");
	cr_expect(WAIT_UNTIL(
	    5000, good_ones(&w, 1) == 1 && seen(v[0]).requests > before));
	world_end(&w);
}

Test(policies, a_health_check_leaves_an_endpoint_out)
{
	struct ext_server *v[2];
	struct world w;

	start(&w, "MeshHealthCheck",
	    "interval: 50ms, timeout: 500ms, unhealthyThreshold: 2, http: { "
	    "path: /healthz, expectedStatuses: [ 200 ] }",
	    v);
	cr_expect(WAIT_UNTIL(5000,
	    strstr(seen(v[0]).head, "GET /healthz HTTP/1.1\r\n") != NULL));
	ext_set_status(v[0], 500);
	cr_expect(WAIT_UNTIL(
	    5000, egress_said(w.e, "endpoint one is left out, its check "
				   "fails: status 500")));
	cr_expect_eq(good_ones(&w, 10), 10);
	world_end(&w);
}

/* One caller, one server, until the document says otherwise. */
Test(policies, load_balancing_by_hash)
{
	struct ext_server *v[2];
	struct world w;
	unsigned one, two;
	char said[1024];

	start(&w, "MeshLoadBalancingStrategy",
	    "loadBalancer: { type: Maglev }, hashPolicies: [ { type: "
	    "Connection, connection: { sourceIP: true } } ]",
	    v);
	cr_expect_eq(good_ones(&w, 10), 10);
	one = seen(v[0]).requests;
	two = seen(v[1]).requests;
	cr_expect_eq(one + two, 10);
	cr_expect(one == 0 || two == 0, "%u and %u", one, two);
	put(&w, "MeshLoadBalancingStrategy",
	    "loadBalancer: { type: RoundRobin }");
	cr_expect_eq(egress_ctl_status(w.e, "reload", said, sizeof(said)), 0,
	    "%s", said);
	cr_expect_eq(good_ones(&w, 10), 10);
	cr_expect_eq(seen(v[0]).requests - one, 5, "in turn");
	cr_expect_eq(seen(v[1]).requests - two, 5);
	world_end(&w);
}

/* Bytes of either side count; when there are none it ends. */
Test(policies, an_idle_time_of_connections)
{
	struct mesh_client m;
	struct world w;
	uint64_t from;

	world_init(&w, NULL);
	(void)world_serve(
	    &w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "ext" });
	write_es(
	    w.e, &(struct es){ .name = "api", .port = ext_port(w.servers[0]) });
	put(&w, "MeshTimeout", "idleTimeout: 300ms");
	world_start(&w);
	cr_expect(shows(&w, "MeshTimeout/p: idle_ms"));
	call(&w, &m, "api");
	from = clock_ms();
	check_echo(&m, "ext");
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_FIN);
	cr_expect_geq(clock_ms() - from, 250);
	mesh_close(&m);
	cr_expect(has_outcome(w.e, "idle", "\"service\":\"api\""));
	world_end(&w);
}

Test(policies, an_idle_time_of_requests)
{
	struct ext_server *v[2];
	struct mesh_client m;
	struct world w;
	const char *a;

	start(&w, "MeshTimeout", "http: { streamIdleTimeout: 300ms }", v);
	cr_expect(shows(&w, "MeshTimeout/p: stream_idle_ms"));
	call(&w, &m, "api");
	a = ask_get(&m, "/hang");
	cr_expect_eq(status_of(a), 504, "%s", a);
	cr_expect_eq(status_of(ask_get(&m, "/")), 200, "it goes on");
	mesh_close(&m);
	cr_expect(
	    has_outcome(w.e, "http_response_timeout", "\"path\":\"/hang\""));
	world_end(&w);
}
