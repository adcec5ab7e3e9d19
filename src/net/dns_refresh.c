/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a name is asked for, and what comes of it.
 *
 * A and AAAA are asked at once; for SRV there is one question.  When one has
 * brought addresses the other gets a short while more; what it brings later is
 * added then.
 *
 * A name that is in use is asked for again ahead of its time, at a moment that
 * is drawn, lest all names of all workers be asked for at once.  When that
 * fails it is tried again, at longer and longer intervals; workers share the
 * budget of one query a second for a name, though none knows of the others.
 */

#include <stdlib.h>

#include "base/rng.h"
#include "net/dns_state.h"

/* As long as RFC 8305 section 3 lets one family wait for the other. */
#define PATIENCE_MS 50
/* For a fresh answer, where an old one would do. */
#define FRESH_WAIT_MS 500
/* Between the last tenth of an answer's life and the last but one. */
#define AHEAD_PART 10
/* A name is in use for so long after it was last asked for. */
#define IN_USE_MS 60000
#define SECOND_MS 1000
#define BACKOFF_LEAST_MOST_MS 10000
#define BACKOFF_MOST_MS 30000
#define BACKOFF_JITTER_PART 4

static const uint16_t types[DNS_FAMILIES] = {
	[DNS_V4] = DNS_TYPE_A,
	[DNS_V6] = DNS_TYPE_AAAA,
};

static uint64_t
now_ms(const struct dns *d)
{
	return loop_now_ms(d->loop);
}

uint64_t
dns_draw(const struct dns *d, uint64_t most)
{
	uint32_t n = most < UINT32_MAX ? (uint32_t)most + 1 : UINT32_MAX;

	return d->config.random != NULL ? d->config.random(n) : rng_below(n);
}

static uint64_t
stale_ms(const struct dns *d)
{
	return (uint64_t)d->config.max_stale_s * SECOND_MS;
}

bool
dns_entry_is_fresh(const struct dns *d, const struct dns_entry *e)
{
	return e->is_known && now_ms(d) < e->expires_ms;
}

bool
dns_entry_is_usable(const struct dns *d, const struct dns_entry *e)
{
	return e->is_known && dns_entry_has_any(e) &&
	       now_ms(d) < e->expires_ms + stale_ms(d);
}

/* A question is two queries. */
static uint64_t
least_interval_ms(const struct dns *d)
{
	uint64_t ms = (d->config.ipv4 && d->config.ipv6 ? 2 : 1) *
		      (uint64_t)d->config.askers * SECOND_MS;

	return ms < BACKOFF_LEAST_MOST_MS ? ms : BACKOFF_LEAST_MOST_MS;
}

/* Without an old answer somebody is waiting for it to get better. */
static uint64_t
longest_interval_ms(const struct dns *d, const struct dns_entry *e)
{
	uint64_t all = (uint64_t)d->config.askers * 2 * SECOND_MS;
	uint64_t most = dns_entry_has_any(e)
			    ? BACKOFF_MOST_MS
			    : d->config.negative_ttl_s * (uint64_t)SECOND_MS;

	return most > all ? most : all;
}

static uint64_t
backoff_ms(const struct dns *d, const struct dns_entry *e)
{
	uint64_t ms = least_interval_ms(d), most = longest_interval_ms(d, e);
	unsigned i;

	/* The first two questions are both within the first interval. */
	if (dns_entry_has_any(e))
		ms *= 2;
	for (i = 1; i < e->failures && ms < most; i++)
		ms *= 2;
	if (ms > most)
		ms = most;
	return ms + dns_draw(d, ms / BACKOFF_JITTER_PART);
}

static uint64_t
clamp_ms(const struct dns *d, uint32_t ttl_s)
{
	uint32_t s = ttl_s;

	if (s > d->config.max_ttl_s)
		s = d->config.max_ttl_s;
	if (s < d->config.min_ttl_s)
		s = d->config.min_ttl_s;
	return (uint64_t)s * SECOND_MS;
}

/* What the zone says, if it says anything, but no longer than we want. */
static uint64_t
negative_ms(const struct dns *d, const struct dns_entry *e)
{
	uint32_t s = d->config.negative_ttl_s;
	size_t i;

	for (i = 0; i < DNS_FAMILIES; i++)
		if (!dns_family_has_any(&e->family[i]) &&
		    e->family[i].ttl_s > 0 && e->family[i].ttl_s < s)
			s = e->family[i].ttl_s;
	return (uint64_t)s * SECOND_MS;
}

/* The first of the new addresses to run out. */
static uint64_t
addresses_expire_ms(const struct dns_entry *e)
{
	uint64_t first = UINT64_MAX;
	const struct dns_family *f;
	size_t i;

	for (i = 0; i < DNS_FAMILIES; i++) {
		f = &e->family[i];
		if (dns_family_has_any(f) && !f->is_asked &&
		    f->status == DNS_OK && f->expires_ms < first)
			first = f->expires_ms;
	}
	return first;
}

/* For the timer: the answer has its time, the last tenths of it are drawn. */
static void
refresh_ahead(struct dns *d, struct dns_entry *e)
{
	uint64_t now = now_ms(d), part;
	uint64_t left = e->expires_ms > now ? e->expires_ms - now : 0;

	part = left / AHEAD_PART;
	timer_set(&e->refresh, left - part - dns_draw(d, part));
}

static void
note_answer(struct dns *d, struct dns_entry *e, enum dns_status said)
{
	e->failures = 0;
	e->retry_ms = 0;
	e->answered_ms = now_ms(d);
	dns_entry_set_failing(e, false);
	if (said == DNS_OK) {
		e->expires_ms = addresses_expire_ms(e);
		refresh_ahead(d, e);
	} else {
		e->expires_ms = now_ms(d) + negative_ms(d, e);
		timer_stop(&e->refresh);
	}
}

static void
note_failure(struct dns *d, struct dns_entry *e, enum dns_status said)
{
	e->failures++;
	e->failure = said;
	dns_entry_set_failing(e, true);
	e->retry_ms = now_ms(d) + backoff_ms(d, e);
	/* What was known keeps its time; that nothing is has the interval's. */
	if (!dns_entry_has_any(e))
		e->expires_ms = e->retry_ms;
	timer_set(&e->refresh, e->retry_ms - now_ms(d));
}

void
dns_show_size(struct dns *d)
{
	size_t names = dns_cache_names(d->cache);
	size_t failing = dns_cache_failing(d->cache);

	if (d->counters != NULL) {
		stat_add(d->counters, STAT_DNS_NAMES, names - d->shown_names);
		stat_add(
		    d->counters, STAT_DNS_FAILING, failing - d->shown_failing);
	}
	d->shown_names = names;
	d->shown_failing = failing;
}

/* Both have answered, or one has and the other took too long. */
static void
settle(struct dns *d, struct dns_entry *e)
{
	enum dns_status said = dns_entry_merge(e, now_ms(d), stale_ms(d));

	timer_stop(&e->patience);
	e->is_late = false;
	if (said == DNS_FAILED || said == DNS_TIMEOUT)
		note_failure(d, e, said);
	else
		note_answer(d, e, said);
	dns_show_size(d);
	dns_tell_soon(d, e);
}

static bool
has_new_addresses(const struct dns_entry *e)
{
	size_t i;

	for (i = 0; i < DNS_FAMILIES; i++)
		if (!e->family[i].is_asked && e->family[i].status == DNS_OK)
			return true;
	return false;
}

/* Who waits has waited enough. */
static void
on_patience(void *arg)
{
	struct dns_entry *e = arg;
	struct dns *d = e->owner;

	if (has_new_addresses(e))
		settle(d, e);
	e->is_late = true;
	dns_tell_soon(d, e);
}

/* An answer that lives longer is in use if it was of use. */
static bool
is_in_use(const struct dns *d, const struct dns_entry *e)
{
	return now_ms(d) < e->used_ms + IN_USE_MS ||
	       (e->failures == 0 && e->used_ms > e->answered_ms);
}

static void
on_refresh(void *arg)
{
	struct dns_entry *e = arg;
	struct dns *d = e->owner;

	if (is_in_use(d, e))
		dns_refresh(d, e);
}

static void
on_reply(void *arg, const struct dns_reply *r)
{
	struct dns_family *f = arg;
	struct dns_entry *e = f->entry;
	struct dns *d = e->owner;

	if (r->status == DNS_FAILED || r->status == DNS_TIMEOUT) {
		d->stats.failures++;
		if (d->counters != NULL)
			stat_inc(d->counters, STAT_DNS_FAILURES);
	}
	if (!r->is_unanswered) {
		e->is_unanswered = false;
		d->alive_ms = now_ms(d);
	}
	if (r->server != NULL)
		e->server = r->server;
	dns_family_set(e->cache, f, r);
	if (r->n_addrs + r->n_targets > 0)
		f->expires_ms = now_ms(d) + clamp_ms(d, r->ttl_s);
	if (!dns_entry_is_asked(e))
		settle(d, e);
	else if (r->n_addrs > 0)
		timer_set(&e->patience, PATIENCE_MS);
}

/*
 * The wait of a failure is cut short when the servers are back; but only where
 * none had spoken: one that fails at a name may well answer others.
 */
static bool
may_ask(const struct dns *d, const struct dns_entry *e)
{
	if (e->is_done || dns_entry_is_asked(e))
		return false;
	if (now_ms(d) >= e->retry_ms)
		return true;
	return e->is_unanswered && d->alive_ms > e->asked_ms &&
	       now_ms(d) >= e->asked_ms + least_interval_ms(d);
}

static void
ask(struct dns *d, struct dns_entry *e)
{
	const bool wanted[DNS_FAMILIES] = {
		[DNS_V4] = d->config.ipv4 || e->is_srv,
		[DNS_V6] = d->config.ipv6 && !e->is_srv,
	};
	enum dns_effort effort =
	    dns_entry_is_usable(d, e) ? DNS_TRY_EACH : DNS_TRY_ALL;
	size_t i;

	e->asked_ms = now_ms(d);
	e->is_unanswered = true;
	/* Before the first question, whose answer may come at once. */
	for (i = 0; i < DNS_FAMILIES; i++)
		e->family[i].is_asked = wanted[i];
	if (!dns_entry_is_asked(e))
		settle(d, e);
	for (i = 0; i < DNS_FAMILIES; i++) {
		if (!wanted[i])
			continue;
		d->stats.queries++;
		if (d->counters != NULL)
			stat_inc(d->counters, STAT_DNS_QUERIES);
		dns_ask(d->asker, e->name, e->is_srv ? DNS_TYPE_SRV : types[i],
		    effort, on_reply, &e->family[i]);
	}
}

void
dns_refresh(struct dns *d, struct dns_entry *e)
{
	if (may_ask(d, e))
		ask(d, e);
}

void
dns_entry_init(struct dns *d, struct dns_entry *e)
{
	e->owner = d;
	timer_init(&e->patience, d->loop, on_patience, e);
	timer_init(&e->refresh, d->loop, on_refresh, e);
}

/* From when it was asked for, which may have been ahead of its time. */
uint64_t
dns_entry_wait_ms(const struct dns *d, const struct dns_entry *e)
{
	uint64_t until = e->asked_ms + FRESH_WAIT_MS;

	if (e->failures > 0 || e->is_late || now_ms(d) >= until)
		return 0;
	return until - now_ms(d);
}
