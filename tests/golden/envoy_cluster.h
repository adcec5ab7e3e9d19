/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GOLDEN_ENVOY_CLUSTER_H
#define GOLDEN_ENVOY_CLUSTER_H

/* Where a cluster of Envoy leads: endpoints, TLS, and how they are treated. */

#include "at.h"
#include "facts.h"

/* load: its ClusterLoadAssignment, if it is a resource of its own. */
void envoy_add_cluster(
    struct at cluster, struct at load, struct str name, struct facts *out);

#endif
