/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_LEASE_QUEUE_H
#define UPSTREAM_LEASE_QUEUE_H

/*
 * Exchanges that wait for a connection: between lease.c, which knows how an
 * exchange begins and ends, dialing.c, which gets new connections for them, and
 * the cluster.
 */

#include "upstream/cluster_state.h"

/* l waits from now on; first: an endpoint to dial, if the limits allow it. */
void lease_enqueue(struct lease *l, struct live_endpoint *first);
/* It waits no longer; lease_feed() is to follow. */
void lease_dequeue(struct lease *l);
/* A stream of b was released: its room is for who waits, or for the pool. */
void lease_offer(struct cluster *c, struct back *b);
/* The same for a new one. */
void lease_offer_fresh(struct cluster *c, struct back *b);

/* It waits for e from now on. */
void lease_aim(struct lease *l, struct live_endpoint *e);

/* lease.c: may e serve it, although another one was picked? */
bool lease_suits(const struct lease *l, const struct live_endpoint *picked,
    const struct live_endpoint *e) MUST_CHECK;
/* lease.c: the results, and telling them soon. */
void lease_serve(struct lease *l, struct back *b);
void lease_fail(struct lease *l, enum reach_status s, const char *detail);
void lease_fail_as(struct lease *l, const struct reached *r);
void lease_tell(struct lease *l);

#endif
