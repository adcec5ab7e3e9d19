/* SPDX-License-Identifier: Apache-2.0 */
#ifndef SUPPORT_DEAF_H
#define SUPPORT_DEAF_H

/*
 * A port whose queue is full, so that SYNs to it are dropped, as a filter on
 * the way would.
 */

#include <stdint.h>

#define DEAF_FDS 8

struct deaf {
	int fds[DEAF_FDS];
	uint16_t port;
};

/* address: of this host, IPv4. */
void deaf_start(struct deaf *d, const char *address);
void deaf_stop(struct deaf *d);

#endif
