/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_VITALS_H
#define DAEMON_VITALS_H

/* Gauges of the process itself, once a second.  Main thread. */

#include "base/attr.h"
#include "net/loop.h"

struct caller_limits;
struct expiry;
struct publisher;
struct stats_set;
struct vitals;

/* Everything outlives it. */
struct vitals *vitals_new(struct loop *l, struct stats_set *stats,
    const struct publisher *p, struct expiry *e,
    struct caller_limits *callers) MUST_CHECK;
void vitals_free(struct vitals *v);
uint64_t vitals_uptime_s(const struct vitals *v);

#endif
