/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints that are left out, and limits, as an operator sees them. */

#include <stdio.h>
#include <string.h>

#include "e2e/peers.h"

#define API "{ match = { service = \"api\"; }; "

/* Service api of two servers of HTTP, "one" and "two". */
static void
start(struct world *w, const char *config, unsigned workers,
    struct ext_server *v[2])
{
	static const char *const names[] = { "one", "two" };

	world_init_with(w,
	    &(struct egress_options){ .config = config, .workers = workers });
	for (int i = 0; i < 2; i++) {
		v[i] =
		    world_serve(w, &(struct ext_config){ .protocol = EXT_HTTP,
				       .name = names[i] });
		write_es(w->e, &(struct es){ .name = names[i],
				   .service = "api",
				   .protocol = "http",
				   .port = ext_port(v[i]) });
	}
	world_start(w);
}

static bool
says(struct world *w, const char *text)
{
	return strstr(egress_ctl(w->e, "clusters"), text) != NULL;
}

/* How many of n requests are answered by 200. */
static int
good_ones(struct world *w, int n)
{
	int good = 0;

	for (int i = 0; i < n; i++)
		good += status_of(get_once(w, "api", "/")) == 200;
	return good;
}

#define OUTLIER                                                          \
	"services = ( " API "outlier = { consecutive_gateway_failure = " \
	"3; base_ejection_ms = 5000; interval_ms = 100; }; } );"

/* In both workers, and also after a reload; and after its time it is back. */
Test(health, an_ejected_endpoint_gets_no_traffic)
{
	struct world w;
	struct ext_server *v[2];
	unsigned before;
	char said[1024];

	start(&w, OUTLIER, 2, v);
	ext_set_status(v[0], 503);
	cr_expect(WAIT_UNTIL(
	    5000, good_ones(&w, 1) == 1 &&
		      egress_said(w.e, "endpoint one is left out for 5000 ms: "
				       "consecutive gateway failures")));
	before = seen(v[0]).requests;
	cr_expect_eq(good_ones(&w, 10), 10);
	write_permission(w.e, "more", "api", "kind: Mesh", "Allow");
	cr_expect_eq(egress_ctl_status(w.e, "reload", said, sizeof(said)), 0,
	    "%s", said);
	cr_expect_eq(good_ones(&w, 10), 10);
	cr_expect_eq(seen(v[0]).requests, before);
	cr_expect(says(&w, "ejected"));
	cr_expect_eq(cluster_metric(w.e,
			 "envoy_cluster_outlier_detection_ejections_enforced_"
			 "consecutive_gateway_failure",
			 "api"),
	    1);
	ext_set_status(v[0], 0);
	cr_expect(WAIT_UNTIL(
	    15000, good_ones(&w, 4) == 4 && seen(v[0]).requests > before));
	world_end(&w);
}

#define CHECKED(kind)                                                   \
	"services = ( " API "health = { check = \"" kind                \
	"\"; path = \"/healthz\"; interval_ms = 50; timeout_ms = 500; " \
	"unhealthy_threshold = 2; }; } );"

/* Nobody asks for anything, and it is known all the same, by both workers. */
Test(health, checks_by_http)
{
	struct world w;
	struct ext_server *v[2];

	start(&w, CHECKED("http"), 2, v);
	cr_expect(WAIT_UNTIL(5000,
	    strstr(seen(v[0]).head, "GET /healthz HTTP/1.1\r\n") != NULL));
	cr_expect(strstr(seen(v[0]).head, "zegress-health") != NULL);
	ext_set_status(v[0], 500);
	cr_expect(WAIT_UNTIL(
	    5000, egress_said(w.e, "endpoint one is left out, its check "
				   "fails: status 500")));
	cr_expect_eq(good_ones(&w, 10), 10);
	cr_expect(says(&w, "checked: bad: status 500"));
	cr_expect_eq(
	    cluster_metric(w.e, "envoy_cluster_membership_healthy", "api"), 1);
	ext_set_status(v[0], 0);
	cr_expect(WAIT_UNTIL(5000, egress_said(w.e, "endpoint one is good")));
	cr_expect(WAIT_UNTIL(5000, !says(&w, "checked: bad")));
	cr_expect(WAIT_UNTIL(5000,
	    cluster_metric(w.e, "envoy_cluster_membership_healthy", "api") ==
		2));
	cr_expect_gt(
	    cluster_metric(w.e, "envoy_cluster_health_check_failure", "api"),
	    1);
	world_end(&w);
}

/* A server that is gone is left out before anybody had to find out. */
Test(health, checks_by_tcp)
{
	struct world w;
	struct ext_server *v[2];

	start(&w, CHECKED("tcp"), 1, v);
	cr_expect(WAIT_UNTIL(5000, says(&w, "checked: good")));
	ext_stop(v[0]);
	w.servers[0] = w.servers[--w.n_servers];
	cr_expect(WAIT_UNTIL(5000, says(&w, "checked: bad")));
	cr_expect(egress_said(w.e, "connection refused"));
	cr_expect_eq(good_ones(&w, 4), 4);
	cr_expect_eq(cluster_metric(
			 w.e, "envoy_cluster_upstream_cx_connect_fail", "api"),
	    0, "no caller met it");
	world_end(&w);
}

#define BREAKER                                                        \
	"services = ( " API "breaker = { requests = 2; connections = " \
	"2; }; } );"

Test(health, limits_of_the_whole_daemon)
{
	struct world w;
	struct mesh_client m[2];
	struct ext_server *v[2];
	const char *a;

	start(&w, BREAKER, 2, v);
	for (int i = 0; i < 2; i++) {
		call(&w, &m[i], "api");
		cr_assert(say(&m[i], "GET /hang HTTP/1.1\r\nHost: x\r\n\r\n"));
	}
	cr_assert(
	    WAIT_UNTIL(5000, seen(v[0]).requests + seen(v[1]).requests == 2));
	for (int i = 0; i < 4; i++) {
		a = get_once(&w, "api", "/");
		cr_expect_eq(status_of(a), 503, "%s", a);
		cr_expect(strstr(a, "reset reason: overflow") != NULL);
	}
	cr_expect(says(&w, "connections=2/2 (most 2)"));
	cr_expect(says(&w, "requests=2/2 (most 2)"));
	cr_expect_eq(
	    cluster_metric(
		w.e, "envoy_cluster_circuit_breakers_default_rq_open", "api"),
	    1);
	cr_expect(
	    has_outcome(w.e, "upstream_limit_reached", "breaker.requests"));
	mesh_close(&m[0]);
	mesh_close(&m[1]);
	cr_expect(WAIT_UNTIL(5000, says(&w, "requests=0/2 (most 2)")));
	cr_expect(WAIT_UNTIL(5000, good_ones(&w, 1) == 1));
	cr_expect(WAIT_UNTIL(5000,
	    cluster_metric(w.e,
		"envoy_cluster_circuit_breakers_default_rq_open", "api") == 0));
	cr_expect(WAIT_UNTIL(
	    5000, cluster_metric(w.e,
		      "envoy_cluster_circuit_breakers_default_remaining_rq",
		      "api") == 2));
	world_end(&w);
}

/* What the health service of the test says. */
struct doctor {
	unsigned asked;
	char status;
	char path[64];
	char question[64];
};

static void
on_question(struct h2_talk *t, void *arg)
{
	char body[] = { 0, 0, 0, 0, 2, 8, 0 };
	struct doctor *d = arg;
	const char *path = message_field(t->in, ":path");

	if (!t->in->ended || t->is_answered || t->in->was_reset)
		return;
	d->asked++;
	(void)snprintf(d->path, sizeof(d->path), "%s", path);
	(void)snprintf(d->question, sizeof(d->question), "%.*s",
	    t->in->body.n > 7 ? (int)t->in->body.n - 7 : 0,
	    t->in->body.n > 7 ? (const char *)t->in->body.p + 7 : "");
	body[6] = d->status;
	h2_answer(t, &(struct said){ .status = 200,
			 .fields = "content-type: application/grpc\n",
			 .body = body,
			 .n = sizeof(body),
			 .trailers = "grpc-status: 0\n" });
}

#define GRPC_CHECKED                                                       \
	"services = ( " API "health = { check = \"grpc\"; grpc_service = " \
	"\"bank.Pay\"; interval_ms = 50; timeout_ms = 1000; "              \
	"unhealthy_threshold = 1; }; } );"

Test(health, checks_by_grpc)
{
	struct doctor doctor = { .status = 1 };
	struct server_options o = { .name = "grpc.example",
		.alpn = "h2",
		.on_request = on_question,
		.arg = &doctor };
	struct rig r;

	(void)rig_start_one(&r, GRPC_CHECKED, "grpc", &o);
	cr_expect(UNTIL(&r, says(&r.w, "checked: good")));
	cr_expect_str_eq(doctor.path, "/grpc.health.v1.Health/Check");
	cr_expect_str_eq(doctor.question, "bank.Pay");
	doctor.status = 2;
	cr_expect(UNTIL(&r, says(&r.w, "checked: bad: the health service")));
	doctor.status = 1;
	cr_expect(UNTIL(&r, says(&r.w, "checked: good")));
	cr_expect_gt(doctor.asked, 2);
	rig_end(&r);
}

/* A certificate that nobody would accept is found before it matters. */
Test(health, checks_by_tls)
{
	struct world w;
	struct ext_server *good, *bad;

	world_init(&w, CHECKED("tls"));
	good = world_serve_tls(&w, "good.example",
	    &(struct ext_config){ .protocol = EXT_HTTP, .name = "good" });
	bad = world_serve_tls(&w, "other.example",
	    &(struct ext_config){ .protocol = EXT_HTTP, .name = "bad" });
	world_name(&w, "bad.example", "127.0.0.1");
	write_es(w.e, &(struct es){ .name = "one",
			  .service = "api",
			  .protocol = "http",
			  .host = "good.example",
			  .port = ext_port(good),
			  .tls = "caCert: { secret: ext-ca }" });
	write_es(w.e, &(struct es){ .name = "two",
			  .service = "api",
			  .protocol = "http",
			  .host = "bad.example",
			  .port = ext_port(bad),
			  .tls = "caCert: { secret: ext-ca }" });
	world_start(&w);
	cr_expect(WAIT_UNTIL(
	    5000, egress_said(w.e, "endpoint two is left out, its check")));
	cr_expect(WAIT_UNTIL(5000, says(&w, "checked: good")));
	cr_expect_eq(good_ones(&w, 6), 6);
	cr_expect_eq(cluster_metric(
			 w.e, "envoy_cluster_upstream_cx_connect_fail", "api"),
	    0);
	world_end(&w);
}
