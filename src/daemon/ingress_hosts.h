/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_INGRESS_HOSTS_H
#define DAEMON_INGRESS_HOSTS_H

/*
 * The addresses of this zone's ZoneIngresses: whoever connects from there
 * belongs to another zone.  Names are asked for again and again, and every
 * worker is told what changed.  Main thread.
 */

#include <stddef.h>

#include "base/attr.h"
#include "net/loop.h"

struct dns_config;
struct ingress_hosts;
struct snapshot;
struct worker;

/* Everything outlives it. */
struct ingress_hosts *ingress_hosts_new(struct loop *l,
    const struct dns_config *dns, struct worker *const *workers,
    size_t n) MUST_CHECK;
/* NULL is fine. */
void ingress_hosts_free(struct ingress_hosts *h);
/* The hosts of s from here on. */
void ingress_hosts_set(struct ingress_hosts *h, const struct snapshot *s);

#endif
