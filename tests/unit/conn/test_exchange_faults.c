/* SPDX-License-Identifier: Apache-2.0 */
/* What goes wrong on purpose: delays, aborts, and answers that take long. */

#include <criterion/criterion.h>

#include "base/clock.h"
#include "unit/conn/exchange_rig.h"

#define OF(who) .callers = &(who), .n_callers = 1
#define ORIGIN "faults.yaml:4 MeshFaultInjection/bad"

static struct uri_test of_caller[] = { { .uri =
					     STR("spiffe://default/caller") } };
static struct uri_test of_other[] = { { .uri =
					    STR("spiffe://default/other") } };
static struct principal the_caller = { .tests = of_caller, .n_tests = 1 };
static struct principal another = { .tests = of_other, .n_tests = 1 };

static struct fault_rule
delay_of(unsigned ms)
{
	return (struct fault_rule){ OF(the_caller), .delay_ms = ms,
		.delay_chance = CHANCE_ALWAYS, .origin = STR(ORIGIN) };
}

static struct fault_rule
abort_with(unsigned status)
{
	return (struct fault_rule){ OF(the_caller), .abort_status = status,
		.abort_chance = CHANCE_ALWAYS, .origin = STR(ORIGIN) };
}

static void
start(struct exchange_rig *r, struct fault_rule rule)
{
	static struct fake_head h;

	xr_init(r, "web");
	xr_traffic(
	    r, &(struct traffic_policy){ .faults = &rule, .n_faults = 1 });
	xr_pool(r, true);
	fake_response(&h, 200, NULL);
	fake_head_in(&r->back.stream, &h);
}

static uint64_t
counted(unsigned id)
{
	return stats_sum(SCOPE_CLUSTER, "default_web", id);
}

Test(exchange_faults, a_delay)
{
	struct exchange_rig r;

	start(&r, delay_of(200));
	xr_run(&r);
	cr_expect_eq(r.next, WAIT);
	rig_pass(&r.g, 199);
	cr_expect_eq(r.wakes, 0);
	xr_go_on(&r);
	cr_expect_eq(r.next, WAIT);
	cr_expect_eq(r.back.opened, 0, "nobody was asked");
	rig_pass(&r.g, 2);
	cr_expect_eq(r.wakes, 1);
	xr_go_on(&r);
	cr_expect_eq(r.next, END);
	XR_FRONT_GOT(&r, "200\nEND\n");
	cr_expect_eq(counted(STAT_FAULT_DELAYS), 1);
	cr_expect_eq(rig_logged(&r.g, "\"outcome\":\"ok\"",
			 "\"faults\":\"delay of 200 ms by " ORIGIN "\"",
			 "MeshTrafficPermission/callers", NULL),
	    1);
	xr_fini(&r);
}

/* Longer than an exchange may be silent, and shorter than a request takes. */
Test(exchange_faults, a_delay_is_no_idleness)
{
	struct exchange_rig r;

	start(&r, delay_of(5000));
	r.g.limits.stream_idle_ms = 1000;
	conn_newest_service(&r.conn)->options->request_ms = 1000;
	xr_run(&r);
	rig_pass(&r.g, 4999);
	xr_go_on(&r);
	cr_expect_eq(r.next, WAIT);
	rig_pass(&r.g, 2);
	xr_go_on(&r);
	cr_expect_eq(r.x.outcome, OUT_OK);
	xr_fini(&r);
}

Test(exchange_faults, permission_is_asked_again_after_a_delay)
{
	for (int allows = 0; allows < 2; allows++) {
		uint64_t had = rig_ended(OUT_DENIED);
		struct exchange_rig r;

		start(&r, delay_of(200));
		xr_run(&r);
		xr_reload(&r, allows);
		exchange_reauthorize(&r.x);
		rig_pass(&r.g, 201);
		xr_go_on(&r);
		cr_expect_eq(r.next, END);
		cr_expect_eq(r.x.status, allows ? 200 : 403);
		cr_expect_eq(r.back.opened, allows ? 1 : 0);
		cr_expect_eq(rig_ended(OUT_DENIED) - had, !allows);
		xr_fini(&r);
	}
}

Test(exchange_faults, a_certificate_that_ends_within_a_delay)
{
	struct exchange_rig r;

	start(&r, delay_of(200));
	xr_run(&r);
	rig_pass(&r.g, 201);
	clock_fake(r.g.now_ms, clock_wall_ms() + 2 * 86400000LL);
	xr_go_on(&r);
	cr_expect_eq(r.x.outcome, OUT_CERT_ENDED);
	cr_expect_eq(r.back.opened, 0);
	xr_fini(&r);
}

Test(exchange_faults, a_caller_that_leaves_within_a_delay)
{
	struct exchange_rig r;

	start(&r, delay_of(200));
	fake_request(&r.request, "POST", "/", NULL);
	r.request.h.body = BODY_STREAMED;
	xr_run(&r);
	r.front.st.error = STREAM_RESET;
	xr_go_on(&r);
	cr_expect_eq(r.next, END);
	cr_expect_eq(r.x.outcome, OUT_REQUEST_CUT);
	rig_pass(&r.g, 300);
	cr_expect_eq(r.wakes, 0, "the timer went with it");
	cr_expect_eq(r.back.opened, 0);
	xr_fini(&r);
}

static const struct {
	unsigned status;
	const char *type;
	const char *got;
} aborts[] = {
	{ 503, "text/plain",
	    "503\ncontent-type: text/plain\n\nfault filter abort\nEND\n" },
	{ 418, "text/plain",
	    "418\ncontent-type: text/plain\n\nfault filter abort\nEND\n" },
	{ 204, "text/plain", "204\nEND\n" },
	{ 100, "text/plain",
	    "503\ncontent-type: text/plain\n\nfault filter abort\nEND\n" },
	{ 429, "application/grpc",
	    "200\ncontent-type: application/grpc\ngrpc-status: 14\n"
	    "grpc-message: fault filter abort\nEND\n" },
};

Test(exchange_faults, aborts)
{
	for (size_t i = 0; i < ARRAY_LEN(aborts); i++) {
		struct exchange_rig r;

		start(&r, abort_with(aborts[i].status));
		fake_request(&r.request, "GET", "/", "content-type",
		    aborts[i].type, NULL);
		xr_run(&r);
		cr_expect_eq(r.x.outcome, OUT_FAULT);
		XR_FRONT_GOT(&r, aborts[i].got);
		cr_expect(r.x.keeps_front);
		cr_expect_eq(r.back.opened, 0, "nobody was asked");
		cr_expect_eq(counted(STAT_FAULT_ABORTS), 1);
		cr_expect_eq(rig_logged(&r.g, "\"outcome\":\"fault_injected\"",
				 "\"rule\":\"" ORIGIN "\"", NULL),
		    1);
		xr_fini(&r);
	}
}

/* Both, the origin being of a policy that is gone when it is told. */
Test(exchange_faults, a_delay_and_then_an_abort)
{
	struct fault_rule rule = abort_with(500);
	struct exchange_rig r;

	rule.delay_ms = 200;
	rule.delay_chance = CHANCE_ALWAYS;
	start(&r, rule);
	xr_run(&r);
	cr_expect_eq(r.next, WAIT);
	xr_reload(&r, true);
	rig_pass(&r.g, 201);
	xr_go_on(&r);
	cr_expect_eq(r.x.status, 500);
	cr_expect_eq(rig_logged(&r.g, "\"rule\":\"" ORIGIN "\"",
			 "\"faults\":\"delay of 200 ms by " ORIGIN
			 ", abort with 500 by " ORIGIN "\"",
			 NULL),
	    1);
	xr_fini(&r);
}

/* Whoever calls is known by the certificate, and by nothing they say. */
Test(exchange_faults, tags_of_the_request_are_nobody)
{
	for (int is_meant = 0; is_meant < 2; is_meant++) {
		struct fault_rule rule = abort_with(500);
		struct exchange_rig r;

		if (!is_meant)
			rule.callers = &another;
		start(&r, rule);
		fake_request(&r.request, "GET", "/", "x-kuma-tags",
		    is_meant ? "&kuma.io/service=nobody&"
			     : "&kuma.io/service=other&",
		    NULL);
		xr_run(&r);
		cr_expect_eq(r.x.status, is_meant ? 500 : 200);
		xr_fini(&r);
	}
}

static uint32_t diced;

static uint32_t
dice(uint32_t n)
{
	cr_expect_eq(n, CHANCE_ALWAYS);
	return diced;
}

Test(exchange_faults, by_chance)
{
	for (diced = 249999; diced <= 250000; diced++) {
		struct fault_rule rule = abort_with(500);
		struct exchange_rig r;

		rule.abort_chance = 250000;
		start(&r, rule);
		r.g.conns->env.random = dice;
		xr_run(&r);
		cr_expect_eq(r.x.status, diced < 250000 ? 500 : 200);
		xr_fini(&r);
	}
}

/* Who is aborted takes nothing away from those who are not. */
Test(exchange_faults, faults_come_before_rates)
{
	struct fault_rule fault = abort_with(500);
	struct rate_rule rate = { OF(the_caller), .of = RATE_OF_REQUESTS,
		.num = 1, .interval_ms = 1000,
		.origin = STR("r.yaml:1 RateLimit/r") };
	struct exchange_rig r;

	xr_init(&r, "web");
	xr_traffic(&r, &(struct traffic_policy){ .faults = &fault,
			   .n_faults = 1,
			   .rates = &rate,
			   .n_rates = 1 });
	for (int i = 0; i < 3; i++) {
		xr_next(&r);
		fake_request(&r.request, "GET", "/", NULL);
		xr_run(&r);
		cr_expect_eq(r.x.outcome, OUT_FAULT);
	}
	cr_expect_eq(counted(STAT_RATE_ENABLED), 0);
	xr_fini(&r);
}

static size_t
sent(const struct exchange_rig *r)
{
	return (size_t)r->front.st.bytes_out;
}

/* Run whenever something happened, until ms have passed. */
static void
live(struct exchange_rig *r, unsigned ms)
{
	for (unsigned at = 0; at < ms && r->next == WAIT; at += 50) {
		unsigned had = r->wakes;

		rig_pass(&r->g, 50);
		if (r->wakes != had)
			r->next = exchange_run(&r->x);
	}
}

Test(exchange_faults, a_bandwidth)
{
	struct fault_rule rule = { OF(the_caller), .bytes_per_s = 1000,
		.bandwidth_chance = CHANCE_ALWAYS, .origin = STR(ORIGIN) };
	static struct fake_head h;
	struct exchange_rig r;
	size_t before;

	xr_init(&r, "web");
	xr_traffic(
	    &r, &(struct traffic_policy){ .faults = &rule, .n_faults = 1 });
	xr_pool(&r, true);
	fake_response(&h, 200, NULL);
	h.h.body = BODY_STREAMED;
	fake_head_in(&r.back.stream, &h);
	fake_filler(&r.back.stream, 3000);
	fake_end(&r.back.stream);
	xr_run(&r);
	cr_expect_eq(r.next, WAIT);
	cr_expect_eq(sent(&r), 50);
	for (unsigned second = 0; second < 2; second++) {
		before = sent(&r);
		r.wakes = 0;
		live(&r, 1000);
		cr_expect_eq(sent(&r) - before, 1000, "%zu", sent(&r) - before);
		cr_expect_leq(r.wakes, 20, "it turns only by the clock");
	}
	live(&r, 1000);
	cr_expect_eq(r.next, END);
	cr_expect_eq(sent(&r), 3000);
	cr_expect_eq(r.x.outcome, OUT_OK);
	cr_expect(r.front.was_whole);
	cr_expect(r.back.stream.was_whole);
	cr_expect_eq(counted(STAT_FAULT_PACED), 1);
	cr_expect_eq(
	    rig_logged(&r.g, "\"faults\":\"bandwidth of 1000 bytes/s", NULL),
	    1);
	/* The next one is as fast as it goes. */
	r.wakes = 0;
	rig_pass(&r.g, 1000);
	cr_expect_eq(r.wakes, 0);
	xr_fini(&r);
}
