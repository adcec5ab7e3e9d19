/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GOLDEN_ENVOY_H
#define GOLDEN_ENVOY_H

/*
 * What a configuration of Envoy offers, in one line a server name: protocol
 * family, who is allowed, endpoints, TLS towards them.  And the same said of
 * a snapshot, so that the two can be compared as text.
 */

#include "base/str.h"

struct snapshot;

/* yaml: resources, as Kuma's golden files list them.  False: not readable. */
bool envoy_describe(struct str yaml, struct text *out);
void snapshot_describe(const struct snapshot *s, struct text *out);

#endif
