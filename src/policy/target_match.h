/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_TARGET_MATCH_H
#define POLICY_TARGET_MATCH_H

/*
 * What policies with a targetRef have in common (Kuma section 8.1): which
 * services one selects, which of two speaks before the other, and whom a
 * `from` targetRef or a legacy selector of sources means.  What comes of it is
 * each policy's own.  Pure; main thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"
#include "model/resource.h"
#include "policy/principal.h"

struct arena;

/*
 * An ExternalService of that kuma.io/service, by all of its own tags (in Kuma
 * only kuma.io/service counts).
 */
bool target_selects_tags(
    const struct target_ref *t, struct str service, const struct tags *tags);
/* A MeshExternalService; a sectionName is its port. */
bool target_selects_mes(
    const struct target_ref *t, const struct resource *r, uint16_t port);

/*
 * Below 0: a speaks before b, as it has the higher precedence.  A target that
 * is NULL was not understood, and counts as Mesh.  Never 0 within one mesh and
 * kind.
 */
int target_order(const struct resource *a, const struct target_ref *a_target,
    const struct resource *b, const struct target_ref *b_target);

/* The same without their names: 0 where only those decide. */
int target_rank_order(const struct resource *a,
    const struct target_ref *a_target, const struct resource *b,
    const struct target_ref *b_target);

/* kuma.io/effect: shadow */
bool resource_is_shadow(const struct resource *r);

/*
 * Callers that carry all those tags; one of value "*" asks for nothing.  The
 * tests lie in the arena.
 */
void principal_of_tags(struct arena *a, struct str mesh,
    const struct tags *tags, struct principal *out);
/* False: no caller at all. */
bool principal_of_target(struct arena *a, struct str mesh,
    const struct target_ref *t, struct principal *out) MUST_CHECK;

/* Kuma's order of legacy selectors: more tags, then more of them exact. */
struct fit {
	size_t tags;
	size_t exact;
};

struct fit fit_of(const struct tags *selector);
bool fit_is_better(struct fit a, struct fit b);

#endif
