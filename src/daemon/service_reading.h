/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_SERVICE_READING_H
#define DAEMON_SERVICE_READING_H

/*
 * One entry of services while it is read: what the checks of its options have
 * in common.  Main thread.
 */

#include "base/problem.h"
#include "policy/service_option.h"

struct arena;
struct config_setting_t;

struct service_reading {
	const struct config_setting_t *setting; /* of the entry */
	struct arena *arena;
	struct problems *pr;
};

/* Where the entry has this option, NULL: nowhere. */
const struct config_setting_t *service_reading_find(
    const struct service_reading *r, enum service_option o);
/* With the place of the option, or of the entry. */
void service_reading_tell(const struct service_reading *r,
    enum problem_level level, enum service_option o, const char *fmt, ...)
    PRINTF_LIKE(4, 5);

/* config_requests.c: what becomes a part of messages. */
void config_check_requests(
    const struct service_reading *r, struct service_options *o);
/* config_outward.c: how and where connections leave. */
void config_check_outward(
    const struct service_reading *r, const struct service_options *o);
/* config_keys.c: where certificates and keys are. */
void config_check_keys(
    const struct service_reading *r, const struct service_options *o);
/* config_tls.c: what is asked of servers. */
void config_check_tls(
    const struct service_reading *r, const struct service_options *o);
/* config_wildcard.c: names under a suffix. */
void config_check_wildcard(
    const struct service_reading *r, struct service_entry *e);
/* config_parent.c: what stands between us and the server. */
void config_check_parent(
    const struct service_reading *r, const struct service_options *o);
/* config_balance.c: which endpoint is chosen. */
void config_check_balance(
    const struct service_reading *r, const struct service_options *o);
/* config_health.c: checks of endpoints, and what leaves them out. */
void config_check_health(
    const struct service_reading *r, const struct service_options *o);

#endif
