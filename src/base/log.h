/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

/*
 * The daemon's own log, to standard error: one line an event, "<n>" prefixes
 * for journald when it reads us, else time and level.  Warnings are only for
 * what an operator can act on; each names the object it speaks of.  No secret
 * is ever an argument.  Any thread; a line is one write(2).
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

void log_set_level(enum log_level most);
enum log_level log_get_level(void);
/* What is being spoken of ("mesh default", "10.0.0.1:443"), or NULL. */
void log_at(enum log_level level, const char *object, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

#define log_error(object, ...) log_at(LOG_ERROR, object, __VA_ARGS__)
#define log_warn(object, ...) log_at(LOG_WARN, object, __VA_ARGS__)
#define log_info(object, ...) log_at(LOG_INFO, object, __VA_ARGS__)
#define log_debug(object, ...)                                  \
	do {                                                    \
		if (UNLIKELY(log_get_level() >= LOG_DEBUG))     \
			log_at(LOG_DEBUG, object, __VA_ARGS__); \
	} while (0)

/* At most `burst` lines an interval; the count of those kept back is told. */
struct log_limit {
	uint64_t since_ms;
	unsigned said;
	unsigned kept_back;
};

/* True when the line may be written now; *kept_back is how many were not. */
bool log_limit_take(struct log_limit *l, uint64_t now_ms, unsigned interval_ms,
    unsigned burst, unsigned *kept_back);

#endif
