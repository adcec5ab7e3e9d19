/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Kuma's own cases, where they are at hand: ZEGRESS_REFERENCE names a folder
 * with kuma-cases/egress/input/CASE.yaml and
 * kuma-cases/egress/CASE.golden.yaml. The same server names, callers, endpoints
 * and TLS settings must result; differences.md lists what is meant to differ.
 */

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "case.h"
#include "diff.h"
#include "envoy.h"

/*
 * Kuma's generator was handed the permissions of these cases whatever mesh
 * they name, so that their mesh does not exist: say what was meant.
 */
static void
mend(struct text *t, const char *from, const char *to)
{
	struct text out = TEXT_EMPTY;
	struct str rest = text_str(t);

	while (rest.len > 0) {
		if (str_starts(rest, str_of(from))) {
			text_add_z(&out, to);
			rest = str_from(rest, strlen(from));
		} else {
			text_add_char(&out, rest.p[0]);
			rest = str_from(rest, 1);
		}
	}
	text_free(t);
	*t = out;
}

static void
describe_input(const char *path, struct text *out)
{
	struct build_settings set = {
		.zone = STR("zone-1"),
		.verify_without_ca = true,
		.serve_mixed_endpoints = true,
	};
	struct problems pr = PROBLEMS_NONE;
	struct text bytes = TEXT_EMPTY;
	struct store *st = store_new();
	struct snapshot *s;

	cr_assert(read_whole(path, &bytes), "%s", path);
	mend(&bytes, "mesh: zone-1", "mesh: mesh-1");
	store_put_file(st, path, text_str(&bytes));
	store_put_secret(st, STR("mesh-1"), STR("mesh-1.ca-builtin-cert-ca-1"),
	    "cert", STR("CA"));
	store_put_secret(st, STR("mesh-1"), STR("mesh-1.ca-builtin-key-ca-1"),
	    "key", STR("KEY"));
	cr_expect(store_commit(st));
	cr_expect_eq(store_problems(st)->errors, 0, "%s", path);
	s = snapshot_build(st, &set, NULL, NULL, &pr);
	cr_expect_eq(pr.errors, 0, "%s", path);
	snapshot_describe(s, out);
	snapshot_unref(s);
	store_free(st);
	problems_free(&pr);
	text_free(&bytes);
}

static void
describe_golden(const char *path, struct text *out)
{
	struct text bytes = TEXT_EMPTY;

	cr_assert(read_whole(path, &bytes), "%s", path);
	mend(&bytes, "spiffe://zone-1/", "spiffe://mesh-1/");
	cr_assert(envoy_describe(text_str(&bytes), out), "%s", path);
	text_free(&bytes);
}

static void
compare(const char *dir, struct str name)
{
	char *input, *golden;
	struct text ours = TEXT_EMPTY, theirs = TEXT_EMPTY;
	struct text diff = TEXT_EMPTY;

	name = str_first(name, name.len - (sizeof(".yaml") - 1));
	input = xasprintf("%s/input/%.*s.yaml", dir, STR_ARG(name));
	golden = xasprintf("%s/%.*s.golden.yaml", dir, STR_ARG(name));
	describe_input(input, &ours);
	describe_golden(golden, &theirs);
	cr_expect_gt(theirs.len, 0, "%s says nothing", golden);
	print_diff(text_str(&theirs), text_str(&ours), &diff);
	cr_expect_eq(diff.len, 0, "%s:\n%s", input, diff.len > 0 ? diff.p : "");
	text_free(&ours);
	text_free(&theirs);
	text_free(&diff);
	free(input);
	free(golden);
}

Test(reference, egress_cases)
{
	const char *reference = getenv("ZEGRESS_REFERENCE");
	char *dir, *inputs;
	struct dirent **v;
	int i, n, done = 0;

	if (reference == NULL)
		cr_skip("ZEGRESS_REFERENCE is not set");
	dir = xasprintf("%s/kuma-cases/egress", reference);
	inputs = xasprintf("%s/input", dir);
	n = scandir(inputs, &v, NULL, alphasort);
	cr_assert_neq(n, -1, "%s", inputs);
	for (i = 0; i < n; i++) {
		if (str_ends(str_of(v[i]->d_name), STR(".yaml"))) {
			compare(dir, str_of(v[i]->d_name));
			done++;
		}
		free(v[i]);
	}
	free(v);
	free(dir);
	free(inputs);
	cr_expect_gt(done, 0);
}
