/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 towards the caller: between two requests the connection is idle
 * here; a head that came makes an exchange; a head that cannot be read is
 * answered, and then the connection lingers until the caller has seen the
 * answer.  Pipelined requests are taken one after the other.  A worker's
 * thread.
 */

#include <stdlib.h>

#include "base/xalloc.h"
#include "conn/exchange.h"
#include "conn/farewell.h"
#include "conn/front.h"
#include "http/h1_session.h"
#include "upstream/pin.h"

/* Requests in one turn of the loop before others have theirs. */
#define REQUESTS_A_TURN 16

enum front_state {
	FRONT_IDLE,     /* no byte of a request has come */
	FRONT_HEAD,     /* some of a head has */
	FRONT_EXCHANGE, /* a request is in progress */
	FRONT_LINGER    /* all is said; the caller's FIN is awaited */
};

struct h1_front {
	struct front front;
	struct h1_session *session;
	struct stream *stream; /* of the request that is awaited or served */
	struct exchange *exchange; /* NULL while none is asked for */
	struct timer deadline;     /* of FRONT_IDLE and FRONT_HEAD */
	struct farewell farewell;
	struct pin pin; /* the server's connection that knows the caller */
	enum front_state state;
	bool is_draining;
};

static struct h1_front *
h1_front_of(struct front *f)
{
	return CONTAINER_OF(f, struct h1_front, front);
}

static void
on_ready(void *arg)
{
	struct h1_front *f = arg;

	conn_run(f->front.conn);
}

static void
wake(struct exchange *x)
{
	conn_run(x->conn);
}

static void
again(struct exchange *x)
{
	wire_kick(x->conn->client);
}

static const struct exchange_host host = { .wake = wake, .again = again };

static const struct conn_limits *
limits(const struct h1_front *f)
{
	return f->front.conn->all->env.limits;
}

/* The answer must not be lost in the reset that a close could be. */
static enum next
linger(struct h1_front *f, enum outcome o)
{
	f->state = FRONT_LINGER;
	timer_stop(&f->deadline);
	h1_session_linger(f->session, farewell_done, &f->farewell);
	farewell_start(
	    &f->farewell, f->front.conn, h1_session_wire(f->session), o);
	return WAIT;
}

static struct exchange *
exchange_of(struct h1_front *f)
{
	if (f->exchange == NULL) {
		f->exchange = exchange_take(f->front.conn, &host);
		f->exchange->pin = &f->pin;
	}
	return f->exchange;
}

static void
refuse_late_head(struct h1_front *f)
{
	exchange_refuse(exchange_of(f), f->stream, OUT_REQUEST_LATE, NULL);
	(void)linger(f, OUT_REQUEST_LATE);
}

static void
on_deadline(void *arg)
{
	struct h1_front *f = arg;

	switch (f->state) {
	case FRONT_IDLE:
		conn_end(f->front.conn, OUT_IDLE, NULL);
		break;
	case FRONT_HEAD:
		refuse_late_head(f);
		break;
	case FRONT_EXCHANGE:
	case FRONT_LINGER:
		break;
	}
}

static void
become_idle(struct h1_front *f)
{
	exchange_give(f->exchange);
	f->exchange = NULL;
	f->stream = h1_session_stream(f->session);
	f->stream->on_ready = on_ready;
	f->stream->arg = f;
	f->state = FRONT_IDLE;
	timer_set(&f->deadline, limits(f)->http_idle_ms);
}

static const struct {
	enum stream_error error;
	enum outcome outcome;
	bool is_request; /* it is answered, and logged as a request */
} head_errors[] = {
	{ STREAM_BAD_MESSAGE, OUT_REQUEST_BAD, true },
	{ STREAM_NO_HOST, OUT_REQUEST_NO_HOST, true },
	{ STREAM_TOO_LARGE, OUT_REQUEST_TOO_LARGE, true },
	{ STREAM_VERSION, OUT_REQUEST_VERSION, true },
	{ STREAM_NOT_IMPLEMENTED, OUT_REQUEST_CODING, true },
	{ STREAM_PREFACE, OUT_REQUEST_BAD, true },
	{ STREAM_LOOKS_TLS, OUT_TLS_IN_TLS, false },
	{ STREAM_IDLE_CLOSED, OUT_OK, false },
	{ STREAM_CUT, OUT_REQUEST_CUT, false },
	{ STREAM_RESET, OUT_CALLER_RESET, false },
	{ STREAM_WIRE, OUT_CALLER_RESET, false },
};

static enum next
no_head(struct h1_front *f)
{
	struct stream *s = f->stream;
	enum stream_error e = s->error;

	for (size_t i = 0; i < ARRAY_LEN(head_errors); i++) {
		if (head_errors[i].error != e)
			continue;
		if (!head_errors[i].is_request)
			return conn_finish(
			    f->front.conn, head_errors[i].outcome, NULL);
		exchange_refuse(exchange_of(f), s, head_errors[i].outcome,
		    stream_error_text(e));
		return linger(f, head_errors[i].outcome);
	}
	return conn_finish(
	    f->front.conn, OUT_CALLER_RESET, stream_error_text(e));
}

static enum next
await_head(struct h1_front *f)
{
	struct stream *s = f->stream;
	struct head *h;

	switch (s->ops->pull_head(s, &h)) {
	case PULL_DATA:
		timer_pause(&f->deadline);
		f->state = FRONT_EXCHANGE;
		f->front.requests++;
		f->front.open = 1;
		if (f->is_draining)
			h1_session_close_after(f->session);
		exchange_begin(exchange_of(f), s, h);
		return GO;
	case PULL_WAIT:
		if (f->state == FRONT_IDLE &&
		    h1_session_has_input(f->session)) {
			f->state = FRONT_HEAD;
			timer_set(&f->deadline, limits(f)->head_ms);
		}
		return WAIT;
	case PULL_END:
	case PULL_FAIL:
		break;
	}
	return no_head(f);
}

/* The request is through: another one, or the connection's end. */
static enum next
after_exchange(struct h1_front *f)
{
	const struct exchange *x = f->exchange;

	f->state = FRONT_IDLE;
	f->front.open = 0;
	if (x->keeps_front && h1_session_can_reuse(f->session)) {
		if (f->is_draining)
			return linger(f, OUT_DRAINED);
		become_idle(f);
		return GO;
	}
	if (x->response_done)
		return linger(f, x->outcome);
	return conn_finish(f->front.conn, x->outcome, x->detail);
}

/*
 * Nobody waits for the answer any more.  A caller that only closed its own
 * direction looks the same, and is treated alike, as other proxies do; but in
 * a tunnel each direction has its own end.
 */
static bool
is_abandoned(struct h1_front *f)
{
	return f->exchange->tunnel != TUNNEL_OPEN &&
	       h1_session_is_abandoned(f->session);
}

static enum next
step(struct h1_front *f)
{
	switch (f->state) {
	case FRONT_IDLE:
	case FRONT_HEAD:
		return await_head(f);
	case FRONT_EXCHANGE:
		if (exchange_run(f->exchange) == END)
			return after_exchange(f);
		return is_abandoned(f)
			   ? conn_finish(f->front.conn, OUT_CALLER_RESET,
				 "the caller did not wait")
			   : WAIT;
	case FRONT_LINGER:
		break;
	}
	return WAIT;
}

static enum next
run(struct front *front)
{
	struct h1_front *f = h1_front_of(front);
	uint64_t first = front->requests;
	enum next next;

	while ((next = step(f)) == GO) {
		if (front->requests < first + REQUESTS_A_TURN)
			continue;
		wire_kick(h1_session_wire(f->session));
		return WAIT;
	}
	return next;
}

static void
drain(struct front *front)
{
	struct h1_front *f = h1_front_of(front);

	f->is_draining = true;
	if (f->state == FRONT_IDLE &&
	    wire_unsent(h1_session_wire(f->session)) > 0)
		(void)linger(f, OUT_DRAINED);
	else if (f->state == FRONT_IDLE)
		conn_end(front->conn, OUT_DRAINED, NULL);
	else if (f->state == FRONT_EXCHANGE)
		h1_session_close_after(f->session);
}

/* The connection ends with its request: there is no other way to cut it. */
static void
reauthorize(struct front *front)
{
	struct h1_front *f = h1_front_of(front);

	if (f->state == FRONT_EXCHANGE)
		exchange_reauthorize(f->exchange);
}

static void
note_uses(struct front *front)
{
	struct h1_front *f = h1_front_of(front);

	if (f->state == FRONT_EXCHANGE)
		exchange_note_use_so_far(f->exchange);
}

static void
free_front(struct front *front)
{
	struct h1_front *f = h1_front_of(front);

	if (f->state == FRONT_EXCHANGE)
		exchange_abort(f->exchange, front->conn->outcome);
	exchange_give(f->exchange);
	pin_release(&f->pin);
	timer_stop(&f->deadline);
	farewell_stop(&f->farewell);
	h1_session_free(f->session);
	free(f);
}

static const struct front_ops ops = {
	.run = run,
	.drain = drain,
	.reauthorize = reauthorize,
	.note_uses = note_uses,
	.free = free_front,
};

struct front *
h1_front_new(struct conn *c)
{
	struct h1_front *f = xcalloc(1, sizeof(*f));

	f->front =
	    (struct front){ .ops = &ops, .conn = c, .version = HTTP_1_1 };
	f->session = h1_session_new(c->client, H1_SERVER, c->all->env.http);
	timer_init(&f->deadline, c->all->env.loop, on_deadline, f);
	stat_inc(c->listener->stats, STAT_DOWNSTREAM_CX_HTTP1);
	become_idle(f);
	return &f->front;
}
