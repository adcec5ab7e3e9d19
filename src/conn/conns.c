/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The set of a worker's connections: accepting, asking all of them again after
 * a reload, draining, listing.  What a single one does is conn.c's.
 */

#include "conn/conns.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/rng.h"
#include "base/xalloc.h"
#include "conn/conn.h"
#include "conn/exchange.h"
#include "conn/front.h"

/* Connections and requests that are asked again in one turn of the loop. */
#define SLICE 256

static void
on_drain_deadline(void *arg)
{
	struct conns *cs = arg;
	struct conn *c;

	while ((c = TAILQ_FIRST(&cs->list)) != NULL)
		conn_end(c, OUT_DRAINED, NULL);
}

static void
tell_walked(struct conns *cs)
{
	void (*fn)(const struct revoked *, void *) = cs->on_walked;

	cs->on_walked = NULL;
	if (fn != NULL)
		fn(&cs->revoked, cs->on_walked_arg);
	revoked_free(&cs->revoked);
}

struct conns *
conns_new(
    const struct conn_env *env, struct snapshot *s, struct tls_identities *t)
{
	struct conns *cs = xcalloc(1, sizeof(*cs));

	cs->env = *env;
	cs->snapshot = snapshot_ref(s);
	cs->snapshots = 1;
	cs->identities = tls_identities_ref(t);
	cs->sources = sources_new();
	cs->next_id = rng_u64() >> 8;
	TAILQ_INIT(&cs->list);
	timer_init(&cs->drain_deadline, env->loop, on_drain_deadline, cs);
	for (unsigned o = 0; o < OUT_N; o++)
		cs->outcomes[o] =
		    stats_get(env->stats, SCOPE_OUTCOME, outcome_row(o)->word);
	return cs;
}

void
conns_free(struct conns *cs)
{
	if (cs == NULL)
		return;
	cs->is_freeing = true;
	timer_stop(&cs->drain_deadline);
	on_drain_deadline(cs);
	tell_walked(cs);
	exchange_free_spares(cs);
	sources_free(cs->sources);
	snapshot_unref(cs->snapshot);
	tls_identities_unref(cs->identities);
	free(cs->ingresses);
	/* A walk may still be posted, and finds nobody: free after it. */
	loop_post(cs->env.loop, free, cs);
}

void
conns_accept(struct conns *cs, int fd, const struct addr *from,
    const struct listener_info *l)
{
	if (cs->n >= cs->env.limits->connections || cs->is_draining) {
		stat_inc(l->stats, STAT_DOWNSTREAM_CX_OVERFLOW);
		stat_inc(cs->outcomes[OUT_CONNECTION_LIMIT], STAT_ENDED);
		(void)close(fd);
		return;
	}
	conn_start(cs, fd, from, l);
}

static void
tell_if_drained(struct conns *cs)
{
	if (!cs->is_draining || cs->n > 0 || cs->on_drained == NULL)
		return;
	timer_stop(&cs->drain_deadline);
	loop_later(cs->env.loop, cs->on_drained, cs->on_drained_arg);
	cs->on_drained = NULL;
}

void
conns_forget(struct conns *cs, struct conn *c)
{
	if (cs->reauthorize_next == c)
		cs->reauthorize_next = TAILQ_NEXT(c, link);
	if (cs->note_next == c)
		cs->note_next = TAILQ_NEXT(c, link);
	TAILQ_REMOVE(&cs->list, c, link);
	cs->n--;
	if (!cs->is_freeing)
		tell_if_drained(cs);
}

void
conns_set_snapshot(struct conns *cs, struct snapshot *s)
{
	struct snapshot *old = cs->snapshot;

	cs->snapshot = snapshot_ref(s);
	cs->snapshots++;
	exchange_forget_services(cs);
	snapshot_unref(old);
}

void
conns_set_identities(struct conns *cs, struct tls_identities *t)
{
	struct tls_identities *old = cs->identities;

	cs->identities = tls_identities_ref(t);
	tls_identities_unref(old);
}

void
conns_set_ingresses(struct conns *cs, const struct addr *v, size_t n)
{
	free(cs->ingresses);
	cs->ingresses = n == 0 ? NULL : xmemdup(v, n * sizeof(*v));
	cs->n_ingresses = n;
}

/* The cursor moves on by itself when the connection it is at ends. */
static void
reauthorize_slice(void *arg)
{
	struct conns *cs = arg;
	unsigned asked = 0;
	struct conn *c;

	while (asked < SLICE && cs->reauthorize_next != NULL) {
		c = cs->reauthorize_next;
		cs->reauthorize_next = TAILQ_NEXT(c, link);
		asked += conn_reauthorize(c);
	}
	cs->walks = cs->reauthorize_next != NULL;
	if (cs->walks)
		loop_post(cs->env.loop, reauthorize_slice, cs);
	else
		tell_walked(cs);
}

void
conns_reauthorize(
    struct conns *cs, void (*fn)(const struct revoked *r, void *arg), void *arg)
{
	tell_walked(cs);
	cs->on_walked = fn;
	cs->on_walked_arg = arg;
	if (cs->env.keep_revoked) {
		tell_walked(cs);
		return;
	}
	cs->reauthorize_next = TAILQ_FIRST(&cs->list);
	if (!cs->walks)
		reauthorize_slice(cs);
}

void
conns_drain(struct conns *cs, void (*fn)(void *), void *arg)
{
	struct conn *c, *next;

	cs->is_draining = true;
	cs->on_drained = fn;
	cs->on_drained_arg = arg;
	timer_set(&cs->drain_deadline, cs->env.limits->drain_ms);
	for (c = TAILQ_FIRST(&cs->list); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		conn_drain(c);
	}
	tell_if_drained(cs);
}

size_t
conns_count(const struct conns *cs)
{
	return cs->n;
}

static void
print_one(const struct conn *c, struct text *out)
{
	const struct identity *id =
	    c->stage > HANDSHAKE && c->route == ROUTE_SERVE
		? wire_tls_identity(c->client)
		: NULL;
	char from[ADDR_TEXT];

	addr_print(&c->from, from);
	text_addf(out, "%llx %s %s", (unsigned long long)c->id, from,
	    conn_stage_name(c->stage));
	if (id != NULL)
		text_addf(out, " identity=%.*s", STR_ARG(id->spiffe));
	if (c->service != NULL)
		text_addf(out, " mesh=%.*s service=%.*s",
		    STR_ARG(c->service->mesh), STR_ARG(c->service->name));
	if (c->server.endpoint != NULL)
		text_addf(out, " endpoint=%s", c->server.endpoint);
	if (c->rule != NULL)
		text_addf(out, " rule=\"%s\"", c->rule);
	if (c->front != NULL)
		text_addf(out, " http=%s requests=%llu open=%u",
		    front_version_name(c->front->version),
		    (unsigned long long)c->front->requests, c->front->open);
	text_addf(out, " in=%llu out=%llu age_s=%llu\n",
	    (unsigned long long)c->client->bytes_in,
	    (unsigned long long)c->client->bytes_out,
	    (unsigned long long)((clock_us() - c->started_us) / 1000000));
}

void
conns_print(const struct conns *cs, size_t max, struct text *out)
{
	const struct conn *c;
	size_t n = 0;

	TAILQ_FOREACH(c, &cs->list, link)
	{
		if (n++ == max)
			break;
		print_one(c, out);
	}
}
