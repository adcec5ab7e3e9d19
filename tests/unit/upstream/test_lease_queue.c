/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Many exchanges at once: how many connections are dialled for them, in which
 * order they are served, and what the limits do.
 */

#include <criterion/criterion.h>

#include "upstream_rig.h"

#define MANY 60

static struct rig g;
static struct ext_server *x, *y;
static struct service *s;
static struct cluster *c;
static struct rig_exchange e[MANY];
static unsigned counter;

static void
setup(void)
{
	rig_init(&g);
	x = rig_server(EXT_HTTP);
	y = rig_server(EXT_HTTP);
}

static void
teardown(void)
{
	service_unref(s);
	rig_fini(&g);
	ext_stop(x);
	ext_stop(y);
}

TestSuite(lease_queue, .init = setup, .fini = teardown, .timeout = 60);

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

/* a for ruleset 0, b for ruleset 1. */
static void
start_two(void)
{
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
}

static void
ask(unsigned i, uint64_t rulesets)
{
	struct reach_want want = { .rulesets = rulesets };

	rig_lease(c, &want, false, &counter, &e[i]);
}

static void
expect_served(unsigned i, const char *key)
{
	cr_assert(RIG_UNTIL(&g, e[i].is_done), "exchange %u", i);
	cr_assert_eq(e[i].lease.status, REACH_OK, "exchange %u: %s", i,
	    e[i].lease.detail);
	cr_expect(
	    str_eq(e[i].lease.endpoint->key, str_of(key)), "exchange %u", i);
}

Test(lease_queue, all_at_once_get_a_connection_each_in_order)
{
	start();
	for (unsigned i = 0; i < MANY; i++)
		ask(i, 1);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 0);
	cr_assert(RIG_UNTIL(&g, counter == MANY));
	for (unsigned i = 0; i < MANY; i++) {
		cr_expect_eq(e[i].lease.status, REACH_OK);
		cr_expect_eq(e[i].calls, 1);
		cr_expect_eq(e[i].order, i + 1);
		lease_end(&e[i].lease, true);
	}
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_TOTAL), MANY);
	cr_expect(rig_says(&g, "active=60 idle=60"));
}

Test(lease_queue, at_the_limit_they_wait_for_each_other)
{
	g.limits.connections = 2;
	start();
	for (unsigned i = 0; i < MANY; i++)
		ask(i, 1);
	for (unsigned i = 0; i < MANY; i++) {
		expect_served(i, "a");
		cr_expect_eq(e[i].order, i + 1);
		cr_expect_eq(e[i].lease.is_reused, i >= 2);
		cr_expect(rig_get(&g, &e[i], "/bytes/10"));
		lease_end(&e[i].lease, true);
	}
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_TOTAL), 2);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_POOL_OVERFLOW), 0);
}

Test(lease_queue, when_one_is_closed_another_is_dialled)
{
	g.limits.connections = 1;
	start();
	for (unsigned i = 0; i < 4; i++)
		ask(i, 1);
	for (unsigned i = 0; i < 4; i++) {
		expect_served(i, "a");
		cr_expect_not(e[i].lease.is_reused);
		lease_make_private(&e[i].lease);
		lease_end(&e[i].lease, true);
	}
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_TOTAL), 4);
}

Test(lease_queue, who_returns_serves_the_first_that_may_use_it)
{
	g.limits.connections = 2;
	start_two();
	ask(0, 1);
	ask(1, 2);
	expect_served(0, "a");
	expect_served(1, "b");
	ask(2, 2);
	ask(3, 1);
	ask(4, 3);
	lease_end(&e[0].lease, true);
	expect_served(3, "a");
	cr_expect_not(e[2].is_done, "it may not use a");
	lease_end(&e[3].lease, true);
	expect_served(4, "a");
	lease_end(&e[1].lease, true);
	expect_served(2, "b");
	lease_end(&e[4].lease, true);
	lease_end(&e[2].lease, true);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_TOTAL), 2);
}

Test(lease_queue, who_returns_of_no_use_makes_room)
{
	g.limits.connections = 1;
	start_two();
	ask(0, 1);
	expect_served(0, "a");
	ask(1, 2);
	lease_end(&e[0].lease, true);
	expect_served(1, "b");
	/* A retry neither takes what others used. */
	rig_lease(
	    c, &(struct reach_want){ .rulesets = 2 }, true, &counter, &e[2]);
	lease_end(&e[1].lease, true);
	expect_served(2, "b");
	cr_expect_not(e[2].lease.is_reused);
	lease_end(&e[2].lease, true);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_TOTAL), 3);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 1);
}

Test(lease_queue, a_dialling_goes_over_to_the_next)
{
	g.limits.connections = 1;
	start();
	ext_stop(x);
	ask(0, 1);
	ask(1, 1);
	lease_end(&e[0].lease, false);
	cr_assert(RIG_UNTIL(&g, e[1].is_done));
	cr_expect_eq(e[1].lease.status, REACH_REFUSED);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_CONNECT_FAIL), 1);
	lease_end(&e[1].lease, false);
	x = rig_server(EXT_HTTP);
}

Test(lease_queue, an_idle_one_of_another_endpoint_makes_room)
{
	g.limits.connections = 1;
	start_two();
	ask(0, 1);
	expect_served(0, "a");
	lease_end(&e[0].lease, true);
	ask(1, 2);
	expect_served(1, "b");
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 1);
	lease_end(&e[1].lease, true);
}

Test(lease_queue, at_the_limit_any_idle_one_is_taken)
{
	g.limits.connections = 1;
	start_two();
	ask(0, 1);
	expect_served(0, "a");
	lease_end(&e[0].lease, true);
	for (unsigned i = 1; i < 4; i++) {
		ask(i, 3);
		cr_expect(e[i].is_done, "exchange %u", i);
		expect_served(i, "a");
		lease_end(&e[i].lease, true);
	}
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_TOTAL), 1);
}

Test(lease_queue, a_full_queue_refuses_at_once)
{
	g.limits.connections = 1;
	g.limits.pending = 2;
	start();
	ask(0, 1);
	expect_served(0, "a");
	ask(1, 1);
	cr_expect_eq(rig_stat("s", STAT_CB_RQ_PENDING_OPEN), 0);
	ask(2, 1);
	cr_expect_eq(rig_stat("s", STAT_CB_RQ_PENDING_OPEN), 1);
	ask(3, 1);
	cr_expect(e[3].is_done);
	cr_expect_eq(e[3].lease.status, REACH_OVERFLOW);
	cr_expect_not_null(strstr(e[3].lease.detail, "upstream_pending"));
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_RQ_PENDING_OVERFLOW), 1);
	for (unsigned i = 0; i < 4; i++)
		lease_end(&e[i].lease, false);
	cr_expect_eq(rig_stat("s", STAT_CB_RQ_PENDING_OPEN), 0);
}

Test(lease_queue, patience_at_the_limit_has_an_end)
{
	g.limits.connections = 1;
	g.limits.connect_ms = 200;
	start();
	ask(0, 1);
	expect_served(0, "a");
	ask(1, 1);
	cr_assert(RIG_UNTIL(&g, e[1].is_done));
	cr_expect_eq(e[1].lease.status, REACH_OVERFLOW);
	cr_expect_not_null(strstr(e[1].lease.detail, "upstream_connections"));
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_POOL_OVERFLOW), 1);
	lease_end(&e[1].lease, false);
	lease_end(&e[0].lease, true);
	cr_expect(rig_says(&g, "active=1 idle=1"), "the first was left alone");
}

Test(lease_queue, what_nobody_waits_for_any_more_goes_into_the_pool)
{
	start();
	ask(0, 1);
	cr_expect_not(e[0].is_done);
	lease_end(&e[0].lease, false);
	cr_assert(RIG_UNTIL(&g, rig_stat("s", STAT_UPSTREAM_CX_ACTIVE) == 1));
	cr_expect_eq(e[0].calls, 0);
	cr_expect(rig_says(&g, "active=1 idle=1"));
	ask(1, 1);
	cr_expect(e[1].is_done);
	cr_expect(e[1].lease.is_reused, "the server may have closed it");
	lease_end(&e[1].lease, true);
}

Test(lease_queue, who_gives_up_when_served_gives_to_the_next)
{
	g.limits.connections = 1;
	start();
	for (unsigned i = 0; i < 3; i++)
		ask(i, 1);
	expect_served(0, "a");
	/* Served, and not told yet. */
	lease_end(&e[0].lease, true);
	cr_expect_not(e[1].is_done);
	lease_end(&e[1].lease, false);
	expect_served(2, "a");
	cr_expect_eq(e[1].calls, 0);
	lease_end(&e[2].lease, true);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_TOTAL), 1);
}

Test(lease_queue, all_fail_when_the_server_is_gone)
{
	start();
	ext_stop(x);
	for (unsigned i = 0; i < 10; i++)
		ask(i, 1);
	cr_assert(RIG_UNTIL(&g, counter == 10));
	for (unsigned i = 0; i < 10; i++) {
		cr_expect_eq(e[i].lease.status, REACH_REFUSED);
		lease_end(&e[i].lease, false);
	}
	x = rig_server(EXT_HTTP);
}

/* In who's callback others begin, end and give up. */
struct chain {
	struct rig_exchange *from, *to;
};

static void
end_both(void *arg)
{
	struct chain *chain = arg;

	lease_end(&chain->from->lease, true);
	lease_end(&chain->to->lease, true);
	chain->from->is_done = true;
}

Test(lease_queue, a_callback_may_end_those_that_are_told_next)
{
	struct chain chain = { .from = &e[0], .to = &e[1] };

	start();
	cr_assert_not(
	    lease_start(&e[0].lease, c, &RIG_ANY, false, end_both, &chain));
	ask(1, 1);
	ask(2, 1);
	expect_served(2, "a");
	cr_assert(RIG_UNTIL(&g, e[0].is_done));
	cr_expect_eq(e[1].calls, 0);
	lease_end(&e[2].lease, true);
	cr_assert(RIG_UNTIL(&g, rig_stat("s", STAT_UPSTREAM_CX_TOTAL) == 3));
	cr_expect(rig_says(&g, "active=3 idle=3"));
}

Test(lease_queue, what_is_dialled_for_nobody_ends_with_the_worker)
{
	start();
	ask(0, 1);
	lease_end(&e[0].lease, false);
	clusters_free(g.clusters);
	rig_start(&g);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 0);
}
