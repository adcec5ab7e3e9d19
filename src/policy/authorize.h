/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_AUTHORIZE_H
#define POLICY_AUTHORIZE_H

/* May this caller use this service, by which endpoints, and who says so. */

#include <stdbool.h>
#include <stdint.h>

#include "policy/identity.h"
#include "policy/service.h"

struct verdict {
	bool is_allowed;
	bool is_shadow_denied; /* allowed, but a rule would like to deny */
	/* The deciding rule's origin; "no rule matches" when none did. */
	struct str rule;
	/* Bit i: endpoints of ruleset i may be used. */
	uint64_t rulesets;
};

/* v->rule lives as long as s. */
void authorize(
    const struct service *s, const struct identity *id, struct verdict *v);

#endif
