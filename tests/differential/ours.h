/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DIFFERENTIAL_OURS_H
#define DIFFERENTIAL_OURS_H

/*
 * Our parser of heads and our reader of bodies, used directly: unlike a
 * session they tell where a message ends.
 */

#include "differential/reading.h"
#include "http/head.h"
#include "http/http_limits.h"

extern const struct http_limits ours_limits;

void ours_read(
    struct reading *r, const struct pieces *p, const struct stream_kind *kind);
/*
 * A head as a reading has it, added to r.  NULL: no room.  target is the one
 * that was sent: a head has only what it leads to.
 */
struct message *ours_add_head(
    struct reading *r, const struct head *h, struct str target);
void ours_add_trailers(
    struct reading *r, struct message *m, const struct head *trailers);

#endif
