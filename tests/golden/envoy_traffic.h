/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GOLDEN_ENVOY_TRAFFIC_H
#define GOLDEN_ENVOY_TRAFFIC_H

/*
 * "rate" and "fault" of a filter chain of Envoy, in the words of
 * snapshot_print().  Callers are those that the header x-kuma-tags tells, as
 * the certificate would name them.
 */

#include "at.h"
#include "facts.h"

void envoy_add_traffic(struct at chain, struct str name, struct facts *out);

#endif
