/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_FAULT_INJECTION_H
#define MODEL_FAULT_INJECTION_H

/*
 * FaultInjection (legacy) and MeshFaultInjection in its `from` form: `to` acts
 * at gateways and `rules` in sidecars.
 */

#include "model/resource.h"

/* conf; an item of default.http. */
struct fault {
	unsigned abort_status;
	unsigned abort_chance; /* millionths */
	unsigned delay_chance;
	unsigned bandwidth_chance;
	uint64_t delay_us;
	uint64_t bytes_per_s;
	bool has_abort, has_abort_status, has_abort_chance;
	bool has_delay, has_delay_value, has_delay_chance;
	bool has_bandwidth, has_limit, has_bandwidth_chance;
};

struct fault_injection {
	struct tags *sources; /* sources[].match */
	size_t n_sources;
	struct tags *destinations;
	size_t n_destinations;
	struct fault fault;
};

struct mfi_from {
	struct target_ref target;
	struct fault *faults; /* default.http */
	size_t n_faults;
	bool has_faults; /* an empty list takes others away */
	unsigned line;
};

struct mesh_fault_injection {
	struct target_ref target; /* spec.targetRef */
	struct mfi_from *from;
	size_t n_from;
	bool has_to;
	bool has_rules;
};

const struct fault_injection *fault_injection_of(const struct resource *r);
const struct mesh_fault_injection *mesh_fault_injection_of(
    const struct resource *r);

#endif
