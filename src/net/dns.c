/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names to addresses: who is answered from where, and who waits.  When names
 * are asked for is in dns_refresh.c, queries are in dns_ask.c, what is known in
 * dns_cache.c.
 *
 * While the name servers are known to fail nobody waits: the last good answer
 * serves at once, and where there is none the failure does.
 */

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "net/dns_parse.h"
#include "net/dns_state.h"

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
		.is_stale = dns_entry_has_any(e) && left == 0,
		.addrs = e->addrs,
		.n_addrs = e->n_addrs,
		.ttl_left_s = (uint32_t)(left / 1000),
	};
}

void
dns_wait_unlink(struct dns_wait *w)
{
	*w->prev = w->next;
	if (w->next != NULL)
		w->next->prev = w->prev;
	w->next = NULL;
	w->prev = NULL;
}

void
dns_wait_link(struct dns_wait **list, struct dns_wait *w)
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
		dns_wait_unlink(w);
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
		dns_wait_unlink(w);
		dns_wait_link(&list, w);
	}
	while ((w = list) != NULL) {
		dns_wait_unlink(w);
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

void
dns_tell_soon(struct dns *d, struct dns_entry *e)
{
	if (e->is_done)
		return;
	e->is_done = true;
	*d->done_end = e;
	d->done_end = &e->next_done;
	timer_set(&d->tell, 0);
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

struct dns_entry *
dns_entry_get(struct dns *d, const char *name, bool is_srv)
{
	struct dns_entry *e = dns_cache_find(d->cache, name, is_srv);

	if (e == NULL && (e = dns_cache_add(d->cache, name, is_srv)) == NULL)
		return NULL;
	if (e->owner == NULL)
		dns_entry_init(d, e);
	e->used_ms = loop_now_ms(d->loop);
	return e;
}

static void
count_hit(struct dns *d, bool is_stale)
{
	d->stats.hits++;
	d->stats.stale_served += is_stale;
	if (d->counters == NULL)
		return;
	stat_inc(d->counters, STAT_DNS_HITS);
	if (is_stale)
		stat_inc(d->counters, STAT_DNS_STALE);
}

/* False: whoever asks has to wait. */
static bool
answer_now(struct dns *d, struct dns_entry *e, struct dns_answer *now)
{
	bool is_old;

	if (dns_entry_is_fresh(d, e)) {
		make_answer(d, e, now);
		count_hit(d, false);
		return true;
	}
	dns_refresh(d, e);
	is_old = dns_entry_is_usable(d, e);
	/* What is asked may be answered in a moment. */
	if ((dns_entry_is_asked(e) || e->is_done) &&
	    (!is_old || dns_entry_wait_ms(d, e) > 0))
		return false;
	if (is_old)
		make_answer(d, e, now);
	else
		answer_local(d, NULL, 0, e->failure, now);
	count_hit(d, is_old);
	return true;
}

bool
dns_entry_lookup(struct dns *d, struct dns_entry *e, struct dns_wait *w,
    void (*fn)(void *, const struct dns_answer *), void *arg,
    struct dns_answer *now)
{
	w->prev = NULL;
	w->next = NULL;
	if (answer_now(d, e, now))
		return true;
	w->fn = fn;
	w->arg = arg;
	dns_wait_link(&e->waits, w);
	if (dns_entry_is_usable(d, e) && !timer_is_set(&e->patience))
		timer_set(&e->patience, dns_entry_wait_ms(d, e));
	return false;
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
	e = dns_entry_get(d, folded, false);
	if (e != NULL)
		return dns_entry_lookup(d, e, w, fn, arg, now);
	answer_local(d, NULL, 0, DNS_FAILED, now);
	return true;
}

bool
dns_cached(struct dns *d, struct str name, struct dns_answer *now)
{
	char folded[DNS_NAME_TEXT];
	struct dns_entry *e;

	if (know_locally(d, name, folded, now))
		return true;
	e = dns_cache_find(d->cache, folded, false);
	if (e == NULL ||
	    (!dns_entry_is_fresh(d, e) && !dns_entry_is_usable(d, e)))
		return false;
	make_answer(d, e, now);
	return true;
}

size_t
dns_flush(struct dns *d, struct str name)
{
	struct dns_entry *e = dns_cache_oldest(d->cache), *next;
	char folded[DNS_NAME_TEXT];
	size_t n = 0;

	if (name.len > 0 && !dns_name_fold(name, folded))
		return 0;
	for (; e != NULL; e = next) {
		next = e->next;
		if (name.len > 0 && strcmp(e->name, folded) != 0)
			continue;
		n += e->is_known;
		dns_cache_forget(d->cache, e);
	}
	dns_show_size(d);
	return n;
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
	if (out.askers == 0)
		out.askers = 1;
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
	if (c->stats != NULL)
		d->counters = stats_get(c->stats, SCOPE_SERVER, NULL);
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
		dns_wait_unlink(e->waits);
}

void
dns_free(struct dns *d)
{
	if (d == NULL)
		return;
	timer_stop(&d->tell);
	dns_srv_drop(d);
	/* First, because questions point into the cache. */
	dns_asker_free(d->asker);
	(void)dns_flush(d, STR_NONE);
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
