/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two atomic numbers.  Limits hold exactly: who does not find room takes none,
 * so that the highest value is never over a limit that did not change.
 */

#include "upstream/breaker.h"

static void
note_highest(struct breaker *b, unsigned n)
{
	unsigned old = breaker_highest(b);

	while (
	    old < n && !atomic_compare_exchange_weak_explicit(&b->highest, &old,
			   n, memory_order_relaxed, memory_order_relaxed))
		;
}

void
breaker_up(struct breaker *b)
{
	note_highest(
	    b, atomic_fetch_add_explicit(&b->now, 1, memory_order_relaxed) + 1);
}

bool
breaker_try(struct breaker *b, unsigned most)
{
	unsigned n = breaker_now(b);

	do {
		if (most > 0 && n >= most)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(
	    &b->now, &n, n + 1, memory_order_relaxed, memory_order_relaxed));
	note_highest(b, n + 1);
	return true;
}

void
breaker_down(struct breaker *b)
{
	atomic_fetch_sub_explicit(&b->now, 1, memory_order_relaxed);
}

unsigned
breaker_now(const struct breaker *b)
{
	return atomic_load_explicit(&b->now, memory_order_relaxed);
}

unsigned
breaker_highest(const struct breaker *b)
{
	return atomic_load_explicit(&b->highest, memory_order_relaxed);
}

const char *
breaker_name(enum breaker_id id)
{
	switch (id) {
	case BREAKER_CONNECTIONS:
		return "connections";
	case BREAKER_PENDING:
		return "pending";
	case BREAKER_REQUESTS:
		return "requests";
	case BREAKER_RETRIES:
		return "retries";
	case BREAKER_N:
		break;
	}
	return "?";
}
