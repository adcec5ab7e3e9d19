/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a request that is permitted may still run into: faults that are made
 * on purpose, limits of its caller, and the rate that all callers have to keep
 * to.  A worker's thread.
 */

#include <stdio.h>

#include "base/rng.h"
#include "conn/exchange_step.h"
#include "conn/faults.h"
#include "policy/traffic.h"
#include "upstream/rates.h"

/* As of the egress that we stand in for: no success is made of a refusal. */
static uint16_t
status_of(const struct rate_rule *r)
{
	return r->status >= 400 && r->status <= 599 ? (uint16_t)r->status : 0;
}

static enum next
refuse(struct exchange *x, const struct rate_rule *r)
{
	char why[96];

	(void)snprintf(why, sizeof(why), "more than %llu requests in %u ms",
	    (unsigned long long)r->num, r->interval_ms);
	x->verdict.rule = r->origin;
	x->worded.status = status_of(r);
	x->worded.headers = r->headers;
	x->worded.n_headers = r->n_headers;
	return exchange_answer(x, OUT_RATE_LIMITED, why, true);
}

enum next
exchange_keep_rate(struct exchange *x)
{
	const struct rate_rule *r = traffic_rate(x->service->traffic,
	    RATE_OF_REQUESTS, wire_tls_identity(x->conn->client));
	struct stats_set *stats = cluster_stats(x->cluster);

	if (r == NULL)
		return GO;
	stat_inc(stats, STAT_RATE_ENABLED);
	if (cluster_admits(x->cluster, r)) {
		stat_inc(stats, STAT_RATE_OK);
		return GO;
	}
	stat_inc(stats, STAT_RATE_LIMITED);
	stat_inc(stats, STAT_RATE_ENFORCED);
	return refuse(x, r);
}

/* Origins are the service's, which may be another one after a delay. */
static void
note_faults(struct exchange *x, const struct faults *f)
{
	struct text said = TEXT_EMPTY;

	x->abort_status = f->abort_status;
	x->abort_rule = arena_str(&x->words.arena, f->abort_by);
	if (x->conn->all->env.log == NULL)
		return;
	faults_print(f, &said);
	x->words.faults = arena_str(&x->words.arena, text_str(&said));
	text_free(&said);
}

uint64_t
exchange_draw_faults(struct exchange *x)
{
	const struct conn_env *env = &x->conn->all->env;
	const struct traffic_policy *t = x->service->traffic;
	struct stats_set *stats = cluster_stats(x->cluster);
	struct faults f;

	if (t == NULL || t->n_faults == 0)
		return 0;
	f = faults_draw(t, wire_tls_identity(x->conn->client),
	    env->random != NULL ? env->random : rng_below);
	note_faults(x, &f);
	if (f.bytes_per_s > 0) {
		stat_inc(stats, STAT_FAULT_PACED);
		pace_begin(&x->pace, f.bytes_per_s, loop_now_ms(env->loop));
	}
	if (f.delay_ms > 0)
		stat_inc(stats, STAT_FAULT_DELAYS);
	return f.delay_ms;
}

enum next
exchange_make_fault(struct exchange *x)
{
	unsigned status = x->abort_status;

	if (status == 0)
		return GO;
	stat_inc(cluster_stats(x->cluster), STAT_FAULT_ABORTS);
	x->verdict.rule = x->abort_rule;
	/* What is no final answer cannot be one. */
	x->worded.status =
	    status >= 200 && status <= 599 ? (uint16_t)status : 0;
	return exchange_answer(x, OUT_FAULT, NULL, true);
}

enum next
exchange_keep_caller(struct exchange *x)
{
	const struct caller_caps caps = caller_caps_of(x->service->options);
	enum caller_limit l;
	enum outcome o;
	char why[192];

	if (!caller_caps_any(&caps))
		return GO;
	l = conn_asks(x->conn, &caps);
	x->is_counted = l == CALLER_LIMIT_N;
	if (x->is_counted)
		return GO;
	o = conn_limited(x->conn, l, why, sizeof(why));
	return exchange_answer(x, o, why, true);
}

bool
exchange_count(struct exchange *x)
{
	uint64_t all = x->front->bytes_in + x->front->bytes_out;
	uint64_t n = all - x->counted;

	x->counted = all;
	return !x->is_counted || n == 0 || conn_moves(x->conn, n);
}

enum next
exchange_cut(struct exchange *x)
{
	char why[192];
	enum outcome o = conn_limited(x->conn, CALLER_BYTES, why, sizeof(why));

	if (!x->response_begun)
		return exchange_answer(x, o, why, false);
	x->keeps_front = false;
	return exchange_finish(x, o, why);
}

void
exchange_uncount(struct exchange *x)
{
	if (!x->is_counted)
		return;
	/* What it says then is only for what comes next. */
	(void)exchange_count(x);
	caller_is_answered(x->conn->use);
	x->is_counted = false;
}
