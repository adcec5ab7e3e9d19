/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a connection and a request leave behind: a line in the access log, and
 * a warning for what is refused before anyone has proved who they are (at most
 * one a second a source).  A worker's thread.
 */

#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "conn/access_log.h"
#include "conn/conn.h"
#include "conn/exchange.h"
#include "conn/front.h"
#include "conn/mesh_logs.h"

/* Memory that the values of one line live in. */
struct line {
	struct log_entry e;
	char time[CLOCK_TEXT];
	char id[16];
	char source[ADDR_TEXT];
	char address[ADDR_TEXT];
	char tls_in[64];
	char tls_out[64];
	char endpoint[320];
	char uris[2048];
};

/* Behind each other, as far as there is room. */
static struct str
join(char *to, size_t cap, const struct str *v, size_t n)
{
	struct str part;
	size_t len = 0;

	for (; n > 0; v++, n--) {
		part = str_first(*v, cap - len);
		if (part.len > 0)
			memcpy(to + len, part.p, part.len);
		len += part.len;
	}
	return (struct str){ .p = to, .len = len };
}

static void
put_text(struct line *l, enum log_field f, struct str s)
{
	if (s.len > 0)
		l->e.text[f] = s;
}

static void
put_z(struct line *l, enum log_field f, const char *s)
{
	put_text(l, f, str_of(s));
}

static void
put_number(struct line *l, enum log_field f, uint64_t n)
{
	l->e.number[f] = n;
	l->e.has_number[f] = true;
}

static void
put_tls(
    struct line *l, enum log_field f, const struct tls_info *t, char out[64])
{
	const struct str v[] = { str_of(t->version), STR(" "),
		str_of(t->cipher) };

	put_text(l, f, join(out, 64, v, ARRAY_LEN(v)));
}

static const char *
path_kind(const struct conn *c)
{
	if (c->service == NULL)
		return "";
	switch (c->route) {
	case ROUTE_SERVE:
		return "serve";
	case ROUTE_RELAY:
		return c->listener->relays_only ? "ingress" : "relay";
	case ROUTE_NO_INGRESS:
	case ROUTE_NOT_ZONED:
	case ROUTE_THIRD_ZONE:
	case ROUTE_NO_SUBSET:
	case ROUTE_NO_ENDPOINT:
		break;
	}
	return ""; /* it went nowhere */
}

/* In hexadecimal. */
static struct str
print_id(uint64_t id, char out[16])
{
	static const char hex[] = "0123456789abcdef";
	size_t at = 16;

	do {
		out[--at] = hex[id & 15];
		id >>= 4;
	} while (id > 0);
	return (struct str){ .p = out + at, .len = 16 - at };
}

/* All of them or none: by some a replay would decide otherwise. */
static void
put_uris(struct line *l, const struct identity *id)
{
	size_t len = 0, i;

	for (i = 0; i < id->n_uris; i++) {
		if (id->uris[i].len + 1 > sizeof(l->uris) - len)
			return;
		if (i > 0)
			l->uris[len++] = ' ';
		if (id->uris[i].len > 0)
			memcpy(l->uris + len, id->uris[i].p, id->uris[i].len);
		len += id->uris[i].len;
	}
	put_text(l, LOG_CALLER_URIS, (struct str){ .p = l->uris, .len = len });
}

/* What a connection and its requests have in common. */
static void
put_caller(struct line *l, const struct conn *c)
{
	const struct identity *id =
	    c->is_handshaking ? wire_tls_identity(c->client) : NULL;

	clock_print(clock_wall_ms(), l->time);
	put_z(l, LOG_TIME, l->time);
	put_text(l, LOG_ID, print_id(c->id, l->id));
	addr_print(&c->from, l->source);
	put_z(l, LOG_SOURCE, l->source);
	put_text(l, LOG_LISTENER, c->listener->name);
	put_z(l, LOG_SNI, c->sni);
	if (c->service != NULL) {
		put_text(l, LOG_MESH, c->service->mesh);
		put_text(l, LOG_SERVICE, c->service->name);
		put_z(l, LOG_PROTOCOL, protocol_name(c->service->protocol));
	}
	put_z(l, LOG_PATH_KIND, path_kind(c));
	if (id != NULL) {
		put_text(l, LOG_IDENTITY, id->spiffe);
		put_text(
		    l, LOG_CALLER_ZONE, identity_tag(id, STR("kuma.io/zone")));
		put_uris(l, id);
	}
}

static void
put_tls_in(struct line *l, const struct conn *c)
{
	struct tls_info t;

	if (c->stage <= HANDSHAKE || c->route != ROUTE_SERVE)
		return;
	wire_tls_info(c->client, &t);
	put_tls(l, LOG_TLS_IN, &t, l->tls_in);
	put_number(l, LOG_TLS_IN_RESUMED, t.is_resumed);
}

static void
put_tls_out(struct line *l, const struct tls_info *t)
{
	put_tls(l, LOG_TLS_OUT, t, l->tls_out);
	put_text(l, LOG_TLS_OUT_SNI, t->sni);
	put_z(l, LOG_TLS_OUT_PEER, t->peer_subject);
}

static void
put_address(struct line *l, const struct addr *a)
{
	if (a->len == 0)
		return;
	addr_print(a, l->address);
	put_z(l, LOG_ADDRESS, l->address);
}

static void
put_server(struct line *l, const struct conn *c)
{
	const struct conn_server *s = &c->server;

	put_z(l, LOG_INNER_SNI, c->inner_sni);
	put_z(l, LOG_ENDPOINT, s->endpoint);
	put_address(l, &s->addr);
	if (s->has_tls)
		put_tls_out(l, &s->tls);
	if (c->is_reached) {
		put_number(l, LOG_DNS_MS, s->dns_us / 1000);
		put_number(l, LOG_CONNECT_MS, s->connect_us / 1000);
		put_number(l, LOG_BYTES_IN, c->relay.bytes_up);
		put_number(l, LOG_BYTES_OUT, c->relay.bytes_down);
	}
}

/* 0: it did not come. */
static void
put_since(struct line *l, enum log_field f, uint64_t started_us, uint64_t us)
{
	if (us != 0)
		put_number(l, f, (us - started_us) / 1000);
}

static void
put_verdict(struct line *l, const struct verdict *v, struct str rule,
    struct str would_rule)
{
	put_text(l, LOG_RULE, rule);
	put_text(l, LOG_WOULD_DENY, would_rule);
	if (v->is_shadow_denied)
		put_number(l, LOG_SHADOW_DENIED, 1);
}

static void
put_end(struct line *l, enum outcome o, const char *detail)
{
	put_z(l, LOG_OUTCOME, outcome_row(o)->word);
	put_z(l, LOG_DETAIL, detail);
}

/* Silence, probes of a balancer and the like are no news to an operator. */
static const bool is_worth_a_warning[OUT_N] = {
	[OUT_HELLO_LATE] = true,
	[OUT_HELLO_BAD] = true,
	[OUT_NOT_TLS] = true,
	[OUT_NO_SNI] = true,
	[OUT_NO_SERVICE] = true,
	[OUT_NO_IDENTITY] = true,
	[OUT_NO_ZONE_INGRESS] = true,
	[OUT_NOT_ZONED] = true,
	[OUT_THIRD_ZONE] = true,
	[OUT_SOURCE_LIMIT] = true,
};

static void
warn(struct conn *c, const char *source)
{
	const struct outcome_row *row = outcome_row(c->outcome);
	unsigned kept_back = 0;

	if (!is_worth_a_warning[c->outcome] ||
	    !sources_may_log(c->all->sources, &c->from,
		loop_now_ms(c->all->env.loop), &kept_back))
		return;
	log_warn(source, "%s: server name \"%s\": %s (%u more since the last)",
	    row->word, c->sni != NULL ? c->sni : "", row->text, kept_back);
}

static void
count_refusal(const struct conn *c)
{
	if (c->outcome == OUT_NO_SERVICE || c->outcome == OUT_NO_SNI ||
	    c->outcome == OUT_NOT_TLS)
		stat_inc(c->listener->stats, STAT_NO_FILTER_CHAIN);
}

static void
put_front(struct line *l, const struct conn *c)
{
	if (c->front != NULL) {
		put_z(
		    l, LOG_HTTP_VERSION, front_version_name(c->front->version));
		put_number(l, LOG_REQUESTS, c->front->requests);
	} else if (c->is_detecting) {
		put_number(l, LOG_REQUESTS, 0);
	}
}

static bool
is_logged(const struct conn *c)
{
	return c->all->env.log != NULL || c->all->env.mesh_logs != NULL;
}

/* Ours, and those of the mesh where the newest resources want them. */
static void
write_line(struct conn *c, const struct line *l, bool is_of_mesh)
{
	const struct conn_env *env = &c->all->env;
	const struct service *s;

	if (env->log != NULL)
		access_log_write(env->log, &l->e);
	if (!is_of_mesh || env->mesh_logs == NULL || c->service == NULL ||
	    c->route != ROUTE_SERVE)
		return;
	s = conn_newest_service(c);
	if (s != NULL)
		mesh_logs_write(env->mesh_logs, s, &l->e);
}

void
conn_log(struct conn *c)
{
	struct line l;

	count_refusal(c);
	addr_print(&c->from, l.source);
	warn(c, l.source);
	if (!is_logged(c))
		return;
	l.e = (struct log_entry){ 0 };
	put_z(&l, LOG_KIND, "connection");
	put_caller(&l, c);
	put_tls_in(&l, c);
	put_verdict(&l, &c->verdict, str_of(c->rule), str_of(c->would_rule));
	put_server(&l, c);
	put_front(&l, c);
	put_since(&l, LOG_FIRST_BYTE_MS, c->started_us, c->first_byte_us);
	put_since(&l, LOG_DURATION_MS, c->started_us, clock_us());
	put_end(&l, c->outcome, c->detail);
	/* Of HTTP each request has its line there. */
	write_line(c, &l,
	    c->service != NULL && !protocol_is_http(c->service->protocol));
}

static void
put_endpoint(struct line *l, const struct endpoint *e)
{
	char port[U64_TEXT];
	const struct str v[] = { e->host, STR(":"), str_of_u64(e->port, port) };

	if (endpoint_is_unix(e))
		put_text(l, LOG_ENDPOINT, e->host);
	else
		put_text(l, LOG_ENDPOINT,
		    join(l->endpoint, sizeof(l->endpoint), v, ARRAY_LEN(v)));
}

static void
put_lease(struct line *l, const struct lease *s)
{
	if (s->endpoint != NULL)
		put_endpoint(l, s->endpoint);
	put_address(l, &s->addr);
	if (s->has_tls)
		put_tls_out(l, s->tls);
	put_number(l, LOG_REUSED, s->is_reused);
	if (s->is_reused)
		return;
	put_number(l, LOG_DNS_MS, s->dns_us / 1000);
	put_number(l, LOG_CONNECT_MS, s->connect_us / 1000);
}

static void
put_request(struct line *l, const struct exchange *x)
{
	put_z(l, LOG_HTTP_VERSION, front_version_name(x->front->version));
	if (x->front->is_multiplexed)
		put_number(l, LOG_STREAM, x->front->id);
	put_text(l, LOG_METHOD, x->words.method);
	put_text(l, LOG_AUTHORITY, x->words.authority);
	put_text(l, LOG_PATH, x->words.path);
	put_text(l, LOG_REQUEST_ID, x->words.request_id);
	put_text(l, LOG_FAULTS, x->words.faults);
}

static void
put_answer(struct line *l, const struct exchange *x)
{
	if (x->status != 0)
		put_number(l, LOG_STATUS, x->status);
	put_z(l, LOG_GRPC_STATUS, x->grpc_status);
	if (x->tunnel == TUNNEL_OPEN)
		put_text(l, LOG_UPGRADE, x->upgrade.token);
	put_number(l, LOG_RETRIES, x->retries);
	put_number(l, LOG_BYTES_IN, x->front->bytes_in);
	put_number(l, LOG_BYTES_OUT, x->front->bytes_out);
	put_since(l, LOG_FIRST_BYTE_MS, x->started_us, x->first_byte_us);
	put_since(l, LOG_LAST_BYTE_MS, x->started_us, x->last_byte_us);
	put_since(l, LOG_DURATION_MS, x->started_us, clock_us());
}

void
exchange_log(struct exchange *x)
{
	struct conn *c = x->conn;
	struct line l;

	if (!is_logged(c))
		return;
	l.e = (struct log_entry){ 0 };
	put_z(&l, LOG_KIND, "request");
	put_caller(&l, c);
	put_tls_in(&l, c);
	put_verdict(&l, &x->verdict, x->verdict.rule, x->verdict.would_rule);
	put_request(&l, x);
	if (x->is_leased)
		put_lease(&l, &x->lease);
	put_answer(&l, x);
	put_end(&l, x->outcome, x->detail);
	write_line(c, &l, true);
}
