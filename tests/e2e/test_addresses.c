/* SPDX-License-Identifier: Apache-2.0 */
/* Where the egress does not connect to, whatever a name says. */

#include <stdio.h>
#include <string.h>

#include "e2e/zones.h"

#define ALL(v) (sizeof(v) / sizeof((v)[0]))

static const struct forbidden {
	const char *name;
	const char *a;
	const char *aaaa;
	const char *why;
} forbidden[] = {
	{ "loopback", "127.0.0.1", NULL, "loopback" },
	{ "loopback-net", "127.200.1.2", NULL, "loopback" },
	{ "zero", "0.0.0.0", NULL, "this host" },
	{ "link", "169.254.1.1", NULL, "link-local" },
	{ "meta", "169.254.169.254", NULL, "link-local" },
	{ "meta-ali", "100.100.100.200", NULL, "metadata service" },
	{ "meta-azure", "168.63.129.16", NULL, "metadata service" },
	{ "multi", "224.0.0.1", NULL, "multicast" },
	{ "broad", "255.255.255.255", NULL, "" },
	{ "loopback6", NULL, "::1", "loopback" },
	{ "zero6", NULL, "::", "this host" },
	{ "link6", NULL, "fe80::1", "link-local" },
	{ "meta6", NULL, "fd00:ec2::254", "metadata service" },
	{ "multi6", NULL, "ff02::1", "multicast" },
	{ "mapped", NULL, "::ffff:127.0.0.1", "loopback" },
	{ "mapped-meta", NULL, "::ffff:169.254.169.254", "link-local" },
	{ "compatible", NULL, "::127.0.0.1", "loopback" },
	{ "nat64", NULL, "64:ff9b::169.254.169.254", "link-local" },
	{ "six-to-four", NULL, "2002:7f00:1::1", "loopback" },
	{ "teredo", NULL, "2001:0:a9fe:a9fe::", "link-local" },
};

/* A service of each row's name, all at one port of loopback. */
static void
start(struct world *w, const struct egress_options *o)
{
	struct ext_server *s;
	char host[64];

	world_init_with(w, o);
	s = world_serve(
	    w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "ext" });
	for (size_t i = 0; i < ALL(forbidden); i++) {
		const struct forbidden *f = &forbidden[i];
		const char *a[] = { f->a, NULL }, *aaaa[] = { f->aaaa, NULL };

		(void)snprintf(host, sizeof(host), "%s.example", f->name);
		dns_server_set(w->dns, host,
		    &(struct dns_server_answer){
			.a = a, .aaaa = aaaa, .ttl_s = 30 });
		write_es(w->e,
		    &(struct es){
			.name = f->name, .host = host, .port = ext_port(s) });
	}
}

Test(addresses, answers_that_lead_inside_are_refused)
{
	char service[64], leads[64];
	const char *line;
	struct world w;
	struct mesh_client m;

	start(&w, &(struct egress_options){ .allow = "" });
	world_start(&w);
	for (size_t i = 0; i < ALL(forbidden); i++) {
		const struct forbidden *f = &forbidden[i];

		call(&w, &m, f->name);
		cr_expect_eq(mesh_wait_end(&m, 5000), MESH_FIN, "%s: end %d",
		    f->name, (int)m.end);
		mesh_close(&m);
		(void)snprintf(
		    service, sizeof(service), "\"service\":\"%s\"", f->name);
		(void)snprintf(
		    leads, sizeof(leads), "%s.example leads to ", f->name);
		cr_expect(
		    has_outcome(w.e, "destination_ip_prohibited", service),
		    "%s", f->name);
		line = egress_log_line(w.e, service, NULL);
		cr_assert_not_null(line, "%s", f->name);
		cr_expect_not_null(strstr(line, leads), "%s", line);
		cr_expect_not_null(strstr(line, f->why), "%s", line);
	}
	cr_expect_eq(seen(w.servers[0]).connections, 0);
	world_end(&w);
}

Test(addresses, a_request_gets_503)
{
	const char *answer;
	struct world w;
	struct ext_server *s;

	world_init_with(&w, &(struct egress_options){ .allow = "" });
	s = world_serve(&w, &(struct ext_config){ .protocol = EXT_HTTP });
	world_name(&w, "inside.example", "127.0.0.1");
	write_es(w.e, &(struct es){ .name = "api",
			  .protocol = "http",
			  .host = "inside.example",
			  .port = ext_port(s) });
	world_start(&w);
	answer = get_once(&w, "api", "/");
	cr_expect_eq(status_of(answer), 503, "%s", answer);
	cr_expect_not_null(
	    strstr(answer, "\r\n\r\nno healthy upstream"), "%s", answer);
	cr_expect(
	    has_outcome(w.e, "destination_ip_prohibited", "inside.example"));
	cr_expect_eq(seen(s).connections, 0);
	world_end(&w);
}

/* Each network that is allowed, and no more. */
Test(addresses, what_is_allowed_is_connected_to)
{
	struct world w;

	start(&w, &(struct egress_options){ .allow = "127.0.0.0/16" });
	world_start(&w);
	cr_expect_str_eq(who_serves(&w, "loopback"), "ext");
	cr_expect_str_eq(who_serves(&w, "loopback-net"), "");
	cr_expect_str_eq(who_serves(&w, "meta"), "");
	cr_expect(has_outcome(
	    w.e, "destination_ip_prohibited", "\"service\":\"loopback-net\""));
	cr_expect(has_outcome(
	    w.e, "destination_ip_prohibited", "\"service\":\"meta\""));
	world_end(&w);
}

/* The good ones of an answer are used, the others never are. */
Test(addresses, one_bad_answer_spoils_no_good_one)
{
	static const char *const a[] = { "169.254.169.254", "127.0.0.1",
		"224.0.0.1", NULL };
	struct world w;
	struct ext_server *s;

	world_init(&w, NULL);
	s = world_serve(
	    &w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "ext" });
	dns_server_set(w.dns, "half.example",
	    &(struct dns_server_answer){ .a = a, .ttl_s = 30 });
	write_es(w.e,
	    &(struct es){
		.name = "half", .host = "half.example", .port = ext_port(s) });
	world_start(&w);
	for (int i = 0; i < 6; i++)
		cr_expect_str_eq(who_serves(&w, "half"), "ext", "call %d", i);
	cr_expect_eq(cluster_metric(
			 w.e, "envoy_cluster_upstream_cx_connect_fail", "half"),
	    0);
	world_end(&w);
}

/* Who writes an address down means it; deny_addresses is stronger. */
Test(addresses, a_literal_address_is_consent)
{
	const char *line;
	struct world w;
	struct ext_server *s, *other;

	world_init_with(&w, &(struct egress_options){ .allow = "",
				.config = "deny_addresses = [ \"127.0.0.2\" "
					  "];" });
	s = world_serve(
	    &w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "ext" });
	other = world_serve(&w, &(struct ext_config){ .protocol = EXT_ECHO,
				    .address = "127.0.0.2" });
	write_es(w.e, &(struct es){ .name = "literal", .port = ext_port(s) });
	write_mes(w.e, &(struct mes){ .name = "mes", .port = ext_port(s) });
	write_es(w.e, &(struct es){ .name = "denied",
			  .host = "127.0.0.2",
			  .port = ext_port(other) });
	world_start(&w);
	cr_expect_str_eq(who_serves(&w, "literal"), "ext");
	struct mesh_options o = caller(&w, "");
	o.sni = mes_sni("mes");
	cr_expect_str_eq(who(&o), "ext");
	cr_expect_str_eq(who_serves(&w, "denied"), "");
	line = egress_log_line(
	    w.e, "destination_ip_prohibited", "\"service\":\"denied\"");
	cr_assert_not_null(line);
	cr_expect_not_null(strstr(line, "deny_addresses"), "%s", line);
	cr_expect_eq(seen(other).connections, 0);
	world_end(&w);
}

/* Else one caller's connection could go round and round. */
Test(addresses, our_own_listeners_are_refused)
{
	static const char *const services[] = { "self", "self-name", "entry",
		"admin" };
	const char *line;
	char what[64];
	struct world w;

	world_init_with(&w, &(struct egress_options){ .has_ingress = true });
	world_name(&w, "self.example", "127.0.0.1");
	write_es(w.e, &(struct es){ .name = "self", .port = w.e->port });
	write_es(w.e, &(struct es){ .name = "self-name",
			  .host = "self.example",
			  .port = w.e->port });
	write_es(w.e, &(struct es){ .name = "entry", .port = w.e->ingress });
	write_es(w.e, &(struct es){ .name = "admin", .port = w.e->admin });
	world_start(&w);
	for (size_t i = 0; i < ALL(services); i++) {
		cr_expect_str_eq(who_serves(&w, services[i]), "");
		(void)snprintf(
		    what, sizeof(what), "\"service\":\"%s\"", services[i]);
		line = egress_log_line(
		    w.e, "\"outcome\":\"destination_ip_prohibited\"", what);
		cr_assert_not_null(line, "%s", services[i]);
		cr_expect_not_null(
		    strstr(line, "a listener of this egress"), "%s", line);
	}
	/* Only we came, and nobody by the other one. */
	cr_expect_eq(ended(w.e, "destination_ip_prohibited"), ALL(services));
	cr_expect_eq(egress_logged(w.e, NULL, NULL), ALL(services));
	world_end(&w);
}
