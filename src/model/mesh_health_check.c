/* SPDX-License-Identifier: Apache-2.0 */
/* What a MeshHealthCheck may say (Kuma section 8.9).  Main thread. */

#include "model/mesh_health_check.h"

#include "model/kind_rows.h"
#include "model/outbound_policy.h"

static const struct bind tcp_rows[] = {
	OUTBOUND_ROW("disabled", MHC_TCP_DISABLED, value_read_bool),
	OUTBOUND_ROW("send", MHC_TCP_SEND, value_read_text),
	OUTBOUND_ROW("receive", MHC_TCP_RECEIVE, value_read_texts),
	{ .type = BIND_END },
};

static const struct bind http_rows[] = {
	OUTBOUND_ROW("disabled", MHC_HTTP_DISABLED, value_read_bool),
	OUTBOUND_ROW("path", MHC_HTTP_PATH, value_read_name),
	{ .key = "requestHeadersToAdd",
	    .type = BIND_SKIP,
	    .has_offset = OUTBOUND_GIVEN(MHC_HTTP_HEADERS) },
	OUTBOUND_ROW(
	    "expectedStatuses", MHC_HTTP_STATUSES, value_read_statuses),
	{ .type = BIND_END },
};

static const struct bind grpc_rows[] = {
	OUTBOUND_ROW("disabled", MHC_GRPC_DISABLED, value_read_bool),
	OUTBOUND_ROW("serviceName", MHC_GRPC_SERVICE, value_read_text),
	OUTBOUND_ROW("authority", MHC_GRPC_AUTHORITY, value_read_text),
	{ .type = BIND_END },
};

static const struct bind default_rows[] = {
	OUTBOUND_ROW("interval", MHC_INTERVAL, value_read_time_above_zero),
	OUTBOUND_ROW("timeout", MHC_TIMEOUT, value_read_time_above_zero),
	OUTBOUND_ROW(
	    "unhealthyThreshold", MHC_UNHEALTHY, value_read_above_zero),
	OUTBOUND_ROW("healthyThreshold", MHC_HEALTHY, value_read_above_zero),
	OUTBOUND_ROW(
	    "initialJitter", MHC_INITIAL_JITTER, value_read_time_above_zero),
	OUTBOUND_ROW("intervalJitter", MHC_JITTER, value_read_time_above_zero),
	OUTBOUND_ROW(
	    "intervalJitterPercent", MHC_JITTER_PERCENT, value_read_percent),
	OUTBOUND_ROW(
	    "healthyPanicThreshold", MHC_PANIC, value_read_decimal_percent),
	OUTBOUND_ROW("failTrafficOnPanic", MHC_FAILS_ON_PANIC, value_read_bool),
	OUTBOUND_ROW("eventLogPath", MHC_EVENT_LOG, value_read_path),
	OUTBOUND_ROW(
	    "alwaysLogHealthCheckFailures", MHC_ALWAYS_LOG, value_read_bool),
	OUTBOUND_ROW("noTrafficInterval", MHC_NO_TRAFFIC_INTERVAL,
	    value_read_time_above_zero),
	OUTBOUND_ROW("reuseConnection", MHC_REUSES_CONNECTION, value_read_bool),
	OUTBOUND_GROUP("tcp", MHC_TCP, tcp_rows),
	OUTBOUND_GROUP("http", MHC_HTTP, http_rows),
	OUTBOUND_GROUP("grpc", MHC_GRPC, grpc_rows),
	{ .type = BIND_END },
};

static const struct bind item_rows[] = OUTBOUND_ITEM_ROWS(default_rows);

const struct bind mesh_health_check_bind[] = {
	OUTBOUND_TARGET_ROW,
	OUTBOUND_LIST("to", OUTBOUND_TO, item_rows),
	{ .type = BIND_END },
};

static void
check_item(
    const struct outbound_item *item, const char *at, struct problems *pr)
{
	const struct policy_value *v = item->v;

	if (!v[MHC_TCP].is_given && !v[MHC_HTTP].is_given &&
	    !v[MHC_GRPC].is_given)
		outbound_error(pr, at, "",
		    "must have at least one defined: http, tcp, grpc");
}

void
mesh_health_check_check(struct resource *r, struct problems *pr)
{
	const struct outbound_demands demands = {
		.top = outbound_top_kinds,
		.to = outbound_to_kinds,
		.check = check_item,
	};

	outbound_policy_check(r->spec, &demands, pr);
}
