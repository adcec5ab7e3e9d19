/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MODEL_CALLER_MATCH_H
#define MODEL_CALLER_MATCH_H

/*
 * Whom an item of a policy's `rules` speaks of: spiffeID, sni (Kuma,
 * api/common match).  Main thread.
 */

#include <stdbool.h>

#include "base/str.h"
#include "model/bind.h"

enum match_type { MATCH_EXACT, MATCH_PREFIX };

struct match_value {
	enum match_type type;
	struct str value;
	bool is_given;
	bool has_type;
};

/* One of them is given, or both, and then both have to hold. */
struct caller_match {
	struct match_value spiffe;
	struct match_value sni; /* always whole */
	unsigned line;
};

/* Unknown fields are errors: without one of its fields it means more. */
extern const struct bind caller_match_bind[];

/* mesh: of the policy.  path is where it stands. */
void caller_match_check(const struct caller_match *m, struct str mesh,
    const char *path, struct problems *pr);
/*
 * Callers of a mesh are spiffe://<mesh>/ and something: false if no such name
 * can fit.
 */
bool caller_match_fits_mesh(const struct caller_match *m, struct str mesh);

#endif
