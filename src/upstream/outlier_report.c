/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What results of endpoints lead to: all workers count into what they share of
 * a service, and whoever brings the result that is one too many ejects.  An
 * interval ends with the first result after it, so nothing runs where nothing
 * is carried; an ejection ends by itself.
 */

#include "upstream/outlier_report.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/xalloc.h"
#include "upstream/cluster_state.h"

/* One report, with the lock of the service held. */
struct report {
	const struct outlier_settings *settings;
	struct stats_set *stats;
	uint64_t now_ms;
	/* Those of its group that somebody has; of SRV each address. */
	struct shared_endpoint **endpoints;
	struct outlier_host **hosts;
	size_t n;
	bool has_ejected;
	struct text said; /* a line an ejection, for when the lock is gone */
};

static void
gather(struct report *p, const struct shared_endpoint *of)
{
	struct shared_endpoint *k;
	size_t n = 0;

	if (p->endpoints != NULL)
		return;
	TAILQ_FOREACH(k, &of->group->endpoints, link)
	n++;
	p->endpoints = xcalloc(n, sizeof(struct shared_endpoint *));
	p->hosts = xcalloc(n, sizeof(struct outlier_host *));
	TAILQ_FOREACH(k, &of->group->endpoints, link)
	{
		if (k->offered == 0)
			continue;
		p->endpoints[p->n] = k;
		p->hosts[p->n++] = &k->outlier;
	}
}

static enum stat_cluster
counter_of(enum outlier_cause c)
{
	switch (c) {
	case OUTLIER_NONE:
	case OUTLIER_CONSECUTIVE_5XX:
		break;
	case OUTLIER_CONSECUTIVE_GATEWAY:
		return STAT_OUTLIER_GATEWAY;
	case OUTLIER_CONSECUTIVE_LOCAL:
		return STAT_OUTLIER_LOCAL;
	case OUTLIER_SUCCESS_RATE:
		return STAT_OUTLIER_SUCCESS_RATE;
	case OUTLIER_FAILURE_PERCENT:
		return STAT_OUTLIER_FAILURE_PERCENT;
	}
	return STAT_OUTLIER_5XX;
}

static void
eject(struct report *p, struct shared_endpoint *k, enum outlier_cause cause)
{
	struct outlier_host *h = &k->outlier;

	/* What was on its way to it, or had nowhere else to go. */
	if (outlier_is_out(h, p->now_ms))
		return;
	if (!outlier_may_eject(p->settings, p->hosts, p->n, p->now_ms)) {
		stat_inc(p->stats, STAT_OUTLIER_OVERFLOW);
		return;
	}
	outlier_eject(p->settings, h, p->now_ms);
	atomic_store_explicit(
	    &k->out_until_ms, h->until_ms, memory_order_relaxed);
	stat_inc(p->stats, STAT_OUTLIER_EJECTIONS);
	stat_inc(p->stats, counter_of(cause));
	p->has_ejected = true;
	text_addf(&p->said, "%sendpoint %s is left out for %" PRIu64 " ms: %s",
	    p->said.len > 0 ? "; " : "", k->key, h->until_ms - p->now_ms,
	    outlier_cause_text(cause));
}

static void
end_interval(struct report *p, struct shared_endpoint *k)
{
	struct shared_group *g = k->group;
	enum outlier_cause *causes;
	size_t i;

	if (g->interval_ms == 0)
		g->interval_ms = p->now_ms;
	if (p->now_ms - g->interval_ms < p->settings->interval_ms)
		return;
	gather(p, k);
	causes = xcalloc(p->n + 1, sizeof(*causes));
	outlier_interval(
	    p->settings, p->hosts, p->n, g->interval_ms, p->now_ms, causes);
	for (i = 0; i < p->n; i++)
		if (causes[i] != OUTLIER_NONE)
			eject(p, p->endpoints[i], causes[i]);
	free(causes);
	g->interval_ms = p->now_ms;
}

static void
note(struct report *p, struct shared_endpoint *k, enum outlier_result r)
{
	enum outlier_cause cause;

	pthread_mutex_lock(&k->group->service->lock);
	end_interval(p, k);
	cause = outlier_note(p->settings, &k->outlier, r);
	if (cause != OUTLIER_NONE) {
		gather(p, k);
		eject(p, k, cause);
	}
	pthread_mutex_unlock(&k->group->service->lock);
	free(p->endpoints);
	free(p->hosts);
}

static void
tell(struct cluster *c, struct report *p)
{
	log_warn(c->shared->key, "%s", p->said.p);
	text_free(&p->said);
	cluster_note_health(c);
	shared_tell(c->shared, c->member, NEWS_HEALTH);
}

void
outlier_report(
    struct cluster *c, struct shared_endpoint *k, enum outlier_result r)
{
	struct report p;

	if (!outlier_is_on(&c->service->options->outlier) || k == NULL)
		return;
	p = (struct report){
		.settings = &c->service->options->outlier,
		.stats = cluster_set(c),
		.now_ms = cluster_now_ms(c),
	};
	note(&p, k, r);
	if (p.has_ejected)
		tell(c, &p);
}
