/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An h2_session in the client role as a back: how many streams it has left,
 * what its end was, and what is counted of it.  What it allows is remembered
 * with the endpoint, for the next connection there.
 */

#include "upstream/h2_back.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "upstream/cluster_state.h"

struct h2_back {
	struct back back; /* the first member: can_reuse() relies on it */
	struct h2_session *session;
	unsigned expected;
	bool is_end_noted;
	void (*changed)(struct back *b);
};

static struct h2_back *
h2_back_of(struct back *b)
{
	return CONTAINER_OF(b, struct h2_back, back);
}

static struct stats_set *
stats_of(const struct h2_back *h)
{
	return cluster_set(h->back.guard.cluster);
}

/* Whoever has more than the server allows would only see it refused. */
static unsigned
streams_left(const struct h2_back *h)
{
	unsigned left = h2_session_streams_left(h->session);
	unsigned open = h2_session_streams(h->session), room;

	if (h->expected == 0 || h2_session_has_settings(h->session))
		return left;
	room = h->expected > open ? h->expected - open : 0;
	return left < room ? left : room;
}

/*
 * What the server allows is what is open and what is left; if nothing is left,
 * there may be more open than it allows by now.
 */
static void
note_streams(struct h2_back *h)
{
	unsigned open = h2_session_streams(h->session);
	unsigned *known = &h->back.guard.endpoint->streams;

	h->back.streams_left = streams_left(h);
	if (h2_session_state(h->session) != H2_OPEN ||
	    !h2_session_has_settings(h->session))
		return;
	if (h->back.streams_left > 0)
		*known = open + h->back.streams_left;
	else if (*known == 0 || *known > open)
		*known = open > 0 ? open : 1;
}

static void
note_end(struct h2_back *h)
{
	if (h->is_end_noted)
		return;
	switch (h2_session_end(h->session)) {
	case H2_END_NONE:
		return;
	case H2_END_PROTOCOL:
	case H2_END_NOT_H2:
		stat_inc(stats_of(h), STAT_UPSTREAM_CX_PROTOCOL_ERROR);
		break;
	case H2_END_CUT:
	case H2_END_RESET:
		if (h->back.leased > 0)
			stat_inc(stats_of(h), STAT_UPSTREAM_CX_DESTROY_ACTIVE);
		break;
	case H2_END_CLOSED:
	case H2_END_ABUSE:
	case H2_END_SILENT:
	case H2_END_LATE:
		break;
	}
	h->is_end_noted = true;
}

static void
on_change(void *arg)
{
	struct h2_back *h = arg;

	note_streams(h);
	note_end(h);
	/* It may close us. */
	if (h->changed != NULL)
		h->changed(&h->back);
}

/* clang-format off */
static const enum stat_cluster counted_as[H2_EVENT_N] = {
	[H2_RX_RESET] = STAT_HTTP2_RX_RESET,
	[H2_TX_RESET] = STAT_HTTP2_TX_RESET,
	[H2_GOAWAY_SENT] = STAT_HTTP2_GOAWAY_SENT,
	[H2_TRAILERS] = STAT_HTTP2_TRAILERS,
	[H2_HEADER_OVERFLOW] = STAT_HTTP2_HEADER_OVERFLOW,
	[H2_MESSAGE_ERROR] = STAT_HTTP2_RX_MESSAGING_ERROR,
	[H2_PROTOCOL_ERROR] = STAT_HTTP2_PROTOCOL_ERROR,
	[H2_KEEPALIVE_TIMEOUT] = STAT_HTTP2_KEEPALIVE_TIMEOUT,
	[H2_HEAD_LATE] = STAT_HTTP2_FLOOD,
#define H2_EVENT(...)
#define H2_ABUSE(id, ...) [H2_##id##_FLOOD] = STAT_HTTP2_FLOOD,
#include "http/h2_event.tbl.h"
};
/* clang-format on */

static void
count(void *arg, enum h2_event e)
{
	const struct h2_back *h = arg;

	stat_inc(stats_of(h), counted_as[e]);
}

static const struct h2_events events = {
	.on_change = on_change,
	.count = count,
};

static struct stream *
open_stream(struct back *b)
{
	struct h2_back *h = h2_back_of(b);
	struct stream *s = h2_session_open(h->session);

	b->streams_left = streams_left(h);
	return s;
}

static bool
can_reuse(const struct back *b)
{
	const struct h2_back *h = (const void *)b;

	return h2_session_state(h->session) == H2_OPEN;
}

static void
watch(struct back *b, void (*changed)(struct back *b))
{
	struct h2_back *h = h2_back_of(b);

	h->changed = changed;
	note_streams(h);
}

static struct str
failure(const struct back *b)
{
	const struct h2_back *h = (const void *)b;

	switch (h2_session_end(h->session)) {
	case H2_END_NONE:
	case H2_END_CLOSED:
		return STR_NONE;
	case H2_END_CUT:
	case H2_END_RESET:
	case H2_END_NOT_H2:
	case H2_END_PROTOCOL:
	case H2_END_ABUSE:
	case H2_END_SILENT:
	case H2_END_LATE:
		break;
	}
	return h2_session_end_text(h->session);
}

static void
close_back(struct back *b)
{
	struct h2_back *h = h2_back_of(b);

	note_end(h);
	h2_session_free(h->session);
	back_fini(b);
	free(h);
}

static const struct back_ops ops = {
	.open = open_stream,
	.can_reuse = can_reuse,
	.watch = watch,
	.failure = failure,
	.close = close_back,
};

struct back *
h2_back_new(struct reached *r, const struct http_limits *http,
    const struct h2_limits *limits, unsigned expected)
{
	struct h2_back *h = xcalloc(1, sizeof(*h));
	struct wire *w = r->wire;

	back_init(&h->back, &ops, r);
	h->back.version = HTTP_2;
	h->expected = expected;
	h->session = h2_session_new(w, H2_CLIENT, http, limits, &events, h);
	h->back.streams_left = streams_left(h);
	return &h->back;
}
