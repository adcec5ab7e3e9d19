/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Golden cases: a directory of resources in, the printed snapshot out.  With
 * GOLDEN_UPDATE in the environment expected.txt is written anew, to be read
 * before it is committed.
 */

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "case.h"
#include "diff.h"

#define LEAST_CASES 12

static void
print_kept(
    const struct snapshot *prev, const struct snapshot *s, struct text *out)
{
	struct service *const *v;
	struct snapshot_diff d;
	size_t i, n;

	snapshot_diff(prev, s, &d);
	for (i = 0; i < d.n_gone; i++)
		text_addf(out, "gone %.*s\n", STR_ARG(d.gone[i]->key));
	for (i = 0; i < d.n_changed; i++)
		text_addf(out, "changed %.*s\n", STR_ARG(d.changed[i]->key));
	v = snapshot_services(s, &n);
	for (i = 0; i < n; i++)
		if (snapshot_find(prev, v[i]->key) == v[i])
			text_addf(
			    out, "same object %.*s\n", STR_ARG(v[i]->key));
	free(d.changed);
	free(d.gone);
}

static void
run(const char *dir, struct text *out)
{
	char *path = xasprintf("%s/settings", dir);
	struct problems pr = PROBLEMS_NONE, again = PROBLEMS_NONE;
	struct store *st = store_new();
	struct case_settings settings;
	struct snapshot *prev, *s;

	case_settings_read(path, &settings);
	free(path);
	case_services_read(dir, &settings, &pr);
	cr_assert(case_load(st, dir), "%s", dir);
	prev = snapshot_build(st, &settings.set, NULL, settings.tls, &pr);
	case_print(st, &pr, prev, out);
	path = xasprintf("%s/reload", dir);
	if (case_load(st, path)) {
		case_services_read(path, &settings, &again);
		s = snapshot_build(
		    st, &settings.set, prev, settings.tls, &again);
		text_add_z(out, "\n==== after the reload\n");
		print_kept(prev, s, out);
		case_print(st, &again, s, out);
		snapshot_unref(s);
	}
	free(path);
	snapshot_unref(prev);
	store_free(st);
	problems_free(&pr);
	problems_free(&again);
	case_settings_free(&settings);
}

static void
write_whole(const char *path, const struct text *t)
{
	FILE *f = fopen(path, "wb");

	cr_assert_not_null(f, "%s", path);
	cr_assert_eq(fwrite(t->p, 1, t->len, f), t->len);
	cr_assert_eq(fclose(f), 0);
}

static void
compare(const char *name)
{
	char *dir = xasprintf("golden/%s", name);
	char *path = xasprintf("%s/expected.txt", dir);
	struct text got = TEXT_EMPTY, expected = TEXT_EMPTY;
	struct text diff = TEXT_EMPTY;

	run(dir, &got);
	if (getenv("GOLDEN_UPDATE") != NULL)
		write_whole(path, &got);
	cr_expect(read_whole(path, &expected), "%s is missing", path);
	print_diff(text_str(&expected), text_str(&got), &diff);
	cr_expect_eq(
	    diff.len, 0, "%s differs:\n%s", path, diff.len > 0 ? diff.p : "");
	text_free(&got);
	text_free(&expected);
	text_free(&diff);
	free(path);
	free(dir);
}

static bool
is_case(const char *name)
{
	char *path = xasprintf("golden/%s/settings", name);
	bool is_there = access(path, R_OK) == 0;

	free(path);
	return is_there;
}

/* The current directory is that of all tests. */
Test(golden, cases)
{
	struct dirent **v;
	int i, n, cases = 0;

	n = scandir("golden", &v, NULL, alphasort);
	cr_assert_neq(n, -1, "no directory golden");
	for (i = 0; i < n; i++) {
		if (v[i]->d_name[0] != '.' && is_case(v[i]->d_name)) {
			compare(v[i]->d_name);
			cases++;
		}
		free(v[i]);
	}
	free(v);
	cr_expect_geq(cases, LEAST_CASES);
}
