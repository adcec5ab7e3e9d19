/* SPDX-License-Identifier: Apache-2.0 */
/*
 * In front of HAProxy: it closes after each answer, redirects what it has not
 * read, is silent, rejects, and is told to stop in the middle of a request.
 */

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "e2e/odd.h"

#define ANSWER \
	" http-request return status 200 content-type text/plain string x\n"
#define POST_ONE(path) \
	"POST " path " HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1"

static void
serve(struct world *w, const struct odd *o)
{
	write_es(w->e,
	    &(struct es){ .name = "api", .protocol = "http", .port = o->port });
}

Test(odd, haproxy_closes_after_each_answer)
{
	struct world w;
	struct odd o;
	struct mesh_client m;
	char request[128], line[64];

	ODD_NEEDS(HAPROXY);
	world_init(&w, NULL);
	odd_init(&o, &w);
	odd_run_haproxy(&o, &w, "", " option httpclose\n%s", ANSWER);
	serve(&w, &o);
	world_start(&w);
	call(&w, &m, "api");
	for (int i = 0; i < 20; i++) {
		(void)snprintf(request, sizeof(request),
		    "POST /%d HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n"
		    "1",
		    i);
		cr_expect_eq(status_of(ask(&m, request)), 200);
		(void)snprintf(line, sizeof(line), "POST /%d 200 ", i);
		cr_expect_eq(odd_saw(&o, line), 1, "%s", line);
	}
	mesh_close(&m);
	cr_expect_eq(
	    cluster_metric(w.e, "envoy_cluster_upstream_cx_total", "api"), 20);
	world_end(&w);
	odd_end(&o);
}

/* Its redirect comes before the body was read, and is passed on as it is. */
Test(odd, haproxy_redirects_what_it_has_not_read)
{
	struct rig r;
	struct odd o;
	struct h1_peer *p;
	struct message *m;
	const char *where;

	ODD_NEEDS(HAPROXY);
	rig_init(&r, NULL);
	odd_init(&o, &r.w);
	odd_run_haproxy(&o, &r.w, "",
	    " http-request redirect code 307 prefix https://new.example\n");
	serve(&r.w, &o);
	rig_start(&r);
	p = call_h1(&r, "api");
	m = h1_ask(p,
	    &(struct said){ .method = "POST", .path = "/old", .n = 3000000 });
	cr_expect(UNTIL(&r, m->ended));
	cr_expect_eq(m->status, 307);
	where = message_field(m, "location");
	cr_expect(
	    where != NULL && strcmp(where, "https://new.example/old") == 0);
	cr_expect_eq(odd_saw(&o, "POST /old 307 "), 1);
	cr_expect(has_outcome(r.w.e, "ok", "\"status\":307"), "%s",
	    egress_log_line(r.w.e, "/old", NULL));
	rig_end(&r);
	odd_end(&o);
}

/* Without the right to drop in silence, it resets. */
Test(odd, haproxy_drops_in_silence)
{
	struct world w;
	struct odd o;
	struct mesh_client m;
	int status;

	ODD_NEEDS(HAPROXY);
	world_init(&w, "services = ( { stream_idle_ms = 500; } );");
	odd_init(&o, &w);
	odd_run_haproxy(&o, &w, "",
	    " http-request silent-drop if { path /drop }\n%s", ANSWER);
	serve(&w, &o);
	world_start(&w);
	call(&w, &m, "api");
	cr_expect_eq(status_of(ask(&m, POST_ONE("/"))), 200);
	status = status_of(ask(&m, POST_ONE("/drop")));
	if (status == 503)
		cr_expect(has_outcome(w.e, "connection_terminated", "/drop"));
	else
		cr_expect(has_outcome(w.e, "http_response_timeout", "/drop"));
	cr_expect(status == 503 || status == 504, "%d", status);
	cr_expect_eq(odd_saw(&o, "POST /drop "), 1);
	cr_expect_eq(status_of(ask(&m, POST_ONE("/"))), 200);
	mesh_close(&m);
	world_end(&w);
	odd_end(&o);
}

Test(odd, haproxy_rejects_without_a_word)
{
	struct world w;
	struct odd o;
	struct mesh_client m;

	ODD_NEEDS(HAPROXY);
	world_init(&w, NULL);
	odd_init(&o, &w);
	odd_run_haproxy(&o, &w, "",
	    " http-request reject if { path_beg /reject }\n%s", ANSWER);
	serve(&w, &o);
	world_start(&w);
	call(&w, &m, "api");
	cr_expect_eq(status_of(ask(&m, POST_ONE("/reject"))), 503);
	cr_expect_eq(status_of(ask(&m, POST_ONE("/"))), 200);
	cr_expect_eq(status_of(ask(&m, POST_ONE("/reject"))), 503);
	cr_expect(WAIT_UNTIL(5000, odd_count(&o, "POST /reject ") == 2));
	cr_expect(has_outcome(w.e, "connection_terminated", "/reject"));
	mesh_close(&m);
	world_end(&w);
	odd_end(&o);
}

/* What it has begun it finishes; whoever comes later finds nobody. */
Test(odd, haproxy_stops_in_the_middle_of_a_request)
{
	struct rig r;
	struct odd o;
	struct h1_peer *p;
	struct message *m;

	ODD_NEEDS(HAPROXY);
	rig_init(&r, NULL);
	odd_init(&o, &r.w);
	odd_run_haproxy(
	    &o, &r.w, "", " http-request wait-for-body time 10s\n%s", ANSWER);
	serve(&r.w, &o);
	rig_start(&r);
	p = call_h1(&r, "api");
	m = h1_ask(p, &(struct said){ .method = "POST",
			  .path = "/slow",
			  .fields = "expect: 100-continue\n",
			  .body = "half",
			  .is_streamed = true,
			  .stays_open = true });
	/* It waits for the body. */
	cr_expect(UNTIL(&r, m->n_interim == 1));
	(void)kill(o.pid, SIGUSR1);
	cr_expect(UNTIL(&r, !program_answers(o.port)));
	h1_more(p, &(struct said){ .body = "rest", .stays_open = true });
	h1_finish(p, NULL);
	cr_expect(UNTIL(&r, m->ended));
	cr_expect_eq(m->status, 200);
	cr_expect_eq(odd_saw(&o, "POST /slow 200 "), 1);
	cr_expect(UNTIL(&r, program_has_ended(o.pid)));
	cr_expect_eq(status_of(get_once(&r.w, "api", "/late")), 503);
	cr_expect(has_outcome(r.w.e, "connection_refused", "/late"));
	rig_end(&r);
}
