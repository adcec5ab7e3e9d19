/* SPDX-License-Identifier: Apache-2.0 */
/* base/problem.h: how problems are collected and printed. */

#include <criterion/criterion.h>

#include "base/problem.h"

static void
expect_print(const struct problem *p, const char *want)
{
	struct text t = TEXT_EMPTY;

	problem_print(p, &t);
	cr_expect_str_eq(t.p, want, "%s", t.p);
	text_free(&t);
}

Test(problem, prints_what_is_known)
{
	struct problems pr = PROBLEMS_NONE;

	problem_add(&pr, PROBLEM_ERROR, "a.yaml", 12, "networking.address",
	    "%s: write host:port", "no port");
	problem_add(&pr, PROBLEM_WARNING, "a.yaml", 12, "tags", "unused");
	problem_add(&pr, PROBLEM_ERROR, "a.yaml", 0, NULL, "unreadable");
	problem_add(&pr, PROBLEM_ERROR, NULL, 7, "zone", "missing");
	problem_add(&pr, PROBLEM_WARNING, NULL, 0, "", "alone");
	cr_expect_eq(pr.n, 5);
	cr_expect_eq(pr.errors, 3);
	expect_print(&pr.v[0],
	    "a.yaml:12: networking.address: no port: write host:port");
	expect_print(&pr.v[1], "a.yaml:12: tags: warning: unused");
	expect_print(&pr.v[2], "a.yaml: unreadable");
	expect_print(&pr.v[3], "zone: missing");
	expect_print(&pr.v[4], "warning: alone");
	problems_free(&pr);
	cr_expect_eq(pr.n, 0);
}

Test(problem, append_copies)
{
	struct problems a = PROBLEMS_NONE, b = PROBLEMS_NONE;
	unsigned i;

	problem_add(&a, PROBLEM_ERROR, NULL, 0, NULL, "first");
	for (i = 0; i < 20; i++)
		problem_add(&b, i % 2 ? PROBLEM_WARNING : PROBLEM_ERROR, "f", i,
		    "p", "%u", i);
	problems_append(&a, &b);
	problems_free(&b);
	cr_expect_eq(a.n, 21);
	cr_expect_eq(a.errors, 11);
	expect_print(&a.v[20], "f:19: p: warning: 19");
	problems_free(&a);
}
