/* SPDX-License-Identifier: Apache-2.0 */
/* Many requests on few connections of HTTP/2, and how many at a time. */

#include <stdio.h>
#include <string.h>

#include "e2e/peers.h"

#define MANY 100
#define CALLERS_OF_MANY 3

static const struct server_options plain_h2 = { .name = NULL };

static size_t
count_ended(struct message *const *m, size_t n, int status)
{
	size_t ended = 0;

	for (size_t i = 0; i < n; i++)
		ended += m[i]->ended && m[i]->status == status;
	return ended;
}

/* Requests that reached the server. */
static size_t
count_came(const struct server *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_came; i++)
		n += s->came[i].h2->n_talks;
	return n;
}

/* Held until all are there; so all are open at once. */
Test(h2_streams, three_hundred_at_once)
{
	struct rig r;
	struct server *s = rig_start_one(
	    &r, NULL, "http2", &(struct server_options){ .is_manual = true });
	struct h2_peer *c[CALLERS_OF_MANY];
	struct message *m[CALLERS_OF_MANY * MANY];
	char path[32];
	size_t n = 0, open = 0;

	for (int i = 0; i < CALLERS_OF_MANY; i++)
		c[i] = call_h2(&r, "api");
	for (int k = 0; k < MANY; k++)
		for (int i = 0; i < CALLERS_OF_MANY; i++) {
			(void)snprintf(path, sizeof(path), "/%d/%d", i, k);
			m[n++] =
			    h2_ask(c[i], &(struct said){ .path = path })->in;
		}
	cr_assert(UNTIL(&r, (open = count_came(s)) == n),
	    "%zu of %zu are there", open, n);
	/* As many as limits.upstream_h2_streams on each. */
	cr_expect_geq(s->n_came, n / 100);
	cr_expect_leq(s->n_came, 6, "%zu connections", s->n_came);
	for (size_t i = 0; i < s->n_came; i++)
		for (size_t k = 0; k < s->came[i].h2->n_talks; k++) {
			struct h2_talk *t = s->came[i].h2->talks[k];

			h2_answer(
			    t, &(struct said){ .status = 200,
				   .body = message_field(t->in, ":path") });
		}
	cr_expect(UNTIL(&r, count_ended(m, n, 200) == n));
	/* Each has its own answer. */
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(path, sizeof(path), "/%zu/%zu", i % 3, i / 3);
		cr_expect_str_eq(bytes_text(&m[i]->body), path);
	}
	for (size_t i = 0; i < s->n_came; i++)
		cr_expect_str_eq(s->came[i].h2->wrong, "");
	rig_end(&r);
}

struct strict {
	size_t limit;
	unsigned refused;
	unsigned beyond; /* opened although the limit was acknowledged */
};

/* Answers what is within its limit, and refuses the rest. */
static void
answer_within(struct h2_talk *t, void *arg)
{
	struct strict *k = arg;

	if (!t->in->ended || t->is_answered)
		return;
	t->is_answered = true;
	if (h2_count_open(t->peer) <= k->limit)
		return; /* answered below, so that others come meanwhile */
	k->refused++;
	k->beyond += t->peer->n_acks > 0;
	h2_reset(t, CODE_REFUSED_STREAM);
}

static void
answer_all(struct server *s)
{
	for (size_t i = 0; i < s->n_came; i++)
		for (size_t k = 0; k < s->came[i].h2->n_talks; k++) {
			struct h2_talk *t = s->came[i].h2->talks[k];

			if (t->in->ended && !t->out_ended)
				h2_answer(t, &(struct said){ .status = 200 });
		}
}

static void
check_limit(uint32_t limit)
{
	const uint32_t settings[][2] = { { SETTING_STREAMS, limit }, { 0, 0 } };
	struct strict strict = { .limit = limit };
	struct rig r;
	struct server *s = rig_start_one(&r, NULL, "http2",
	    &(struct server_options){ .h2 = { .settings = settings },
		.on_request = answer_within,
		.arg = &strict });
	struct h2_peer *c = call_h2(&r, "api");
	struct message *m[40];

	for (int i = 0; i < 40; i++)
		m[i] = h2_ask(c, &(struct said){ .path = "/" })->in;
	cr_expect(UNTIL(&r, (answer_all(s), count_ended(m, 40, 200) == 40)),
	    "limit %u: %zu answers", limit, count_ended(m, 40, 200));
	cr_expect_eq(strict.beyond, 0, "limit %u", limit);
	cr_expect_geq(s->n_came, 1);
	rig_end(&r);
}

Test(h2_streams, the_servers_limit_of_ten)
{
	check_limit(10);
}

Test(h2_streams, the_servers_limit_of_one)
{
	check_limit(1);
}

/* A server that takes none has its request wait, and is not flooded. */
Test(h2_streams, our_own_limit)
{
	struct rig r;
	struct server *s = rig_start_one(&r, "limits = { h2_streams = 2; };",
	    "http2", &(struct server_options){ .is_manual = true });
	struct h2_peer *c = call_h2(&r, "api");
	struct h2_talk *t[3];

	for (int i = 0; i < 3; i++)
		t[i] = h2_ask(c, &(struct said){ .path = "/" });
	cr_expect(UNTIL(&r, t[2]->in->was_reset));
	cr_expect_eq(c->settings[SETTING_STREAMS], 2);
	cr_expect_eq(t[2]->in->reset_code, CODE_REFUSED_STREAM);
	cr_expect_not(t[0]->in->was_reset || t[1]->in->was_reset);
	(void)came_talk(came_h2(s, 0), &r, 1);
	cr_expect_eq(count_came(s), 2);
	answer_all(s);
	cr_expect(UNTIL(&r, t[0]->in->ended && t[1]->in->ended));
	/* And then there is room again. */
	t[0] = h2_ask(c, &(struct said){ .path = "/" });
	(void)came_talk(came_h2(s, 0), &r, 2);
	answer_all(s);
	cr_expect(UNTIL(&r, t[0]->in->ended));
	rig_end(&r);
}

/* One connection does for callers that come one after the other. */
Test(h2_streams, callers_share_connections)
{
	struct rig r;
	struct server *s = rig_start_one(&r, NULL, "http2", &plain_h2);
	struct h2_peer *c;

	for (int i = 0; i < 5; i++) {
		c = call_h2(&r, "api");
		cr_expect_eq(get_h2(&r, c, "/")->status, 200);
		line_close(c->line);
	}
	cr_expect_eq(s->n_came, 1);
	cr_expect_eq(s->requests, 5);
	cr_expect_not_null(
	    egress_log_line(r.w.e, "\"kind\":\"request\"", "\"reused\":1"));
	rig_end(&r);
}

/* Callers of both versions, on one connection to the server. */
Test(h2_streams, both_versions_share_connections)
{
	struct rig r;
	struct server *s = rig_start_one(
	    &r, NULL, "http2", &(struct server_options){ .is_manual = true });
	struct h2_peer *c;
	struct h1_peer *old;
	struct message *m, *n;

	c = call_h2(&r, "api");
	m = h2_ask(c, &(struct said){ .path = "/new" })->in;
	(void)came_talk(came_h2(s, 0), &r, 0);
	old = call_h1(&r, "api");
	n = h1_ask(old, &(struct said){ .path = "/old" });
	(void)came_talk(came_h2(s, 0), &r, 1);
	answer_all(s);
	cr_expect(UNTIL(&r, m->ended && n->ended));
	cr_expect_eq(s->n_came, 1);
	rig_end(&r);
}

/* Requests that do not wait for each other are answered in order. */
Test(h2_streams, pipelined_requests)
{
	struct rig r;
	struct h1_peer *c;
	struct message *m[20];
	char path[32];

	(void)rig_start_one(&r, NULL, "http2", &plain_h2);
	c = call_h1(&r, "api");
	for (int i = 0; i < 20; i++) {
		(void)snprintf(path, sizeof(path), "/bytes/%d", i * 1000);
		m[i] = h1_ask(c, &(struct said){ .path = path });
	}
	cr_expect(UNTIL(&r, m[19]->ended));
	for (int i = 0; i < 20; i++)
		cr_expect_eq(m[i]->n_body, (uint64_t)i * 1000, "%d", i);
	rig_end(&r);
}

/* The server is gone in the middle of an answer. */
Test(h2_streams, a_server_that_dies)
{
	struct rig r;
	struct server *s = rig_start_one(
	    &r, NULL, "http2", &(struct server_options){ .is_manual = true });
	struct h2_peer *c = call_h2(&r, "api");
	struct h1_peer *old = call_h1(&r, "api");
	struct h2_talk *begun, *waiting;
	struct message *m;
	struct h2_peer *up;

	begun = h2_ask(c, &(struct said){ .path = "/begun" });
	up = came_h2(s, 0);
	h2_answer(came_talk(up, &r, 0),
	    &(struct said){
		.status = 200, .body = "half", .stays_open = true });
	cr_assert(UNTIL(&r, begun->in->n_body == 4));
	waiting =
	    h2_ask(c, &(struct said){
			  .method = "POST", .path = "/waiting", .body = "x" });
	(void)came_talk(up, &r, 1);
	m = h1_ask(old, &(struct said){ .method = "POST", .body = "x" });
	(void)came_talk(up, &r, 2);
	cr_assert(
	    UNTIL(&r, up->talks[2]->in->ended && up->talks[1]->in->ended));
	line_reset(up->line);
	cr_expect(
	    UNTIL(&r, begun->in->was_reset && waiting->in->ended && m->ended));
	cr_expect_not(begun->in->ended);
	cr_expect_neq(begun->in->reset_code, CODE_NO_ERROR);
	cr_expect_eq(waiting->in->status, 503);
	cr_expect_eq(m->status, 503);
	cr_expect(has_outcome(
	    r.w.e, "http_response_incomplete", "\"path\":\"/begun\""));
	cr_expect(has_outcome(
	    r.w.e, "connection_terminated", "\"path\":\"/waiting\""));
	/* The caller's connection is none the worse. */
	s->options.is_manual = false;
	cr_expect_eq(get_h2(&r, c, "/")->status, 200);
	rig_end(&r);
}

/* A caller of HTTP/1.1 sees an answer that is cut, never one that ended. */
Test(h2_streams, a_server_that_dies_and_an_old_caller)
{
	struct rig r;
	struct server *s = rig_start_one(
	    &r, NULL, "http2", &(struct server_options){ .is_manual = true });
	struct h1_peer *c = call_h1(&r, "api");
	struct message *m = h1_ask(c, &(struct said){ .path = "/" });
	struct h2_peer *up = came_h2(s, 0);

	h2_answer(came_talk(up, &r, 0),
	    &(struct said){
		.status = 200, .body = "half", .stays_open = true });
	cr_assert(UNTIL(&r, m->n_body == 4));
	line_close(up->line);
	cr_expect(UNTIL(&r, c->line->end != LINE_OPEN));
	cr_expect_not(m->ended);
	rig_end(&r);
}
