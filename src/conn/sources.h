/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONN_SOURCES_H
#define CONN_SOURCES_H

/*
 * What one source address has open before it has proved an identity: relays
 * and pending dials, each with a limit; and which sources were logged within
 * the last second.  An entry lives while it counts something.  Own thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/addr.h"

struct source;
struct sources;

struct sources *sources_new(void) MUST_CHECK;
void sources_free(struct sources *s);

/*
 * Count one more relay, which begins with a dial, for a's host.  NULL when
 * that would be more than either limit; nothing is counted then.
 */
struct source *source_enter(struct sources *s, const struct addr *a,
    size_t max_relays, size_t max_dials) MUST_CHECK;
/* The dial is over. */
void source_dialled(struct source *src);
/* The relay is over; is_dialling: its dial never was. */
void source_leave(struct sources *s, struct source *src, bool is_dialling);

/* True at most once a second for a's host; *kept_back: lines not written. */
bool sources_may_log(struct sources *s, const struct addr *a, uint64_t now_ms,
    unsigned *kept_back);

#endif
