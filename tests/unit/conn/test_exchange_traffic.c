/* SPDX-License-Identifier: Apache-2.0 */
/* The rates that requests and connections have to keep to. */

#include <criterion/criterion.h>
#include <stddef.h>

#include "unit/conn/exchange_rig.h"

#define LIMITED "content-type: text/plain\n"
#define SAID "\nlocal_rate_limited\nEND\n"

static struct uri_test of_caller[] = { { .uri =
					     STR("spiffe://default/caller") } };
static struct uri_test of_other[] = { { .uri =
					    STR("spiffe://default/other") } };
static struct principal the_caller = { .tests = of_caller, .n_tests = 1 };
static struct principal another = { .tests = of_other, .n_tests = 1 };

static struct rate_rule
rule_of(enum rate_of of, struct principal *who, uint64_t num)
{
	return (struct rate_rule){ .of = of,
		.callers = who,
		.n_callers = 1,
		.num = num,
		.interval_ms = 1000,
		.status = 429,
		.origin = STR("limit.yaml:3 RateLimit/few"),
		.bucket = { .b = { (uint8_t)num } } };
}

static void
limit(struct exchange_rig *r, struct rate_rule *rules, size_t n)
{
	xr_traffic(r, &(struct traffic_policy){ .rates = rules, .n_rates = n });
	xr_pool(r, true);
}

/* One request; the server, if it is asked, says 200. */
static void
ask(struct exchange_rig *r)
{
	static struct fake_head h;

	xr_next(r);
	fake_request(&r->request, "GET", "/", "x-request-id", "r", NULL);
	fake_response(&h, 200, NULL);
	fake_head_in(&r->back.stream, &h);
	xr_run(r);
	cr_expect_eq(r->next, END);
}

static uint64_t
counted(unsigned id)
{
	return stats_sum(SCOPE_CLUSTER, "default_web", id);
}

Test(exchange_traffic, a_rate_of_requests)
{
	struct rate_rule rule = rule_of(RATE_OF_REQUESTS, &the_caller, 2);
	struct exchange_rig r;

	xr_init(&r, "web");
	limit(&r, &rule, 1);
	for (unsigned i = 0; i < 2; i++) {
		ask(&r);
		cr_expect_eq(r.x.outcome, OUT_OK);
		r.back.stream.releases = 0;
	}
	ask(&r);
	cr_expect_eq(r.x.outcome, OUT_RATE_LIMITED);
	XR_FRONT_GOT(&r, "429\n" LIMITED SAID);
	cr_expect(r.x.keeps_front);
	cr_expect_eq(r.back.opened, 2, "nobody was asked");
	cr_expect_eq(
	    rig_logged(&r.g, "\"outcome\":\"rate_limited\"", "\"status\":429",
		"\"rule\":\"limit.yaml:3 RateLimit/few\"",
		"more than 2 requests in 1000 ms", NULL),
	    1);
	cr_expect_eq(counted(STAT_RATE_ENABLED), 3);
	cr_expect_eq(counted(STAT_RATE_OK), 2);
	cr_expect_eq(counted(STAT_RATE_LIMITED), 1);
	cr_expect_eq(counted(STAT_RATE_ENFORCED), 1);
	rig_pass(&r.g, 500);
	ask(&r);
	cr_expect_eq(r.x.outcome, OUT_OK, "half a second: one of two");
	xr_fini(&r);
}

/* Another caller's, and one for connections. */
Test(exchange_traffic, a_rate_that_does_not_concern_it)
{
	struct rate_rule rules[] = {
		rule_of(RATE_OF_REQUESTS, &another, 1),
		rule_of(RATE_OF_CONNECTIONS, &the_caller, 2),
	};
	struct exchange_rig r;

	xr_init(&r, "web");
	limit(&r, rules, ARRAY_LEN(rules));
	for (unsigned i = 0; i < 4; i++) {
		ask(&r);
		cr_expect_eq(r.x.outcome, OUT_OK);
		r.back.stream.releases = 0;
	}
	cr_expect_eq(counted(STAT_RATE_ENABLED), 0);
	xr_fini(&r);
}

/* A denied one takes nothing away from those who may. */
Test(exchange_traffic, permission_is_asked_first)
{
	struct rate_rule rule = rule_of(RATE_OF_REQUESTS, &the_caller, 1);
	struct exchange_rig r;

	xr_init(&r, "web");
	xr_reload(&r, false);
	limit(&r, &rule, 1);
	for (unsigned i = 0; i < 3; i++) {
		ask(&r);
		cr_expect_eq(r.x.outcome, OUT_DENIED);
	}
	cr_expect_eq(counted(STAT_RATE_ENABLED), 0);
	xr_fini(&r);
}

static struct header_change changes[] = {
	{ .name = STR("x-limited"), .value = STR("yes") },
	{ .name = STR("x-limited"), .value = STR("too"), .is_added = true },
	{ .name = STR("content-type"), .value = STR("text/html") },
	{ .name = STR("content-length"), .value = STR("7") },
	{ .name = STR("transfer-encoding"), .value = STR("chunked") },
	{ .name = STR(":status"), .value = STR("200") },
};

static const struct {
	const char *type;
	unsigned status;
	const char *got;
} words[] = {
	{ "text/plain", 503,
	    "503\nx-limited: yes\nx-limited: too\ncontent-type: "
	    "text/html\n" SAID },
	/* A refusal is no success. */
	{ "text/plain", 204,
	    "429\nx-limited: yes\nx-limited: too\ncontent-type: "
	    "text/html\n" SAID },
	{ "application/grpc", 429,
	    "200\ncontent-type: application/grpc\ngrpc-status: 14\n"
	    "grpc-message: local_rate_limited\n"
	    "x-limited: yes\nx-limited: too\nEND\n" },
};

Test(exchange_traffic, as_the_rule_words_it)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		struct rate_rule rule =
		    rule_of(RATE_OF_REQUESTS, &the_caller, 1);
		struct exchange_rig r;

		rule.status = words[i].status;
		rule.headers = changes;
		rule.n_headers = ARRAY_LEN(changes);
		xr_init(&r, "web");
		limit(&r, &rule, 1);
		ask(&r);
		cr_expect_eq(r.x.outcome, OUT_OK);
		xr_next(&r);
		fake_request(&r.request, "POST", "/", "content-type",
		    words[i].type, NULL);
		xr_run(&r);
		XR_FRONT_GOT(&r, words[i].got);
		cr_expect_eq(r.x.outcome, OUT_RATE_LIMITED);
		/* The next one is worded anew. */
		xr_reload(&r, false);
		ask(&r);
		cr_expect_eq(r.x.status, 403);
		cr_expect_null(strstr(r.front.got.p, "x-limited"));
		xr_fini(&r);
	}
}

/* Limits of a caller. */

static struct service_options *
options(struct exchange_rig *r)
{
	return conn_newest_service(&r->conn)->options;
}

static const struct {
	size_t offset;
	enum outcome outcome;
	const char *why;
} own[] = {
	{ offsetof(struct service_options, caller_requests),
	    OUT_CALLER_REQUESTS, "caller_limits.requests = 1 is reached" },
	{ offsetof(struct service_options, caller_requests_per_s),
	    OUT_CALLER_RATE, "caller_limits.requests_per_s = 1 is reached" },
};

/* A second request while the first one is under way. */
Test(exchange_traffic, limits_of_a_caller)
{
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		struct caller_caps caps = { .v = { 0 } };
		struct exchange_rig r;

		xr_init(&r, "web");
		memcpy((char *)options(&r) + own[i].offset, &(unsigned){ 1 },
		    sizeof(unsigned));
		caps = caller_caps_of(options(&r));
		xr_pool(&r, true);
		cr_assert_eq(conn_asks(&r.conn, &caps), CALLER_LIMIT_N);
		ask(&r);
		cr_expect_eq(r.x.outcome, own[i].outcome);
		XR_FRONT_GOT(
		    &r, "429\n" LIMITED "\ncaller limit reached\nEND\n");
		cr_expect_eq(r.back.opened, 0, "nobody was asked");
		cr_expect_eq(rig_logged(&r.g, own[i].why, NULL), 1);
		/* Later, and the first one is over. */
		caller_is_answered(r.conn.use);
		rig_pass(&r.g, 1001);
		ask(&r);
		cr_expect_eq(r.x.outcome, OUT_OK);
		cr_expect_eq(conn_asks(&r.conn, &caps),
		    own[i].outcome == OUT_CALLER_RATE ? CALLER_RATE
						      : CALLER_LIMIT_N,
		    "it is not under way any more");
		conn_leave_limits(&r.conn);
		xr_fini(&r);
	}
}

/* Its own limit first: what it may not have it takes from nobody. */
Test(exchange_traffic, own_limits_come_before_those_of_all)
{
	struct rate_rule rule = rule_of(RATE_OF_REQUESTS, &the_caller, 2);
	struct exchange_rig r;

	xr_init(&r, "web");
	options(&r)->caller_requests_per_s = 1;
	limit(&r, &rule, 1);
	ask(&r);
	cr_expect_eq(r.x.outcome, OUT_OK);
	for (unsigned i = 0; i < 3; i++) {
		ask(&r);
		cr_expect_eq(r.x.outcome, OUT_CALLER_RATE);
	}
	cr_expect_eq(counted(STAT_RATE_ENABLED), 1);
	cr_expect_eq(counted(STAT_CALLER_LIMITED_RATE), 3);
	conn_leave_limits(&r.conn);
	xr_fini(&r);
}

/* Up and down together; what is over it is cut, what comes next refused. */
Test(exchange_traffic, bytes_of_a_day)
{
	const struct caller_caps mib = { .v = { [CALLER_BYTES] = 1 << 20 } };
	static struct fake_head h;
	struct exchange_rig r;

	xr_init(&r, "web");
	options(&r)->caller_mib_per_day = 1;
	xr_pool(&r, true);
	/* All but a thousand bytes are used up. */
	cr_assert_eq(conn_asks(&r.conn, &mib), CALLER_LIMIT_N);
	cr_assert(conn_moves(&r.conn, (1 << 20) - 1000));
	fake_request(&r.request, "POST", "/", NULL);
	r.request.h.body = BODY_STREAMED;
	fake_filler(&r.front, 600);
	fake_end(&r.front);
	fake_response(&h, 200, NULL);
	h.h.body = BODY_STREAMED;
	fake_asked(&r.back.stream);
	fake_head_in(&r.back.stream, &h);
	fake_filler(&r.back.stream, 300);
	fake_add(&r.back.stream, (struct fake_step){ .kind = FAKE_WAIT });
	fake_filler(&r.back.stream, 300);
	fake_add(&r.back.stream, (struct fake_step){ .kind = FAKE_WAIT });
	xr_run(&r);
	cr_expect_eq(r.next, END);
	cr_expect_eq(r.x.outcome, OUT_CALLER_BYTES);
	cr_expect_not(r.front.was_whole);
	cr_expect_not(r.x.keeps_front);
	cr_expect_eq(
	    rig_logged(&r.g, "caller_limits.mib_per_day = 1 is reached",
		"\"outcome\":\"caller_byte_limit\"", NULL),
	    1);
	ask(&r);
	cr_expect_eq(r.x.outcome, OUT_CALLER_BYTES);
	cr_expect_eq(r.x.status, 429);
	cr_expect_eq(counted(STAT_CALLER_LIMITED_BYTES), 2);
	conn_leave_limits(&r.conn);
	xr_fini(&r);
}
