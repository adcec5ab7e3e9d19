/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The receiving operations of a stream.  What is pulled, and nothing else,
 * opens the peer's windows again.
 */

#include "http/h2_side.h"

enum pull
h2_pull_head(struct stream *base, struct head **out)
{
	struct h2_stream *st = h2_stream_of(base);
	struct h2_room *r = st->heads;

	*out = NULL;
	if (st->in == H2_IN_FAILED)
		return PULL_FAIL;
	if (r == NULL)
		return st->in == H2_IN_ENDED ? PULL_END : PULL_WAIT;
	st->heads = r->next;
	r->next = NULL;
	h2_room_give(st->head);
	st->head = r;
	*out = &r->head;
	return PULL_DATA;
}

static void
open_windows(struct h2_stream *st, size_t n)
{
	struct h2_session *s = st->session;

	if (s->state == H2_OVER)
		return;
	if (st->base.is_slow)
		(void)nghttp2_session_consume_stream(
		    s->ng, (int32_t)st->base.id, n);
	else
		(void)nghttp2_session_consume(s->ng, (int32_t)st->base.id, n);
	if (!s->is_scheduled && nghttp2_session_want_write(s->ng) != 0)
		h2_turn_schedule(s);
}

enum pull
h2_pull_body(struct stream *base, size_t credit, struct span *out)
{
	struct h2_stream *st = h2_stream_of(base);
	bool is_due = st->in == H2_IN_BODY || st->in == H2_IN_ENDED;

	*out = (struct span){ .p = NULL };
	if (st->in == H2_IN_FAILED)
		return PULL_FAIL;
	if (!is_due || st->heads != NULL)
		return PULL_WAIT;
	*out = h2_queue_take(&st->received, credit);
	if (out->len > 0) {
		base->bytes_in += out->len;
		open_windows(st, out->len);
		return PULL_DATA;
	}
	return st->in == H2_IN_ENDED && st->received.len == 0 ? PULL_END
							      : PULL_WAIT;
}

const struct head *
h2_pull_trailers(struct stream *base)
{
	const struct h2_stream *st = h2_stream_of(base);

	if (st->in != H2_IN_ENDED || st->trailers == NULL ||
	    st->trailers->head.n_fields == 0)
		return NULL;
	return &st->trailers->head;
}
