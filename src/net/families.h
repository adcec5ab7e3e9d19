/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_FAMILIES_H
#define NET_FAMILIES_H

/*
 * Whether IPv4 and IPv6 lead anywhere from this host, learnt from connects to
 * names that have both: a family that keeps losing while the other one
 * connects is put last for a while, a longer one each time.  Never left out.
 * Pure; one a loop.
 */

#include <stdbool.h>
#include <stdint.h>

#define FAMILIES_LOSSES 3
#define FAMILIES_LEAST_MS 60000
#define FAMILIES_MOST_MS 600000

struct family {
	unsigned losses; /* in a row */
	uint64_t unusable_until_ms;
	uint64_t pause_ms; /* the last one; 0: there was none */
};

/* Zeroed memory: both are usable. */
struct families {
	struct family v4;
	struct family v6;
};

/* af: AF_INET or AF_INET6. */
bool families_is_unusable(const struct families *f, int af, uint64_t now_ms);
void families_won(struct families *f, int af);
/* The other one connected, this one did not, in a time that was enough. */
void families_lost(struct families *f, int af, uint64_t now_ms);

#endif
