/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a request that is permitted may still run into: the rate that its
 * callers have to keep to.  A worker's thread.
 */

#include <stdio.h>

#include "conn/exchange_step.h"
#include "policy/traffic.h"
#include "upstream/rates.h"

/* As of the egress that we stand in for: no success is made of a refusal. */
static uint16_t
status_of(const struct rate_rule *r)
{
	return r->status >= 400 && r->status <= 599 ? (uint16_t)r->status : 0;
}

static enum next
refuse(struct exchange *x, const struct rate_rule *r)
{
	char why[96];

	(void)snprintf(why, sizeof(why), "more than %llu requests in %u ms",
	    (unsigned long long)r->num, r->interval_ms);
	x->verdict.rule = r->origin;
	x->worded.status = status_of(r);
	x->worded.headers = r->headers;
	x->worded.n_headers = r->n_headers;
	return exchange_answer(x, OUT_RATE_LIMITED, why, true);
}

enum next
exchange_keep_rate(struct exchange *x)
{
	const struct rate_rule *r = traffic_rate(x->service->traffic,
	    RATE_OF_REQUESTS, wire_tls_identity(x->conn->client));
	struct stats_set *stats = cluster_stats(x->cluster);

	if (r == NULL)
		return GO;
	stat_inc(stats, STAT_RATE_ENABLED);
	if (cluster_admits(x->cluster, r)) {
		stat_inc(stats, STAT_RATE_OK);
		return GO;
	}
	stat_inc(stats, STAT_RATE_LIMITED);
	stat_inc(stats, STAT_RATE_ENFORCED);
	return refuse(x, r);
}
