/* SPDX-License-Identifier: Apache-2.0 */
/* base/clock.h: RFC 3339 text, and hands that tests can set. */

#include <criterion/criterion.h>
#include <time.h>

#include "base/attr.h"
#include "base/clock.h"

Test(clock, prints_rfc3339)
{
	static const struct {
		int64_t ms;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01T00:00:00.000Z" },
		{ 1, "1970-01-01T00:00:00.001Z" },
		{ -1, "1969-12-31T23:59:59.999Z" },
		{ 951782400000, "2000-02-29T00:00:00.000Z" },
		{ 1767225599987, "2025-12-31T23:59:59.987Z" },
		{ 253402300799999, "9999-12-31T23:59:59.999Z" },
		{ 253402300800000, "9999-12-31T23:59:59.999Z" },
		{ INT64_MAX, "9999-12-31T23:59:59.999Z" },
		{ INT64_MIN, "0000-01-01T00:00:00.000Z" },
	};
	char out[CLOCK_TEXT];
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		clock_print(rows[i].ms, out);
		cr_expect_str_eq(
		    out, rows[i].text, "%lld: %s", (long long)rows[i].ms, out);
	}
}

Test(clock, reads_times)
{
	static const struct {
		const char *text;
		bool is_good;
		int64_t s;
	} rows[] = {
		{ "1970-01-01T00:00:00Z", true, 0 },
		{ "2026-12-31T18:00:00Z", true, 1798740000 },
		{ "2026-12-31t18:00:00z", true, 1798740000 },
		{ "2026-12-31T18:00:00.999Z", true, 1798740000 },
		{ "2026-12-31T20:00:00+02:00", true, 1798740000 },
		{ "2026-12-31T12:30:00-05:30", true, 1798740000 },
		{ "20261231T180000Z", true, 1798740000 },
		{ "2000-02-29T00:00:00Z", true, 951782400 },
		{ "2016-12-31T23:59:60Z", true, 1483228799 },
		{ "1969-12-31T23:59:59Z", true, -1 },
		{ "9999-12-31T23:59:59Z", true, 253402300799 },
		{ "", false, 0 },
		{ "never", false, 0 },
		{ "2026-12-31", false, 0 },
		{ "2026-12-31T18:00:00", false, 0 },
		{ "2026-12-31 18:00:00Z", false, 0 },
		{ "2026-12-31T18:00:00Z ", false, 0 },
		{ "2026-12-31T18:00:00.Z", false, 0 },
		{ "2026-12-31T18:00Z", false, 0 },
		{ "2026-02-29T00:00:00Z", false, 0 },
		{ "1900-02-29T00:00:00Z", false, 0 },
		{ "2026-13-01T00:00:00Z", false, 0 },
		{ "2026-00-01T00:00:00Z", false, 0 },
		{ "2026-01-00T00:00:00Z", false, 0 },
		{ "2026-01-01T24:00:00Z", false, 0 },
		{ "2026-01-01T00:60:00Z", false, 0 },
		{ "2026-01-01T00:00:61Z", false, 0 },
		{ "2026-01-01T00:00:00+24:00", false, 0 },
		{ "20261231T180000", false, 0 },
		{ "20261231T180000+0200", false, 0 },
		{ "1798740000", false, 0 },
		{ "+026-12-31T18:00:00Z", false, 0 },
	};
	int64_t s;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_expect_eq(clock_parse(str_of(rows[i].text), &s),
		    rows[i].is_good, "%s", rows[i].text);
		if (rows[i].is_good)
			cr_expect_eq(s, rows[i].s, "%s: %lld", rows[i].text,
			    (long long)s);
	}
}

Test(clock, stands_still_when_told)
{
	clock_fake(1234, -1);
	cr_expect_eq(clock_ms(), 1234);
	cr_expect_eq(clock_us(), 1234000);
	cr_expect_eq(clock_wall_ms(), -1);
	cr_expect_eq(clock_wall_s(), -1, "rounded down");
	clock_fake(1235, 5999);
	cr_expect_eq(clock_ms(), 1235);
	cr_expect_eq(clock_wall_s(), 5);
	clock_unfake();
	cr_expect_gt(clock_wall_s(), 1700000000);
}

Test(clock, follows_the_kernel)
{
	struct timespec before, after;
	uint64_t us;

	clock_gettime(CLOCK_MONOTONIC, &before);
	us = clock_us();
	clock_gettime(CLOCK_MONOTONIC, &after);
	cr_expect_geq(us, (uint64_t)before.tv_sec * 1000000 +
			      (uint64_t)before.tv_nsec / 1000);
	cr_expect_leq(us,
	    (uint64_t)after.tv_sec * 1000000 + (uint64_t)after.tv_nsec / 1000);
}
