/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses as text, and when two are the same. */

#include <criterion/criterion.h>

#include "net/addr.h"

Test(addr, text_is_read_and_printed)
{
	static const struct {
		const char *host;
		uint16_t port;
		const char *out; /* NULL: not an address */
	} rows[] = {
		{ "10.0.0.1", 443, "10.0.0.1:443" },
		{ "10.0.0.1", 0, "10.0.0.1" },
		{ "255.199.99.0", 65535, "255.199.99.0:65535" },
		{ "::1", 443, "[::1]:443" },
		{ "::1", 0, "::1" },
		{ "[2001:DB8::a]", 53, "[2001:db8::a]:53" },
		{ "::ffff:10.1.2.3", 1, "[::ffff:10.1.2.3]:1" },
		{ "2001:db8:1111:2222:3333:4444:5555:6666", 65535,
		    "[2001:db8:1111:2222:3333:4444:5555:6666]:65535" },
		{ "", 1, NULL },
		{ "[]", 1, NULL },
		{ "[", 1, NULL },
		{ "]", 1, NULL },
		{ "[10.0.0.1]", 1, NULL },
		{ "[::1", 1, NULL },
		{ "::1]", 1, NULL },
		{ "10.0.0", 1, NULL },
		{ "010.0.0.1", 1, NULL },
		{ "10.0.0.256", 1, NULL },
		{ " 10.0.0.1", 1, NULL },
		{ "0x7f000001", 1, NULL },
		{ "2130706433", 1, NULL },
		{ "fe80::1%eth0", 1, NULL },
		{ "example.com", 1, NULL },
		{ "2001:db8:1111:2222:3333:4444:5555:6666:7777:8888:9999", 1,
		    NULL },
	};
	char text[ADDR_TEXT];
	struct addr a;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		bool ok = addr_parse(str_of(rows[i].host), rows[i].port, &a);

		cr_expect_eq(ok, rows[i].out != NULL, "%s", rows[i].host);
		if (!ok || rows[i].out == NULL)
			continue;
		addr_print(&a, text);
		cr_expect_str_eq(text, rows[i].out, "%s", rows[i].host);
		cr_expect_eq(addr_port(&a), rows[i].port, "%s", rows[i].host);
	}
}

Test(addr, a_nul_does_not_end_the_text)
{
	struct addr a;

	cr_expect_not(addr_parse(STR("10.0.0.1\0.evil"), 1, &a));
}

Test(addr, mapped_is_the_same_as_plain)
{
	static const struct {
		const char *a;
		const char *b;
		bool same;
	} rows[] = {
		{ "10.0.0.1", "10.0.0.1", true },
		{ "10.0.0.1", "10.0.0.2", false },
		{ "10.0.0.1", "::ffff:10.0.0.1", true },
		{ "::ffff:10.0.0.1", "10.0.0.1", true },
		{ "::ffff:10.0.0.1", "::ffff:10.0.0.2", false },
		{ "10.0.0.1", "::10.0.0.1", false },
		{ "::1", "0:0:0:0:0:0:0:1", true },
		{ "::1", "::2", false },
	};
	struct addr a, b;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		cr_assert(addr_parse(str_of(rows[i].a), 80, &a));
		cr_assert(addr_parse(str_of(rows[i].b), 80, &b));
		cr_expect_eq(addr_eq(&a, &b), rows[i].same, "%s %s", rows[i].a,
		    rows[i].b);
		addr_set_port(&b, 81);
		cr_expect_not(
		    addr_eq(&a, &b), "%s %s: ports", rows[i].a, rows[i].b);
		cr_expect_eq(addr_eq_host(&a, &b), rows[i].same, "%s %s",
		    rows[i].a, rows[i].b);
	}
}

Test(addr, sockaddr_of_other_kinds_is_refused)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = 0x5000 };
	struct sockaddr un = { .sa_family = AF_UNIX };
	struct addr a;

	cr_expect(addr_from_sockaddr((const void *)&in, sizeof(in), &a));
	cr_expect_not(
	    addr_from_sockaddr((const void *)&in, sizeof(in) - 1, &a));
	cr_expect_not(addr_from_sockaddr(&un, sizeof(un), &a));
	cr_expect_not(addr_from_sockaddr(&un, 0, &a));
}
