/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

/* The whole daemon, from configuration to the last connection. */

#include "base/attr.h"

/* Serves until told to stop; the process's exit status. */
int daemon_run(const char *config_path) MUST_CHECK;

#endif
