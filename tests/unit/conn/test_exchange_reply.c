/* SPDX-License-Identifier: Apache-2.0 */
/* What an exchange answers itself, and what becomes of the connection then. */

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "unit/conn/exchange_rig.h"

#define DENIAL "content-type: text/plain\n\nRBAC: access denied\nEND\n"
#define FAILURE                                                             \
	"upstream connect error or disconnect/reset before headers. reset " \
	"reason: remote connection failure"

/* Nobody may use anything. */
static void
deny_all(struct exchange_rig *r)
{
	static const char web[] =
	    "type: ExternalService\nmesh: default\nname: web\n"
	    "tags: { kuma.io/service: web, kuma.io/protocol: http }\n"
	    "networking: { address: \"127.0.0.1:1\" }\n";

	rig_reload(&r->g, web);
}

/* A request with a body, of length n if that is known. */
static void
post(struct exchange_rig *r, enum body_kind kind, uint64_t n)
{
	fake_request(&r->request, "POST", "/", "x-request-id", "r", NULL);
	r->request.h.body = kind;
	r->request.h.content_length = n;
}

Test(exchange_reply, denied_and_the_connection_stays)
{
	struct exchange_rig r;

	xr_init(&r, "web");
	xr_pool(&r, true);
	deny_all(&r);
	xr_run(&r);
	cr_expect_eq(r.next, END);
	XR_FRONT_GOT(&r, "403\n" DENIAL);
	cr_expect(r.x.keeps_front);
	cr_expect(r.front.was_whole);
	cr_expect_eq(r.back.opened, 0, "nobody was asked");
	cr_expect_eq(rig_ended(OUT_DENIED), 1);
	cr_expect_eq(
	    rig_logged(&r.g, "\"kind\":\"request\"", "\"outcome\":\"denied\"",
		"\"status\":403", "\"rule\":\"no rule matches\"", NULL),
	    1);
	cr_expect_eq(
	    stats_sum(SCOPE_CLUSTER, "default_web", STAT_RBAC_DENIED), 1);
	xr_fini(&r);
}

/* Permission is asked of the newest snapshot, for each request anew. */
Test(exchange_reply, each_request_asks_anew)
{
	struct exchange_rig r;
	struct fake_head h;

	xr_init(&r, "web");
	xr_pool(&r, true);
	fake_response(&h, 200, NULL);
	h.h.body = BODY_NONE;
	fake_head_in(&r.back.stream, &h);
	xr_run(&r);
	XR_FRONT_GOT(&r, "200\nEND\n");
	deny_all(&r);
	xr_next(&r);
	fake_request(&r.request, "GET", "/", NULL);
	xr_run(&r);
	XR_FRONT_GOT(&r, "403\n" DENIAL);
	xr_fini(&r);
}

Test(exchange_reply, a_service_that_is_gone)
{
	struct exchange_rig r;

	xr_init(&r, "web");
	rig_reload(&r.g, rig_permission);
	xr_run(&r);
	XR_FRONT_GOT(&r, "403\n" DENIAL);
	cr_expect_eq(rig_logged(&r.g, "\"detail\":\"the service is gone\"",
			 "\"outcome\":\"denied\"", NULL),
	    1);
	xr_fini(&r);
}

Test(exchange_reply, to_head_there_is_no_body)
{
	struct exchange_rig r;

	xr_init(&r, "web");
	deny_all(&r);
	fake_request(&r.request, "HEAD", "/", NULL);
	xr_run(&r);
	XR_FRONT_GOT(&r, "403\ncontent-type: text/plain\nEND\n");
	cr_expect(r.x.keeps_front);
	xr_fini(&r);
}

static const struct {
	const char *what;
	enum body_kind kind;
	uint64_t length;
	size_t sent;
	bool expects;
	bool says_close;
	bool stays;
} rests[] = {
	{ "no body", BODY_NONE, 0, 0, false, false, true },
	{ "a short one", BODY_LENGTH, 5, 5, false, false, true },
	{ "as long as may be", BODY_LENGTH, 65536, 65536, false, false, true },
	{ "one that says it is long", BODY_LENGTH, 65537, 0, false, true,
	    false },
	{ "short and chunked", BODY_STREAMED, 0, 65536, false, false, true },
	{ "long and chunked", BODY_STREAMED, 0, 65537, false, false, false },
	{ "one that may not come", BODY_LENGTH, 5, 0, true, true, false },
};

Test(exchange_reply, what_is_left_of_the_request)
{
	for (size_t i = 0; i < ARRAY_LEN(rests); i++) {
		const char *what = rests[i].what;
		struct exchange_rig r;

		xr_init(&r, "web");
		deny_all(&r);
		post(&r, rests[i].kind, rests[i].length);
		r.request.h.expects_continue = rests[i].expects;
		if (rests[i].sent > 0)
			fake_filler(&r.front, rests[i].sent);
		fake_end(&r.front);
		fake_add_waits(&r.front, 3);
		xr_run(&r);
		cr_expect_eq(r.next, END, "%s", what);
		cr_expect_eq(strstr(r.front.got.p, "connection: close") != NULL,
		    rests[i].says_close, "%s: %s", what, r.front.got.p);
		cr_expect_eq(r.x.keeps_front, rests[i].stays, "%s", what);
		cr_expect_eq(r.front.was_whole, rests[i].stays, "%s", what);
		cr_expect_eq(r.x.status, 403, "%s", what);
		cr_expect_eq(rig_logged(&r.g, "\"status\":403", NULL), 1);
		xr_fini(&r);
	}
}

Test(exchange_reply, a_caller_that_ends_within_the_rest)
{
	struct exchange_rig r;

	xr_init(&r, "web");
	deny_all(&r);
	post(&r, BODY_STREAMED, 0);
	fake_data(&r.front, "x");
	fake_fail(&r.front, STREAM_CUT);
	xr_run(&r);
	cr_expect_eq(r.next, END);
	cr_expect_eq(r.x.outcome, OUT_DENIED, "it was answered before");
	cr_expect_not(r.x.keeps_front);
	xr_fini(&r);
}

static const struct {
	const char *method;
	const char *field;
	const char *value;
	enum outcome outcome;
	const char *got;
} refused[] = {
	{ "CONNECT", "x", "y", OUT_REQUEST_CONNECT,
	    "404\nconnection: close\nEND\n" },
	{ "GET", "upgrade", "websocket", OUT_REQUEST_UPGRADE,
	    "403\nconnection: close\nEND\n" },
};

Test(exchange_reply, what_is_not_offered)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct exchange_rig r;

		xr_init(&r, "web");
		xr_pool(&r, true);
		fake_request(&r.request, refused[i].method, "/",
		    refused[i].field, refused[i].value, NULL);
		xr_run(&r);
		cr_expect_eq(r.x.outcome, refused[i].outcome);
		XR_FRONT_GOT(&r, refused[i].got);
		cr_expect_not(r.x.keeps_front);
		cr_expect_eq(r.back.opened, 0);
		xr_fini(&r);
	}
}

Test(exchange_reply, a_caller_that_wants_to_close)
{
	struct exchange_rig r;

	xr_init(&r, "web");
	deny_all(&r);
	r.request.h.wants_close = true;
	xr_run(&r);
	XR_FRONT_GOT(&r, "403\nconnection: close\n" DENIAL);
	cr_expect_not(r.x.keeps_front);
	xr_fini(&r);
}

/* A TCP caller would only see it end; so does this one. */
Test(exchange_reply, a_certificate_that_ran_out_is_no_permission)
{
	struct exchange_rig r;

	xr_init(&r, "web");
	xr_pool(&r, true);
	clock_fake(r.g.now_ms, clock_wall_ms() + 2 * 86400000LL);
	xr_run(&r);
	cr_expect_eq(r.next, END);
	cr_expect_eq(r.x.outcome, OUT_CERT_ENDED);
	XR_FRONT_GOT(&r, "");
	cr_expect_not(r.x.keeps_front);
	cr_expect_eq(r.back.opened, 0);
	xr_fini(&r);
}

Test(exchange_reply, a_service_that_cannot_be_reached)
{
	struct exchange_rig r;

	xr_init(&r, "web");
	xr_run(&r);
	cr_expect_eq(r.next, END);
	cr_expect_eq(r.x.outcome, OUT_CONNECT_REFUSED);
	XR_FRONT_GOT(&r, "503\ncontent-type: text/plain\n\n" FAILURE "\nEND\n");
	cr_expect(r.x.keeps_front);
	cr_expect(r.front.was_whole);
	cr_expect_eq(rig_logged(&r.g, "\"outcome\":\"connection_refused\"",
			 "\"address\":\"127.0.0.1:1\"", "\"status\":503",
			 "connecting to 127.0.0.1:1", NULL),
	    1);
	xr_fini(&r);
}

Test(exchange_reply, no_connection_is_left_for_it)
{
	struct exchange_rig r;

	xr_init(&r, "web");
	r.g.upstream.pending = 0;
	xr_run(&r);
	cr_expect_eq(r.x.outcome, OUT_UPSTREAM_LIMIT);
	cr_expect(str_starts(text_str(&r.front.got), STR("503\n")));
	cr_expect_eq(rig_logged(&r.g, "limits.upstream_pending", NULL), 1);
	xr_fini(&r);
}

/* A head that could not be read: nothing is known of the request. */
Test(exchange_reply, refused_by_its_head)
{
	struct exchange_rig r;
	struct fake_head h;

	xr_init(&r, "web");
	xr_pool(&r, true);
	fake_request(&r.request, "DELETE", "/secret", NULL);
	fake_response(&h, 200, NULL);
	fake_head_in(&r.back.stream, &h);
	xr_run(&r);
	xr_next(&r);
	exchange_refuse(
	    &r.x, &r.front.st, OUT_REQUEST_BAD, "malformed message");
	XR_FRONT_GOT(&r, "400\nconnection: close\ncontent-type: text/plain\n\n"
			 "Bad Request\nEND\n");
	cr_expect_eq(r.front.releases, 1);
	cr_expect_not(r.front.was_whole);
	cr_expect_not(r.x.keeps_front);
	cr_expect_eq(
	    rig_logged(&r.g, "\"outcome\":\"http_request_error\"",
		"\"status\":400", "\"detail\":\"malformed message\"", NULL),
	    1);
	cr_expect_eq(rig_logged(&r.g, "http_request_error", "\"method\"", NULL),
	    0, "these were the words of the request before");
	cr_expect_eq(
	    rig_logged(&r.g, "http_request_error", "/secret", NULL), 0);
	cr_expect_eq(rig_ended(OUT_REQUEST_BAD), 1);
	xr_fini(&r);
}

Test(exchange_reply, refused_without_an_answer)
{
	struct exchange_rig r;

	xr_init(&r, "web");
	exchange_refuse(&r.x, &r.front.st, OUT_REQUEST_CUT, NULL);
	XR_FRONT_GOT(&r, "");
	cr_expect_eq(r.front.releases, 1);
	cr_expect_eq(rig_logged(&r.g, "http_request_incomplete", NULL), 1);
	cr_expect_eq(rig_logged(&r.g, "\"status\"", NULL), 0);
	xr_fini(&r);
}
