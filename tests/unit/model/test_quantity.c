/* SPDX-License-Identifier: Apache-2.0 */
/* Durations as Go writes them, percentages, bandwidths. */

#include "model/quantity.h"

#include <criterion/criterion.h>

#define REFUSED UINT64_MAX

Test(quantity, durations)
{
	static const struct {
		const char *text;
		uint64_t us;
	} rows[] = {
		{ "0", 0 },
		{ "0s", 0 },
		{ "300ms", 300000 },
		{ "1.5s", 1500000 },
		{ "0.700s", 700000 },
		{ ".5s", 500000 },
		{ "1h30m", UINT64_C(5400000000) },
		{ "2m0.5s", 120500000 },
		{ "50us", 50 },
		{ "50\xc2\xb5s", 50 },
		{ "999ns", 0 },
		{ "1000ns", 1 },
		{ "0.000000001h", 3 },
		{ "", REFUSED },
		{ "10", REFUSED },
		{ "s", REFUSED },
		{ ".s", REFUSED },
		{ "1d", REFUSED },
		{ "-1s", REFUSED },
		{ "1 s", REFUSED },
		{ "1s ", REFUSED },
		{ "1s5", REFUSED },
		{ "18446744073709551616s", REFUSED },
		{ "99999999999999999999999h", REFUSED },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t us;

		if (!parse_duration_us(str_of(rows[i].text), &us))
			us = REFUSED;
		cr_expect_eq(us, rows[i].us, "\"%s\" is %llu", rows[i].text,
		    (unsigned long long)us);
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
