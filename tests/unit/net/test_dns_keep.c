/* SPDX-License-Identifier: Apache-2.0 */
/* What the resolver keeps, for how long, and what it does without a server. */

#include "dns_world.h"

Test(dns_keep, answers_are_kept_for_their_time, .timeout = 20)
{
	static const struct {
		const char *name;
		uint32_t ttl_s;
		uint32_t lives_s;
	} rows[] = {
		{ "zero.example", 0, 5 },
		{ "short.example", 2, 5 },
		{ "plain.example", 60, 60 },
		{ "long.example", 864000, 3600 },
	};
	struct dns_stats stats;
	struct world w;
	struct asker a;
	size_t i;

	open_world(&w);
	start(&w);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		const char *name = rows[i].name;
		uint64_t from = w.now;

		dns_server_set(w.server, name,
		    ANSWER(.a = v4_one, .ttl_s = rows[i].ttl_s));
		resolve(&w, name, DNS_OK, "10.0.0.1");
		set_now(&w, from + rows[i].lives_s * 1000 - 1);
		ask(&w, &a, name);
		cr_expect(a.was_at_once, "%s", name);
		cr_expect_not(a.is_stale);
		expect(&a, DNS_OK, "10.0.0.1");
		cr_expect_eq(dns_server_count(w.server, name), 2, "%s", name);
		/* Nobody gets an old one while a new one can be had. */
		set_now(&w, from + rows[i].lives_s * 1000);
		ask(&w, &a, name);
		cr_expect_not(a.was_at_once, "%s", name);
		TURN_UNTIL(&w, a.calls > 0);
		cr_expect_not(a.is_stale);
		expect(&a, DNS_OK, "10.0.0.1");
		cr_expect_eq(dns_server_count(w.server, name), 4, "%s", name);
	}
	dns_get_stats(w.dns, &stats);
	cr_expect_eq(stats.names, ARRAY_LEN(rows));
	/* The first ones were refreshed ahead meanwhile. */
	cr_expect_geq(stats.queries, 4 * ARRAY_LEN(rows));
	cr_expect_eq(stats.hits, ARRAY_LEN(rows));
	cr_expect_eq(stats.stale_served, 0);
	cr_expect_eq(stats.failures, 0);
	close_world(&w);
}

/* A name that is asked for is renewed before its time; an idle one is not. */
Test(dns_keep, names_in_use_are_refreshed_ahead, .timeout = 20)
{
	struct world w;
	struct asker a;

	open_world(&w);
	start(&w);
	dns_server_set(
	    w.server, "used.example", ANSWER(.a = v4_one, .ttl_s = 100));
	dns_server_set(
	    w.server, "idle.example", ANSWER(.a = v4_one, .ttl_s = 100));
	resolve(&w, "used.example", DNS_OK, "10.0.0.1");
	resolve(&w, "idle.example", DNS_OK, "10.0.0.1");
	set_now(&w, 50000);
	ask(&w, &a, "used.example");
	expect(&a, DNS_OK, "10.0.0.1");
	dns_server_set(
	    w.server, "used.example", ANSWER(.a = v4_two, .ttl_s = 100));
	set_now(&w, 89999);
	idle(&w);
	cr_expect_eq(dns_server_count(w.server, "used.example"), 2);
	set_now(&w, 90000);
	settle(&w, "used.example", 4);
	cr_expect_eq(dns_server_count(w.server, "idle.example"), 2);
	ask(&w, &a, "used.example");
	cr_expect(a.was_at_once);
	cr_expect_eq(a.ttl_left_s, 100);
	expect(&a, DNS_OK, "10.0.0.2");
	set_now(&w, 95000);
	ask(&w, &a, "used.example");
	expect(&a, DNS_OK, "10.0.0.2");
	/* Not used for longer than it lives: it is left alone. */
	set_now(&w, 180000);
	settle(&w, "used.example", 6);
	set_now(&w, 270000);
	idle(&w);
	set_now(&w, 300000);
	idle(&w);
	cr_expect_eq(dns_server_count(w.server, "used.example"), 6);
	close_world(&w);
}

/* One family is renewed: that the other is slow does not make it old. */
Test(dns_keep, a_slow_family_ages_no_other, .timeout = 20)
{
	struct world w;
	struct asker a;

	open_world(&w);
	start(&w);
	dns_server_set(w.server, "half.example",
	    ANSWER(.a = v4_one, .aaaa = v6_one, .ttl_s = 10));
	resolve(&w, "half.example", DNS_OK, "10.0.0.1 2001:db8::1");
	dns_server_set(w.server, "half.example",
	    ANSWER(.a = v4_two, .drop_aaaa = true, .ttl_s = 10));
	set_now(&w, 9000);
	settle(&w, "half.example", 4);
	set_now(&w, 9000 + PATIENCE_MS);
	idle(&w);
	set_now(&w, 10500);
	ask(&w, &a, "half.example");
	cr_expect(a.was_at_once);
	cr_expect_not(a.is_stale);
	expect(&a, DNS_OK, "10.0.0.2 2001:db8::1");
	close_world(&w);
}

static uint32_t most_drawn;

static uint32_t
most_jitter(uint32_t n)
{
	if (n > most_drawn)
		most_drawn = n;
	return n - 1;
}

Test(dns_keep, refreshes_are_spread, .timeout = 20)
{
	struct world w;

	open_world(&w);
	w.config.random = most_jitter;
	start(&w);
	dns_server_set(
	    w.server, "used.example", ANSWER(.a = v4_one, .ttl_s = 50));
	resolve(&w, "used.example", DNS_OK, "10.0.0.1");
	cr_expect_eq(most_drawn, 5001, "a tenth of its life");
	set_now(&w, 39999);
	idle(&w);
	cr_expect_eq(dns_server_count(w.server, "used.example"), 2);
	set_now(&w, 40000);
	settle(&w, "used.example", 4);
	close_world(&w);
}

/* The resolver is silent: an old answer is better than none, after a moment. */
Test(dns_keep, an_old_answer_is_taken_when_no_new_one_comes, .timeout = 20)
{
	struct dns_stats stats;
	struct world w;
	struct asker a;

	open_world(&w);
	start(&w);
	dns_server_set(
	    w.server, "slow.example", ANSWER(.a = v4_one, .ttl_s = 10));
	resolve(&w, "slow.example", DNS_OK, "10.0.0.1");
	dns_server_set(w.server, "slow.example",
	    ANSWER(.drop_a = true, .drop_aaaa = true));
	set_now(&w, 100000);
	ask(&w, &a, "slow.example");
	cr_expect_not(a.was_at_once);
	idle(&w);
	cr_expect_eq(a.calls, 0);
	set_now(&w, 100500);
	TURN_UNTIL(&w, a.calls > 0);
	cr_expect(a.is_stale);
	expect(&a, DNS_OK, "10.0.0.1");
	/* The next one does not wait even that long. */
	ask(&w, &a, "slow.example");
	cr_expect(a.was_at_once);
	cr_expect(a.is_stale);
	expect(&a, DNS_OK, "10.0.0.1");
	dns_get_stats(w.dns, &stats);
	cr_expect_eq(stats.stale_served, 1);
	close_world(&w);
}

Test(dns_keep, the_last_good_answer_outlives_the_server, .timeout = 20)
{
	struct dns_stats stats;
	struct world w;
	struct asker a;

	open_world(&w);
	start(&w);
	dns_server_set(w.server, "stays.example",
	    ANSWER(.a = v4_one, .aaaa = v6_one, .ttl_s = 10));
	resolve(&w, "stays.example", DNS_OK, "10.0.0.1 2001:db8::1");
	dns_server_set(w.server, "stays.example", ANSWER(.rcode = 2));
	set_now(&w, 9000);
	settle(&w, "stays.example", 4);
	ask(&w, &a, "stays.example");
	cr_expect(a.was_at_once);
	cr_expect_not(a.is_stale, "its time is not over");
	expect(&a, DNS_OK, "10.0.0.1 2001:db8::1");
	set_now(&w, 10500);
	ask(&w, &a, "stays.example");
	cr_expect(a.was_at_once, "nobody waits for what is known to fail");
	cr_expect(a.is_stale);
	expect(&a, DNS_OK, "10.0.0.1 2001:db8::1");
	cr_expect_eq(dns_server_count(w.server, "stays.example"), 4);
	dns_get_stats(w.dns, &stats);
	cr_expect_eq(stats.failures, 2);

	/* And is good again when the server is. */
	dns_server_set(
	    w.server, "stays.example", ANSWER(.a = v4_two, .ttl_s = 10));
	set_now(&w, 13000);
	ask(&w, &a, "stays.example");
	expect(&a, DNS_OK, "10.0.0.1 2001:db8::1");
	settle(&w, "stays.example", 6);
	ask(&w, &a, "stays.example");
	cr_expect_not(a.is_stale);
	expect(&a, DNS_OK, "10.0.0.2");
	close_world(&w);
}

Test(dns_keep, the_last_good_answer_is_not_kept_for_ever, .timeout = 20)
{
	struct dns_answer now;
	struct world w;
	struct asker a;

	open_world(&w);
	w.config.max_stale_s = 100;
	start(&w);
	dns_server_set(
	    w.server, "old.example", ANSWER(.a = v4_one, .ttl_s = 10));
	resolve(&w, "old.example", DNS_OK, "10.0.0.1");
	dns_server_set(w.server, "old.example", ANSWER(.rcode = 2));
	set_now(&w, 109000);
	ask(&w, &a, "old.example");
	TURN_UNTIL(&w, a.calls > 0);
	expect(&a, DNS_OK, "10.0.0.1");
	set_now(&w, 109999);
	ask(&w, &a, "old.example");
	cr_expect(a.was_at_once);
	expect(&a, DNS_OK, "10.0.0.1");
	cr_expect(dns_cached(w.dns, STR("old.example"), &now));
	/* Asked for a second before: that is the answer now. */
	set_now(&w, 110000);
	ask(&w, &a, "old.example");
	cr_expect(a.was_at_once);
	expect(&a, DNS_FAILED, "");
	cr_expect_not(dns_cached(w.dns, STR("old.example"), &now));
	set_now(&w, 113000);
	resolve(&w, "old.example", DNS_FAILED, "");
	close_world(&w);
}

/* At no time more queries (A and AAAA each) than seconds. */
Test(dns_keep, a_failing_server_is_asked_less_and_less, .timeout = 60)
{
	unsigned before = 2, total, pairs = 0, s;
	uint64_t last_s = 0, gap, longest = 0;
	struct world w;
	struct asker a;

	open_world(&w);
	start(&w);
	dns_server_set(
	    w.server, "busy.example", ANSWER(.a = v4_one, .ttl_s = 10));
	resolve(&w, "busy.example", DNS_OK, "10.0.0.1");
	dns_server_set(w.server, "busy.example", ANSWER(.rcode = 2));
	for (s = 1; s <= 300; s++) {
		set_now(&w, s * 1000);
		ask(&w, &a, "busy.example");
		idle(&w);
		cr_expect_leq(a.calls, 1);
		expect(&a, DNS_OK, "10.0.0.1");
		total = dns_server_count(w.server, "busy.example");
		if (total == before)
			continue;
		cr_expect_eq(total, before + 2);
		before = total;
		gap = s - last_s;
		cr_expect(pairs++ == 0 || gap >= 4, "after %u s", s);
		longest = gap > longest ? gap : longest;
		last_s = s;
	}
	cr_expect_geq(pairs, 8);
	cr_expect_leq(pairs, 20);
	cr_expect_eq(longest, 30);
	close_world(&w);
}

/* Workers cannot see each other, so each asks less often. */
Test(dns_keep, many_resolvers_share_the_budget, .timeout = 20)
{
	struct world w;
	struct asker a;

	open_world(&w);
	w.config.askers = 3;
	start(&w);
	dns_server_set(
	    w.server, "busy.example", ANSWER(.a = v4_one, .ttl_s = 10));
	resolve(&w, "busy.example", DNS_OK, "10.0.0.1");
	dns_server_set(w.server, "busy.example", ANSWER(.rcode = 2));
	set_now(&w, 9000);
	settle(&w, "busy.example", 4);
	set_now(&w, 20999);
	ask(&w, &a, "busy.example");
	expect(&a, DNS_OK, "10.0.0.1");
	idle(&w);
	cr_expect_eq(dns_server_count(w.server, "busy.example"), 4);
	set_now(&w, 21000);
	settle(&w, "busy.example", 6);
	close_world(&w);
}

Test(dns_keep, a_name_without_an_answer_is_tried_again_soon, .timeout = 20)
{
	struct world w;
	struct asker a;

	open_world(&w);
	start(&w);
	dns_server_set(w.server, "new.example", ANSWER(.rcode = 2));
	resolve(&w, "new.example", DNS_FAILED, "");
	set_now(&w, 1999);
	ask(&w, &a, "new.example");
	cr_expect(a.was_at_once);
	expect(&a, DNS_FAILED, "");
	set_now(&w, 2000);
	resolve(&w, "new.example", DNS_FAILED, "");
	set_now(&w, 6000);
	resolve(&w, "new.example", DNS_FAILED, "");
	/* No longer than a "no" is believed. */
	dns_server_set(
	    w.server, "new.example", ANSWER(.a = v4_one, .ttl_s = 10));
	set_now(&w, 11000);
	resolve(&w, "new.example", DNS_OK, "10.0.0.1");
	close_world(&w);
}

Test(dns_keep, a_name_that_is_gone_is_gone, .timeout = 20)
{
	struct world w;
	struct asker a;

	open_world(&w);
	start(&w);
	dns_server_set(
	    w.server, "goes.example", ANSWER(.a = v4_one, .ttl_s = 10));
	resolve(&w, "goes.example", DNS_OK, "10.0.0.1");
	dns_server_forget(w.server, "goes.example");
	set_now(&w, 9000);
	settle(&w, "goes.example", 4);
	ask(&w, &a, "goes.example");
	cr_expect(a.was_at_once);
	expect(&a, DNS_NO_NAME, "");
	close_world(&w);
}

Test(dns_keep, negative_answers_are_kept_for_a_while, .timeout = 20)
{
	struct world w;
	struct asker a;

	open_world(&w);
	start(&w);
	resolve(&w, "later.example", DNS_NO_NAME, "");
	dns_server_set(
	    w.server, "later.example", ANSWER(.a = v4_one, .ttl_s = 10));
	set_now(&w, 4999);
	ask(&w, &a, "later.example");
	cr_expect(a.was_at_once);
	expect(&a, DNS_NO_NAME, "");
	set_now(&w, 5000);
	ask(&w, &a, "later.example");
	cr_expect_not(a.was_at_once, "a stale no is no answer");
	TURN_UNTIL(&w, a.calls > 0);
	expect(&a, DNS_OK, "10.0.0.1");
	close_world(&w);
}

Test(dns_keep, the_cache_is_bounded, .timeout = 20)
{
	struct dns_stats stats;
	struct world w;
	struct asker a;
	char name[32];
	unsigned i;

	open_world(&w);
	w.config.max_names = 4;
	start(&w);
	for (i = 0; i < 6; i++) {
		snprintf(name, sizeof(name), "n%u.example", i);
		dns_server_set(
		    w.server, name, ANSWER(.a = v4_one, .ttl_s = 60));
		resolve(&w, name, DNS_OK, "10.0.0.1");
		/* The first is used all the time, so it stays. */
		ask(&w, &a, "n0.example");
		expect(&a, DNS_OK, "10.0.0.1");
	}
	dns_get_stats(w.dns, &stats);
	cr_expect_eq(stats.names, 4);
	cr_expect_eq(dns_server_count(w.server, "n0.example"), 2);
	resolve(&w, "n1.example", DNS_OK, "10.0.0.1");
	cr_expect_eq(dns_server_count(w.server, "n1.example"), 4);
	close_world(&w);
}

Test(dns_keep, a_cache_full_of_waiters_says_so, .timeout = 20)
{
	struct world w;
	struct asker a[3];

	open_world(&w);
	w.config.max_names = 2;
	start(&w);
	dns_server_set(w.server, "s0.example",
	    ANSWER(.a = v4_one, .ttl_s = 60, .delay_ms = 50));
	dns_server_set(w.server, "s1.example",
	    ANSWER(.a = v4_one, .ttl_s = 60, .delay_ms = 50));
	ask(&w, &a[0], "s0.example");
	ask(&w, &a[1], "s1.example");
	ask(&w, &a[2], "s2.example");
	cr_expect(a[2].was_at_once);
	expect(&a[2], DNS_FAILED, "");
	TURN_UNTIL(&w, a[0].calls > 0 && a[1].calls > 0);
	expect(&a[0], DNS_OK, "10.0.0.1");
	expect(&a[1], DNS_OK, "10.0.0.1");
	close_world(&w);
}

Test(dns_keep, cached_asks_nobody, .timeout = 20)
{
	struct dns_answer now;
	struct world w;

	open_world(&w);
	start(&w);
	dns_server_set(w.server, "a.example", ANSWER(.a = v4_one, .ttl_s = 60));
	cr_expect_not(dns_cached(w.dns, STR("a.example"), &now));
	resolve(&w, "a.example", DNS_OK, "10.0.0.1");
	set_now(&w, 100000);
	cr_expect(dns_cached(w.dns, STR("A.example"), &now));
	cr_expect_eq(now.n_addrs, 1);
	cr_expect_eq(now.ttl_left_s, 0);
	loop_turn(w.loop);
	cr_expect_eq(dns_server_count(w.server, "a.example"), 2);
	close_world(&w);
}
