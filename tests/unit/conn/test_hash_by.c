/* SPDX-License-Identifier: Apache-2.0 */
/* conn/hash_by.h: which requests and connections have the same hash. */

#include "conn/hash_by.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "http/head.h"
#include "upstream/reach.h"

#define FIELDS 6

struct one {
	const char *caller;
	const char *from;
	const char *host;
	const char *path; /* NULL: a connection */
	const char *fields[2 * FIELDS];
};

static const struct one plain = { "spiffe://m/web", "10.0.0.1", "api",
	"/?q=ann", { "x-user", "ann", "Cookie", "a=1; sid=7; b=2" } };

/* What was given; emptied before. */
static char cookie[HASH_COOKIE_TEXT];

static bool
hash(const char *by, enum balance_policy policy, const struct one *one,
    uint64_t *out)
{
	struct str words[4], rest = str_of(by);
	struct service_options o = *service_options_standard();
	struct identity caller = { .spiffe = str_of(one->caller) };
	struct reach_want want = { .is_relay = false };
	struct field fields[FIELDS];
	struct hash_source s = {
		.caller = one->caller == NULL ? NULL : &caller,
		.host = str_of(one->host),
		.cookie = cookie,
	};
	struct addr from;
	struct head q;
	size_t n = 0;

	while (rest.len > 0)
		words[n++] = str_cut(&rest, '|');
	o.balance_policy = policy;
	o.balance_hash = (struct str_list){ words, n };
	cr_assert(addr_parse(str_of(one->from), 4711, &from));
	s.from = &from;
	cookie[0] = '\0';
	head_init(&q);
	q.fields = fields;
	for (const char *const *p = one->fields; *p != NULL; p += 2)
		fields[q.n_fields++] = (struct field){
			.id = field_id_of(str_of(p[0])),
			.is_removed = p[0][0] == 'R',
			.name = str_of(p[0]),
			.value = str_of(p[1]),
		};
	q.path = str_of(one->path);
	if (one->path != NULL)
		s.request = &q;
	hash_by(&o, &s, &want);
	*out = want.hash;
	return want.has_hash;
}

/* Two that differ in one thing: who takes them for the same? */
Test(hash_by, what_counts)
{
	static const struct {
		const char *by;
		const char *what;
		struct one other;
		bool is_same;
	} rows[] = {
		{ "caller", "another service",
		    { "spiffe://m/app", "10.0.0.1", "api", "/", { NULL } },
		    false },
		{ "caller", "another address, request and host",
		    { "spiffe://m/web", "10.0.0.2", "b", "/2", { NULL } },
		    true },
		{ "source", "another address",
		    { "spiffe://m/web", "10.0.0.2", "api", "/", { NULL } },
		    false },
		{ "source", "another caller there",
		    { "spiffe://m/app", "10.0.0.1", "api", "/", { NULL } },
		    true },
		{ "source", "the same, embedded in IPv6",
		    { "spiffe://m/web", "::ffff:10.0.0.1", "api", "/",
			{ NULL } },
		    true },
		{ "header:X-User", "another value",
		    { NULL, "10.0.0.9", "b", "/", { "x-user", "bob" } },
		    false },
		{ "header:x-user", "other fields, the same value",
		    { NULL, "10.0.0.9", "b", "/",
			{ "x", "y", "X-USER", "ann" } },
		    true },
		{ "header:x-user", "one more line of it",
		    { NULL, "10.0.0.9", "b", "/",
			{ "x-user", "ann", "x-user", "bob" } },
		    false },
		{ "cookie:sid", "another value",
		    { NULL, "10.0.0.9", "b", "/", { "cookie", "sid=8" } },
		    false },
		{ "cookie:sid", "other cookies beside it",
		    { NULL, "10.0.0.9", "b", "/",
			{ "cookie", "xsid=9;sid=7; sid=8" } },
		    true },
		{ "cookie:sid", "in a second field",
		    { NULL, "10.0.0.9", "b", "/",
			{ "cookie", "a=2", "cookie", "sid=7" } },
		    true },
		{ "cookie:sid", "names have a case",
		    { NULL, "10.0.0.9", "b", "/",
			{ "cookie", "SID=6; sid=7" } },
		    true },
		{ "query:q", "another parameter",
		    { NULL, "10.0.0.9", "b", "/?xq=1&q=ann&q=8&z", { NULL } },
		    true },
		{ "query:q", "another value",
		    { NULL, "10.0.0.9", "b", "/?q=bob", { NULL } }, false },
		{ "query:q", "part of the path",
		    { NULL, "10.0.0.9", "b", "/&q=ann?q=b", { NULL } }, false },
		{ "query:q terminal|path", "what stands behind it",
		    { NULL, "10.0.0.9", "b", "/2?q=ann", { NULL } }, true },
		{ "header:none terminal|path", "what stands behind nothing",
		    { NULL, "10.0.0.9", "b", "/2", { NULL } }, false },
		{ "path", "another query",
		    { NULL, "10.0.0.9", "b", "/?q=1", { NULL } }, true },
		{ "path", "another path",
		    { NULL, "10.0.0.9", "b", "/1", { NULL } }, false },
		{ "host", "another case",
		    { NULL, "10.0.0.9", "API", "/9", { NULL } }, true },
		{ "host", "another name",
		    { NULL, "10.0.0.9", "api2", "/", { NULL } }, false },
		{ "path|host", "one of two",
		    { NULL, "10.0.0.9", "api", "/1", { NULL } }, false },
		{ "path|host", "both",
		    { NULL, "10.0.0.9", "api", "/", { NULL } }, true },
		/* What is said under one name is not said under the other. */
		{ "path|host", "the other way round",
		    { NULL, "10.0.0.9", "/", "api", { NULL } }, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t a, b;

		cr_expect(hash(rows[i].by, BALANCE_MAGLEV, &plain, &a));
		cr_expect(
		    hash(rows[i].by, BALANCE_RING_HASH, &rows[i].other, &b));
		cr_expect_eq(a == b, rows[i].is_same, "%s: %s", rows[i].by,
		    rows[i].what);
	}
}

Test(hash_by, who_has_nothing_of_it_has_no_hash)
{
	static const struct {
		const char *by;
		struct one one;
		bool has_hash;
	} rows[] = {
		{ "header:x-user",
		    { "a", "10.0.0.1", "api", "/", { "x-use", "ann" } },
		    false },
		{ "header:x-user",
		    { "a", "10.0.0.1", "api", "/", { "x-user", "" } }, false },
		{ "header:Removed",
		    { "a", "10.0.0.1", "api", "/", { "Removed", "x" } },
		    false },
		{ "cookie:sid",
		    { "a", "10.0.0.1", "api", "/", { "cookie", "sid; b=1" } },
		    false },
		{ "cookie:sid",
		    { "a", "10.0.0.1", "api", "/", { "cookie", "sid=" } },
		    false },
		/* A connection is no request. */
		{ "header:x-user|cookie:sid|path|host",
		    { "a", "10.0.0.1", "api", NULL, { "x-user", "a" } },
		    false },
		{ "header:x-user|source",
		    { "a", "10.0.0.1", "api", NULL, { NULL } }, true },
		{ "caller", { NULL, "10.0.0.1", "api", "/", { NULL } }, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint64_t h;

		cr_expect_eq(hash(rows[i].by, BALANCE_MAGLEV, &rows[i].one, &h),
		    rows[i].has_hash, "row %zu: %s", i, rows[i].by);
	}
}

/* Who has none is given one, and is at the same place when it returns. */
Test(hash_by, cookies_are_given)
{
	static const char by[] =
	    "cookie:other ttl=5 path=/x|cookie:third ttl=0|cookie:sid";
	struct service_options o = *service_options_standard();
	struct str words[] = { STR("caller"), STR("cookie:other ttl=5 path=/x"),
		STR("cookie:third ttl=0") };
	struct str session[] = { STR("cookie:third ttl=0") };
	char first[HASH_COOKIE_TEXT], pair[40];
	struct one with = plain;
	struct arena a;
	uint64_t h, again;

	cr_assert(hash(by, BALANCE_MAGLEV, &plain, &h));
	cr_assert_eq(strlen(cookie), HASH_COOKIE_TEXT - 1);
	memcpy(first, cookie, sizeof(first));
	(void)snprintf(pair, sizeof(pair), "sid=7; other=%s", first);
	with.fields[0] = "cookie";
	with.fields[1] = pair;
	with.fields[2] = NULL;
	cr_assert(hash(by, BALANCE_MAGLEV, &with, &again));
	cr_expect_eq(h, again);
	cr_expect_str_eq(cookie, "", "it has one");
	cr_assert(hash(by, BALANCE_MAGLEV, &plain, &again));
	cr_expect_str_neq(cookie, first);
	cr_expect_neq(h, again);
	/* One that has other things to go by first needs none. */
	cr_assert(hash(
	    "caller terminal|cookie:other ttl=5", BALANCE_MAGLEV, &plain, &h));
	cr_expect_str_eq(cookie, "");

	arena_init(&a, 256);
	o.balance_hash = (struct str_list){ words, ARRAY_LEN(words) };
	cr_expect(str_eq(hash_by_set_cookie(&o, "0123", &a),
	    STR("other=0123; Max-Age=5; Path=/x; HttpOnly")));
	o.balance_hash = (struct str_list){ session, 1 };
	cr_expect(str_eq(
	    hash_by_set_cookie(&o, "0123", &a), STR("third=0123; HttpOnly")));
	o.balance_hash = (struct str_list){ words, 1 };
	cr_expect_eq(hash_by_set_cookie(&o, "0123", &a).len, 0);
	arena_fini(&a);
}

/* Others are not made to pay for it. */
Test(hash_by, only_where_the_policy_wants_it)
{
	static const enum balance_policy policies[] = { BALANCE_ROUND_ROBIN,
		BALANCE_LEAST_REQUEST, BALANCE_RANDOM };
	uint64_t h;

	for (size_t i = 0; i < ARRAY_LEN(policies); i++)
		cr_expect_not(hash("caller", policies[i], &plain, &h));
}

/* Known results: other egresses, and later versions, come to the same. */
Test(hash_by, results_stay)
{
	uint64_t h;

	cr_assert(hash("caller", BALANCE_MAGLEV, &plain, &h));
	cr_expect_eq(h, UINT64_C(0xd86130486b5c24a5));
	cr_assert(hash("source|path", BALANCE_MAGLEV, &plain, &h));
	cr_expect_eq(h, UINT64_C(0xbc93ef02028d88a8));
}
