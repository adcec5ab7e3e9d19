/* SPDX-License-Identifier: Apache-2.0 */
/* Services of protocol tcp: bytes both ways, and every way to end. */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "e2e/fixture.h"

#define MB (1ULL << 20)
#define CA "caCert: { secret: ext-ca }"

static struct ext_server *
start(struct world *w, const char *config, const struct ext_config *c)
{
	struct ext_server *s;

	world_init(w, config);
	s = world_serve(w, c);
	write_es(w->e, &(struct es){ .name = "raw", .port = ext_port(s) });
	world_start(w);
	return s;
}

/* The same behind TLS, which the egress originates. */
static struct ext_server *
start_tls(struct world *w, const char *config, const struct ext_config *c)
{
	struct ext_server *s;

	world_init(w, config);
	s = world_serve_tls(w, "raw.example", c);
	write_es(w->e, &(struct es){ .name = "raw",
			   .host = "raw.example",
			   .port = ext_port(s),
			   .tls = CA });
	world_start(w);
	return s;
}

Test(tcp, both_ways)
{
	struct world w;
	struct mesh_client m;

	(void)start(&w, NULL,
	    &(struct ext_config){ .protocol = EXT_ECHO, .name = "ext" });
	call(&w, &m, "raw");
	for (int i = 0; i < 5; i++)
		check_echo(&m, "ext");
	mesh_close(&m);
	cr_expect(has_outcome(w.e, "ok", "\"bytes_in\":30"));
	cr_expect_eq(cluster_metric(w.e,
			 "envoy_cluster_upstream_cx_tx_bytes_total", "raw"),
	    30);
	cr_expect_eq(cluster_metric(w.e,
			 "envoy_cluster_upstream_cx_rx_bytes_total", "raw"),
	    80);
	world_end(&w);
}

/* Kafka, and what an ExternalService without a protocol is. */
Test(tcp, other_protocols_are_relayed_too)
{
	static const char *const rows[] = { "kafka", "none" };
	struct world w;
	struct mesh_client m;
	struct ext_server *s;

	world_init(&w, NULL);
	s = world_serve(
	    &w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "ext" });
	write_es(w.e,
	    &(struct es){
		.name = "kafka", .protocol = "kafka", .port = ext_port(s) });
	egress_writef(w.e, "none.yaml",
	    "type: ExternalService\nmesh: default\nname: none\n"
	    "tags: { kuma.io/service: none }\n"
	    "networking: { address: '127.0.0.1:%u' }\n",
	    ext_port(s));
	world_start(&w);
	for (size_t i = 0; i < 2; i++) {
		call(&w, &m, rows[i]);
		check_echo(&m, "ext");
		mesh_close(&m);
	}
	world_end(&w);
}

Test(tcp, the_server_speaks_first)
{
	struct world w;
	struct mesh_client m;
	char b[64];

	(void)start_tls(&w, NULL,
	    &(struct ext_config){
		.protocol = EXT_RAW, .greeting = "220 hello\r\n" });
	call(&w, &m, "raw");
	cr_assert_eq(mesh_read_full(&m, b, 11), 11);
	cr_expect_eq(memcmp(b, "220 hello\r\n", 11), 0);
	mesh_close(&m);
	world_end(&w);
}

/* The caller has said all; the answer still comes. */
static void
check_half_close_of_caller(struct world *w)
{
	struct mesh_client m;
	char b[64];

	call(w, &m, "raw");
	cr_assert(say(&m, "12345"));
	mesh_finish(&m);
	cr_expect_eq(mesh_read_all(&m, b, sizeof(b)), 2);
	cr_expect_str_eq(b, "5\n");
	cr_expect_eq(m.end, MESH_FIN, "end %d", (int)m.end);
	mesh_close(&m);
	cr_expect(has_outcome(w->e, "ok", NULL));
}

Test(tcp, the_caller_finishes_first)
{
	struct world w;

	(void)start(&w, NULL, &(struct ext_config){ .protocol = EXT_SINK });
	check_half_close_of_caller(&w);
	world_end(&w);
}

Test(tcp, the_server_finishes_first)
{
	struct world w;
	struct mesh_client m;
	struct ext_server *s;
	char b[64];

	s = start(&w, NULL,
	    &(struct ext_config){ .protocol = EXT_SINK,
		.fault = EXT_FINISHES,
		.greeting = "bye" });
	call(&w, &m, "raw");
	cr_expect_eq(mesh_read_all(&m, b, sizeof(b)), 3);
	cr_expect_eq(m.end, MESH_FIN);
	/* Our direction is open all the same. */
	cr_assert(say(&m, "12345"));
	cr_expect(WAIT_UNTIL(5000, seen(s).bytes == 5));
	cr_expect_eq(seen(s).ends, 0);
	mesh_finish(&m);
	cr_expect(WAIT_UNTIL(5000, seen(s).ends == 1));
	mesh_close(&m);
	cr_expect(has_outcome(w.e, "ok", NULL));
	world_end(&w);
}

/* TLS has a half-close too: close_notify, and the other direction goes on. */
Test(tcp, the_server_finishes_first_over_tls)
{
	struct world w;
	struct mesh_client m;
	struct ext_server *s;
	char b[64];

	s = start_tls(&w, NULL,
	    &(struct ext_config){ .protocol = EXT_SINK,
		.fault = EXT_FINISHES,
		.greeting = "bye" });
	call(&w, &m, "raw");
	cr_expect_eq(mesh_read_all(&m, b, sizeof(b)), 3);
	cr_expect_eq(m.end, MESH_FIN);
	cr_assert(say(&m, "12345"));
	cr_expect(WAIT_UNTIL(5000, seen(s).bytes == 5));
	mesh_close(&m);
	world_end(&w);
}

Test(tcp, fifty_megabytes_each_way)
{
	struct world w;
	struct mesh_client m;

	(void)start(&w, NULL, &(struct ext_config){ .protocol = EXT_RAW });
	call(&w, &m, "raw");
	cr_expect(
	    mesh_pump(&m, 50 * MB, 50 * MB), "%s, end %d", m.error, (int)m.end);
	mesh_close(&m);
	cr_expect(has_outcome(w.e, "ok", "\"bytes_in\":52428800"));
	cr_expect(has_outcome(w.e, "ok", "\"bytes_out\":52428800"));
	world_end(&w);
}

Test(tcp, fifty_megabytes_each_way_over_tls)
{
	struct world w;
	struct mesh_client m;

	(void)start_tls(&w, NULL, &(struct ext_config){ .protocol = EXT_RAW });
	call(&w, &m, "raw");
	cr_expect(
	    mesh_pump(&m, 50 * MB, 50 * MB), "%s, end %d", m.error, (int)m.end);
	mesh_close(&m);
	world_end(&w);
}

/* Writes until nothing more is taken; how much was. */
static uint64_t
fill(struct mesh_client *m, uint64_t most)
{
	static char block[65536];
	const struct timeval tv = { .tv_usec = 300000 };
	uint64_t n = 0;

	(void)setsockopt(m->fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	memset(block, 'x', sizeof(block));
	while (n < most && mesh_write(m, block, sizeof(block)))
		n += sizeof(block);
	return n;
}

/* The egress keeps little for a server that does not read. */
Test(tcp, a_server_that_does_not_read_holds_the_caller_back)
{
	struct world w;
	struct mesh_client m;
	struct ext_server *s;
	size_t before, after;
	uint64_t n;

	s = start(&w, NULL,
	    &(struct ext_config){ .protocol = EXT_SINK, .fault = EXT_STALLS });
	call(&w, &m, "raw");
	cr_assert(say(&m, "x"));
	cr_assert(WAIT_UNTIL(5000, seen(s).connections == 1));
	before = egress_rss(w.e);
	n = fill(&m, 256 * MB);
	after = egress_rss(w.e);
	cr_expect_lt(n, 128 * MB, "%u MB were taken", (unsigned)(n / MB));
	if (!MEMORY_IS_PADDED)
		cr_expect_lt(after, before + 4 * MB, "it grew by %zu kB",
		    (after - before) / 1024);
	ext_go_on(s);
	/* All that was sent arrives. */
	cr_expect(WAIT_UNTIL(10000, seen(s).bytes >= n + 1));
	mesh_close(&m);
	world_end(&w);
}

/* Nor for a caller that does not: four of them, 64 MB each. */
Test(tcp, callers_that_do_not_read_cost_no_memory)
{
	struct world w;
	struct mesh_client m[4];
	size_t before, after;
	uint64_t got = 0, n;
	static char b[65536];

	world_init(&w, NULL);
	write_es(w.e, &(struct es){ .name = "raw",
			  .port = ext_port(world_serve(&w,
			      &(struct ext_config){ .protocol = EXT_HTTP })) });
	world_start(&w);
	before = egress_rss(w.e);
	for (int i = 0; i < 4; i++) {
		call(&w, &m[i], "raw");
		cr_assert(say(
		    &m[i], "GET /bytes/67108864 HTTP/1.1\r\nHost: x\r\n\r\n"));
	}
	/* Until nothing moves any more. */
	double last = -1, now = 0;
	while (now > last) {
		last = now;
		(void)poll(NULL, 0, 200);
		now = cluster_metric(
		    w.e, "envoy_cluster_upstream_cx_rx_bytes_total", "raw");
	}
	after = egress_rss(w.e);
	cr_expect_lt(now, 200.0 * MB);
	if (!MEMORY_IS_PADDED)
		cr_expect_lt(after, before + 6 * MB, "it grew by %zu kB",
		    (after - before) / 1024);
	while (got < 64 * MB && (n = mesh_read(&m[0], b, sizeof(b))) > 0)
		got += n;
	cr_expect_geq(got, 64 * MB);
	for (int i = 0; i < 4; i++)
		mesh_close(&m[i]);
	world_end(&w);
}

Test(tcp, a_reset_by_the_caller_reaches_the_server)
{
	struct world w;
	struct mesh_client m;
	struct ext_server *s = start(&w, NULL,
	    &(struct ext_config){ .protocol = EXT_ECHO, .name = "ext" });

	call(&w, &m, "raw");
	check_echo(&m, "ext");
	mesh_reset(&m);
	cr_expect(WAIT_UNTIL(5000, seen(s).resets == 1), "resets %u, ends %u",
	    seen(s).resets, seen(s).ends);
	cr_expect(has_outcome(w.e, "caller_reset", NULL));
	world_end(&w);
}

Test(tcp, a_reset_by_the_server_reaches_the_caller)
{
	struct world w;
	struct mesh_client m;

	(void)start(&w, NULL,
	    &(struct ext_config){
		.protocol = EXT_ECHO, .fault = EXT_RESETS_LATE });
	call(&w, &m, "raw");
	cr_assert(say(&m, "hello\n"));
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_RST, "end %d", (int)m.end);
	cr_expect(has_outcome(w.e, "connection_terminated", NULL));
	mesh_close(&m);
	world_end(&w);
}

Test(tcp, idle_connections_are_closed)
{
	struct world w;
	struct mesh_client m;
	uint64_t from, took;

	(void)start(&w, "limits = { idle_ms = 400; };",
	    &(struct ext_config){ .protocol = EXT_ECHO, .name = "ext" });
	call(&w, &m, "raw");
	/* Bytes of either side count. */
	for (int i = 0; i < 3; i++) {
		(void)poll(NULL, 0, 200);
		check_echo(&m, "ext");
	}
	from = clock_ms();
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_FIN);
	took = clock_ms() - from;
	cr_expect(took >= 350 && took < 3000, "after %u ms", (unsigned)took);
	cr_expect(has_outcome(w.e, "idle", NULL));
	mesh_close(&m);
	world_end(&w);
}

/* FIN without close_notify: passed on, counted. */
Test(tcp, a_caller_that_cuts)
{
	struct world w;
	struct mesh_client m;
	struct ext_server *s =
	    start(&w, NULL, &(struct ext_config){ .protocol = EXT_SINK });

	call(&w, &m, "raw");
	cr_assert(say(&m, "12345"));
	mesh_cut(&m);
	cr_expect(WAIT_UNTIL(5000, seen(s).ends == 1 && seen(s).bytes == 5));
	cr_expect(has_outcome(w.e, "caller_cut", NULL));
	mesh_close(&m);
	world_end(&w);
}

Test(tcp, a_server_that_cuts)
{
	struct world w;
	struct mesh_client m;
	char b[64];

	(void)start_tls(&w, NULL,
	    &(struct ext_config){
		.protocol = EXT_SINK, .fault = EXT_CUTS, .greeting = "bye" });
	call(&w, &m, "raw");
	mesh_finish(&m);
	cr_expect_eq(mesh_read_all(&m, b, sizeof(b)), 5);
	cr_expect_str_eq(b, "bye0\n");
	cr_expect(has_outcome(w.e, "upstream_cut", NULL));
	mesh_close(&m);
	world_end(&w);
}

/* An application that speaks TLS itself into a service that we encrypt. */
Test(tcp, tls_inside_of_our_tls_is_recognized)
{
	struct world w;
	struct mesh_client m;
	static const unsigned char hello[] = { 22, 3, 1, 0, 5, 1, 0, 0, 1, 3 };

	(void)start_tls(&w, NULL, &(struct ext_config){ .protocol = EXT_RAW });
	call(&w, &m, "raw");
	cr_assert(mesh_write(&m, hello, sizeof(hello)));
	mesh_finish(&m);
	(void)mesh_wait_end(&m, 5000);
	cr_expect(has_outcome(w.e, "tls_in_tls", NULL));
	mesh_close(&m);
	world_end(&w);
}

/* Where the service has no TLS of ours, it goes through untouched. */
Test(tcp, tls_of_the_application_goes_through)
{
	struct world w;
	struct pki *p;
	struct mesh_client m;
	struct ext_server *s;
	BIO *in = BIO_new(BIO_s_mem()), *out = BIO_new(BIO_s_mem());
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	SSL *ssl = SSL_new(ctx);
	char b[16384];
	int n;

	world_init(&w, NULL);
	p = pki_server(w.external_ca, "raw.example");
	s = world_serve(&w, &(struct ext_config){ .protocol = EXT_RAW,
				.cert_pem = p->cert_pem,
				.key_pem = p->key_pem });
	write_es(w.e, &(struct es){ .name = "raw", .port = ext_port(s) });
	world_start(&w);
	call(&w, &m, "raw");
	SSL_set_bio(ssl, in, out);
	SSL_set_tlsext_host_name(ssl, "inner.example");
	while (SSL_connect(ssl) != 1) {
		n = BIO_read(out, b, sizeof(b));
		cr_assert(n <= 0 || mesh_write(&m, b, (size_t)n));
		size_t got = mesh_read(&m, b, sizeof(b));
		cr_assert_gt(got, 0);
		BIO_write(in, b, (int)got);
	}
	n = BIO_read(out, b, sizeof(b));
	cr_assert(n <= 0 || mesh_write(&m, b, (size_t)n));
	cr_expect(WAIT_UNTIL(5000, seen(s).handshakes == 1));
	cr_expect_str_eq(seen(s).sni, "inner.example");
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	mesh_close(&m);
	world_end(&w);
	pki_free(p);
}

/* What a caller of a tcp service sees when the server cannot be reached. */
Test(tcp, failures_to_connect_are_a_fin)
{
	static const struct {
		enum ext_fault fault;
		bool is_tls;
		const char *outcome;
		const char *or_else; /* depends on which comes first */
	} rows[] = {
		{ EXT_SILENT, true, "connection_timeout", NULL },
		{ EXT_CLOSES, true, "connection_terminated",
		    "tls_protocol_error" },
		{ EXT_RESETS, true, "connection_terminated", NULL },
		{ EXT_CLOSES, false, "ok", NULL },
	};
	struct world w;
	struct mesh_client m;
	const char *line;
	char name[32];

	world_init(&w, "limits = { connect_ms = 400; };");
	for (size_t i = 0; i < 4; i++) {
		(void)snprintf(name, sizeof(name), "s%zu", i);
		write_es(w.e, &(struct es){ .name = name,
				  .port = ext_port(world_serve(&w,
				      &(struct ext_config){ .protocol = EXT_RAW,
					  .fault = rows[i].fault })),
				  .tls = rows[i].is_tls ? CA : NULL });
	}
	write_es(w.e, &(struct es){ .name = "refused", .port = free_port() });
	world_start(&w);
	for (size_t i = 0; i < 4; i++) {
		(void)snprintf(name, sizeof(name), "s%zu", i);
		call(&w, &m, name);
		cr_expect_eq(mesh_wait_end(&m, 5000), MESH_FIN, "row %zu: %d",
		    i, (int)m.end);
		mesh_close(&m);
		(void)snprintf(name, sizeof(name), "\"s%zu\"", i);
		line = egress_log_line(w.e, name, NULL);
		cr_assert_not_null(line);
		cr_expect(strstr(line, rows[i].outcome) != NULL ||
			      (rows[i].or_else != NULL &&
				  strstr(line, rows[i].or_else) != NULL),
		    "row %zu: %s", i, line);
	}
	call(&w, &m, "refused");
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_FIN);
	mesh_close(&m);
	cr_expect(has_outcome(w.e, "connection_refused", NULL));
	world_end(&w);
}

/* Who handles records is the operator's choice, and shows in the metrics. */
static void
check_records(const char *config, int openssl, int own, int kernel)
{
	struct mesh_client m;
	struct world w;
	double fast;

	(void)start_tls(&w, config,
	    &(struct ext_config){ .protocol = EXT_ECHO, .name = "ext" });
	call(&w, &m, "raw");
	check_echo(&m, "ext");
	cr_expect(WAIT_UNTIL(5000,
	    egress_metric(w.e, "zegress_tls_records_own") == own &&
		egress_metric(w.e, "zegress_tls_records_kernel") == kernel &&
		egress_metric(w.e, "zegress_tls_records_openssl") == openssl));
	/* Which cipher library there is depends on build and machine. */
	fast = egress_metric(w.e, "zegress_tls_records_ipsec_mb");
	cr_expect(fast == 0 || fast == own, "%g of %d", fast, own);
	check_echo(&m, "ext");
	mesh_close(&m);
	cr_expect(has_outcome(w.e, "ok", "\"bytes_in\":12"));
	world_end(&w);
}

Test(tcp, records_by_openssl)
{
	check_records("tls_records = \"openssl\";\n", 2, 0, 0);
}

Test(tcp, records_as_this_version_likes)
{
	check_records("tls_records = \"auto\";\n", 0, 2, 0);
}

Test(tcp, records_of_our_own)
{
	check_records("tls_records = \"own\";\n", 0, 2, 0);
}

/* What a wish that this host cannot fulfil comes to. */
static void
check_refusal(void)
{
	static const char said[] = "tls_records: \"kernel\" cannot be had: ";
	char words[256], out[4096];
	struct world w;

	world_init(&w, "tls_records = \"kernel\";\n");
	cr_expect_not(egress_start(w.e));
	cr_expect(egress_said(w.e, said));
	cr_expect(egress_said(w.e, "\"own\" does without"));
	/* Elsewhere it may be right. */
	(void)snprintf(words, sizeof(words), "check -f %s", w.e->config_path);
	cr_expect_eq(
	    egress_ctl_status(w.e, words, out, sizeof(out)), 0, "%s", out);
	cr_expect(strstr(out, "warning: \"kernel\" cannot be had: ") != NULL,
	    "%s", out);
	world_end(&w);
}

/* Whoever has no TLS there says so before it looks at the connection. */
static bool
kernel_has_tls(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool has =
	    setsockopt(fd, IPPROTO_TCP, TCP_ULP, "tls", sizeof("tls")) == 0 ||
	    errno == ENOTCONN;

	(void)close(fd);
	return has;
}

Test(tcp, records_by_the_kernel)
{
	if (!kernel_has_tls())
		cr_skip("this kernel has no TLS (modprobe tls)");
	check_records("tls_records = \"kernel\";\n", 0, 0, 2);
}

Test(tcp, records_by_a_kernel_without_tls)
{
	if (kernel_has_tls())
		cr_skip("this kernel has TLS");
	check_refusal();
}
