/* SPDX-License-Identifier: Apache-2.0 */
/*
 * LEASE: a stream to the service, on a connection that is there or a new one,
 * and the head of the request on it.  A worker's thread.
 */

#include "conn/exchange_step.h"
#include "conn/hash_by.h"

static void
on_ready(void *arg)
{
	struct exchange *x = arg;

	x->host->wake(x);
}

static void
on_leased(void *arg)
{
	struct exchange *x = arg;

	x->is_leased = true;
	x->host->wake(x);
}

/* The server's own name, for whoever it thinks it is (Kuma section 5.2). */
static struct str
host_for_server(const struct exchange *x)
{
	const struct service_options *options = x->service->options;
	const struct endpoint *e = x->lease.endpoint;

	/* It names the server already, and signatures may cover it. */
	if (options->wildcard.len > 0)
		return x->authority;
	switch (options->host) {
	case HOST_ENDPOINT:
		return e->host_is_address
			   ? x->authority
			   : service_options_domain(options, e->host);
	case HOST_KEEP:
		return x->authority;
	case HOST_NAMED:
		return options->host_name;
	}
	return x->authority;
}

/* OK: the request may be pushed. */
static enum outcome
prepare_upgrade(struct exchange *x, const char **why)
{
	const struct stream *back = x->lease.stream;

	*why = NULL;
	if (x->tunnel == TUNNEL_NONE)
		return OUT_OK;
	*why = "the server's HTTP/2 is without extended CONNECT";
	if (back->upgrades == UPGRADES_REFUSED)
		return OUT_UPGRADE_FAILED;
	switch (upgrade_prepare(
	    &x->upgrade, x->request, x->front->version, back->version)) {
	case UPGRADE_READY:
		return OUT_OK;
	case UPGRADE_BAD:
		*why = "not the way to ask for this upgrade";
		return OUT_REQUEST_BAD;
	case UPGRADE_IMPOSSIBLE:
		break;
	}
	*why = "not possible over the server's version of HTTP";
	return OUT_UPGRADE_FAILED;
}

static void
send_head(struct exchange *x)
{
	struct stream *back = x->lease.stream;
	struct stats_set *stats = cluster_stats(x->cluster);
	struct head *q = x->request;
	bool is_end;

	q->authority = host_for_server(x);
	q->scheme = x->lease.has_tls ? STR("https") : STR("http");
	is_end = !head_has_body(q);
	stat_inc(stats, STAT_UPSTREAM_RQ_TOTAL);
	stat_inc(stats, STAT_UPSTREAM_RQ_ACTIVE);
	x->is_sent = true;
	back->ops->push_head(back, q, is_end);
	x->request_done = is_end;
}

void
exchange_give_back(struct exchange *x, bool is_whole)
{
	if (!x->has_lease)
		return;
	if (x->is_sent)
		stat_dec(cluster_stats(x->cluster), STAT_UPSTREAM_RQ_ACTIVE);
	lease_end(&x->lease, is_whole);
	x->has_lease = x->is_leased = x->is_sent = false;
}

static enum next
use_lease(struct exchange *x)
{
	struct stream *back = x->lease.stream;
	const char *why;
	enum outcome o;

	back->on_ready = on_ready;
	back->arg = x;
	back->is_slow = x->pace.bytes_per_s > 0;
	if (back->error != STREAM_OK)
		return exchange_server_failed(x);
	if (x->tunnel != TUNNEL_NONE && back->upgrades == UPGRADES_UNKNOWN)
		return WAIT; /* for what the server says of itself */
	o = prepare_upgrade(x, &why);
	if (o != OUT_OK)
		return exchange_answer(x, o, why, o != OUT_REQUEST_BAD);
	send_head(x);
	return exchange_enter(x, X_CARRY);
}

/*
 * The rules may have changed while it waited, also after the result was there
 * and before it was told, when no reauthorization sees a stream to cut.
 */
static bool
is_out_of_date(const struct exchange *x, bool has_waited)
{
	struct verdict v;

	if (x->lease.status == REACH_NO_ENDPOINT)
		return x->service != conn_newest_service(x->conn);
	return has_waited && x->lease.status == REACH_OK &&
	       !conn_may_go_on(x->conn, x->service, x->lease.endpoint->key,
		   x->lease.endpoint->host, &v);
}

/* Which of many servers it is for, where the service stands for many. */
static enum outcome
choose_name(struct exchange *x, struct upstream_name **name, const char **why)
{
	switch (upstream_name_get(
	    x->cluster, NAME_AUTHORITY, x->authority, name, why)) {
	case NAME_GIVEN:
		break;
	case NAME_REFUSED:
		return OUT_NAME_REFUSED;
	case NAME_FULL:
		return OUT_UPSTREAM_LIMIT;
	}
	return OUT_OK;
}

static enum outcome
begin_lease(struct exchange *x, const char **why)
{
	struct reach_want want = {
		.only_zoned = x->conn->is_remote,
		.rulesets = x->verdict.rulesets,
		.service = x->service,
		.pin = x->pin,
		.proxy_header = conn_proxy_header(x->conn, x->service),
	};
	struct hash_source by = {
		.caller = wire_tls_identity(x->conn->client),
		.from = &x->conn->from,
		.request = x->request,
		.host = x->authority,
		.cookie = x->cookie,
	};
	enum outcome o = choose_name(x, &want.name, why);

	if (o != OUT_OK)
		return o;
	hash_by(x->service->options, &by, &want);
	x->has_lease = true;
	x->is_leased = lease_start(
	    &x->lease, x->cluster, &want, x->wants_fresh, on_leased, x);
	upstream_name_unref(want.name);
	return OUT_OK;
}

enum next
exchange_lease(struct exchange *x)
{
	bool has_waited = x->has_lease;
	const char *why;
	enum outcome o;

	if (!x->has_lease) {
		o = begin_lease(x, &why);
		if (o != OUT_OK)
			return exchange_answer(x, o, why, true);
	}
	if (!x->is_leased)
		return WAIT;
	if (is_out_of_date(x, has_waited)) {
		exchange_give_back(x, false);
		return exchange_ask_again(x);
	}
	if (x->lease.status != REACH_OK)
		return exchange_answer(x,
		    outcome_of_reach(x->lease.status, x->lease.tls_failure),
		    x->lease.detail, true);
	return use_lease(x);
}
