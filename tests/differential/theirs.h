/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIFFERENTIAL_THEIRS_H
#define DIFFERENTIAL_THEIRS_H

/* The independent reader: libhttp-parser, which was Node.js's. */

#include "differential/reading.h"

void theirs_read(
    struct reading *r, const struct pieces *p, const struct stream_kind *kind);

/* Codes of refusals that a rule may explain. */
bool theirs_is_bad_method(int code);
/* It knows the method. */
bool theirs_has_method(struct str method);

#endif
