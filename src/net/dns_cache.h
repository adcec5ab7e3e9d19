/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_DNS_CACHE_H
#define NET_DNS_CACHE_H

/*
 * Names and what is known of them: a bounded table whose oldest unused entry
 * makes room.  Pure but for the loop that frees; own thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "net/dns.h"
#include "net/dns_ask.h"
#include "net/loop.h"

enum { DNS_V4, DNS_V6, DNS_FAMILIES };

/* What one question (A or AAAA, or the only one for SRV) led to. */
struct dns_family {
	struct dns_entry *entry;
	enum dns_status status; /* of the last answer */
	struct addr *addrs;     /* of the last good one */
	size_t n_addrs;
	struct dns_target *targets; /* likewise, of SRV */
	size_t n_targets;
	uint32_t ttl_s;      /* of the last answer that was one */
	uint64_t expires_ms; /* of addrs or targets */
	bool is_asked;       /* the answer is still to come */
};

struct dns_entry {
	UT_hash_handle hh;
	struct dns_cache *cache;
	struct dns_entry *prev; /* by last use */
	struct dns_entry *next;
	struct dns_entry *next_done;
	struct dns_family family[DNS_FAMILIES];
	struct dns_wait *waits;
	struct timer patience; /* for the slower family, or for both */
	struct timer refresh;
	void *owner;

	/* What both families come to. */
	bool is_known;
	bool is_done;           /* waits are about to be called */
	enum dns_status status; /* DNS_OK: it has some, maybe old */
	struct addr *addrs;
	size_t n_addrs;
	uint64_t expires_ms;

	/* How it went: see dns_refresh.c. */
	uint64_t answered_ms; /* the last answer that was one; 0: none */
	uint64_t asked_ms;
	uint64_t used_ms;
	uint64_t retry_ms; /* not asked for before */
	unsigned failures; /* in a row */
	enum dns_status failure;
	bool is_failing;    /* counted as such */
	bool is_unanswered; /* the last failure: no server spoke */
	bool is_late;       /* patience with this question is over */
	const char *server; /* who answered; lives as long as the asker */

	bool is_srv;
	const char *name;
	char key[]; /* with what tells SRV before it */
};

struct dns_cache;

struct dns_cache *dns_cache_new(struct loop *l, size_t max) MUST_CHECK;
/* drop is called with each entry before it goes. */
void dns_cache_free(struct dns_cache *c, void (*drop)(struct dns_entry *e));
/* Found, and marked as used; or NULL. */
struct dns_entry *dns_cache_find(
    struct dns_cache *c, const char *name, bool is_srv);
/* NULL when it is full of entries that are in use. */
struct dns_entry *dns_cache_add(
    struct dns_cache *c, const char *name, bool is_srv);
size_t dns_cache_names(const struct dns_cache *c);

/* In the order of last use, the oldest first. */
struct dns_entry *dns_cache_oldest(const struct dns_cache *c);
/* e is gone, or where it is in use only what was known of it. */
void dns_cache_forget(struct dns_cache *c, struct dns_entry *e);

void dns_entry_set_failing(struct dns_entry *e, bool is_failing);
size_t dns_cache_failing(const struct dns_cache *c);

/* Take over what r says, or keep what is there if it says nothing. */
void dns_family_set(
    struct dns_cache *c, struct dns_family *f, const struct dns_reply *r);
/*
 * Work out addrs and status from the families that were answered.  Addresses
 * of a family that fails are kept for stale_ms beyond their time.  Returns what
 * the answers alone come to, without what was known before.
 */
enum dns_status dns_entry_merge(
    struct dns_entry *e, uint64_t now_ms, uint64_t stale_ms);
bool dns_entry_is_asked(const struct dns_entry *e);
/* It has addresses or, of SRV, targets; of whatever age. */
bool dns_entry_has_any(const struct dns_entry *e);
bool dns_family_has_any(const struct dns_family *f);

#endif
