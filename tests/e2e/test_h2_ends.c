/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How streams and connections of HTTP/2 end: resets both ways, GOAWAY both
 * ways, requests that are sent again, silence.
 */

#include <stdio.h>
#include <string.h>

#include "e2e/peers.h"

static const struct server_options manual = { .is_manual = true };

static const struct said early = {
	.status = 200, .body = "half", .stays_open = true
};

/* The caller gives up: the server hears it at once, and why. */
Test(h2_ends, resets_of_the_caller)
{
	static const uint32_t codes[] = { CODE_CANCEL, CODE_INTERNAL_ERROR,
		CODE_ENHANCE_YOUR_CALM };
	struct rig r;
	struct server *s = rig_start_one(&r, NULL, "http2", &manual);
	struct h2_peer *c = call_h2(&r, "api");
	struct h2_talk *t, *there;

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		t = h2_ask(c,
		    &(struct said){
			.method = "POST", .body = "half", .stays_open = true });
		there = came_talk(came_h2(s, 0), &r, i);
		cr_expect(UNTIL(&r, there->in->n_body == 4));
		h2_reset(t, codes[i]);
		cr_expect(UNTIL(&r, there->in->was_reset), "code %u", codes[i]);
		cr_expect_eq(there->in->reset_code, codes[i], "%u, not %u",
		    there->in->reset_code, codes[i]);
	}
	cr_expect(WAIT_UNTIL(
	    5000, egress_logged(r.w.e, "\"outcome\":\"caller_reset\"",
		      "\"kind\":\"request\"") == 3));
	cr_expect_eq(s->n_came, 1, "the connection stays");
	rig_end(&r);
}

/* In the middle of an answer that the server would go on with. */
Test(h2_ends, a_caller_that_resets_an_answer)
{
	struct rig r;
	struct server *s = rig_start_one(&r, NULL, "http2", &manual);
	struct h2_peer *c = call_h2(&r, "api");
	struct h2_talk *t = h2_ask(c, &(struct said){ .path = "/" }), *there;

	there = came_talk(came_h2(s, 0), &r, 0);
	h2_answer(there, &(struct said){ .status = 200, .n = 1u << 30 });
	cr_expect(UNTIL(&r, t->in->n_body > 100000));
	h2_reset(t, CODE_CANCEL);
	cr_expect(UNTIL(&r, there->in->was_reset));
	cr_expect_eq(there->in->reset_code, CODE_CANCEL);
	s->options.is_manual = false;
	cr_expect_eq(get_h2(&r, c, "/bytes/300000")->n_body, 300000);
	rig_end(&r);
}

/* A caller that goes away altogether, with three requests under way. */
Test(h2_ends, a_caller_that_closes)
{
	struct rig r;
	struct server *s = rig_start_one(&r, NULL, "http2", &manual);
	struct h2_peer *c = call_h2(&r, "api"), *up;

	for (int i = 0; i < 3; i++)
		(void)h2_ask(c, &(struct said){ .path = "/" });
	up = came_h2(s, 0);
	(void)came_talk(up, &r, 2);
	line_reset(c->line);
	for (size_t i = 0; i < 3; i++) {
		cr_expect(UNTIL(&r, up->talks[i]->in->was_reset), "%zu", i);
		cr_expect_eq(up->talks[i]->in->reset_code, CODE_CANCEL);
	}
	cr_expect_eq(up->line->end, LINE_OPEN);
	rig_end(&r);
}

/* A caller of HTTP/1.1 has no other way to say so than to close. */
Test(h2_ends, an_old_caller_that_closes)
{
	struct rig r;
	struct server *s = rig_start_one(&r, NULL, "http2", &manual);
	struct h1_peer *c = call_h1(&r, "api");
	struct h2_talk *there;

	(void)h1_ask(c, &(struct said){ .path = "/" });
	there = came_talk(came_h2(s, 0), &r, 0);
	line_close(c->line);
	cr_expect(UNTIL(&r, there->in->was_reset));
	cr_expect_eq(there->in->reset_code, CODE_CANCEL);
	rig_end(&r);
}

/* Before an answer: a local reply that says so.  After: the code. */
Test(h2_ends, resets_of_the_server)
{
	static const uint32_t codes[] = { CODE_CANCEL, CODE_INTERNAL_ERROR,
		CODE_ENHANCE_YOUR_CALM, CODE_NO_ERROR };
	struct rig r;
	struct server *s = rig_start_one(&r, NULL, "http2", &manual);
	struct h2_peer *c = call_h2(&r, "api");
	struct h2_talk *before, *after, *there;

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		before =
		    h2_ask(c, &(struct said){ .method = "POST", .body = "x" });
		there = came_talk(came_h2(s, 0), &r, i * 2);
		cr_assert(UNTIL(&r, there->in->ended));
		h2_reset(there, codes[i]);
		cr_expect(UNTIL(&r, before->in->ended), "code %u", codes[i]);
		cr_expect_eq(before->in->status, 503, "code %u", codes[i]);
		cr_expect_not_null(
		    strstr(bytes_text(&before->in->body), "remote reset"));
		after = h2_ask(c, &(struct said){ .path = "/after" });
		there = came_talk(came_h2(s, 0), &r, i * 2 + 1);
		h2_answer(there, &early);
		cr_expect(UNTIL(&r, after->in->n_body == 4));
		h2_reset(there, codes[i]);
		cr_expect(UNTIL(&r, after->in->was_reset));
		cr_expect_not(after->in->ended);
		if (codes[i] != CODE_NO_ERROR)
			cr_expect_eq(after->in->reset_code, codes[i]);
		else
			cr_expect_neq(after->in->reset_code, CODE_NO_ERROR);
	}
	cr_expect(has_outcome(r.w.e, "http_request_refused", "INTERNAL_ERROR"));
	cr_expect(has_outcome(r.w.e, "http_response_incomplete", "CANCEL"));
	cr_expect_eq(s->n_came, 1);
	rig_end(&r);
}

/* A whole answer, and no more of the request: NO_ERROR is no failure. */
Test(h2_ends, an_answer_before_the_request_has_ended)
{
	struct rig r;
	struct server *s = rig_start_one(&r, NULL, "http2", &manual);
	struct h2_peer *c = call_h2(&r, "api");
	struct h2_talk *t =
	    h2_ask(c, &(struct said){ .method = "POST", .n = 1u << 30 });
	struct h2_talk *there = came_talk(came_h2(s, 0), &r, 0);

	h2_answer(there, &(struct said){ .status = 413, .body = "too much" });
	cr_expect(UNTIL(&r, there->out_ended));
	h2_reset(there, CODE_NO_ERROR);
	cr_expect(UNTIL(&r, t->in->ended));
	cr_expect_eq(t->in->status, 413);
	cr_expect_str_eq(bytes_text(&t->in->body), "too much");
	cr_expect(UNTIL(&r, t->in->was_reset));
	cr_expect_eq(t->in->reset_code, CODE_NO_ERROR);
	rig_end(&r);
}

/* GOAWAY with a lower id: what the server never took goes elsewhere. */
Test(h2_ends, goaway_of_the_server)
{
	struct rig r;
	struct server *s = rig_start_one(&r, NULL, "http2", &manual);
	struct h2_peer *c = call_h2(&r, "api"), *up;
	struct h2_talk *taken, *get, *post;

	taken = h2_ask(c, &(struct said){ .path = "/taken" });
	up = came_h2(s, 0);
	(void)came_talk(up, &r, 0);
	get = h2_ask(c, &(struct said){ .path = "/get" });
	post = h2_ask(c, &(struct said){ .method = "POST", .path = "/post" });
	(void)came_talk(up, &r, 2);
	s->options.is_manual = false; /* the next one answers */
	h2_goaway(up, up->talks[0]->id, CODE_NO_ERROR);
	cr_expect(UNTIL(&r, get->in->ended && post->in->ended));
	cr_expect_eq(get->in->status, 200);
	cr_expect_eq(post->in->status, 200);
	cr_expect_eq(s->n_came, 2);
	/* What it took ends where it is. */
	cr_expect_not(taken->in->has_head || taken->in->was_reset);
	h2_answer(up->talks[0], &(struct said){ .status = 201 });
	cr_expect(UNTIL(&r, taken->in->ended));
	cr_expect_eq(taken->in->status, 201);
	/* And then nothing is left of the old connection. */
	cr_expect(UNTIL(&r, up->line->end != LINE_OPEN));
	cr_expect_not_null(
	    egress_log_line(r.w.e, "\"retries\":1", "\"path\":\"/post\""));
	cr_expect_eq(
	    cluster_metric(r.w.e, "envoy_cluster_upstream_rq_retry", "api"), 2);
	rig_end(&r);
}

static void
refuse_first(struct h2_talk *t, void *arg)
{
	unsigned *refused = arg;

	if (!t->in->ended || t->is_answered)
		return;
	t->is_answered = true;
	if ((*refused)-- > 0)
		h2_reset(t, CODE_REFUSED_STREAM);
	else
		h2_answer(t, &(struct said){ .status = 200 });
}

/* The server says that it did nothing: a POST goes out again, too. */
Test(h2_ends, refused_streams_are_sent_again)
{
	unsigned left = 1;
	struct rig r;
	struct h2_peer *c;
	struct h2_talk *t;

	(void)rig_start_one(&r, NULL, "http2",
	    &(struct server_options){
		.on_request = refuse_first, .arg = &left });
	c = call_h2(&r, "api");
	t = h2_ask(c, &(struct said){ .method = "POST", .path = "/once" });
	cr_expect(UNTIL(&r, t->in->ended));
	cr_expect_eq(t->in->status, 200);
	cr_expect_not_null(
	    egress_log_line(r.w.e, "\"retries\":1", "\"path\":\"/once\""));
	/* Not for ever. */
	left = 100;
	t = h2_ask(c, &(struct said){ .path = "/ever" });
	cr_expect(UNTIL(&r, t->in->ended));
	cr_expect_eq(t->in->status, 503);
	cr_expect_geq(left, 90);
	rig_end(&r);
}

/* Without GOAWAY nobody knows what the server did with a POST. */
Test(h2_ends, a_post_that_may_have_been_taken_is_not_sent_again)
{
	struct rig r;
	struct server *s = rig_start_one(&r, NULL, "http2", &manual);
	struct h2_peer *c = call_h2(&r, "api");
	struct h2_talk *t =
	    h2_ask(c, &(struct said){ .method = "POST", .body = "x" });
	struct h2_peer *up = came_h2(s, 0);

	(void)came_talk(up, &r, 0);
	line_close(up->line);
	cr_expect(UNTIL(&r, t->in->ended));
	cr_expect_eq(t->in->status, 503);
	cr_expect_eq(s->n_came, 1);
	rig_end(&r);
}

/* SIGTERM: GOAWAY, what is under way ends, nothing new is taken. */
Test(h2_ends, drain)
{
	struct rig r;
	struct server *s = rig_start_one(&r, NULL, "http2", &manual);
	struct h2_peer *c = call_h2(&r, "api"), *idle = call_h2(&r, "api");
	struct h2_talk *t = h2_ask(c, &(struct said){ .path = "/" });
	struct h2_talk *there = came_talk(came_h2(s, 0), &r, 0);

	cr_expect(UNTIL(&r, idle->n_settings > 0));
	egress_signal(r.w.e, SIGTERM);
	cr_expect(UNTIL(&r, c->has_goaway && idle->has_goaway));
	cr_expect_eq(c->goaway_code, CODE_NO_ERROR);
	cr_expect(UNTIL(&r, idle->line->end != LINE_OPEN));
	cr_expect_eq(idle->line->end, LINE_FIN);
	cr_expect_eq(c->line->end, LINE_OPEN);
	h2_answer(there, &(struct said){ .status = 200, .n = 100000 });
	cr_expect(UNTIL(&r, t->in->ended));
	cr_expect_eq(t->in->n_body, 100000);
	cr_expect(UNTIL(&r, c->line->end == LINE_FIN));
	cr_expect_geq(c->goaway_last, t->id);
	cr_expect_eq(egress_wait(r.w.e, 5000), 0);
	rig_end(&r);
}

/* The same when it takes too long. */
Test(h2_ends, a_drain_that_takes_too_long)
{
	struct rig r;
	struct server *s = rig_start_one(
	    &r, "limits = { drain_ms = 200; };", "http2", &manual);
	struct h2_peer *c = call_h2(&r, "api");
	struct h2_talk *t = h2_ask(c, &(struct said){ .path = "/" });

	(void)came_talk(came_h2(s, 0), &r, 0);
	egress_signal(r.w.e, SIGTERM);
	cr_expect(UNTIL(&r, c->line->end != LINE_OPEN));
	cr_expect_not(t->in->ended);
	cr_expect_eq(egress_wait(r.w.e, 5000), 0);
	rig_end(&r);
}

Test(h2_ends, a_caller_without_requests)
{
	struct rig r;
	struct h2_peer *c;

	(void)rig_start_one(&r, "limits = { http_idle_ms = 200; };", "http2",
	    &(struct server_options){ .name = NULL });
	c = call_h2(&r, "api");
	cr_expect_eq(get_h2(&r, c, "/")->status, 200);
	cr_expect(UNTIL(&r, c->line->end != LINE_OPEN));
	cr_expect(c->has_goaway);
	cr_expect_eq(c->goaway_code, CODE_NO_ERROR);
	cr_expect_eq(c->line->end, LINE_FIN);
	cr_expect(has_outcome(r.w.e, "idle", "\"requests\":1"));
	rig_end(&r);
}

/* Connections to servers are not kept for ever either. */
Test(h2_ends, a_server_without_requests)
{
	struct rig r;
	struct server *s =
	    rig_start_one(&r, "limits = { pool_idle_ms = 200; };", "http2",
		&(struct server_options){ .name = NULL });
	struct h2_peer *c = call_h2(&r, "api");

	cr_expect_eq(get_h2(&r, c, "/")->status, 200);
	cr_expect(UNTIL(&r, came_h2(s, 0)->line->end != LINE_OPEN));
	cr_expect_eq(get_h2(&r, c, "/")->status, 200);
	cr_expect_eq(s->n_came, 2);
	rig_end(&r);
}

/* A caller with an open request that is not there any more. */
Test(h2_ends, a_caller_that_answers_no_ping)
{
	static const char config[] =
	    "limits = { h2_ping_ms = 100; h2_ping_timeout_ms = 200; };";
	struct rig r;
	struct server *s = rig_start_one(&r, config, "http2", &manual);
	struct h2_peer *good = call_h2(&r, "api");
	struct h2_peer *c =
	    call_h2_with(&r, "api", &(struct h2_options){ .no_pongs = true });

	(void)h2_ask(good, &(struct said){ .path = "/" });
	(void)h2_ask(c, &(struct said){ .path = "/" });
	(void)came_talk(came_h2(s, 0), &r, 1);
	cr_expect(UNTIL(&r, c->line->end != LINE_OPEN));
	cr_expect_geq(c->frames[FRAME_PING], 1);
	cr_expect(has_outcome(r.w.e, "http2_ping_timeout", NULL));
	cr_expect(UNTIL(&r, good->frames[FRAME_PING] >= 2));
	cr_expect_eq(good->line->end, LINE_OPEN);
	rig_end(&r);
}

Test(h2_ends, a_server_that_answers_no_ping)
{
	static const char config[] =
	    "limits = { upstream_h2_ping_ms = 100; h2_ping_timeout_ms = 200; "
	    "};";
	struct rig r;
	struct server *s = rig_start_one(&r, config, "http2",
	    &(struct server_options){
		.is_manual = true, .h2 = { .no_pongs = true } });
	struct h2_peer *c = call_h2(&r, "api");
	struct h2_talk *t =
	    h2_ask(c, &(struct said){ .method = "POST", .body = "x" });

	(void)came_talk(came_h2(s, 0), &r, 0);
	cr_expect(UNTIL(&r, t->in->ended));
	cr_expect_eq(t->in->status, 503);
	cr_expect(UNTIL(&r, came_h2(s, 0)->line->end != LINE_OPEN));
	rig_end(&r);
}

/* Our answers to PING are prompt and whole. */
Test(h2_ends, pings_are_answered)
{
	struct rig r;
	struct h2_peer *c;

	(void)rig_start_one(&r, NULL, "http2", &manual);
	c = call_h2(&r, "api");
	h2_ping(c, 0x0102030405060708);
	h2_ping(c, 2);
	cr_expect(UNTIL(&r, c->n_pongs == 2));
	cr_expect_eq(c->n_acks, 1, "of our SETTINGS");
	rig_end(&r);
}
