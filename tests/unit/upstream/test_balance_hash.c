/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ring and Maglev: even shares, and how many keys move when endpoints fail,
 * go and come.  Ideal is a tenth when one of ten goes: those that it had.
 */

#include <criterion/criterion.h>
#include <stdio.h>

#include "balance_rig.h"
#include "upstream/balance_table.h"

#define KEYS 20000

static const enum balance_policy by_hash[] = { BALANCE_RING_HASH,
	BALANCE_MAGLEV };

/* Keys are any numbers: neighbours lead anywhere. */
static void
find_all(struct hosts *h, size_t *to)
{
	for (uint64_t i = 0; i < KEYS; i++)
		to[i] = hosts_pick_by(h, i * i + 7);
}

static void
count(const size_t *v, unsigned counts[HOSTS])
{
	memset(counts, 0, HOSTS * sizeof(counts[0]));
	for (size_t i = 0; i < KEYS; i++)
		counts[v[i]]++;
}

/* How many were at one that stayed, and are elsewhere now. */
static unsigned
moved_needlessly(const size_t *before, const size_t *after, size_t gone)
{
	unsigned n = 0;

	for (size_t i = 0; i < KEYS; i++)
		n += before[i] != gone && before[i] != after[i];
	return n;
}

Test(balance_hash, a_key_has_one_place)
{
	for (size_t p = 0; p < ARRAY_LEN(by_hash); p++) {
		const struct balance_settings s = balance_standard(by_hash[p]);
		static size_t a[KEYS], b[KEYS];
		struct hosts h;

		hosts_init(&h, 10, &s);
		find_all(&h, a);
		for (int i = 0; i < 5; i++)
			(void)hosts_pick(&h); /* others have none */
		find_all(&h, b);
		cr_expect_arr_eq(a, b, sizeof(a));
		/* And so it has after a restart, or in another worker. */
		hosts_renew(&h, &s);
		find_all(&h, b);
		cr_expect_arr_eq(a, b, sizeof(a));
		hosts_fini(&h);
	}
}

Test(balance_hash, shares_are_even)
{
	/* The ring's points fall where they fall; Maglev's places are dealt. */
	static const double off[] = { 0.12, 0.05 };
	static const unsigned weights[] = { 1, 1, 1, 1, 2, 2, 3, 3, 4, 10 };

	for (size_t p = 0; p < ARRAY_LEN(by_hash); p++) {
		const struct balance_settings s = balance_standard(by_hash[p]);
		static size_t v[KEYS];
		unsigned counts[HOSTS];
		struct hosts h;

		for (int weighted = 0; weighted < 2; weighted++) {
			double sum = weighted ? 28 : 10;

			hosts_init(&h, 10, &s);
			for (size_t i = 0; weighted && i < 10; i++)
				h.fixed[i].weight = weights[i];
			find_all(&h, v);
			count(v, counts);
			for (size_t i = 0; i < 10; i++) {
				double want = h.fixed[i].weight / sum * KEYS;

				cr_expect(is_about(counts[i], want,
					      want * off[p] + 60),
				    "%s: host %zu: %u", balance_name(h.balance),
				    i, counts[i]);
			}
			hosts_fini(&h);
		}
	}
}

/* One of ten goes out of the list: the table is made anew. */
Test(balance_hash, few_keys_move_when_one_goes)
{
	/* Ring: none that need not; Maglev: of 20,000 keys at most 600. */
	static const unsigned most[] = { 0, 600 };

	for (size_t p = 0; p < ARRAY_LEN(by_hash); p++) {
		struct balance_settings s = balance_standard(by_hash[p]);
		static size_t before[KEYS], after[KEYS];
		struct hosts h;

		for (size_t gone = 0; gone < 10; gone++) {
			unsigned moved;

			hosts_init(&h, 10, &s);
			find_all(&h, before);
			h.list[gone] = h.list[9];
			h.all.n = 9;
			hosts_renew(&h, &s);
			find_all(&h, after);
			moved = moved_needlessly(before, after, gone);
			cr_expect_leq(moved, most[p], "%s: host %zu: %u",
			    balance_name(h.balance), gone, moved);
			hosts_fini(&h);
		}
	}
}

/* The same with a longer list: what is new takes its share, and no more. */
Test(balance_hash, few_keys_move_when_one_comes)
{
	static const unsigned most[] = { 0, 600 };

	for (size_t p = 0; p < ARRAY_LEN(by_hash); p++) {
		const struct balance_settings s = balance_standard(by_hash[p]);
		static size_t before[KEYS], after[KEYS];
		unsigned counts[HOSTS], moved;
		struct hosts h;

		hosts_init(&h, 10, &s);
		h.all.n = 9;
		find_all(&h, before);
		h.all.n = 10;
		hosts_renew(&h, &s);
		find_all(&h, after);
		moved = moved_needlessly(after, before, 9);
		cr_expect_leq(moved, most[p], "%u", moved);
		count(after, counts);
		cr_expect(is_about(counts[9], KEYS / 10, KEYS / 10 * 0.15));
		hosts_fini(&h);
	}
}

/* One that fails loses its keys to all others, and has them back later. */
Test(balance_hash, only_the_keys_of_one_that_fails_move)
{
	for (size_t p = 0; p < ARRAY_LEN(by_hash); p++) {
		struct balance_settings s = balance_standard(by_hash[p]);
		static size_t before[KEYS], after[KEYS];
		unsigned had[HOSTS], counts[HOSTS];
		struct hosts h;

		s.overprovisioning = 1000;
		hosts_init(&h, 10, &s);
		find_all(&h, before);
		count(before, had);
		hosts_set_failing(&h, 3, true);
		find_all(&h, after);
		count(after, counts);
		cr_expect_eq(moved_needlessly(before, after, 3), 0);
		cr_expect_eq(counts[3], 0);
		for (size_t i = 0; i < 10; i++)
			if (i != 3)
				cr_expect(is_about(counts[i] - had[i],
					      had[3] / 9, had[3] / 9 * 0.6),
				    "%s: host %zu: %u of %u",
				    balance_name(h.balance), i,
				    counts[i] - had[i], had[3]);
		hosts_set_failing(&h, 3, false);
		find_all(&h, after);
		cr_expect_arr_eq(before, after, sizeof(before));
		hosts_fini(&h);
	}
}

/* A caller who may use some: his keys are where others have them, if he may. */
Test(balance_hash, permission_moves_only_what_it_must)
{
	for (size_t p = 0; p < ARRAY_LEN(by_hash); p++) {
		const struct balance_settings s = balance_standard(by_hash[p]);
		static size_t all[KEYS], some[KEYS];
		struct hosts h;

		hosts_init(&h, 10, &s);
		for (size_t i = 0; i < 10; i++)
			h.live[i].ruleset = (unsigned)(i % 2);
		find_all(&h, all);
		h.want.rulesets = 1;
		find_all(&h, some);
		for (size_t i = 0; i < KEYS; i++) {
			cr_assert_eq(some[i] % 2, 0);
			if (all[i] % 2 == 0)
				cr_assert_eq(some[i], all[i]);
		}
		hosts_fini(&h);
	}
}

/* What is said of an endpoint beside its address plays no part. */
Test(balance_hash, neither_order_nor_names_play_a_part)
{
	for (size_t p = 0; p < ARRAY_LEN(by_hash); p++) {
		const struct balance_settings s = balance_standard(by_hash[p]);
		static size_t a[KEYS], b[KEYS];
		struct hosts h;

		hosts_init(&h, 10, &s);
		find_all(&h, a);
		for (size_t i = 0; i < 10; i++) {
			h.list[i] = &h.live[9 - i];
			h.fixed[i].key = STR("other");
		}
		hosts_renew(&h, &s);
		find_all(&h, b);
		cr_expect_arr_eq(a, b, sizeof(a));
		hosts_fini(&h);
	}
}

Test(balance_hash, twice_the_same_address_is_twice_its_share)
{
	for (size_t p = 0; p < ARRAY_LEN(by_hash); p++) {
		const struct balance_settings s = balance_standard(by_hash[p]);
		static size_t v[KEYS];
		unsigned counts[HOSTS];
		struct hosts h;

		hosts_init(&h, 4, &s);
		h.fixed[1].host = h.fixed[0].host;
		find_all(&h, v);
		count(v, counts);
		for (size_t i = 0; i < 4; i++)
			cr_expect(
			    is_about(counts[i], KEYS / 4, KEYS / 4 * 0.12),
			    "host %zu: %u", i, counts[i]);
		hosts_fini(&h);
	}
}

/* Keys keep to the priorities that they were given, while health does. */
Test(balance_hash, keys_spill_for_good)
{
	for (size_t p = 0; p < ARRAY_LEN(by_hash); p++) {
		const struct balance_settings s = balance_standard(by_hash[p]);
		static size_t before[KEYS], a[KEYS], b[KEYS];
		unsigned counts[HOSTS], spilled = 0;
		struct hosts h;

		hosts_init(&h, 8, &s);
		for (size_t i = 4; i < 8; i++)
			h.fixed[i].priority = 1;
		find_all(&h, before);
		hosts_set_failing(&h, 0, true);
		hosts_set_failing(&h, 1, true);
		find_all(&h, a);
		find_all(&h, b);
		cr_expect_arr_eq(a, b, sizeof(a));
		count(a, counts);
		for (size_t i = 4; i < 8; i++)
			spilled += counts[i];
		cr_expect(is_about(spilled, KEYS * 0.3, KEYS * 0.02));
		hosts_set_failing(&h, 0, false);
		hosts_set_failing(&h, 1, false);
		find_all(&h, b);
		cr_expect_arr_eq(before, b, sizeof(before));
		hosts_fini(&h);
	}
}

/* Who has no place in the table is found all the same, when he is needed. */
Test(balance_hash, those_without_weight_are_the_last_resort)
{
	for (size_t p = 0; p < ARRAY_LEN(by_hash); p++) {
		const struct balance_settings s = balance_standard(by_hash[p]);
		static size_t v[KEYS];
		unsigned counts[HOSTS];
		struct hosts h;

		hosts_init(&h, 3, &s);
		h.fixed[1].weight = h.fixed[2].weight = 0;
		find_all(&h, v);
		count(v, counts);
		cr_expect_eq(counts[0], KEYS);
		hosts_set_failing(&h, 0, true);
		find_all(&h, v);
		count(v, counts);
		cr_expect_eq(counts[0], 0);
		cr_expect(is_about(counts[1], KEYS / 2, KEYS * 0.02));
		/* All of them. */
		h.fixed[0].weight = 0;
		hosts_renew(&h, &s);
		find_all(&h, v);
		count(v, counts);
		cr_expect(is_about(counts[1], KEYS / 2, KEYS * 0.02));
		hosts_fini(&h);
	}
}

/*
 * Of more endpoints than tables can have each key has one too, by weight, and
 * only the keys of one that fails move.
 */
Test(balance_hash, without_a_table)
{
	enum { MANY = BALANCE_HOSTS_MAX + 1, FEW_KEYS = 200 };
	static struct endpoint fixed[MANY];
	static struct live_endpoint live[MANY];
	static struct live_endpoint *list[MANY];
	static char names[MANY][24];
	const struct live_endpoints all = { .v = list, .n = MANY };
	const struct reach_want want = {
		.rulesets = UINT64_MAX,
		.has_hash = true,
	};

	for (size_t i = 0; i < MANY; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "h%zu", i);
		fixed[i] = (struct endpoint){
			.host = str_of(names[i]),
			.port = 443,
			.weight = i < 2 ? (unsigned)i * 2000000 + 1000000 : 1,
		};
		live[i] = (struct live_endpoint){ .endpoint = &fixed[i] };
		list[i] = &live[i];
	}
	for (size_t p = 0; p < ARRAY_LEN(by_hash); p++) {
		const struct balance_settings s = balance_standard(by_hash[p]);
		struct balance *b = balance_new(&s, &all, 1);
		struct live_endpoint *before[FEW_KEYS], *e;
		unsigned counts[2] = { 0 };

		for (int fails = 0; fails < 2; fails++) {
			live[0].is_failing = fails;
			live[0].failed_ms = BALANCE_NOW;
			for (uint64_t i = 0; i < FEW_KEYS; i++) {
				struct reach_want w = want;

				w.hash = i * i + 7;
				e = pick_endpoint(b, &w, NULL, BALANCE_NOW);
				cr_assert_not_null(e);
				if (!fails) {
					counts[0] += e == &live[0];
					counts[1] += e == &live[1];
				} else if (before[i] != &live[0]) {
					cr_expect_eq(e, before[i]);
				}
				before[i] = e;
			}
		}
		/* 1, 3 and 0.065 million. */
		cr_expect(
		    is_about(counts[0], FEW_KEYS * 0.246, 20), "%u", counts[0]);
		cr_expect(
		    is_about(counts[1], FEW_KEYS * 0.738, 20), "%u", counts[1]);
		cr_expect_neq(live[0].hash_id, live[1].hash_id);
		live[0].is_failing = false;
		balance_free(b);
	}
}

/*
 * One that is much heavier than thousands of others costs no more to make, and
 * all of those that got no place are found when it fails.
 */
Test(balance_hash, tables_of_many)
{
	enum { MANY = 5000, PLACES = 65537 };
	static struct balance_host v[MANY];
	static unsigned counts[MANY];
	struct balance_table *t;
	unsigned most = 0;

	for (size_t i = 0; i < MANY; i++)
		v[i] = (struct balance_host){
			.id = balance_mix(i + 1),
			.weight = i == 0 ? MANY * 4 : 1,
		};
	t = balance_maglev_new(v, MANY, PLACES);
	cr_assert_not_null(t);
	cr_expect_eq(t->n, PLACES);
	for (size_t i = 0; i < t->n; i++)
		counts[t->hosts[i]]++;
	for (size_t i = 1; i < MANY; i++) {
		cr_expect_geq(counts[i], 2);
		most = counts[i] > most ? counts[i] : most;
	}
	cr_expect_leq(most, 3);
	cr_expect(
	    is_about(counts[0], PLACES * 0.8, PLACES * 0.01), "%u", counts[0]);
	balance_table_free(t);
	t = balance_ring_new(v, MANY, 0, PLACES);
	cr_assert_not_null(t);
	cr_expect_leq(t->n, PLACES + MANY);
	for (size_t i = 1; i < t->n; i++)
		cr_assert_leq(t->positions[i - 1], t->positions[i]);
	balance_table_free(t);
}

/* Each place is taken, and each host has what its weight says. */
Test(balance_hash, tables)
{
	static const struct {
		size_t n;
		size_t size;
		unsigned weights[5];
		size_t places; /* of Maglev: the next prime */
	} rows[] = {
		{ 1, 128, { 5 }, 131 },
		{ 2, 8192, { 1, 1 }, 8209 },
		{ 5, 8192, { 1, 2, 3, 4, 5 }, 8209 },
		{ 3, 65536, { 1, 0, 1000000000 }, 65537 },
		{ 5, 5, { 1, 1, 1, 1, 1 }, 23 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct balance_host v[5];
		struct balance_table *t;
		unsigned counts[5] = { 0 };
		double sum = 0;

		for (size_t j = 0; j < rows[i].n; j++) {
			v[j] = (struct balance_host){
				.id = balance_mix(j + 1),
				.weight = rows[i].weights[j],
			};
			sum += (double)rows[i].weights[j];
		}
		t = balance_maglev_new(v, rows[i].n, rows[i].size);
		cr_assert_not_null(t);
		cr_expect_eq(t->n, rows[i].places);
		for (size_t j = 0; j < t->n; j++) {
			cr_assert_lt(t->hosts[j], rows[i].n);
			counts[t->hosts[j]]++;
		}
		for (size_t j = 0; j < rows[i].n; j++)
			cr_expect(
			    is_about(counts[j],
				(double)rows[i].weights[j] / sum * (double)t->n,
				1.5),
			    "row %zu, host %zu: %u", i, j, counts[j]);
		balance_table_free(t);
		t = balance_ring_new(v, rows[i].n, 0, rows[i].size);
		cr_assert_not_null(t);
		cr_expect_leq(t->n, rows[i].size + rows[i].n);
		for (size_t j = 1; j < t->n; j++)
			cr_assert_leq(t->positions[j - 1], t->positions[j]);
		cr_expect_eq(balance_ring_start(t, 0), 0);
		cr_expect_eq(balance_ring_start(t, UINT64_MAX) % t->n,
		    t->positions[t->n - 1] == UINT32_MAX ? t->n - 1 : 0);
		cr_expect_eq(
		    balance_ring_start(
			t, (uint64_t)t->positions[t->n / 2] << 32) <= t->n / 2,
		    true);
		balance_table_free(t);
	}
	cr_expect_null(balance_ring_new(NULL, 0, 0, 128));
	cr_expect_null(balance_maglev_new(NULL, 0, 128));
}

/* So many as are asked for; else 512 for the lightest. */
Test(balance_hash, points_of_the_ring)
{
	static const struct {
		size_t least;
		size_t most;
		size_t points;
	} rows[] = {
		{ 0, 16384, 2048 },
		{ 1024, 16384, 2048 },
		{ 8192, 16384, 8192 },
		{ 65537, 16384, 16384 },
	};
	const struct balance_host v[] = { { .id = 1, .weight = 7 },
		{ .id = 2, .weight = 21 } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct balance_table *t = balance_ring_new(
		    v, ARRAY_LEN(v), rows[i].least, rows[i].most);

		cr_assert_not_null(t);
		cr_expect_eq(t->n, rows[i].points, "row %zu: %zu", i, t->n);
		balance_table_free(t);
	}
}
