/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GOLDEN_ENVOY_TRAFFIC_H
#define GOLDEN_ENVOY_TRAFFIC_H

/*
 * Rates and faults of a configuration of Envoy, in one line a server name that
 * has any, and the same of a snapshot.  Of callers the tags are told, as the
 * header x-kuma-tags or the certificate has them.
 */

#include <stdbool.h>

#include "base/str.h"

struct snapshot;

/* yaml: golden files of Kuma, or what Envoy dumps.  False: not readable. */
bool envoy_describe_traffic(struct str yaml, struct text *out);
void snapshot_describe_traffic(const struct snapshot *s, struct text *out);

#endif
