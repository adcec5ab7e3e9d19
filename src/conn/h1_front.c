/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 towards the caller: between two requests the connection is idle
 * here; a head that came makes an exchange; a head that cannot be read is
 * answered, and then the connection lingers until the caller has seen the
 * answer.  Pipelined requests are taken one after the other.  A worker's
 * thread.
 */

#include "conn/h1_front.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "conn/exchange.h"
#include "http/h1_session.h"

/* Requests in one turn of the loop before others have theirs. */
#define REQUESTS_A_TURN 16
/* How long the caller may take to see our last word. */
#define LINGER_MS 2000

enum front_state {
	FRONT_IDLE,     /* no byte of a request has come */
	FRONT_HEAD,     /* some of a head has */
	FRONT_EXCHANGE, /* a request is in progress */
	FRONT_LINGER    /* all is said; the caller's FIN is awaited */
};

struct h1_front {
	struct conn *conn;
	struct h1_session *session;
	struct stream *stream; /* of the request that is awaited or served */
	struct exchange exchange;
	struct timer deadline; /* of FRONT_IDLE, FRONT_HEAD, FRONT_LINGER */
	enum front_state state;
	enum outcome last; /* how the connection will have ended */
	bool is_draining;
	uint64_t requests;
	uint64_t sent;       /* when FRONT_LINGER was last looked at */
	uint64_t stalled_ms; /* since then nothing was sent */
};

static void
on_ready(void *arg)
{
	struct h1_front *f = arg;

	conn_run(f->conn);
}

static enum next linger(struct h1_front *, enum outcome);

/* The rest of the answer is on its way, or was until now. */
static bool
is_sending(struct h1_front *f)
{
	const struct wire *w = h1_session_wire(f->session);
	bool moves = w->bytes_out != f->sent;

	f->sent = w->bytes_out;
	f->stalled_ms = moves ? 0 : f->stalled_ms + LINGER_MS;
	return moves ||
	       (wire_unsent(w) > 0 &&
		   f->stalled_ms < f->conn->all->env.limits->stream_idle_ms);
}

static void
refuse_late_head(struct h1_front *f)
{
	exchange_refuse(&f->exchange, f->stream, OUT_REQUEST_LATE, NULL);
	(void)linger(f, OUT_REQUEST_LATE);
}

static void
on_deadline(void *arg)
{
	struct h1_front *f = arg;

	switch (f->state) {
	case FRONT_IDLE:
		conn_end(f->conn, OUT_IDLE, NULL);
		break;
	case FRONT_HEAD:
		refuse_late_head(f);
		break;
	case FRONT_EXCHANGE:
		break;
	case FRONT_LINGER:
		if (is_sending(f))
			timer_set(&f->deadline, LINGER_MS);
		else
			conn_end(f->conn, f->last, NULL);
		break;
	}
}

static void
become_idle(struct h1_front *f)
{
	f->stream = h1_session_stream(f->session);
	f->stream->on_ready = on_ready;
	f->stream->arg = f;
	f->state = FRONT_IDLE;
	timer_set(&f->deadline, f->conn->all->env.limits->http_idle_ms);
}

struct h1_front *
h1_front_new(struct conn *c)
{
	struct h1_front *f = xcalloc(1, sizeof(*f));

	f->conn = c;
	f->session = h1_session_new(c->client, H1_SERVER, c->all->env.h1);
	exchange_init(&f->exchange, c);
	timer_init(&f->deadline, c->all->env.loop, on_deadline, f);
	become_idle(f);
	return f;
}

void
h1_front_free(struct h1_front *f)
{
	if (f->state == FRONT_EXCHANGE)
		exchange_abort(&f->exchange, f->conn->outcome);
	exchange_fini(&f->exchange);
	timer_stop(&f->deadline);
	h1_session_free(f->session);
	free(f);
}

uint64_t
h1_front_requests(const struct h1_front *f)
{
	return f->requests;
}

static void
on_lingered(void *arg)
{
	struct h1_front *f = arg;

	conn_end(f->conn, f->last, NULL);
}

/* The answer must not be lost in the reset that a close could be. */
static enum next
linger(struct h1_front *f, enum outcome o)
{
	f->last = o;
	f->state = FRONT_LINGER;
	timer_set(&f->deadline, LINGER_MS);
	h1_session_linger(f->session, on_lingered, f);
	f->sent = h1_session_wire(f->session)->bytes_out;
	f->stalled_ms = 0;
	return WAIT;
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
	{ STREAM_PREFACE, OUT_HTTP2_PREFACE, false },
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
			    f->conn, head_errors[i].outcome, NULL);
		exchange_refuse(&f->exchange, s, head_errors[i].outcome,
		    stream_error_text(e));
		return linger(f, head_errors[i].outcome);
	}
	return conn_finish(f->conn, OUT_CALLER_RESET, stream_error_text(e));
}

static enum next
await_head(struct h1_front *f)
{
	struct stream *s = f->stream;
	struct head *h;

	switch (s->ops->pull_head(s, &h)) {
	case PULL_DATA:
		timer_stop(&f->deadline);
		f->state = FRONT_EXCHANGE;
		f->requests++;
		if (f->is_draining)
			h1_session_close_after(f->session);
		exchange_begin(&f->exchange, s, h);
		return GO;
	case PULL_WAIT:
		if (f->state == FRONT_IDLE &&
		    h1_session_has_input(f->session)) {
			f->state = FRONT_HEAD;
			timer_set(
			    &f->deadline, f->conn->all->env.limits->head_ms);
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
	const struct exchange *x = &f->exchange;

	f->state = FRONT_IDLE;
	if (x->keeps_front && h1_session_can_reuse(f->session)) {
		if (f->is_draining)
			return linger(f, OUT_DRAINED);
		become_idle(f);
		return GO;
	}
	if (x->response_done)
		return linger(f, x->outcome);
	return conn_finish(f->conn, x->outcome, x->detail);
}

static enum next
step(struct h1_front *f)
{
	switch (f->state) {
	case FRONT_IDLE:
	case FRONT_HEAD:
		return await_head(f);
	case FRONT_EXCHANGE:
		if (exchange_run(&f->exchange) == END)
			return after_exchange(f);
		/*
		 * Nobody waits for the answer any more.  A caller that only
		 * closed its own direction looks the same, and is treated
		 * alike, as other proxies do.
		 */
		return h1_session_is_abandoned(f->session)
			   ? conn_finish(f->conn, OUT_CALLER_RESET,
				 "the caller did not wait")
			   : WAIT;
	case FRONT_LINGER:
		break;
	}
	return WAIT;
}

enum next
h1_front_run(struct h1_front *f)
{
	uint64_t first = f->requests;
	enum next next;

	while ((next = step(f)) == GO) {
		if (f->requests < first + REQUESTS_A_TURN)
			continue;
		wire_kick(h1_session_wire(f->session));
		return WAIT;
	}
	return next;
}

void
h1_front_drain(struct h1_front *f)
{
	f->is_draining = true;
	if (f->state == FRONT_IDLE &&
	    wire_unsent(h1_session_wire(f->session)) > 0)
		(void)linger(f, OUT_DRAINED);
	else if (f->state == FRONT_IDLE)
		conn_end(f->conn, OUT_DRAINED, NULL);
	else if (f->state == FRONT_EXCHANGE)
		h1_session_close_after(f->session);
}
