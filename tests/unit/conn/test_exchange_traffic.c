/* SPDX-License-Identifier: Apache-2.0 */
/* The rates that requests and connections have to keep to. */

#include <criterion/criterion.h>

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
