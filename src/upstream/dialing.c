/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections serve the head of the queue, whoever they were begun for.  So a
 * dialling may lose its owners to another connection that was faster; then it
 * has room for others, or ends up in the pool.  When it fails, its present
 * owners fail.
 */

#include "upstream/dialing.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "http/http_limits.h"
#include "upstream/back.h"
#include "upstream/lease_queue.h"
#include "upstream/proxy_protocol.h"

struct dialing {
	TAILQ_ENTRY(dialing) link;
	struct cluster *cluster; /* the reach keeps it */
	struct reach *reach;
	struct reach_want want;
	struct live_endpoint *endpoint; /* where it begins; referenced */
	struct lease_list owners;       /* in the order of the queue */
	unsigned n_owners;
	unsigned most; /* of them */
};

static bool
is_same_want(const struct reach_want *a, const struct reach_want *b)
{
	return a->is_relay == b->is_relay && a->only_zoned == b->only_zoned &&
	       a->rulesets == b->rulesets && a->name == b->name &&
	       a->proxy_header == b->proxy_header;
}

static bool
has_room(const struct dialing *d)
{
	return d->n_owners < d->most;
}

bool
dialing_has_room(const struct cluster *c)
{
	const struct dialing *d = TAILQ_FIRST(&c->dialings);

	return d != NULL && has_room(d);
}

/* Those with room come first, so that the others need not be looked at. */
static void
put_in_place(struct dialing *d)
{
	struct cluster *c = d->cluster;

	TAILQ_REMOVE(&c->dialings, d, link);
	if (has_room(d))
		TAILQ_INSERT_HEAD(&c->dialings, d, link);
	else
		TAILQ_INSERT_TAIL(&c->dialings, d, link);
}

static void
own(struct lease *l, struct dialing *d)
{
	l->dialing = d;
	l->cluster->n_undialed--;
	TAILQ_INSERT_TAIL(&d->owners, l, in_dialing);
	d->n_owners++;
	d->endpoint->requests++;
	put_in_place(d);
}

void
dialing_leave(struct lease *l)
{
	struct dialing *d = l->dialing;

	l->dialing = NULL;
	l->cluster->n_undialed++;
	TAILQ_REMOVE(&d->owners, l, in_dialing);
	d->n_owners--;
	d->endpoint->requests--;
	put_in_place(d);
}

bool
dialing_join(struct lease *l, const struct live_endpoint *e)
{
	struct dialing *d;

	if (l->want.has_hash)
		e = l->picked;
	TAILQ_FOREACH(d, &l->cluster->dialings, link)
	{
		if (!has_room(d))
			break;
		if ((e != NULL && d->endpoint != e) ||
		    !is_same_want(&l->want, &d->want))
			continue;
		own(l, d);
		return true;
	}
	return false;
}

/* How many exchanges a connection to e will serve at a time. */
static unsigned
expected_streams(const struct cluster *c, const struct live_endpoint *e)
{
	switch (c->service->protocol) {
	case PROTO_TCP:
	case PROTO_KAFKA:
	case PROTO_HTTP:
		return 1;
	case PROTO_HTTP2:
	case PROTO_GRPC:
		break;
	}
	return e->streams > 0 ? e->streams : cluster_env(c)->h2->streams;
}

static void
release(struct dialing *d)
{
	while (!TAILQ_EMPTY(&d->owners))
		dialing_leave(TAILQ_FIRST(&d->owners));
	TAILQ_REMOVE(&d->cluster->dialings, d, link);
	live_endpoint_unref(d->endpoint);
	upstream_name_unref(d->want.name);
	proxy_header_unref(d->want.proxy_header);
	free(d);
}

static void
fail_owners(struct dialing *d, const struct reached *r)
{
	struct lease *l;

	while ((l = TAILQ_FIRST(&d->owners)) != NULL) {
		lease_dequeue(l);
		lease_fail_as(l, r);
		lease_tell(l);
	}
}

/* It may have ended up elsewhere: that is where they go now. */
static void
aim_owners(const struct dialing *d, struct live_endpoint *e)
{
	struct lease *l;

	TAILQ_FOREACH(l, &d->owners, in_dialing)
	lease_aim(l, e);
}

static void
on_reached(void *arg, struct reached *r)
{
	struct dialing *d = arg;
	struct cluster *c = cluster_ref(d->cluster);

	/* At an overflow another worker was faster: they wait as before. */
	if (r->status == REACH_OK)
		aim_owners(d, r->guard.endpoint);
	else if (r->status != REACH_OVERFLOW)
		fail_owners(d, r);
	release(d);
	if (r->status == REACH_OK)
		lease_offer_fresh(c, back_new(r));
	lease_feed(c);
	cluster_unref(c);
}

void
dialing_begin(struct lease *l, struct live_endpoint *e)
{
	struct cluster *c = l->cluster;
	struct dialing *d = xcalloc(1, sizeof(*d));

	d->cluster = c;
	d->want = l->want;
	d->want.pin = NULL;
	upstream_name_ref(d->want.name);
	(void)proxy_header_ref(d->want.proxy_header);
	d->endpoint = live_endpoint_ref(e);
	d->most = expected_streams(c, e);
	TAILQ_INIT(&d->owners);
	TAILQ_INSERT_HEAD(&c->dialings, d, link);
	own(l, d);
	d->reach = reach_start_at(c, &d->want, e, on_reached, d);
}

void
dialing_translate(struct cluster *c, const struct service *from)
{
	struct dialing *d;

	TAILQ_FOREACH(d, &c->dialings, link)
	cluster_translate(from, c->service, &d->want);
}

void
dialing_stop_all(struct cluster *c)
{
	struct dialing *d;
	struct reach *r;

	while ((d = TAILQ_FIRST(&c->dialings)) != NULL) {
		r = d->reach;
		release(d);
		reach_cancel(r);
	}
}
