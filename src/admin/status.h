/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADMIN_STATUS_H
#define ADMIN_STATUS_H

/* The daemon's state as text, for people.  Pure. */

#include <stdbool.h>

#include "admin/source.h"

/* `zegressctl status`. */
void status_print(const struct admin_state *s, struct text *out);
/* `zegressctl check`; true when nothing is refused. */
bool check_print(const struct admin_state *s, struct text *out);
/* `zegressctl services`; name empty: all.  False: there is none. */
bool services_print(const struct admin_state *s, struct str name,
    bool is_verbose, struct text *out);

#endif
