/* SPDX-License-Identifier: Apache-2.0 */
/* Rules asked in order, by ruleset. */

#include <criterion/criterion.h>

#include "make_service.h"
#include "policy/authorize.h"

static const struct {
	const char *rules;
	const char *caller; /* URI SANs, separated by spaces */
	bool is_allowed;
	bool is_shadow_denied;
	uint64_t rulesets;
	const char *rule;
} rows[] = {
	{ NULL, "spiffe://m/web", false, false, 0, "no rule matches" },
	{ "", "spiffe://m/web", false, false, 0, "no rule matches" },
	{ "allow *", "spiffe://m/web", true, false, 1, "test:1 Rule/r1" },
	{ "deny *", "spiffe://m/web", false, false, 0, "test:1 Rule/r1" },
	{ "allow", "spiffe://m/web", false, false, 0, "no rule matches" },
	{ "allow spiffe://m/web", "spiffe://m/web", true, false, 1,
	    "test:1 Rule/r1" },
	{ "allow spiffe://m/web", "spiffe://m/web2", false, false, 0,
	    "no rule matches" },
	{ "allow spiffe://m/a spiffe://m/web", "spiffe://m/web", true, false, 1,
	    "test:1 Rule/r1" },
	/* All tags of a principal are needed. */
	{ "allow spiffe://m/web+kuma://zone/a", "spiffe://m/web", false, false,
	    0, "no rule matches" },
	{ "allow spiffe://m/web+kuma://zone/a",
	    "kuma://zone/a spiffe://m/web kuma://x/y", true, false, 1,
	    "test:1 Rule/r1" },
	/* The first that matches decides. */
	{ "deny spiffe://m/web\nallow *", "spiffe://m/web", false, false, 0,
	    "test:1 Rule/r1" },
	{ "deny spiffe://m/web\nallow *", "spiffe://m/api", true, false, 1,
	    "test:2 Rule/r2" },
	{ "shadow *\ndeny *", "spiffe://m/api", true, true, 1,
	    "test:1 Rule/r1" },
	/* Each ruleset by itself. */
	{ "deny *\n--\nallow *", "spiffe://m/web", true, false, 2,
	    "test:2 Rule/r2" },
	{ "allow *\n--\nallow spiffe://m/a\n--\nallow spiffe://m/web",
	    "spiffe://m/web", true, false, 5, "test:1 Rule/r1" },
	{ "allow spiffe://m/a\n--\ndeny *", "spiffe://m/web", false, false, 0,
	    "test:2 Rule/r2" },
};

static struct identity *
caller(const char *text)
{
	struct str rest = str_of(text), uris[8];
	struct identity *id;
	size_t n = 0;

	while (rest.len > 0)
		uris[n++] = str_cut(&rest, ' ');
	cr_assert_eq(identity_new(STR("m"), uris, n, 0, &id), IDENTITY_OK);
	return id;
}

Test(authorize, table)
{
	struct identity *id;
	struct service *s;
	struct verdict v;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		id = caller(rows[i].caller);
		s = make_service("s", rows[i].rules, NULL, NULL);
		authorize(s, id, STR("s{mesh=m}"), &v);
		cr_expect_eq(v.is_allowed, rows[i].is_allowed, "row %zu", i);
		cr_expect_eq(
		    v.is_shadow_denied, rows[i].is_shadow_denied, "row %zu", i);
		cr_expect_eq(v.rulesets, rows[i].rulesets, "row %zu", i);
		cr_expect(str_eq(v.rule, str_of(rows[i].rule)), "row %zu: %.*s",
		    i, STR_ARG(v.rule));
		identity_free(id);
		service_unref(s);
	}
}
