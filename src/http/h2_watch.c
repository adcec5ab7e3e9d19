/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The deadlines of a session: the preface and field blocks come in time, the
 * peer is alive while streams are open, and what was let go of gets out.
 */

#include "http/h2_side.h"

/* A round trip takes less. */
#define DRAIN_MS 1000
/* Between two looks at what is released and not yet sent. */
#define LAG_MS 30000
/* After that a caller is likely to be idle for longer. */
#define REST_MS 10000

const uint8_t h2_ping_drain[H2_PING_BYTES] = { 'd', 'r', 'a', 'i', 'n' };
const uint8_t h2_ping_alive[H2_PING_BYTES] = { 'a', 'l', 'i', 'v', 'e' };

static void
on_late(void *arg)
{
	struct h2_session *s = arg;

	if (s->walk.is_settled)
		h2_session_count(s, H2_HEAD_LATE);
	h2_session_quit(s, H2_END_LATE, NGHTTP2_ENHANCE_YOUR_CALM,
	    s->walk.is_settled ? "a field block was not ended in time"
			       : "no preface and SETTINGS in time");
	h2_turn_tell(s);
}

static void
on_quiet(void *arg)
{
	struct h2_session *s = arg;

	if (s->n_streams == 0 || s->limits->ping_ms == 0)
		return;
	if (s->is_pinged) {
		h2_session_count(s, H2_KEEPALIVE_TIMEOUT);
		h2_session_over(
		    s, H2_END_SILENT, IO_DONE, STR("no answer to a PING"));
		h2_turn_tell(s);
		return;
	}
	s->is_pinged = true;
	(void)nghttp2_submit_ping(s->ng, NGHTTP2_FLAG_NONE, h2_ping_alive);
	timer_set(&s->quiet, s->limits->ping_timeout_ms);
	h2_turn_schedule(s);
}

static void
on_drain(void *arg)
{
	struct h2_session *s = arg;

	h2_session_say_last(s);
}

static void
on_thin(void *arg)
{
	struct h2_session *s = arg;
	struct h2_stream *st;

	TAILQ_FOREACH(st, &s->senders, in_senders)
	if (st->is_thin) {
		st->thin_at_ms = 0;
		h2_push_resume(st);
	}
	h2_turn_schedule(s);
}

/* A peer that does not take the rest must not keep it here for ever. */
static void
on_lag(void *arg)
{
	struct h2_session *s = arg;
	struct h2_stream *st;
	bool has_any = false;

	TAILQ_FOREACH(st, &s->streams, in_streams)
	{
		if (!st->is_released || st->is_reset)
			continue;
		if (st->has_lagged && st->lag == st->sent)
			h2_stream_reset(st, NGHTTP2_CANCEL);
		st->has_lagged = true;
		st->lag = st->sent;
		has_any = true;
	}
	if (has_any)
		timer_set_about(&s->lag, LAG_MS);
}

static void
on_rest(void *arg)
{
	h2_session_rest(arg);
}

void
h2_watch_init(struct h2_session *s)
{
	timer_init(&s->late, s->loop, on_late, s);
	timer_init(&s->quiet, s->loop, on_quiet, s);
	timer_init(&s->drain, s->loop, on_drain, s);
	timer_init(&s->thin, s->loop, on_thin, s);
	timer_init(&s->lag, s->loop, on_lag, s);
	timer_init(&s->rest, s->loop, on_rest, s);
	timer_set(&s->late, s->limits->head_ms);
}

void
h2_watch_stop(struct h2_session *s)
{
	timer_stop(&s->late);
	timer_stop(&s->quiet);
	timer_stop(&s->drain);
	timer_stop(&s->thin);
	timer_stop(&s->lag);
	timer_stop(&s->rest);
}

static void
watch_late(struct h2_session *s)
{
	const struct h2_walk *w = &s->walk;

	if (!w->is_settled)
		return;
	if (!w->is_in_block) {
		timer_stop(&s->late);
		s->late_block = 0;
	} else if (s->late_block != w->blocks) {
		s->late_block = w->blocks;
		timer_set(&s->late, s->limits->head_ms);
	}
}

static void
watch_quiet(struct h2_session *s)
{
	if (s->limits->ping_ms > 0 && s->n_streams > 0)
		timer_set_about(&s->quiet, s->limits->ping_ms);
}

void
h2_watch_input(struct h2_session *s)
{
	watch_late(s);
	s->is_pinged = false;
	watch_quiet(s);
}

void
h2_watch_opened(struct h2_session *s)
{
	if (!timer_is_set(&s->quiet))
		watch_quiet(s);
}

void
h2_watch_thin(struct h2_session *s)
{
	if (!timer_is_set(&s->thin))
		timer_set(&s->thin, H2_THIN_MS);
}

void
h2_watch_released(struct h2_session *s)
{
	if (!timer_is_set(&s->lag))
		timer_set_about(&s->lag, LAG_MS);
}

void
h2_watch_draining(struct h2_session *s)
{
	timer_set(&s->drain, DRAIN_MS);
}

void
h2_watch_idle(struct h2_session *s)
{
	if (s->state != H2_OVER)
		timer_set_about(&s->rest, REST_MS);
}
