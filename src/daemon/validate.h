/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_VALIDATE_H
#define DAEMON_VALIDATE_H

/*
 * `zegressd -t`: configuration, identities and every resource are read and
 * compiled as at a start, and nothing is opened to anyone.
 */

#include <stdbool.h>

#include "base/attr.h"

struct problems;

/* True: no error was found. */
bool validate(const char *config_path, struct problems *pr) MUST_CHECK;

#endif
