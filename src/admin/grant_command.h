/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADMIN_GRANT_COMMAND_H
#define ADMIN_GRANT_COMMAND_H

/* The line of `zegressctl grant`.  Pure. */

#include <stdbool.h>

#include "admin/source.h"

/*
 * "[--for 2h30m | --until TIME] [--mesh MESH] CALLER SERVICE --reason TEXT",
 * the text being all that follows; or "--revoke ID".  False: out says what is
 * wrong. revoke: the id, 0 if it is not that.
 */
bool grant_parse(
    struct str args, struct grant_wish *w, uint64_t *revoke, struct text *out);

#endif
