/* SPDX-License-Identifier: Apache-2.0 */
/* What a MeshCircuitBreaker may say (Kuma section 8.8).  Main thread. */

#include "model/mesh_circuit_breaker.h"

#include "model/kind_rows.h"
#include "model/outbound_policy.h"

static const struct bind limit_rows[] = {
	OUTBOUND_ROW("maxConnections", MCB_CONNECTIONS, value_read_above_zero),
	OUTBOUND_ROW("maxConnectionPools", MCB_POOLS, value_read_above_zero),
	OUTBOUND_ROW("maxPendingRequests", MCB_PENDING, value_read_above_zero),
	OUTBOUND_ROW("maxRetries", MCB_RETRIES, value_read_above_zero),
	OUTBOUND_ROW("maxRequests", MCB_REQUESTS, value_read_above_zero),
	{ .type = BIND_END },
};

static const struct bind total_rows[] = {
	OUTBOUND_ROW("consecutive", MCB_TOTAL_N, value_read_above_zero),
	{ .type = BIND_END },
};

static const struct bind gateway_rows[] = {
	OUTBOUND_ROW("consecutive", MCB_GATEWAY_N, value_read_above_zero),
	{ .type = BIND_END },
};

static const struct bind local_rows[] = {
	OUTBOUND_ROW("consecutive", MCB_LOCAL_N, value_read_above_zero),
	{ .type = BIND_END },
};

static const struct bind rate_rows[] = {
	OUTBOUND_ROW("minimumHosts", MCB_RATE_HOSTS, value_read_above_zero),
	OUTBOUND_ROW("requestVolume", MCB_RATE_VOLUME, value_read_above_zero),
	OUTBOUND_ROW("standardDeviationFactor", MCB_RATE_FACTOR,
	    value_read_decimal_above_zero),
	{ .type = BIND_END },
};

static const struct bind failure_rows[] = {
	OUTBOUND_ROW("minimumHosts", MCB_FAILURES_HOSTS, value_read_above_zero),
	OUTBOUND_ROW(
	    "requestVolume", MCB_FAILURES_VOLUME, value_read_above_zero),
	OUTBOUND_ROW("threshold", MCB_FAILURES_PERCENT, value_read_percent),
	{ .type = BIND_END },
};

static const struct bind detector_rows[] = {
	OUTBOUND_GROUP("totalFailures", MCB_TOTAL, total_rows),
	OUTBOUND_GROUP("gatewayFailures", MCB_GATEWAY, gateway_rows),
	OUTBOUND_GROUP("localOriginFailures", MCB_LOCAL, local_rows),
	OUTBOUND_GROUP("successRate", MCB_RATE, rate_rows),
	OUTBOUND_GROUP("failurePercentage", MCB_FAILURES, failure_rows),
	{ .type = BIND_END },
};

static const struct bind outlier_rows[] = {
	OUTBOUND_ROW("disabled", MCB_DISABLED, value_read_bool),
	OUTBOUND_ROW("interval", MCB_INTERVAL, value_read_time_above_zero),
	OUTBOUND_ROW(
	    "baseEjectionTime", MCB_BASE_TIME, value_read_time_above_zero),
	OUTBOUND_ROW(
	    "maxEjectionPercent", MCB_MOST_PERCENT, value_read_percent),
	OUTBOUND_ROW(
	    "splitExternalAndLocalErrors", MCB_SPLITS, value_read_bool),
	OUTBOUND_ROW(
	    "healthyPanicThreshold", MCB_PANIC, value_read_decimal_percent),
	OUTBOUND_GROUP("detectors", MCB_DETECTORS, detector_rows),
	{ .type = BIND_END },
};

static const struct bind default_rows[] = {
	OUTBOUND_GROUP("connectionLimits", MCB_LIMITS, limit_rows),
	OUTBOUND_GROUP("outlierDetection", MCB_OUTLIER, outlier_rows),
	{ .type = BIND_END },
};

static const struct bind item_rows[] = OUTBOUND_ITEM_ROWS(default_rows);

const struct bind mesh_circuit_breaker_bind[] = {
	OUTBOUND_TARGET_ROW,
	OUTBOUND_LIST("to", OUTBOUND_TO, item_rows),
	OUTBOUND_LIST("from", OUTBOUND_FROM, item_rows),
	OUTBOUND_LIST("rules", OUTBOUND_RULES, item_rows),
	{ .type = BIND_END },
};

static bool
has_detector(const struct policy_value *v)
{
	return v[MCB_TOTAL].is_given || v[MCB_GATEWAY].is_given ||
	       v[MCB_LOCAL].is_given || v[MCB_RATE].is_given ||
	       v[MCB_FAILURES].is_given;
}

static void
check_item(
    const struct outbound_item *item, const char *at, struct problems *pr)
{
	const struct policy_value *v = item->v;

	if (!v[MCB_LIMITS].is_given && !v[MCB_OUTLIER].is_given)
		outbound_error(pr, at, "",
		    "at least one of: 'connectionLimits' or "
		    "'outlierDetection' should be configured");
	else if (v[MCB_OUTLIER].is_given && !v[MCB_DETECTORS].is_given)
		outbound_error(
		    pr, at, "outlierDetection.detectors", "must be defined");
	else if (v[MCB_OUTLIER].is_given && !has_detector(v))
		outbound_error(pr, at, "outlierDetection.detectors",
		    "must have at least one defined: totalFailures, "
		    "gatewayFailures, localOriginFailures, successRate, "
		    "failurePercentage");
}

void
mesh_circuit_breaker_check(struct resource *r, struct problems *pr)
{
	const struct outbound_demands demands = {
		.top = outbound_top_kinds,
		.to = outbound_to_kinds,
		.wants_items = true,
		.check = check_item,
	};

	outbound_policy_check(r->spec, &demands, pr);
}
