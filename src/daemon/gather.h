/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_GATHER_H
#define DAEMON_GATHER_H

/*
 * Ask every worker and wait for all the answers, for a moment at most: main
 * may wait for workers, they never wait for it.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "daemon/worker.h"

/*
 * What the workers print, one after the other, each under a line with its
 * number when there are several.  False: some did not answer in time and are
 * missing.
 */
bool gather_print(struct worker *const *workers, size_t n,
    const struct worker_query *q, struct text *out) MUST_CHECK;

#endif
