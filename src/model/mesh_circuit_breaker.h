/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_MESH_CIRCUIT_BREAKER_H
#define MODEL_MESH_CIRCUIT_BREAKER_H

/* The values of a MeshCircuitBreaker's items: outbound_policy.h. */

enum mesh_circuit_breaker_value {
	MCB_LIMITS, /* connectionLimits was given, … */
	MCB_CONNECTIONS,
	MCB_POOLS,
	MCB_PENDING,
	MCB_RETRIES,
	MCB_REQUESTS,
	MCB_OUTLIER, /* outlierDetection */
	MCB_DISABLED,
	MCB_INTERVAL,
	MCB_BASE_TIME,
	MCB_MOST_PERCENT,
	MCB_SPLITS,
	MCB_PANIC, /* thousandths of a percent */
	MCB_DETECTORS,
	MCB_TOTAL,
	MCB_TOTAL_N,
	MCB_GATEWAY,
	MCB_GATEWAY_N,
	MCB_LOCAL,
	MCB_LOCAL_N,
	MCB_RATE,
	MCB_RATE_HOSTS,
	MCB_RATE_VOLUME,
	MCB_RATE_FACTOR, /* thousandths */
	MCB_FAILURES,
	MCB_FAILURES_HOSTS,
	MCB_FAILURES_VOLUME,
	MCB_FAILURES_PERCENT
};

#endif
