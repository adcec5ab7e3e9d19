/* SPDX-License-Identifier: Apache-2.0 */
/* conn/caller_limits.h: what a caller may have, whoever counts it. */

#include "conn/caller_limits.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "base/clock.h"

#define MIB (UINT64_C(1) << 20)
#define DAY_MS INT64_C(86400000)
#define NOW_MS 1000000
#define WEB STR("spiffe://default/web")
#define SHOP STR("spiffe://default/shop")
#define BANK STR("default/ES/bank")

static const struct caller_caps none;

static struct caller_caps
cap(enum caller_limit l, uint64_t n)
{
	struct caller_caps c = { .v = { 0 } };

	c.v[l] = n;
	return c;
}

static void
begin(void)
{
	clock_fake(NOW_MS, 20000 * DAY_MS + 1000);
}

TestSuite(caller_limits, .init = begin, .fini = clock_unfake);

Test(caller_limits, options)
{
	struct service_options o = { .caller_connections = 1,
		.caller_requests = 2,
		.caller_requests_per_s = 3,
		.caller_mib_per_day = 268435455 };
	struct caller_caps c = caller_caps_of(&o);

	cr_expect_eq(c.v[CALLER_CONNECTIONS], 1);
	cr_expect_eq(c.v[CALLER_REQUESTS], 2);
	cr_expect_eq(c.v[CALLER_RATE], 3);
	cr_expect_eq(c.v[CALLER_BYTES], 268435455 * MIB);
	cr_expect(caller_caps_any(&c));
	cr_expect_not(caller_caps_any(&none));
	c = caller_caps_of(service_options_standard());
	cr_expect_not(caller_caps_any(&c), "no limits unless they are set");
}

Test(caller_limits, connections)
{
	const struct caller_caps two = cap(CALLER_CONNECTIONS, 2);
	struct caller_limits *t = caller_limits_new(10);
	struct caller_use *web = caller_limits_hold(t, WEB, BANK);
	struct caller_use *shop = caller_limits_hold(t, SHOP, BANK);
	struct caller_use *other = caller_limits_hold(t, WEB, STR("b"));

	cr_expect_eq(caller_connects(web, &two), CALLER_LIMIT_N);
	cr_expect_eq(caller_connects(web, &two), CALLER_LIMIT_N);
	cr_expect_eq(caller_connects(web, &two), CALLER_CONNECTIONS);
	cr_expect_eq(caller_connects(shop, &two), CALLER_LIMIT_N);
	cr_expect_eq(caller_connects(other, &two), CALLER_LIMIT_N);
	caller_disconnects(web);
	cr_expect_eq(caller_connects(web, &two), CALLER_LIMIT_N);
	/* Those that were there before the limit count too. */
	caller_has_connection(web);
	caller_disconnects(web);
	cr_expect_eq(caller_connects(web, &two), CALLER_CONNECTIONS);
	caller_limits_let_go(t, web);
	caller_limits_let_go(t, shop);
	caller_limits_let_go(t, other);
	caller_limits_free(t);
}

Test(caller_limits, requests)
{
	struct caller_caps c = cap(CALLER_REQUESTS, 2);
	struct caller_limits *t = caller_limits_new(10);
	struct caller_use *u = caller_limits_hold(t, WEB, BANK);

	c.v[CALLER_RATE] = 3;
	cr_expect_eq(caller_asks(u, &c), CALLER_LIMIT_N);
	cr_expect_eq(caller_asks(u, &c), CALLER_LIMIT_N);
	cr_expect_eq(caller_asks(u, &c), CALLER_REQUESTS);
	caller_is_answered(u);
	caller_is_answered(u);
	cr_expect_eq(caller_asks(u, &c), CALLER_LIMIT_N, "it took no token");
	caller_is_answered(u);
	cr_expect_eq(caller_asks(u, &c), CALLER_RATE);
	/* What was refused is not under way. */
	clock_fake(NOW_MS + 1001, 20000 * DAY_MS + 1000);
	cr_expect_eq(caller_asks(u, &c), CALLER_LIMIT_N);
	cr_expect_eq(caller_asks(u, &c), CALLER_LIMIT_N);
	caller_is_answered(u);
	caller_is_answered(u);
	caller_limits_let_go(t, u);
	caller_limits_free(t);
}

Test(caller_limits, bytes_a_day)
{
	const struct caller_caps c = cap(CALLER_BYTES, 1000);
	struct caller_limits *t = caller_limits_new(10);
	struct caller_use *u = caller_limits_hold(t, WEB, BANK);

	cr_expect(caller_moves(u, &c, 999));
	cr_expect_eq(caller_asks(u, &c), CALLER_LIMIT_N);
	caller_is_answered(u);
	cr_expect(caller_moves(u, &c, 1), "the last one");
	cr_expect_eq(caller_asks(u, &c), CALLER_BYTES);
	cr_expect_not(caller_has_bytes(u, &c));
	cr_expect(caller_has_bytes(u, &none));
	cr_expect_not(caller_moves(u, &c, 1));
	/* Who goes away and comes again has not forgotten it. */
	caller_limits_let_go(t, u);
	cr_expect_eq(caller_limits_look(t).entries, 1);
	u = caller_limits_hold(t, WEB, BANK);
	cr_expect_eq(caller_asks(u, &c), CALLER_BYTES);
	/* Midnight, UTC. */
	clock_fake(NOW_MS, 20001 * DAY_MS);
	cr_expect_eq(caller_asks(u, &c), CALLER_LIMIT_N);
	caller_is_answered(u);
	cr_expect(caller_moves(u, &c, 1000));
	cr_expect_not(caller_moves(u, &c, UINT64_MAX), "nothing overflows");
	cr_expect_not(caller_moves(u, &c, UINT64_MAX));
	caller_limits_let_go(t, u);
	clock_fake(NOW_MS, 20002 * DAY_MS);
	cr_expect_eq(caller_limits_look(t).entries, 0);
	caller_limits_free(t);
}

Test(caller_limits, who_uses_nothing_is_forgotten)
{
	struct caller_limits *t = caller_limits_new(10);
	struct caller_caps c = cap(CALLER_RATE, 1);
	struct caller_use *u = caller_limits_hold(t, WEB, BANK);

	cr_expect_eq(caller_limits_look(t).entries, 1);
	caller_limits_let_go(t, u);
	cr_expect_eq(caller_limits_look(t).entries, 0);
	u = caller_limits_hold(t, WEB, BANK);
	cr_expect_eq(caller_asks(u, &c), CALLER_LIMIT_N);
	caller_is_answered(u);
	/* Bytes without a limit are nothing to remember. */
	cr_expect(caller_moves(u, &c, 1000));
	caller_limits_let_go(t, u);
	cr_expect_eq(caller_limits_look(t).entries, 1, "a token is missing");
	clock_fake(NOW_MS + 1001, 20000 * DAY_MS + 1000);
	cr_expect_eq(caller_limits_look(t).entries, 0);
	caller_limits_free(t);
}

Test(caller_limits, those_without_room_share)
{
	const struct caller_caps two = cap(CALLER_CONNECTIONS, 2);
	struct caller_limits *t = caller_limits_new(1);
	struct caller_use *web = caller_limits_hold(t, WEB, BANK);
	struct caller_use *shop = caller_limits_hold(t, SHOP, BANK);
	struct caller_use *third = caller_limits_hold(t, STR("x"), BANK);
	struct caller_use *other = caller_limits_hold(t, STR("x"), STR("b"));
	struct caller_counts n;
	char why[192];

	cr_expect_neq(shop, web);
	cr_expect_eq(shop, third);
	cr_expect_neq(shop, other, "of this service only");
	cr_expect_eq(caller_connects(shop, &two), CALLER_LIMIT_N);
	cr_expect_eq(caller_connects(third, &two), CALLER_LIMIT_N);
	cr_expect_eq(caller_connects(shop, &two), CALLER_CONNECTIONS);
	cr_expect_eq(caller_connects(web, &two), CALLER_LIMIT_N);
	n = caller_limits_look(t);
	cr_expect_eq(n.entries, 3);
	cr_expect_eq(n.shared, 2);
	cr_expect_eq(n.at_limit[CALLER_CONNECTIONS], 1);
	cr_expect_eq(n.at_limit[CALLER_BYTES], 0);
	caller_limit_explain(shop, CALLER_CONNECTIONS, &two, why, sizeof(why));
	cr_expect_str_eq(why,
	    "caller_limits.connections = 2 is reached, together with all "
	    "callers that limits.callers has no room for");
	caller_limits_let_go(t, web);
	cr_expect_eq(caller_limits_look(t).shared, 2);
	/* Now there is. */
	web = caller_limits_hold(t, SHOP, BANK);
	cr_expect_neq(web, shop);
	caller_limits_let_go(t, web);
	caller_limits_let_go(t, shop);
	caller_limits_let_go(t, third);
	caller_limits_let_go(t, other);
	cr_expect_eq(caller_limits_look(t).entries, 0);
	caller_limits_free(t);
}

Test(caller_limits, the_list)
{
	struct caller_limits *t = caller_limits_new(10);
	struct caller_use *u = caller_limits_hold(t, WEB, BANK);
	struct caller_caps c = { .v = { 3, 0, 10, 5 * MIB } };
	struct text out = TEXT_EMPTY;
	char why[192];

	cr_expect_eq(caller_connects(u, &c), CALLER_LIMIT_N);
	cr_expect_eq(caller_asks(u, &c), CALLER_LIMIT_N);
	cr_expect(caller_moves(u, &c, 2 * MIB));
	caller_limits_print(t, 10, &out);
	cr_expect_str_eq(out.p,
	    "spiffe://default/web service=default/ES/bank "
	    "connections=1/3 left=2 requests=1 requests_per_s=1/10 left=9 "
	    "mib_today=2/5 left=3\n",
	    "%s", out.p);
	caller_limit_explain(u, CALLER_BYTES, &c, why, sizeof(why));
	cr_expect_str_eq(why, "caller_limits.mib_per_day = 5 is reached");
	text_clear(&out);
	caller_limits_print(t, 0, &out);
	cr_expect_eq(out.len, 0);
	text_free(&out);
	caller_limits_let_go(t, u);
	caller_limits_free(t);
}

#define THREADS 4
#define MOST 7

struct crowd {
	struct caller_limits *t;
	_Atomic int open;
	_Atomic int highest;
	_Atomic unsigned let_in;
	_Atomic uint64_t refused;
};

static void
note_highest(struct crowd *c, int n)
{
	int had = atomic_load(&c->highest);

	while (n > had && !atomic_compare_exchange_weak(&c->highest, &had, n))
		;
}

static void *
crowd_in(void *arg)
{
	const struct caller_caps most = cap(CALLER_CONNECTIONS, MOST);
	struct crowd *c = arg;

	for (unsigned i = 0; i < 20000; i++) {
		struct caller_use *v[4];
		unsigned n = 0;

		for (; n < 4; n++) {
			v[n] = caller_limits_hold(c->t, WEB, BANK);
			if (caller_connects(v[n], &most) != CALLER_LIMIT_N) {
				caller_limits_let_go(c->t, v[n]);
				atomic_fetch_add(&c->refused, 1);
				break;
			}
			note_highest(c, atomic_fetch_add(&c->open, 1) + 1);
			(void)caller_moves(v[n], &most, 3);
			atomic_fetch_add(&c->let_in, 1);
		}
		while (n-- > 0) {
			atomic_fetch_sub(&c->open, 1);
			caller_disconnects(v[n]);
			caller_limits_let_go(c->t, v[n]);
		}
	}
	return NULL;
}

/* Exactly as many, and none is lost. */
Test(caller_limits, many_threads, .timeout = 60)
{
	const struct caller_caps all = cap(CALLER_CONNECTIONS, MOST);
	struct crowd c = { .t = caller_limits_new(10) };
	struct caller_use *u = caller_limits_hold(c.t, WEB, BANK);
	pthread_t v[THREADS];

	for (size_t i = 0; i < THREADS; i++)
		cr_assert_eq(pthread_create(&v[i], NULL, crowd_in, &c), 0);
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(v[i], NULL);
	cr_expect_leq(c.highest, MOST);
	cr_expect_gt(c.let_in, 10000);
	for (unsigned i = 0; i < MOST; i++)
		cr_expect_eq(caller_connects(u, &all), CALLER_LIMIT_N);
	cr_expect_eq(caller_connects(u, &all), CALLER_CONNECTIONS);
	cr_expect(caller_moves(u, &all, 0));
	caller_limits_let_go(c.t, u);
	cr_expect_eq(caller_limits_look(c.t).entries, 0);
	caller_limits_free(c.t);
}
