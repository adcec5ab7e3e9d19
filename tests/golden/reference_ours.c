/* SPDX-License-Identifier: Apache-2.0 */
/* Our side of a case; see reference_case.h. */

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "case.h"
#include "lines.h"
#include "printed.h"
#include "reference_case.h"

void
reference_mend(struct text *t, const char *from, const char *to)
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

/* Secrets stand in for those that a control plane makes. */
static void
give_ca(struct store *st, struct str bytes)
{
	struct str rest = bytes, line, name;
	char *cert, *key;

	while (next_line(&rest, &line)) {
		if (!str_eq(line, STR("type: Mesh")))
			continue;
		next_line(&rest, &name);
		name = str_trim(str_from(name, strlen("name:")));
		cert = xasprintf("%.*s.ca-builtin-cert-ca-1", STR_ARG(name));
		key = xasprintf("%.*s.ca-builtin-key-ca-1", STR_ARG(name));
		store_put_secret(st, name, str_of(cert), "cert", STR("CA"));
		store_put_secret(st, name, str_of(key), "key", STR("KEY"));
		free(cert);
		free(key);
	}
}

static void
put_file(struct store *st, char *path)
{
	struct text bytes = TEXT_EMPTY;

	cr_assert(read_whole(path, &bytes), "%s", path);
	reference_mend(&bytes, "mesh: zone-1", "mesh: mesh-1");
	store_put_file(st, path, text_str(&bytes));
	give_ca(st, text_str(&bytes));
	text_free(&bytes);
	free(path);
}

static void
put_given(struct store *st, const char *root, struct str given)
{
	struct str name;

	while (given.len > 0) {
		name = str_cut(&given, ' ');
		put_file(st, xasprintf("%s/kuma/resources/%.*s.yaml", root,
				 STR_ARG(name)));
	}
}

static void
put_case(const struct reference_case *c, const char *root, struct store *st)
{
	switch (c->kind) {
	case REFERENCE_EGRESS:
		put_file(st, xasprintf("%s/kuma-cases/egress/input/%s.yaml",
				 root, c->name));
		break;
	case REFERENCE_POLICY:
		put_file(st, xasprintf("golden/reference/%s.yaml", c->name));
		break;
	case REFERENCE_MATCHING:
		put_file(st, xstrdup("golden/reference/mesh-1.yaml"));
		put_file(st, xasprintf("%s/kuma-cases/matching/%s.es.yaml",
				 root, c->name));
		put_file(
		    st, xasprintf("%s/kuma-cases/matching/%s.policies.yaml",
			    root, c->name));
		break;
	case REFERENCE_RECORDED:
		put_file(st, xstrdup("golden/reference/defaults.yaml"));
		put_given(st, root, str_of(c->given));
		break;
	}
}

/* What was recorded holds keys of no use here: problems are no matter. */
static void
expect_clean(const struct reference_case *c, const struct problems *pr)
{
	if (c->kind != REFERENCE_RECORDED)
		cr_expect_eq(pr->errors, 0, "%s: %zu errors", c->name,
		    (size_t)pr->errors);
}

void
reference_ours(
    const struct reference_case *c, const char *root, struct facts *out)
{
	static const struct build_settings set = {
		.zone = STR("zone-1"),
		.verify_without_ca = true,
		.serve_mixed_endpoints = true,
	};
	struct problems pr = PROBLEMS_NONE;
	struct text printed = TEXT_EMPTY;
	struct store *st = store_new();
	struct snapshot *s;

	put_case(c, root, st);
	cr_assert(store_commit(st), "%s", c->name);
	expect_clean(c, store_problems(st));
	s = snapshot_build(st, &set, NULL, NULL, &pr);
	expect_clean(c, &pr);
	snapshot_print(s, &printed);
	printed_describe(text_str(&printed), out);
	text_free(&printed);
	snapshot_unref(s);
	store_free(st);
	problems_free(&pr);
}
