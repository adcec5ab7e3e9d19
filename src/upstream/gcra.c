/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The number is the time at which a bucket that fills one by one would be full
 * again.  Taking one moves it on by a step, unless that were further ahead than
 * the whole bucket is deep.  Any thread.
 */

#include "upstream/gcra.h"

#define NS_A_MS 1000000u
/* Far beyond all intervals, and far from an overflow: 73 years. */
#define NS_MOST (UINT64_C(1) << 61)

struct gcra_limit
gcra_limit(uint64_t num, uint64_t interval_ms)
{
	uint64_t ns =
	    interval_ms < NS_MOST / NS_A_MS ? interval_ms * NS_A_MS : NS_MOST;
	struct gcra_limit l = { .num = num > 0 ? num : 1 };

	/* Rounded up: never more than was allowed. */
	l.step_ns = ns / l.num + (ns % l.num != 0 || ns == 0);
	l.most_ns = l.num < NS_MOST / l.step_ns ? l.num * l.step_ns : NS_MOST;
	return l;
}

bool
gcra_take(struct gcra *g, const struct gcra_limit *l, uint64_t now_ns)
{
	uint64_t due = atomic_load_explicit(&g->due_ns, memory_order_relaxed);
	uint64_t next;

	/* Nothing else is guarded by it. */
	do {
		next = (due > now_ns ? due : now_ns) + l->step_ns;
		if (next - now_ns > l->most_ns)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(&g->due_ns, &due, next,
	    memory_order_relaxed, memory_order_relaxed));
	return true;
}

uint64_t
gcra_left(const struct gcra *g, const struct gcra_limit *l, uint64_t now_ns)
{
	uint64_t due = atomic_load_explicit(&g->due_ns, memory_order_relaxed);
	uint64_t used = due > now_ns ? due - now_ns : 0;

	return used < l->most_ns ? (l->most_ns - used) / l->step_ns : 0;
}

bool
gcra_is_fresh(const struct gcra *g, uint64_t now_ns)
{
	return atomic_load_explicit(&g->due_ns, memory_order_relaxed) <= now_ns;
}
