/* SPDX-License-Identifier: Apache-2.0 */
/* The small grammars, row by row. */

#include <criterion/criterion.h>

#include "model/nearest.h"
#include "model/scalar.h"

#define EACH(rows) for (size_t i = 0; i < ARRAY_LEN(rows); i++)

struct row {
	const char *text;
	bool is_ok;
};

static void
expect_rows(const struct row *rows, size_t n, bool (*is)(struct str))
{
	size_t i;

	for (i = 0; i < n; i++)
		cr_expect_eq(is(str_of(rows[i].text)), rows[i].is_ok, "%s",
		    rows[i].text);
}

Test(scalar, dns_names)
{
	static const struct row rows[] = {
		{ "example.com", true },
		{ "localhost", true },
		{ "a_b-c.d", true },
		{ "_srv._tcp.x", true },
		{ "example.com.", true },
		{ "XN--80AK6AA92E.com", true },
		{ "", false },
		{ ".", false },
		{ "a..b", false },
		{ "-a.b", false },
		{ "a b", false },
		{ "not[]valid", false },
		{ "*.example.com", false },
		{ "10.0.0.1", false },
		{ "::1", false },
		{ "unix:///run/x", false },
		{ "a123456789012345678901234567890123456789012345678901234567"
		  "890123",
		    false },
	};

	expect_rows(rows, ARRAY_LEN(rows), is_dns_name);
}

Test(scalar, addresses)
{
	static const struct row rows[] = {
		{ "10.0.0.1", true },
		{ "::1", true },
		{ "2001:db8::7", true },
		{ "10.0.0", false },
		{ "10.0.0.256", false },
		{ "fe80::1%eth0", false },
		{ "[::1]", false },
		{ "", false },
		{ "example.com", false },
	};
	static const struct row loopback[] = {
		{ "127.0.0.1", true },
		{ "127.9.9.9", true },
		{ "::1", true },
		{ "128.0.0.1", false },
		{ "::2", false },
		{ "localhost", false },
	};
	static const struct row any[] = {
		{ "0.0.0.0", true },
		{ "::", true },
		{ "0.0.0.1", false },
		{ "x", false },
	};

	expect_rows(rows, ARRAY_LEN(rows), is_ip_address);
	expect_rows(loopback, ARRAY_LEN(loopback), is_loopback_address);
	expect_rows(any, ARRAY_LEN(any), is_any_address);
	cr_expect_not(is_ip_address((struct str){ "1.2.3.4\0x", 9 }));
}

Test(scalar, protocols)
{
	static const struct row rows[] = {
		{ "tcp", true },
		{ "HTTP", true },
		{ "http2", true },
		{ "grpc", true },
		{ "kafka", true },
		{ "tls", true },
		{ "mysql", true },
		{ "", false },
		{ "http3", false },
	};

	expect_rows(rows, ARRAY_LEN(rows), is_protocol);
}

Test(scalar, host_and_port)
{
	static const struct {
		const char *text, *host, *port;
	} rows[] = {
		{ "example.com:443", "example.com", "443" },
		{ "10.0.0.1:80", "10.0.0.1", "80" },
		{ "[2001:db8::7]:80", "2001:db8::7", "80" },
		{ "example.com:", "example.com", "" },
		{ ":80", "", "80" },
		{ "[]:80", "", "80" },
		{ "example.com", NULL, NULL },
		{ "http://example.com:80", NULL, NULL },
		{ "2001:db8::7", NULL, NULL },
		{ "[::1]", NULL, NULL },
		{ "[::1]80", NULL, NULL },
		{ "[::1", NULL, NULL },
		{ "[::1]:80:90", NULL, NULL },
		{ "", NULL, NULL },
	};
	struct str host, port;

	EACH(rows)
	{
		cr_expect_eq(
		    split_host_port(str_of(rows[i].text), &host, &port),
		    rows[i].host != NULL, "%s", rows[i].text);
		if (rows[i].host == NULL)
			continue;
		cr_expect(
		    str_eq(host, str_of(rows[i].host)), "%s", rows[i].text);
		cr_expect(
		    str_eq(port, str_of(rows[i].port)), "%s", rows[i].text);
	}
}

Test(scalar, durations)
{
	static const struct {
		const char *text;
		bool is_ok;
		uint64_t ms;
	} rows[] = {
		{ "24h", true, 86400000 },
		{ "1h30m", true, 5400000 },
		{ "30s", true, 30000 },
		{ "500ms", true, 500 },
		{ "1d", true, 86400000 },
		{ "2w", true, 2 * 7 * 86400000ull },
		{ "10y", true, 3650 * 86400000ull },
		{ "1m500ms", true, 60500 },
		{ "0", true, 0 },
		{ "", false, 0 },
		{ "10", false, 0 },
		{ "h", false, 0 },
		{ "10x", false, 0 },
		{ "-1h", false, 0 },
		{ "1.5h", false, 0 },
		{ "1h 30m", false, 0 },
		{ "99999999999999999999s", false, 0 },
	};
	uint64_t ms = 0;

	EACH(rows)
	{
		cr_expect_eq(parse_duration_ms(str_of(rows[i].text), &ms),
		    rows[i].is_ok, "%s", rows[i].text);
		if (rows[i].is_ok)
			cr_expect_eq(ms, rows[i].ms, "%s", rows[i].text);
	}
}

Test(scalar, bools)
{
	bool b = false;

	cr_expect(scalar_to_bool(STR("yes"), &b) && b);
	cr_expect(scalar_to_bool(STR("True"), &b) && b);
	cr_expect(scalar_to_bool(STR("off"), &b) && !b);
	cr_expect_not(scalar_to_bool(STR("2"), &b));
}

Test(nearest, names_what_was_probably_meant)
{
	static const struct {
		const char *written, *meant;
	} rows[] = {
		{ "serverNmae", "serverName" },
		{ "servername", "serverName" },
		{ "caCerts", "caCert" },
		{ "ca_cert", "caCert" },
		{ "sni", NULL },
		{ "", NULL },
		{ "aVeryLongWordThatIsLongerThanAnyFieldOfKumaCouldBe", NULL },
	};
	struct nearest n;

	EACH(rows)
	{
		n = nearest_to(str_of(rows[i].written));
		nearest_try(&n, "enabled");
		nearest_try(&n, "serverName");
		nearest_try(&n, "caCert");
		if (rows[i].meant == NULL)
			cr_expect_null(
			    n.best, "%s: %s", rows[i].written, n.best);
		else
			cr_expect_str_eq(
			    n.best, rows[i].meant, "%s", rows[i].written);
	}
}
