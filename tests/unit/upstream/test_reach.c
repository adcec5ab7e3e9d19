/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reaching a service over real sockets, without TLS: names, addresses, what is
 * tried after a failure and for how long, relays, limits, giving up.
 */

#include <criterion/criterion.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "support/deaf.h"
#include "upstream_rig.h"

static struct rig g;
static struct service *s;

static void
setup(void)
{
	rig_init(&g);
}

static void
teardown(void)
{
	service_unref(s);
	rig_fini(&g);
}

TestSuite(reach, .init = setup, .fini = teardown, .timeout = 60);

#define SERVICE(...)                   \
	(s = rig_service("s", "r0 r1", \
	     (const struct rig_endpoint[]){ __VA_ARGS__, { .key = NULL } }))

Test(reach, a_literal_address_needs_no_consent)
{
	struct ext_server *x = rig_server(EXT_ECHO);
	struct rig_reached r;

	g.rules.n_allow = 0;
	rig_start(&g);
	rig_reach(&g,
	    SERVICE({ .key = "a", .host = "127.0.0.1", .port = ext_port(x) }),
	    &RIG_ANY, &r);
	cr_assert_eq(r.r.status, REACH_OK, "%s", r.r.detail);
	cr_expect_str_eq(r.endpoint, "a");
	cr_expect_eq(addr_port(&r.r.addr), ext_port(x));
	cr_expect_eq(r.r.attempts, 1);
	cr_expect_not(r.r.has_tls);
	cr_expect_str_eq(r.r.detail, "");
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_TOTAL), 1);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 1);
	cr_expect(rig_says(&g, "m/ES/s a local 127.0.0.1:"));
	cr_expect(rig_says(&g, " healthy active=1 idle=0"));
	rig_hang_up(&r);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 0);
	cr_expect(rig_says(&g, " active=0 "));
	ext_stop(x);
}

Test(reach, a_refused_endpoint_is_followed_by_the_next)
{
	struct ext_server *x = rig_server(EXT_ECHO);
	struct rig_reached r;

	rig_start(&g);
	SERVICE(
	    { .key = "bad", .host = "127.0.0.1", .port = rig_closed_port() },
	    { .key = "good", .host = "127.0.0.1", .port = ext_port(x) });
	rig_reach(&g, s, &RIG_ANY, &r);
	cr_assert_eq(r.r.status, REACH_OK, "%s", r.r.detail);
	cr_expect_str_eq(r.endpoint, "good");
	cr_expect_eq(r.r.attempts, 2);
	rig_hang_up(&r);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_CONNECT_FAIL), 1);
	cr_expect_eq(rig_stat("s", STAT_MEMBERSHIP_TOTAL), 2);
	cr_expect_eq(rig_stat("s", STAT_MEMBERSHIP_HEALTHY), 1);
	cr_expect(rig_says(&g, "unhealthy active=0 idle=0"));
	cr_expect(
	    rig_says(&g, "failed 0 s ago: bad: connecting to 127.0.0.1:"));
	ext_stop(x);
}

Test(reach, a_failed_endpoint_is_left_alone_for_ten_seconds)
{
	struct ext_server *x = rig_server(EXT_ECHO);
	uint64_t now = clock_ms();
	struct rig_reached r;
	unsigned i, again = 0;

	clock_fake(now, 0);
	rig_start(&g);
	SERVICE(
	    { .key = "bad", .host = "127.0.0.1", .port = rig_closed_port() },
	    { .key = "good", .host = "127.0.0.1", .port = ext_port(x) });
	for (i = 0; i < 5; i++) {
		rig_reach(&g, s, &RIG_ANY, &r);
		cr_expect_eq(r.r.attempts, i == 0 ? 2 : 1, "reach %u", i);
		rig_hang_up(&r);
	}
	clock_fake(now + 9999, 0);
	rig_reach(&g, s, &RIG_ANY, &r);
	cr_expect_eq(r.r.attempts, 1);
	rig_hang_up(&r);
	clock_fake(now + 10000, 0);
	for (i = 0; i < 2; i++) {
		rig_reach(&g, s, &RIG_ANY, &r);
		again += r.r.attempts - 1;
		rig_hang_up(&r);
	}
	cr_expect_eq(again, 1, "it has its turn again");
	clock_unfake();
	ext_stop(x);
}

Test(reach, local_is_live_until_all_local_ones_failed)
{
	uint64_t now = clock_ms();
	struct rig_reached r;
	struct cluster *c;

	clock_fake(now, 0);
	rig_start(&g);
	SERVICE({ .key = "a", .host = "127.0.0.1", .port = rig_closed_port() },
	    { .key = "z", .host = "127.0.0.1", .port = 1, .is_remote = true });
	c = clusters_get(g.clusters, s);
	cr_expect(cluster_local_is_live(c, UINT64_MAX), "not asked yet");
	rig_reach(&g, s, &RIG_ANY, &r);
	cr_expect_eq(r.r.status, REACH_REFUSED);
	cr_expect_not(cluster_local_is_live(c, UINT64_MAX));
	clock_fake(now + 10000, 0);
	cr_expect(cluster_local_is_live(c, UINT64_MAX), "10 s later");
	loop_turn(g.loop);
	cr_expect_eq(rig_stat("s", STAT_MEMBERSHIP_HEALTHY), 2,
	    "the gauge follows by itself");
	clock_unfake();
}

Test(reach, the_last_failure_is_told)
{
	struct rig_reached r;

	rig_start(&g);
	SERVICE({ .key = "a", .host = "nowhere.example", .port = 1 },
	    { .key = "b", .host = "127.0.0.1", .port = rig_closed_port() });
	rig_reach(&g, s, &RIG_ANY, &r);
	cr_expect_eq(r.r.status, REACH_REFUSED);
	cr_expect_str_eq(r.endpoint, "b");
	cr_expect_not_null(strstr(r.r.detail, "b: connecting to 127.0.0.1:"));
	cr_expect_null(r.r.wire);
	cr_expect_null(r.r.guard.cluster);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_CONNECT_FAIL), 2);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_TOTAL), 0);
}

Test(reach, nobody_may_be_used)
{
	static const struct {
		const char *what;
		struct reach_want want;
	} rows[] = {
		{ "no permission", { .rulesets = 2 } },
		{ "no relay", { .is_relay = true } },
		{ "not zoned", { .only_zoned = true, .rulesets = 1 } },
	};
	struct ext_server *x = rig_server(EXT_ECHO);
	struct ext_seen seen;
	struct rig_reached r;

	rig_start(&g);
	SERVICE({ .key = "a", .host = "127.0.0.1", .port = ext_port(x) });
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		rig_reach(&g, s, &rows[i].want, &r);
		cr_expect_eq(r.r.status, REACH_NO_ENDPOINT, "%s", rows[i].what);
		cr_expect_null(r.r.endpoint);
	}
	ext_get(x, &seen);
	cr_expect_eq(seen.connections, 0, "nobody was dialled");
	ext_stop(x);
}

Test(reach, names_that_lead_nowhere)
{
	static const struct {
		const char *name;
		struct dns_server_answer answer;
		enum reach_status status;
		bool is_known;
	} rows[] = {
		{ "nx.example", { .ttl_s = 60 }, REACH_NO_NAME, false },
		{ "empty.example", { .ttl_s = 60 }, REACH_NO_NAME, true },
		{ "fail.example", { .rcode = 2 }, REACH_NAME_FAILED, true },
		{ "mute.example", { .drop_a = true, .drop_aaaa = true },
		    REACH_NAME_LATE, true },
	};
	struct rig_reached r;

	g.limits.connect_ms = 1000;
	rig_start(&g);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (rows[i].is_known)
			dns_server_set(g.names, rows[i].name, &rows[i].answer);
		service_unref(s);
		SERVICE({ .key = "a", .host = rows[i].name, .port = 80 });
		rig_reach(&g, s, &RIG_ANY, &r);
		cr_expect_eq(r.r.status, rows[i].status, "%s: %s, %s",
		    rows[i].name, reach_status_text(r.r.status), r.r.detail);
		cr_expect_not_null(strstr(r.r.detail, rows[i].name));
		cr_expect_eq(r.r.addr.len, 0);
		cr_expect_lt(r.took_ms, 1500, "%s", rows[i].name);
	}
}

Test(reach, a_name_that_leads_nowhere_is_followed_by_the_next_endpoint)
{
	const struct dns_server_answer mute = { .drop_a = true,
		.drop_aaaa = true };
	struct ext_server *x = rig_server(EXT_ECHO);
	struct rig_reached r;

	g.limits.connect_ms = 600;
	rig_start(&g);
	dns_server_set(g.names, "mute.example", &mute);
	SERVICE({ .key = "a", .host = "mute.example", .port = 80 },
	    { .key = "b", .host = "nx.example", .port = 80 },
	    { .key = "c", .host = "127.0.0.1", .port = ext_port(x) });
	rig_reach(&g, s, &RIG_ANY, &r);
	cr_assert_eq(r.r.status, REACH_OK, "%s", r.r.detail);
	cr_expect_str_eq(r.endpoint, "c");
	cr_expect_eq(r.r.attempts, 3);
	rig_hang_up(&r);
	ext_stop(x);
}

/* Nobody listens on 127.0.0.2: whichever comes first, 127.0.0.1 is found. */
Test(reach, all_addresses_of_a_name_are_tried)
{
	static const char *const addrs[] = { "127.0.0.2", "127.0.0.1", NULL };
	const struct dns_server_answer two = { .a = addrs, .ttl_s = 60 };
	struct ext_server *x = rig_server(EXT_ECHO);
	struct rig_reached r;
	unsigned attempts = 0;

	rig_start(&g);
	dns_server_set(g.names, "two.example", &two);
	SERVICE({ .key = "a", .host = "two.example", .port = ext_port(x) });
	for (unsigned i = 0; i < 4; i++) {
		rig_reach(&g, s, &RIG_ANY, &r);
		cr_assert_eq(r.r.status, REACH_OK, "%s", r.r.detail);
		cr_expect_eq(strncmp(r.addr, "127.0.0.1:", 10), 0);
		attempts += r.r.attempts;
		rig_hang_up(&r);
	}
	cr_expect_eq(attempts, 2 + 1 + 2 + 1, "the first one takes turns");
	cr_expect(rig_says(&g, "two.example:"));
	cr_expect(rig_says(&g, "127.0.0.2"));
	cr_expect_leq(dns_server_count(g.names, "two.example"), 2,
	    "one A and one AAAA: the rest from the cache");
	ext_stop(x);
}

Test(reach, a_silent_address_leaves_time_for_the_next)
{
	static const char *const addrs[] = { "127.0.0.1", "127.0.0.2", NULL };
	const struct dns_server_answer two = { .a = addrs, .ttl_s = 60 };
	struct ext_server *x;
	struct rig_reached r;
	struct ext_config config = { .address = "127.0.0.2" };
	struct deaf deaf;

	deaf_start(&deaf, "127.0.0.1");
	config.port = deaf.port;
	x = ext_start(&config);
	g.limits.connect_ms = 800;
	rig_start(&g);
	dns_server_set(g.names, "two.example", &two);
	SERVICE({ .key = "a", .host = "two.example", .port = deaf.port });
	for (unsigned i = 0; i < 2; i++) {
		rig_reach(&g, s, &RIG_ANY, &r);
		cr_assert_eq(r.r.status, REACH_OK, "%s", r.r.detail);
		cr_expect_eq(strncmp(r.addr, "127.0.0.2:", 10), 0);
		rig_hang_up(&r);
	}
	/* It lost, which is no failure to connect. */
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_CONNECT_TIMEOUT), 0);
	ext_stop(x);
	deaf_stop(&deaf);
}

Test(reach, silence_ends_with_the_budget)
{
	struct rig_reached r;
	struct deaf deaf;

	deaf_start(&deaf, "127.0.0.1");
	g.limits.connect_ms = 400;
	rig_start(&g);
	SERVICE({ .key = "a", .host = "127.0.0.1", .port = deaf.port },
	    { .key = "b", .host = "127.0.0.1", .port = deaf.port });
	rig_reach(&g, s, &RIG_ANY, &r);
	cr_expect_eq(r.r.status, REACH_LATE, "%s", r.r.detail);
	cr_expect_eq(r.r.attempts, 2, "each had its share");
	cr_expect_geq(r.took_ms, 390);
	cr_expect_lt(r.took_ms, 800);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_CONNECT_TIMEOUT), 2);
	deaf_stop(&deaf);
}

Test(reach, a_service_has_its_own_time_and_number_of_attempts)
{
	struct service_options o = *service_options_standard();
	struct rig_endpoint v[] = { { .key = "a", .host = "127.0.0.1" },
		{ .key = "b", .host = "127.0.0.1" },
		{ .key = "c", .host = "127.0.0.1" }, { .key = NULL } };
	struct rig_reached r;
	struct deaf deaf;

	deaf_start(&deaf, "127.0.0.1");
	v[0].port = v[1].port = v[2].port = deaf.port;
	o.connect_ms = 400;
	o.connect_attempts = 2;
	rig_start(&g);
	s = rig_service_with(&o, PROTO_TCP, "s", "r0 r1 r2", v);
	rig_reach(&g, s, &RIG_ANY, &r);
	cr_expect_eq(r.r.status, REACH_LATE, "%s", r.r.detail);
	cr_expect_eq(r.r.attempts, 2, "%u of three", r.r.attempts);
	cr_expect_geq(r.took_ms, 390, "shared by two, not by three");
	cr_expect_lt(r.took_ms, 800);
	deaf_stop(&deaf);
}

Test(reach, answers_that_point_at_us_are_refused)
{
	static const char *const metadata[] = { "169.254.169.254", NULL };
	static const char *const loopback[] = { "127.0.0.1", NULL };
	static const char *const both[] = { "169.254.169.254", "127.0.0.1",
		NULL };
	static const struct {
		const char *what;
		const char *const *addrs;
		bool allow_loopback;
		bool is_own;
		enum reach_status status;
		const char *named;
	} rows[] = {
		{ "metadata", metadata, true, false, REACH_ADDRESS_REFUSED,
		    "169.254.169.254:" },
		{ "loopback", loopback, false, false, REACH_ADDRESS_REFUSED,
		    "127.0.0.1:" },
		{ "allowed loopback", loopback, true, false, REACH_OK, "" },
		{ "our listener, though allowed", loopback, true, true,
		    REACH_ADDRESS_REFUSED, "127.0.0.1:" },
		{ "one of two is fine", both, true, false, REACH_OK, "" },
	};
	struct ext_server *x = rig_server(EXT_ECHO);
	struct rig_reached r;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct dns_server_answer answer = { .a = rows[i].addrs,
			.ttl_s = 60 };
		char name[32];

		snprintf(name, sizeof(name), "n%zu.example", i);
		dns_server_set(g.names, name, &answer);
		g.rules.n_allow = rows[i].allow_loopback;
		cr_assert(addr_parse(STR("127.0.0.1"), ext_port(x), &g.own[0]));
		g.env.n_own = rows[i].is_own;
		rig_start(&g);
		SERVICE({ .key = "a", .host = name, .port = ext_port(x) });
		rig_reach(&g, s, &RIG_ANY, &r);
		cr_expect_eq(r.r.status, rows[i].status, "%s: %s", rows[i].what,
		    r.r.detail);
		cr_expect_not_null(strstr(r.r.detail, rows[i].named), "%s: %s",
		    rows[i].what, r.r.detail);
		if (r.r.status != REACH_OK)
			cr_expect_not_null(strstr(r.r.detail, name));
		rig_hang_up(&r);
		service_unref(s);
		s = NULL;
		clusters_free(g.clusters);
	}
	rig_start(&g);
	ext_stop(x);
}

Test(reach, our_listener_is_refused_as_a_literal_too)
{
	struct ext_server *x = rig_server(EXT_ECHO);
	struct ext_seen seen;
	struct rig_reached r;

	cr_assert(addr_parse(STR("0.0.0.0"), ext_port(x), &g.own[0]));
	g.env.n_own = 1;
	rig_start(&g);
	SERVICE({ .key = "a", .host = "127.0.0.1", .port = ext_port(x) },
	    { .key = "b", .host = "127.0.0.7", .port = ext_port(x) },
	    { .key = "r",
		.host = "127.0.0.1",
		.port = ext_port(x),
		.is_remote = true });
	rig_reach(&g, s, &RIG_ANY, &r);
	cr_expect_eq(r.r.status, REACH_ADDRESS_REFUSED, "%s", r.r.detail);
	cr_expect_eq(r.r.attempts, 2);
	rig_reach(&g, s,
	    &(struct reach_want){ .is_relay = true, .rulesets = UINT64_MAX },
	    &r);
	cr_expect_eq(r.r.status, REACH_ADDRESS_REFUSED, "a relay neither");
	ext_get(x, &seen);
	cr_expect_eq(seen.connections, 0);
	ext_stop(x);
}

Test(reach, relays_go_to_the_ingresses_by_weight_and_without_tls)
{
	struct ext_server *x[3] = { rig_server(EXT_ECHO), rig_server(EXT_ECHO),
		rig_server(EXT_ECHO) };
	const struct reach_want relay = { .is_relay = true,
		.rulesets = UINT64_MAX };
	struct ext_seen seen[3];
	struct rig_reached r;

	rig_start(&g);
	SERVICE({ .key = "local", .host = "127.0.0.1", .port = ext_port(x[0]) },
	    { .key = "zi1",
		.host = "127.0.0.1",
		.port = ext_port(x[1]),
		.weight = 3,
		.is_remote = true },
	    { .key = "zi2",
		.host = "127.0.0.1",
		.port = ext_port(x[2]),
		.is_remote = true });
	for (unsigned i = 0; i < 8; i++) {
		rig_reach(&g, s, &relay, &r);
		cr_assert_eq(r.r.status, REACH_OK, "%s", r.r.detail);
		cr_expect_not(r.r.has_tls);
		rig_hang_up(&r);
	}
	for (unsigned i = 0; i < 3; i++)
		cr_expect(
		    RIG_UNTIL(&g, (ext_get(x[i], &seen[i]),
				      seen[i].connections ==
					  (const unsigned[]){ 0, 6, 2 }[i])),
		    "server %u has %u", i, seen[i].connections);
	cr_expect(rig_says(&g, "zi1 remote 127.0.0.1:"));
	for (unsigned i = 0; i < 3; i++)
		ext_stop(x[i]);
}

Test(reach, limits_are_kept)
{
	struct ext_server *x = rig_server(EXT_ECHO);
	struct rig_reached r1, r2, r3;
	struct cluster *c;

	g.limits.connections = 1;
	rig_start(&g);
	SERVICE({ .key = "a", .host = "127.0.0.1", .port = ext_port(x) });
	rig_reach(&g, s, &RIG_ANY, &r1);
	cr_assert_eq(r1.r.status, REACH_OK);
	cr_expect_eq(rig_stat("s", STAT_CB_CX_OPEN), 1);
	rig_reach(&g, s, &RIG_ANY, &r2);
	cr_expect_eq(r2.r.status, REACH_OVERFLOW);
	cr_expect_not_null(strstr(r2.r.detail, "upstream_connections"));
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_POOL_OVERFLOW), 1);
	rig_hang_up(&r1);
	cr_expect_eq(rig_stat("s", STAT_CB_CX_OPEN), 0);

	g.limits.connections = 10;
	g.limits.pending = 2;
	c = clusters_get(g.clusters, s);
	rig_begin(&g, c, &RIG_ANY, &r1);
	cr_expect_eq(rig_stat("s", STAT_CB_RQ_PENDING_OPEN), 0);
	rig_begin(&g, c, &RIG_ANY, &r2);
	cr_expect_eq(rig_stat("s", STAT_CB_RQ_PENDING_OPEN), 1);
	rig_begin(&g, c, &RIG_ANY, &r3);
	cr_assert(RIG_UNTIL(&g, r1.calls + r2.calls + r3.calls == 3));
	cr_expect_eq(r1.r.status, REACH_OK);
	cr_expect_eq(r2.r.status, REACH_OK);
	cr_expect_eq(r3.r.status, REACH_OVERFLOW);
	cr_expect_not_null(strstr(r3.r.detail, "upstream_pending"));
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_RQ_PENDING_OVERFLOW), 1);
	cr_expect_eq(rig_stat("s", STAT_CB_RQ_PENDING_OPEN), 0);
	rig_hang_up(&r1);
	rig_hang_up(&r2);
	ext_stop(x);
}

Test(reach, giving_up_at_any_time_leaves_nothing)
{
	static const struct {
		const char *what;
		const char *host;
		uint64_t rulesets;
		unsigned turns;
	} rows[] = {
		{ "while the name is asked for", "slow.example", 1, 3 },
		{ "while dialling", "127.0.0.1", 1, 0 },
		{ "with the result on its way", "127.0.0.1", 0, 0 },
	};
	const struct dns_server_answer slow = { .delay_ms = 300 };
	struct rig_reached r;
	struct deaf deaf;

	deaf_start(&deaf, "127.0.0.1");
	rig_start(&g);
	dns_server_set(g.names, "slow.example", &slow);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct reach_want want = { .rulesets = rows[i].rulesets };

		service_unref(s);
		SERVICE(
		    { .key = "a", .host = rows[i].host, .port = deaf.port });
		rig_begin(&g, clusters_get(g.clusters, s), &want, &r);
		for (unsigned t = 0; t < rows[i].turns; t++)
			loop_turn(g.loop);
		cr_assert_eq(r.calls, 0, "%s", rows[i].what);
		reach_cancel(r.reach);
		for (unsigned t = 0; t < 5; t++)
			loop_turn(g.loop);
		cr_expect_eq(r.calls, 0, "%s", rows[i].what);
		cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_CONNECT_FAIL), 0,
		    "%s", rows[i].what);
		cr_expect(rig_says(&g, "healthy active=0"));
	}
	deaf_stop(&deaf);
}

/* Who does not take the wire has not got a connection. */
static void
leave_it(void *arg, struct reached *r)
{
	*(enum reach_status *)arg = r->status;
}

Test(reach, what_is_not_taken_is_closed)
{
	struct ext_server *x = rig_server(EXT_ECHO);
	enum reach_status status = REACH_NO_ENDPOINT;
	struct reach *r;
	struct ext_seen seen;

	rig_start(&g);
	SERVICE({ .key = "a", .host = "127.0.0.1", .port = ext_port(x) });
	r = reach_start(
	    clusters_get(g.clusters, s), &RIG_ANY, leave_it, &status);
	cr_assert_not_null(r);
	cr_assert(RIG_UNTIL(&g, status == REACH_OK));
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_TOTAL), 1);
	cr_expect_eq(rig_stat("s", STAT_UPSTREAM_CX_ACTIVE), 0);
	cr_expect(RIG_UNTIL(
	    &g, (ext_get(x, &seen), seen.connections == 1 && seen.open == 0)));
	ext_stop(x);
}
