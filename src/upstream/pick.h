/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_PICK_H
#define UPSTREAM_PICK_H

/*
 * Which endpoint is next among those that the caller may use: healthy ones
 * come before failed ones, and weight 0 is served only when nothing else is
 * left.  What decides between the others is in balance.h.
 */

#include "upstream/balance.h"
#include "upstream/endpoint.h"
#include "upstream/reach.h"

bool pick_allows(const struct reach_want *want, const struct live_endpoint *e);

/* NULL when none is left.  Those in tried are passed over. */
struct live_endpoint *pick_endpoint(struct balance *b,
    const struct reach_want *want, const struct live_endpoints *tried,
    uint64_t now_ms) MUST_CHECK;

/* How many could still be picked. */
size_t pick_left(const struct live_endpoints *all,
    const struct reach_want *want, const struct live_endpoints *tried);

#endif
