/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the library says while it reads: field blocks become heads, DATA is
 * kept for its reader.  Streams are only changed here; their owners are called
 * when it has returned.
 */

#include "http/h2_side.h"

/* Informational answers to one request; nobody needs more. */
#define INTERIMS_MOST 16
/* Streams refused before the peer knew our limit; after that it is an error. */
#define REFUSED_MOST 10000

static struct h2_stream *
find(struct h2_session *s, int32_t id)
{
	return nghttp2_session_get_stream_user_data(s->ng, id);
}

static void
charge(struct h2_session *s, enum h2_abuse a)
{
	if (s->has_broken ||
	    h2_guard_charge(&s->guard, a, loop_now_ms(s->loop)))
		return;
	h2_session_break(s, H2_END_ABUSE, NULL);
}

static void
charge_reset(struct h2_session *s)
{
	if (s->role == H2_SERVER)
		charge(s, H2_ABUSE_RESETS);
}

/* It is reset, by us or already by the library. */
static void
malformed(struct h2_session *s, struct h2_stream *st)
{
	h2_session_count(s, H2_MESSAGE_ERROR);
	charge_reset(s);
	if (st == NULL)
		return;
	h2_stream_reset(st, NGHTTP2_PROTOCOL_ERROR);
	h2_stream_fail(st, STREAM_BAD_MESSAGE);
}

static struct h2_stream *
begin_request(struct h2_session *s, int32_t id)
{
	/* Share alike, unless the client asks for something else (RFC 9218). */
	const nghttp2_extpri fair = { .urgency = 3, .inc = 1 };
	struct h2_stream *st = h2_stream_new(s);

	st->base.id = (uint32_t)id;
	st->is_submitted = true;
	st->is_new = true;
	(void)nghttp2_session_set_stream_user_data(s->ng, id, st);
	(void)nghttp2_session_change_extpri_stream_priority(
	    s->ng, id, &fair, 0);
	return st;
}

static enum h2_kind
kind_of(const struct h2_session *s, const struct h2_stream *st)
{
	if (st == NULL || st->in != H2_IN_HEAD)
		return H2_OF_TRAILERS;
	return s->role == H2_SERVER ? H2_OF_REQUEST : H2_OF_RESPONSE;
}

static int
on_begin_headers(nghttp2_session *ng, const nghttp2_frame *f, void *arg)
{
	struct h2_session *s = arg;
	struct h2_stream *st;

	(void)ng;
	if (f->hd.type != NGHTTP2_HEADERS)
		return 0;
	if (f->headers.cat == NGHTTP2_HCAT_REQUEST)
		st = begin_request(s, f->hd.stream_id);
	else
		st = find(s, f->hd.stream_id);
	if (s->gather == NULL)
		s->gather = h2_gather_new(&s->http);
	s->gathers = kind_of(s, st);
	h2_gather_begin(s->gather, s->gathers);
	s->gathers_for = st;
	return 0;
}

static int
on_header(nghttp2_session *ng, const nghttp2_frame *f, const uint8_t *name,
    size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
    void *arg)
{
	struct h2_session *s = arg;

	(void)ng;
	(void)f;
	if (s->gather == NULL)
		return 0;
	switch (h2_gather_add(s->gather,
	    (struct str){ (const void *)name, name_len },
	    (struct str){ (const void *)value, value_len },
	    (flags & NGHTTP2_NV_FLAG_NO_INDEX) != 0)) {
	case H2_GATHER_OK:
		return 0;
	case H2_GATHER_BAD:
		malformed(s, s->gathers_for);
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	case H2_GATHER_BOMB:
		break;
	}
	h2_session_count(s, H2_HEADER_OVERFLOW);
	h2_session_break(
	    s, H2_END_ABUSE, "a field block far over limits.head_bytes");
	return NGHTTP2_ERR_CALLBACK_FAILURE;
}

static void
too_large(struct h2_stream *st)
{
	struct h2_session *s = st->session;

	h2_session_count(s, H2_HEADER_OVERFLOW);
	if (s->role == H2_SERVER && st->in == H2_IN_HEAD) {
		/* It can still be answered. */
		st->in = H2_IN_FAILED;
		st->base.error = STREAM_TOO_LARGE;
		h2_stream_note(st);
		return;
	}
	h2_stream_reset(st, NGHTTP2_ENHANCE_YOUR_CALM);
	h2_stream_fail(st, STREAM_TOO_LARGE);
}

static void
add_head(struct h2_stream *st, struct h2_room *r)
{
	if (st->heads == NULL)
		st->heads = r;
	else
		st->last_head->next = r;
	st->last_head = r;
}

static void
take_response(struct h2_stream *st, struct h2_room *r, bool is_end)
{
	add_head(st, r);
	if (r->head.status >= 200)
		st->in = is_end ? H2_IN_ENDED : H2_IN_BODY;
	else if (++st->interims > INTERIMS_MOST)
		malformed(st->session, st);
}

static void
take_block(struct h2_stream *st, struct h2_room *r, bool is_end)
{
	struct h2_session *s = st->session;

	switch (s->gathers) {
	case H2_OF_REQUEST:
		add_head(st, r);
		st->in = is_end ? H2_IN_ENDED : H2_IN_BODY;
		break;
	case H2_OF_RESPONSE:
		take_response(st, r, is_end);
		break;
	case H2_OF_TRAILERS:
		h2_session_count(s, H2_TRAILERS);
		st->trailers = r;
		st->in = H2_IN_ENDED;
		break;
	}
}

static void
end_block(struct h2_session *s, const nghttp2_frame *f)
{
	struct h2_stream *st = s->gathers_for;
	bool is_end = (f->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
	struct h2_asked asked;
	struct h2_room *r;

	s->gathers_for = NULL;
	if (st == NULL || st->in == H2_IN_FAILED || st->in == H2_IN_ENDED)
		return;
	if (st->is_released) {
		st->in = is_end ? H2_IN_ENDED : st->in;
		return;
	}
	if (h2_gather_is_too_large(s->gather)) {
		too_large(st);
		return;
	}
	asked = (struct h2_asked){ st->is_head, str_of(st->upgrade) };
	r = h2_gather_finish(s->gather, is_end, &asked);
	if (r == NULL) {
		malformed(s, st);
		return;
	}
	take_block(st, r, is_end);
	h2_stream_note(st);
}

static int
on_data(nghttp2_session *ng, uint8_t flags, int32_t id, const uint8_t *data,
    size_t n, void *arg)
{
	struct h2_session *s = arg;
	struct h2_stream *st = find(s, id);

	(void)flags;
	if (st == NULL || st->is_released || st->in != H2_IN_BODY) {
		/* Nobody reads it; the stream's window stays closed. */
		(void)nghttp2_session_consume_connection(ng, n);
		return 0;
	}
	if (st->base.is_slow)
		(void)nghttp2_session_consume_connection(ng, n);
	h2_queue_add(&st->received, (struct str){ (const void *)data, n });
	h2_stream_note(st);
	return 0;
}

static void
end_data(struct h2_session *s, const nghttp2_frame *f)
{
	struct h2_stream *st = find(s, f->hd.stream_id);

	if ((f->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0)
		return;
	if (st == NULL || st->in != H2_IN_BODY)
		return;
	st->in = H2_IN_ENDED;
	h2_stream_note(st);
}

static void
was_reset(struct h2_session *s, const nghttp2_frame *f)
{
	struct h2_stream *st = find(s, f->hd.stream_id);
	uint32_t code = f->rst_stream.error_code;
	bool is_untouched;

	h2_session_count(s, H2_RX_RESET);
	/* Also a stream that nobody knows (any more) costs. */
	if (st == NULL || st->out == H2_OUT_HEAD)
		charge_reset(s);
	if (st == NULL)
		return;
	is_untouched = s->role == H2_CLIENT && st->in == H2_IN_HEAD &&
		       st->heads == NULL && st->interims == 0;
	st->is_reset = true;
	st->base.reset_code = code;
	h2_stream_fail(st, is_untouched && code == NGHTTP2_REFUSED_STREAM
			       ? STREAM_REFUSED
			       : STREAM_RESET);
}

/* Who waits to know before it sends its request. */
static void
tell_upgrades(struct h2_session *s)
{
	struct h2_stream *st;

	TAILQ_FOREACH(st, &s->streams, in_streams)
	{
		if (st->base.upgrades != UPGRADES_UNKNOWN)
			continue;
		st->base.upgrades = h2_stream_upgrades(s);
		h2_stream_note(st);
	}
}

static void
take_settings(struct h2_session *s)
{
	uint32_t window = nghttp2_session_get_remote_settings(
	    s->ng, NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE);

	/* Each change goes through all streams. */
	if (s->has_settings && window != s->peer_window)
		charge(s, H2_ABUSE_WINDOW_UPDATES);
	s->peer_window = window;
	s->has_settings = true;
	s->has_change = true;
	tell_upgrades(s);
}

static void
was_told_to_go(struct h2_session *s)
{
	s->was_told_to_go = true;
	if (s->state == H2_OPEN)
		s->state = H2_GOING;
	s->has_change = true;
}

static int
on_frame(nghttp2_session *ng, const nghttp2_frame *f, void *arg)
{
	struct h2_session *s = arg;
	bool is_ack = (f->hd.flags & NGHTTP2_FLAG_ACK) != 0;

	(void)ng;
	if (f->hd.type == NGHTTP2_HEADERS)
		end_block(s, f);
	else if (f->hd.type == NGHTTP2_DATA)
		end_data(s, f);
	else if (f->hd.type == NGHTTP2_RST_STREAM)
		was_reset(s, f);
	else if (f->hd.type == NGHTTP2_SETTINGS && !is_ack)
		take_settings(s);
	else if (f->hd.type == NGHTTP2_GOAWAY)
		was_told_to_go(s);
	else if (f->hd.type == NGHTTP2_PING && is_ack &&
		 memcmp(f->ping.opaque_data, h2_ping_drain, H2_PING_BYTES) == 0)
		h2_session_say_last(s);
	return s->has_broken ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int
on_invalid(nghttp2_session *ng, const nghttp2_frame *f, int why, void *arg)
{
	struct h2_session *s = arg;
	struct h2_stream *st = find(s, f->hd.stream_id);

	(void)ng;
	if (why == NGHTTP2_ERR_HTTP_HEADER ||
	    why == NGHTTP2_ERR_HTTP_MESSAGING) {
		if (st != NULL)
			st->is_reset = true;
		malformed(s, st);
	} else if (why == NGHTTP2_ERR_REFUSED_STREAM &&
		   ++s->n_refused > REFUSED_MOST) {
		charge(s, H2_ABUSE_RESETS);
	}
	return s->has_broken ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

/* Bytes that may not stand in a field: the message is malformed. */
static int
on_invalid_header(nghttp2_session *ng, const nghttp2_frame *f,
    const uint8_t *name, size_t name_len, const uint8_t *value,
    size_t value_len, uint8_t flags, void *arg)
{
	(void)ng;
	(void)f;
	(void)name;
	(void)name_len;
	(void)value;
	(void)value_len;
	(void)flags;
	(void)arg;
	return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int
on_close(nghttp2_session *ng, int32_t id, uint32_t code, void *arg)
{
	struct h2_session *s = arg;
	struct h2_stream *st = find(s, id);

	if (st == NULL)
		return 0;
	(void)nghttp2_session_set_stream_user_data(ng, id, NULL);
	h2_stream_close(st, code);
	return 0;
}

void
h2_recv_callbacks(nghttp2_session_callbacks *c)
{
	nghttp2_session_callbacks_set_on_begin_headers_callback(
	    c, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(c, on_header);
	nghttp2_session_callbacks_set_on_invalid_header_callback(
	    c, on_invalid_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_data);
	nghttp2_session_callbacks_set_on_frame_recv_callback(c, on_frame);
	nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(
	    c, on_invalid);
	nghttp2_session_callbacks_set_on_stream_close_callback(c, on_close);
}
