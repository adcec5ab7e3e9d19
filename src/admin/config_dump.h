/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADMIN_CONFIG_DUMP_H
#define ADMIN_CONFIG_DUMP_H

/* Everything that is in force, as JSON; certificates by digest, no key. */

#include "admin/source.h"

void config_dump(const struct admin_state *s, struct text *out);

#endif
