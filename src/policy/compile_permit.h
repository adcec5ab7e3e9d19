/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_COMPILE_PERMIT_H
#define POLICY_COMPILE_PERMIT_H

/*
 * How a permission document becomes rules; see compile_rules.h for which of
 * them a service gets.
 */

struct compile;
struct mesh_build;

/* Fills m->rules and the permit lists of the names. */
void index_permits(struct compile *c, struct mesh_build *m);

#endif
