/* SPDX-License-Identifier: Apache-2.0 */
/* See pace.h. */

#include "conn/pace.h"

/* What goes at once.  Of two such a timer that is late loses nothing. */
#define TICK_MS 50
#define SAVED_MS 100
#define A_BYTE 1000
/* That nothing overflows: a terabyte a second, twenty minutes. */
#define RATE_MOST (UINT64_C(1) << 40)
#define ELAPSED_MOST_MS (UINT64_C(1) << 20)

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

void
pace_begin(struct pace *p, uint64_t bytes_per_s, uint64_t now_ms)
{
	p->bytes_per_s = least(bytes_per_s, RATE_MOST);
	p->level = p->bytes_per_s * TICK_MS;
	p->last_ms = now_ms;
}

size_t
pace_room(struct pace *p, uint64_t now_ms)
{
	uint64_t most = p->bytes_per_s * SAVED_MS + A_BYTE;

	if (p->bytes_per_s == 0)
		return SIZE_MAX;
	p->level +=
	    p->bytes_per_s * least(now_ms - p->last_ms, ELAPSED_MOST_MS);
	p->level = least(p->level, most);
	p->last_ms = now_ms;
	return (size_t)(p->level / A_BYTE);
}

void
pace_spend(struct pace *p, size_t n)
{
	if (p->bytes_per_s > 0)
		p->level -= least(p->level, (uint64_t)n * A_BYTE);
}

uint64_t
pace_wait_ms(const struct pace *p)
{
	uint64_t lacks = p->level < A_BYTE ? A_BYTE - p->level : 0;
	uint64_t ms = p->bytes_per_s > 0 ? lacks / p->bytes_per_s + 1 : 0;

	return ms > TICK_MS ? ms : TICK_MS;
}
