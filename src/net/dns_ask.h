/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_DNS_ASK_H
#define NET_DNS_ASK_H

/*
 * One question to the name servers, and what the answer says.  No cache, no
 * waiting together: see dns.c.  Own thread.
 */

#include <stddef.h>
#include <stdint.h>

#include "net/dns.h"
#include "net/dns_parse.h"
#include "net/loop.h"

struct dns_asker;

struct dns_reply {
	enum dns_status status;
	struct addr addrs[DNS_ADDRS_MOST];
	size_t n_addrs;
	uint32_t ttl_s;
};

/* NULL when a server's address makes no sense. */
struct dns_asker *dns_asker_new(
    struct loop *l, const struct dns_config *c) MUST_CHECK;
/* Questions that are open are dropped without a call. */
void dns_asker_free(struct dns_asker *a);

/* name is folded.  fn is called once, perhaps before this returns. */
void dns_ask(struct dns_asker *a, const char *name, uint16_t type,
    void (*fn)(void *arg, const struct dns_reply *r), void *arg);

#endif
