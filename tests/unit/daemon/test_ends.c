/* SPDX-License-Identifier: Apache-2.0 */
/* daemon/ends.h: when an end is over, whatever the clock does. */

#include <criterion/criterion.h>

#include "base/clock.h"
#include "daemon/ends.h"

#define START_S 1700000000

struct rig {
	struct loop *loop;
	struct ends *ends;
	unsigned told;
};

static void
on_end(void *arg)
{
	struct rig *r = arg;

	r->told++;
}

static void
setup(struct rig *r)
{
	*r = (struct rig){ .told = 0 };
	clock_fake(1000, INT64_C(1000) * START_S);
	r->loop = loop_new();
	r->ends = ends_new(r->loop, on_end, r);
}

static void
teardown(struct rig *r)
{
	ends_free(r->ends);
	loop_free(r->loop);
	clock_unfake();
}

/* The clocks show these seconds since the start; a second later it is looked.
 */
static void
show(struct rig *r, unsigned ms, int64_t wall_ms)
{
	clock_fake(1000 + ms, INT64_C(1000) * START_S + wall_ms);
	loop_turn(r->loop);
}

Test(ends, is_told_once_and_in_time)
{
	struct rig r;

	setup(&r);
	ends_set(r.ends, START_S + 10);
	show(&r, 9000, 9000);
	show(&r, 9999, 9999);
	cr_expect_eq(r.told, 0);
	show(&r, 10000, 10000);
	cr_expect_eq(r.told, 1);
	show(&r, 20000, 20000);
	cr_expect_eq(r.told, 1);
	teardown(&r);
}

Test(ends, of_a_clock_that_is_set_forward)
{
	struct rig r;

	setup(&r);
	ends_set(r.ends, START_S + 3600);
	show(&r, 1000, 3600000);
	cr_expect_eq(r.told, 1);
	teardown(&r);
}

/* It lasts no longer for it, and the time stays what it was. */
Test(ends, of_a_clock_that_is_set_back)
{
	struct rig r;

	setup(&r);
	ends_set(r.ends, START_S + 10);
	show(&r, 5000, -3600000);
	cr_expect_eq(r.told, 0);
	cr_expect_eq(ends_now_s(r.ends), START_S + 5);
	show(&r, 9000, -3596000);
	show(&r, 10000, -3595000);
	cr_expect_eq(r.told, 1);
	teardown(&r);
}

Test(ends, none)
{
	struct rig r;

	setup(&r);
	ends_set(r.ends, START_S + 1);
	ends_set(r.ends, INT64_MAX);
	show(&r, 60000, 60000);
	cr_expect_eq(r.told, 0);
	/* One that is over already. */
	ends_set(r.ends, START_S);
	show(&r, 60001, 60001);
	cr_expect_eq(r.told, 1);
	teardown(&r);
}
