/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names to addresses: who is answered from where, who waits, and when a name
 * is asked again.  Queries are in dns_ask.c, what is known in dns_cache.c.
 *
 * A and AAAA are asked at once.  When one has brought addresses the other gets
 * a short while more; what it brings later is added then.  An answer that ran
 * out is served while it is renewed, so that only a name's first caller waits.
 */

#include "net/dns.h"

#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/xalloc.h"
#include "net/dns_ask.h"
#include "net/dns_cache.h"
#include "net/dns_hosts.h"
#include "net/dns_parse.h"

/* As long as RFC 8305 section 3 lets one family wait for the other. */
#define PATIENCE_MS 50
/* TTLs are shortened by up to a tenth, lest all workers ask at once. */
#define JITTER_PART 10

struct dns {
	struct loop *loop;
	struct dns_config config; /* without its pointers */
	struct dns_asker *asker;
	struct dns_cache *cache;
	struct dns_hosts *hosts;
	struct timer tell;
	struct dns_entry *done; /* waits to be called */
	struct dns_entry **done_end;
	struct dns_stats stats;
};

static const uint16_t types[DNS_FAMILIES] = {
	[DNS_V4] = DNS_TYPE_A,
	[DNS_V6] = DNS_TYPE_AAAA,
};

const char *
dns_status_text(enum dns_status s)
{
	switch (s) {
	case DNS_OK:
		return "resolved";
	case DNS_NO_NAME:
		return "no such name";
	case DNS_NO_ADDRESS:
		return "the name has no address";
	case DNS_FAILED:
		return "the name server failed";
	case DNS_TIMEOUT:
		return "no name server answered";
	}
	return "unknown";
}

static void
make_answer(
    const struct dns *d, const struct dns_entry *e, struct dns_answer *out)
{
	uint64_t now = loop_now_ms(d->loop);
	uint64_t left = e->expires_ms > now ? e->expires_ms - now : 0;

	*out = (struct dns_answer){
		.status = e->status,
		.is_stale = e->is_stale,
		.addrs = e->addrs,
		.n_addrs = e->n_addrs,
		.ttl_left_s = (uint32_t)(left / 1000),
	};
}

static void
unlink_wait(struct dns_wait *w)
{
	*w->prev = w->next;
	if (w->next != NULL)
		w->next->prev = w->prev;
	w->next = NULL;
	w->prev = NULL;
}

static void
link_wait(struct dns_wait **list, struct dns_wait *w)
{
	w->next = *list;
	w->prev = list;
	if (w->next != NULL)
		w->next->prev = &w->next;
	*list = w;
}

void
dns_cancel(struct dns_wait *w)
{
	if (w->prev != NULL)
		unlink_wait(w);
}

/* Those who wait for e; a call may ask anew, cancel others, or evict e. */
static void
tell_waits(struct dns *d, struct dns_entry *e)
{
	struct dns_wait *list = NULL, *w;
	struct dns_answer a;

	make_answer(d, e, &a);
	/* Turned round: who came first is told first. */
	while ((w = e->waits) != NULL) {
		unlink_wait(w);
		link_wait(&list, w);
	}
	while ((w = list) != NULL) {
		unlink_wait(w);
		w->fn(w->arg, &a);
	}
}

static void
on_tell(void *arg)
{
	struct dns *d = arg;
	struct dns_entry *e;

	while ((e = d->done) != NULL) {
		d->done = e->next_done;
		if (d->done == NULL)
			d->done_end = &d->done;
		e->next_done = NULL;
		e->is_done = false;
		tell_waits(d, e);
	}
}

/* From the loop: an answer may come while the question is being asked. */
static void
tell_soon(struct dns *d, struct dns_entry *e)
{
	if (e->is_done)
		return;
	e->is_done = true;
	*d->done_end = e;
	d->done_end = &e->next_done;
	timer_set(&d->tell, 0);
}

static uint64_t
life_ms(const struct dns *d, const struct dns_entry *e)
{
	uint32_t ttl = d->config.negative_ttl_s, ms;

	if (e->status == DNS_OK && !e->is_stale) {
		ttl = dns_entry_ttl_s(e);
		if (ttl > d->config.max_ttl_s)
			ttl = d->config.max_ttl_s;
		if (ttl < d->config.min_ttl_s)
			ttl = d->config.min_ttl_s;
	}
	ms = ttl < UINT32_MAX / 1000 ? ttl * 1000 : UINT32_MAX;
	return ms - rng_below(ms / JITTER_PART + 1);
}

static void
settle(struct dns *d, struct dns_entry *e)
{
	dns_entry_merge(e);
	e->expires_ms = loop_now_ms(d->loop) + life_ms(d, e);
	timer_stop(&e->patience);
	tell_soon(d, e);
}

static void
on_patience(void *arg)
{
	struct dns_entry *e = arg;

	settle(e->owner, e);
}

static void
on_reply(void *arg, const struct dns_reply *r)
{
	struct dns_family *f = arg;
	struct dns_entry *e = f->entry;
	struct dns *d = e->owner;

	if (r->status == DNS_FAILED || r->status == DNS_TIMEOUT)
		d->stats.failures++;
	dns_family_set(e->cache, f, r);
	if (!dns_entry_is_asked(e))
		settle(d, e);
	else if (r->n_addrs > 0)
		timer_set(&e->patience, PATIENCE_MS);
}

static void
ask(struct dns *d, struct dns_entry *e)
{
	const bool wanted[DNS_FAMILIES] = {
		[DNS_V4] = d->config.ipv4,
		[DNS_V6] = d->config.ipv6,
	};
	size_t i;

	if (e->is_done || dns_entry_is_asked(e))
		return;
	/* Before the first question, whose answer may come at once. */
	for (i = 0; i < DNS_FAMILIES; i++)
		e->family[i].is_asked = wanted[i];
	if (!dns_entry_is_asked(e))
		settle(d, e);
	for (i = 0; i < DNS_FAMILIES; i++) {
		if (!wanted[i])
			continue;
		d->stats.queries++;
		dns_ask(d->asker, e->name, types[i], on_reply, &e->family[i]);
	}
}

static bool
is_fresh(const struct dns *d, const struct dns_entry *e)
{
	return e->is_known && loop_now_ms(d->loop) < e->expires_ms;
}

/* An answer that is no entry of the cache, alive for this turn. */
static void
answer_local(struct dns *d, const struct addr *addrs, size_t n,
    enum dns_status status, struct dns_answer *now)
{
	*now = (struct dns_answer){ .status = status, .n_addrs = n };
	if (n > 0) {
		struct addr *copy = xmemdup(addrs, n * sizeof(*addrs));

		loop_later(d->loop, free, copy);
		now->addrs = copy;
		now->ttl_left_s = d->config.max_ttl_s;
	}
}

/* Literals, the hosts file, and what cannot be a name. */
static bool
know_locally(struct dns *d, struct str name, char folded[DNS_NAME_TEXT],
    struct dns_answer *now)
{
	struct addr addrs[DNS_ADDRS_MOST];
	size_t n = 1;

	if (!addr_parse(name, 0, &addrs[0])) {
		if (!dns_name_fold(name, folded)) {
			answer_local(d, NULL, 0, DNS_NO_NAME, now);
			return true;
		}
		n = dns_hosts_find(d->hosts, loop_now_ms(d->loop), folded,
		    addrs, DNS_ADDRS_MOST);
	}
	if (n > 0)
		answer_local(d, addrs, n, DNS_OK, now);
	return n > 0;
}

bool
dns_lookup(struct dns *d, struct str name, struct dns_wait *w,
    void (*fn)(void *, const struct dns_answer *), void *arg,
    struct dns_answer *now)
{
	char folded[DNS_NAME_TEXT];
	struct dns_entry *e;

	w->prev = NULL;
	w->next = NULL;
	if (know_locally(d, name, folded, now))
		return true;
	e = dns_cache_find(d->cache, folded);
	if (e == NULL && (e = dns_cache_add(d->cache, folded)) == NULL) {
		answer_local(d, NULL, 0, DNS_FAILED, now);
		return true;
	}
	if (e->owner == NULL) {
		e->owner = d;
		timer_init(&e->patience, d->loop, on_patience, e);
	}
	if (is_fresh(d, e) || (e->is_known && e->n_addrs > 0)) {
		d->stats.hits++;
		make_answer(d, e, now);
		if (!is_fresh(d, e)) {
			d->stats.stale_served++;
			ask(d, e);
		}
		return true;
	}
	w->fn = fn;
	w->arg = arg;
	link_wait(&e->waits, w);
	ask(d, e);
	return false;
}

bool
dns_cached(struct dns *d, struct str name, struct dns_answer *now)
{
	char folded[DNS_NAME_TEXT];
	struct dns_entry *e;

	if (know_locally(d, name, folded, now))
		return true;
	e = dns_cache_find(d->cache, folded);
	if (e == NULL || (!is_fresh(d, e) && e->n_addrs == 0))
		return false;
	make_answer(d, e, now);
	return true;
}

static struct dns_config
with_defaults(const struct dns_config *c)
{
	struct dns_config out = *c;

	if (out.max_ttl_s == 0)
		out.max_ttl_s = 3600;
	if (out.timeout_ms == 0)
		out.timeout_ms = 2000;
	if (out.tries == 0)
		out.tries = 3;
	if (out.max_names == 0)
		out.max_names = 20000;
	return out;
}

struct dns *
dns_new(struct loop *l, const struct dns_config *c)
{
	struct dns *d = xcalloc(1, sizeof(*d));

	d->loop = l;
	d->config = with_defaults(c);
	d->done_end = &d->done;
	timer_init(&d->tell, l, on_tell, d);
	d->hosts = dns_hosts_new(c->hosts_file);
	d->cache = dns_cache_new(l, d->config.max_names);
	d->asker = dns_asker_new(l, &d->config);
	/* Their text is the caller's. */
	d->config.servers = NULL;
	d->config.hosts_file = NULL;
	if (d->asker == NULL) {
		dns_free(d);
		return NULL;
	}
	return d;
}

static void
drop_waits(struct dns_entry *e)
{
	while (e->waits != NULL)
		unlink_wait(e->waits);
}

void
dns_free(struct dns *d)
{
	if (d == NULL)
		return;
	timer_stop(&d->tell);
	/* First, because questions point into the cache. */
	dns_asker_free(d->asker);
	dns_cache_free(d->cache, drop_waits);
	dns_hosts_free(d->hosts);
	free(d);
}

void
dns_get_stats(const struct dns *d, struct dns_stats *out)
{
	*out = d->stats;
	out->names = dns_cache_names(d->cache);
}
