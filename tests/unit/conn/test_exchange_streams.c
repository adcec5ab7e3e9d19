/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exchanges whose streams share their connection with others, as those of
 * HTTP/2 do: what ends one stream ends no connection, and resets go on to the
 * other side.
 */

#include <criterion/criterion.h>

#include "base/clock.h"
#include "conn/reset_code.h"
#include "unit/conn/exchange_rig.h"

static void
setup(struct exchange_rig *r)
{
	xr_init(r, "web");
	r->front.st.is_multiplexed = true;
	r->front.st.version = HTTP_2;
	r->front.st.id = 7;
	r->back.stream.st.is_multiplexed = true;
	r->back.stream.st.version = HTTP_2;
	xr_pool(r, true);
}

static void
post(struct exchange_rig *r)
{
	fake_request(&r->request, "POST", "/up", "x-request-id", "r1", NULL);
	r->request.h.body = BODY_STREAMED;
}

static void
will_fail(struct exchange_rig *r, enum stream_error e, uint32_t code)
{
	r->back.stream.st.reset_code = code;
	fake_fail(&r->back.stream, e);
}

Test(exchange_streams, a_request_and_its_answer)
{
	struct exchange_rig r;
	struct fake_head h;

	setup(&r);
	fake_response(&h, 200, NULL);
	fake_head_in(&r.back.stream, &h);
	xr_run(&r);
	cr_expect_eq(r.next, END);
	cr_expect(r.front.was_whole);
	cr_expect(r.back.stream.was_whole);
	cr_expect(str_eq(r.request.h.scheme, STR("http")));
	cr_expect_eq(
	    rig_logged(&r.g, "\"http\":\"2\"", "\"stream\":7", NULL), 1);
	xr_fini(&r);
}

Test(exchange_streams, an_early_answer_ends_it_at_once)
{
	struct exchange_rig r;
	struct fake_head h;

	setup(&r);
	post(&r);
	fake_data(&r.front, "some");
	fake_response(&h, 413, NULL);
	fake_head_in(&r.back.stream, &h);
	xr_run(&r);
	cr_expect_eq(r.next, END, "it waits for the rest of the request");
	cr_expect_eq(r.x.outcome, OUT_OK);
	cr_expect_not(r.front.was_whole);
	cr_expect_not(r.back.stream.was_whole);
	cr_expect_eq(r.front.st.reset_code, 0);
	xr_fini(&r);
}

Test(exchange_streams, our_own_answer_ends_it_at_once)
{
	struct exchange_rig r;

	setup(&r);
	post(&r);
	r.request.h.expects_continue = true;
	r.request.h.method = STR("CONNECT");
	xr_run(&r);
	cr_expect_eq(r.next, END);
	XR_FRONT_GOT(&r, "404\nEND\n");
	cr_expect_eq(r.x.outcome, OUT_REQUEST_CONNECT);
	xr_fini(&r);
}

Test(exchange_streams, a_reset_before_the_answer)
{
	struct exchange_rig r;

	setup(&r);
	will_fail(&r, STREAM_RESET, 0xb);
	xr_run(&r);
	cr_expect_eq(r.next, END);
	cr_expect_eq(r.x.outcome, OUT_UPSTREAM_RESET);
	cr_expect_eq(r.x.status, 503);
	cr_expect(r.front.was_whole);
	cr_expect_eq(r.x.retries, 0, "the server took it");
	cr_expect_eq(rig_logged(&r.g, "http_request_refused",
			 "stream reset: ENHANCE_YOUR_CALM (11)", NULL),
	    1);
	xr_fini(&r);
}

static const struct {
	enum stream_error error;
	uint32_t code;
	uint32_t passed;
} cuts[] = {
	{ STREAM_RESET, RESET_CANCEL, RESET_CANCEL },
	{ STREAM_RESET, 0xb, 0xb },
	{ STREAM_RESET, RESET_NO_ERROR, 0 },
	{ STREAM_CUT, 0, 0 },
	{ STREAM_BAD_MESSAGE, 0, 0 },
};

Test(exchange_streams, a_reset_within_the_answer_goes_on)
{
	for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
		struct exchange_rig r;
		struct fake_head h;

		setup(&r);
		fake_response(&h, 200, NULL);
		h.h.body = BODY_STREAMED;
		fake_head_in(&r.back.stream, &h);
		fake_data(&r.back.stream, "half");
		will_fail(&r, cuts[i].error, cuts[i].code);
		xr_run(&r);
		cr_expect_eq(r.x.outcome, OUT_RESPONSE_CUT, "row %zu", i);
		cr_expect_not(r.front.was_whole, "row %zu", i);
		cr_expect_eq(r.front.st.reset_code, cuts[i].passed,
		    "row %zu: %u", i, r.front.st.reset_code);
		xr_fini(&r);
	}
}

/* Whatever it waits for: an event says that the caller is gone. */
Test(exchange_streams, a_caller_that_resets_is_heard_at_once)
{
	for (int is_pooled = 0; is_pooled < 2; is_pooled++) {
		struct exchange_rig r;

		xr_init(&r, is_pooled ? "web" : "named");
		r.front.st.is_multiplexed = true;
		r.back.stream.st.is_multiplexed = true;
		if (is_pooled)
			xr_pool(&r, true);
		xr_run(&r);
		cr_assert_eq(r.next, WAIT);
		cr_expect_eq(r.x.stage, is_pooled ? X_CARRY : X_LEASE);
		r.front.st.error = STREAM_RESET;
		r.front.st.reset_code = RESET_CANCEL;
		r.next = exchange_run(&r.x);
		cr_expect_eq(r.next, END);
		cr_expect_eq(r.x.outcome, OUT_CALLER_RESET);
		XR_FRONT_GOT(&r, "");
		if (is_pooled)
			cr_expect_eq(r.back.stream.st.reset_code, RESET_CANCEL);
		cr_expect_eq(rig_logged(&r.g, "caller_reset",
				 "stream reset: CANCEL (8)", NULL),
		    1);
		xr_fini(&r);
	}
}

/* Any method may be sent again that the server did not take. */
Test(exchange_streams, what_was_not_taken_is_sent_again)
{
	for (int is_pulled = 0; is_pulled < 2; is_pulled++) {
		struct exchange_rig r;

		setup(&r);
		post(&r);
		if (is_pulled)
			fake_data(&r.front, "gone");
		will_fail(&r, STREAM_REFUSED, RESET_REFUSED_STREAM);
		xr_run(&r);
		cr_expect_eq(r.next, END);
		cr_expect_eq(r.x.retries, is_pulled ? 0 : 1);
		/* Nobody listens where the second one would go. */
		cr_expect_eq(r.x.outcome,
		    is_pulled ? OUT_UPSTREAM_RESET : OUT_CONNECT_REFUSED);
		cr_expect_eq(r.x.status, 503);
		xr_fini(&r);
	}
}

Test(exchange_streams, a_server_of_another_version)
{
	struct exchange_rig r;

	setup(&r);
	will_fail(&r, STREAM_BAD_MESSAGE, 0);
	r.back.failure = "it said \"HTTP/1.1\"";
	xr_run(&r);
	cr_expect_eq(r.x.outcome, OUT_UPSTREAM_PROTOCOL);
	cr_expect_eq(r.x.status, 503);
	cr_expect_eq(
	    rig_logged(&r.g, "http_protocol_error", "it said", NULL), 1);
	xr_fini(&r);
}

Test(exchange_streams, a_malformed_request_is_reset)
{
	struct exchange_rig r;

	setup(&r);
	exchange_refuse(&r.x, &r.front.st, OUT_REQUEST_BAD, "malformed");
	XR_FRONT_GOT(&r, "");
	cr_expect_eq(r.front.st.reset_code, RESET_PROTOCOL_ERROR);
	cr_expect_not(r.front.was_whole);
	cr_expect_eq(rig_ended(OUT_REQUEST_BAD), 1);
	xr_fini(&r);
}

Test(exchange_streams, a_body_that_breaks_the_rules)
{
	struct exchange_rig r;

	setup(&r);
	post(&r);
	fake_fail(&r.front, STREAM_BAD_MESSAGE);
	xr_run(&r);
	cr_expect_eq(r.x.outcome, OUT_REQUEST_BAD);
	XR_FRONT_GOT(&r, "");
	cr_expect_not(r.front.was_whole);
	xr_fini(&r);
}

/* The caller comes again by a connection with a newer certificate. */
Test(exchange_streams, a_certificate_that_ran_out)
{
	struct exchange_rig r;

	setup(&r);
	clock_fake(r.g.now_ms, clock_wall_ms() + 2 * 86400000LL);
	xr_run(&r);
	cr_expect_eq(r.x.outcome, OUT_CERT_ENDED);
	cr_expect_eq(r.front.st.reset_code, RESET_REFUSED_STREAM);
	XR_FRONT_GOT(&r, "");
	xr_fini(&r);
}

/* gRPC. */

static void
ask_grpc(struct exchange_rig *r)
{
	fake_request(&r->request, "POST", "/s/m", "x-request-id", "r1",
	    "content-type", "application/grpc+proto", NULL);
	r->request.h.body = BODY_STREAMED;
	fake_data(&r->front, "message");
	fake_end(&r->front);
}

Test(exchange_streams, grpc_is_answered_in_its_own_way)
{
	struct exchange_rig r;

	xr_init(&r, "web"); /* nobody listens */
	r.front.st.is_multiplexed = true;
	ask_grpc(&r);
	xr_run(&r);
	cr_expect_eq(r.x.outcome, OUT_CONNECT_REFUSED);
	cr_expect(str_starts(text_str(&r.front.got),
	    STR("200\ncontent-type: application/grpc\ngrpc-status: 14\n")));
	cr_expect_eq(
	    rig_logged(&r.g, "\"status\":200", "\"grpc_status\":\"14\"", NULL),
	    1);
	xr_fini(&r);
}

Test(exchange_streams, the_status_of_grpc_is_logged)
{
	for (int is_only = 0; is_only < 2; is_only++) {
		struct fake_head h, trailers;
		struct exchange_rig r;

		setup(&r);
		ask_grpc(&r);
		fake_request(&trailers, "", "", "grpc-status", "5", NULL);
		if (is_only) {
			fake_response(&h, 200, "Grpc-Status", "5", NULL);
		} else {
			fake_response(&h, 200, NULL);
			h.h.body = BODY_STREAMED;
		}
		fake_asked(&r.back.stream);
		fake_head_in(&r.back.stream, &h);
		fake_end(&r.back.stream);
		r.back.stream.trailers = is_only ? NULL : &trailers;
		xr_run(&r);
		cr_expect_eq(r.x.outcome, OUT_OK);
		cr_expect_eq(rig_logged(&r.g, "\"grpc_status\":\"5\"", NULL), 1,
		    "trailers-only: %d", is_only);
		xr_fini(&r);
	}
}
