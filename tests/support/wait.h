/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_WAIT_H
#define SUPPORT_WAIT_H

/* Waiting for what another process or thread does: poll with a deadline. */

#include <poll.h>
#include <stdbool.h>

#include "base/clock.h"

/* True as soon as cond is; false when it was not for ms. */
#define WAIT_UNTIL(ms, cond)                                            \
	({                                                              \
		const uint64_t wait_end_ = clock_ms() + (uint64_t)(ms); \
		bool wait_ok_ = false;                                  \
		do {                                                    \
			wait_ok_ = (cond);                              \
			if (wait_ok_)                                   \
				break;                                  \
			(void)poll(NULL, 0, 5);                         \
		} while (clock_ms() < wait_end_);                       \
		wait_ok_;                                               \
	})

#endif
