/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What operators set and see of name servers: zegressctl dns, several servers,
 * services with servers of their own, SRV.  What names lead to otherwise is in
 * test_names.c, a name server from Debian's packages in test_dns_real.c.
 */

#include <stdio.h>
#include <string.h>

#include "e2e/zones.h"

static struct ext_server *
serve_echo(struct world *w, const char *name)
{
	return world_serve(
	    w, &(struct ext_config){ .protocol = EXT_ECHO, .name = name });
}

static void
set_name(struct dns_server *s, const char *name, const char *address)
{
	const char *const a[] = { address, NULL };

	dns_server_set(
	    s, name, &(struct dns_server_answer){ .a = a, .ttl_s = 300 });
}

static void
expect_counted(
    struct egress *e, const char *what, const char *server, double want)
{
	char line[128];
	double got;

	(void)snprintf(line, sizeof(line),
	    "zegress_resolver_%s{resolver=\"%s\"}", what, server);
	got = egress_metric(e, line);
	cr_expect_eq(got, want, "%s %s: %f", server, what, got);
}

Test(dns, is_shown_and_flushed)
{
	static const char *const names[] = { "zegress_dns_queries 6",
		"zegress_dns_names 3", "zegress_dns_failing_names 1" };
	char out[4096];
	const char *said;
	struct world w;

	world_init_with(&w, &(struct egress_options){ .dns = "tries = 1;" });
	write_es(w.e, &(struct es){ .name = "one",
			  .host = "one.example",
			  .port = ext_port(serve_echo(&w, "ext")) });
	write_es(w.e,
	    &(struct es){ .name = "two", .host = "two.example", .port = 9 });
	write_es(w.e,
	    &(struct es){ .name = "bad", .host = "bad.example", .port = 9 });
	set_name(w.dns, "one.example", "127.0.0.1");
	dns_server_set(
	    w.dns, "bad.example", &(struct dns_server_answer){ .rcode = 2 });
	world_start(&w);
	cr_expect_str_eq(who_serves(&w, "one"), "ext");
	cr_expect_str_eq(who_serves(&w, "two"), "");
	cr_expect_str_eq(who_serves(&w, "bad"), "");
	said = egress_ctl(w.e, "dns");
	cr_expect_not_null(strstr(said, "resolver 127.0.0.1:"), "%s", said);
	cr_expect_not_null(
	    strstr(said, " queries=6 answers=4 failures=2 timeouts=0\n"), "%s",
	    said);
	cr_expect_not_null(
	    strstr(said, "one.example 127.0.0.1 fresh age="), "%s", said);
	cr_expect_not_null(
	    strstr(said, "two.example (no such name) age="), "%s", said);
	cr_expect_not_null(
	    strstr(said, "bad.example (the name server failed)"), "%s", said);
	cr_expect_not_null(strstr(said, " failures=1 "), "%s", said);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char line[64];
		double want = 0;

		(void)sscanf(names[i], "%63s %lf", line, &want);
		cr_expect_eq(egress_metric(w.e, line), want, "%s", names[i]);
	}
	cr_expect_neq(egress_ctl_status(w.e, "dns all", out, sizeof(out)), 0);

	/* One that is forgotten is asked for again, the others are not. */
	cr_expect_eq(dns_server_count(w.dns, "one.example"), 2);
	said = egress_ctl(w.e, "dns flush one.example");
	cr_expect_not_null(strstr(said, "1 forgotten"), "%s", said);
	said = egress_ctl(w.e, "dns");
	cr_expect_null(strstr(said, "one.example"), "%s", said);
	cr_expect_str_eq(who_serves(&w, "one"), "ext");
	cr_expect_eq(dns_server_count(w.dns, "one.example"), 4);
	said = egress_ctl(w.e, "dns flush");
	cr_expect_not_null(strstr(said, "3 forgotten"), "%s", said);
	cr_expect_null(strstr(egress_ctl(w.e, "dns"), ".example"));
	world_end(&w);
}

/* Split horizon: the same name is another server for who asks elsewhere. */
Test(dns, services_may_have_servers_of_their_own)
{
	struct dns_server *partner = dns_server_start();
	char config[256], out[4096];
	struct ext_server *s;
	uint16_t port;
	struct world w;

	(void)snprintf(config, sizeof(config),
	    "services = ( { match = { service = \"inner\"; }; "
	    "resolvers = [ \"%s\" ]; } );",
	    dns_server_address(partner));
	world_init(&w, config);
	port = free_port();
	(void)world_serve(&w, &(struct ext_config){ .protocol = EXT_ECHO,
				  .name = "public",
				  .address = "127.0.0.2",
				  .port = port });
	s = world_serve(&w, &(struct ext_config){ .protocol = EXT_ECHO,
				.name = "private",
				.address = "127.0.0.3",
				.port = port });
	set_name(w.dns, "split.example", "127.0.0.2");
	set_name(partner, "split.example", "127.0.0.3");
	write_es(
	    w.e, &(struct es){
		     .name = "outer", .host = "split.example", .port = port });
	write_es(
	    w.e, &(struct es){
		     .name = "inner", .host = "split.example", .port = port });
	world_start(&w);
	for (int i = 0; i < 3; i++) {
		cr_expect_str_eq(who_serves(&w, "outer"), "public");
		cr_expect_str_eq(who_serves(&w, "inner"), "private");
	}
	cr_expect_eq(dns_server_count(w.dns, "split.example"), 2);
	cr_expect_eq(dns_server_count(partner, "split.example"), 2);
	(void)egress_ctl_status(w.e, "dns", out, sizeof(out));
	cr_expect_not_null(strstr(out, "split.example 127.0.0.2 "), "%s", out);
	cr_expect_not_null(
	    strstr(out, "services with resolvers 127.0.0.1:"), "%s", out);
	cr_expect_not_null(strstr(out, "split.example 127.0.0.3 "), "%s", out);
	cr_expect_not_null(
	    strstr(egress_ctl(w.e, "services -v inner"), " resolvers=["));
	/* Nobody else answers for a partner that is gone. */
	dns_server_stop(partner);
	(void)egress_ctl(w.e, "dns flush");
	cr_expect_str_eq(who_serves(&w, "inner"), "");
	cr_expect_str_eq(who_serves(&w, "outer"), "public");
	cr_expect_eq(seen(s).connections, 3);
	world_end(&w);
}

Test(dns, srv_gives_servers_and_ports)
{
	struct dns_server_srv srv[] = {
		{ 20, 0, 0, "b.example" },
		{ 10, 0, 0, "a.example" },
		{ 0, 0, 0, NULL },
	};
	struct world w;
	int held;

	world_init(&w,
	    "services = ( { match = { service = \"db\"; }; srv = true; } );");
	srv[0].port = ext_port(serve_echo(&w, "second"));
	srv[1].port = ext_port(serve_echo(&w, "first"));
	set_name(w.dns, "a.example", "127.0.0.1");
	set_name(w.dns, "b.example", "127.0.0.1");
	dns_server_set(w.dns, "_db._tcp.example",
	    &(struct dns_server_answer){ .srv = srv, .ttl_s = 300 });
	write_es(
	    w.e, &(struct es){
		     .name = "db", .host = "_db._tcp.example", .port = 1 });
	world_start(&w);
	for (int i = 0; i < 4; i++)
		cr_expect_str_eq(who_serves(&w, "db"), "first");
	cr_expect_eq(dns_server_count(w.dns, "_db._tcp.example"), 1);

	/* The next priority is for when the first fails. */
	srv[1].port = free_port();
	held = hold_port(srv[1].port);
	dns_server_set(w.dns, "_db._tcp.example",
	    &(struct dns_server_answer){ .srv = srv, .ttl_s = 300 });
	(void)egress_ctl(w.e, "dns flush _db._tcp.example");
	for (int i = 0; i < 4; i++)
		cr_expect_str_eq(who_serves(&w, "db"), "second");
	(void)close(held);
	world_end(&w);
}

/* What SRV leads to is no more trusted than any other answer. */
Test(dns, srv_leads_nowhere_else)
{
	const struct dns_server_srv srv[] = {
		{ 1, 0, 80, "169.254.169.254" },
		{ 2, 0, 80, "meta.example" },
		{ 0, 0, 0, NULL },
	};
	struct world w;

	world_init(&w, "services = ( { srv = true; } );");
	set_name(w.dns, "meta.example", "169.254.169.254");
	dns_server_set(w.dns, "_db._tcp.example",
	    &(struct dns_server_answer){ .srv = srv, .ttl_s = 300 });
	write_es(
	    w.e, &(struct es){
		     .name = "db", .host = "_db._tcp.example", .port = 443 });
	world_start(&w);
	cr_expect_str_eq(who_serves(&w, "db"), "");
	cr_expect(
	    has_outcome(w.e, "destination_ip_prohibited", "169.254.169.254"));
	world_end(&w);
}

/* TLS is with the name of the domain, not with that of the records. */
Test(dns, srv_and_tls)
{
	struct dns_server_srv srv[] = {
		{ 1, 0, 0, "target.example" },
		{ 0, 0, 0, NULL },
	};
	struct ext_server *s;
	struct world w;

	world_init(&w,
	    "services = ( { match = { service = \"db\"; }; srv = true; } );");
	s = world_serve_tls(&w, "shop.example",
	    &(struct ext_config){ .protocol = EXT_ECHO, .name = "tls" });
	srv[0].port = ext_port(s);
	set_name(w.dns, "target.example", "127.0.0.1");
	dns_server_set(w.dns, "_db._tcp.shop.example",
	    &(struct dns_server_answer){ .srv = srv, .ttl_s = 300 });
	write_es(w.e, &(struct es){ .name = "db",
			  .host = "_db._tcp.shop.example",
			  .port = 1,
			  .tls = "caCert: { secret: ext-ca }" });
	world_start(&w);
	cr_expect_str_eq(who_serves(&w, "db"), "tls");
	cr_expect_str_eq(seen(s).sni, "shop.example");
	world_end(&w);
}

Test(dns, a_second_server_takes_over)
{
	static const char *const names[] = { "n0", "n1" };
	static const char *const hosts[] = { "n0.example", "n1.example" };
	struct dns_server *second = dns_server_start();
	char config[256];
	const char *said;
	struct world w;

	world_init(&w, NULL);
	(void)snprintf(config, sizeof(config),
	    "dns = { servers = [ \"127.0.0.1:%u\", \"%s\" ]; "
	    "hosts_file = \"\"; timeout_ms = 300; };",
	    w.dns_port, dns_server_address(second));
	egress_configure(w.e, &(struct egress_options){ .config = config });
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		dns_server_set(w.dns, hosts[i],
		    &(struct dns_server_answer){
			.drop_a = true, .drop_aaaa = true });
		set_name(second, hosts[i], "127.0.0.1");
		write_es(w.e, &(struct es){ .name = names[i],
				  .host = hosts[i],
				  .port = ext_port(serve_echo(&w, names[i])) });
	}
	world_start(&w);
	cr_expect_str_eq(who_serves(&w, "n0"), "n0");
	cr_expect_str_eq(who_serves(&w, "n1"), "n1");
	cr_expect_eq(dns_server_count(w.dns, "n1.example"), 0,
	    "the silent one is behind by then");
	said = egress_ctl(w.e, "dns");
	cr_expect_not_null(strstr(said, " timeouts=2 behind="), "%s", said);
	cr_expect_eq(egress_metric(w.e, "zegress_dns_failures"), 0);
	expect_counted(w.e, "timeouts", dns_server_address(w.dns), 2);
	expect_counted(w.e, "answers", dns_server_address(w.dns), 0);
	expect_counted(w.e, "queries", dns_server_address(second), 4);
	expect_counted(w.e, "answers", dns_server_address(second), 4);
	dns_server_stop(second);
	world_end(&w);
}

Test(dns, the_last_good_answer_is_dropped_in_the_end)
{
	struct world w;

	world_init_with(
	    &w, &(struct egress_options){
		    .dns = "min_ttl_s = 1; max_ttl_s = 1; max_stale_s = 2; "
			   "negative_ttl_s = 1; tries = 1;" });
	write_es(w.e, &(struct es){ .name = "old",
			  .host = "old.example",
			  .port = ext_port(serve_echo(&w, "ext")) });
	set_name(w.dns, "old.example", "127.0.0.1");
	world_start(&w);
	cr_expect_str_eq(who_serves(&w, "old"), "ext");
	dns_server_stop(w.dns);
	w.dns = NULL;
	cr_expect(WAIT_UNTIL(
	    10000, strcmp(who_serves(&w, "old"), "ext") == 0 &&
		       egress_metric(w.e, "zegress_dns_stale_served") > 0));
	cr_expect(WAIT_UNTIL(10000, *who_serves(&w, "old") == '\0'));
	cr_expect(has_outcome(w.e, "dns_error", "the name server failed"));
	world_end(&w);
}
