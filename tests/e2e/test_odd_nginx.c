/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In front of nginx: it closes connections by number and by time, sends
 * GOAWAY, refuses streams, answers before it has read, and not at all.
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "e2e/odd.h"

#define CA "caCert: { secret: ext-ca }"
#define MANY 24

static void
serve(struct world *w, const struct odd *o, const char *protocol)
{
	write_es(
	    w->e, &(struct es){
		      .name = "api", .protocol = protocol, .port = o->port });
}

/* METHOD /WHERE/NUMBER as one caller's next request. */
static int
ask_for(struct mesh_client *m, const char *method, const char *where, int i)
{
	char request[256];

	(void)snprintf(request, sizeof(request),
	    "%s /%s/%d HTTP/1.1\r\nHost: x\r\n%s", method, where, i,
	    strcmp(method, "POST") == 0 ? "Content-Length: 4\r\n\r\nbody"
					: "\r\n");
	return status_of(ask(m, request));
}

/* What was answered was done once; what failed here, not at all. */
static void
check_once(const struct odd *o, const char *method, const char *where, int i,
    int status)
{
	char line[64];

	(void)snprintf(line, sizeof(line), "%s /%s/%d ", method, where, i);
	if (status == 200)
		(void)odd_saw(o, line);
	cr_expect_eq(odd_count(o, line), status == 200, "%s%d", line, status);
}

static const char *
method_of(int i)
{
	return i % 2 == 0 ? "GET" : "POST";
}

Test(odd, nginx_closes_after_so_many_requests)
{
	struct world w;
	struct odd o;
	struct mesh_client m;
	char where[16];

	ODD_NEEDS(NGINX);
	world_init(&w, NULL);
	odd_init(&o, &w);
	odd_run_nginx(&o, &w, "",
	    "location /1/ { keepalive_requests 1; return 200 x; }\n"
	    "location /2/ { keepalive_requests 2; return 200 x; }\n"
	    "location /3/ { keepalive_requests 3; return 200 x; }\n");
	serve(&w, &o, "http");
	world_start(&w);
	call(&w, &m, "api");
	for (int n = 1; n <= 3; n++) {
		(void)snprintf(where, sizeof(where), "%d", n);
		for (int i = 0; i < 12; i++) {
			cr_expect_eq(ask_for(&m, method_of(i), where, i), 200);
			check_once(&o, method_of(i), where, i, 200);
		}
	}
	mesh_close(&m);
	cr_expect(WAIT_UNTIL(
	    5000, egress_logged(w.e, "\"outcome\":\"ok\"", "\"path\"") == 36));
	cr_expect_eq(
	    cluster_metric(w.e, "envoy_cluster_upstream_rq_retry", "api"), 0,
	    "it says when it closes");
	world_end(&w);
	odd_end(&o);
}

/*
 * It closes while the next request is on its way, and does not read that: a
 * GET is asked again, a POST is not.
 */
Test(odd, nginx_closes_by_time)
{
	struct world w;
	struct odd o;
	struct mesh_client m;
	int status, failed = 0;

	ODD_NEEDS(NGINX);
	world_init(&w, NULL);
	odd_init(&o, &w);
	odd_run_nginx(
	    &o, &w, "", "keepalive_timeout 1ms;\nlocation / { return 200 x; }");
	serve(&w, &o, "http");
	world_start(&w);
	call(&w, &m, "api");
	for (int i = 0; i < 200; i++) {
		cr_expect_eq(ask_for(&m, "GET", "t", i), 200);
		check_once(&o, "GET", "t", i, 200);
	}
	for (int i = 0; i < 200; i++) {
		status = ask_for(&m, "POST", "t", i);
		cr_expect(status == 200 || status == 503, "%d", status);
		check_once(&o, "POST", "t", i, status);
		failed += status != 200;
	}
	mesh_close(&m);
	cr_expect_eq(
	    WAIT_UNTIL(5000,
		egress_logged(w.e, "\"outcome\":\"connection_terminated\"",
		    "\"POST\"") == (unsigned)failed),
	    true, "%d", failed);
	world_end(&w);
	odd_end(&o);
}

/* GET, POST, and POST with a body. */
static const char *
kind_of(int i)
{
	return i % 3 == 0 ? "GET" : "POST";
}

static bool
all_ended(struct message *const *m, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!m[i]->ended && !m[i]->was_reset)
			return false;
	return true;
}

/*
 * Many at a time over one connection.  A body that has gone out is not kept, so
 * its request cannot go elsewhere; all others are answered.
 */
static void
ask_many(struct rig *r, const struct odd *o, const char *where)
{
	struct h2_peer *c = call_h2(r, "api");
	struct message *m[MANY];
	const char *method;
	char path[32];

	for (int i = 0; i < MANY; i++) {
		(void)snprintf(path, sizeof(path), "/%s/%d", where, i);
		m[i] = h2_ask(c, &(struct said){ .method = kind_of(i),
				     .path = path,
				     .body = i % 3 == 2 ? "body" : NULL })
			   ->in;
	}
	cr_expect(UNTIL(r, all_ended(m, MANY)));
	for (int i = 0; i < MANY; i++) {
		method = kind_of(i);
		cr_expect(
		    m[i]->status == 200 || (m[i]->status == 503 && i % 3 == 2),
		    "%s %d: %d", where, i, m[i]->status);
		check_once(o, method, where, i, m[i]->status);
	}
}

static void
check_h2(const char *where, bool has_tls, const char *server)
{
	char tls[400] = "";
	struct rig r;
	struct odd o;

	rig_init(&r, NULL);
	odd_init(&o, &r.w);
	if (has_tls) {
		odd_certify(&o, &r.w, "odd.example");
		(void)snprintf(tls, sizeof(tls),
		    "ssl_certificate %s; ssl_certificate_key %s;", o.cert,
		    o.cert);
	}
	odd_run_nginx(&o, &r.w, has_tls ? "ssl http2" : "http2",
	    "%s\n%s\nlocation / { return 200 x; }", tls, server);
	write_es(r.w.e, &(struct es){ .name = "api",
			    .protocol = "http2",
			    .host = has_tls ? "odd.example" : NULL,
			    .port = o.port,
			    .tls = has_tls ? CA : NULL });
	rig_start(&r);
	ask_many(&r, &o, where);
	ask_many(&r, &o, "again");
	cr_expect(WAIT_UNTIL(5000,
	    egress_logged(r.w.e, "\"outcome\":\"ok\"", "\"path\"") +
		    egress_logged(r.w.e, "\"outcome\":\"http_request_refused\"",
			"\"path\"") ==
		2 * MANY));
	rig_end(&r);
	odd_end(&o);
}

/* What comes behind its GOAWAY was not done, and goes elsewhere. */
Test(odd, nginx_goes_away_in_the_middle)
{
	ODD_NEEDS(NGINX);
	check_h2("away", false, "keepalive_requests 10;");
}

Test(odd, nginx_goes_away_in_the_middle_of_tls)
{
	ODD_NEEDS(NGINX);
	check_h2("away", true, "keepalive_requests 12;");
}

/* Streams beyond what its SETTINGS allow, before they came. */
Test(odd, nginx_refuses_streams)
{
	ODD_NEEDS(NGINX);
	check_h2("few", false, "http2_max_concurrent_streams 1;");
}

/* Bodies before its SETTINGS were acknowledged. */
Test(odd, nginx_refuses_early_bodies)
{
	ODD_NEEDS(NGINX);
	check_h2("body", false, "http2_body_preread_size 0;");
}

/* An answer before the request was read: it comes, and nothing is repeated. */
static void
check_early(struct rig *r, const struct odd *o, bool is_streamed, int i,
    const char *where, int status)
{
	struct h1_peer *p = call_h1(r, "api");
	struct message *m;
	char path[32], line[64];

	(void)snprintf(path, sizeof(path), "/%s/%d", where, i);
	m = h1_ask(p, &(struct said){ .method = "POST",
			  .path = path,
			  .n = 3000000,
			  .is_streamed = is_streamed });
	cr_expect(UNTIL(r, m->ended), "%s", path);
	cr_expect_eq(m->status, status, "%s: %d", path, m->status);
	(void)snprintf(line, sizeof(line), "POST %s ", path);
	cr_expect_eq(odd_saw(o, line), 1, "%s", path);
	(void)snprintf(line, sizeof(line), "\"path\":\"%s\"", path);
	cr_expect_not_null(egress_log_line(r->w.e, line, "\"outcome\":\"ok\""),
	    "%s", egress_log_line(r->w.e, line, NULL));
}

static void
check_early_answers(const char *listen, const char *protocol)
{
	struct rig r;
	struct odd o;

	rig_init(&r, NULL);
	odd_init(&o, &r.w);
	odd_run_nginx(&o, &r.w, listen,
	    "location /sink { access_log off; client_max_body_size 10m; "
	    "return 200 x; }\n"
	    "location /full/ { client_max_body_size 1k; proxy_pass "
	    "http://unix:%s/sink:/sink; }\n"
	    "location /no/ { client_max_body_size 10m; return 403 x; }\n"
	    "listen unix:%s/sink;\n",
	    r.w.home, r.w.home);
	serve(&r.w, &o, protocol);
	rig_start(&r);
	for (int i = 0; i < 4; i++) {
		check_early(&r, &o, i % 2 == 1, i, "full", 413);
		check_early(&r, &o, i % 2 == 1, i, "no", 403);
	}
	rig_end(&r);
	odd_end(&o);
}

Test(odd, nginx_answers_before_it_has_read)
{
	ODD_NEEDS(NGINX);
	check_early_answers("", "http");
}

Test(odd, nginx_answers_before_it_has_read_a_stream)
{
	ODD_NEEDS(NGINX);
	check_early_answers("http2", "http2");
}

/* Closed or reset without an answer: the request may have been done. */
static void
check_silence(const char *listen, const char *protocol, const char *outcome)
{
	struct world w;
	struct odd o;
	struct mesh_client m;

	world_init(&w, NULL);
	odd_init(&o, &w);
	odd_run_nginx(&o, &w, listen,
	    "location / { return 200 x; }\nlocation /gone/ { return 444; }");
	serve(&w, &o, protocol);
	world_start(&w);
	call(&w, &m, "api");
	cr_expect_eq(ask_for(&m, "POST", "gone", 1), 503);
	cr_expect_eq(odd_saw(&o, "POST /gone/1 444 "), 1);
	cr_expect(has_outcome(w.e, outcome, "/gone/1"), "%s",
	    egress_log_line(w.e, "/gone/1", NULL));
	/* On a connection that was used before, too. */
	cr_expect_eq(ask_for(&m, "POST", "here", 2), 200);
	cr_expect_eq(ask_for(&m, "POST", "gone", 3), 503);
	cr_expect_eq(odd_saw(&o, "POST /gone/3 444 "), 1);
	cr_expect_eq(ask_for(&m, "GET", "gone", 4), 503);
	cr_expect_leq(odd_saw(&o, "GET /gone/4 444 "), 2);
	cr_expect_eq(ask_for(&m, "POST", "here", 5), 200);
	mesh_close(&m);
	world_end(&w);
	odd_end(&o);
}

Test(odd, nginx_closes_without_a_word)
{
	ODD_NEEDS(NGINX);
	check_silence("", "http", "connection_terminated");
}

Test(odd, nginx_ends_a_stream_without_a_word)
{
	ODD_NEEDS(NGINX);
	check_silence("http2", "http2", "http_request_refused");
}
