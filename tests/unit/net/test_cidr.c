/* SPDX-License-Identifier: Apache-2.0 */
/* Networks: how they are written, and what is in them. */

#include <criterion/criterion.h>

#include "net/addr.h"

Test(cidr, what_is_in_a_network)
{
	static const struct {
		const char *net;
		const char *host;
		bool is_in;
	} rows[] = {
		{ "10.0.0.0/8", "10.255.255.255", true },
		{ "10.0.0.0/8", "11.0.0.0", false },
		{ "10.1.2.3/8", "10.9.9.9", true },
		{ "0.0.0.0/0", "203.0.113.9", true },
		{ "0.0.0.0/0", "2001:db8::1", false },
		{ "192.168.128.0/17", "192.168.128.1", true },
		{ "192.168.128.0/17", "192.168.127.255", false },
		{ "192.0.2.7", "192.0.2.7", true },
		{ "192.0.2.7", "192.0.2.6", false },
		{ "192.0.2.6/31", "192.0.2.7", true },
		{ "fd00::/8", "fdff::1", true },
		{ "fd00::/8", "fe00::1", false },
		{ "fe80::/10", "febf::1", true },
		{ "fe80::/10", "fec0::1", false },
		{ "::/0", "2001:db8::1", true },
		{ "::/0", "::ffff:10.0.0.1", true },
		{ "[2001:db8::1]", "2001:db8::1", true },
		{ "2001:db8::1/128", "2001:db8::2", false },
		/* Mapped addresses are IPv4, on either side. */
		{ "10.0.0.0/8", "::ffff:10.0.0.1", true },
		{ "::ffff:10.0.0.0/104", "10.9.9.9", true },
		{ "::ffff:10.0.0.0/104", "::ffff:10.9.9.9", true },
		{ "::ffff:10.0.0.0/104", "11.0.0.0", false },
		{ "::ffff:0:0/96", "8.8.8.8", true },
		{ "::ffff:1.0.0.0/3", "::ffff:1.0.0.0", true },
	};
	struct cidr c;
	struct addr a;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		cr_assert(
		    cidr_parse(str_of(rows[i].net), &c), "%s", rows[i].net);
		cr_assert(addr_parse(str_of(rows[i].host), 9, &a));
		cr_expect_eq(cidr_has(&c, &a), rows[i].is_in, "%s in %s",
		    rows[i].host, rows[i].net);
	}
}

Test(cidr, what_is_no_network)
{
	static const char *const rows[] = {
		"",
		"/8",
		"10.0.0.0/",
		"10.0.0.0/33",
		"::/129",
		"10.0.0.0/-1",
		"10.0.0.0/8/8",
		"10.0.0.0/ 8",
		"10.0.0/8",
		"example.com/8",
	};
	struct cidr c;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_not(cidr_parse(str_of(rows[i]), &c), "%s", rows[i]);
}
