/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GOLDEN_PRINTED_RULES_H
#define GOLDEN_PRINTED_RULES_H

/* Who may, and how much, of the block of lines of one service. */

#include "base/str.h"
#include "facts.h"

/*
 * "allowed": each principal that may, less those denied before it, as a list of
 * allowances alone would say it; "shadow-denied".
 */
void printed_add_rules(struct str block, struct str name, struct facts *out);
/* "rate" and "fault", as printed, with their callers behind them. */
void printed_add_traffic(struct str block, struct str name, struct facts *out);

#endif
