/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_COMPILE_SUBSET_H
#define POLICY_COMPILE_SUBSET_H

/*
 * Server names that routes make for some endpoints of a service only: a name
 * with tags is for those that have them.  Kept while a service is compiled,
 * in its arena.  Main thread.
 */

#include "policy/compile.h"

/* Which names an endpoint is for: bit i of byte i / 8.  NULL: all. */
struct cover {
	unsigned char *bits;
};

/* A server name, or one of several destinations that lead to it. */
struct subset_name {
	struct str name;
	const struct route_destination *destination; /* NULL: no route's */
	const struct resource *route;
	unsigned index; /* of the name in draft->snis */
};

struct subsets {
	struct subset_name *v; /* by name */
	size_t n;
	size_t n_names;
	bool has_tags; /* else nothing below is used */
	struct arena *arena;
	struct cover *rulesets; /* of the draft's, one each */
	struct cover *relays;   /* likewise of its sets of relays */
};

/* Fills in the draft's names from s->v, which is in any order. */
void subsets_sort(struct subsets *s, struct service *draft);
/* An endpoint, or one of the items that a relay stands for, has these tags. */
void subsets_cover(
    const struct subsets *s, const struct tags *tags, struct cover *cover);
bool covers_equal(const struct subsets *s, struct cover a, struct cover b);
/* The number of equal relays among the draft's; false: there are too many. */
bool subsets_relay_set(struct subsets *s, struct service *draft,
    struct cover cover, unsigned *set) MUST_CHECK;
/* Everything is there: what each name is for, if that is not all. */
void subsets_settle(struct compile *c, const struct subsets *s,
    const struct named *n, struct service *draft);

#endif
