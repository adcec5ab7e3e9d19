/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exchanges that share a connection of HTTP/2: who gets it, how many, and what
 * the limits are about.
 */

#include <criterion/criterion.h>

#include "h2_sharing.h"
#include "upstream/cluster_state.h"
#include "upstream/proxy_protocol.h"

static struct h2_sharing t;

static void
setup(void)
{
	sharing_init(&t);
}

static void
teardown(void)
{
	sharing_fini(&t);
}

TestSuite(h2_share, .init = setup, .fini = teardown, .timeout = 60);

Test(h2_share, many_on_one_connection)
{
	sharing_start(&t, 100);
	sharing_begin_all(&t, SHARING_MOST);
	cr_expect_eq(t.h->n_conns, 1);
	cr_expect_eq(t.h->conns[0]->n_most, SHARING_MOST);
	cr_expect(rig_says(&t.g, "active=1 idle=0"));
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_TOTAL), 1);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_HTTP2), 1);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_HTTP1), 0);
	for (unsigned i = 0; i < SHARING_MOST; i++) {
		cr_expect_eq(t.e[i].lease.version, HTTP_2);
		cr_expect_eq(t.e[i].lease.stream->version, HTTP_2);
		cr_expect_eq(t.e[i].lease.is_reused, i > 0);
		cr_expect_eq(t.e[i].calls, i == 0, "the others got it at once");
		if (i > 0)
			cr_expect_neq(
			    t.e[i].lease.stream, t.e[i - 1].lease.stream);
	}
	h2_host_answer(t.h, 0, SHARING_MOST);
	for (unsigned i = 0; i < SHARING_MOST; i++)
		sharing_finish(&t, i);
	cr_expect(rig_says(&t.g, "active=1 idle=1"));
}

Test(h2_share, as_many_as_the_server_allows)
{
	sharing_start(&t, 2);
	sharing_warm_up(&t);
	sharing_begin_all(&t, 5);
	cr_expect_eq(t.h->n_conns, 3, "%u", t.h->n_conns);
	cr_expect_eq(h2_host_refused(t.h), 0);
	for (unsigned i = 0; i < 3; i++)
		cr_expect_leq(t.h->conns[i]->n_most, 2, "connection %u", i);
	for (unsigned i = 0; i < 3; i++)
		h2_host_answer(t.h, i, t.h->conns[i]->n_open);
	for (unsigned i = 0; i < 5; i++)
		sharing_finish(&t, i);
	cr_expect(rig_says(&t.g, "active=3 idle=3"));
}

/* Their server was told who calls: by each connection, once. */
Test(h2_share, callers_that_are_introduced_share_with_nobody)
{
	const struct proxy_facts facts = { .sni = STR("s") };
	struct proxy_header *who[2];
	struct reach_want want = RIG_ANY;

	who[0] = proxy_header_new(&facts);
	who[1] = proxy_header_new(&facts);
	sharing_start(&t, 100);
	for (unsigned i = 0; i < 6; i++) {
		want.proxy_header = who[i % 2];
		rig_lease(t.c, &want, false, &t.counter, &t.e[i]);
	}
	cr_expect(RIG_UNTIL(&t.g, t.e[4].is_done && t.e[5].is_done));
	for (unsigned i = 0; i < 6; i++) {
		cr_assert_eq(
		    t.e[i].lease.status, REACH_OK, "%s", t.e[i].lease.detail);
		cr_expect_eq(t.e[i].lease.back->proxy_header, who[i % 2]);
	}
	cr_expect_eq(t.e[0].lease.back, t.e[2].lease.back);
	cr_expect_neq(t.e[0].lease.back, t.e[1].lease.back);
	for (unsigned i = 0; i < 6; i++)
		lease_end(&t.e[i].lease, false);
	want.proxy_header = NULL;
	rig_lease(t.c, &want, false, &t.counter, &t.e[0]);
	cr_expect(RIG_UNTIL(&t.g, t.e[0].is_done));
	cr_expect_null(t.e[0].lease.back->proxy_header);
	lease_end(&t.e[0].lease, false);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_TOTAL), 3);
	proxy_header_unref(who[0]);
	proxy_header_unref(who[1]);
}

Test(h2_share, our_own_limit_counts_too)
{
	t.g.h2.streams = 3;
	sharing_start(&t, 100);
	sharing_begin_all(&t, 7);
	cr_expect_eq(t.h->n_conns, 3);
	for (unsigned i = 0; i < 3; i++)
		cr_expect_leq(t.h->conns[i]->n_most, 3, "connection %u", i);
	for (unsigned i = 0; i < 7; i++)
		lease_end(&t.e[i].lease, false);
}

Test(h2_share, at_the_limit_they_wait_for_a_stream_in_order)
{
	t.g.limits.connections = 2;
	sharing_start(&t, 3);
	sharing_warm_up(&t);
	for (unsigned i = 0; i < 20; i++)
		sharing_ask(&t, i);
	cr_assert(RIG_UNTIL(&t.g, t.e[5].is_done));
	cr_expect_not(t.e[6].is_done);
	for (unsigned i = 0; i < 20; i++) {
		cr_assert(RIG_UNTIL(&t.g, t.e[i].is_done), "exchange %u", i);
		cr_assert_eq(t.e[i].lease.status, REACH_OK);
		if (i >= 6)
			cr_expect_eq(t.e[i].order, t.e[i - 1].order + 1);
		lease_end(&t.e[i].lease, true);
	}
	cr_expect_eq(t.h->n_conns, 2);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_TOTAL), 2);
}

Test(h2_share, more_streams_than_before_serve_who_waits)
{
	t.g.limits.connections = 1;
	sharing_start(&t, 1);
	sharing_warm_up(&t);
	sharing_begin(&t, 1);
	sharing_ask(&t, 2);
	sharing_ask(&t, 3);
	cr_assert(RIG_UNTIL(&t.g, h2_host_requests(t.h) == 2));
	cr_expect_not(t.e[2].is_done);
	h2_host_settings(t.h, 0, 2);
	cr_assert(RIG_UNTIL(&t.g, t.e[2].is_done));
	cr_expect_eq(t.e[2].lease.status, REACH_OK);
	cr_expect(t.e[2].lease.is_reused);
	cr_expect_not(t.e[3].is_done);
	h2_host_settings(t.h, 0, 3);
	cr_assert(RIG_UNTIL(&t.g, t.e[3].is_done));
	cr_expect_eq(t.h->n_conns, 1);
	for (unsigned i = 1; i < 4; i++)
		lease_end(&t.e[i].lease, false);
}

Test(h2_share, fewer_streams_than_before_add_nobody)
{
	sharing_start(&t, 10);
	sharing_warm_up(&t);
	sharing_begin(&t, 1);
	sharing_begin(&t, 2);
	cr_assert(RIG_UNTIL(&t.g, h2_host_requests(t.h) == 3));
	h2_host_settings(t.h, 0, 2);
	/* With the answer that too has been read. */
	h2_host_answer(t.h, 0, 1);
	sharing_finish(&t, 1);
	sharing_begin(&t, 1);
	sharing_begin(&t, 3);
	cr_assert(RIG_UNTIL(&t.g, h2_host_requests(t.h) == 5));
	cr_expect_eq(t.h->n_conns, 2);
	cr_expect_eq(h2_host_refused(t.h), 0);
	for (unsigned i = 1; i < 4; i++)
		lease_end(&t.e[i].lease, false);
}

Test(h2_share, one_without_room_is_found_by_nobody)
{
	sharing_start(&t, 1);
	sharing_warm_up(&t);
	h2_host_settings(t.h, 0, 0x7fffffff);
	cr_assert(RIG_UNTIL(&t.g, t.c->local.v[0]->streams == 100));
	h2_host_no_streams(t.h, 0);
	cr_assert(RIG_UNTIL(&t.g, t.c->local.v[0]->streams == 1));
	cr_expect(rig_says(&t.g, "active=1 idle=1"));
	sharing_begin(&t, 1);
	cr_expect_not(t.e[1].lease.is_reused);
	cr_expect(rig_says(&t.g, "active=2 idle=1"));
	/* It is there as before when there is room again. */
	h2_host_settings(t.h, 0, 5);
	cr_assert(RIG_UNTIL(&t.g, t.c->local.v[0]->streams == 5));
	lease_end(&t.e[1].lease, false);
	sharing_ask(&t, 2);
	cr_expect(t.e[2].lease.is_reused);
	lease_end(&t.e[2].lease, false);
	cr_expect_eq(t.h->n_conns, 2);
}

Test(h2_share, one_without_room_makes_room_for_another)
{
	t.g.limits.connections = 1;
	sharing_start(&t, 5);
	sharing_warm_up(&t);
	h2_host_no_streams(t.h, 0);
	cr_assert(RIG_UNTIL(&t.g, t.c->local.v[0]->streams == 1));
	sharing_begin(&t, 1);
	cr_expect_not(t.e[1].lease.is_reused);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 1);
	lease_end(&t.e[1].lease, false);
}

/* Told first, it ends those that are served and not told yet. */
static void
end_the_others(void *arg)
{
	(void)arg;
	for (unsigned i = 0; i < 4; i++)
		lease_end(&t.e[i].lease, false);
	t.counter = 100;
}

Test(h2_share, who_is_told_may_end_those_that_are_told_next)
{
	sharing_start(&t, 100);
	t.e[0] = (struct rig_exchange){ .counter = &t.counter };
	cr_assert_not(lease_start(
	    &t.e[0].lease, t.c, &RIG_ANY, false, end_the_others, NULL));
	for (unsigned i = 1; i < 4; i++)
		sharing_ask(&t, i);
	cr_assert(RIG_UNTIL(&t.g, t.counter == 100));
	for (unsigned i = 1; i < 4; i++)
		cr_expect_eq(t.e[i].calls, 0);
	cr_expect(rig_says(&t.g, "active=1 idle=1"));
	sharing_begin(&t, 0);
	cr_expect(t.e[0].lease.is_reused);
	cr_assert(RIG_UNTIL(&t.g, h2_host_requests(t.h) == 1));
	cr_expect_eq(t.h->conns[0]->n_resets, 0, "nothing was sent of them");
	lease_end(&t.e[0].lease, false);
}

Test(h2_share, the_pool_of_an_endpoint_bounds_idle_ones)
{
	t.g.limits.pool_per_endpoint = 1;
	t.g.h2.streams = 1;
	sharing_start(&t, 100);
	sharing_begin_all(&t, 3);
	cr_expect_eq(t.h->n_conns, 3);
	cr_expect(rig_says(&t.g, "active=3 idle=0"));
	for (unsigned i = 0; i < 3; i++)
		h2_host_answer(t.h, i, 1);
	for (unsigned i = 0; i < 3; i++)
		sharing_finish(&t, i);
	cr_expect(rig_says(&t.g, "active=1 idle=1"));
}

Test(h2_share, a_private_one_takes_nobody_more)
{
	sharing_start(&t, 100);
	sharing_begin_all(&t, 2);
	lease_make_private(&t.e[0].lease);
	sharing_begin(&t, 2);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_TOTAL), 2);
	h2_host_settings(t.h, 0, 50);
	cr_assert(RIG_UNTIL(&t.g, t.c->local.v[0]->streams == 50));
	sharing_begin(&t, 3);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_TOTAL), 2);
	lease_end(&t.e[3].lease, false);
	h2_host_answer(t.h, 0, 2);
	sharing_finish(&t, 0);
	sharing_finish(&t, 1);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 1);
	lease_end(&t.e[2].lease, false);
}

Test(h2_share, a_retry_takes_a_busy_one_only_at_the_limit)
{
	sharing_start(&t, 100);
	sharing_begin_all(&t, 1);
	rig_lease(t.c, &RIG_ANY, true, &t.counter, &t.e[1]);
	cr_expect_not(t.e[1].is_done, "there is room for a fresh one");
	cr_assert(RIG_UNTIL(&t.g, t.e[1].is_done));
	cr_expect_not(t.e[1].lease.is_reused);
	t.g.limits.connections = 2;
	rig_lease(t.c, &RIG_ANY, true, &t.counter, &t.e[2]);
	cr_expect(t.e[2].is_done);
	cr_expect_eq(t.e[2].lease.status, REACH_OK);
	cr_expect(t.e[2].lease.is_reused);
	lease_end(&t.e[1].lease, false);
	lease_end(&t.e[2].lease, false);
	lease_end(&t.e[0].lease, false);
}

Test(h2_share, nor_does_a_retry_that_waits)
{
	sharing_start(&t, 2);
	sharing_warm_up(&t);
	sharing_begin(&t, 0);
	sharing_begin(&t, 1);
	cr_assert(RIG_UNTIL(&t.g, h2_host_requests(t.h) == 3));
	h2_host_answer(t.h, 0, 1);
	cr_assert(RIG_UNTIL(&t.g, rig_read(&t.e[0]) == PULL_END));
	rig_lease(t.c, &RIG_ANY, true, &t.counter, &t.e[2]);
	lease_end(&t.e[0].lease, true);
	cr_expect_eq(t.e[2].lease.state, LEASE_WAITING);
	cr_assert(RIG_UNTIL(&t.g, t.e[2].is_done));
	cr_expect_not(t.e[2].lease.is_reused);
	sharing_begin(&t, 0);
	sharing_begin(&t, 3);
	/* From now on there is no room for another connection. */
	t.g.limits.connections = 2;
	rig_lease(t.c, &RIG_ANY, true, &t.counter, &t.e[4]);
	cr_expect_not(t.e[4].is_done);
	lease_end(&t.e[0].lease, false);
	cr_assert(RIG_UNTIL(&t.g, t.e[4].is_done));
	cr_expect_eq(t.e[4].lease.status, REACH_OK);
	cr_expect(t.e[4].lease.is_reused);
	for (unsigned i = 1; i < 5; i++)
		lease_end(&t.e[i].lease, false);
}

Test(h2_share, only_who_may_use_the_endpoint)
{
	sharing_start(&t, 100);
	sharing_begin_all(&t, 1);
	rig_lease(
	    t.c, &(struct reach_want){ .rulesets = 2 }, false, NULL, &t.e[1]);
	cr_expect(t.e[1].is_done);
	cr_expect_eq(t.e[1].lease.status, REACH_NO_ENDPOINT);
	lease_end(&t.e[1].lease, false);
	lease_end(&t.e[0].lease, false);
}
