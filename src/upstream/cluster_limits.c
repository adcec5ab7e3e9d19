/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much of a cluster may be in use at a time.  A limit of the service counts
 * for the whole daemon; where it has none, that of the configuration counts in
 * each worker.
 *
 * At a limit of the whole daemon a worker may have to wait for a connection
 * that another one keeps idle: it says so, and the others close theirs.
 */

#include "base/rng.h"
#include "upstream/cluster_state.h"

const struct breaker_settings *
cluster_breakers(const struct cluster *c)
{
	return &c->service->options->breaker;
}

/* 0: none. */
static unsigned
own_limit(const struct cluster *c, enum breaker_id id)
{
	const struct breaker_settings *s = cluster_breakers(c);

	switch (id) {
	case BREAKER_CONNECTIONS:
		return s->connections;
	case BREAKER_PENDING:
		return s->pending;
	case BREAKER_REQUESTS:
		return s->requests;
	case BREAKER_RETRIES:
		return s->retries;
	case BREAKER_N:
		break;
	}
	return 0;
}

bool
cluster_has_own_limit(const struct cluster *c, enum breaker_id id)
{
	return own_limit(c, id) > 0;
}

unsigned
cluster_limit(const struct cluster *c, enum breaker_id id)
{
	const struct upstream_limits *lim = cluster_env(c)->limits;

	if (own_limit(c, id) > 0)
		return own_limit(c, id);
	if (id == BREAKER_CONNECTIONS)
		return (unsigned)lim->connections;
	return id == BREAKER_PENDING ? (unsigned)lim->pending : 0;
}

static struct breaker *
breaker_of(const struct cluster *c, enum breaker_id id)
{
	return &c->shared->breakers[id];
}

/* Of a limit of each worker. */
static bool
is_worker_full(const struct cluster *c, enum breaker_id id)
{
	const struct upstream_limits *lim = cluster_env(c)->limits;

	switch (id) {
	case BREAKER_CONNECTIONS:
		return c->n_open + c->n_reaching >= lim->connections;
	case BREAKER_PENDING:
		return c->n_waiting + c->n_direct >= lim->pending;
	case BREAKER_REQUESTS:
	case BREAKER_RETRIES:
	case BREAKER_N:
		break;
	}
	return false;
}

static bool
is_full(const struct cluster *c, enum breaker_id id)
{
	unsigned most = own_limit(c, id);

	return most > 0 ? breaker_now(breaker_of(c, id)) >= most
			: is_worker_full(c, id);
}

bool
cluster_is_full(const struct cluster *c)
{
	return is_full(c, BREAKER_CONNECTIONS);
}

const char *
cluster_limit_name(const struct cluster *c, enum breaker_id id)
{
	switch (id) {
	case BREAKER_CONNECTIONS:
		return own_limit(c, id) > 0 ? "breaker.connections is reached"
					    : "limits.upstream_connections is "
					      "reached";
	case BREAKER_PENDING:
		return own_limit(c, id) > 0
			   ? "breaker.pending is reached"
			   : "limits.upstream_pending is reached";
	case BREAKER_REQUESTS:
		return "breaker.requests is reached";
	case BREAKER_RETRIES:
		return "the budget of retries is used up";
	case BREAKER_N:
		break;
	}
	return "?";
}

static enum stat_cluster
overflow_of(enum breaker_id id)
{
	switch (id) {
	case BREAKER_CONNECTIONS:
		return STAT_UPSTREAM_CX_POOL_OVERFLOW;
	case BREAKER_RETRIES:
		return STAT_UPSTREAM_RQ_RETRY_OVERFLOW;
	case BREAKER_PENDING:
	case BREAKER_REQUESTS:
	case BREAKER_N:
		break;
	}
	return STAT_UPSTREAM_RQ_PENDING_OVERFLOW;
}

static bool
begin(struct cluster *c, enum breaker_id id, unsigned most)
{
	if (most == 0 && is_worker_full(c, id))
		return false;
	return breaker_try(breaker_of(c, id), most);
}

bool
cluster_begin(struct cluster *c, enum breaker_id id)
{
	bool has_begun = begin(c, id, own_limit(c, id));

	if (!has_begun)
		stat_inc(cluster_set(c), overflow_of(id));
	cluster_note_limits(c);
	return has_begun;
}

void
cluster_end(struct cluster *c, enum breaker_id id)
{
	breaker_down(breaker_of(c, id));
	cluster_note_limits(c);
	if (id == BREAKER_CONNECTIONS &&
	    atomic_load_explicit(&c->shared->wanted, memory_order_relaxed) >
		c->wants)
		shared_tell(c->shared, c->member, NEWS_ROOM);
}

/* Requests of a tcp service are its connections. */
static unsigned
active(const struct cluster *c)
{
	return service_has_requests(c->service)
		   ? shared_requests(c->shared)
		   : breaker_now(breaker_of(c, BREAKER_CONNECTIONS));
}

/* At a time, of what goes on now; UINT_MAX: any number. */
static unsigned
retry_budget(const struct cluster *c)
{
	const struct breaker_settings *s = cluster_breakers(c);
	uint64_t n;

	if (s->retry_percent >= 100)
		return UINT32_MAX;
	n = (uint64_t)active(c) * s->retry_percent / 100;
	return n > s->retry_minimum ? (unsigned)n : s->retry_minimum;
}

bool
cluster_begin_retry(struct cluster *c)
{
	unsigned most = own_limit(c, BREAKER_RETRIES);
	unsigned budget = retry_budget(c);

	if (most == 0 || budget < most)
		most = budget;
	if (most > 0 && breaker_try(breaker_of(c, BREAKER_RETRIES), most)) {
		cluster_note_limits(c);
		return true;
	}
	stat_inc(cluster_set(c), STAT_UPSTREAM_RQ_RETRY_OVERFLOW);
	return false;
}

void
cluster_end_retry(struct cluster *c)
{
	cluster_end(c, BREAKER_RETRIES);
}

/* Up to its limit; 0 where it has none. */
static unsigned
remaining(const struct cluster *c, enum breaker_id id)
{
	unsigned most = own_limit(c, id), now = breaker_now(breaker_of(c, id));

	return now < most ? most - now : 0;
}

void
cluster_note_limits(struct cluster *c)
{
	static const struct {
		enum stat_cluster open;
		enum stat_cluster remaining;
	} gauges[BREAKER_N] = {
		[BREAKER_CONNECTIONS] = { STAT_CB_CX_OPEN,
		    STAT_CB_REMAINING_CX },
		[BREAKER_PENDING] = { STAT_CB_RQ_PENDING_OPEN,
		    STAT_CB_REMAINING_PENDING },
		[BREAKER_REQUESTS] = { STAT_CB_RQ_OPEN, STAT_CB_REMAINING_RQ },
		[BREAKER_RETRIES] = { STAT_CB_RQ_RETRY_OPEN,
		    STAT_CB_REMAINING_RETRIES },
	};
	enum breaker_id id;

	for (id = 0; id < BREAKER_N; id++) {
		stat_set(cluster_set(c), gauges[id].open, is_full(c, id));
		stat_set(
		    cluster_set(c), gauges[id].remaining, remaining(c, id));
	}
}

/* Those to other zones are lent to nobody, and never idle. */
static bool
close_an_idle_one(struct cluster *c)
{
	size_t i;

	for (i = 0; i < c->local.n; i++)
		if (pool_close_oldest(c->local.v[i]))
			return true;
	return known_names_close_an_idle_one(c);
}

bool
cluster_make_room(struct cluster *c)
{
	while (cluster_is_full(c))
		if (!close_an_idle_one(c))
			return false;
	return true;
}

static unsigned
wanted_by_others(const struct cluster *c)
{
	unsigned all =
	    atomic_load_explicit(&c->shared->wanted, memory_order_relaxed);

	return all > c->wants ? all - c->wants : 0;
}

bool
cluster_gives_way(const struct cluster *c)
{
	unsigned n = cluster_is_full(c) ? wanted_by_others(c) : 0;

	return n > 0 && rng_below(n + (uint32_t)c->n_waiting) < n;
}

void
cluster_yield(struct cluster *c)
{
	unsigned n = cluster_is_full(c) ? wanted_by_others(c) : 0;

	while (n-- > 0)
		if (!close_an_idle_one(c))
			return;
}

void
cluster_note_wants(struct cluster *c)
{
	unsigned old = c->wants;

	c->wants = cluster_has_own_limit(c, BREAKER_CONNECTIONS)
		       ? (unsigned)c->n_undialed
		       : 0;
	if (c->wants == old)
		return;
	atomic_fetch_add_explicit(
	    &c->shared->wanted, c->wants - old, memory_order_relaxed);
	if (c->wants > old)
		shared_tell(c->shared, c->member, NEWS_WANTED);
}

/* What is of no use here may be of use to others. */
static void
take_room(struct cluster *c)
{
	lease_feed(c);
	if (!cluster_is_full(c) && wanted_by_others(c) > 0)
		shared_tell(c->shared, c->member, NEWS_ROOM);
}

void
cluster_on_news(void *arg, unsigned news)
{
	struct cluster *c = cluster_ref(arg);

	if (news & NEWS_HEALTH)
		cluster_note_health(c);
	if (news & NEWS_WANTED)
		cluster_yield(c);
	if (news & NEWS_ROOM)
		take_room(c);
	cluster_note_limits(c);
	cluster_unref(c);
}
