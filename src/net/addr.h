/* SPDX-License-Identifier: Apache-2.0 */
#ifndef NET_ADDR_H
#define NET_ADDR_H

/*
 * Socket addresses, networks, and the list of addresses that an answer from
 * DNS may not lead us to.  Pure.
 */

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct addr {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} u;
	socklen_t len;
};

/* host is an IPv4 or IPv6 address, with or without []. */
bool addr_parse(struct str host, uint16_t port, struct addr *out) MUST_CHECK;
bool addr_from_sockaddr(
    const struct sockaddr *sa, socklen_t len, struct addr *out) MUST_CHECK;
uint16_t addr_port(const struct addr *a);
void addr_set_port(struct addr *a, uint16_t port);
/* Same family, address and port; v4-mapped equals v4. */
bool addr_eq(const struct addr *a, const struct addr *b);
bool addr_eq_host(const struct addr *a, const struct addr *b);
/* "10.0.0.1:443", "[::1]:443"; without the port when port is 0. */
#define ADDR_TEXT 56
void addr_print(const struct addr *a, char out[ADDR_TEXT]);
void addr_print_host(const struct addr *a, char out[ADDR_TEXT]);

struct cidr {
	struct addr net;
	unsigned bits;
};
/* "10.0.0.0/8", "fd00::/8", or a single address. */
bool cidr_parse(struct str s, struct cidr *out) MUST_CHECK;
bool cidr_has(const struct cidr *c, const struct addr *a);

/* allow_addresses and deny_addresses of the configuration, or of a service. */
struct addr_rules {
	struct cidr *allow;
	size_t n_allow;
	struct cidr *deny;
	size_t n_deny;
	/* addresses = "public": no private network, no carrier-grade NAT. */
	bool only_public;
	/* The same, but for names always: no allow list can open it. */
	bool never_private;
	/*
	 * Those of the whole daemon, behind a service's; NULL: none.  Denied by
	 * either is denied, allowed by either is allowed.
	 */
	const struct addr_rules *more;
};

/*
 * Why connect(2) to a is refused, or NULL: this host, loopback, link-local,
 * metadata services, multicast, and all embeddings of these (v4-mapped, 6to4,
 * Teredo, NAT64), unless allowed; and whatever is denied.  is_literal: the
 * address stood in a resource, which is consent to all but what is denied, of
 * only_public and never_private too.
 */
const char *addr_refused(
    const struct addr *a, const struct addr_rules *rules, bool is_literal);

#endif
