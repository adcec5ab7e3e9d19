/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_PICK_H
#define UPSTREAM_PICK_H

/*
 * Which endpoint is next: round robin by weight among those that the caller
 * may use.  Healthy ones come before failed ones, then a lower priority number
 * before a higher one; weight 0 is served only when nothing else is left.
 * Pure but for the endpoints' credits: time is an argument.
 */

#include "upstream/endpoint.h"
#include "upstream/reach.h"

bool pick_allows(const struct reach_want *want, const struct live_endpoint *e);

/* NULL when none is left.  Those in tried are passed over. */
struct live_endpoint *pick_endpoint(const struct live_endpoints *all,
    const struct reach_want *want, const struct live_endpoints *tried,
    uint64_t now_ms) MUST_CHECK;

/* How many could still be picked. */
size_t pick_left(const struct live_endpoints *all,
    const struct reach_want *want, const struct live_endpoints *tried);

#endif
