/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue of a cluster.  Who waits has a dialling begun for him, or for
 * several like him, if the limits allow it; but whichever connection has room
 * first serves the head of the queue.
 *
 * Who has no dialling waits for others to give something back, but not longer
 * than a dialling would take.
 */

#include "upstream/lease_queue.h"

#include <stdio.h>

#include "upstream/dialing.h"
#include "upstream/pick.h"
#include "upstream/pin.h"

void
lease_aim(struct lease *l, struct live_endpoint *e)
{
	live_endpoint_ref(e);
	live_endpoint_unref(l->picked);
	l->picked = e;
}

void
lease_dequeue(struct lease *l)
{
	struct cluster *c = l->cluster;

	if (l->dialing != NULL)
		dialing_leave(l);
	TAILQ_REMOVE(&c->waiting, l, link);
	c->n_waiting--;
	c->n_undialed--;
	live_endpoint_unref(l->picked);
	l->picked = NULL;
	cluster_note_wants(c);
	cluster_end(c, BREAKER_PENDING);
}

static void
refuse(struct lease *l, enum reach_status s, const char *detail)
{
	lease_dequeue(l);
	lease_fail(l, s, detail);
	lease_tell(l);
}

/* Its endpoint is left out, and there is another that l may use. */
static bool
is_shunned(const struct lease *l, const struct back *b)
{
	const struct live_endpoints *list =
	    cluster_endpoints(l->cluster, &l->want);
	uint64_t now = cluster_now_ms(l->cluster);
	size_t i;

	if (targets_shun(b->guard.endpoint, b->guard.target, now))
		return true;
	if (live_endpoint_is_healthy(b->guard.endpoint, now))
		return false;
	for (i = 0; i < list->n; i++)
		if (pick_allows(&l->want, list->v[i]) &&
		    live_endpoint_is_healthy(list->v[i], now))
			return true;
	return false;
}

static bool
suits(const struct lease *l, const struct back *b, bool is_fresh)
{
	if (!lease_suits(l, l->picked, b->guard.endpoint) ||
	    l->want.proxy_header != b->proxy_header ||
	    (!is_fresh && is_shunned(l, b)))
		return false;
	/* As in lease.c: at the limit what others use is good enough. */
	return is_fresh || !l->must_be_fresh ||
	       (b->leased > 0 && cluster_is_full(l->cluster));
}

/* As many as there is room for, in the order of the queue. */
static void
serve_waiting(struct cluster *c, struct back *b, bool is_fresh)
{
	struct lease *l, *next;

	for (l = TAILQ_FIRST(&c->waiting); l != NULL && b->streams_left > 0;
	     l = next) {
		next = TAILQ_NEXT(l, link);
		if (!suits(l, b, is_fresh))
			continue;
		lease_dequeue(l);
		lease_serve(l, b);
		lease_tell(l);
	}
	b->is_used |= b->leased > 0;
}

static bool
may_stay(const struct cluster *c, const struct back *b)
{
	return b->leased > 0 || !(c->is_dropped || b->guard.endpoint->is_gone);
}

/* is_good: others may use it; else it ends with those who do. */
static void
offer(struct cluster *c, struct back *b, bool is_good, bool is_fresh)
{
	if (is_good)
		serve_waiting(c, b, is_fresh);
	if (is_good && may_stay(c, b)) {
		pool_put(&c->all->pool, b);
		return;
	}
	pool_take_out(b);
	if (b->leased == 0)
		b->ops->close(b);
}

static void
be_patient(struct cluster *c)
{
	if (c->n_undialed > 0 && !timer_is_set(&c->patience))
		timer_set(&c->patience, cluster_connect_ms(c));
}

/* To another worker: who waits here does not take the place at once. */
static void
give_way(struct cluster *c, struct back *b)
{
	bool was_feeding = c->is_feeding;

	c->is_feeding = true;
	offer(c, b, false, false);
	c->is_feeding = was_feeding;
	be_patient(c);
}

void
lease_offer(struct cluster *c, struct back *b)
{
	bool is_good = pool_rest(&c->all->pool, b) && !b->is_private;

	if (b->leased == 0 && cluster_gives_way(c)) {
		give_way(c, b);
		return;
	}
	offer(c, b, is_good, false);
	/* What is of no use to who waits may at least make room for him. */
	lease_feed(c);
}

void
lease_offer_fresh(struct cluster *c, struct back *b)
{
	/* Also one whose server speaks first: its exchange shall see that. */
	if (b->version == HTTP_1_1)
		serve_waiting(c, b, true);
	if (b->version != HTTP_1_1 || b->leased == 0)
		offer(c, b, pool_rest(&c->all->pool, b), true);
}

void
lease_on_changed(struct back *b)
{
	struct cluster *c = cluster_ref(b->guard.cluster);
	bool is_good = b->ops->can_reuse(b);

	if (b->pin == NULL)
		offer(c, b, is_good && !b->is_private, false);
	else if (!is_good)
		pin_release(b->pin);
	lease_feed(c);
	cluster_unref(c);
}

static struct lease *
first_undialed(const struct cluster *c)
{
	struct lease *l;

	TAILQ_FOREACH(l, &c->waiting, link)
	if (l->dialing == NULL)
		return l;
	return NULL;
}

static void
on_patience(void *arg)
{
	struct cluster *c = cluster_ref(arg);
	uint64_t now = cluster_now_ms(c);
	uint64_t most = cluster_connect_ms(c);
	struct lease *l;
	char why[128];

	while ((l = first_undialed(c)) != NULL) {
		if (now - l->since_ms < most) {
			timer_set(&c->patience, most - (now - l->since_ms));
			break;
		}
		stat_inc(cluster_set(c), STAT_UPSTREAM_CX_POOL_OVERFLOW);
		(void)snprintf(why, sizeof(why),
		    "%s, and none of them became free in time",
		    cluster_limit_name(c, BREAKER_CONNECTIONS));
		refuse(l, REACH_OVERFLOW, why);
	}
	cluster_unref(c);
}

static void
dial_for(struct lease *l)
{
	struct live_endpoint *e =
	    pick_endpoint(cluster_balance(l->cluster, &l->want), &l->want, NULL,
		cluster_now_ms(l->cluster));

	if (e == NULL) {
		refuse(l, REACH_NO_ENDPOINT, "");
		return;
	}
	lease_aim(l, e);
	if (!dialing_join(l, e))
		dialing_begin(l, e);
}

void
lease_feed(struct cluster *c)
{
	struct lease *l, *next;

	/* To make room closes connections, which ends here again. */
	if (c->is_feeding || c->n_undialed == 0)
		return;
	c->is_feeding = true;
	for (l = TAILQ_FIRST(&c->waiting); l != NULL && c->n_undialed > 0;
	     l = next) {
		next = TAILQ_NEXT(l, link);
		if (l->dialing != NULL || dialing_join(l, NULL))
			continue;
		if (cluster_make_room(c))
			dial_for(l);
		else if (!dialing_has_room(c))
			break;
	}
	c->is_feeding = false;
	cluster_note_wants(c);
	be_patient(c);
}

/* What is closed for it must not be given to him by lease_feed() as well. */
static bool
make_room_for_first(struct cluster *c)
{
	bool has_room;

	c->is_feeding = true;
	has_room = cluster_make_room(c);
	c->is_feeding = false;
	return has_room;
}

void
lease_enqueue(struct lease *l, struct live_endpoint *first)
{
	struct cluster *c = l->cluster;
	bool is_first = c->n_undialed == 0 && !c->is_feeding;

	l->state = LEASE_WAITING;
	lease_aim(l, first);
	l->since_ms = cluster_now_ms(c);
	TAILQ_INSERT_TAIL(&c->waiting, l, link);
	c->n_waiting++;
	c->n_undialed++;
	/* Those before come first, if a new connection is to be had. */
	if (!dialing_join(l, first)) {
		if (is_first && make_room_for_first(c))
			dialing_begin(l, first);
		else if (!dialing_join(l, NULL))
			be_patient(c);
	}
	cluster_note_wants(c);
	cluster_note_limits(c);
}

void
lease_translate(struct cluster *c, const struct service *from)
{
	struct lease *l;

	TAILQ_FOREACH(l, &c->waiting, link)
	cluster_translate(from, c->service, &l->want);
}

void
lease_init(struct cluster *c)
{
	TAILQ_INIT(&c->waiting);
	TAILQ_INIT(&c->dialings);
	timer_init(&c->patience, cluster_env(c)->loop, on_patience, c);
	lease_init_telling(c);
}
