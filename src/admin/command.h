/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADMIN_COMMAND_H
#define ADMIN_COMMAND_H

/* What each line of the control socket does.  Main thread. */

#include <stdbool.h>

#include "admin/source.h"

/* line without its end.  False: the command failed, out says how. */
bool command_run(const struct admin_source *src, struct str line,
    struct text *out) MUST_CHECK;

#endif
