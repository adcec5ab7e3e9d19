/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What nobody honest does on a connection of HTTP/2: each has a limit, ends
 * with GOAWAY and ENHANCE_YOUR_CALM, is counted and logged, is nobody else's
 * trouble, and costs no more than requests would have.
 */

#include <stdio.h>
#include <string.h>

#include "e2e/peers.h"

/* Frames that an attacker sends at most, if nobody stops it. */
#define MOST_FRAMES 20000
#define HONEST_REQUESTS 300
#define COST_TRIES 10

struct attack {
	struct rig *r;
	struct h2_peer *c;
	struct h2_talk *t; /* an open request, if it needs one */
	unsigned i;
};

/* One step; the frames that it took. */
typedef unsigned attack_step(struct attack *a);

static unsigned
reset(struct attack *a)
{
	h2_reset(h2_ask(a->c, &(struct said){ .path = "/" }), CODE_CANCEL);
	return 2;
}

/* Streams that its own mistakes end, within our limit of open ones. */
static unsigned
make_us_reset(struct attack *a)
{
	struct h2_talk *t;

	if (!UNTIL(a->r, h2_count_open(a->c) < 50 || a->c->has_goaway))
		return MOST_FRAMES;
	t = h2_open(a->c);
	h2_headers(a->c, t->id, FLAG_END_STREAM,
	    ":method: GET\n:scheme: https\n:path: /\n"
	    ":authority: x\nconnection: close\n");
	return 1;
}

static unsigned
continue_head(struct attack *a)
{
	struct bytes b = { .n = 0 };

	if (a->i == 0) {
		a->t = h2_open(a->c);
		h2_encode(a->c, ":method: GET\n:path: /\n", &b);
		h2_frame(a->c, FRAME_HEADERS, FLAG_NONE, a->t->id, b.p, b.n);
	} else {
		h2_encode(a->c, "a: b\n", &b);
		h2_frame(
		    a->c, FRAME_CONTINUATION, FLAG_NONE, a->t->id, b.p, b.n);
	}
	bytes_free(&b);
	return 1;
}

/* Heads in six frames each, of which none is full. */
static unsigned
continue_heads(struct attack *a)
{
	static const char *const lines[] = { ":method: GET\n:path: /\n",
		":scheme: https\n", ":authority: x\n", "a: b\n", "a: b\n",
		"a: b\n" };
	struct h2_talk *t;

	if (!UNTIL(a->r, h2_count_open(a->c) < 50 || a->c->has_goaway))
		return MOST_FRAMES;
	t = h2_open(a->c);
	for (unsigned i = 0; i < 6; i++) {
		struct bytes b = { .n = 0 };

		h2_encode(a->c, lines[i], &b);
		h2_frame(a->c, i == 0 ? FRAME_HEADERS : FRAME_CONTINUATION,
		    (i == 0 ? FLAG_END_STREAM : 0u) |
			(i == 5 ? FLAG_END_HEADERS : 0u),
		    t->id, b.p, b.n);
		bytes_free(&b);
	}
	t->out_ended = true;
	return 6;
}

static unsigned
set(struct attack *a)
{
	h2_set(a->c, NULL);
	return 1;
}

static unsigned
ping(struct attack *a)
{
	h2_ping(a->c, a->i);
	return 1;
}

static struct h2_talk *
open_request(struct attack *a)
{
	if (a->t == NULL)
		a->t = h2_ask(a->c,
		    &(struct said){ .method = "POST", .stays_open = true });
	return a->t;
}

static unsigned
send_empty(struct attack *a)
{
	h2_frame(a->c, FRAME_DATA, FLAG_NONE, open_request(a)->id, NULL, 0);
	return 1;
}

/* Nothing but padding is nothing, too. */
static unsigned
send_padding(struct attack *a)
{
	h2_frame(a->c, FRAME_DATA, FLAG_PADDED, open_request(a)->id, "\0", 1);
	return 1;
}

static unsigned
prioritize(struct attack *a)
{
	h2_frame(a->c, FRAME_PRIORITY, FLAG_NONE, 1 + 2 * (a->i % 1000),
	    "\0\0\0\0\1", 5);
	return 1;
}

static unsigned
prioritize_anew(struct attack *a)
{
	h2_frame(a->c, FRAME_PRIORITY_UPDATE, FLAG_NONE, 0, "\0\0\0\1u=1", 7);
	return 1;
}

static unsigned
send_unknown(struct attack *a)
{
	h2_frame(a->c, 0xfa, FLAG_NONE, 0, "what", 4);
	return 1;
}

static unsigned
update_window(struct attack *a)
{
	h2_window(a->c, 0, 1);
	return 1;
}

static unsigned
update_stream_window(struct attack *a)
{
	h2_window(a->c, open_request(a)->id, 1);
	return 1;
}

static unsigned
send_tiny(struct attack *a)
{
	h2_frame(a->c, FRAME_DATA, FLAG_NONE, open_request(a)->id, "x", 1);
	return 1;
}

/* SETTINGS that change the initial window, up and down. */
static unsigned
shake_windows(struct attack *a)
{
	const uint32_t settings[][2] = {
		{ SETTING_WINDOW, 1000 + a->i % 2 * 1000 }, { 0, 0 }
	};

	(void)open_request(a);
	h2_set(a->c, settings);
	return 1;
}

static const struct row {
	const char *name;
	attack_step *step;
	const char *metric;
	unsigned least; /* steps that are allowed */
	const char *config;
} rows[] = {
	{ "rapid reset", reset, "reset_flood", 499, NULL },
	{ "own mistakes", make_us_reset, "reset_flood", 499, NULL },
	/* No honest head needs so many. */
	{ "CONTINUATION", continue_head, "continuation_flood", 8, NULL },
	{ "SETTINGS", set, "settings_flood", 40, NULL },
	{ "changing windows", shake_windows, "settings_flood", 40, NULL },
	{ "PING", ping, "ping_flood", 99, NULL },
	{ "empty DATA", send_empty, "inbound_empty_frames_flood", 99, NULL },
	{ "padded DATA", send_padding, "inbound_empty_frames_flood", 99, NULL },
	{ "PRIORITY", prioritize, "inbound_priority_frames_flood", 499, NULL },
	{ "PRIORITY_UPDATE", prioritize_anew, "inbound_priority_frames_flood",
	    499, NULL },
	{ "unknown frames", send_unknown, "inbound_priority_frames_flood", 499,
	    NULL },
	{ "WINDOW_UPDATE", update_window, "inbound_window_update_frames_flood",
	    999, NULL },
	{ "WINDOW_UPDATE of a stream", update_stream_window,
	    "inbound_window_update_frames_flood", 999, NULL },
	{ "tiny DATA", send_tiny, "tiny_frames_flood", 4999, NULL },
	{ "CONTINUATIONs of many heads", continue_heads, "continuation_flood",
	    12, NULL },
	/* The limits are the configuration's. */
	{ "two PINGs", ping, "ping_flood", 2, "limits = { h2_pings = 2; };" },
	{ "three resets", reset, "reset_flood", 3,
	    "limits = { h2_resets = 3; };" },
};

static double
count(struct egress *e, const char *metric)
{
	char line[128];

	(void)snprintf(line, sizeof(line), "envoy_http2_%s", metric);
	return egress_metric(e, line);
}

/* Sends until it is told to stop; the frames that it took. */
static unsigned
attack(struct rig *r, struct h2_peer *c, attack_step *step, unsigned *steps)
{
	struct attack a = { .r = r, .c = c };
	unsigned frames = 0;

	while (
	    frames < MOST_FRAMES && !c->has_goaway && line_is_open(c->line)) {
		for (int i = 0; i < 16 && frames < MOST_FRAMES; i++, a.i++)
			frames += step(&a);
		lines_turn(&r->lines, 0);
	}
	*steps = a.i;
	return frames;
}

/*
 * What one connection costs the daemon from here to its end, with honest
 * requests: as many as asked for.
 */
static uint64_t
honest_ns(struct rig *r, unsigned requests)
{
	struct h2_peer *c = call_h2(r, "api");
	struct message *m[50];
	uint64_t before;

	cr_assert_eq(get_h2(r, c, "/")->status, 200);
	before = cpu_ns(r->w.e);
	for (unsigned done = 0, n; done < requests; done += n) {
		n = requests - done < 50 ? requests - done : 50;
		for (unsigned k = 0; k < n; k++)
			m[k] = h2_ask(c, &(struct said){ .path = "/" })->in;
		for (unsigned k = 0; k < n; k++)
			cr_assert(UNTIL(r, m[k]->ended));
	}
	h2_goaway(c, 0, CODE_NO_ERROR);
	cr_assert(UNTIL(r, c->line->end != LINE_OPEN));
	return cpu_ns(r->w.e) - before;
}

/* The same of an attack, which has to be noticed. */
static uint64_t
attack_ns(struct rig *r, const struct row *row, unsigned *frames)
{
	struct h2_peer *c = call_h2(r, "api");
	uint64_t before;
	unsigned steps;

	cr_expect_eq(get_h2(r, c, "/")->status, 200);
	before = cpu_ns(r->w.e);
	*frames = attack(r, c, row->step, &steps);
	cr_expect(UNTIL(r, c->has_goaway), "%s: no GOAWAY after %u frames",
	    row->name, *frames);
	cr_expect(
	    UNTIL(r, c->line->end != LINE_OPEN), "%s: stays open", row->name);
	cr_expect_eq(c->goaway_code, CODE_ENHANCE_YOUR_CALM, "%s: %u %s",
	    row->name, c->goaway_code, c->goaway_text);
	cr_expect_gt(steps, row->least, "%s", row->name);
	return cpu_ns(r->w.e) - before;
}

/*
 * What other processes do to the caches shows in so short a time: of some
 * tries, one must have been fair.
 */
static unsigned
compare_cost(struct rig *r, const struct row *row)
{
	uint64_t spent, honest;
	unsigned frames, tries = 0;

	do {
		spent = attack_ns(r, row, &frames);
		honest = honest_ns(
		    r, frames < HONEST_REQUESTS ? frames : HONEST_REQUESTS);
		if (frames > HONEST_REQUESTS)
			honest = honest * frames / HONEST_REQUESTS;
		tries++;
	} while (spent > honest && tries < COST_TRIES);
	cr_expect_leq(spent, honest, "%s: %llu ns of %u frames, %llu honest",
	    row->name, (unsigned long long)spent, frames,
	    (unsigned long long)honest);
	return tries;
}

static void
check_attack(const struct row *row)
{
	struct rig r;
	struct h2_peer *good;
	unsigned tries;

	(void)rig_start_one(
	    &r, row->config, "http2", &(struct server_options){ 0 });
	good = call_h2(&r, "api");
	/* What is done once is done. */
	(void)honest_ns(&r, HONEST_REQUESTS);
	tries = compare_cost(&r, row);
	cr_expect_eq(count(r.w.e, row->metric), tries, "%s", row->name);
	cr_expect(has_outcome(r.w.e, "http2_abuse", "\"kind\":\"connection\""),
	    "%s", row->name);
	cr_expect_eq(good->line->end, LINE_OPEN);
	cr_expect_eq(get_h2(&r, good, "/")->status, 200, "%s", row->name);
	rig_end(&r);
	egress_remove_tree(r.w.home);
}

#define ATTACK(name, i)                 \
	Test(h2_abuse, name)            \
	{                               \
		check_attack(&rows[i]); \
	}

ATTACK(rapid_reset, 0)
ATTACK(mistakes, 1)
ATTACK(continuation, 2)
ATTACK(settings, 3)
ATTACK(settings_of_windows, 4)
ATTACK(pings, 5)
ATTACK(empty_data, 6)
ATTACK(padding, 7)
ATTACK(priority, 8)
ATTACK(priority_update, 9)
ATTACK(unknown_frames, 10)
ATTACK(window_update, 11)
ATTACK(window_update_of_a_stream, 12)
ATTACK(tiny_data, 13)
ATTACK(continuations_of_many_heads, 14)
ATTACK(configured_pings, 15)
ATTACK(configured_resets, 16)

/* Answers that pile up because nobody reads them. */
Test(h2_abuse, answers_that_nobody_reads)
{
	struct rig r;
	struct h2_peer *bad, *good;
	size_t before;

	(void)rig_start_one(&r, "limits = { h2_pings = 1000000; };", "http2",
	    &(struct server_options){ 0 });
	good = call_h2(&r, "api");
	bad = call_h2(&r, "api");
	cr_expect_eq(get_h2(&r, good, "/")->status, 200);
	cr_expect_eq(get_h2(&r, bad, "/")->status, 200);
	before = egress_rss(r.w.e);
	bad->line->is_stopped = true;
	for (uint64_t i = 0;
	     i < 999000 && count(r.w.e, "outbound_control_flood") < 1;) {
		for (int k = 0; k < 20000; k++)
			h2_ping(bad, i++);
		cr_assert(UNTIL(
		    &r, bad->line->out.n == 0 || bad->line->end != LINE_OPEN ||
			    count(r.w.e, "outbound_control_flood") == 1));
	}
	cr_expect_eq(count(r.w.e, "outbound_control_flood"), 1);
	if (!MEMORY_IS_PADDED)
		cr_expect_leq(egress_rss(r.w.e), before + (1 << 20));
	cr_expect_eq(get_h2(&r, good, "/")->status, 200);
	rig_end(&r);
}

/* A small block that becomes a big head: it is refused, not held. */
Test(h2_abuse, a_bomb_of_hpack)
{
	char lines[4096];
	struct rig r;
	struct server *s;
	struct h2_peer *c;
	struct h2_talk *t;
	size_t before;

	s = rig_start_one(&r, NULL, "http2", &(struct server_options){ 0 });
	c = call_h2(&r, "api");
	cr_expect_eq(get_h2(&r, c, "/")->status, 200);
	before = egress_rss(r.w.e);
	(void)snprintf(lines, sizeof(lines),
	    ":method: GET\n:scheme: https\n:path: /\n:authority: x\n"
	    "x-bomb: %02900d\n",
	    0);
	t = h2_open(c);
	h2_headers(c, t->id, FLAG_END_STREAM, lines);
	cr_expect(UNTIL(&r, t->in->ended), "one is an honest head");
	cr_expect_eq(t->in->status, 200);
	/* The dynamic table has it: each costs a byte, and is 2900. */
	for (int i = 0; i < 200; i++) {
		struct bytes block = { .n = 0 };

		h2_encode(c, lines, &block);
		for (int k = 0; k < 12000; k++)
			bytes_add(&block, "\xbe", 1);
		t = h2_open(c);
		h2_frame(c, FRAME_HEADERS, FLAG_END_STREAM | FLAG_END_HEADERS,
		    t->id, block.p, block.n);
		bytes_free(&block);
		cr_assert(UNTIL(&r, t->in->ended || t->in->was_reset ||
					c->line->end != LINE_OPEN));
		cr_expect(t->in->status == 0 || t->in->status == 431);
		if (c->line->end != LINE_OPEN)
			break;
	}
	cr_expect_eq(s->requests, 2);
	cr_expect_geq(count(r.w.e, "header_overflow"), 1, "GOAWAY %u %s",
	    c->goaway_code, c->goaway_text);
	if (!MEMORY_IS_PADDED)
		cr_expect_leq(egress_rss(r.w.e), before + (1 << 20));
	rig_end(&r);
}

/* A window over 2^31-1 (RFC 9113, section 6.9.1). */
Test(h2_abuse, windows_that_overflow)
{
	struct rig r;
	struct h2_peer *c;
	struct h2_talk *t;

	(void)rig_start_one(
	    &r, NULL, "http2", &(struct server_options){ .is_manual = true });
	c = call_h2(&r, "api");
	t = h2_ask(c, &(struct said){ .path = "/" });
	h2_window(c, t->id, 0x7fffffff);
	cr_expect(UNTIL(&r, t->in->was_reset || c->has_goaway));
	if (t->in->was_reset)
		cr_expect_eq(t->in->reset_code, CODE_FLOW_CONTROL_ERROR);
	c = call_h2(&r, "api");
	h2_window(c, 0, 0x7fffffff);
	cr_expect(UNTIL(&r, c->has_goaway));
	cr_expect_eq(c->goaway_code, CODE_FLOW_CONTROL_ERROR);
	cr_expect(UNTIL(&r, c->line->end != LINE_OPEN));
	cr_expect(has_outcome(r.w.e, "http2_protocol_error", NULL));
	/* More than our window lets through. */
	c = call_h2(&r, "api");
	t = h2_ask(c, &(struct said){ .method = "POST", .stays_open = true });
	for (int i = 0; i < 400; i++) {
		static const char block[16384];

		h2_frame(c, FRAME_DATA, FLAG_NONE, t->id, block, sizeof(block));
	}
	cr_expect(UNTIL(&r, t->in->was_reset || c->has_goaway));
	rig_end(&r);
}
