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

static enum route
route_remote_caller(const struct service *s)
{
	size_t i;

	for (i = 0; i < s->n_local; i++)
		if (s->local[i].is_zoned)
			return ROUTE_SERVE;
	if (s->n_remote > 0 || s->unreachable_zone.len > 0)
		return ROUTE_THIRD_ZONE;
	return s->n_local > 0 ? ROUTE_NOT_ZONED : ROUTE_NO_ENDPOINT;
}

static uint64_t
weight_of(const struct service_endpoint *v, size_t n)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < n; i++)
		sum += v[i].endpoint->weight;
	return sum;
}

static enum route
route_shared(const struct service *s, bool local_is_live, uint64_t dice)
{
	uint64_t local, all;

	if (s->is_locality_aware)
		return local_is_live ? ROUTE_SERVE : ROUTE_RELAY;
	local = weight_of(s->local, s->n_local);
	all = local + weight_of(s->remote, s->n_remote);
	/* A feed may give no weight at all. */
	if (all == 0)
		return ROUTE_SERVE;
	return dice % all < local ? ROUTE_SERVE : ROUTE_RELAY;
}

enum route
service_route(const struct service *s, bool caller_is_remote,
    bool local_is_live, uint64_t dice)
{
	if (caller_is_remote)
		return route_remote_caller(s);
	if (s->n_local > 0 && s->n_remote > 0)
		return route_shared(s, local_is_live, dice);
	if (s->n_local > 0)
		return ROUTE_SERVE;
	if (s->n_remote > 0)
		return ROUTE_RELAY;
	return s->unreachable_zone.len > 0 ? ROUTE_NO_INGRESS
					   : ROUTE_NO_ENDPOINT;
}
