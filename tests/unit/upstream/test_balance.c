/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upstream/balance.h without hashes: shares, priorities, panic, slow start.
 * Lots have a fixed seed, so each result is the same every time; the bounds
 * are those that chance would exceed once in a thousand times.
 */

#include <criterion/criterion.h>
#include <stdlib.h>

#include "balance_rig.h"

#define TIMES 10000

static const struct {
	const char *what;
	size_t n;
	unsigned weights[6];
} shares[] = {
	{ "one", 1, { 1 } },
	{ "equal ones", 5, { 1, 1, 1, 1, 1 } },
	{ "weights", 4, { 1, 2, 3, 4 } },
	{ "one that is much heavier", 3, { 100, 1, 1 } },
	{ "one without weight", 4, { 2, 0, 1, 1 } },
	{ "nearly too heavy", 3, { UINT32_MAX, UINT32_MAX, UINT32_MAX / 2 } },
	{ "nearly too different", 2, { UINT32_MAX, 1 } },
};

static void
expect_shares(enum balance_policy policy, size_t row, double most)
{
	const struct balance_settings settings = balance_standard(policy);
	unsigned counts[HOSTS];
	double wanted[HOSTS], off;
	struct hosts h;

	hosts_init(&h, shares[row].n, &settings);
	for (size_t i = 0; i < shares[row].n; i++)
		wanted[i] = h.fixed[i].weight = shares[row].weights[i];
	hosts_count(&h, TIMES, counts);
	off = chi_square(counts, wanted, shares[row].n);
	cr_expect_leq(off, most, "%s: %s: %f", balance_name(h.balance),
	    shares[row].what, off);
	hosts_fini(&h);
}

Test(balance, shares_are_those_of_the_weights)
{
	for (size_t i = 0; i < ARRAY_LEN(shares); i++) {
		double most = chi_square_most(shares[i].n);

		/* Turns are exact. */
		expect_shares(BALANCE_ROUND_ROBIN, i, 0.01);
		expect_shares(BALANCE_RANDOM, i, most);
		/* Nobody is busy: then weights alone decide. */
		expect_shares(BALANCE_LEAST_REQUEST, i, most);
		/* Without a hash places are drawn, and these are not exact. */
		expect_shares(BALANCE_MAGLEV, i, most);
	}
}

/* Of two that are drawn the less loaded one, for its weight. */
Test(balance, least_request_goes_where_less_is_to_do)
{
	static const struct {
		const char *what;
		unsigned weights[2];
		unsigned requests[2];
		unsigned wanted; /* of 100, that the first one gets */
	} rows[] = {
		{ "the other is busy", { 1, 1 }, { 0, 1 }, 100 },
		{ "it is busy", { 1, 1 }, { 5, 4 }, 0 },
		{ "half as much for its weight", { 4, 1 }, { 4, 2 }, 100 },
		{ "more for its weight", { 1, 4 }, { 2, 4 }, 0 },
	};
	const struct balance_settings settings =
	    balance_standard(BALANCE_LEAST_REQUEST);
	unsigned counts[HOSTS];
	struct hosts h;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		hosts_init(&h, 2, &settings);
		for (size_t j = 0; j < 2; j++) {
			h.fixed[j].weight = rows[i].weights[j];
			h.live[j].requests = rows[i].requests[j];
		}
		hosts_count(&h, 100, counts);
		cr_expect_eq(counts[0], rows[i].wanted, "%s: %u", rows[i].what,
		    counts[0]);
		hosts_fini(&h);
	}
}

/* Among many the busiest is never chosen, and others are. */
Test(balance, least_request_of_many)
{
	const struct balance_settings settings =
	    balance_standard(BALANCE_LEAST_REQUEST);
	unsigned counts[HOSTS];
	struct hosts h;

	hosts_init(&h, 10, &settings);
	for (size_t i = 0; i < 10; i++)
		h.live[i].requests = (unsigned)i;
	hosts_count(&h, TIMES, counts);
	cr_expect_eq(counts[9], 0);
	/* Of the 45 pairs the first is the least loaded in 9, the ninth in 1.
	 */
	for (size_t i = 0; i < 9; i++)
		cr_expect(
		    is_about(counts[i], (9.0 - (double)i) / 45 * TIMES, 150),
		    "host %zu: %u", i, counts[i]);
	hosts_fini(&h);
}

/* As exchanges come and go, each has about as much to do. */
Test(balance, least_request_levels_load)
{
	struct balance_settings settings =
	    balance_standard(BALANCE_LEAST_REQUEST);
	unsigned least = UINT32_MAX, most = 0;
	struct hosts h;

	settings.counts_requests = false; /* of connections, then */
	hosts_init(&h, 10, &settings);
	for (unsigned i = 0; i < 1000; i++)
		h.live[hosts_pick(&h)].active++;
	for (size_t i = 0; i < 10; i++) {
		unsigned n = h.live[i].active;

		least = n < least ? n : least;
		most = n > most ? n : most;
	}
	cr_expect_geq(least, 97, "%u", least);
	cr_expect_leq(most, 103, "%u", most);
	hosts_fini(&h);
}

/* Hosts of each of up to three priorities, how many of them fail, the load of
 * each in percent. */
static const struct spill {
	const char *what;
	size_t hosts[3];
	size_t failing[3];
	unsigned factor;
	unsigned load[3];
} spills[] = {
	{ "all is well", { 5, 5, 0 }, { 0 }, 140, { 100, 0 } },
	{ "what is left carries it", { 4, 4 }, { 1 }, 140, { 100, 0 } },
	{ "it spills", { 4, 4 }, { 2 }, 140, { 70, 30 } },
	{ "more of it", { 4, 4 }, { 3 }, 140, { 35, 65 } },
	{ "all of it", { 4, 4 }, { 4 }, 140, { 0, 100 } },
	{ "without reserve", { 4, 4 }, { 1 }, 100, { 75, 25 } },
	{ "with much of it", { 4, 4 }, { 3 }, 400, { 100, 0 } },
	{ "to the third", { 2, 2, 2 }, { 2, 1, 0 }, 140, { 0, 70, 30 } },
	{ "two that have half", { 2, 2, 2 }, { 1, 1, 2 }, 100, { 50, 50, 0 } },
	/* Together they can carry 70 %: each as much of it as it has. */
	{ "too little in all", { 4, 4 }, { 3, 3 }, 140, { 50, 50 } },
	{ "nothing but the last", { 1, 1, 1 }, { 1, 1, 0 }, 140,
	    { 0, 0, 100 } },
};

static void
make_spill(struct hosts *h, const struct spill *s,
    const struct balance_settings *settings)
{
	size_t n = s->hosts[0] + s->hosts[1] + s->hosts[2], i = 0;

	hosts_init(h, n, settings);
	for (unsigned p = 0; p < 3; p++)
		for (size_t j = 0; j < s->hosts[p]; j++, i++) {
			h->fixed[i].priority = p * 5; /* gaps are fine */
			hosts_set_failing(h, i, j < s->failing[p]);
		}
}

Test(balance, priorities_spill)
{
	static const enum balance_policy policies[] = { BALANCE_ROUND_ROBIN,
		BALANCE_LEAST_REQUEST, BALANCE_RANDOM, BALANCE_MAGLEV };
	struct balance_settings settings;
	unsigned counts[HOSTS];

	for (size_t i = 0; i < ARRAY_LEN(spills) * ARRAY_LEN(policies); i++) {
		const struct spill *s = &spills[i / ARRAY_LEN(policies)];
		unsigned got[3] = { 0 };
		double wanted[3], off;
		struct hosts h;

		settings = balance_standard(policies[i % ARRAY_LEN(policies)]);
		settings.overprovisioning = s->factor;
		make_spill(&h, s, &settings);
		hosts_count(&h, TIMES, counts);
		for (size_t j = 0; j < h.all.n; j++) {
			got[h.fixed[j].priority / 5] += counts[j];
			cr_expect(!h.live[j].is_failing || counts[j] == 0,
			    "%s: failing %zu", s->what, j);
		}
		for (size_t p = 0; p < 3; p++)
			wanted[p] = s->load[p];
		off = chi_square(got, wanted, 3);
		cr_expect_leq(off, chi_square_most(3), "%s: %f, %u %u %u",
		    s->what, off, got[0], got[1], got[2]);
		hosts_fini(&h);
	}
}

Test(balance, the_survey_says_the_same)
{
	struct balance_settings settings = balance_standard(BALANCE_RANDOM);

	for (size_t i = 0; i < ARRAY_LEN(spills); i++) {
		const struct spill *s = &spills[i];
		struct hosts h;

		settings.overprovisioning = s->factor;
		make_spill(&h, s, &settings);
		(void)balance_survey(h.balance, h.now_ms);
		for (size_t j = 0; j < h.all.n; j++)
			cr_expect_eq(balance_load_of(h.balance, &h.live[j]),
			    s->load[h.fixed[j].priority / 5], "%s: %zu",
			    s->what, j);
		hosts_fini(&h);
	}
}

/* Weights decide how much of a priority is healthy, not numbers. */
Test(balance, a_heavy_one_that_fails_spills_more)
{
	const struct balance_settings settings =
	    balance_standard(BALANCE_ROUND_ROBIN);
	struct hosts h;

	hosts_init(&h, 3, &settings);
	h.fixed[0].weight = 9;
	h.fixed[2].priority = 1;
	hosts_set_failing(&h, 0, true);
	(void)balance_survey(h.balance, h.now_ms);
	cr_expect_eq(balance_load_of(h.balance, &h.live[1]), 14);
	cr_expect_eq(balance_load_of(h.balance, &h.live[2]), 86);
	hosts_fini(&h);
}

/* A caller who may not use what is healthy is served by the next priority. */
Test(balance, priorities_are_those_that_the_caller_has)
{
	const struct balance_settings settings =
	    balance_standard(BALANCE_ROUND_ROBIN);
	unsigned counts[HOSTS];
	struct hosts h;

	hosts_init(&h, 4, &settings);
	h.live[0].ruleset = h.live[1].ruleset = 0;
	h.live[2].ruleset = h.live[3].ruleset = 1;
	h.fixed[1].priority = h.fixed[3].priority = 1;
	hosts_set_failing(&h, 2, true);
	h.want.rulesets = 2;
	hosts_count(&h, 100, counts);
	cr_expect_eq(counts[3], 100);
	h.want.rulesets = 1;
	hosts_count(&h, 100, counts);
	cr_expect_eq(counts[0], 100);
	hosts_fini(&h);
}

Test(balance, panic)
{
	static const struct {
		const char *what;
		size_t failing; /* of four */
		unsigned panic;
		unsigned counts[5]; /* of 400; the last is of priority 1 */
		bool has_backup;
	} rows[] = {
		{ "never", 3, 0, { 0, 0, 0, 400, 0 }, false },
		{ "above", 1, 50, { 0, 134, 133, 133, 0 }, false },
		{ "at it", 2, 50, { 0, 0, 200, 200, 0 }, false },
		{ "below", 3, 50, { 100, 100, 100, 100, 0 }, false },
		{ "others can carry it", 4, 50, { 0, 0, 0, 0, 400 }, true },
		{ "none is healthy", 4, 0, { 100, 100, 100, 100, 0 }, false },
	};
	struct balance_settings settings =
	    balance_standard(BALANCE_ROUND_ROBIN);
	unsigned counts[HOSTS];
	struct hosts h;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		settings.panic = rows[i].panic;
		hosts_init(&h, rows[i].has_backup ? 5 : 4, &settings);
		h.fixed[4].priority = 1;
		for (size_t j = 0; j < rows[i].failing; j++)
			hosts_set_failing(&h, j, true);
		hosts_count(&h, 400, counts);
		for (size_t j = 0; j < 5; j++)
			cr_expect_leq((counts[j] > rows[i].counts[j]
					      ? counts[j] - rows[i].counts[j]
					      : rows[i].counts[j] - counts[j]),
			    1, "%s: host %zu: %u", rows[i].what, j, counts[j]);
		hosts_fini(&h);
	}
}

/* Shares of the last of three hosts while it warms up, of 300. */
static unsigned
share_of_last(struct hosts *h)
{
	unsigned counts[HOSTS];

	hosts_count(h, 300, counts);
	return counts[2];
}

Test(balance, slow_start_of_a_new_one)
{
	/* weight w against 1 and 1: w / (2 + w) of 300 */
	static const struct {
		unsigned after_ms;
		unsigned share;
	} rows[] = { { 0, 14 }, { 500, 14 }, { 1000, 14 }, { 2500, 33 },
		{ 5000, 60 }, { 9999, 100 }, { 10000, 100 }, { 60000, 100 } };
	struct balance_settings settings =
	    balance_standard(BALANCE_ROUND_ROBIN);
	struct hosts h;

	settings.slow_start_ms = 10000;
	hosts_init(&h, 3, &settings);
	h.live[2].is_known_good = false;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		h.now_ms = BALANCE_NOW + rows[i].after_ms;
		cr_expect_leq(abs((int)share_of_last(&h) - (int)rows[i].share),
		    1, "after %u ms", rows[i].after_ms);
	}
	hosts_fini(&h);
}

Test(balance, slow_start_of_one_that_returns)
{
	struct balance_settings settings = balance_standard(BALANCE_RANDOM);
	struct hosts h;

	settings.slow_start_ms = 10000;
	settings.slow_start_least = 20;
	hosts_init(&h, 3, &settings);
	cr_expect(is_about(share_of_last(&h), 100, 25));
	hosts_set_failing(&h, 2, true);
	cr_expect_eq(share_of_last(&h), 0);
	/* It counts as healthy again, and begins at a fifth. */
	h.now_ms += ENDPOINT_FAILED_MS;
	cr_expect(is_about(share_of_last(&h), 27, 15));
	(void)balance_survey(h.balance, h.now_ms + 5000);
	cr_expect_eq(
	    balance_warmth_of(h.balance, &h.live[2], h.now_ms + 5000), 50);
	cr_expect_eq(
	    balance_warmth_of(h.balance, &h.live[0], h.now_ms + 5000), 100);
	h.now_ms += 10000;
	cr_expect(is_about(share_of_last(&h), 100, 25));
	hosts_fini(&h);
}

Test(balance, without_slow_start_all_is_there_at_once)
{
	const struct balance_settings settings =
	    balance_standard(BALANCE_ROUND_ROBIN);
	struct hosts h;

	hosts_init(&h, 3, &settings);
	h.live[2].is_known_good = false;
	cr_expect_eq(share_of_last(&h), 100);
	hosts_fini(&h);
}

Test(balance, settings_are_those_of_the_options)
{
	struct service_options o = *service_options_standard();
	struct balance_settings s = balance_settings_of(&o, true);

	cr_expect_eq(s.policy, BALANCE_ROUND_ROBIN);
	cr_expect_eq(s.choices, 2);
	cr_expect_eq(s.overprovisioning, 140);
	cr_expect_eq(s.panic, 0);
	cr_expect_eq(s.slow_start_ms, 0);
	cr_expect(s.counts_requests);
	o.balance_policy = BALANCE_MAGLEV;
	o.balance_choices = 3;
	o.balance_table_size = 1024;
	o.balance_overprovisioning = 200;
	o.balance_panic = 50;
	o.balance_slow_start_ms = 7;
	o.balance_slow_start_least = 8;
	s = balance_settings_of(&o, false);
	cr_expect_eq(s.policy, BALANCE_MAGLEV);
	cr_expect_eq(s.choices, 3);
	cr_expect_eq(s.table_size, 1024);
	cr_expect_eq(s.overprovisioning, 200);
	cr_expect_eq(s.panic, 50);
	cr_expect_eq(s.slow_start_ms, 7);
	cr_expect_eq(s.slow_start_least, 8);
	cr_expect_not(s.counts_requests);
}
