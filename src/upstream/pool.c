/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Putting, finding and ageing of connections.  All idle ones of a worker have
 * the same time to lie, so one line by age and one timer are enough.
 */

#include "upstream/pool.h"

#include "upstream/pin.h"
#include "upstream/proxy_protocol.h"

static struct back_list *
list_of(struct back *b)
{
	struct live_endpoint *e = b->guard.endpoint;

	switch (b->place) {
	case BACK_OUT:
		break;
	case BACK_SHARED:
		return &e->shared;
	case BACK_IDLE:
		return &e->idle;
	case BACK_PINNED:
		return &e->pinned;
	}
	return NULL;
}

void
pool_take_out(struct back *b)
{
	if (b->place == BACK_OUT)
		return;
	TAILQ_REMOVE(list_of(b), b, in_endpoint);
	if (b->place != BACK_SHARED)
		TAILQ_REMOVE(&b->pool->by_age, b, in_pool);
	if (b->place == BACK_IDLE)
		b->guard.endpoint->n_idle--;
	b->place = BACK_OUT;
}

static void
discard(struct back *b)
{
	pool_take_out(b);
	pin_forget(b);
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
		discard(b);
	}
}

void
pool_init(struct pool *p, struct loop *l, const struct upstream_limits *limits,
    void (*changed)(struct back *b))
{
	p->loop = l;
	p->limits = limits;
	p->changed = changed;
	TAILQ_INIT(&p->by_age);
	timer_init(&p->timer, l, on_timer, p);
}

void
pool_fini(struct pool *p)
{
	struct back *b;

	while ((b = TAILQ_FIRST(&p->by_age)) != NULL)
		discard(b);
	timer_stop(&p->timer);
}

bool
pool_rest(struct pool *p, struct back *b)
{
	b->pool = p;
	b->ops->watch(b, p->changed);
	return b->ops->can_reuse(b);
}

/* Who has no room is found by nobody, and the first to make room. */
static void
add_to_endpoint(struct back *b, enum back_place place)
{
	b->place = place;
	if (b->streams_left > 0)
		TAILQ_INSERT_HEAD(list_of(b), b, in_endpoint);
	else
		TAILQ_INSERT_TAIL(list_of(b), b, in_endpoint);
}

static void
add_to_line(struct pool *p, struct back *b)
{
	b->is_used = true;
	b->idle_since_ms = loop_now_ms(p->loop);
	TAILQ_INSERT_TAIL(&p->by_age, b, in_pool);
	if (!timer_is_set(&p->timer))
		timer_set(&p->timer, p->limits->pool_idle_ms);
}

/* By the only caller who might use it. */
static bool
is_left_behind(const struct back *b)
{
	return b->proxy_header != NULL && b->proxy_header->is_left;
}

static void
put_idle(struct pool *p, struct back *b)
{
	struct live_endpoint *e = b->guard.endpoint;

	if (b->place == BACK_IDLE) {
		TAILQ_REMOVE(&e->idle, b, in_endpoint);
		add_to_endpoint(b, BACK_IDLE);
		return;
	}
	pool_take_out(b);
	if (p->limits->pool_per_endpoint == 0 || is_left_behind(b)) {
		b->ops->close(b);
		return;
	}
	if (e->n_idle >= p->limits->pool_per_endpoint)
		(void)pool_close_oldest(e);
	add_to_endpoint(b, BACK_IDLE);
	e->n_idle++;
	add_to_line(p, b);
}

void
pool_put(struct pool *p, struct back *b)
{
	b->pool = p;
	if (b->leased == 0) {
		put_idle(p, b);
		return;
	}
	/* The one that others use already goes on filling up. */
	if (b->place == BACK_SHARED && b->streams_left > 0)
		return;
	pool_take_out(b);
	if (b->streams_left > 0)
		add_to_endpoint(b, BACK_SHARED);
}

void
pool_put_pinned(struct pool *p, struct back *b)
{
	pool_take_out(b);
	add_to_endpoint(b, BACK_PINNED);
	add_to_line(p, b);
}

/* Its end may be known, and not told yet. */
static void
drop(struct back *b)
{
	if (b->leased == 0)
		discard(b);
	else
		pool_take_out(b);
}

/* Of SRV: its target is left out, and the endpoint has a better one. */
static bool
is_shunned(const struct back *b)
{
	return b->guard.target != NULL &&
	       targets_shun(b->guard.endpoint, b->guard.target,
		   loop_now_ms(b->pool->loop));
}

/* Those without room are at the end. */
static struct back *
find_in(struct back_list *list, const struct proxy_header *caller)
{
	struct back *b, *next;

	for (b = TAILQ_FIRST(list); b != NULL && b->streams_left > 0;
	     b = next) {
		next = TAILQ_NEXT(b, in_endpoint);
		if (b->proxy_header != caller || is_shunned(b))
			continue;
		if (b->ops->can_reuse(b))
			return b;
		drop(b);
	}
	return NULL;
}

struct back *
pool_find_shared(struct live_endpoint *e, const struct proxy_header *caller)
{
	return find_in(&e->shared, caller);
}

struct back *
pool_find(struct live_endpoint *e, const struct proxy_header *caller)
{
	struct back *b = pool_find_shared(e, caller);

	return b != NULL ? b : find_in(&e->idle, caller);
}

void
pool_close(struct live_endpoint *e)
{
	while (pool_close_oldest(e))
		;
}

bool
pool_close_oldest(struct live_endpoint *e)
{
	struct back *b = TAILQ_LAST(&e->idle, back_list);

	if (b == NULL)
		b = TAILQ_LAST(&e->pinned, back_list);
	if (b == NULL)
		return false;
	discard(b);
	return true;
}
