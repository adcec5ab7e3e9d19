/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Endpoints that are left out where the way to them is not the plain one:
 * names of a wildcard, parent proxies, SRV, answers of gRPC; and how soon.
 */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "e2e/peers.h"
#include "support/parent_proxy.h"

#define API "services = ( { match = { service = \"api\"; }; "

static bool
says(struct world *w, const char *text)
{
	return strstr(egress_ctl(w->e, "clusters"), text) != NULL;
}

static struct parent_proxy_seen
asked(struct parent_proxy *p)
{
	struct parent_proxy_seen s;

	parent_proxy_get(p, &s);
	return s;
}

static int
ask_host(struct world *w, const char *host)
{
	struct mesh_client m;
	char request[128];
	int status;

	(void)snprintf(request, sizeof(request),
	    "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host);
	call(w, &m, "s3");
	status = status_of(ask(&m, request));
	mesh_close(&m);
	return status;
}

static int
good_of(struct world *w, const char *host, int n)
{
	int good = 0;

	for (int i = 0; i < n; i++)
		good += ask_host(w, host) == 200;
	return good;
}

/* Servers one and two of the names a and b: a's are v[0] and v[1]. */
static void
start_names(struct world *w, struct ext_server *v[4])
{
	static const char *const names[] = { "one", "two" };
	struct ext_config c = { .protocol = EXT_HTTP, .name = "s" };

	world_init_with(w,
	    &(struct egress_options){ .allow = "127.0.0.2/31",
		.config =
		    "services = ( { match = { service = \"s3\"; }; wildcard = "
		    "\"*.s3.test\"; outlier = { consecutive_5xx = 3; "
		    "max_ejection_percent = 50; }; } );" });
	for (int i = 0; i < 2; i++) {
		c.port = 0;
		c.address = "127.0.0.2";
		v[i] = world_serve(w, &c);
		c.port = ext_port(v[i]);
		c.address = "127.0.0.3";
		v[i + 2] = world_serve(w, &c);
		write_es(w->e, &(struct es){ .name = names[i],
				   .service = "s3",
				   .protocol = "http",
				   .host = "s3.test",
				   .port = c.port });
	}
	world_name(w, "a.s3.test", "127.0.0.2");
	world_name(w, "b.s3.test", "127.0.0.3");
	world_start(w);
}

/* What one name's endpoint does is not held against that of another. */
Test(ejection, inside_one_name_of_a_wildcard)
{
	struct world w;
	struct ext_server *v[4];
	unsigned before;

	start_names(&w, v);
	ext_set_status(v[0], 500);
	cr_expect(WAIT_UNTIL(5000, ask_host(&w, "a.s3.test") == 200 &&
				       egress_said(w.e, "is left out for")));
	before = seen(v[0]).requests;
	cr_expect_eq(good_of(&w, "a.s3.test", 10), 10);
	cr_expect_eq(seen(v[0]).requests, before);
	cr_expect_eq(good_of(&w, "b.s3.test", 10), 10);
	cr_expect_gt(seen(v[2]).requests, 0, "the same port, another name");
	cr_expect_gt(seen(v[3]).requests, 0);
	world_end(&w);
}

/* Checks go where requests go, and say that they speak for themselves. */
Test(ejection, checks_through_a_proxy_with_an_introduction)
{
	struct parent_proxy *p = parent_proxy_start(
	    &(struct parent_proxy_options){ .is_socks = false });
	struct ext_server *s;
	char config[512];
	struct world w;

	(void)snprintf(config, sizeof(config),
	    API "proxy = \"http://127.0.0.1:%u\"; proxy_protocol = \"v2\"; "
		"health = { check = \"http\"; interval_ms = 50; timeout_ms = "
		"1000; unhealthy_threshold = 1; }; } );",
	    (unsigned)parent_proxy_port(p));
	world_init(&w, config);
	s = world_serve(
	    &w, &(struct ext_config){
		    .protocol = EXT_HTTP, .name = "s", .wants_proxy = true });
	write_es(w.e, &(struct es){ .name = "one",
			  .service = "api",
			  .protocol = "http",
			  .host = "only-the-proxy-knows.example",
			  .port = ext_port(s) });
	world_start(&w);
	cr_expect(WAIT_UNTIL(5000, says(&w, "checked: good")));
	cr_expect_gt(asked(p).tunnels, 0);
	cr_expect_eq(strncmp(asked(p).target, "only-the-proxy-knows", 20), 0,
	    "%s", asked(p).target);
	cr_expect_gt(seen(s).introduced, 0);
	cr_expect(seen(s).proxy.is_local);
	cr_expect_str_eq(seen(s).proxy.spiffe, "");
	ext_set_status(s, 500);
	cr_expect(WAIT_UNTIL(5000, says(&w, "checked: bad: status 500")));
	ext_set_status(s, 0);
	cr_expect(WAIT_UNTIL(5000, says(&w, "checked: good")));
	world_end(&w);
	parent_proxy_stop(p);
}

/* Service api of SRV behind p, whose targets are two servers. */
static void
start_srv(struct world *w, struct parent_proxy *p, struct ext_server *v[2])
{
	static const char *const local[] = { "127.0.0.1", NULL };
	const struct dns_server_answer a = { .a = local, .ttl_s = 300 };
	struct dns_server_srv srv[] = {
		{ 10, 1, 0, "a.example" },
		{ 20, 1, 0, "b.example" },
		{ 0, 0, 0, NULL },
	};
	char config[512];

	(void)snprintf(config, sizeof(config),
	    API "srv = true; proxy = \"http://127.0.0.1:%u\"; outlier = { "
		"consecutive_5xx = 3; max_ejection_percent = 50; }; } );",
	    (unsigned)parent_proxy_port(p));
	world_init(w, config);
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

/* The proxy is asked for targets, and the one that answers badly is left out.
 */
Test(ejection, a_target_of_srv_behind_a_proxy)
{
	struct parent_proxy *p = parent_proxy_start(
	    &(struct parent_proxy_options){ .is_socks = false });
	struct ext_server *v[2];
	char text[128], target[64];
	struct world w;
	unsigned before;

	start_srv(&w, p, v);
	(void)snprintf(
	    target, sizeof(target), "127.0.0.1:%u", (unsigned)ext_port(v[0]));
	cr_expect_eq(status_of(get_once(&w, "api", "/")), 200);
	cr_expect_str_eq(asked(p).target, target);
	cr_expect_eq(seen(v[1]).requests, 0, "it is of a later priority");
	ext_set_status(v[0], 500);
	(void)snprintf(text, sizeof(text), "one %s target ejected", target);
	cr_expect(WAIT_UNTIL(5000, status_of(get_once(&w, "api", "/")) == 200 &&
				       says(&w, text)),
	    "%s", egress_ctl(w.e, "clusters"));
	before = seen(v[0]).requests;
	for (int i = 0; i < 10; i++)
		cr_expect_eq(status_of(get_once(&w, "api", "/")), 200);
	cr_expect_eq(seen(v[0]).requests, before);
	cr_expect_geq(seen(v[1]).requests, 10);
	(void)snprintf(
	    target, sizeof(target), "127.0.0.1:%u", (unsigned)ext_port(v[1]));
	cr_expect_str_eq(asked(p).target, target);
	world_end(&w);
	parent_proxy_stop(p);
}

/* What the server of gRPC ends each call with. */
struct ending {
	const char *status;
	bool is_head_only; /* in the head; else in trailers */
};

static void
on_call(struct h2_talk *t, void *arg)
{
	const struct ending *e = arg;
	char fields[96];

	if (!t->in->ended || t->is_answered || t->in->was_reset)
		return;
	(void)snprintf(fields, sizeof(fields),
	    "content-type: application/grpc\n%s",
	    e->is_head_only ? e->status : "");
	h2_answer(t, &(struct said){ .status = 200,
			 .fields = fields,
			 .body = e->is_head_only ? NULL : "\0\0\0\0",
			 .n = e->is_head_only ? 0 : 5,
			 .trailers = e->is_head_only ? NULL : e->status });
}

static void
invoke(struct rig *r, struct h2_peer *c, int n)
{
	for (int i = 0; i < n; i++) {
		struct message *m =
		    h2_ask(c, &(struct said){ .method = "POST",
				  .path = "/pkg.Svc/Call",
				  .fields = "content-type: application/grpc\n"
					    "te: trailers\n" })
			->in;

		cr_assert(UNTIL(r, m->ended));
		cr_expect_eq(m->status, 200);
	}
}

static double
ejections(struct rig *r)
{
	return cluster_metric(r->w.e,
	    "envoy_cluster_outlier_detection_ejections_enforced_total", "api");
}

static void
check_grpc(bool is_head_only)
{
	struct ending e = { "grpc-status: 5\n", is_head_only };
	struct server_options o = { .name = "grpc.example",
		.alpn = "h2",
		.on_request = on_call,
		.arg = &e };
	struct h2_peer *c;
	struct rig r;

	(void)rig_start_one(&r,
	    API "outlier = { consecutive_gateway_failure = 3; }; } );", "grpc",
	    &o);
	c = call_h2(&r, "api");
	invoke(&r, c, 5);
	cr_expect_eq(ejections(&r), 0, "NOT_FOUND is an answer");
	e.status = "grpc-status: 14\n";
	invoke(&r, c, 2);
	e.status = "grpc-status: 0\n";
	invoke(&r, c, 1);
	e.status = "grpc-status: 14\n";
	invoke(&r, c, 2);
	cr_expect_eq(ejections(&r), 0, "not in a row");
	invoke(&r, c, 1);
	cr_expect_eq(ejections(&r), 1);
	cr_expect(says(&r.w, "ejected"));
	rig_end(&r);
}

Test(ejection, by_the_status_of_grpc_in_trailers)
{
	check_grpc(false);
}

Test(ejection, by_the_status_of_grpc_in_the_head)
{
	check_grpc(true);
}

static int64_t
now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

#define INTERVAL_MS 1000
/* For what lies between two requests, on a machine that does much else. */
#define MORE_MS 300

/* From the first bad answer to when the last request to it was begun. */
static int64_t
last_after(struct world *w, struct ext_server *bad)
{
	int64_t first = 0, last = 0, begun = now_ms(), end = begun + 10000;
	unsigned before;

	while (begun < end) {
		before = seen(bad).requests;
		begun = now_ms();
		(void)get_once(w, "api", "/");
		if (seen(bad).requests == before)
			continue;
		last = begun;
		if (first == 0) {
			first = now_ms();
			end = first + 4 * INTERVAL_MS;
		}
	}
	cr_expect_gt(first, 0);
	return last - first;
}

/* By percentage, which is looked at once an interval: the slowest there is. */
Test(ejection, takes_no_longer_than_an_interval)
{
	static const char *const names[] = { "one", "two" };
	struct ext_server *v[2];
	struct world w;
	int64_t took;

	world_init_with(&w,
	    &(struct egress_options){ .workers = 2,
		.config = API
		"outlier = { failure_percentage_threshold = 1; "
		"failure_percentage_minimum_hosts = 1; "
		"failure_percentage_request_volume = 1; interval_ms = 1000; "
		"base_ejection_ms = 60000; }; } );" });
	for (int i = 0; i < 2; i++) {
		v[i] =
		    world_serve(&w, &(struct ext_config){ .protocol = EXT_HTTP,
					.name = names[i] });
		write_es(w.e, &(struct es){ .name = names[i],
				  .service = "api",
				  .protocol = "http",
				  .port = ext_port(v[i]) });
	}
	world_start(&w);
	ext_set_status(v[0], 500);
	took = last_after(&w, v[0]);
	cr_expect_leq(took, INTERVAL_MS + MORE_MS, "%jd ms", (intmax_t)took);
	cr_expect(egress_said(w.e, "endpoint one is left out for 60000 ms"));
	world_end(&w);
}
