/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_DNS_H
#define NET_DNS_H

/*
 * Names to addresses: c-ares sends the queries on our loop, we read the raw
 * answers through a cursor.  A and AAAA are asked together; what a zone says of
 * time is honoured within bounds; names in use are asked for again before their
 * answer runs out; and while the name servers fail the last good answer serves,
 * for a time.  No search domains.  /etc/hosts is read.  One a loop and set of
 * servers; own thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "net/addr.h"
#include "net/loop.h"

struct dns;
struct stats_shard;

struct dns_config {
	/* "10.0.0.53", "10.0.0.53:5353", "[::1]:53"; none: /etc/resolv.conf */
	const char *const *servers;
	size_t n_servers;
	uint32_t min_ttl_s;      /* 5 */
	uint32_t max_ttl_s;      /* 3600 */
	uint32_t negative_ttl_s; /* at most; 5 */
	uint32_t max_stale_s;    /* beyond the TTL; 0: never */
	uint32_t timeout_ms;     /* of one try; 2000 */
	uint32_t tries;          /* 3 */
	uint32_t askers;         /* resolvers with one budget; 0: 1 */
	size_t max_names;        /* cache entries; 20000 */
	bool ipv4;
	bool ipv6;
	const char *hosts_file; /* NULL: none */
	/* 0 <= result < n, for jitter; NULL: rng_below() */
	uint32_t (*random)(uint32_t n);
	struct stats_shard *stats; /* counters go there too; may be NULL */
};

enum dns_status {
	DNS_OK,
	DNS_NO_NAME,    /* NXDOMAIN */
	DNS_NO_ADDRESS, /* the name is there, without A or AAAA */
	DNS_FAILED,     /* SERVFAIL, REFUSED, malformed answer */
	DNS_TIMEOUT     /* no server answered */
};
const char *dns_status_text(enum dns_status s);

/* Borrowed; valid until the loop's next turn.  Ports are 0, but of SRV. */
struct dns_answer {
	enum dns_status status;
	bool is_stale; /* the last good one, beyond its time */
	const struct addr *addrs;
	size_t n_addrs;
	uint32_t ttl_left_s;
};

/* Embedded in whoever waits. */
struct dns_wait {
	struct dns_wait *next;
	struct dns_wait **prev; /* NULL: not waiting */
	void (*fn)(void *arg, const struct dns_answer *a);
	void *arg;
};

/* NULL, and a line in the log, when a server's address makes no sense. */
struct dns *dns_new(struct loop *l, const struct dns_config *c) MUST_CHECK;
/* Waits that are left are dropped without a call.  Not from within a call. */
void dns_free(struct dns *d);

/*
 * True: *now is the answer, from the cache.  False: w->fn will be called, never
 * before this returns.  An answer beyond its time is waited for, but only a
 * moment when an old one is at hand, and not at all while the name servers are
 * known to fail.  name is copied; literal addresses answer at once.
 */
bool dns_lookup(struct dns *d, struct str name, struct dns_wait *w,
    void (*fn)(void *, const struct dns_answer *), void *arg,
    struct dns_answer *now) MUST_CHECK;
void dns_cancel(struct dns_wait *w);
/* From the cache only; false when it is not there. */
bool dns_cached(struct dns *d, struct str name, struct dns_answer *now);

/*
 * The same for the name of SRV records, as "_mongodb._tcp.example" (RFC 2782):
 * addresses have the ports of their records, and stand in the order in which
 * they are to be tried, by priority and, drawn anew each time, by weight.
 * Targets whose addresses are not known yet are left out while others are.
 */
bool dns_lookup_srv(struct dns *d, struct str name, struct dns_wait *w,
    void (*fn)(void *, const struct dns_answer *), void *arg,
    struct dns_answer *now) MUST_CHECK;
bool dns_cached_srv(struct dns *d, struct str name, struct dns_answer *now);

/*
 * Forget a name, or all when it is empty, the last good answer included; what
 * is being asked goes on.  How many were known.
 */
size_t dns_flush(struct dns *d, struct str name);
/* For people: a line a server, and one a name, at most max of them. */
void dns_print(struct dns *d, size_t max, struct text *out);

/*
 * What a raw answer says; pure, fuzzed (RFC 1035).  addrs holds max.  *ttl_s is
 * of the addresses, or says how long there are none (RFC 2308); then 0 means
 * that the zone does not say.
 */
enum dns_status dns_parse(const uint8_t *p, size_t n, struct addr *addrs,
    size_t max, size_t *n_addrs, uint32_t *ttl_s);

struct dns_stats {
	uint64_t queries;
	uint64_t hits;
	uint64_t failures;
	uint64_t stale_served;
	size_t names;
};
void dns_get_stats(const struct dns *d, struct dns_stats *out);

#endif
