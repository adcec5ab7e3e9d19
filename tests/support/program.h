/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_PROGRAM_H
#define SUPPORT_PROGRAM_H

/* Programs of the system that a test runs: servers that others wrote. */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Ends with the test, whatever becomes of that.  out: the file for all that it
 * says; NULL: where the test says it.
 */
pid_t program_start(const char *out, const char *const *argv);
void program_stop(pid_t pid);
/* Has it ended by itself?  It is not to be stopped then. */
bool program_has_ended(pid_t pid);
/* Is there somebody at this port of 127.0.0.1? */
bool program_answers(uint16_t port);

#endif
