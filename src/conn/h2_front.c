/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/2 towards the caller: each stream is an exchange, and they know nothing
 * of each other.  An exchange is run by its own events; what concerns all of
 * them (GOAWAY, the end, silence) comes by conn_run().  When many streams begin
 * at once some of them wait for the next turn of the loop, so that other
 * connections have theirs.  A worker's thread.
 */

#include <stdlib.h>
#include <sys/queue.h>

#include "base/spare.h"
#include "base/xalloc.h"
#include "conn/exchange.h"
#include "conn/farewell.h"
#include "conn/front.h"
#include "http/h2_session.h"

/* Exchanges that begin, or go on, in one turn of the loop. */
#define EXCHANGES_A_TURN 32
/* Ended ones whose memory waits for the next. */
#define SPARE_MOST 8
/* For the last GOAWAY, that the session waits to say, to get out. */
#define LEAVE_MS 5000
/* For ends of answers that a slow caller has not taken; the session resets
 * those that do not move in half of it. */
#define LAST_WORDS_MS 120000

struct request {
	struct exchange exchange;
	struct h2_front *front;
	TAILQ_ENTRY(request) link; /* of the open ones, or of the spare */
	TAILQ_ENTRY(request) in_due;
	bool is_due;
};

TAILQ_HEAD(request_list, request);

struct h2_front {
	struct front front;
	struct h2_session *session;
	struct request_list open;
	struct request_list due; /* of those, to be run in the next turn */
	struct request_list spare;
	unsigned n_spare;
	bool is_turn_due;
	unsigned begun; /* streams in the turn of the time begun_ms */
	uint64_t begun_ms;
	struct timer idle; /* while nothing is open, or all is said */
	struct farewell farewell;
	bool is_lingering;
	bool is_over;
	enum outcome last; /* of a connection that ends in order */
};

/* clang-format off */
static const enum stat_listener counted_as[] = {
#define H2_EVENT(id, ...) [H2_##id] = STAT_H2_##id,
#define H2_ABUSE(id, ...) [H2_##id##_FLOOD] = STAT_H2_##id##_FLOOD,
#include "http/h2_event.tbl.h"
};
/* clang-format on */
_Static_assert(ARRAY_LEN(counted_as) == H2_EVENT_N, "an event is not counted");

static struct h2_front *
h2_front_of(struct front *f)
{
	return CONTAINER_OF(f, struct h2_front, front);
}

static struct request *
request_of(struct exchange *x)
{
	return CONTAINER_OF(x, struct request, exchange);
}

/* The callbacks of what was served may still be under way. */
static void
drop(struct request *r)
{
	exchange_fini(&r->exchange);
	loop_later(r->front->front.conn->all->env.loop, spare_free, r);
}

static void
forget_due(struct request *r)
{
	if (r->is_due)
		TAILQ_REMOVE(&r->front->due, r, in_due);
	r->is_due = false;
}

/* Its exchange has ended. */
static void
close_request(struct request *r)
{
	struct h2_front *f = r->front;

	forget_due(r);
	TAILQ_REMOVE(&f->open, r, link);
	f->front.open--;
	if (f->n_spare == SPARE_MOST) {
		drop(r);
		return;
	}
	f->n_spare++;
	TAILQ_INSERT_HEAD(&f->spare, r, link);
}

/* No further stream is wanted; those that are open end in order. */
static void
leave(struct h2_front *f, enum outcome o)
{
	f->last = o;
	h2_session_drain(f->session);
}

/*
 * The last of what is open may be the last of the connection; and when that is
 * over already, what happened to it is what happened to its streams.
 */
static void
serve(struct request *r)
{
	struct h2_front *f = r->front;

	forget_due(r);
	if (h2_session_state(f->session) == H2_OVER) {
		conn_run(f->front.conn);
		return;
	}
	if (exchange_run(&r->exchange) != END)
		return;
	if (r->exchange.outcome == OUT_CERT_ENDED)
		leave(f, OUT_CERT_ENDED);
	close_request(r);
	if (f->front.open == 0)
		conn_run(f->front.conn);
}

static void
serve_due(void *arg)
{
	struct h2_front *f = arg;
	struct request *r;

	f->is_turn_due = false;
	for (int i = 0; i < EXCHANGES_A_TURN && !f->is_over; i++) {
		r = TAILQ_FIRST(&f->due);
		if (r == NULL)
			return;
		serve(r);
	}
	if (f->is_over || TAILQ_EMPTY(&f->due))
		return;
	f->is_turn_due = true;
	loop_later(f->front.conn->all->env.loop, serve_due, f);
}

static void
put_off(struct request *r)
{
	struct h2_front *f = r->front;

	if (!r->is_due)
		TAILQ_INSERT_TAIL(&f->due, r, in_due);
	r->is_due = true;
	if (!f->is_turn_due)
		loop_later(f->front.conn->all->env.loop, serve_due, f);
	f->is_turn_due = true;
}

static void
wake(struct exchange *x)
{
	serve(request_of(x));
}

static void
again(struct exchange *x)
{
	put_off(request_of(x));
}

static const struct exchange_host host = { .wake = wake, .again = again };

static void
on_ready(void *arg)
{
	serve(arg);
}

static struct request *
open_request(struct h2_front *f)
{
	struct request *r = TAILQ_FIRST(&f->spare);

	if (r != NULL) {
		TAILQ_REMOVE(&f->spare, r, link);
		f->n_spare--;
	} else {
		r = spare_calloc(1, sizeof(*r));
		r->front = f;
		exchange_init(&r->exchange, f->front.conn, &host);
	}
	TAILQ_INSERT_TAIL(&f->open, r, link);
	f->front.open++;
	f->front.requests++;
	timer_stop(&f->idle);
	return r;
}

static enum outcome
outcome_of_head(enum stream_error e)
{
	switch ((int)e) {
	case STREAM_TOO_LARGE:
		return OUT_REQUEST_TOO_LARGE;
	case STREAM_NO_HOST:
		return OUT_REQUEST_NO_HOST;
	case STREAM_BAD_MESSAGE:
		return OUT_REQUEST_BAD;
	}
	return OUT_CALLER_RESET;
}

static void
refuse(struct request *r, struct stream *s)
{
	exchange_refuse(&r->exchange, s, outcome_of_head(s->error),
	    stream_error_text(s->error));
	close_request(r);
}

/* A burst of them is spread over turns. */
static bool
is_burst(struct h2_front *f)
{
	uint64_t now = loop_now_ms(f->front.conn->all->env.loop);

	if (f->begun_ms != now)
		f->begun = 0;
	f->begun_ms = now;
	return ++f->begun > EXCHANGES_A_TURN;
}

static void
on_stream(void *arg, struct stream *s)
{
	struct h2_front *f = arg;
	struct request *r = open_request(f);
	struct head *h;

	if (s->ops->pull_head(s, &h) != PULL_DATA) {
		refuse(r, s);
		conn_run(f->front.conn);
		return;
	}
	s->on_ready = on_ready;
	s->arg = r;
	exchange_begin(&r->exchange, s, h);
	if (is_burst(f))
		put_off(r);
	else
		serve(r);
}

static void
on_change(void *arg)
{
	struct h2_front *f = arg;

	conn_run(f->front.conn);
}

static void
drop_spares(struct h2_front *f)
{
	struct request *r;

	while ((r = TAILQ_FIRST(&f->spare)) != NULL) {
		TAILQ_REMOVE(&f->spare, r, link);
		drop(r);
	}
	f->n_spare = 0;
}

static void
on_rest(void *arg)
{
	drop_spares(arg);
}

static void
count(void *arg, enum h2_event e)
{
	const struct h2_front *f = arg;

	stat_inc(f->front.conn->listener->stats, counted_as[e]);
}

static const struct h2_events events = {
	.on_stream = on_stream,
	.on_change = on_change,
	.on_rest = on_rest,
	.count = count,
};

static void
abort_all(struct h2_front *f, enum outcome o)
{
	struct request *r;

	while ((r = TAILQ_FIRST(&f->open)) != NULL) {
		exchange_abort(&r->exchange, o);
		close_request(r);
	}
}

static enum next
linger(struct h2_front *f, enum outcome o)
{
	f->is_lingering = true;
	timer_stop(&f->idle);
	h2_session_linger(f->session, farewell_done, &f->farewell);
	farewell_start(
	    &f->farewell, f->front.conn, h2_session_wire(f->session), o);
	return WAIT;
}

static void
on_idle(void *arg)
{
	struct h2_front *f = arg;

	if (h2_session_state(f->session) == H2_OPEN)
		leave(f, OUT_IDLE);
	else
		(void)linger(f, f->last);
	conn_run(f->front.conn);
}

/* How the connection ended; those that heard it from us get to read why. */
static const struct {
	enum outcome outcome;
	bool lingers;
} ends[] = {
	[H2_END_NONE] = { OUT_INTERNAL, false },
	[H2_END_CLOSED] = { OUT_OK, true },
	[H2_END_CUT] = { OUT_CALLER_RESET, false },
	[H2_END_RESET] = { OUT_CALLER_RESET, false },
	[H2_END_NOT_H2] = { OUT_HTTP2_BROKEN, true },
	[H2_END_PROTOCOL] = { OUT_HTTP2_BROKEN, true },
	[H2_END_ABUSE] = { OUT_HTTP2_ABUSE, true },
	[H2_END_SILENT] = { OUT_HTTP2_SILENT, false },
	[H2_END_LATE] = { OUT_REQUEST_LATE, true },
};

static void
note_end(struct h2_front *f, enum outcome o)
{
	struct text why = TEXT_EMPTY;

	text_add(&why, h2_session_end_text(f->session));
	text_add_z(&why, "");
	(void)conn_finish(f->front.conn, o, why.p);
	text_free(&why);
}

static enum next
over(struct h2_front *f)
{
	enum h2_end end = h2_session_end(f->session);
	enum outcome o = ends[end].outcome;

	if (o == OUT_OK)
		(void)conn_finish(f->front.conn, o = f->last, NULL);
	else
		note_end(f, o);
	abort_all(f, o == OUT_OK ? OUT_CALLER_RESET : o);
	return ends[end].lingers ? linger(f, o) : END;
}

static enum next
run(struct front *front)
{
	struct h2_front *f = h2_front_of(front);

	if (f->is_lingering)
		return WAIT;
	switch (h2_session_state(f->session)) {
	case H2_OPEN:
		if (front->open == 0)
			timer_set(&f->idle,
			    front->conn->all->env.limits->http_idle_ms);
		return WAIT;
	case H2_GOING:
		if (front->open == 0)
			timer_set(&f->idle, h2_session_streams(f->session) == 0
						? LEAVE_MS
						: LAST_WORDS_MS);
		return WAIT;
	case H2_OVER:
		break;
	}
	return over(f);
}

static void
drain(struct front *front)
{
	struct h2_front *f = h2_front_of(front);

	if (f->is_lingering)
		return;
	leave(f, OUT_DRAINED);
	conn_run(front->conn);
}

static void
reauthorize(struct front *front)
{
	struct h2_front *f = h2_front_of(front);
	struct request *r;

	TAILQ_FOREACH(r, &f->open, link)
	exchange_reauthorize(&r->exchange);
}

static void
note_uses(struct front *front)
{
	struct h2_front *f = h2_front_of(front);
	struct request *r;

	TAILQ_FOREACH(r, &f->open, link)
	exchange_note_use_so_far(&r->exchange);
}

static void
free_front(struct front *front)
{
	struct h2_front *f = h2_front_of(front);

	f->is_over = true;
	abort_all(f, front->conn->outcome);
	drop_spares(f);
	timer_stop(&f->idle);
	farewell_stop(&f->farewell);
	h2_session_free(f->session);
	/* serve_due() may be due, or be what ended us. */
	loop_later(front->conn->all->env.loop, free, f);
}

static const struct front_ops ops = {
	.run = run,
	.drain = drain,
	.reauthorize = reauthorize,
	.note_uses = note_uses,
	.free = free_front,
};

struct front *
h2_front_new(struct conn *c)
{
	const struct conn_env *env = &c->all->env;
	struct h2_front *f = xcalloc(1, sizeof(*f));

	f->front = (struct front){ .ops = &ops, .conn = c, .version = HTTP_2 };
	TAILQ_INIT(&f->open);
	TAILQ_INIT(&f->due);
	TAILQ_INIT(&f->spare);
	timer_init(&f->idle, env->loop, on_idle, f);
	f->session = h2_session_new(
	    c->client, H2_SERVER, env->http, env->h2, &events, f);
	stat_inc(c->listener->stats, STAT_DOWNSTREAM_CX_HTTP2);
	return &f->front;
}
