/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rate of new connections that callers of a service have to keep to.  A
 * connection counts once, when it is known who calls and that they may; who
 * may not takes nothing away from the others.  A worker's thread.
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

enum next
conn_keep_rate(struct conn *c)
{
	const struct identity *id = wire_tls_identity(c->client);
	struct service *s = conn_newest_service(c);
	const struct rate_rule *r;
	struct cluster *cluster;
	struct verdict v;

	if (c->has_kept_rate || s == NULL)
		return GO;
	r = traffic_rate(s->traffic, RATE_OF_CONNECTIONS, id);
	if (r == NULL)
		return GO;
	/* Its requests will be refused, each by itself. */
	authorize(s, id, str_of(c->sni), &v);
	if (!v.is_allowed)
		return GO;
	c->has_kept_rate = true;
	cluster = clusters_get(c->all->env.clusters, s);
	if (cluster_admits(cluster, r))
		return GO;
	stat_inc(cluster_stats(cluster), STAT_CX_RATE_LIMITED);
	return refuse(c, r);
}
