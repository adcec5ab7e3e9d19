/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_COMPILE_PERMIT_H
#define POLICY_COMPILE_PERMIT_H

/*
 * How a permission document becomes rules; see compile_rules.h for which of
 * them a service gets.
 */

struct compile;
struct mesh_build;
struct permit;
struct resource;
struct rule_index;

/* Fills m->rules and the permit lists of the names. */
void index_permits(struct compile *c, struct mesh_build *m);

/* Ranks follow the order in which permits are made. */
struct permit *permit_new(
    struct compile *c, struct rule_index *x, const struct resource *r);
/* Into the lists of what its target selects. */
void permit_file(struct compile *c, struct mesh_build *m, struct permit *p);

/* compile_grants.c */
void index_grants(struct compile *c, struct mesh_build *m);

#endif
