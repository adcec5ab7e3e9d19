/* SPDX-License-Identifier: Apache-2.0 */
/* Which version of HTTP is spoken with servers, and with which callers. */

#include <stdio.h>
#include <string.h>

#include "e2e/peers.h"

/* Services are named after their rows. */
#define CONFIG                                                        \
	"services = ( { match = { service = \"s8\"; }; "              \
	"http2_fallback = true; }, { match = { service = \"s9\"; }; " \
	"http2_fallback = true; } );"

/* What is offered, what is chosen, and what becomes of a GET. */
static const struct row {
	const char *protocol;
	struct server_options server;
	const char *offered;
	int status;
	bool is_h2;
} rows[] = {
	{ "http2", { .alpn = "h2" }, "h2", 200, true },
	{ "grpc", { .alpn = "h2" }, "h2", 200, true },
	{ "http", { .alpn = "http/1.1" }, "http/1.1", 200, false },
	/* The server picks nothing: the service's protocol holds. */
	{ "http2", { .alpn = NULL }, "h2", 200, true },
	{ "http", { .is_h1 = true }, "http/1.1", 200, false },
	/* Another one than was offered. */
	{ "http2", { .alpn = "http/1.1", .insists = true }, "h2", 503, false },
	{ "grpc", { .alpn = "http/1.1", .insists = true }, "h2", 503, false },
	{ "http", { .alpn = "h2", .insists = true }, "http/1.1", 503, false },
	/* The configuration allows it. */
	{ "http2", { .alpn = "http/1.1" }, "h2,http/1.1", 200, false },
	{ "http2", { .alpn = "h2" }, "h2,http/1.1", 200, true },
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static void
check_row(struct rig *r, size_t i, const struct server *s)
{
	const char *metric = rows[i].is_h2
				 ? "envoy_cluster_upstream_cx_http2_total"
				 : "envoy_cluster_upstream_cx_http1_total";
	char service[16], quoted_service[32];
	const struct line *up = NULL;
	struct message *m;

	(void)snprintf(service, sizeof(service), "s%zu", i);
	(void)snprintf(quoted_service, sizeof(quoted_service),
	    "\"service\":\"%s\"", service);
	m = get_h2(r, call_h2(r, service), "/");
	cr_expect_eq(m->status, rows[i].status, "row %zu: %d", i, m->status);
	for (size_t k = 0; k < r->lines.n; k++)
		if (r->lines.v[k]->door == s->door)
			up = r->lines.v[k];
	cr_assert_not_null(up, "row %zu", i);
	cr_expect_str_eq(up->offered, rows[i].offered, "row %zu", i);
	if (rows[i].status != 200) {
		cr_expect(
		    has_outcome(r->w.e, "http_protocol_error", quoted_service),
		    "row %zu", i);
		return;
	}
	cr_expect_eq(s->came[0].h2 != NULL, rows[i].is_h2, "row %zu", i);
	cr_expect_eq(cluster_metric(r->w.e, metric, service), 1, "row %zu", i);
}

Test(h2_alpn, servers)
{
	struct server_options o;
	struct server *s[N_ROWS];
	char service[16], name[32];
	struct rig r;

	rig_init(&r, CONFIG);
	for (size_t i = 0; i < N_ROWS; i++) {
		(void)snprintf(service, sizeof(service), "s%zu", i);
		(void)snprintf(name, sizeof(name), "s%zu.example", i);
		o = rows[i].server;
		o.name = name;
		s[i] = rig_serve(&r, &o);
		rig_service(&r, service, rows[i].protocol, s[i]);
		s[i]->options.name = "";
	}
	rig_start(&r);
	for (size_t i = 0; i < N_ROWS; i++)
		check_row(&r, i, s[i]);
	rig_end(&r);
}

/* A server that answers in HTTP/1.1 to a preface of HTTP/2. */
Test(h2_alpn, a_plain_server_of_the_wrong_version)
{
	struct rig r;
	struct server *s = rig_start_one(&r, NULL, "http2",
	    &(struct server_options){ .is_h1 = true, .is_manual = true });
	struct h2_peer *c = call_h2(&r, "api");
	struct message *m =
	    h2_ask(c, &(struct said){ .method = "POST", .body = "x" })->in;

	h1_say(came_h1(s, 0), "HTTP/1.1 400 Bad Request\r\n"
			      "Content-Length: 0\r\n\r\n");
	cr_expect(UNTIL(&r, m->ended));
	cr_expect_eq(m->status, 503, "%d", m->status);
	cr_expect(has_outcome(r.w.e, "http_protocol_error", NULL));
	cr_expect_eq(cluster_metric(r.w.e,
			 "envoy_cluster_upstream_cx_protocol_error", "api"),
	    1);
	rig_end(&r);
}

/* And the other way round. */
Test(h2_alpn, a_plain_server_that_speaks_too_new)
{
	struct rig r;
	struct h1_peer *c;
	struct message *m;

	(void)rig_start_one(
	    &r, NULL, "http", &(struct server_options){ .name = NULL });
	c = call_h1(&r, "api");
	m = h1_ask(c, &(struct said){ .path = "/" });
	cr_expect(UNTIL(&r, m->ended));
	cr_expect_geq(m->status, 502, "%d", m->status);
	rig_end(&r);
}

/* What callers offer, and what is chosen of it. */
Test(h2_alpn, callers)
{
	static const struct {
		const char *offered, *chosen;
	} offers[] = {
		{ "h2", "h2" },
		{ "http/1.1", "http/1.1" },
		{ "http/1.1,h2", "h2" },
		{ "h2,http/1.1", "h2" },
		{ "kuma", "" },
		{ NULL, "" },
		{ "spdy/3", "" },
	};
	struct rig r;

	(void)rig_start_one(
	    &r, NULL, "http", &(struct server_options){ .is_h1 = true });
	for (size_t i = 0; i < sizeof(offers) / sizeof(offers[0]); i++) {
		struct mesh_options o = caller(&r.w, "api");
		struct party p = { NULL, NULL };
		struct message *m;
		struct line *l;

		o.alpn = offers[i].offered;
		l = line_call(&r.lines, &o);
		cr_assert_not_null(l, "row %zu", i);
		cr_expect_str_eq(l->alpn, offers[i].chosen, "row %zu", i);
		if (strcmp(offers[i].chosen, "h2") == 0)
			p.h2 = h2_peer_new(l, &(struct h2_options){ 0 });
		else
			p.h1 = h1_peer_new(l, &(struct h1_options){ 0 });
		m = get(&r, &p, "/");
		cr_expect(m != NULL && m->status == 200, "row %zu", i);
	}
	rig_end(&r);
}

/* What was agreed on holds. */
Test(h2_alpn, a_caller_that_speaks_another_version_than_agreed)
{
	struct rig r;
	struct mesh_options o;
	struct line *l;
	struct h2_peer *p;
	struct h1_peer *q;

	(void)rig_start_one(
	    &r, NULL, "http", &(struct server_options){ .is_h1 = true });
	o = caller(&r.w, "api");
	o.alpn = "h2";
	q = h1_peer_new(line_call(&r.lines, &o), &(struct h1_options){ 0 });
	h1_say(q, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	cr_expect(UNTIL(&r, q->line->end != LINE_OPEN));
	o.alpn = "http/1.1";
	l = line_call(&r.lines, &o);
	p = h2_peer_new(l, &(struct h2_options){ 0 });
	(void)h2_ask(p, &(struct said){ .path = "/" });
	cr_expect(UNTIL(&r, l->end != LINE_OPEN));
	cr_expect(has_outcome(r.w.e, "http_request_error", NULL));
	rig_end(&r);
}
