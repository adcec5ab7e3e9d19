/* SPDX-License-Identifier: Apache-2.0 */
/* One line a server name, from Envoy's YAML and from a snapshot. */

#include "envoy.h"

#include <stdlib.h>
#include <yaml.h>

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

/* A node and the document it is of. */
struct at {
	yaml_document_t *doc;
	yaml_node_t *node;
};

static const char *
scalar(struct at a)
{
	if (a.node == NULL || a.node->type != YAML_SCALAR_NODE)
		return "";
	return (const char *)a.node->data.scalar.value;
}

static struct at
field(struct at a, const char *key)
{
	struct at none = { .doc = a.doc }, k = { .doc = a.doc };
	yaml_node_pair_t *p;

	if (a.node == NULL || a.node->type != YAML_MAPPING_NODE)
		return none;
	for (p = a.node->data.mapping.pairs.start;
	     p < a.node->data.mapping.pairs.top; p++) {
		k.node = yaml_document_get_node(a.doc, p->key);
		if (strcmp(scalar(k), key) != 0)
			continue;
		none.node = yaml_document_get_node(a.doc, p->value);
		return none;
	}
	return none;
}

/* The i-th item of a list, or value of a map; node NULL behind the end. */
static struct at
item(struct at a, size_t i)
{
	struct at got = { .doc = a.doc };
	yaml_node_item_t *v;
	yaml_node_pair_t *p;

	if (a.node == NULL)
		return got;
	if (a.node->type == YAML_SEQUENCE_NODE) {
		v = a.node->data.sequence.items.start + i;
		if (v < a.node->data.sequence.items.top)
			got.node = yaml_document_get_node(a.doc, *v);
	} else if (a.node->type == YAML_MAPPING_NODE) {
		p = a.node->data.mapping.pairs.start + i;
		if (p < a.node->data.mapping.pairs.top)
			got.node = yaml_document_get_node(a.doc, p->value);
	}
	return got;
}

/* a.b.c; a number picks an item. */
static struct at
walk(struct at a, const char *path)
{
	char *copy = xstrdup(path), *rest = copy, *word;

	while ((word = strsep(&rest, ".")) != NULL)
		a = word[0] >= '0' && word[0] <= '9'
			? item(a, strtoul(word, NULL, 10))
			: field(a, word);
	free(copy);
	return a;
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

	for (i = 0; (r = item(resources, i)).node != NULL; i++)
		if (ends(scalar(walk(r, "resource.@type")), type) &&
		    strcmp(scalar(field(r, "name")), name) == 0)
			return field(r, "resource");
	return r;
}

static void
add_endpoints(struct at groups, struct lines *to)
{
	struct at group, e;
	size_t i, j;

	for (i = 0; (group = item(groups, i)).node != NULL; i++)
		for (j = 0;
		     (e = item(field(group, "lbEndpoints"), j)).node != NULL;
		     j++)
			add(to,
			    xasprintf("%s:%s*%s",
				scalar(walk(e, "endpoint.address.socketAddress"
					       ".address")),
				scalar(walk(e, "endpoint.address.socketAddress"
					       ".portValue")),
				scalar(field(e, "loadBalancingWeight"))));
}

static void
describe_cluster(struct at resources, const char *name, struct text *out)
{
	struct at cluster = find(resources, ".Cluster", name);
	struct at tls = walk(
	    cluster, "transportSocketMatches.0.transportSocket.typedConfig");
	struct at context = walk(tls, "commonTlsContext.validationContext");
	struct lines l = { .n = 0 };

	if (strcmp(scalar(field(cluster, "type")), "EDS") == 0)
		add_endpoints(
		    field(find(resources, ".ClusterLoadAssignment", name),
			"endpoints"),
		    &l);
	else
		add_endpoints(walk(cluster, "loadAssignment.endpoints"), &l);
	text_add_z(out, " endpoints=");
	join(&l, ",", out);
	if (tls.node != NULL)
		text_addf(out, " tls=sni:%s,ca:%s,name:%s",
		    scalar(field(tls, "sni")),
		    field(context, "trustedCa").node != NULL ? "given" : "none",
		    scalar(walk(
			context, "matchTypedSubjectAltNames.0.matcher.exact")));
}

/* Nothing is allowed when there is an RBAC filter without policies. */
static void
describe_rbac(struct at rules, struct text *out)
{
	struct lines l = { .n = 0 };
	struct at policy, p;
	size_t i, j;

	for (i = 0; (policy = item(field(rules, "policies"), i)).node != NULL;
	     i++)
		for (j = 0;
		     (p = item(field(policy, "principals"), j)).node != NULL;
		     j++)
			add(&l, xstrdup(field(p, "any").node != NULL
					    ? "any"
					    : scalar(walk(p, "authenticated"
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

	for (i = 0; (f = item(filters, i)).node != NULL; i++)
		if (ends(scalar(walk(f, "typedConfig.@type")), type))
			return field(f, "typedConfig");
	return f;
}

static char *
describe_chain(struct at resources, struct at chain, const char *sni)
{
	struct at filters = field(chain, "filters");
	struct at http = find_filter(filters, ".HttpConnectionManager");
	struct at rbac = find_filter(filters, ".RBAC");
	struct text out = TEXT_EMPTY;
	const char *cluster;

	if (rbac.node == NULL)
		rbac = find_filter(field(http, "httpFilters"), ".RBAC");
	cluster =
	    scalar(http.node != NULL
		       ? walk(http, "routeConfig.virtualHosts.0.routes.0"
				    ".route.cluster")
		       : field(find_filter(filters, ".TcpProxy"), "cluster"));
	text_add_z(&out, sni);
	if (field(chain, "transportSocket").node == NULL) {
		text_add_z(&out, " relay");
	} else {
		text_add_z(&out, http.node != NULL ? " http" : " tcp");
		describe_rbac(field(rbac, "rules"), &out);
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

	for (i = 0; (r = item(resources, i)).node != NULL; i++) {
		r = field(r, "resource");
		if (!ends(scalar(field(r, "@type")), ".Listener"))
			continue;
		for (j = 0;
		     (chain = item(field(r, "filterChains"), j)).node != NULL;
		     j++)
			for (k = 0; (name = item(walk(chain, "filterChainMatch"
							     ".serverNames"),
					 k))
					.node != NULL;
			     k++)
				add(to, describe_chain(
					    resources, chain, scalar(name)));
	}
}

bool
envoy_describe(struct str yaml, struct text *out)
{
	struct lines l = { .n = 0 };
	yaml_document_t doc;
	yaml_parser_t parser;
	struct at root = { .doc = &doc };
	bool is_good;

	yaml_parser_initialize(&parser);
	yaml_parser_set_input_string(
	    &parser, (const unsigned char *)yaml.p, yaml.len);
	is_good = yaml_parser_load(&parser, &doc) == 1;
	if (is_good) {
		root.node = yaml_document_get_root_node(&doc);
		describe_listeners(field(root, "resources"), &l);
		join(&l, "", out);
		yaml_document_delete(&doc);
	}
	yaml_parser_delete(&parser);
	return is_good;
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
