/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a wire to a service is got, from top to bottom.
 *
 * STEPS gives the order; the functions follow in the same order.  A step
 * returns GO (enter the next one), AGAIN (it failed: enter r->retry, which is
 * PICK for another endpoint or DIAL for another address), WAIT (it armed an
 * event whose callback calls reach_run() again) or END (the result is set).
 *
 * One budget, limits.connect_ms, is for the whole; each attempt gets its share
 * of what is left, so that a silent server leaves time for the next one.
 * What a failure leads to is in reach_fail.c, beginning and end in
 * reach_life.c, what parent proxies and PROXY headers do in reach_parent.c.
 */

#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"
#include "upstream/chain_book.h"
#include "upstream/names.h"
#include "upstream/outlier_report.h"
#include "upstream/pick.h"
#include "upstream/reach_state.h"

/* An attempt's least share of the budget: one in so many parts. */
#define LEAST_SHARE 5

static enum next pick(struct reach *);
static enum next name_target(struct reach *);
static enum next resolve(struct reach *);
static enum next dial(struct reach *);
static enum next secure(struct reach *);

static const struct {
	enum next (*run)(struct reach *);
} steps[] = {
#define X(S, fn) [S] = { fn },
	STEPS(X)
#undef X
};

static void
enter(struct reach *r, enum step s)
{
	r->step = s;
	r->progress = TO_ASK;
}

void
reach_run(struct reach *r)
{
	for (;;) {
		switch (steps[r->step].run(r)) {
		case GO:
			enter(r, r->step + 1);
			break;
		case AGAIN:
			enter(r, r->retry);
			break;
		case WAIT:
			return;
		case END:
			reach_end(r);
			return;
		}
	}
}

static const struct endpoint *
endpoint_of(const struct reach *r)
{
	return r->at->endpoint;
}

static const struct live_endpoints *
choice(const struct reach *r)
{
	return cluster_endpoints(r->cluster, &r->want);
}

/* Endpoints that may still be tried, whatever there is. */
static size_t
attempts_left(const struct reach *r)
{
	unsigned most = r->cluster->service->options->connect_attempts;

	if (most == 0)
		return SIZE_MAX;
	return r->tried.n < most ? most - r->tried.n : 0;
}

static size_t
others_left(const struct reach *r)
{
	size_t left, most = attempts_left(r);

	if (r->is_probe)
		return 0;
	left = pick_left(choice(r), &r->want, &r->tried);
	return (left < most ? left : most) + r->targets.n;
}

/* Leave something for what may have to be tried after this. */
static void
limit_attempt(struct reach *r)
{
	size_t others = others_left(r);
	uint64_t left = reach_left_ms(r), share = left / (others + 1);
	uint64_t least = cluster_connect_ms(r->cluster) / LEAST_SHARE;

	if (share < least)
		share = least;
	timer_set(&r->timer, share < left ? share : left);
	r->attempt_us = clock_us();
}

static struct live_endpoint *
pick_next(struct reach *r)
{
	struct live_endpoint *e = r->first;
	bool is_allowed = e != NULL && pick_allows(&r->want, e);

	r->first = NULL;
	live_endpoint_unref(e);
	/* A reload may have come between; if not, the cluster has it too. */
	if (is_allowed || r->is_probe)
		return is_allowed ? e : NULL;
	if (attempts_left(r) == 0)
		return NULL;
	return pick_endpoint(cluster_balance(r->cluster, &r->want), &r->want,
	    &r->tried, cluster_now_ms(r->cluster));
}

static enum next
pick(struct reach *r)
{
	struct live_endpoint *e = pick_next(r);

	/* The last failure, if there was one, is the result. */
	if (e == NULL)
		return END;
	r->tried.v = xreallocarray(
	    r->tried.v, r->tried.n + 1, sizeof(struct live_endpoint *));
	r->tried.v[r->tried.n++] = live_endpoint_ref(e);
	r->at = e;
	reach_aim(r, NULL);
	e->connecting++;
	r->result.endpoint = e->endpoint;
	r->result.addr.len = 0;
	r->result.has_tls = false;
	r->result.tls_failure = TLS_FAIL_NONE;
	r->result.dns_us = r->result.connect_us = 0;
	r->result.attempts++;
	return GO;
}

/* Those whose health is bad are the last resort. */
static void
use_targets(struct reach *r)
{
	if (r->only == NULL)
		targets_set(r->cluster, r->at, r->answers.v, r->answers.n);
	targets_sort(
	    r->at, r->answers.v, r->answers.n, cluster_now_ms(r->cluster));
}

static void
set_answers(struct reach *r, const struct addr *v, size_t n)
{
	const struct reach_place place = reach_place(r);
	const struct answers_rule rule = {
		.env = cluster_env(r->cluster),
		.families = &r->cluster->all->families,
		.outward = r->outward,
		.rules = place.rules,
		.port = place.port,
		.is_literal = place.is_address,
		.is_ordered = place.is_endpoint && !place.is_address &&
			      names_are_ordered(r->cluster, r->want.is_relay),
		.turn = (*place.turn)++,
		.now_ms = cluster_now_ms(r->cluster),
	};

	answers_set(&r->answers, &rule, v, n, &r->refused);
	if (rule.is_ordered)
		use_targets(r);
}

static void
note_answer(struct reach *r, const struct dns_answer *a)
{
	r->progress = ANSWERED;
	r->dns_status = a->status;
	r->result.dns_us = clock_us() - r->attempt_us;
	set_answers(r, a->addrs, a->status == DNS_OK ? a->n_addrs : 0);
}

static void
on_answer(void *arg, const struct dns_answer *a)
{
	struct reach *r = arg;

	note_answer(r, a);
	reach_run(r);
}

static enum next
use_answers(struct reach *r)
{
	timer_stop(&r->timer);
	if (r->answers.n > 0)
		return GO;
	if (r->refused.why == NULL) {
		r->dns_status = DNS_NO_ADDRESS;
		return reach_fail_name(r, REACH_NO_NAME);
	}
	return reach_fail_address(r);
}

static enum next
use_literal(struct reach *r)
{
	const struct reach_place place = reach_place(r);
	struct addr a;

	if (!addr_parse(place.host, place.port, &a))
		return reach_fail(r, REACH_NO_NAME, NEXT_ENDPOINT,
		    "%.*s: %.*s is no address", STR_ARG(endpoint_of(r)->key),
		    STR_ARG(place.host));
	set_answers(r, &a, 1);
	return use_answers(r);
}

/* What is about names of the service is not about its parent proxy's. */
static bool
ask(struct reach *r, struct dns_answer *now)
{
	const struct reach_place place = reach_place(r);

	*now = (struct dns_answer){ .status = DNS_OK };
	if (place.is_endpoint && r->only != NULL) {
		now->addrs = &r->only->addr;
		now->n_addrs = 1;
		return true;
	}
	if (place.is_endpoint)
		return names_lookup(r->cluster, endpoint_of(r),
		    r->want.is_relay, &r->dns_wait, on_answer, r, now);
	return dns_lookup(cluster_env(r->cluster)->dns, place.host,
	    &r->dns_wait, on_answer, r, now);
}

static bool
ask_name(struct reach *r)
{
	struct dns_answer now;

	limit_attempt(r);
	r->progress = ASKED;
	if (!ask(r, &now))
		return false;
	note_answer(r, &now);
	return true;
}

/* The cache makes this cheap, so that it is done for every connection. */
static enum next
resolve_name(struct reach *r)
{
	if (r->progress == TO_ASK && !ask_name(r))
		return WAIT;
	if (r->progress == ASKED)
		return WAIT;
	if (r->progress == LATE)
		r->dns_status = DNS_TIMEOUT;
	switch (r->dns_status) {
	case DNS_OK:
		return use_answers(r);
	case DNS_NO_NAME:
	case DNS_NO_ADDRESS:
		return reach_fail_name(r, REACH_NO_NAME);
	case DNS_FAILED:
		return reach_fail_name(r, REACH_NAME_FAILED);
	case DNS_TIMEOUT:
		return reach_fail_name(r, REACH_NAME_LATE);
	}
	return END;
}

/* The parent proxy goes there, so that all of it that can be refused is. */
static enum next
check_literal_target(struct reach *r)
{
	const struct endpoint *e = endpoint_of(r);
	struct addr a;

	if (!addr_parse(e->host, e->port, &a))
		return reach_fail(r, REACH_NO_NAME, NEXT_ENDPOINT,
		    "%.*s: %.*s is no address", STR_ARG(e->key),
		    STR_ARG(e->host));
	r->refused.addr = a;
	r->refused.why = addr_refused(&a, reach_place(r).rules, true);
	return r->refused.why == NULL ? GO : reach_fail_address(r);
}

static bool
resolves_here(const struct reach *r)
{
	return r->want.name != NULL ? r->outward->resolves_named_here
				    : r->outward->resolves_here;
}

/* What a parent proxy is asked for: the name, unless we are to resolve it. */
static enum next
name_target(struct reach *r)
{
	const struct endpoint *e = endpoint_of(r);
	enum next next;

	if (!reach_has_parent(r))
		return GO;
	answers_free(&r->targets);
	r->target = e->host;
	r->target_port = e->port;
	r->target_addr.len = 0;
	if (e->host_is_address)
		return check_literal_target(r);
	if (!resolves_here(r))
		return GO;
	next = resolve_name(r);
	if (next == GO) {
		r->targets = r->answers;
		r->answers = (struct answers){ .v = NULL };
		(void)reach_next_target(r);
	}
	return next;
}

static enum next
resolve(struct reach *r)
{
	if (reach_unix_path(r).p != NULL) {
		r->answers.n = 0;
		return GO;
	}
	return reach_place(r).is_address ? use_literal(r) : resolve_name(r);
}

static void
on_dialled(void *arg, enum dial_status s)
{
	struct reach *r = arg;

	r->progress = ANSWERED;
	r->dialled = s;
	reach_run(r);
}

static enum next
use_connection(struct reach *r)
{
	r->result.attempts += (unsigned)dial_tries(&r->dialler) - 1;
	reach_note_dialled(r);
	answers_drop_spent(&r->answers, &r->dialler);
	switch (r->dialled) {
	case DIAL_OK:
		r->result.wire = dial_take(&r->dialler, &r->result.addr);
		if (!reach_has_parent(r))
			reach_aim(r, targets_find(r->at, &r->result.addr));
		return GO;
	case DIAL_REFUSED_ADDRESS:
		return reach_fail_dial(r, REACH_ADDRESS_REFUSED);
	case DIAL_REFUSED:
		return reach_fail_dial(r, REACH_REFUSED);
	case DIAL_NO_WAY:
	case DIAL_UNREACHABLE:
	case DIAL_FAILED:
		return reach_fail_dial(r, REACH_UNREACHABLE);
	case DIAL_RESET:
		return reach_fail_dial(r, REACH_RESET);
	case DIAL_LATE:
		return reach_fail_dial(r, REACH_LATE);
	case DIAL_NO_FDS:
		return reach_fail_dial(r, REACH_NO_FDS);
	}
	return END;
}

static void
start_dialling(struct reach *r)
{
	const struct upstream_env *env = cluster_env(r->cluster);
	const struct reach_place place = reach_place(r);
	const struct dial_plan plan = {
		.addrs = r->answers.v,
		.n = r->answers.n,
		.is_literal = place.is_address,
		.rules = place.rules,
		.way = &r->outward->way,
		.families = &r->cluster->all->families,
		.timeout_ms = cluster_connect_ms(r->cluster),
		.delay_ms = r->outward->delay_ms,
	};

	if (!reach_has_parent(r))
		reach_aim(r, NULL);
	r->result.addr = r->answers.v[0];
	r->result.tls_failure = TLS_FAIL_NONE;
	limit_attempt(r);
	r->progress = ASKED;
	dial_start(&r->dialler, env->loop, &plan, on_dialled, r);
}

static enum next
dial(struct reach *r)
{
	struct str path = reach_unix_path(r);

	switch (r->progress) {
	case TO_ASK:
		if (path.p != NULL) {
			limit_attempt(r);
			return reach_dial_unix(r, path);
		}
		start_dialling(r);
		return WAIT;
	case ASKED:
		return WAIT;
	case ANSWERED:
		return use_connection(r);
	case LATE:
		r->dialled = DIAL_LATE;
		return use_connection(r);
	}
	return END;
}

static void
on_handshake(void *arg)
{
	reach_run(arg);
}

/* A session is resumed only for the same endpoint at the same address. */
static void
print_session_key(const struct reach *r, struct text *out)
{
	char addr[ADDR_TEXT];

	addr_print(&r->result.addr, addr);
	text_add(out, r->cluster->service->key);
	text_add_char(out, ' ');
	text_add(out, endpoint_of(r)->key);
	text_add_char(out, ' ');
	text_add_z(out, addr);
}

static bool
start_tls(struct reach *r, struct tls_spec *spec, struct text *why)
{
	struct text key = TEXT_EMPTY;
	bool is_started;

	print_session_key(r, &key);
	is_started = wire_tls_connect(r->result.wire,
	    cluster_env(r->cluster)->tls, spec, text_str(&key), why);
	text_free(&key);
	if (is_started)
		wire_set_owner(r->result.wire, on_handshake, r);
	return is_started;
}

/* Traffic learns from it. */
static void
note_success(struct reach *r)
{
	atomic_bool *has_traffic = &r->cluster->shared->has_traffic;

	r->result.guard = cluster_guard_take(r->cluster, r->at, r->aim);
	/* Read mostly: the line stays with all workers. */
	if (!atomic_load_explicit(has_traffic, memory_order_relaxed))
		atomic_store_explicit(has_traffic, true, memory_order_relaxed);
	live_endpoint_worked(r->at);
	live_target_worked(r->aim);
	upstream_name_connected(r->want.name);
	outlier_report(r->cluster, live_known(r->at, r->aim),
	    service_has_requests(r->cluster->service) && !r->want.is_relay
		? OUTLIER_REACHED
		: OUTLIER_GOOD);
	cluster_note_health(r->cluster);
	stat_connect_time(cluster_set(r->cluster), r->result.connect_us);
}

/* The reload that came between may have changed endpoint or permission. */
static enum next
finish(struct reach *r)
{
	struct reached *out = &r->result;

	if (!pick_allows(&r->want, r->at)) {
		reach_stop_attempt(r);
		r->retry = PICK;
		return AGAIN;
	}
	out->connect_us = clock_us() - r->attempt_us;
	out->status = REACH_OK;
	out->detail[0] = '\0';
	out->tls_failure = TLS_FAIL_NONE;
	if (r->is_probe)
		out->guard = cluster_guard_hold(r->cluster, r->at, r->aim);
	else
		note_success(r);
	wire_set_owner(out->wire, NULL, NULL);
	return END;
}

static enum next
finish_tls(struct reach *r)
{
	struct stats_set *set = cluster_set(r->cluster);

	r->result.has_tls = true;
	wire_tls_info(r->result.wire, &r->result.tls);
	cluster_saw_chain(r->cluster, r->at, r->result.tls.chain_end_s);
	stat_inc(set, STAT_UPSTREAM_SSL_HANDSHAKE);
	if (r->result.tls.is_resumed)
		stat_inc(set, STAT_UPSTREAM_SSL_SESSION_REUSED);
	return finish(r);
}

static enum next
begin_tls(struct reach *r, struct tls_spec *spec)
{
	const struct endpoint *e = endpoint_of(r);
	struct text why = TEXT_EMPTY;
	enum next next = GO;

	r->progress = ASKED;
	if (!start_tls(r, spec, &why))
		next = reach_fail(r, REACH_TLS_SETUP, NEXT_ENDPOINT,
		    "%.*s: %.*s", STR_ARG(e->key), STR_ARG(text_str(&why)));
	text_free(&why);
	return next;
}

static enum next
secure(struct reach *r)
{
	struct tls_spec *spec =
	    r->want.is_relay || r->is_plain ? NULL : endpoint_of(r)->tls;
	enum next next;

	if (spec == NULL)
		return finish(r);
	if (r->progress == TO_ASK) {
		next = begin_tls(r, spec);
		if (next != GO)
			return next;
	}
	if (r->progress == LATE)
		return reach_fail_connection(
		    r, REACH_LATE, "the TLS handshake took too long");
	switch (wire_tls_handshake(r->result.wire)) {
	case IO_DONE:
		return finish_tls(r);
	case IO_AGAIN:
		return WAIT;
	case IO_EOF:
	case IO_CUT:
	case IO_FAIL:
		break;
	}
	return reach_fail_tls(r);
}
