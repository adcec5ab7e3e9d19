/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What results of real exchanges lead to, for all workers, over reloads, and as
 * time goes by.
 */

#include <criterion/criterion.h>

#include "base/clock.h"
#include "upstream/shared.h"
#include "upstream_rig.h"

static struct rig g;
static struct ext_server *x, *y;
static struct service_options options;
static struct shared *shared;
static struct stats_shard *there_stats;
static struct clusters *other; /* another worker's */

static void
setup(void)
{
	struct upstream_env env;

	rig_init(&g);
	x = rig_server(EXT_HTTP);
	y = rig_server(EXT_HTTP);
	shared = shared_new();
	g.env.shared = shared;
	rig_start(&g);
	there_stats = stats_shard_new();
	env = g.env;
	env.stats = there_stats;
	other = clusters_new(&env);
	options = *service_options_standard();
	options.outlier.consecutive_gateway = 2;
	options.outlier.base_ms = 1000;
	options.outlier.interval_ms = 1000;
	options.outlier.most_percent = 50;
}

static void
teardown(void)
{
	clusters_free(other);
	rig_fini(&g);
	stats_shard_free(there_stats);
	shared_free(shared);
	ext_stop(x);
	ext_stop(y);
	clock_unfake();
}

TestSuite(outlier_report, .init = setup, .fini = teardown, .timeout = 60);

static struct service *
service(const char *rules)
{
	return rig_service_with(&options, PROTO_HTTP, "s", rules,
	    (const struct rig_endpoint[]){
		{ .key = "a", .host = "127.0.0.1", .port = ext_port(x) },
		{ .key = "b", .host = "127.0.0.1", .port = ext_port(y) },
		{ .key = NULL } });
}

/* An exchange whose result is told as conn/ tells it; which endpoint had it. */
static char
visit(struct clusters *cs, struct service *s)
{
	struct rig_exchange e;
	char key;

	rig_lease(clusters_get(cs, s), &RIG_ANY, false, NULL, &e);
	cr_assert(RIG_UNTIL(&g, e.is_done));
	cr_assert_eq(e.lease.status, REACH_OK);
	key = e.lease.endpoint->key.p[0];
	cr_expect(rig_get(&g, &e, "/bytes/1"));
	lease_report(&e.lease, LEASE_ANSWERED, e.status);
	lease_end(&e.lease, true);
	return key;
}

static unsigned
visits_to(struct clusters *cs, struct service *s, char key, unsigned n)
{
	unsigned found = 0;

	while (n-- > 0)
		found += visit(cs, s) == key;
	return found;
}

Test(outlier_report, who_is_ejected_gets_nothing_from_anybody)
{
	struct service *s = service("r0"), *again = service("r1");
	struct snapshot *snap;

	ext_set_status(x, 503);
	cr_expect_eq(visits_to(g.clusters, s, 'a', 2), 1, "in turn");
	cr_expect_eq(visits_to(other, s, 'a', 2), 1, "a second 503");
	cr_expect_eq(visits_to(g.clusters, s, 'a', 20), 0);
	cr_expect_eq(visits_to(other, s, 'a', 20), 0);
	cr_expect(rig_says(&g, "ejected"));
	cr_expect(rig_says(&g, "left out for 1 s more"));
	cr_expect_eq(rig_stat("s", STAT_OUTLIER_EJECTIONS), 1);
	cr_expect_eq(rig_stat("s", STAT_OUTLIER_GATEWAY), 1);
	cr_expect_eq(rig_stat("s", STAT_MEMBERSHIP_HEALTHY), 1);
	cr_expect_eq(rig_stat("s", STAT_OUTLIER_ACTIVE), 1);
	/* A reload of anything else leaves it out. */
	snap = rig_snapshot(&again, 1);
	clusters_sync(g.clusters, snap);
	snapshot_unref(snap);
	cr_expect_eq(visits_to(g.clusters, again, 'a', 4), 0);
	service_unref(s);
	service_unref(again);
}

/* Times are by hand: 1 s, then 2 s; intervals without make it 1 s again. */
Test(outlier_report, it_comes_back_and_goes_for_longer)
{
	struct service *s = service("r0");

	clock_fake(100000, 0);
	loop_turn(g.loop);
	ext_set_status(x, 502);
	cr_expect_eq(visits_to(g.clusters, s, 'a', 4), 2);
	cr_expect_eq(visits_to(g.clusters, s, 'a', 4), 0);
	clock_fake(100999, 0);
	loop_turn(g.loop);
	cr_expect_eq(visits_to(g.clusters, s, 'a', 4), 0);
	clock_fake(101000, 0);
	loop_turn(g.loop);
	cr_expect_eq(visits_to(g.clusters, s, 'a', 4), 2, "and out again");
	clock_fake(102999, 0);
	loop_turn(g.loop);
	cr_expect_eq(visits_to(g.clusters, s, 'a', 4), 0, "twice as long");
	clock_fake(103000, 0);
	loop_turn(g.loop);
	ext_set_status(x, 0);
	cr_expect_eq(visits_to(g.clusters, s, 'a', 4), 2);
	cr_expect_eq(rig_stat("s", STAT_OUTLIER_EJECTIONS), 2);
	clock_fake(104000, 0);
	loop_turn(g.loop);
	loop_turn(g.loop);
	cr_expect_eq(rig_stat("s", STAT_OUTLIER_ACTIVE), 0);
	service_unref(s);
}

/* Half of the endpoints at the most: the last one stays, and is counted. */
Test(outlier_report, one_is_left)
{
	struct service *s = service("r0");

	ext_set_status(x, 504);
	ext_set_status(y, 504);
	cr_expect_eq(visits_to(g.clusters, s, 'a', 8), 2);
	cr_expect_eq(rig_stat("s", STAT_OUTLIER_EJECTIONS), 1);
	cr_expect_geq(rig_stat("s", STAT_OUTLIER_OVERFLOW), 1);
	service_unref(s);
}

Test(outlier_report, nothing_happens_unless_asked_for)
{
	struct service *s;

	options.outlier.consecutive_gateway = 0;
	s = service("r0");
	ext_set_status(x, 503);
	cr_expect_eq(visits_to(g.clusters, s, 'a', 20), 10);
	cr_expect_eq(rig_stat("s", STAT_OUTLIER_EJECTIONS), 0);
	service_unref(s);
}

/* An interval ends with the first result after it. */
Test(outlier_report, a_percentage_of_failures)
{
	struct service *s;

	options.outlier.consecutive_gateway = 0;
	options.outlier.failure_percent = 50;
	options.outlier.failure_percent_hosts = 2;
	options.outlier.failure_percent_volume = 5;
	s = service("r0");
	clock_fake(100000, 0);
	loop_turn(g.loop);
	ext_set_status(x, 500);
	cr_expect_eq(visits_to(g.clusters, s, 'a', 12), 6);
	cr_expect_eq(rig_stat("s", STAT_OUTLIER_EJECTIONS), 0);
	clock_fake(101000, 0);
	loop_turn(g.loop);
	(void)visit(g.clusters, s);
	cr_expect_eq(rig_stat("s", STAT_OUTLIER_FAILURE_PERCENT), 1);
	cr_expect_eq(visits_to(g.clusters, s, 'a', 8), 0);
	service_unref(s);
}

/* A server that cannot be reached is out for longer than it is remembered. */
Test(outlier_report, connections_that_fail)
{
	struct service *s;
	struct rig_reached r;

	options.outlier.consecutive_gateway = 0;
	options.outlier.consecutive_local = 2;
	options.outlier.splits_local = true;
	options.outlier.base_ms = 60000;
	s = rig_service_with(&options, PROTO_HTTP, "s", "r0",
	    (const struct rig_endpoint[]){
		{ .key = "a", .host = "127.0.0.1", .port = rig_closed_port() },
		{ .key = "b", .host = "127.0.0.1", .port = ext_port(y) },
		{ .key = NULL } });
	clock_fake(100000, 0);
	loop_turn(g.loop);
	rig_reach(&g, s, &RIG_ANY, &r);
	rig_hang_up(&r);
	clock_fake(110000, 0);
	loop_turn(g.loop);
	rig_reach(&g, s, &RIG_ANY, &r);
	rig_hang_up(&r);
	rig_reach(&g, s, &RIG_ANY, &r);
	rig_hang_up(&r);
	cr_expect_eq(rig_stat("s", STAT_OUTLIER_LOCAL), 1);
	clock_fake(125000, 0);
	loop_turn(g.loop);
	for (int i = 0; i < 6; i++) {
		rig_reach(&g, s, &RIG_ANY, &r);
		cr_expect_str_eq(r.endpoint, "b");
		cr_expect_eq(r.r.attempts, 1);
		rig_hang_up(&r);
	}
	service_unref(s);
}
