/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a check: it waits for its time, reaches its endpoint as traffic
 * does (names, address rules, TLS), asks if there is something to ask, and
 * judges.  Nothing of it counts as traffic but the connection that it holds.
 */

#include "upstream/probe.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/rng.h"
#include "base/xalloc.h"
#include "policy/service_option.h"
#include "upstream/names.h"
#include "upstream/probe_state.h"

/* Of those that begin anew because what they ask has changed. */
#define AGAIN_MOST_MS 1000

static const struct health_settings *
settings_of(const struct cluster *c)
{
	return &c->service->options->health;
}

void
probe_judge(struct probe *p, bool is_good, const char *why, ...)
{
	va_list ap;

	p->is_judged = true;
	p->is_good = is_good;
	va_start(ap, why);
	(void)vsnprintf(p->why, sizeof(p->why), why, ap);
	va_end(ap);
	/* This may be on the stack of what is to be closed. */
	timer_set(&p->timer, 0);
}

static struct shared_endpoint *
known(const struct probe *p)
{
	return live_known(p->endpoint, p->target);
}

static void
hang_up(struct probe *p)
{
	dns_cancel(&p->names);
	if (p->reach != NULL)
		reach_cancel(p->reach);
	p->reach = NULL;
	probe_hang_up(p);
	probe_drop_bytes(p);
	p->is_running = p->is_judged = false;
}

static void
on_reached(void *arg, struct reached *r)
{
	struct probe *p = arg;
	enum health_kind kind = settings_of(p->cluster)->kind;

	p->reach = NULL;
	if (r->status != REACH_OK) {
		probe_judge(p, false, "%s",
		    r->detail[0] != '\0' ? r->detail
					 : reach_status_text(r->status));
	} else if (kind == HEALTH_HTTP || kind == HEALTH_GRPC) {
		p->back = back_new(r);
		probe_ask(p);
	} else if (probe_has_bytes(settings_of(p->cluster))) {
		p->wire = r->wire;
		p->guard = r->guard;
		r->wire = NULL;
		probe_say_bytes(p);
	} else if (kind == HEALTH_TLS && !r->has_tls) {
		probe_judge(p, false, "the endpoint is without TLS");
	} else {
		probe_judge(p, true, "connected");
	}
}

static void look_around(struct probe *p);

static void
begin(struct probe *p)
{
	const struct health_settings *s = settings_of(p->cluster);

	if (p->is_scout) {
		look_around(p);
		return;
	}
	p->is_running = true;
	p->why[0] = '\0';
	timer_set(&p->timer, s->timeout_ms);
	p->reach = reach_start_probe(p->cluster, p->endpoint, p->target,
	    s->kind == HEALTH_TCP && !probe_has_bytes(s), on_reached, p);
}

static void
wait_for_next(struct probe *p)
{
	bool has_traffic = atomic_load_explicit(
	    &p->cluster->shared->has_traffic, memory_order_relaxed);

	timer_set(&p->timer,
	    health_delay_ms(settings_of(p->cluster), has_traffic, rng_u64()));
}

static void
publish(struct probe *p)
{
	struct cluster *c = p->cluster;

	atomic_store_explicit(
	    &known(p)->probed, p->count.state, memory_order_relaxed);
	cluster_note_health(c);
	shared_tell(c->shared, c->member, NEWS_HEALTH);
}

static void
say(const struct probe *p)
{
	const char *service = p->cluster->shared->key;
	const char *endpoint = known(p)->key;

	if (p->count.state == PROBED_BAD)
		log_warn(service,
		    "endpoint %s is left out, its check fails: %s", endpoint,
		    p->why);
	else
		log_info(
		    service, "endpoint %s is good, its check says", endpoint);
}

static void
finish(struct probe *p, bool is_good)
{
	struct stats_set *stats = cluster_set(p->cluster);

	hang_up(p);
	stat_inc(stats, STAT_HEALTH_ATTEMPT);
	stat_inc(stats, is_good ? STAT_HEALTH_SUCCESS : STAT_HEALTH_FAILURE);
	shared_endpoint_explain(known(p), is_good ? "" : p->why);
	if (health_note(settings_of(p->cluster), &p->count, is_good)) {
		publish(p);
		say(p);
	} else if (!is_good && settings_of(p->cluster)->logs_failures) {
		log_info(p->cluster->shared->key,
		    "the check of endpoint %s fails: %s", known(p)->key,
		    p->why);
	}
	wait_for_next(p);
}

static void
on_timer(void *arg)
{
	struct probe *p = arg;

	if (!p->is_running) {
		begin(p);
		return;
	}
	if (!p->is_judged)
		(void)snprintf(p->why, sizeof(p->why), "no answer in time");
	finish(p, p->is_judged && p->is_good);
}

static bool
has_targets(const struct cluster *c, const struct live_endpoint *e)
{
	return names_are_ordered(c, false) && !e->endpoint->host_is_address &&
	       c->outward->dial_path == NULL && !endpoint_is_unix(e->endpoint);
}

static void
start(struct cluster *c, struct live_endpoint *e, struct live_target *t)
{
	struct probe *p = xcalloc(1, sizeof(*p));

	p->cluster = c;
	p->endpoint = live_endpoint_ref(e);
	p->target = live_target_ref(t);
	p->is_scout = t == NULL && has_targets(c, e);
	/* Another live_endpoint of the same one may have been checked. */
	p->count.state = (enum probed)atomic_load_explicit(
	    &known(p)->probed, memory_order_relaxed);
	timer_init(&p->timer, cluster_env(c)->loop, on_timer, p);
	timer_set(&p->timer, rng_below(settings_of(c)->first_jitter_ms + 1));
	TAILQ_INSERT_TAIL(&c->probes, p, link);
}

static void
stop(struct probe *p)
{
	TAILQ_REMOVE(&p->cluster->probes, p, link);
	timer_stop(&p->timer);
	hang_up(p);
	text_free(&p->body);
	live_target_unref(p->target);
	live_endpoint_unref(p->endpoint);
	free(p);
}

void
probes_stop(struct cluster *c)
{
	struct probe *p;

	while ((p = TAILQ_FIRST(&c->probes)) != NULL)
		stop(p);
}

static bool
is_probed(const struct cluster *c, const struct live_endpoint *e,
    const struct live_target *t)
{
	const struct probe *p;

	TAILQ_FOREACH(p, &c->probes, link)
	if (p->endpoint == e && p->target == t)
		return true;
	return false;
}

static bool
has(const struct live_endpoints *list, const struct live_endpoint *e)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (list->v[i] == e)
			return true;
	return false;
}

static void
stop_those_gone(struct cluster *c)
{
	struct probe *p, *next;

	for (p = TAILQ_FIRST(&c->probes); p != NULL; p = next) {
		next = TAILQ_NEXT(p, link);
		if (!has(&c->local, p->endpoint))
			stop(p);
	}
}

static void
follow_targets(struct probe *scout)
{
	struct cluster *c = scout->cluster;
	struct live_endpoint *e = scout->endpoint;
	struct probe *p, *next;
	size_t i;

	for (p = TAILQ_FIRST(&c->probes); p != NULL; p = next) {
		next = TAILQ_NEXT(p, link);
		if (p->endpoint == e && p->target != NULL &&
		    !p->target->is_offered)
			stop(p);
	}
	for (i = 0; i < e->targets.n; i++)
		if (e->targets.v[i]->is_offered &&
		    !is_probed(c, e, e->targets.v[i]))
			start(c, e, e->targets.v[i]);
}

/* What must not be connected to need not be checked. */
static void
on_names(void *arg, const struct dns_answer *a)
{
	struct probe *p = arg;
	struct cluster *c = p->cluster;
	const struct answers_rule rule = {
		.env = cluster_env(c),
		.families = &c->all->families,
		.outward = c->outward,
		.rules = &c->outward->rules,
		.is_ordered = true,
		.now_ms = cluster_now_ms(c),
	};
	struct answers found = { .v = NULL };
	struct refused_answer refused;

	answers_set(&found, &rule, a->addrs,
	    a->status == DNS_OK ? a->n_addrs : 0, &refused);
	/* While the name servers fail, they are who they were. */
	if (found.n > 0) {
		targets_set(c, p->endpoint, found.v, found.n);
		follow_targets(p);
	}
	answers_free(&found);
	wait_for_next(p);
}

static void
look_around(struct probe *p)
{
	struct dns_answer now;

	if (names_lookup(p->cluster, p->endpoint->endpoint, false, &p->names,
		on_names, p, &now))
		on_names(p, &now);
}

static void
forget_one(struct shared_endpoint *k)
{
	atomic_store_explicit(&k->probed, PROBED_UNKNOWN, memory_order_relaxed);
}

/* Nothing is known of what is not checked. */
static void
forget(struct cluster *c)
{
	const struct live_endpoint *e;
	size_t i, k;

	probes_stop(c);
	for (i = 0; i < c->local.n; i++) {
		e = c->local.v[i];
		forget_one(e->known);
		for (k = 0; k < e->targets.n; k++)
			forget_one(e->targets.v[k]->known);
	}
}

/* The names of a wildcard are the callers' choice: nobody knows them all. */
static bool
is_checked(const struct cluster *c)
{
	return settings_of(c)->kind != HEALTH_NONE &&
	       c->service->options->wildcard.len == 0;
}

bool
probes_are_same(
    const struct service_options *a, const struct service_options *b)
{
	enum service_option i;

	for (i = 0; i < SERVICE_OPTION_N; i++)
		if (str_starts(
			str_of(service_option_rows[i].name), STR("health.")) &&
		    !service_option_eq(i, a, b))
			return false;
	return true;
}

static void
begin_anew(struct cluster *c)
{
	struct probe *p;

	TAILQ_FOREACH(p, &c->probes, link)
	{
		hang_up(p);
		timer_set(&p->timer, rng_below(AGAIN_MOST_MS));
	}
}

void
probes_sync(struct cluster *c, bool keeps)
{
	size_t i;

	if (!cluster_is_prober(c))
		return;
	if (!is_checked(c)) {
		forget(c);
		return;
	}
	stop_those_gone(c);
	/* What was asked may not be what is to be asked now. */
	if (!keeps)
		begin_anew(c);
	for (i = 0; i < c->local.n; i++)
		if (!is_probed(c, c->local.v[i], NULL))
			start(c, c->local.v[i], NULL);
}
