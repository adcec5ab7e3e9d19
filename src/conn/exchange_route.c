/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ROUTE: may this caller send this request, by the newest snapshot, and what
 * does it look like as one of ours?  Also asked again after a reload, for those
 * that are under way.  A worker's thread.
 */

#include "base/clock.h"
#include "conn/exchange_step.h"
#include "conn/reset_code.h"
#include "policy/identity.h"

static const struct identity *
caller(const struct exchange *x)
{
	return wire_tls_identity(x->conn->client);
}

/* The newest snapshot decides, for each request anew. */
static bool
allow(struct exchange *x, const char **why)
{
	struct service *newest = conn_newest_service(x->conn);

	*why = "the service is gone";
	if (newest == NULL)
		return false;
	*why = NULL;
	/* The count is shared by all workers: the next one is of the same. */
	if (x->kept != newest) {
		service_unref(x->kept);
		x->kept = service_ref(newest);
	}
	x->service = newest;
	x->cluster =
	    cluster_ref(clusters_get(x->conn->all->env.clusters, newest));
	authorize(newest, caller(x), str_of(x->conn->sni), &x->verdict);
	conn_count_verdict(x->cluster, &x->verdict);
	return x->verdict.is_allowed;
}

static enum next
refuse(struct exchange *x, const char *why)
{
	return exchange_answer(x,
	    x->verdict.has_no_subset ? OUT_NO_SUBSET : OUT_DENIED, why, true);
}

/* The caller comes again by another connection, with another certificate. */
static enum next
refuse_expired(struct exchange *x)
{
	x->keeps_front = false;
	x->front->reset_code = RESET_REFUSED_STREAM;
	return exchange_finish(x, OUT_CERT_ENDED, NULL);
}

/* A body would have to be read before the tunnel (RFC 9110, section 7.8). */
static bool
has_body_of_its_own(const struct exchange *x)
{
	const struct head *q = x->request;

	switch (q->body) {
	case BODY_NONE:
	case BODY_TUNNEL:
		return false;
	case BODY_LENGTH:
		return head_has_body(q);
	case BODY_STREAMED:
	case BODY_TO_CLOSE:
		break;
	}
	/* What follows an extended CONNECT is the tunnel. */
	return !x->front->is_multiplexed;
}

/* OK: nothing is asked for, or it may be. */
static enum outcome
judge_upgrade(const struct exchange *x, const char **why)
{
	const struct head *q = x->request;

	*why = NULL;
	if (q->upgrade.len == 0) {
		if (head_get(q, FIELD_UPGRADE).p == NULL)
			return OUT_OK;
		*why = "an Upgrade that makes no sense";
		return OUT_REQUEST_UPGRADE;
	}
	if (!service_options_allow_upgrade(x->service->options, q->upgrade))
		return OUT_REQUEST_UPGRADE;
	if (!has_body_of_its_own(x))
		return OUT_OK;
	*why = "an upgrade with a body";
	return OUT_REQUEST_BAD;
}

static bool
is_too_big(const struct exchange *x)
{
	const size_t most = x->conn->all->env.limits->body_bytes;

	return most > 0 && x->request->body == BODY_LENGTH &&
	       x->request->content_length > most;
}

/* Our own name in the mesh, for those who are told who the caller was. */
static struct str
own_name(const struct exchange *x)
{
	const struct tls_identities *ids = x->conn->all->identities;
	struct tls_mesh_info info;

	for (size_t i = 0; i < tls_identities_count(ids); i++) {
		tls_identities_info(ids, i, &info);
		if (str_eq(info.mesh, x->service->mesh))
			return info.spiffe;
	}
	return STR_NONE;
}

static void
make_ours(struct exchange *x)
{
	const struct service_options *options = x->service->options;
	const struct head_rules rules = {
		.options = options,
		.version = x->front->version,
		.identity = caller(x),
		.from = &x->conn->from,
		.own_spiffe =
		    options->forwards_client_cert ? own_name(x) : STR_NONE,
		.arena = &x->words.arena,
	};

	if (head_make_ours(x->request, x->request_id, &rules))
		x->words.request_id = str_of(x->request_id);
}

/* GO in the same stage: it may be sent. */
static enum next
permit(struct exchange *x)
{
	const char *why;
	enum outcome o;

	if (!allow(x, &why))
		return refuse(x, why);
	o = judge_upgrade(x, &why);
	if (o != OUT_OK)
		return exchange_answer(x, o, why, false);
	if (is_too_big(x))
		return exchange_answer(x, OUT_REQUEST_BODY, NULL, false);
	return GO;
}

/* An answer of ours goes on in a stage of its own. */
static bool
goes_on(const struct exchange *x, enum next next, enum exchange_stage s)
{
	return next == GO && x->stage == s;
}

/* Faults come first, then limits: those of the caller, those of all. */
static enum next
send_on(struct exchange *x)
{
	const enum exchange_stage s = x->stage;
	enum next next = exchange_make_fault(x);
	unsigned ms;

	if (goes_on(x, next, s))
		next = exchange_keep_caller(x);
	if (goes_on(x, next, s))
		next = exchange_keep_rate(x);
	if (!goes_on(x, next, s))
		return next;
	ms = x->service->options->request_ms;
	if (ms > 0)
		timer_set(&x->limit, ms);
	if (x->service->options->stream_idle_ms > 0)
		timer_set(&x->deadline, x->service->options->stream_idle_ms);
	if (x->request->upgrade.len > 0) {
		x->tunnel = TUNNEL_ASKED;
		x->upgrade = (struct upgrade){ .is_begun = false };
	}
	make_ours(x);
	return exchange_enter(x, X_LEASE);
}

static enum next
delay(struct exchange *x, uint64_t ms)
{
	timer_set(&x->hold, ms);
	timer_set(&x->deadline, ms + x->conn->all->env.limits->stream_idle_ms);
	return exchange_enter(x, X_DELAY);
}

enum next
exchange_route(struct exchange *x)
{
	const struct head *q = x->request;
	enum next next;
	uint64_t ms;

	if (clock_wall_s() > caller(x)->not_after_s)
		return refuse_expired(x);
	if (str_eq(q->method, STR("CONNECT")) && q->upgrade.len == 0)
		return exchange_answer(x, OUT_REQUEST_CONNECT, NULL, false);
	next = permit(x);
	if (!goes_on(x, next, X_ROUTE))
		return next;
	ms = exchange_draw_faults(x);
	return ms > 0 ? delay(x, ms) : send_on(x);
}

static void
forget_permission(struct exchange *x)
{
	cluster_unref(x->cluster);
	x->cluster = NULL;
	x->verdict = (struct verdict){ .rule = STR_NONE };
	x->service = NULL;
}

/* Meanwhile the rules may have changed, or the certificate may have ended. */
enum next
exchange_delay(struct exchange *x)
{
	enum next next = GO;

	if (timer_is_set(&x->hold))
		return WAIT;
	timer_set(&x->deadline, x->conn->all->env.limits->stream_idle_ms);
	if (clock_wall_s() > caller(x)->not_after_s)
		return refuse_expired(x);
	if (x->service != conn_newest_service(x->conn)) {
		forget_permission(x);
		next = permit(x);
	}
	return goes_on(x, next, X_DELAY) ? send_on(x) : next;
}

enum next
exchange_ask_again(struct exchange *x)
{
	const char *why;

	if (x->has_retry)
		cluster_end_retry(x->cluster);
	x->has_retry = false;
	forget_permission(x);
	if (!allow(x, &why))
		return refuse(x, why);
	return exchange_enter(x, X_LEASE);
}

void
exchange_reauthorize(struct exchange *x)
{
	bool has_stream = x->is_leased && x->lease.status == REACH_OK;
	struct verdict v;

	/* What waits for a stream is asked again with it, and can be answered;
	 * what is drained has its answer. */
	if (!has_stream || x->stage == X_DRAIN || x->is_revoked ||
	    conn_may_go_on(x->conn, x->service, x->lease.endpoint->key,
		x->lease.endpoint->host, &v))
		return;
	conn_count_revoked(x->conn, &v, true);
	x->is_revoked = true;
	x->host->again(x);
}
