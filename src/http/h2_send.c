/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the library says while it writes, and how frames reach the wire: those
 * of all streams of a turn are put behind each other and written together;
 * while the wire holds something unsent nothing more is taken from anyone.
 */

#include <stdio.h>

#include "http/h2_side.h"

/* A frame with what the library may put around it. */
#define FRAME_MOST ((size_t)17 * 1024)
#define OUT_SIZE ((size_t)64 * 1024 + FRAME_MOST)

/*
 * One a thread, rather than one a session: it is empty whenever h2_send() is
 * not at work.  The loop's scratch would not do: TLS needs it for the result.
 */
static _Thread_local struct {
	size_t len;
	char bytes[OUT_SIZE];
} out;

static struct h2_stream *
find(struct h2_session *s, int32_t id)
{
	return nghttp2_session_get_stream_user_data(s->ng, id);
}

static void
put(struct str bytes)
{
	if (bytes.len > 0)
		memcpy(out.bytes + out.len, bytes.p, bytes.len);
	out.len += bytes.len;
}

static void
write_out(struct h2_session *s)
{
	struct str all = { out.bytes, out.len };

	out.len = 0;
	if (all.len == 0 || s->is_mute)
		return;
	if (wire_write(s->wire, all) == IO_FAIL) {
		/* What the peer said before is read, and then the end. */
		s->is_mute = true;
		wire_kick(s->wire);
	}
}

void
h2_send_trailers(struct h2_stream *st)
{
	struct h2_nvs nvs;

	h2_nvs_of_trailers(&nvs, &st->push_trailers->head);
	(void)nghttp2_submit_trailer(
	    st->session->ng, (int32_t)st->base.id, nvs.v, nvs.n);
	h2_room_give(st->push_trailers);
	st->push_trailers = NULL;
	h2_session_count(st->session, H2_TRAILERS);
}

/*
 * A peer with a window of a byte would make us send a frame for each: a stream
 * has one thin frame in a while, and the next when the window is wider.
 */
static bool
is_too_thin(struct h2_stream *st, size_t window)
{
	struct h2_session *s = st->session;
	uint64_t now = loop_now_ms(s->loop);
	bool ends = st->out == H2_OUT_ENDED && st->sending.len <= window;

	if (window >= H2_THIN || ends)
		return false;
	if (st->thin_at_ms != 0 && now < st->thin_at_ms + H2_THIN_MS)
		return true;
	st->thin_at_ms = now;
	return false;
}

static ssize_t
defer(struct h2_stream *st, bool is_thin)
{
	st->is_deferred = true;
	st->is_thin = is_thin;
	if (is_thin)
		h2_watch_thin(st->session);
	return NGHTTP2_ERR_DEFERRED;
}

ssize_t
h2_send_read(nghttp2_session *ng, int32_t id, uint8_t *buf, size_t n,
    uint32_t *flags, nghttp2_data_source *source, void *arg)
{
	struct h2_stream *st = source->ptr;

	(void)ng;
	(void)id;
	(void)buf;
	(void)arg;
	if (st->out == H2_OUT_BROKEN)
		return defer(st, false);
	if (st->sending.len == 0 && st->out != H2_OUT_ENDED)
		return defer(st, false);
	if (is_too_thin(st, n))
		return defer(st, true);
	*flags |= NGHTTP2_DATA_FLAG_NO_COPY;
	if (n < st->sending.len)
		return (ssize_t)n;
	if (st->out == H2_OUT_ENDED) {
		*flags |= NGHTTP2_DATA_FLAG_EOF;
		if (st->push_trailers != NULL) {
			*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
			h2_send_trailers(st);
		}
	}
	return (ssize_t)st->sending.len;
}

static int
on_send_data(nghttp2_session *ng, nghttp2_frame *f, const uint8_t *head,
    size_t n, nghttp2_data_source *source, void *arg)
{
	struct h2_session *s = arg;
	struct h2_stream *st = source->ptr;
	struct span piece;

	(void)ng;
	(void)f;
	put((struct str){ (const void *)head, H2_FRAME_HEAD });
	st->sent += n;
	while (n > 0) {
		piece = h2_queue_take(&st->sending, n);
		put((struct str){ (const void *)piece.p, piece.len });
		n -= piece.len;
	}
	s->took_data = true;
	/* Back to h2_send(), which looks for room. */
	return NGHTTP2_ERR_PAUSE;
}

/* END_STREAM went out. */
static void
end_sending(struct h2_stream *st)
{
	if (st->out == H2_OUT_BROKEN)
		return;
	st->out = H2_OUT_SENT;
	h2_queue_clear(&st->sending);
	if (st->is_sender)
		TAILQ_REMOVE(&st->session->senders, st, in_senders);
	st->is_sender = false;
	if (st->is_released && st->session->role == H2_SERVER &&
	    st->in != H2_IN_ENDED)
		h2_stream_reset(st, NGHTTP2_NO_ERROR);
}

static void
sent_reset(struct h2_session *s, const nghttp2_frame *f)
{
	struct h2_stream *st = find(s, f->hd.stream_id);

	h2_session_count(s, H2_TX_RESET);
	if (st == NULL || st->is_reset)
		return;
	/* The library found a mistake of the peer's that it did not tell. */
	st->is_reset = true;
	h2_session_count(s, H2_MESSAGE_ERROR);
	if (s->role == H2_SERVER && !s->has_broken &&
	    !h2_guard_charge(&s->guard, H2_ABUSE_RESETS, loop_now_ms(s->loop)))
		h2_session_break(s, H2_END_ABUSE, NULL);
	h2_stream_fail(st, STREAM_BAD_MESSAGE);
}

static void
sent_goaway(struct h2_session *s, const nghttp2_goaway *g)
{
	char why[128];

	h2_session_say_goaway(s);
	if (g->error_code == NGHTTP2_NO_ERROR) {
		s->was_last_said |= g->last_stream_id != INT32_MAX;
		return;
	}
	/*
	 * The library found the peer in breach of the protocol; its words have
	 * no end of their own.
	 */
	(void)snprintf(why, sizeof(why), "%.*s", (int)g->opaque_data_len,
	    (const char *)(const void *)g->opaque_data);
	h2_session_break(s,
	    g->error_code == NGHTTP2_ENHANCE_YOUR_CALM ? H2_END_ABUSE
						       : H2_END_PROTOCOL,
	    *why != '\0' ? why : nghttp2_http2_strerror(g->error_code));
}

static int
on_sent(nghttp2_session *ng, const nghttp2_frame *f, void *arg)
{
	struct h2_session *s = arg;
	bool is_end = (f->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
	struct h2_stream *st;

	(void)ng;
	if (f->hd.type == NGHTTP2_HEADERS || f->hd.type == NGHTTP2_DATA) {
		st = find(s, f->hd.stream_id);
		if (f->hd.type == NGHTTP2_DATA)
			h2_guard_sent_data(&s->guard);
		else if (st != NULL)
			st->is_head_sent = true;
		if (st != NULL && is_end)
			end_sending(st);
	} else if (f->hd.type == NGHTTP2_RST_STREAM) {
		sent_reset(s, f);
	} else if (f->hd.type == NGHTTP2_GOAWAY) {
		sent_goaway(s, &f->goaway);
	} else if (f->hd.type == NGHTTP2_PING &&
		   (f->hd.flags & NGHTTP2_FLAG_ACK) == 0) {
		h2_guard_sent_ping(&s->guard);
	}
	return 0;
}

/* A head that the library does not encode: too large, or too late. */
static int
on_not_sent(nghttp2_session *ng, const nghttp2_frame *f, int why, void *arg)
{
	struct h2_session *s = arg;
	struct h2_stream *st;

	(void)ng;
	if (f->hd.type != NGHTTP2_HEADERS)
		return 0;
	st = find(s, f->hd.stream_id);
	if (st == NULL || why != NGHTTP2_ERR_FRAME_SIZE_ERROR)
		return 0;
	if (s->role == H2_SERVER)
		h2_stream_reset(st, NGHTTP2_INTERNAL_ERROR);
	h2_stream_fail(st, STREAM_TOO_LARGE);
	return 0;
}

/* One step of the library; false: it has nothing more. */
static bool
step(struct h2_session *s)
{
	const uint8_t *p;
	ssize_t n;

	s->took_data = false;
	n = nghttp2_session_mem_send(s->ng, &p);
	if (n < 0) {
		h2_session_break(s, H2_END_PROTOCOL, nghttp2_strerror((int)n));
		return false;
	}
	put((struct str){ (const void *)p, (size_t)n });
	return n > 0 || s->took_data;
}

void
h2_send(struct h2_session *s)
{
	bool has_more = true;

	if (s->state == H2_OVER)
		return;
	while (has_more && !s->is_mute && wire_unsent(s->wire) == 0) {
		while (has_more && out.len <= OUT_SIZE - FRAME_MOST)
			has_more = step(s);
		write_out(s);
	}
	h2_push_review(s);
}

void
h2_send_callbacks(nghttp2_session_callbacks *c)
{
	nghttp2_session_callbacks_set_send_data_callback(c, on_send_data);
	nghttp2_session_callbacks_set_on_frame_send_callback(c, on_sent);
	nghttp2_session_callbacks_set_on_frame_not_send_callback(
	    c, on_not_sent);
}
