/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DAEMON_CONFIG_GRANTS_H
#define DAEMON_CONFIG_GRANTS_H

/* Entries of grants: what they give, and until when.  Main thread. */

struct arena;
struct config_grant;
struct config_setting_t;
struct problems;

/*
 * g was filled in from s by the table: what is missing or no value is an error,
 * since a grant must not be taken for one that says more.  path: the file,
 * where s does not know it.  Memory is of a.
 */
void config_grant_entry(const struct config_setting_t *s, const char *path,
    struct arena *a, struct config_grant *g, struct problems *pr);

#endif
