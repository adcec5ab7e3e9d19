/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

/* What systemd is told (sd_notify(3)); nothing happens without it.  Main. */

#include <stdint.h>

#include "base/attr.h"

void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);
void notify_status(const char *fmt, ...) PRINTF_LIKE(1, 2);
void notify_watchdog(void);
/* How often systemd wants to hear that we are alive; 0: not at all. */
uint64_t notify_watchdog_ms(void);

#endif
