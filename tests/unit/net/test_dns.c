/* SPDX-License-Identifier: Apache-2.0 */
/* The resolver: what is asked, who is answered, and what may go wrong. */

#include "dns_world.h"

Test(dns, both_families_are_used, .timeout = 20)
{
	struct world w;

	open_world(&w);
	start(&w);
	dns_server_set(w.server, "both.example",
	    ANSWER(.a = v4_three, .aaaa = v6_one, .ttl_s = 60));
	dns_server_set(
	    w.server, "four.example", ANSWER(.a = v4_one, .ttl_s = 60));
	dns_server_set(
	    w.server, "six.example", ANSWER(.aaaa = v6_one, .ttl_s = 60));
	dns_server_set(w.server, "none.example", ANSWER(.ttl_s = 60));
	resolve(&w, "both.example", DNS_OK,
	    "10.0.1.1 2001:db8::1 10.0.1.2 10.0.1.3");
	resolve(&w, "four.example", DNS_OK, "10.0.0.1");
	resolve(&w, "six.example", DNS_OK, "2001:db8::1");
	resolve(&w, "none.example", DNS_NO_ADDRESS, "");
	resolve(&w, "unknown.example", DNS_NO_NAME, "");
	close_world(&w);
}

Test(dns, one_family_only, .timeout = 20)
{
	struct world w;

	open_world(&w);
	w.config.ipv6 = false;
	start(&w);
	dns_server_set(w.server, "both.example",
	    ANSWER(.a = v4_one, .aaaa = v6_one, .ttl_s = 60));
	dns_server_set(
	    w.server, "six.example", ANSWER(.aaaa = v6_one, .ttl_s = 60));
	resolve(&w, "both.example", DNS_OK, "10.0.0.1");
	resolve(&w, "six.example", DNS_NO_ADDRESS, "");
	cr_expect_eq(dns_server_count(w.server, "both.example"), 1);
	close_world(&w);
}

Test(dns, an_alias_is_followed, .timeout = 20)
{
	struct world w;

	open_world(&w);
	start(&w);
	dns_server_set(w.server, "www.example",
	    ANSWER(.cname = "Host.EXAMPLE", .a = v4_one, .ttl_s = 60));
	resolve(&w, "WWW.example.", DNS_OK, "10.0.0.1");
	close_world(&w);
}

Test(dns, cut_answers_are_asked_for_over_tcp, .timeout = 20)
{
	struct world w;

	open_world(&w);
	start(&w);
	dns_server_set(w.server, "big.example",
	    ANSWER(.a = v4_three, .ttl_s = 60, .truncate = true));
	resolve(&w, "big.example", DNS_OK, "10.0.1.1 10.0.1.2 10.0.1.3");
	cr_expect_eq(dns_server_count_tcp(w.server), 2);
	close_world(&w);
}

Test(dns, failures, .timeout = 30)
{
	struct world w;

	open_world(&w);
	clock_unfake();
	w.config.timeout_ms = 100;
	w.config.tries = 2;
	start(&w);
	dns_server_set(w.server, "servfail.example", ANSWER(.rcode = 2));
	dns_server_set(w.server, "refused.example", ANSWER(.rcode = 5));
	dns_server_set(w.server, "silent.example",
	    ANSWER(.drop_a = true, .drop_aaaa = true));
	dns_server_set(w.server, "other.example",
	    ANSWER(.a = v4_one, .ttl_s = 60, .other_question = true));
	dns_server_set(w.server, "short.example",
	    ANSWER(.a = v4_one, .ttl_s = 60, .cut_short = true));
	resolve(&w, "servfail.example", DNS_FAILED, "");
	resolve(&w, "refused.example", DNS_FAILED, "");
	resolve(&w, "silent.example", DNS_TIMEOUT, "");
	cr_expect_eq(dns_server_count(w.server, "silent.example"), 4,
	    "two tries for each family");
	resolve(&w, "other.example", DNS_TIMEOUT, "");
	resolve(&w, "short.example", DNS_FAILED, "");
	close_world(&w);
}

Test(dns, no_server_at_all, .timeout = 30)
{
	struct world w;
	struct asker a;

	open_world(&w);
	clock_unfake();
	w.config.timeout_ms = 100;
	w.config.tries = 1;
	start(&w);
	dns_server_stop(w.server);
	ask(&w, &a, "any.example");
	TURN_UNTIL(&w, a.calls > 0);
	expect(&a, DNS_FAILED, "");
	w.server = dns_server_start();
	close_world(&w);
}

Test(dns, the_slower_family_is_not_waited_for_long, .timeout = 20)
{
	struct world w;
	struct asker a;
	unsigned i;

	open_world(&w);
	w.config.timeout_ms = 400;
	w.config.tries = 1;
	start(&w);
	dns_server_set(w.server, "half.example",
	    ANSWER(.a = v4_one, .ttl_s = 60, .drop_aaaa = true));
	ask(&w, &a, "half.example");
	TURN_UNTIL(&w, dns_server_count(w.server, "half.example") == 2);
	for (i = 0; i < 20; i++)
		turn(&w);
	cr_expect_eq(a.calls, 0, "a moment for AAAA");
	set_now(&w, PATIENCE_MS);
	TURN_UNTIL(&w, a.calls > 0);
	expect(&a, DNS_OK, "10.0.0.1");
	ask(&w, &a, "half.example");
	cr_expect(a.was_at_once);
	expect(&a, DNS_OK, "10.0.0.1");
	close_world(&w);
}

Test(dns, what_the_slower_family_brings_is_added, .timeout = 20)
{
	struct world w;
	struct asker a;

	open_world(&w);
	clock_unfake();
	/* The first try for AAAA is lost; c-ares asks again. */
	w.config.timeout_ms = 300;
	start(&w);
	dns_server_set(w.server, "slow.example",
	    ANSWER(.a = v4_one, .ttl_s = 60, .drop_aaaa = true));
	ask(&w, &a, "slow.example");
	TURN_UNTIL(&w, dns_server_count(w.server, "slow.example") == 2);
	dns_server_set(w.server, "slow.example",
	    ANSWER(.a = v4_one, .aaaa = v6_one, .ttl_s = 60));
	TURN_UNTIL(&w, a.calls > 0);
	expect(&a, DNS_OK, "10.0.0.1");
	settle(&w, "slow.example", 3);
	ask(&w, &a, "slow.example");
	cr_expect(a.was_at_once);
	expect(&a, DNS_OK, "10.0.0.1 2001:db8::1");
	close_world(&w);
}

Test(dns, many_wait_for_one_question, .timeout = 20)
{
	struct asker a[WAITS];
	struct world w;
	size_t i;

	open_world(&w);
	start(&w);
	dns_server_set(w.server, "busy.example",
	    ANSWER(.a = v4_one, .ttl_s = 60, .delay_ms = 30));
	for (i = 0; i < WAITS; i++) {
		ask(&w, &a[i], i % 2 == 0 ? "busy.example" : "BUSY.example.");
		cr_expect_not(a[i].was_at_once);
	}
	for (i = 0; i < WAITS; i += 5)
		dns_cancel(&a[i].wait);
	dns_cancel(&a[0].wait);
	TURN_UNTIL(&w, a[WAITS - 1].calls > 0);
	for (i = 0; i < WAITS; i++) {
		if (i % 5 == 0)
			cr_expect_eq(a[i].calls, 0, "cancelled: %zu", i);
		else
			expect(&a[i], DNS_OK, "10.0.0.1");
	}
	cr_expect_eq(dns_server_count(w.server, "busy.example"), 2);
	close_world(&w);
}

struct chain {
	struct asker first;
	struct asker second;
	struct dns_wait *victim;
};

static void
on_chain(void *arg, const struct dns_answer *answer)
{
	struct chain *c = arg;

	note(&c->first, answer);
	dns_cancel(c->victim);
	ask(c->first.world, &c->second, "chain.example");
}

Test(dns, a_call_may_ask_again_and_cancel_others, .timeout = 20)
{
	struct chain c = { .first = { .calls = 0 } };
	struct dns_answer now;
	struct asker victim;
	struct world w;

	open_world(&w);
	start(&w);
	c.first.world = &w;
	c.victim = &victim.wait;
	dns_server_set(
	    w.server, "chain.example", ANSWER(.a = v4_one, .ttl_s = 60));
	cr_expect_not(dns_lookup(
	    w.dns, STR("chain.example"), &c.first.wait, on_chain, &c, &now));
	ask(&w, &victim, "chain.example");
	TURN_UNTIL(&w, c.first.calls > 0);
	loop_turn(w.loop);
	expect(&c.first, DNS_OK, "10.0.0.1");
	expect(&c.second, DNS_OK, "10.0.0.1");
	cr_expect(c.second.was_at_once);
	cr_expect_eq(victim.calls, 0);
	close_world(&w);
}

Test(dns, freed_while_some_wait, .timeout = 20)
{
	struct world w;
	struct asker a, b;

	open_world(&w);
	start(&w);
	dns_server_set(w.server, "slow.example",
	    ANSWER(.a = v4_one, .ttl_s = 60, .delay_ms = 10000));
	ask(&w, &a, "slow.example");
	ask(&w, &b, "slow.example");
	dns_free(w.dns);
	w.dns = NULL;
	loop_turn(w.loop);
	cr_expect_eq(a.calls + b.calls, 0);
	/* Waits that were dropped can be cancelled all the same. */
	dns_cancel(&a.wait);
	dns_cancel(&b.wait);
	close_world(&w);
}

Test(dns, what_needs_no_server, .timeout = 20)
{
	static const struct {
		const char *name;
		enum dns_status status;
		const char *addrs;
	} rows[] = {
		{ "10.1.2.3", DNS_OK, "10.1.2.3" },
		{ "::1", DNS_OK, "::1" },
		{ "[2001:db8::5]", DNS_OK, "2001:db8::5" },
		{ "hosts.example", DNS_OK, "10.7.7.7 2001:db8::7" },
		{ "Alias", DNS_OK, "10.7.7.7" },
		{ "not a name", DNS_NO_NAME, "" },
		{ "", DNS_NO_NAME, "" },
		{ "b\xc3\xbc"
		  "cher.example",
		    DNS_NO_NAME, "" },
	};
	char path[] = "/tmp/zegress-dns-XXXXXX";
	int fd = mkstemp(path);
	struct dns_stats stats;
	struct dns_answer now;
	struct world w;
	struct asker a;
	size_t i;
	FILE *f;

	cr_assert_neq(fd, -1);
	f = fdopen(fd, "w");
	fputs("10.7.7.7 hosts.example alias\n2001:db8::7 hosts.example\n", f);
	fclose(f);
	open_world(&w);
	w.config.hosts_file = path;
	start(&w);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		ask(&w, &a, rows[i].name);
		cr_expect(a.was_at_once, "%s", rows[i].name);
		expect(&a, rows[i].status, rows[i].addrs);
		cr_expect(dns_cached(w.dns, str_of(rows[i].name), &now));
		cr_expect_eq(now.status, rows[i].status);
	}
	cr_expect_not(dns_cached(w.dns, STR("far.example"), &now));
	dns_get_stats(w.dns, &stats);
	cr_expect_eq(stats.queries, 0);
	unlink(path);
	close_world(&w);
}

Test(dns, a_server_s_address_that_makes_no_sense)
{
	struct world w;

	open_world(&w);
	w.address = "not an address";
	cr_expect_null(dns_new(w.loop, &w.config));
	w.dns = NULL;
	close_world(&w);
}
