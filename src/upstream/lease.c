/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How an exchange gets a stream to a service and gives it back.  Those who
 * have to wait are in lease_queue.c.
 *
 * Nobody is told inside a call of somebody else: results are noted, and told
 * by a timer that is due at once.
 */

#include "upstream/lease.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "upstream/lease_queue.h"
#include "upstream/outlier_report.h"
#include "upstream/pick.h"
#include "upstream/pin.h"

/* Results that are told before others have their turn. */
#define TOLD_AT_ONCE 256

void
lease_serve(struct lease *l, struct back *b)
{
	l->status = REACH_OK;
	l->back = b;
	l->stream = b->ops->open(b);
	l->version = b->version;
	l->is_reused = b->is_used;
	l->endpoint = b->guard.endpoint->endpoint;
	l->addr = b->addr;
	l->has_tls = b->has_tls;
	l->tls = &b->tls;
	if (!b->is_used) {
		l->dns_us = b->dns_us;
		l->connect_us = b->connect_us;
	}
	b->leased++;
	b->guard.endpoint->requests++;
}

void
lease_fail(struct lease *l, enum reach_status s, const char *detail)
{
	l->status = s;
	snprintf(l->detail, sizeof(l->detail), "%s", detail);
}

void
lease_fail_as(struct lease *l, const struct reached *r)
{
	lease_fail(l, r->status, r->detail);
	l->endpoint = r->endpoint == NULL ? NULL : endpoint_ref(r->endpoint);
	l->addr = r->addr;
	l->tls_failure = r->tls_failure;
	l->dns_us = r->dns_us;
	l->connect_us = r->connect_us;
}

static void
on_telling(void *arg)
{
	struct cluster *c = cluster_ref(arg);
	struct lease *l;
	size_t n = 0;

	TAILQ_FOREACH(l, &c->told, link)
	if (++n == TOLD_AT_ONCE)
		break;
	/* What comes to it meanwhile is for the next time. */
	for (; n > 0 && (l = TAILQ_FIRST(&c->told)) != NULL; n--) {
		TAILQ_REMOVE(&c->told, l, link);
		l->state = LEASE_DONE;
		l->fn(l->arg);
	}
	if (!TAILQ_EMPTY(&c->told))
		timer_set(&c->telling, 0);
	cluster_unref(c);
}

void
lease_init_telling(struct cluster *c)
{
	TAILQ_INIT(&c->told);
	timer_init(&c->telling, cluster_env(c)->loop, on_telling, c);
}

void
lease_tell(struct lease *l)
{
	struct cluster *c = l->cluster;

	l->state = LEASE_TELLING;
	TAILQ_INSERT_TAIL(&c->told, l, link);
	if (!timer_is_set(&c->telling))
		timer_set(&c->telling, 0);
}

/*
 * Who goes by hash goes there and nowhere else.  For others any endpoint is as
 * good as the one that was picked, unless it ranks behind it.
 */
bool
lease_suits(const struct lease *l, const struct live_endpoint *picked,
    const struct live_endpoint *e)
{
	uint64_t now = cluster_now_ms(l->cluster);

	if (!pick_allows(&l->want, e))
		return false;
	if (e == picked)
		return true;
	if (l->want.has_hash)
		return false;
	if (picked->is_gone || !live_endpoint_is_healthy(picked, now))
		return true;
	return e->endpoint->priority <= picked->endpoint->priority &&
	       live_endpoint_is_healthy(e, now);
}

/* The first that some endpoint has which suits as well as the picked one. */
static struct back *
find_any(const struct lease *l, const struct live_endpoint *picked,
    struct back *(*find)(struct live_endpoint *, const struct proxy_header *))
{
	const struct live_endpoints *list =
	    cluster_endpoints(l->cluster, &l->want);
	struct back *b;
	size_t i;

	for (i = 0; i < list->n; i++) {
		if (!lease_suits(l, picked, list->v[i]))
			continue;
		b = find(list->v[i], l->want.proxy_header);
		if (b != NULL)
			return b;
	}
	return NULL;
}

/* At the limit the connection of another endpoint is better than none. */
static struct back *
find_open(struct lease *l, struct live_endpoint *picked)
{
	struct cluster *c = l->cluster;
	struct back *b;

	/* What others use at this moment is not stale, at least. */
	if (l->must_be_fresh)
		return cluster_make_room(c)
			   ? NULL
			   : find_any(l, picked, pool_find_shared);
	b = pool_find(picked, l->want.proxy_header);
	if (b == NULL && cluster_is_full(c))
		b = find_any(l, picked, pool_find);
	return b;
}

static struct back *
take_pinned(struct lease *l)
{
	struct pin *p = l->want.pin;

	if (p == NULL)
		return NULL;
	if (!l->must_be_fresh)
		return pin_take(p, l->cluster, &l->want);
	pin_release(p);
	return NULL;
}

/* True: the result is there. */
static bool
get_or_wait(struct lease *l)
{
	struct cluster *c = l->cluster;
	struct back *b = take_pinned(l);
	struct live_endpoint *e = NULL;

	if (b == NULL)
		e = pick_endpoint(cluster_balance(c, &l->want), &l->want, NULL,
		    cluster_now_ms(c));
	if (e != NULL)
		b = find_open(l, e);
	if (b != NULL) {
		lease_serve(l, b);
		pool_put(&c->all->pool, b);
		return true;
	}
	if (e == NULL) {
		lease_fail(l, REACH_NO_ENDPOINT, "");
		return true;
	}
	if (!cluster_begin(c, BREAKER_PENDING)) {
		lease_fail(
		    l, REACH_OVERFLOW, cluster_limit_name(c, BREAKER_PENDING));
		return true;
	}
	lease_enqueue(l, e);
	return false;
}

/* A number that is written by this thread only. */
static void
count_requests(const struct cluster *c, int more)
{
	atomic_uint *n = &c->member->requests;

	atomic_store_explicit(n,
	    atomic_load_explicit(n, memory_order_relaxed) + (unsigned)more,
	    memory_order_relaxed);
}

/* False: the result is there. */
static bool
begin_request(struct lease *l)
{
	struct cluster *c = l->cluster;

	if (cluster_has_own_limit(c, BREAKER_REQUESTS)) {
		l->is_counted = cluster_begin(c, BREAKER_REQUESTS);
		if (!l->is_counted) {
			lease_fail(l, REACH_OVERFLOW,
			    cluster_limit_name(c, BREAKER_REQUESTS));
			return false;
		}
	}
	l->is_begun = true;
	count_requests(c, 1);
	return true;
}

static void
end_request(struct lease *l)
{
	if (l->is_counted)
		cluster_end(l->cluster, BREAKER_REQUESTS);
	if (l->is_begun)
		count_requests(l->cluster, -1);
	l->is_counted = l->is_begun = false;
}

bool
lease_start(struct lease *l, struct cluster *c, const struct reach_want *want,
    bool must_be_fresh, void (*fn)(void *), void *arg)
{
	/* The text is long, and empty with its first byte. */
	memset(l, 0, offsetof(struct lease, detail));
	l->detail[0] = '\0';
	l->must_be_fresh = must_be_fresh;
	l->cluster = cluster_ref(c);
	l->want = *want;
	cluster_translate(want->service, c->service, &l->want);
	l->want.service = NULL;
	upstream_name_ref(l->want.name);
	l->fn = fn;
	l->arg = arg;
	if (begin_request(l) && !get_or_wait(l))
		return false;
	l->state = LEASE_DONE;
	return true;
}

static bool
is_kept_private(const struct lease *l, struct back *b)
{
	return b->is_private && l->want.pin != NULL && pin_keep(l->want.pin, b);
}

static void
give_back(struct lease *l, bool is_whole)
{
	struct back *b = l->back;

	if (b == NULL)
		return;
	l->back = NULL;
	l->stream->ops->release(l->stream, is_whole);
	l->stream = NULL;
	b->leased--;
	b->guard.endpoint->requests--;
	if (!is_kept_private(l, b))
		lease_offer(l->cluster, b);
}

void
lease_end(struct lease *l, bool is_whole)
{
	struct cluster *c = l->cluster;
	/* A connection holds its endpoint. */
	bool is_borrowed = l->back != NULL;

	switch (l->state) {
	case LEASE_NONE:
		return;
	case LEASE_WAITING:
		lease_dequeue(l);
		lease_feed(c);
		break;
	case LEASE_TELLING:
		TAILQ_REMOVE(&c->told, l, link);
		break;
	case LEASE_DONE:
		break;
	}
	l->state = LEASE_NONE;
	end_request(l);
	give_back(l, is_whole);
	if (!is_borrowed)
		endpoint_unref(l->endpoint);
	l->endpoint = NULL;
	upstream_name_unref(l->want.name);
	l->want.name = NULL;
	l->cluster = NULL;
	cluster_unref(c);
}

static enum outlier_result
result_of(enum lease_result r, unsigned status)
{
	if (r != LEASE_ANSWERED)
		return OUTLIER_LOCAL;
	if (status >= 502 && status <= 504)
		return OUTLIER_GATEWAY;
	return status >= 500 ? OUTLIER_ERROR : OUTLIER_GOOD;
}

void
lease_report(struct lease *l, enum lease_result r, unsigned status)
{
	if (l->back != NULL)
		outlier_report(l->cluster,
		    live_known(l->back->guard.endpoint, l->back->guard.target),
		    result_of(r, status));
}

void
lease_make_private(struct lease *l)
{
	if (l->back == NULL)
		return;
	l->back->is_private = true;
	pool_take_out(l->back);
}

enum tls_failure
lease_tls_failure(const struct lease *l, struct str *why)
{
	if (l->back == NULL || !l->back->has_tls)
		return TLS_FAIL_NONE;
	*why = wire_tls_failure_text(l->back->wire);
	return wire_tls_failure(l->back->wire);
}

struct str
lease_failure_text(const struct lease *l)
{
	struct str why;

	if (lease_tls_failure(l, &why) != TLS_FAIL_NONE)
		return why;
	if (l->back == NULL || l->back->ops->failure == NULL)
		return STR_NONE;
	return l->back->ops->failure(l->back);
}
