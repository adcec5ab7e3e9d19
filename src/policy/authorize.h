/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_AUTHORIZE_H
#define POLICY_AUTHORIZE_H

/* May this caller use this service, by which endpoints, and who says so. */

#include <stdbool.h>
#include <stdint.h>

#include "policy/identity.h"
#include "policy/service.h"

/* No rule of the service: none matches, or report mode lets it go on. */
#define RULE_NONE UINT32_MAX

struct verdict {
	bool is_allowed;
	bool is_shadow_denied; /* allowed, but a rule would like to deny */
	bool is_reported;      /* allowed only because of report mode */
	/*
	 * The deciding rule's origin; "no rule matches" when none did, and
	 * "report mode of …" where that alone lets the caller go on.
	 */
	struct str rule;
	/* Of those reported: the origin of what would have denied; else empty.
	 */
	struct str would_rule;
	/* No endpoint has the tags of the server name: nobody is asked. */
	bool has_no_subset;
	/* The same as numbers: rules of all rulesets, one after the other. */
	uint32_t rule_number;
	uint32_t would_number;
	/* Bit i: endpoints of ruleset i may be used. */
	uint64_t rulesets;
	/* Bit i: what is open by them may go on.  More only in report mode. */
	uint64_t kept_rulesets;
};

/*
 * sni: the server name by which the caller asked for s, as it was sent.
 * Texts of v live as long as s.
 */
void authorize(const struct service *s, const struct identity *id,
    struct str sni, struct verdict *v);

/* What report mode says in place of a rule; empty: it is off. */
struct str report_mode_text(enum report_mode mode);

#endif
