/* SPDX-License-Identifier: Apache-2.0 */
/* Either side fails in the middle of an exchange: who is told what. */

#include <criterion/criterion.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "unit/conn/exchange_rig.h"

#define TERMINATION                                                   \
	"503\ncontent-type: text/plain\n\nupstream connect error or " \
	"disconnect/reset before headers. reset reason: connection "  \
	"termination\nEND\n"
#define NONSENSE                                                     \
	"502\ncontent-type: text/plain\n\nupstream sent an invalid " \
	"response\nEND\n"

static const enum stream_error errors[] = { STREAM_IDLE_CLOSED,
	STREAM_CLOSED_EARLY, STREAM_CUT, STREAM_RESET, STREAM_BAD_MESSAGE,
	STREAM_TOO_LARGE, STREAM_VERSION, STREAM_NOT_IMPLEMENTED, STREAM_WIRE };

static const struct {
	const char *name;
	bool is_idempotent;
} methods[] = {
	{ "GET", true },
	{ "HEAD", true },
	{ "OPTIONS", true },
	{ "TRACE", true },
	{ "PUT", true },
	{ "DELETE", true },
	{ "POST", false },
	{ "PATCH", false },
	{ "get", false },
	{ "PROPFIND", false },
};

/* Of a pooled connection that its server was about to close. */
static bool
is_of_a_stale_connection(enum stream_error e)
{
	return e == STREAM_IDLE_CLOSED || e == STREAM_CLOSED_EARLY ||
	       e == STREAM_RESET || e == STREAM_WIRE;
}

static bool
is_nonsense(enum stream_error e)
{
	return e == STREAM_BAD_MESSAGE || e == STREAM_TOO_LARGE ||
	       e == STREAM_VERSION || e == STREAM_NOT_IMPLEMENTED;
}

/* One row of the table: the server fails before its answer has begun. */
static void
fail_early(struct exchange_rig *r, size_t method, enum stream_error e,
    bool is_reused, bool has_body)
{
	bool may_retry = is_reused && methods[method].is_idempotent &&
			 !has_body && is_of_a_stale_connection(e);
	char row[128];

	(void)snprintf(row, sizeof(row), "%s, %s, %s, %s", methods[method].name,
	    stream_error_text(e), is_reused ? "reused" : "fresh",
	    has_body ? "body" : "no body");
	fake_back_init(&r->back);
	xr_pool(r, is_reused);
	fake_request(&r->request, methods[method].name, "/", NULL);
	if (has_body) {
		r->request.h.body = BODY_STREAMED;
		fake_data(&r->front, "x");
		fake_end(&r->front);
	}
	fake_fail(&r->back.stream, e);
	xr_run(r);
	cr_expect_eq(r->next, END, "%s", row);
	cr_expect_eq(r->x.retries, may_retry, "%s", row);
	cr_expect(r->back.is_closed, "%s", row);
	cr_expect(r->x.keeps_front, "%s", row);
	/* Where it is sent again nobody listens. */
	cr_expect_eq(r->x.outcome,
	    may_retry        ? OUT_CONNECT_REFUSED
	    : is_nonsense(e) ? OUT_RESPONSE_BAD
			     : OUT_UPSTREAM_CLOSED,
	    "%s: %s", row, outcome_row(r->x.outcome)->word);
	cr_expect_eq(r->x.status, is_nonsense(e) ? 502 : 503, "%s", row);
	fake_stream_fini(&r->back.stream);
	xr_next(r);
}

Test(exchange_fail, which_requests_are_sent_again)
{
	struct exchange_rig r;

	xr_init(&r, "web");
	fake_stream_fini(&r.back.stream);
	for (size_t m = 0; m < ARRAY_LEN(methods); m++)
		for (size_t e = 0; e < ARRAY_LEN(errors); e++)
			for (unsigned bits = 0; bits < 4; bits++)
				fail_early(
				    &r, m, errors[e], bits & 1, bits & 2);
	fake_back_init(&r.back);
	xr_fini(&r);
}

Test(exchange_fail, the_words_of_the_answer)
{
	struct exchange_rig r;

	xr_init(&r, "web");
	xr_pool(&r, false);
	fake_fail(&r.back.stream, STREAM_CLOSED_EARLY);
	xr_run(&r);
	XR_FRONT_GOT(&r, TERMINATION);
	cr_expect_eq(rig_logged(&r.g, "\"outcome\":\"connection_terminated\"",
			 "\"detail\":\"closed before a response began\"",
			 "\"retries\":0", NULL),
	    1);
	xr_fini(&r);
	xr_init(&r, "web");
	xr_pool(&r, false);
	fake_fail(&r.back.stream, STREAM_BAD_MESSAGE);
	xr_run(&r);
	XR_FRONT_GOT(&r, NONSENSE);
	cr_expect_eq(rig_ended(OUT_RESPONSE_BAD), 1);
	xr_fini(&r);
}

/* A socket of ours that listens, and what is put in the resources for it. */
static int
listen_anywhere(char *yaml, size_t n)
{
	struct addr a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	cr_assert(addr_parse(STR("127.0.0.1"), 0, &a));
	cr_assert_eq(bind(fd, &a.u.sa, a.len), 0);
	cr_assert_eq(listen(fd, 4), 0);
	cr_assert_eq(getsockname(fd, &a.u.sa, &a.len), 0);
	(void)snprintf(yaml, n,
	    "type: ExternalService\nmesh: default\nname: web\n"
	    "tags: { kuma.io/service: web, kuma.io/protocol: http }\n"
	    "networking: { address: \"127.0.0.1:%u\" }\n---\n%s",
	    (unsigned)addr_port(&a), rig_permission);
	return fd;
}

static int
accept_now(struct exchange_rig *r, int listener)
{
	int fd = -1;

	for (int i = 0; i < 5000 && fd == -1; i++) {
		loop_turn(r->g.loop);
		fd = accept(listener, NULL, NULL);
		(void)poll(NULL, 0, fd == -1 ? 1 : 0);
	}
	cr_assert_neq(fd, -1, "nobody connected");
	return fd;
}

/* Again, on a fresh connection, and this time it is answered. */
Test(exchange_fail, a_retry_that_is_answered)
{
	char yaml[1024], got[1024] = "";
	struct exchange_rig r;
	int listener, fd;
	ssize_t n = -1;

	xr_init(&r, "web");
	listener = listen_anywhere(yaml, sizeof(yaml));
	rig_reload(&r.g, yaml);
	service_unref(r.conn.service);
	r.conn.service =
	    service_ref(snapshot_match(r.g.snapshot, STR("web{mesh=default}")));
	xr_pool(&r, true);
	fake_fail(&r.back.stream, STREAM_CLOSED_EARLY);
	xr_run(&r);
	cr_expect_eq(r.next, WAIT);
	fd = accept_now(&r, listener);
	for (int i = 0; i < 5000 && n == -1; i++) {
		xr_go_on(&r);
		n = recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT);
		(void)poll(NULL, 0, n == -1 ? 1 : 0);
	}
	cr_expect(
	    str_starts(str_of(got), STR("GET / HTTP/1.1\r\n")), "%s", got);
	cr_assert_eq(write(fd, "HTTP/1.1 204 Fine\r\n\r\n", 21), 21);
	for (int i = 0; i < 5000 && r.next == WAIT; i++) {
		xr_go_on(&r);
		(void)poll(NULL, 0, 1);
	}
	cr_expect_eq(r.next, END);
	cr_expect_eq(r.x.outcome, OUT_OK);
	XR_FRONT_GOT(&r, "204\nEND\n");
	cr_expect_eq(rig_logged(&r.g, "\"retries\":1", "\"status\":204",
			 "\"reused\":0", NULL),
	    1);
	cr_expect_eq(stats_sum(SCOPE_CLUSTER, "default_web",
			 STAT_UPSTREAM_RQ_RETRY_SUCCESS),
	    1);
	close(fd);
	close(listener);
	xr_fini(&r);
}

Test(exchange_fail, the_server_ends_within_its_answer)
{
	for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
		struct exchange_rig r;
		struct fake_head h;

		xr_init(&r, "web");
		xr_pool(&r, true);
		fake_response(&h, 200, NULL);
		h.h.body = BODY_STREAMED;
		fake_head_in(&r.back.stream, &h);
		fake_data(&r.back.stream, "half");
		fake_fail(&r.back.stream, errors[i]);
		xr_run(&r);
		cr_expect_eq(r.next, END);
		cr_expect_eq(r.x.outcome, OUT_RESPONSE_CUT);
		cr_expect_eq(r.x.retries, 0);
		XR_FRONT_GOT(&r, "200\n\nhalf");
		cr_expect_not(r.x.keeps_front);
		cr_expect_not(r.front.was_whole, "it must look cut");
		cr_expect(r.back.is_closed);
		cr_expect_eq(
		    rig_logged(&r.g, "http_response_incomplete", NULL), 1);
		xr_fini(&r);
	}
}

/* After an interim answer the server may have acted on the request. */
Test(exchange_fail, the_server_ends_after_an_interim_answer)
{
	struct exchange_rig r;
	struct fake_head h;

	xr_init(&r, "web");
	xr_pool(&r, true);
	fake_response(&h, 103, NULL);
	fake_head_in(&r.back.stream, &h);
	fake_fail(&r.back.stream, STREAM_CUT);
	xr_run(&r);
	cr_expect_eq(r.x.outcome, OUT_UPSTREAM_CLOSED);
	cr_expect_eq(r.x.retries, 0);
	XR_FRONT_GOT(&r, "103\n\n" TERMINATION);
	xr_fini(&r);
}

/* It does not read what it is sent, and has answered before. */
Test(exchange_fail, a_server_that_takes_no_more_has_the_last_word)
{
	struct exchange_rig r;
	struct fake_head h;

	xr_init(&r, "web");
	xr_pool(&r, true);
	fake_request(&r.request, "POST", "/", NULL);
	r.request.h.body = BODY_STREAMED;
	fake_filler(&r.front, 1000);
	fake_end(&r.front);
	r.back.stream.breaks_on_write = true;
	fake_response(&h, 413, NULL);
	fake_head_in(&r.back.stream, &h);
	xr_run(&r);
	cr_expect_eq(r.next, END);
	cr_expect_eq(r.x.outcome, OUT_OK);
	XR_FRONT_GOT(&r, "413\nEND\n");
	cr_expect(r.back.is_closed);
	xr_fini(&r);
}

Test(exchange_fail, the_caller_ends_within_its_request)
{
	static const enum stream_error ends[] = { STREAM_CUT, STREAM_RESET };

	for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
		struct exchange_rig r;

		xr_init(&r, "web");
		xr_pool(&r, true);
		fake_request(&r.request, "POST", "/", NULL);
		r.request.h.body = BODY_STREAMED;
		fake_data(&r.front, "half");
		fake_fail(&r.front, ends[i]);
		xr_run(&r);
		cr_expect_eq(r.next, END);
		cr_expect_eq(r.x.outcome, OUT_REQUEST_CUT);
		XR_FRONT_GOT(&r, "");
		cr_expect(
		    str_ends(text_str(&r.back.stream.got), STR("\n\nhalf")));
		cr_expect_not(r.back.stream.was_whole);
		cr_expect(r.back.is_closed, "the server must see it cut");
		cr_expect_not(r.x.keeps_front);
		cr_expect_eq(rig_logged(&r.g, "http_request_incomplete",
				 stream_error_text(ends[i]), NULL),
		    1);
		xr_fini(&r);
	}
}

/* As of a head that cannot be read, the caller is told. */
Test(exchange_fail, a_body_that_breaks_the_rules)
{
	struct exchange_rig r;

	xr_init(&r, "web");
	xr_pool(&r, true);
	fake_request(&r.request, "POST", "/", NULL);
	r.request.h.body = BODY_STREAMED;
	fake_data(&r.front, "half");
	fake_fail(&r.front, STREAM_BAD_MESSAGE);
	xr_run(&r);
	cr_expect_eq(r.next, END);
	cr_expect_eq(r.x.outcome, OUT_REQUEST_BAD);
	cr_expect(str_starts(
	    text_str(&r.front.got), STR("400\nconnection: close\n")));
	cr_expect_not(r.back.stream.was_whole);
	cr_expect(r.back.is_closed, "the server must see it cut");
	cr_expect_not(r.x.keeps_front);
	xr_fini(&r);
}

Test(exchange_fail, the_caller_takes_no_more_of_the_answer)
{
	struct exchange_rig r;
	struct fake_head h;

	xr_init(&r, "web");
	xr_pool(&r, true);
	fake_response(&h, 200, NULL);
	h.h.body = BODY_STREAMED;
	fake_head_in(&r.back.stream, &h);
	fake_filler(&r.back.stream, 100000);
	fake_end(&r.back.stream);
	r.front.breaks_on_write = true;
	xr_run(&r);
	cr_expect_eq(r.next, END);
	cr_expect_eq(r.x.outcome, OUT_CALLER_RESET);
	cr_expect(r.back.is_closed);
	cr_expect_not(r.front.was_whole);
	cr_expect_eq(
	    rig_logged(&r.g, "caller_reset", "\"status\":200", NULL), 1);
	xr_fini(&r);
}

Test(exchange_fail, the_connection_ends_while_it_carries)
{
	struct exchange_rig r;

	xr_init(&r, "web");
	xr_pool(&r, true);
	xr_run(&r);
	cr_expect_eq(r.next, WAIT);
	exchange_abort(&r.x, OUT_DRAINED);
	cr_expect_eq(r.front.releases, 1);
	cr_expect_not(r.front.was_whole);
	cr_expect(r.back.is_closed);
	cr_expect_eq(rig_logged(&r.g, "\"outcome\":\"drained\"", NULL), 1);
	cr_expect_eq(
	    stats_sum(SCOPE_CLUSTER, "default_web", STAT_UPSTREAM_RQ_ACTIVE),
	    0);
	xr_fini(&r);
}

/* Nothing of a wait may be left behind: on_leased() would find no exchange. */
Test(exchange_fail, the_connection_ends_while_it_waits_for_a_server)
{
	struct exchange_rig r;

	xr_init(&r, "named");
	xr_run(&r);
	cr_expect_eq(r.next, WAIT, "the name is being resolved");
	exchange_abort(&r.x, OUT_CALLER_RESET);
	cr_expect_eq(r.front.releases, 1);
	rig_pass(&r.g, 10000);
	cr_expect_eq(rig_logged(&r.g, "\"kind\":\"request\"", NULL), 1);
	xr_fini(&r);
}

/* An exchange that stalls has a deadline, which bytes move on. */
Test(exchange_fail, a_stalled_exchange_has_a_deadline)
{
	struct exchange_rig r;
	struct fake_head h;

	xr_init(&r, "web");
	xr_pool(&r, true);
	xr_run(&r);
	cr_expect_eq(r.next, WAIT);
	cr_expect_eq(r.x.deadline.due_ms, r.g.now_ms + 300000);
	rig_pass(&r.g, 200000);
	fake_response(&h, 200, NULL);
	h.h.body = BODY_STREAMED;
	fake_head_in(&r.back.stream, &h);
	fake_data(&r.back.stream, "a");
	xr_go_on(&r);
	cr_expect_eq(r.next, WAIT);
	cr_expect_eq(r.x.deadline.due_ms, r.g.now_ms + 300000);
	exchange_abort(&r.x, OUT_IDLE);
	cr_expect_not(timer_is_set(&r.x.deadline));
	xr_fini(&r);
}
