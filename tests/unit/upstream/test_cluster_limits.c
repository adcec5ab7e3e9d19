/* SPDX-License-Identifier: Apache-2.0 */
/* Limits that hold for all workers together; two of them on one loop. */

#include <criterion/criterion.h>

#include "upstream/shared.h"
#include "upstream_rig.h"

static struct rig g;
static struct ext_server *x;
static struct service_options options;
static struct shared *shared;
static struct stats_shard *there_stats;
static struct clusters *other;
static struct service *s;
static struct cluster *here, *there;

static void
setup(void)
{
	struct upstream_env env;

	rig_init(&g);
	x = rig_server(EXT_HTTP);
	shared = shared_new();
	g.env.shared = shared;
	rig_start(&g);
	there_stats = stats_shard_new();
	env = g.env;
	env.stats = there_stats;
	other = clusters_new(&env);
	options = *service_options_standard();
	s = NULL;
}

static void
teardown(void)
{
	service_unref(s);
	clusters_free(other);
	rig_fini(&g);
	stats_shard_free(there_stats);
	shared_free(shared);
	ext_stop(x);
}

TestSuite(cluster_limits, .init = setup, .fini = teardown, .timeout = 60);

static void
start(void)
{
	s = rig_service_with(&options, PROTO_HTTP, "s", "r0",
	    (const struct rig_endpoint[]){
		{ .key = "a", .host = "127.0.0.1", .port = ext_port(x) },
		{ .key = NULL } });
	here = clusters_get(g.clusters, s);
	there = clusters_get(other, s);
}

static void
lease(struct cluster *c, struct rig_exchange *e)
{
	rig_lease(c, &RIG_ANY, false, NULL, e);
}

static unsigned
connections(void)
{
	struct ext_seen seen;

	ext_get(x, &seen);
	return seen.connections;
}

/* The only connection is idle in a worker that does not need it. */
Test(cluster_limits, an_idle_connection_makes_room_for_another_worker)
{
	struct rig_exchange e;

	options.breaker.connections = 1;
	start();
	cr_expect(rig_visit(&g, here, "/bytes/1", &e));
	cr_expect(rig_says(&g, "connections=1/1 (most 1)"));
	cr_expect_eq(rig_stat("s", STAT_CB_CX_OPEN), 1);
	cr_expect(rig_visit(&g, there, "/bytes/1", &e));
	cr_expect_eq(connections(), 2);
	cr_expect(rig_says(&g, "connections=1/1 (most 1)"), "never two");
	cr_expect(rig_visit(&g, here, "/bytes/1", &e), "and back");
	cr_expect_eq(connections(), 3);
}

/* It is in use there, and two wait here: one after the other gets one. */
Test(cluster_limits, who_waits_gets_what_another_worker_gives_back)
{
	struct rig_exchange e, waits[2];

	options.breaker.connections = 1;
	start();
	lease(there, &e);
	cr_assert(RIG_UNTIL(&g, e.is_done));
	lease(here, &waits[0]);
	lease(here, &waits[1]);
	for (int i = 0; i < 50; i++)
		loop_turn(g.loop);
	cr_expect_not(waits[0].is_done);
	cr_expect(rig_get(&g, &e, "/bytes/1"));
	lease_end(&e.lease, true);
	cr_assert(RIG_UNTIL(&g, waits[0].is_done));
	cr_assert_eq(waits[0].lease.status, REACH_OK);
	cr_expect_not(waits[1].is_done);
	cr_expect(rig_get(&g, &waits[0], "/bytes/1"));
	lease_end(&waits[0].lease, true);
	cr_assert(RIG_UNTIL(&g, waits[1].is_done));
	cr_assert_eq(waits[1].lease.status, REACH_OK);
	lease_end(&waits[1].lease, true);
	cr_expect(rig_says(&g, "connections=1/1 (most 1)"));
	cr_expect(rig_says(&g, "pending=0/1024 (most 2)"));
}

/* Each of two workers always has somebody who waits: none goes without. */
Test(cluster_limits, nobody_is_left_waiting_for_ever)
{
	struct rig_exchange v[2][2];
	unsigned served[2] = { 0, 0 };

	options.breaker.connections = 1;
	start();
	for (int i = 0; i < 2; i++) {
		lease(here, &v[0][i]);
		lease(there, &v[1][i]);
	}
	for (int n = 0; n < 40; n++) {
		struct rig_exchange *x1 = NULL;
		int w = 0;

		cr_assert(
		    RIG_UNTIL(&g, v[0][0].is_done || v[0][1].is_done ||
				      v[1][0].is_done || v[1][1].is_done));
		for (int i = 0; i < 4; i++)
			if (v[i / 2][i % 2].is_done)
				x1 = &v[w = i / 2][i % 2];
		cr_assert_eq(
		    x1->lease.status, REACH_OK, "%s", x1->lease.detail);
		cr_expect(rig_get(&g, x1, "/bytes/1"));
		lease_end(&x1->lease, true);
		served[w]++;
		lease(w == 0 ? here : there, x1);
	}
	cr_expect_gt(served[0], 3);
	cr_expect_gt(served[1], 3);
	cr_expect(rig_says(&g, "/1 (most 1) pending="), "never two");
	for (int i = 0; i < 4; i++)
		lease_end(&v[i / 2][i % 2].lease, false);
}

Test(cluster_limits, so_many_wait)
{
	struct rig_exchange e, waits, refused;

	options.breaker.connections = 1;
	options.breaker.pending = 1;
	start();
	lease(there, &e);
	cr_assert(RIG_UNTIL(&g, e.is_done));
	lease(there, &waits);
	cr_expect_not(waits.is_done);
	cr_expect_eq(rig_stat("s", STAT_CB_RQ_PENDING_OPEN), 1);
	lease(here, &refused);
	cr_assert(refused.is_done);
	cr_expect_eq(refused.lease.status, REACH_OVERFLOW);
	cr_expect_str_eq(refused.lease.detail, "breaker.pending is reached");
	lease_end(&refused.lease, false);
	lease_end(&waits.lease, false);
	lease_end(&e.lease, true);
	lease(here, &e);
	cr_assert(RIG_UNTIL(&g, e.is_done));
	cr_expect_eq(e.lease.status, REACH_OK);
	lease_end(&e.lease, true);
}

Test(cluster_limits, so_many_requests)
{
	struct rig_exchange v[3];

	options.breaker.requests = 2;
	start();
	lease(here, &v[0]);
	lease(there, &v[1]);
	cr_assert(RIG_UNTIL(&g, v[0].is_done && v[1].is_done));
	lease(here, &v[2]);
	cr_assert(v[2].is_done);
	cr_expect_eq(v[2].lease.status, REACH_OVERFLOW);
	cr_expect_str_eq(v[2].lease.detail, "breaker.requests is reached");
	cr_expect_eq(rig_stat("s", STAT_CB_RQ_OPEN), 1);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_RQ_PENDING_OVERFLOW), 1);
	cr_expect(rig_says(&g, "requests=2/2 (most 2)"));
	lease_end(&v[2].lease, false);
	cr_expect(rig_says(&g, "requests=2/2"), "it was not among them");
	lease_end(&v[0].lease, true);
	lease(there, &v[2]);
	cr_assert(RIG_UNTIL(&g, v[2].is_done));
	cr_expect_eq(v[2].lease.status, REACH_OK);
	lease_end(&v[1].lease, true);
	lease_end(&v[2].lease, true);
	cr_expect(rig_says(&g, "requests=0/2 (most 2)"));
}

/* Nothing is tried again over the budget, be it that of the other worker. */
Test(cluster_limits, a_budget_of_retries)
{
	static const struct {
		unsigned retries, percent, minimum;
		bool others; /* hold one, and two requests go on */
		bool may;
	} rows[] = {
		{ 0, 100, 3, true, true },  /* no limit */
		{ 1, 100, 3, true, false }, /* by number */
		{ 2, 100, 3, true, true },
		{ 0, 0, 0, false, false }, /* none at all */
		{ 0, 0, 1, false, true },  /* the minimum */
		{ 0, 0, 1, true, false },
		{ 0, 50, 0, true, false }, /* half of two is one */
		{ 0, 99, 2, true, true },
	};
	struct rig_exchange v[2];
	bool may;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		options.breaker.retries = rows[i].retries;
		options.breaker.retry_percent = rows[i].percent;
		options.breaker.retry_minimum = rows[i].minimum;
		service_unref(s);
		start();
		if (rows[i].others) {
			lease(there, &v[0]);
			lease(there, &v[1]);
			cr_assert(RIG_UNTIL(&g, v[0].is_done && v[1].is_done));
			cr_assert(cluster_begin_retry(there), "row %zu", i);
		}
		may = cluster_begin_retry(here);
		cr_expect_eq(may, rows[i].may, "row %zu", i);
		if (may)
			cluster_end_retry(here);
		if (rows[i].others) {
			cluster_end_retry(there);
			lease_end(&v[0].lease, true);
			lease_end(&v[1].lease, true);
		}
	}
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_RQ_RETRY_OVERFLOW), 4);
	cr_expect(rig_says(&g, "retries=0 (most 2)"));
}

/* A connection that fails is not tried elsewhere without a budget for it. */
Test(cluster_limits, an_endpoint_is_not_followed_by_another)
{
	struct rig_reached r;

	options.breaker.retry_percent = 0;
	options.breaker.retry_minimum = 0;
	s = rig_service_with(&options, PROTO_HTTP, "s", "r0",
	    (const struct rig_endpoint[]){
		{ .key = "a", .host = "127.0.0.1", .port = rig_closed_port() },
		{ .key = "b",
		    .host = "127.0.0.1",
		    .port = ext_port(x),
		    .priority = 1 },
		{ .key = NULL } });
	rig_reach(&g, s, &RIG_ANY, &r);
	cr_expect_eq(r.r.status, REACH_REFUSED);
	cr_expect_str_eq(r.endpoint, "a");
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_RQ_RETRY_OVERFLOW), 1);
	rig_hang_up(&r);
	rig_reach(&g, s, &RIG_ANY, &r);
	cr_expect_eq(r.r.status, REACH_OK, "the next one begins there");
	cr_expect_str_eq(r.endpoint, "b");
	rig_hang_up(&r);
}
