/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answer to "may this caller?": rules in their order, whole names against
 * whole names.  Which rules a service has is decided in compile_rules.c.
 * Pure; any thread.
 */

#include "policy/authorize.h"

static const struct rule *
deciding_rule(const struct ruleset *set, const struct identity *id)
{
	const struct rule *rule;
	size_t i;

	for (i = 0; i < set->n_rules; i++) {
		rule = &set->rules[i];
		if (principals_match(rule->principals, rule->n_principals, id))
			return rule;
	}
	return NULL;
}

static bool
allows(const struct rule *rule)
{
	if (rule == NULL)
		return false;
	switch (rule->effect) {
	case RULE_ALLOW:
	case RULE_ALLOW_SHADOW_DENY:
		return true;
	case RULE_DENY:
		return false;
	}
	return false;
}

/* The rule told is the first that allows, else the first that denies. */
void
authorize(const struct service *s, const struct identity *id, struct verdict *v)
{
	const struct rule *rule, *told = NULL;
	size_t i;

	*v = (struct verdict){ .is_allowed = false };
	for (i = 0; i < s->n_rulesets && i < SERVICE_RULESETS_MAX; i++) {
		rule = deciding_rule(&s->rulesets[i], id);
		if (allows(rule)) {
			if (!v->is_allowed)
				told = rule;
			v->is_allowed = true;
			v->rulesets |= UINT64_C(1) << i;
		} else if (told == NULL) {
			told = rule;
		}
	}
	v->is_shadow_denied =
	    v->is_allowed && told->effect == RULE_ALLOW_SHADOW_DENY;
	v->rule = told == NULL ? STR("no rule matches") : told->origin.text;
}
