/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_DNS_STATE_H
#define NET_DNS_STATE_H

/*
 * What a resolver is made of: for dns.c (who is answered from where),
 * dns_refresh.c (when a name is asked for) and dns_print.c.  Nobody else
 * includes this.
 */

#include "base/stats.h"
#include "net/dns.h"
#include "net/dns_ask.h"
#include "net/dns_cache.h"
#include "net/dns_hosts.h"

struct dns {
	struct loop *loop;
	struct dns_config config; /* without its pointers */
	struct dns_asker *asker;
	struct dns_cache *cache;
	struct dns_hosts *hosts;
	struct timer tell;
	struct dns_entry *done; /* waits to be called */
	struct dns_entry **done_end;
	uint64_t alive_ms; /* when a server last answered anything */
	struct dns_stats stats;
	struct stats_set *counters; /* or NULL */
	size_t shown_names;         /* of the gauges, which others share */
	size_t shown_failing;
	struct dns_srv_run *runs; /* of dns_srv.c */
};

/* dns.c */
/* Those who wait for e are told, from the loop. */
void dns_tell_soon(struct dns *d, struct dns_entry *e);
/* Found or made, and used now; NULL: there is no room. */
struct dns_entry *dns_entry_get(struct dns *d, const char *name, bool is_srv);
/* As dns_lookup(). */
bool dns_entry_lookup(struct dns *d, struct dns_entry *e, struct dns_wait *w,
    void (*fn)(void *, const struct dns_answer *), void *arg,
    struct dns_answer *now) MUST_CHECK;
void dns_wait_link(struct dns_wait **list, struct dns_wait *w);
void dns_wait_unlink(struct dns_wait *w);

/* dns_srv.c: all that is under way; their waits are dropped. */
void dns_srv_drop(struct dns *d);

/* dns_refresh.c */
void dns_entry_init(struct dns *d, struct dns_entry *e);
/* Ask for e, unless that is being done, or was done too shortly before. */
void dns_refresh(struct dns *d, struct dns_entry *e);
bool dns_entry_is_fresh(const struct dns *d, const struct dns_entry *e);
/* There are addresses, which are not too old to be used. */
bool dns_entry_is_usable(const struct dns *d, const struct dns_entry *e);
/* The gauges follow the cache. */
void dns_show_size(struct dns *d);
/* 0 <= result <= most. */
uint64_t dns_draw(const struct dns *d, uint64_t most);
/* How long to wait for a fresh answer, when an old one is at hand. */
uint64_t dns_entry_wait_ms(const struct dns *d, const struct dns_entry *e);

#endif
