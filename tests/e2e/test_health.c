/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints that are left out, and limits, as an operator sees them. */

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "e2e/peers.h"
#include "e2e/zones.h"

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
		cr_expect(
		    strcasestr(a, "\r\nx-envoy-overloaded: true\r\n") != NULL);
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

/* Service api of SRV, whose targets are two servers. */
static void
start_srv(struct world *w, const char *config, struct ext_server *v[2])
{
	static const char *const local[] = { "127.0.0.1", NULL };
	const struct dns_server_answer a = { .a = local, .ttl_s = 300 };
	struct dns_server_srv srv[] = {
		{ 10, 1, 0, "a.example" },
		{ 20, 1, 0, "b.example" },
		{ 0, 0, 0, NULL },
	};

	world_init_with(
	    w, &(struct egress_options){ .config = config, .workers = 2 });
	for (int i = 0; i < 2; i++) {
		v[i] = world_serve(w,
		    &(struct ext_config){ .protocol = EXT_HTTP, .name = "t" });
		srv[i].port = ext_port(v[i]);
	}
	dns_server_set(w->dns, "a.example", &a);
	dns_server_set(w->dns, "b.example", &a);
	dns_server_set(w->dns, "_h._tcp.example",
	    &(struct dns_server_answer){ .srv = srv, .ttl_s = 300 });
	write_es(w->e, &(struct es){ .name = "one",
			   .service = "api",
			   .protocol = "http",
			   .host = "_h._tcp.example",
			   .port = 1 });
	world_start(w);
}

static void
target_text(const struct ext_server *s, const char *what, char out[128])
{
	(void)snprintf(out, 128, "one 127.0.0.1:%u target %s",
	    (unsigned)ext_port(s), what);
}

#define SRV "services = ( " API "srv = true; "

/* The first target is ejected, not the name: the next priority serves. */
Test(health, an_ejected_target_of_srv_gets_no_traffic)
{
	struct world w;
	struct ext_server *v[2];
	char text[128];
	unsigned before;

	start_srv(&w,
	    SRV "outlier = { consecutive_5xx = 3; max_ejection_percent = 50; "
		"}; } );",
	    v);
	cr_expect_eq(good_ones(&w, 4), 4);
	cr_expect_eq(seen(v[1]).requests, 0, "it is of a later priority");
	ext_set_status(v[0], 500);
	target_text(v[0], "ejected left out for", text);
	cr_expect(WAIT_UNTIL(5000, good_ones(&w, 1) == 1 && says(&w, text)),
	    "%s", egress_ctl(w.e, "clusters"));
	before = seen(v[0]).requests;
	cr_expect_eq(good_ones(&w, 20), 20);
	cr_expect_eq(seen(v[0]).requests, before);
	cr_expect_geq(seen(v[1]).requests, 20);
	target_text(v[1], "healthy", text);
	cr_expect(says(&w, text));
	world_end(&w);
}

Test(health, checks_each_target_of_srv)
{
	struct world w;
	struct ext_server *v[2];
	char text[128];
	unsigned before;

	start_srv(&w,
	    SRV "health = { check = \"http\"; interval_ms = 50; timeout_ms = "
		"500; unhealthy_threshold = 1; headers = [ \"x-probe: 1\" ]; "
		"}; } );",
	    v);
	target_text(v[0], "healthy checked: good", text);
	cr_expect(WAIT_UNTIL(5000, says(&w, text)));
	cr_expect(strstr(seen(v[0]).head, "x-probe: 1\r\n") != NULL);
	target_text(v[1], "healthy checked: good", text);
	cr_expect(WAIT_UNTIL(5000, says(&w, text)));
	ext_set_status(v[0], 503);
	target_text(v[0], "unhealthy checked: bad: status 503", text);
	cr_expect(WAIT_UNTIL(5000, says(&w, text)));
	before = seen(v[1]).requests;
	cr_expect_eq(good_ones(&w, 10), 10);
	cr_expect_geq(seen(v[1]).requests, before + 10);
	ext_set_status(v[0], 0);
	target_text(v[0], "healthy checked: good", text);
	cr_expect(WAIT_UNTIL(5000, says(&w, text)));
	world_end(&w);
}

/* An echo is what is expected, or it is not; and without any, all fails. */
Test(health, checks_by_bytes)
{
	struct world w;
	struct ext_server *s;

	world_init(&w,
	    "services = ( { match = { service = \"good\"; }; health = { check "
	    "= \"tcp\"; interval_ms = 50; tcp_send = \"UElORwo=\"; "
	    "tcp_receive = [ \"ZWNobyBl\", \"UElORw==\" ]; }; }, { match = { "
	    "service = \"bad\"; }; health = { check = \"tcp\"; interval_ms "
	    "= 50; timeout_ms = 100; tcp_send = \"UElORwo=\"; tcp_receive = [ "
	    "\"UE9ORw==\" ]; fail_traffic_on_panic = true; "
	    "always_log_failures = true; }; } );");
	s = world_serve(
	    &w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "e" });
	write_es(
	    w.e, &(struct es){
		     .name = "g", .service = "good", .port = ext_port(s) });
	write_es(w.e,
	    &(struct es){ .name = "b", .service = "bad", .port = ext_port(s) });
	world_start(&w);
	cr_expect(WAIT_UNTIL(5000, says(&w, "checked: good")));
	cr_expect(
	    WAIT_UNTIL(5000, says(&w, "checked: bad: no answer in time")));
	cr_expect(WAIT_UNTIL(
	    5000, egress_said(w.e, "the check of endpoint b fails: ")));
	cr_expect_str_eq(who_serves(&w, "good"), "e");
	cr_expect_str_eq(who_serves(&w, "bad"), "", "not even as last resort");
	world_end(&w);
}

#define SLOW_CHECK                                                           \
	"services = ( " API "health = { check = \"tcp\"; interval_ms = 50; " \
	"timeout_ms = 1500; initial_jitter_ms = 0; tcp_receive = [ "         \
	"\"bmV2ZXI=\" ]; unhealthy_threshold = 1; }; } );"

/* Each reload changes what callers may do, not whom it is about. */
Test(health, checks_end_however_often_the_service_changes)
{
	struct ext_server *s;
	char said[1024];
	struct world w;
	int i;

	world_init(&w, SLOW_CHECK);
	s = world_serve(
	    &w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "e" });
	write_es(w.e,
	    &(struct es){ .name = "e", .service = "api", .port = ext_port(s) });
	world_start(&w);
	for (i = 0; i < 1000 && !says(&w, "checked: bad: no answer in"); i++) {
		write_permission(w.e, "more", "api", "kind: Mesh",
		    i % 2 == 0 ? "Allow" : "Deny");
		cr_assert_eq(
		    egress_ctl_status(w.e, "reload", said, sizeof(said)), 0,
		    "%s", said);
	}
	cr_expect(says(&w, "checked: bad: no answer in time"), "%s",
	    egress_ctl(w.e, "clusters"));
	cr_expect_gt(i, 3, "it changed meanwhile");
	world_end(&w);
}

/* What came to a server may have been done there, whatever is configured. */
Test(health, nothing_that_may_have_been_done_is_sent_again)
{
	struct world w;
	struct ext_server *v[2];
	struct mesh_client m;
	const char *a;

	world_init(&w,
	    "services = ( " API "outlier = { consecutive_5xx = 1; }; breaker = "
	    "{ retries = 10; retry_minimum = 10; }; } );");
	for (int i = 0; i < 2; i++) {
		static const char *const names[] = { "one", "two" };

		v[i] =
		    world_serve(&w, &(struct ext_config){ .protocol = EXT_HTTP,
					.name = names[i],
					.fault = EXT_RESETS_LATE });
		write_es(w.e, &(struct es){ .name = names[i],
				  .service = "api",
				  .protocol = "http",
				  .port = ext_port(v[i]) });
	}
	world_start(&w);
	for (unsigned i = 1; i <= 4; i++) {
		call(&w, &m, "api");
		a = ask(&m, i % 2 == 0 ? "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
				       : "POST / HTTP/1.1\r\nHost: x\r\n"
					 "Content-Length: 2\r\n\r\nhi");
		cr_expect_eq(status_of(a), 503, "%s", a);
		mesh_close(&m);
		cr_expect_eq(
		    seen(v[0]).connections + seen(v[1]).connections, i);
	}
	world_end(&w);
}

#define ALL_OF_IT                                                          \
	"services = ( " API "outlier = { consecutive_5xx = 3; "            \
	"base_ejection_ms = 50; interval_ms = 20; "                        \
	"success_rate_stdev_factor = 1000; success_rate_minimum_hosts = "  \
	"2; success_rate_request_volume = 5; max_ejection_percent = 100; " \
	"}; breaker = { connections = 3; pending = 50; requests = 20; "    \
	"retries = 2; }; health = { check = \"http\"; interval_ms = 10; "  \
	"timeout_ms = 500; unhealthy_threshold = 1; }; } );"

#define ASKERS 4

/* Limits that are met, for the thread sanitizer too: it goes on. */
Test(health, workers_share_it_under_load_and_reloads)
{
	struct world w;
	struct ext_server *v[2];
	char said[1024];
	int status;

	start(&w, ALL_OF_IT, 4, v);
	for (int i = 0; i < ASKERS; i++)
		if (fork() == 0)
			_exit(good_ones(&w, 150) > 0 ? 0 : 1);
	for (int i = 0; i < 20; i++) {
		ext_set_status(v[i % 2], i % 4 < 2 ? 500 : 0);
		write_permission(
		    w.e, i % 2 == 0 ? "a" : "b", "api", "kind: Mesh", "Allow");
		if (i % 5 == 4)
			write_es(w.e, &(struct es){ .name = "two",
					  .service = "api",
					  .protocol = "http",
					  .port = ext_port(v[i / 5 % 2]) });
		cr_expect_eq(
		    egress_ctl_status(w.e, "reload", said, sizeof(said)), 0,
		    "%s", said);
		(void)says(&w, "api");
	}
	for (int i = 0; i < ASKERS; i++) {
		cr_assert(wait(&status) > 0);
		cr_expect_eq(status, 0);
	}
	ext_set_status(v[0], 0);
	ext_set_status(v[1], 0);
	cr_expect(WAIT_UNTIL(5000, good_ones(&w, 1) == 1));
	cr_expect(WAIT_UNTIL(5000, says(&w, "requests=0/20")));
	world_end(&w);
}
