/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a real Kuma has its egress do, where it is at hand (ZEGRESS_REFERENCE
 * names a folder with kuma-cases/ and kuma/): the same server names, callers,
 * endpoints, TLS, limits and faults must be in what snapshot_print() says of
 * the same resources.  What is meant to differ is a row of differences.md,
 * and a row that nothing meets any more has to go.
 */

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "case.h"
#include "differences.h"
#include "facts.h"
#include "reference_case.h"

#define DIFFERENCES "golden/differences.md"

static void
compare(const struct reference_case *c, const char *root, struct differences *d)
{
	struct facts theirs = FACTS_NONE, ours = FACTS_NONE;
	struct text diff = TEXT_EMPTY;

	reference_theirs(c, root, &theirs);
	reference_ours(c, root, &ours);
	cr_expect_gt(theirs.n, 0, "%s says nothing", c->name);
	facts_compare(c->name, c->only, &theirs, &ours, d, &diff);
	cr_expect_eq(diff.len, 0,
	    "%s: no row of " DIFFERENCES " for (case, server name, what, Kuma, "
	    "here):\n%s",
	    c->name, diff.len > 0 ? diff.p : "");
	text_free(&diff);
	facts_free(&theirs);
	facts_free(&ours);
}

Test(reference, differs_only_as_listed)
{
	const char *root = getenv("ZEGRESS_REFERENCE");
	struct differences d;
	size_t i;

	if (root == NULL)
		cr_skip("ZEGRESS_REFERENCE is not set");
	cr_assert(differences_read(DIFFERENCES, &d));
	for (i = 0; i < n_reference_cases; i++)
		compare(&reference_cases[i], root, &d);
	for (i = 0; i < d.n; i++)
		cr_expect(d.v[i].is_met,
		    DIFFERENCES ":%u: is not met any more: take it out",
		    d.v[i].line);
	differences_free(&d);
}

static bool
is_of_a_case(const struct difference *row)
{
	for (size_t i = 0; i < n_reference_cases; i++)
		if (difference_is_of(row, reference_cases[i].name))
			return true;
	return false;
}

Test(reference, each_row_has_a_case_and_a_reason)
{
	struct differences d;

	cr_assert(differences_read(DIFFERENCES, &d));
	cr_expect_gt(d.n, 0);
	for (size_t i = 0; i < d.n; i++) {
		cr_expect_eq(d.v[i].n_cells, DIFFERENCE_CELLS,
		    DIFFERENCES ":%u: %u cells", d.v[i].line, d.v[i].n_cells);
		cr_expect(is_of_a_case(&d.v[i]),
		    DIFFERENCES ":%u: no case is called %s", d.v[i].line,
		    d.v[i].cell[0]);
		cr_expect_neq(d.v[i].cell[DIFFERENCE_CELLS - 1][0], '\0',
		    DIFFERENCES ":%u: no reason", d.v[i].line);
		cr_expect_neq(strcmp(d.v[i].cell[3], d.v[i].cell[4]), 0,
		    DIFFERENCES ":%u: no difference", d.v[i].line);
	}
	differences_free(&d);
}

/* The case itself, or a file of it. */
static bool
is_of(const char *name, const char *of)
{
	size_t n = strlen(of);

	return strncmp(name, of, n) == 0 && (name[n] == '.' || name[n] == '\0');
}

/* Compared, or named in differences.md with why it is not. */
static bool
is_accounted_for(const char *name, struct str list)
{
	struct str rest;
	char *quoted;
	bool is_named = false;

	for (size_t i = 0; i < n_reference_cases; i++)
		if (is_of(name, reference_cases[i].name))
			return true;
	quoted = xasprintf("`%s`", name);
	for (rest = list; rest.len > 0 && !is_named; rest = str_from(rest, 1))
		is_named = str_starts(rest, str_of(quoted));
	free(quoted);
	return is_named;
}

static void
account_for(const char *root, const char *folder, struct str list)
{
	char *path = xasprintf("%s/%s", root, folder);
	struct dirent **v;
	int n = scandir(path, &v, NULL, alphasort);

	cr_assert_gt(n, 0, "%s", path);
	for (int i = 0; i < n; i++) {
		if (v[i]->d_name[0] != '.' &&
		    strcmp(v[i]->d_name, "input") != 0)
			cr_expect(is_accounted_for(v[i]->d_name, list),
			    "%s/%s is neither compared nor named in "
			    "" DIFFERENCES,
			    folder, v[i]->d_name);
		free(v[i]);
	}
	free(v);
	free(path);
}

Test(reference, nothing_is_passed_over)
{
	const char *root = getenv("ZEGRESS_REFERENCE");
	struct text list = TEXT_EMPTY;

	if (root == NULL)
		cr_skip("ZEGRESS_REFERENCE is not set");
	cr_assert(read_whole(DIFFERENCES, &list));
	account_for(root, "kuma-cases/egress", text_str(&list));
	account_for(root, "kuma-cases/policies", text_str(&list));
	account_for(root, "kuma/scenarios", text_str(&list));
	text_free(&list);
}
