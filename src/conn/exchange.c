/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of one HTTP request, from top to bottom; its head has been read by
 * the front.  ROUTE asks the newest snapshot for permission, DELAY is a fault
 * made on purpose, and behind both the request becomes one of ours; LEASE gets
 * a stream to the service; CARRY moves head, body and trailers both ways, as
 * fast as the slower side takes them; DRAIN throws away what is left of a
 * request that we answered ourselves.
 *
 * Both streams have the same operations, so nothing here knows the version of
 * HTTP on either side.  A worker's thread.
 */

#include "conn/exchange.h"

#include <stdio.h>

#include "conn/exchange_move.h"
#include "conn/exchange_step.h"
#include "conn/reset_code.h"
#include "http/reply.h"

static enum next carry(struct exchange *);
static enum next drain(struct exchange *);
static enum next give_up(struct exchange *);
static enum next caller_failed(struct exchange *);
static void end(struct exchange *);

static enum next (*const stages[])(struct exchange *) = {
	[X_ROUTE] = exchange_route,
	[X_DELAY] = exchange_delay,
	[X_LEASE] = exchange_lease,
	[X_CARRY] = carry,
	[X_DRAIN] = drain,
};

enum next
exchange_enter(struct exchange *x, enum exchange_stage s)
{
	x->stage = s;
	return GO;
}

/* A tunnel's end may be doubtful, and is one all the same. */
static bool
has_failed(const struct exchange *x, const struct stream *s)
{
	bool is_doubtful_end = s->error == STREAM_CUT && !s->is_multiplexed &&
			       x->tunnel == TUNNEL_OPEN;

	return s->error != STREAM_OK && !is_doubtful_end;
}

static bool
has_caller_failed(const struct exchange *x)
{
	return x->stage != X_DRAIN && has_failed(x, x->front);
}

/* A caller who has seen nothing of an answer is told why there is none. */
static enum next
revoked(struct exchange *x)
{
	x->is_revoked = false;
	if (!x->response_begun)
		return exchange_answer(x, OUT_REVOKED, NULL, true);
	x->keeps_front = false;
	return exchange_finish(x, OUT_REVOKED, NULL);
}

static enum next
step(struct exchange *x)
{
	enum next next = GO;

	if (has_caller_failed(x))
		next = caller_failed(x);
	else if (x->is_revoked)
		next = revoked(x);
	else if (x->is_stalled || x->is_long)
		next = give_up(x);
	while (next == GO)
		next = stages[x->stage](x);
	return next;
}

enum next
exchange_run(struct exchange *x)
{
	enum next next = step(x);

	if (next == END)
		end(x);
	return next;
}

enum next
exchange_finish(struct exchange *x, enum outcome o, const char *detail)
{
	x->outcome = o;
	if (detail != NULL)
		(void)snprintf(x->detail, sizeof(x->detail), "%s", detail);
	return END;
}

/* What the log needs survives the edits that follow. */
static void
note_words(struct exchange *x)
{
	const struct conn_env *env = &x->conn->all->env;
	struct exchange_words *w = &x->words;
	struct str path = x->request->path;
	struct str id = head_get(x->request, FIELD_X_REQUEST_ID);

	if (env->log == NULL && env->mesh_logs == NULL)
		return;
	w->method = arena_str(&w->arena, x->request->method);
	w->authority = arena_str(&w->arena, x->request->authority);
	w->path =
	    arena_str(&w->arena, env->logs_query ? path : str_cut(&path, '?'));
	if (id.p != NULL)
		w->request_id = arena_str(&w->arena, id);
}

static void
on_stalled(void *arg)
{
	struct exchange *x = arg;

	x->is_stalled = true;
	x->host->wake(x);
}

static void
on_long(void *arg)
{
	struct exchange *x = arg;

	x->is_long = true;
	x->host->wake(x);
}

static void
on_held(void *arg)
{
	struct exchange *x = arg;

	x->host->wake(x);
}

void
exchange_init(
    struct exchange *x, struct conn *c, const struct exchange_host *host)
{
	*x = (struct exchange){ .conn = c, .host = host };
	arena_init(&x->words.arena, 512);
	timer_init(&x->deadline, c->all->env.loop, on_stalled, x);
	timer_init(&x->limit, c->all->env.loop, on_long, x);
	timer_init(&x->hold, c->all->env.loop, on_held, x);
}

void
exchange_fini(struct exchange *x)
{
	timer_stop(&x->deadline);
	timer_stop(&x->limit);
	timer_stop(&x->hold);
	service_unref(x->kept);
	arena_fini(&x->words.arena);
}

static void
reset(struct exchange *x, struct stream *front)
{
	struct stats_set *stats = x->conn->listener->stats;

	x->front = front;
	x->request = NULL;
	x->stage = X_ROUTE;
	x->outcome = OUT_OK;
	x->service = NULL;
	x->verdict = (struct verdict){ .rule = STR_NONE };
	x->worded.status = 0;
	x->worded.n_headers = 0;
	x->abort_status = 0;
	x->pace.bytes_per_s = 0;
	x->has_lease = x->is_leased = x->is_sent = false;
	x->cluster = NULL;
	x->tunnel = TUNNEL_NONE;
	x->request_done = x->response_begun = x->response_done = false;
	x->body_was_pulled = x->is_head = x->is_grpc = false;
	x->was_answered_early = x->is_stalled = x->is_long = false;
	x->is_revoked = false;
	x->keeps_front = true;
	x->has_retry = false;
	x->is_counted = false;
	x->counted = 0;
	x->used.bytes_in = x->used.bytes_out = 0;
	x->used.is_told = false;
	x->retries = 0;
	x->wants_fresh = false;
	x->drained = 0;
	x->status = 0;
	x->started_us = exchange_now_us(x);
	x->first_byte_us = x->last_byte_us = 0;
	x->detail[0] = x->request_id[0] = x->grpc_status[0] = '\0';
	x->cookie[0] = '\0';
	x->words.method = x->words.authority = STR_NONE;
	x->words.path = x->words.request_id = x->words.faults = STR_NONE;
	stat_inc(stats, STAT_DOWNSTREAM_RQ_TOTAL);
	stat_inc(stats, STAT_DOWNSTREAM_RQ_ACTIVE);
}

void
exchange_begin(struct exchange *x, struct stream *front, struct head *request)
{
	reset(x, front);
	x->request = request;
	x->authority = request->authority;
	x->is_head = str_eq(request->method, STR("HEAD"));
	x->is_grpc = reply_is_for_grpc(request);
	x->request_done = !head_has_body(request);
	note_words(x);
	timer_set(&x->deadline, x->conn->all->env.limits->stream_idle_ms);
}

/* A malformed message of HTTP/2 is reset (RFC 9113, section 8.1.1). */
static bool
is_answered(const struct stream *front, enum outcome o)
{
	return outcome_row(o)->status != 0 &&
	       !(front->is_multiplexed && o == OUT_REQUEST_BAD);
}

void
exchange_refuse(struct exchange *x, struct stream *front, enum outcome o,
    const char *detail)
{
	reset(x, front);
	(void)exchange_finish(x, o, detail);
	x->keeps_front = false;
	/* Of the request itself nothing is known. */
	x->is_grpc =
	    front->is_multiplexed && x->conn->service->protocol == PROTO_GRPC;
	if (is_answered(front, o))
		exchange_reply(x, o, true);
	else if (o == OUT_REQUEST_BAD)
		front->reset_code = RESET_PROTOCOL_ERROR;
	end(x);
}

void
exchange_abort(struct exchange *x, enum outcome o)
{
	x->keeps_front = false;
	(void)exchange_finish(x, o, NULL);
	end(x);
}

static bool
has_budget(struct exchange *x)
{
	if (!x->has_retry)
		x->has_retry = cluster_begin_retry(x->cluster);
	return x->has_retry;
}

static enum next
try_again(struct exchange *x)
{
	stat_inc(cluster_stats(x->cluster), STAT_UPSTREAM_RQ_RETRY);
	/* A server that refuses for want of room must not get more to do. */
	x->wants_fresh = x->lease.stream->error != STREAM_REFUSED;
	exchange_give_back(x, false);
	x->retries++;
	return exchange_enter(x, X_LEASE);
}

enum next
exchange_server_failed(struct exchange *x)
{
	char why[sizeof(x->detail)];
	enum outcome o;

	if (!x->lease.stream->is_multiplexed)
		stat_inc(
		    cluster_stats(x->cluster), STAT_UPSTREAM_CX_DESTROY_ACTIVE);
	if (exchange_may_retry(x) && has_budget(x))
		return try_again(x);
	if (!x->response_begun)
		lease_report(&x->lease, LEASE_BROKE, 0);
	o = exchange_failure(x, why, sizeof(why));
	if (!x->response_begun)
		return exchange_answer(x, o, why, true);
	x->keeps_front = false;
	return exchange_finish(x, OUT_RESPONSE_CUT, why);
}

static enum next
caller_failed(struct exchange *x)
{
	char why[sizeof(x->detail)];
	enum outcome o = exchange_caller_failure(x, why, sizeof(why));

	x->keeps_front = false;
	if (o == OUT_REQUEST_BAD && !x->front->is_multiplexed &&
	    !x->response_begun)
		return exchange_answer(x, o, why, false);
	return exchange_finish(x, o, why);
}

/* limits.body_bytes, of a body that did not say how long it would be. */
static enum next
body_too_big(struct exchange *x)
{
	if (!x->response_begun)
		return exchange_answer(x, OUT_REQUEST_BODY, NULL, false);
	x->keeps_front = false;
	return exchange_finish(x, OUT_REQUEST_BODY, NULL);
}

/* The answer came before the request was all sent: nothing more is sent. */
static enum next
answered_early(struct exchange *x)
{
	x->was_answered_early = true;
	timer_stop(&x->limit);
	if (x->front->is_multiplexed)
		return END;
	if (!x->request->expects_continue)
		return exchange_enter(x, X_DRAIN);
	x->keeps_front = false;
	return END;
}

/* Each direction of a tunnel has its own end, of which it may be the last. */
static enum next
tunnel_ended(struct exchange *x)
{
	struct stream *back = x->lease.stream;

	if (has_failed(x, back))
		return exchange_server_failed(x);
	if (!x->request_done)
		return WAIT;
	/* What is still on its way would be lost with the connection. */
	if (!back->is_multiplexed && back->ops->can_push(back) == 0)
		return WAIT;
	if (back->error == STREAM_CUT)
		return exchange_finish(x, OUT_UPSTREAM_CUT, NULL);
	if (x->front->error == STREAM_CUT)
		return exchange_finish(x, OUT_CALLER_CUT, NULL);
	return END;
}

static enum next
response_ended(struct exchange *x)
{
	if (x->tunnel == TUNNEL_OPEN)
		return tunnel_ended(x);
	return x->request_done ? END : answered_early(x);
}

static unsigned
stream_idle_ms(const struct exchange *x)
{
	unsigned own =
	    x->service != NULL ? x->service->options->stream_idle_ms : 0;

	return own > 0 ? own : x->conn->all->env.limits->stream_idle_ms;
}

static void
note_progress(struct exchange *x)
{
	timer_set(&x->deadline, x->tunnel == TUNNEL_OPEN
				    ? conn_idle_ms(x->conn, x->service)
				    : stream_idle_ms(x));
}

static enum next
carry(struct exchange *x)
{
	uint64_t before = x->front->bytes_in + x->front->bytes_out;
	enum tunnel tunnel = x->tunnel;
	enum moved up, down;
	enum next next;

	up = exchange_move_request(x);
	if (up == MOVED_FAIL)
		return caller_failed(x);
	if (up == MOVED_TOO_MUCH)
		return body_too_big(x);
	down = exchange_move_response(x);
	if (down == MOVED_FAIL)
		return exchange_server_failed(x);
	if (down == MOVED_BROKEN)
		return exchange_answer(x, OUT_UPGRADE_FAILED, NULL, true);
	if (!exchange_count(x) && !x->response_done)
		return exchange_cut(x);
	if (has_caller_failed(x)) /* it takes nothing any more */
		return caller_failed(x);
	if (x->response_done) {
		next = response_ended(x);
		if (next != WAIT)
			return next;
	}
	if (up == MOVED_MORE || down == MOVED_MORE || x->tunnel != tunnel)
		x->host->again(x);
	if (before != x->front->bytes_in + x->front->bytes_out)
		note_progress(x);
	return WAIT;
}

/* Only of a connection that is to serve another request. */
static enum next
drain(struct exchange *x)
{
	const size_t most = x->conn->all->env.limits->drain_body;
	struct span s;

	while (!x->request_done) {
		switch (x->front->ops->pull_body(x->front, SIZE_MAX, &s)) {
		case PULL_DATA:
			x->drained += s.len;
			if (x->drained <= most)
				break;
			x->keeps_front = false;
			return END;
		case PULL_WAIT:
			return WAIT;
		case PULL_END:
			x->request_done = true;
			break;
		case PULL_FAIL:
			x->keeps_front = false;
			return END;
		}
	}
	return END;
}

/* The server has all that it waits for. */
static bool
awaits_answer(const struct exchange *x)
{
	return x->stage == X_CARRY && !x->response_begun &&
	       (x->request_done || x->tunnel == TUNNEL_ASKED);
}

/* Time is up: a server that says nothing is answered for. */
static enum next
give_up(struct exchange *x)
{
	bool is_long = x->is_long;

	x->is_stalled = x->is_long = false;
	if (is_long || awaits_answer(x))
		stat_inc(cluster_stats(x->cluster), STAT_UPSTREAM_RQ_TIMEOUT);
	if (awaits_answer(x))
		lease_report(&x->lease, LEASE_LATE, 0);
	if (is_long && !x->response_begun)
		return exchange_answer(x, OUT_REQUEST_LONG, NULL, true);
	if (!is_long && awaits_answer(x))
		return exchange_answer(x, OUT_RESPONSE_LATE, NULL, true);
	x->keeps_front = false;
	if (is_long)
		return exchange_finish(x, OUT_REQUEST_LONG, NULL);
	return exchange_finish(x, OUT_IDLE, "a request or an answer stalled");
}

/* The caller's side is through: may its stream end in order? */
static bool
is_front_whole(const struct exchange *x)
{
	if (!x->front->is_multiplexed)
		return x->response_done && x->keeps_front;
	return x->response_done && x->request_done &&
	       x->tunnel != TUNNEL_DECLINED;
}

static bool
is_back_whole(const struct exchange *x)
{
	return x->request_done && x->response_done && !x->was_answered_early &&
	       x->outcome == OUT_OK;
}

/* Both streams are let go, whole if their messages were. */
static void
end(struct exchange *x)
{
	timer_pause(&x->deadline);
	timer_pause(&x->limit);
	timer_pause(&x->hold);
	exchange_uncount(x);
	if (x->retries > 0 && x->outcome == OUT_OK)
		stat_inc(
		    cluster_stats(x->cluster), STAT_UPSTREAM_RQ_RETRY_SUCCESS);
	stat_inc(x->conn->all->outcomes[x->outcome], STAT_ENDED);
	stat_dec(x->conn->listener->stats, STAT_DOWNSTREAM_RQ_ACTIVE);
	exchange_log(x);
	exchange_note_use(x);
	exchange_pass_reset(x);
	exchange_give_back(x, is_back_whole(x));
	if (x->has_retry)
		cluster_end_retry(x->cluster);
	cluster_unref(x->cluster);
	x->front->ops->release(x->front, is_front_whole(x));
	arena_clear(&x->words.arena);
}
