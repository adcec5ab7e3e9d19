/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of names.  Each family keeps its own last good addresses, so that
 * a server which answers A and loses AAAA takes nothing away.  Addresses that
 * were lent out are freed by the loop, after the turn in which they may still
 * be in use.
 */

#include "net/dns_cache.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/xalloc.h"

/* Entries looked at when room is sought: waiting ones gather at the end. */
#define EVICT_LOOKS 64
#define SRV_PREFIX "SRV "
#define KEY_MOST (sizeof(SRV_PREFIX) + DNS_NAME_TEXT)

struct dns_cache {
	struct loop *loop;
	struct dns_entry *names;
	struct dns_entry *oldest;
	size_t max;
	size_t failing;
};

struct dns_cache *
dns_cache_new(struct loop *l, size_t max)
{
	struct dns_cache *c = xcalloc(1, sizeof(*c));

	c->loop = l;
	c->max = max > 0 ? max : 1;
	return c;
}

static void
free_soon(struct dns_cache *c, struct addr *addrs)
{
	if (addrs != NULL)
		loop_later(c->loop, free, addrs);
}

static void
family_clear(struct dns_cache *c, struct dns_family *f)
{
	free_soon(c, f->addrs);
	f->addrs = NULL;
	f->n_addrs = 0;
	if (f->targets != NULL)
		loop_later(c->loop, free, f->targets);
	f->targets = NULL;
	f->n_targets = 0;
}

static void
entry_free(struct dns_cache *c, struct dns_entry *e)
{
	size_t i;

	HASH_DEL(c->names, e);
	DL_DELETE(c->oldest, e);
	c->failing -= e->is_failing;
	timer_stop(&e->patience);
	timer_stop(&e->refresh);
	for (i = 0; i < DNS_FAMILIES; i++)
		family_clear(c, &e->family[i]);
	free_soon(c, e->addrs);
	free(e);
}

void
dns_cache_free(struct dns_cache *c, void (*drop)(struct dns_entry *e))
{
	struct dns_entry *e, *next;

	HASH_ITER(hh, c->names, e, next)
	{
		drop(e);
		entry_free(c, e);
	}
	free(c);
}

/* No name has a blank in it. */
static size_t
make_key(const char *name, bool is_srv, char key[KEY_MOST])
{
	return (size_t)snprintf(
	    key, KEY_MOST, "%s%s", is_srv ? SRV_PREFIX : "", name);
}

struct dns_entry *
dns_cache_find(struct dns_cache *c, const char *name, bool is_srv)
{
	char key[KEY_MOST];
	size_t len = make_key(name, is_srv, key);
	struct dns_entry *e;

	HASH_FIND(hh, c->names, key, len, e);
	if (e != NULL && e->next != NULL) {
		DL_DELETE(c->oldest, e);
		DL_APPEND(c->oldest, e);
	}
	return e;
}

static bool
is_in_use(const struct dns_entry *e)
{
	return e->waits != NULL || e->is_done || dns_entry_is_asked(e);
}

void
dns_entry_set_failing(struct dns_entry *e, bool is_failing)
{
	if (is_failing && !e->is_failing)
		e->cache->failing++;
	else if (!is_failing && e->is_failing)
		e->cache->failing--;
	e->is_failing = is_failing;
}

size_t
dns_cache_failing(const struct dns_cache *c)
{
	return c->failing;
}

void
dns_cache_forget(struct dns_cache *c, struct dns_entry *e)
{
	size_t i;

	if (!is_in_use(e)) {
		entry_free(c, e);
		return;
	}
	/* Who waited for what came just now gets it. */
	if (e->is_done)
		return;
	timer_stop(&e->patience);
	for (i = 0; i < DNS_FAMILIES; i++)
		family_clear(c, &e->family[i]);
	free_soon(c, e->addrs);
	e->addrs = NULL;
	e->n_addrs = 0;
	e->is_known = false;
	e->expires_ms = e->answered_ms = e->retry_ms = 0;
	e->failures = 0;
	dns_entry_set_failing(e, false);
	timer_stop(&e->refresh);
}

static bool
make_room(struct dns_cache *c)
{
	struct dns_entry *e = c->oldest;
	unsigned looks;

	if (HASH_COUNT(c->names) < c->max)
		return true;
	for (looks = 0; e != NULL && looks < EVICT_LOOKS; looks++) {
		if (!is_in_use(e)) {
			entry_free(c, e);
			return true;
		}
		e = e->next;
	}
	return false;
}

struct dns_entry *
dns_cache_add(struct dns_cache *c, const char *name, bool is_srv)
{
	char key[KEY_MOST];
	size_t len = make_key(name, is_srv, key);
	struct dns_entry *e;
	size_t i;

	if (!make_room(c))
		return NULL;
	e = xcalloc(1, sizeof(*e) + len + 1);
	e->cache = c;
	for (i = 0; i < DNS_FAMILIES; i++) {
		e->family[i].entry = e;
		e->family[i].status = DNS_NO_ADDRESS;
	}
	memcpy(e->key, key, len + 1);
	e->name = e->key + (is_srv ? sizeof(SRV_PREFIX) - 1 : 0);
	e->is_srv = is_srv;
	HASH_ADD_KEYPTR(hh, c->names, e->key, len, e);
	DL_APPEND(c->oldest, e);
	return e;
}

struct dns_entry *
dns_cache_oldest(const struct dns_cache *c)
{
	return c->oldest;
}

size_t
dns_cache_names(const struct dns_cache *c)
{
	return HASH_COUNT(c->names);
}

static bool
says_nothing(enum dns_status s)
{
	return s == DNS_FAILED || s == DNS_TIMEOUT;
}

void
dns_family_set(
    struct dns_cache *c, struct dns_family *f, const struct dns_reply *r)
{
	f->is_asked = false;
	f->status = r->status;
	/* No answer takes nothing away; "there is none" is an answer. */
	if (says_nothing(r->status))
		return;
	family_clear(c, f);
	f->n_addrs = r->n_addrs;
	f->ttl_s = r->ttl_s;
	if (r->n_addrs > 0)
		f->addrs = xmemdup(r->addrs, r->n_addrs * sizeof(*r->addrs));
	f->n_targets = r->n_targets;
	if (r->n_targets > 0)
		f->targets =
		    xmemdup(r->targets, r->n_targets * sizeof(*r->targets));
}

/* IPv4 and IPv6 in turns: a family without a route costs one attempt. */
static void
interleave(struct dns_entry *e)
{
	size_t i, k, total = 0;

	e->addrs = NULL;
	e->n_addrs = 0;
	for (i = 0; i < DNS_FAMILIES; i++)
		total += e->family[i].n_addrs;
	if (total == 0)
		return;
	e->addrs = xreallocarray(NULL, total, sizeof(*e->addrs));
	for (k = 0; e->n_addrs < total; k++)
		for (i = 0; i < DNS_FAMILIES; i++)
			if (k < e->family[i].n_addrs)
				e->addrs[e->n_addrs++] = e->family[i].addrs[k];
	if (e->n_addrs > DNS_ADDRS_MOST)
		e->n_addrs = DNS_ADDRS_MOST;
}

/* NXDOMAIN is about the name; else a family that failed leaves it open. */
static enum dns_status
merge_status(enum dns_status a, enum dns_status b)
{
	static const enum dns_status order[] = {
		DNS_OK,
		DNS_NO_NAME,
		DNS_FAILED,
		DNS_TIMEOUT,
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(order); i++)
		if (a == order[i] || b == order[i])
			return order[i];
	return DNS_NO_ADDRESS;
}

/* A family that is still asked, or never, counts as having none. */
static enum dns_status
status_now(const struct dns_family *f)
{
	return f->is_asked ? DNS_NO_ADDRESS : f->status;
}

enum dns_status
dns_entry_merge(struct dns_entry *e, uint64_t now_ms, uint64_t stale_ms)
{
	enum dns_status said = merge_status(
	    status_now(&e->family[DNS_V4]), status_now(&e->family[DNS_V6]));
	struct dns_family *f;
	size_t i;

	for (i = 0; i < DNS_FAMILIES; i++) {
		f = &e->family[i];
		if (said == DNS_NO_NAME ||
		    (says_nothing(f->status) &&
			now_ms >= f->expires_ms + stale_ms))
			family_clear(e->cache, f);
	}
	free_soon(e->cache, e->addrs);
	interleave(e);
	e->is_known = true;
	e->status = dns_entry_has_any(e) ? DNS_OK : said;
	return said;
}

bool
dns_family_has_any(const struct dns_family *f)
{
	return f->n_addrs + f->n_targets > 0;
}

bool
dns_entry_has_any(const struct dns_entry *e)
{
	return e->n_addrs + e->family[0].n_targets > 0;
}

bool
dns_entry_is_asked(const struct dns_entry *e)
{
	return e->family[DNS_V4].is_asked || e->family[DNS_V6].is_asked;
}
