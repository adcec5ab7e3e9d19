/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Leasing one connection after the other: what is reused, by whom, and what
 * never is.  The queue is in test_lease_queue.c.
 */

#include <criterion/criterion.h>

#include "base/clock.h"
#include "upstream_rig.h"

static struct rig g;
static struct ext_server *x;
static struct service *s;
static struct cluster *c;

static void
setup(void)
{
	rig_init(&g);
	x = rig_server(EXT_HTTP);
}

static void
teardown(void)
{
	service_unref(s);
	rig_fini(&g);
	ext_stop(x);
}

TestSuite(lease, .init = setup, .fini = teardown, .timeout = 60);

static void
start(void)
{
	rig_start(&g);
	s = rig_service("s", "r0 r1",
	    (const struct rig_endpoint[]){
		{ .key = "a", .host = "127.0.0.1", .port = ext_port(x) },
		{ .key = NULL } });
	c = clusters_get(g.clusters, s);
}

static unsigned
connections(void)
{
	struct ext_seen seen;

	ext_get(x, &seen);
	return seen.connections;
}

Test(lease, a_connection_is_used_again)
{
	struct rig_exchange e;

	start();
	for (unsigned i = 0; i < 3; i++) {
		cr_expect(rig_visit(&g, c, "/chunked/1000", &e));
		cr_expect_eq(e.status, 200);
		cr_expect_eq(e.lease.is_reused, i > 0);
		cr_expect_eq(e.calls, i == 0, "the pool answers at once");
	}
	cr_expect_eq(connections(), 1);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_TOTAL), 1);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 1);
	cr_expect(rig_says(&g, "active=1 idle=1"));
}

Test(lease, the_result_says_where_it_leads)
{
	struct rig_exchange e;

	start();
	rig_lease(c, &RIG_ANY, false, NULL, &e);
	cr_assert(RIG_UNTIL(&g, e.is_done));
	cr_assert_eq(e.lease.status, REACH_OK);
	cr_expect(str_eq(e.lease.endpoint->key, STR("a")));
	cr_expect_eq(addr_port(&e.lease.addr), ext_port(x));
	cr_expect_not(e.lease.has_tls);
	cr_expect_not(e.lease.is_reused);
	cr_expect_gt(e.lease.connect_us, 0);
	cr_expect_str_eq(e.lease.detail, "");
	lease_end(&e.lease, true);
	cr_expect_eq(e.lease.state, LEASE_NONE);
	lease_end(&e.lease, true);
	rig_lease(c, &RIG_ANY, false, NULL, &e);
	cr_expect(e.lease.is_reused);
	cr_expect_eq(e.lease.connect_us, 0, "it cost nothing this time");
	lease_end(&e.lease, true);
}

Test(lease, the_last_used_comes_first)
{
	struct rig_exchange e1, e2, e3;
	struct stream *last;

	start();
	rig_lease(c, &RIG_ANY, false, NULL, &e1);
	rig_lease(c, &RIG_ANY, false, NULL, &e2);
	cr_assert(RIG_UNTIL(&g, e1.is_done && e2.is_done));
	last = e1.lease.stream;
	lease_end(&e2.lease, true);
	lease_end(&e1.lease, true);
	cr_expect(rig_says(&g, "active=2 idle=2"));
	rig_lease(c, &RIG_ANY, false, NULL, &e3);
	cr_expect(e3.is_done);
	cr_expect_eq(e3.lease.stream, last);
	lease_end(&e3.lease, true);
}

Test(lease, what_may_not_be_shared_is_not)
{
	static const struct {
		const char *what;
		const char *path;
		bool is_private;
		bool is_whole;
		bool is_kept;
	} rows[] = {
		{ "whole", "/bytes/10", false, true, true },
		{ "not whole", "/bytes/10", false, false, false },
		{ "private", "/ntlm", true, true, false },
		{ "the server says close", "/close", false, true, false },
		{ "cut short", "/cut", false, false, false },
	};
	struct rig_exchange e;

	start();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		rig_lease(c, &RIG_ANY, true, NULL, &e);
		cr_assert(RIG_UNTIL(&g, e.is_done));
		(void)rig_get(&g, &e, rows[i].path);
		if (rows[i].is_private)
			lease_make_private(&e.lease);
		lease_end(&e.lease, rows[i].is_whole);
		/* One is there from the first row on. */
		cr_expect(rig_says(&g, "active=1 idle=1"), "%s", rows[i].what);
	}
	cr_expect_eq(connections(), ARRAY_LEN(rows));
}

Test(lease, nothing_sent_is_nothing_lost)
{
	struct rig_exchange e;

	start();
	rig_lease(c, &RIG_ANY, false, NULL, &e);
	cr_assert(RIG_UNTIL(&g, e.is_done));
	lease_end(&e.lease, false);
	cr_expect(rig_says(&g, "active=1 idle=1"));
	cr_expect(rig_visit(&g, c, "/bytes/1", &e));
	cr_expect_eq(connections(), 1);
}

Test(lease, a_retry_gets_a_fresh_one)
{
	struct rig_exchange e;

	start();
	cr_expect(rig_visit(&g, c, "/bytes/1", &e));
	rig_lease(c, &RIG_ANY, true, NULL, &e);
	cr_expect_not(e.is_done);
	cr_assert(RIG_UNTIL(&g, e.is_done));
	cr_expect_not(e.lease.is_reused);
	lease_end(&e.lease, true);
	cr_expect(rig_says(&g, "active=2 idle=2"));
}

Test(lease, idle_ones_are_closed_when_their_time_is_over)
{
	uint64_t now = clock_ms();
	struct rig_exchange e1, e2;

	clock_fake(now, 0);
	g.limits.pool_idle_ms = 1000;
	start();
	rig_lease(c, &RIG_ANY, false, NULL, &e1);
	rig_lease(c, &RIG_ANY, false, NULL, &e2);
	cr_assert(RIG_UNTIL(&g, e1.is_done && e2.is_done));
	lease_end(&e1.lease, true);
	clock_fake(now + 600, 0);
	lease_end(&e2.lease, true);
	clock_fake(now + 999, 0);
	loop_turn(g.loop);
	cr_expect(rig_says(&g, "active=2 idle=2"));
	clock_fake(now + 1000, 0);
	loop_turn(g.loop);
	cr_expect(rig_says(&g, "active=1 idle=1"));
	clock_fake(now + 1600, 0);
	loop_turn(g.loop);
	cr_expect(rig_says(&g, "active=0 idle=0"));
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 0);
	clock_unfake();
}

Test(lease, the_pool_of_an_endpoint_is_bounded)
{
	struct rig_exchange e[3];

	g.limits.pool_per_endpoint = 2;
	start();
	for (unsigned i = 0; i < 3; i++)
		rig_lease(c, &RIG_ANY, false, NULL, &e[i]);
	cr_assert(RIG_UNTIL(&g, e[0].is_done && e[1].is_done && e[2].is_done));
	for (unsigned i = 0; i < 3; i++)
		lease_end(&e[i].lease, true);
	cr_expect(rig_says(&g, "active=2 idle=2"));
}

Test(lease, without_a_pool_nothing_is_kept)
{
	struct rig_exchange e;

	g.limits.pool_per_endpoint = 0;
	start();
	cr_expect(rig_visit(&g, c, "/bytes/1", &e));
	cr_expect(rig_says(&g, "active=0 idle=0"));
}

Test(lease, what_the_server_closes_is_not_leased_again)
{
	struct rig_exchange e;

	start();
	cr_expect(rig_visit(&g, c, "/bytes/1", &e));
	ext_stop(x);
	cr_expect(RIG_UNTIL(&g, rig_stat("s", STAT_UPSTREAM_CX_ACTIVE) == 0));
	cr_expect(rig_says(&g, "active=0 idle=0"));
	rig_lease(c, &RIG_ANY, false, NULL, &e);
	cr_assert(RIG_UNTIL(&g, e.is_done));
	cr_expect_eq(e.lease.status, REACH_REFUSED);
	lease_end(&e.lease, false);
	x = rig_server(EXT_HTTP);
}

Test(lease, a_failure_says_who_and_why)
{
	struct rig_exchange e;

	start();
	ext_stop(x);
	rig_lease(c, &RIG_ANY, false, NULL, &e);
	cr_assert(RIG_UNTIL(&g, e.is_done));
	cr_expect_eq(e.calls, 1);
	cr_expect_eq(e.lease.status, REACH_REFUSED);
	cr_assert_not_null(e.lease.endpoint);
	cr_expect(str_eq(e.lease.endpoint->key, STR("a")));
	cr_expect_not_null(strstr(e.lease.detail, "connection refused"));
	cr_expect_null(e.lease.stream);
	lease_make_private(&e.lease);
	lease_end(&e.lease, false);
	x = rig_server(EXT_HTTP);
}

Test(lease, endpoints_take_turns_though_one_has_idle_connections)
{
	struct ext_server *y = rig_server(EXT_HTTP);
	struct rig_exchange e;
	struct ext_seen seen;

	rig_start(&g);
	s = rig_service("s", "r0 r1",
	    (const struct rig_endpoint[]){
		{ .key = "a", .host = "127.0.0.1", .port = ext_port(x) },
		{ .key = "b", .host = "127.0.0.1", .port = ext_port(y) },
		{ .key = NULL } });
	c = clusters_get(g.clusters, s);
	for (unsigned i = 0; i < 10; i++)
		cr_expect(rig_visit(&g, c, "/bytes/1", &e));
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_TOTAL), 2);
	ext_get(x, &seen);
	cr_expect_eq(seen.requests, 5);
	ext_get(y, &seen);
	cr_expect_eq(seen.requests, 5);
	ext_stop(y);
}

Test(lease, an_idle_connection_is_only_for_who_may_use_its_endpoint)
{
	struct ext_server *y = rig_server(EXT_HTTP);
	const struct reach_want only_b = { .rulesets = 2 };
	struct rig_exchange e;
	struct ext_seen seen;

	rig_start(&g);
	s = rig_service("s", "r0 r1",
	    (const struct rig_endpoint[]){
		{ .key = "a", .host = "127.0.0.1", .port = ext_port(x) },
		{ .key = "b",
		    .host = "127.0.0.1",
		    .port = ext_port(y),
		    .ruleset = 1 },
		{ .key = NULL } });
	c = clusters_get(g.clusters, s);
	cr_expect(rig_visit(&g, c, "/bytes/1", &e));
	cr_expect(rig_says(&g, "active=1 idle=1"));
	for (unsigned i = 0; i < 3; i++) {
		rig_lease(c, &only_b, false, NULL, &e);
		cr_assert(RIG_UNTIL(&g, e.is_done));
		cr_assert_eq(e.lease.status, REACH_OK);
		cr_expect(str_eq(e.lease.endpoint->key, STR("b")));
		lease_end(&e.lease, true);
	}
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_TOTAL), 2);
	cr_expect(RIG_UNTIL(&g, (ext_get(y, &seen), seen.connections == 1)));
	rig_lease(c, &(struct reach_want){ .rulesets = 4 }, false, NULL, &e);
	cr_expect(e.is_done);
	cr_expect_eq(e.lease.status, REACH_NO_ENDPOINT);
	lease_end(&e.lease, false);
	ext_stop(y);
}
