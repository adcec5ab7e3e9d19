/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_NAMES_H
#define UPSTREAM_NAMES_H

/*
 * The name of an endpoint, looked up as its service wants it: by which servers,
 * as a host or as SRV.  Those of other zones' ingresses are no business of the
 * service: is_relay.  Own thread.
 */

#include <stdbool.h>

#include "net/dns.h"

struct cluster;
struct endpoint;

/* As dns_lookup() and dns_cached(); ports are set where DNS says them. */
bool names_lookup(const struct cluster *c, const struct endpoint *e,
    bool is_relay, struct dns_wait *w,
    void (*fn)(void *arg, const struct dns_answer *a), void *arg,
    struct dns_answer *now) MUST_CHECK;
bool names_cached(const struct cluster *c, const struct endpoint *e,
    bool is_relay, struct dns_answer *now);
/* Its answers are in an order that means something, and have ports. */
bool names_are_ordered(const struct cluster *c, bool is_relay);

#endif
