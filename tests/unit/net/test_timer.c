/* SPDX-License-Identifier: Apache-2.0 */
/* Deadlines under a clock that is moved by hand, and once by the real one. */

#include <criterion/criterion.h>

#include "base/clock.h"
#include "net/loop.h"

#define START_MS 1000000
#define MANY 200

struct beat {
	struct timer timer;
	unsigned fired;
	unsigned order;
	uint64_t again_ms; /* UINT64_MAX: no */
	struct beat *stops;
	unsigned *clock;
};

static void
on_beat(void *arg)
{
	struct beat *b = arg;

	b->fired++;
	if (b->clock != NULL)
		b->order = (*b->clock)++;
	if (b->again_ms != UINT64_MAX)
		timer_set(&b->timer, b->again_ms);
	if (b->stops != NULL)
		timer_stop(&b->stops->timer);
}

static void
beat_init(struct beat *b, struct loop *l)
{
	*b = (struct beat){ .again_ms = UINT64_MAX };
	timer_init(&b->timer, l, on_beat, b);
}

static void
at(struct loop *l, uint64_t ms)
{
	clock_fake(START_MS + ms, 0);
	loop_turn(l);
}

static struct loop *
start(void)
{
	clock_fake(START_MS, 0);
	return loop_new();
}

Test(timer, fires_once_when_it_is_due)
{
	struct loop *l = start();
	struct beat b;

	beat_init(&b, l);
	cr_expect_not(timer_is_set(&b.timer));
	timer_set(&b.timer, 100);
	cr_expect(timer_is_set(&b.timer));
	at(l, 99);
	cr_expect_eq(b.fired, 0);
	at(l, 100);
	cr_expect_eq(b.fired, 1);
	cr_expect_not(timer_is_set(&b.timer));
	at(l, 1000);
	cr_expect_eq(b.fired, 1);
	loop_free(l);
}

Test(timer, moves_later_and_earlier)
{
	struct loop *l = start();
	struct beat b;

	beat_init(&b, l);
	timer_set(&b.timer, 100);
	at(l, 50);
	timer_set(&b.timer, 100);
	cr_expect_eq(b.timer.armed_ms, START_MS + 100,
	    "setting it later must not move it");
	at(l, 149);
	cr_expect_eq(b.fired, 0);
	timer_set(&b.timer, 300);
	timer_set(&b.timer, 10);
	at(l, 158);
	cr_expect_eq(b.fired, 0);
	at(l, 159);
	cr_expect_eq(b.fired, 1);
	at(l, 2000);
	cr_expect_eq(b.fired, 1);
	loop_free(l);
}

Test(timer, stops)
{
	struct timer never = { .loop = NULL };
	struct loop *l = start();
	struct beat a, b;

	timer_stop(&never);
	beat_init(&a, l);
	beat_init(&b, l);
	timer_set(&a.timer, 10);
	timer_set(&b.timer, 20);
	a.stops = &b;
	timer_stop(&b.timer);
	timer_set(&b.timer, 20);
	at(l, 30);
	cr_expect_eq(a.fired, 1);
	cr_expect_eq(b.fired, 0, "stopped by the one before it");
	loop_free(l);
}

Test(timer, paused_keeps_its_place_and_does_not_fire)
{
	struct loop *l = start();
	struct beat a, b;

	beat_init(&a, l);
	beat_init(&b, l);
	timer_set(&a.timer, 100);
	timer_set(&b.timer, 100);
	timer_pause(&a.timer);
	timer_pause(&b.timer);
	cr_expect_not(timer_is_set(&a.timer));
	cr_expect_neq(a.timer.at, 0, "it has its place still");
	timer_set(&b.timer, 150);
	at(l, 120);
	cr_expect_eq(a.fired, 0);
	cr_expect_eq(a.timer.at, 0, "its time is over");
	cr_expect_eq(b.fired, 0);
	at(l, 150);
	cr_expect_eq(b.fired, 1, "set again, it is as any other");
	timer_set(&a.timer, 10);
	at(l, 160);
	cr_expect_eq(a.fired, 1);
	timer_set(&a.timer, 10);
	timer_pause(&a.timer);
	timer_stop(&a.timer);
	cr_expect_eq(a.timer.at, 0, "its memory may go");
	at(l, 1000);
	cr_expect_eq(a.fired, 1);
	loop_free(l);
}

Test(timer, one_that_is_always_due_lets_the_turn_end)
{
	struct loop *l = start();
	struct beat a, b;

	beat_init(&a, l);
	beat_init(&b, l);
	a.again_ms = 0;
	timer_set(&a.timer, 0);
	timer_set(&b.timer, 0);
	at(l, 0);
	at(l, 0);
	cr_expect_geq(a.fired, 2);
	cr_expect_leq(a.fired, 4);
	cr_expect_eq(b.fired, 1);
	timer_stop(&a.timer);
	loop_free(l);
}

Test(timer, many_fire_in_order)
{
	struct loop *l = start();
	struct beat b[MANY];
	unsigned clock = 0, i;

	for (i = 0; i < MANY; i++) {
		beat_init(&b[i], l);
		b[i].clock = &clock;
		/* 7 and 211 share no factor: each ms once, out of order. */
		timer_set(&b[i].timer, 1 + i * 7 % 211);
	}
	for (i = 0; i < MANY; i += 3)
		timer_stop(&b[i].timer);
	for (i = 1; i < MANY; i += 3)
		timer_set(&b[i].timer, 500 + i);
	at(l, 1000);
	cr_expect_eq(clock, MANY - (MANY + 2) / 3);
	for (i = 0; i < MANY; i++)
		cr_expect_eq(b[i].fired, i % 3 != 0, "timer %u", i);
	for (i = 4; i < MANY; i += 3)
		cr_expect_lt(b[i - 3].order, b[i].order, "timer %u", i);
	loop_free(l);
}

static void
on_stop(void *arg)
{
	struct loop *const *l = arg;

	loop_stop(*l);
}

Test(timer, wakes_a_loop_that_waits, .timeout = 10)
{
	struct loop *l = loop_new();
	struct timer t, idle;
	uint64_t before = clock_ms();

	timer_init(&idle, l, on_stop, &l);
	timer_set(&idle, 3600 * 1000);
	timer_init(&t, l, on_stop, &l);
	timer_set(&t, 30);
	loop_run(l);
	cr_expect_geq(clock_ms() - before, 30);
	cr_expect(timer_is_set(&idle));
	timer_stop(&idle);
	loop_free(l);
}

/* How many different moments the loop is woken at. */
static unsigned
moments(const struct beat *v, size_t n)
{
	unsigned found = 0;
	size_t i, j;

	for (i = 0; i < n; i++) {
		for (j = 0; j < i; j++)
			if (v[j].timer.armed_ms == v[i].timer.armed_ms)
				break;
		found += j == i;
	}
	return found;
}

Test(timer, many_long_ones_wake_together)
{
	struct loop *l = start();
	struct beat v[MANY];
	unsigned fired = 0;

	/* Five a millisecond apart, as connections are accepted. */
	for (size_t i = 0; i < MANY; i++) {
		beat_init(&v[i], l);
		at(l, i * 5);
		timer_set(&v[i].timer, 300000);
	}
	cr_expect_leq(moments(v, MANY), 2);
	/* A request on each: they move, and stay where they are. */
	for (size_t i = 0; i < MANY; i++) {
		at(l, 200000 + i * 5);
		timer_set(&v[i].timer, 300000);
	}
	at(l, 310000);
	cr_expect_leq(moments(v, MANY), 2, "put right, and together again");
	/* And none is early or late. */
	for (size_t i = 0; i < MANY; i++) {
		at(l, 500000 + i * 5 - 1);
		cr_expect_eq(v[i].fired, 0, "%zu is early", i);
		at(l, 500000 + i * 5);
		cr_expect_eq(v[i].fired, 1, "%zu is late", i);
	}
	for (size_t i = 0; i < MANY; i++)
		fired += v[i].fired;
	cr_expect_eq(fired, MANY);
	loop_free(l);
}

/* The loop was busy, and comes too late for the place and the deadline. */
Test(timer, a_long_one_that_nobody_looked_at)
{
	struct loop *l = start();
	struct beat b;

	beat_init(&b, l);
	timer_set(&b.timer, 20000);
	at(l, 1000);
	timer_set(&b.timer, 20000);
	at(l, 60000);
	cr_expect_eq(b.fired, 1);
	loop_free(l);
}

Test(timer, about_is_a_shared_moment_soon_after)
{
	struct loop *l = start();
	struct beat v[MANY];
	uint64_t due, last = 0;
	unsigned dues = 0;

	for (size_t i = 0; i < MANY; i++) {
		beat_init(&v[i], l);
		at(l, i * 5);
		timer_set_about(&v[i].timer, 30000);
		due = v[i].timer.due_ms;
		cr_expect_geq(due, START_MS + i * 5 + 30000);
		cr_expect_lt(due, START_MS + i * 5 + 31100);
		dues += due != last;
		last = due;
	}
	cr_expect_leq(dues, 2);
	for (size_t i = 0; i < MANY; i++)
		timer_stop(&v[i].timer);
	loop_free(l);
}
