/* SPDX-License-Identifier: Apache-2.0 */
/* Holding, matching, sharing, comparing; with services made by hand. */

#include <criterion/criterion.h>

#include "base/problem.h"
#include "make_service.h"
#include "policy/snapshot.h"

static const char *const one[] = { "a 10.0.0.1", NULL };
static const char *const two[] = { "a 10.0.0.2", NULL };

static struct snapshot *
freeze(const struct snapshot *prev, struct problems *pr, struct service *a,
    struct service *b)
{
	struct plan *p = plan_new();

	plan_add_service(p, a);
	if (b != NULL)
		plan_add_service(p, b);
	return snapshot_freeze(p, prev, pr);
}

Test(snapshot, match_folds_case)
{
	struct problems pr = PROBLEMS_NONE;
	struct snapshot *s =
	    freeze(NULL, &pr, make_service("web", "allow *", one, NULL),
		make_service("api", "allow *", one, NULL));
	struct service *web = snapshot_find(s, STR("m/ES/web"));
	char longest[256];

	cr_assert_not_null(web);
	cr_expect_eq(snapshot_match(s, STR("web{mesh=m}")), web);
	cr_expect_eq(snapshot_match(s, STR("WEB{Mesh=M}")), web);
	cr_expect_neq(snapshot_match(s, STR("api{mesh=m}")), web);
	cr_expect_null(snapshot_match(s, STR("web")));
	cr_expect_null(snapshot_match(s, STR("")));
	cr_expect_null(snapshot_match(s, STR_NONE));
	memset(longest, 'a', sizeof(longest));
	cr_expect_null(snapshot_match(
	    s, (struct str){ .p = longest, .len = sizeof(longest) }));
	cr_expect_null(snapshot_find(s, STR("m/ES/none")));
	cr_expect_eq(pr.n, 0);
	snapshot_unref(s);
}

Test(snapshot, services_are_sorted)
{
	struct problems pr = PROBLEMS_NONE;
	struct snapshot *s =
	    freeze(NULL, &pr, make_service("b", NULL, one, NULL),
		make_service("a", NULL, one, NULL));
	struct service *const *v;
	size_t n;

	v = snapshot_services(s, &n);
	cr_assert_eq(n, 2);
	cr_expect(str_eq(v[0]->key, STR("m/ES/a")));
	cr_expect(str_eq(v[1]->key, STR("m/ES/b")));
	snapshot_unref(s);
}

static void
take_web(struct service *s)
{
	s->snis[0] = STR("web{mesh=m}");
}

Test(snapshot, one_name_twice_is_an_error)
{
	struct problems pr = PROBLEMS_NONE;
	struct snapshot *s =
	    freeze(NULL, &pr, make_service("web", NULL, one, NULL),
		make_service_with("zzz", NULL, one, NULL, take_web));

	cr_expect_eq(snapshot_match(s, STR("web{mesh=m}")),
	    snapshot_find(s, STR("m/ES/web")), "the first by key keeps it");
	cr_assert_eq(pr.errors, 1);
	cr_expect_str_eq(pr.v[0].file, "a file");
	cr_expect_eq(pr.v[0].line, 7);
	cr_expect_not_null(strstr(pr.v[0].message, "m/ES/web"));
	cr_expect_not_null(strstr(pr.v[0].message, "web{mesh=m}"));
	problems_free(&pr);
	snapshot_unref(s);
}

Test(snapshot, equal_services_are_one)
{
	struct problems pr = PROBLEMS_NONE;
	struct snapshot *a =
	    freeze(NULL, &pr, make_service("same", "allow *", one, NULL),
		make_service("moved", "allow *", one, NULL));
	struct snapshot *b =
	    freeze(a, &pr, make_service("same", "allow *", one, NULL),
		make_service("moved", "allow *", two, NULL));

	cr_expect_eq(snapshot_find(a, STR("m/ES/same")),
	    snapshot_find(b, STR("m/ES/same")));
	cr_expect_neq(snapshot_find(a, STR("m/ES/moved")),
	    snapshot_find(b, STR("m/ES/moved")));
	snapshot_unref(a);
	cr_expect_not_null(snapshot_match(b, STR("same{mesh=m}")),
	    "it outlives the snapshot it came from");
	snapshot_unref(b);
}

static void
move_line(struct service *s)
{
	s->origin = STR("a file:8 ExternalService/same");
}

/* The text must be true, but nothing has changed for those who use it. */
Test(snapshot, a_moved_line_is_no_change)
{
	struct problems pr = PROBLEMS_NONE;
	struct snapshot *a =
	    freeze(NULL, &pr, make_service("same", "allow *", one, NULL), NULL);
	struct snapshot *b = freeze(a, &pr,
	    make_service_with("same", "allow *", one, NULL, move_line), NULL);
	struct snapshot_diff d;

	cr_expect_neq(snapshot_find(a, STR("m/ES/same")),
	    snapshot_find(b, STR("m/ES/same")));
	snapshot_diff(a, b, &d);
	cr_expect_eq(d.n_changed, 0);
	cr_expect_eq(d.n_gone, 0);
	free(d.changed);
	free(d.gone);
	snapshot_unref(a);
	snapshot_unref(b);
}

Test(snapshot, diff)
{
	struct problems pr = PROBLEMS_NONE;
	struct snapshot *a =
	    freeze(NULL, &pr, make_service("gone", NULL, one, NULL),
		make_service("same", NULL, one, NULL));
	struct snapshot *b =
	    freeze(a, &pr, make_service("same", "allow *", one, NULL),
		make_service("new", NULL, one, NULL));
	struct snapshot_diff d;

	snapshot_diff(a, b, &d);
	cr_assert_eq(d.n_changed, 2);
	cr_expect(str_eq(d.changed[0]->key, STR("m/ES/new")));
	cr_expect(str_eq(d.changed[1]->key, STR("m/ES/same")));
	cr_assert_eq(d.n_gone, 1);
	cr_expect(str_eq(d.gone[0]->key, STR("m/ES/gone")));
	free(d.changed);
	free(d.gone);
	snapshot_diff(NULL, a, &d);
	cr_expect_eq(d.n_changed, 2);
	cr_expect_eq(d.n_gone, 0);
	free(d.changed);
	free(d.gone);
	snapshot_unref(a);
	snapshot_unref(b);
}
