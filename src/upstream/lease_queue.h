/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_LEASE_QUEUE_H
#define UPSTREAM_LEASE_QUEUE_H

/*
 * Exchanges that wait for a connection, and what was begun for them: between
 * lease.c, which knows how an exchange begins and ends, and the cluster.
 */

#include "upstream/cluster_state.h"

/* l waits from now on; first: an endpoint to dial, if the limits allow it. */
void lease_enqueue(struct lease *l, struct live_endpoint *first);
/* It waits no longer. */
void lease_dequeue(struct lease *l);
/* A connection that was used: to who waits first, or into the pool. */
void lease_offer(struct cluster *c, struct back *b);

/* lease.c: the results, and telling them soon. */
void lease_serve(struct lease *l, struct back *b);
void lease_fail(struct lease *l, enum reach_status s, const char *detail);
void lease_fail_as(struct lease *l, const struct reached *r);
void lease_tell(struct lease *l);

#endif
