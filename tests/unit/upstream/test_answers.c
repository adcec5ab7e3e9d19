/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses of an endpoint are dialled, and what counts as ourselves. */

#include <criterion/criterion.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdlib.h>

#include "upstream/answers.h"

static struct addr
addr(const char *host, uint16_t port)
{
	struct addr a;

	cr_assert(addr_parse(str_of(host), port, &a), "%s", host);
	return a;
}

Test(answers, our_own_listeners_are_known)
{
	static const struct {
		const char *listener;
		const char *to;
		uint16_t port;
		bool is_own;
	} rows[] = {
		{ "127.0.0.1", "127.0.0.1", 10002, true },
		{ "127.0.0.1", "127.0.0.1", 10003, false },
		{ "127.0.0.1", "127.0.0.2", 10002, false },
		{ "127.0.0.1", "::ffff:127.0.0.1", 10002, true },
		{ "127.0.0.1", "0.0.0.0", 10002, true },
		{ "192.0.2.1", "192.0.2.1", 10002, true },
		{ "192.0.2.1", "127.0.0.1", 10002, false },
		{ "0.0.0.0", "127.0.0.1", 10002, true },
		{ "0.0.0.0", "127.1.2.3", 10002, true },
		{ "0.0.0.0", "0.0.0.0", 10002, true },
		{ "0.0.0.0", "127.0.0.1", 443, false },
		{ "0.0.0.0", "192.0.2.1", 10002, false },
		{ "0.0.0.0", "::1", 10002, false },
		{ "0.0.0.0", "::ffff:127.0.0.1", 10002, true },
		{ "::", "::1", 10002, true },
		{ "::", "127.0.0.1", 10002, true },
		{ "::", "2001:db8::1", 10002, false },
		{ "::1", "127.0.0.1", 10002, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct addr own = addr(rows[i].listener, 10002);
		struct addr to = addr(rows[i].to, rows[i].port);

		cr_expect_eq(answers_is_own(&own, 1, &to), rows[i].is_own,
		    "%s:10002 and %s:%u", rows[i].listener, rows[i].to,
		    rows[i].port);
	}
}

/* A listener on all addresses has each of this host's, whatever it is. */
Test(answers, every_address_of_this_host_is_own_to_a_wildcard)
{
	struct addr own = addr("::", 10002), to;
	struct ifaddrs *list, *i;
	unsigned n = 0;

	cr_assert_eq(getifaddrs(&list), 0);
	for (i = list; i != NULL; i = i->ifa_next) {
		if (i->ifa_addr == NULL || (i->ifa_flags & IFF_UP) == 0 ||
		    i->ifa_addr->sa_family != AF_INET ||
		    !addr_from_sockaddr(
			i->ifa_addr, sizeof(struct sockaddr_in), &to))
			continue;
		addr_set_port(&to, 10002);
		cr_expect(answers_is_own(&own, 1, &to), "%s", i->ifa_name);
		n++;
	}
	freeifaddrs(list);
	cr_expect_gt(n, 0);
}

Test(answers, they_are_checked_and_take_turns)
{
	static const struct {
		const char *addrs[4];
		unsigned turn;
		bool is_literal;
		const char *used;    /* the last parts of those that stay */
		const char *refused; /* NULL: none */
	} rows[] = {
		{ { "192.0.2.1", "192.0.2.2" }, 0, false, "12", NULL },
		{ { "192.0.2.1", "192.0.2.2" }, 1, false, "21", NULL },
		{ { "192.0.2.1", "192.0.2.2" }, 2, false, "12", NULL },
		{ { "192.0.2.1", "192.0.2.2", "192.0.2.3" }, 5, false, "312",
		    NULL },
		{ { "127.0.0.1", "192.0.2.2" }, 0, false, "2", "127.0.0.1:7" },
		{ { "192.0.2.1", "169.254.169.254" }, 1, false, "1",
		    "169.254.169.254:7" },
		{ { "127.0.0.1" }, 0, false, "", "127.0.0.1:7" },
		{ { "127.0.0.1" }, 0, true, "1", NULL },
		{ { "10.9.9.9" }, 0, true, "", "10.9.9.9:7" },
		{ { "10.9.9.9", "192.0.2.2" }, 0, false, "2", "10.9.9.9:7" },
		{ { NULL }, 0, false, "", NULL },
	};
	struct addr own = addr("10.9.9.9", 7), v[4];
	struct addr_rules rules = { .n_allow = 0 };
	struct upstream_env env = {
		.addr_rules = &rules,
		.own = &own,
		.n_own = 1,
	};
	struct outward *outward =
	    outward_new(service_options_standard(), &rules);
	struct answers as = { .v = NULL };
	struct refused_answer refused;
	char text[ADDR_TEXT], used[8];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		size_t n = 0, j;

		for (; n < 4 && rows[i].addrs[n] != NULL; n++)
			v[n] = addr(rows[i].addrs[n], 0);
		answers_set(&as,
		    &(struct answers_rule){ .env = &env,
			.outward = outward,
			.rules = &outward->rules,
			.port = 7,
			.is_literal = rows[i].is_literal,
			.turn = rows[i].turn },
		    v, n, &refused);
		for (j = 0; j < as.n; j++) {
			addr_print_host(&as.v[j], text);
			used[j] = text[strlen(text) - 1];
			cr_expect_eq(addr_port(&as.v[j]), 7);
		}
		used[j] = '\0';
		cr_expect_str_eq(used, rows[i].used, "row %zu", i);
		cr_expect_eq(
		    refused.why != NULL, rows[i].refused != NULL, "row %zu", i);
		if (refused.why == NULL || rows[i].refused == NULL)
			continue;
		addr_print(&refused.addr, text);
		cr_expect_str_eq(text, rows[i].refused, "row %zu", i);
	}
	answers_free(&as);
	outward_unref(outward);
}

/* RFC 8305, section 4: in turn, and what does not work here last. */
Test(answers, families_in_turn)
{
	static const char *const all[] = { "192.0.2.1", "192.0.2.2",
		"2001:db8::3", "192.0.2.4", "2001:db8::5" };
	static const struct {
		enum family_rule family;
		const char *source[2];
		unsigned turn;
		int unusable;
		const char *used;
	} rows[] = {
		{ FAMILY_AUTO, { NULL }, 0, 0, "31524" },
		{ FAMILY_AUTO, { NULL }, 1, 0, "52341" },
		{ FAMILY_AUTO, { NULL }, 0, AF_INET6, "13254" },
		{ FAMILY_AUTO, { NULL }, 0, AF_INET, "31524" },
		{ FAMILY_PREFER_IPV4, { NULL }, 0, 0, "13254" },
		{ FAMILY_PREFER_IPV4, { NULL }, 0, AF_INET, "31524" },
		{ FAMILY_IPV4, { NULL }, 0, 0, "124" },
		{ FAMILY_IPV6, { NULL }, 0, 0, "35" },
		{ FAMILY_IPV6, { NULL }, 0, AF_INET6, "35" },
		{ FAMILY_AUTO, { "10.0.0.1" }, 0, 0, "124" },
		{ FAMILY_AUTO, { "fd00::1" }, 0, 0, "35" },
		{ FAMILY_AUTO, { "fd00::1", "10.0.0.1" }, 0, 0, "31524" },
	};
	struct upstream_env env = { .own = NULL };
	struct answers as = { .v = NULL };
	struct refused_answer refused;
	struct addr v[ARRAY_LEN(all)];
	char text[ADDR_TEXT], used[8];

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		v[i] = addr(all[i], 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct service_options o = *service_options_standard();
		struct str source[2] = { str_of(rows[i].source[0]),
			str_of(rows[i].source[1]) };
		struct families f = { .v4 = { .losses = 0 } };
		struct outward *w;
		size_t j;

		o.family = rows[i].family;
		o.source = (struct str_list){
			.v = source,
			.n = (source[0].len > 0) + (size_t)(source[1].len > 0),
		};
		for (j = 0; rows[i].unusable != 0 && j < FAMILIES_LOSSES; j++)
			families_lost(&f, rows[i].unusable, 5);
		w = outward_new(&o, NULL);
		answers_set(&as,
		    &(struct answers_rule){ .env = &env,
			.families = &f,
			.outward = w,
			.rules = &w->rules,
			.turn = rows[i].turn,
			.now_ms = 6 },
		    v, ARRAY_LEN(v), &refused);
		for (j = 0; j < as.n; j++) {
			addr_print_host(&as.v[j], text);
			used[j] = text[strlen(text) - 1];
		}
		used[j] = '\0';
		cr_expect_str_eq(used, rows[i].used, "row %zu: %s", i, used);
		cr_expect_eq(refused.why != NULL, as.n < ARRAY_LEN(v));
		outward_unref(w);
	}
	answers_free(&as);
}
