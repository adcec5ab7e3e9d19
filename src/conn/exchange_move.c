/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What CARRY moves between the two streams of an exchange: heads, and as much
 * of a body, or of a tunnel, as the other side takes.  A worker's thread.
 */

#include "conn/exchange_move.h"

#include <stdio.h>

#include "conn/exchange_step.h"

/* Pieces of body in one direction before others have their turn. */
#define PIECES_A_TURN 8

/* One direction. */
struct flow {
	struct stream *from;
	struct stream *to;
	uint64_t most; /* bytes of it that are let through */
	unsigned stat; /* what counts them */
	struct stats_set *stats;
	struct pace *pace; /* NULL: as fast as it goes */
	uint64_t now_ms;
	bool was_pulled;
	const struct head *trailers; /* after MOVED_ALL; or NULL */
};

static size_t
credit_of(const struct flow *f)
{
	size_t credit = f->to->ops->can_push(f->to);
	size_t room =
	    f->pace != NULL ? pace_room(f->pace, f->now_ms) : SIZE_MAX;

	return credit < room ? credit : room;
}

/* As much of a body as the other side takes now. */
static enum moved
move_body(struct flow *f)
{
	struct span s;
	size_t credit;

	for (int i = 0; i < PIECES_A_TURN; i++) {
		/* With none the end may still be there, and it may go. */
		credit = credit_of(f);
		switch (f->from->ops->pull_body(f->from, credit, &s)) {
		case PULL_DATA:
			f->was_pulled = true;
			if (f->from->bytes_in > f->most)
				return MOVED_TOO_MUCH;
			stat_add(f->stats, f->stat, s.len);
			if (f->pace != NULL)
				pace_spend(f->pace, s.len);
			f->to->ops->push_body(
			    f->to, (struct str){ (char *)s.p, s.len });
			break;
		case PULL_WAIT:
			return MOVED_WAIT;
		case PULL_END:
			f->trailers = f->from->ops->trailers(f->from);
			f->to->ops->push_end(f->to, f->trailers);
			return MOVED_ALL;
		case PULL_FAIL:
			return MOVED_FAIL;
		}
	}
	return MOVED_MORE;
}

static uint64_t
most_of_request(const struct exchange *x)
{
	const size_t most = x->conn->all->env.limits->body_bytes;

	return most == 0 || x->tunnel == TUNNEL_OPEN ? UINT64_MAX : most;
}

enum moved
exchange_move_request(struct exchange *x)
{
	struct stream *back = x->lease.stream;
	struct flow f = {
		.from = x->front,
		.to = back,
		.most = most_of_request(x),
		.stat = STAT_UPSTREAM_CX_TX_BYTES,
		.stats = cluster_stats(x->cluster),
	};
	enum moved m = MOVED_ALL;

	if (x->tunnel == TUNNEL_ASKED)
		m = MOVED_WAIT;
	else if (!x->request_done)
		m = move_body(&f);
	x->body_was_pulled |= f.was_pulled;
	x->request_done = m == MOVED_ALL;
	back->ops->flush(back);
	return m;
}

/* Of an answer that is all head (trailers-only), or of its trailers. */
static void
note_grpc_status(struct exchange *x, const struct head *h)
{
	if (!x->is_grpc || h == NULL || x->conn->all->env.log == NULL)
		return;
	for (size_t i = 0; i < h->n_fields; i++)
		if (str_eq_nocase(h->fields[i].name, STR("grpc-status")))
			(void)snprintf(x->grpc_status, sizeof(x->grpc_status),
			    "%.*s", STR_ARG(h->fields[i].value));
}

/* As a proxy that speaks HTTP would say it (Envoy does so too). */
static unsigned
http_status(unsigned grpc)
{
	switch (grpc) {
	case 2:  /* UNKNOWN */
	case 13: /* INTERNAL */
	case 15: /* DATA_LOSS */
		return 500;
	case 4: /* DEADLINE_EXCEEDED */
		return 504;
	case 14: /* UNAVAILABLE */
		return 503;
	case 12: /* UNIMPLEMENTED */
		return 501;
	default:
		return 200;
	}
}

/* What the server did with it; gRPC tells at the end. */
static void
report_grpc(struct exchange *x, const struct head *h)
{
	uint64_t grpc;

	for (size_t i = 0; h != NULL && i < h->n_fields; i++)
		if (str_eq_nocase(h->fields[i].name, STR("grpc-status")) &&
		    str_to_u64(h->fields[i].value, 16, &grpc))
			lease_report(&x->lease, LEASE_ANSWERED,
			    http_status((unsigned)grpc));
}

static void
report_answer(struct exchange *x, const struct head *h)
{
	if (x->is_grpc && h->status == 200)
		report_grpc(x, h);
	else
		lease_report(&x->lease, LEASE_ANSWERED, h->status);
}

static void
make_ours(struct exchange *x, struct head *h)
{
	const struct head_rules rules = {
		.options = x->service->options,
		.version = x->lease.stream->version,
		.arena = &x->words.arena,
	};
	struct str value;

	head_answer_ours(h, &rules);
	if (x->cookie[0] == '\0')
		return;
	value =
	    hash_by_set_cookie(x->service->options, x->cookie, &x->words.arena);
	if (value.len > 0)
		head_add(h, STR("set-cookie"), value);
}

static void
send_response_head(struct exchange *x, struct head *h)
{
	bool is_end = !head_has_body(h);

	x->status = h->status;
	x->response_begun = true;
	if (head_binds_connection(h))
		lease_make_private(&x->lease);
	make_ours(x, h);
	note_grpc_status(x, h);
	x->front->ops->push_head(x->front, h, is_end);
	x->response_done = is_end;
}

/* False: the caller must not get it. */
static bool
settle_upgrade(struct exchange *x, struct head *h)
{
	struct stream *back = x->lease.stream;

	if (x->tunnel != TUNNEL_ASKED)
		return true;
	switch (upgrade_answer(&x->upgrade, h)) {
	case UPGRADE_AGREED:
		x->tunnel = TUNNEL_OPEN;
		timer_stop(&x->limit);
		return true;
	case UPGRADE_DECLINED:
		x->tunnel = TUNNEL_DECLINED;
		x->request_done = true;
		back->ops->push_end(back, NULL);
		return true;
	case UPGRADE_BROKEN:
		break;
	}
	return false;
}

static bool
is_interim(const struct exchange *x, const struct head *h)
{
	return h->status < 200 &&
	       !(h->status == 101 && x->tunnel == TUNNEL_ASKED);
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
		if (!is_interim(x, h))
			break;
		head_remove_hop_by_hop(h);
		x->front->ops->push_head(x->front, h, false);
	}
	x->first_byte_us = exchange_now_us(x);
	stat_inc(cluster_stats(x->cluster),
	    STAT_UPSTREAM_RQ_1XX + h->status / 100u - 1);
	report_answer(x, h);
	if (!settle_upgrade(x, h))
		return MOVED_BROKEN;
	send_response_head(x, h);
	return MOVED_ALL;
}

/* What stopped for want of time goes on by the clock. */
static void
hold(struct exchange *x, uint64_t now_ms)
{
	if (pace_room(&x->pace, now_ms) == 0)
		timer_set(&x->hold, pace_wait_ms(&x->pace));
}

static enum moved
move_response_body(struct exchange *x)
{
	bool is_paced = x->pace.bytes_per_s > 0;
	struct flow f = {
		.from = x->lease.stream,
		.to = x->front,
		.most = UINT64_MAX,
		.stat = STAT_UPSTREAM_CX_RX_BYTES,
		.stats = cluster_stats(x->cluster),
		.pace = is_paced ? &x->pace : NULL,
		.now_ms = is_paced ? loop_now_ms(x->conn->all->env.loop) : 0,
	};
	enum moved m = move_body(&f);

	if (is_paced && m == MOVED_WAIT)
		hold(x, f.now_ms);
	x->response_done = m == MOVED_ALL;
	note_grpc_status(x, f.trailers);
	if (x->is_grpc)
		report_grpc(x, f.trailers);
	return m;
}

enum moved
exchange_move_response(struct exchange *x)
{
	enum moved m = MOVED_ALL;

	if (!x->response_begun)
		m = move_response_head(x);
	if (m == MOVED_ALL && !x->response_done)
		m = move_response_body(x);
	if (x->response_done && x->last_byte_us == 0)
		x->last_byte_us = exchange_now_us(x);
	x->front->ops->flush(x->front);
	return m;
}
