/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_DNS_HOSTS_H
#define NET_DNS_HOSTS_H

/*
 * The names of hosts(5), read again when the file has changed; looked at no
 * more often than once a few seconds.  One a resolver; own thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/addr.h"

struct dns_hosts;

/* path is copied; NULL: no file, no names. */
struct dns_hosts *dns_hosts_new(const char *path) MUST_CHECK;
void dns_hosts_free(struct dns_hosts *h);
/* Up to max addresses of a folded name; 0 when it is not there. */
size_t dns_hosts_find(struct dns_hosts *h, uint64_t now_ms, const char *name,
    struct addr *addrs, size_t max);

#endif
