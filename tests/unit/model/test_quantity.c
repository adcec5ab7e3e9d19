/* SPDX-License-Identifier: Apache-2.0 */
/* Durations as Go writes them, decimals, percentages, bandwidths. */

#include "model/quantity.h"

#include <criterion/criterion.h>

#define REFUSED UINT64_MAX

/* What time.ParseDuration of Go takes, but for what is below zero. */
Test(quantity, durations)
{
	static const struct {
		const char *text;
		uint64_t us, ms;
	} rows[] = {
		{ "0", 0, 0 },
		{ "+0", 0, 0 },
		{ "0s", 0, 0 },
		{ "0h0m0s", 0, 0 },
		{ "1ms", 1000, 1 },
		{ "300ms", 300000, 300 },
		{ "1.5s", 1500000, 1500 },
		{ "+1.5s", 1500000, 1500 },
		{ "0.700s", 700000, 700 },
		{ ".5s", 500000, 500 },
		{ "5.s", 5000000, 5000 },
		{ "1h30m", UINT64_C(5400000000), 5400000 },
		{ "1h2m3s4ms", UINT64_C(3723004000), 3723004 },
		{ "2m0.5s", 120500000, 120500 },
		{ "1s1h", UINT64_C(3601000000), 3601000 },
		{ "1.9999s", 1999900, 1999 },
		{ "50us", 50, 1 },
		{ "50\xc2\xb5s", 50, 1 },
		{ "50\xce\xbcs", 50, 1 },
		{ "1ns", 0, 1 },
		{ "999ns", 0, 1 },
		{ "1000ns", 1, 1 },
		{ "0.9ns", 0, 0 },
		{ "0.5ns0.5ns", 0, 0 },
		{ "0.000000001h", 3, 1 },
		{ "0.00000000001h", 0, 1 },
		{ "0.00000001666666666666666m", 0, 1 },
		{ "1.00000000000000000000000009s", 1000000, 1000 },
		{ "9223372036.854775807s", UINT64_C(9223372036854775),
		    UINT64_C(9223372036854) },
		{ "2562047h", UINT64_C(9223369200000000),
		    UINT64_C(9223369200000) },
		{ "9223372036.854775808s", REFUSED, REFUSED },
		{ "2562048h", REFUSED, REFUSED },
		{ "2562047h1h", REFUSED, REFUSED },
		/* So many that they would be a few again. */
		{ "18446744073.9s", REFUSED, REFUSED },
		{ "18446744073709551616s", REFUSED, REFUSED },
		{ "18446744073709551616ns", REFUSED, REFUSED },
		{ "99999999999999999999999h", REFUSED, REFUSED },
		{ "", REFUSED, REFUSED },
		{ "+", REFUSED, REFUSED },
		{ "++1s", REFUSED, REFUSED },
		{ "1s+1s", REFUSED, REFUSED },
		{ "-0", REFUSED, REFUSED },
		{ "-1s", REFUSED, REFUSED },
		{ "1", REFUSED, REFUSED },
		{ "00", REFUSED, REFUSED },
		{ "10", REFUSED, REFUSED },
		{ "s", REFUSED, REFUSED },
		{ ".s", REFUSED, REFUSED },
		{ ".", REFUSED, REFUSED },
		{ "1..5s", REFUSED, REFUSED },
		{ "1d", REFUSED, REFUSED },
		{ "292y", REFUSED, REFUSED },
		{ "1S", REFUSED, REFUSED },
		{ "1\xc2s", REFUSED, REFUSED },
		{ "1 s", REFUSED, REFUSED },
		{ "1s ", REFUSED, REFUSED },
		{ "1s5", REFUSED, REFUSED },
		{ "1e3s", REFUSED, REFUSED },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t us, ms;

		if (!parse_go_duration_us(str_of(rows[i].text), &us))
			us = REFUSED;
		if (!parse_go_duration_ms(str_of(rows[i].text), &ms))
			ms = REFUSED;
		cr_expect_eq(us, rows[i].us, "\"%s\" is %llu us", rows[i].text,
		    (unsigned long long)us);
		cr_expect_eq(ms, rows[i].ms, "\"%s\" is %llu ms", rows[i].text,
		    (unsigned long long)ms);
	}
}

Test(quantity, decimals)
{
	static const struct {
		const char *text;
		uint64_t thousandths;
	} rows[] = {
		{ "0", 0 },
		{ "30", 30000 },
		{ "30.2", 30200 },
		{ "1.99999", 1999 },
		{ "5.", 5000 },
		{ ".5", 500 },
		{ "9007199254740.992", UINT64_C(9007199254740992) },
		{ "9007199254740.993", REFUSED },
		{ "18446744073709551.9", REFUSED },
		{ "99999999999999999999", REFUSED },
		{ "", REFUSED },
		{ ".", REFUSED },
		{ "1.5.", REFUSED },
		{ "1e3", REFUSED },
		{ "-1", REFUSED },
		{ "1s", REFUSED },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t v;

		if (!parse_decimal(str_of(rows[i].text), &v))
			v = REFUSED;
		cr_expect_eq(v, rows[i].thousandths, "\"%s\" is %llu",
		    rows[i].text, (unsigned long long)v);
	}
}

Test(quantity, percentages)
{
	static const struct {
		const char *text;
		unsigned millionths; /* UINT32_MAX: refused */
	} rows[] = {
		{ "0", 0 },
		{ "5", 50000 },
		{ "12.5", 125000 },
		{ "62.9", 629000 },
		{ "0.0001", 1 },
		{ "0.00001", 0 },
		{ "99.99999", 999999 },
		{ "100", 1000000 },
		{ "100.0", 1000000 },
		{ "100.0001", UINT32_MAX },
		{ "101", UINT32_MAX },
		{ "-1", UINT32_MAX },
		{ "", UINT32_MAX },
		{ ".", UINT32_MAX },
		{ "5%", UINT32_MAX },
		{ "0x5", UINT32_MAX },
		{ "1e1", UINT32_MAX },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned v;

		if (!parse_percentage(str_of(rows[i].text), &v))
			v = UINT32_MAX;
		cr_expect_eq(
		    v, rows[i].millionths, "\"%s\" is %u", rows[i].text, v);
	}
}

Test(quantity, bandwidths)
{
	static const struct {
		const char *text;
		uint64_t bytes; /* 0: refused */
	} rows[] = {
		{ "64 kbps", 8000 },
		{ "50kbps", 6250 },
		{ "50 mbps", 6250000 },
		{ "111Mbps", 13875000 },
		{ "2 Gbps", 250000000 },
		{ "1kbps", 125 },
		{ "0 kbps", 0 },
		{ "kbps", 0 },
		{ "64", 0 },
		{ "64 bps", 0 },
		{ "64  kbps", 0 },
		{ "64 kbps ", 0 },
		{ "1.5 Mbps", 0 },
		{ "-1 kbps", 0 },
		{ "4294967296 kbps", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t v = 0;

		if (!parse_bandwidth(str_of(rows[i].text), &v))
			v = 0;
		cr_expect_eq(v, rows[i].bytes, "\"%s\" is %llu", rows[i].text,
		    (unsigned long long)v);
	}
}
