/* SPDX-License-Identifier: Apache-2.0 */
/* See zone_order.h.  Any thread. */

#include "policy/zone_order.h"

#include "base/attr.h"

static const struct {
	const char *word;
	bool has_names;
	bool accepts_named;
	bool accepts_others;
} kinds[] = {
	{ "any", false, true, true },
	{ "none", false, false, false },
	{ "only", true, true, false },
	{ "except", true, false, true },
};

static size_t
kind_of(struct str word)
{
	size_t i = 0;

	while (i < ARRAY_LEN(kinds) && !str_eq(word, str_of(kinds[i].word)))
		i++;
	return i;
}

bool
zone_rule_is_good(struct str rule)
{
	struct str word = str_cut(&rule, ' ');
	size_t kind = kind_of(word);

	if (kind == ARRAY_LEN(kinds) ||
	    kinds[kind].has_names != (rule.p != NULL))
		return false;
	while (rule.p != NULL)
		if (str_cut(&rule, ' ').len == 0)
			return false;
	return true;
}

static bool
names(struct str zones, struct str zone)
{
	while (zones.p != NULL)
		if (str_eq(str_cut(&zones, ' '), zone))
			return true;
	return false;
}

static bool
accepts(struct str rule, struct str zone)
{
	size_t kind = kind_of(str_cut(&rule, ' '));

	if (kind == ARRAY_LEN(kinds))
		return false;
	return names(rule, zone) ? kinds[kind].accepts_named
				 : kinds[kind].accepts_others;
}

unsigned
zone_order(const struct str_list *rules, struct str zone)
{
	unsigned i;

	for (i = 0; i < rules->n; i++)
		if (accepts(rules->v[i], zone))
			return i + 1;
	return 0;
}
