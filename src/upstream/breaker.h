/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_BREAKER_H
#define UPSTREAM_BREAKER_H

/*
 * How much of something is in use in the whole daemon, and the most there ever
 * was.  Any thread.
 */

#include <stdatomic.h>
#include <stdbool.h>

#include "base/attr.h"

enum breaker_id {
	BREAKER_CONNECTIONS,
	BREAKER_PENDING,
	BREAKER_REQUESTS,
	BREAKER_RETRIES,
	BREAKER_N
};

struct breaker {
	atomic_uint now;
	atomic_uint highest;
};

/* One more, whatever there is. */
void breaker_up(struct breaker *b);
/* One more, if that makes no more than most; 0: any number. */
bool breaker_try(struct breaker *b, unsigned most) MUST_CHECK;
void breaker_down(struct breaker *b);
unsigned breaker_now(const struct breaker *b);
unsigned breaker_highest(const struct breaker *b);

const char *breaker_name(enum breaker_id id);

#endif
