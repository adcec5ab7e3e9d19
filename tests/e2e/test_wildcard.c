/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Services that stand for all names under a suffix: the caller says where each
 * connection goes, and only as far as the suffix reaches.
 */

#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "e2e/peers.h"

#define SERVICES(more)                                              \
	"services = ( { match = { service = \"s3\"; }; wildcard = " \
	"\"*.s3.test\"; " more " } );"

/* Servers of a.s3.test and b.s3.test, on one port of 127.0.0.2 and .3. */
static uint16_t
serve_two(struct world *w, enum ext_protocol protocol)
{
	struct ext_config c = {
		.protocol = protocol, .name = "a", .address = "127.0.0.2"
	};

	c.port = ext_port(world_serve_tls(w, "a.s3.test", &c));
	c.name = "b";
	c.address = "127.0.0.3";
	(void)world_serve_tls(w, "b.s3.test", &c);
	world_name(w, "a.s3.test", "127.0.0.2");
	world_name(w, "b.s3.test", "127.0.0.3");
	return c.port;
}

static void
init_world(struct world *w, const char *config)
{
	world_init_with(w, &(struct egress_options){
			       .config = config, .allow = "127.0.0.2/31" });
}

/* Two servers that only TLS with their names leads to, and a started egress. */
static uint16_t
start_http(struct world *w, const char *config, const char *protocol)
{
	uint16_t port;

	init_world(w, config);
	port = serve_two(w, EXT_HTTP);
	write_es(w->e, &(struct es){ .name = "s3",
			   .protocol = protocol,
			   .host = "s3.test",
			   .port = port,
			   .tls = "caCert: { secret: ext-ca }" });
	world_start(w);
	return port;
}

/* On one connection of the caller. */
static int
ask_path(struct mesh_client *m, const char *host, const char *path)
{
	char request[512];

	(void)snprintf(request, sizeof(request),
	    "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host);
	return status_of(ask(m, request));
}

static int
ask_host(struct mesh_client *m, const char *host)
{
	return ask_path(m, host, "/bytes/3");
}

Test(wildcard, requests_go_where_they_ask)
{
	struct world w;
	struct mesh_client m;
	struct ext_seen a, b;
	char with_port[64], line[80];
	uint16_t port = start_http(&w, SERVICES(""), "http");

	(void)snprintf(
	    with_port, sizeof(with_port), "B.S3.test:%u", (unsigned)port);
	call(&w, &m, "s3");
	cr_expect_eq(ask_host(&m, "a.s3.test"), 200);
	cr_expect_eq(ask_host(&m, "b.s3.test"), 200);
	cr_expect_eq(ask_host(&m, "a.s3.test"), 200);
	cr_expect_eq(ask_host(&m, with_port), 200);
	mesh_close(&m);
	a = seen(w.servers[0]);
	b = seen(w.servers[1]);
	cr_expect_eq(a.requests, 2);
	cr_expect_eq(b.requests, 2);
	cr_expect_eq(a.connections, 1, "kept for the name");
	cr_expect_eq(b.connections, 1);
	cr_expect_str_eq(a.sni, "a.s3.test");
	cr_expect_str_eq(b.sni, "b.s3.test");
	/* Signatures cover Host as the caller wrote it. */
	(void)snprintf(line, sizeof(line), "ost: %s\r\n", with_port);
	cr_expect_not_null(strstr(b.head, line), "%s", b.head);
	cr_expect_not_null(egress_log_line(
	    w.e, "\"endpoint\":\"a.s3.test:", "\"address\":\"127.0.0.2:"));
	cr_expect_not_null(egress_log_line(
	    w.e, "\"endpoint\":\"b.s3.test:", "\"address\":\"127.0.0.3:"));
	cr_expect_not_null(strstr(
	    egress_ctl(w.e, "clusters"), "s3 wildcard *.s3.test names=2"));
	cr_expect_eq(
	    egress_metric(w.e, "zegress_wildcard_name_uses{envoy_cluster_name="
			       "\"default_s3\",name=\"a.s3.test\"}"),
	    2);
	world_end(&w);
}

Test(wildcard, what_is_not_under_the_suffix)
{
	static const char *const hosts[] = { "s3.test", "evil-s3.test",
		"a.s3.test.", "a.s3.test:1", "a.s3.test.example", "127.0.0.2",
		"[::1]", "localhost", "a..s3.test" };
	struct world w;
	struct mesh_client m;
	const char *answer;

	(void)start_http(&w, SERVICES(""), "http");
	call(&w, &m, "s3");
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++)
		cr_expect_eq(ask_host(&m, hosts[i]), 421, "%s", hosts[i]);
	/* The connection is as good as before. */
	cr_expect_eq(ask_host(&m, "a.s3.test"), 200);
	answer = ask(&m, "GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n");
	cr_expect_not_null(strstr(answer, "\r\n\r\nMisdirected Request"));
	/* Neither is that a way to name somebody. */
	cr_expect_eq(status_of(ask(&m, "GET http://u@a.s3.test/ HTTP/1.1\r\n"
				       "Host: u@a.s3.test\r\n\r\n")),
	    400);
	mesh_close(&m);
	cr_expect(
	    has_outcome(w.e, "name_refused", "\"authority\":\"evil-s3.test\""));
	cr_expect_eq(cluster_metric(w.e, "zegress_wildcard_refused", "s3"),
	    sizeof(hosts) / sizeof(hosts[0]) + 1);
	cr_expect_eq(seen(w.servers[0]).connections, 1);
	cr_expect_eq(seen(w.servers[1]).connections, 0);
	world_end(&w);
}

/* The resource's own name is nothing that is reached, and never asked for. */
Test(wildcard, names_that_lead_inside_are_refused)
{
	static const char *const inside[][2] = {
		{ "n1.s3.test", "127.0.0.1" },
		{ "n2.s3.test", "10.1.2.3" },
		{ "n3.s3.test", "172.16.0.1" },
		{ "n4.s3.test", "192.168.7.7" },
		{ "n5.s3.test", "100.64.0.1" },
		{ "n6.s3.test", "169.254.169.254" },
	};
	struct world w;
	struct mesh_client m;
	char text[128];

	init_world(&w, SERVICES("allow_addresses = [ \"10.0.0.0/8\", "
				"\"172.16.0.0/12\", \"192.168.0.0/16\" ];"));
	write_es(w.e, &(struct es){ .name = "s3",
			  .protocol = "http",
			  .host = "s3.test",
			  .port = serve_two(&w, EXT_HTTP),
			  .tls = "caCert: { secret: ext-ca }" });
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++)
		world_name(&w, inside[i][0], inside[i][1]);
	world_start(&w);
	call(&w, &m, "s3");
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
		cr_expect_eq(ask_host(&m, inside[i][0]), 503);
		(void)snprintf(text, sizeof(text), "%s leads to %s",
		    inside[i][0], inside[i][1]);
		cr_expect(has_outcome(w.e, "destination_ip_prohibited", text),
		    "%s", text);
	}
	cr_expect_eq(ask_host(&m, "a.s3.test"), 200);
	mesh_close(&m);
	cr_expect_eq(dns_server_count(w.dns, "s3.test"), 0);
	world_end(&w);
}

/* A name that was fine is asked for again, and leads elsewhere. */
Test(wildcard, a_name_is_bound_anew)
{
	static const char *const good[] = { "127.0.0.2", NULL };
	static const char *const bad[] = { "127.0.0.1", "10.1.2.3", NULL };
	struct world w;
	struct mesh_client m;
	uint16_t port;

	world_init_with(&w, &(struct egress_options){ .config = SERVICES(""),
				.allow = "127.0.0.2/31",
				.dns = "min_ttl_s = 1; max_ttl_s = 1;" });
	port = serve_two(&w, EXT_HTTP);
	write_es(w.e, &(struct es){ .name = "s3",
			  .protocol = "http",
			  .host = "s3.test",
			  .port = port,
			  .tls = "caCert: { secret: ext-ca }" });
	dns_server_set(w.dns, "a.s3.test",
	    &(struct dns_server_answer){ .a = good, .ttl_s = 1 });
	world_start(&w);
	call(&w, &m, "s3");
	/* Its server closes, so that the next request connects. */
	cr_expect_eq(ask_path(&m, "a.s3.test", "/toclose/3"), 200);
	dns_server_set(w.dns, "a.s3.test",
	    &(struct dns_server_answer){ .a = bad, .ttl_s = 1 });
	cr_expect(
	    WAIT_UNTIL(10000, ask_path(&m, "a.s3.test", "/toclose/3") == 503));
	mesh_close(&m);
	cr_expect(has_outcome(
	    w.e, "destination_ip_prohibited", "a.s3.test leads to "));
	world_end(&w);
}

Test(wildcard, a_certificate_of_another_name)
{
	struct world w;
	struct mesh_client m;

	(void)start_http(&w, SERVICES(""), "http");
	world_name(&w, "c.s3.test", "127.0.0.2");
	call(&w, &m, "s3");
	cr_expect_eq(ask_host(&m, "a.s3.test"), 200);
	cr_expect_eq(ask_host(&m, "c.s3.test"), 503);
	mesh_close(&m);
	cr_expect(has_outcome(w.e, "tls_certificate_error", "c.s3.test"));
	cr_expect_eq(seen(w.servers[0]).requests, 1);
	world_end(&w);
}

Test(wildcard, few_names_at_a_time)
{
	struct world w;
	struct mesh_client m;

	(void)start_http(&w, SERVICES("wildcard_names = 1;"), "http");
	call(&w, &m, "s3");
	cr_expect_eq(ask_host(&m, "a.s3.test"), 200);
	cr_expect_eq(ask_host(&m, "b.s3.test"), 200);
	/* What the one had was closed with it. */
	cr_expect(WAIT_UNTIL(5000, seen(w.servers[0]).open == 0));
	cr_expect_null(strstr(egress_ctl(w.e, "clusters"), "a.s3.test"));
	cr_expect_not_null(strstr(egress_ctl(w.e, "clusters"), "b.s3.test"));
	cr_expect_eq(ask_host(&m, "a.s3.test"), 200);
	mesh_close(&m);
	cr_expect_eq(cluster_metric(w.e, "zegress_wildcard_evicted", "s3"), 2);
	cr_expect_eq(cluster_metric(w.e, "zegress_wildcard_names", "s3"), 1);
	cr_expect_eq(seen(w.servers[0]).connections, 2);
	world_end(&w);
}

/* Streams of one connection, each to its own server. */
Test(wildcard, http2)
{
	static const char *const hosts[] = { "a.s3.test", "b.s3.test",
		"a.s3.test", "b.s3.test" };
	struct message *answers[4];
	struct h2_peer *c;
	struct server *s;
	struct rig r;

	rig_init(&r, SERVICES(""));
	s = rig_serve(
	    &r, &(struct server_options){ .name = "*.s3.test", .alpn = "h2" });
	world_name(&r.w, "a.s3.test", "127.0.0.1");
	world_name(&r.w, "b.s3.test", "127.0.0.1");
	write_es(r.w.e, &(struct es){ .name = "s3",
			    .protocol = "http2",
			    .host = "s3.test",
			    .port = s->door->port,
			    .tls = "caCert: { secret: ext-ca }, "
				   "allowRenegotiation: false" });
	rig_start(&r);
	c = call_h2(&r, "s3");
	for (size_t i = 0; i < 4; i++)
		answers[i] =
		    h2_ask(c, &(struct said){ .authority = hosts[i] })->in;
	for (size_t i = 0; i < 4; i++) {
		cr_assert(UNTIL(&r, answers[i]->ended), "%zu", i);
		cr_expect_eq(answers[i]->status, 200, "%zu", i);
	}
	/* One for each name, and no third one. */
	cr_expect_eq(s->n_came, 2);
	for (size_t i = 0; i < s->n_came; i++) {
		struct h2_peer *p = came_h2(s, i);
		const char *first =
		    message_field(h2_nth(p, 0)->in, ":authority");

		cr_expect_str_eq(
		    message_field(h2_nth(p, 1)->in, ":authority"), first);
	}
	answers[0] = h2_ask(c, &(struct said){ .authority = "s3.test" })->in;
	cr_assert(UNTIL(&r, answers[0]->ended));
	cr_expect_eq(answers[0]->status, 421);
	rig_end(&r);
}

/* TLS of the caller's own, inside of the mesh's. */
struct inner {
	struct mesh_client m;
	SSL_CTX *ctx;
	SSL *ssl;
	BIO *in;
	BIO *out;
};

static void
inner_init(struct inner *t, struct world *w, const char *sni)
{
	call(w, &t->m, "s3");
	t->ctx = SSL_CTX_new(TLS_client_method());
	t->ssl = SSL_new(t->ctx);
	t->in = BIO_new(BIO_s_mem());
	t->out = BIO_new(BIO_s_mem());
	SSL_set_bio(t->ssl, t->in, t->out);
	SSL_set_connect_state(t->ssl);
	if (sni != NULL)
		cr_assert(SSL_set_tlsext_host_name(t->ssl, sni) == 1);
}

static void
inner_free(struct inner *t)
{
	SSL_free(t->ssl);
	SSL_CTX_free(t->ctx);
	mesh_close(&t->m);
}

/* Sends what there is, in pieces of n bytes. */
static bool
inner_send(struct inner *t, size_t n)
{
	char *p;
	size_t len = (size_t)BIO_get_mem_data(t->out, &p), at, now;

	for (at = 0; at < len; at += now) {
		now = len - at < n ? len - at : n;
		if (!mesh_write(&t->m, p + at, now))
			return false;
	}
	(void)BIO_reset(t->out);
	return true;
}

static bool
inner_receive(struct inner *t)
{
	char some[4096];
	size_t n = mesh_read(&t->m, some, sizeof(some));

	return n > 0 && BIO_write(t->in, some, (int)n) == (int)n;
}

static bool
inner_open(struct inner *t, size_t piece)
{
	int n;

	while ((n = SSL_do_handshake(t->ssl)) != 1) {
		if (SSL_get_error(t->ssl, n) != SSL_ERROR_WANT_READ ||
		    !inner_send(t, piece) || !inner_receive(t))
			return false;
	}
	return inner_send(t, piece);
}

/* Who echoes; "": nobody. */
static const char *
inner_ask(struct inner *t)
{
	static char line[64];
	size_t len = 0;
	int n;

	if (SSL_write(t->ssl, "hi\n", 3) != 3 || !inner_send(t, 4096))
		return "";
	while (len < sizeof(line) - 1 && (len == 0 || line[len - 1] != '\n')) {
		n = SSL_read(t->ssl, line + len, 1);
		if (n == 1)
			len++;
		else if (SSL_get_error(t->ssl, n) != SSL_ERROR_WANT_READ ||
			 !inner_receive(t))
			return "";
	}
	line[len] = '\0';
	return line;
}

/* The certificate that the server showed is that of the name. */
static bool
inner_is(struct inner *t, const char *name)
{
	X509 *cert = SSL_get1_peer_certificate(t->ssl);
	bool is_it =
	    cert != NULL && X509_check_host(cert, name, 0, 0, NULL) == 1;

	X509_free(cert);
	return is_it;
}

static void
start_tcp(struct world *w, const char *config)
{
	init_world(w, config);
	write_es(w->e, &(struct es){ .name = "s3",
			   .host = "s3.test",
			   .port = serve_two(w, EXT_ECHO) });
	world_start(w);
}

Test(wildcard, tls_of_the_callers_own_passes_untouched)
{
	struct world w;
	struct inner a, b;

	start_tcp(&w, SERVICES(""));
	inner_init(&a, &w, "a.s3.test");
	/* In as many pieces as there may be. */
	inner_init(&b, &w, "B.s3.test");
	cr_assert(inner_open(&a, 4096), "end %d", (int)a.m.end);
	cr_assert(inner_open(&b, 7), "end %d", (int)b.m.end);
	cr_expect(inner_is(&a, "a.s3.test"));
	cr_expect(inner_is(&b, "b.s3.test"));
	cr_expect_str_eq(inner_ask(&a), "echo a: hi\n");
	cr_expect_str_eq(inner_ask(&b), "echo b: hi\n");
	cr_expect_str_eq(seen(w.servers[1]).sni, "B.s3.test", "untouched");
	cr_expect_not_null(strstr(egress_ctl(w.e, "clusters"), "b.s3.test:"));
	inner_free(&a);
	inner_free(&b);
	cr_expect_not_null(egress_log_line(
	    w.e, "\"inner_sni\":\"B.s3.test\"", "\"endpoint\":\"b.s3.test:"));
	world_end(&w);
}

Test(wildcard, a_name_inside_that_is_not_under_the_suffix)
{
	static const char *const names[] = { "s3.test", "evil-s3.test",
		"a.s3.test.example", "localhost" };
	struct world w;
	struct inner t;
	char text[64];

	start_tcp(&w, SERVICES(""));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		inner_init(&t, &w, names[i]);
		cr_expect_not(inner_open(&t, 4096));
		cr_expect_eq(
		    t.m.end, MESH_RST, "%s: end %d", names[i], (int)t.m.end);
		inner_free(&t);
		(void)snprintf(
		    text, sizeof(text), "\"inner_sni\":\"%s\"", names[i]);
		cr_expect(has_outcome(w.e, "name_refused", text));
	}
	inner_init(&t, &w, "n.s3.test");
	world_name(&w, "n.s3.test", "10.1.2.3");
	cr_expect_not(inner_open(&t, 4096));
	inner_free(&t);
	cr_expect(has_outcome(
	    w.e, "destination_ip_prohibited", "n.s3.test leads to 10.1.2.3"));
	cr_expect_eq(seen(w.servers[0]).connections, 0);
	world_end(&w);
}

Test(wildcard, no_name_inside)
{
	static const char *const texts[] = { "GET / HTTP/1.1\r\n\r\n", "\x16",
		"\x16\x03\x01\x00\x05\x02" };
	struct world w;
	struct mesh_client m;
	struct inner t;

	start_tcp(&w, SERVICES("") "limits = { hello_ms = 500; };");
	/* No TLS; half a hello; no hello. */
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		call(&w, &m, "s3");
		cr_expect(say(&m, texts[i]));
		cr_expect_eq(mesh_wait_end(&m, 5000), MESH_RST, "%zu", i);
		mesh_close(&m);
	}
	/* Nothing at all. */
	call(&w, &m, "s3");
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_RST);
	mesh_close(&m);
	call(&w, &m, "s3");
	mesh_finish(&m);
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_RST);
	mesh_close(&m);
	/* TLS that names nobody. */
	inner_init(&t, &w, NULL);
	cr_expect_not(inner_open(&t, 4096));
	inner_free(&t);
	cr_expect(WAIT_UNTIL(5000, ended(w.e, "name_missing") == 6));
	cr_expect_eq(seen(w.servers[0]).connections, 0);
	cr_expect_eq(seen(w.servers[1]).connections, 0);
	world_end(&w);
}

/* What is open to a name ends when the wildcard is not for it any more. */
Test(wildcard, another_suffix_after_a_reload)
{
	struct world w;
	struct inner t;

	start_tcp(&w, SERVICES(""));
	inner_init(&t, &w, "a.s3.test");
	cr_assert(inner_open(&t, 4096));
	egress_configure(w.e,
	    &(struct egress_options){ .config = SERVICES("wildcard_names = 5;"),
		.allow = "127.0.0.2/31",
		.dns_port = w.dns_port });
	egress_signal(w.e, SIGHUP);
	cr_expect(WAIT_UNTIL(
	    5000, strstr(egress_ctl(w.e, "services -v"), "wildcard_names=5")));
	cr_expect_str_eq(inner_ask(&t), "echo a: hi\n");
	egress_configure(
	    w.e, &(struct egress_options){
		     .config = "services = ( { match = { service = \"s3\"; }; "
			       "wildcard = \"*.b.s3.test\"; } );",
		     .allow = "127.0.0.2/31",
		     .dns_port = w.dns_port });
	egress_signal(w.e, SIGHUP);
	cr_expect_neq((int)mesh_wait_end(&t.m, 5000), (int)MESH_TIMEOUT);
	inner_free(&t);
	cr_expect(has_outcome(w.e, "revoked", "\"inner_sni\":\"a.s3.test\""));
	world_end(&w);
}

/* TLS around TLS would hide the name's certificate, and is never meant. */
Test(wildcard, is_warned_of_what_does_not_go_together)
{
	char said[4096];
	struct world w;

	init_world(&w,
	    "services = ( { match = { service = \"s3\"; }; wildcard = "
	    "\"*.s3.test\"; host = \"x.example\"; } );");
	write_es(w.e, &(struct es){ .name = "s3",
			  .host = "s3.test",
			  .port = 443,
			  .tls = "caCert: { secret: ext-ca }" });
	world_start(&w);
	(void)egress_ctl_status(w.e, "check", said, sizeof(said));
	cr_expect_not_null(
	    strstr(said, "services.wildcard: warning: service s3"), "%s", said);
	cr_expect_not_null(
	    strstr(said, "set tls.enabled to false"), "%s", said);
	world_end(&w);
}
