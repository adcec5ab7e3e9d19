/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sending operations of a stream.  Bytes are copied, but only as many as
 * the peer's windows take are asked for; the library fetches them when the
 * session writes (h2_send.c).  Whoever pushes something else than the head
 * promised has the stream reset.
 */

#include <stdlib.h>

#include "http/h2_side.h"

/* What is taken of one stream before it is written. */
#define CREDIT_MOST ((size_t)32 * 1024)

static bool
is_dead(const struct h2_stream *st)
{
	return st->out == H2_OUT_BROKEN || st->session->state == H2_OVER ||
	       st->session->is_mute;
}

static void
give_up(struct h2_stream *st)
{
	h2_stream_reset(st, st->session->role == H2_CLIENT
				? NGHTTP2_CANCEL
				: NGHTTP2_INTERNAL_ERROR);
	h2_stream_fail(st, STREAM_WIRE);
	h2_turn_schedule(st->session);
}

static bool
is_bodiless(const struct h2_stream *st, const struct head *h)
{
	if (h->is_request)
		return false;
	return st->is_head || h->is_head_request || h->status == 204 ||
	       h->status == 304;
}

static void
submit_request(struct h2_stream *st, const struct head *h,
    const struct h2_nvs *nvs, const nghttp2_data_provider *body)
{
	int32_t id = nghttp2_submit_request(
	    st->session->ng, NULL, nvs->v, nvs->n, body, st);

	if (id < 0) {
		h2_stream_fail(st, STREAM_REFUSED);
		h2_turn_schedule(st->session);
		return;
	}
	st->base.id = (uint32_t)id;
	st->is_submitted = true;
	st->is_head = str_eq(h->method, STR("HEAD"));
	if (h->upgrade.len > 0)
		st->upgrade = str_dup(h->upgrade);
}

static void
submit(struct h2_stream *st, const struct head *h, bool is_end)
{
	nghttp2_data_provider body = { .source.ptr = st,
		.read_callback = h2_send_read };
	struct h2_session *s = st->session;
	struct h2_nvs nvs;
	int rv;

	h2_nvs_of_head(&nvs, h);
	if (s->role == H2_CLIENT) {
		submit_request(st, h, &nvs, is_end ? NULL : &body);
		return;
	}
	if (h->status < 200 && h->status != 101)
		rv = nghttp2_submit_headers(s->ng, NGHTTP2_FLAG_NONE,
		    (int32_t)st->base.id, NULL, nvs.v, nvs.n, NULL);
	else
		rv = nghttp2_submit_response(s->ng, (int32_t)st->base.id, nvs.v,
		    nvs.n, is_end ? NULL : &body);
	if (rv != 0)
		give_up(st);
}

static void
begin_body(struct h2_stream *st, const struct head *h)
{
	st->push_kind = is_bodiless(st, h) ? BODY_NONE : h->body;
	st->push_left = h->content_length;
	st->out = H2_OUT_BODY;
	TAILQ_INSERT_TAIL(&st->session->senders, st, in_senders);
	st->is_sender = true;
	st->was_pushable = h2_push_credit(&st->base) > 0;
}

void
h2_push_head(struct stream *base, const struct head *h, bool is_end)
{
	struct h2_stream *st = h2_stream_of(base);
	bool is_interim = !h->is_request && h->status < 200 && h->status != 101;

	if (st->out != H2_OUT_HEAD || is_dead(st))
		return;
	submit(st, h, is_end && !is_interim);
	h2_turn_schedule(st->session);
	if (is_interim || st->out != H2_OUT_HEAD)
		return;
	if (is_end)
		st->out = H2_OUT_ENDED;
	else
		begin_body(st, h);
}

void
h2_push_resume(struct h2_stream *st)
{
	if (!st->is_deferred)
		return;
	st->is_deferred = st->is_thin = false;
	(void)nghttp2_session_resume_data(
	    st->session->ng, (int32_t)st->base.id);
}

void
h2_push_body(struct stream *base, struct str bytes)
{
	struct h2_stream *st = h2_stream_of(base);

	if (st->out != H2_OUT_BODY || is_dead(st) || bytes.len == 0)
		return;
	if (st->push_kind == BODY_NONE ||
	    (st->push_kind == BODY_LENGTH && bytes.len > st->push_left)) {
		give_up(st);
		return;
	}
	if (st->push_kind == BODY_LENGTH)
		st->push_left -= bytes.len;
	base->bytes_out += bytes.len;
	h2_queue_add(&st->sending, bytes);
	/* What waits for a wider window still does. */
	if (!st->is_thin)
		h2_push_resume(st);
	st->was_pushable = h2_push_credit(base) > 0;
	h2_turn_schedule(st->session);
}

void
h2_push_end(struct stream *base, const struct head *trailers)
{
	struct h2_stream *st = h2_stream_of(base);

	if (st->out != H2_OUT_BODY || is_dead(st))
		return;
	if (st->push_kind == BODY_LENGTH && st->push_left > 0) {
		give_up(st);
		return;
	}
	st->push_trailers = h2_copy_trailers(trailers);
	st->out = H2_OUT_ENDED;
	/* Fields need no window, and the peer's may be shut for long. */
	if (st->push_trailers != NULL && st->is_head_sent &&
	    st->sending.len == 0)
		h2_send_trailers(st);
	else
		h2_push_resume(st);
	h2_turn_schedule(st->session);
}

void
h2_push_flush(struct stream *base)
{
	struct h2_session *s = h2_stream_of(base)->session;

	/* What was pushed is scheduled; what else there may be is found out. */
	if (!s->is_scheduled && s->state != H2_OVER && !s->is_mute &&
	    nghttp2_session_want_write(s->ng) != 0)
		h2_turn_schedule(s);
}

static size_t
window_of(const struct h2_stream *st)
{
	nghttp2_session *ng = st->session->ng;
	int32_t conn = nghttp2_session_get_remote_window_size(ng);
	int32_t own = nghttp2_session_get_stream_remote_window_size(
	    ng, (int32_t)st->base.id);
	size_t most;

	/* Not yet opened: it will have what streams begin with. */
	if (own < 0)
		most = nghttp2_session_get_remote_settings(
		    ng, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE);
	else
		most = (size_t)own;
	if (conn <= 0)
		return 0;
	return most < (size_t)conn ? most : (size_t)conn;
}

size_t
h2_push_credit(const struct stream *base)
{
	const struct h2_stream *st = h2_stream_of_const(base);
	size_t most;

	if (is_dead(st) || st->out != H2_OUT_BODY ||
	    wire_unsent(st->session->wire) > 0)
		return 0;
	most = window_of(st);
	if (most > CREDIT_MOST)
		most = CREDIT_MOST;
	return most > st->sending.len ? most - st->sending.len : 0;
}

void
h2_push_review(struct h2_session *s)
{
	struct h2_stream *st;
	bool can;

	if (s->state == H2_OVER)
		return;
	TAILQ_FOREACH(st, &s->senders, in_senders)
	{
		if (st->is_thin && window_of(st) >= H2_THIN) {
			h2_push_resume(st);
			h2_turn_schedule(s);
		}
		can = h2_push_credit(&st->base) > 0;
		if (can && !st->was_pushable)
			h2_stream_note(st);
		st->was_pushable = can;
	}
}
