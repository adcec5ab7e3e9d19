/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a sink: its name is asked, its address dialled, and its
 * connection kept until nothing was sent for a while.  After a failure it is
 * left alone for a time, longer with each that follows; lines wait meanwhile.
 */

#include "conn/mesh_log_sinks.h"

#include <stdlib.h>

#include "base/log.h"
#include "base/stats.h"
#include "base/xalloc.h"
#include "conn/otlp_call.h"
#include "conn/otlp_logs.h"
#include "net/dial.h"
#include "net/dns_sets.h"
#include "policy/mesh_log.h"

#define LINES_MOST ((size_t)256 * 1024) /* that wait */
#define CONNECT_MS 5000
#define CALL_MS 10000 /* of OTLP */
#define AGAIN_MS 500
#define AGAIN_MOST_MS 15000
#define IDLE_MS 300000
#define ADDRS_MOST 8

/* Its connection is a wire, or of OTLP a call; both are NULL without. */
struct sink {
	struct mesh_log_sinks *all;
	enum mesh_log_kind kind;
	char *to;
	char *host;
	uint16_t port;
	struct dns_wait names;
	bool is_asking;
	struct dial dial;
	bool is_dialling;
	struct wire *wire;
	struct otlp_call *call;
	struct timer timer; /* of a connection; of the next try */
	unsigned again_ms;
	struct text lines; /* not yet given to the connection */
	uint64_t n_lines;  /* in it */
	uint64_t n_given;  /* lines that the connection was given last */
	size_t given;      /* bytes of them; OTLP only */
};

struct mesh_log_sinks {
	struct mesh_log_sinks_env env;
	struct sink *v[2 * MESH_LOG_SINKS_MAX]; /* of both kinds */
	size_t n;
	struct log_limit complaints;
};

static void
complain(struct sink *s, const char *why)
{
	struct mesh_log_sinks *m = s->all;
	unsigned kept_back;

	if (log_limit_take(
		&m->complaints, loop_now_ms(m->env.loop), 10000, 1, &kept_back))
		log_error("mesh_access_log",
		    "%s: %s; up to %zu KiB of lines wait for it", s->to, why,
		    LINES_MOST / 1024);
}

static void
lose(struct sink *s, uint64_t n)
{
	stat_add(s->all->env.lost, STAT_MESH_LOG_LOST, n);
}

static bool
is_open(const struct sink *s)
{
	return s->wire != NULL || s->call != NULL;
}

/* Bytes that the connection has and may lose. */
static size_t
unsent(const struct sink *s)
{
	if (s->call != NULL)
		return s->given;
	return s->wire == NULL ? 0 : wire_unsent(s->wire);
}

static void
hang_up(struct sink *s)
{
	if (unsent(s) > 0)
		lose(s, s->n_given);
	dns_cancel(&s->names);
	dial_stop(&s->dial);
	wire_free(s->wire);
	otlp_call_free(s->call);
	s->wire = NULL;
	s->call = NULL;
	s->given = 0;
	s->is_asking = s->is_dialling = false;
	timer_stop(&s->timer);
}

static void
fail(struct sink *s, const char *why)
{
	complain(s, why);
	hang_up(s);
	timer_set(&s->timer, s->again_ms);
	s->again_ms *= 2;
	if (s->again_ms > AGAIN_MOST_MS)
		s->again_ms = AGAIN_MOST_MS;
}

/* It ended, which is of note if something is lost. */
static void
end(struct sink *s, const char *why)
{
	if (unsent(s) > 0) {
		fail(s, why);
		return;
	}
	hang_up(s);
	if (s->lines.len > 0)
		timer_set(&s->timer, s->again_ms);
}

static void
note_given(struct sink *s)
{
	s->n_given = s->n_lines;
	s->n_lines = 0;
	text_clear(&s->lines);
}

static void
send_bytes(struct sink *s)
{
	enum io io = wire_flush(s->wire);

	if (io == IO_DONE && s->lines.len > 0) {
		io = wire_write(s->wire, text_str(&s->lines));
		note_given(s);
		timer_set_about(&s->timer, IDLE_MS);
	}
	if (io == IO_FAIL)
		fail(s, "the connection broke");
}

static void
send_call(struct sink *s)
{
	struct text message = TEXT_EMPTY;

	if (otlp_call_is_over(s->call)) {
		end(s, "it closed the connection");
		return;
	}
	if (s->lines.len == 0 || otlp_call_is_busy(s->call))
		return;
	otlp_add_export(text_str(&s->lines), &message);
	s->given = s->lines.len;
	note_given(s);
	timer_set(&s->timer, CALL_MS);
	otlp_call_send(s->call, &message);
}

static void
send_lines(struct sink *s)
{
	if (s->call != NULL)
		send_call(s);
	else
		send_bytes(s);
}

/* It has nothing to say; but that it is gone is seen so. */
static void
on_ready(void *arg)
{
	struct sink *s = arg;
	struct span span;
	enum io io = wire_read(s->wire, &span);

	if (io == IO_DONE)
		wire_kick(s->wire);
	if (io == IO_DONE || io == IO_AGAIN)
		send_bytes(s);
	else
		end(s, "it closed the connection");
}

static void
on_call_end(void *arg, enum otlp_end e, const char *why)
{
	struct sink *s = arg;

	if (e == OTLP_BROKEN) {
		end(s, why);
		return;
	}
	if (e == OTLP_REFUSED) {
		lose(s, s->n_given);
		complain(s, why);
	}
	s->given = 0;
	timer_set(&s->timer, IDLE_MS);
	send_call(s);
}

static void
use_wire(struct sink *s, struct wire *w)
{
	const struct otlp_call_env env = {
		.authority = str_of(s->to),
		.http = s->all->env.http,
		.h2 = s->all->env.h2,
		.fn = on_call_end,
		.arg = s,
	};

	if (s->kind == MESH_LOG_KIND_OTLP) {
		s->call = otlp_call_new(w, &env);
	} else {
		s->wire = w;
		wire_set_owner(w, on_ready, s);
		wire_kick(w);
	}
	s->again_ms = AGAIN_MS;
	timer_set(&s->timer, IDLE_MS);
	send_lines(s);
}

static void
on_dialled(void *arg, enum dial_status status)
{
	struct sink *s = arg;
	struct text why = TEXT_EMPTY;
	struct addr to;

	s->is_dialling = false;
	if (status == DIAL_OK) {
		use_wire(s, dial_take(&s->dial, &to));
		dial_stop(&s->dial);
		return;
	}
	dial_tell(&s->dial, &why);
	fail(s, why.p);
	text_free(&why);
}

static void
on_names(void *arg, const struct dns_answer *a)
{
	struct sink *s = arg;
	struct addr v[ADDRS_MOST];
	struct dial_plan plan = {
		.addrs = v,
		.is_literal = true, /* the configuration names it */
		.timeout_ms = CONNECT_MS,
	};

	s->is_asking = false;
	if (a->status != DNS_OK) {
		fail(s, dns_status_text(a->status));
		return;
	}
	for (; plan.n < a->n_addrs && plan.n < ADDRS_MOST; plan.n++) {
		v[plan.n] = a->addrs[plan.n];
		addr_set_port(&v[plan.n], s->port);
	}
	s->is_dialling = true;
	dial_start(&s->dial, s->all->env.loop, &plan, on_dialled, s);
}

static void
connect_it(struct sink *s)
{
	struct dns *dns = dns_sets_get(s->all->env.dns, NULL, 0);
	struct dns_answer now;

	if (dns == NULL) {
		fail(s, "there is no resolver");
		return;
	}
	s->is_asking = true;
	if (dns_lookup(dns, str_of(s->host), &s->names, on_names, s, &now))
		on_names(s, &now);
}

static void
flush(struct sink *s)
{
	if (is_open(s))
		send_lines(s);
	else if (s->lines.len > 0 && !s->is_asking && !s->is_dialling &&
		 !timer_is_set(&s->timer))
		connect_it(s);
}

/* A connection that rests ends; what was begun took too long. */
static void
on_timer(void *arg)
{
	struct sink *s = arg;

	if (is_open(s))
		end(s, "it takes lines too slowly");
	flush(s);
}

void
mesh_log_sinks_flush(struct mesh_log_sinks *m)
{
	size_t i;

	for (i = 0; i < m->n; i++)
		flush(m->v[i]);
}

static struct sink *
find(struct mesh_log_sinks *m, const struct mesh_log *log)
{
	struct sink *s;
	size_t i;

	for (i = 0; i < m->n; i++)
		if (m->v[i]->kind == log->kind &&
		    str_eq_nocase(str_of(m->v[i]->to), log->to))
			return m->v[i];
	if (m->n == ARRAY_LEN(m->v))
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->all = m;
	s->kind = log->kind;
	s->to = str_dup(log->to);
	s->host = str_dup(log->host);
	s->port = log->port;
	s->again_ms = AGAIN_MS;
	timer_init(&s->timer, m->env.loop, on_timer, s);
	m->v[m->n++] = s;
	return s;
}

struct text *
mesh_log_sinks_lines(struct mesh_log_sinks *m, const struct mesh_log *log)
{
	struct sink *s = find(m, log);

	if (s == NULL)
		return NULL;
	if (s->lines.len + unsent(s) >= LINES_MOST) {
		complain(s, "it takes lines too slowly, or not at all");
		return NULL;
	}
	s->n_lines++;
	return &s->lines;
}

struct mesh_log_sinks *
mesh_log_sinks_new(const struct mesh_log_sinks_env *env)
{
	struct mesh_log_sinks *m = xcalloc(1, sizeof(*m));

	m->env = *env;
	return m;
}

static void
sink_free(struct sink *s)
{
	if (is_open(s))
		send_lines(s);
	lose(s, s->n_lines);
	hang_up(s);
	timer_stop(&s->timer);
	text_free(&s->lines);
	free(s->to);
	free(s->host);
	free(s);
}

void
mesh_log_sinks_free(struct mesh_log_sinks *m)
{
	size_t i;

	if (m == NULL)
		return;
	for (i = 0; i < m->n; i++)
		sink_free(m->v[i]);
	free(m);
}
