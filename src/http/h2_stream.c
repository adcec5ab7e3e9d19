/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a stream begins, fails, is reset and ends, for its owner and for the
 * library, which do not agree on the order.  What moves on it is in h2_recv.c,
 * h2_pull.c, h2_push.c and h2_send.c.
 */

#include <stdlib.h>

#include "base/spare.h"
#include "http/h2_side.h"

static const struct stream_ops ops = {
	.pull_head = h2_pull_head,
	.pull_body = h2_pull_body,
	.trailers = h2_pull_trailers,
	.push_head = h2_push_head,
	.push_body = h2_push_body,
	.push_end = h2_push_end,
	.flush = h2_push_flush,
	.can_push = h2_push_credit,
	.release = h2_stream_release,
};

/* A client is told by the server's SETTINGS. */
enum stream_upgrades
h2_stream_upgrades(const struct h2_session *s)
{
	if (s->role == H2_SERVER || h2_session_takes_connect(s))
		return UPGRADES_TAKEN;
	return s->has_settings ? UPGRADES_REFUSED : UPGRADES_UNKNOWN;
}

struct h2_stream *
h2_stream_new(struct h2_session *s)
{
	struct h2_stream *st = spare_calloc(1, sizeof(*st));

	st->base.ops = &ops;
	st->base.version = HTTP_2;
	st->base.is_multiplexed = true;
	st->base.upgrades = h2_stream_upgrades(s);
	st->session = s;
	TAILQ_INSERT_TAIL(&s->streams, st, in_streams);
	s->n_streams++;
	h2_watch_opened(s);
	return st;
}

static void
give_rooms(struct h2_room *r)
{
	struct h2_room *next;

	for (; r != NULL; r = next) {
		next = r->next;
		h2_room_give(r);
	}
}

static void
leave_lists(struct h2_stream *st)
{
	struct h2_session *s = st->session;

	if (st->has_news)
		TAILQ_REMOVE(&s->news, st, in_news);
	if (st->is_sender)
		TAILQ_REMOVE(&s->senders, st, in_senders);
	st->has_news = st->is_sender = false;
}

void
h2_stream_free(struct h2_stream *st)
{
	struct h2_session *s = st->session;

	leave_lists(st);
	TAILQ_REMOVE(&s->streams, st, in_streams);
	s->n_streams--;
	s->has_change = true;
	if (s->gathers_for == st)
		s->gathers_for = NULL;
	give_rooms(st->heads);
	h2_room_give(st->head);
	h2_room_give(st->trailers);
	h2_room_give(st->push_trailers);
	h2_queue_clear(&st->received);
	h2_queue_clear(&st->sending);
	free(st->upgrade);
	spare_free(st);
}

void
h2_stream_note(struct h2_stream *st)
{
	if (st->has_news || st->is_released)
		return;
	st->has_news = true;
	TAILQ_INSERT_TAIL(&st->session->news, st, in_news);
}

void
h2_stream_drop_received(struct h2_stream *st)
{
	struct h2_session *s = st->session;
	size_t held = st->received.len;

	h2_queue_clear(&st->received);
	if (held > 0 && s->state != H2_OVER && !st->base.is_slow)
		(void)nghttp2_session_consume_connection(s->ng, held);
}

static void
stop_sending(struct h2_stream *st)
{
	if (st->out == H2_OUT_SENT)
		return;
	st->out = H2_OUT_BROKEN;
	st->is_deferred = st->is_thin = false;
	h2_queue_clear(&st->sending);
	h2_room_give(st->push_trailers);
	st->push_trailers = NULL;
	if (st->is_sender)
		TAILQ_REMOVE(&st->session->senders, st, in_senders);
	st->is_sender = false;
}

void
h2_stream_fail(struct h2_stream *st, enum stream_error e)
{
	stop_sending(st);
	h2_stream_note(st);
	if (st->in == H2_IN_FAILED)
		return;
	if (st->session->role == H2_CLIENT && st->in == H2_IN_ENDED)
		return;
	st->in = H2_IN_FAILED;
	st->base.error = e;
	h2_stream_drop_received(st);
}

void
h2_stream_reset(struct h2_stream *st, uint32_t code)
{
	struct h2_session *s = st->session;

	if (st->is_reset || st->is_closed || !st->is_submitted ||
	    s->state == H2_OVER)
		return;
	st->is_reset = true;
	(void)nghttp2_submit_rst_stream(
	    s->ng, NGHTTP2_FLAG_NONE, (int32_t)st->base.id, code);
	h2_turn_schedule(s);
}

/* The library ended it in another way than both messages do. */
static void
fail_closed(struct h2_stream *st, uint32_t code)
{
	if (st->session->role == H2_CLIENT && st->in == H2_IN_HEAD &&
	    st->heads == NULL && st->interims == 0 &&
	    code == NGHTTP2_REFUSED_STREAM)
		h2_stream_fail(st, STREAM_REFUSED);
	else
		h2_stream_fail(st,
		    code == NGHTTP2_NO_ERROR ? STREAM_CUT : STREAM_BAD_MESSAGE);
}

void
h2_stream_close(struct h2_stream *st, uint32_t code)
{
	struct h2_session *s = st->session;

	st->is_closed = true;
	s->has_change = true;
	if (st->in == H2_IN_ENDED && st->out == H2_OUT_SENT)
		h2_guard_stream_ended(&s->guard);
	else
		fail_closed(st, code);
	/* Nobody was told of it, and there is nothing to tell any more. */
	if (st->is_released || st->is_new)
		h2_stream_free(st);
}

static uint32_t
code_for_release(const struct h2_stream *st)
{
	if (st->base.reset_code != 0)
		return st->base.reset_code;
	return st->session->role == H2_CLIENT ? NGHTTP2_CANCEL
					      : NGHTTP2_INTERNAL_ERROR;
}

/*
 * A server that has answered to the end needs no more of the request, once the
 * answer is out; a client that has read the answer only waits for its end.
 */
static void
let_go(struct h2_stream *st, bool is_whole)
{
	bool is_pushed = st->out == H2_OUT_ENDED || st->out == H2_OUT_SENT;

	if (st->session->role == H2_SERVER && is_pushed &&
	    (is_whole || st->base.reset_code == 0)) {
		if (st->out == H2_OUT_SENT && st->in != H2_IN_ENDED)
			h2_stream_reset(st, NGHTTP2_NO_ERROR);
		h2_watch_released(st->session);
		return;
	}
	if (st->session->role == H2_CLIENT && is_pushed && is_whole) {
		h2_watch_released(st->session);
		return;
	}
	stop_sending(st);
	h2_stream_reset(st, code_for_release(st));
}

void
h2_stream_release(struct stream *base, bool is_whole)
{
	struct h2_stream *st = h2_stream_of(base);
	struct h2_session *s = st->session;

	base->on_ready = NULL;
	st->is_released = true;
	if (st->has_news)
		TAILQ_REMOVE(&s->news, st, in_news);
	st->has_news = false;
	h2_stream_drop_received(st);
	h2_turn_schedule(s);
	if (st->is_closed || !st->is_submitted || s->state == H2_OVER) {
		h2_stream_free(st);
		return;
	}
	let_go(st, is_whole);
}
