/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UPSTREAM_GCRA_H
#define UPSTREAM_GCRA_H

/*
 * A rate in one number: the generic cell rate algorithm (ITU-T I.371).  Of
 * what comes faster than allowed num may come at once, then one each
 * interval/num.  Any thread, no lock.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

/* All zeros: nothing was taken. */
struct gcra {
	_Atomic uint64_t due_ns; /* when all is there again */
};

struct gcra_limit {
	uint64_t num;
	uint64_t step_ns; /* until one more may come */
	uint64_t most_ns; /* of num at once */
};

/* num and interval_ms are over 0. */
struct gcra_limit gcra_limit(uint64_t num, uint64_t interval_ms);
/* False: that was too many, and nothing was taken. */
bool gcra_take(
    struct gcra *g, const struct gcra_limit *l, uint64_t now_ns) MUST_CHECK;
/* How many might be taken now. */
uint64_t gcra_left(
    const struct gcra *g, const struct gcra_limit *l, uint64_t now_ns);
/* It is as if nothing had ever been taken. */
bool gcra_is_fresh(const struct gcra *g, uint64_t now_ns);

#endif
