/* SPDX-License-Identifier: Apache-2.0 */
/* What the access log and the metrics say of requests of HTTP/2. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "e2e/peers.h"

static void
check_has(const char *line, const char *const *texts, size_t n)
{
	cr_assert_not_null(line);
	for (size_t i = 0; i < n; i++)
		cr_expect(strstr(line, texts[i]) != NULL, "no %s in %s",
		    texts[i], line);
}

#define HAS(line, ...)                                        \
	check_has(line, (const char *const[]){ __VA_ARGS__ }, \
	    sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

/* "name":12.5 in a line of JSON; -1: it has none. */
static double
number(const char *line, const char *name)
{
	char key[64];
	const char *at;

	(void)snprintf(key, sizeof(key), "\"%s\":", name);
	at = strstr(line, key);
	return at == NULL ? -1 : strtod(at + strlen(key), NULL);
}

Test(h2_log, a_request)
{
	struct rig r;
	struct h2_peer *c;
	struct h2_talk *t;
	const char *line;

	(void)rig_start_one(
	    &r, NULL, "http2", &(struct server_options){ .name = NULL });
	c = call_h2(&r, "api");
	cr_expect_eq(get_h2(&r, c, "/first")->status, 200);
	t = h2_ask(c,
	    &(struct said){
		.method = "POST", .path = "/bytes/70000?secret=1", .n = 300 });
	cr_expect(UNTIL(&r, t->in->ended));
	line = egress_log_line(
	    r.w.e, "\"kind\":\"request\"", "\"method\":\"POST\"");
	HAS(line, "\"http\":\"2\"", "\"stream\":3", "\"path\":\"/bytes/70000\"",
	    "\"authority\":\"caller.example\"", "\"status\":200",
	    "\"bytes_in\":300", "\"reused\":1", "\"outcome\":\"ok\"",
	    "\"protocol\":\"http2\"", "\"request_id\":\"");
	cr_expect_null(strstr(line, "secret"));
	cr_expect_null(strstr(line, "grpc_status"));
	cr_expect_geq(number(line, "last_byte_ms"), 0);
	cr_expect_geq(
	    number(line, "last_byte_ms"), number(line, "first_byte_ms"));
	cr_expect_geq(
	    number(line, "duration_ms"), number(line, "last_byte_ms"));
	line_close(c->line);
	line =
	    egress_log_line(r.w.e, "\"kind\":\"connection\"", "\"requests\":2");
	HAS(line, "\"outcome\":\"ok\"");
	rig_end(&r);
}

/* A caller of HTTP/1.1 of the same service. */
Test(h2_log, versions)
{
	struct rig r;
	struct h1_peer *c;
	struct message *m;
	const char *line;

	(void)rig_start_one(&r, "access_log_query = true;", "http2",
	    &(struct server_options){ .name = NULL });
	c = call_h1(&r, "api");
	m = h1_ask(c, &(struct said){ .path = "/q?a=1" });
	cr_expect(UNTIL(&r, m->ended));
	line = egress_log_line(r.w.e, "\"path\":\"/q?a=1\"", NULL);
	HAS(line, "\"http\":\"1.1\"", "\"status\":200");
	cr_expect_null(strstr(line, "\"stream\":"));
	cr_expect_eq(get_h2(&r, call_h2(&r, "api"), "/r?b=2")->status, 200);
	HAS(egress_log_line(r.w.e, "\"path\":\"/r?b=2\"", NULL),
	    "\"http\":\"2\"", "\"stream\":1");
	rig_end(&r);
}

Test(h2_log, metrics)
{
	struct rig r;
	struct server *s = rig_start_one(
	    &r, NULL, "http2", &(struct server_options){ .is_manual = true });
	struct h2_peer *c = call_h2(&r, "api");
	struct h1_peer *old = call_h1(&r, "api");
	struct h2_talk *t;
	struct message *m;

	t = h2_ask(c, &(struct said){ .path = "/bytes/1000" });
	m = h1_ask(old, &(struct said){ .path = "/" });
	(void)came_talk(came_h2(s, 0), &r, 1);
	cr_expect_eq(
	    cluster_metric(r.w.e, "envoy_cluster_upstream_rq_active", "api"),
	    2);
	for (size_t i = 0; i < 2; i++)
		h2_answer(came_h2(s, 0)->talks[i],
		    &(struct said){ .status = 200, .n = 1000 });
	cr_expect(UNTIL(&r, t->in->ended && m->ended));
	t = h2_ask(c, &(struct said){ .path = "/" });
	(void)came_talk(came_h2(s, 0), &r, 2);
	h2_reset(t, CODE_CANCEL);
	cr_expect(UNTIL(&r, came_h2(s, 0)->talks[2]->in->was_reset));
	cr_expect_eq(
	    egress_metric(r.w.e, "envoy_http_downstream_cx_http2_total"), 1);
	cr_expect_eq(
	    egress_metric(r.w.e, "envoy_http_downstream_cx_http1_total"), 1);
	cr_expect_eq(egress_metric(r.w.e, "envoy_http_downstream_rq_total"), 3);
	cr_expect_eq(
	    egress_metric(r.w.e, "envoy_http_downstream_rq_active"), 0);
	cr_expect_eq(egress_metric(r.w.e, "envoy_http2_rx_reset"), 1);
	cr_expect_eq(cluster_metric(
			 r.w.e, "envoy_cluster_upstream_cx_http2_total", "api"),
	    1);
	cr_expect_eq(
	    cluster_metric(r.w.e, "envoy_cluster_http2_tx_reset", "api"), 1);
	cr_expect_eq(
	    cluster_metric(r.w.e, "envoy_cluster_upstream_rq_total", "api"), 3);
	cr_expect_eq(
	    cluster_metric(r.w.e, "envoy_cluster_upstream_rq_active", "api"),
	    0);
	rig_end(&r);
}
