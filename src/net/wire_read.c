/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reading side of a wire of any kind: bytes that are lent, given back, and
 * looked at ahead.  A buffer that is handed out belongs to the loop until the
 * next read, so that a drained wire holds nothing.
 */

#include <stdlib.h>

#include "net/loop_state.h"
#include "net/wire.h"

static void
end_loan(struct loop *l)
{
	free(l->lent);
	l->lent = NULL;
	l->lent_cap = 0;
}

/* Hand out all that w holds. */
static void
lend(struct wire *w, struct span *out)
{
	struct wire_buf *b = &w->in;

	*out = (struct span){
		.p = b->p + b->from,
		.len = b->to - b->from,
		.room_before = b->from,
		.room_after = b->cap - b->to,
	};
	end_loan(w->loop);
	w->loop->lent = b->p;
	w->loop->lent_cap = b->cap;
	*b = (struct wire_buf){ .p = NULL };
	w->peeked = 0;
}

static enum io
read_kept(struct wire *w, enum io io, struct span *out)
{
	size_t kept = wire_kept(w);

	switch (io) {
	case IO_DONE:
		wire_buf_add(&w->in,
		    (struct str){ .p = (const void *)out->p, .len = out->len });
		break;
	case IO_AGAIN:
		break;
	case IO_EOF:
	case IO_CUT:
		/* Kept whole after the end was known: it will not grow. */
		if (w->ended_at == kept) {
			lend(w, out);
			return io;
		}
		w->ended_at = kept;
		w->has_news = true;
		break;
	case IO_FAIL:
		return IO_FAIL;
	}
	lend(w, out);
	return IO_DONE;
}

enum io
wire_read(struct wire *w, struct span *out)
{
	size_t kept = wire_kept(w);
	enum io io = IO_AGAIN;

	*out = (struct span){ .p = NULL };
	/* Who keeps that much is not waiting for more of it. */
	if (kept < SCRATCH_SIZE && !w->is_dry)
		io = w->ops->read(w, out);
	w->has_news = io == IO_DONE;
	if (kept > 0)
		return read_kept(w, io, out);
	return io;
}

static bool
take_back(struct wire *w, struct str tail)
{
	struct loop *l = w->loop;
	const uint8_t *p = (const void *)tail.p;

	if (l->lent == NULL || wire_kept(w) > 0 || p < l->lent ||
	    p >= l->lent + l->lent_cap)
		return false;
	w->in = (struct wire_buf){
		.p = l->lent,
		.from = (size_t)(p - l->lent),
		.to = (size_t)(p - l->lent) + tail.len,
		.cap = l->lent_cap,
	};
	l->lent = NULL;
	l->lent_cap = 0;
	return true;
}

/* Can more than this be had without an event that is still to come? */
static bool
may_have_more(const struct wire *w)
{
	/* Other kinds than the plain one hold bytes of their own. */
	return !w->is_dry && (w->can_read || w->is_eof || w->impl != NULL);
}

void
wire_keep(struct wire *w, struct str tail)
{
	if (tail.len == 0)
		return;
	if (!take_back(w, tail))
		wire_buf_add(&w->in, tail);
	/* Its edge is over, and the reader may wait for more. */
	if (w->has_news && may_have_more(w))
		wire_kick(w);
	w->has_news = false;
}

size_t
wire_kept(const struct wire *w)
{
	return w->in.to - w->in.from;
}

static enum io
peek_more(struct wire *w, size_t max)
{
	uint8_t *p = loop_scratch(w->loop, SCRATCH_IN);
	size_t got, want;
	enum io io;

	while (wire_kept(w) < max) {
		want = max - wire_kept(w);
		if (want > SCRATCH_SIZE)
			want = SCRATCH_SIZE;
		io = wire_sock_read(w, p, want, &got);
		if (io != IO_DONE)
			return io;
		wire_buf_add(
		    &w->in, (struct str){ .p = (const void *)p, .len = got });
	}
	return IO_AGAIN;
}

enum io
wire_peek(struct wire *w, size_t max, struct str *all)
{
	enum io io = peek_more(w, max);

	*all = str_first(wire_buf_str(&w->in), max);
	if (all->len <= w->peeked)
		return io;
	w->peeked = all->len;
	/* The end comes next, though it was announced with these bytes. */
	if (io != IO_AGAIN)
		wire_kick(w);
	return IO_DONE;
}
