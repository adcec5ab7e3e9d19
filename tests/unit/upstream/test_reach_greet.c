/* SPDX-License-Identifier: Apache-2.0 */
/* Servers that are told who calls, by a PROXY header.  Over real sockets. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/service_option.h"
#include "support/parent_proxy.h"
#include "upstream/proxy_protocol.h"
#include "upstream_rig.h"

static struct rig g;
static struct service_options o;
static struct service *s;

static void
setup(void)
{
	rig_init(&g);
	rig_start(&g);
	o = *service_options_standard();
	o.proxy_protocol = PROXY_PROTOCOL_V2;
}

static void
teardown(void)
{
	service_unref(s);
	rig_fini(&g);
}

TestSuite(reach_greet, .init = setup, .fini = teardown, .timeout = 60);

static struct service *
service_at(const char *host, uint16_t port)
{
	return rig_service_with(&o, PROTO_HTTP, "s", "r0",
	    (const struct rig_endpoint[]){
		{ .key = "a", .host = host, .port = port }, { .key = NULL } });
}

static struct proxy_header *
header_of(const char *spiffe)
{
	struct proxy_facts f = { .spiffe = str_of(spiffe) };

	if (!addr_parse(STR("10.1.2.3"), 99, &f.from) ||
	    !addr_parse(STR("10.0.0.1"), 10002, &f.to))
		abort();
	return proxy_header_new(&f);
}

Test(reach_greet, a_server_is_told_who_calls)
{
	const struct ext_config c = {
		.protocol = EXT_ECHO, .greeting = "hello\n", .wants_proxy = true
	};
	struct ext_server *x = ext_start(&c);
	struct proxy_header *h = header_of("spiffe://m/a");
	struct parent_proxy *proxy = parent_proxy_start(
	    &(struct parent_proxy_options){ .is_socks = false });
	struct reach_want want = RIG_ANY;
	struct ext_seen server_seen;
	struct rig_reached r;
	char url[64];

	/* Behind the tunnel, too. */
	(void)snprintf(
	    url, sizeof(url), "http://127.0.0.1:%u", parent_proxy_port(proxy));
	o.proxy = str_of(url);
	s = service_at("bank.example", ext_port(x));
	want.proxy_header = h;
	rig_reach(&g, s, &want, &r);
	cr_assert_eq(r.r.status, REACH_OK, "%s", r.r.detail);
	cr_expect_eq(r.r.proxy_header, h);
	rig_expect_text(&g, &r, "hello\n");
	ext_get(x, &server_seen);
	cr_expect_eq(server_seen.introduced, 1);
	cr_expect_str_eq(server_seen.proxy.from, "10.1.2.3:99");
	cr_expect_str_eq(server_seen.proxy.spiffe, "spiffe://m/a");
	rig_hang_up(&r);
	/* Nobody is sent there unannounced. */
	rig_reach(&g, s, &RIG_ANY, &r);
	cr_expect_eq(r.r.status, REACH_NO_ENDPOINT, "%s", r.r.detail);
	ext_get(x, &server_seen);
	cr_expect_eq(server_seen.connections, 1);
	rig_hang_up(&r);
	proxy_header_unref(h);
	ext_stop(x);
	parent_proxy_stop(proxy);
}

static void
visit(struct cluster *c, struct proxy_header *h)
{
	const struct reach_want want = { .rulesets = UINT64_MAX,
		.proxy_header = h };
	struct rig_exchange x;

	rig_lease(c, &want, false, NULL, &x);
	cr_assert(RIG_UNTIL(&g, x.is_done), "no lease");
	cr_assert_eq(x.lease.status, REACH_OK, "%s", x.lease.detail);
	lease_end(&x.lease, rig_get(&g, &x, "/"));
}

/* A pooled connection is for whom it was made, and for nobody else. */
Test(reach_greet, callers_share_no_introduction)
{
	const struct ext_config c = { .protocol = EXT_HTTP,
		.wants_proxy = true };
	struct ext_server *x = ext_start(&c);
	struct proxy_header *a = header_of("spiffe://m/a");
	struct proxy_header *b = header_of("spiffe://m/b");
	struct ext_seen server_seen;
	struct rig_exchange last;
	struct cluster *cluster;

	s = service_at("127.0.0.1", ext_port(x));
	cluster = clusters_get(g.clusters, s);
	visit(cluster, a);
	visit(cluster, a);
	ext_get(x, &server_seen);
	cr_expect_eq(server_seen.connections, 1);
	cr_expect_str_eq(server_seen.proxy.spiffe, "spiffe://m/a");
	visit(cluster, b);
	ext_get(x, &server_seen);
	cr_expect_eq(server_seen.connections, 2);
	cr_expect_str_eq(server_seen.proxy.spiffe, "spiffe://m/b");
	visit(cluster, a);
	visit(cluster, b);
	ext_get(x, &server_seen);
	cr_expect_eq(server_seen.connections, 2);
	cr_expect_eq(server_seen.requests, 5);
	/* What nobody will ask for is not kept. */
	cr_expect(rig_says(&g, "active=2 idle=2"));
	proxy_header_leave(a);
	cr_expect(rig_says(&g, "active=1 idle=1"));
	rig_lease(cluster,
	    &(struct reach_want){ .rulesets = UINT64_MAX, .proxy_header = b },
	    false, NULL, &last);
	proxy_header_leave(b);
	cr_expect(rig_says(&g, "active=1 idle=0"));
	lease_end(&last.lease, true);
	cr_expect(rig_says(&g, "active=0 idle=0"));
	ext_stop(x);
}
