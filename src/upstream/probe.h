/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_PROBE_H
#define UPSTREAM_PROBE_H

/*
 * Active checks of the endpoints of a cluster.  One worker makes them, which
 * the service's key decides; what they say is shared.  Own thread.
 */

struct cluster;

/* The service has changed: begin, go on, or stop. */
void probes_sync(struct cluster *c);
void probes_stop(struct cluster *c);

#endif
