/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a MeshHealthCheck comes to (Kuma section 8.9): the check that fits the
 * service's protocol, else the one of TCP.  Main thread.
 */

#include "model/mesh_health_check.h"
#include "policy/compile.h"
#include "policy/compile_policies.h"
#include "policy/policy_options.h"

/* Kuma's, where nothing is said. */
#define USUAL_INTERVAL_MS 60000

static bool
is_on(const struct policy_conf *conf, size_t group, size_t disabled)
{
	return conf->v[group].is_given && conf->v[disabled].number == 0;
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
	return about->has_tls ? HEALTH_TLS : HEALTH_TCP;
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

/* As a share of the interval, rounded up. */
static void
give_jitter(
    struct compile *c, const struct policy_conf *conf, struct policy_options *p)
{
	const struct policy_value *v = conf->v;
	uint64_t interval = USUAL_INTERVAL_MS, percent;

	if (v[MHC_INTERVAL].is_given)
		interval = v[MHC_INTERVAL].number;
	give_value(
	    p, c, conf, MHC_JITTER_PERCENT, SERVICE_OPTION_HEALTH_JITTER);
	if (!v[MHC_JITTER].is_given || v[MHC_JITTER_PERCENT].is_given)
		return;
	percent = (v[MHC_JITTER].number * 100 + interval - 1) / interval;
	give_number(p, c, conf, MHC_JITTER, SERVICE_OPTION_HEALTH_JITTER,
	    percent < 100 ? percent : 100);
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
	give_jitter(c, conf, p);
}

static void
tell_rest(
    struct compile *c, const struct policy_conf *conf, enum health_kind kind)
{
	if (kind == HEALTH_TCP || kind == HEALTH_TLS) {
		tell_unused(c, conf, MHC_TCP_SEND, "tcp.send",
		    "the check is that the server takes the connection");
		tell_unused(c, conf, MHC_TCP_RECEIVE, "tcp.receive",
		    "the check is that the server takes the connection");
	}
	if (kind == HEALTH_HTTP)
		tell_unused(c, conf, MHC_HTTP_HEADERS,
		    "http.requestHeadersToAdd",
		    "the check has no fields but its own");
	if (conf->v[MHC_FAILS_ON_PANIC].number != 0)
		tell_unused(c, conf, MHC_FAILS_ON_PANIC, "failTrafficOnPanic",
		    "where no endpoint is healthy they are all tried");
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
	give_times(c, conf, p);
	tell_rest(c, conf, kind);
}
