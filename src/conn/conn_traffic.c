/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What callers of a service have to keep to beside permission: each of them to
 * limits of their own (caller_limits.h), all of them to a rate of new
 * connections.  A connection counts once, when it is known who calls and, for
 * what is taken away from others, that they may.  A worker's thread.
 */

#include <stdio.h>
#include <stdlib.h>

#include "conn/conn.h"
#include "policy/traffic.h"
#include "upstream/rates.h"

static enum next
refuse(struct conn *c, const struct rate_rule *r)
{
	char why[96];

	(void)snprintf(why, sizeof(why), "more than %llu connections in %u ms",
	    (unsigned long long)r->num, r->interval_ms);
	free(c->rule);
	c->rule = str_dup(r->origin);
	return conn_finish(c, OUT_CONNECTION_RATE, why);
}

static enum next
keep_rate(struct conn *c, struct service *s)
{
	const struct rate_rule *r = traffic_rate(
	    s->traffic, RATE_OF_CONNECTIONS, wire_tls_identity(c->client));
	struct cluster *cluster;

	if (r == NULL || c->has_kept_rate)
		return GO;
	c->has_kept_rate = true;
	cluster = clusters_get(c->all->env.clusters, s);
	if (cluster_admits(cluster, r))
		return GO;
	stat_inc(cluster_stats(cluster), STAT_CX_RATE_LIMITED);
	return refuse(c, r);
}

/* Found once: caller and service stay the same. */
static struct caller_use *
use_of(struct conn *c)
{
	if (c->use == NULL)
		c->use = caller_limits_hold(c->all->env.callers,
		    wire_tls_identity(c->client)->spiffe, c->service->key);
	return c->use;
}

struct caller_caps
conn_caps(struct conn *c)
{
	struct service *s = conn_newest_service(c);

	return caller_caps_of((s != NULL ? s : c->service)->options);
}

enum outcome
conn_limited(struct conn *c, enum caller_limit l, char *why, size_t cap)
{
	static const struct {
		enum outcome outcome;
		enum stat_cluster stat;
	} rows[] = {
		[CALLER_CONNECTIONS] = { OUT_CALLER_CONNECTIONS,
		    STAT_CALLER_LIMITED_CONNECTIONS },
		[CALLER_REQUESTS] = { OUT_CALLER_REQUESTS,
		    STAT_CALLER_LIMITED_REQUESTS },
		[CALLER_RATE] = { OUT_CALLER_RATE, STAT_CALLER_LIMITED_RATE },
		[CALLER_BYTES] = { OUT_CALLER_BYTES,
		    STAT_CALLER_LIMITED_BYTES },
	};
	const struct caller_caps caps = conn_caps(c);
	struct service *s = conn_newest_service(c);

	caller_limit_explain(c->use, l, &caps, why, cap);
	stat_inc(cluster_stats(clusters_get(
		     c->all->env.clusters, s != NULL ? s : c->service)),
	    rows[l].stat);
	return rows[l].outcome;
}

static enum next
keep_own(struct conn *c, const struct service *s)
{
	const struct caller_caps caps = caller_caps_of(s->options);
	enum caller_limit l;
	enum outcome o;
	char why[192];

	if (c->is_counted || !caller_caps_any(&caps))
		return GO;
	l = caller_connects(use_of(c), &caps);
	c->is_counted = l == CALLER_LIMIT_N;
	/* Requests can be told so, each by itself. */
	if (c->is_counted && !conn_asks_by_request(c) &&
	    !caller_has_bytes(c->use, &caps))
		l = CALLER_BYTES;
	if (l == CALLER_LIMIT_N)
		return GO;
	o = conn_limited(c, l, why, sizeof(why));
	return conn_finish(c, o, why);
}

/* Requests of those who may not are refused, each by itself. */
static bool
may_use(struct conn *c, const struct service *s)
{
	struct verdict v;

	authorize(s, wire_tls_identity(c->client), str_of(c->sni), &v);
	return v.is_allowed;
}

enum next
conn_keep_limits(struct conn *c)
{
	struct service *s = conn_newest_service(c);
	enum next next;

	if (s == NULL)
		return GO;
	next = keep_own(c, s);
	if (next != GO || s->traffic == NULL || s->traffic->n_rates == 0 ||
	    !may_use(c, s))
		return next;
	return keep_rate(c, s);
}

void
conn_join_limits(struct conn *c)
{
	const struct caller_caps caps = conn_caps(c);

	if (c->is_counted || !caller_caps_any(&caps))
		return;
	caller_has_connection(use_of(c));
	c->is_counted = true;
}

void
conn_leave_limits(struct conn *c)
{
	if (c->use == NULL)
		return;
	if (c->is_counted)
		caller_disconnects(c->use);
	caller_limits_let_go(c->all->env.callers, c->use);
}

bool
conn_moves(struct conn *c, uint64_t n)
{
	struct caller_caps caps;

	if (c->route != ROUTE_SERVE)
		return true;
	caps = conn_caps(c);
	return (c->use == NULL && !caller_caps_any(&caps)) ||
	       caller_moves(use_of(c), &caps, n);
}

enum caller_limit
conn_asks(struct conn *c, const struct caller_caps *caps)
{
	return caller_asks(use_of(c), caps);
}
