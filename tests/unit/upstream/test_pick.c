/* SPDX-License-Identifier: Apache-2.0 */
/* Whose turn it is: weights, priorities, failures and permission as tables. */

#include <criterion/criterion.h>
#include <stdio.h>

#include "base/xalloc.h"
#include "upstream/pick.h"

#define NOW 100000

/* "name weight priority ruleset flags": f failed, o failed long ago, z zoned,
 * g gone. */
struct row {
	const char *what;
	const char *endpoints[6];
	struct reach_want want;
	const char *order; /* the first letters of those picked, '-' for none */
};

static const struct row rows[] = {
	{ "one", { "a 1 0 0 -" }, { .rulesets = 1 }, "aaa" },
	{ "equal weights take turns", { "a 1 0 0 -", "b 1 0 0 -", "c 1 0 0 -" },
	    { .rulesets = 1 }, "abcabcabc" },
	{ "weights are spread evenly", { "a 3 0 0 -", "b 1 0 0 -" },
	    { .rulesets = 1 }, "aabaaaba" },
	{ "five, one, one", { "a 5 0 0 -", "b 1 0 0 -", "c 1 0 0 -" },
	    { .rulesets = 1 }, "aabacaaaabacaa" },
	{ "weight 0 has no turn", { "a 0 0 0 -", "b 1 0 0 -" },
	    { .rulesets = 1 }, "bbb" },
	{ "weight 0 is better than none", { "a 0 0 0 -", "b 0 0 0 -" },
	    { .rulesets = 1 }, "abab" },
	{ "but healthy weight 0 before a failed one",
	    { "a 0 0 0 -", "b 9 0 0 f" }, { .rulesets = 1 }, "aaa" },
	{ "lower priority first", { "a 1 1 0 -", "b 1 0 0 -", "c 1 0 0 -" },
	    { .rulesets = 1 }, "bcbc" },
	{ "next priority when the first failed", { "a 1 1 0 -", "b 1 0 0 f" },
	    { .rulesets = 1 }, "aaa" },
	{ "a failed one is passed over", { "a 1 0 0 f", "b 1 0 0 -" },
	    { .rulesets = 1 }, "bbb" },
	{ "failed ones are the last resort", { "a 1 0 0 f", "b 1 0 0 f" },
	    { .rulesets = 1 }, "abab" },
	{ "among them priority counts", { "a 1 1 0 f", "b 1 0 0 f" },
	    { .rulesets = 1 }, "bbb" },
	{ "a failure is forgotten after 10 s", { "a 1 0 0 o", "b 1 0 0 -" },
	    { .rulesets = 1 }, "abab" },
	{ "only permitted ones", { "a 1 0 0 -", "b 1 0 1 -", "c 1 0 2 -" },
	    { .rulesets = 5 }, "acac" },
	{ "none permitted", { "a 1 0 0 -", "b 1 0 1 -" }, { .rulesets = 4 },
	    "-" },
	{ "no ruleset at all", { "a 1 0 0 -" }, { .rulesets = 0 }, "-" },
	{ "the last ruleset", { "a 1 0 63 -", "b 1 0 62 -" },
	    { .rulesets = UINT64_C(1) << 63 }, "aa" },
	{ "a ruleset that no mask can name", { "a 1 0 64 -", "b 1 0 0 -" },
	    { .rulesets = UINT64_MAX }, "bb" },
	{ "a permitted failed one, not a forbidden healthy one",
	    { "a 1 0 0 -", "b 1 0 1 f" }, { .rulesets = 2 }, "bb" },
	{ "only zoned ones", { "a 1 0 0 -", "b 1 0 0 z", "c 1 0 0 z" },
	    { .rulesets = 1, .only_zoned = true }, "bcbc" },
	{ "zoned ones need permission too", { "a 1 0 1 z", "b 1 0 0 -" },
	    { .rulesets = 1, .only_zoned = true }, "-" },
	{ "of relays sets count", { "a 2 0 0 -", "b 1 0 5 -" },
	    { .is_relay = true, .rulesets = 33 }, "abaaba" },
	{ "relays of one set", { "a 2 0 0 -", "b 1 0 5 -" },
	    { .is_relay = true, .rulesets = 32 }, "bbb" },
	{ "what went is never picked", { "a 1 0 0 g", "b 1 0 0 -" },
	    { .rulesets = 1 }, "bb" },
	{ "nobody", { NULL }, { .rulesets = 1 }, "-" },
};

struct made {
	struct live_endpoint live[6];
	struct endpoint endpoints[6];
	struct live_endpoint *list[6];
	struct live_endpoints all;
	struct balance *balance;
};

static void
make(const struct row *row, struct made *m)
{
	struct balance_settings s =
	    balance_settings_of(service_options_standard(), false);
	char name, flag;
	size_t i;

	*m = (struct made){ .all = { .v = m->list } };
	for (i = 0; i < ARRAY_LEN(m->live) && row->endpoints[i] != NULL; i++) {
		struct live_endpoint *e = &m->live[i];
		struct endpoint *fixed = &m->endpoints[i];

		cr_assert_eq(
		    sscanf(row->endpoints[i], "%c %u %u %u %c", &name,
			&fixed->weight, &fixed->priority, &e->ruleset, &flag),
		    5);
		fixed->key = str_first(str_of(row->endpoints[i]), 1);
		e->endpoint = fixed;
		e->is_zoned = flag == 'z';
		e->is_gone = flag == 'g';
		e->is_failing = flag == 'f' || flag == 'o';
		e->failed_ms = NOW - (flag == 'o' ? ENDPOINT_FAILED_MS
						  : ENDPOINT_FAILED_MS - 1);
		m->list[m->all.n++] = e;
	}
	/* One that is healthy carries all of its priority. */
	s.overprovisioning = 1000;
	m->balance = balance_new(&s, &m->all, 1);
}

Test(pick, whose_turn_it_is)
{
	struct made m;
	size_t i, j;
	char got[32];

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		make(&rows[i], &m);
		for (j = 0; j < strlen(rows[i].order); j++) {
			struct live_endpoint *e =
			    pick_endpoint(m.balance, &rows[i].want, NULL, NOW);

			got[j] = '-';
			if (e != NULL)
				got[j] = e->endpoint->key.p[0];
		}
		got[j] = '\0';
		cr_expect_str_eq(got, rows[i].order, "%s", rows[i].what);
		balance_free(m.balance);
	}
}

Test(pick, what_was_tried_is_not_tried_again)
{
	const struct row row = { "", { "a 1 0 0 -", "b 1 0 0 f", "c 1 1 0 -" },
		{ .rulesets = 1 }, "" };
	struct live_endpoint *list[3];
	struct live_endpoints tried = { .v = list };
	struct live_endpoint *e;
	struct made m;
	char got[4] = "";

	make(&row, &m);
	for (size_t i = 0; i < 3; i++) {
		cr_expect_eq(pick_left(&m.all, &row.want, &tried), 3 - i);
		e = pick_endpoint(m.balance, &row.want, &tried, NOW);
		cr_assert_not_null(e);
		got[i] = e->endpoint->key.p[0];
		list[tried.n++] = e;
	}
	cr_expect_str_eq(got, "acb");
	cr_expect_null(pick_endpoint(m.balance, &row.want, &tried, NOW));
	balance_free(m.balance);
}

/* Callers with different permissions do not take each other's turns. */
Test(pick, turns_are_fair_to_mixed_callers)
{
	const struct row row = { "", { "a 1 0 0 -", "b 1 0 1 -" },
		{ .rulesets = 3 }, "" };
	struct reach_want only_a = { .rulesets = 1 };
	struct live_endpoint *e;
	struct made m;
	unsigned n_a = 0;

	make(&row, &m);
	for (size_t i = 0; i < 100; i++) {
		e = pick_endpoint(m.balance, &only_a, NULL, NOW);
		cr_assert_eq(e, &m.live[0]);
		e = pick_endpoint(m.balance, &row.want, NULL, NOW);
		n_a += e == &m.live[0];
	}
	cr_expect_eq(n_a, 50, "%u", n_a);
	balance_free(m.balance);
}
