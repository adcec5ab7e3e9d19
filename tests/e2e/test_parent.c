/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands between the egress and a server: parent proxies (of ours, and
 * Debian's tinyproxy and microsocks where they are installed), PROXY headers
 * (of ours, and HAProxy), Unix sockets.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "e2e/zones.h"
#include "support/parent_proxy.h"
#include "support/program.h"

#define CA "caCert: { secret: ext-ca }"

static struct parent_proxy_seen
asked(struct parent_proxy *p)
{
	struct parent_proxy_seen s;

	parent_proxy_get(p, &s);
	return s;
}

/* A file below the world's home, absolute. */
static const char *
write_file(struct world *w, const char *name, const char *text)
{
	static char path[160];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", w->home, name);
	f = fopen(path, "w");
	cr_assert_not_null(f, "%s", path);
	(void)fputs(text, f);
	(void)fclose(f);
	return path;
}

static const char *
get_host(struct world *w, const char *service, const char *host)
{
	struct mesh_client m;
	char request[128];
	const char *a;

	(void)snprintf(request, sizeof(request),
	    "GET / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", host);
	call(w, &m, service);
	a = ask(&m, request);
	mesh_close(&m);
	return a;
}

/* TLS that we originate, inside of both kinds of tunnels. */
Test(parent, tls_through_both_kinds)
{
	struct parent_proxy *http = parent_proxy_start(
	    &(struct parent_proxy_options){ .auth = "me:secret" });
	struct parent_proxy *socks = parent_proxy_start(
	    &(struct parent_proxy_options){ .is_socks = true });
	struct ext_server *s;
	char config[1024];
	struct world w;

	world_init(&w, NULL);
	(void)snprintf(config, sizeof(config),
	    "services = ( { match = { service = \"api\"; }; proxy = "
	    "\"http://proxy.example:%u\"; proxy_auth_file = \"%s\"; }, "
	    "{ match = { service = \"raw\"; }; proxy = "
	    "\"socks5://127.0.0.1:%u\"; } );",
	    parent_proxy_port(http), write_file(&w, "auth", "me:secret\n"),
	    parent_proxy_port(socks));
	egress_configure(w.e,
	    &(struct egress_options){
		.config = config, .zone = "zone-1", .dns_port = w.dns_port });
	world_name(&w, "proxy.example", "127.0.0.1");
	s = world_serve_tls(
	    &w, "bank.example", &(struct ext_config){ .protocol = EXT_HTTP });
	/* Only the proxies know the name. */
	dns_server_forget(w.dns, "bank.example");
	write_es(w.e, &(struct es){ .name = "api",
			  .protocol = "http",
			  .host = "bank.example",
			  .port = ext_port(s),
			  .tls = CA });
	write_es(w.e, &(struct es){ .name = "raw",
			  .host = "bank.example",
			  .port = ext_port(s),
			  .tls = CA });
	world_start(&w);
	cr_expect_eq(status_of(get_once(&w, "api", "/")), 200);
	cr_expect_eq(status_of(get_once(&w, "api", "/")), 200);
	cr_expect_str_eq(asked(http).auth, "me:secret");
	cr_expect_eq(strncmp(asked(http).target, "bank.example:", 13), 0, "%s",
	    asked(http).target);
	cr_expect_eq(asked(http).tunnels, 1, "the pool keeps it");
	cr_expect_str_eq(seen(s).sni, "bank.example");
	cr_expect_eq(status_of(get_once(&w, "raw", "/")), 200);
	cr_expect_str_eq(asked(socks).form, "name");
	cr_expect_eq(dns_server_count(w.dns, "bank.example"), 0);
	cr_expect(egress_said(w.e, "rules about addresses hold for its own"));
	cr_expect_not(egress_said(w.e, "secret\n"));
	cr_expect_null(strstr(egress_ctl(w.e, "services -v"), "me:secret"));
	world_end(&w);
	parent_proxy_stop(http);
	parent_proxy_stop(socks);
}

/* Names that callers choose are checked before the proxy hears of them. */
Test(parent, names_of_a_wildcard)
{
	struct parent_proxy *p = parent_proxy_start(
	    &(struct parent_proxy_options){ .is_socks = false });
	struct ext_server *s;
	char config[512];
	struct world w;

	(void)snprintf(config, sizeof(config),
	    "services = ( { match = { service = \"s3\"; }; wildcard = "
	    "\"*.s3.test\"; proxy = \"http://127.0.0.1:%u\"; "
	    "proxy_protocol = \"v2\"; } );",
	    parent_proxy_port(p));
	world_init_with(&w, &(struct egress_options){
				.config = config, .allow = "127.0.0.2/32" });
	s = world_serve_tls(&w, "a.s3.test",
	    &(struct ext_config){ .protocol = EXT_HTTP, .wants_proxy = true });
	world_name(&w, "a.s3.test", "127.0.0.2");
	world_name(&w, "inside.s3.test", "10.1.2.3");
	write_es(w.e, &(struct es){ .name = "s3",
			  .protocol = "http",
			  .host = "s3.test",
			  .port = ext_port(s),
			  .tls = CA });
	world_start(&w);
	cr_expect_eq(status_of(get_host(&w, "s3", "a.s3.test")), 200);
	cr_expect_eq(strncmp(asked(p).target, "127.0.0.2:", 10), 0, "%s",
	    asked(p).target);
	cr_expect_str_eq(seen(s).sni, "a.s3.test");
	cr_expect_eq(seen(s).introduced, 1);
	cr_expect_str_eq(seen(s).proxy.spiffe, "spiffe://default/web");
	cr_expect_eq(status_of(get_host(&w, "s3", "inside.s3.test")), 503);
	cr_expect(has_outcome(w.e, "destination_ip_prohibited",
	    "inside.s3.test leads to 10.1.2.3"));
	cr_expect_eq(asked(p).connections, 1);
	world_end(&w);
	parent_proxy_stop(p);
}

Test(parent, what_the_log_says_of_a_proxy_that_refuses)
{
	static const char forbidden[] = "HTTP/1.1 403 Forbidden\r\n\r\n";
	struct parent_proxy *wants = parent_proxy_start(
	    &(struct parent_proxy_options){ .auth = "me:secret" });
	struct parent_proxy *denies =
	    parent_proxy_start(&(struct parent_proxy_options){
		.says = forbidden, .n_says = sizeof(forbidden) - 1 });
	struct parent_proxy *breaks = parent_proxy_start(
	    &(struct parent_proxy_options){ .says = "?", .n_says = 1 });
	char config[1024];
	struct world w;

	(void)snprintf(config, sizeof(config),
	    "services = ( { match = { service = \"a\"; }; proxy = "
	    "\"http://127.0.0.1:%u\"; }, { match = { service = \"b\"; }; "
	    "proxy = \"http://127.0.0.1:%u\"; }, { match = { service = "
	    "\"c\"; }; proxy = \"http://127.0.0.1:%u\"; } );",
	    parent_proxy_port(wants), parent_proxy_port(denies),
	    parent_proxy_port(breaks));
	world_init(&w, config);
	for (const char *name = "abc"; *name != '\0'; name++)
		write_es(
		    w.e, &(struct es){ .name = (const char[]){ *name, '\0' },
			     .host = "bank.example",
			     .port = 443 });
	world_start(&w);
	cr_expect_str_eq(who_serves(&w, "a"), "");
	cr_expect(has_outcome(
	    w.e, "parent_proxy_auth", "set services.proxy_auth_file (407"));
	cr_expect_str_eq(who_serves(&w, "b"), "");
	cr_expect(has_outcome(w.e, "parent_proxy_denied", "403 Forbidden"));
	cr_expect_str_eq(who_serves(&w, "c"), "");
	cr_expect(has_outcome(w.e, "parent_proxy_error", "is not HTTP/1.1"));
	world_end(&w);
	parent_proxy_stop(wants);
	parent_proxy_stop(denies);
	parent_proxy_stop(breaks);
}

/* A service whose name only the system's resolver knows, by this proxy. */
static void
through(const char *url, const char *auth)
{
	struct ext_server *s;
	char config[512];
	struct world w;

	world_init(&w, NULL);
	(void)snprintf(config, sizeof(config),
	    "services = ( { proxy = \"%s\"; proxy_auth_file = \"%s\"; } );",
	    url, write_file(&w, "auth", auth));
	egress_configure(w.e,
	    &(struct egress_options){
		.config = config, .zone = "zone-1", .dns_port = w.dns_port });
	s = world_serve_tls(
	    &w, "localhost", &(struct ext_config){ .protocol = EXT_HTTP });
	dns_server_forget(w.dns, "localhost");
	write_es(w.e, &(struct es){ .name = "api",
			  .protocol = "http",
			  .host = "localhost",
			  .port = ext_port(s),
			  .tls = CA });
	world_start(&w);
	cr_expect_eq(status_of(get_once(&w, "api", "/")), 200);
	cr_expect_str_eq(seen(s).sni, "localhost");
	world_end(&w);
}

Test(parent, tinyproxy)
{
	static const char program[] = "/usr/bin/tinyproxy";
	char path[128], url[64];
	uint16_t port = free_port();
	pid_t pid;
	FILE *f;

	if (access(program, X_OK) != 0)
		cr_skip_test("tinyproxy is not installed");
	(void)snprintf(
	    path, sizeof(path), "/tmp/parent.tinyproxy.%d", (int)getpid());
	f = fopen(path, "w");
	cr_assert_not_null(f);
	(void)fprintf(f,
	    "Port %u\nListen 127.0.0.1\nTimeout 60\nMaxClients 20\n"
	    "Allow 127.0.0.1\nBasicAuth me secret\n",
	    port);
	(void)fclose(f);
	pid = program_start(
	    NULL, (const char *const[]){ program, "-d", "-c", path, NULL });
	cr_expect(WAIT_UNTIL(5000, program_answers(port)));
	(void)snprintf(url, sizeof(url), "http://127.0.0.1:%u", port);
	through(url, "me:secret\n");
	program_stop(pid);
	(void)unlink(path);
}

Test(parent, microsocks)
{
	static const char program[] = "/usr/bin/microsocks";
	char number[16], url[64];
	uint16_t port = free_port();
	pid_t pid;

	if (access(program, X_OK) != 0)
		cr_skip_test("microsocks is not installed");
	(void)snprintf(number, sizeof(number), "%u", port);
	pid = program_start(
	    NULL, (const char *const[]){ program, "-i", "127.0.0.1", "-p",
		      number, "-u", "me", "-P", "secret", NULL });
	cr_expect(WAIT_UNTIL(5000, program_answers(port)));
	(void)snprintf(url, sizeof(url), "socks5://127.0.0.1:%u", port);
	through(url, "me:secret\n");
	program_stop(pid);
}

#define INTRODUCE "services = ( { proxy_protocol = \"v2\"; } );"

Test(proxy_protocol, a_server_is_told_who_calls)
{
	struct ext_server *s;
	struct world w;

	world_init(&w, INTRODUCE);
	s = world_serve_tls(&w, "bank.example",
	    &(struct ext_config){
		.protocol = EXT_ECHO, .name = "ext", .wants_proxy = true });
	write_es(w.e, &(struct es){ .name = "bank",
			  .host = "bank.example",
			  .port = ext_port(s),
			  .tls = CA });
	world_start(&w);
	cr_expect_str_eq(who_serves(&w, "bank"), "ext");
	cr_expect_eq(seen(s).introduced, 1);
	cr_expect_eq(strncmp(seen(s).proxy.from, "127.0.0.1:", 10), 0, "%s",
	    seen(s).proxy.from);
	cr_expect_str_eq(seen(s).proxy.spiffe, "spiffe://default/web");
	cr_expect_str_eq(seen(s).proxy.authority, sni_of("bank"));
	cr_expect_str_eq(seen(s).proxy.tls_version, "TLSv1.3");
	cr_expect(seen(s).proxy.is_verified);
	world_end(&w);
}

/* Requests of one connection share one; others never get it. */
Test(proxy_protocol, requests_of_one_caller_share)
{
	struct mesh_client one, two;
	struct ext_server *s;
	struct world w;
	char from[72];

	world_init(&w, INTRODUCE);
	s = world_serve(&w,
	    &(struct ext_config){ .protocol = EXT_HTTP, .wants_proxy = true });
	write_es(
	    w.e, &(struct es){
		     .name = "api", .protocol = "http", .port = ext_port(s) });
	world_start(&w);
	call(&w, &one, "api");
	call(&w, &two, "api");
	cr_expect_eq(status_of(ask_get(&one, "/")), 200);
	cr_expect_eq(status_of(ask_get(&one, "/")), 200);
	cr_expect_eq(seen(s).introduced, 1);
	(void)snprintf(from, sizeof(from), "%s", seen(s).proxy.from);
	cr_expect_eq(status_of(ask_get(&two, "/")), 200);
	cr_expect_eq(seen(s).introduced, 2);
	cr_expect_str_neq(seen(s).proxy.from, from);
	cr_expect_eq(status_of(ask_get(&one, "/")), 200);
	cr_expect_eq(status_of(ask_get(&two, "/")), 200);
	cr_expect_eq(seen(s).connections, 2);
	mesh_close(&one);
	mesh_close(&two);
	world_end(&w);
}

/* Switched on by a reload: what was open before is not used any more. */
Test(proxy_protocol, a_reload_switches_it_on)
{
	struct mesh_client m;
	struct ext_server *plain;
	struct world w;

	world_init(&w, NULL);
	plain = world_serve(&w,
	    &(struct ext_config){ .protocol = EXT_HTTP, .wants_proxy = true });
	write_es(w.e,
	    &(struct es){
		.name = "api", .protocol = "http", .port = ext_port(plain) });
	world_start(&w);
	egress_configure(w.e, &(struct egress_options){ .config = INTRODUCE,
				  .zone = "zone-1",
				  .dns_port = w.dns_port });
	egress_signal(w.e, SIGHUP);
	cr_expect(WAIT_UNTIL(5000, strstr(egress_ctl(w.e, "services -v"),
				       "proxy_protocol=v2") != NULL));
	call(&w, &m, "api");
	cr_expect_eq(status_of(ask_get(&m, "/")), 200);
	cr_expect_eq(seen(plain).introduced, 1);
	mesh_close(&m);
	world_end(&w);
}

Test(proxy_protocol, haproxy)
{
	static const char program[] = "/usr/sbin/haproxy";
	uint16_t port = free_port();
	const char *a, *path;
	struct world w;
	char text[512];
	pid_t pid;

	if (access(program, X_OK) != 0)
		cr_skip_test("haproxy is not installed");
	world_init(&w, INTRODUCE);
	(void)snprintf(text, sizeof(text),
	    "defaults\n mode http\n timeout client 5s\nfrontend f\n bind "
	    "127.0.0.1:%u accept-proxy\n http-request return status 200 "
	    "content-type text/plain lf-string "
	    "\"src=%%[src] sni=%%[fc_pp_authority] \"\n",
	    port);
	path = write_file(&w, "haproxy.cfg", text);
	pid = program_start(NULL,
	    (const char *const[]){ program, "-db", "-q", "-f", path, NULL });
	cr_expect(WAIT_UNTIL(5000, program_answers(port)));
	write_es(w.e,
	    &(struct es){ .name = "api", .protocol = "http", .port = port });
	world_start(&w);
	a = get_once(&w, "api", "/");
	cr_expect_eq(status_of(a), 200, "%s", a);
	cr_expect_not_null(
	    strstr(a, "src=127.0.0.1 sni=api{mesh=default} "), "%s", a);
	program_stop(pid);
	world_end(&w);
}

Test(unix_socket, of_a_resource_and_of_an_option)
{
	char path[160], config[512];
	struct ext_server *s;
	struct world w;

	world_init(&w, NULL);
	(void)snprintf(path, sizeof(path), "%s/x.sock", w.home);
	(void)snprintf(config, sizeof(config),
	    "services = ( { match = { service = \"bank\"; }; dial = "
	    "\"unix:%s\"; }, { match = { service = \"self\"; }; dial = "
	    "\"unix:%s\"; } );",
	    path, w.e->socket);
	egress_configure(w.e, &(struct egress_options){ .config = config,
				  .zone = "zone-1",
				  .allow = "",
				  .dns_port = w.dns_port });
	s = world_serve(&w,
	    &(struct ext_config){ .protocol = EXT_HTTP, .unix_path = path });
	write_es(w.e, &(struct es){ .name = "bank",
			  .protocol = "http",
			  .host = "bank.example",
			  .port = 443 });
	egress_writef(w.e, "local.yaml",
	    "type: MeshExternalService\nmesh: default\nname: local\nspec:\n"
	    "  match: { type: HostnameGenerator, port: 443, protocol: http }\n"
	    "  endpoints: [ { address: \"unix://%s\" } ]\n",
	    path);
	write_es(w.e, &(struct es){ .name = "self", .port = 443 });
	world_start(&w);
	cr_expect_eq(status_of(get_once(&w, "bank", "/")), 200);
	cr_expect_not_null(
	    strstr(seen(s).head, "bank.example"), "%s", seen(s).head);
	cr_expect_not_null(
	    egress_log_line(w.e, "\"service\":\"bank\"", "\"status\":200"));
	{
		struct mesh_options o = caller(&w, "x");
		struct mesh_client m;

		o.sni = mes_sni("local");
		cr_assert(mesh_open(&m, &o), "%s", m.error);
		cr_expect_eq(status_of(ask_get(&m, "/")), 200);
		mesh_close(&m);
	}
	cr_expect_not_null(egress_log_line(w.e, "x.sock", "\"local\""));
	cr_expect_eq(seen(s).requests, 2);
	/* There we are an operator. */
	cr_expect_str_eq(who_serves(&w, "self"), "");
	cr_expect(has_outcome(
	    w.e, "destination_ip_prohibited", "it is a socket of this egress"));
	world_end(&w);
}
