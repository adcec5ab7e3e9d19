/* SPDX-License-Identifier: Apache-2.0 */
/* upstream/proxy_protocol.h, read by somebody else's parser. */

#include <criterion/criterion.h>
#include <stdlib.h>

#include "support/proxy_reader.h"
#include "upstream/proxy_protocol.h"

static struct addr
addr_of(const char *host, uint16_t port)
{
	struct addr a;

	if (!addr_parse(str_of(host), port, &a))
		abort();
	return a;
}

static void
read_back(const struct proxy_facts *f, struct proxy_seen *out)
{
	struct proxy_header *h = proxy_header_new(f);

	cr_expect(
	    proxy_read_bytes((const void *)h->bytes.p, h->bytes.len, out));
	proxy_header_unref(h);
}

Test(proxy_protocol, addresses)
{
	static const struct {
		const char *from, *to, *want_from, *want_to;
	} rows[] = {
		{ "10.1.2.3", "10.0.0.1", "10.1.2.3:4711", "10.0.0.1:10002" },
		{ "2001:db8::7", "fd00::1", "[2001:db8::7]:4711",
		    "[fd00::1]:10002" },
		/* A listener for both families sees IPv4 like this. */
		{ "::ffff:10.1.2.3", "::ffff:10.0.0.1", "10.1.2.3:4711",
		    "10.0.0.1:10002" },
		{ "10.1.2.3", "fd00::1", "-", "" },
	};
	struct proxy_seen seen;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct proxy_facts f = {
			.from = addr_of(rows[i].from, 4711),
			.to = addr_of(rows[i].to, 10002),
		};

		read_back(&f, &seen);
		cr_expect_str_eq(seen.from, rows[i].want_from);
		cr_expect_str_eq(seen.to, rows[i].want_to);
		cr_expect_str_eq(seen.authority, "");
		cr_expect_not(seen.is_verified);
	}
}

Test(proxy_protocol, unknown_addresses)
{
	const struct proxy_facts f = { .sni = STR("s") };
	struct proxy_seen seen;

	read_back(&f, &seen);
	cr_expect_str_eq(seen.from, "-");
	cr_expect_str_eq(seen.authority, "s");
}

/* Of ourselves nothing is told. */
Test(proxy_protocol, connections_of_our_own)
{
	struct str h = proxy_header_local();
	struct proxy_seen seen;

	cr_assert_eq(h.len, 16);
	cr_assert(proxy_read_bytes((const void *)h.p, h.len, &seen));
	cr_expect(seen.is_local);
	cr_expect_str_eq(seen.from, "-");
	cr_expect_eq(h.p[13], 0);
}

Test(proxy_protocol, who_calls)
{
	const struct proxy_facts f = {
		.from = addr_of("10.1.2.3", 4711),
		.to = addr_of("10.0.0.1", 10002),
		.sni = STR("api{mesh=default}"),
		.tls_version = "TLSv1.3",
		.spiffe = STR("spiffe://default/web"),
	};
	struct proxy_seen seen;

	read_back(&f, &seen);
	cr_expect_str_eq(seen.authority, "api{mesh=default}");
	cr_expect_str_eq(seen.tls_version, "TLSv1.3");
	cr_expect(seen.is_verified);
	cr_expect_not(seen.is_local);
	cr_expect_str_eq(seen.spiffe, "spiffe://default/web");
}
