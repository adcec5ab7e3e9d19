/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_RULE_COUNTS_H
#define UPSTREAM_RULE_COUNTS_H

/*
 * How often each rule of a service decided: counters by service and rule, made
 * at first use.  The first rules have one each, all others share one, so that a
 * service makes no more than a few.  A worker's thread.
 */

#include <stdint.h>

#include "base/stats.h"

struct cluster;
struct rule_counts;
struct service;

/* By their order in the service. */
#define RULES_COUNTED 16

/*
 * number: of a verdict about the service that the cluster has; RULE_NONE counts
 * for "no rule matches".
 */
void cluster_count_rule(
    struct cluster *c, uint32_t number, enum stat_rule what);

/* The cluster has another service now: a rule keeps its counters by its text.
 */
void rule_counts_sync(struct cluster *c, const struct service *old);
void rule_counts_free(struct cluster *c);

#endif
