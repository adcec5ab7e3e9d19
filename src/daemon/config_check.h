/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_CONFIG_CHECK_H
#define DAEMON_CONFIG_CHECK_H

/*
 * What only several options together can get wrong, and a word to whoever
 * chose less than the defaults.  Main thread.
 */

#include "base/problem.h"

struct config;

/* c is complete. */
void config_check(const struct config *c, struct problems *pr);
/*
 * What c wants and this host does not have: an error where it is to serve, a
 * warning where it is only looked at.
 */
void config_check_host(
    const struct config *c, enum problem_level level, struct problems *pr);

#endif
