/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a MeshHealthCheck comes to (Kuma section 8.9): the check that fits the
 * service's protocol, else the one of TCP.  Main thread.
 */

#include "base/str.h"
#include "model/mesh_health_check.h"
#include "policy/compile.h"
#include "policy/compile_policies.h"
#include "policy/policy_options.h"

static bool
is_on(const struct policy_conf *conf, size_t group, size_t disabled)
{
	return conf->v[group].is_given && conf->v[disabled].number == 0;
}

static bool
speaks(const struct policy_conf *conf)
{
	return conf->v[MHC_TCP_SEND].is_given ||
	       conf->v[MHC_TCP_RECEIVE].is_given;
}

/* The group that is used, and which check it means. */
static enum health_kind
choose(const struct policy_conf *conf, const struct policy_subject *about,
    const struct service *draft, size_t *group)
{
	switch (draft->protocol) {
	case PROTO_HTTP:
	case PROTO_HTTP2:
		*group = MHC_HTTP;
		if (is_on(conf, MHC_HTTP, MHC_HTTP_DISABLED))
			return HEALTH_HTTP;
		break;
	case PROTO_GRPC:
		*group = MHC_GRPC;
		if (is_on(conf, MHC_GRPC, MHC_GRPC_DISABLED))
			return HEALTH_GRPC;
		break;
	case PROTO_TCP:
	case PROTO_KAFKA:
		break;
	}
	*group = MHC_TCP;
	if (!is_on(conf, MHC_TCP, MHC_TCP_DISABLED))
		return HEALTH_NONE;
	/* Bytes go by way of TLS where the endpoint has it. */
	return about->has_tls && !speaks(conf) ? HEALTH_TLS : HEALTH_TCP;
}

static void
give_statuses(
    const struct policy_conf *conf, struct arena *a, struct policy_options *p)
{
	const struct policy_value *value = &conf->v[MHC_HTTP_STATUSES];
	const unsigned *statuses = value->list.items;
	struct str_list list = { .n = value->list.n };
	struct str *v = arena_alloc(a, (list.n + 1) * sizeof(*v));
	size_t i;

	for (i = 0; i < list.n; i++)
		v[i] = str_of(arena_printf(a, "%u", statuses[i]));
	list.v = v;
	if (list.n > 0)
		give_strs(p, conf, MHC_HTTP_STATUSES,
		    SERVICE_OPTION_HEALTH_STATUSES, list);
}

static bool
is_base64(struct str s)
{
	struct text bytes = TEXT_EMPTY;
	bool is_good = base64_decode(s, &bytes);

	text_free(&bytes);
	return is_good;
}

static void
give_tcp(
    struct compile *c, const struct policy_conf *conf, struct policy_options *p)
{
	const struct policy_value *send = &conf->v[MHC_TCP_SEND];
	const struct policy_value *receive = &conf->v[MHC_TCP_RECEIVE];
	struct str_list list = { .v = receive->list.items };
	bool is_good = true;

	if (send->is_given && is_base64(send->text))
		give_str(p, conf, MHC_TCP_SEND, SERVICE_OPTION_HEALTH_TCP_SEND,
		    send->text);
	else
		tell_unused(
		    c, conf, MHC_TCP_SEND, "tcp.send", "it is no base64");
	if (!receive->is_given)
		return;
	for (; list.n < receive->list.n; list.n++)
		is_good = is_good && is_base64(list.v[list.n]);
	if (is_good)
		give_strs(p, conf, MHC_TCP_RECEIVE,
		    SERVICE_OPTION_HEALTH_TCP_RECEIVE, list);
	else
		tell_unused(c, conf, MHC_TCP_RECEIVE, "tcp.receive",
		    "not all of it is base64");
}

static void
give_http(
    const struct policy_conf *conf, struct arena *a, struct policy_options *p)
{
	if (conf->v[MHC_HTTP_PATH].is_given)
		give_str(p, conf, MHC_HTTP_PATH, SERVICE_OPTION_HEALTH_PATH,
		    conf->v[MHC_HTTP_PATH].text);
	if (conf->v[MHC_HTTP_STATUSES].is_given)
		give_statuses(conf, a, p);
}

static void
give_grpc(const struct policy_conf *conf, struct policy_options *p)
{
	if (conf->v[MHC_GRPC_SERVICE].is_given)
		give_str(p, conf, MHC_GRPC_SERVICE,
		    SERVICE_OPTION_HEALTH_GRPC_SERVICE,
		    conf->v[MHC_GRPC_SERVICE].text);
	if (conf->v[MHC_GRPC_AUTHORITY].is_given)
		give_str(p, conf, MHC_GRPC_AUTHORITY,
		    SERVICE_OPTION_HEALTH_HOST,
		    conf->v[MHC_GRPC_AUTHORITY].text);
}

static void
give_times(
    struct compile *c, const struct policy_conf *conf, struct policy_options *p)
{
	give_value(p, c, conf, MHC_INTERVAL, SERVICE_OPTION_HEALTH_INTERVAL_MS);
	give_value(p, c, conf, MHC_TIMEOUT, SERVICE_OPTION_HEALTH_TIMEOUT_MS);
	give_value(p, c, conf, MHC_UNHEALTHY, SERVICE_OPTION_HEALTH_UNHEALTHY);
	give_value(p, c, conf, MHC_HEALTHY, SERVICE_OPTION_HEALTH_HEALTHY);
	give_value(p, c, conf, MHC_NO_TRAFFIC_INTERVAL,
	    SERVICE_OPTION_HEALTH_NO_TRAFFIC_MS);
	give_value(p, c, conf, MHC_INITIAL_JITTER,
	    SERVICE_OPTION_HEALTH_FIRST_JITTER_MS);
	give_value(p, c, conf, MHC_JITTER, SERVICE_OPTION_HEALTH_JITTER_MS);
	give_value(
	    p, c, conf, MHC_JITTER_PERCENT, SERVICE_OPTION_HEALTH_JITTER);
	give_value(
	    p, c, conf, MHC_ALWAYS_LOG, SERVICE_OPTION_HEALTH_LOGS_FAILURES);
	give_value(p, c, conf, MHC_FAILS_ON_PANIC,
	    SERVICE_OPTION_HEALTH_FAILS_IN_PANIC);
}

static void
tell_rest(
    struct compile *c, const struct policy_conf *conf, enum health_kind kind)
{
	if (kind == HEALTH_HTTP)
		tell_unused(c, conf, MHC_HTTP_HEADERS,
		    "http.requestHeadersToAdd",
		    "health.headers in zegressd.conf can add fields");
	tell_unused(c, conf, MHC_EVENT_LOG, "eventLogPath",
	    "what changes is in the log of the daemon");
}

void
options_of_health(struct compile *c, const struct policy_conf *conf,
    const struct policy_subject *about, const struct service *draft,
    struct arena *a, struct policy_options *p)
{
	const struct policy_value *panic = &conf->v[MHC_PANIC];
	enum health_kind kind;
	size_t group;

	if (panic->is_given)
		give_number(p, c, conf, MHC_PANIC, SERVICE_OPTION_BALANCE_PANIC,
		    panic->number / 1000);
	kind = choose(conf, about, draft, &group);
	if (!conf->v[group].is_given || kind == HEALTH_NONE)
		return;
	give_number(p, c, conf, group, SERVICE_OPTION_HEALTH_CHECK, kind);
	if (kind == HEALTH_HTTP)
		give_http(conf, a, p);
	if (kind == HEALTH_GRPC)
		give_grpc(conf, p);
	if (kind == HEALTH_TCP)
		give_tcp(c, conf, p);
	give_times(c, conf, p);
	tell_rest(c, conf, kind);
}
