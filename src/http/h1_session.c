/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a session: which exchange has it, what a ready wire means, when
 * it may be used again, how it ends.  Receiving is in h1_pull.c, sending in
 * h1_push.c.
 */

#include "http/h1_session.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "http/h1_gather.h"
#include "http/h1_side.h"

/*
 * What is read from a lingering peer.  One that sends more is left to fill his
 * socket until whoever lingers has had enough: a close with bytes unread is a
 * reset, which can take our answer from him before he looks for it.
 */
#define DISCARD_MOST ((size_t)1024 * 1024)
/* The gathering buffer has to take a head with additions. */
#define HEAD_BYTES_MOST ((size_t)64 * 1024)

static void on_wire_ready(void *arg);
static void release(struct stream *st, bool is_whole);

static const struct stream_ops ops = {
	.pull_head = h1_pull_head,
	.pull_body = h1_pull_body,
	.trailers = h1_pull_trailers,
	.push_head = h1_push_head,
	.push_body = h1_push_body,
	.push_end = h1_push_end,
	.flush = h1_push_flush,
	.can_push = h1_push_credit,
	.release = release,
};

struct h1_session *
h1_session_new(
    struct wire *w, enum h1_role role, const struct http_limits *limits)
{
	struct h1_session *s = xcalloc(1, sizeof(*s));

	s->stream.ops = &ops;
	s->stream.version = HTTP_1_1;
	s->wire = w;
	s->role = role;
	s->limits = *limits;
	if (s->limits.head_bytes > HEAD_BYTES_MOST)
		s->limits.head_bytes = HEAD_BYTES_MOST;
	if (s->limits.fields > HEAD_FIELDS_MAX)
		s->limits.fields = HEAD_FIELDS_MAX;
	s->mode = H1_MODE_STREAM;
	s->recv = H1_RECV_HEAD;
	s->send = H1_SEND_HEAD;
	wire_set_owner(w, on_wire_ready, s);
	return s;
}

/* A message that was begun and not ended must not look like a whole one. */
static bool
is_cut(const struct h1_session *s)
{
	return s->is_reset || s->send == H1_SEND_BODY;
}

void
h1_session_free(struct h1_session *s)
{
	if (s == NULL)
		return;
	wire_set_owner(s->wire, NULL, NULL);
	h1_gather_forget(s->wire);
	if (is_cut(s))
		wire_reset(s->wire);
	else
		wire_free(s->wire);
	h1_room_give(s->room);
	free(s);
}

struct wire *
h1_session_wire(const struct h1_session *s)
{
	return s->wire;
}

struct stream *
h1_session_stream(struct h1_session *s)
{
	s->mode = H1_MODE_STREAM;
	s->stream.on_ready = NULL;
	s->stream.arg = NULL;
	s->stream.bytes_in = 0;
	s->stream.bytes_out = 0;
	return &s->stream;
}

/* Everything that concerned one exchange. */
static void
forget_exchange(struct h1_session *s)
{
	h1_room_give(s->room);
	s->room = NULL;
	s->recv = H1_RECV_HEAD;
	s->send = H1_SEND_HEAD;
	s->interims = 0;
	s->is_head = false;
	s->awaits_continue = false;
	s->asks_upgrade = false;
	s->is_tunnel = false;
	s->stream.error = STREAM_OK;
	s->stream.reset_code = 0;
}

static void
release(struct stream *st, bool is_whole)
{
	struct h1_session *s = h1_session_of(st);

	/* A front's owner goes on with the connection; a back's is gone. */
	if (s->role == H1_CLIENT)
		st->on_ready = NULL;
	/* Nothing was asked, so nothing is lost. */
	if (s->role == H1_CLIENT && s->send == H1_SEND_HEAD)
		return;
	h1_push_flush(st);
	/* The peer has to see that this was not the end. */
	if (s->send == H1_SEND_BODY || (!is_whole && s->role == H1_CLIENT))
		s->is_reset = true;
	if (s->is_tunnel && !is_whole && s->recv != H1_RECV_DONE)
		s->is_reset = true;
	if (!is_whole || s->recv != H1_RECV_DONE || s->send != H1_SEND_DONE)
		s->is_spent = true;
	if (s->room != NULL && !s->is_spent)
		wire_keep(s->wire, h1_room_rest(s->room));
	forget_exchange(s);
}

bool
h1_session_can_reuse(const struct h1_session *s)
{
	if (s->is_spent || s->is_closing || s->wire->error != 0)
		return false;
	/* A server may not say more than it was asked. */
	return s->role == H1_SERVER || wire_kept(s->wire) == 0;
}

void
h1_session_close_after(struct h1_session *s)
{
	s->is_closing = true;
}

/* A reset is not always announced: it has to be read. */
bool
h1_session_is_abandoned(struct h1_session *s)
{
	struct span span;

	if (s->recv != H1_RECV_DONE || wire_kept(s->wire) > 0 ||
	    (s->room != NULL && s->room->used < s->room->len))
		return false;
	switch (wire_read(s->wire, &span)) {
	case IO_DONE:
		wire_keep(s->wire,
		    (struct str){ .p = (const void *)span.p, .len = span.len });
		return false;
	case IO_AGAIN:
		return false;
	case IO_EOF:
	case IO_CUT:
	case IO_FAIL:
		break;
	}
	return true;
}

bool
h1_session_has_input(const struct h1_session *s)
{
	return (s->recv == H1_RECV_HEAD && s->room != NULL) ||
	       wire_kept(s->wire) > 0;
}

/* Whatever comes while nobody asked is the end of it. */
static bool
is_still_quiet(struct h1_session *s)
{
	struct span span;

	if (s->is_spent)
		return false;
	if (wire_read(s->wire, &span) == IO_AGAIN)
		return true;
	s->is_spent = true;
	return false;
}

static void
watch_idle(struct h1_session *s)
{
	void (*fn)(void *arg) = s->fn;

	if (is_still_quiet(s))
		return;
	s->mode = H1_MODE_STREAM;
	if (fn != NULL)
		fn(s->fn_arg);
}

void
h1_session_set_idle(struct h1_session *s, void (*fn)(void *arg), void *arg)
{
	s->mode = fn != NULL ? H1_MODE_IDLE : H1_MODE_STREAM;
	s->fn = fn;
	s->fn_arg = arg;
	/* What came before now had its event already. */
	if (fn != NULL && !is_still_quiet(s))
		wire_kick(s->wire);
}

/*
 * True when the peer has gone.  Who only finished his direction still gets
 * what is unsent.
 */
static bool
is_drained(struct h1_session *s)
{
	struct span span;
	enum io io = IO_DONE;

	while (io == IO_DONE && s->discarded <= DISCARD_MOST &&
	       s->send != H1_SEND_BROKEN) {
		io = wire_read(s->wire, &span);
		s->discarded += span.len;
	}
	if (s->send == H1_SEND_BROKEN)
		return io != IO_AGAIN;
	return io == IO_FAIL || (io == IO_EOF && wire_unsent(s->wire) == 0);
}

static void
go_on_lingering(struct h1_session *s)
{
	if (is_drained(s))
		s->fn(s->fn_arg);
}

void
h1_session_linger(struct h1_session *s, void (*done)(void *arg), void *arg)
{
	s->mode = H1_MODE_LINGER;
	s->fn = done;
	s->fn_arg = arg;
	if (is_cut(s) || wire_finish(s->wire) == IO_FAIL)
		s->send = H1_SEND_BROKEN;
	wire_kick(s->wire);
}

static void
on_wire_ready(void *arg)
{
	struct h1_session *s = arg;

	/* Also what is left to send after a stream was released. */
	if (wire_unsent(s->wire) > 0 && wire_flush(s->wire) == IO_FAIL)
		h1_push_fail(s);
	switch (s->mode) {
	case H1_MODE_STREAM:
		/* It may free us. */
		if (s->stream.on_ready != NULL)
			s->stream.on_ready(s->stream.arg);
		break;
	case H1_MODE_IDLE:
		watch_idle(s);
		break;
	case H1_MODE_LINGER:
		go_on_lingering(s);
		break;
	}
}
