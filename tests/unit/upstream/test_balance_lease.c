/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the balance picked is what a lease or a reach gets: of the pool, at the
 * limits, and when the picked one fails.
 */

#include <criterion/criterion.h>

#include "base/clock.h"
#include "upstream/cluster_state.h"
#include "upstream/endpoint.h"
#include "upstream_rig.h"

static struct rig g;
static struct ext_server *x, *y;
static struct service *s;
static struct cluster *c;

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

TestSuite(balance_lease, .init = setup, .fini = teardown, .timeout = 60);

/* a for ruleset 0, b for ruleset 1. */
static void
start(enum balance_policy policy, uint16_t port_of_a, unsigned priority_of_b)
{
	rig_start(&g);
	s = rig_service("s", "r0 r1",
	    (const struct rig_endpoint[]){
		{ .key = "a", .host = "127.0.0.1", .port = port_of_a },
		{ .key = "b",
		    .host = "127.0.0.1",
		    .port = ext_port(y),
		    .priority = priority_of_b,
		    .ruleset = 1 },
		{ .key = NULL } });
	s->options->balance_policy = policy;
	c = clusters_get(g.clusters, s);
}

static void
ask(struct rig_exchange *e, const struct reach_want *want)
{
	rig_lease(c, want, false, NULL, e);
}

/* Where it leads; 0: nowhere. */
static char
place_of(struct rig_exchange *e)
{
	if (!RIG_UNTIL(&g, e->is_done) || e->lease.status != REACH_OK)
		return 0;
	return e->lease.endpoint->key.p[0];
}

static char
visit(const struct reach_want *want, bool *is_reused)
{
	struct rig_exchange e;
	char place;

	ask(&e, want);
	place = place_of(&e);
	*is_reused = e.lease.is_reused;
	lease_end(&e.lease, true);
	return place;
}

static struct reach_want
by(uint64_t hash)
{
	return (struct reach_want){
		.rulesets = UINT64_MAX, .hash = hash, .has_hash = true
	};
}

/* A hash that leads to a, or to b; connections are made on the way. */
static struct reach_want
leads_to(char place)
{
	struct reach_want want;
	bool is_reused;

	for (uint64_t i = 0; i < 64; i++) {
		want = by(i);
		if (visit(&want, &is_reused) == place)
			return want;
	}
	cr_assert_fail("nothing leads to %c", place);
	return want;
}

Test(balance_lease, pooled_connections_follow_the_hash)
{
	unsigned at_b = 0;

	start(BALANCE_MAGLEV, ext_port(x), 0);
	for (uint64_t i = 0; i < 32; i++) {
		struct reach_want want = by(i);
		bool is_reused;
		char place = visit(&want, &is_reused);

		at_b += place == 'b';
		for (int j = 0; j < 3; j++) {
			cr_expect_eq(visit(&want, &is_reused), place);
			cr_expect(is_reused);
		}
	}
	cr_expect_gt(at_b, 4);
	cr_expect_lt(at_b, 28);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_TOTAL), 2);
}

/* Idle ones of others make room, and are not taken. */
Test(balance_lease, at_the_limit_a_hash_keeps_its_endpoint)
{
	struct reach_want a, b;
	bool is_reused;

	g.limits.connections = 1;
	start(BALANCE_RING_HASH, ext_port(x), 0);
	a = leads_to('a');
	b = leads_to('b');
	for (int i = 0; i < 3; i++) {
		cr_expect_eq(visit(&a, &is_reused), 'a');
		cr_expect_eq(visit(&b, &is_reused), 'b');
		cr_expect_not(is_reused);
	}
}

/* Nor is the first that returns, when it is of another endpoint. */
Test(balance_lease, who_waits_by_hash_waits_for_its_endpoint)
{
	struct rig_exchange at_a, at_b, waits;
	struct reach_want a, b;

	g.limits.connections = 2;
	start(BALANCE_MAGLEV, ext_port(x), 0);
	a = leads_to('a');
	b = leads_to('b');
	ask(&at_a, &a);
	ask(&at_b, &b);
	cr_expect_eq(place_of(&at_a), 'a');
	cr_expect_eq(place_of(&at_b), 'b');
	ask(&waits, &a);
	cr_expect_not(waits.is_done);
	lease_end(&at_b.lease, true);
	cr_expect_eq(place_of(&waits), 'a');
	lease_end(&waits.lease, true);
	lease_end(&at_a.lease, true);
	cr_expect_eq(visit(&b, &(bool){ false }), 'b');
}

/* A retry takes no idle one, but not one of another endpoint either. */
Test(balance_lease, a_retry_keeps_its_endpoint)
{
	struct rig_exchange e;
	struct reach_want a;

	start(BALANCE_MAGLEV, ext_port(x), 0);
	a = leads_to('a');
	for (int i = 0; i < 3; i++) {
		rig_lease(c, &a, true, NULL, &e);
		cr_expect_eq(place_of(&e), 'a');
		cr_expect_not(e.lease.is_reused);
		lease_end(&e.lease, true);
	}
}

/* What leads to one that fails goes on to the other, and is served there. */
Test(balance_lease, a_hash_goes_on_when_its_endpoint_fails)
{
	bool is_reused;

	g.limits.connections = 1;
	start(BALANCE_MAGLEV, rig_closed_port(), 0);
	for (uint64_t i = 0; i < 32; i++) {
		struct reach_want want = by(i);

		cr_expect_eq(visit(&want, &is_reused), 'b');
	}
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_CONNECT_FAIL), 1);
}

/* A connection of the backup that returns is not for who waits for the first.
 */
Test(balance_lease, who_waits_keeps_its_priority)
{
	const struct reach_want only_b = { .rulesets = 2 };
	struct rig_exchange at_a, at_b, waits;

	g.limits.connections = 2;
	start(BALANCE_ROUND_ROBIN, ext_port(x), 1);
	ask(&at_a, &RIG_ANY);
	ask(&at_b, &only_b);
	cr_expect_eq(place_of(&at_a), 'a');
	cr_expect_eq(place_of(&at_b), 'b');
	ask(&waits, &RIG_ANY);
	lease_end(&at_b.lease, true);
	cr_expect_eq(place_of(&waits), 'a');
	lease_end(&waits.lease, true);
	lease_end(&at_a.lease, true);
}

Test(balance_lease, the_backup_until_the_first_is_back)
{
	uint64_t now = clock_ms();
	uint16_t port = rig_closed_port();
	const struct ext_config config = { .protocol = EXT_HTTP, .port = port };
	struct ext_server *back;
	bool is_reused;

	clock_fake(now, 0);
	start(BALANCE_ROUND_ROBIN, port, 1);
	for (int i = 0; i < 5; i++)
		cr_expect_eq(visit(&RIG_ANY, &is_reused), 'b');
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_CONNECT_FAIL), 1);
	cr_expect(rig_says(&g, "priority=0 load=0% failed"));
	cr_expect(rig_says(&g, "priority=1 load=100%\n"));
	back = ext_start(&config);
	clock_fake(now + ENDPOINT_FAILED_MS - 1, 0);
	cr_expect_eq(visit(&RIG_ANY, &is_reused), 'b');
	clock_fake(now + ENDPOINT_FAILED_MS, 0);
	for (int i = 0; i < 5; i++)
		cr_expect_eq(visit(&RIG_ANY, &is_reused), 'a');
	cr_expect(rig_says(&g, "priority=0 load=100%"));
	cr_expect(rig_says(&g, "priority=1 load=0%\n"));
	clock_unfake();
	ext_stop(back);
}

/* Where a request is, the next one is not, as long as it lasts. */
Test(balance_lease, least_request_counts_requests)
{
	struct rig_exchange busy;
	bool is_reused;
	char place;

	start(BALANCE_LEAST_REQUEST, ext_port(x), 0);
	ask(&busy, &RIG_ANY);
	place = place_of(&busy);
	cr_expect(rig_says(&g, "requests=1 balance=least_request weight=1"));
	for (int i = 0; i < 8; i++)
		cr_expect_neq(visit(&RIG_ANY, &is_reused), place);
	lease_end(&busy.lease, true);
	cr_expect_not(rig_says(&g, "requests=1"));
}

/* Those that still wait for a connection count, too. */
Test(balance_lease, least_request_counts_who_waits)
{
	struct rig_exchange e[8];
	unsigned at_a = 0;

	start(BALANCE_LEAST_REQUEST, ext_port(x), 0);
	for (size_t i = 0; i < ARRAY_LEN(e); i++)
		ask(&e[i], &RIG_ANY);
	cr_expect(rig_says(&g, "requests=4"));
	for (size_t i = 0; i < ARRAY_LEN(e); i++)
		at_a += place_of(&e[i]) == 'a';
	cr_expect_eq(at_a, 4);
	for (size_t i = 0; i < ARRAY_LEN(e); i++)
		lease_end(&e[i].lease, true);
	cr_expect_not(rig_says(&g, "requests=4"));
	cr_expect(rig_says(&g, "requests=0"));
}

/* Connections of tcp: each that is open counts. */
Test(balance_lease, a_reach_follows_hash_and_load)
{
	struct reach_want want = by(3);
	struct rig_reached r[6];
	unsigned at_a = 0;

	rig_start(&g);
	s = rig_service_of(PROTO_TCP, "s", "r0",
	    (const struct rig_endpoint[]){
		{ .key = "a", .host = "127.0.0.1", .port = ext_port(x) },
		{ .key = "b", .host = "127.0.0.1", .port = ext_port(y) },
		{ .key = NULL } });
	s->options->balance_policy = BALANCE_MAGLEV;
	for (int i = 0; i < 6; i++) {
		rig_reach(&g, s, &want, &r[i]);
		cr_expect_str_eq(r[i].endpoint, r[0].endpoint);
	}
	for (int i = 0; i < 6; i++)
		rig_hang_up(&r[i]);
	clusters_free(g.clusters);
	s->options->balance_policy = BALANCE_LEAST_REQUEST;
	rig_start(&g);
	for (int i = 0; i < 6; i++) {
		rig_reach(&g, s, &RIG_ANY, &r[i]);
		at_a += r[i].endpoint[0] == 'a';
	}
	cr_expect_eq(at_a, 3);
	for (int i = 0; i < 6; i++)
		rig_hang_up(&r[i]);
}

/* Options of a reload count from the next pick on. */
Test(balance_lease, a_reload_changes_the_policy)
{
	struct service *changed;
	struct snapshot *snap;
	bool is_reused;

	start(BALANCE_ROUND_ROBIN, ext_port(x), 0);
	cr_expect_neq(visit(&RIG_ANY, &is_reused), visit(&RIG_ANY, &is_reused));
	cr_expect(rig_says(&g, "balance=round_robin"));
	changed = rig_service("s", "r0 r1",
	    (const struct rig_endpoint[]){
		{ .key = "a", .host = "127.0.0.1", .port = ext_port(x) },
		{ .key = "b",
		    .host = "127.0.0.1",
		    .port = ext_port(y),
		    .ruleset = 1 },
		{ .key = NULL } });
	changed->options->balance_policy = BALANCE_RING_HASH;
	snap = rig_snapshot(&changed, 1);
	clusters_sync(g.clusters, snap);
	snapshot_unref(snap);
	cr_expect(rig_says(&g, "balance=ring_hash"));
	for (uint64_t i = 0; i < 16; i++) {
		struct reach_want want = by(i);
		char place = visit(&want, &is_reused);

		cr_expect(is_reused, "connections are as good as before");
		cr_expect_eq(visit(&want, &is_reused), place);
	}
	service_unref(changed);
}

/* Who comes later begins small; those that were there first do not. */
Test(balance_lease, slow_start_is_for_those_that_come_later)
{
	struct service *more;
	struct snapshot *snap;
	unsigned at_b = 0;
	bool is_reused;

	clock_fake(clock_ms(), 0);
	rig_start(&g);
	s = rig_service("s", "r0",
	    (const struct rig_endpoint[]){
		{ .key = "a", .host = "127.0.0.1", .port = ext_port(x) },
		{ .key = NULL } });
	more = rig_service("s", "r0",
	    (const struct rig_endpoint[]){
		{ .key = "a", .host = "127.0.0.1", .port = ext_port(x) },
		{ .key = "b", .host = "127.0.0.1", .port = ext_port(y) },
		{ .key = NULL } });
	s->options->balance_slow_start_ms = 60000;
	more->options->balance_slow_start_ms = 60000;
	c = clusters_get(g.clusters, s);
	cr_expect_eq(visit(&RIG_ANY, &is_reused), 'a');
	snap = rig_snapshot(&more, 1);
	clusters_sync(g.clusters, snap);
	snapshot_unref(snap);
	for (int i = 0; i < 44; i++)
		at_b += visit(&RIG_ANY, &is_reused) == 'b';
	cr_expect_eq(at_b, 4, "a tenth against a whole: %u", at_b);
	cr_expect(rig_says(&g, "weight=1 (10%, slow start) priority=0"));
	cr_expect(rig_says(&g, "weight=1 priority=0"));
	clock_unfake();
	service_unref(more);
}

/* A zone spills to the next like a priority, where balance.zones is given. */
Test(balance_lease, this_zone_spills_to_others)
{
	static const struct {
		size_t failing;  /* of two here */
		bool zones_fail; /* both of them */
		unsigned factor;
		unsigned want; /* of 10000 */
	} rows[] = {
		{ 0, false, 100, 10000 },
		{ 1, false, 200, 10000 },
		{ 1, false, 140, 7000 },
		{ 1, false, 100, 5000 },
		{ 2, false, 400, 0 },
		/* Nothing is there that could take it. */
		{ 1, true, 100, 10000 },
		{ 2, true, 100, 10000 },
	};
	const struct str any = STR("any");
	struct live_endpoint *e;

	clock_fake(clock_ms(), 0);
	rig_start(&g);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char name[] = { (char)('a' + (int)i), '\0' };

		s = rig_service(name, "r0",
		    (const struct rig_endpoint[]){
			{ .key = "a", .host = "127.0.0.1", .port = 1 },
			{ .key = "b", .host = "127.0.0.1", .port = 2 },
			{ .key = "y",
			    .host = "127.0.0.1",
			    .port = 3,
			    .is_remote = true },
			{ .key = "z",
			    .host = "127.0.0.1",
			    .port = 4,
			    .is_remote = true },
			{ .key = NULL } });
		s->options->balance_zones = (struct str_list){ &any, 1 };
		s->options->balance_overprovisioning = rows[i].factor;
		c = clusters_get(g.clusters, s);
		for (size_t j = 0; j < 2; j++) {
			e = c->local.v[j];
			e->is_failing = j < rows[i].failing;
			e->failed_ms = cluster_now_ms(c);
			e = c->remote.v[j];
			e->is_failing = rows[i].zones_fail;
			e->failed_ms = cluster_now_ms(c);
		}
		cr_expect_eq(
		    cluster_local_is_next(c, UINT64_MAX, rows[i].want - 1),
		    rows[i].want > 0, "row %zu", i);
		cr_expect_eq(
		    cluster_local_is_next(c, UINT64_MAX, rows[i].want % 10000),
		    rows[i].want == 10000, "row %zu", i);
		/* Without it any that lives is enough. */
		s->options->balance_zones.n = 0;
		cr_expect_eq(cluster_local_is_next(c, UINT64_MAX, 9999),
		    rows[i].failing < 2, "row %zu", i);
		service_unref(s);
	}
	s = NULL;
	clock_unfake();
}
