/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_PROBE_H
#define UPSTREAM_PROBE_H

/*
 * Active checks of the endpoints of a cluster.  One worker makes them, which
 * the service's key decides; what they say is shared.  Own thread.
 */

#include <stdbool.h>

struct cluster;
struct service_options;

/*
 * The service has changed: begin, go on, or stop.  keeps: what is under way may
 * go on, as it is still what is to be asked.
 */
void probes_sync(struct cluster *c, bool keeps);
/* Are the same things asked by both, equally often? */
bool probes_are_same(
    const struct service_options *a, const struct service_options *b);
void probes_stop(struct cluster *c);

#endif
