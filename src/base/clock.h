/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

/*
 * The one source of time.  Monotonic milliseconds for everything that waits,
 * wall time for certificates and logs.  Any thread.  Tests move it by hand.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

uint64_t clock_ms(void);
uint64_t clock_us(void);
/* Since 1970, UTC. */
int64_t clock_wall_s(void);
int64_t clock_wall_ms(void);

/* RFC 3339 with milliseconds and Z; out holds at least CLOCK_TEXT bytes. */
#define CLOCK_TEXT 32
void clock_print(int64_t wall_ms, char out[CLOCK_TEXT]);

/*
 * RFC 3339, as "2030-12-31T18:00:00Z" or with an offset, or the basic form of
 * ISO 8601 in UTC, "20301231T180000Z".  Fractions of a second are cut off.
 * False: it is none, or no such day.
 */
bool clock_parse(struct str text, int64_t *wall_s) MUST_CHECK;

/* From here on time stands still at this value until it is set again. */
void clock_fake(uint64_t ms, int64_t wall_ms);
void clock_unfake(void);

#endif
