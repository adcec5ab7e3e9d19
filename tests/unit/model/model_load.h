/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_MODEL_LOAD_H
#define TESTS_MODEL_LOAD_H

/* What the tests of the model share: load a text, name what came of it. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "model/store.h"

static inline void
put(struct store *st, const char *path, const char *text)
{
	store_put_file(st, path, str_of(text));
}

/* A store that holds one file, "f.yaml", committed. */
static inline struct store *
load(const char *text)
{
	struct store *st = store_new();

	put(st, "f.yaml", text);
	store_commit(st);
	return st;
}

/* The paths of all problems of that level, by blanks; to free(). */
static inline char *
paths_of(const struct store *st, enum problem_level level)
{
	const struct problems *pr = store_problems(st);
	struct text out = TEXT_EMPTY;
	size_t i;

	for (i = 0; i < pr->n; i++) {
		if (pr->v[i].level == level)
			text_addf(&out, "%s%s", out.len > 0 ? " " : "",
			    pr->v[i].path != NULL ? pr->v[i].path : "-");
	}
	return text_take(&out);
}

/* The messages of all problems, a line each; to free(). */
static inline char *
print_problems(const struct store *st)
{
	const struct problems *pr = store_problems(st);
	struct text out = TEXT_EMPTY;
	size_t i;

	for (i = 0; i < pr->n; i++) {
		problem_print(&pr->v[i], &out);
		text_add_char(&out, '\n');
	}
	return text_take(&out);
}

static inline size_t
count_in_force(const struct store *st)
{
	size_t n, sum = 0;
	int k;

	for (k = 0; k < KIND_N; k++) {
		store_list(st, (enum kind)k, &n);
		sum += n;
	}
	return sum;
}

static inline const struct resource *
find(const struct store *st, enum kind kind, const char *mesh, const char *name)
{
	return store_find(st, kind, str_of(mesh), str_of(name));
}

#define expect_str(s, text)                                                    \
	cr_expect(str_eq((s), str_of(text)), "%s is \"%.*s\", not \"%s\"", #s, \
	    STR_ARG(s), (text))

/* One row of a table: a text, and the paths that are wrong in it. */
struct wrong {
	const char *what;
	const char *text;
	const char *errors;   /* paths by blanks, "" for none */
	const char *warnings; /* the same; NULL: of no interest */
};

static inline void
expect_wrong(const struct wrong *rows, size_t n)
{
	char *errors, *warnings, *all;
	struct store *st;
	size_t i;

	for (i = 0; i < n; i++) {
		st = load(rows[i].text);
		errors = paths_of(st, PROBLEM_ERROR);
		warnings = paths_of(st, PROBLEM_WARNING);
		all = print_problems(st);
		cr_expect_str_eq(errors, rows[i].errors,
		    "%s: errors \"%s\"\n%s", rows[i].what, errors, all);
		if (rows[i].warnings != NULL)
			cr_expect_str_eq(warnings, rows[i].warnings,
			    "%s: warnings \"%s\"\n%s", rows[i].what, warnings,
			    all);
		free(errors);
		free(warnings);
		free(all);
		store_free(st);
	}
}

#endif
