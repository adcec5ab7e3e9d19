/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sending direction of a session.  Small pieces are gathered, big ones go
 * out from where they are; either way a message costs as few calls as it can.
 * Whoever pushes something else than the head promised breaks the message:
 * the peer then sees the connection end within it, never a wrong end.
 */

#include "http/h1_gather.h"
#include "http/h1_side.h"
#include "http/h1_write.h"

/* A copy of more than this costs more than a call. */
#define COPY_MOST ((size_t)16 * 1024)
/* As much as a wire reads at once. */
#define CREDIT ((size_t)64 * 1024)

void
h1_push_fail(struct h1_session *s)
{
	s->send = H1_SEND_BROKEN;
	s->is_closing = true;
	s->is_spent = true;
	h1_gather_forget(s->wire);
	/*
	 * A server may have answered before it stopped reading: in the client
	 * role pull_head() says what became of it.  A tunnel has no answer, and
	 * its other direction may have ended (or been cut).
	 */
	if (s->is_tunnel ? s->recv != H1_RECV_FAILED
			 : s->role == H1_SERVER && s->stream.error == STREAM_OK)
		s->stream.error = h1_wire_failure(s);
	wire_kick(s->wire);
}

static void
check(struct h1_session *s, enum io io)
{
	if (io == IO_FAIL)
		h1_push_fail(s);
}

/* The message will not become whole. */
static void
give_up(struct h1_session *s)
{
	s->is_reset = true;
	h1_push_fail(s);
}

/* n bytes in one piece in the gathering buffer, or NULL. */
static char *
make_room(struct h1_session *s, size_t n)
{
	struct h1_gather *g = h1_gather_for(s->wire);

	if (H1_GATHER_SIZE - g->len < n) {
		check(s, h1_gather_flush(s->wire));
		g = h1_gather_for(s->wire);
	}
	if (s->send == H1_SEND_BROKEN || H1_GATHER_SIZE - g->len < n)
		return NULL;
	return g->bytes + g->len;
}

static void
took(struct h1_session *s, size_t n)
{
	h1_gather_for(s->wire)->len += n;
}

static void
put(struct h1_session *s, struct str bytes)
{
	char *p = make_room(s, bytes.len);

	if (p == NULL || bytes.len == 0)
		return;
	memcpy(p, bytes.p, bytes.len);
	took(s, bytes.len);
}

/* Try behind what is gathered, then with all the room. */
static bool
put_head(struct h1_session *s, const struct head *h, bool says_close)
{
	struct h1_gather *g = h1_gather_for(s->wire);
	size_t n = h1_write_head(
	    h, says_close, g->bytes + g->len, H1_GATHER_SIZE - g->len);
	char *p;

	if (n == 0) {
		p = make_room(s, H1_GATHER_SIZE);
		if (p == NULL)
			return false;
		n = h1_write_head(h, says_close, p, H1_GATHER_SIZE);
	}
	took(s, n);
	return n > 0;
}

/* Who waits for 100 and gets an answer instead may still send the body. */
static bool
is_left_waiting(const struct h1_session *s)
{
	return s->awaits_continue && s->recv == H1_RECV_BODY &&
	       s->stream.bytes_in == 0 && s->room->used == s->room->len;
}

static bool
says_close(struct h1_session *s, const struct head *h)
{
	if (s->role == H1_CLIENT)
		return false;
	if (h->wants_close || is_left_waiting(s))
		s->is_closing = true;
	return s->is_closing;
}

static bool
is_bodiless(const struct h1_session *s, const struct head *h)
{
	if (h->is_request)
		return false;
	return s->is_head || h->is_head_request || h->status == 204 ||
	       h->status == 304;
}

static void
begin_body(struct h1_session *s, const struct head *h)
{
	s->push_kind = is_bodiless(s, h) ? BODY_NONE : h->body;
	s->push_left = s->push_kind == BODY_LENGTH ? h->content_length : 0;
	s->send = H1_SEND_BODY;
}

/* Its request is over, and the caller asked for it. */
static bool
may_switch(const struct h1_session *s)
{
	return s->role == H1_SERVER && s->asks_upgrade &&
	       s->recv == H1_RECV_DONE;
}

static void
push_switch(struct h1_session *s, const struct head *h)
{
	if (!may_switch(s) || !put_head(s, h, false)) {
		give_up(s);
		return;
	}
	s->push_kind = BODY_TUNNEL;
	s->send = H1_SEND_BODY;
	h1_pull_tunnel(s);
}

void
h1_push_head(struct stream *st, const struct head *h, bool is_end)
{
	struct h1_session *s = h1_session_of(st);
	bool is_interim = !h->is_request && h->status < 200;

	if (s->send != H1_SEND_HEAD)
		return;
	if (!h->is_request && h->status == 101) {
		push_switch(s, h);
		return;
	}
	if (h->is_request) {
		s->is_head = str_eq(h->method, STR("HEAD"));
		s->asks_upgrade = h->upgrade.len > 0 && h->body == BODY_TUNNEL;
	}
	if (!put_head(s, h, !is_interim && says_close(s, h))) {
		give_up(s);
		return;
	}
	if (is_interim) {
		s->awaits_continue &= h->status != 100;
		return;
	}
	begin_body(s, h);
	if (is_end)
		h1_push_end(st, NULL);
}

static void
put_chunk(struct h1_session *s, struct str bytes)
{
	char line[H1_CHUNK_HEAD_MAX];

	put(s, (struct str){ line, h1_write_chunk_head(bytes.len, line) });
	put(s, bytes);
	put(s, STR("\r\n"));
}

static bool
is_chunked(const struct h1_session *s)
{
	return s->push_kind == BODY_STREAMED || s->push_kind == BODY_TO_CLOSE;
}

static void
send_big(struct h1_session *s, struct str bytes)
{
	char line[H1_CHUNK_HEAD_MAX];
	struct str tail = STR_NONE;

	if (is_chunked(s)) {
		put(s,
		    (struct str){ line, h1_write_chunk_head(bytes.len, line) });
		tail = STR("\r\n");
	}
	if (s->send == H1_SEND_BODY)
		check(s, h1_gather_send(s->wire, bytes, tail));
}

/* What is sent before a tunnel stands would be read as the next request. */
static bool
may_carry(const struct h1_session *s, size_t n)
{
	switch (s->push_kind) {
	case BODY_NONE:
		return false;
	case BODY_LENGTH:
		return n <= s->push_left;
	case BODY_STREAMED:
	case BODY_TO_CLOSE:
		return true;
	case BODY_TUNNEL:
		return s->is_tunnel;
	}
	return false;
}

void
h1_push_body(struct stream *st, struct str bytes)
{
	struct h1_session *s = h1_session_of(st);

	if (s->send == H1_SEND_HEAD)
		give_up(s);
	if (s->send != H1_SEND_BODY || bytes.len == 0)
		return;
	if (!may_carry(s, bytes.len)) {
		give_up(s);
		return;
	}
	if (s->push_kind == BODY_LENGTH)
		s->push_left -= bytes.len;
	st->bytes_out += bytes.len;
	if (bytes.len > COPY_MOST)
		send_big(s, bytes);
	else if (is_chunked(s))
		put_chunk(s, bytes);
	else
		put(s, bytes);
}

static bool
put_end(struct h1_session *s, const struct head *trailers)
{
	struct h1_gather *g = h1_gather_for(s->wire);
	size_t n =
	    h1_write_end(trailers, g->bytes + g->len, H1_GATHER_SIZE - g->len);
	char *p;

	if (n == 0) {
		p = make_room(s, H1_GATHER_SIZE);
		if (p == NULL)
			return false;
		n = h1_write_end(trailers, p, H1_GATHER_SIZE);
	}
	took(s, n);
	return n > 0;
}

static void
end_tunnel(struct h1_session *s)
{
	check(s, h1_gather_flush(s->wire));
	if (s->send == H1_SEND_BODY)
		check(s, wire_finish(s->wire));
	if (s->send == H1_SEND_BODY)
		s->send = H1_SEND_DONE;
}

void
h1_push_end(struct stream *st, const struct head *trailers)
{
	struct h1_session *s = h1_session_of(st);

	if (s->send != H1_SEND_BODY)
		return;
	switch (s->push_kind) {
	case BODY_NONE:
		break;
	case BODY_LENGTH:
		if (s->push_left > 0) {
			give_up(s);
			return;
		}
		break;
	case BODY_STREAMED:
	case BODY_TO_CLOSE:
		if (!put_end(s, trailers)) {
			give_up(s);
			return;
		}
		break;
	case BODY_TUNNEL:
		if (s->is_tunnel)
			end_tunnel(s);
		return;
	}
	s->send = H1_SEND_DONE;
}

void
h1_push_flush(struct stream *st)
{
	struct h1_session *s = h1_session_of(st);

	check(s, h1_gather_flush(s->wire));
}

size_t
h1_push_credit(const struct stream *st)
{
	/* The stream is its first member. */
	const struct h1_session *s = (const void *)st;

	if (s->send == H1_SEND_BROKEN || wire_unsent(s->wire) > 0)
		return 0;
	return CREDIT;
}
