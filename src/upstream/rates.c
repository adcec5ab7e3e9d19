/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bucket that nobody holds is kept while something is missing in it: a
 * service that goes and comes again, or is made anew by another worker first,
 * finds it as it was.  Of those there are few, and the oldest goes first.
 */

#include "upstream/rates.h"

#include <pthread.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/xalloc.h"
#include "policy/service.h"
#include "upstream/cluster_state.h"
#include "upstream/gcra.h"

#define UNHELD_MOST 1024

struct rate {
	struct gcra_limit limit;
	struct gcra level;
	size_t holders;
	TAILQ_ENTRY(rate) link; /* of those without */
	UT_hash_handle hh;
	unsigned char key[]; /* see key_of() */
};

TAILQ_HEAD(rate_list, rate);

struct rates {
	pthread_mutex_t lock;
	struct rate *table;
	size_t n;
	struct rate_list unheld;
	size_t n_unheld;
};

struct rate_set {
	struct rates *all;
	struct traffic_policy *of; /* referenced */
	struct rate *v[];          /* of its rules, in their order */
};

struct rates *
rates_new(void)
{
	struct rates *r = xcalloc(1, sizeof(*r));

	pthread_mutex_init(&r->lock, NULL);
	TAILQ_INIT(&r->unheld);
	return r;
}

static void
forget(struct rates *r, struct rate *b)
{
	TAILQ_REMOVE(&r->unheld, b, link);
	r->n_unheld--;
	HASH_DEL(r->table, b);
	r->n--;
	free(b);
}

void
rates_free(struct rates *r)
{
	struct rate *b;

	if (r == NULL)
		return;
	while ((b = TAILQ_FIRST(&r->unheld)) != NULL)
		forget(r, b);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/* Those that remember nothing any more, and of the others the oldest. */
static void
tidy(struct rates *r, uint64_t now_ns)
{
	struct rate *b, *next;

	for (b = TAILQ_FIRST(&r->unheld); b != NULL; b = next) {
		next = TAILQ_NEXT(b, link);
		if (r->n_unheld > UNHELD_MOST ||
		    gcra_is_fresh(&b->level, now_ns))
			forget(r, b);
	}
}

/* By the bucket of the rule and the key of the service. */
static struct rate *
make(struct str service, const struct rate_rule *rule, size_t *bytes)
{
	struct rate *b;

	*bytes = sizeof(rule->bucket) + service.len;
	b = xcalloc(1, sizeof(*b) + *bytes);
	memcpy(b->key, &rule->bucket, sizeof(rule->bucket));
	memcpy(b->key + sizeof(rule->bucket), service.p, service.len);
	b->limit = gcra_limit(rule->num, rule->interval_ms);
	return b;
}

static void
add(struct rates *r, struct rate *b, size_t bytes, uint64_t now_ns)
{
	tidy(r, now_ns);
	HASH_ADD_KEYPTR(hh, r->table, b->key, bytes, b);
	r->n++;
}

struct rate *
rates_hold(struct rates *r, struct str service, const struct rate_rule *rule,
    uint64_t now_ns)
{
	struct rate *b, *fresh;
	size_t bytes;

	fresh = make(service, rule, &bytes);
	pthread_mutex_lock(&r->lock);
	HASH_FIND(hh, r->table, fresh->key, bytes, b);
	if (b == NULL) {
		b = fresh;
		fresh = NULL;
		add(r, b, bytes, now_ns);
	} else if (b->holders == 0) {
		TAILQ_REMOVE(&r->unheld, b, link);
		r->n_unheld--;
	}
	b->holders++;
	pthread_mutex_unlock(&r->lock);
	free(fresh);
	return b;
}

void
rates_let_go(struct rates *r, struct rate *b, uint64_t now_ns)
{
	pthread_mutex_lock(&r->lock);
	if (--b->holders == 0) {
		TAILQ_INSERT_TAIL(&r->unheld, b, link);
		r->n_unheld++;
		tidy(r, now_ns);
	}
	pthread_mutex_unlock(&r->lock);
}

bool
rate_take(struct rate *b, uint64_t now_ns)
{
	return gcra_take(&b->level, &b->limit, now_ns);
}

size_t
rates_count(struct rates *r)
{
	size_t n;

	pthread_mutex_lock(&r->lock);
	n = r->n;
	pthread_mutex_unlock(&r->lock);
	return n;
}

static uint64_t
now(void)
{
	return clock_us() * 1000;
}

/* New ones are held before old ones are let go: most are the same. */
struct rate_set *
rate_set_follow(
    struct rate_set *old, struct rates *r, const struct service *service)
{
	struct traffic_policy *t = service->traffic;
	struct rate_set *s;

	if (t == NULL || t->n_rates == 0 || r == NULL) {
		rate_set_free(old);
		return NULL;
	}
	if (old != NULL && old->of == t)
		return old;
	s = xcalloc(1, sizeof(*s) + t->n_rates * sizeof(struct rate *));
	s->all = r;
	s->of = traffic_policy_ref(t);
	for (size_t i = 0; i < t->n_rates; i++)
		s->v[i] = rates_hold(r, service->key, &t->rates[i], now());
	rate_set_free(old);
	return s;
}

void
rate_set_free(struct rate_set *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; i < s->of->n_rates; i++)
		rates_let_go(s->all, s->v[i], now());
	traffic_policy_unref(s->of);
	free(s);
}

/* By another version of the service than the cluster has. */
static bool
take_by_digest(
    struct rates *r, struct str service, const struct rate_rule *rule)
{
	struct rate *b = rates_hold(r, service, rule, now());
	bool has = rate_take(b, now());

	rates_let_go(r, b, now());
	return has;
}

bool
cluster_admits(struct cluster *c, const struct rate_rule *rule)
{
	const struct rate_set *s = c->rates;
	struct rates *all = cluster_env(c)->rates;

	if (s != NULL && rule >= s->of->rates &&
	    rule < s->of->rates + s->of->n_rates)
		return rate_take(s->v[rule - s->of->rates], now());
	/* Nothing to count by: nothing is allowed. */
	return all != NULL && take_by_digest(all, c->service->key, rule);
}
