/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_ENDS_H
#define DAEMON_ENDS_H

/*
 * When the next permission or grant ends, and the time that ends go by: the
 * wall's, but one that was set back since the start goes on as if it had not
 * been, so that nothing lasts longer for it.  Main thread.
 */

#include <stdint.h>

#include "base/attr.h"
#include "net/loop.h"

struct ends;

/* fn is called once the end that was set is over, until another one is set. */
struct ends *ends_new(
    struct loop *l, void (*fn)(void *arg), void *arg) MUST_CHECK;
/* NULL is fine. */
void ends_free(struct ends *e);
/* Since 1970. */
int64_t ends_now_s(const struct ends *e);
/* INT64_MAX: there is none. */
void ends_set(struct ends *e, int64_t next_s);

#endif
