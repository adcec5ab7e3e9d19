/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upstream/gcra.h: how many pass in any window, whatever comes when, and
 * however many threads take.
 */

#include <criterion/criterion.h>
#include <pthread.h>

#include "upstream/gcra.h"

#define SECOND_NS UINT64_C(1000000000)
#define START_NS (12345 * SECOND_NS)
#define TIMES_MOST 20000

Test(gcra, a_burst_and_then_one_by_one)
{
	const struct gcra_limit l = gcra_limit(5, 1000);
	uint64_t now = START_NS;
	struct gcra g = { 0 };

	cr_expect_eq(gcra_left(&g, &l, now), 5);
	cr_expect(gcra_is_fresh(&g, now));
	for (unsigned i = 0; i < 5; i++)
		cr_expect(gcra_take(&g, &l, now), "the burst, %u", i);
	cr_expect_not(gcra_take(&g, &l, now));
	cr_expect_not(gcra_is_fresh(&g, now));
	cr_expect_eq(gcra_left(&g, &l, now), 0);
	cr_expect_not(gcra_take(&g, &l, now + SECOND_NS / 5 - 1));
	cr_expect(gcra_take(&g, &l, now + SECOND_NS / 5));
	cr_expect_not(gcra_take(&g, &l, now + SECOND_NS / 5));
	/* What was refused is not owed. */
	now += SECOND_NS / 5 + SECOND_NS;
	cr_expect_eq(gcra_left(&g, &l, now), 5);
	cr_expect(gcra_is_fresh(&g, now));
	/* However long it rests, a burst is all that it saves. */
	now += 1000 * SECOND_NS;
	cr_expect_eq(gcra_left(&g, &l, now), 5);
}

static const struct {
	uint64_t num;
	uint64_t interval_ms;
	uint64_t step_ns;
} limits[] = {
	{ 100, 1000, 10000000 }, { 7, 1000, 142857143 }, /* rounded up */
	{ 1, 86400000, 86400 * SECOND_NS }, { UINT64_C(10000000000), 1000, 1 },
	{ UINT64_MAX, 51, 1 }, { 1, UINT64_MAX, UINT64_C(1) << 61 },
	{ 0, 0, 1 }, /* neither makes sense, and nothing is divided by it */
};

Test(gcra, limits_of_all_sizes)
{
	for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
		struct gcra_limit l =
		    gcra_limit(limits[i].num, limits[i].interval_ms);
		struct gcra g = { 0 };

		cr_expect_eq(l.step_ns, limits[i].step_ns, "row %zu", i);
		cr_expect_geq(l.most_ns, l.step_ns, "row %zu", i);
		cr_expect(gcra_take(&g, &l, START_NS), "row %zu", i);
		if (limits[i].num == 1)
			cr_expect_not(
			    gcra_take(&g, &l, START_NS), "row %zu", i);
	}
}

static uint64_t
dice(uint64_t *state)
{
	*state = *state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return *state >> 33;
}

/* Of the times of what passed: more than num and what came back since? */
static void
check_windows(const uint64_t *t, size_t n, const struct gcra_limit *l)
{
	for (size_t i = 0; i < n; i += 7)
		for (size_t k = i; k < n; k++)
			cr_assert_leq(k - i + 1,
			    l->num + (t[k] - t[i]) / l->step_ns,
			    "%zu within %lu ns", k - i + 1,
			    (unsigned long)(t[k] - t[i]));
}

/* Bursts, pauses and steady rain: no window ever has more. */
Test(gcra, any_window_of_any_traffic, .timeout = 60)
{
	static uint64_t t[TIMES_MOST];

	for (uint64_t seed = 1; seed <= 20; seed++) {
		const struct gcra_limit l =
		    gcra_limit(1 + seed * 5, 200 + seed * 100);
		uint64_t now = START_NS, state = seed;
		struct gcra g = { 0 };
		size_t n = 0;

		for (unsigned i = 0; i < TIMES_MOST; i++) {
			now += dice(&state) % 50 == 0
				   ? dice(&state) % (l.most_ns * 2)
				   : dice(&state) % l.step_ns;
			if (n < 2000 && gcra_take(&g, &l, now))
				t[n++] = now;
		}
		cr_expect_gt(n, 100);
		check_windows(t, n, &l);
	}
}

/* All the time too much: then it is as much as it may be. */
Test(gcra, under_load_it_gives_what_is_allowed)
{
	const struct gcra_limit l = gcra_limit(100, 1000);
	struct gcra g = { 0 };
	unsigned passed[10] = { 0 };

	for (uint64_t at = 0; at < 10 * SECOND_NS; at += 37000)
		passed[at / SECOND_NS] += gcra_take(&g, &l, START_NS + at);
	cr_expect_eq(passed[0], 199, "the burst, and what comes back");
	for (size_t i = 1; i < 10; i++)
		cr_expect(passed[i] >= 99 && passed[i] <= 101,
		    "in second %zu: %u", i, passed[i]);
}

#define THREADS 4

struct crowd {
	struct gcra g;
	struct gcra_limit l;
	_Atomic uint64_t now_ns; /* goes on with every question */
	_Atomic uint64_t passed;
};

static void *
crowd_in(void *arg)
{
	struct crowd *c = arg;

	for (unsigned i = 0; i < 50000; i++)
		if (gcra_take(
			&c->g, &c->l, atomic_fetch_add(&c->now_ns, 10000)))
			atomic_fetch_add(&c->passed, 1);
	return NULL;
}

/* As one thread would have had. */
Test(gcra, threads_do_not_get_more)
{
	struct crowd c = { .l = gcra_limit(100, 1000), .now_ns = START_NS };
	pthread_t v[THREADS];

	for (size_t i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&v[i], NULL, crowd_in, &c), 0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(v[i], NULL);
	/* 4 * 50000 * 10 us: two seconds. */
	cr_expect_eq(c.now_ns, START_NS + 2 * SECOND_NS);
	cr_expect(
	    c.passed >= 298 && c.passed <= 300, "%lu", (unsigned long)c.passed);
}
