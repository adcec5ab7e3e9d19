/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a session: how it begins, what its owner asks of it, and the
 * ways it ends.  Its turns are in h2_turn.c, its streams in h2_stream.c.
 */

#include "http/h2_session.h"

#include <errno.h>
#include <stdlib.h>

#include "base/pages.h"
#include "base/spare.h"
#include "base/xalloc.h"
#include "http/h2_side.h"

/* RFC 9113, section 6.9.2. */
#define FIRST_WINDOW 65535
/* Of SETTINGS that have not come yet (section 6.5.2 advises as much). */
#define STREAMS_AT_FIRST 100
/* Of the largest frame that a peer must take (section 4.2). */
#define FRAME_PAYLOAD ((size_t)16384)
#define FRAME_MORE ((size_t)64) /* that the library has with it */
/* What a field costs in SETTINGS_MAX_HEADER_LIST_SIZE (section 6.5.2). */
#define FIELD_COST 32
/* Edits, and what encoding adds at worst. */
#define HEAD_ROOM ((size_t)64 * 1024)
/* The library has rules of its own against resets and answers: ours come
 * first. */
#define RESETS_FREE 1000000
#define ANSWERS_FREE 4096

static nghttp2_option *
new_options(const struct h2_session *s)
{
	nghttp2_option *o;

	if (nghttp2_option_new(&o) != 0)
		abort();
	nghttp2_option_set_no_auto_window_update(o, 1);
	nghttp2_option_set_no_closed_streams(o, 1);
	nghttp2_option_set_peer_max_concurrent_streams(o, STREAMS_AT_FIRST);
	nghttp2_option_set_max_send_header_block_length(
	    o, 2 * s->http.head_bytes + HEAD_ROOM);
	nghttp2_option_set_max_outbound_ack(
	    o, s->limits->abuse[H2_ABUSE_OUTBOUND] + ANSWERS_FREE);
	nghttp2_option_set_stream_reset_rate_limit(o, RESETS_FREE, RESETS_FREE);
	return o;
}

/*
 * For each stream the library takes fifteen blocks, and as many back; for the
 * session one for the largest frame that we send, of which frames of DATA
 * leave all but their first bytes alone.
 */

/*
 * The one for frames is asked for when the session is made, and nothing else
 * is of that size.
 */
static bool
is_for_frames(const struct h2_session *s, size_t n)
{
	return s->ng == NULL && s->frame == NULL && n > FRAME_PAYLOAD &&
	       n <= FRAME_PAYLOAD + FRAME_MORE;
}

static void *
take_frame(struct h2_session *s, size_t n)
{
	s->frame = pages_alloc(n);
	s->frame_size = n;
	return s->frame;
}

static void *
take(size_t n, void *arg)
{
	struct h2_session *s = arg;

	if (is_for_frames(s, n))
		return take_frame(s, n);
	return spare_alloc(n);
}

static void *
take_zeroed(size_t n, size_t size, void *arg)
{
	(void)arg;
	return spare_calloc(n, size);
}

static void
give(void *p, void *arg)
{
	struct h2_session *s = arg;

	if (p == NULL || p != s->frame) {
		spare_free(p);
		return;
	}
	free(s->frame);
	s->frame = NULL;
}

static void *
grow(void *p, size_t n, void *arg)
{
	struct h2_session *s = arg;
	void *to;

	if (p == NULL)
		return take(n, arg);
	if (p != s->frame)
		return spare_realloc(p, n);
	to = spare_alloc(n);
	memcpy(to, p, n < s->frame_size ? n : s->frame_size);
	give(p, arg);
	return to;
}

static nghttp2_session *
new_library_session(struct h2_session *s)
{
	nghttp2_mem mem = {
		.mem_user_data = s,
		.malloc = take,
		.free = give,
		.calloc = take_zeroed,
		.realloc = grow,
	};
	nghttp2_session_callbacks *c;
	nghttp2_option *o = new_options(s);
	nghttp2_session *ng;
	int rv;

	if (nghttp2_session_callbacks_new(&c) != 0)
		abort();
	h2_recv_callbacks(c);
	h2_send_callbacks(c);
	if (s->role == H2_SERVER)
		rv = nghttp2_session_server_new3(&ng, c, s, o, &mem);
	else
		rv = nghttp2_session_client_new3(&ng, c, s, o, &mem);
	/* It fails only without memory. */
	if (rv != 0)
		abort();
	nghttp2_session_callbacks_del(c);
	nghttp2_option_del(o);
	return ng;
}

static void
submit_settings(struct h2_session *s)
{
	size_t list = s->http.head_bytes + FIELD_COST * s->http.fields;
	nghttp2_settings_entry v[6];
	size_t n = 0;

#define ENTRY(id, number)                                         \
	v[n++] = (nghttp2_settings_entry){ NGHTTP2_SETTINGS_##id, \
		(uint32_t)(number) }
	ENTRY(INITIAL_WINDOW_SIZE, s->limits->stream_window);
	ENTRY(MAX_HEADER_LIST_SIZE, list);
	if (s->role == H2_SERVER) {
		ENTRY(MAX_CONCURRENT_STREAMS, s->limits->streams);
		ENTRY(ENABLE_CONNECT_PROTOCOL, 1);
		ENTRY(NO_RFC7540_PRIORITIES, 1);
	} else {
		ENTRY(ENABLE_PUSH, 0);
	}
#undef ENTRY
	if (nghttp2_submit_settings(s->ng, NGHTTP2_FLAG_NONE, v, n) != 0)
		abort();
	if (s->limits->connection_window > FIRST_WINDOW &&
	    nghttp2_session_set_local_window_size(s->ng, NGHTTP2_FLAG_NONE, 0,
		(int32_t)s->limits->connection_window) != 0)
		abort();
}

struct h2_session *
h2_session_new(struct wire *w, enum h2_role role,
    const struct http_limits *http, const struct h2_limits *limits,
    const struct h2_events *events, void *arg)
{
	struct h2_session *s = xcalloc(1, sizeof(*s));

	s->wire = w;
	s->loop = w->loop;
	s->role = role;
	s->http = *http;
	if (s->http.fields > HEAD_FIELDS_MAX)
		s->http.fields = HEAD_FIELDS_MAX;
	s->limits = limits;
	s->events = events;
	s->arg = arg;
	TAILQ_INIT(&s->streams);
	TAILQ_INIT(&s->news);
	TAILQ_INIT(&s->senders);
	h2_walk_init(&s->walk, role == H2_SERVER);
	h2_guard_init(&s->guard, limits, loop_now_ms(s->loop));
	s->peer_window = FIRST_WINDOW;
	s->ng = new_library_session(s);
	submit_settings(s);
	h2_watch_init(s);
	wire_set_owner(w, h2_turn_on_wire, s);
	/* What the wire keeps had its event already. */
	wire_kick(w);
	h2_turn_schedule(s);
	return s;
}

void
h2_session_free(struct h2_session *s)
{
	if (s == NULL || s->is_dead)
		return;
	s->is_dead = true;
	h2_watch_stop(s);
	/* What its streams hold must not be given to a peer any more. */
	s->state = H2_OVER;
	while (!TAILQ_EMPTY(&s->streams))
		h2_stream_free(TAILQ_FIRST(&s->streams));
	nghttp2_session_del(s->ng);
	h2_gather_free(s->gather);
	text_free(&s->end_text);
	wire_set_owner(s->wire, NULL, NULL);
	wire_free(s->wire);
	/* It may be on the stack of one of its own callbacks. */
	loop_later(s->loop, free, s);
}

struct wire *
h2_session_wire(const struct h2_session *s)
{
	return s->wire;
}

struct stream *
h2_session_open(struct h2_session *s)
{
	return &h2_stream_new(s)->base;
}

unsigned
h2_session_streams_left(const struct h2_session *s)
{
	unsigned most = s->limits->streams;
	uint32_t peers;

	if (s->role != H2_CLIENT || s->state != H2_OPEN || s->is_mute)
		return 0;
	peers = nghttp2_session_get_remote_settings(
	    s->ng, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
	if (!s->has_settings && peers > STREAMS_AT_FIRST)
		peers = STREAMS_AT_FIRST;
	if (most > peers)
		most = peers;
	return most > s->n_streams ? most - s->n_streams : 0;
}

unsigned
h2_session_streams(const struct h2_session *s)
{
	return s->n_streams;
}

bool
h2_session_takes_connect(const struct h2_session *s)
{
	return s->has_settings &&
	       nghttp2_session_get_remote_settings(
		   s->ng, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1;
}

bool
h2_session_has_settings(const struct h2_session *s)
{
	return s->has_settings;
}

enum h2_state
h2_session_state(const struct h2_session *s)
{
	return s->state;
}

enum h2_end
h2_session_end(const struct h2_session *s)
{
	return s->end;
}

struct str
h2_session_end_text(const struct h2_session *s)
{
	return text_str(&s->end_text);
}

void
h2_session_drop_idle(struct h2_session *s)
{
	if (s->walk.is_in_block)
		return;
	h2_gather_free(s->gather);
	s->gather = NULL;
}

void
h2_session_rest(struct h2_session *s)
{
	if (s->n_streams > 0 || s->is_scheduled || s->state != H2_OPEN)
		return;
	/* While no frame waits nothing of one is in it. */
	if (s->frame != NULL && nghttp2_session_want_read(s->ng) != 0 &&
	    nghttp2_session_want_write(s->ng) == 0)
		pages_forget(s->frame, s->frame_size);
	if (s->events->on_rest != NULL)
		s->events->on_rest(s->arg);
}

void
h2_session_count(struct h2_session *s, enum h2_event e)
{
	if (s->events->count != NULL)
		s->events->count(s->arg, e);
}

void
h2_session_say_goaway(struct h2_session *s)
{
	if (!s->says_goaway)
		h2_session_count(s, H2_GOAWAY_SENT);
	s->says_goaway = true;
}

void
h2_session_say_last(struct h2_session *s)
{
	if (!s->is_draining || s->state == H2_OVER)
		return;
	timer_stop(&s->drain);
	(void)nghttp2_submit_goaway(s->ng, NGHTTP2_FLAG_NONE,
	    nghttp2_session_get_last_proc_stream_id(s->ng), NGHTTP2_NO_ERROR,
	    NULL, 0);
	h2_turn_schedule(s);
}

void
h2_session_drain(struct h2_session *s)
{
	if (s->is_draining || s->state == H2_OVER)
		return;
	s->is_draining = true;
	s->state = H2_GOING;
	s->has_change = true;
	h2_turn_schedule(s);
	if (s->role == H2_CLIENT) {
		h2_session_say_last(s);
		return;
	}
	/* What is on its way is still taken (RFC 9113, section 6.8). */
	(void)nghttp2_submit_shutdown_notice(s->ng);
	(void)nghttp2_submit_ping(s->ng, NGHTTP2_FLAG_NONE, h2_ping_drain);
	h2_watch_draining(s);
}

void
h2_session_linger(struct h2_session *s, void (*done)(void *arg), void *arg)
{
	h2_send(s);
	s->is_lingering = true;
	s->lingered = done;
	s->linger_arg = arg;
	h2_watch_stop(s);
	if (s->state != H2_OVER)
		s->state = H2_OVER;
	if (wire_finish(s->wire) == IO_FAIL)
		s->is_mute = true;
	wire_kick(s->wire);
}

void
h2_session_break(struct h2_session *s, enum h2_end end, const char *text)
{
	if (s->has_broken || s->state == H2_OVER)
		return;
	s->has_broken = true;
	s->broken_end = end;
	text_clear(&s->end_text);
	if (text != NULL)
		text_add_z(&s->end_text, text);
}

/* What a stream's owner is told when the connection is gone. */
static enum stream_error
error_of(const struct h2_stream *st, enum h2_end end, enum io io)
{
	const struct h2_session *s = st->session;
	int e = s->wire->error;
	bool is_reset = io == IO_FAIL && (e == ECONNRESET || e == EPIPE);
	bool has_begun = st->in != H2_IN_HEAD || st->interims > 0;

	switch (end) {
	case H2_END_NOT_H2:
	case H2_END_PROTOCOL:
	case H2_END_ABUSE:
		return STREAM_BAD_MESSAGE;
	case H2_END_NONE:
	case H2_END_CLOSED:
	case H2_END_CUT:
	case H2_END_RESET:
	case H2_END_SILENT:
	case H2_END_LATE:
		break;
	}
	/* Nothing of it was said, so it may be said to another. */
	if (s->role == H2_CLIENT && !st->is_head_sent)
		return STREAM_REFUSED;
	if (end == H2_END_SILENT || end == H2_END_LATE)
		return STREAM_WIRE;
	if (s->role == H2_CLIENT && !has_begun)
		return io == IO_FAIL && !is_reset ? STREAM_WIRE
						  : STREAM_CLOSED_EARLY;
	if (io == IO_FAIL)
		return is_reset ? STREAM_RESET : STREAM_WIRE;
	return STREAM_CUT;
}

static void
end_streams(struct h2_session *s, enum h2_end end, enum io io)
{
	struct h2_stream *st, *next;

	for (st = TAILQ_FIRST(&s->streams); st != NULL; st = next) {
		next = TAILQ_NEXT(st, in_streams);
		if (st->is_released || st->is_new)
			h2_stream_free(st);
		else
			h2_stream_fail(st, error_of(st, end, io));
	}
}

void
h2_session_over(
    struct h2_session *s, enum h2_end end, enum io io, struct str text)
{
	if (s->state == H2_OVER)
		return;
	s->state = H2_OVER;
	s->end = end;
	text_clear(&s->end_text);
	text_add(&s->end_text, text);
	if (end == H2_END_PROTOCOL || end == H2_END_NOT_H2)
		h2_session_count(s, H2_PROTOCOL_ERROR);
	h2_watch_stop(s);
	end_streams(s, end, io);
	s->has_change = true;
	h2_turn_schedule(s);
}

static void
put_u32(char *p, uint32_t n)
{
	for (int i = 0; i < 4; i++)
		p[i] = (char)(n >> (24 - 8 * i) & 0xff);
}

/*
 * By hand: the library may have failed, and what it still holds does not
 * matter any more.
 */
static void
write_goaway(struct h2_session *s, uint32_t code, struct str text)
{
	char head[H2_FRAME_HEAD + 8] = { 0 };
	int32_t last = nghttp2_session_get_last_proc_stream_id(s->ng);

	put_u32(head, (uint32_t)(8 + text.len) << 8 | H2_FRAME_GOAWAY);
	put_u32(head + H2_FRAME_HEAD, (uint32_t)last);
	put_u32(head + H2_FRAME_HEAD + 4, code);
	if (s->is_mute ||
	    wire_writev(s->wire, (struct str[]){ { head, sizeof(head) }, text },
		2) == IO_FAIL)
		s->is_mute = true;
	h2_session_say_goaway(s);
}

void
h2_session_quit(
    struct h2_session *s, enum h2_end end, uint32_t code, const char *text)
{
	if (s->state == H2_OVER)
		return;
	write_goaway(s, code, str_of(text));
	h2_session_over(s, end, IO_DONE, str_of(text));
}

void
h2_session_abuse(struct h2_session *s, enum h2_abuse a)
{
	struct text why = TEXT_EMPTY;

	if (s->state == H2_OVER)
		return;
	h2_session_count(s, h2_abuse_event(a));
	if (a == H2_ABUSE_CONTINUATIONS &&
	    s->walk.continuations > H2_CONTINUATIONS_MOST)
		text_addf(&why, "more than %d CONTINUATION frames in a block",
		    H2_CONTINUATIONS_MOST);
	else
		text_addf(&why, "more than limits.h2_%s = %u allows",
		    h2_abuse_option(a), s->limits->abuse[a]);
	h2_session_quit(s, H2_END_ABUSE, NGHTTP2_ENHANCE_YOUR_CALM, why.p);
	text_free(&why);
}

static void
end_broken(struct h2_session *s)
{
	struct text why = TEXT_EMPTY;

	s->has_broken = false;
	if (s->broken_end == H2_END_ABUSE && s->end_text.len == 0) {
		h2_session_abuse(s, s->guard.broken);
		return;
	}
	text_add(&why, text_str(&s->end_text));
	/* Of an error that the library found, it has told the peer. */
	if (s->broken_end == H2_END_PROTOCOL)
		h2_session_over(s, H2_END_PROTOCOL, IO_DONE, text_str(&why));
	else
		h2_session_quit(
		    s, s->broken_end, NGHTTP2_ENHANCE_YOUR_CALM, why.p);
	text_free(&why);
}

void
h2_session_settle(struct h2_session *s)
{
	if (s->state == H2_OVER)
		return;
	if (s->has_broken) {
		end_broken(s);
		return;
	}
	/* Two thousand million requests are enough for one connection. */
	if (s->role == H2_CLIENT && s->state == H2_OPEN &&
	    nghttp2_session_check_request_allowed(s->ng) == 0)
		h2_session_drain(s);
	if (s->n_streams == 0 && (s->was_last_said || s->was_told_to_go))
		h2_session_over(s, H2_END_CLOSED, IO_DONE,
		    STR("all streams ended after GOAWAY"));
}
