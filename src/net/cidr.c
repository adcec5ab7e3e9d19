/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Networks in CIDR notation.  A v4-mapped IPv6 address is its IPv4 address
 * here, on both sides, so that no notation slips past a rule.  Pure.
 */

#include <arpa/inet.h>
#include <string.h>

#include "net/addr.h"

static struct addr
unmapped(const struct addr *a)
{
	struct addr v4 = { .len = sizeof(v4.u.in) };

	if (a->u.sa.sa_family != AF_INET6 ||
	    !IN6_IS_ADDR_V4MAPPED(&a->u.in6.sin6_addr))
		return *a;
	v4.u.in.sin_family = AF_INET;
	v4.u.in.sin_port = a->u.in6.sin6_port;
	memcpy(&v4.u.in.sin_addr, a->u.in6.sin6_addr.s6_addr + 12, 4);
	return v4;
}

static const void *
bytes_of(const struct addr *a)
{
	if (a->u.sa.sa_family == AF_INET6)
		return &a->u.in6.sin6_addr;
	return &a->u.in.sin_addr;
}

static unsigned
most_bits(const struct addr *a)
{
	return a->u.sa.sa_family == AF_INET6 ? 128 : 32;
}

bool
cidr_parse(struct str s, struct cidr *out)
{
	struct str host = str_cut(&s, '/');
	struct addr net;
	uint64_t bits;

	if (!addr_parse(host, 0, &out->net))
		return false;
	bits = most_bits(&out->net);
	if (s.p != NULL && !str_to_u64(s, bits, &bits))
		return false;
	net = unmapped(&out->net);
	if (net.len != out->net.len && bits >= 96) {
		out->net = net;
		bits -= 96;
	}
	out->bits = (unsigned)bits;
	return true;
}

bool
cidr_has(const struct cidr *c, const struct addr *a)
{
	/* A network that is wider than all mapped addresses has them as such.
	 */
	struct addr host = c->net.u.sa.sa_family == AF_INET ? unmapped(a) : *a;
	const uint8_t *x = bytes_of(&c->net), *y;
	unsigned whole = c->bits / 8, rest = c->bits % 8;

	if (host.u.sa.sa_family != c->net.u.sa.sa_family ||
	    c->bits > most_bits(&host))
		return false;
	y = bytes_of(&host);
	if (memcmp(x, y, whole) != 0)
		return false;
	return rest == 0 || (x[whole] ^ y[whole]) >> (8 - rest) == 0;
}
