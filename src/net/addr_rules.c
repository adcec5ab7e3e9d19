/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where connect(2) must not lead: an answer from DNS is the word of whoever
 * runs that zone, and must not open this host, its link or its cloud's
 * metadata to mesh callers.  An IPv4 address inside an IPv6 one counts as
 * itself: translators and tunnels would deliver it there.  Pure.
 */

#include <arpa/inet.h>
#include <string.h>

#include "net/addr.h"

static const struct row4 {
	uint32_t net;
	unsigned bits;
	const char *why;
} rows4[] = {
	/* clang-format off */
	{ 0x00000000,  8, "this host" },	/* 0.0.0.0/8 */
	{ 0x7f000000,  8, "loopback" },		/* 127.0.0.0/8 */
	{ 0xa9fe0000, 16, "link-local" },	/* 169.254.0.0/16 */
	{ 0x646464c8, 32, "metadata service" },	/* 100.100.100.200 */
	{ 0xa83f8110, 32, "metadata service" },	/* 168.63.129.16 */
	{ 0xe0000000,  4, "multicast" },	/* 224.0.0.0/4 */
	{ 0xffffffff, 32, "broadcast" },
	/* clang-format on */
}, private4[] = {
	/* clang-format off */
	{ 0x0a000000,  8, "private network" },	/* 10.0.0.0/8, RFC 1918 */
	{ 0xac100000, 12, "private network" },	/* 172.16.0.0/12 */
	{ 0xc0a80000, 16, "private network" },	/* 192.168.0.0/16 */
	{ 0x64400000, 10, "carrier-grade NAT" },/* 100.64.0.0/10, RFC 6598 */
	{ 0xc0000000, 24, "special purpose" },	/* 192.0.0.0/24, RFC 6890 */
	{ 0xc6120000, 15, "benchmarking" },	/* 198.18.0.0/15, RFC 2544 */
	{ 0xf0000000,  4, "reserved" },		/* 240.0.0.0/4, RFC 1112 */
	/* clang-format on */
};

static const struct row6 {
	uint8_t net[16];
	unsigned bits;
	const char *why;
} rows6[] = {
	/* clang-format off */
	{ { 0 }, 128, "this host" },				/* :: */
	{ { [15] = 1 }, 128, "loopback" },			/* ::1 */
	{ { 0xfe, 0x80 }, 10, "link-local" },			/* fe80::/10 */
	{ { 0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, [15] = 0x54 }, 128,
	    "metadata service" },				/* fd00:ec2::254 */
	{ { 0xff }, 8, "multicast" },				/* ff00::/8 */
	/* clang-format on */
}, private6[] = {
	/* clang-format off */
	{ { 0xfc }, 7, "private network" },	/* fc00::/7, RFC 4193 */
	{ { 0xfe, 0xc0 }, 10, "private network" },	/* fec0::/10, RFC 3879 */
	/* clang-format on */
};

/*
 * Where an IPv6 address holds an IPv4 one.  In the prefix for local use any
 * length of RFC 6052 may be in use (section 2.2; byte 8 is always skipped), so
 * each is tried: may_be.
 */
static const struct embedding {
	uint8_t net[16];
	unsigned bits;
	uint8_t at[4];
	uint8_t flip;
	bool may_be;
} embeddings[] = {
	/* clang-format off */
	/* v4-mapped, RFC 4291 section 2.5.5.2 */
	{ { [10] = 0xff, [11] = 0xff }, 96, { 12, 13, 14, 15 }, 0, false },
	/* v4-compatible, section 2.5.5.1; :: and ::1 are such, too */
	{ { 0 }, 96, { 12, 13, 14, 15 }, 0, false },
	/* 6to4, RFC 3056 */
	{ { 0x20, 0x02 }, 16, { 2, 3, 4, 5 }, 0, false },
	/* Teredo, RFC 4380 section 4: its server, and the client inverted */
	{ { 0x20, 0x01 }, 32, { 4, 5, 6, 7 }, 0, false },
	{ { 0x20, 0x01 }, 32, { 12, 13, 14, 15 }, 0xff, false },
	/* NAT64, RFC 6052 section 2.1 */
	{ { 0x00, 0x64, 0xff, 0x9b }, 96, { 12, 13, 14, 15 }, 0, false },
	/* NAT64 for local use, RFC 8215 */
	{ { 0x00, 0x64, 0xff, 0x9b, 0, 1 }, 48, { 6, 7, 9, 10 }, 0, true },
	{ { 0x00, 0x64, 0xff, 0x9b, 0, 1 }, 48, { 7, 9, 10, 11 }, 0, true },
	{ { 0x00, 0x64, 0xff, 0x9b, 0, 1 }, 48, { 9, 10, 11, 12 }, 0, true },
	{ { 0x00, 0x64, 0xff, 0x9b, 0, 1 }, 48, { 12, 13, 14, 15 }, 0, true },
	/* clang-format on */
};

#define EMBEDDED_MOST 4

struct embedded {
	struct addr v[EMBEDDED_MOST];
	size_t n;
};

static bool
has_prefix(const uint8_t *p, const uint8_t *net, unsigned bits)
{
	unsigned whole = bits / 8, rest = bits % 8;

	if (memcmp(p, net, whole) != 0)
		return false;
	return rest == 0 || (p[whole] ^ net[whole]) >> (8 - rest) == 0;
}

static struct addr
extract(const uint8_t *p, const struct embedding *e)
{
	struct addr a = { .len = sizeof(a.u.in) };
	uint8_t v4[4];
	size_t i;

	for (i = 0; i < sizeof(v4); i++)
		v4[i] = p[e->at[i]] ^ e->flip;
	a.u.in.sin_family = AF_INET;
	memcpy(&a.u.in.sin_addr, v4, sizeof(v4));
	return a;
}

/*
 * Read with the wrong length an address begins with a zero byte as often as
 * not, so such a reading counts only when no other makes sense.
 */
static void
find_embedded(const struct addr *a, struct embedded *out)
{
	const uint8_t *p = a->u.in6.sin6_addr.s6_addr;
	struct addr zero = { .len = 0 };
	size_t i;

	out->n = 0;
	if (a->u.sa.sa_family != AF_INET6)
		return;
	for (i = 0; i < ARRAY_LEN(embeddings); i++) {
		const struct embedding *e = &embeddings[i];
		struct addr found;

		if (!has_prefix(p, e->net, e->bits))
			continue;
		found = extract(p, e);
		if (e->may_be && ntohl(found.u.in.sin_addr.s_addr) >> 24 == 0)
			zero = found;
		else
			out->v[out->n++] = found;
	}
	if (out->n == 0 && zero.len != 0)
		out->v[out->n++] = zero;
}

static const char *
find4(const struct row4 *rows, size_t n, const struct addr *a)
{
	uint32_t host = ntohl(a->u.in.sin_addr.s_addr);
	size_t i;

	for (i = 0; i < n; i++)
		if ((host ^ rows[i].net) >> (32 - rows[i].bits) == 0)
			return rows[i].why;
	return NULL;
}

static const char *
find6(const struct row6 *rows, size_t n, const struct addr *a)
{
	const uint8_t *p = a->u.in6.sin6_addr.s6_addr;
	size_t i;

	for (i = 0; i < n; i++)
		if (has_prefix(p, rows[i].net, rows[i].bits))
			return rows[i].why;
	return NULL;
}

static const char *
fixed4(const struct addr *a, bool only_public)
{
	const char *why = find4(rows4, ARRAY_LEN(rows4), a);

	if (why == NULL && only_public)
		why = find4(private4, ARRAY_LEN(private4), a);
	return why;
}

static const char *
fixed6(const struct addr *a, bool only_public)
{
	const char *why = find6(rows6, ARRAY_LEN(rows6), a);

	if (why == NULL && only_public)
		why = find6(private6, ARRAY_LEN(private6), a);
	return why;
}

static bool
in_any(const struct cidr *v, size_t n, const struct addr *a)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (cidr_has(&v[i], a))
			return true;
	return false;
}

static bool
is_in_deny(const struct addr_rules *rules, const struct addr *a)
{
	for (; rules != NULL; rules = rules->more)
		if (in_any(rules->deny, rules->n_deny, a))
			return true;
	return false;
}

static bool
is_in_allow(const struct addr_rules *rules, const struct addr *a)
{
	for (; rules != NULL; rules = rules->more)
		if (in_any(rules->allow, rules->n_allow, a))
			return true;
	return false;
}

static bool
wants_public(const struct addr_rules *rules)
{
	for (; rules != NULL; rules = rules->more)
		if (rules->only_public)
			return true;
	return false;
}

static bool
wants_never_private(const struct addr_rules *rules)
{
	for (; rules != NULL; rules = rules->more)
		if (rules->never_private)
			return true;
	return false;
}

/* Of these networks alone, whoever allows them; NULL: of none. */
static const char *
in_private(const struct addr *a, const struct embedded *in)
{
	const char *why = a->u.sa.sa_family == AF_INET
			      ? find4(private4, ARRAY_LEN(private4), a)
			      : find6(private6, ARRAY_LEN(private6), a);
	size_t i;

	for (i = 0; why == NULL && i < in->n; i++)
		why = find4(private4, ARRAY_LEN(private4), &in->v[i]);
	return why;
}

static bool
is_denied(const struct addr *a, const struct embedded *in,
    const struct addr_rules *rules)
{
	size_t i;

	if (is_in_deny(rules, a))
		return true;
	for (i = 0; i < in->n; i++)
		if (is_in_deny(rules, &in->v[i]))
			return true;
	return false;
}

static const char *
fixed(const struct addr *a, const struct embedded *in,
    const struct addr_rules *rules)
{
	bool only_public = wants_public(rules);
	const char *why;
	size_t i;

	why = a->u.sa.sa_family == AF_INET ? fixed4(a, only_public)
					   : fixed6(a, only_public);
	for (i = 0; why == NULL && i < in->n; i++)
		if (!is_in_allow(rules, &in->v[i]))
			why = fixed4(&in->v[i], only_public);
	return why;
}

const char *
addr_refused(
    const struct addr *a, const struct addr_rules *rules, bool is_literal)
{
	const char *why = NULL;
	struct embedded in;

	if (a->u.sa.sa_family != AF_INET && a->u.sa.sa_family != AF_INET6)
		return "not an IP address";
	find_embedded(a, &in);
	if (is_denied(a, &in, rules))
		return "denied by deny_addresses";
	if (is_literal)
		return NULL;
	if (wants_never_private(rules))
		why = in_private(a, &in);
	if (why != NULL || is_in_allow(rules, a))
		return why;
	return fixed(a, &in, rules);
}
