/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIFFERENTIAL_DUMP_H
#define DIFFERENTIAL_DUMP_H

/* A case as a line of JSON, for readers that are no C.  Bytes are hex. */

#include "differential/reading.h"

void dump(uint64_t seed, struct str bytes, const struct stream_kind *kind,
    const struct reading *ours);

#endif
