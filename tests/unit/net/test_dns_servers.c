/* SPDX-License-Identifier: Apache-2.0 */
/* Several name servers: who is asked, who after whom, and how. */

#include "dns_world.h"
#include "net/name_servers.h"

static const char *
picked(struct name_servers *s, unsigned without, uint64_t now_ms)
{
	const struct name_server *one = name_servers_pick(s, without, now_ms);

	return one != NULL ? one->text : "";
}

static void
open_three(struct name_servers *s)
{
	*s = (struct name_servers){ .n = 0 };
	cr_assert(name_servers_add(s, "a"));
	cr_assert(name_servers_add(s, "b"));
	cr_assert(name_servers_add(s, "c"));
}

Test(name_servers, are_asked_in_their_order)
{
	struct name_servers s;

	open_three(&s);
	cr_expect_str_eq(picked(&s, 0, 1000), "a");
	cr_expect_str_eq(picked(&s, 1, 1000), "b");
	cr_expect_str_eq(picked(&s, 3, 1000), "c");
	cr_expect_str_eq(picked(&s, 7, 1000), "");
}

Test(name_servers, a_silent_one_stands_behind_for_a_while)
{
	struct name_servers s;

	open_three(&s);
	name_server_note(&s.v[0], NAME_SERVER_SILENT, 1000);
	cr_expect_eq(s.v[0].timeouts, 1);
	cr_expect_str_eq(picked(&s, 0, 5999), "b");
	cr_expect_str_eq(picked(&s, 6, 5999), "a", "nobody else is left");
	cr_expect_str_eq(picked(&s, 0, 6000), "a");
	/* Again: for longer, and questions that fail together count once. */
	name_server_note(&s.v[0], NAME_SERVER_SILENT, 6000);
	name_server_note(&s.v[0], NAME_SERVER_SILENT, 6000);
	cr_expect_str_eq(picked(&s, 0, 15999), "b");
	cr_expect_str_eq(picked(&s, 0, 16000), "a");
	name_server_note(&s.v[0], NAME_SERVER_SILENT, 16000);
	name_server_note(&s.v[0], NAME_SERVER_SILENT, 36000);
	name_server_note(&s.v[0], NAME_SERVER_SILENT, 76000);
	name_server_note(&s.v[0], NAME_SERVER_SILENT, 136000);
	cr_expect_str_eq(picked(&s, 0, 195999), "b");
	cr_expect_str_eq(picked(&s, 0, 196000), "a", "a minute at most");
}

Test(name_servers, an_answer_puts_it_back)
{
	struct name_servers s;

	open_three(&s);
	name_server_note(&s.v[0], NAME_SERVER_SILENT, 1000);
	name_server_note(&s.v[0], NAME_SERVER_ANSWERED, 2000);
	cr_expect_str_eq(picked(&s, 0, 2000), "a");
	name_server_note(&s.v[0], NAME_SERVER_SILENT, 3000);
	cr_expect_str_eq(picked(&s, 0, 8000), "a", "the first time again");
	cr_expect_eq(s.v[0].answers, 1);
}

Test(name_servers, of_silent_ones_the_first_to_be_back)
{
	struct name_servers s;

	open_three(&s);
	name_server_note(&s.v[0], NAME_SERVER_SILENT, 3000);
	name_server_note(&s.v[1], NAME_SERVER_SILENT, 1000);
	name_server_note(&s.v[2], NAME_SERVER_SILENT, 2000);
	cr_expect_str_eq(picked(&s, 0, 4000), "b");
	cr_expect_str_eq(picked(&s, 2, 4000), "c");
}

/* It spoke, and may do better with another name. */
Test(name_servers, one_that_fails_keeps_its_place)
{
	struct name_servers s;

	open_three(&s);
	name_server_note(&s.v[0], NAME_SERVER_FAILED, 1000);
	cr_expect_eq(s.v[0].failures, 1);
	cr_expect_str_eq(picked(&s, 0, 1000), "a");
}

Test(name_servers, are_bounded)
{
	struct name_servers s = { .n = 0 };
	char longer[NAME_SERVER_TEXT + 1];
	unsigned i;

	memset(longer, '1', NAME_SERVER_TEXT);
	longer[NAME_SERVER_TEXT] = '\0';
	cr_expect_not(name_servers_add(&s, longer));
	for (i = 0; i < NAME_SERVERS_MOST; i++)
		cr_expect(name_servers_add(&s, "x"));
	cr_expect_not(name_servers_add(&s, "x"));
}

/* Two servers, the second of which knows more. */
struct pair {
	struct world w;
	struct dns_server *second;
	const char *addresses[2];
};

static void
open_pair(struct pair *p)
{
	open_world(&p->w);
	clock_unfake();
	p->second = dns_server_start();
	p->addresses[0] = p->w.address;
	p->addresses[1] = dns_server_address(p->second);
	p->w.config.servers = p->addresses;
	p->w.config.n_servers = 2;
	p->w.config.timeout_ms = 100;
	p->w.config.tries = 1;
	start(&p->w);
}

static void
close_pair(struct pair *p)
{
	close_world(&p->w);
	dns_server_stop(p->second);
}

Test(dns_servers, the_second_answers_for_a_silent_first, .timeout = 20)
{
	static const char *const names[] = { "one.example", "two.example" };
	struct pair p;
	size_t i;

	open_pair(&p);
	for (i = 0; i < ARRAY_LEN(names); i++) {
		dns_server_set(p.w.server, names[i],
		    ANSWER(.drop_a = true, .drop_aaaa = true));
		dns_server_set(
		    p.second, names[i], ANSWER(.a = v4_one, .ttl_s = 60));
		resolve(&p.w, names[i], DNS_OK, "10.0.0.1");
	}
	cr_expect_eq(dns_server_count(p.w.server, "one.example"), 2);
	cr_expect_eq(dns_server_count(p.w.server, "two.example"), 0,
	    "it stands behind the other now");
	cr_expect_eq(dns_server_count(p.second, "two.example"), 2);
	close_pair(&p);
}

Test(dns_servers, the_second_answers_where_the_first_refuses, .timeout = 20)
{
	static const unsigned rcodes[] = { 2, 4, 5 };
	struct pair p;
	char name[32];
	size_t i;

	open_pair(&p);
	for (i = 0; i < ARRAY_LEN(rcodes); i++) {
		snprintf(name, sizeof(name), "n%zu.example", i);
		dns_server_set(p.w.server, name, ANSWER(.rcode = rcodes[i]));
		dns_server_set(
		    p.second, name, ANSWER(.a = v4_one, .ttl_s = 60));
		resolve(&p.w, name, DNS_OK, "10.0.0.1");
		cr_expect_eq(dns_server_count(p.w.server, name), 2,
		    "%u, rcode %u", dns_server_count(p.w.server, name),
		    rcodes[i]);
		cr_expect_eq(dns_server_count(p.second, name), 2);
	}
	close_pair(&p);
}

/* Somebody guesses, or is broken: what is about another name is not heard. */
Test(dns_servers, the_second_answers_where_the_first_lies, .timeout = 20)
{
	struct pair p;

	open_pair(&p);
	dns_server_set(p.w.server, "lies.example",
	    ANSWER(.a = v4_two, .ttl_s = 60, .other_question = true));
	dns_server_set(
	    p.second, "lies.example", ANSWER(.a = v4_one, .ttl_s = 60));
	resolve(&p.w, "lies.example", DNS_OK, "10.0.0.1");
	close_pair(&p);
}

/* Each says that there is no such name: that is an answer. */
Test(dns_servers, no_is_an_answer, .timeout = 20)
{
	struct pair p;

	open_pair(&p);
	dns_server_set(
	    p.second, "only.example", ANSWER(.a = v4_one, .ttl_s = 60));
	resolve(&p.w, "only.example", DNS_NO_NAME, "");
	cr_expect_eq(dns_server_count(p.second, "only.example"), 0);
	close_pair(&p);
}

Test(dns_servers, all_are_silent, .timeout = 20)
{
	struct pair p;

	open_pair(&p);
	dns_free(p.w.dns);
	p.w.config.tries = 3;
	start(&p.w);
	dns_server_set(p.w.server, "mute.example",
	    ANSWER(.drop_a = true, .drop_aaaa = true));
	dns_server_set(p.second, "mute.example",
	    ANSWER(.drop_a = true, .drop_aaaa = true));
	resolve(&p.w, "mute.example", DNS_TIMEOUT, "");
	cr_expect_eq(dns_server_count(p.w.server, "mute.example") +
			 dns_server_count(p.second, "mute.example"),
	    6, "three tries for each family");
	close_pair(&p);
}

static unsigned
count_different(const uint16_t *v, size_t n)
{
	unsigned different = 0;
	size_t i, k;

	for (i = 0; i < n; i++) {
		for (k = 0; k < i && v[k] != v[i]; k++)
			;
		different += k == i;
	}
	return different;
}

/* Both have to be guessed by who wants to answer in the server's place. */
Test(dns_servers, ids_and_ports_change, .timeout = 20)
{
	struct dns_server_seen seen[64];
	uint16_t ids[64], ports[64];
	struct world w;
	char name[32];
	size_t i, n;

	open_world(&w);
	w.config.ipv6 = false;
	start(&w);
	for (i = 0; i < 32; i++) {
		snprintf(name, sizeof(name), "n%zu.example", i);
		dns_server_set(
		    w.server, name, ANSWER(.a = v4_one, .ttl_s = 60));
		resolve(&w, name, DNS_OK, "10.0.0.1");
	}
	n = dns_server_seen(w.server, seen, ARRAY_LEN(seen));
	cr_assert_eq(n, 32);
	for (i = 0; i < n; i++) {
		ids[i] = seen[i].id;
		ports[i] = seen[i].port;
	}
	cr_expect_geq(count_different(ids, n), 30);
	cr_expect_geq(count_different(ports, n), 24);
	close_world(&w);
}
