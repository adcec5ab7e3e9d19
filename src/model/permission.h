/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_PERMISSION_H
#define MODEL_PERMISSION_H

/*
 * TrafficPermission (legacy) and MeshTrafficPermission in its `from` form.
 * Its `rules` form is read and reported as not yet in force.
 */

#include "model/resource.h"

struct traffic_permission {
	struct tags *sources; /* sources[].match */
	size_t n_sources;
	struct tags *destinations;
	size_t n_destinations;
};

enum mtp_action { MTP_ALLOW, MTP_DENY, MTP_ALLOW_WITH_SHADOW_DENY };

struct mtp_from {
	struct target_ref target;
	enum mtp_action action;
	bool has_action;
	unsigned line;
};

struct mesh_traffic_permission {
	struct target_ref target; /* spec.targetRef */
	struct mtp_from *from;
	size_t n_from;
	bool has_rules; /* the newer form is used instead */
};

const struct traffic_permission *traffic_permission_of(
    const struct resource *r);
const struct mesh_traffic_permission *mesh_traffic_permission_of(
    const struct resource *r);

#endif
