/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GOLDEN_PRINTED_H
#define GOLDEN_PRINTED_H

/* What snapshot_print() says, as facts: our side of a comparison. */

#include "base/str.h"
#include "facts.h"

void printed_describe(struct str printed, struct facts *out);

#endif
