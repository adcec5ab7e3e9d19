/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reloads: what stays the same keeps its connections, what changed loses them,
 * what is in use goes on, and nobody keeps a permission that is gone.
 */

#include <criterion/criterion.h>

#include "upstream_rig.h"

static struct rig g;
static struct ext_server *x, *y;

static void
setup(void)
{
	rig_init(&g);
	x = rig_server(EXT_HTTP);
	y = rig_server(EXT_HTTP);
	rig_start(&g);
}

static void
teardown(void)
{
	rig_fini(&g);
	ext_stop(x);
	ext_stop(y);
}

TestSuite(cluster_sync, .init = setup, .fini = teardown, .timeout = 60);

/* "s" with the given rules and endpoints a (ruleset 0) and b (ruleset 1). */
static struct service *
service(const char *rules, unsigned weight_of_a, bool has_b)
{
	return rig_service("s", rules,
	    (const struct rig_endpoint[]){ { .key = "a",
					       .host = "127.0.0.1",
					       .port = ext_port(x),
					       .weight = weight_of_a },
		{ .key = has_b ? "b" : NULL,
		    .host = "127.0.0.1",
		    .port = ext_port(y),
		    .ruleset = 1 },
		{ .key = NULL } });
}

static void
reload(struct service *s)
{
	struct snapshot *snap = rig_snapshot(&s, s != NULL);

	clusters_sync(g.clusters, snap);
	snapshot_unref(snap);
}

Test(cluster_sync, what_stays_keeps_everything)
{
	struct service *s = service("r0", 1, false);
	struct service *same = service("r0", 1, false);
	struct service *other_rule = service("r9", 1, false);
	struct cluster *c = clusters_get(g.clusters, s);
	struct rig_exchange e;

	cr_expect(rig_visit(&g, c, "/bytes/1", &e));
	reload(s);
	reload(same);
	cr_expect_eq(clusters_get(g.clusters, same), c);
	cr_expect(rig_says(&g, "active=1 idle=1"));
	cr_expect_eq(rig_stat("s", STAT_UPDATE_SUCCESS), 0);
	reload(other_rule);
	cr_expect_eq(rig_stat("s", STAT_UPDATE_SUCCESS), 1);
	cr_expect(rig_says(&g, "active=1 idle=1"));
	cr_expect(rig_visit(&g, c, "/bytes/1", &e));
	cr_expect(e.lease.is_reused);
	service_unref(s);
	service_unref(same);
	service_unref(other_rule);
}

Test(cluster_sync, a_changed_endpoint_loses_its_idle_connections)
{
	struct service *s = service("r0 r1", 1, true);
	struct service *changed = service("r0 r1", 7, true);
	struct cluster *c = clusters_get(g.clusters, s);
	struct rig_exchange e;

	for (unsigned i = 0; i < 2; i++)
		cr_expect(rig_visit(&g, c, "/bytes/1", &e));
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 2);
	reload(changed);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 1);
	cr_expect(rig_says(&g, " healthy active=1 idle=1"), "b's");
	cr_expect_eq(rig_stat("s", STAT_UPDATE_SUCCESS), 1);
	service_unref(s);
	service_unref(changed);
}

/* Where and how they may leave is another thing now. */
Test(cluster_sync, connections_of_before_are_not_used_under_other_options)
{
	struct service *s = service("r0", 1, false);
	struct service *changed = service("r0", 1, false);
	struct cluster *c = clusters_get(g.clusters, s);
	struct rig_exchange e;

	changed->options->dscp = 10;
	cr_expect(rig_visit(&g, c, "/bytes/1", &e));
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 1);
	reload(changed);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 0);
	cr_expect(rig_visit(&g, c, "/bytes/1", &e));
	cr_expect_not(e.lease.is_reused);
	service_unref(s);
	service_unref(changed);
}

Test(cluster_sync, health_survives)
{
	uint16_t port = rig_closed_port();
	const struct rig_endpoint bad = {
		.key = "bad", .host = "127.0.0.1", .port = port
	};
	struct service *s =
	    rig_service("s", "r0", (const struct rig_endpoint[]){ bad, { 0 } });
	struct service *more = rig_service("s", "r0",
	    (const struct rig_endpoint[]){
		{ .key = "a", .host = "127.0.0.1", .port = ext_port(x) }, bad,
		{ .key = NULL } });
	struct rig_reached r;

	rig_reach(&g, s, &RIG_ANY, &r);
	cr_expect_eq(r.r.status, REACH_REFUSED);
	reload(more);
	for (unsigned i = 0; i < 4; i++) {
		rig_reach(&g, more, &RIG_ANY, &r);
		cr_expect_eq(r.r.status, REACH_OK);
		cr_expect_eq(r.r.attempts, 1);
		rig_hang_up(&r);
	}
	cr_expect_eq(rig_stat("s", STAT_MEMBERSHIP_TOTAL), 2);
	cr_expect_eq(rig_stat("s", STAT_MEMBERSHIP_HEALTHY), 1);
	service_unref(s);
	service_unref(more);
}

Test(cluster_sync, a_dropped_service_ends_with_what_uses_it)
{
	struct service *s = service("r0", 1, false);
	struct cluster *c = clusters_get(g.clusters, s);
	struct rig_exchange e, idle;
	struct rig_reached r;
	struct text out = TEXT_EMPTY;

	rig_lease(c, &RIG_ANY, false, NULL, &e);
	rig_lease(c, &RIG_ANY, false, NULL, &idle);
	rig_reach(&g, s, &RIG_ANY, &r);
	cr_assert(RIG_UNTIL(&g, e.is_done && idle.is_done));
	lease_end(&idle.lease, true);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 3);
	service_unref(s);
	reload(NULL);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 2, "idle is gone");
	clusters_print(g.clusters, &out);
	cr_expect_eq(out.len, 0);
	cr_expect(rig_get(&g, &e, "/bytes/100"), "the lease goes on");
	cr_expect(str_eq(e.lease.endpoint->key, STR("a")));
	lease_end(&e.lease, true);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 1);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_TOTAL), 3);
	rig_hang_up(&r);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_TOTAL), 0,
	    "the metrics went with the last connection");
	text_free(&out);
}

Test(cluster_sync, what_waits_when_the_service_is_dropped_is_served)
{
	struct service *s = service("r0", 1, false);
	struct cluster *c = clusters_get(g.clusters, s);
	struct rig_exchange e1, e2;

	g.limits.connections = 1;
	rig_lease(c, &RIG_ANY, false, NULL, &e1);
	rig_lease(c, &RIG_ANY, false, NULL, &e2);
	reload(NULL);
	cr_assert(RIG_UNTIL(&g, e1.is_done));
	cr_expect_eq(e1.lease.status, REACH_OK);
	lease_end(&e1.lease, true);
	cr_assert(RIG_UNTIL(&g, e2.is_done));
	cr_expect_eq(e2.lease.status, REACH_OK);
	cr_expect(e2.lease.is_reused);
	lease_end(&e2.lease, true);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_TOTAL), 0);
	service_unref(s);
}

Test(cluster_sync, a_service_that_comes_back_has_its_metrics)
{
	struct service *s = service("r0", 1, false);
	struct rig_reached r1, r2;

	rig_reach(&g, s, &RIG_ANY, &r1);
	reload(NULL);
	rig_reach(&g, s, &RIG_ANY, &r2);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 2);
	rig_hang_up(&r1);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 1);
	rig_hang_up(&r2);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 0);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_TOTAL), 2);
	service_unref(s);
}

Test(cluster_sync, a_leased_connection_of_a_changed_endpoint_is_not_kept)
{
	struct service *s = service("r0", 1, false);
	struct service *changed = service("r0", 2, false);
	struct cluster *c = clusters_get(g.clusters, s);
	struct rig_exchange e;

	rig_lease(c, &RIG_ANY, false, NULL, &e);
	cr_assert(RIG_UNTIL(&g, e.is_done));
	reload(changed);
	cr_expect(rig_get(&g, &e, "/bytes/10"));
	lease_end(&e.lease, true);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 0);
	service_unref(s);
	service_unref(changed);
}

/* The endpoint changes between SYN and connection: the new one is used. */
Test(cluster_sync, what_is_being_dialled_ends_up_at_the_new_endpoint)
{
	struct service *s = service("r0", 1, false);
	struct service *moved = rig_service("s", "r0",
	    (const struct rig_endpoint[]){
		{ .key = "a", .host = "127.0.0.1", .port = ext_port(y) },
		{ .key = NULL } });
	struct cluster *c = clusters_get(g.clusters, s);
	struct rig_exchange e;
	struct rig_reached r;

	rig_begin(&g, c, &RIG_ANY, &r);
	rig_lease(c, &RIG_ANY, false, NULL, &e);
	reload(moved);
	cr_assert(RIG_UNTIL(&g, r.calls > 0 && e.is_done));
	cr_assert_eq(r.r.status, REACH_OK);
	cr_expect_eq(addr_port(&r.r.addr), ext_port(y));
	cr_expect_eq(e.lease.status, REACH_OK);
	cr_expect_eq(addr_port(&e.lease.addr), ext_port(y));
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_CONNECT_FAIL), 0);
	lease_end(&e.lease, true);
	rig_hang_up(&r);
	service_unref(s);
	service_unref(moved);
}

Test(cluster_sync, a_permission_that_went_holds_for_what_is_on_its_way)
{
	struct service *s = service("r0 r1", 1, true);
	struct service *stricter = service("r9 r1", 1, true);
	struct cluster *c = clusters_get(g.clusters, s);
	const struct reach_want a = { .rulesets = 1 }, b = { .rulesets = 2 };
	struct rig_exchange ea, eb;
	struct rig_reached ra, rb;

	rig_lease(c, &a, false, NULL, &ea);
	rig_lease(c, &b, false, NULL, &eb);
	rig_begin(&g, c, &a, &ra);
	rig_begin(&g, c, &b, &rb);
	reload(stricter);
	cr_assert(RIG_UNTIL(
	    &g, ea.is_done && eb.is_done && ra.calls + rb.calls == 2));
	cr_expect_eq(ea.lease.status, REACH_NO_ENDPOINT);
	cr_expect_eq(ra.r.status, REACH_NO_ENDPOINT);
	cr_expect_eq(eb.lease.status, REACH_OK);
	cr_expect_eq(rb.r.status, REACH_OK);
	lease_end(&ea.lease, false);
	lease_end(&eb.lease, true);
	rig_hang_up(&rb);
	service_unref(s);
	service_unref(stricter);
}

/* The same rules in another order: bits move, permission does not. */
Test(cluster_sync, rulesets_are_followed_by_what_they_say)
{
	struct service *s = service("r0 r1", 1, true);
	struct service *turned = rig_service("s", "r1 r0",
	    (const struct rig_endpoint[]){ { .key = "a",
					       .host = "127.0.0.1",
					       .port = ext_port(x),
					       .ruleset = 1 },
		{ .key = "b", .host = "127.0.0.1", .port = ext_port(y) },
		{ .key = NULL } });
	struct cluster *c = clusters_get(g.clusters, s);
	/* A verdict about s: only a. */
	const struct reach_want only_a = { .rulesets = 1, .service = s };
	struct rig_exchange e;
	struct rig_reached r;

	rig_begin(&g, c, &only_a, &r);
	reload(turned);
	cr_assert(RIG_UNTIL(&g, r.calls > 0));
	cr_expect_str_eq(r.endpoint, "a", "begun before the reload");
	rig_hang_up(&r);
	rig_begin(&g, c, &only_a, &r);
	cr_assert(RIG_UNTIL(&g, r.calls > 0));
	cr_expect_str_eq(r.endpoint, "a", "begun after it with an old verdict");
	rig_hang_up(&r);
	for (unsigned i = 0; i < 3; i++) {
		rig_lease(c, &only_a, false, NULL, &e);
		cr_assert(RIG_UNTIL(&g, e.is_done));
		cr_assert_eq(e.lease.status, REACH_OK);
		cr_expect(str_eq(e.lease.endpoint->key, STR("a")));
		lease_end(&e.lease, true);
	}
	service_unref(s);
	service_unref(turned);
}

/* The connection that comes back is of an endpoint that is now forbidden. */
Test(cluster_sync, a_permission_that_went_holds_for_who_waits)
{
	struct service *s = service("r0 r1", 1, true);
	struct service *turned = rig_service("s", "r1 r0",
	    (const struct rig_endpoint[]){
		{ .key = "a", .host = "127.0.0.1", .port = ext_port(x) },
		{ .key = "b",
		    .host = "127.0.0.1",
		    .port = ext_port(y),
		    .ruleset = 1 },
		{ .key = NULL } });
	struct cluster *c = clusters_get(g.clusters, s);
	const struct reach_want only_r0 = { .rulesets = 1 };
	struct rig_exchange e1, e2;

	g.limits.connections = 1;
	rig_lease(c, &only_r0, false, NULL, &e1);
	rig_lease(c, &only_r0, false, NULL, &e2);
	cr_assert(RIG_UNTIL(&g, e1.is_done));
	cr_assert(str_eq(e1.lease.endpoint->key, STR("a")));
	/* From now on it is r1 that says who may use a, and r0 has b. */
	reload(turned);
	lease_end(&e1.lease, true);
	cr_assert(RIG_UNTIL(&g, e2.is_done));
	cr_expect_eq(e2.lease.status, REACH_OK);
	cr_expect(str_eq(e2.lease.endpoint->key, STR("b")));
	lease_end(&e2.lease, true);
	service_unref(s);
	service_unref(turned);
}

Test(cluster_sync, who_still_has_the_old_service_does_not_bring_it_back)
{
	struct service *s = service("r0", 1, false);
	struct service *newer = service("r0 r1", 1, true);
	struct cluster *c = clusters_get(g.clusters, s);

	cr_expect_eq(rig_stat("s", STAT_MEMBERSHIP_TOTAL), 1);
	reload(newer);
	cr_expect_eq(rig_stat("s", STAT_MEMBERSHIP_TOTAL), 2);
	cr_expect_eq(clusters_get(g.clusters, s), c);
	cr_expect_eq(rig_stat("s", STAT_MEMBERSHIP_TOTAL), 2);
	service_unref(s);
	service_unref(newer);
}

Test(cluster_sync, a_newer_service_is_taken_up_when_first_asked_for)
{
	struct service *s = service("r0", 1, false);
	struct service *newer = service("r0 r1", 1, true);
	struct cluster *c = clusters_get(g.clusters, s);

	cr_expect_eq(clusters_get(g.clusters, newer), c);
	cr_expect_eq(rig_stat("s", STAT_MEMBERSHIP_TOTAL), 2);
	cr_expect_eq(rig_stat("s", STAT_UPDATE_SUCCESS), 1);
	service_unref(s);
	service_unref(newer);
}

Test(cluster_sync, a_reference_outlives_the_drop)
{
	struct service *s = service("r0", 1, false);
	struct cluster *c = cluster_ref(clusters_get(g.clusters, s));

	reload(NULL);
	stat_inc(cluster_stats(c), STAT_RBAC_DENIED);
	cr_expect_eq(rig_stat("s", STAT_RBAC_DENIED), 1);
	cluster_unref(c);
	cr_expect_eq(rig_stat("s", STAT_RBAC_DENIED), 0);
	service_unref(s);
}
