/* SPDX-License-Identifier: Apache-2.0 */
/* SRV: targets in their order, with their ports. */

#include "dns_world.h"

#define SRV "_db._tcp.example"

static const struct dns_server_srv three[] = {
	{ 20, 0, 3000, "c.example" },
	{ 10, 0, 1000, "a.example" },
	{ 15, 0, 2000, "b.example" },
	{ 0, 0, 0, NULL },
};

static void
set_three(struct world *w)
{
	dns_server_set(w->server, SRV, ANSWER(.srv = three, .ttl_s = 60));
	dns_server_set(
	    w->server, "a.example", ANSWER(.a = v4_one, .ttl_s = 60));
	dns_server_set(w->server, "b.example",
	    ANSWER(.a = v4_two, .aaaa = v6_one, .ttl_s = 60));
	dns_server_set(
	    w->server, "c.example", ANSWER(.a = v4_three, .ttl_s = 60));
}

static void
resolve_srv(
    struct world *w, const char *name, enum dns_status s, const char *addrs)
{
	struct asker a;

	ask_srv(w, &a, name);
	TURN_UNTIL(w, a.calls > 0);
	expect(&a, s, addrs);
}

Test(dns_srv, targets_stand_by_priority_with_their_ports, .timeout = 20)
{
	static const char all[] = "10.0.0.1:1000 10.0.0.2:2000 "
				  "[2001:db8::1]:2000 10.0.1.1:3000 "
				  "10.0.1.2:3000 10.0.1.3:3000";
	struct dns_answer now;
	struct world w;
	struct asker a;

	open_world(&w);
	start(&w);
	set_three(&w);
	cr_expect_not(dns_cached_srv(w.dns, STR(SRV), &now));
	resolve_srv(&w, "_DB._tcp.example.", DNS_OK,
	    "10.0.0.1:1000 "
	    "10.0.0.2:2000 [2001:db8::1]:2000 10.0.1.1:3000 10.0.1.2:3000 "
	    "10.0.1.3:3000");
	ask_srv(&w, &a, SRV);
	cr_expect(a.was_at_once);
	cr_expect_eq(a.ttl_left_s, 60);
	expect(&a, DNS_OK, all);
	cr_expect(dns_cached_srv(w.dns, STR(SRV), &now));
	cr_expect_eq(now.n_addrs, 6);
	cr_expect_eq(dns_server_count(w.server, SRV), 1);
	cr_expect_eq(dns_server_count(w.server, "a.example"), 2);
	close_world(&w);
}

static uint32_t drawn;

static uint32_t
fixed_draw(uint32_t n)
{
	return drawn < n ? drawn : n - 1;
}

/* RFC 2782: the running sum of weights that reaches what was drawn. */
Test(dns_srv, weights_decide_among_equals, .timeout = 20)
{
	static const struct dns_server_srv weighted[] = {
		{ 1, 30, 1000, "a.example" },
		{ 1, 0, 3000, "c.example" },
		{ 1, 10, 2000, "b.example" },
		{ 0, 0, 0, NULL },
	};
	static const struct {
		uint32_t drawn;
		const char *first;
	} rows[] = {
		{ 0, "10.0.1.1:3000" },
		{ 1, "10.0.0.1:1000" },
		{ 30, "10.0.0.1:1000" },
		{ 31, "10.0.0.2:2000" },
		{ 40, "10.0.0.2:2000" },
	};
	struct dns_answer now;
	char text[ADDR_TEXT];
	struct world w;
	struct asker a;
	size_t i;

	open_world(&w);
	w.config.random = fixed_draw;
	start(&w);
	set_three(&w);
	dns_server_set(w.server, SRV, ANSWER(.srv = weighted, .ttl_s = 60));
	ask_srv(&w, &a, SRV);
	TURN_UNTIL(&w, a.calls > 0);
	text_free(&a.addrs);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		drawn = rows[i].drawn;
		cr_assert(dns_cached_srv(w.dns, STR(SRV), &now));
		cr_assert_eq(now.n_addrs, 6);
		addr_print(&now.addrs[0], text);
		cr_expect_str_eq(
		    text, rows[i].first, "%u: %s", (unsigned)drawn, text);
	}
	close_world(&w);
}

Test(dns_srv, what_is_not_there, .timeout = 20)
{
	static const struct dns_server_srv lost[] = {
		{ 1, 0, 1000, "nobody.example" },
		{ 0, 0, 0, NULL },
	};
	struct world w;

	open_world(&w);
	start(&w);
	resolve_srv(&w, "_none._tcp.example", DNS_NO_NAME, "");
	dns_server_set(w.server, "a.example", ANSWER(.a = v4_one, .ttl_s = 60));
	resolve_srv(&w, "a.example", DNS_NO_ADDRESS, "");
	dns_server_set(w.server, SRV, ANSWER(.srv = lost, .ttl_s = 60));
	resolve_srv(&w, SRV, DNS_NO_NAME, "");
	dns_server_set(w.server, "_bad._tcp.example", ANSWER(.rcode = 2));
	resolve_srv(&w, "_bad._tcp.example", DNS_FAILED, "");
	resolve_srv(&w, "no name", DNS_NO_NAME, "");
	/* The name's own addresses are something else. */
	resolve(&w, "a.example", DNS_OK, "10.0.0.1");
	close_world(&w);
}

/* One target is slow: the others serve without it, until it is there. */
Test(dns_srv, a_slow_target_keeps_nobody, .timeout = 20)
{
	struct world w;
	struct asker a;

	open_world(&w);
	start(&w);
	set_three(&w);
	dns_server_set(w.server, "a.example",
	    ANSWER(.a = v4_one, .ttl_s = 60, .delay_ms = 400));
	ask_srv(&w, &a, SRV);
	TURN_UNTIL(&w, dns_server_count(w.server, "c.example") == 2);
	idle(&w);
	cr_expect_eq(a.calls, 0);
	set_now(&w, PATIENCE_MS);
	TURN_UNTIL(&w, a.calls > 0);
	expect(&a, DNS_OK,
	    "10.0.0.2:2000 [2001:db8::1]:2000 10.0.1.1:3000 10.0.1.2:3000 "
	    "10.0.1.3:3000");
	do {
		ask_srv(&w, &a, SRV);
		cr_assert(a.was_at_once);
		turn(&w);
	} while (!str_starts(text_str(&a.addrs), STR("10.0.0.1:1000 ")) &&
		 (text_free(&a.addrs), true));
	text_free(&a.addrs);
	close_world(&w);
}

Test(dns_srv, many_wait_for_one_run_and_may_leave, .timeout = 20)
{
	struct asker a[WAITS];
	struct world w;
	size_t i;

	open_world(&w);
	start(&w);
	set_three(&w);
	for (i = 0; i < WAITS; i++)
		ask_srv(&w, &a[i], SRV);
	for (i = 0; i < WAITS; i += 5)
		dns_cancel(&a[i].wait);
	TURN_UNTIL(&w, a[WAITS - 1].calls > 0);
	for (i = 0; i < WAITS; i++) {
		cr_expect_eq(a[i].calls, i % 5 == 0 ? 0 : 1);
		text_free(&a[i].addrs);
	}
	cr_expect_eq(dns_server_count(w.server, SRV), 1);
	cr_expect_eq(dns_server_count(w.server, "b.example"), 2);
	/* Gone with those who still wait. */
	dns_server_set(w.server, "_late._tcp.example",
	    ANSWER(.srv = three, .ttl_s = 60, .delay_ms = 10000));
	ask_srv(&w, &a[0], "_late._tcp.example");
	dns_free(w.dns);
	w.dns = NULL;
	loop_turn(w.loop);
	cr_expect_eq(a[0].calls, 0);
	dns_cancel(&a[0].wait);
	close_world(&w);
}

/* Records and addresses outlive the server as any answer does. */
Test(dns_srv, old_targets_serve_while_the_server_fails, .timeout = 20)
{
	struct world w;
	struct asker a;

	open_world(&w);
	start(&w);
	set_three(&w);
	ask_srv(&w, &a, SRV);
	TURN_UNTIL(&w, a.calls > 0);
	text_free(&a.addrs);
	dns_server_set(w.server, SRV, ANSWER(.rcode = 2));
	dns_server_set(w.server, "a.example", ANSWER(.rcode = 2));
	set_now(&w, 54000);
	settle(&w, "a.example", 4);
	set_now(&w, 61000);
	ask_srv(&w, &a, SRV);
	TURN_UNTIL(&w, a.calls > 0);
	cr_expect(a.is_stale);
	cr_expect(str_starts(text_str(&a.addrs), STR("10.0.0.1:1000 ")), "%s",
	    a.addrs.p);
	text_free(&a.addrs);
	close_world(&w);
}
