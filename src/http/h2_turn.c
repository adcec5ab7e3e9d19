/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The turn of a session: what a ready wire brings is understood first, then
 * owners are told what became of it, and when all of them have pushed, frames
 * go out together.
 */

#include "http/h2_side.h"

/* Others have their turn after so many reads. */
#define READS_A_TURN 4
/* Between two looks at what the peer makes us say. */
#define SLICE ((size_t)16 * 1024)
/* What is read from a lingering peer; of more see h1_session.c. */
#define DISCARD_MOST ((size_t)1024 * 1024)

static void
note_first(struct h2_session *s, struct str in)
{
	size_t n = sizeof(s->first) - s->n_first;

	if (n > in.len)
		n = in.len;
	if (n > 0)
		memcpy(s->first + s->n_first, in.p, n);
	s->n_first += n;
}

/*
 * As text, whatever it is: it goes into a log.  Of what a client asks in
 * another protocol only the first word, for behind it may be secrets.
 */
static void
quote_first(const struct h2_session *s, struct text *out)
{
	size_t i;

	for (i = 0; i < s->n_first; i++) {
		if (s->role == H2_SERVER && s->first[i] == ' ')
			break;
		text_add_char(out, s->first[i] > 0x1f && s->first[i] < 0x7f &&
					   s->first[i] != '"' &&
					   s->first[i] != '\\'
				       ? s->first[i]
				       : '.');
	}
}

static void
is_no_h2(struct h2_session *s)
{
	struct text why = TEXT_EMPTY;

	if (s->role == H2_SERVER && s->walk.has_preface) {
		h2_session_quit(s, H2_END_PROTOCOL, NGHTTP2_PROTOCOL_ERROR,
		    "the client's first frame is not SETTINGS");
		return;
	}
	text_add_z(&why, "the peer does not speak HTTP/2: it said \"");
	quote_first(s, &why);
	text_add_char(&why, '"');
	h2_session_over(s, H2_END_NOT_H2, IO_DONE, text_str(&why));
	text_free(&why);
}

/*
 * Who ended a stream sends nothing more on it (RFC 9113, section 5.1).  The
 * library forgets streams, so the latest ones are remembered here.
 */
static bool
is_on_ended(struct h2_session *s, const struct h2_frame *f)
{
	bool carries = f->type == H2_FRAME_DATA || f->type == H2_FRAME_HEADERS;
	bool ends = f->type == H2_FRAME_RST_STREAM ||
		    (carries && (f->flags & H2_FLAG_END_STREAM) != 0);
	size_t i;

	if (f->stream == 0)
		return false;
	for (i = 0; carries && i < ARRAY_LEN(s->ended); i++)
		if (s->ended[i] == f->stream)
			return true;
	if (ends) {
		s->ended[s->next_ended] = f->stream;
		s->next_ended = (s->next_ended + 1) % ARRAY_LEN(s->ended);
	}
	return false;
}

/*
 * To begin a stream closes all lower ones that were not begun (RFC 9113,
 * section 5.1.1); a request on one of those, the library would ignore.
 */
static bool
is_on_skipped(struct h2_session *s, const struct h2_frame *f)
{
	if (s->role != H2_SERVER || f->type != H2_FRAME_HEADERS)
		return false;
	if (f->stream > s->highest) {
		s->skipped_from = s->highest + 1;
		s->skipped_to = f->stream;
		s->highest = f->stream;
		return false;
	}
	return f->stream % 2 == 1 && f->stream >= s->skipped_from &&
	       f->stream < s->skipped_to;
}

/* False: the connection is over. */
static bool
guard_frame(struct h2_session *s)
{
	if (!h2_guard_frame(&s->guard, &s->walk, loop_now_ms(s->loop)))
		h2_session_abuse(s, s->guard.broken);
	else if (is_on_ended(s, &s->walk.frame))
		h2_session_quit(s, H2_END_PROTOCOL, NGHTTP2_STREAM_CLOSED,
		    "a frame on a stream that the peer had ended");
	else if (is_on_skipped(s, &s->walk.frame))
		h2_session_quit(s, H2_END_PROTOCOL, NGHTTP2_PROTOCOL_ERROR,
		    "a request on a stream that the peer had skipped");
	else if (s->walk.frame.type == H2_FRAME_PRIORITY &&
		 s->walk.frame.stream == 0)
		/* The library was told to look at no priorities. */
		h2_session_quit(s, H2_END_PROTOCOL, NGHTTP2_PROTOCOL_ERROR,
		    "PRIORITY of no stream");
	return s->state != H2_OVER;
}

static bool
guard(struct h2_session *s, struct str piece)
{
	for (;;) {
		switch (h2_walk_next(&s->walk, &piece)) {
		case H2_WALK_MORE:
			return true;
		case H2_WALK_ALIEN:
			is_no_h2(s);
			return false;
		case H2_WALK_FRAME:
			break;
		}
		if (!guard_frame(s))
			return false;
	}
}

static void
failed(struct h2_session *s, int rv)
{
	/* Ours, or a callback's own reason. */
	h2_session_settle(s);
	if (rv == NGHTTP2_ERR_FLOODED)
		h2_session_abuse(s, H2_ABUSE_OUTBOUND);
	h2_session_quit(
	    s, H2_END_PROTOCOL, NGHTTP2_PROTOCOL_ERROR, nghttp2_strerror(rv));
}

/* Answers that the peer does not read pile up in the library. */
static bool
is_flooded(const struct h2_session *s)
{
	size_t own = 2 * (size_t)s->n_streams + 2;

	return nghttp2_session_get_outbound_queue_size(s->ng) >
	       s->limits->abuse[H2_ABUSE_OUTBOUND] + own;
}

static void
understand(struct h2_session *s, struct str piece)
{
	ssize_t n =
	    nghttp2_session_mem_recv(s->ng, (const void *)piece.p, piece.len);

	if (n < 0) {
		failed(s, (int)n);
		return;
	}
	if (is_flooded(s) && wire_unsent(s->wire) == 0)
		h2_send(s);
	if (is_flooded(s))
		h2_session_abuse(s, H2_ABUSE_OUTBOUND);
	h2_session_settle(s);
}

static void
feed(struct h2_session *s, struct str in)
{
	struct str piece;

	if (s->n_first < sizeof(s->first) && !s->walk.is_settled)
		note_first(s, in);
	while (in.len > 0 && s->state != H2_OVER) {
		piece = str_first(in, SLICE);
		in = str_from(in, piece.len);
		if (guard(s, piece))
			understand(s, piece);
	}
	if (s->state != H2_OVER)
		h2_watch_input(s);
}

static void
lost(struct h2_session *s, enum io io)
{
	enum h2_end end = H2_END_CLOSED;

	if (io == IO_FAIL || s->is_mute)
		end = H2_END_RESET;
	else if (s->n_streams > 0)
		end = H2_END_CUT;
	h2_session_over(s, end, io,
	    end == H2_END_CLOSED ? STR("closed by the peer")
	    : end == H2_END_CUT  ? STR("closed by the peer with streams open")
				 : STR("the connection was lost"));
}

static void
read_some(struct h2_session *s)
{
	struct span span;
	enum io io;
	int i;

	for (i = 0; i < READS_A_TURN && s->state != H2_OVER; i++) {
		io = wire_read(s->wire, &span);
		if (io == IO_DONE) {
			feed(s, (struct str){ (const void *)span.p, span.len });
			continue;
		}
		if (io != IO_AGAIN || s->is_mute)
			lost(s, io);
		return;
	}
	if (s->state != H2_OVER)
		wire_kick(s->wire);
}

static void
linger(struct h2_session *s)
{
	struct span span;
	enum io io = IO_DONE;

	while (io == IO_DONE && s->discarded <= DISCARD_MOST && !s->is_mute) {
		io = wire_read(s->wire, &span);
		s->discarded += span.len;
	}
	if (io == IO_DONE ? !s->is_mute : io == IO_AGAIN)
		return;
	if (s->lingered != NULL)
		s->lingered(s->linger_arg);
}

void
h2_turn_on_wire(void *arg)
{
	struct h2_session *s = arg;

	if (wire_unsent(s->wire) > 0 && wire_flush(s->wire) == IO_FAIL)
		s->is_mute = true;
	if (s->is_lingering) {
		linger(s);
		return;
	}
	if (s->state != H2_OVER) {
		read_some(s);
		h2_push_review(s);
		h2_turn_schedule(s);
	}
	h2_turn_tell(s);
}

static void
on_turn(void *arg)
{
	struct h2_session *s = arg;

	s->is_scheduled = false;
	if (s->is_dead || s->is_lingering)
		return;
	h2_send(s);
	h2_session_settle(s);
	h2_turn_tell(s);
}

void
h2_turn_schedule(struct h2_session *s)
{
	if (s->is_scheduled || s->is_dead)
		return;
	s->is_scheduled = true;
	loop_later(s->loop, on_turn, s);
}

/* A request that was malformed, or taken back, before anybody knew of it. */
static bool
is_void(const struct h2_stream *st)
{
	return st->is_new && st->base.error != STREAM_OK &&
	       st->base.error != STREAM_TOO_LARGE;
}

static void
tell(struct h2_session *s, struct h2_stream *st)
{
	bool is_new = st->is_new;

	TAILQ_REMOVE(&s->news, st, in_news);
	st->has_news = false;
	if (is_void(st)) {
		h2_stream_release(&st->base, false);
		return;
	}
	st->is_new = false;
	if (is_new)
		s->events->on_stream(s->arg, &st->base);
	else if (st->base.on_ready != NULL)
		st->base.on_ready(st->base.arg);
}

void
h2_turn_tell(struct h2_session *s)
{
	struct h2_stream *st;

	while (!s->is_dead && !s->is_lingering &&
	       (st = TAILQ_FIRST(&s->news)) != NULL)
		tell(s, st);
	if (s->is_dead || s->is_lingering)
		return;
	if (s->n_streams == 0) {
		h2_session_drop_idle(s);
		h2_watch_idle(s);
	}
	if (!s->has_change)
		return;
	s->has_change = false;
	s->events->on_change(s->arg);
}
