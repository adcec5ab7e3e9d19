/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SRV: from a name to targets, and from those to addresses.  The records and
 * the targets' addresses are entries of the cache like any other, each with its
 * own time; additional data of an answer plays no part.
 *
 * A run is begun by the first who has to wait, for the records or for the first
 * addresses; whoever comes meanwhile waits with it.
 */

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "base/xalloc.h"
#include "net/dns_parse.h"
#include "net/dns_state.h"

/* Of all targets together. */
#define ADDRS_MOST 64
/* For the slower targets, as for the slower family. */
#define PATIENCE_MS 50

struct found {
	struct addr addrs[ADDRS_MOST];
	size_t n;
	bool is_stale;
	uint32_t ttl_s;
	enum dns_status status; /* why there are none */
};

struct dns_srv_run {
	struct dns_srv_run *prev;
	struct dns_srv_run *next;
	struct dns *dns;
	struct dns_wait *waits;
	struct dns_wait records;
	struct dns_wait targets[DNS_TARGETS_MOST];
	size_t left; /* targets that have not answered */
	struct timer patience;
	struct timer end;
	char name[DNS_NAME_TEXT];
};

static int
by_priority(const void *a, const void *b)
{
	const struct dns_target *const *x = a, *const *y = b;

	if ((*x)->priority != (*y)->priority)
		return (*x)->priority < (*y)->priority ? -1 : 1;
	/* RFC 2782: those of no weight stand first when it is drawn. */
	return ((*x)->weight > 0) - ((*y)->weight > 0);
}

/* Which of the first n, all of one priority, comes next. */
static size_t
draw_one(const struct dns *d, const struct dns_target **v, size_t n)
{
	uint64_t sum = 0, at;
	size_t i;

	for (i = 0; i < n; i++)
		sum += v[i]->weight;
	at = dns_draw(d, sum);
	for (i = 0, sum = 0; i < n; i++) {
		sum += v[i]->weight;
		if (sum >= at)
			return i;
	}
	return n - 1;
}

/* How many are in order; the others, if any, of the next priority. */
static void
set_order(const struct dns *d, const struct dns_target **v, size_t n)
{
	size_t i, end, pick;

	qsort(v, n, sizeof(const struct dns_target *), by_priority);
	for (i = 0; i < n; i++) {
		const struct dns_target *chosen;

		for (end = i; end < n && v[end]->priority == v[i]->priority;)
			end++;
		pick = i + draw_one(d, v + i, end - i);
		chosen = v[pick];
		memmove(v + i + 1, v + i,
		    (pick - i) * sizeof(const struct dns_target *));
		v[i] = chosen;
	}
}

static void
add(struct found *f, const struct dns_answer *a, uint16_t port)
{
	size_t i;

	for (i = 0; i < a->n_addrs && f->n < ADDRS_MOST; i++) {
		f->addrs[f->n] = a->addrs[i];
		addr_set_port(&f->addrs[f->n++], port);
	}
	f->is_stale |= a->is_stale;
	if (a->ttl_left_s < f->ttl_s)
		f->ttl_s = a->ttl_left_s;
}

/* What is known by now. */
static void
find(struct dns *d, const struct dns_entry *e, struct found *f)
{
	const struct dns_family *records = &e->family[0];
	const struct dns_target *v[DNS_TARGETS_MOST];
	struct dns_answer a;
	size_t i;

	for (i = 0; i < records->n_targets; i++)
		v[i] = &records->targets[i];
	set_order(d, v, records->n_targets);
	for (i = 0; i < records->n_targets; i++) {
		if (!dns_cached(d, str_of(v[i]->name), &a))
			continue;
		if (a.n_addrs == 0)
			f->status = a.status;
		add(f, &a, v[i]->port);
	}
}

static void
make_answer(struct dns *d, const struct found *f, struct dns_answer *out)
{
	*out = (struct dns_answer){
		.status = f->n > 0 ? DNS_OK : f->status,
		.is_stale = f->is_stale,
		.n_addrs = f->n,
		.ttl_left_s = f->n > 0 ? f->ttl_s : 0,
	};
	if (f->n > 0) {
		struct addr *v = xmemdup(f->addrs, f->n * sizeof(*v));

		loop_later(d->loop, free, v);
		out->addrs = v;
	}
}

static void
answer_from(struct dns *d, const struct dns_entry *e,
    const struct dns_answer *records, struct dns_answer *out)
{
	struct found f = {
		.is_stale = records->is_stale,
		.ttl_s = records->ttl_left_s,
		.status = records->status == DNS_OK ? DNS_NO_ADDRESS
						    : records->status,
	};

	if (records->status == DNS_OK)
		find(d, e, &f);
	make_answer(d, &f, out);
}

static void
run_free(struct dns_srv_run *r)
{
	size_t i;

	dns_cancel(&r->records);
	for (i = 0; i < DNS_TARGETS_MOST; i++)
		dns_cancel(&r->targets[i]);
	timer_stop(&r->patience);
	timer_stop(&r->end);
	while (r->waits != NULL)
		dns_wait_unlink(r->waits);
	DL_DELETE(r->dns->runs, r);
	loop_later(r->dns->loop, free, r);
}

void
dns_srv_drop(struct dns *d)
{
	while (d->runs != NULL)
		run_free(d->runs);
}

/* Who is told may ask again: for that this run is over. */
static void
run_end(struct dns_srv_run *r, const struct dns_answer *a)
{
	struct dns_wait *list = NULL, *w;

	while ((w = r->waits) != NULL) {
		dns_wait_unlink(w);
		dns_wait_link(&list, w);
	}
	run_free(r);
	while ((w = list) != NULL) {
		dns_wait_unlink(w);
		w->fn(w->arg, a);
	}
}

/* False: there are none, or e is NULL. */
static bool
answer_at_hand(struct dns *d, const struct dns_entry *e, struct dns_answer *out)
{
	struct dns_answer records = { .status = DNS_OK };
	uint64_t now = loop_now_ms(d->loop);

	if (e == NULL || !dns_entry_is_usable(d, e))
		return false;
	records.is_stale = !dns_entry_is_fresh(d, e);
	if (!records.is_stale)
		records.ttl_left_s = (uint32_t)((e->expires_ms - now) / 1000);
	answer_from(d, e, &records, out);
	return true;
}

static void
on_end(void *arg)
{
	struct dns_srv_run *r = arg;
	struct dns_answer a = { .status = DNS_FAILED };

	(void)answer_at_hand(
	    r->dns, dns_cache_find(r->dns->cache, r->name, true), &a);
	run_end(r, &a);
}

static void
on_target(void *arg, const struct dns_answer *a)
{
	struct dns_srv_run *r = arg;

	r->left--;
	if (r->left == 0)
		timer_set(&r->end, 0);
	else if (a->n_addrs > 0 && !timer_is_set(&r->patience))
		timer_set(&r->patience, PATIENCE_MS);
}

/* Every target is looked up; true: none of them has to be waited for. */
static bool
look_up_targets(struct dns_srv_run *r, const struct dns_entry *e)
{
	const struct dns_family *records = &e->family[0];
	struct dns_answer a;
	size_t i, found = 0;

	for (i = 0; i < records->n_targets; i++) {
		if (!dns_lookup(r->dns, str_of(records->targets[i].name),
			&r->targets[i], on_target, r, &a))
			r->left++;
		else
			found += a.n_addrs;
	}
	return r->left == 0 || found > 0;
}

static void
on_records(void *arg, const struct dns_answer *records)
{
	struct dns_srv_run *r = arg;
	struct dns_entry *e = dns_cache_find(r->dns->cache, r->name, true);
	struct dns_answer a;

	if (e != NULL && records->status == DNS_OK && !look_up_targets(r, e))
		return;
	answer_from(r->dns, e, records, &a);
	run_end(r, &a);
}

static struct dns_srv_run *
run_new(struct dns *d, const char *name)
{
	struct dns_srv_run *r = xcalloc(1, sizeof(*r));

	r->dns = d;
	memcpy(r->name, name, strlen(name) + 1);
	timer_init(&r->patience, d->loop, on_end, r);
	timer_init(&r->end, d->loop, on_end, r);
	DL_APPEND(d->runs, r);
	return r;
}

static struct dns_srv_run *
find_run(const struct dns *d, const char *name)
{
	struct dns_srv_run *r;

	DL_FOREACH(d->runs, r)
	if (strcmp(r->name, name) == 0)
		return r;
	return NULL;
}

/* A run that found all at hand was none: only its lookups count. */
static bool
start(struct dns *d, struct dns_entry *e, struct dns_wait *w,
    struct dns_answer *now)
{
	struct dns_srv_run *r = run_new(d, e->name);
	struct dns_answer records;

	if (!dns_entry_lookup(d, e, &r->records, on_records, r, &records) ||
	    (records.status == DNS_OK && !look_up_targets(r, e))) {
		dns_wait_link(&r->waits, w);
		return false;
	}
	answer_from(d, e, &records, now);
	run_free(r);
	return true;
}

bool
dns_lookup_srv(struct dns *d, struct str name, struct dns_wait *w,
    void (*fn)(void *, const struct dns_answer *), void *arg,
    struct dns_answer *now)
{
	char folded[DNS_NAME_TEXT];
	struct dns_srv_run *r;
	struct dns_entry *e = NULL;

	*w = (struct dns_wait){ .fn = fn, .arg = arg };
	*now = (struct dns_answer){ .status = DNS_NO_NAME };
	if (!dns_name_fold(name, folded))
		return true;
	r = find_run(d, folded);
	if (r != NULL) {
		dns_wait_link(&r->waits, w);
		return false;
	}
	e = dns_entry_get(d, folded, true);
	if (e == NULL) {
		now->status = DNS_FAILED;
		return true;
	}
	return start(d, e, w, now);
}

bool
dns_cached_srv(struct dns *d, struct str name, struct dns_answer *now)
{
	char folded[DNS_NAME_TEXT];

	return dns_name_fold(name, folded) &&
	       answer_at_hand(d, dns_cache_find(d->cache, folded, true), now);
}
