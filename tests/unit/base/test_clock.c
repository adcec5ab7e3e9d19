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
