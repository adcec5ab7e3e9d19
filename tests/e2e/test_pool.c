/* SPDX-License-Identifier: Apache-2.0 */
/* Connections to servers that requests share: reuse, retries, limits. */

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "e2e/fixture.h"

static struct ext_server *
start(struct world *w, const char *config)
{
	struct ext_server *s;

	world_init(w, config);
	s = world_serve(w, &(struct ext_config){ .protocol = EXT_HTTP });
	write_es(
	    w->e, &(struct es){
		      .name = "api", .protocol = "http", .port = ext_port(s) });
	world_start(w);
	return s;
}

Test(pool, callers_share_connections)
{
	struct world w;
	struct ext_server *s = start(&w, NULL);

	for (int i = 0; i < 10; i++)
		cr_expect_eq(status_of(get_once(&w, "api", "/")), 200);
	cr_expect_eq(seen(s).requests, 10);
	cr_expect_eq(seen(s).connections, 1);
	cr_expect_eq(
	    cluster_metric(w.e, "envoy_cluster_upstream_cx_total", "api"), 1);
	cr_expect_eq(
	    cluster_metric(w.e, "envoy_cluster_upstream_rq_total", "api"), 10);
	world_end(&w);
}

/* The server closes just when the next request goes out: once more. */
Test(pool, a_stale_connection_is_tried_again)
{
	struct world w;
	struct mesh_client m;
	struct ext_server *s = start(&w, NULL);

	call(&w, &m, "api");
	cr_expect_eq(status_of(ask_get(&m, "/stale")), 200);
	cr_expect_eq(status_of(ask_get(&m, "/next")), 200);
	cr_expect_eq(seen(s).connections, 2);
	cr_expect_eq(
	    cluster_metric(w.e, "envoy_cluster_upstream_rq_retry", "api"), 1);
	cr_expect(WAIT_UNTIL(
	    5000, cluster_metric(w.e, "envoy_cluster_upstream_rq_retry_success",
		      "api") == 1));
	cr_expect_not_null(
	    egress_log_line(w.e, "\"retries\":1", "\"path\":\"/next\""));
	mesh_close(&m);
	world_end(&w);
}

/* A POST may have had its effect. */
Test(pool, a_post_is_not_tried_again)
{
	struct world w;
	struct mesh_client m;
	const char *a;

	(void)start(&w, NULL);
	call(&w, &m, "api");
	cr_expect_eq(status_of(ask_get(&m, "/stale")), 200);
	a = ask(&m, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1");
	cr_expect_eq(status_of(a), 503, "%s", a);
	cr_expect(strstr(a, "connection termination") != NULL);
	mesh_close(&m);
	world_end(&w);
}

/* A connection that the server closes while it is idle is not used. */
Test(pool, a_closed_connection_is_left_alone)
{
	struct world w;
	struct mesh_client m;
	struct ext_server *s = start(&w, NULL);

	call(&w, &m, "api");
	cr_expect_eq(status_of(ask_get(&m, "/close")), 200);
	cr_expect(WAIT_UNTIL(5000, seen(s).open == 0));
	cr_expect_eq(status_of(ask(&m, "POST / HTTP/1.1\r\nHost: x\r\n"
				       "Content-Length: 1\r\n\r\n1")),
	    200);
	mesh_close(&m);
	world_end(&w);
}

Test(pool, ntlm_is_not_shared)
{
	struct world w;
	struct ext_server *s = start(&w, NULL);

	cr_expect_eq(status_of(get_once(&w, "api", "/ntlm")), 401);
	cr_expect_eq(status_of(get_once(&w, "api", "/")), 200);
	cr_expect_eq(seen(s).connections, 2);
	world_end(&w);
}

Test(pool, idle_connections_are_closed)
{
	struct world w;
	struct ext_server *s = start(&w, "limits = { pool_idle_ms = 200; };");

	cr_expect_eq(status_of(get_once(&w, "api", "/")), 200);
	cr_expect_eq(seen(s).open, 1);
	cr_expect(WAIT_UNTIL(5000, seen(s).open == 0));
	cr_expect_eq(status_of(get_once(&w, "api", "/")), 200);
	world_end(&w);
}

Test(pool, callers_at_the_same_time_have_their_own)
{
	struct world w;
	struct mesh_client m[4];
	struct ext_server *s = start(&w, NULL);

	for (int i = 0; i < 4; i++) {
		call(&w, &m[i], "api");
		cr_assert(say(&m[i], "GET /hang HTTP/1.1\r\nHost: x\r\n\r\n"));
	}
	cr_expect(WAIT_UNTIL(5000, seen(s).requests == 4));
	cr_expect_eq(seen(s).connections, 4);
	for (int i = 0; i < 4; i++)
		mesh_close(&m[i]);
	cr_expect(WAIT_UNTIL(5000, seen(s).open == 0));
	world_end(&w);
}

/* More requests than connections wait; more than may wait are refused. */
Test(pool, limits)
{
	struct world w;
	struct mesh_client busy, waits, refused;
	struct ext_server *s = start(&w,
	    "limits = { upstream_connections = 1; upstream_pending = 1; "
	    "connect_ms = 20000; };");
	char a[4096];
	const char *b;

	call(&w, &busy, "api");
	call(&w, &waits, "api");
	call(&w, &refused, "api");
	cr_assert(say(&busy, "GET /hang HTTP/1.1\r\nHost: x\r\n\r\n"));
	cr_assert(WAIT_UNTIL(5000, seen(s).requests == 1));
	cr_assert(say(&waits, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
	cr_assert(WAIT_UNTIL(
	    5000, cluster_metric(w.e,
		      "envoy_cluster_circuit_breakers_default_rq_pending_open",
		      "api") == 1));
	b = ask_get(&refused, "/");
	cr_expect_eq(status_of(b), 503, "%s", b);
	cr_expect(strstr(b, "reset reason: overflow") != NULL, "%s", b);
	mesh_close(&busy);
	cr_assert(mesh_read_response(&waits, a, sizeof(a)));
	cr_expect_eq(status_of(a), 200);
	cr_expect_eq(cluster_metric(w.e,
			 "envoy_cluster_upstream_rq_pending_overflow", "api"),
	    1);
	mesh_close(&waits);
	mesh_close(&refused);
	world_end(&w);
}

/* A different TLS is a different connection: the pool forgets old ones. */
Test(pool, a_changed_endpoint_gets_new_connections)
{
	struct world w;
	struct ext_server *s = start(&w, NULL), *other;

	cr_expect_eq(status_of(get_once(&w, "api", "/")), 200);
	cr_expect_eq(seen(s).open, 1);
	other = world_serve(
	    &w, &(struct ext_config){ .protocol = EXT_HTTP, .name = "two" });
	write_es(w.e,
	    &(struct es){
		.name = "api", .protocol = "http", .port = ext_port(other) });
	cr_expect(WAIT_UNTIL(
	    5000, strstr(get_once(&w, "api", "/"), "server two") != NULL));
	cr_expect(WAIT_UNTIL(5000, seen(s).open == 0));
	world_end(&w);
}
