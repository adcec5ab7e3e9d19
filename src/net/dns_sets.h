/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_DNS_SETS_H
#define NET_DNS_SETS_H

/*
 * Resolvers by the servers that they ask: what one set of servers says is never
 * used for who asks another (split horizon).  Made on first use, dropped when
 * unused.  One a loop; own thread.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "net/dns.h"

struct dns_sets;

/* NULL as dns_new().  The texts of c outlive it. */
struct dns_sets *dns_sets_new(
    struct loop *l, const struct dns_config *c) MUST_CHECK;
/* NULL is fine.  As dns_free(). */
void dns_sets_free(struct dns_sets *s);

/*
 * Who asks these servers, or the configured ones when there are none.  Borrowed
 * for the turn.  NULL, and a line in the log, where an address makes no sense.
 */
struct dns *dns_sets_get(
    struct dns_sets *s, const struct str *servers, size_t n);
/* Drop those that nobody got for so long. */
void dns_sets_sweep(struct dns_sets *s, uint64_t idle_ms);

/* As dns_flush() and dns_print(), of each. */
size_t dns_sets_flush(struct dns_sets *s, struct str name);
void dns_sets_print(struct dns_sets *s, size_t max, struct text *out);

#endif
