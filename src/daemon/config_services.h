/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_CONFIG_SERVICES_H
#define DAEMON_CONFIG_SERVICES_H

/*
 * What an entry of services means, from what stands in it.  Which entry an
 * option of a service comes from is in policy/service_options.h.  Main thread.
 */

#include <stddef.h>

struct arena;
struct config_setting_t;
struct problems;
struct service_entry;

/*
 * e was filled in from s by the table: check what the table cannot, and bring
 * it into the form that the policy wants.  Memory is of a.
 */
void config_service_entry(const struct config_setting_t *s, struct arena *a,
    struct service_entry *e, struct problems *pr);
/* Of all entries together. */
void config_check_services(
    const struct service_entry *v, size_t n, struct problems *pr);

#endif
