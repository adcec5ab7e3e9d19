/* SPDX-License-Identifier: Apache-2.0 */
/* conn/uses.h: adding up, cutting, and what a full table does. */

#include <criterion/criterion.h>
#include <stdio.h>

#include "base/xalloc.h"
#include "conn/uses.h"

static const uint64_t one[USE_COUNTS] = {
	[USE_CONNECTIONS] = 1, [USE_BYTES_IN] = 10
};

static struct use_name
of(const char *service, const char *who)
{
	return (struct use_name){
		.kind = USE_OF_SERVICE,
		.service = str_of(service),
		.identity = str_of(who),
		.host = STR("h:1"),
	};
}

static void
add(struct uses *u, const char *service, const char *who, int64_t at)
{
	struct use_name name = of(service, who);

	uses_add(u, &name, at, at, one);
}

static const struct use *
find(const struct uses *u, const char *service, const char *who)
{
	struct use_name name = of(service, who);

	return uses_find(u, &name);
}

Test(uses, are_added_up)
{
	struct uses *u = uses_new(10);
	const struct use *e;

	add(u, "s", "web", 5);
	add(u, "s", "web", 3);
	add(u, "s", "web", 9);
	add(u, "s", "other", 7);
	e = find(u, "s", "web");
	cr_assert_not_null(e);
	cr_expect_eq(e->first_s, 3);
	cr_expect_eq(e->last_s, 9);
	cr_expect_eq(e->n[USE_CONNECTIONS], 3);
	cr_expect_eq(e->n[USE_BYTES_IN], 30);
	cr_expect(str_eq(use_name(e).identity, STR("web")));
	cr_expect(str_eq(use_name(e).host, STR("h:1")));
	cr_expect_eq(HASH_COUNT(u->table), 2);
	uses_free(u);
}

Test(uses, do_not_overflow)
{
	const uint64_t much[USE_COUNTS] = { [USE_BYTES_IN] = UINT64_MAX - 5 };
	struct uses *u = uses_new(10);
	struct use_name name = of("s", "web");

	uses_add(u, &name, 1, 1, much);
	uses_add(u, &name, 1, 1, one);
	cr_expect_eq(find(u, "s", "web")->n[USE_BYTES_IN], UINT64_MAX);
	uses_free(u);
}

/* The longest unused go to others of their service; nothing is lost. */
Test(uses, are_bounded)
{
	struct uses *u = uses_new(20);
	uint64_t all = 0;
	char who[32];
	const struct use *e;

	for (unsigned i = 0; i < 1000; i++) {
		(void)snprintf(who, sizeof(who), "caller-%u", i);
		add(u, i % 2 == 0 ? "a" : "b", who, i + 1);
		cr_assert_leq(HASH_COUNT(u->table), 20);
	}
	for (e = u->table; e != NULL; e = e->hh.next)
		all += e->n[USE_CONNECTIONS];
	cr_expect_eq(all, 1000);
	cr_expect_not_null(find(u, "b", "caller-999"));
	cr_expect_null(find(u, "a", "caller-0"));
	e = uses_find(u, &(struct use_name){ .kind = USE_OF_SERVICE,
			     .service = STR("a"),
			     .identity = USE_OTHERS });
	cr_assert_not_null(e);
	cr_expect(use_is_of_others(e));
	cr_expect_eq(e->first_s, 1);
	uses_free(u);
}

/* Others themselves, when services are too many. */
Test(uses, are_bounded_with_many_services)
{
	struct uses *u = uses_new(20);
	uint64_t all = 0;
	char service[32];
	const struct use *e;

	for (unsigned i = 0; i < 1000; i++) {
		(void)snprintf(service, sizeof(service), "service-%u", i);
		add(u, service, "web", i + 1);
		cr_assert_leq(HASH_COUNT(u->table), 20);
	}
	for (e = u->table; e != NULL; e = e->hh.next)
		all += e->n[USE_CONNECTIONS];
	cr_expect_eq(all, 1000);
	uses_free(u);
}

Test(uses, keep_printable_ascii_of_some_length)
{
	char longer[2000];
	struct uses *u = uses_new(10);
	struct use_name name;

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	add(u, "a\tb\n\033\xff", longer, 1);
	name = use_name(u->table);
	cr_expect(str_eq(name.service, STR("a?b???")));
	cr_expect_eq(name.identity.len, 300);
	cr_expect(str_eq(name.host, STR("h:1")));
	uses_free(u);
}

Test(uses, move_and_merge)
{
	struct uses *u = uses_new(10), *v;

	add(u, "s", "web", 5);
	v = uses_move(u);
	cr_expect_null(u->table);
	add(u, "s", "web", 6);
	uses_merge(v, u);
	cr_expect_eq(find(v, "s", "web")->n[USE_CONNECTIONS], 2);
	uses_free(u);
	uses_free(v);
}

Test(uses, rules_have_no_line)
{
	static const char *const rows[][2] = {
		{ "a.yaml:7 TrafficPermission/x",
		    "a.yaml TrafficPermission/x" },
		{ "/a b/c:12.yaml:70 K/x", "/a b/c:12.yaml K/x" },
		{ "no rule matches", "no rule matches" },
		{ "grant 1: why", "grant 1: why" },
		{ ":7 K/x", ":7 K/x" },
		{ "", "" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct text t = TEXT_EMPTY;

		use_rule_name(str_of(rows[i][0]), &t);
		cr_expect(str_eq(text_str(&t), str_of(rows[i][1])), "%s: %s",
		    rows[i][0], t.p);
		text_free(&t);
	}
}
