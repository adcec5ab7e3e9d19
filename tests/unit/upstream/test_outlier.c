/* SPDX-License-Identifier: Apache-2.0 */
/* The arithmetic of the outlier detection, by tables. */

#include <criterion/criterion.h>
#include <string.h>

#include "upstream/outlier.h"

#define MOST 8

static enum outlier_result
result_of(char c)
{
	switch (c) {
	case 'g':
		return OUTLIER_GOOD;
	case 'r':
		return OUTLIER_REACHED;
	case 'e':
		return OUTLIER_ERROR;
	case 'w':
		return OUTLIER_GATEWAY;
	default:
		return OUTLIER_LOCAL;
	}
}

static char
letter_of(enum outlier_cause c)
{
	static const char letters[] = {
		[OUTLIER_NONE] = '.',
		[OUTLIER_CONSECUTIVE_5XX] = '5',
		[OUTLIER_CONSECUTIVE_GATEWAY] = 'w',
		[OUTLIER_CONSECUTIVE_LOCAL] = 'l',
		[OUTLIER_SUCCESS_RATE] = 's',
		[OUTLIER_FAILURE_PERCENT] = 'p',
	};

	return letters[c];
}

/* g good, r reached, e a 500, w a 503, l no answer: a cause each, or none. */
Test(outlier, in_a_row)
{
	static const struct {
		const char *what;
		struct outlier_settings set;
		const char *results;
		const char *causes;
	} rows[] = {
		{ "nothing is on", { .splits_local = false }, "eewwll",
		    "......" },
		{ "three of any kind", { .consecutive_5xx = 3 }, "ewlewl",
		    "..5..5" },
		{ "a good one begins anew", { .consecutive_5xx = 3 }, "eegeee",
		    ".....5" },
		{ "a connection is no answer", { .consecutive_5xx = 3 }, "eree",
		    "...5" },
		{ "a 500 is no gateway error", { .consecutive_gateway = 2 },
		    "wewew", "....." },
		{ "gateway errors", { .consecutive_gateway = 2 }, "wwwgww",
		    ".w...w" },
		{ "without an answer, like a 503", { .consecutive_gateway = 2 },
		    "wl", ".w" },
		{ "the more special cause is told",
		    { .consecutive_5xx = 2, .consecutive_gateway = 2 }, "ww",
		    ".w" },
		{ "local ones", { .consecutive_local = 2 }, "lwlrlgll",
		    ".......l" },
		{ "apart from others",
		    { .consecutive_5xx = 2,
			.consecutive_local = 3,
			.splits_local = true },
		    "llel", "...." },
		{ "and counted by themselves",
		    { .consecutive_5xx = 2,
			.consecutive_local = 3,
			.splits_local = true },
		    "lllee", "..l.5" },
		{ "one is enough", { .consecutive_5xx = 1 }, "gege", ".5.5" },
	};
	struct outlier_host h;
	size_t i, j;
	char got[16];

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		memset(&h, 0, sizeof(h));
		memset(got, 0, sizeof(got));
		for (j = 0; j < strlen(rows[i].results); j++)
			got[j] = letter_of(outlier_note(
			    &rows[i].set, &h, result_of(rows[i].results[j])));
		cr_expect_str_eq(
		    got, rows[i].causes, "%s: %s", rows[i].what, got);
	}
}

/* Endpoints as "good/bad", one '.', 's' or 'p' each. */
Test(outlier, rates_of_an_interval)
{
	static const struct {
		const char *what;
		struct outlier_settings set;
		unsigned v[MOST][2];
		const char *causes;
	} rows[] = {
		{ "off", { .interval_ms = 10 }, { { 0, 100 }, { 100, 0 } },
		    ".." },
		{ "half and more failed",
		    { .failure_percent = 50,
			.failure_percent_hosts = 2,
			.failure_percent_volume = 10 },
		    { { 51, 49 }, { 50, 50 }, { 0, 10 } }, ".pp" },
		{ "too few requests",
		    { .failure_percent = 50,
			.failure_percent_hosts = 1,
			.failure_percent_volume = 10 },
		    { { 0, 9 }, { 10, 0 } }, ".." },
		{ "too few endpoints with enough requests",
		    { .failure_percent = 50,
			.failure_percent_hosts = 2,
			.failure_percent_volume = 10 },
		    { { 0, 10 }, { 9, 0 } }, ".." },
		{ "no request at all, and none is asked for",
		    { .failure_percent = 1 }, { { 0, 0 }, { 0, 1 } }, ".p" },
		/* Mean 80, deviation 40: 80 - 1.9 * 40 = 4. */
		{ "far below the others",
		    { .success_rate_factor = 1900,
			.success_rate_hosts = 5,
			.success_rate_volume = 100 },
		    { { 100, 0 }, { 100, 0 }, { 100, 0 }, { 100, 0 },
			{ 0, 100 } },
		    "....s" },
		{ "not far enough",
		    { .success_rate_factor = 2000,
			.success_rate_hosts = 5,
			.success_rate_volume = 100 },
		    { { 100, 0 }, { 100, 0 }, { 100, 0 }, { 100, 0 },
			{ 0, 100 } },
		    "....." },
		{ "all alike",
		    { .success_rate_factor = 1,
			.success_rate_hosts = 3,
			.success_rate_volume = 10 },
		    { { 1, 9 }, { 10, 90 }, { 100, 900 } }, "..." },
		{ "those with few requests are no measure",
		    { .success_rate_factor = 1000,
			.success_rate_hosts = 3,
			.success_rate_volume = 10 },
		    { { 0, 9 }, { 10, 0 }, { 10, 0 }, { 5, 5 } }, "...s" },
		{ "too few endpoints for a mean",
		    { .success_rate_factor = 1000,
			.success_rate_hosts = 5,
			.success_rate_volume = 10 },
		    { { 0, 10 }, { 10, 0 }, { 10, 0 }, { 5, 5 } }, "...." },
	};
	struct outlier_host v[MOST], *hosts[MOST];
	enum outlier_cause causes[MOST];
	char got[MOST + 1];
	size_t i, j, n;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		memset(v, 0, sizeof(v));
		memset(got, 0, sizeof(got));
		n = strlen(rows[i].causes);
		for (j = 0; j < n; j++) {
			v[j].good = rows[i].v[j][0];
			v[j].bad = rows[i].v[j][1];
			hosts[j] = &v[j];
		}
		outlier_interval(&rows[i].set, hosts, n, 0, 10, causes);
		for (j = 0; j < n; j++) {
			got[j] = letter_of(causes[j]);
			cr_expect_eq(v[j].good + v[j].bad, 0, "begun anew");
		}
		cr_expect_str_eq(
		    got, rows[i].causes, "%s: %s", rows[i].what, got);
	}
}

/* What is out already is no measure, and not judged. */
Test(outlier, who_is_out_is_not_judged)
{
	const struct outlier_settings set = { .failure_percent = 50,
		.failure_percent_hosts = 2,
		.interval_ms = 10 };
	struct outlier_host v[2] = { { .bad = 9, .until_ms = 100 },
		{ .bad = 9 } };
	struct outlier_host *hosts[2] = { &v[0], &v[1] };
	enum outlier_cause causes[2];

	outlier_interval(&set, hosts, 2, 0, 99, causes);
	cr_expect_eq(causes[0], OUTLIER_NONE);
	cr_expect_eq(causes[1], OUTLIER_NONE, "only one is left to count");
}

Test(outlier, longer_each_time_up_to_the_most)
{
	static const struct {
		unsigned base, most, times;
		uint64_t ms;
	} rows[] = {
		{ 30000, 300000, 1, 30000 },
		{ 30000, 300000, 2, 60000 },
		{ 30000, 300000, 10, 300000 },
		{ 30000, 300000, 11, 300000 },
		{ 4294967295, 300000, 2, 4294967295 },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		const struct outlier_settings set = { .base_ms = rows[i].base,
			.most_ms = rows[i].most };

		cr_expect_eq(outlier_time_ms(&set, rows[i].times), rows[i].ms);
	}
}

Test(outlier, it_is_forgotten_interval_by_interval)
{
	const struct outlier_settings set = {
		.base_ms = 100, .most_ms = 300, .interval_ms = 10
	};
	struct outlier_host h = { .times = 0 }, *hosts[1] = { &h };
	enum outlier_cause cause;
	int i;

	outlier_eject(&set, &h, 1000);
	cr_expect_eq(h.until_ms, 1100);
	cr_expect(outlier_is_out(&h, 1099));
	cr_expect_not(outlier_is_out(&h, 1100));
	outlier_eject(&set, &h, 1100);
	cr_expect_eq(h.until_ms, 1300);
	for (i = 0; i < 5; i++)
		outlier_eject(&set, &h, 2000);
	cr_expect_eq(h.until_ms, 2300, "no longer than the most");
	/* 2300 to 2315: one whole interval without it. */
	outlier_interval(&set, hosts, 1, 1000, 2315, &cause);
	outlier_eject(&set, &h, 2315);
	cr_expect_eq(h.until_ms, 2615, "2 times left, and this one");
	outlier_interval(&set, hosts, 1, 2315, 2620, &cause);
	cr_expect_eq(h.times, 3, "while it is out nothing is forgotten");
	outlier_interval(&set, hosts, 1, 2620, 3000, &cause);
	cr_expect_eq(h.times, 0);
}

Test(outlier, so_many_at_a_time)
{
	static const struct {
		unsigned n, out, percent;
		bool may;
	} rows[] = {
		{ 1, 0, 10, true }, /* one always */
		{ 3, 0, 1, true },
		{ 3, 0, 0, false }, /* but not if none shall be */
		{ 3, 1, 10, false },
		{ 3, 1, 66, false },
		{ 3, 1, 67, true },
		{ 4, 1, 50, true },
		{ 4, 2, 50, false },
		{ 8, 7, 100, true },
	};
	struct outlier_host v[MOST], *hosts[MOST];
	size_t i, j;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		const struct outlier_settings set = { .most_percent =
							  rows[i].percent };

		memset(v, 0, sizeof(v));
		for (j = 0; j < rows[i].n; j++) {
			v[j].until_ms = j < rows[i].out ? 6 : 5;
			hosts[j] = &v[j];
		}
		cr_expect_eq(outlier_may_eject(&set, hosts, rows[i].n, 5),
		    rows[i].may, "%u of %u, %u %%", rows[i].out, rows[i].n,
		    rows[i].percent);
	}
}
