/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_SANDBOX_H
#define DAEMON_SANDBOX_H

/*
 * Giving up what serving does not need: root, the right to gain rights, system
 * calls.  Main thread, in this order, the first before any thread is started.
 */

#include <stdbool.h>

#include "base/attr.h"

/* Before that: path shall belong to user, too.  False: the log says why. */
bool sandbox_give(const char *path, const char *user) MUST_CHECK;
/* Become user for good; "" stays.  False: the log says why. */
bool sandbox_become(const char *user) MUST_CHECK;
/* For all threads.  False: the log says why. */
bool sandbox_enter(void) MUST_CHECK;

#endif
