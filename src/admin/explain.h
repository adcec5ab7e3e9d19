/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADMIN_EXPLAIN_H
#define ADMIN_EXPLAIN_H

/* What a caller may do, and which rule says so, as text.  Pure. */

#include <stdbool.h>

#include "admin/source.h"

/*
 * `zegressctl explain`.  caller: a service of the mesh, or the URIs of a
 * certificate with commas between them.  service: a name, a key, or a server
 * name.  sni: the server name it asks for; empty: the first one, or that which
 * names the service.  False: there is no such service, or no such caller can
 * be.
 */
bool explain_print(const struct admin_state *s, struct str caller,
    struct str service, struct str sni, struct text *out);

#endif
