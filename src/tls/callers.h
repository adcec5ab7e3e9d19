/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TLS_CALLERS_H
#define TLS_CALLERS_H

/*
 * What is remembered of a mesh's callers: sessions that may be resumed, and
 * chains that were verified.  It belongs to one mesh and one CA set: another
 * set begins with nothing.  It outlives reloads and new certificates of ours,
 * so that callers keep their sessions.  Counted; any thread.
 */

#include "base/digest.h"

struct callers;
struct chain_table;
struct session_table;

/* scope: mesh and CA set; every context made with it must agree. */
struct callers *callers_new(const struct digest *scope) MUST_CHECK;
struct callers *callers_ref(struct callers *c);
void callers_unref(struct callers *c);

const struct digest *callers_scope(const struct callers *c);
/* They live as long as c. */
struct session_table *callers_sessions(const struct callers *c);
struct chain_table *callers_chains(const struct callers *c);

#endif
