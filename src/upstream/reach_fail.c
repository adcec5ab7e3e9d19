/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a failed attempt leads to: it is counted, told in one sentence that
 * names endpoint and address, remembered with the endpoint, and decides what
 * is tried next.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "upstream/chain_book.h"
#include "upstream/outlier_report.h"
#include "upstream/pick.h"
#include "upstream/reach_state.h"

/* Not ours, and not the resolver's or the parent proxy's. */
static bool
is_of_server(const struct reach *r, enum reach_status s)
{
	if (r->step == DIAL && reach_has_parent(r))
		return false;
	switch (s) {
	case REACH_REFUSED:
	case REACH_UNREACHABLE:
	case REACH_RESET:
	case REACH_LATE:
	case REACH_TLS:
	case REACH_PROTOCOL:
		return true;
	case REACH_OK:
	case REACH_NO_ENDPOINT:
	case REACH_NO_NAME:
	case REACH_NAME_FAILED:
	case REACH_NAME_LATE:
	case REACH_ADDRESS_REFUSED:
	case REACH_TLS_SETUP:
	case REACH_PARENT_AUTH:
	case REACH_PARENT_DENIED:
	case REACH_PARENT_FAILED:
	case REACH_OVERFLOW:
	case REACH_NO_FDS:
		break;
	}
	return false;
}

/* What a parent proxy does is no fault of a server, unless it says so. */
static bool
counts_against_server(const struct reach *r, enum reach_status s)
{
	if (reach_has_parent(r) && r->step <= PARENT)
		return r->step == PARENT && r->talk.blames_server;
	return is_of_server(r, s);
}

/* Where it was connected to; what was tried before that is noted already. */
static void
note_server_failed(struct reach *r, enum reach_status s)
{
	if (r->at->targets.n > 0 && r->aim == NULL)
		return;
	if (is_of_server(r, s))
		live_target_failed(r->aim, cluster_now_ms(r->cluster));
	if (counts_against_server(r, s))
		outlier_report(
		    r->cluster, live_known(r->at, r->aim), OUTLIER_LOCAL);
}

static bool
is_of_address(enum dial_status s)
{
	switch (s) {
	case DIAL_OK:
	case DIAL_REFUSED:
	case DIAL_UNREACHABLE:
	case DIAL_RESET:
	case DIAL_LATE:
	case DIAL_FAILED:
		return true;
	case DIAL_REFUSED_ADDRESS:
	case DIAL_NO_WAY:
	case DIAL_NO_FDS:
		break;
	}
	return false;
}

void
reach_note_dialled(struct reach *r)
{
	const struct dial *d = &r->dialler;
	struct live_target *t;
	size_t i, begun = dial_tries(d);

	if (r->at->targets.n == 0 || reach_has_parent(r) || r->is_probe ||
	    !is_of_address(r->dialled))
		return;
	for (i = 0; i < begun && i < r->answers.n; i++) {
		if (r->dialled == DIAL_OK &&
		    (i == d->won || !dial_is_spent(d, i)))
			continue;
		t = targets_find(r->at, &r->answers.v[i]);
		live_target_failed(t, cluster_now_ms(r->cluster));
		if (t != NULL)
			outlier_report(r->cluster, t->known, OUTLIER_LOCAL);
	}
}

static void
count_failure(struct reach *r, enum reach_status s)
{
	struct stats_set *set = cluster_set(r->cluster);
	bool is_late = s == REACH_LATE || s == REACH_NAME_LATE;

	if (r->is_probe)
		return;
	stat_inc(set, STAT_UPSTREAM_CX_CONNECT_FAIL);
	upstream_name_failed(r->want.name);
	if (is_late)
		stat_inc(set, STAT_UPSTREAM_CX_CONNECT_TIMEOUT);
	/* Without descriptors nothing was learnt about the endpoint. */
	if (s == REACH_NO_FDS)
		return;
	live_endpoint_failed(
	    r->at, cluster_now_ms(r->cluster), r->result.detail);
	note_server_failed(r, s);
	cluster_note_health(r->cluster);
}

/* False: this endpoint is done with. */
static bool
tries_again(struct reach *r, enum further further)
{
	switch (further) {
	case NEXT_ADDRESS:
		r->retry = DIAL;
		return r->answers.n > 0;
	case NEXT_TARGET:
		r->retry = RESOLVE;
		return reach_next_target(r);
	case NEXT_ENDPOINT:
	case NO_FURTHER:
		break;
	}
	return false;
}

/* Nothing was sent yet, so that trying elsewhere repeats nothing. */
static bool
may_try_on(struct reach *r)
{
	if (!r->has_retry && !r->is_probe)
		r->has_retry = cluster_begin_retry(r->cluster);
	return r->has_retry || r->is_probe;
}

static bool
has_other_endpoint(const struct reach *r)
{
	return !r->is_probe &&
	       pick_left(cluster_endpoints(r->cluster, &r->want), &r->want,
		   &r->tried) > 0;
}

enum next
reach_fail(struct reach *r, enum reach_status s, enum further further,
    const char *fmt, ...)
{
	struct live_endpoint *e = r->at;
	bool has_address;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(r->result.detail, sizeof(r->result.detail), fmt, ap);
	va_end(ap);
	r->result.status = s;
	count_failure(r, s);
	reach_stop_attempt(r);
	if (further == NO_FURTHER || reach_left_ms(r) == 0)
		return END;
	has_address = pick_allows(&r->want, e) && tries_again(r, further);
	if ((!has_address && !has_other_endpoint(r)) || !may_try_on(r))
		return END;
	if (has_address) {
		r->at = e;
		e->connecting++;
		r->result.attempts++;
	} else {
		r->retry = PICK;
	}
	return AGAIN;
}

enum next
reach_fail_name(struct reach *r, enum reach_status s)
{
	return reach_fail(r, s, NEXT_ENDPOINT, "%.*s: %.*s: %s",
	    STR_ARG(r->at->endpoint->key), STR_ARG(reach_place(r).host),
	    dns_status_text(r->dns_status));
}

enum next
reach_fail_address(struct reach *r)
{
	const struct endpoint *e = r->at->endpoint;
	const struct reach_place place = reach_place(r);
	char addr[ADDR_TEXT];

	r->result.addr = r->refused.addr;
	addr_print(&r->refused.addr, addr);
	if (place.is_address)
		return reach_fail(r, REACH_ADDRESS_REFUSED, NEXT_ENDPOINT,
		    "%.*s: we do not connect to %s: %s", STR_ARG(e->key), addr,
		    r->refused.why);
	return reach_fail(r, REACH_ADDRESS_REFUSED, NEXT_ENDPOINT,
	    "%.*s: %.*s leads to %s, where we do not connect: %s",
	    STR_ARG(e->key), STR_ARG(place.host), addr, r->refused.why);
}

/* "10.0.0.1:443 (bank.example): no route", or that of each address. */
static void
tell_dial(const struct reach *r, struct text *out)
{
	const struct dial *d = &r->dialler;
	char addr[ADDR_TEXT];

	if (dial_tries(d) > 1) {
		text_addf(out, "%.*s: ", STR_ARG(reach_place(r).host));
		dial_tell(d, out);
		return;
	}
	addr_print(&r->result.addr, addr);
	text_addf(out, "%s (%.*s): %s", addr, STR_ARG(reach_place(r).host),
	    dial_status_text(r->dialled));
	if (d->why != NULL)
		text_addf(out, ": %s", d->why);
}

/* All addresses were tried. */
enum next
reach_fail_dial(struct reach *r, enum reach_status s)
{
	struct text what = TEXT_EMPTY;
	enum next next;

	tell_dial(r, &what);
	r->result.connect_us = clock_us() - r->attempt_us;
	next = reach_fail(r, s, s == REACH_NO_FDS ? NO_FURTHER : NEXT_ENDPOINT,
	    "%.*s: connecting to %s", STR_ARG(r->at->endpoint->key), what.p);
	text_free(&what);
	return next;
}

enum next
reach_fail_connection(struct reach *r, enum reach_status s, const char *what)
{
	const struct endpoint *e = r->at->endpoint;
	char addr[ADDR_TEXT];

	addr_print(&r->result.addr, addr);
	r->result.connect_us = clock_us() - r->attempt_us;
	return reach_fail(r, s, s == REACH_NO_FDS ? NO_FURTHER : NEXT_ADDRESS,
	    "%.*s: connecting to %s (%.*s): %s", STR_ARG(e->key), addr,
	    STR_ARG(e->host), what);
}

/* Would another address of the same endpoint say the same? */
static bool
is_of_endpoint(enum tls_failure f)
{
	switch (f) {
	case TLS_FAIL_NO_CERT:
	case TLS_FAIL_CHAIN:
	case TLS_FAIL_EXPIRED:
	case TLS_FAIL_PURPOSE:
	case TLS_FAIL_NAME:
	case TLS_FAIL_SAN:
	case TLS_FAIL_VERSION:
	case TLS_FAIL_ALERT:
	case TLS_FAIL_RENEGOTIATION:
		return true;
	case TLS_FAIL_NONE:
	case TLS_FAIL_NOT_TLS:
	case TLS_FAIL_CLOSED:
	case TLS_FAIL_OTHER:
		return false;
	}
	return true;
}

static enum stat_cluster
counter_of(enum tls_failure f)
{
	switch (f) {
	case TLS_FAIL_NO_CERT:
	case TLS_FAIL_CHAIN:
	case TLS_FAIL_EXPIRED:
	case TLS_FAIL_PURPOSE:
		return STAT_UPSTREAM_SSL_FAIL_VERIFY_ERROR;
	case TLS_FAIL_NAME:
	case TLS_FAIL_SAN:
		return STAT_UPSTREAM_SSL_FAIL_VERIFY_SAN;
	case TLS_FAIL_NONE:
	case TLS_FAIL_VERSION:
	case TLS_FAIL_ALERT:
	case TLS_FAIL_RENEGOTIATION:
	case TLS_FAIL_NOT_TLS:
	case TLS_FAIL_CLOSED:
	case TLS_FAIL_OTHER:
		break;
	}
	return STAT_UPSTREAM_SSL_CONNECTION_ERROR;
}

enum next
reach_fail_tls(struct reach *r)
{
	const struct endpoint *e = r->at->endpoint;
	struct wire *w = r->result.wire;
	enum tls_failure f = wire_tls_failure(w);
	struct str why = wire_tls_failure_text(w);
	enum reach_status s = REACH_TLS;
	char addr[ADDR_TEXT];

	stat_inc(cluster_set(r->cluster), counter_of(f));
	if (w->error == ECONNRESET && !is_of_endpoint(f))
		s = REACH_RESET;
	if (wire_tls_is_alpn_wrong(w)) {
		s = REACH_PROTOCOL;
		stat_inc(
		    cluster_set(r->cluster), STAT_UPSTREAM_CX_PROTOCOL_ERROR);
	}
	if (why.len == 0)
		why = STR("the handshake was cut");
	if (f == TLS_FAIL_EXPIRED)
		cluster_saw_chain(r->cluster, r->at, wire_tls_chain_end_s(w));
	addr_print(&r->result.addr, addr);
	r->result.tls_failure = f;
	r->result.connect_us = clock_us() - r->attempt_us;
	return reach_fail(r, s,
	    is_of_endpoint(f) ? NEXT_ENDPOINT : NEXT_ADDRESS,
	    "%.*s: TLS with %s (%.*s): %.*s", STR_ARG(e->key), addr,
	    STR_ARG(e->host), STR_ARG(why));
}

const char *
reach_status_text(enum reach_status s)
{
	switch (s) {
	case REACH_OK:
		return "connected";
	case REACH_NO_ENDPOINT:
		return "no endpoint may be used";
	case REACH_NO_NAME:
		return "the name has no address";
	case REACH_NAME_FAILED:
		return "the resolver fails";
	case REACH_NAME_LATE:
		return "no resolver answered in time";
	case REACH_ADDRESS_REFUSED:
		return "the address is not allowed";
	case REACH_REFUSED:
		return "connection refused";
	case REACH_UNREACHABLE:
		return "no route to the address";
	case REACH_RESET:
		return "connection reset";
	case REACH_LATE:
		return "no connection in time";
	case REACH_TLS:
		return "the TLS handshake failed";
	case REACH_TLS_SETUP:
		return "the TLS settings cannot be used";
	case REACH_PROTOCOL:
		return "the server chose another protocol";
	case REACH_PARENT_AUTH:
		return "the parent proxy wants other credentials";
	case REACH_PARENT_DENIED:
		return "the parent proxy does not allow it";
	case REACH_PARENT_FAILED:
		return "the parent proxy failed";
	case REACH_OVERFLOW:
		return "a limit is reached";
	case REACH_NO_FDS:
		return "no descriptors left";
	}
	return "?";
}
