/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of one HTTP request, from top to bottom; its head has been read by
 * the front.  ROUTE asks the newest snapshot for permission and makes the
 * request one of ours; LEASE gets a stream to the service; CARRY moves head,
 * body and trailers both ways, as fast as the slower side takes them; DRAIN
 * throws away what is left of a request that we answered ourselves.
 *
 * Both streams have the same operations, so nothing here knows the version of
 * HTTP on either side.  A worker's thread.
 */

#include "conn/exchange.h"

#include <stdio.h>

#include "base/clock.h"
#include "conn/exchange_move.h"
#include "http/reply.h"
#include "policy/identity.h"

static enum next route(struct exchange *);
static enum next lease(struct exchange *);
static enum next carry(struct exchange *);
static enum next drain(struct exchange *);
static enum next give_up(struct exchange *);
static void end(struct exchange *);

static enum next (*const stages[])(struct exchange *) = {
	[X_ROUTE] = route,
	[X_LEASE] = lease,
	[X_CARRY] = carry,
	[X_DRAIN] = drain,
};

enum next
exchange_run(struct exchange *x)
{
	enum next next;

	if (x->is_stalled)
		next = give_up(x);
	else
		while ((next = stages[x->stage](x)) == GO)
			x->stage++;
	if (next == END)
		end(x);
	return next;
}

static void
on_ready(void *arg)
{
	struct exchange *x = arg;

	conn_run(x->conn);
}

static enum next
finish(struct exchange *x, enum outcome o, const char *detail)
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
	struct exchange_words *w = &x->words;
	struct str path = x->request->path;
	struct str id = head_get(x->request, FIELD_X_REQUEST_ID);

	if (x->conn->all->env.log == NULL)
		return;
	w->method = arena_str(&w->arena, x->request->method);
	w->authority = arena_str(&w->arena, x->request->authority);
	w->path = arena_str(&w->arena, str_cut(&path, '?'));
	if (id.p != NULL)
		w->request_id = arena_str(&w->arena, id);
}

static void
on_stalled(void *arg)
{
	struct exchange *x = arg;

	x->is_stalled = true;
	conn_run(x->conn);
}

void
exchange_init(struct exchange *x, struct conn *c)
{
	*x = (struct exchange){ .conn = c };
	arena_init(&x->words.arena, 512);
	timer_init(&x->deadline, c->all->env.loop, on_stalled, x);
}

void
exchange_fini(struct exchange *x)
{
	timer_stop(&x->deadline);
	arena_fini(&x->words.arena);
}

static void
reset(struct exchange *x, struct stream *front)
{
	x->front = front;
	x->request = NULL;
	x->stage = X_ROUTE;
	x->outcome = OUT_OK;
	x->service = NULL;
	x->verdict = (struct verdict){ .rule = STR_NONE };
	x->has_lease = x->is_leased = false;
	x->cluster = NULL;
	x->request_done = x->response_begun = x->response_done = false;
	x->body_was_pulled = x->is_head = x->says_close = false;
	x->was_answered_early = x->is_stalled = false;
	x->keeps_front = true;
	x->retries = 0;
	x->drained = 0;
	x->status = 0;
	x->started_us = clock_us();
	x->first_byte_us = 0;
	x->detail[0] = '\0';
	x->request_id[0] = '\0';
	x->words.method = x->words.authority = STR_NONE;
	x->words.path = x->words.request_id = STR_NONE;
}

void
exchange_begin(struct exchange *x, struct stream *front, struct head *request)
{
	reset(x, front);
	x->request = request;
	x->authority = request->authority;
	x->is_head = str_eq(request->method, STR("HEAD"));
	note_words(x);
	timer_set(&x->deadline, x->conn->all->env.limits->stream_idle_ms);
}

void
exchange_refuse(struct exchange *x, struct stream *front, enum outcome o,
    const char *detail)
{
	const struct outcome_row *row = outcome_row(o);

	reset(x, front);
	(void)finish(x, o, detail);
	x->keeps_front = false;
	if (row->status != 0) {
		x->status = row->status;
		reply_push(front, row->status, str_of(row->body), false, true);
	}
	end(x);
}

void
exchange_abort(struct exchange *x, enum outcome o)
{
	x->keeps_front = false;
	(void)finish(x, o, NULL);
	end(x);
}

/* Answer for the service; what is left of the request is thrown away. */
static enum next
answer(struct exchange *x, enum outcome o, const char *detail, bool may_stay)
{
	const struct outcome_row *row = outcome_row(o);
	const struct conn_limits *lim = x->conn->all->env.limits;
	const struct head *q = x->request;
	bool is_small =
	    q->body != BODY_LENGTH || q->content_length <= lim->drain_body;

	(void)finish(x, o, detail);
	x->says_close =
	    !may_stay || q->wants_close ||
	    (!x->request_done && (q->expects_continue || !is_small));
	x->status = row->status;
	x->response_begun = x->response_done = true;
	reply_push(x->front, row->status, str_of(row->body), x->is_head,
	    x->says_close);
	if (x->says_close) {
		x->keeps_front = false;
		return END;
	}
	x->stage = X_DRAIN;
	return drain(x);
}

/* The newest snapshot decides, for each request anew. */
static enum next
allow(struct exchange *x)
{
	struct service *newest = conn_newest_service(x->conn);
	struct stats_set *stats;

	if (newest == NULL)
		return answer(x, OUT_DENIED, "the service is gone", true);
	x->service = service_ref(newest);
	x->cluster =
	    cluster_ref(clusters_get(x->conn->all->env.clusters, newest));
	authorize(newest, wire_tls_identity(x->conn->client), &x->verdict);
	stats = cluster_stats(x->cluster);
	if (!x->verdict.is_allowed) {
		stat_inc(stats, STAT_RBAC_DENIED);
		return answer(x, OUT_DENIED, NULL, true);
	}
	stat_inc(stats, STAT_RBAC_ALLOWED);
	return GO;
}

static enum next
route(struct exchange *x)
{
	const struct identity *id = wire_tls_identity(x->conn->client);
	const struct head *q = x->request;
	enum next next;

	if (clock_wall_s() > id->not_after_s) {
		x->keeps_front = false;
		return finish(x, OUT_CERT_ENDED, NULL);
	}
	if (str_eq(q->method, STR("CONNECT")))
		return answer(x, OUT_REQUEST_CONNECT, NULL, false);
	if (head_get(q, FIELD_UPGRADE).p != NULL)
		return answer(x, OUT_REQUEST_UPGRADE, NULL, false);
	next = allow(x);
	if (next == GO && head_make_ours(x->request, x->request_id))
		x->words.request_id = str_of(x->request_id);
	return next;
}

static void
on_leased(void *arg)
{
	struct exchange *x = arg;

	x->is_leased = true;
	conn_run(x->conn);
}

/* The server's own name, for whoever it thinks it is (Kuma section 5.2). */
static void
rewrite_host(struct exchange *x)
{
	const struct endpoint *e = x->lease.endpoint;

	x->request->authority = e->host_is_address ? x->authority : e->host;
}

static void
send_head(struct exchange *x)
{
	struct stream *back = x->lease.stream;
	struct stats_set *stats = cluster_stats(x->cluster);
	const struct head *q = x->request;
	bool is_end = !head_has_body(q);

	back->on_ready = on_ready;
	back->arg = x;
	rewrite_host(x);
	stat_inc(stats, STAT_UPSTREAM_RQ_TOTAL);
	stat_inc(stats, STAT_UPSTREAM_RQ_ACTIVE);
	back->ops->push_head(back, q, is_end);
	x->request_done = is_end;
}

static void
give_back(struct exchange *x, bool is_whole)
{
	if (!x->has_lease)
		return;
	if (x->is_leased && x->lease.status == REACH_OK)
		stat_dec(cluster_stats(x->cluster), STAT_UPSTREAM_RQ_ACTIVE);
	lease_end(&x->lease, is_whole);
	x->has_lease = x->is_leased = false;
}

/*
 * The rules changed while it waited, so that what the verdict allowed is no
 * more: perhaps the new ones allow something else.
 */
static enum next
ask_again(struct exchange *x)
{
	enum next next;

	give_back(x, false);
	cluster_unref(x->cluster);
	x->cluster = NULL;
	x->verdict = (struct verdict){ .rule = STR_NONE };
	service_unref(x->service);
	x->service = NULL;
	next = allow(x);
	return next == GO ? lease(x) : next;
}

static enum next
lease(struct exchange *x)
{
	struct reach_want want = {
		.only_zoned = x->conn->is_remote,
		.rulesets = x->verdict.rulesets,
		.service = x->service,
	};

	if (!x->has_lease) {
		x->has_lease = true;
		x->is_leased = lease_start(
		    &x->lease, x->cluster, &want, x->retries > 0, on_leased, x);
	}
	if (!x->is_leased)
		return WAIT;
	if (x->lease.status == REACH_NO_ENDPOINT &&
	    x->service != conn_newest_service(x->conn))
		return ask_again(x);
	if (x->lease.status != REACH_OK)
		return answer(x,
		    outcome_of_reach(x->lease.status, x->lease.tls_failure),
		    x->lease.detail, true);
	send_head(x);
	return GO;
}

/*
 * A pooled connection that the server was just closing: once more on a fresh
 * one, if the server cannot have done anything twice (RFC 9110, 9.2.2).
 */
static bool
may_retry(const struct exchange *x)
{
	enum stream_error e = x->lease.stream->error;

	return x->lease.is_reused && x->retries == 0 && !x->response_begun &&
	       !x->body_was_pulled &&
	       method_is_idempotent(x->request->method) &&
	       (e == STREAM_IDLE_CLOSED || e == STREAM_CLOSED_EARLY ||
		   e == STREAM_RESET || e == STREAM_WIRE);
}

/* With TLS 1.3 a server refuses our certificate only after the handshake. */
static enum outcome
outcome_of_failure(const struct exchange *x)
{
	enum stream_error e = x->lease.stream->error;
	struct str why;
	enum tls_failure f = lease_tls_failure(&x->lease, &why);

	if (f == TLS_FAIL_ALERT || f == TLS_FAIL_RENEGOTIATION)
		return outcome_of_tls(f);
	return e == STREAM_BAD_MESSAGE || e == STREAM_TOO_LARGE ||
		       e == STREAM_VERSION || e == STREAM_NOT_IMPLEMENTED
		   ? OUT_RESPONSE_BAD
		   : OUT_UPSTREAM_CLOSED;
}

static void
describe_failure(const struct exchange *x, char *out, size_t cap)
{
	struct str why;

	if (lease_tls_failure(&x->lease, &why) == TLS_FAIL_NONE)
		why = str_of(stream_error_text(x->lease.stream->error));
	(void)snprintf(out, cap, "%.*s", STR_ARG(why));
}

static enum next
server_failed(struct exchange *x)
{
	struct stats_set *stats = cluster_stats(x->cluster);
	char why[sizeof(x->detail)];

	stat_inc(stats, STAT_UPSTREAM_CX_DESTROY_ACTIVE);
	if (may_retry(x)) {
		stat_inc(stats, STAT_UPSTREAM_RQ_RETRY);
		give_back(x, false);
		x->retries++;
		x->stage = X_LEASE;
		return lease(x);
	}
	describe_failure(x, why, sizeof(why));
	if (x->response_begun) {
		x->keeps_front = false;
		return finish(x, OUT_RESPONSE_CUT, why);
	}
	return answer(x, outcome_of_failure(x), why, true);
}

/* The answer came before the request was all sent: nothing more is sent. */
static enum next
answered_early(struct exchange *x)
{
	x->was_answered_early = true;
	if (x->request->expects_continue) {
		x->keeps_front = false;
		return END;
	}
	x->stage = X_DRAIN;
	return drain(x);
}

static enum next
carry(struct exchange *x)
{
	uint64_t before = x->front->bytes_in + x->front->bytes_out;
	enum moved up, down;

	up = exchange_move_request(x);
	if (up == MOVED_FAIL) {
		x->keeps_front = false;
		return finish(
		    x, OUT_REQUEST_CUT, stream_error_text(x->front->error));
	}
	down = exchange_move_response(x);
	if (down == MOVED_FAIL)
		return server_failed(x);
	if (x->front->error != STREAM_OK) { /* it takes nothing any more */
		x->keeps_front = false;
		return finish(
		    x, OUT_CALLER_RESET, stream_error_text(x->front->error));
	}
	if (x->response_done)
		return x->request_done ? END : answered_early(x);
	if (up == MOVED_MORE || down == MOVED_MORE)
		wire_kick(x->conn->client);
	if (before != x->front->bytes_in + x->front->bytes_out)
		timer_set(
		    &x->deadline, x->conn->all->env.limits->stream_idle_ms);
	return WAIT;
}

static enum next
drain(struct exchange *x)
{
	const size_t most = x->conn->all->env.limits->drain_body;
	struct span s;

	x->stage = X_DRAIN;
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

/* A server that has the whole request and says nothing is answered for. */
static enum next
give_up(struct exchange *x)
{
	x->is_stalled = false;
	if (x->stage == X_CARRY && x->request_done && !x->response_begun) {
		stat_inc(cluster_stats(x->cluster), STAT_UPSTREAM_RQ_TIMEOUT);
		return answer(x, OUT_RESPONSE_LATE, NULL, true);
	}
	x->keeps_front = false;
	return finish(x, OUT_IDLE, "a request or an answer stalled");
}

/* Both streams are let go, whole if their messages were. */
static void
end(struct exchange *x)
{
	bool is_whole = x->request_done && x->response_done &&
			!x->was_answered_early && x->outcome == OUT_OK;

	timer_stop(&x->deadline);
	if (x->retries > 0 && x->outcome == OUT_OK)
		stat_inc(
		    cluster_stats(x->cluster), STAT_UPSTREAM_RQ_RETRY_SUCCESS);
	stat_inc(x->conn->all->outcomes[x->outcome], STAT_ENDED);
	exchange_log(x);
	give_back(x, is_whole);
	cluster_unref(x->cluster);
	service_unref(x->service);
	x->front->ops->release(x->front, x->response_done && x->keeps_front);
	arena_fini(&x->words.arena);
	arena_init(&x->words.arena, 512);
}
