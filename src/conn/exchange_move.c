/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What CARRY moves between the two streams of an exchange: heads, and as much
 * of a body as the other side takes.  A worker's thread.
 */

#include "conn/exchange_move.h"

#include "base/clock.h"

/* Pieces of body in one direction before others have their turn. */
#define PIECES_A_TURN 8

/* As much of a body as the other side takes now. */
static enum moved
move_body(struct stream *from, struct stream *to, bool *was_pulled,
    unsigned stat, struct stats_set *stats)
{
	struct span s;
	size_t credit;

	for (int i = 0; i < PIECES_A_TURN; i++) {
		credit = to->ops->can_push(to);
		if (credit == 0)
			return MOVED_WAIT;
		switch (from->ops->pull_body(from, credit, &s)) {
		case PULL_DATA:
			*was_pulled = true;
			stat_add(stats, stat, s.len);
			to->ops->push_body(
			    to, (struct str){ (char *)s.p, s.len });
			break;
		case PULL_WAIT:
			return MOVED_WAIT;
		case PULL_END:
			to->ops->push_end(to, from->ops->trailers(from));
			return MOVED_ALL;
		case PULL_FAIL:
			return MOVED_FAIL;
		}
	}
	return MOVED_MORE;
}

enum moved
exchange_move_request(struct exchange *x)
{
	struct stream *back = x->lease.stream;
	enum moved m = MOVED_ALL;

	if (!x->request_done)
		m = move_body(x->front, back, &x->body_was_pulled,
		    STAT_UPSTREAM_CX_TX_BYTES, cluster_stats(x->cluster));
	x->request_done = m == MOVED_ALL;
	back->ops->flush(back);
	return m;
}

static void
send_response_head(struct exchange *x, struct head *h)
{
	bool is_end = !head_has_body(h);

	x->status = h->status;
	x->response_begun = true;
	x->first_byte_us = clock_us();
	if (head_binds_connection(h))
		lease_make_private(&x->lease);
	stat_inc(cluster_stats(x->cluster),
	    STAT_UPSTREAM_RQ_1XX + h->status / 100u - 1);
	head_remove_hop_by_hop(h);
	x->front->ops->push_head(x->front, h, is_end);
	x->response_done = is_end;
}

/* Heads up to the final one; an interim one goes on as it is. */
static enum moved
move_response_head(struct exchange *x)
{
	struct stream *back = x->lease.stream;
	struct head *h;

	for (;;) {
		switch (back->ops->pull_head(back, &h)) {
		case PULL_DATA:
			break;
		case PULL_WAIT:
			return MOVED_WAIT;
		case PULL_END:
		case PULL_FAIL:
			return MOVED_FAIL;
		}
		if (h->status >= 200) {
			send_response_head(x, h);
			return MOVED_ALL;
		}
		head_remove_hop_by_hop(h);
		x->front->ops->push_head(x->front, h, false);
	}
}

enum moved
exchange_move_response(struct exchange *x)
{
	enum moved m = MOVED_ALL;
	bool was_pulled = false;

	if (!x->response_begun)
		m = move_response_head(x);
	if (m == MOVED_ALL && !x->response_done) {
		m = move_body(x->lease.stream, x->front, &was_pulled,
		    STAT_UPSTREAM_CX_RX_BYTES, cluster_stats(x->cluster));
		x->response_done = m == MOVED_ALL;
	}
	x->front->ops->flush(x->front);
	return m;
}
