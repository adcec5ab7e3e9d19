/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_DNS_ASK_H
#define NET_DNS_ASK_H

/*
 * One question to the name servers, one after the other where need be, and
 * what the answer says.  No cache, no waiting together: see dns.c.  Own thread.
 */

#include <stddef.h>
#include <stdint.h>

#include "net/dns.h"
#include "net/dns_parse.h"
#include "net/loop.h"

struct dns_asker;
struct name_servers;

struct dns_reply {
	enum dns_status status;
	struct addr addrs[DNS_ADDRS_MOST];
	size_t n_addrs;
	const struct dns_target *targets; /* of SRV; borrowed */
	size_t n_targets;
	uint32_t ttl_s;     /* as dns_parse() says */
	const char *server; /* who said it; lives as long as the asker */
	bool is_unanswered; /* no server said anything at all */
};

/* NULL when a server's address makes no sense. */
struct dns_asker *dns_asker_new(
    struct loop *l, const struct dns_config *c) MUST_CHECK;
/* Questions that are open are dropped without a call. */
void dns_asker_free(struct dns_asker *a);

enum dns_effort {
	DNS_TRY_ALL, /* every server, and again, up to `tries` */
	DNS_TRY_EACH /* every server once: something is at hand if none answers
		      */
};

/* name is folded.  fn is called once, perhaps before this returns. */
void dns_ask(struct dns_asker *a, const char *name, uint16_t type,
    enum dns_effort effort, void (*fn)(void *arg, const struct dns_reply *r),
    void *arg);

const struct name_servers *dns_asker_servers(const struct dns_asker *a);

#endif
