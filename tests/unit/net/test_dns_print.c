/* SPDX-License-Identifier: Apache-2.0 */
/* What operators see of names, and what they may have forgotten. */

#include "dns_world.h"

static void
show(struct world *w, size_t max, struct text *out)
{
	text_clear(out);
	dns_print(w->dns, max, out);
}

static void
expect_shown(const struct text *t, const char *what)
{
	cr_expect_not_null(strstr(t->p, what), "no \"%s\" in\n%s", what, t->p);
}

Test(dns_print, states_of_a_name, .timeout = 20)
{
	struct text t = TEXT_EMPTY;
	struct world w;
	struct asker a;

	open_world(&w);
	start(&w);
	dns_server_set(w.server, "good.example",
	    ANSWER(.a = v4_one, .aaaa = v6_one, .ttl_s = 30));
	resolve(&w, "good.example", DNS_OK, "10.0.0.1 2001:db8::1");
	resolve(&w, "none.example", DNS_NO_NAME, "");
	set_now(&w, 3000);
	idle(&w);
	show(&w, 10, &t);
	expect_shown(&t, "good.example 10.0.0.1,2001:db8::1 fresh age=3s "
			 "ttl=27s used=3s from=127.0.0.1:");
	expect_shown(&t, "none.example (no such name) age=3s ttl=2s used=3s");
	expect_shown(&t, "queries=4 answers=4 failures=0 timeouts=0\n");
	dns_server_set(w.server, "good.example", ANSWER(.rcode = 2));
	set_now(&w, 27000);
	settle(&w, "good.example", 4);
	set_now(&w, 28000);
	idle(&w);
	show(&w, 10, &t);
	expect_shown(&t, " fresh age=28s ttl=2s used=28s failures=1 (the name "
			 "server failed) again=3s");
	set_now(&w, 31500);
	idle(&w);
	show(&w, 10, &t);
	expect_shown(&t, " stale age=31s stale=1s used=31s failures=2 ");
	expect_shown(&t, "none.example (no such name) expired ");
	dns_server_set(w.server, "slow.example",
	    ANSWER(.a = v4_one, .ttl_s = 30, .delay_ms = 10000));
	ask(&w, &a, "slow.example");
	show(&w, 10, &t);
	expect_shown(&t, "slow.example not known yet used=0s asking waiting=1");
	dns_cancel(&a.wait);
	text_free(&t);
	close_world(&w);
}

Test(dns_print, is_bounded_and_newest_first, .timeout = 20)
{
	struct text t = TEXT_EMPTY;
	struct world w;
	char name[32];
	unsigned i;

	open_world(&w);
	start(&w);
	for (i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "n%u.example", i);
		dns_server_set(
		    w.server, name, ANSWER(.a = v4_one, .ttl_s = 60));
		resolve(&w, name, DNS_OK, "10.0.0.1");
	}
	show(&w, 2, &t);
	expect_shown(&t, "n4.example ");
	expect_shown(&t, "n3.example ");
	cr_expect_null(strstr(t.p, "n2.example"));
	expect_shown(&t, "and 3 names more\n");
	text_free(&t);
	close_world(&w);
}

Test(dns_print, flush_forgets, .timeout = 20)
{
	struct dns_answer now;
	struct world w;

	open_world(&w);
	start(&w);
	dns_server_set(w.server, "a.example", ANSWER(.a = v4_one, .ttl_s = 60));
	dns_server_set(w.server, "b.example", ANSWER(.a = v4_one, .ttl_s = 60));
	resolve(&w, "a.example", DNS_OK, "10.0.0.1");
	resolve(&w, "b.example", DNS_OK, "10.0.0.1");
	dns_server_set(w.server, "a.example", ANSWER(.a = v4_two, .ttl_s = 60));
	cr_expect_eq(dns_flush(w.dns, STR("c.example")), 0);
	cr_expect_eq(dns_flush(w.dns, STR("no name")), 0);
	cr_expect_eq(dns_flush(w.dns, STR("A.example.")), 1);
	cr_expect_not(dns_cached(w.dns, STR("a.example"), &now));
	cr_expect(dns_cached(w.dns, STR("b.example"), &now));
	resolve(&w, "a.example", DNS_OK, "10.0.0.2");
	cr_expect_eq(dns_flush(w.dns, STR_NONE), 2);
	cr_expect_not(dns_cached(w.dns, STR("b.example"), &now));
	close_world(&w);
}

/* Who waits is not forgotten, and gets what comes. */
Test(dns_print, flush_while_some_wait, .timeout = 20)
{
	struct world w;
	struct asker a;

	open_world(&w);
	start(&w);
	dns_server_set(w.server, "slow.example",
	    ANSWER(.a = v4_one, .ttl_s = 60, .delay_ms = 50));
	ask(&w, &a, "slow.example");
	(void)dns_flush(w.dns, STR_NONE);
	TURN_UNTIL(&w, a.calls > 0);
	expect(&a, DNS_OK, "10.0.0.1");
	close_world(&w);
}
