/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Life of services, endpoints and rules, and the choice that MATCH makes.
 * How they come to be is in service_seal.c and compile_*.c.  Any thread may
 * read them, and take and drop references.
 */

#include "policy/service.h"

const char *
protocol_name(enum protocol p)
{
	switch (p) {
	case PROTO_TCP:
		return "tcp";
	case PROTO_KAFKA:
		return "kafka";
	case PROTO_HTTP:
		return "http";
	case PROTO_HTTP2:
		return "http2";
	case PROTO_GRPC:
		return "grpc";
	}
	return "?";
}

bool
protocol_is_http(enum protocol p)
{
	switch (p) {
	case PROTO_TCP:
	case PROTO_KAFKA:
		return false;
	case PROTO_HTTP:
	case PROTO_HTTP2:
	case PROTO_GRPC:
		return true;
	}
	return false;
}

/* The object lies in its own arena: take that out before it goes. */
static void
free_with(struct arena arena)
{
	arena_fini(&arena);
}

struct rule_block *
rule_block_ref(struct rule_block *b)
{
	ref_up(&b->ref);
	return b;
}

void
rule_block_unref(struct rule_block *b)
{
	if (b != NULL && ref_down(&b->ref))
		free_with(b->arena);
}

bool
endpoint_is_unix(const struct endpoint *e)
{
	return str_starts(e->host, STR("/"));
}

void
endpoint_print_place(const struct endpoint *e, struct text *out)
{
	if (endpoint_is_unix(e))
		text_add(out, e->host);
	else
		text_addf(out,
		    str_index(e->host, ':') != -1 ? "[%.*s]:%u" : "%.*s:%u",
		    STR_ARG(e->host), (unsigned)e->port);
}

struct endpoint *
endpoint_ref(struct endpoint *e)
{
	ref_up(&e->ref);
	return e;
}

void
endpoint_unref(struct endpoint *e)
{
	if (e == NULL || !ref_down(&e->ref))
		return;
	tls_spec_unref(e->tls);
	free_with(e->arena);
}

struct service *
service_ref(struct service *s)
{
	ref_up(&s->ref);
	return s;
}

void
service_unref(struct service *s)
{
	size_t i;

	if (s == NULL || !ref_down(&s->ref))
		return;
	for (i = 0; i < s->n_local; i++)
		endpoint_unref(s->local[i].endpoint);
	for (i = 0; i < s->n_remote; i++)
		endpoint_unref(s->remote[i].endpoint);
	for (i = 0; i < s->n_rulesets; i++)
		rule_block_unref(s->rulesets[i].block);
	service_options_unref(s->options);
	traffic_policy_unref(s->traffic);
	free_with(s->arena);
}

bool
service_has_requests(const struct service *s)
{
	return s->n_local > 0 && protocol_is_http(s->protocol);
}

uint64_t
mask_below(size_t n)
{
	return n < 64 ? (UINT64_C(1) << n) - 1 : UINT64_MAX;
}

/* A longer one is the name of no service. */
#define SNI_MAX 255

static const struct sni_scope *
find_scope(const struct service *s, struct str sni)
{
	size_t low = 0, high = s->n_snis, mid;
	char folded[SNI_MAX];
	int order;

	if (sni.len == 0 || sni.len > sizeof(folded))
		return NULL;
	memcpy(folded, sni.p, sni.len);
	ascii_lower(folded, sni.len);
	sni.p = folded;
	while (low < high) {
		mid = low + (high - low) / 2;
		order = str_cmp(s->snis[mid], sni);
		if (order == 0)
			return &s->scopes[mid];
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

struct sni_scope
service_scope(const struct service *s, struct str sni)
{
	const struct sni_scope all = { UINT64_MAX, UINT64_MAX };
	const struct sni_scope none = { 0, 0 };
	const struct sni_scope *found;

	if (s->scopes == NULL)
		return all;
	found = find_scope(s, sni);
	return found != NULL ? *found : none;
}

/* The endpoints of a list that are in scope. */
struct within {
	uint64_t weight;
	size_t n;
	size_t n_zoned;
};

static struct within
count_within(const struct service_endpoint *v, size_t n, uint64_t scope)
{
	struct within w = { .n = 0 };
	size_t i;

	for (i = 0; i < n; i++) {
		if ((scope >> v[i].ruleset & 1) == 0)
			continue;
		w.n++;
		w.n_zoned += v[i].is_zoned;
		w.weight += v[i].endpoint->weight;
	}
	return w;
}

static enum route
route_nowhere(const struct service *s)
{
	return s->n_local + s->n_remote > 0 ? ROUTE_NO_SUBSET
					    : ROUTE_NO_ENDPOINT;
}

static enum route
route_remote_caller(const struct service *s, const struct within *local,
    const struct within *remote)
{
	if (local->n_zoned > 0)
		return ROUTE_SERVE;
	if (remote->n > 0 || s->unreachable_zone.len > 0)
		return ROUTE_THIRD_ZONE;
	return local->n > 0 ? ROUTE_NOT_ZONED : route_nowhere(s);
}

static enum route
route_shared(const struct service *s, const struct within *local,
    const struct within *remote, bool local_is_live, uint64_t dice)
{
	uint64_t all = local->weight + remote->weight;

	if (s->is_locality_aware)
		return local_is_live ? ROUTE_SERVE : ROUTE_RELAY;
	/* A feed may give no weight at all. */
	if (all == 0)
		return ROUTE_SERVE;
	return dice % all < local->weight ? ROUTE_SERVE : ROUTE_RELAY;
}

enum route
service_route(const struct service *s, struct sni_scope scope,
    bool caller_is_remote, bool local_is_live, uint64_t dice)
{
	const struct within local =
	    count_within(s->local, s->n_local, scope.rulesets);
	const struct within remote =
	    count_within(s->remote, s->n_remote, scope.relays);

	if (caller_is_remote)
		return route_remote_caller(s, &local, &remote);
	if (local.n > 0 && remote.n > 0)
		return route_shared(s, &local, &remote, local_is_live, dice);
	if (local.n > 0)
		return ROUTE_SERVE;
	if (remote.n > 0)
		return ROUTE_RELAY;
	return s->unreachable_zone.len > 0 ? ROUTE_NO_INGRESS
					   : route_nowhere(s);
}
