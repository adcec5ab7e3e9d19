/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Putting, taking and ageing of idle connections.  All of a worker's have the
 * same time to lie, so one line by age and one timer are enough.
 */

#include "upstream/pool.h"

static void
unlink_back(struct pool *p, struct back *b)
{
	struct live_endpoint *e = b->guard.endpoint;

	TAILQ_REMOVE(&p->by_age, b, in_pool);
	TAILQ_REMOVE(&e->idle, b, in_endpoint);
	e->n_idle--;
}

static void
discard(struct pool *p, struct back *b)
{
	unlink_back(p, b);
	b->ops->close(b);
}

static void
on_timer(void *arg)
{
	struct pool *p = arg;
	uint64_t now = loop_now_ms(p->loop), age;
	struct back *b;

	while ((b = TAILQ_FIRST(&p->by_age)) != NULL) {
		age = now - b->idle_since_ms;
		if (age < p->limits->pool_idle_ms) {
			timer_set(&p->timer, p->limits->pool_idle_ms - age);
			return;
		}
		discard(p, b);
	}
}

void
pool_init(struct pool *p, struct loop *l, const struct upstream_limits *limits)
{
	p->loop = l;
	p->limits = limits;
	TAILQ_INIT(&p->by_age);
	timer_init(&p->timer, l, on_timer, p);
}

void
pool_fini(struct pool *p)
{
	struct back *b;

	while ((b = TAILQ_FIRST(&p->by_age)) != NULL)
		discard(p, b);
	timer_stop(&p->timer);
}

static void
on_lost(struct back *b)
{
	discard(b->pool, b);
}

bool
pool_rest(struct pool *p, struct back *b)
{
	b->pool = p;
	b->ops->rest(b, on_lost);
	return b->ops->can_reuse(b);
}

void
pool_put(struct pool *p, struct back *b)
{
	struct live_endpoint *e = b->guard.endpoint;

	if (p->limits->pool_per_endpoint == 0) {
		b->ops->close(b);
		return;
	}
	if (e->n_idle >= p->limits->pool_per_endpoint)
		(void)pool_close_oldest(p, e);
	b->is_used = true;
	b->idle_since_ms = loop_now_ms(p->loop);
	TAILQ_INSERT_TAIL(&p->by_age, b, in_pool);
	TAILQ_INSERT_HEAD(&e->idle, b, in_endpoint);
	e->n_idle++;
	if (!timer_is_set(&p->timer))
		timer_set(&p->timer, p->limits->pool_idle_ms);
}

struct back *
pool_take(struct pool *p, struct live_endpoint *e)
{
	struct back *b;

	while ((b = TAILQ_FIRST(&e->idle)) != NULL) {
		unlink_back(p, b);
		/* The server's end may be known, and not told yet. */
		if (b->ops->can_reuse(b))
			return b;
		b->ops->close(b);
	}
	return NULL;
}

void
pool_close(struct pool *p, struct live_endpoint *e)
{
	while (pool_close_oldest(p, e))
		;
}

bool
pool_close_oldest(struct pool *p, struct live_endpoint *e)
{
	struct back *b = TAILQ_LAST(&e->idle, back_list);

	if (b == NULL)
		return false;
	discard(p, b);
	return true;
}
