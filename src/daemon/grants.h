/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_GRANTS_H
#define DAEMON_GRANTS_H

/*
 * The grants that were given while we run, and their file: DIR/grants, a line
 * each, written anew and renamed into place at each change, so that a crash
 * leaves the one or the other.  Bounded.  Main thread.
 */

#include <stddef.h>

#include "policy/grant.h"

struct grants;
struct problems;

#define GRANTS_MOST 1000
/* A year and a day. */
#define GRANT_LONGEST_S (366 * 86400)

/*
 * Reads the file, if there is one; a line that makes no sense is reported, and
 * left out.  An empty dir: none can be given.
 */
struct grants *grants_new(
    const char *dir, int64_t now_s, struct problems *pr) MUST_CHECK;
/* NULL is fine. */
void grants_free(struct grants *g);

/* Borrowed until the next change. */
const struct grant *grants_list(const struct grants *g, size_t *n);
/* first's *n, then these; *n is of all.  To free(); its texts are borrowed. */
struct grant *grants_join(
    const struct grants *g, const struct grant *first, size_t *n) MUST_CHECK;
/*
 * Give one; id is chosen.  False: why, and nothing was given, not even if it
 * only cannot be written down.
 */
bool grants_add(struct grants *g, const struct grant *want, uint64_t *id,
    struct text *why) MUST_CHECK;
bool grants_remove(struct grants *g, uint64_t id, struct text *why) MUST_CHECK;
/* Forget those that are over. */
void grants_drop_over(struct grants *g, int64_t now_s);

#endif
