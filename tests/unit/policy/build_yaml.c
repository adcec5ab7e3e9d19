/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots from a few lines of YAML; see build_yaml.h. */

#include "build_yaml.h"

#include <criterion/criterion.h>

const struct build_settings default_settings = {
	.zone = { "z1", 2 },
	.verify_without_ca = true,
	.serve_mixed_endpoints = true,
};

struct snapshot *
build_in(struct store *st, const char *yaml, const struct build_settings *set,
    const struct snapshot *prev, const struct tls_ops *tls, struct problems *pr)
{
	store_put_file(st, "a.yaml", str_of(yaml));
	(void)store_commit(st);
	return snapshot_build(st, set, prev, tls, pr);
}

struct snapshot *
build_yaml(const char *yaml)
{
	struct problems pr = PROBLEMS_NONE;
	struct store *st = store_new();
	struct snapshot *s =
	    build_in(st, yaml, &default_settings, NULL, NULL, &pr);

	cr_assert_eq(store_problems(st)->errors + pr.errors, 0);
	problems_free(&pr);
	store_free(st);
	return s;
}
