/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_PROBLEM_LOG_H
#define DAEMON_PROBLEM_LOG_H

/*
 * What is wrong at present, and telling it once: a problem that stays over
 * reloads is logged when it comes and when it is mended.  Main thread.
 */

#include "base/attr.h"

struct problem_log;
struct problems;

struct problem_log *problem_log_new(void) MUST_CHECK;
/* NULL is fine. */
void problem_log_free(struct problem_log *l);
/* Log all of pr, once. */
void problems_log(const struct problems *pr);

/* Log what is in pr and was not at the last call. */
void problem_log_tell(struct problem_log *l, const struct problems *pr);

#endif
