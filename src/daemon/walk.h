/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_WALK_H
#define DAEMON_WALK_H

/*
 * All workers ask anew for what is open, once, and say what they ended.  Made
 * and freed in main's thread; workers add to it in theirs.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/str.h"
#include "net/loop.h"

struct walk;
struct worker;

/* Begins.  fn is called in main's loop when all are through, unless told. */
struct walk *walk_start(struct loop *main, struct worker *const *workers,
    size_t n, void (*fn)(struct walk *k, void *arg), void *arg) MUST_CHECK;
/* Nobody wants to know any more; NULL is fine. */
void walk_forget(struct walk *k);
/* Wait until all are through; false: some are not after 2 s. */
bool walk_wait(struct walk *k) MUST_CHECK;
bool walk_ended_nothing(struct walk *k);
/* See revoked_print(). */
void walk_print(
    struct walk *k, size_t rows, const char *before, struct text *out);

#endif
