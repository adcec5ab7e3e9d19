/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_COMPILE_MATCHES_H
#define POLICY_COMPILE_MATCHES_H

/*
 * From the lists of a MeshTrafficPermission of the `rules` form to rules.
 * Main thread.
 */

#include "policy/service.h"

struct arena;
struct permit;

/* Of a list those that ask for a server name, and the others. */
enum sni_part { WITH_SNI, WITHOUT_SNI };

/*
 * What p's document says to that effect, as one rule, or none if it says
 * nothing.
 */
void rules_of_matches(struct arena *a, struct permit *p,
    enum rule_effect effect, enum sni_part part);

#endif
