/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Budgets against abuse, and which frame is charged to which.  Ending the
 * connection is left to the session.  Pure.
 */

#include "http/h2_guard.h"

#define PERIOD_MS 10000
/* Answers that one frame of DATA explains: a careful reader tells of each 4
 * KiB, for the stream and for the connection. */
#define UPDATES_PER_DATA 8
#define PRIORITIES_PER_STREAM 4
#define TINY_PER_DATA 4
/* Debts do not last for ever. */
#define EXPLAINED_MOST 65536
/* A sender that fills its frames needs CONTINUATION for what is left. */
#define FULL_FRAME ((size_t)4096)

void
h2_guard_init(
    struct h2_guard *g, const struct h2_limits *limits, uint64_t now_ms)
{
	*g = (struct h2_guard){ .limits = limits };
	for (int i = 0; i < H2_ABUSE_N; i++)
		g->budgets[i] = (struct h2_budget){
			.left = (uint64_t)limits->abuse[i] * PERIOD_MS,
			.at_ms = now_ms,
		};
}

static void
refill(struct h2_budget *b, unsigned limit, uint64_t now_ms)
{
	uint64_t most = (uint64_t)limit * PERIOD_MS;
	uint64_t passed = now_ms > b->at_ms ? now_ms - b->at_ms : 0;

	if (passed > PERIOD_MS)
		passed = PERIOD_MS;
	b->at_ms = now_ms;
	b->left += passed * limit;
	if (b->left > most)
		b->left = most;
}

bool
h2_guard_charge(struct h2_guard *g, enum h2_abuse a, uint64_t now_ms)
{
	struct h2_budget *b = &g->budgets[a];

	if (b->explained > 0) {
		b->explained--;
		return true;
	}
	refill(b, g->limits->abuse[a], now_ms);
	if (b->left < PERIOD_MS) {
		g->broken = a;
		return false;
	}
	b->left -= PERIOD_MS;
	return true;
}

static void
explain(struct h2_guard *g, enum h2_abuse a, uint64_t n)
{
	struct h2_budget *b = &g->budgets[a];

	b->explained += n;
	if (b->explained > EXPLAINED_MOST)
		b->explained = EXPLAINED_MOST;
}

static bool
note_data(struct h2_guard *g, const struct h2_frame *f, uint64_t now_ms)
{
	bool is_padded = (f->flags & H2_FLAG_PADDED) != 0;

	if ((f->flags & H2_FLAG_END_STREAM) != 0)
		return true;
	if (f->len <= (is_padded ? 1 : 0))
		return h2_guard_charge(g, H2_ABUSE_EMPTY_FRAMES, now_ms);
	/* How much of it is padding is not known yet; little else may be. */
	if (f->len < H2_TINY || (is_padded && f->len < 256 + H2_TINY))
		return h2_guard_charge(g, H2_ABUSE_TINY_FRAMES, now_ms);
	explain(g, H2_ABUSE_TINY_FRAMES, 1);
	return true;
}

/* Of HEADERS and CONTINUATION. */
static bool
note_block_part(struct h2_guard *g, const struct h2_frame *f, uint64_t now_ms)
{
	if (f->len > 0 || (f->flags & H2_FLAG_END_HEADERS) != 0)
		return true;
	return h2_guard_charge(g, H2_ABUSE_EMPTY_FRAMES, now_ms);
}

static bool
note_continuation(struct h2_guard *g, const struct h2_walk *w, uint64_t now_ms)
{
	if (w->continuations > H2_CONTINUATIONS_MOST) {
		g->broken = H2_ABUSE_CONTINUATIONS;
		return false;
	}
	if (w->before < FULL_FRAME &&
	    !h2_guard_charge(g, H2_ABUSE_CONTINUATIONS, now_ms))
		return false;
	return note_block_part(g, &w->frame, now_ms);
}

bool
h2_guard_frame(struct h2_guard *g, const struct h2_walk *w, uint64_t now_ms)
{
	switch (w->frame.type) {
	case H2_FRAME_DATA:
		return note_data(g, &w->frame, now_ms);
	case H2_FRAME_HEADERS:
		explain(g, H2_ABUSE_PRIORITIES, PRIORITIES_PER_STREAM);
		return note_block_part(g, &w->frame, now_ms);
	case H2_FRAME_CONTINUATION:
		return note_continuation(g, w, now_ms);
	case H2_FRAME_SETTINGS:
		return h2_guard_charge(g, H2_ABUSE_SETTINGS, now_ms);
	case H2_FRAME_PING:
		return h2_guard_charge(g, H2_ABUSE_PINGS, now_ms);
	case H2_FRAME_WINDOW_UPDATE:
		return h2_guard_charge(g, H2_ABUSE_WINDOW_UPDATES, now_ms);
	case H2_FRAME_PRIORITY:
	case H2_FRAME_GOAWAY:
	case H2_FRAME_OTHER:
		return h2_guard_charge(g, H2_ABUSE_PRIORITIES, now_ms);
	case H2_FRAME_RST_STREAM:
	case H2_FRAME_PUSH_PROMISE:
		/* It depends on the stream; a promise is an error. */
		break;
	}
	return true;
}

void
h2_guard_sent_data(struct h2_guard *g)
{
	explain(g, H2_ABUSE_WINDOW_UPDATES, UPDATES_PER_DATA);
	/* Who measures the path sends a PING as soon as DATA comes. */
	explain(g, H2_ABUSE_PINGS, 1);
	explain(g, H2_ABUSE_TINY_FRAMES, TINY_PER_DATA);
}

void
h2_guard_sent_ping(struct h2_guard *g)
{
	explain(g, H2_ABUSE_PINGS, 1);
}

void
h2_guard_stream_ended(struct h2_guard *g)
{
	struct h2_budget *b = &g->budgets[H2_ABUSE_RESETS];
	uint64_t most = (uint64_t)g->limits->abuse[H2_ABUSE_RESETS] * PERIOD_MS;

	/* Not more than the budget: nobody saves up for an attack. */
	b->left += PERIOD_MS;
	if (b->left > most)
		b->left = most;
}

const char *
h2_abuse_option(enum h2_abuse a)
{
	static const char *const options[] = {
#define H2_EVENT(...)
#define H2_ABUSE(id, name, limit, ...) [H2_ABUSE_##id] = (limit),
#include "http/h2_event.tbl.h"
	};

	return options[a];
}

enum h2_event
h2_abuse_event(enum h2_abuse a)
{
	static const enum h2_event events[] = {
#define H2_EVENT(...)
#define H2_ABUSE(id, ...) [H2_ABUSE_##id] = H2_##id##_FLOOD,
#include "http/h2_event.tbl.h"
	};

	return events[a];
}
