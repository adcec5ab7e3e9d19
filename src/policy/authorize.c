/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The answer to "may this caller?": rules in their order, whole names against
 * whole names (rule_finder.c).  Which rules a service has is decided in
 * compile_rules.c.
 *
 * In report mode a denial of one document is passed over, as if the document
 * were not there, and one of a service that is in report mode lets the caller
 * go on; either way the verdict has what would have denied.  So report mode
 * never blocks, and a document in report mode opens nothing.
 * Pure; any thread.
 */

#include "policy/authorize.h"

#include "policy/rule_finder.h"

#define SNI_MAX 255

/* What the rules of one set come to. */
struct finding {
	const struct rule *by;    /* NULL: none matches */
	const struct rule *would; /* the first that is only reported, or NULL */
};

static struct finding
ask(const struct ruleset *set, const struct identity *id, struct str sni)
{
	const struct rule_finder *finder =
	    set->block == NULL ? NULL : set->block->finder;
	struct finding f = { .would = NULL };

	f.by = rule_find(finder, set->rules, set->n_rules, id, sni, false);
	if (f.by == NULL || !f.by->is_report)
		return f;
	f.would = f.by;
	f.by = rule_find(finder, set->rules, set->n_rules, id, sni, true);
	return f;
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

static uint32_t
number_of(const struct service *s, const struct rule *rule)
{
	uint32_t before = 0;
	size_t i;

	for (i = 0; i < s->n_rulesets && rule != NULL; i++) {
		const struct ruleset *set = &s->rulesets[i];

		if (rule >= set->rules && rule < set->rules + set->n_rules)
			return before + (uint32_t)(rule - set->rules);
		before += (uint32_t)set->n_rules;
	}
	return RULE_NONE;
}

static struct str
origin_of(const struct rule *rule)
{
	return rule == NULL ? STR("no rule matches") : rule->origin.text;
}

struct str
report_mode_text(enum report_mode mode)
{
	switch (mode) {
	case REPORT_OFF:
		break;
	case REPORT_SERVICE:
		return STR("report mode of the service");
	case REPORT_DAEMON:
		return STR("report mode of the daemon");
	}
	return STR_NONE;
}

static void
report(const struct service *s, struct verdict *v, const struct rule *would)
{
	v->is_reported = true;
	v->would_rule = origin_of(would);
	v->would_number = number_of(s, would);
}

/* Nobody but report mode lets the caller in: to all that the name is for. */
static void
let_in(const struct service *s, uint64_t scope, struct verdict *v,
    const struct rule *would)
{
	v->is_allowed = true;
	v->rule = report_mode_text(s->report);
	v->rule_number = RULE_NONE;
	v->rulesets = mask_below(s->n_rulesets) & scope;
	report(s, v, would);
}

/* A longer one is the name of no service. */
static struct str
fold(struct str sni, char room[SNI_MAX])
{
	if (sni.len == 0 || sni.len > SNI_MAX)
		return STR_NONE;
	memcpy(room, sni.p, sni.len);
	ascii_lower(room, sni.len);
	return (struct str){ .p = room, .len = sni.len };
}

/*
 * The rule told is the first that allows and that no report stands before, else
 * the first that allows, else the first that denies.
 */
void
authorize(const struct service *s, const struct identity *id,
    struct str sni_as_sent, struct verdict *v)
{
	uint64_t scope = service_scope(s, sni_as_sent).rulesets;
	char folded[SNI_MAX];
	struct str sni = fold(sni_as_sent, folded);
	const struct rule *told = NULL, *would = NULL;
	bool is_outright = false;
	struct finding f;
	size_t i;

	*v = (struct verdict){ .is_allowed = false, .would_number = RULE_NONE };
	if (scope == 0) {
		v->has_no_subset = true;
		v->rule = STR("no endpoint has the tags of the server name");
		v->rule_number = RULE_NONE;
		return;
	}
	for (i = 0; i < s->n_rulesets && i < SERVICE_RULESETS_MAX; i++) {
		if ((scope >> i & 1) == 0)
			continue;
		f = ask(&s->rulesets[i], id, sni);
		if (would == NULL)
			would = f.would;
		if (!allows(f.by)) {
			if (told == NULL)
				told = f.by;
			continue;
		}
		if (!v->is_allowed || (!is_outright && f.would == NULL))
			told = f.by;
		is_outright = is_outright || f.would == NULL;
		v->is_allowed = true;
		v->rulesets |= UINT64_C(1) << i;
	}
	v->rule = origin_of(told);
	v->rule_number = number_of(s, told);
	v->is_shadow_denied =
	    v->is_allowed && told->effect == RULE_ALLOW_SHADOW_DENY;
	if (v->is_allowed && !is_outright)
		report(s, v, would);
	else if (!v->is_allowed && s->report != REPORT_OFF)
		let_in(s, scope, v, would != NULL ? would : told);
	v->kept_rulesets = s->report != REPORT_OFF
			       ? mask_below(s->n_rulesets) & scope
			       : v->rulesets;
}
