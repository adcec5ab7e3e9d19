/* SPDX-License-Identifier: Apache-2.0 */
/* What an exchange passes on, in which order, and how it leaves both sides. */

#include <criterion/criterion.h>
#include <stdio.h>

#include "unit/conn/exchange_rig.h"

/* What every request that goes out has behind its own fields. */
#define OURS "x-forwarded-proto: https\n"

static void
answer(struct exchange_rig *r, struct fake_head *h, const char *body)
{
	h->h.body = BODY_LENGTH;
	h->h.content_length = strlen(body);
	fake_head_in(&r->back.stream, h);
	if (*body == '\0')
		return;
	fake_data(&r->back.stream, body);
	fake_end(&r->back.stream);
}

static void
expect_whole(struct exchange_rig *r)
{
	cr_expect_eq(r->next, END, "it hangs in stage %d", (int)r->x.stage);
	cr_expect_eq(r->x.outcome, OUT_OK);
	cr_expect(r->x.keeps_front);
	cr_expect_eq(r->front.releases, 1);
	cr_expect(r->front.was_whole);
	cr_expect_eq(r->back.stream.releases, 1);
	cr_expect(r->back.stream.was_whole);
	cr_expect_not(r->back.is_closed);
	cr_expect_gt(r->front.flushes, 0, "nothing went out");
	cr_expect_gt(r->back.stream.flushes, 0, "nothing went out");
}

Test(exchange, a_request_and_its_answer)
{
	struct exchange_rig r;
	struct fake_head h;

	xr_init(&r, "web");
	xr_pool(&r, true);
	fake_response(&h, 200, "x-a", "b", NULL);
	answer(&r, &h, "hello");
	xr_run(&r);
	expect_whole(&r);
	XR_BACK_GOT(
	    &r, "GET /\nhost: asked.example\nx-request-id: r1\n" OURS "END\n");
	XR_FRONT_GOT(&r, "200\nx-a: b\n\nhello\nEND\n");
	cr_expect_eq(
	    rig_logged(&r.g, "\"kind\":\"request\"", "\"outcome\":\"ok\"",
		"\"status\":200", "\"method\":\"GET\"", "\"path\":\"/\"",
		"\"authority\":\"asked.example\"", "\"reused\":1",
		"\"request_id\":\"r1\"", "\"bytes_out\":5",
		"\"identity\":\"spiffe://default/caller\"",
		"\"endpoint\":\"127.0.0.1:1\"",
		"MeshTrafficPermission/callers\"", NULL),
	    1);
	cr_expect_eq(rig_ended(OUT_OK), 1);
	xr_fini(&r);
}

Test(exchange, bodies_both_ways)
{
	struct exchange_rig r;
	struct fake_head h;

	xr_init(&r, "web");
	xr_pool(&r, false);
	fake_request(&r.request, "POST", "/up", "x-request-id", "r", NULL);
	r.request.h.body = BODY_LENGTH;
	r.request.h.content_length = 8;
	fake_data(&r.front, "some");
	fake_data(&r.front, "more");
	fake_end(&r.front);
	fake_response(&h, 201, NULL);
	h.h.body = BODY_STREAMED;
	fake_asked(&r.back.stream);
	fake_head_in(&r.back.stream, &h);
	fake_data(&r.back.stream, "a");
	fake_data(&r.back.stream, "b");
	fake_end(&r.back.stream);
	xr_run(&r);
	expect_whole(&r);
	XR_BACK_GOT(&r, "POST /up\nhost: asked.example\nx-request-id: r\n" OURS
			"\nsomemore\nEND\n");
	XR_FRONT_GOT(&r, "201\n\nab\nEND\n");
	cr_expect_eq(rig_logged(&r.g, "\"bytes_in\":8", "\"bytes_out\":2",
			 "\"reused\":0", NULL),
	    1);
	xr_fini(&r);
}

Test(exchange, trailers_both_ways)
{
	struct fake_head h, up, down;
	struct exchange_rig r;

	xr_init(&r, "web");
	xr_pool(&r, true);
	fake_request(&up, "", "", "x-sum", "1", NULL);
	fake_request(&down, "", "", "x-sum", "2", NULL);
	r.request.h.body = BODY_STREAMED;
	fake_data(&r.front, "q");
	fake_end(&r.front);
	r.front.trailers = &up;
	fake_response(&h, 200, NULL);
	h.h.body = BODY_STREAMED;
	fake_asked(&r.back.stream);
	fake_head_in(&r.back.stream, &h);
	fake_data(&r.back.stream, "a");
	fake_end(&r.back.stream);
	r.back.stream.trailers = &down;
	xr_run(&r);
	expect_whole(&r);
	cr_expect(str_ends(
	    text_str(&r.back.stream.got), STR("\nq\nEND\nx-sum: 1\n")));
	XR_FRONT_GOT(&r, "200\n\na\nEND\nx-sum: 2\n");
	xr_fini(&r);
}

/* Whatever comes first, and whoever is slow, the result is the same. */
Test(exchange, every_order_of_events)
{
	struct fake_head interim, h;
	struct exchange_rig r;

	xr_init(&r, "web");
	xr_pool(&r, true);
	for (unsigned mask = 0; mask < 1u << 9; mask++) {
		fake_request(
		    &r.request, "POST", "/", "x-request-id", "r", NULL);
		r.request.h.body = BODY_STREAMED;
		fake_data(&r.front, "ab");
		fake_data(&r.front, "cd");
		fake_end(&r.front);
		fake_add_waits(&r.front, mask & 7);
		fake_response(&interim, 103, "link", "x", NULL);
		fake_response(&h, 200, NULL);
		h.h.body = BODY_STREAMED;
		fake_head_in(&r.back.stream, &interim);
		fake_asked(&r.back.stream);
		fake_head_in(&r.back.stream, &h);
		fake_data(&r.back.stream, "xy");
		fake_end(&r.back.stream);
		fake_add_waits(&r.back.stream, mask >> 3 & 31);
		/* Who takes a byte at a time, and not always. */
		if (mask >> 8) {
			r.front.credit = r.back.stream.credit = 1;
			r.front.blocked_calls = 2;
			r.back.stream.blocked_calls = 3;
		}
		xr_run(&r);
		cr_assert_eq(r.next, END, "order %x hangs", mask);
		cr_expect_str_eq(r.front.got.p,
		    "103\nlink: x\n\n200\n\nxy\nEND\n", "order %x: %s", mask,
		    r.front.got.p);
		cr_expect_str_eq(r.back.stream.got.p,
		    "POST /\nhost: asked.example\nx-request-id: r\n" OURS
		    "\nabcd\nEND\n",
		    "order %x: %s", mask, r.back.stream.got.p);
		cr_expect(r.front.was_whole && r.back.stream.was_whole &&
			      !r.back.is_closed,
		    "order %x", mask);
		xr_next(&r);
		fake_stream_fini(&r.back.stream);
		fake_stream_init(&r.back.stream);
	}
	cr_expect_eq(r.back.opened, 1u << 9);
	xr_fini(&r);
}

/* Pull no more than what can be pushed: nothing is held in between. */
Test(exchange, a_slow_caller_slows_the_server)
{
	struct exchange_rig r;
	struct fake_head h;

	xr_init(&r, "web");
	xr_pool(&r, true);
	fake_response(&h, 200, NULL);
	h.h.body = BODY_STREAMED;
	fake_head_in(&r.back.stream, &h);
	fake_filler(&r.back.stream, 1 << 20);
	fake_end(&r.back.stream);
	r.front.blocked_calls = UINT32_MAX;
	xr_run(&r);
	cr_expect_eq(r.next, WAIT);
	cr_expect_eq(r.back.stream.st.bytes_in, 0);
	r.front.blocked_calls = 0;
	r.next = exchange_run(&r.x);
	cr_expect_eq(r.next, WAIT, "others have their turn");
	cr_expect_lt(r.front.st.bytes_out, 1 << 20);
	cr_expect_eq(r.agains, 1, "it goes on by itself");
	while (r.next == WAIT)
		xr_go_on(&r);
	expect_whole(&r);
	cr_expect_eq(r.front.st.bytes_out, 1 << 20);
	xr_fini(&r);
}

/* A caller whose window is just used up still gets the end, and trailers. */
Test(exchange, the_end_needs_no_window)
{
	struct exchange_rig r;
	struct fake_head h;

	xr_init(&r, "web");
	xr_pool(&r, true);
	fake_response(&h, 200, NULL);
	h.h.body = BODY_STREAMED;
	fake_head_in(&r.back.stream, &h);
	fake_end(&r.back.stream);
	r.front.blocked_calls = UINT32_MAX;
	xr_run(&r);
	expect_whole(&r);
	xr_fini(&r);
}

static const struct {
	const char *method;
	unsigned status;
} bodiless[] = {
	{ "GET", 204 }, { "GET", 304 }, { "HEAD", 200 },
	{ "GET", 200 }, /* Content-Length: 0 */
};

Test(exchange, answers_without_a_body)
{
	char want[32];

	for (size_t i = 0; i < ARRAY_LEN(bodiless); i++) {
		struct exchange_rig r;
		struct fake_head h;

		xr_init(&r, "web");
		xr_pool(&r, true);
		fake_request(&r.request, bodiless[i].method, "/", NULL);
		fake_response(&h, bodiless[i].status, NULL);
		h.h.body = i == 3 ? BODY_LENGTH : BODY_NONE;
		fake_head_in(&r.back.stream, &h);
		xr_run(&r);
		expect_whole(&r);
		(void)snprintf(
		    want, sizeof(want), "%u\nEND\n", bodiless[i].status);
		XR_FRONT_GOT(&r, want);
		xr_fini(&r);
	}
}

Test(exchange, an_empty_body_is_an_end)
{
	struct exchange_rig r;
	struct fake_head h;

	xr_init(&r, "web");
	xr_pool(&r, true);
	fake_request(&r.request, "PUT", "/", "x-request-id", "r", NULL);
	r.request.h.body = BODY_LENGTH;
	fake_response(&h, 200, NULL);
	answer(&r, &h, "");
	xr_run(&r);
	expect_whole(&r);
	cr_expect(str_ends(text_str(&r.back.stream.got), STR(OURS "END\n")));
	xr_fini(&r);
}

/* Several interim answers, and a 100 that the server gives. */
Test(exchange, interim_answers_are_the_servers)
{
	struct fake_head a, b, h;
	struct exchange_rig r;

	xr_init(&r, "web");
	xr_pool(&r, true);
	fake_request(&r.request, "POST", "/", "expect", "100-continue", NULL);
	r.request.h.body = BODY_LENGTH;
	r.request.h.content_length = 4;
	r.request.h.expects_continue = true;
	fake_add(&r.front, (struct fake_step){ .kind = FAKE_WAIT });
	fake_add(&r.front, (struct fake_step){ .kind = FAKE_WAIT });
	fake_data(&r.front, "body");
	fake_end(&r.front);
	fake_response(&a, 100, NULL);
	fake_response(&b, 103, "connection", "close", "link", "l", NULL);
	fake_response(&h, 200, NULL);
	fake_head_in(&r.back.stream, &a);
	fake_head_in(&r.back.stream, &b);
	fake_asked(&r.back.stream);
	answer(&r, &h, "ok");
	xr_run(&r);
	expect_whole(&r);
	XR_FRONT_GOT(&r, "100\n\n103\nlink: l\n\n200\n\nok\nEND\n");
	cr_expect_not_null(
	    strstr(r.back.stream.got.p, "expect: 100-continue\n"));
	xr_fini(&r);
}

Test(exchange, what_leaves_is_our_request)
{
	struct exchange_rig r;
	struct fake_head h;

	xr_init(&r, "web");
	xr_pool(&r, true);
	fake_request(&r.request, "GET", "/?q=1", "connection", "x-mine, close",
	    "x-mine", "1", "keep-alive", "5", "te", "trailers",
	    "proxy-authorization", "secret", "x-kuma-tags", "&zone=other&",
	    "x-forwarded-client-cert", "By=me", "x-forwarded-proto", "http",
	    "x-forwarded-for", "1.2.3.4", "x-request-id", "mine", NULL);
	fake_response(&h, 200, "connection", "x-hop", "x-hop", "1",
	    "keep-alive", "5", "proxy-authenticate", "Basic", NULL);
	answer(&r, &h, "");
	xr_run(&r);
	XR_BACK_GOT(&r,
	    "GET /?q=1\nhost: asked.example\nx-forwarded-proto: http\n"
	    "x-forwarded-for: 1.2.3.4\nx-request-id: mine\nEND\n");
	XR_FRONT_GOT(&r, "200\nproxy-authenticate: Basic\nEND\n");
	cr_expect_eq(
	    rig_logged(&r.g, "\"path\":\"/\"", NULL), 1, "no query in the log");
	xr_fini(&r);
}

Test(exchange, a_request_without_an_id_gets_one)
{
	char first[64] = "", id[64];
	struct exchange_rig r;
	struct fake_head h;

	xr_init(&r, "web");
	xr_pool(&r, true);
	for (int i = 0; i < 2; i++) {
		fake_request(&r.request, "GET", "/", NULL);
		fake_response(&h, 200, NULL);
		answer(&r, &h, "");
		xr_run(&r);
		cr_assert_eq(
		    sscanf(strstr(r.back.stream.got.p, "x-request-id: "),
			"x-request-id: %63s", id),
		    1);
		cr_expect_eq(strlen(id), 36, "%s", id);
		cr_expect_str_neq(id, first);
		(void)snprintf(first, sizeof(first), "%s", id);
		cr_expect_eq(rig_logged(&r.g, id, NULL), 1);
		xr_next(&r);
		fake_stream_fini(&r.back.stream);
		fake_stream_init(&r.back.stream);
	}
	xr_fini(&r);
}

/* Kuma section 5.2: a name gets its own name, an address what was asked. */
Test(exchange, the_host_is_the_servers_own_name)
{
	struct exchange_rig r;
	struct fake_head h;

	xr_init(&r, "named");
	xr_pool(&r, true);
	fake_response(&h, 200, NULL);
	answer(&r, &h, "");
	xr_run(&r);
	expect_whole(&r);
	cr_expect(str_starts(
	    text_str(&r.back.stream.got), STR("GET /\nhost: real.example\n")));
	cr_expect_eq(
	    rig_logged(&r.g, "\"authority\":\"asked.example\"", NULL), 1);
	xr_fini(&r);
}

static void
run_early(struct exchange_rig *r, size_t rest, bool expects)
{
	static struct fake_head h;

	xr_init(r, "web");
	xr_pool(r, true);
	fake_request(&r->request, "POST", "/", NULL);
	r->request.h.body = BODY_STREAMED;
	r->request.h.expects_continue = expects;
	fake_data(&r->front, "first");
	fake_add(&r->front, (struct fake_step){ .kind = FAKE_WAIT });
	fake_filler(&r->front, rest);
	fake_end(&r->front);
	fake_response(&h, 413, NULL);
	answer(r, &h, "no");
	xr_run(r);
	cr_expect_eq(r->next, END);
	cr_expect_eq(r->x.outcome, OUT_OK);
	XR_FRONT_GOT(r, "413\n\nno\nEND\n");
	/* The server still waits for a body that does not come. */
	cr_expect_not(r->back.stream.was_whole);
	cr_expect(r->back.is_closed);
}

Test(exchange, an_early_answer_and_a_short_rest)
{
	struct exchange_rig r;

	run_early(&r, 65536, false);
	cr_expect(r.front.was_whole, "the rest was thrown away");
	cr_expect(r.x.keeps_front);
	xr_fini(&r);
}

Test(exchange, an_early_answer_and_a_long_rest)
{
	struct exchange_rig r;

	run_early(&r, 65537, false);
	cr_expect_not(r.front.was_whole);
	cr_expect_not(r.x.keeps_front);
	cr_expect_lt(r.front.st.bytes_in, 70000);
	xr_fini(&r);
}

/* Nobody knows whether a body follows that a 100 was asked for. */
Test(exchange, an_early_answer_to_an_expectation)
{
	struct exchange_rig r;

	run_early(&r, 10, true);
	cr_expect_not(r.front.was_whole);
	cr_expect_not(r.x.keeps_front);
	xr_fini(&r);
}

static const struct {
	const char *value;
	bool is_private;
} challenges[] = {
	{ "NTLM", true },
	{ "ntlm TlRMTVNTUAAC", true },
	{ "Negotiate", true },
	{ "NEGOTIATE abc==", true },
	{ "Basic realm=\"x\", NTLM", true },
	{ "Bearer, Negotiate abc", true },
	{ "Basic realm=\"NTLM\"", false },
	{ "Basic realm=\"x\"", false },
	{ "Digest qop=\"auth\"", false },
};

/* Such a server takes the connection for the caller. */
Test(exchange, authenticated_connections_are_not_shared)
{
	for (size_t i = 0; i < ARRAY_LEN(challenges); i++) {
		struct exchange_rig r;
		struct fake_head h;

		xr_init(&r, "web");
		xr_pool(&r, true);
		fake_response(
		    &h, 401, "www-authenticate", challenges[i].value, NULL);
		answer(&r, &h, "");
		xr_run(&r);
		cr_expect_eq(r.x.outcome, OUT_OK);
		cr_expect(r.front.was_whole);
		cr_expect_eq(r.back.is_closed, challenges[i].is_private, "%s",
		    challenges[i].value);
		xr_fini(&r);
	}
}

Test(exchange, answers_are_counted_by_class)
{
	static const unsigned statuses[] = { 200, 301, 404, 503, 599 };
	struct exchange_rig r;
	struct fake_head h;

	xr_init(&r, "web");
	xr_pool(&r, true);
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
		fake_response(&h, statuses[i], NULL);
		answer(&r, &h, "");
		fake_request(&r.request, "GET", "/", NULL);
		xr_run(&r);
		xr_next(&r);
		fake_stream_fini(&r.back.stream);
		fake_stream_init(&r.back.stream);
	}
	cr_expect_eq(
	    stats_sum(SCOPE_CLUSTER, "default_web", STAT_UPSTREAM_RQ_2XX), 1);
	cr_expect_eq(
	    stats_sum(SCOPE_CLUSTER, "default_web", STAT_UPSTREAM_RQ_3XX), 1);
	cr_expect_eq(
	    stats_sum(SCOPE_CLUSTER, "default_web", STAT_UPSTREAM_RQ_4XX), 1);
	cr_expect_eq(
	    stats_sum(SCOPE_CLUSTER, "default_web", STAT_UPSTREAM_RQ_5XX), 2);
	cr_expect_eq(
	    stats_sum(SCOPE_CLUSTER, "default_web", STAT_UPSTREAM_RQ_ACTIVE),
	    0);
	cr_expect_eq(
	    stats_sum(SCOPE_CLUSTER, "default_web", STAT_UPSTREAM_RQ_TOTAL), 5);
	xr_fini(&r);
}
