/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_RATES_H
#define UPSTREAM_RATES_H

/*
 * What is left of the rates that policies allow (policy/traffic.h): a bucket a
 * rule and service, for the whole daemon, however many workers there are.
 * Buckets are found by the rule's digest and the service's key, so a reload
 * that changes nothing about a rate leaves it as empty as it was.  A table with
 * a lock, for reloads; what a request asks is one atomic number.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/traffic.h"

struct cluster;
struct rate;
struct rates;
struct rate_set;
struct service;

struct rates *rates_new(void) MUST_CHECK;
/* After the last bucket was let go.  NULL is fine. */
void rates_free(struct rates *r);

/*
 * The bucket of a rule for the service of that key, found or made, until it is
 * let go.  Any thread.
 */
struct rate *rates_hold(struct rates *r, struct str service,
    const struct rate_rule *rule, uint64_t now_ns) MUST_CHECK;
/* It is kept as long as it remembers anything. */
void rates_let_go(struct rates *r, struct rate *b, uint64_t now_ns);
/* False: that is one too many.  Any thread. */
bool rate_take(struct rate *b, uint64_t now_ns) MUST_CHECK;
/* Buckets, for tests. */
size_t rates_count(struct rates *r);

/* The buckets of a policy's rules, held for a cluster.  Its thread. */

/* Those of the service, NULL for none, instead of old's of the same key. */
struct rate_set *rate_set_follow(struct rate_set *old, struct rates *r,
    const struct service *service) MUST_CHECK;
/* NULL is fine. */
void rate_set_free(struct rate_set *s);
/* False: refuse it.  rule is of c's service, as it is or was. */
bool cluster_admits(struct cluster *c, const struct rate_rule *rule) MUST_CHECK;

#endif
