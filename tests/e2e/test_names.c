/* SPDX-License-Identifier: Apache-2.0 */
/* Names, addresses and endpoints: which of them a connection goes to. */

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "e2e/zones.h"

#define ALL(v) (sizeof(v) / sizeof((v)[0]))

static void
set_addresses(struct world *w, const char *name, uint32_t ttl_s,
    const char *const *addresses)
{
	dns_server_set(w->dns, name,
	    &(struct dns_server_answer){ .a = addresses, .ttl_s = ttl_s });
}

/* Echo servers of these names on one port of 127.0.0.2, .3 and so on. */
static uint16_t
serve_at(struct world *w, const char *const *names, size_t n)
{
	uint16_t port = free_port();
	char address[16];

	for (size_t i = 0; i < n; i++) {
		(void)snprintf(
		    address, sizeof(address), "127.0.0.%u", (unsigned)i + 2);
		(void)world_serve(w, &(struct ext_config){
					 .protocol = EXT_ECHO,
					 .name = names[i],
					 .address = address,
					 .port = port,
				     });
	}
	return port;
}

static struct ext_server *
serve_echo(struct world *w, const char *name)
{
	return world_serve(
	    w, &(struct ext_config){ .protocol = EXT_ECHO, .name = name });
}

Test(names, all_addresses_of_a_name_take_turns)
{
	static const char *const names[] = { "two", "three", "four" };
	static const char *const a[] = { "127.0.0.2", "127.0.0.3", "127.0.0.4",
		NULL };
	struct world w;
	uint16_t port;

	world_init(&w, NULL);
	port = serve_at(&w, names, ALL(names));
	set_addresses(&w, "many.example", 30, a);
	write_es(
	    w.e, &(struct es){
		     .name = "many", .host = "many.example", .port = port });
	world_start(&w);
	for (int i = 0; i < 9; i++)
		cr_expect_str_neq(who_serves(&w, "many"), "");
	for (size_t i = 0; i < ALL(names); i++)
		cr_expect_eq(seen(w.servers[i]).connections, 3, "%s", names[i]);
	/* A and AAAA were asked for once. */
	cr_expect_eq(dns_server_count(w.dns, "many.example"), 2);
	cr_expect_not_null(egress_log_line(
	    w.e, "\"address\":\"127.0.0.4:", "\"endpoint\":\"many.example:"));
	world_end(&w);
}

/* Also over TCP, where the answer is too long for a datagram. */
Test(names, aliases_and_long_answers)
{
	struct world w;
	struct ext_server *s;

	world_init(&w, NULL);
	s = serve_echo(&w, "real");
	dns_server_set(w.dns, "alias.example",
	    &(struct dns_server_answer){
		.a = (const char *[]){ "127.0.0.1", NULL },
		.cname = "real.example",
		.ttl_s = 30 });
	dns_server_set(w.dns, "long.example",
	    &(struct dns_server_answer){
		.a = (const char *[]){ "127.0.0.1", NULL },
		.truncate = true,
		.ttl_s = 30 });
	write_es(w.e, &(struct es){ .name = "alias",
			  .host = "alias.example",
			  .port = ext_port(s) });
	write_es(w.e,
	    &(struct es){
		.name = "long", .host = "long.example", .port = ext_port(s) });
	world_start(&w);
	cr_expect_str_eq(who_serves(&w, "alias"), "real");
	cr_expect_eq(dns_server_count_tcp(w.dns), 0);
	cr_expect_str_eq(who_serves(&w, "long"), "real");
	cr_expect_geq(dns_server_count_tcp(w.dns), 1);
	world_end(&w);
}

/* A listener that is never accepted from: who comes is seen all the same. */
static int
listen_on_ipv6(uint16_t *port)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return -1;
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
	    listen(fd, 16) != 0 ||
	    getsockname(fd, (struct sockaddr *)&a, &n) != 0) {
		(void)close(fd);
		return -1;
	}
	*port = ntohs(a.sin6_port);
	return fd;
}

Test(names, ipv6_answers_are_used)
{
	static const char *const six[] = { "::1", NULL };
	struct world w;
	struct mesh_client m;
	uint16_t port;
	int fd = listen_on_ipv6(&port);

	if (fd == -1)
		cr_skip_test("no IPv6 here");
	world_init_with(&w, &(struct egress_options){ .allow = "::1" });
	dns_server_set(w.dns, "six.example",
	    &(struct dns_server_answer){ .aaaa = six, .ttl_s = 30 });
	write_es(w.e,
	    &(struct es){ .name = "six", .host = "six.example", .port = port });
	world_start(&w);
	call(&w, &m, "six");
	cr_expect_eq(
	    poll(&(struct pollfd){ .fd = fd, .events = POLLIN }, 1, 5000), 1,
	    "nobody came by IPv6");
	/* Nobody accepted it: this resets it. */
	(void)close(fd);
	mesh_close(&m);
	cr_expect_not_null(egress_log_line(w.e, "\"address\":\"[::1]:", NULL));
	world_end(&w);
}

Test(names, endpoints_of_a_service_take_turns)
{
	static const char *const names[] = { "one", "two", "three" };
	struct world w;

	world_init(&w, NULL);
	for (size_t i = 0; i < ALL(names); i++)
		write_es(w.e, &(struct es){ .name = names[i],
				  .service = "all",
				  .port = ext_port(serve_echo(&w, names[i])) });
	world_start(&w);
	for (int i = 0; i < 3; i++) {
		char turn[64] = "";

		for (size_t k = 0; k < ALL(names); k++)
			(void)strcat(strcat(turn, who_serves(&w, "all")), " ");
		for (size_t k = 0; k < ALL(names); k++)
			cr_expect_not_null(
			    strstr(turn, names[k]), "turn %d: %s", i, turn);
	}
	world_end(&w);
}

/* Requests of one caller's connection are spread as well. */
Test(names, requests_take_turns_too)
{
	static const char *const names[] = { "one", "two" };
	struct world w;
	struct mesh_client m;

	world_init(&w, NULL);
	for (size_t i = 0; i < ALL(names); i++)
		write_es(w.e,
		    &(struct es){ .name = names[i],
			.service = "all",
			.protocol = "http",
			.port = ext_port(world_serve(&w,
			    &(struct ext_config){ .protocol = EXT_HTTP })) });
	world_start(&w);
	call(&w, &m, "all");
	for (int i = 0; i < 8; i++)
		cr_expect_eq(status_of(ask_get(&m, "/")), 200);
	mesh_close(&m);
	for (size_t i = 0; i < ALL(names); i++) {
		cr_expect_geq(seen(w.servers[i]).requests, 1, "%s", names[i]);
		cr_expect_eq(seen(w.servers[i]).connections, 1, "%s", names[i]);
	}
	world_end(&w);
}

/* The service both has a name and an address, other only an address. */
static void
write_mixed(struct world *w)
{
	uint16_t a = ext_port(serve_echo(w, "by-name"));
	uint16_t b = ext_port(serve_echo(w, "by-address"));

	world_name(w, "a.example", "127.0.0.1");
	egress_writef(w->e, "services.yaml",
	    "type: ExternalService\nmesh: default\nname: first\n"
	    "tags: { kuma.io/service: both }\n"
	    "networking: { address: 'a.example:%u' }\n"
	    "---\n"
	    "type: ExternalService\nmesh: default\nname: second\n"
	    "tags: { kuma.io/service: both }\n"
	    "networking: { address: '127.0.0.1:%u' }\n"
	    "---\n"
	    "type: ExternalService\nmesh: default\nname: third\n"
	    "tags: { kuma.io/service: other }\n"
	    "networking: { address: '127.0.0.1:%u' }\n",
	    a, b, b);
}

Test(names, names_and_addresses_in_one_service)
{
	struct world w;

	world_init(&w, NULL);
	write_mixed(&w);
	world_start(&w);
	for (int i = 0; i < 6; i++)
		cr_expect_str_neq(who_serves(&w, "both"), "");
	cr_expect_eq(seen(w.servers[0]).connections, 3);
	cr_expect_eq(seen(w.servers[1]).connections, 3);
	world_end(&w);
}

Test(names, names_and_addresses_can_be_refused)
{
	char said[4096];
	struct world w;
	struct mesh_options o;
	struct mesh_client m;

	world_init(&w, "mixed_endpoints = \"refuse\";");
	write_mixed(&w);
	world_start(&w);
	cr_expect_str_eq(who_serves(&w, "other"), "by-address");
	o = caller(&w, "both");
	cr_expect_not(mesh_open(&m, &o));
	cr_expect_eq(m.end, MESH_RST);
	mesh_close(&m);
	cr_expect(has_outcome(w.e, "no_service", "\"sni\":\"both{"));
	cr_expect_neq(egress_ctl_status(w.e, "check", said, sizeof(said)), 0);
	cr_expect_not_null(strstr(said, "services.yaml:7:"), "%s", said);
	cr_expect_not_null(strstr(said, "ExternalService first"), "%s", said);
	cr_expect_not_null(strstr(said, "ExternalService second"), "%s", said);
	cr_expect_null(strstr(said, "third"), "%s", said);
	world_end(&w);
}

Test(names, a_refused_address_is_followed_by_the_next)
{
	static const char *const names[] = { "two" };
	static const char *const a[] = { "127.0.0.99", "127.0.0.2", NULL };
	struct world w;
	uint16_t port;

	world_init(&w, NULL);
	port = serve_at(&w, names, 1);
	set_addresses(&w, "half.example", 30, a);
	write_es(
	    w.e, &(struct es){
		     .name = "half", .host = "half.example", .port = port });
	world_start(&w);
	for (int i = 0; i < 4; i++)
		cr_expect_str_eq(who_serves(&w, "half"), "two", "call %d", i);
	/* Every second call begins with the bad one, and gets there. */
	cr_expect_eq(cluster_metric(
			 w.e, "envoy_cluster_upstream_cx_connect_fail", "half"),
	    0);
	world_end(&w);
}

/* And then it is left alone for ten seconds, even if it is well again. */
Test(names, a_failed_endpoint_is_avoided_for_ten_seconds)
{
	struct world w;
	uint16_t bad = free_port();
	int held = hold_port(bad);
	uint64_t failed_ms;

	world_init(&w, NULL);
	write_es(
	    w.e, &(struct es){ .name = "a", .service = "all", .port = bad });
	write_es(w.e, &(struct es){ .name = "b",
			  .service = "all",
			  .port = ext_port(serve_echo(&w, "good")) });
	world_start(&w);
	failed_ms = clock_ms();
	for (int i = 0; i < 6; i++)
		cr_expect_str_eq(who_serves(&w, "all"), "good", "call %d", i);
	cr_expect_eq(cluster_metric(
			 w.e, "envoy_cluster_upstream_cx_connect_fail", "all"),
	    1);
	cr_expect_not_null(
	    strstr(egress_ctl(w.e, "clusters"), "unhealthy active=0 idle=0"));
	cr_expect_not_null(strstr(egress_ctl(w.e, "clusters"), " failed "));
	(void)close(held);
	(void)world_serve(
	    &w, &(struct ext_config){
		    .protocol = EXT_ECHO, .name = "back", .port = bad });
	cr_assert(WAIT_UNTIL(20000, clock_ms() >= failed_ms + 9000));
	for (int i = 0; i < 3; i++)
		cr_expect_str_eq(who_serves(&w, "all"), "good");
	cr_assert(
	    WAIT_UNTIL(10000, strcmp(who_serves(&w, "all"), "back") == 0));
	cr_expect_geq(clock_ms(), failed_ms + 9900);
	for (int i = 0; i < 4; i++)
		(void)who_serves(&w, "all");
	cr_expect_eq(seen(w.servers[1]).connections, 3, "no turns again");
	world_end(&w);
}

/* One that takes connections and says nothing leaves time for another. */
Test(names, a_silent_endpoint_is_followed_by_the_next)
{
	struct world w;
	struct ext_server *s;

	world_init(&w, "limits = { connect_ms = 600; };");
	s = world_serve_tls(&w, "a.example",
	    &(struct ext_config){ .protocol = EXT_ECHO, .fault = EXT_SILENT });
	write_es(w.e, &(struct es){ .name = "a",
			  .service = "all",
			  .host = "a.example",
			  .port = ext_port(s),
			  .tls = "caCert: { secret: ext-ca }" });
	s = world_serve_tls(&w, "b.example",
	    &(struct ext_config){ .protocol = EXT_ECHO, .name = "good" });
	write_es(w.e, &(struct es){ .name = "b",
			  .service = "all",
			  .host = "b.example",
			  .port = ext_port(s),
			  .tls = "caCert: { secret: ext-ca }" });
	world_start(&w);
	for (int i = 0; i < 3; i++)
		cr_expect_str_eq(who_serves(&w, "all"), "good", "call %d", i);
	cr_expect_eq(seen(w.servers[0]).connections, 1);
	cr_expect_eq(cluster_metric(w.e,
			 "envoy_cluster_upstream_cx_connect_timeout", "all"),
	    1);
	world_end(&w);
}

struct unresolvable {
	const char *name;
	struct dns_server_answer answer;
	bool is_unknown;
	const char *outcome;
	const char *why;
};

static const struct unresolvable unresolvable[] = {
	{ .name = "unknown",
	    .is_unknown = true,
	    .outcome = "dns_error",
	    .why = "no such name" },
	{ .name = "empty",
	    .outcome = "dns_error",
	    .why = "the name has no address" },
	{ .name = "broken",
	    .answer = { .rcode = 2 },
	    .outcome = "dns_error",
	    .why = "the name server failed" },
	{ .name = "silent",
	    .answer = { .drop_a = true, .drop_aaaa = true },
	    .outcome = "dns_timeout",
	    .why = "no name server answered" },
};

static void
check_unresolvable(struct world *w, const struct unresolvable *u)
{
	char service[64], tcp[64];
	const char *answer, *line;
	struct mesh_client m;

	(void)snprintf(service, sizeof(service), "%s-http", u->name);
	(void)snprintf(tcp, sizeof(tcp), "\"service\":\"%s\"", u->name);
	answer = get_once(w, service, "/");
	cr_expect_eq(status_of(answer), 503, "%s: %s", u->name, answer);
	cr_expect_not_null(strstr(answer, "\r\n\r\nno healthy upstream"),
	    "%s: %s", u->name, answer);
	call(w, &m, u->name);
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_FIN, "%s: end %d", u->name,
	    (int)m.end);
	mesh_close(&m);
	cr_expect(has_outcome(w->e, u->outcome, tcp), "%s", u->name);
	line = egress_log_line(w->e, tcp, NULL);
	cr_expect_not_null(strstr(line, u->why), "%s: %s", u->name, line);
	cr_expect_not_null(strstr(line, ".example: "), "%s", line);
}

Test(names, names_that_do_not_resolve)
{
	struct world w;
	char host[64], http[64];

	world_init_with(&w, &(struct egress_options){ .dns = "tries = 1;" });
	for (size_t i = 0; i < ALL(unresolvable); i++) {
		const struct unresolvable *u = &unresolvable[i];

		(void)snprintf(host, sizeof(host), "%s.example", u->name);
		(void)snprintf(http, sizeof(http), "%s-http", u->name);
		if (!u->is_unknown)
			dns_server_set(w.dns, host, &u->answer);
		write_es(w.e,
		    &(struct es){ .name = u->name, .host = host, .port = 9 });
		write_es(w.e, &(struct es){ .name = http,
				  .protocol = "http",
				  .host = host,
				  .port = 9 });
	}
	world_start(&w);
	for (size_t i = 0; i < ALL(unresolvable); i++)
		check_unresolvable(&w, &unresolvable[i]);
	world_end(&w);
}

/* Asked again once the negative answer has run out. */
Test(names, a_name_may_appear_later)
{
	struct world w;
	struct ext_server *s;

	world_init_with(
	    &w, &(struct egress_options){ .dns = "negative_ttl_s = 1;" });
	s = serve_echo(&w, "ext");
	write_es(w.e,
	    &(struct es){
		.name = "late", .host = "late.example", .port = ext_port(s) });
	world_start(&w);
	cr_expect_str_eq(who_serves(&w, "late"), "");
	cr_expect_str_eq(who_serves(&w, "late"), "");
	cr_expect_eq(dns_server_count(w.dns, "late.example"), 2);
	world_name(&w, "late.example", "127.0.0.1");
	cr_expect(WAIT_UNTIL(5000, strcmp(who_serves(&w, "late"), "ext") == 0));
	cr_expect_geq(dns_server_count(w.dns, "late.example"), 4);
	world_end(&w);
}

/* A short one is followed, with the old answer in use while the new one comes.
 */
Test(names, the_time_to_live_is_honoured)
{
	static const char *const names[] = { "old", "new" };
	static const char *const old[] = { "127.0.0.2", NULL };
	static const char *const new[] = { "127.0.0.3", NULL };
	struct world w;
	uint16_t port;

	world_init_with(
	    &w, &(struct egress_options){ .dns = "min_ttl_s = 1;" });
	port = serve_at(&w, names, ALL(names));
	set_addresses(&w, "brief.example", 2, old);
	set_addresses(&w, "long.example", 3600, old);
	write_es(
	    w.e, &(struct es){
		     .name = "brief", .host = "brief.example", .port = port });
	write_es(
	    w.e, &(struct es){
		     .name = "long", .host = "long.example", .port = port });
	world_start(&w);
	for (int i = 0; i < 5; i++) {
		cr_expect_str_eq(who_serves(&w, "brief"), "old");
		cr_expect_str_eq(who_serves(&w, "long"), "old");
	}
	cr_expect_eq(dns_server_count(w.dns, "brief.example"), 2);
	set_addresses(&w, "brief.example", 2, new);
	set_addresses(&w, "long.example", 3600, new);
	cr_expect(
	    WAIT_UNTIL(5000, strcmp(who_serves(&w, "brief"), "new") == 0));
	cr_expect_geq(dns_server_count(w.dns, "brief.example"), 4);
	cr_expect_str_eq(who_serves(&w, "long"), "old");
	cr_expect_eq(dns_server_count(w.dns, "long.example"), 2);
	world_end(&w);
}

/* Both ends of the clamp: none is kept for 5 s, an hour for one second. */
Test(names, the_time_to_live_is_clamped)
{
	static const char *const a[] = { "127.0.0.1", NULL };
	struct world w;
	struct ext_server *s;

	world_init_with(&w,
	    &(struct egress_options){ .dns = "min_ttl_s = 1; max_ttl_s = 1;" });
	(void)world_add_zone(&w, &(struct egress_options){ .zone = "zone-1" });
	s = serve_echo(&w, "ext");
	set_addresses(&w, "hour.example", 3600, a);
	set_addresses(&w, "none.example", 0, a);
	write_es(&w.zones[0],
	    &(struct es){
		.name = "hour", .host = "hour.example", .port = ext_port(s) });
	write_es(&w.zones[1],
	    &(struct es){
		.name = "none", .host = "none.example", .port = ext_port(s) });
	world_start(&w);
	cr_expect_str_eq(who_serves(&w, "hour"), "ext");
	cr_expect_eq(dns_server_count(w.dns, "hour.example"), 2);
	for (int i = 0; i < 10; i++) {
		struct mesh_options o = caller_at(&w, &w.zones[1], "none");

		cr_expect_str_eq(who(&o), "ext");
	}
	cr_expect_eq(dns_server_count(w.dns, "none.example"), 2);
	cr_expect(
	    WAIT_UNTIL(5000, strcmp(who_serves(&w, "hour"), "ext") == 0 &&
				 dns_server_count(w.dns, "hour.example") >= 4));
	world_end(&w);
}

Test(names, the_last_good_answer_is_kept_when_the_resolver_dies)
{
	static const char *const a[] = { "127.0.0.1", NULL };
	struct world w;
	struct ext_server *s;
	char clusters[8192];

	world_init_with(
	    &w, &(struct egress_options){
		    .dns = "min_ttl_s = 1; negative_ttl_s = 1; tries = 1;" });
	s = serve_echo(&w, "ext");
	set_addresses(&w, "kept.example", 1, a);
	write_es(w.e,
	    &(struct es){
		.name = "kept", .host = "kept.example", .port = ext_port(s) });
	write_es(w.e, &(struct es){ .name = "never",
			  .host = "never.example",
			  .port = ext_port(s) });
	world_start(&w);
	cr_expect_str_eq(who_serves(&w, "kept"), "ext");
	dns_server_stop(w.dns);
	w.dns = NULL;
	cr_expect(WAIT_UNTIL(10000,
	    strcmp(who_serves(&w, "kept"), "ext") == 0 &&
		egress_get(w.e, "/clusters", clusters, sizeof(clusters)) ==
		    200 &&
		strstr(clusters, "127.0.0.1 (stale) healthy") != NULL));
	cr_expect_str_eq(who_serves(&w, "kept"), "ext");
	cr_expect_str_eq(who_serves(&w, "never"), "");
	world_end(&w);
}

Test(names, the_hosts_file_comes_first)
{
	char path[128], config[512];
	struct world w;
	struct ext_server *s;
	FILE *f;

	world_init(&w, NULL);
	(void)snprintf(path, sizeof(path), "%s/hosts", w.home);
	(void)snprintf(config, sizeof(config),
	    "dns = { servers = [ \"127.0.0.1:%u\" ]; hosts_file = \"%s\"; };",
	    w.dns_port, path);
	f = fopen(path, "we");
	(void)fputs("# printers\n127.0.0.2\tprinter.lan Printer # ours\n"
		    "not an address\n\n",
	    f);
	(void)fclose(f);
	egress_configure(w.e, &(struct egress_options){ .config = config });
	s = world_serve(&w, &(struct ext_config){ .protocol = EXT_ECHO,
				.name = "there",
				.address = "127.0.0.2" });
	write_es(w.e, &(struct es){ .name = "printer",
			  .host = "printer.lan",
			  .port = ext_port(s) });
	write_es(w.e,
	    &(struct es){
		.name = "asked", .host = "asked.lan", .port = ext_port(s) });
	world_name(&w, "printer.lan", "127.0.0.99");
	world_name(&w, "asked.lan", "127.0.0.2");
	world_start(&w);
	cr_expect_str_eq(who_serves(&w, "printer"), "there");
	cr_expect_eq(dns_server_count(w.dns, "printer.lan"), 0);
	cr_expect_str_eq(who_serves(&w, "asked"), "there");
	cr_expect_eq(dns_server_count(w.dns, "asked.lan"), 2);
	world_end(&w);
}
