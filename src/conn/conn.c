/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of one client connection, from top to bottom.
 *
 * STAGES gives the order in which things happen, how long each may take, and
 * how the connection ends when it takes longer; the functions follow in the
 * same order.  A stage returns GO (done, enter the next one), WAIT (an event
 * will call conn_run() again) or END (it set the outcome); the last stage
 * knows no GO.  Policy is asked here, never decided: see policy/.
 *
 * A stream that only passes through (another zone's) answers GO at once in
 * HANDSHAKE and AUTHORIZE; an HTTP service in ADMIT and REACH, because each
 * request asks for itself (front.h, exchange.c); ASK_NAME waits for bytes only
 * where they decide about the server.  There is no second path.
 */

#include "conn/conn.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/rng.h"
#include "base/xalloc.h"
#include "conn/front.h"
#include "conn/hash_by.h"
#include "net/sock.h"
#include "upstream/proxy_protocol.h"
#include "upstream/rule_counts.h"

/* clang-format off */
#define STAGES(X)							\
	X(PEEK,      peek,           hello_ms, OUT_HELLO_LATE)		\
	X(MATCH,     match,          hello_ms, OUT_HELLO_LATE)		\
	X(HANDSHAKE, conn_handshake, tls_ms,   OUT_TLS_LATE)		\
	X(AUTHORIZE, allow,          tls_ms,   OUT_TLS_LATE)		\
	X(ASK_NAME,  conn_ask_name,  hello_ms, OUT_NAME_MISSING)	\
	X(ADMIT,     admit,          tls_ms,   OUT_TLS_LATE)		\
	X(REACH,     reach,          idle_ms,  OUT_CONNECT_LATE)	\
	X(CARRY,     carry,          idle_ms,  OUT_IDLE)
/* clang-format on */

static enum next peek(struct conn *);
static enum next match(struct conn *);
static enum next allow(struct conn *);
static enum next admit(struct conn *);
static enum next reach(struct conn *);
static enum next carry(struct conn *);
static void release(struct conn *);

static const struct {
	const char *name;
	enum next (*run)(struct conn *);
	size_t limit; /* offset of the milliseconds in struct conn_limits */
	enum outcome late;
} stages[] = {
#define X(S, fn, ms, late) \
	[S] = { #S, fn, offsetof(struct conn_limits, ms), late },
	STAGES(X)
#undef X
};

const char *
conn_stage_name(enum stage s)
{
	return stages[s].name;
}

unsigned
conn_idle_ms(const struct conn *c, const struct service *s)
{
	unsigned own = s != NULL ? s->options->idle_ms : 0;

	return own > 0 ? own : c->all->env.limits->idle_ms;
}

static unsigned
stage_ms(const struct conn *c)
{
	const char *limits = (const char *)c->all->env.limits;
	unsigned ms;

	if (c->stage == CARRY)
		return conn_idle_ms(c, c->service);
	memcpy(&ms, limits + stages[c->stage].limit, sizeof(ms));
	return ms;
}

/* A stage's time counts from its start, so a slow sender cannot extend it. */
static void
enter(struct conn *c, enum stage s)
{
	c->stage = s;
	timer_set(&c->deadline, stage_ms(c));
}

/* Every event ends here, and nothing else frees a connection. */
void
conn_run(struct conn *c)
{
	enum next next;

	if (c->is_over)
		return;
	while ((next = stages[c->stage].run(c)) == GO)
		enter(c, c->stage + 1);
	if (next == END)
		release(c);
}

static void
on_ready(void *arg)
{
	conn_run(arg);
}

static void
on_deadline(void *arg)
{
	struct conn *c = arg;
	enum outcome late = stages[c->stage].late;

	if (c->stage == PEEK && !c->saw_bytes)
		late = OUT_NO_BYTES;
	if (c->is_detecting && c->saw_bytes)
		late = OUT_REQUEST_LATE;
	conn_end(c, late, NULL);
}

enum next
conn_finish(struct conn *c, enum outcome o, const char *detail)
{
	c->outcome = o;
	if (detail != NULL && *detail != '\0') {
		free(c->detail);
		c->detail = xstrdup(detail);
	}
	return END;
}

void
conn_end(struct conn *c, enum outcome o, const char *detail)
{
	if (c->is_over)
		return;
	(void)conn_finish(c, o, detail);
	release(c);
}

void
conn_start(struct conns *cs, int fd, const struct addr *from,
    const struct listener_info *l)
{
	struct conn *c = xcalloc(1, sizeof(*c));

	c->all = cs;
	c->listener = l;
	c->from = *from;
	c->id = cs->next_id++;
	c->started_us = clock_us();
	c->client = wire_new(cs->env.loop, fd);
	wire_set_owner(c->client, on_ready, c);
	timer_init(&c->deadline, cs->env.loop, on_deadline, c);
	TAILQ_INSERT_TAIL(&cs->list, c, link);
	cs->n++;
	stat_inc(l->stats, STAT_DOWNSTREAM_CX_TOTAL);
	stat_inc(l->stats, STAT_DOWNSTREAM_CX_ACTIVE);
	enter(c, PEEK);
	conn_run(c);
}

/* The server name decides all the rest, so nothing past it is read yet. */
static enum next
peek(struct conn *c)
{
	struct hello hello;
	struct str bytes;

	switch (wire_peek(c->client, HELLO_MAX, &bytes)) {
	case IO_DONE:
		break;
	case IO_AGAIN:
		return WAIT;
	case IO_EOF:
	case IO_CUT:
		return conn_finish(
		    c, c->saw_bytes ? OUT_HELLO_BAD : OUT_NO_BYTES, NULL);
	case IO_FAIL:
		return conn_finish(c, OUT_CALLER_RESET, NULL);
	}
	c->saw_bytes = true;
	switch (hello_parse(bytes, &hello)) {
	case HELLO_OK:
		c->sni = str_dup((struct str){ hello.sni, hello.sni_len });
		c->alpn_h2 = hello.has_alpn_h2 && !hello.has_alpn_kuma;
		c->alpn_http11 = hello.has_alpn_http11 && !hello.has_alpn_kuma;
		return GO;
	case HELLO_MORE:
		return WAIT;
	case HELLO_NOT_TLS:
		return conn_finish(c, OUT_NOT_TLS, NULL);
	case HELLO_BAD:
		break;
	}
	return conn_finish(c, OUT_HELLO_BAD, NULL);
}

/* Callers of other zones come by an ingress, ours or one of this zone. */
static bool
comes_from_other_zone(const struct conn *c)
{
	const struct conns *cs = c->all;

	if (c->listener->role == ROLE_INGRESS)
		return true;
	for (size_t i = 0; i < cs->n_ingresses; i++)
		if (addr_eq_host(&cs->ingresses[i], &c->from))
			return true;
	for (size_t i = 0; i < cs->env.n_remote_sources; i++)
		if (cidr_has(&cs->env.remote_sources[i], &c->from))
			return true;
	return false;
}

/* A pure ingress hands on what it would otherwise serve. */
static enum next
to_zone_egresses(struct conn *c)
{
	struct service *egresses = snapshot_zone_egresses(c->all->snapshot);

	if (egresses == NULL)
		return conn_finish(
		    c, OUT_NO_ENDPOINT, "no ZoneEgress of this zone is known");
	service_unref(c->service);
	c->service = service_ref(egresses);
	c->route = ROUTE_RELAY;
	return GO;
}

static enum next
match(struct conn *c)
{
	struct conns *cs = c->all;
	struct sni_scope scope;
	struct service *s;
	bool is_live = true;

	if (*c->sni == '\0')
		return conn_finish(c, OUT_NO_SNI, NULL);
	s = snapshot_match(cs->snapshot, str_of(c->sni));
	if (s == NULL)
		return conn_finish(c, OUT_NO_SERVICE, NULL);
	c->service = service_ref(s);
	c->is_remote = comes_from_other_zone(c);
	scope = service_scope(s, str_of(c->sni));
	if (s->is_locality_aware && s->n_local > 0 && s->n_remote > 0)
		is_live =
		    cluster_local_is_next(clusters_get(cs->env.clusters, s),
			scope.rulesets, rng_u64());
	c->route = service_route(s, scope, c->is_remote, is_live, rng_u64());
	switch (c->route) {
	case ROUTE_SERVE:
		return c->listener->relays_only ? to_zone_egresses(c) : GO;
	case ROUTE_RELAY:
		return GO;
	case ROUTE_NO_INGRESS:
		return conn_finish(c, OUT_NO_ZONE_INGRESS, NULL);
	case ROUTE_NOT_ZONED:
		return conn_finish(c, OUT_NOT_ZONED, NULL);
	case ROUTE_THIRD_ZONE:
		return conn_finish(c, OUT_THIRD_ZONE, NULL);
	case ROUTE_NO_SUBSET:
		return conn_finish(c, OUT_NO_SUBSET, NULL);
	case ROUTE_NO_ENDPOINT:
		break;
	}
	return conn_finish(c, OUT_NO_ENDPOINT, NULL);
}

/* A request of an HTTP service asks for itself. */
bool
conn_asks_by_request(const struct conn *c)
{
	return c->route == ROUTE_SERVE &&
	       protocol_is_http(c->service->protocol);
}

struct service *
conn_newest_service(struct conn *c)
{
	const struct conns *cs = c->all;

	/* A search among thousands, for each request the same. */
	if (c->newest_at != cs->snapshots) {
		c->newest = snapshot_find(cs->snapshot, c->service->key);
		c->newest_at = cs->snapshots;
	}
	return c->newest;
}

void
conn_keep_verdict(struct conn *c, const struct verdict *v)
{
	free(c->rule);
	free(c->would_rule);
	c->rule = str_dup(v->rule);
	c->would_rule = v->is_reported ? str_dup(v->would_rule) : NULL;
}

void
conn_count_verdict(struct cluster *cluster, const struct verdict *v)
{
	struct stats_set *stats = cluster_stats(cluster);

	/* Permission was not asked for. */
	if (v->has_no_subset)
		return;
	if (v->is_reported) {
		stat_inc(stats, STAT_WOULD_DENY);
		cluster_count_rule(
		    cluster, v->would_number, STAT_RULE_WOULD_DENY);
	} else if (v->is_allowed) {
		stat_inc(stats, STAT_RBAC_ALLOWED);
		cluster_count_rule(cluster, v->rule_number, STAT_RULE_ALLOWED);
	} else {
		stat_inc(stats, STAT_RBAC_DENIED);
		cluster_count_rule(cluster, v->rule_number, STAT_RULE_DENIED);
	}
	if (v->is_shadow_denied)
		stat_inc(stats, STAT_SHADOW_DENIED);
}

/* Permission comes from the newest snapshot, and so do the endpoints. */
static enum next
allow(struct conn *c)
{
	struct service *newest;

	if (c->route == ROUTE_RELAY)
		return GO;
	if (conn_asks_by_request(c))
		return conn_keep_limits(c);
	newest = conn_newest_service(c);
	if (newest == NULL)
		return conn_finish(c, OUT_DENIED, "the service is gone");
	if (newest != c->service) {
		service_unref(c->service);
		c->service = service_ref(newest);
	}
	authorize(c->service, wire_tls_identity(c->client), str_of(c->sni),
	    &c->verdict);
	conn_keep_verdict(c, &c->verdict);
	conn_count_verdict(
	    clusters_get(c->all->env.clusters, c->service), &c->verdict);
	if (!c->verdict.is_allowed)
		return conn_finish(c,
		    c->verdict.has_no_subset ? OUT_NO_SUBSET : OUT_DENIED,
		    NULL);
	return conn_keep_limits(c);
}

/* Relays dial before anyone has proved an identity: they are counted. */
static enum next
admit(struct conn *c)
{
	const struct conn_limits *lim = c->all->env.limits;

	if (c->route != ROUTE_RELAY)
		return GO;
	c->source = source_enter(
	    c->all->sources, &c->from, lim->source_relays, lim->source_dials);
	if (c->source == NULL)
		return conn_finish(c, OUT_SOURCE_LIMIT, NULL);
	c->is_dialling = true;
	return GO;
}

/*
 * The rules changed while it was under way, so that what the verdict allowed
 * is no more: perhaps the new ones allow something else.
 */
static bool
must_ask_again(struct conn *c, enum reach_status s)
{
	return s == REACH_NO_ENDPOINT && c->route == ROUTE_SERVE &&
	       c->service != conn_newest_service(c);
}

static void
ask_again(struct conn *c)
{
	upstream_name_unref(c->server.name);
	c->server.name = NULL;
	cluster_unref(c->server.cluster);
	c->server.cluster = NULL;
	enter(c, AUTHORIZE);
	conn_run(c);
}

static char *
print_endpoint(const struct endpoint *e)
{
	if (endpoint_is_unix(e))
		return str_dup(e->host);
	return xasprintf("%.*s:%u", STR_ARG(e->host), (unsigned)e->port);
}

/* What is needed later is copied: the result is gone when this returns. */
static void
on_reached(void *arg, struct reached *r)
{
	struct conn *c = arg;
	struct conn_server *s = &c->server;

	c->reach = NULL;
	if (must_ask_again(c, r->status)) {
		ask_again(c);
		return;
	}
	c->is_reached = true;
	c->reach_status = r->status;
	if (r->endpoint != NULL) {
		s->endpoint_key = str_dup(r->endpoint->key);
		s->endpoint = print_endpoint(r->endpoint);
	}
	s->addr = r->addr;
	s->dns_us = r->dns_us;
	s->connect_us = r->connect_us;
	if (c->source != NULL) {
		source_dialled(c->source);
		c->is_dialling = false;
	}
	if (r->status != REACH_OK) {
		conn_end(
		    c, outcome_of_reach(r->status, r->tls_failure), r->detail);
		return;
	}
	s->wire = r->wire;
	s->guard = r->guard;
	r->wire = NULL;
	s->has_tls = r->has_tls;
	s->tls = r->tls;
	wire_set_owner(s->wire, on_ready, c);
	conn_run(c);
}

/* Of a relay nobody knows who calls. */
static void
set_hash(const struct conn *c, struct reach_want *want)
{
	struct hash_source by = { .from = &c->from };

	if (c->route != ROUTE_SERVE)
		return;
	by.caller = wire_tls_identity(c->client);
	hash_by(c->service->options, &by, want);
}

/* Of endpoints, or of relays. */
static uint64_t
allowed_sets(const struct conn *c)
{
	if (c->route == ROUTE_RELAY)
		return service_scope(c->service, str_of(c->sni)).relays;
	return c->verdict.rulesets;
}

static enum next
reach(struct conn *c)
{
	struct reach_want want = {
		.is_relay = c->route == ROUTE_RELAY,
		.only_zoned = c->is_remote && c->route == ROUTE_SERVE,
		.rulesets = allowed_sets(c),
		.service = c->service,
		.proxy_header = conn_proxy_header(c, c->service),
	};
	struct conn_server *s = &c->server;

	if (conn_asks_by_request(c) || c->is_reached)
		return GO;
	if (c->reach == NULL) {
		set_hash(c, &want);
		s->cluster =
		    cluster_ref(clusters_get(c->all->env.clusters, c->service));
		if (conn_choose_name(c) == END)
			return END;
		want.name = s->name;
		c->reach = reach_start(s->cluster, &want, on_reached, c);
	}
	return WAIT;
}

static enum next
carry(struct conn *c)
{
	enum next next;

	if (!conn_asks_by_request(c))
		return conn_carry_bytes(c);
	if (c->front == NULL) {
		next = front_detect(c, &c->front);
		if (next != GO)
			return next;
		timer_stop(&c->deadline); /* requests have their own */
	}
	return c->front->ops->run(c->front);
}

void
conn_drain(struct conn *c)
{
	if (c->front != NULL)
		c->front->ops->drain(c->front);
	else if (c->stage < CARRY || conn_asks_by_request(c))
		conn_end(c, OUT_DRAINED, NULL);
}

/* Nobody is told by an alert or a FIN what made no sense to us. */
static bool
ends_by_reset(const struct conn *c)
{
	switch ((int)c->outcome) {
	case OUT_HELLO_LATE:
	case OUT_HELLO_BAD:
	case OUT_NOT_TLS:
	case OUT_NO_SNI:
	case OUT_NO_SERVICE:
	case OUT_NO_IDENTITY:
	case OUT_NAME_MISSING:
	case OUT_NAME_REFUSED:
	case OUT_TLS_LATE:
	case OUT_CALLER_RESET:
	case OUT_REQUEST_CUT:
	case OUT_RESPONSE_CUT:
	case OUT_CALLER_BYTES:
		return true;
	case OUT_UPSTREAM_CLOSED:
	case OUT_UPSTREAM_RENEGOTIATION:
	case OUT_UPSTREAM_ALERT:
	case OUT_UPSTREAM_CERT:
	case OUT_UPSTREAM_TLS:
		return c->stage == CARRY;
	}
	return false;
}

/* A reset is passed on as a reset. */
static void
close_server(struct conn *c)
{
	struct conn_server *s = &c->server;

	if (c->reach != NULL)
		reach_cancel(c->reach);
	if (s->wire != NULL) {
		if (c->relay.client != NULL)
			stat_dec(
			    cluster_stats(s->cluster), STAT_UPSTREAM_RQ_ACTIVE);
		if (c->outcome == OUT_CALLER_RESET ||
		    c->outcome == OUT_CALLER_BYTES)
			wire_reset(s->wire);
		else
			wire_free(s->wire);
		cluster_guard_release(&s->guard);
	}
	upstream_name_unref(s->name);
	cluster_unref(s->cluster);
}

static void
free_memory(void *arg)
{
	struct conn *c = arg;

	free(c->server.endpoint_key);
	free(c->server.endpoint);
	free(c->detail);
	free(c->rule);
	free(c->would_rule);
	free(c->inner_sni);
	free(c->sni);
	free(c);
}

/* The one end: counted, logged, closed; freed when no callback can be on it. */
static void
release(struct conn *c)
{
	struct conns *cs = c->all;

	c->is_over = true;
	timer_stop(&c->deadline);
	conn_log(c);
	conn_note_use(c);
	stat_inc(cs->outcomes[c->outcome], STAT_ENDED);
	stat_dec(c->listener->stats, STAT_DOWNSTREAM_CX_ACTIVE);
	close_server(c);
	if (c->front != NULL)
		c->front->ops->free(c->front); /* and the client's wire */
	else if (ends_by_reset(c))
		wire_reset(c->client);
	else
		wire_free(c->client);
	conn_leave_limits(c);
	if (c->source != NULL)
		source_leave(cs->sources, c->source, c->is_dialling);
	service_unref(c->service);
	proxy_header_leave(c->proxy_header);
	conns_forget(cs, c);
	loop_later(cs->env.loop, free_memory, c);
}
