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
		/* A tenth may be taken off, no more. */
		set_now(&w, from + rows[i].lives_s * 900 - 10);
		ask(&w, &a, name);
		cr_expect(a.was_at_once, "%s", name);
		cr_expect_not(a.is_stale);
		expect(&a, DNS_OK, "10.0.0.1");
		cr_expect_eq(dns_server_count(w.server, name), 2, "%s", name);
		set_now(&w, from + rows[i].lives_s * 1000 + 1);
		ask(&w, &a, name);
		cr_expect(a.was_at_once, "%s", name);
		expect(&a, DNS_OK, "10.0.0.1");
		settle(&w, name, 4);
		cr_expect_eq(dns_server_count(w.server, name), 4, "%s", name);
	}
	dns_get_stats(w.dns, &stats);
	cr_expect_eq(stats.names, ARRAY_LEN(rows));
	cr_expect_eq(stats.queries, 4 * ARRAY_LEN(rows));
	cr_expect_eq(stats.hits, 2 * ARRAY_LEN(rows));
	cr_expect_eq(stats.stale_served, ARRAY_LEN(rows));
	cr_expect_eq(stats.failures, 0);
	close_world(&w);
}

Test(dns_keep, a_new_answer_replaces_the_old_behind_the_scenes, .timeout = 20)
{
	struct world w;
	struct asker a;

	open_world(&w);
	start(&w);
	dns_server_set(
	    w.server, "moves.example", ANSWER(.a = v4_one, .ttl_s = 10));
	resolve(&w, "moves.example", DNS_OK, "10.0.0.1");
	dns_server_set(
	    w.server, "moves.example", ANSWER(.a = v4_two, .ttl_s = 10));
	set_now(&w, 11000);
	ask(&w, &a, "moves.example");
	cr_expect(a.was_at_once);
	cr_expect_eq(a.ttl_left_s, 0);
	expect(&a, DNS_OK, "10.0.0.1");
	settle(&w, "moves.example", 4);
	ask(&w, &a, "moves.example");
	cr_expect(a.was_at_once);
	expect(&a, DNS_OK, "10.0.0.2");
	close_world(&w);
}

Test(dns_keep, the_last_good_answer_outlives_the_server, .timeout = 20)
{
	struct dns_stats stats;
	struct world w;
	struct asker a;
	unsigned asked;

	open_world(&w);
	start(&w);
	dns_server_set(w.server, "stays.example",
	    ANSWER(.a = v4_one, .aaaa = v6_one, .ttl_s = 10));
	resolve(&w, "stays.example", DNS_OK, "10.0.0.1 2001:db8::1");
	dns_server_set(w.server, "stays.example", ANSWER(.rcode = 2));
	set_now(&w, 11000);
	ask(&w, &a, "stays.example");
	cr_expect_not(a.is_stale, "nobody knows yet");
	expect(&a, DNS_OK, "10.0.0.1 2001:db8::1");
	settle(&w, "stays.example", 4);
	ask(&w, &a, "stays.example");
	cr_expect(a.is_stale);
	expect(&a, DNS_OK, "10.0.0.1 2001:db8::1");
	dns_get_stats(w.dns, &stats);
	cr_expect_eq(stats.failures, 2);

	/* And is good again when the server is. */
	dns_server_set(
	    w.server, "stays.example", ANSWER(.a = v4_two, .ttl_s = 10));
	set_now(&w, 17000);
	asked = dns_server_count(w.server, "stays.example");
	ask(&w, &a, "stays.example");
	expect(&a, DNS_OK, "10.0.0.1 2001:db8::1");
	settle(&w, "stays.example", asked + 2);
	ask(&w, &a, "stays.example");
	cr_expect_not(a.is_stale);
	expect(&a, DNS_OK, "10.0.0.2");
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
	set_now(&w, 11000);
	ask(&w, &a, "goes.example");
	expect(&a, DNS_OK, "10.0.0.1");
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
	set_now(&w, 4400);
	ask(&w, &a, "later.example");
	cr_expect(a.was_at_once);
	expect(&a, DNS_NO_NAME, "");
	set_now(&w, 5001);
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
