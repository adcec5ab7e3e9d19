/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What it means for an exchange that one of its streams failed: whether the
 * request may be sent again, the outcome, the sentence for the log, and how the
 * other side hears of it.  Decides only; exchange.c acts.  A worker's thread.
 */

#include <stdio.h>

#include "conn/exchange_step.h"
#include "conn/reset_code.h"

/* Of one request that servers did not take. */
#define REFUSALS_MOST 2

/*
 * A server that did not take the request may get it again, if we still have
 * all of it.  A pooled connection that the server was just closing: once more
 * on a fresh one, if it cannot have done anything twice (RFC 9110, 9.2.2).
 */
bool
exchange_may_retry(const struct exchange *x)
{
	enum stream_error e = x->lease.stream->error;

	if (x->response_begun || x->body_was_pulled)
		return false;
	if (e == STREAM_REFUSED)
		return x->retries < REFUSALS_MOST;
	if (e == STREAM_RESET && x->lease.stream->is_multiplexed)
		return false; /* it speaks of this request, and did take it */
	return x->lease.is_reused && x->retries == 0 &&
	       method_is_idempotent(x->request->method) &&
	       (e == STREAM_IDLE_CLOSED || e == STREAM_CLOSED_EARLY ||
		   e == STREAM_RESET || e == STREAM_WIRE);
}

/* What broke is the connection, not an answer: a sentence says how. */
static enum outcome
outcome_of_nonsense(const struct exchange *x)
{
	return x->lease.stream->is_multiplexed &&
		       lease_failure_text(&x->lease).len > 0
		   ? OUT_UPSTREAM_PROTOCOL
		   : OUT_RESPONSE_BAD;
}

static enum outcome
outcome_of_error(const struct exchange *x)
{
	const struct stream *back = x->lease.stream;

	switch (back->error) {
	case STREAM_RESET:
	case STREAM_REFUSED:
		return back->is_multiplexed ? OUT_UPSTREAM_RESET
					    : OUT_UPSTREAM_CLOSED;
	case STREAM_BAD_MESSAGE:
		return outcome_of_nonsense(x);
	case STREAM_VERSION:
	case STREAM_TOO_LARGE:
	case STREAM_NOT_IMPLEMENTED:
		return OUT_RESPONSE_BAD;
	case STREAM_OK:
	case STREAM_IDLE_CLOSED:
	case STREAM_CLOSED_EARLY:
	case STREAM_CUT:
	case STREAM_NO_HOST:
	case STREAM_PREFACE:
	case STREAM_LOOKS_TLS:
	case STREAM_WIRE:
		break;
	}
	return OUT_UPSTREAM_CLOSED;
}

/* "reset: CANCEL", where a stream has such a word. */
static void
describe(const struct stream *s, char *why, size_t cap)
{
	const char *text = stream_error_text(s->error);

	if (s->is_multiplexed && s->error == STREAM_RESET && s->reset_code != 0)
		(void)snprintf(why, cap, "stream reset: %s (%lu)",
		    reset_code_name(s->reset_code),
		    (unsigned long)s->reset_code);
	else
		(void)snprintf(why, cap, "%s", text);
}

/* With TLS 1.3 a server refuses our certificate only after the handshake. */
enum outcome
exchange_failure(const struct exchange *x, char *why, size_t cap)
{
	const struct stream *back = x->lease.stream;
	struct str text = lease_failure_text(&x->lease), alert;
	enum tls_failure f = lease_tls_failure(&x->lease, &alert);

	if (text.len == 0 || (back->is_multiplexed && back->reset_code != 0))
		describe(back, why, cap);
	else
		(void)snprintf(why, cap, "%.*s", STR_ARG(text));
	if (f == TLS_FAIL_ALERT || f == TLS_FAIL_RENEGOTIATION)
		return outcome_of_tls(f);
	return outcome_of_error(x);
}

enum outcome
exchange_caller_failure(const struct exchange *x, char *why, size_t cap)
{
	const struct stream *front = x->front;

	describe(front, why, cap);
	if (front->error == STREAM_BAD_MESSAGE)
		return OUT_REQUEST_BAD;
	if (front->is_multiplexed || x->request_done)
		return OUT_CALLER_RESET;
	return OUT_REQUEST_CUT;
}

void
exchange_pass_reset(struct exchange *x)
{
	struct stream *back = x->is_leased ? x->lease.stream : NULL;

	if (back == NULL)
		return;
	if (x->front->error == STREAM_RESET && x->front->reset_code != 0)
		back->reset_code = x->front->reset_code;
	else if (back->error == STREAM_RESET && x->response_begun &&
		 !x->response_done) /* not when we have answered for it */
		x->front->reset_code = back->reset_code;
}
