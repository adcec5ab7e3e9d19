/* SPDX-License-Identifier: Apache-2.0 */
/* One line a server name, from Envoy's YAML and from a snapshot. */

#include "envoy.h"

#include <stdlib.h>

#include "at.h"
#include "base/xalloc.h"
#include "policy/snapshot.h"

#define MOST_LINES 64

struct lines {
	char *v[MOST_LINES];
	size_t n;
};

static int
compare(const void *a, const void *b)
{
	char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

/* Sorted, joined by the separator; they are freed. */
static void
join(struct lines *l, const char *separator, struct text *out)
{
	size_t i;

	qsort(l->v, l->n, sizeof(*l->v), compare);
	for (i = 0; i < l->n; i++) {
		text_add_z(out, i > 0 ? separator : "");
		text_add_z(out, l->v[i]);
		free(l->v[i]);
	}
	l->n = 0;
}

static void
add(struct lines *l, char *line)
{
	if (l->n == MOST_LINES)
		abort();
	l->v[l->n++] = line;
}

static bool
ends(const char *s, const char *with)
{
	return str_ends(str_of(s), str_of(with));
}

/* The resource of this type and name. */
static struct at
find(struct at resources, const char *type, const char *name)
{
	struct at r;
	size_t i;

	for (i = 0; (r = at_item(resources, i)).node != NULL; i++)
		if (ends(at_text(at_walk(r, "resource.@type")), type) &&
		    strcmp(at_text(at_field(r, "name")), name) == 0)
			return at_field(r, "resource");
	return r;
}

static void
add_endpoints(struct at groups, struct lines *to)
{
	struct at group, e;
	size_t i, j;

	for (i = 0; (group = at_item(groups, i)).node != NULL; i++)
		for (j = 0;
		     (e = at_item(at_field(group, "lbEndpoints"), j)).node !=
		     NULL;
		     j++)
			add(to,
			    xasprintf("%s:%s*%s",
				at_text(
				    at_walk(e, "endpoint.address.socketAddress"
					       ".address")),
				at_text(
				    at_walk(e, "endpoint.address.socketAddress"
					       ".portValue")),
				at_text(at_field(e, "loadBalancingWeight"))));
}

static void
describe_cluster(struct at resources, const char *name, struct text *out)
{
	struct at cluster = find(resources, ".Cluster", name);
	struct at tls = at_walk(
	    cluster, "transportSocketMatches.0.transportSocket.typedConfig");
	struct at context = at_walk(tls, "commonTlsContext.validationContext");
	struct lines l = { .n = 0 };

	if (strcmp(at_text(at_field(cluster, "type")), "EDS") == 0)
		add_endpoints(
		    at_field(find(resources, ".ClusterLoadAssignment", name),
			"endpoints"),
		    &l);
	else
		add_endpoints(at_walk(cluster, "loadAssignment.endpoints"), &l);
	text_add_z(out, " endpoints=");
	join(&l, ",", out);
	if (tls.node != NULL)
		text_addf(out, " tls=sni:%s,ca:%s,name:%s",
		    at_text(at_field(tls, "sni")),
		    at_field(context, "trustedCa").node != NULL ? "given"
								: "none",
		    at_text(at_walk(
			context, "matchTypedSubjectAltNames.0.matcher.exact")));
}

/* Nothing is allowed when there is an RBAC filter without policies. */
static void
describe_rbac(struct at rules, struct text *out)
{
	struct lines l = { .n = 0 };
	struct at policy, p;
	size_t i, j;

	for (i = 0;
	     (policy = at_item(at_field(rules, "policies"), i)).node != NULL;
	     i++)
		for (j = 0;
		     (p = at_item(at_field(policy, "principals"), j)).node !=
		     NULL;
		     j++)
			add(&l,
			    xstrdup(at_field(p, "any").node != NULL
					? "any"
					: at_text(at_walk(p, "authenticated"
							     ".principalName"
							     ".exact"))));
	text_add_z(out, " allowed=");
	if (l.n == 0)
		text_add_z(out, "nobody");
	join(&l, ",", out);
}

static struct at
find_filter(struct at filters, const char *type)
{
	struct at f;
	size_t i;

	for (i = 0; (f = at_item(filters, i)).node != NULL; i++)
		if (ends(at_text(at_walk(f, "typedConfig.@type")), type))
			return at_field(f, "typedConfig");
	return f;
}

static char *
describe_chain(struct at resources, struct at chain, const char *sni)
{
	struct at filters = at_field(chain, "filters");
	struct at http = find_filter(filters, ".HttpConnectionManager");
	struct at rbac = find_filter(filters, ".RBAC");
	struct text out = TEXT_EMPTY;
	const char *cluster;

	if (rbac.node == NULL)
		rbac = find_filter(at_field(http, "httpFilters"), ".RBAC");
	cluster = at_text(
	    http.node != NULL
		? at_walk(http, "routeConfig.virtualHosts.0.routes.0"
				".route.cluster")
		: at_field(find_filter(filters, ".TcpProxy"), "cluster"));
	text_add_z(&out, sni);
	if (at_field(chain, "transportSocket").node == NULL) {
		text_add_z(&out, " relay");
	} else {
		text_add_z(&out, http.node != NULL ? " http" : " tcp");
		describe_rbac(at_field(rbac, "rules"), &out);
	}
	describe_cluster(resources, cluster, &out);
	text_add_char(&out, '\n');
	return text_take(&out);
}

static void
describe_listeners(struct at resources, struct lines *to)
{
	struct at r, chain, name;
	size_t i, j, k;

	for (i = 0; (r = at_item(resources, i)).node != NULL; i++) {
		r = at_field(r, "resource");
		if (!ends(at_text(at_field(r, "@type")), ".Listener"))
			continue;
		for (j = 0;
		     (chain = at_item(at_field(r, "filterChains"), j)).node !=
		     NULL;
		     j++)
			for (k = 0;
			     (name = at_item(at_walk(chain, "filterChainMatch"
							    ".serverNames"),
				  k))
				 .node != NULL;
			     k++)
				add(to, describe_chain(
					    resources, chain, at_text(name)));
	}
}

bool
envoy_describe(struct str yaml, struct text *out)
{
	struct lines l = { .n = 0 };
	yaml_document_t doc;
	struct at root;

	if (!at_parse(yaml, &doc, &root))
		return false;
	describe_listeners(at_field(root, "resources"), &l);
	join(&l, "", out);
	yaml_document_delete(&doc);
	return true;
}

static void
describe_endpoints(const struct service_endpoint *v, size_t n, struct lines *to)
{
	const struct endpoint *e;
	size_t i;

	for (i = 0; i < n; i++) {
		e = v[i].endpoint;
		add(to, xasprintf("%.*s:%u*%u", STR_ARG(e->host), e->port,
			    e->weight));
	}
}

static void
describe_rules(const struct service *s, struct text *out)
{
	const struct ruleset *set = &s->rulesets[0];
	struct lines l = { .n = 0 };
	const struct rule *rule;
	size_t i, j;

	for (i = 0; i < set->n_rules; i++) {
		rule = &set->rules[i];
		if (rule->effect == RULE_DENY)
			continue;
		for (j = 0; j < rule->n_principals; j++)
			add(&l,
			    rule->principals[j].n_tests == 0
				? xstrdup("any")
				: str_dup(rule->principals[j].tests[0].uri));
	}
	text_add_z(out, " allowed=");
	if (l.n == 0)
		text_add_z(out, "nobody");
	join(&l, ",", out);
}

static char *
describe_name(const struct service *s, struct str sni)
{
	const struct tls_spec *tls =
	    s->n_local > 0 ? s->local[0].endpoint->tls : NULL;
	struct text out = TEXT_EMPTY;
	struct lines l = { .n = 0 };

	text_add(&out, sni);
	if (s->n_local == 0) {
		text_add_z(&out, " relay");
		describe_endpoints(s->remote, s->n_remote, &l);
	} else {
		text_add_z(
		    &out, protocol_is_http(s->protocol) ? " http" : " tcp");
		describe_rules(s, &out);
		describe_endpoints(s->local, s->n_local, &l);
	}
	text_add_z(&out, " endpoints=");
	join(&l, ",", &out);
	if (tls != NULL)
		text_addf(&out, " tls=sni:%.*s,ca:%s,name:%.*s",
		    STR_ARG(tls->sni), tls->ca != NULL ? "given" : "none",
		    STR_ARG(tls->n_names > 0 ? tls->names[0].value : STR_NONE));
	text_add_char(&out, '\n');
	return text_take(&out);
}

void
snapshot_describe(const struct snapshot *s, struct text *out)
{
	struct lines l = { .n = 0 };
	struct service *const *v;
	size_t i, j, n;

	v = snapshot_services(s, &n);
	for (i = 0; i < n; i++)
		for (j = 0; j < v[i]->n_snis; j++)
			add(&l, describe_name(v[i], v[i]->snis[j]));
	join(&l, "", out);
}
