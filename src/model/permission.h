/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_PERMISSION_H
#define MODEL_PERMISSION_H

/*
 * TrafficPermission (legacy) and MeshTrafficPermission in both of its forms,
 * `from` and `rules` (Kuma, meshtrafficpermission api and api/common match).
 */

#include "model/caller_match.h"
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

struct mtp_matches {
	struct caller_match *v;
	size_t n;
};

/* spec.rules[].default */
struct mtp_rule {
	struct mtp_matches deny;
	struct mtp_matches allow_with_shadow_deny;
	struct mtp_matches allow;
	unsigned line;
};

struct mesh_traffic_permission {
	struct target_ref target; /* spec.targetRef */
	/* Exactly one of these has items. */
	struct mtp_from *from;
	size_t n_from;
	struct mtp_rule *rules;
	size_t n_rules;
};

const struct traffic_permission *traffic_permission_of(
    const struct resource *r);
const struct mesh_traffic_permission *mesh_traffic_permission_of(
    const struct resource *r);

#endif
