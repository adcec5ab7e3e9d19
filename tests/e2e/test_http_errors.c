/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that are refused, and servers that fail: statuses and bodies. */

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "e2e/fixture.h"

#define FAILURE                                                             \
	"upstream connect error or disconnect/reset before headers. reset " \
	"reason: "

#define INVALID "upstream sent an invalid response"

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

#define GET "GET / HTTP/1.1\r\nHost: x\r\n"
#define POST "POST / HTTP/1.1\r\nHost: x\r\n"

static const struct {
	const char *name;
	const char *request;
	int status; /* 0: closed without an answer */
	const char *outcome;
} bad[] = {
	{ "HTTP/1.0", "GET / HTTP/1.0\r\nHost: x\r\n\r\n", 426,
	    "http_request_version" },
	{ "HTTP/3.7", "GET / HTTP/3.7\r\nHost: x\r\n\r\n", 426,
	    "http_request_version" },
	{ "no Host", "GET / HTTP/1.1\r\n\r\n", 400, "http_request_no_host" },
	{ "two Hosts", GET "Host: y\r\n\r\n", 400, "http_request_error" },
	{ "a line that is none", "nonsense\r\n\r\n", 400,
	    "http_request_error" },
	{ "a bad method", "G@T / HTTP/1.1\r\nHost: x\r\n\r\n", 400,
	    "http_request_error" },
	{ "a space before the colon", GET "A : b\r\n\r\n", 400,
	    "http_request_error" },
	{ "a folded line", GET "A: b\r\n c\r\n\r\n", 400,
	    "http_request_error" },
	{ "a bare LF", "GET / HTTP/1.1\nHost: x\n\n", 400,
	    "http_request_error" },
	{ "a CR in a value", GET "A: b\rc\r\n\r\n", 400, "http_request_error" },
	{ "a name with a blank", GET "A b: c\r\n\r\n", 400,
	    "http_request_error" },
	{ "both framings",
	    POST "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
		 "0\r\n\r\n",
	    400, "http_request_error" },
	{ "two lengths",
	    POST "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400,
	    "http_request_error" },
	{ "a length that is none", POST "Content-Length: +3\r\n\r\nabc", 400,
	    "http_request_error" },
	{ "a negative length", POST "Content-Length: -1\r\n\r\n", 400,
	    "http_request_error" },
	{ "another coding", POST "Transfer-Encoding: gzip, chunked\r\n\r\n",
	    501, "http_request_coding" },
	{ "CONNECT", "CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n", 404,
	    "http_request_connect" },
	{ "an upgrade that is not offered",
	    GET "Connection: Upgrade\r\nUpgrade: irc\r\n\r\n", 403,
	    "http_request_upgrade" },
	{ "an upgrade without its key",
	    GET "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 400,
	    "http_request_error" },
	{ "nearly an HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\n\n", 400,
	    "http_request_error" },
	{ "TLS", "\x16\x03\x01\x02", 0, "tls_in_tls" },
};

Test(http_errors, bad_requests)
{
	struct world w;
	struct mesh_client m;
	struct ext_server *s = start(&w, NULL);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const char *a;

		call(&w, &m, "api");
		a = ask(&m, bad[i].request);
		cr_expect_eq(
		    status_of(a), bad[i].status, "%s: %s", bad[i].name, a);
		cr_expect_neq(
		    mesh_wait_end(&m, 5000), MESH_TIMEOUT, "%s", bad[i].name);
		mesh_close(&m);
		cr_expect(has_outcome(w.e, bad[i].outcome, NULL), "%s: not %s",
		    bad[i].name, bad[i].outcome);
	}
	cr_expect_eq(seen(s).requests, 0);
	world_end(&w);
}

/* The words of the recording. */
Test(http_errors, bodies_of_refusals)
{
	static const struct {
		const char *request, *body;
	} rows[] = {
		{ "nonsense\r\n\r\n", "Bad Request" },
		{ "GET / HTTP/1.1\r\n\r\n", "" },
		{ "CONNECT x:1 HTTP/1.1\r\nHost: x:1\r\n\r\n", "" },
		{ GET "Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n", "" },
	};
	struct world w;
	struct mesh_client m;

	(void)start(&w, NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *a;

		call(&w, &m, "api");
		a = ask(&m, rows[i].request);
		cr_assert_not_null(strstr(a, "\r\n\r\n"), "row %zu", i);
		cr_expect_str_eq(strstr(a, "\r\n\r\n") + 4, rows[i].body,
		    "row %zu: %s", i, a);
		mesh_close(&m);
	}
	world_end(&w);
}

Test(http_errors, heads_that_are_too_large)
{
	struct world w;
	struct mesh_client m;
	char *request = calloc(1, 200000);
	size_t n;

	(void)start(&w, NULL);
	n = (size_t)sprintf(request, GET "A: ");
	memset(request + n, 'a', 70000);
	memcpy(request + n + 70000, "\r\n\r\n", 5);
	call(&w, &m, "api");
	cr_expect_eq(status_of(ask(&m, request)), 431);
	mesh_close(&m);
	n = (size_t)sprintf(request, GET);
	for (int i = 0; i < 110; i++)
		n += (size_t)sprintf(request + n, "a%d: b\r\n", i);
	memcpy(request + n, "\r\n", 3);
	call(&w, &m, "api");
	cr_expect_eq(status_of(ask(&m, request)), 431);
	mesh_close(&m);
	/* What is just within the limits goes through. */
	n = (size_t)sprintf(request, GET "A: ");
	memset(request + n, 'a', 50000);
	memcpy(request + n + 50000, "\r\n\r\n", 5);
	call(&w, &m, "api");
	cr_expect_eq(status_of(ask(&m, request)), 200);
	mesh_close(&m);
	cr_expect(has_outcome(w.e, "http_request_headers_too_large", NULL));
	world_end(&w);
	free(request);
}

/* A chunk that makes no sense: the body is cut, for the server too. */
Test(http_errors, bad_chunks)
{
	struct world w;
	struct mesh_client m;
	struct ext_server *s = start(&w, NULL);

	call(&w, &m, "api");
	cr_assert(say(
	    &m, POST "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nxyz\r\n"));
	cr_expect_neq(mesh_wait_end(&m, 5000), MESH_TIMEOUT);
	mesh_close(&m);
	cr_expect(WAIT_UNTIL(5000, seen(s).open == 0));
	world_end(&w);
}

static void
check_failure(
    struct world *w, const char *service, const char *body, const char *outcome)
{
	char name[64];
	struct mesh_client m;
	const char *a;

	call(w, &m, service);
	a = ask_get(&m, "/");
	cr_expect_eq(status_of(a), 503, "%s: %s", service, a);
	cr_assert_not_null(strstr(a, "\r\n\r\n"), "%s: %s", service, a);
	cr_expect_str_eq(strstr(a, "\r\n\r\n") + 4, body, "%s", service);
	cr_expect(strcasestr(a, "content-type: text/plain") != NULL);
	/* The caller's connection is as good as before. */
	cr_expect_eq(status_of(ask_get(&m, "/")), 503, "%s", service);
	mesh_close(&m);
	(void)snprintf(name, sizeof(name), "\"service\":\"%s\"", service);
	cr_expect(
	    has_outcome(w->e, outcome, name), "%s: not %s", service, outcome);
}

static void
add(struct world *w, const char *name, const struct ext_config *c,
    const char *tls)
{
	write_es(w->e, &(struct es){ .name = name,
			   .protocol = "http",
			   .port = ext_port(world_serve(w, c)),
			   .tls = tls });
}

#define CA "caCert: { secret: ext-ca }"

Test(http_errors, servers_that_cannot_be_reached)
{
	struct world w;
	struct pki *p;

	world_init(&w, "limits = { connect_ms = 400; };");
	p = pki_server(w.external_ca, "other.example");
	write_es(w.e,
	    &(struct es){
		.name = "refused", .protocol = "http", .port = free_port() });
	write_es(w.e, &(struct es){ .name = "unknown",
			  .protocol = "http",
			  .host = "unknown.example",
			  .port = 80 });
	add(&w, "plain",
	    &(struct ext_config){ .protocol = EXT_RAW,
		.greeting = "HTTP/1.1 400 Bad Request\r\n\r\n" },
	    CA);
	add(&w, "silent",
	    &(struct ext_config){ .protocol = EXT_HTTP, .fault = EXT_SILENT },
	    CA);
	add(&w, "closes",
	    &(struct ext_config){ .protocol = EXT_HTTP, .fault = EXT_CLOSES },
	    NULL);
	add(&w, "wrong-name",
	    &(struct ext_config){ .protocol = EXT_HTTP,
		.cert_pem = p->cert_pem,
		.key_pem = p->key_pem },
	    CA);
	add(&w, "wants-cert",
	    &(struct ext_config){ .protocol = EXT_HTTP,
		.cert_pem = p->cert_pem,
		.key_pem = p->key_pem,
		.client_ca_pem = w.external_ca->cert_pem,
		.max_version = TLS1_2_VERSION },
	    CA ", serverName: other.example");
	world_start(&w);
	check_failure(&w, "refused", FAILURE "remote connection failure",
	    "connection_refused");
	check_failure(&w, "unknown", "no healthy upstream", "dns_error");
	check_failure(&w, "plain", FAILURE "remote connection failure",
	    "tls_protocol_error");
	check_failure(
	    &w, "silent", FAILURE "connection timeout", "connection_timeout");
	check_failure(&w, "closes", FAILURE "connection termination",
	    "connection_terminated");
	check_failure(&w, "wrong-name", FAILURE "remote connection failure",
	    "tls_certificate_error");
	check_failure(&w, "wants-cert", FAILURE "remote connection failure",
	    "tls_alert_received");
	world_end(&w);
	pki_free(p);
}

Test(http_errors, servers_that_fail_before_their_answer)
{
	static const struct {
		const char *path, *body, *outcome;
		int status;
	} rows[] = {
		{ "/none", FAILURE "connection termination",
		    "connection_terminated", 503 },
		{ "/reset", FAILURE "connection termination",
		    "connection_terminated", 503 },
		{ "/bad", INVALID, "http_response_error", 502 },
		{ "/both", INVALID, "http_response_error", 502 },
		{ "/lengths", INVALID, "http_response_error", 502 },
		{ "/switch", INVALID, "http_response_error", 502 },
		{ "/bighead/70000", INVALID, "http_response_error", 502 },
	};
	struct world w;
	struct mesh_client m;

	(void)start(&w, NULL);
	call(&w, &m, "api");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *a = ask_get(&m, rows[i].path);
		char path[32];

		cr_expect_eq(status_of(a), rows[i].status, "row %zu: %s", i, a);
		cr_assert_not_null(strstr(a, "\r\n\r\n"));
		cr_expect_str_eq(strstr(a, "\r\n\r\n") + 4, rows[i].body);
		(void)snprintf(
		    path, sizeof(path), "\"path\":\"%s\"", rows[i].path);
		cr_expect(
		    has_outcome(w.e, rows[i].outcome, path), "row %zu", i);
	}
	cr_expect_eq(status_of(ask_get(&m, "/")), 200);
	mesh_close(&m);
	world_end(&w);
}

/* What is incomplete must not look complete. */
Test(http_errors, answers_that_are_cut_short)
{
	static const char *const paths[] = { "/cut", "/cutchunk" };
	struct world w;
	struct mesh_client m;
	char b[4096], request[128], path[64];

	(void)start(&w, NULL);
	for (size_t i = 0; i < 2; i++) {
		call(&w, &m, "api");
		(void)snprintf(request, sizeof(request),
		    "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", paths[i]);
		cr_assert(mesh_write(&m, request, strlen(request)));
		(void)mesh_read_all(&m, b, sizeof(b));
		cr_expect_eq(
		    m.end, MESH_RST, "%s: end %d", paths[i], (int)m.end);
		cr_expect_null(strstr(b, "\n0\r\n\r\n"), "%s", b);
		mesh_close(&m);
		(void)snprintf(path, sizeof(path), "\"path\":\"%s\"", paths[i]);
		cr_expect(has_outcome(w.e, "http_response_incomplete", path));
	}
	world_end(&w);
}

/* TLS: a body that ends with the connection needs its close_notify. */
Test(http_errors, a_body_to_the_close_without_close_notify)
{
	struct world w;
	struct mesh_client m;
	char b[4096];

	world_init(&w, NULL);
	write_es(w.e, &(struct es){ .name = "api",
			  .protocol = "http",
			  .host = "api.example",
			  .port = ext_port(world_serve_tls(&w, "api.example",
			      &(struct ext_config){
				  .protocol = EXT_HTTP, .fault = EXT_CUTS })),
			  .tls = CA });
	world_start(&w);
	call(&w, &m, "api");
	cr_assert(say(&m, "GET /toclose/10 HTTP/1.1\r\nHost: x\r\n\r\n"));
	(void)mesh_read_all(&m, b, sizeof(b));
	cr_expect_eq(m.end, MESH_RST, "end %d", (int)m.end);
	cr_expect_null(strstr(b, "\n0\r\n\r\n"), "%s", b);
	mesh_close(&m);
	cr_expect(has_outcome(w.e, "http_response_incomplete", NULL));
	world_end(&w);
}

/* An answer before the request is all there. */
Test(http_errors, early_answers)
{
	struct world w;
	struct mesh_client m;
	char a[4096];

	(void)start(&w, NULL);
	call(&w, &m, "api");
	cr_assert(say(&m,
	    "POST /early/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
	    "\r\nabc"));
	cr_assert(mesh_read_head(&m, a, sizeof(a)));
	cr_expect_eq(status_of(a), 413, "%s", a);
	/* A small rest is read, and the connection goes on. */
	memset(a, 'x', 997);
	cr_assert(mesh_write(&m, a, 997));
	cr_expect_eq(status_of(ask_get(&m, "/")), 200);
	mesh_close(&m);
	world_end(&w);
}

/* A large rest is not: the answer comes, and then the end. */
Test(http_errors, an_early_answer_to_a_large_request)
{
	static char block[65536];
	struct world w;
	struct mesh_client m;
	struct ext_server *s = start(&w, NULL);
	char a[4096];

	call(&w, &m, "api");
	cr_assert(say(&m, "POST /early/1 HTTP/1.1\r\nHost: x\r\n"
			  "Content-Length: 50000000\r\n\r\n"));
	for (int i = 0; i < 20 && mesh_write(&m, block, sizeof(block)); i++)
		;
	cr_assert(mesh_read_head(&m, a, sizeof(a)));
	cr_expect_eq(status_of(a), 413, "%s", a);
	while (mesh_write(&m, block, sizeof(block)))
		;
	cr_expect_neq(m.end, MESH_TIMEOUT, "it goes on");
	mesh_close(&m);
	cr_expect(WAIT_UNTIL(5000, seen(s).open == 0));
	world_end(&w);
}

/* What nobody asked for is nobody's answer. */
Test(http_errors, a_server_that_says_more_than_it_was_asked)
{
	struct world w;
	struct mesh_client m;
	struct ext_server *s = start(&w, NULL);
	const char *a;

	call(&w, &m, "api");
	a = ask_get(&m, "/extra");
	cr_expect_str_eq(strstr(a, "\r\n\r\n") + 4, "ok", "%s", a);
	a = ask_get(&m, "/next");
	cr_expect(strstr(a, "GET /next") != NULL, "%s", a);
	cr_expect_eq(seen(s).connections, 2);
	mesh_close(&m);
	world_end(&w);
}

/* No answer to the SYN: the queue of the listener is full. */
Test(http_errors, a_server_that_does_not_accept)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), full[8];
	struct world w;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert(bind(fd, (struct sockaddr *)&a, n) == 0 &&
		  listen(fd, 0) == 0 &&
		  getsockname(fd, (struct sockaddr *)&a, &n) == 0);
	for (int i = 0; i < 8; i++) {
		full[i] = socket(
		    AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)connect(full[i], (struct sockaddr *)&a, n);
	}
	world_init(&w, "limits = { connect_ms = 400; };");
	write_es(w.e, &(struct es){ .name = "full",
			  .protocol = "http",
			  .port = ntohs(a.sin_port) });
	world_start(&w);
	check_failure(
	    &w, "full", FAILURE "connection timeout", "connection_timeout");
	cr_expect_geq(cluster_metric(w.e,
			  "envoy_cluster_upstream_cx_connect_timeout", "full"),
	    1);
	world_end(&w);
	for (int i = 0; i < 8; i++)
		(void)close(full[i]);
	(void)close(fd);
}
