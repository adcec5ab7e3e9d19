/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole connection of HTTP/2: the caller is a TLS wire with a real session,
 * the connection the real one; the server is made up, or refuses.
 */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "conn/conn.h"
#include "conn/reset_code.h"
#include "unit/conn/fake_stream.h"
#include "unit/conn/h2_caller.h"

#define SNI "web{mesh=default}"
#define PREFACE "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define NO_SETTINGS "\0\0\0\x4\0\0\0\0\0"
#define PING "\0\0\x8\x6\0\0\0\0\0whatever"

static const char web[] =
    "type: ExternalService\nmesh: default\nname: web\n"
    "tags: { kuma.io/service: web, kuma.io/protocol: %s }\n"
    "networking: { address: \"127.0.0.1:1\" }\n---\n%s";

struct world {
	struct rig g;
	struct h2_caller c;
	struct fake_back back;
	struct fake_head answer;
};

static void
setup_protocol(struct world *w, const char *protocol)
{
	char *yaml = xasprintf(web, protocol, rig_permission);

	*w = (struct world){ .answer = { .h = { .status = 0 } } };
	rig_init(&w->g, yaml);
	free(yaml);
	fake_back_init(&w->back);
	h2_caller_dial(&w->c, &w->g, SNI);
}

static void
setup(struct world *w)
{
	setup_protocol(w, "http2");
	h2_caller_speak(&w->c);
}

static void
teardown(struct world *w)
{
	h2_caller_hang_up(&w->c);
	rig_fini(&w->g);
	fake_stream_fini(&w->back.stream);
}

/* A server that has not answered yet. */
static void
pool(struct world *w)
{
	struct service *s = snapshot_match(w->g.snapshot, STR(SNI));

	fake_back_pool(&w->back, clusters_get(w->g.clusters, s), 0, true);
}

static void
will_answer(struct world *w, const char *body)
{
	fake_response(&w->answer, 200, NULL);
	w->answer.h.body = BODY_STREAMED;
	fake_head_in(&w->back.stream, &w->answer);
	fake_data(&w->back.stream, body);
	fake_end(&w->back.stream);
}

static void
deny(struct world *w)
{
	char *yaml = xasprintf(web, "http2", "");

	rig_reload(&w->g, yaml);
	free(yaml);
}

static void
expect_ended(struct world *w, const char *outcome)
{
	char want[64];

	(void)snprintf(want, sizeof(want), "\"outcome\":\"%s\"", outcome);
	cr_expect_eq(rig_logged(&w->g, "\"kind\":\"connection\"",
			 "\"http\":\"2\"", want, NULL),
	    1, "no connection ended as %s", outcome);
	cr_expect_eq(conns_count(w->g.conns), 0);
}

static uint64_t
counted(unsigned stat)
{
	return stats_sum(SCOPE_LISTENER, "test", stat);
}

Test(h2_front, a_request_by_prior_knowledge)
{
	static const char *const protocols[] = { "http", "http2", "grpc" };

	for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
		struct h2_call *call;
		struct world w;

		setup_protocol(&w, protocols[i]);
		h2_caller_speak(&w.c);
		pool(&w);
		will_answer(&w, "fine");
		call = h2_caller_ask(&w.c, "GET", "/a?b", false);
		h2_caller_turn(&w.c);
		cr_expect_eq(
		    call->status, 200, "%s: %u", protocols[i], call->status);
		cr_expect_str_eq(call->body.p, "fine");
		cr_expect(call->has_ended);
		cr_expect_eq(rig_logged(&w.g, "\"kind\":\"request\"",
				 "\"http\":\"2\"", "\"stream\":1",
				 "\"path\":\"/a\"", "\"status\":200", NULL),
		    1);
		cr_expect_eq(counted(STAT_DOWNSTREAM_CX_HTTP2), 1);
		cr_expect_eq(counted(STAT_DOWNSTREAM_CX_HTTP1), 0);
		teardown(&w);
	}
}

Test(h2_front, a_preface_byte_by_byte)
{
	static const char all[] = PREFACE NO_SETTINGS;
	struct world w;

	setup_protocol(&w, "http2");
	for (size_t i = 0; i + 1 < sizeof(all); i++)
		h2_caller_say(&w.c, &all[i], 1);
	cr_expect_eq(counted(STAT_DOWNSTREAM_CX_HTTP2), 1);
	cr_expect_gt(w.c.got.len, 9, "its SETTINGS");
	teardown(&w);
}

Test(h2_front, half_a_preface_has_its_time)
{
	struct world w;

	setup_protocol(&w, "http2");
	h2_caller_pass(&w.c, 200000);
	h2_caller_say(&w.c, PREFACE, 10);
	h2_caller_pass(&w.c, 14000);
	cr_expect_eq(conns_count(w.g.conns), 1);
	h2_caller_pass(&w.c, 1100);
	cr_expect_eq(conns_count(w.g.conns), 0);
	cr_expect_eq(rig_ended(OUT_REQUEST_LATE), 1);
	teardown(&w);
}

Test(h2_front, silence_has_its_time)
{
	struct world w;

	setup_protocol(&w, "http2");
	h2_caller_pass(&w.c, 299000);
	cr_expect_eq(conns_count(w.g.conns), 1);
	h2_caller_pass(&w.c, 1100);
	cr_expect_eq(conns_count(w.g.conns), 0);
	cr_expect_eq(rig_ended(OUT_IDLE), 1);
	teardown(&w);
}

static const struct {
	const char *bytes;
	enum outcome outcome;
} starts[] = {
	{ "", OUT_OK },
	{ "PRI * HT", OUT_REQUEST_CUT },
	{ "P", OUT_REQUEST_CUT },
};

Test(h2_front, a_caller_that_leaves_before_it_is_known)
{
	for (size_t i = 0; i < ARRAY_LEN(starts); i++) {
		struct world w;

		setup_protocol(&w, "http2");
		h2_caller_say(&w.c, starts[i].bytes, strlen(starts[i].bytes));
		h2_caller_hang_up(&w.c);
		cr_expect_eq(conns_count(w.g.conns), 0);
		cr_expect_eq(
		    rig_ended(starts[i].outcome), 1, "\"%s\"", starts[i].bytes);
		teardown(&w);
	}
}

Test(h2_front, http1_is_still_spoken)
{
	static const char get[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
	struct world w;

	setup_protocol(&w, "http2");
	deny(&w);
	h2_caller_say(&w.c, get, sizeof(get) - 1);
	cr_expect(str_starts(text_str(&w.c.got), STR("HTTP/1.1 403")), "%s",
	    w.c.got.p);
	cr_expect_eq(counted(STAT_DOWNSTREAM_CX_HTTP1), 1);
	teardown(&w);
}

/* More than one turn takes on: all of them are served. */
Test(h2_front, many_at_once)
{
	struct world w;

	setup(&w);
	deny(&w);
	for (int i = 0; i < 100; i++)
		(void)h2_caller_ask(&w.c, "POST", "/", i % 2 == 0);
	for (int i = 0; i < 5; i++)
		h2_caller_turn(&w.c);
	for (size_t i = 0; i < 100; i++)
		cr_expect_eq(w.c.calls[i].status, 403, "%zu", i);
	cr_expect_eq(counted(STAT_DOWNSTREAM_RQ_TOTAL), 100);
	cr_expect_eq(counted(STAT_DOWNSTREAM_RQ_ACTIVE), 0);
	cr_expect_eq(rig_ended(OUT_DENIED), 100);
	h2_caller_hang_up(&w.c);
	cr_expect_eq(rig_logged(&w.g, "\"requests\":100", NULL), 1);
	teardown(&w);
}

/* Others are served meanwhile. */
Test(h2_front, one_that_waits_holds_nobody_up)
{
	struct h2_call *slow, *fast;
	struct text t = TEXT_EMPTY;
	struct world w;

	setup(&w);
	pool(&w);
	slow = h2_caller_ask(&w.c, "GET", "/slow", false);
	h2_caller_turn(&w.c);
	fast = h2_caller_ask(&w.c, "GET", "/fast", false);
	h2_caller_turn(&w.c);
	cr_expect_eq(slow->status, 0);
	cr_expect_eq(fast->status, 503, "nobody listens: %u", fast->status);
	conns_print(w.g.conns, 1, &t);
	cr_expect_not_null(
	    strstr(t.p, " http=2 requests=2 open=1 "), "%s", t.p);
	text_free(&t);
	teardown(&w);
}

Test(h2_front, a_request_taken_back)
{
	struct h2_call *call;
	struct world w;

	setup(&w);
	pool(&w);
	call = h2_caller_ask(&w.c, "GET", "/", false);
	h2_caller_turn(&w.c);
	cr_expect_eq(w.back.opened, 1);
	h2_caller_take_back(&w.c, call);
	cr_expect_eq(w.back.stream.releases, 1, "the server hears at once");
	cr_expect_not(w.back.stream.was_whole);
	cr_expect_eq(w.back.stream.st.reset_code, RESET_CANCEL);
	cr_expect_eq(rig_ended(OUT_CALLER_RESET), 1);
	cr_expect_eq(conns_count(w.g.conns), 1, "the connection stays");
	cr_expect_eq(counted(STAT_H2_RX_RESET), 1);
	teardown(&w);
}

Test(h2_front, a_caller_that_leaves)
{
	struct world w;

	setup(&w);
	pool(&w);
	(void)h2_caller_ask(&w.c, "GET", "/", false);
	h2_caller_turn(&w.c);
	h2_caller_hang_up(&w.c);
	expect_ended(&w, "caller_reset");
	cr_expect_eq(rig_logged(&w.g, "\"kind\":\"request\"",
			 "\"outcome\":\"caller_reset\"", NULL),
	    1);
	cr_expect_not(w.back.stream.was_whole);
	teardown(&w);
}

Test(h2_front, a_head_that_is_too_large)
{
	struct h2_call *call;
	struct world w;
	char *path = xmalloc(2000);

	setup_protocol(&w, "http2");
	w.g.http.head_bytes = 1024;
	memset(path, 'a', 1999);
	path[0] = '/';
	path[1999] = '\0';
	h2_caller_speak(&w.c);
	call = h2_caller_ask(&w.c, "GET", path, false);
	h2_caller_turn(&w.c);
	cr_expect_eq(call->status, 431, "%u", call->status);
	cr_expect_eq(rig_ended(OUT_REQUEST_TOO_LARGE), 1);
	cr_expect_eq(conns_count(w.g.conns), 1);
	cr_expect_eq(counted(STAT_H2_HEADER_OVERFLOW), 1);
	free(path);
	teardown(&w);
}

Test(h2_front, idle_between_requests)
{
	struct world w;

	setup(&w);
	deny(&w);
	h2_caller_pass(&w.c, 200000);
	(void)h2_caller_ask(&w.c, "GET", "/", false);
	h2_caller_turn(&w.c);
	h2_caller_pass(&w.c, 299000);
	cr_expect_eq(h2_session_state(w.c.session), H2_OPEN);
	h2_caller_pass(&w.c, 1100);
	cr_expect_neq(h2_session_state(w.c.session), H2_OPEN);
	h2_caller_pass(&w.c, 3000);
	expect_ended(&w, "idle");
	cr_expect_eq(counted(STAT_H2_GOAWAY_SENT), 1);
	teardown(&w);
}

Test(h2_front, a_long_answer_is_not_idle)
{
	struct world w;

	setup(&w);
	pool(&w);
	w.g.limits.stream_idle_ms = 1000000;
	(void)h2_caller_ask(&w.c, "GET", "/", false);
	h2_caller_pass(&w.c, 400000);
	cr_expect_eq(h2_session_state(w.c.session), H2_OPEN);
	cr_expect_eq(conns_count(w.g.conns), 1);
	teardown(&w);
}

static void
drained(void *arg)
{
	bool *is_drained = arg;

	*is_drained = true;
}

Test(h2_front, drained_while_idle)
{
	bool is_drained = false;
	struct world w;

	setup(&w);
	conns_drain(w.g.conns, drained, &is_drained);
	h2_caller_turn(&w.c);
	h2_caller_pass(&w.c, 5000);
	cr_expect(is_drained);
	cr_expect_neq(h2_session_state(w.c.session), H2_OPEN);
	expect_ended(&w, "drained");
	teardown(&w);
}

Test(h2_front, drained_before_it_is_known)
{
	bool is_drained = false;
	struct world w;

	setup_protocol(&w, "http2");
	conns_drain(w.g.conns, drained, &is_drained);
	h2_caller_turn(&w.c);
	cr_expect(is_drained);
	cr_expect_eq(rig_ended(OUT_DRAINED), 1);
	teardown(&w);
}

Test(h2_front, drained_after_the_last_answer)
{
	bool is_drained = false;
	struct h2_call *call;
	struct world w;

	setup(&w);
	pool(&w);
	call = h2_caller_ask(&w.c, "GET", "/", true);
	h2_caller_turn(&w.c);
	conns_drain(w.g.conns, drained, &is_drained);
	h2_caller_pass(&w.c, 5000);
	cr_expect_not(is_drained);
	cr_expect_eq(h2_session_state(w.c.session), H2_GOING);
	will_answer(&w, "last");
	/* Any event will do to have it looked at. */
	call->stream->ops->push_body(call->stream, STR("x"));
	h2_caller_turn(&w.c);
	h2_caller_pass(&w.c, 2500);
	cr_expect_eq(call->status, 200);
	cr_expect_str_eq(call->body.p, "last");
	cr_expect(is_drained);
	expect_ended(&w, "drained");
	cr_expect_eq(rig_logged(&w.g, "\"kind\":\"request\"",
			 "\"outcome\":\"ok\"", NULL),
	    1);
	teardown(&w);
}

Test(h2_front, a_certificate_that_ran_out)
{
	struct h2_call *before, *after;
	struct world w;

	setup(&w);
	pool(&w);
	before = h2_caller_ask(&w.c, "GET", "/", true);
	h2_caller_turn(&w.c);
	clock_fake(w.g.now_ms, clock_wall_ms() + 2 * 86400000LL);
	after = h2_caller_ask(&w.c, "GET", "/", false);
	h2_caller_turn(&w.c);
	cr_expect_eq(after->status, 0);
	cr_expect_eq(after->error, STREAM_REFUSED, "it may ask elsewhere");
	cr_expect_eq(rig_ended(OUT_CERT_ENDED), 1);
	cr_expect_eq(h2_session_state(w.c.session), H2_GOING);
	will_answer(&w, "still");
	before->stream->ops->push_body(before->stream, STR("x"));
	h2_caller_turn(&w.c);
	cr_expect_eq(before->status, 200);
	h2_caller_pass(&w.c, 2500);
	expect_ended(&w, "caller_expired");
	teardown(&w);
}

Test(h2_front, a_permission_that_is_taken_away)
{
	struct h2_call *call;
	struct world w;

	setup(&w);
	pool(&w);
	call = h2_caller_ask(&w.c, "GET", "/", true);
	h2_caller_turn(&w.c);
	deny(&w);
	conns_reauthorize(w.g.conns, NULL, NULL);
	h2_caller_turn(&w.c);
	cr_expect_eq(call->status, 403);
	cr_expect_eq(rig_ended(OUT_REVOKED), 1);
	cr_expect_eq(conns_count(w.g.conns), 1, "others may be allowed");
	call = h2_caller_ask(&w.c, "GET", "/", false);
	h2_caller_turn(&w.c);
	cr_expect_eq(call->status, 403);
	teardown(&w);
}

static const struct {
	const char *bytes;
	size_t n;
	const char *outcome;
	const char *detail;
} broken[] = {
#define ROW(bytes, outcome, detail)                                       \
	{                                                                 \
		PREFACE bytes, sizeof(PREFACE bytes) - 1, outcome, detail \
	}
	/* DATA on stream 1, which is idle. */
	ROW(NO_SETTINGS "\0\0\0\0\0\0\0\0\1", "http2_protocol_error", ""),
	ROW("GET / HTTP/1.1\r\n\r\n", "http2_protocol_error", "SETTINGS"),
	ROW(NO_SETTINGS PING PING PING PING PING PING, "http2_abuse",
	    "limits.h2_pings = 5"),
#undef ROW
};

Test(h2_front, callers_that_break_the_rules)
{
	for (size_t i = 0; i < ARRAY_LEN(broken); i++) {
		struct world w;

		setup_protocol(&w, "http2");
		w.g.h2.abuse[H2_ABUSE_PINGS] = 5;
		h2_caller_say(&w.c, broken[i].bytes, broken[i].n);
		/* GOAWAY is there, and then the end. */
		cr_expect_gt(w.c.got.len, 17);
		h2_caller_turn(&w.c);
		cr_expect_eq(w.c.end, IO_EOF, "row %zu", i);
		h2_caller_hang_up(&w.c);
		expect_ended(&w, broken[i].outcome);
		cr_expect_eq(
		    rig_logged(&w.g, broken[i].outcome, broken[i].detail, NULL),
		    1, "row %zu", i);
		teardown(&w);
	}
}

/* With open requests: each of them ends as the connection did. */
Test(h2_front, abuse_ends_the_requests_too)
{
	/* HEADERS of a POST that goes on, by the static table. */
	static const char all[] =
	    PREFACE NO_SETTINGS "\0\0\x6\x1\x4\0\0\0\1\x83\x84\x86\x41\x01"
				"a" PING PING PING PING PING PING;
	struct world w;

	setup_protocol(&w, "http2");
	pool(&w);
	w.g.h2.abuse[H2_ABUSE_PINGS] = 5;
	h2_caller_say(&w.c, PREFACE NO_SETTINGS, 24 + 9);
	h2_caller_say(&w.c, all + 33, 9 + 6);
	cr_expect_eq(w.back.opened, 1);
	h2_caller_say(&w.c, all + 48, sizeof(all) - 1 - 48);
	h2_caller_hang_up(&w.c);
	expect_ended(&w, "http2_abuse");
	cr_expect_eq(rig_logged(&w.g, "\"kind\":\"request\"",
			 "\"outcome\":\"http2_abuse\"", NULL),
	    1);
	cr_expect_not(w.back.stream.was_whole);
	cr_expect_eq(counted(STAT_H2_PINGS_FLOOD), 1);
	teardown(&w);
}

/* A field block that is begun and not ended. */
Test(h2_front, a_head_that_comes_too_slowly)
{
	static const char begun[] = "\0\0\1\x1\0\0\0\0\1\x82";
	struct world w;

	setup_protocol(&w, "http2");
	h2_caller_say(&w.c, PREFACE NO_SETTINGS, 24 + 9);
	h2_caller_say(&w.c, begun, sizeof(begun) - 1);
	h2_caller_pass(&w.c, 14000);
	cr_expect_eq(conns_count(w.g.conns), 1);
	h2_caller_pass(&w.c, 4000);
	h2_caller_hang_up(&w.c);
	expect_ended(&w, "http_request_timeout");
	cr_expect_eq(counted(STAT_H2_HEAD_LATE), 1);
	teardown(&w);
}

Test(h2_front, an_end_by_force)
{
	bool is_drained = false;
	struct world w;

	setup(&w);
	pool(&w);
	for (int i = 0; i < 40; i++)
		(void)h2_caller_ask(&w.c, "GET", "/", true);
	h2_caller_turn(&w.c);
	conns_drain(w.g.conns, drained, &is_drained);
	h2_caller_pass(&w.c, 31000);
	cr_expect(is_drained);
	cr_expect_eq(conns_count(w.g.conns), 0);
	cr_expect_eq(counted(STAT_DOWNSTREAM_RQ_ACTIVE), 0);
	teardown(&w);
}
