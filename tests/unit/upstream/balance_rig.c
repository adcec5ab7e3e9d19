/* SPDX-License-Identifier: Apache-2.0 */
#include "balance_rig.h"

#include <criterion/criterion.h>
#include <stdio.h>

#define SEED 20261123

struct balance_settings
balance_standard(enum balance_policy policy)
{
	struct balance_settings s =
	    balance_settings_of(service_options_standard(), true);

	s.policy = policy;
	return s;
}

void
hosts_renew(struct hosts *h, const struct balance_settings *settings)
{
	balance_free(h->balance);
	h->balance = balance_new(settings, &h->all, SEED);
}

void
hosts_init(struct hosts *h, size_t n, const struct balance_settings *settings)
{
	*h = (struct hosts){
		.all = { .v = h->list, .n = n },
		.want = { .rulesets = UINT64_MAX },
		.now_ms = BALANCE_NOW,
	};
	cr_assert_leq(n, HOSTS);
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(
		    h->names[i], sizeof(h->names[i]), "10.0.0.%zu", i + 1);
		h->fixed[i] = (struct endpoint){
			.key = str_of(h->names[i]),
			.host = str_of(h->names[i]),
			.port = 443,
			.weight = 1,
		};
		h->live[i].endpoint = &h->fixed[i];
		h->live[i].is_known_good = true;
		h->list[i] = &h->live[i];
	}
	hosts_renew(h, settings);
}

void
hosts_fini(struct hosts *h)
{
	balance_free(h->balance);
}

void
hosts_set_failing(struct hosts *h, size_t i, bool is_failing)
{
	h->live[i].is_failing = is_failing;
	h->live[i].failed_ms = h->now_ms;
}

static size_t
pick(struct hosts *h)
{
	struct live_endpoint *e =
	    pick_endpoint(h->balance, &h->want, NULL, h->now_ms);

	return e == NULL ? HOSTS : (size_t)(e - h->live);
}

size_t
hosts_pick(struct hosts *h)
{
	h->want.has_hash = false;
	return pick(h);
}

size_t
hosts_pick_by(struct hosts *h, uint64_t hash)
{
	h->want.has_hash = true;
	h->want.hash = hash;
	return pick(h);
}

void
hosts_count(struct hosts *h, unsigned times, unsigned counts[HOSTS])
{
	memset(counts, 0, HOSTS * sizeof(counts[0]));
	while (times-- > 0)
		counts[hosts_pick(h)]++;
}

bool
is_about(double got, double want, double most_off)
{
	return got - want <= most_off && want - got <= most_off;
}

double
chi_square(const unsigned *counts, const double *shares, size_t n)
{
	double sum = 0, all = 0, expected, off, result = 0;

	for (size_t i = 0; i < n; i++) {
		sum += counts[i];
		all += shares[i];
	}
	for (size_t i = 0; i < n; i++) {
		expected = sum * shares[i] / all;
		off = counts[i] - expected;
		if (expected > 0)
			result += off * off / expected;
		else
			cr_expect_eq(counts[i], 0, "kind %zu", i);
	}
	return result;
}

double
chi_square_most(size_t n)
{
	static const double most[] = { 0, 0, 10.83, 13.82, 16.27, 18.47, 20.52,
		22.46, 24.32, 26.12, 27.88 };

	cr_assert_lt(n, ARRAY_LEN(most));
	return most[n];
}
