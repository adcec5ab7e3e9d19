/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What configuration says of a request: its size, its time, the host that the
 * server hears; and what a reload takes away from one under way.
 */

#include <criterion/criterion.h>

#include "unit/conn/exchange_rig.h"

static struct service_options *
options(struct exchange_rig *r)
{
	return conn_newest_service(&r->conn)->options;
}

static void
post(struct exchange_rig *r, enum body_kind kind, uint64_t length)
{
	fake_request(&r->request, "POST", "/", "x-request-id", "r", NULL);
	r->request.h.body = kind;
	r->request.h.content_length = length;
	r->request.h.has_length = kind == BODY_LENGTH;
	fake_filler(&r->front, length);
	fake_end(&r->front);
}

static const struct {
	enum body_kind kind;
	uint64_t length;
	bool is_refused;
	bool is_sent; /* the server heard of it */
} bodies[] = {
	{ BODY_LENGTH, 1000, false, true },
	{ BODY_LENGTH, 1001, true, false },
	{ BODY_STREAMED, 1000, false, true },
	{ BODY_STREAMED, 1001, true, true },
};

Test(exchange_limits, bodies)
{
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct exchange_rig r;
		struct fake_head h;

		xr_init(&r, "web");
		xr_pool(&r, true);
		r.g.limits.body_bytes = 1000;
		post(&r, bodies[i].kind, bodies[i].length);
		fake_response(&h, 200, NULL);
		fake_asked(&r.back.stream);
		fake_head_in(&r.back.stream, &h);
		xr_run(&r);
		cr_expect_eq(r.next, END, "row %zu", i);
		cr_expect_eq(r.x.outcome,
		    bodies[i].is_refused ? OUT_REQUEST_BODY : OUT_OK, "row %zu",
		    i);
		cr_expect_eq(r.x.status, bodies[i].is_refused ? 413 : 200);
		cr_expect_eq(r.back.stream.got.len > 0, bodies[i].is_sent);
		cr_expect_eq(r.x.keeps_front, !bodies[i].is_refused);
		if (bodies[i].is_sent)
			cr_expect_neq(
			    r.back.stream.was_whole, bodies[i].is_refused);
		xr_fini(&r);
	}
}

/* It cannot be unsaid. */
Test(exchange_limits, a_body_too_big_after_the_answer_began)
{
	struct exchange_rig r;
	struct fake_head h;

	xr_init(&r, "web");
	xr_pool(&r, true);
	r.g.limits.body_bytes = 100;
	fake_request(&r.request, "POST", "/", NULL);
	r.request.h.body = BODY_STREAMED;
	fake_data(&r.front, "some");
	fake_add(&r.front, (struct fake_step){ .kind = FAKE_WAIT });
	fake_filler(&r.front, 200);
	fake_response(&h, 200, NULL);
	h.h.body = BODY_STREAMED;
	fake_head_in(&r.back.stream, &h);
	xr_run(&r);
	cr_expect_eq(r.next, END);
	cr_expect_eq(r.x.outcome, OUT_REQUEST_BODY);
	XR_FRONT_GOT(&r, "200\n\n");
	cr_expect_not(r.front.was_whole);
	cr_expect_not(r.back.stream.was_whole);
	xr_fini(&r);
}

Test(exchange_limits, a_server_that_takes_too_long)
{
	struct exchange_rig r;

	xr_init(&r, "web");
	xr_pool(&r, true);
	options(&r)->request_ms = 5000;
	xr_run(&r);
	rig_pass(&r.g, 4900);
	xr_go_on(&r);
	cr_expect_eq(r.next, WAIT);
	rig_pass(&r.g, 200);
	xr_go_on(&r);
	cr_expect_eq(r.next, END);
	cr_expect_eq(r.x.outcome, OUT_REQUEST_LONG);
	cr_expect_eq(r.x.status, 504);
	cr_expect(r.x.keeps_front);
	cr_expect_not(r.back.stream.was_whole);
	xr_fini(&r);
}

Test(exchange_limits, an_answer_that_takes_too_long)
{
	struct exchange_rig r;
	struct fake_head h;

	xr_init(&r, "web");
	xr_pool(&r, true);
	options(&r)->request_ms = 5000;
	fake_response(&h, 200, NULL);
	h.h.body = BODY_STREAMED;
	fake_head_in(&r.back.stream, &h);
	fake_data(&r.back.stream, "half");
	xr_run(&r);
	rig_pass(&r.g, 5100);
	xr_go_on(&r);
	cr_expect_eq(r.next, END);
	cr_expect_eq(r.x.outcome, OUT_REQUEST_LONG);
	XR_FRONT_GOT(&r, "200\n\nhalf");
	cr_expect_not(r.front.was_whole);
	xr_fini(&r);
}

/* Its time runs while it waits for a connection, too. */
Test(exchange_limits, a_connection_that_takes_too_long)
{
	struct exchange_rig r;

	xr_init(&r, "named"); /* no name server answers */
	options(&r)->request_ms = 1000;
	xr_run(&r);
	cr_expect_eq(r.next, WAIT);
	rig_pass(&r.g, 1100);
	xr_go_on(&r);
	cr_expect_eq(r.next, END);
	cr_expect_eq(r.x.outcome, OUT_REQUEST_LONG);
	cr_expect_eq(r.x.status, 504);
	xr_fini(&r);
}

static const struct {
	const char *service;
	enum host_rule rule;
	const char *named;
	const char *heard;
} hosts[] = {
	{ "web", HOST_ENDPOINT, "", "asked.example" }, /* an address */
	{ "web", HOST_KEEP, "", "asked.example" },
	{ "web", HOST_NAMED, "other.example", "other.example" },
	{ "named", HOST_ENDPOINT, "", "real.example" },
	{ "named", HOST_KEEP, "", "asked.example" },
	{ "named", HOST_NAMED, "other.example", "other.example" },
};

Test(exchange_limits, the_host_that_the_server_hears)
{
	for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
		struct exchange_rig r;
		struct fake_head h;

		xr_init(&r, hosts[i].service);
		xr_pool(&r, true);
		options(&r)->host = hosts[i].rule;
		options(&r)->host_name = str_of(hosts[i].named);
		fake_response(&h, 200, NULL);
		fake_head_in(&r.back.stream, &h);
		xr_run(&r);
		cr_expect_eq(r.x.outcome, OUT_OK);
		cr_expect(str_eq(r.request.h.authority, str_of(hosts[i].heard)),
		    "row %zu: %.*s", i, STR_ARG(r.request.h.authority));
		xr_fini(&r);
	}
}

Test(exchange_limits, the_query_is_logged_on_demand)
{
	for (int is_on = 0; is_on < 2; is_on++) {
		struct exchange_rig r;
		struct fake_head h;

		xr_init(&r, "web");
		xr_pool(&r, true);
		r.g.conns->env.logs_query = is_on;
		fake_request(&r.request, "GET", "/a?b=c", NULL);
		fake_response(&h, 200, NULL);
		fake_head_in(&r.back.stream, &h);
		xr_run(&r);
		cr_expect_eq(
		    rig_logged(&r.g,
			is_on ? "\"path\":\"/a?b=c\"" : "\"path\":\"/a\"",
			"\"last_byte_ms\":", NULL),
		    1);
		xr_fini(&r);
	}
}

Test(exchange_limits, a_reload_takes_the_permission)
{
	struct exchange_rig r;

	xr_init(&r, "web");
	xr_pool(&r, true);
	xr_run(&r);
	cr_assert_eq(r.next, WAIT);
	exchange_reauthorize(&r.x);
	cr_expect_not(r.x.is_revoked);
	xr_reload(&r, false);
	exchange_reauthorize(&r.x);
	cr_assert(r.x.is_revoked);
	xr_go_on(&r);
	cr_expect_eq(r.next, END);
	cr_expect_eq(r.x.status, 403);
	cr_expect_eq(rig_ended(OUT_REVOKED), 1);
	xr_fini(&r);
}

Test(exchange_limits, a_reload_that_changes_nothing_for_it)
{
	struct exchange_rig r;
	struct fake_head h;

	xr_init(&r, "web");
	xr_pool(&r, true);
	fake_response(&h, 200, NULL);
	fake_add(&r.back.stream, (struct fake_step){ .kind = FAKE_WAIT });
	fake_head_in(&r.back.stream, &h);
	fake_end(&r.front);
	exchange_begin(&r.x, &r.front.st, &r.request.h);
	cr_assert_eq(exchange_run(&r.x), WAIT);
	xr_reload(&r, true);
	exchange_reauthorize(&r.x);
	cr_expect_not(r.x.is_revoked);
	xr_go_on(&r);
	cr_expect_eq(r.x.outcome, OUT_OK);
	xr_fini(&r);
}
