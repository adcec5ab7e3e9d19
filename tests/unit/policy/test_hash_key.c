/* SPDX-License-Identifier: Apache-2.0 */
/* policy/hash_key.h: which words there are. */

#include "policy/hash_key.h"

#include <criterion/criterion.h>

Test(hash_key, words)
{
	static const struct {
		const char *text;
		bool is_good;
		enum hash_of of;
		const char *name;
		bool is_of_request;
	} rows[] = {
		{ "caller", true, HASH_OF_CALLER, "", false },
		{ "source", true, HASH_OF_SOURCE, "", false },
		{ "header:X-User", true, HASH_OF_HEADER, "X-User", true },
		{ "cookie:sid", true, HASH_OF_COOKIE, "sid", true },
		{ "path", true, HASH_OF_PATH, "", true },
		{ "host", true, HASH_OF_HOST, "", true },
		{ "", false, 0, "", false },
		{ "Caller", false, 0, "", false },
		{ "caller:", false, 0, "", false },
		{ "path:x", false, 0, "", false },
		{ "header", false, 0, "", false },
		{ "header:", false, 0, "", false },
		{ "header:a b", false, 0, "", false },
		{ "header:a:b", false, 0, "", false },
		{ "header::authority", false, 0, "", false },
		{ "cookie:a=b", false, 0, "", false },
		{ "query:user%20id", true, HASH_OF_QUERY, "user%20id", true },
		{ "query:", false, 0, "", false },
		{ "query:a&b", false, 0, "", false },
		{ "query:a=b", false, 0, "", false },
	};
	struct hash_key k;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_expect_eq(hash_key_parse(str_of(rows[i].text), &k),
		    rows[i].is_good, "%s", rows[i].text);
		if (!rows[i].is_good)
			continue;
		cr_expect_eq(k.of, rows[i].of, "%s", rows[i].text);
		cr_expect(
		    str_eq(k.name, str_of(rows[i].name)), "%s", rows[i].text);
		cr_expect_eq(hash_key_is_of_request(&k), rows[i].is_of_request,
		    "%s", rows[i].text);
	}
}

Test(hash_key, what_stands_behind)
{
	static const struct {
		const char *text;
		bool is_good;
		bool is_terminal;
		bool is_given;
		unsigned ttl_s;
		const char *path;
	} rows[] = {
		{ "cookie:sid", true, false, false, 0, "" },
		{ "cookie:sid terminal", true, true, false, 0, "" },
		{ "source terminal", true, true, false, 0, "" },
		{ "cookie:sid ttl=0", true, false, true, 0, "" },
		{ "cookie:sid ttl=3600 path=/app terminal", true, true, true,
		    3600, "/app" },
		{ "cookie:sid path=/ ttl=315446400", true, false, true,
		    315446400, "/" },
		{ "cookie:sid path=/", false, false, false, 0, "" },
		{ "cookie:sid ttl=1 path=x", false, false, false, 0, "" },
		{ "cookie:sid ttl=1 path=", false, false, false, 0, "" },
		{ "cookie:sid ttl=1 path=/a;b", false, false, false, 0, "" },
		{ "cookie:sid ttl=", false, false, false, 0, "" },
		{ "cookie:sid ttl=-1", false, false, false, 0, "" },
		{ "cookie:sid ttl=315446401", false, false, false, 0, "" },
		{ "cookie:sid ttl", false, false, false, 0, "" },
		{ "header:x ttl=1", false, false, false, 0, "" },
		{ "caller path=/", false, false, false, 0, "" },
		{ "caller final", false, false, false, 0, "" },
		{ "caller terminal=1", false, false, false, 0, "" },
		{ "caller ", false, false, false, 0, "" },
		{ "caller  terminal", false, false, false, 0, "" },
	};
	struct hash_key k;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		cr_expect_eq(hash_key_parse(str_of(rows[i].text), &k),
		    rows[i].is_good, "%s", rows[i].text);
		if (!rows[i].is_good)
			continue;
		cr_expect_eq(
		    k.is_terminal, rows[i].is_terminal, "%s", rows[i].text);
		cr_expect_eq(k.is_given, rows[i].is_given, "%s", rows[i].text);
		cr_expect_eq(k.ttl_s, rows[i].ttl_s, "%s", rows[i].text);
		cr_expect(
		    str_eq(k.path, str_of(rows[i].path)), "%s", rows[i].text);
	}
}
