/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_CONFIG_CHECK_H
#define DAEMON_CONFIG_CHECK_H

/*
 * What only several options together can get wrong, and a word to whoever
 * chose less than the defaults.  Main thread.
 */

struct config;
struct problems;

/* c is complete. */
void config_check(const struct config *c, struct problems *pr);

#endif
