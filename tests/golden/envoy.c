/* SPDX-License-Identifier: Apache-2.0 */
/* Listeners and filter chains; see envoy.h. */

#include "envoy.h"

#include <stdlib.h>

#include "at.h"
#include "base/xalloc.h"
#include "envoy_cluster.h"
#include "envoy_traffic.h"
#include "lines.h"

#define MOST 256

/* Wherever they are in the document. */
struct found {
	struct at v[MOST];
	size_t n;
};

struct envoy {
	struct found chains;
	struct found clusters;
	struct found loads;
};

static void
keep(struct found *f, struct at a)
{
	if (f->n == MOST)
		abort();
	f->v[f->n++] = a;
}

static bool
is_type(struct at config, const char *type)
{
	return str_ends(
	    str_of(at_text(at_field(config, "@type"))), str_of(type));
}

static void
find_all(struct at a, struct envoy *e)
{
	struct at chains = at_field(a, "filterChains"), one;
	size_t i;

	for (i = 0; (one = at_item(chains, i)).node != NULL; i++)
		keep(&e->chains, one);
	if (is_type(a, "cluster.v3.Cluster"))
		keep(&e->clusters, a);
	if (is_type(a, ".ClusterLoadAssignment"))
		keep(&e->loads, a);
	for (i = 0; (one = at_item(a, i)).node != NULL; i++)
		find_all(one, e);
}

/* The one whose field has this value; node NULL: there is none. */
static struct at
pick(const struct found *f, const char *field, const char *value)
{
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(at_text(at_field(f->v[i], field)), value) == 0)
			return f->v[i];
	return (struct at){ .doc = NULL };
}

static void
add_principal(struct at p, struct text *out)
{
	struct at name = at_walk(p, "authenticated.principalName");
	struct at ids = at_walk(p, "andIds.ids"), one;
	struct lines l = LINES_NONE;
	struct text t = TEXT_EMPTY;

	if (at_field(p, "any").node != NULL)
		text_add_z(out, "any");
	text_add_z(out, at_text(at_field(name, "exact")));
	if (at_field(name, "prefix").node != NULL)
		text_addf(out, "%s*", at_text(at_field(name, "prefix")));
	if (at_field(p, "notId").node != NULL) {
		text_add_z(out, "not ");
		add_principal(at_field(p, "notId"), out);
	}
	for (size_t i = 0; (one = at_item(ids, i)).node != NULL; i++) {
		add_principal(one, &t);
		lines_add(&l, text_take(&t));
	}
	lines_join(&l, " and ", out);
}

static char *
principals_of(struct at rules)
{
	struct at policies = at_field(rules, "policies"), policy, p;
	struct lines l = LINES_NONE;
	struct text t = TEXT_EMPTY;
	size_t i, j;

	for (i = 0; (policy = at_item(policies, i)).node != NULL; i++)
		for (j = 0;
		     (p = at_item(at_field(policy, "principals"), j)).node !=
		     NULL;
		     j++) {
			add_principal(p, &t);
			lines_add(&l, text_take(&t));
		}
	if (l.n == 0)
		return xstrdup("nobody");
	lines_sort(&l);
	return lines_take(&l, ", ");
}

/* Nothing is allowed where a filter is without policies. */
static size_t
add_rbac(struct at filters, struct str name, struct facts *out)
{
	struct at f;
	size_t i, n = 0;

	for (i = 0; (f = at_item(filters, i)).node != NULL; i++) {
		f = at_field(f, "typedConfig");
		if (!is_type(f, ".RBAC"))
			continue;
		facts_add(
		    out, name, "allowed", principals_of(at_field(f, "rules")));
		if (at_field(f, "shadowRules").node != NULL)
			facts_add(out, name, "shadow-denied",
			    principals_of(at_field(f, "shadowRules")));
		n++;
	}
	return n;
}

static struct at
find_filter(struct at filters, const char *type)
{
	struct at f;
	size_t i;

	for (i = 0; (f = at_item(filters, i)).node != NULL; i++)
		if (is_type(at_field(f, "typedConfig"), type))
			return at_field(f, "typedConfig");
	return f;
}

/* What a ring or table goes by. */
static void
add_hash(struct at route, struct str name, struct facts *out)
{
	struct at policies = at_field(route, "hashPolicy"), p, key;
	struct lines l = LINES_NONE;
	struct text t = TEXT_EMPTY;

	for (size_t i = 0; (p = at_item(policies, i)).node != NULL; i++) {
		key = at_walk(p, "queryParameter.name");
		if (key.node != NULL)
			lines_add(&l,
			    xasprintf(strcmp(at_text(at_field(p, "terminal")),
					  "true") == 0
					  ? "\"query:%s terminal\""
					  : "query:%s",
				at_text(key)));
		else if (at_walk(p, "connectionProperties.sourceIp").node !=
			 NULL)
			lines_add(&l, xstrdup("source"));
		else
			lines_add(&l, xstrdup("?"));
	}
	if (l.n == 0)
		return;
	text_add_char(&t, '[');
	lines_join(&l, ",", &t);
	text_add_char(&t, ']');
	facts_add(out, name, "balance.hash", text_take(&t));
}

static void
describe_chain(
    const struct envoy *e, struct at chain, struct str name, struct facts *out)
{
	struct at filters = at_field(chain, "filters");
	struct at http = find_filter(filters, ".HttpConnectionManager");
	struct at route =
	    at_walk(http, "routeConfig.virtualHosts.0.routes.0.route");
	bool is_served = at_field(chain, "transportSocket").node != NULL;
	const char *cluster = at_text(
	    http.node != NULL
		? at_field(route, "cluster")
		: at_field(find_filter(filters, ".TcpProxy"), "cluster"));

	facts_add(out, name, "as",
	    xstrdup(!is_served          ? "relay"
		    : http.node != NULL ? "http"
					: "tcp"));
	if (add_rbac(filters, name, out) +
		    add_rbac(at_field(http, "httpFilters"), name, out) ==
		0 &&
	    is_served)
		facts_add(out, name, "allowed", xstrdup("unchecked"));
	add_hash(route, name, out);
	envoy_add_traffic(chain, name, out);
	envoy_add_cluster(pick(&e->clusters, "name", cluster),
	    pick(&e->loads, "clusterName", cluster), name, out);
}

static void
describe(const struct envoy *e, struct facts *out)
{
	struct at names, name;
	size_t i, k;

	for (i = 0; i < e->chains.n; i++) {
		names = at_walk(e->chains.v[i], "filterChainMatch.serverNames");
		for (k = 0; (name = at_item(names, k)).node != NULL; k++)
			describe_chain(
			    e, e->chains.v[i], str_of(at_text(name)), out);
	}
}

/* The resource of Kuma that is named so, and is a cluster. */
static struct at
find_named(struct at resources, const char *name)
{
	struct at r;
	size_t i;

	for (i = 0; (r = at_item(resources, i)).node != NULL; i++)
		if (strcmp(at_text(at_field(r, "name")), name) == 0 &&
		    is_type(at_field(r, "resource"), ".Cluster"))
			return at_field(r, "resource");
	return r;
}

bool
envoy_describe(
    struct str yaml, const struct envoy_cluster_of *of, struct facts *out)
{
	struct envoy *e = xcalloc(1, sizeof(*e));
	yaml_document_t doc;
	struct at root, cluster;
	bool is_good = at_parse(yaml, &doc, &root);

	if (is_good) {
		find_all(root, e);
		describe(e, out);
		for (; of != NULL && of->cluster != NULL; of++) {
			cluster = find_named(
			    at_field(root, "resources"), of->cluster);
			envoy_add_cluster(cluster,
			    pick(&e->loads, "clusterName", of->cluster),
			    str_of(of->name), out);
		}
		yaml_document_delete(&doc);
	}
	free(e);
	return is_good;
}
