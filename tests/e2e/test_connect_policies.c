/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What policies of the mesh mean for callers that come by zegressctl connect,
 * which are callers like any.
 */

#include <stdio.h>
#include <string.h>

#include "e2e/tunnels.h"

/* Services api (http) and raw (tcp), and the tool's keys. */
static void
start(struct world *w)
{
	char config[256];

	world_init(w, NULL);
	(void)snprintf(config, sizeof(config), "state = \"%s\";", w->e->dir);
	egress_configure(w->e, &(struct egress_options){
				   .config = config, .dns_port = w->dns_port });
	(void)world_serve(
	    w, &(struct ext_config){ .protocol = EXT_HTTP, .name = "ext" });
	(void)world_serve(
	    w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "ext" });
	write_es(w->e, &(struct es){ .name = "api",
			   .protocol = "http",
			   .port = ext_port(w->servers[0]) });
	write_es(w->e,
	    &(struct es){ .name = "raw", .port = ext_port(w->servers[1]) });
	tunnels_prepare(w);
	world_start(w);
}

/* In force, and all of it understood. */
static void
put(struct world *w, const char *kind, const char *rest)
{
	char said[4096];

	egress_writef(w->e, "policy.yaml",
	    "type: %s\nmesh: default\nname: p\n%s\n", kind, rest);
	cr_assert_eq(egress_ctl_status(w->e, "reload", said, sizeof(said)), 0,
	    "%s: %s", kind, said);
}

#define FROM(who, what)                                                  \
	"spec: { targetRef: { kind: Mesh }, from: [ { targetRef: { " who \
	" }, default: { " what " } } ] }"
#define TO(what)                                                        \
	"spec: { to: [ { targetRef: { kind: MeshService, name: api }, " \
	"default: { " what " } } ] }"
#define LEGACY(who)                                              \
	"sources: [ { match: { kuma.io/service: " who " } } ]\n" \
	"destinations: [ { match: { kuma.io/service: api, "      \
	"kuma.io/protocol: http } } ]\nconf: "

#define ONE_AN_HOUR "{ http: { requests: 1, interval: 1h } }"
#define MESH_ONE "local: { http: { requestRate: { num: 1, interval: 1h } } }"
#define ABORT "{ abort: { httpStatus: 418, percentage: 100 } }"

/* Answers to two requests of one tunnel. */
static const struct {
	const char *kind;
	const char *rest;
	const char *path;
	int status[2];
} rows[] = {
	{ "RateLimit", LEGACY("web") ONE_AN_HOUR, "/", { 200, 429 } },
	{ "RateLimit", LEGACY("batch") ONE_AN_HOUR, "/", { 200, 200 } },
	{ "MeshRateLimit", FROM("kind: Mesh", MESH_ONE), "/", { 200, 429 } },
	{ "MeshRateLimit", FROM("kind: MeshService, name: web", MESH_ONE), "/",
	    { 200, 429 } },
	{ "MeshRateLimit", FROM("kind: MeshService, name: batch", MESH_ONE),
	    "/", { 200, 200 } },
	{ "FaultInjection", LEGACY("web") ABORT, "/", { 418, 418 } },
	{ "FaultInjection", LEGACY("batch") ABORT, "/", { 200, 200 } },
	{ "MeshFaultInjection",
	    FROM("kind: MeshService, name: web", "http: [ " ABORT " ]"), "/",
	    { 418, 418 } },
	{ "MeshFaultInjection",
	    FROM("kind: MeshService, name: batch", "http: [ " ABORT " ]"), "/",
	    { 200, 200 } },
	{ "MeshTimeout", TO("http: { requestTimeout: 100ms }"), "/hang",
	    { 504, 504 } },
	{ "MeshTimeout", TO("http: { streamIdleTimeout: 100ms }"), "/hang",
	    { 504, 504 } },
};

/* Its tags in a header are what a caller may write as it likes. */
static int
ask_forged(struct mesh_client *m, const char *path)
{
	char request[256];

	(void)snprintf(request, sizeof(request),
	    "GET %s HTTP/1.1\r\nHost: x\r\n"
	    "x-kuma-tags: &kuma.io/service=batch&\r\n\r\n",
	    path);
	return status_of(ask(m, request));
}

Test(connect_policies, of_requests)
{
	struct world w;
	struct tunnel t;
	struct mesh_client m;

	start(&w);
	t = tunnel_start(&w, "--service api " LISTEN);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put(&w, rows[i].kind, rows[i].rest);
		tunnel_dial(&t, &m);
		for (int k = 0; k < 2; k++)
			cr_expect_eq(ask_forged(&m, rows[i].path),
			    rows[i].status[k], "%s %s, %d", rows[i].kind,
			    rows[i].rest, k);
		mesh_close(&m);
	}
	tunnel_stop(&t);
	world_end(&w);
}

/* Service api of two servers, of which only the first may be there. */
static void
start_pair(struct world *w, bool has_second)
{
	static const char *const names[] = { "one", "two" };

	world_init(w, NULL);
	for (int i = 0; i < 2; i++) {
		(void)world_serve(w, &(struct ext_config){ .protocol = EXT_HTTP,
					 .name = names[i] });
		write_es(w->e,
		    &(struct es){ .name = names[i],
			.service = "api",
			.protocol = "http",
			.port = i == 0 || has_second ? ext_port(w->servers[i])
						     : free_port() });
	}
	tunnels_prepare(w);
	world_start(w);
}

/* How many of n callers get this status, over new connections. */
static int
callers_that_get(const struct tunnel *t, int n, int status)
{
	struct mesh_client m;
	int got = 0;

	for (int i = 0; i < n; i++) {
		tunnel_dial(t, &m);
		got += status_of(ask_get(&m, "/close")) == status;
		mesh_close(&m);
	}
	return got;
}

/* Until the server that is not there was met. */
static void
check_retry(int retries, bool is_good)
{
	char rest[128];
	struct world w;
	struct tunnel t;
	int good = 10;

	start_pair(&w, false);
	(void)snprintf(
	    rest, sizeof(rest), TO("http: { numRetries: %d }"), retries);
	put(&w, "MeshRetry", rest);
	t = tunnel_start(&w, "--service api " LISTEN);
	cr_expect(WAIT_UNTIL(5000,
	    (good = callers_that_get(&t, 10, 200)) < 10 ||
		cluster_metric(
		    w.e, "envoy_cluster_upstream_cx_connect_fail", "api") > 0));
	cr_expect_eq(good == 10, is_good, "%d retries: %d", retries, good);
	tunnel_stop(&t);
	world_end(&w);
}

Test(connect_policies, a_retry)
{
	check_retry(2, true);
}

Test(connect_policies, no_retry)
{
	check_retry(0, false);
}

Test(connect_policies, a_health_check)
{
	struct world w;
	struct tunnel t;

	start_pair(&w, true);
	put(&w, "MeshHealthCheck",
	    TO("interval: 50ms, timeout: 500ms, unhealthyThreshold: 2, http: { "
	       "path: /healthz, expectedStatuses: [ 200 ] }"));
	t = tunnel_start(&w, "--service api " LISTEN);
	ext_set_status(w.servers[0], 500);
	cr_expect(WAIT_UNTIL(
	    5000, egress_said(w.e, "endpoint one is left out, its check "
				   "fails: status 500")));
	cr_expect_eq(callers_that_get(&t, 10, 200), 10);
	tunnel_stop(&t);
	world_end(&w);
}

Test(connect_policies, a_balance)
{
	struct world w;
	struct tunnel t;
	unsigned one;

	start_pair(&w, true);
	put(&w, "MeshLoadBalancingStrategy",
	    TO("loadBalancer: { type: Maglev }, hashPolicies: [ { type: "
	       "Connection, connection: { sourceIP: true } } ]"));
	t = tunnel_start(&w, "--service api " LISTEN);
	cr_expect_eq(callers_that_get(&t, 10, 200), 10);
	one = seen(w.servers[0]).requests;
	cr_expect(one == 0 || one == 10, "%u", one);
	put(&w, "MeshLoadBalancingStrategy",
	    TO("loadBalancer: { type: RoundRobin }"));
	cr_expect_eq(callers_that_get(&t, 10, 200), 10);
	cr_expect_eq(seen(w.servers[0]).requests - one, 5, "in turn");
	tunnel_stop(&t);
	world_end(&w);
}

Test(connect_policies, a_breaker)
{
	struct world w;
	struct tunnel t;
	struct mesh_client held, m;
	const char *a;

	start(&w);
	put(&w, "MeshCircuitBreaker",
	    TO("connectionLimits: { maxRequests: 1 }"));
	t = tunnel_start(&w, "--service api " LISTEN);
	tunnel_dial(&t, &held);
	cr_assert(say(&held, "GET /hang HTTP/1.1\r\nHost: x\r\n\r\n"));
	cr_assert(WAIT_UNTIL(5000, seen(w.servers[0]).requests == 1));
	tunnel_dial(&t, &m);
	a = ask_get(&m, "/");
	cr_expect_eq(status_of(a), 503, "%s", a);
	cr_expect_not_null(strstr(a, "reset reason: overflow"));
	mesh_close(&m);
	mesh_close(&held);
	tunnel_stop(&t);
	world_end(&w);
}

Test(connect_policies, of_connections)
{
	struct world w;
	struct tunnel t;
	struct mesh_client m[2];

	start(&w);
	put(&w, "MeshRateLimit",
	    FROM("kind: Mesh",
		"local: { tcp: { connectionRate: { num: 1, interval: 1h } } "
		"}"));
	t = tunnel_start(&w, "--service raw " LISTEN);
	tunnel_dial(&t, &m[0]);
	check_echo(&m[0], "ext"); /* lest the second be there first */
	tunnel_dial(&t, &m[1]);
	cr_expect_neq(mesh_wait_end(&m[1], 5000), MESH_TIMEOUT);
	check_echo(&m[0], "ext");
	for (int i = 0; i < 2; i++)
		mesh_close(&m[i]);
	cr_expect(has_outcome(w.e, "connection_rate_limited", NULL));
	tunnel_stop(&t);
	world_end(&w);
}

/* A caller that a grant lets in, until it is over. */
Test(connect_policies, a_grant)
{
	struct world w;
	struct tunnel t;
	struct mesh_client m;

	start(&w);
	egress_remove(w.e, "allow-all.yaml");
	(void)egress_ctl(w.e, "reload");
	t = tunnel_start(&w, "--service raw --explain " LISTEN);
	(void)egress_ctl(w.e, "grant --for 1h --reason \"a repair\" web raw");
	tunnel_dial(&t, &m);
	check_echo(&m, "ext");
	cr_expect(tunnel_has_said(&t, "rule: grant 1: a repair"));
	(void)egress_ctl(w.e, "grant --revoke 1");
	cr_expect_neq(mesh_wait_end(&m, 5000), MESH_TIMEOUT);
	mesh_close(&m);
	cr_expect(has_outcome(w.e, "revoked", "no rule matches"));
	tunnel_stop(&t);
	world_end(&w);
}
