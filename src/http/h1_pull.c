/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The receiving direction of a session.  A head is copied out of the loop's
 * scratch, since it outlives the next read; a body never is, but for the few
 * bytes that came with the head.  Chunks that came together are moved
 * together, so that one pull hands out all that one read brought.
 */

#include <errno.h>

#include "base/xalloc.h"
#include "http/h1_side.h"

/* Informational answers to one request; nobody needs more. */
#define INTERIMS_MOST 16

static enum pull
fail(struct h1_session *s, enum stream_error e)
{
	s->recv = H1_RECV_FAILED;
	s->is_closing = true;
	s->is_spent = true;
	s->stream.error = e;
	return PULL_FAIL;
}

enum stream_error
h1_wire_failure(const struct h1_session *s)
{
	int e = s->wire->error;

	return e == ECONNRESET || e == EPIPE ? STREAM_RESET : STREAM_WIRE;
}

static bool
has_begun(const struct h1_session *s)
{
	return s->room != NULL && s->room->len > 0;
}

static enum stream_error
cut_in_head(const struct h1_session *s, enum io io)
{
	if (has_begun(s) || s->interims > 0)
		return io == IO_FAIL ? h1_wire_failure(s) : STREAM_CUT;
	/* Whoever may try again needs to know that no answer was begun. */
	if (s->role == H1_CLIENT && io == IO_FAIL &&
	    h1_wire_failure(s) != STREAM_RESET)
		return STREAM_WIRE;
	if (s->role == H1_CLIENT)
		return STREAM_CLOSED_EARLY;
	return io == IO_FAIL ? h1_wire_failure(s) : STREAM_IDLE_CLOSED;
}

static enum pull
refuse(struct h1_session *s, enum h1_status status)
{
	switch (status) {
	case H1_TOO_LARGE:
		return fail(s, STREAM_TOO_LARGE);
	case H1_VERSION:
		return fail(s, STREAM_VERSION);
	case H1_NOT_IMPLEMENTED:
		return fail(s, STREAM_NOT_IMPLEMENTED);
	case H1_NO_HOST:
		return fail(s, STREAM_NO_HOST);
	case H1_OK:
	case H1_MORE:
	case H1_BAD:
		break;
	}
	return fail(s, STREAM_BAD_MESSAGE);
}

/* What is no HTTP/1 at all, and known for it by its first bytes. */
static enum stream_error
other_protocol(const struct h1_session *s)
{
	struct str got = { (const void *)s->room->p, s->room->len };

	if (s->role == H1_CLIENT || got.len == 0)
		return STREAM_OK;
	/* A TLS record of the handshake, version 3.x (RFC 8446, 5.1). */
	if (got.p[0] == 0x16 && (got.len == 1 || got.p[1] == 0x03))
		return STREAM_LOOKS_TLS;
	return str_starts(got, STR("PRI * HTTP/2.0\r\n")) ? STREAM_PREFACE
							  : STREAM_OK;
}

static enum h1_status
parse(struct h1_session *s)
{
	struct h1_room *r = s->room;
	struct str got = { (const void *)r->p, r->len };

	if (s->role == H1_SERVER)
		return h1_parse_request(got, &s->limits, &r->scanned, r->fields,
		    &r->head, &r->used);
	return h1_parse_response(got, &s->limits, &r->scanned, s->is_head,
	    r->fields, &r->head, &r->used);
}

/*
 * What came behind the head: small enough, it is read from the room; else it
 * goes back to the wire.
 */
static void
settle_rest(struct h1_session *s, struct str in, size_t added)
{
	struct h1_room *r = s->room;
	struct str more = str_from(in, added);

	if (more.len <= r->cap - r->len) {
		if (more.len > 0)
			memcpy(r->p + r->len, more.p, more.len);
		r->len += more.len;
		return;
	}
	wire_keep(s->wire, str_from(in, added - (r->len - r->used)));
	r->len = r->used;
}

static enum h1_status
feed(struct h1_session *s, struct span span)
{
	struct str in = { (const void *)span.p, span.len };
	enum h1_status status;
	size_t added = 0;

	do {
		added += h1_room_add(
		    s->room, str_from(in, added), s->limits.head_bytes);
		status = parse(s);
	} while (status == H1_MORE && added < in.len);
	if (status == H1_OK)
		settle_rest(s, in, added);
	return status;
}

static enum pull
begin_request(struct h1_session *s, struct head *h)
{
	s->is_head = str_eq(h->method, STR("HEAD"));
	s->awaits_continue = h->expects_continue && !h1_body_is_over(&s->body);
	s->asks_upgrade = h->upgrade.len > 0;
	return PULL_DATA;
}

void
h1_pull_tunnel(struct h1_session *s)
{
	s->body = (struct h1_body){ .kind = BODY_TUNNEL };
	s->recv = H1_RECV_BODY;
	s->is_tunnel = true;
	s->is_spent = true;
}

static enum pull
begin_tunnel(struct h1_session *s, struct head *h)
{
	/* Nobody may switch who was not asked to. */
	if (!s->asks_upgrade)
		return fail(s, STREAM_BAD_MESSAGE);
	h->body = BODY_TUNNEL;
	h->has_length = false;
	h1_pull_tunnel(s);
	return PULL_DATA;
}

static enum pull
begin_response(struct h1_session *s, struct head *h)
{
	if (h->status == 101)
		return begin_tunnel(s, h);
	if (h->status < 200) {
		s->recv = H1_RECV_HEAD;
		if (++s->interims > INTERIMS_MOST)
			return fail(s, STREAM_BAD_MESSAGE);
		return PULL_DATA;
	}
	if (h->body == BODY_TO_CLOSE)
		s->is_spent = true;
	/* It declines, and then the request had no body. */
	if (s->asks_upgrade && s->send == H1_SEND_BODY)
		s->send = H1_SEND_DONE;
	return PULL_DATA;
}

static enum pull
begin_message(struct h1_session *s, struct head **out)
{
	struct head *h = &s->room->head;

	*out = h;
	s->is_closing |= h->wants_close;
	h1_body_init(&s->body, h);
	s->recv = h1_body_is_over(&s->body) ? H1_RECV_DONE : H1_RECV_BODY;
	return s->role == H1_SERVER ? begin_request(s, h)
				    : begin_response(s, h);
}

/* May a head be looked for now? */
static bool
is_due(const struct h1_session *s)
{
	/* Who does not take answers may not ask more; else they pile up. */
	if (s->role == H1_SERVER)
		return wire_unsent(s->wire) == 0;
	return s->send != H1_SEND_HEAD;
}

/* The interim answer before is through; what came behind it is read again. */
static void
leave_interim(struct h1_session *s)
{
	if (s->room == NULL || s->room->used == 0)
		return;
	wire_keep(s->wire, h1_room_rest(s->room));
	h1_room_clear(s->room);
}

static enum pull
read_head(struct h1_session *s, struct head **out)
{
	enum h1_status status = H1_MORE;
	enum stream_error other;
	struct span span;
	enum io io;

	while (status == H1_MORE) {
		io = wire_read(s->wire, &span);
		if (io == IO_AGAIN && s->send == H1_SEND_BROKEN)
			io = IO_FAIL;
		if (io == IO_AGAIN)
			return PULL_WAIT;
		if (io != IO_DONE)
			return fail(s, cut_in_head(s, io));
		if (s->room == NULL)
			s->room = h1_room_take();
		status = feed(s, span);
		other = other_protocol(s);
		if (other != STREAM_OK)
			return fail(s, other);
	}
	return status == H1_OK ? begin_message(s, out) : refuse(s, status);
}

enum pull
h1_pull_head(struct stream *st, struct head **out)
{
	struct h1_session *s = h1_session_of(st);

	*out = NULL;
	switch (s->recv) {
	case H1_RECV_HEAD:
		break;
	case H1_RECV_BODY:
		return PULL_WAIT;
	case H1_RECV_DONE:
		return PULL_END;
	case H1_RECV_FAILED:
		return PULL_FAIL;
	}
	if (!is_due(s))
		return PULL_WAIT;
	leave_interim(s);
	return read_head(s, out);
}

/* The trailer lines were collected; now they have to make sense. */
static bool
finish_trailers(struct h1_session *s)
{
	struct h1_room *r = s->room;

	if (r->trailer_lines.len == 0)
		return true;
	if (r->trailer_fields == NULL)
		r->trailer_fields =
		    xcalloc(HEAD_FIELDS_MAX, sizeof(struct field));
	return h1_parse_trailers(text_str(&r->trailer_lines), &s->limits,
		   r->trailer_fields, &r->trailers) == H1_OK;
}

/*
 * Decode what is in *in, moving later pieces behind the first; the piece that
 * results is *out.  False: it is no body.
 */
static bool
decode(struct h1_session *s, struct span *in, size_t credit, struct span *out)
{
	struct str left = { (const void *)in->p, in->len }, data;
	const char *base = left.p;
	enum h1_body_status status;
	size_t used, at;

	do {
		status = h1_body_next(&s->body, left, credit - out->len,
		    &s->limits, &data, &used, &s->room->trailer_lines);
		if (status == H1_BODY_BAD)
			return false;
		left = str_from(left, used);
		if (data.len == 0)
			break;
		at = (size_t)(data.p - base);
		if (out->len == 0)
			out->p = in->p + at;
		else if (out->p + out->len != in->p + at)
			memmove(out->p + out->len, in->p + at, data.len);
		out->len += data.len;
	} while (status == H1_BODY_DATA);
	used = in->len - left.len;
	in->p += used;
	in->len = left.len;
	return true;
}

/*
 * The room around the piece, once the rest of the bytes is put away: what it
 * was moved from, and what surrounds the span.
 */
static void
measure_rooms(
    const struct span *whole, const struct span *left, struct span *out)
{
	out->room_before = whole->room_before + (size_t)(out->p - whole->p);
	out->room_after = (size_t)(left->p - out->p) - out->len;
	if (left->len == 0)
		out->room_after += whole->room_after;
}

/* As decode(), of what has no framing, nor a room any more. */
static void
take_raw(struct span *in, size_t credit, struct span *out)
{
	out->p = in->p;
	out->len = in->len < credit ? in->len : credit;
	in->p += out->len;
	in->len -= out->len;
}

static enum pull
decode_span(
    struct h1_session *s, struct span *in, size_t credit, struct span *out)
{
	struct span whole = *in;

	if (s->is_tunnel)
		take_raw(in, credit, out);
	else if (!decode(s, in, credit, out))
		return fail(s, STREAM_BAD_MESSAGE);
	if (h1_body_is_over(&s->body)) {
		if (!finish_trailers(s))
			return fail(s, STREAM_BAD_MESSAGE);
		s->recv = H1_RECV_DONE;
	}
	if (out->len == 0)
		return s->recv == H1_RECV_DONE ? PULL_END : PULL_WAIT;
	measure_rooms(&whole, in, out);
	s->stream.bytes_in += out->len;
	return PULL_DATA;
}

/* The first bytes of the body, which came with the head. */
static enum pull
pull_from_room(struct h1_session *s, size_t credit, struct span *out)
{
	struct h1_room *r = s->room;
	struct span in = { .p = r->p + r->used, .len = r->len - r->used };
	enum pull pull = decode_span(s, &in, credit, out);

	r->used = r->len - in.len;
	return pull;
}

static enum pull
end_by_wire(struct h1_session *s, enum io io)
{
	if (io == IO_FAIL)
		return fail(s, h1_wire_failure(s));
	/* Without close_notify it may be an attacker who ends it. */
	if (io == IO_CUT && s->is_tunnel)
		s->stream.error = STREAM_CUT;
	else if (io != IO_EOF || !h1_body_eof(&s->body))
		return fail(s, STREAM_CUT);
	s->recv = H1_RECV_DONE;
	return PULL_END;
}

static enum pull
pull_from_wire(struct h1_session *s, size_t credit, struct span *out)
{
	enum pull pull = PULL_WAIT;
	struct span span;
	enum io io;

	do {
		io = wire_read(s->wire, &span);
		/* Nothing but this direction would tell of the other one. */
		if (io == IO_AGAIN && s->is_tunnel && s->send == H1_SEND_BROKEN)
			io = IO_FAIL;
		if (io == IO_AGAIN)
			return PULL_WAIT;
		if (io != IO_DONE)
			return end_by_wire(s, io);
		pull = decode_span(s, &span, credit, out);
		wire_keep(
		    s->wire, (struct str){ (const void *)span.p, span.len });
	} while (pull == PULL_WAIT);
	return pull;
}

/* A tunnel may last, and mostly rest: it holds no head meanwhile. */
static void
leave_room(struct h1_session *s)
{
	if (s->room == NULL || s->room->used < s->room->len)
		return;
	h1_room_give(s->room);
	s->room = NULL;
}

enum pull
h1_pull_body(struct stream *st, size_t credit, struct span *out)
{
	struct h1_session *s = h1_session_of(st);
	enum pull pull = PULL_WAIT;

	*out = (struct span){ .p = NULL };
	switch (s->recv) {
	case H1_RECV_BODY:
		break;
	case H1_RECV_HEAD:
		return PULL_WAIT;
	case H1_RECV_DONE:
		return PULL_END;
	case H1_RECV_FAILED:
		return PULL_FAIL;
	}
	if (credit == 0)
		return PULL_WAIT;
	if (s->is_tunnel)
		leave_room(s);
	if (s->room != NULL && s->room->used < s->room->len)
		pull = pull_from_room(s, credit, out);
	return pull == PULL_WAIT ? pull_from_wire(s, credit, out) : pull;
}

const struct head *
h1_pull_trailers(struct stream *st)
{
	const struct h1_session *s = h1_session_of(st);

	if (s->recv != H1_RECV_DONE || s->room == NULL ||
	    s->room->trailer_lines.len == 0 || s->room->trailers.n_fields == 0)
		return NULL;
	return &s->room->trailers;
}
