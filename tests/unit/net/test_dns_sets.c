/* SPDX-License-Identifier: Apache-2.0 */
/* One resolver a set of servers, each with what those servers say. */

#include "dns_world.h"
#include "net/dns_sets.h"

struct two {
	struct world w;
	struct dns_server *inner;
	struct dns_sets *sets;
	struct str servers[2];
};

static void
open_two(struct two *t)
{
	open_world(&t->w);
	t->inner = dns_server_start();
	t->servers[0] = str_of(dns_server_address(t->inner));
	t->servers[1] = str_of(t->w.address);
	dns_server_set(
	    t->w.server, "split.example", ANSWER(.a = v4_one, .ttl_s = 60));
	dns_server_set(
	    t->inner, "split.example", ANSWER(.a = v4_two, .ttl_s = 60));
	t->sets = dns_sets_new(t->w.loop, &t->w.config);
	cr_assert_not_null(t->sets);
}

static void
close_two(struct two *t)
{
	dns_sets_free(t->sets);
	t->w.dns = NULL;
	dns_server_stop(t->inner);
	close_world(&t->w);
}

/* A name has two answers, and nobody gets the other's. */
Test(dns_sets, what_one_says_is_not_what_another_says, .timeout = 20)
{
	struct two t;
	unsigned i;

	open_two(&t);
	for (i = 0; i < 2; i++) {
		t.w.dns = dns_sets_get(t.sets, NULL, 0);
		resolve(&t.w, "split.example", DNS_OK, "10.0.0.1");
		t.w.dns = dns_sets_get(t.sets, t.servers, 1);
		resolve(&t.w, "split.example", DNS_OK, "10.0.0.2");
		/* The first of two answers, so it is as before. */
		t.w.dns = dns_sets_get(t.sets, t.servers, 2);
		resolve(&t.w, "split.example", DNS_OK, "10.0.0.2");
	}
	cr_expect_eq(dns_server_count(t.w.server, "split.example"), 2);
	cr_expect_eq(dns_server_count(t.inner, "split.example"), 4);
	close_two(&t);
}

Test(dns_sets, are_found_again_and_dropped_when_unused, .timeout = 20)
{
	struct dns *one, *both;
	struct two t;

	open_two(&t);
	one = dns_sets_get(t.sets, t.servers, 1);
	both = dns_sets_get(t.sets, t.servers, 2);
	cr_expect_neq(one, both);
	cr_expect_eq(dns_sets_get(t.sets, t.servers, 1), one);
	t.w.dns = both;
	resolve(&t.w, "split.example", DNS_OK, "10.0.0.2");
	set_now(&t.w, 5000);
	loop_turn(t.w.loop);
	cr_expect_eq(dns_sets_get(t.sets, t.servers, 1), one);
	set_now(&t.w, 14999);
	loop_turn(t.w.loop);
	dns_sets_sweep(t.sets, 10000);
	cr_expect_eq(dns_sets_flush(t.sets, STR("split.example")), 0,
	    "with the set what it knew is gone");
	cr_expect_eq(dns_sets_get(t.sets, t.servers, 1), one);
	close_two(&t);
}

Test(dns_sets, an_odd_address_makes_none)
{
	const struct str odd = STR("not an address");
	struct two t;

	open_two(&t);
	cr_expect_null(dns_sets_get(t.sets, &odd, 1));
	close_two(&t);
}

Test(dns_sets, all_are_shown_and_forgotten, .timeout = 20)
{
	struct text out = TEXT_EMPTY;
	struct two t;

	open_two(&t);
	t.w.dns = dns_sets_get(t.sets, NULL, 0);
	resolve(&t.w, "split.example", DNS_OK, "10.0.0.1");
	t.w.dns = dns_sets_get(t.sets, t.servers, 1);
	resolve(&t.w, "split.example", DNS_OK, "10.0.0.2");
	dns_sets_print(t.sets, 10, &out);
	cr_expect_not_null(strstr(out.p, "split.example 10.0.0.1 fresh"));
	cr_expect_not_null(strstr(out.p, "services with resolvers 127.0.0.1:"));
	cr_expect_not_null(strstr(out.p, "split.example 10.0.0.2 fresh"));
	cr_expect_eq(dns_sets_flush(t.sets, STR("split.example")), 2);
	text_free(&out);
	close_two(&t);
}
