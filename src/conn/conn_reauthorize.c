/* SPDX-License-Identifier: Apache-2.0 */
/*
 * After a reload: may what is open go on, by the newest rules?  A connection
 * that carries bytes ends if not; of one that carries requests the front asks
 * each of them.  A worker's thread.
 */

#include "conn/front.h"
#include "policy/endpoint_named.h"
#include "policy/wildcard.h"
#include "upstream/rule_counts.h"

/* The endpoint in use must be one that the caller may still have. */
static bool
may_keep_endpoint(const struct conn *c, const struct service *s,
    const struct verdict *v, struct str key)
{
	for (size_t i = 0; i < s->n_local; i++)
		if (str_eq(s->local[i].endpoint->key, key))
			return (s->local[i].is_zoned || !c->is_remote) &&
			       (v->kept_rulesets >> s->local[i].ruleset & 1) !=
				   0;
	return false;
}

/* Of a wildcard service only names that it still is for. */
static bool
may_keep_name(
    const struct service *had, const struct service *s, struct str name)
{
	char room[WILDCARD_NAME_MAX + 1];

	return had->options->wildcard.len == 0 || name.len == 0 ||
	       wildcard_name(s->options->wildcard, name, room) == WILDCARD_FITS;
}

bool
conn_may_go_on(struct conn *c, const struct service *had,
    struct str endpoint_key, struct str name, struct verdict *v)
{
	struct service *newest = conn_newest_service(c);

	if (had->options->wildcard.len > 0)
		endpoint_key = endpoint_named_resource(endpoint_key);
	*v = (struct verdict){ .rule = STR_NONE };
	if (newest == had)
		return true;
	if (newest == NULL)
		return false;
	authorize(newest, wire_tls_identity(c->client), str_of(c->sni), v);
	return v->is_allowed && may_keep_name(had, newest, name) &&
	       (endpoint_key.len == 0 ||
		   may_keep_endpoint(c, newest, v, endpoint_key));
}

/* From now on it is there only because of report mode. */
static void
note_report(struct conn *c, const struct verdict *v)
{
	if (!v->is_reported || c->would_rule != NULL)
		return;
	conn_keep_verdict(c, v);
	conn_count_verdict(
	    clusters_get(c->all->env.clusters, conn_newest_service(c)), v);
}

void
conn_count_revoked(struct conn *c, const struct verdict *v, bool is_request)
{
	struct service *newest = conn_newest_service(c);

	revoked_add(&c->all->revoked, c->service->key,
	    newest == NULL  ? STR("the service is gone")
	    : v->is_allowed ? STR("it may go elsewhere only")
			    : v->rule,
	    !is_request, is_request);
	if (newest != NULL && !v->is_allowed && !v->has_no_subset)
		cluster_count_rule(clusters_get(c->all->env.clusters, newest),
		    v->rule_number, STAT_RULE_REVOKED);
}

unsigned
conn_reauthorize(struct conn *c)
{
	struct verdict v;
	unsigned asked = 1;
	bool is_gone;

	if (c->stage <= AUTHORIZE || c->route != ROUTE_SERVE)
		return asked;
	conn_join_limits(c);
	if (c->front != NULL) {
		asked += c->front->open;
		c->front->ops->reauthorize(c->front);
		return asked;
	}
	if (conn_asks_by_request(c))
		return asked;
	if (conn_may_go_on(c, c->service,
		c->server.wire == NULL ? STR_NONE
				       : str_of(c->server.endpoint_key),
		str_of(c->inner_sni), &v)) {
		note_report(c, &v);
		return asked;
	}
	is_gone = conn_newest_service(c) == NULL;
	if (!is_gone)
		conn_keep_verdict(c, &v);
	conn_count_revoked(c, &v, false);
	conn_end(c, OUT_REVOKED, is_gone ? "the service is gone" : NULL);
	return asked;
}
