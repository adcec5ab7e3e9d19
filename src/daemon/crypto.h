/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_CRYPTO_H
#define DAEMON_CRYPTO_H

/*
 * The TLS library as the configuration wants it.  Once a process, before
 * anything else of tls/.  Main thread.
 */

#include <stdbool.h>

#include "base/attr.h"

struct config;
struct problems;

/* False: it cannot be had so; pr says what to change. */
bool crypto_start(const struct config *c, struct problems *pr) MUST_CHECK;

#endif
