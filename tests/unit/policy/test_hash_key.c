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
		{ "query:x", false, 0, "", false },
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
