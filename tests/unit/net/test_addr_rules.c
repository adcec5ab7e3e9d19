/* SPDX-License-Identifier: Apache-2.0 */
/* Every address that an answer from DNS must not lead to, in every disguise. */

#include <criterion/criterion.h>

#include "net/addr.h"

#define RULES_MOST 4

struct lists {
	struct cidr allow[RULES_MOST];
	struct cidr deny[RULES_MOST];
	struct addr_rules rules;
};

static size_t
fill(struct cidr *to, const char *words)
{
	struct str left = str_of(words), word;
	size_t n = 0;

	while (left.p != NULL && left.len > 0) {
		word = str_cut(&left, ' ');
		cr_assert(cidr_parse(word, &to[n]), "%.*s", STR_ARG(word));
		n++;
	}
	return n;
}

static const char *
ask(const char *host, const char *allow, const char *deny, bool is_literal)
{
	struct lists l = { .rules = { .allow = NULL } };
	struct addr a;

	cr_assert(addr_parse(str_of(host), 443, &a), "%s", host);
	l.rules.allow = l.allow;
	l.rules.deny = l.deny;
	l.rules.n_allow = fill(l.allow, allow);
	l.rules.n_deny = fill(l.deny, deny);
	return addr_refused(&a, &l.rules, is_literal);
}

static const struct {
	const char *host;
	const char *why; /* NULL: fine */
} rows[] = {
	/* clang-format off */
	{ "0.0.0.0", "this host" },
	{ "0.255.255.255", "this host" },
	{ "1.0.0.0", NULL },
	{ "126.255.255.255", NULL },
	{ "127.0.0.1", "loopback" },
	{ "127.255.255.255", "loopback" },
	{ "128.0.0.0", NULL },
	{ "169.253.255.255", NULL },
	{ "169.254.0.0", "link-local" },
	{ "169.254.169.254", "link-local" },
	{ "169.254.255.255", "link-local" },
	{ "169.255.0.0", NULL },
	{ "100.100.100.199", NULL },
	{ "100.100.100.200", "metadata service" },
	{ "100.100.100.201", NULL },
	{ "168.63.129.15", NULL },
	{ "168.63.129.16", "metadata service" },
	{ "168.63.129.17", NULL },
	{ "223.255.255.255", NULL },
	{ "224.0.0.0", "multicast" },
	{ "239.255.255.255", "multicast" },
	{ "240.0.0.0", NULL },
	{ "255.255.255.254", NULL },
	{ "255.255.255.255", "broadcast" },
	{ "10.0.0.1", NULL },
	{ "192.168.0.1", NULL },
	{ "8.8.8.8", NULL },
	{ "::", "this host" },
	{ "::1", "loopback" },
	{ "fe7f:ffff::", NULL },
	{ "fe80::", "link-local" },
	{ "fe80::1", "link-local" },
	{ "febf:ffff::1", "link-local" },
	{ "fec0::", NULL },
	{ "fd00:ec2::253", NULL },
	{ "fd00:ec2::254", "metadata service" },
	{ "fd00:ec2::255", NULL },
	{ "feff::", NULL },
	{ "ff00::", "multicast" },
	{ "ff02::1", "multicast" },
	{ "2001:db8::1", NULL },
	{ "fd00::1", NULL },
	/* v4-mapped */
	{ "::ffff:0.0.0.0", "this host" },
	{ "::ffff:127.0.0.1", "loopback" },
	{ "::ffff:169.254.169.254", "link-local" },
	{ "::ffff:100.100.100.200", "metadata service" },
	{ "::ffff:168.63.129.16", "metadata service" },
	{ "::ffff:224.0.0.1", "multicast" },
	{ "::ffff:255.255.255.255", "broadcast" },
	{ "::ffff:8.8.8.8", NULL },
	/* v4-compatible */
	{ "::127.0.0.1", "loopback" },
	{ "::169.254.169.254", "link-local" },
	{ "::224.0.0.1", "multicast" },
	{ "::2", "this host" },
	{ "::8.8.8.8", NULL },
	/* 6to4 */
	{ "2002:7f00:1::", "loopback" },
	{ "2002:a9fe:a9fe::1", "link-local" },
	{ "2002:6464:64c8::", "metadata service" },
	{ "2002:a83f:8110::", "metadata service" },
	{ "2002:e000:1::", "multicast" },
	{ "2002:0:1::", "this host" },
	{ "2002:808:808::7f00:1", NULL },
	/* Teredo: the server, then the client with its bits turned over */
	{ "2001:0:7f00:1::f7f7:f7f7", "loopback" },
	{ "2001:0:a9fe:a9fe::f7f7:f7f7", "link-local" },
	{ "2001:0:808:808::80ff:fffe", "loopback" },
	{ "2001:0:808:808::5601:5601", "link-local" },
	{ "2001:0:808:808::9b9b:9b37", "metadata service" },
	{ "2001:0:808:808::7f00:1", NULL },
	{ "2001:0:808:808::f7f7:f7f7", NULL },
	{ "2001:1:7f00:1::1", NULL },
	/* NAT64, the well-known prefix */
	{ "64:ff9b::127.0.0.1", "loopback" },
	{ "64:ff9b::169.254.169.254", "link-local" },
	{ "64:ff9b::100.100.100.200", "metadata service" },
	{ "64:ff9b::224.0.0.1", "multicast" },
	{ "64:ff9b::0.0.0.0", "this host" },
	{ "64:ff9b::8.8.8.8", NULL },
	/* NAT64 for local use, with each length of RFC 6052 */
	{ "64:ff9b:1::127.0.0.1", "loopback" },
	{ "64:ff9b:1::169.254.169.254", "link-local" },
	{ "64:ff9b:1:a9fe:a9:fe00::", "link-local" },
	{ "64:ff9b:1:7f00:0:100::", "loopback" },
	{ "64:ff9b:1:00a9:00fe:a9fe::", "link-local" },
	{ "64:ff9b:1:0:00a9:fea9:fe00:0", "link-local" },
	{ "64:ff9b:1:ffff:7f:0:100:0", "loopback" },
	{ "64:ff9b:1::8.8.8.8", NULL },
	{ "64:ff9b:1:808:8:800::", NULL },
	{ "64:ff9b:1::", "this host" },
	{ "64:ff9b:2::127.0.0.1", NULL },
	/* clang-format on */
};

Test(addr_rules, the_fixed_list)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		const char *why = ask(rows[i].host, "", "", false);

		cr_expect_eq(why != NULL, rows[i].why != NULL, "%s: %s",
		    rows[i].host, why == NULL ? "let pass" : why);
		if (why != NULL && rows[i].why != NULL)
			cr_expect_str_eq(
			    why, rows[i].why, "%s: %s", rows[i].host, why);
	}
}

Test(addr_rules, a_literal_is_consent)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_null(
		    ask(rows[i].host, "", "", true), "%s", rows[i].host);
}

Test(addr_rules, what_is_denied_is_always_denied)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		cr_expect_not_null(
		    ask(rows[i].host, "0.0.0.0/0 ::/0", "0.0.0.0/0 ::/0", true),
		    "%s", rows[i].host);
		cr_expect_not_null(
		    ask(rows[i].host, "", "0.0.0.0/0 ::/0", false), "%s",
		    rows[i].host);
	}
}

Test(addr_rules, no_rules_at_all)
{
	struct addr a;

	cr_assert(addr_parse(STR("127.0.0.1"), 1, &a));
	cr_expect_not_null(addr_refused(&a, NULL, false));
	cr_expect_null(addr_refused(&a, NULL, true));
	a = (struct addr){ .len = 0 };
	cr_expect_not_null(addr_refused(&a, NULL, true), "no address");
}

Test(addr_rules, allow_and_deny)
{
	static const struct {
		const char *host;
		const char *allow;
		const char *deny;
		bool is_literal;
		bool is_refused;
	} cases[] = {
		/* clang-format off */
		{ "127.0.0.1", "127.0.0.0/8", "", false, false },
		{ "127.0.0.1", "127.0.0.2", "", false, true },
		{ "169.254.169.254", "127.0.0.0/8", "", false, true },
		{ "::ffff:127.0.0.1", "127.0.0.0/8", "", false, false },
		{ "127.0.0.1", "::ffff:127.0.0.0/104", "", false, false },
		{ "::1", "::1", "", false, false },
		{ "::1", "127.0.0.0/8", "", false, true },
		{ "2002:7f00:1::", "127.0.0.0/8", "", false, false },
		{ "2002:7f00:1::", "2002::/16", "", false, false },
		{ "2002:a9fe:1::", "127.0.0.0/8", "", false, true },
		{ "2001:0:7f00:1::5601:5601", "127.0.0.0/8", "", false, true },
		{ "64:ff9b::127.0.0.1", "64:ff9b::/96", "", false, false },
		{ "10.0.0.1", "", "10.0.0.0/8", false, true },
		{ "10.0.0.1", "", "10.0.0.0/8", true, true },
		{ "10.0.0.1", "10.0.0.0/8", "10.0.0.0/8", false, true },
		{ "::ffff:10.0.0.1", "", "10.0.0.0/8", true, true },
		{ "64:ff9b::10.0.0.1", "", "10.0.0.0/8", true, true },
		{ "64:ff9b:1::10.0.0.1", "", "10.0.0.0/8", true, true },
		{ "2002:a00:1::", "", "10.0.0.0/8", false, true },
		{ "11.0.0.1", "", "10.0.0.0/8", false, false },
		{ "2001:db8::1", "", "2001:db8::/32", true, true },
		/* clang-format on */
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(cases); i++) {
		const char *why = ask(cases[i].host, cases[i].allow,
		    cases[i].deny, cases[i].is_literal);

		cr_expect_eq(why != NULL, cases[i].is_refused,
		    "%s allow=%s deny=%s literal=%d: %s", cases[i].host,
		    cases[i].allow, cases[i].deny, cases[i].is_literal,
		    why == NULL ? "let pass" : why);
	}
}

/* Names that callers choose: no list opens a private network to them. */
Test(addr_rules, never_private)
{
	static const struct {
		const char *host;
		const char *allow;
		bool is_literal;
		const char *why;
	} cases[] = {
		/* clang-format off */
		{ "10.1.2.3", "", false, "private network" },
		{ "10.1.2.3", "10.0.0.0/8", false, "private network" },
		{ "10.1.2.3", "0.0.0.0/0", false, "private network" },
		{ "10.1.2.3", "10.0.0.0/8", true, NULL },
		{ "172.31.0.1", "172.16.0.0/12", false, "private network" },
		{ "192.168.1.1", "192.168.1.1", false, "private network" },
		{ "100.64.0.1", "100.64.0.0/10", false, "carrier-grade NAT" },
		{ "100.127.255.255", "", false, "carrier-grade NAT" },
		{ "198.18.0.1", "198.18.0.0/15", false, "benchmarking" },
		{ "fd00::1", "fd00::/8", false, "private network" },
		{ "fec0::1", "::/0", false, "private network" },
		{ "::ffff:10.1.2.3", "10.0.0.0/8", false, "private network" },
		{ "64:ff9b::10.1.2.3", "64:ff9b::/96", false,
		    "private network" },
		{ "64:ff9b:1::a01:203", "64:ff9b:1::/48", false,
		    "private network" },
		{ "2002:a01:203::", "2002::/16", false, "private network" },
		/* All that is refused anyway, unless it is allowed. */
		{ "127.0.0.1", "", false, "loopback" },
		{ "127.0.0.1", "127.0.0.0/8", false, NULL },
		{ "169.254.169.254", "", false, "link-local" },
		{ "::1", "", false, "loopback" },
		{ "8.8.8.8", "", false, NULL },
		{ "2600::1", "", false, NULL },
		/* clang-format on */
	};
	struct lists l = { .rules = { .never_private = true } };
	/* Behind a service's rules are the daemon's: either one's will do. */
	struct addr_rules before = { .more = &l.rules };
	const char *why;
	struct addr a;
	size_t i;

	l.rules.allow = l.allow;
	for (i = 0; i < ARRAY_LEN(cases); i++) {
		l.rules.n_allow = fill(l.allow, cases[i].allow);
		cr_assert(addr_parse(str_of(cases[i].host), 443, &a));
		why = addr_refused(&a, &l.rules, cases[i].is_literal);
		cr_expect_str_eq(why != NULL ? why : "fine",
		    cases[i].why != NULL ? cases[i].why : "fine", "%s allow=%s",
		    cases[i].host, cases[i].allow);
		cr_expect_eq(
		    addr_refused(&a, &before, cases[i].is_literal), why);
	}
}
