/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection that its server authenticated for one caller: that caller gets
 * it again, nobody else does, and it ends with the caller or before.
 */

#include <criterion/criterion.h>

#include "base/clock.h"
#include "upstream/pin.h"
#include "upstream_rig.h"

static struct rig g;
static struct ext_server *x;
static struct service *s;
static struct cluster *c;
static struct pin pin;
static struct rig_exchange e;

static void
setup(void)
{
	rig_init(&g);
	x = rig_server(EXT_HTTP);
}

static void
teardown(void)
{
	pin_release(&pin);
	service_unref(s);
	rig_fini(&g);
	ext_stop(x);
}

TestSuite(pin, .init = setup, .fini = teardown, .timeout = 60);

static struct service *
service(const char *rules, unsigned weight)
{
	return rig_service("s", rules,
	    (const struct rig_endpoint[]){ { .key = "a",
					       .host = "127.0.0.1",
					       .port = ext_port(x),
					       .weight = weight },
		{ .key = NULL } });
}

static void
start(void)
{
	rig_start(&g);
	s = service("r0", 1);
	c = clusters_get(g.clusters, s);
}

static void
lease(uint64_t rulesets, bool is_fresh)
{
	struct reach_want want = { .rulesets = rulesets, .pin = &pin };

	rig_lease(c, &want, is_fresh, NULL, &e);
	cr_assert(RIG_UNTIL(&g, e.is_done));
}

/* One exchange that leaves an authenticated connection behind. */
static struct stream *
authenticate(void)
{
	struct stream *stream;

	lease(1, false);
	cr_assert_eq(e.lease.status, REACH_OK);
	stream = e.lease.stream;
	cr_expect(rig_get(&g, &e, "/ntlm"));
	lease_make_private(&e.lease);
	lease_end(&e.lease, true);
	return stream;
}

static void
reload(struct service *to)
{
	struct snapshot *snap = rig_snapshot(&to, to != NULL);

	clusters_sync(g.clusters, snap);
	snapshot_unref(snap);
}

Test(pin, its_caller_gets_it_again_and_nobody_else)
{
	struct rig_exchange other;
	struct stream *mine;

	start();
	mine = authenticate();
	cr_assert_not_null(pin.back);
	cr_expect(rig_says(&g, "active=1 idle=0"), "nobody finds it");
	cr_expect(rig_visit(&g, c, "/bytes/1", &other));
	cr_expect_not(other.lease.is_reused);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_TOTAL), 2);
	for (unsigned i = 0; i < 3; i++) {
		lease(1, false);
		cr_expect_eq(e.calls, 0, "it is there at once");
		cr_expect_eq(e.lease.stream, mine);
		cr_expect(e.lease.is_reused);
		cr_expect_null(pin.back, "while it is used");
		cr_expect(rig_get(&g, &e, "/bytes/10"));
		lease_end(&e.lease, true);
		cr_expect_not_null(pin.back);
	}
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_TOTAL), 2);
	pin_release(&pin);
	cr_expect_null(pin.back);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 1);
}

Test(pin, what_is_not_private_goes_into_the_pool)
{
	start();
	lease(1, false);
	cr_expect(rig_get(&g, &e, "/bytes/1"));
	lease_end(&e.lease, true);
	cr_expect_null(pin.back);
	cr_expect(rig_says(&g, "active=1 idle=1"));
}

Test(pin, what_is_not_whole_is_not_kept)
{
	start();
	(void)authenticate();
	lease(1, false);
	rig_send(&e, "/hang");
	lease_end(&e.lease, false);
	cr_expect_null(pin.back);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 0);
}

Test(pin, one_that_its_server_closes_leaves_it)
{
	start();
	(void)authenticate();
	ext_stop(x);
	cr_expect(RIG_UNTIL(&g, pin.back == NULL));
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 0);
	x = rig_server(EXT_HTTP);
}

Test(pin, a_retry_gets_a_fresh_one)
{
	start();
	(void)authenticate();
	lease(1, true);
	cr_assert_eq(e.lease.status, REACH_OK);
	cr_expect_not(e.lease.is_reused);
	cr_expect_null(pin.back);
	lease_end(&e.lease, true);
	cr_expect(rig_says(&g, "active=1 idle=1"), "the old one is closed");
}

Test(pin, it_is_closed_when_its_time_is_over)
{
	uint64_t now = clock_ms();

	clock_fake(now, 0);
	g.limits.pool_idle_ms = 1000;
	start();
	(void)authenticate();
	clock_fake(now + 999, 0);
	loop_turn(g.loop);
	cr_expect_not_null(pin.back);
	clock_fake(now + 1000, 0);
	loop_turn(g.loop);
	cr_expect_null(pin.back);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 0);
	clock_unfake();
}

Test(pin, it_makes_room_at_the_limit)
{
	struct rig_exchange other;

	g.limits.connections = 1;
	start();
	(void)authenticate();
	cr_expect(rig_visit(&g, c, "/bytes/1", &other));
	cr_expect_null(pin.back);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_TOTAL), 2);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 1);
}

/* More than one has to go only if one was not enough. */
Test(pin, only_as_many_as_needed_make_room)
{
	struct pin second = { .back = NULL };
	struct reach_want want = { .rulesets = 1, .pin = &second };
	struct rig_exchange other;

	g.limits.connections = 2;
	start();
	(void)authenticate();
	rig_lease(c, &want, false, NULL, &other);
	cr_assert(RIG_UNTIL(&g, other.is_done));
	cr_expect(rig_get(&g, &other, "/ntlm"));
	lease_make_private(&other.lease);
	lease_end(&other.lease, true);
	cr_assert_not_null(second.back);
	cr_expect(rig_visit(&g, c, "/bytes/1", &other));
	cr_expect_neq(pin.back == NULL, second.back == NULL);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_TOTAL), 3);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 2);
	pin_release(&second);
}

Test(pin, reloads_keep_it_while_the_endpoint_stays)
{
	struct service *other_rule = service("r9", 1);
	struct service *changed = service("r9", 7);
	struct stream *mine;

	start();
	mine = authenticate();
	reload(other_rule);
	cr_assert_not_null(pin.back);
	lease(1, false);
	cr_expect_eq(e.lease.stream, mine);
	lease_end(&e.lease, true);
	cr_assert_not_null(pin.back);
	reload(changed);
	cr_expect_null(pin.back);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 0);
	service_unref(other_rule);
	service_unref(changed);
}

Test(pin, a_permission_that_went_holds_for_it)
{
	start();
	(void)authenticate();
	lease(2, false);
	cr_expect_eq(e.lease.status, REACH_NO_ENDPOINT);
	lease_end(&e.lease, false);
	cr_expect_null(pin.back);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 0);
}

Test(pin, a_dropped_service_takes_it_along)
{
	start();
	c = cluster_ref(c);
	(void)authenticate();
	reload(NULL);
	cr_expect_null(pin.back);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 0);
	/* What is begun on the old cluster is not kept either. */
	(void)authenticate();
	cr_expect_null(pin.back);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 0);
	cluster_unref(c);
}

Test(pin, it_holds_one_at_a_time)
{
	struct rig_exchange e2;
	struct reach_want want = { .rulesets = 1, .pin = &pin };

	start();
	lease(1, false);
	rig_lease(c, &want, false, NULL, &e2);
	cr_assert(RIG_UNTIL(&g, e2.is_done));
	lease_make_private(&e.lease);
	lease_make_private(&e2.lease);
	lease_end(&e.lease, true);
	cr_expect_not_null(pin.back);
	lease_end(&e2.lease, true);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 1);
}
