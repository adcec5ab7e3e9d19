/* SPDX-License-Identifier: Apache-2.0 */
/* Reaching a server through a parent proxy.  Over real sockets. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support/parent_proxy.h"
#include "upstream/name.h"
#include "upstream_rig.h"

static struct rig g;
static struct service_options o;
static struct parent_proxy *proxy;
static struct service *s;
static char url[64], file[96];

static void
setup(void)
{
	rig_init(&g);
	o = *service_options_standard();
	(void)snprintf(file, sizeof(file), "/tmp/reach_parent.%d", getpid());
}

static void
teardown(void)
{
	service_unref(s);
	rig_fini(&g);
	if (proxy != NULL)
		parent_proxy_stop(proxy);
	(void)unlink(file);
}

TestSuite(reach_parent, .init = setup, .fini = teardown, .timeout = 60);

static void
end_row(void)
{
	service_unref(s);
	s = NULL;
	parent_proxy_stop(proxy);
	proxy = NULL;
}

static void
start_proxy(const struct parent_proxy_options *po)
{
	proxy = parent_proxy_start(po);
	(void)snprintf(url, sizeof(url), "%s://127.0.0.1:%u",
	    po->is_socks ? "socks5" : "http", parent_proxy_port(proxy));
	o.proxy = str_of(url);
}

static struct parent_proxy_seen
seen(void)
{
	struct parent_proxy_seen now;

	parent_proxy_get(proxy, &now);
	return now;
}

static void
write_file(const char *text)
{
	FILE *f = fopen(file, "w");

	cr_assert_not_null(f);
	(void)fputs(text, f);
	(void)fclose(f);
	o.proxy_auth_file = str_of(file);
}

static void
reach_at(const char *host, uint16_t port, struct tls_spec *tls,
    struct rig_reached *r)
{
	if (s == NULL)
		s = rig_service_with(&o, PROTO_HTTP, "s", "r0",
		    (const struct rig_endpoint[]){
			{ .key = "a", .host = host, .port = port, .tls = tls },
			{ .key = NULL } });
	if (g.clusters == NULL)
		rig_start(&g);
	rig_reach(&g, s, &RIG_ANY, r);
}

static struct ext_server *
server(const char *greeting)
{
	const struct ext_config c = {
		.protocol = EXT_ECHO, .name = "x", .greeting = greeting
	};

	return ext_start(&c);
}

Test(reach_parent, connect_gives_the_name)
{
	struct ext_server *x = server("hello\n");
	struct rig_reached r;

	start_proxy(&(struct parent_proxy_options){ .is_socks = false });
	reach_at("bank.example", ext_port(x), NULL, &r);
	cr_assert_eq(r.r.status, REACH_OK, "%s", r.r.detail);
	rig_expect_text(&g, &r, "hello\n");
	cr_expect_eq(strncmp(seen().target, "bank.example:", 13), 0, "%s",
	    seen().target);
	cr_expect_str_eq(seen().auth, "");
	cr_expect_eq(addr_port(&r.r.addr), parent_proxy_port(proxy));
	cr_expect(rig_says(&g, " by http://127.0.0.1:"));
	rig_hang_up(&r);
	ext_stop(x);
}

Test(reach_parent, socks_gives_the_name_and_credentials)
{
	struct ext_server *x = server("hello\n");
	struct rig_reached r;

	start_proxy(&(struct parent_proxy_options){
	    .is_socks = true, .auth = "me:se:cret" });
	write_file("me:se:cret\n");
	reach_at("bank.example", ext_port(x), NULL, &r);
	cr_assert_eq(r.r.status, REACH_OK, "%s", r.r.detail);
	rig_expect_text(&g, &r, "hello\n");
	cr_expect_str_eq(seen().form, "name");
	cr_expect_str_eq(seen().auth, "me:se:cret");
	rig_hang_up(&r);
	ext_stop(x);
}

/* A changed file counts at once. */
Test(reach_parent, credentials_change)
{
	struct ext_server *x = server(NULL);
	struct rig_reached r;

	start_proxy(&(struct parent_proxy_options){ .auth = "me:new" });
	write_file("me:old\n");
	reach_at("bank.example", ext_port(x), NULL, &r);
	cr_expect_eq(r.r.status, REACH_PARENT_AUTH, "%s", r.r.detail);
	cr_expect_not_null(strstr(r.r.detail, "407"), "%s", r.r.detail);
	cr_expect_null(strstr(r.r.detail, "old"), "%s", r.r.detail);
	rig_hang_up(&r);
	write_file("me:new");
	reach_at("bank.example", ext_port(x), NULL, &r);
	cr_expect_eq(r.r.status, REACH_OK, "%s", r.r.detail);
	rig_hang_up(&r);
	(void)unlink(file);
	reach_at("bank.example", ext_port(x), NULL, &r);
	cr_expect_eq(r.r.status, REACH_PARENT_AUTH, "%s", r.r.detail);
	cr_expect_not_null(
	    strstr(r.r.detail, "No such file"), "%s", r.r.detail);
	rig_hang_up(&r);
	ext_stop(x);
}

Test(reach_parent, tls_inside_of_the_tunnel)
{
	struct pki *ca =
	    pki_ca_new(NULL, &(struct pki_options){ .subject = "CN=root" });
	struct pki *cert = pki_server(ca, "bank.example");
	const struct ext_config c = { .protocol = EXT_ECHO,
		.cert_pem = cert->cert_pem,
		.key_pem = cert->key_pem };
	struct ext_server *x = ext_start(&c);
	struct ext_seen server_seen;
	struct rig_reached r;

	start_proxy(&(struct parent_proxy_options){ .is_socks = false });
	reach_at("bank.example", ext_port(x),
	    rig_tls(ca, "bank.example", "bank.example"), &r);
	cr_assert_eq(r.r.status, REACH_OK, "%s", r.r.detail);
	cr_expect(r.r.has_tls);
	/* It has its end of the handshake a little later. */
	cr_expect(RIG_UNTIL(&g, ({
		ext_get(x, &server_seen);
		server_seen.handshakes > 0;
	})));
	cr_expect_str_eq(server_seen.sni, "bank.example");
	rig_hang_up(&r);
	ext_stop(x);
	pki_free(cert);
	pki_free(ca);
}

Test(reach_parent, what_a_proxy_may_answer)
{
	static const struct {
		const char *what;
		bool is_socks;
		struct str says;
		enum reach_status want;
	} rows[] = {
		{ "403", false, { "HTTP/1.1 403 no\r\n\r\n", 19 },
		    REACH_PARENT_DENIED },
		{ "504", false, { "HTTP/1.1 504 no\r\n\r\n", 19 }, REACH_LATE },
		{ "503", false, { "HTTP/1.1 503 no\r\n\r\n", 19 },
		    REACH_PARENT_FAILED },
		{ "nonsense", false, { "hello\r\n", 7 }, REACH_PARENT_FAILED },
		{ "nothing", false, { "", 0 }, REACH_PARENT_FAILED },
		{ "half an answer", false, { "HTTP/1.1 200 OK\r\n", 17 },
		    REACH_PARENT_FAILED },
		{ "refused", true, { "\5\5", 2 }, REACH_REFUSED },
		{ "no host", true, { "\5\4", 2 }, REACH_UNREACHABLE },
		{ "rules", true, { "\5\2", 2 }, REACH_PARENT_DENIED },
		{ "half", true, { "\5\0\0\1\1", 5 }, REACH_PARENT_FAILED },
	};
	struct rig_reached r;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		start_proxy(&(struct parent_proxy_options){
		    .is_socks = rows[i].is_socks,
		    .says = rows[i].says.p,
		    .n_says = rows[i].says.len });
		reach_at("bank.example", 443, NULL, &r);
		cr_expect_eq(r.r.status, rows[i].want, "%s: %d %s",
		    rows[i].what, r.r.status, r.r.detail);
		cr_expect_not_null(
		    strstr(r.r.detail, "parent proxy 127.0.0.1:"), "%s",
		    r.r.detail);
		cr_expect_not_null(
		    strstr(r.r.detail, "bank.example:443"), "%s", r.r.detail);
		cr_expect_null(r.r.wire);
		rig_hang_up(&r);
		end_row();
	}
}

/* One endpoint a row, as what is known of each stays. */
static bool
is_ejected(const char *key)
{
	uint64_t before = rig_stat("s", STAT_OUTLIER_EJECTIONS);
	struct rig_reached r;

	s = rig_service_with(&o, PROTO_HTTP, "s", "r0",
	    (const struct rig_endpoint[]){
		{ .key = key, .host = "bank.example", .port = 443 },
		{ .key = NULL } });
	if (g.clusters == NULL)
		rig_start(&g);
	rig_reach(&g, s, &RIG_ANY, &r);
	cr_expect_neq(r.r.status, REACH_OK, "%s", key);
	rig_hang_up(&r);
	service_unref(s);
	s = NULL;
	return rig_stat("s", STAT_OUTLIER_EJECTIONS) > before;
}

/* Only what the proxy says of the server, not what it does itself. */
Test(reach_parent, what_counts_against_the_server)
{
	static const struct {
		const char *key;
		bool is_socks;
		struct str says;
		bool counts;
	} rows[] = {
		{ "500", false, { "HTTP/1.1 500 no\r\n\r\n", 19 }, false },
		{ "502", false, { "HTTP/1.1 502 no\r\n\r\n", 19 }, true },
		{ "503", false, { "HTTP/1.1 503 no\r\n\r\n", 19 }, false },
		{ "504", false, { "HTTP/1.1 504 no\r\n\r\n", 19 }, true },
		{ "403", false, { "HTTP/1.1 403 no\r\n\r\n", 19 }, false },
		{ "407", false, { "HTTP/1.1 407 no\r\n\r\n", 19 }, false },
		{ "nonsense", false, { "hello\r\n", 7 }, false },
		{ "closed", false, { "", 0 }, false },
		{ "general", true, { "\5\1", 2 }, false },
		{ "rules", true, { "\5\2", 2 }, false },
		{ "network", true, { "\5\3", 2 }, false },
		{ "host", true, { "\5\4", 2 }, true },
		{ "refused", true, { "\5\5", 2 }, true },
		{ "ttl", true, { "\5\6", 2 }, true },
	};

	o.outlier.consecutive_local = 1;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		start_proxy(&(struct parent_proxy_options){
		    .is_socks = rows[i].is_socks,
		    .says = rows[i].says.p,
		    .n_says = rows[i].says.len });
		cr_expect_eq(
		    is_ejected(rows[i].key), rows[i].counts, "%s", rows[i].key);
		parent_proxy_stop(proxy);
	}
	start_proxy(&(struct parent_proxy_options){ .is_silent = true });
	g.limits.connect_ms = 300;
	cr_expect_not(is_ejected("silent"));
	(void)snprintf(
	    url, sizeof(url), "http://127.0.0.1:%u", rig_closed_port());
	cr_expect_not(is_ejected("no proxy"));
}

Test(reach_parent, a_proxy_that_is_silent)
{
	struct rig_reached r;

	g.limits.connect_ms = 300;
	start_proxy(&(struct parent_proxy_options){ .is_silent = true });
	reach_at("bank.example", 443, NULL, &r);
	cr_expect_eq(r.r.status, REACH_LATE, "%s", r.r.detail);
	cr_expect_lt(r.took_ms, 3000);
	rig_hang_up(&r);
}

/* A server of TLS never speaks first: somebody else does. */
Test(reach_parent, bytes_before_a_handshake)
{
	static const char says[] = "HTTP/1.1 200 OK\r\n\r\nhello";
	struct rig_reached r;

	start_proxy(&(struct parent_proxy_options){
	    .says = says, .n_says = sizeof(says) - 1 });
	reach_at("bank.example", 443, rig_tls(NULL, "bank.example", NULL), &r);
	cr_expect_eq(r.r.status, REACH_PARENT_FAILED, "%s", r.r.detail);
	rig_hang_up(&r);
}

/* What came with the answer is not lost. */
Test(reach_parent, a_server_that_speaks_first)
{
	static const char says[] = "HTTP/1.1 200 OK\r\n\r\nhello";
	struct rig_reached r;

	start_proxy(&(struct parent_proxy_options){
	    .says = says, .n_says = sizeof(says) - 1 });
	reach_at("bank.example", 443, NULL, &r);
	cr_assert_eq(r.r.status, REACH_OK, "%s", r.r.detail);
	rig_expect_text(&g, &r, "hello");
	rig_hang_up(&r);
}

static void
name(const char *host, const char *address)
{
	const char *const a[] = { address, NULL };

	dns_server_set(
	    g.names, host, &(struct dns_server_answer){ .a = a, .ttl_s = 30 });
}

/* Then the rules about addresses hold for the server's. */
Test(reach_parent, names_resolved_here)
{
	struct ext_server *x = server("hello\n");
	struct rig_reached r;

	start_proxy(&(struct parent_proxy_options){ .is_socks = true });
	o.proxy_resolve = PROXY_RESOLVE_LOCAL;
	name("bank.example", "127.0.0.9");
	name("bad.example", "169.254.169.254");
	reach_at("bank.example", ext_port(x), NULL, &r);
	cr_assert_eq(r.r.status, REACH_OK, "%s", r.r.detail);
	cr_expect_str_eq(seen().form, "ipv4");
	cr_expect_eq(
	    strncmp(seen().target, "127.0.0.9:", 10), 0, "%s", seen().target);
	rig_hang_up(&r);
	service_unref(s);
	s = NULL;
	reach_at("bad.example", ext_port(x), NULL, &r);
	cr_expect_eq(r.r.status, REACH_ADDRESS_REFUSED, "%s", r.r.detail);
	cr_expect_eq(seen().connections, 1, "it was not asked");
	rig_hang_up(&r);
	service_unref(s);
	s = NULL;
	reach_at("none.example", ext_port(x), NULL, &r);
	cr_expect_eq(r.r.status, REACH_NO_NAME, "%s", r.r.detail);
	cr_expect_not_null(
	    strstr(r.r.detail, "none.example"), "%s", r.r.detail);
	rig_hang_up(&r);
	ext_stop(x);
}

/* All of its addresses are tried, whatever the proxy makes of the first. */
Test(reach_parent, a_proxy_without_ipv6)
{
	static const char *const a[] = { "127.0.0.9", NULL };
	static const char *const aaaa[] = { "2001:db8::7", NULL };
	const struct parent_proxy_options rows[] = {
		{ .is_socks = true, .refuses_ipv6 = true },
		{ .is_socks = true, .hangs_on_ipv6 = true },
	};
	struct ext_server *x = server("hello\n");
	struct rig_reached r;
	size_t i;

	o.proxy_resolve = PROXY_RESOLVE_LOCAL;
	g.limits.connect_ms = 1000;
	dns_server_set(g.names, "both.example",
	    &(struct dns_server_answer){ .a = a, .aaaa = aaaa, .ttl_s = 30 });
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		start_proxy(&rows[i]);
		reach_at("both.example", ext_port(x), NULL, &r);
		cr_expect_eq(r.r.status, REACH_OK, "%zu: %s", i, r.r.detail);
		cr_expect_eq(strncmp(seen().target, "127.0.0.9:", 10), 0, "%s",
		    seen().target);
		cr_expect_eq(seen().connections, 2);
		cr_expect_eq(r.r.attempts, 2);
		rig_hang_up(&r);
		end_row();
	}
	ext_stop(x);
}

/* As a caller of a wildcard service asks for it. */
static void
reach_name(const char *host, uint16_t port, struct rig_reached *r)
{
	struct reach_want want = RIG_ANY;
	const char *why;

	if (s == NULL)
		s = rig_service_with(&o, PROTO_HTTP, "s", "r0",
		    (const struct rig_endpoint[]){
			{ .key = "a", .host = "192.0.2.1", .port = port },
			{ .key = NULL } });
	if (g.clusters == NULL)
		rig_start(&g);
	cr_assert_eq(upstream_name_get(clusters_get(g.clusters, s), NAME_SNI,
			 str_of(host), &want.name, &why),
	    NAME_GIVEN);
	rig_reach(&g, s, &want, r);
	upstream_name_unref(want.name);
}

/* Callers choose them, so they are found and checked here. */
Test(reach_parent, names_of_a_wildcard)
{
	static const char *const inside[][2] = {
		{ "n1.s3.example", "10.1.2.3" },
		{ "n2.s3.example", "192.168.1.1" },
		{ "n3.s3.example", "100.64.0.1" },
		{ "n4.s3.example", "169.254.169.254" },
	};
	struct ext_server *x = server("hello\n");
	struct rig_reached r;
	size_t i;

	start_proxy(&(struct parent_proxy_options){ .is_socks = true });
	o.wildcard = STR("*.s3.example");
	name("a.s3.example", "127.0.0.9");
	reach_name("a.s3.example", ext_port(x), &r);
	cr_assert_eq(r.r.status, REACH_OK, "%s", r.r.detail);
	cr_expect_str_eq(seen().form, "ipv4");
	cr_expect_eq(
	    strncmp(seen().target, "127.0.0.9:", 10), 0, "%s", seen().target);
	cr_expect(rig_says(&g, " 127.0.0.9 healthy"));
	rig_hang_up(&r);
	for (i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
		name(inside[i][0], inside[i][1]);
		reach_name(inside[i][0], ext_port(x), &r);
		cr_expect_eq(
		    r.r.status, REACH_ADDRESS_REFUSED, "%s", r.r.detail);
		rig_hang_up(&r);
	}
	cr_expect_eq(seen().connections, 1, "it was not asked");
	ext_stop(x);
}

/* Unless the operator leaves it all to the proxy. */
Test(reach_parent, names_of_a_wildcard_that_the_proxy_finds)
{
	struct ext_server *x = server("hello\n");
	struct rig_reached r;

	start_proxy(&(struct parent_proxy_options){ .is_socks = false });
	o.wildcard = STR("*.s3.example");
	o.proxy_resolve = PROXY_RESOLVE_PROXY;
	reach_name("a.s3.example", ext_port(x), &r);
	cr_assert_eq(r.r.status, REACH_OK, "%s", r.r.detail);
	rig_expect_text(&g, &r, "hello\n");
	cr_expect_eq(strncmp(seen().target, "a.s3.example:", 13), 0, "%s",
	    seen().target);
	cr_expect_eq(dns_server_count(g.names, "a.s3.example"), 0);
	rig_hang_up(&r);
	ext_stop(x);
}

/* The proxy itself is the operator's, wherever it is. */
Test(reach_parent, a_wildcard_behind_a_proxy_with_a_name)
{
	struct ext_server *x = server("hello\n");
	struct rig_reached r;

	start_proxy(&(struct parent_proxy_options){ .is_socks = false });
	(void)snprintf(url, sizeof(url), "http://proxy.example:%u",
	    parent_proxy_port(proxy));
	o.proxy = str_of(url);
	o.wildcard = STR("*.s3.example");
	name("proxy.example", "127.0.0.1");
	name("a.s3.example", "127.0.0.9");
	reach_name("a.s3.example", ext_port(x), &r);
	cr_expect_eq(r.r.status, REACH_OK, "%s", r.r.detail);
	rig_hang_up(&r);
	ext_stop(x);
}

/* An address needs no resolver: it is checked here whoever goes there. */
Test(reach_parent, a_literal_address_that_is_denied)
{
	static const struct str deny[] = { { "192.0.2.0/24", 12 } };
	struct rig_reached r;

	start_proxy(&(struct parent_proxy_options){ .is_socks = false });
	o.deny_addresses = (struct str_list){ .v = deny, .n = 1 };
	reach_at("192.0.2.7", 443, NULL, &r);
	cr_expect_eq(r.r.status, REACH_ADDRESS_REFUSED, "%s", r.r.detail);
	cr_expect_eq(seen().connections, 0);
	rig_hang_up(&r);
}

/* By its name. */
Test(reach_parent, a_proxy_where_we_do_not_connect)
{
	struct rig_reached r;

	o.proxy = STR("http://proxy.example:3128");
	name("proxy.example", "169.254.1.1");
	reach_at("bank.example", 443, NULL, &r);
	cr_expect_eq(r.r.status, REACH_ADDRESS_REFUSED, "%s", r.r.detail);
	cr_expect_not_null(
	    strstr(r.r.detail, "proxy.example leads to"), "%s", r.r.detail);
	rig_hang_up(&r);
}

Test(reach_parent, a_proxy_that_is_not_there)
{
	struct rig_reached r;

	(void)snprintf(
	    url, sizeof(url), "http://127.0.0.1:%u", rig_closed_port());
	o.proxy = str_of(url);
	reach_at("bank.example", 443, NULL, &r);
	cr_expect_eq(r.r.status, REACH_REFUSED, "%s", r.r.detail);
	rig_hang_up(&r);
}
