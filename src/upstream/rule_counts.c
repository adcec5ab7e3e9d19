/* SPDX-License-Identifier: Apache-2.0 */
/* See rule_counts.h. */

#include "upstream/rule_counts.h"

#include <stdlib.h>

#include "base/xalloc.h"
#include "policy/authorize.h"
#include "upstream/cluster_state.h"

enum { COUNTED_NONE = RULES_COUNTED, COUNTED_OTHER, COUNTED_N };

struct rule_counts {
	struct cluster_counts *v[COUNTED_N]; /* NULL: not used yet */
};

/* Grants come and go: they have one label together. */
static struct str
label_of(const struct rule *rule)
{
	return rule->is_grant ? STR("grants") : rule->origin.text;
}

/* Of no rule: empty. */
static struct str
text_of(const struct service *s, size_t at)
{
	if (at == COUNTED_NONE)
		return STR("no rule matches");
	if (at == COUNTED_OTHER)
		return STR("other");
	for (size_t i = 0; i < s->n_rulesets; i++) {
		if (at < s->rulesets[i].n_rules)
			return label_of(&s->rulesets[i].rules[at]);
		at -= s->rulesets[i].n_rules;
	}
	return STR_NONE;
}

static struct stats_set *
get(struct cluster *c, size_t at)
{
	struct text label = TEXT_EMPTY;

	if (c->rules == NULL)
		c->rules = xcalloc(1, sizeof(*c->rules));
	if (c->rules->v[at] == NULL) {
		text_addf(&label, "%.*s %.*s", STR_ARG(c->service->stats_name),
		    STR_ARG(text_of(c->service, at)));
		c->rules->v[at] =
		    counts_get(c->all, SCOPE_RULE, text_str(&label));
		text_free(&label);
	}
	return c->rules->v[at]->set;
}

void
cluster_count_rule(struct cluster *c, uint32_t number, enum stat_rule what)
{
	size_t at = number;

	if (number == RULE_NONE)
		at = COUNTED_NONE;
	else if (number >= RULES_COUNTED)
		at = COUNTED_OTHER;
	stat_inc(get(c, at), what);
}

/* Where the rule is now; COUNTED_N: nowhere among those counted. */
static size_t
find(const struct service *s, const struct rule_counts *taken, struct str text)
{
	size_t i;

	for (i = 0; i < RULES_COUNTED; i++)
		if (taken->v[i] == NULL && str_eq(text_of(s, i), text))
			return i;
	return COUNTED_N;
}

void
rule_counts_sync(struct cluster *c, const struct service *old)
{
	struct rule_counts had, *now = c->rules;
	size_t i, at;

	if (now == NULL || old == NULL)
		return;
	had = *now;
	for (i = 0; i < RULES_COUNTED; i++)
		now->v[i] = NULL;
	for (i = 0; i < RULES_COUNTED; i++) {
		if (had.v[i] == NULL)
			continue;
		at = find(c->service, now, text_of(old, i));
		if (at < COUNTED_N)
			now->v[at] = had.v[i];
		else
			counts_drop(c->all, had.v[i]);
	}
}

void
rule_counts_free(struct cluster *c)
{
	size_t i;

	for (i = 0; c->rules != NULL && i < COUNTED_N; i++)
		if (c->rules->v[i] != NULL)
			counts_drop(c->all, c->rules->v[i]);
	free(c->rules);
}
