/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a reach begins, is given up, and tells its result.  It counts among the
 * cluster's from its start to its result, whether told or not.
 */

#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "upstream/proxy_protocol.h"
#include "upstream/reach_state.h"

uint64_t
reach_left_ms(const struct reach *r)
{
	uint64_t now = cluster_now_ms(r->cluster);

	return now < r->until_ms ? r->until_ms - now : 0;
}

void
reach_stop_attempt(struct reach *r)
{
	timer_stop(&r->timer);
	dns_cancel(&r->dns_wait);
	dial_stop(&r->dialler);
	wire_free(r->result.wire);
	r->result.wire = NULL;
	reach_forget_secret(r);
	if (r->at != NULL)
		r->at->connecting--;
	r->at = NULL;
}

void
reach_aim(struct reach *r, struct live_target *t)
{
	live_target_ref(t);
	live_target_unref(r->aim);
	r->aim = t;
}

/* Out of the cluster's books; memory goes when no event is on the stack. */
static void
release(struct reach *r)
{
	struct cluster *c = r->cluster;
	size_t i;

	reach_stop_attempt(r);
	cluster_guard_release(&r->result.guard);
	reach_aim(r, NULL);
	live_target_unref(r->only);
	live_endpoint_unref(r->first);
	for (i = 0; i < r->tried.n; i++)
		live_endpoint_unref(r->tried.v[i]);
	free(r->tried.v);
	answers_free(&r->answers);
	answers_free(&r->targets);
	outward_unref(r->outward);
	upstream_name_unref(r->want.name);
	proxy_header_unref(r->want.proxy_header);
	loop_later(cluster_env(c)->loop, free, r);
	cluster_unref(c);
}

static void
leave_cluster(struct reach *r)
{
	struct cluster *c = r->cluster;

	if (r->is_ended)
		return;
	r->is_ended = true;
	TAILQ_REMOVE(&c->reaches, r, link);
	c->n_reaching -= !r->is_probe;
	c->n_direct -= r->is_direct;
	/* A guard goes on with what was counted of the connection. */
	if (r->is_counted && r->result.guard.cluster == NULL)
		cluster_end(c, BREAKER_CONNECTIONS);
	if (r->is_counted && r->is_direct)
		cluster_end(c, BREAKER_PENDING);
	if (r->has_retry)
		cluster_end_retry(c);
	cluster_note_limits(c);
}

/* Who did not take the wire gave it back. */
static void
report(struct reach *r)
{
	struct cluster *c = r->cluster;

	r->fn(r->arg, &r->result);
	if (r->result.status == REACH_OK && r->result.wire == NULL)
		r->result.guard = (struct cluster_guard){ .cluster = NULL };
	cluster_ref(c);
	release(r);
	lease_feed(c);
	cluster_unref(c);
}

void
reach_end(struct reach *r)
{
	timer_stop(&r->timer);
	if (r->at != NULL)
		r->at->connecting--;
	r->at = NULL;
	leave_cluster(r);
	if (r->is_starting)
		timer_set(&r->timer, 0);
	else
		report(r);
}

static void
on_timer(void *arg)
{
	struct reach *r = arg;

	if (r->is_ended) {
		report(r);
		return;
	}
	r->progress = LATE;
	reach_run(r);
}

/* False: the limits leave no place for it, and the result says so. */
static bool
is_admitted(struct reach *r)
{
	struct cluster *c = r->cluster;
	enum breaker_id full = BREAKER_CONNECTIONS;

	/* It was asked for under rules that knew nothing of it: ask again. */
	if (r->outward->introduces_caller && !r->want.is_relay &&
	    r->want.proxy_header == NULL && !r->is_probe)
		return false;
	if (r->is_probe)
		return true;
	if (r->is_direct && !cluster_begin(c, BREAKER_PENDING)) {
		full = BREAKER_PENDING;
	} else {
		(void)cluster_make_room(c);
		r->is_counted = cluster_begin(c, BREAKER_CONNECTIONS);
		if (r->is_counted)
			return true;
		if (r->is_direct)
			cluster_end(c, BREAKER_PENDING);
	}
	r->result.status = REACH_OVERFLOW;
	snprintf(r->result.detail, sizeof(r->result.detail), "%s",
	    cluster_limit_name(c, full));
	return false;
}

static struct reach *
reach_new(struct cluster *c, const struct reach_want *want,
    void (*fn)(void *arg, struct reached *r), void *arg)
{
	struct reach *r = xcalloc(1, sizeof(*r));

	r->cluster = cluster_ref(c);
	r->outward = outward_ref(c->outward);
	r->want = *want;
	cluster_translate(want->service, c->service, &r->want);
	r->want.service = NULL;
	upstream_name_ref(r->want.name);
	(void)proxy_header_ref(r->want.proxy_header);
	r->result.proxy_header = r->want.proxy_header;
	r->fn = fn;
	r->arg = arg;
	r->result.status = REACH_NO_ENDPOINT;
	timer_init(&r->timer, cluster_env(c)->loop, on_timer, r);
	r->until_ms = cluster_now_ms(c) + cluster_connect_ms(c);
	return r;
}

static struct reach *
start(struct reach *r)
{
	struct cluster *c = r->cluster;
	bool is_admitted_now = is_admitted(r);

	TAILQ_INSERT_TAIL(&c->reaches, r, link);
	c->n_reaching += !r->is_probe;
	c->n_direct += r->is_direct;
	cluster_note_limits(c);
	r->is_starting = true;
	if (is_admitted_now)
		reach_run(r);
	else
		reach_end(r);
	r->is_starting = false;
	return r;
}

struct reach *
reach_start(struct cluster *c, const struct reach_want *want,
    void (*fn)(void *arg, struct reached *r), void *arg)
{
	struct reach *r = reach_new(c, want, fn, arg);

	r->is_direct = true;
	return start(r);
}

struct reach *
reach_start_at(struct cluster *c, const struct reach_want *want,
    struct live_endpoint *first, void (*fn)(void *arg, struct reached *r),
    void *arg)
{
	struct reach *r = reach_new(c, want, fn, arg);

	r->first = live_endpoint_ref(first);
	return start(r);
}

struct reach *
reach_start_probe(struct cluster *c, struct live_endpoint *e,
    struct live_target *only, bool is_plain,
    void (*fn)(void *arg, struct reached *r), void *arg)
{
	const struct reach_want want = { .rulesets = UINT64_MAX };
	struct reach *r = reach_new(c, &want, fn, arg);

	r->first = live_endpoint_ref(e);
	r->only = live_target_ref(only);
	r->is_probe = true;
	r->is_plain = is_plain;
	return start(r);
}

void
reach_cancel(struct reach *r)
{
	struct cluster *c = cluster_ref(r->cluster);

	leave_cluster(r);
	release(r);
	lease_feed(c);
	cluster_unref(c);
}

void
reach_translate(struct cluster *c, const struct service *from)
{
	struct reach *r;

	/* Checks are nobody's: no rule of the old service is theirs. */
	TAILQ_FOREACH(r, &c->reaches, link)
	if (!r->is_probe)
		cluster_translate(from, c->service, &r->want);
}
