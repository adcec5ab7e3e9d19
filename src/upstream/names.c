/* SPDX-License-Identifier: Apache-2.0 */
/* What services.resolvers and services.srv say of an endpoint's name. */

#include "upstream/names.h"

#include "net/dns_sets.h"
#include "upstream/cluster_state.h"

/* NULL: there are servers, and none of them can be asked. */
static struct dns *
dns_of(const struct cluster *c, bool is_relay)
{
	const struct str_list *resolvers = &c->service->options->resolvers;
	const struct upstream_env *env = cluster_env(c);

	if (env->dns_sets == NULL || resolvers->n == 0 || is_relay)
		return env->dns;
	return dns_sets_get(env->dns_sets, resolvers->v, resolvers->n);
}

bool
names_are_ordered(const struct cluster *c, bool is_relay)
{
	const struct service_options *o = c->service->options;

	/* A wildcard's names are hosts, all on the port of its resource. */
	return !is_relay && o->srv && o->wildcard.len == 0;
}

bool
names_lookup(const struct cluster *c, const struct endpoint *e, bool is_relay,
    struct dns_wait *w, void (*fn)(void *arg, const struct dns_answer *a),
    void *arg, struct dns_answer *now)
{
	struct dns *d = dns_of(c, is_relay);

	*w = (struct dns_wait){ .fn = NULL };
	*now = (struct dns_answer){ .status = DNS_FAILED };
	if (d == NULL)
		return true;
	if (names_are_ordered(c, is_relay))
		return dns_lookup_srv(d, e->host, w, fn, arg, now);
	return dns_lookup(d, e->host, w, fn, arg, now);
}

bool
names_cached(const struct cluster *c, const struct endpoint *e, bool is_relay,
    struct dns_answer *now)
{
	struct dns *d = dns_of(c, is_relay);

	if (d == NULL)
		return false;
	if (names_are_ordered(c, is_relay))
		return dns_cached_srv(d, e->host, now);
	return dns_cached(d, e->host, now);
}
