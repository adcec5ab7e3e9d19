/* SPDX-License-Identifier: Apache-2.0 */
/* conn/pace.h: how much goes in any time. */

#include "conn/pace.h"

#include <criterion/criterion.h>

#include "base/attr.h"

/* All that may go until ms have passed, looked at every step. */
static uint64_t
run(struct pace *p, uint64_t *now, uint64_t ms, uint64_t step)
{
	uint64_t sent = 0, until = *now + ms;
	size_t room;

	for (; *now < until; *now += step) {
		room = pace_room(p, *now);
		pace_spend(p, room);
		sent += room;
	}
	return sent;
}

static const struct {
	uint64_t bytes_per_s;
	uint64_t step;
} rows[] = {
	{ 125, 50 }, /* 1 kbps */
	{ 125, 7 },
	{ 1000, 50 },
	{ 1000, 60 }, /* a timer that is late */
	{ 1000003, 50 },
	{ 125000000, 50 },
	{ 3, 50 },
	{ UINT64_MAX, 50 },
};

Test(pace, so_much_in_ten_seconds)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t rate = rows[i].bytes_per_s, now = 5000, sent;
		struct pace p;

		pace_begin(&p, rate, now);
		sent = run(&p, &now, 10000, rows[i].step);
		if (rate == UINT64_MAX)
			rate = UINT64_C(1) << 40;
		cr_expect_leq(sent, rate * 10 + rate / 20 + 1, "row %zu", i);
		cr_expect_geq(sent, rate * 98 / 10, "row %zu: %lu", i,
		    (unsigned long)sent);
		/* What it did not use for an hour is not saved. */
		now += 3600000;
		cr_expect_leq(pace_room(&p, now), rate / 10 + 1, "row %zu", i);
	}
}

Test(pace, when_to_look_again)
{
	struct pace p;

	pace_begin(&p, 10000, 0);
	cr_expect_eq(pace_room(&p, 0), 500);
	pace_spend(&p, 500);
	cr_expect_eq(pace_room(&p, 0), 0);
	cr_expect_eq(pace_wait_ms(&p), 50);
	/* A byte in half a second: not twenty looks for it. */
	pace_begin(&p, 2, 0);
	cr_expect_eq(pace_room(&p, 0), 0);
	cr_expect_eq(pace_wait_ms(&p), 451);
	cr_expect_eq(pace_room(&p, 451), 1);
}

Test(pace, none)
{
	struct pace p = { 0 };

	cr_expect_eq(pace_room(&p, 1000), SIZE_MAX);
	pace_spend(&p, 1000000);
	cr_expect_eq(pace_room(&p, 1000), SIZE_MAX);
}
