/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a MeshCircuitBreaker comes to (Kuma section 8.8): limits that hold for
 * the whole daemon, and detectors.  One that is not given is off; one that is
 * given without a number has Envoy's.  Main thread.
 */

#include "base/attr.h"
#include "model/mesh_circuit_breaker.h"
#include "policy/compile_policies.h"
#include "policy/policy_options.h"

/* A detector's value, or else what it means to name the detector at all. */
static void
give_usual(struct compile *c, const struct policy_conf *conf, size_t detector,
    size_t i, enum service_option o, uint64_t usual, struct policy_options *p)
{
	if (!conf->v[detector].is_given)
		return;
	if (conf->v[i].is_given)
		give_value(p, c, conf, i, o);
	else
		give_number(p, c, conf, detector, o, usual);
}

static void
give_detectors(
    struct compile *c, const struct policy_conf *conf, struct policy_options *p)
{
	static const struct {
		size_t detector;
		size_t value;
		enum service_option option;
		uint64_t usual;
	} rows[] = {
		{ MCB_TOTAL, MCB_TOTAL_N, SERVICE_OPTION_OUTLIER_5XX, 5 },
		{ MCB_GATEWAY, MCB_GATEWAY_N, SERVICE_OPTION_OUTLIER_GATEWAY,
		    5 },
		{ MCB_LOCAL, MCB_LOCAL_N, SERVICE_OPTION_OUTLIER_LOCAL, 5 },
		{ MCB_RATE, MCB_RATE_FACTOR, SERVICE_OPTION_OUTLIER_RATE_FACTOR,
		    1900 },
		{ MCB_RATE, MCB_RATE_HOSTS, SERVICE_OPTION_OUTLIER_RATE_HOSTS,
		    5 },
		{ MCB_RATE, MCB_RATE_VOLUME, SERVICE_OPTION_OUTLIER_RATE_VOLUME,
		    100 },
		{ MCB_FAILURES, MCB_FAILURES_PERCENT,
		    SERVICE_OPTION_OUTLIER_FAILURE_PERCENT, 85 },
		{ MCB_FAILURES, MCB_FAILURES_HOSTS,
		    SERVICE_OPTION_OUTLIER_FAILURE_HOSTS, 5 },
		{ MCB_FAILURES, MCB_FAILURES_VOLUME,
		    SERVICE_OPTION_OUTLIER_FAILURE_VOLUME, 50 },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++)
		give_usual(c, conf, rows[i].detector, rows[i].value,
		    rows[i].option, rows[i].usual, p);
}

static void
give_outlier(
    struct compile *c, const struct policy_conf *conf, struct policy_options *p)
{
	give_detectors(c, conf, p);
	give_value(
	    p, c, conf, MCB_INTERVAL, SERVICE_OPTION_OUTLIER_INTERVAL_MS);
	give_value(p, c, conf, MCB_BASE_TIME, SERVICE_OPTION_OUTLIER_BASE_MS);
	give_value(
	    p, c, conf, MCB_MOST_PERCENT, SERVICE_OPTION_OUTLIER_MOST_PERCENT);
	give_value(p, c, conf, MCB_SPLITS, SERVICE_OPTION_OUTLIER_SPLITS);
}

void
options_of_breaker(
    struct compile *c, const struct policy_conf *conf, struct policy_options *p)
{
	const struct policy_value *panic = &conf->v[MCB_PANIC];

	give_value(
	    p, c, conf, MCB_CONNECTIONS, SERVICE_OPTION_BREAKER_CONNECTIONS);
	give_value(p, c, conf, MCB_PENDING, SERVICE_OPTION_BREAKER_PENDING);
	give_value(p, c, conf, MCB_REQUESTS, SERVICE_OPTION_BREAKER_REQUESTS);
	give_value(p, c, conf, MCB_RETRIES, SERVICE_OPTION_BREAKER_RETRIES);
	tell_unused(c, conf, MCB_POOLS, "connectionLimits.maxConnectionPools",
	    "an endpoint has one pool a worker");
	if (conf->v[MCB_OUTLIER].is_given && conf->v[MCB_DISABLED].number == 0)
		give_outlier(c, conf, p);
	if (panic->is_given)
		give_number(p, c, conf, MCB_PANIC, SERVICE_OPTION_BALANCE_PANIC,
		    panic->number / 1000);
}
