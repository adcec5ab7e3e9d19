/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which version of HTTP is spoken on a connection that was just reached, and
 * what connections have in common whatever they speak.
 */

#include "upstream/back.h"

#include "upstream/cluster_state.h"
#include "upstream/h1_back.h"
#include "upstream/h2_back.h"
#include "upstream/proxy_protocol.h"

void
back_init(struct back *b, const struct back_ops *ops, struct reached *r)
{
	*b = (struct back){
		.ops = ops,
		.guard = r->guard,
		.proxy_header = proxy_header_ref(r->proxy_header),
		.wire = r->wire,
		.addr = r->addr,
		.has_tls = r->has_tls,
		.tls = r->tls,
		.dns_us = r->dns_us,
		.connect_us = r->connect_us,
	};
	r->wire = NULL;
	if (b->proxy_header != NULL)
		TAILQ_INSERT_HEAD(&b->proxy_header->backs, b, in_header);
}

void
back_fini(struct back *b)
{
	if (b->proxy_header != NULL)
		TAILQ_REMOVE(&b->proxy_header->backs, b, in_header);
	proxy_header_unref(b->proxy_header);
	b->proxy_header = NULL;
	cluster_guard_release(&b->guard);
}

static bool
is_http2(const struct reached *r)
{
	switch (r->guard.cluster->service->protocol) {
	case PROTO_TCP:
	case PROTO_KAFKA:
	case PROTO_HTTP:
		return false;
	case PROTO_HTTP2:
	case PROTO_GRPC:
		break;
	}
	/* Offered only where the configuration lets it fall back. */
	return !r->has_tls || !str_eq(r->tls.alpn, STR("http/1.1"));
}

struct back *
back_new(struct reached *r)
{
	struct cluster *c = r->guard.cluster;

	if (is_http2(r)) {
		stat_inc(cluster_set(c), STAT_UPSTREAM_CX_HTTP2);
		return h2_back_new(r, cluster_env(c)->http, cluster_env(c)->h2,
		    r->guard.endpoint->streams);
	}
	stat_inc(cluster_set(c), STAT_UPSTREAM_CX_HTTP1);
	r->guard.endpoint->streams = 1;
	return h1_back_new(r, cluster_env(c)->http);
}
