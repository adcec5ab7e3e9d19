/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ADMIN_LEDGER_PRINT_H
#define ADMIN_LEDGER_PRINT_H

/* `zegressctl ledger`: the ledger as text, CSV, JSON and permissions. */

#include <stdbool.h>

#include "admin/source.h"

/* False: args are not understood, or no ledger is kept; out says so. */
bool ledger_print(
    const struct admin_state *s, struct str args, struct text *out);

/* ledger_unused.c: what nobody used for so many days. */
void ledger_print_unused(
    const struct admin_state *s, uint64_t days, struct text *out);
/* ledger_suggest.c: MeshTrafficPermissions for what was used. */
void ledger_print_suggest(const struct admin_state *s, struct text *out);

#endif
