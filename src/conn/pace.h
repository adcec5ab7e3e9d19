/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CONN_PACE_H
#define CONN_PACE_H

/* Bytes that may go so fast and no faster.  Pure. */

#include <stddef.h>
#include <stdint.h>

/* All zeros: as fast as it goes. */
struct pace {
	uint64_t bytes_per_s;
	uint64_t level; /* thousandths of a byte that may go now */
	uint64_t last_ms;
};

void pace_begin(struct pace *p, uint64_t bytes_per_s, uint64_t now_ms);
/* How many may go now. */
size_t pace_room(struct pace *p, uint64_t now_ms);
/* So many went. */
void pace_spend(struct pace *p, size_t n);
/* With no room: when to look again, so that it is worth it. */
uint64_t pace_wait_ms(const struct pace *p);

#endif
