/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_ZONE_ORDER_H
#define POLICY_ZONE_ORDER_H

/*
 * In which order other zones take over from this one, as balance.zones of a
 * service says it: each item is "any", "none", or "only" or "except" with names
 * of zones behind it (Kuma section 8.7, crossZone.failover[].to).  Pure.
 */

#include <stdbool.h>

#include "policy/service_options.h"

/* "any", "only eu-1 eu-2" and so on. */
bool zone_rule_is_good(struct str rule) MUST_CHECK;
/* The first that accepts the zone, from 1; 0: none does. */
unsigned zone_order(const struct str_list *rules, struct str zone);

#endif
