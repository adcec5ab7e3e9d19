/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue of a cluster.  Who waits has a dialling begun in his name if the
 * limits allow it.  Connections serve the head of the queue, whoever they were
 * begun for; a dialling whose exchange was served by another connection goes
 * over to somebody who has none, or ends up in the pool.  When it fails, it is
 * its present owner who fails.
 *
 * Who has no dialling waits for others to give something back, but not longer
 * than a dialling would take.
 */

#include "upstream/lease_queue.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "upstream/h1_back.h"
#include "upstream/pick.h"

struct dialing {
	TAILQ_ENTRY(dialing) link;
	struct cluster *cluster; /* the reach keeps it */
	struct reach *reach;
	struct reach_want want;
	struct lease *owner; /* NULL: nobody needs it at present */
};

static bool
is_same_want(const struct reach_want *a, const struct reach_want *b)
{
	return a->is_relay == b->is_relay && a->only_zoned == b->only_zoned &&
	       a->rulesets == b->rulesets;
}

static void
own(struct lease *l, struct dialing *d)
{
	l->dialing = d;
	d->owner = l;
	l->cluster->n_undialed--;
}

/* The dialling is over, or goes on for somebody else. */
static void
disown(struct lease *l)
{
	l->dialing->owner = NULL;
	l->dialing = NULL;
	l->cluster->n_undialed++;
}

/* Whoever waits without a dialling gets this one, if it suits him. */
static void
give_away(struct cluster *c, struct dialing *d)
{
	struct lease *l;

	if (c->n_undialed == 0)
		return;
	TAILQ_FOREACH(l, &c->waiting, link)
	{
		if (l->dialing == NULL && is_same_want(&l->want, &d->want)) {
			own(l, d);
			return;
		}
	}
}

void
lease_dequeue(struct lease *l)
{
	struct cluster *c = l->cluster;
	struct dialing *d = l->dialing;

	if (d != NULL)
		disown(l);
	TAILQ_REMOVE(&c->waiting, l, link);
	c->n_waiting--;
	c->n_undialed--;
	if (d != NULL)
		give_away(c, d);
	cluster_note_limits(c);
}

static void
refuse(struct lease *l, enum reach_status s, const char *detail)
{
	lease_dequeue(l);
	lease_fail(l, s, detail);
	lease_tell(l);
}

static struct lease *
first_for(const struct cluster *c, const struct live_endpoint *e, bool is_fresh)
{
	struct lease *l;

	TAILQ_FOREACH(l, &c->waiting, link)
	if (pick_allows(&l->want, e) && (is_fresh || !l->must_be_fresh))
		return l;
	return NULL;
}

static bool
serve_first(struct cluster *c, struct back *b, bool is_fresh)
{
	struct lease *l = first_for(c, b->guard.endpoint, is_fresh);

	if (l == NULL)
		return false;
	lease_dequeue(l);
	lease_serve(l, b);
	lease_tell(l);
	return true;
}

static void
put_away(struct cluster *c, struct back *b)
{
	if (c->is_dropped || b->guard.endpoint->is_gone)
		b->ops->close(b);
	else
		pool_put(&c->all->pool, b);
}

void
lease_offer(struct cluster *c, struct back *b)
{
	if (b->is_private || !pool_rest(&c->all->pool, b))
		b->ops->close(b);
	else if (!serve_first(c, b, false))
		put_away(c, b);
	/* What is of no use to who waits may at least make room for him. */
	lease_feed(c);
}

/* Also one whose server speaks first: its exchange shall see that. */
static void
offer_fresh(struct cluster *c, struct back *b)
{
	if (serve_first(c, b, true))
		return;
	if (pool_rest(&c->all->pool, b))
		put_away(c, b);
	else
		b->ops->close(b);
}

static void
on_reached(void *arg, struct reached *r)
{
	struct dialing *d = arg;
	struct cluster *c = cluster_ref(d->cluster);
	struct lease *owner = d->owner;

	TAILQ_REMOVE(&c->dialings, d, link);
	if (owner != NULL)
		disown(owner);
	free(d);
	if (r->status == REACH_OK) {
		offer_fresh(c, h1_back_new(r, cluster_env(c)->h1));
	} else if (owner != NULL) {
		lease_dequeue(owner);
		lease_fail_as(owner, r);
		lease_tell(owner);
	}
	lease_feed(c);
	cluster_unref(c);
}

static void
begin_dialing(struct lease *l, struct live_endpoint *first)
{
	struct cluster *c = l->cluster;
	struct dialing *d = xcalloc(1, sizeof(*d));

	d->cluster = c;
	d->want = l->want;
	TAILQ_INSERT_TAIL(&c->dialings, d, link);
	own(l, d);
	d->reach = reach_start_at(c, &d->want, first, on_reached, d);
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
	uint64_t most = cluster_env(c)->limits->connect_ms;
	struct lease *l;

	while ((l = first_undialed(c)) != NULL) {
		if (now - l->since_ms < most) {
			timer_set(&c->patience, most - (now - l->since_ms));
			break;
		}
		stat_inc(cluster_set(c), STAT_UPSTREAM_CX_POOL_OVERFLOW);
		refuse(l, REACH_OVERFLOW,
		    "limits.upstream_connections is reached, and none of them "
		    "became free in time");
	}
	cluster_unref(c);
}

static void
be_patient(struct cluster *c)
{
	if (c->n_undialed > 0 && !timer_is_set(&c->patience))
		timer_set(&c->patience, cluster_env(c)->limits->connect_ms);
}

static void
dial_for(struct lease *l)
{
	struct live_endpoint *e =
	    pick_endpoint(cluster_endpoints(l->cluster, &l->want), &l->want,
		NULL, cluster_now_ms(l->cluster));

	if (e != NULL)
		begin_dialing(l, e);
	else
		refuse(l, REACH_NO_ENDPOINT, "");
}

void
lease_feed(struct cluster *c)
{
	/* To make room closes connections, which ends here again. */
	if (c->is_feeding || c->n_undialed == 0)
		return;
	c->is_feeding = true;
	while (c->n_undialed > 0 && cluster_make_room(c))
		dial_for(first_undialed(c));
	c->is_feeding = false;
	be_patient(c);
}

void
lease_enqueue(struct lease *l, struct live_endpoint *first)
{
	struct cluster *c = l->cluster;

	l->state = LEASE_WAITING;
	l->since_ms = cluster_now_ms(c);
	TAILQ_INSERT_TAIL(&c->waiting, l, link);
	c->n_waiting++;
	/* Those before come first. */
	if (c->n_undialed++ == 0 && cluster_make_room(c))
		begin_dialing(l, first);
	cluster_note_limits(c);
	be_patient(c);
}

void
lease_translate(struct cluster *c, const struct service *from)
{
	struct dialing *d;
	struct lease *l;

	TAILQ_FOREACH(l, &c->waiting, link)
	l->want.rulesets =
	    cluster_translate(from, c->service, l->want.rulesets);
	TAILQ_FOREACH(d, &c->dialings, link)
	d->want.rulesets =
	    cluster_translate(from, c->service, d->want.rulesets);
}

void
lease_init(struct cluster *c)
{
	TAILQ_INIT(&c->waiting);
	TAILQ_INIT(&c->dialings);
	timer_init(&c->patience, cluster_env(c)->loop, on_patience, c);
	lease_init_telling(c);
}

void
lease_stop_all(struct cluster *c)
{
	struct dialing *d;

	while ((d = TAILQ_FIRST(&c->dialings)) != NULL) {
		TAILQ_REMOVE(&c->dialings, d, link);
		if (d->owner != NULL)
			disown(d->owner);
		reach_cancel(d->reach);
		free(d);
	}
}
