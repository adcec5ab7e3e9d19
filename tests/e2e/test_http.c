/* SPDX-License-Identifier: Apache-2.0 */
/* Requests and answers as they should be: framing both ways, and heads. */

#include <stdio.h>
#include <stdlib.h>
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
	world_name(w, "api.example", "127.0.0.1");
	write_es(w->e, &(struct es){ .name = "named",
			   .protocol = "http",
			   .host = "api.example",
			   .port = ext_port(s) });
	world_start(w);
	return s;
}

Test(http, keep_alive_and_one_pooled_connection)
{
	struct world w;
	struct mesh_client m;
	struct ext_server *s = start(&w, NULL);

	call(&w, &m, "api");
	for (int i = 0; i < 20; i++)
		cr_expect_eq(status_of(ask_get(&m, "/")), 200);
	mesh_close(&m);
	cr_expect_eq(seen(s).requests, 20);
	cr_expect_eq(seen(s).connections, 1);
	cr_expect(has_outcome(w.e, "ok", "\"requests\":20"));
	cr_expect(has_outcome(w.e, "ok", "\"reused\":1"));
	world_end(&w);
}

Test(http, pipelined_requests_are_answered_in_order)
{
	struct world w;
	struct mesh_client m;
	char all[4096] = "", line[32], a[4096];
	size_t n = 0;

	(void)start(&w, NULL);
	for (int i = 0; i < 20; i++)
		n += (size_t)snprintf(all + n, sizeof(all) - n,
		    "GET /n%d HTTP/1.1\r\nHost: x\r\n\r\n"
		    "POST /p%d HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
		    "\r\nabc",
		    i, i);
	call(&w, &m, "api");
	cr_assert(mesh_write(&m, all, n));
	for (int i = 0; i < 20; i++) {
		cr_assert(mesh_read_response(&m, a, sizeof(a)));
		(void)snprintf(line, sizeof(line), "GET /n%d HTTP", i);
		cr_expect(strstr(a, line) != NULL, "%d: %s", i, a);
		cr_assert(mesh_read_response(&m, a, sizeof(a)));
		(void)snprintf(line, sizeof(line), "POST /p%d HTTP", i);
		cr_expect(strstr(a, line) != NULL, "%d: %s", i, a);
		cr_expect(strstr(a, "body 3\nabc") != NULL, "%d: %s", i, a);
	}
	mesh_close(&m);
	world_end(&w);
}

Test(http, bodies_of_requests)
{
	static const struct {
		const char *head, *body, *want;
	} rows[] = {
		{ "Content-Length: 5\r\n", "12345", "body 5\n12345" },
		{ "Content-Length: 0\r\n", "", "body 0\n" },
		{ "Transfer-Encoding: chunked\r\n",
		    "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", "body 5\nabcde" },
		{ "Transfer-Encoding: chunked\r\n", "0\r\n\r\n", "body 0\n" },
		{ "Transfer-Encoding: chunked\r\nTrailer: x-sum\r\n",
		    "3\r\nabc\r\n0\r\nx-sum: 7\r\n\r\n",
		    "body 3\nabc\ntrailer x-sum: 7" },
		{ "Transfer-Encoding: Chunked\r\n",
		    "3;ext=\"1\"\r\nabc\r\n0\r\n\r\n", "body 3\nabc" },
	};
	struct world w;
	struct mesh_client m;
	char request[512];
	const char *a;

	(void)start(&w, NULL);
	call(&w, &m, "api");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)snprintf(request, sizeof(request),
		    "POST / HTTP/1.1\r\nHost: x\r\n%s\r\n%s", rows[i].head,
		    rows[i].body);
		a = ask(&m, request);
		cr_expect(strstr(a, rows[i].want) != NULL, "row %zu: %s", i, a);
	}
	mesh_close(&m);
	world_end(&w);
}

Test(http, bodies_of_answers)
{
	struct world w;
	struct mesh_client m;
	const char *a;

	(void)start(&w, NULL);
	call(&w, &m, "api");
	a = ask_get(&m, "/bytes/5");
	cr_expect(strcasestr(a, "content-length: 5\r\n") != NULL, "%s", a);
	cr_expect(strstr(a, "\r\n\r\nbbbbb") != NULL);
	a = ask_get(&m, "/chunked/5");
	cr_expect(strcasestr(a, "transfer-encoding: chunked") != NULL);
	cr_expect(strstr(a, "bbbbb\r\n0\r\n\r\n") != NULL, "%s", a);
	/* Without a length: chunked for us, so that the caller may stay. */
	a = ask_get(&m, "/toclose/5");
	cr_expect_eq(status_of(a), 200, "%s", a);
	cr_expect(strstr(a, "bbbbb") != NULL, "%s", a);
	a = ask_get(&m, "/trailers");
	cr_expect(strstr(a, "0\r\nx-sum: 42\r\n\r\n") != NULL, "%s", a);
	a = ask_get(&m, "/http10");
	cr_expect(strstr(a, "old") != NULL, "%s", a);
	cr_expect_eq(strncmp(a, "HTTP/1.1 200", 12), 0, "%s", a);
	a = ask_get(&m, "/bytes/0");
	cr_expect(strcasestr(a, "content-length: 0\r\n") != NULL, "%s", a);
	mesh_close(&m);
	world_end(&w);
}

/* Streamed, not gathered: 50 MB each way, and the memory stays. */
Test(http, large_bodies_are_streamed)
{
	static char block[65536], head[1024];
	struct world w;
	struct mesh_client m;
	uint64_t n = 0, got;
	size_t before;

	(void)start(&w, NULL);
	memset(block, 'u', sizeof(block));
	call(&w, &m, "api");
	cr_expect_eq(status_of(ask_get(&m, "/")), 200);
	before = egress_rss(w.e);
	cr_assert(say(&m,
	    "PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 52428800\r\n\r\n"));
	for (; n < 52428800; n += sizeof(block))
		cr_assert(mesh_write(&m, block, sizeof(block)));
	const char *a = ask(&m, "");
	cr_expect(strstr(a, "body 52428800\n") != NULL, "%s", a);
	cr_assert(say(&m, "GET /bytes/52428800 HTTP/1.1\r\nHost: x\r\n\r\n"));
	cr_assert(mesh_read_head(&m, head, sizeof(head)));
	for (n = 0; n < 52428800; n += got) {
		got = mesh_read(&m, block, sizeof(block));
		cr_assert_gt(got, 0);
		for (size_t i = 0; i < got; i++)
			if (block[i] != 'b')
				cr_assert_fail("wrong byte");
	}
	cr_expect_eq(n, 52428800);
	if (!MEMORY_IS_PADDED)
		cr_expect_lt(egress_rss(w.e), before + (4 << 20));
	mesh_close(&m);
	world_end(&w);
}

Test(http, answers_without_a_body)
{
	struct world w;
	struct mesh_client m;
	char a[2048];

	(void)start(&w, NULL);
	call(&w, &m, "api");
	cr_assert(say(&m, "HEAD /bytes/1000 HTTP/1.1\r\nHost: x\r\n\r\n"));
	cr_assert(mesh_read_head(&m, a, sizeof(a)));
	cr_expect(strcasestr(a, "content-length: 1000\r\n") != NULL, "%s", a);
	cr_assert(say(&m, "HEAD /chunked/1000 HTTP/1.1\r\nHost: x\r\n\r\n"));
	cr_assert(mesh_read_head(&m, a, sizeof(a)));
	cr_expect_eq(status_of(a), 200);
	cr_expect_eq(status_of(ask_get(&m, "/status/204")), 204);
	cr_expect_eq(status_of(ask_get(&m, "/status/304")), 304);
	cr_expect_eq(status_of(ask_get(&m, "/status/205")), 205);
	cr_expect_eq(status_of(ask_get(&m, "/")), 200);
	mesh_close(&m);
	world_end(&w);
}

Test(http, expect_100_continue_is_the_servers_to_answer)
{
	struct world w;
	struct mesh_client m;
	char a[4096];

	(void)start(&w, NULL);
	call(&w, &m, "api");
	cr_assert(say(&m, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
			  "Expect: 100-continue\r\n\r\n"));
	cr_assert(mesh_read_head(&m, a, sizeof(a)));
	cr_expect_eq(status_of(a), 100, "%s", a);
	cr_assert(say(&m, "abc"));
	cr_assert(mesh_read_response(&m, a, sizeof(a)));
	cr_expect(strstr(a, "body 3\nabc") != NULL, "%s", a);
	/* A final answer instead: the body is never sent. */
	cr_assert(
	    say(&m, "POST /refuse HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
		    "Expect: 100-continue\r\n\r\n"));
	cr_assert(mesh_read_head(&m, a, sizeof(a)));
	cr_expect_eq(status_of(a), 417, "%s", a);
	mesh_close(&m);
	world_end(&w);
}

Test(http, interim_answers_are_passed_on)
{
	struct world w;
	struct mesh_client m;
	char a[4096];

	(void)start(&w, NULL);
	call(&w, &m, "api");
	cr_assert(say(&m, "GET /informational HTTP/1.1\r\nHost: x\r\n\r\n"));
	cr_assert(mesh_read_head(&m, a, sizeof(a)));
	cr_expect_eq(status_of(a), 103);
	cr_expect(strcasestr(a, "link: </a>") != NULL, "%s", a);
	cr_assert(mesh_read_response(&m, a, sizeof(a)));
	cr_expect_eq(status_of(a), 200);
	mesh_close(&m);
	world_end(&w);
}

/* Host is the server's own name, unless only an address is known. */
Test(http, host)
{
	struct world w;
	const char *a;

	(void)start(&w, NULL);
	a = get_once(&w, "named", "/");
	cr_expect(strcasestr(a, "\r\nhost: api.example\r\n") != NULL, "%s", a);
	cr_expect_null(strstr(a, "caller.example"));
	a = get_once(&w, "api", "/");
	cr_expect(
	    strcasestr(a, "\r\nhost: caller.example\r\n") != NULL, "%s", a);
	world_end(&w);
}

Test(http, what_the_server_sees_of_the_head)
{
	static const char request[] =
	    "GET /a%2Fb/../c?q=1&r=%20 HTTP/1.1\r\n"
	    "Host: caller.example\r\n"
	    "Connection: keep-alive, X-Private\r\n"
	    "X-Private: 1\r\n"
	    "Keep-Alive: timeout=1\r\n"
	    "Proxy-Connection: keep-alive\r\n"
	    "TE: trailers\r\n"
	    "X-Kuma-Tags: &kuma.io/service=admin&\r\n"
	    "X-Forwarded-Client-Cert: By=spiffe://liar\r\n"
	    "X-Forwarded-For: 10.0.0.1\r\n"
	    "X-Forwarded-Proto: http\r\n"
	    "X-Request-Id: mine-1\r\n"
	    "Authorization: Bearer t\r\n"
	    "Cookie: a=b\r\n"
	    "X-Twice: 1\r\n"
	    "X-Twice: 2\r\n"
	    "\r\n";
	static const char *const kept[] = { "GET /a%2Fb/../c?q=1&r=%20 HTTP",
		"\nx-forwarded-for: 10.0.0.1\r", "\nx-forwarded-proto: http\r",
		"\nx-request-id: mine-1\r", "\nauthorization: bearer t\r",
		"\ncookie: a=b\r", "\nx-twice: 1\r\nx-twice: 2\r",
		"\nconnection: te\r\nte: trailers\r" };
	static const char *const gone[] = { "x-private", "keep-alive",
		"proxy-connection", "x-kuma-tags", "admin",
		"x-forwarded-client-cert", "liar" };
	struct world w;
	struct mesh_client m;
	const char *a;

	(void)start(&w, NULL);
	call(&w, &m, "api");
	a = ask(&m, request);
	cr_assert_eq(status_of(a), 200);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		cr_expect(
		    strcasestr(a, kept[i]) != NULL, "no %s in %s", kept[i], a);
	for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++)
		cr_expect_null(strcasestr(a, gone[i]), "%s in %s", gone[i], a);
	cr_expect_not_null(
	    egress_log_line(w.e, "\"request_id\":\"mine-1\"", "/a%2Fb/../c\""));
	mesh_close(&m);
	world_end(&w);
}

Test(http, what_is_added_to_a_request)
{
	struct world w;
	struct mesh_client m;
	char first[64] = "", second[64] = "", field[128];
	const char *a;

	(void)start(&w, NULL);
	call(&w, &m, "api");
	a = ask_get(&m, "/");
	cr_expect(strcasestr(a, "\nx-forwarded-proto: https\r") != NULL);
	cr_assert_not_null(strcasestr(a, "x-request-id: "));
	(void)sscanf(strcasestr(a, "x-request-id: ") + 14, "%63s", first);
	a = ask_get(&m, "/");
	(void)sscanf(strcasestr(a, "x-request-id: ") + 14, "%63s", second);
	cr_expect_eq(strlen(first), 36, "%s", first);
	cr_expect_str_neq(first, second);
	cr_expect_null(strcasestr(a, "x-envoy"));
	cr_expect_null(strcasestr(a, "server: envoy"));
	mesh_close(&m);
	(void)snprintf(field, sizeof(field), "\"request_id\":\"%s\"", first);
	cr_expect_not_null(egress_log_line(w.e, field, NULL));
	world_end(&w);
}

Test(http, fields_of_the_hop_are_removed_from_answers)
{
	struct world w;
	struct mesh_client m;
	const char *a;

	(void)start(&w, NULL);
	call(&w, &m, "api");
	a = ask_get(&m, "/hop");
	cr_expect_eq(status_of(a), 200);
	cr_expect_null(strcasestr(a, "x-hop"), "%s", a);
	cr_expect_null(strcasestr(a, "keep-alive"), "%s", a);
	cr_expect(strcasestr(a, "x-end: b") != NULL);
	mesh_close(&m);
	world_end(&w);
}

Test(http, other_methods_and_forms)
{
	static const struct {
		const char *request, *want;
	} rows[] = {
		{ "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", "OPTIONS * HTTP" },
		{ "DELETE /x HTTP/1.1\r\nHost: x\r\n\r\n", "DELETE /x HTTP" },
		{ "PATCH /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n1",
		    "PATCH /x HTTP" },
		{ "M-SEARCH /x HTTP/1.1\r\nHost: x\r\n\r\n", "M-SEARCH /x" },
		{ "GET http://x/abs?q HTTP/1.1\r\nHost: x\r\n\r\n",
		    "GET /abs?q HTTP" },
	};
	struct world w;
	struct mesh_client m;

	(void)start(&w, NULL);
	call(&w, &m, "api");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *a = ask(&m, rows[i].request);

		cr_expect(strstr(a, rows[i].want) != NULL, "row %zu: %s", i, a);
	}
	mesh_close(&m);
	world_end(&w);
}

/* The caller says close: so do we, after the answer. */
Test(http, connection_close_of_the_caller)
{
	struct world w;
	struct mesh_client m;
	const char *a;

	(void)start(&w, NULL);
	call(&w, &m, "api");
	a = ask(&m, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	cr_expect_eq(status_of(a), 200);
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_FIN);
	mesh_close(&m);
	world_end(&w);
}

/* The server's close is its own hop's. */
Test(http, connection_close_of_the_server)
{
	struct world w;
	struct mesh_client m;
	struct ext_server *s = start(&w, NULL);
	const char *a;

	call(&w, &m, "api");
	a = ask_get(&m, "/close");
	cr_expect_eq(status_of(a), 200);
	cr_expect_null(strcasestr(a, "connection: close"), "%s", a);
	cr_expect_eq(status_of(ask_get(&m, "/")), 200);
	cr_expect_eq(seen(s).connections, 2);
	mesh_close(&m);
	world_end(&w);
}

/* Half a request, and the end; nothing is left of it at the server. */
Test(http, a_caller_that_goes_away_in_its_request)
{
	struct world w;
	struct mesh_client m;
	struct ext_server *s = start(&w, NULL);

	call(&w, &m, "api");
	cr_assert(say(&m,
	    "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf"));
	cr_expect(WAIT_UNTIL(5000, seen(s).bytes == 4));
	mesh_finish(&m);
	(void)mesh_wait_end(&m, 5000);
	mesh_close(&m);
	cr_expect(WAIT_UNTIL(5000, seen(s).open == 0));
	cr_expect(has_outcome(w.e, "http_request_incomplete", NULL));
	world_end(&w);
}

Test(http, a_caller_that_goes_away_in_its_answer)
{
	struct world w;
	struct mesh_client m;
	struct ext_server *s = start(&w, NULL);

	call(&w, &m, "api");
	cr_assert(say(&m, "GET /bytes/100000000 HTTP/1.1\r\nHost: x\r\n\r\n"));
	cr_assert_eq(mesh_read(&m, &(char){ 0 }, 1), 1);
	mesh_reset(&m);
	cr_expect(WAIT_UNTIL(5000, seen(s).open == 0));
	cr_expect(has_outcome(w.e, "caller_reset", NULL));
	world_end(&w);
}

Test(http, limits_of_time)
{
	struct world w;
	struct mesh_client idle, half, stalled;
	const char *a;

	(void)start(&w, "limits = { http_idle_ms = 300; head_ms = 300; "
			"stream_idle_ms = 300; };");
	call(&w, &idle, "api");
	call(&w, &half, "api");
	call(&w, &stalled, "api");
	cr_assert(say(&half, "GET / HTTP/1.1\r\nHo"));
	cr_assert(say(&stalled, "GET /hang HTTP/1.1\r\nHost: x\r\n\r\n"));
	a = ask(&half, "");
	cr_expect_eq(status_of(a), 408, "%s", a);
	cr_expect_neq(mesh_wait_end(&half, 5000), MESH_TIMEOUT);
	cr_expect_eq(mesh_wait_end(&idle, 5000), MESH_FIN);
	a = ask(&stalled, "");
	cr_expect_eq(status_of(a), 504, "%s", a);
	cr_expect_eq(mesh_wait_end(&stalled, 5000), MESH_FIN, "idle again");
	mesh_close(&half);
	mesh_close(&idle);
	mesh_close(&stalled);
	cr_expect(has_outcome(w.e, "http_request_timeout", NULL));
	cr_expect(has_outcome(w.e, "idle", "\"requests\":0"));
	cr_expect(
	    has_outcome(w.e, "http_response_timeout", "\"path\":\"/hang\""));
	world_end(&w);
}
