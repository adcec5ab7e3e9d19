/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request to go on with another protocol: nothing moves before the server
 * agrees, and then both directions do, each to its own end.
 */

#include <criterion/criterion.h>

#include "conn/reset_code.h"
#include "unit/conn/exchange_rig.h"

/* The example of RFC 6455, section 1.3. */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

static void
setup(struct exchange_rig *r)
{
	static struct str offered = STR("websocket");
	struct service_options *o;

	xr_init(r, "web");
	xr_pool(r, true);
	o = conn_newest_service(&r->conn)->options;
	o->upgrades = (struct str_list){ .v = &offered, .n = 1 };
	fake_request(&r->request, "GET", "/chat", "x-request-id", "r1",
	    "Sec-WebSocket-Key", KEY, "Sec-WebSocket-Version", "13", NULL);
	r->request.h.upgrade = STR("websocket");
}

static void
run(struct exchange_rig *r)
{
	r->next = WAIT;
	exchange_begin(&r->x, &r->front.st, &r->request.h);
	xr_go_on(r);
}

static void
will_agree(struct exchange_rig *r, struct fake_head *h, const char *accept)
{
	fake_response(h, 101, "Sec-WebSocket-Accept", accept, NULL);
	h->h.upgrade = STR("websocket");
	h->h.body = BODY_TUNNEL;
	fake_head_in(&r->back.stream, h);
}

Test(exchange_upgrade, nothing_moves_before_the_server_agrees)
{
	struct exchange_rig r;

	setup(&r);
	fake_data(&r.front, "early");
	run(&r);
	cr_expect_eq(r.next, WAIT);
	cr_expect_eq(r.front.st.bytes_in, 0);
	cr_expect_not(r.front.has_ended);
	cr_expect_not(r.back.stream.has_ended);
	exchange_abort(&r.x, OUT_DRAINED);
	xr_fini(&r);
}

Test(exchange_upgrade, both_directions_to_their_ends)
{
	struct exchange_rig r;
	struct fake_head h;

	setup(&r);
	fake_data(&r.front, "up");
	fake_end(&r.front);
	will_agree(&r, &h, ACCEPT);
	fake_data(&r.back.stream, "down");
	fake_asked(&r.back.stream);
	fake_data(&r.back.stream, "more");
	fake_end(&r.back.stream);
	run(&r);
	cr_expect_eq(r.next, END, "it hangs in stage %d", (int)r.x.stage);
	cr_expect_eq(r.x.outcome, OUT_OK);
	cr_expect(str_ends(text_str(&r.back.stream.got), STR("\nup\nEND\n")));
	cr_expect(str_ends(text_str(&r.front.got), STR("\ndownmore\nEND\n")));
	cr_expect(str_starts(text_str(&r.front.got), STR("101\n")));
	cr_expect(r.front.was_whole);
	cr_expect_eq(
	    rig_logged(&r.g, "\"status\":101", "\"upgrade\":\"websocket\"",
		"\"bytes_in\":2", "\"bytes_out\":8", NULL),
	    1);
	xr_fini(&r);
}

/* Half a tunnel is no reason to end the other half. */
Test(exchange_upgrade, the_server_ends_first)
{
	struct exchange_rig r;
	struct fake_head h;

	setup(&r);
	fake_data(&r.front, "a");
	fake_asked(&r.front); /* not before it has got the server's end */
	fake_data(&r.front, "b");
	fake_end(&r.front);
	will_agree(&r, &h, ACCEPT);
	fake_end(&r.back.stream);
	run(&r);
	cr_expect_eq(r.next, END);
	cr_expect_eq(r.x.outcome, OUT_OK);
	cr_expect(str_ends(text_str(&r.back.stream.got), STR("\nab\nEND\n")));
	xr_fini(&r);
}

Test(exchange_upgrade, a_server_that_declines)
{
	struct exchange_rig r;
	struct fake_head h;

	setup(&r);
	fake_end(&r.front);
	fake_response(&h, 200, NULL);
	h.h.body = BODY_STREAMED;
	fake_head_in(&r.back.stream, &h);
	fake_data(&r.back.stream, "no");
	fake_end(&r.back.stream);
	run(&r);
	cr_expect_eq(r.next, END);
	cr_expect_eq(r.x.outcome, OUT_OK);
	XR_FRONT_GOT(&r, "200\n\nno\nEND\n");
	cr_expect(r.x.keeps_front);
	cr_expect(r.front.was_whole);
	cr_expect_eq(rig_logged(&r.g, "\"upgrade\"", NULL), 0);
	xr_fini(&r);
}

Test(exchange_upgrade, a_server_that_agrees_to_something_else)
{
	struct exchange_rig r;
	struct fake_head h;

	setup(&r);
	fake_end(&r.front);
	will_agree(&r, &h, "AAAAAAAAAAAAAAAAAAAAAAAAAAA=");
	run(&r);
	cr_expect_eq(r.next, END);
	cr_expect_eq(r.x.outcome, OUT_UPGRADE_FAILED);
	cr_expect_eq(r.x.status, 502);
	cr_expect_not(r.back.stream.was_whole);
	xr_fini(&r);
}

Test(exchange_upgrade, only_what_the_service_offers)
{
	struct exchange_rig r;

	setup(&r);
	conn_newest_service(&r.conn)->options->upgrades.n = 0;
	run(&r);
	cr_expect_eq(r.x.outcome, OUT_REQUEST_UPGRADE);
	cr_expect_eq(r.x.status, 403);
	cr_expect_eq(r.back.opened, 0);
	xr_fini(&r);
}

Test(exchange_upgrade, an_upgrade_that_makes_no_sense)
{
	struct exchange_rig r;

	setup(&r);
	fake_request(&r.request, "GET", "/", "Upgrade", "websocket, h2c", NULL);
	run(&r);
	cr_expect_eq(r.x.outcome, OUT_REQUEST_UPGRADE);
	cr_expect_eq(r.x.status, 403);
	xr_fini(&r);
}

Test(exchange_upgrade, none_with_a_body)
{
	struct exchange_rig r;

	setup(&r);
	r.request.h.body = BODY_LENGTH;
	r.request.h.content_length = 1;
	run(&r);
	cr_expect_eq(r.x.outcome, OUT_REQUEST_BAD);
	cr_expect_eq(r.x.status, 400);
	cr_expect_eq(r.back.opened, 0);
	xr_fini(&r);
}

Test(exchange_upgrade, none_without_a_key)
{
	struct exchange_rig r;

	setup(&r);
	fake_request(&r.request, "GET", "/chat", NULL);
	r.request.h.upgrade = STR("websocket");
	fake_end(&r.front);
	run(&r);
	cr_expect_eq(r.x.outcome, OUT_REQUEST_BAD);
	cr_expect_eq(r.x.status, 400);
	XR_BACK_GOT(&r, "");
	xr_fini(&r);
}

/* A silent tunnel may be silent for longer than a request. */
Test(exchange_upgrade, the_time_of_a_tunnel)
{
	struct exchange_rig r;
	struct fake_head h;

	setup(&r);
	conn_newest_service(&r.conn)->options->request_ms = 1000;
	r.g.limits.stream_idle_ms = 2000;
	r.g.limits.idle_ms = 10000;
	fake_data(&r.front, "x");
	will_agree(&r, &h, ACCEPT);
	run(&r);
	rig_pass(&r.g, 9000);
	xr_go_on(&r);
	cr_expect_eq(r.next, WAIT);
	rig_pass(&r.g, 1100);
	xr_go_on(&r);
	cr_expect_eq(r.next, END);
	cr_expect_eq(r.x.outcome, OUT_IDLE);
	xr_fini(&r);
}

Test(exchange_upgrade, a_server_that_does_not_say)
{
	struct exchange_rig r;

	setup(&r);
	r.g.limits.stream_idle_ms = 2000;
	fake_end(&r.front);
	run(&r);
	rig_pass(&r.g, 2100);
	xr_go_on(&r);
	cr_expect_eq(r.next, END);
	cr_expect_eq(r.x.outcome, OUT_RESPONSE_LATE);
	cr_expect_eq(r.x.status, 504);
	xr_fini(&r);
}

/* TLS without close_notify: the end is passed on, and told. */
Test(exchange_upgrade, a_doubtful_end)
{
	for (int is_server = 0; is_server < 2; is_server++) {
		struct exchange_rig r;
		struct fake_head h;

		setup(&r);
		fake_data(&r.front, "x");
		fake_asked(&r.front);
		fake_end(&r.front);
		will_agree(&r, &h, ACCEPT);
		fake_end(&r.back.stream);
		run(&r);
		cr_assert_eq(r.next, END);
		xr_fini(&r);
		setup(&r);
		fake_data(&r.front, "x");
		will_agree(&r, &h, ACCEPT);
		run(&r);
		cr_assert_eq(r.next, WAIT);
		(is_server ? &r.back.stream : &r.front)->st.error = STREAM_CUT;
		fake_end(&r.back.stream);
		fake_end(&r.front);
		r.next = WAIT;
		xr_go_on(&r);
		cr_expect_eq(r.next, END);
		cr_expect_eq(
		    r.x.outcome, is_server ? OUT_UPSTREAM_CUT : OUT_CALLER_CUT);
		cr_expect(r.back.stream.has_ended && r.front.has_ended);
		xr_fini(&r);
	}
}

Test(exchange_upgrade, the_caller_is_gone)
{
	struct exchange_rig r;
	struct fake_head h;

	setup(&r);
	fake_data(&r.front, "x");
	will_agree(&r, &h, ACCEPT);
	run(&r);
	cr_assert_eq(r.next, WAIT);
	fake_fail(&r.front, STREAM_RESET);
	xr_go_on(&r);
	cr_expect_eq(r.next, END);
	cr_expect_eq(r.x.outcome, OUT_REQUEST_CUT);
	cr_expect_not(r.back.stream.was_whole);
	xr_fini(&r);
}

Test(exchange_upgrade, the_server_is_gone)
{
	struct exchange_rig r;
	struct fake_head h;

	setup(&r);
	will_agree(&r, &h, ACCEPT);
	fake_fail(&r.back.stream, STREAM_RESET);
	run(&r);
	cr_expect_eq(r.next, END);
	cr_expect_eq(r.x.outcome, OUT_RESPONSE_CUT);
	cr_expect_not(r.front.was_whole);
	xr_fini(&r);
}

/* What is not yet with the kernel would be lost with the connection. */
Test(exchange_upgrade, the_last_bytes_go_out)
{
	struct exchange_rig r;
	struct fake_head h;

	setup(&r);
	fake_data(&r.front, "up");
	fake_end(&r.front);
	will_agree(&r, &h, ACCEPT);
	run(&r);
	cr_assert_eq(r.next, WAIT);
	cr_assert(r.back.stream.has_ended);
	fake_end(&r.back.stream);
	r.back.stream.blocked_calls = 2;
	cr_expect_eq(exchange_run(&r.x), WAIT);
	cr_expect_eq(exchange_run(&r.x), WAIT);
	cr_expect_eq(exchange_run(&r.x), END);
	cr_expect_eq(r.x.outcome, OUT_OK);
	xr_fini(&r);
}

/* From HTTP/2 to HTTP/1.1: an extended CONNECT gets its 200. */
Test(exchange_upgrade, between_the_versions)
{
	struct exchange_rig r;
	struct fake_head h;

	setup(&r);
	r.front.st.is_multiplexed = true;
	r.front.st.version = HTTP_2;
	fake_request(&r.request, "CONNECT", "/chat", "x-request-id", "r1",
	    "sec-websocket-version", "13", NULL);
	r.request.h.upgrade = STR("websocket");
	r.request.h.body = BODY_STREAMED;
	fake_response(&h, 404, NULL);
	fake_head_in(&r.back.stream, &h);
	run(&r);
	cr_expect_eq(r.next, END);
	cr_expect_eq(r.x.outcome, OUT_OK);
	cr_expect(str_starts(text_str(&r.back.stream.got), STR("GET /chat\n")));
	XR_FRONT_GOT(&r, "404\nEND\n");
	cr_expect_not(r.front.was_whole, "the caller's side is open");
	xr_fini(&r);
}

/* HTTP/2: whether it takes extended CONNECT the server has yet to say. */
Test(exchange_upgrade, a_server_that_has_to_be_known_first)
{
	static const enum stream_upgrades said[] = { UPGRADES_TAKEN,
		UPGRADES_REFUSED };

	for (size_t i = 0; i < ARRAY_LEN(said); i++) {
		struct stream *back;
		struct exchange_rig r;
		struct fake_head h;

		setup(&r);
		back = &r.back.stream.st;
		back->is_multiplexed = true;
		back->version = HTTP_2;
		back->upgrades = UPGRADES_UNKNOWN;
		fake_end(&r.front);
		fake_response(&h, 200, NULL);
		h.h.body = BODY_TUNNEL;
		fake_head_in(&r.back.stream, &h);
		fake_data(&r.back.stream, "hi");
		fake_end(&r.back.stream);
		run(&r);
		cr_expect_eq(r.next, WAIT);
		XR_BACK_GOT(&r, "");
		back->upgrades = said[i];
		xr_go_on(&r);
		cr_expect_eq(r.next, END);
		if (said[i] == UPGRADES_TAKEN) {
			cr_expect(str_starts(text_str(&r.back.stream.got),
			    STR("CONNECT /chat\n")));
			cr_expect(
			    str_starts(text_str(&r.front.got), STR("101\n")));
			cr_expect_eq(r.x.outcome, OUT_OK);
		} else {
			XR_BACK_GOT(&r, "");
			cr_expect_eq(r.x.outcome, OUT_UPGRADE_FAILED);
			cr_expect_eq(r.x.status, 502);
			cr_expect_eq(
			    rig_logged(&r.g, "without extended CONNECT", NULL),
			    1);
		}
		xr_fini(&r);
	}
}

/* It never got as far as to say so. */
Test(exchange_upgrade, a_server_that_is_gone_before_it_is_known)
{
	struct exchange_rig r;

	setup(&r);
	r.back.stream.st.is_multiplexed = true;
	r.back.stream.st.upgrades = UPGRADES_UNKNOWN;
	fake_end(&r.front);
	run(&r);
	cr_assert_eq(r.next, WAIT);
	r.back.stream.st.error = STREAM_CLOSED_EARLY;
	xr_go_on(&r);
	cr_expect_eq(r.next, END);
	cr_expect_eq(r.x.status, 503);
	xr_fini(&r);
}
