/* SPDX-License-Identifier: Apache-2.0 */
/* daemon/grants.h: what is kept over restarts, and what a file may say. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/problem.h"
#include "daemon/grants.h"
#include "unit/feed/tree.h"

#define NOW_S 1700000000

static const struct grant one = {
	.mesh = { "m", 1 },
	.caller = { "spiffe://m/web", 14 },
	.service = { "es", 2 },
	.reason = { "fix the  db", 11 },
	.until_s = NOW_S + 100,
	.given_s = NOW_S,
	.uid = 5,
};

struct rig {
	struct tree tree;
	struct grants *grants;
	struct problems problems;
};

static void
load(struct rig *r, int64_t now_s)
{
	r->problems = PROBLEMS_NONE;
	r->grants = grants_new(r->tree.path, now_s, &r->problems);
}

static void
unload(struct rig *r)
{
	grants_free(r->grants);
	problems_free(&r->problems);
}

static uint64_t
give(struct rig *r, const struct grant *g)
{
	struct text why = TEXT_EMPTY;
	uint64_t id = 0;

	cr_assert(grants_add(r->grants, g, &id, &why), "%s", why.p);
	text_free(&why);
	return id;
}

static size_t
count(const struct rig *r)
{
	size_t n;

	(void)grants_list(r->grants, &n);
	return n;
}

Test(grant_file, survives_a_restart)
{
	const struct grant *v;
	struct stat st;
	struct rig r;
	size_t n;

	tree_init(&r.tree);
	load(&r, NOW_S);
	cr_expect_eq(r.problems.n, 0, "no file is no fault");
	cr_expect_eq(give(&r, &one), 1);
	cr_expect_eq(give(&r, &one), 2);
	unload(&r);
	cr_assert_eq(stat(tree_path(&r.tree, "grants"), &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0600);
	cr_expect_neq(access(tree_path(&r.tree, "grants.new"), F_OK), 0);
	load(&r, NOW_S + 99);
	cr_expect_eq(r.problems.n, 0);
	v = grants_list(r.grants, &n);
	cr_assert_eq(n, 2);
	cr_expect_eq(v[1].id, 2);
	cr_expect(str_eq(v[1].caller, one.caller));
	cr_expect(str_eq(v[1].service, one.service));
	cr_expect(str_eq(v[1].mesh, one.mesh));
	cr_expect(str_eq(v[1].reason, one.reason));
	cr_expect_eq(v[1].until_s, one.until_s);
	cr_expect_eq(v[1].given_s, one.given_s);
	cr_expect_eq(v[1].uid, one.uid);
	unload(&r);
	tree_fini(&r.tree);
}

/* An id is given once, whatever became of it. */
Test(grant_file, ids_are_not_given_again)
{
	struct text why = TEXT_EMPTY;
	struct rig r;

	tree_init(&r.tree);
	load(&r, NOW_S);
	(void)give(&r, &one);
	(void)give(&r, &one);
	cr_expect(grants_remove(r.grants, 2, &why));
	cr_expect_not(grants_remove(r.grants, 2, &why));
	cr_expect(strstr(why.p, "no grant 2") != NULL);
	unload(&r);
	load(&r, NOW_S);
	cr_expect_eq(count(&r), 1);
	cr_expect_eq(give(&r, &one), 3);
	unload(&r);
	text_free(&why);
	tree_fini(&r.tree);
}

Test(grant_file, those_over_are_dropped)
{
	struct grant later = one;
	struct rig r;

	tree_init(&r.tree);
	later.until_s = NOW_S + 200;
	load(&r, NOW_S);
	(void)give(&r, &one);
	(void)give(&r, &later);
	grants_drop_over(r.grants, NOW_S + 99);
	cr_expect_eq(count(&r), 2);
	grants_drop_over(r.grants, NOW_S + 100);
	cr_expect_eq(count(&r), 1);
	unload(&r);
	load(&r, NOW_S);
	cr_expect_eq(count(&r), 1, "it does not come back");
	unload(&r);
	load(&r, NOW_S + 200);
	cr_expect_eq(count(&r), 0);
	unload(&r);
	tree_fini(&r.tree);
}

/* A clock that was set back between two starts makes none longer. */
Test(grant_file, lasts_no_longer_than_it_was_given_for)
{
	const struct grant *v;
	struct rig r;
	size_t n;

	tree_init(&r.tree);
	load(&r, NOW_S);
	(void)give(&r, &one);
	unload(&r);
	load(&r, NOW_S - 3600);
	v = grants_list(r.grants, &n);
	cr_assert_eq(n, 1);
	cr_expect_eq(v[0].until_s, NOW_S - 3500);
	unload(&r);
	tree_fini(&r.tree);
}

#define GOOD                                                        \
	"4 2023-11-14T22:13:20Z 2023-11-14T22:15:00Z 0 m spiffe://" \
	"m/web es why\n"

Test(grant_file, keeps_the_good_lines_of_a_bad_file)
{
	static const char *const bad[] = {
		"nonsense",
		"0 2023-11-14T22:13:20Z 2023-11-14T22:15:00Z 0 m "
		"spiffe://m/web es why",
		"5 2023-11-14T22:13:20Z never 0 m spiffe://m/web es why",
		"5 2023-11-14T22:13:20Z 2023-11-14T22:13:20Z 0 m "
		"spiffe://m/web es why",
		"5 2023-11-14T22:13:20Z 2033-11-14T22:13:20Z 0 m "
		"spiffe://m/web es why",
		"5 2023-11-14T22:13:20Z 2023-11-14T22:15:00Z -1 m "
		"spiffe://m/web es why",
		"5 2023-11-14T22:13:20Z 2023-11-14T22:15:00Z 0 m * es why",
		"5 2023-11-14T22:13:20Z 2023-11-14T22:15:00Z 0 m "
		"spiffe://m/web es",
		"4 2023-11-14T22:13:20Z 2023-11-14T22:15:00Z 0 m "
		"spiffe://m/web es twice",
	};
	char file[1024];
	struct rig r;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		tree_init(&r.tree);
		snprintf(file, sizeof(file), "# c\n\n" GOOD "%s\n", bad[i]);
		tree_write(&r.tree, "grants", file);
		load(&r, NOW_S);
		cr_expect_eq(count(&r), 1, "row %zu", i);
		cr_assert_eq(r.problems.errors, 1, "row %zu", i);
		cr_expect_eq(r.problems.v[0].line, 4, "row %zu", i);
		cr_expect_eq(give(&r, &one), 5, "row %zu", i);
		cr_expect_eq(access(tree_path(&r.tree, "grants.bad"), F_OK), 0);
		unload(&r);
		load(&r, NOW_S);
		cr_expect_eq(r.problems.n, 0, "row %zu", i);
		cr_expect_eq(count(&r), 2, "row %zu", i);
		unload(&r);
		tree_fini(&r.tree);
	}
}

/* What would not survive is not given. */
Test(grant_file, cannot_be_written)
{
	struct text why = TEXT_EMPTY;
	struct problems pr = PROBLEMS_NONE;
	struct grants *g;
	uint64_t id;
	size_t n;

	g = grants_new("/proc/no-such-place", NOW_S, &pr);
	cr_expect_not(grants_add(g, &one, &id, &why));
	cr_expect(strstr(why.p, "option state") != NULL, "%s", why.p);
	(void)grants_list(g, &n);
	cr_expect_eq(n, 0);
	grants_free(g);
	g = grants_new("", NOW_S, &pr);
	cr_expect_not(grants_add(g, &one, &id, &why));
	grants_free(g);
	cr_expect_eq(pr.n, 0);
	text_free(&why);
}

Test(grant_file, is_bounded, .timeout = 60)
{
	struct text why = TEXT_EMPTY;
	struct text file = TEXT_EMPTY;
	struct rig r;
	uint64_t id;

	tree_init(&r.tree);
	for (size_t i = 1; i <= GRANTS_MOST + 5; i++)
		text_addf(&file,
		    "%zu 2023-11-14T22:13:20Z 2023-11-14T22:15:00Z 0 m "
		    "spiffe://m/web es why\n",
		    i);
	text_add_char(&file, '\0');
	tree_write(&r.tree, "grants", file.p);
	load(&r, NOW_S);
	cr_expect_eq(count(&r), GRANTS_MOST);
	cr_expect_not(grants_add(r.grants, &one, &id, &why));
	unload(&r);
	text_free(&why);
	text_free(&file);
	tree_fini(&r.tree);
}
