/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_TRAFFIC_CELLS_H
#define POLICY_TRAFFIC_CELLS_H

/*
 * Combinations of what items of `from` ask of a caller: of those that fit a
 * caller the narrowest is made of exactly the items that mean it.  Tests are
 * whole URIs, not negated.  Main thread.
 */

#include <stdbool.h>
#include <stddef.h>

#include "policy/principal.h"
#include "policy/traffic_merge.h"

struct arena;

struct cells {
	struct principal *v;
	size_t n;
	bool is_crowded; /* TRAFFIC_CELLS_MAX were not enough */
};

/*
 * Of what the items ask one by one, and of what they ask together, the
 * narrowest first, else in the order of the items.
 */
struct cells cells_of(
    struct arena *a, const struct principal *const *items, size_t n);

/* Every caller of narrow is one of wide. */
bool principal_covers(
    const struct principal *wide, const struct principal *narrow);
/*
 * Both ask for the same tag with different values, as only a Dataplane with
 * several services has it.
 */
bool principals_exclude(const struct principal *a, const struct principal *b);
/* Without those whose callers are all of another one of them. */
struct principal *principals_widest(
    struct arena *a, const struct principal *v, size_t n, size_t *n_widest);

#endif
