/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_RULE_FINDER_H
#define POLICY_RULE_FINDER_H

/*
 * Finds the first of many rules that speaks of a caller, as if they were asked
 * one after the other.  Each principal lies under the hash of one thing that it
 * wants whole (a URI, or the server name), the one that the fewest others want;
 * those that want nothing whole are in a list.  Immutable; any thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct identity;
struct pack;
struct rule;
struct rule_finder;

/* NULL where the rules are so few that asking each is cheap. */
struct rule_finder *rule_finder_new(
    const struct rule *rules, size_t n_rules) MUST_CHECK;
void rule_finder_free(struct rule_finder *f);
/* f may be NULL. */
struct rule_finder *rule_finder_lay_out(
    struct pack *k, const struct rule_finder *f);

/*
 * The first rule for the caller, or NULL.  With only_in_force those that are
 * only reported are passed over.  f may be NULL; sni as in principal.h.
 */
const struct rule *rule_find(const struct rule_finder *f,
    const struct rule *rules, size_t n_rules, const struct identity *id,
    struct str sni, bool only_in_force);

#endif
