/* SPDX-License-Identifier: Apache-2.0 */
/* Tags: look-up and match.  How they are read is in target_bind.c.  Pure. */

#include "model/target.h"

struct str
tags_get(const struct tags *t, struct str key)
{
	size_t i;

	for (i = 0; i < t->n; i++) {
		if (str_eq(t->v[i].key, key))
			return t->v[i].value;
	}
	return STR_NONE;
}

bool
tags_match(const struct tags *selector, const struct tags *t)
{
	struct str want, have;
	size_t i;

	for (i = 0; i < selector->n; i++) {
		want = selector->v[i].value;
		have = tags_get(t, selector->v[i].key);
		if (have.p == NULL ||
		    (!str_eq(want, STR("*")) && !str_eq(want, have)))
			return false;
	}
	return true;
}
