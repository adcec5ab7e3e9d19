/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_WATCHDOG_H
#define DAEMON_WATCHDOG_H

/*
 * Whether the workers still turn.  Their longest turns are counted, and
 * systemd's watchdog is only fed when each of them has answered since the last
 * time: a worker that hangs has the whole service restarted.  Main thread.
 */

#include <stddef.h>

#include "base/attr.h"
#include "net/loop.h"

struct stats_set;
struct watchdog;
struct worker;

/* Everything outlives it. */
struct watchdog *watchdog_new(struct loop *l, struct stats_set *stats,
    struct worker *const *workers, size_t n) MUST_CHECK;
/* Its workers are gone by then, or will not answer any more. */
void watchdog_free(struct watchdog *w);

#endif
