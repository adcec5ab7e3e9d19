/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of a text: kinds, lines, and all that is refused. */

#include <criterion/criterion.h>

#include "base/arena.h"
#include "base/problem.h"
#include "model/node.h"

static struct arena arena;
static struct problems pr;

static void
setup(void)
{
	arena_init(&arena, 0);
	pr = PROBLEMS_NONE;
}

static void
teardown(void)
{
	arena_fini(&arena);
	problems_free(&pr);
}

TestSuite(node, .init = setup, .fini = teardown);

static const struct node *
parse(const char *text)
{
	return node_parse(&arena, str_of(text), "f", 1, &pr);
}

Test(node, scalars_have_the_kinds_of_the_core_schema)
{
	static const struct {
		const char *text;
		enum node_kind kind;
	} rows[] = {
		{ "a: x", NODE_TEXT },
		{ "a: 12", NODE_NUMBER },
		{ "a: -1.5e3", NODE_NUMBER },
		{ "a: 0x1F", NODE_NUMBER },
		{ "a: .inf", NODE_NUMBER },
		{ "a: '12'", NODE_TEXT },
		{ "a: \"true\"", NODE_TEXT },
		{ "a: true", NODE_BOOL },
		{ "a: False", NODE_BOOL },
		{ "a: yes", NODE_TEXT },
		{ "a:", NODE_NULL },
		{ "a: ~", NODE_NULL },
		{ "a: null", NODE_NULL },
		{ "a: \"\"", NODE_TEXT },
		{ "a: 1.2.3", NODE_TEXT },
		{ "a: 1d", NODE_TEXT },
		{ "a: !!str 12", NODE_TEXT },
		{ "a: !mine 12", NODE_NUMBER },
		{ "a: [1]", NODE_LIST },
		{ "a: {b: c}", NODE_MAP },
		{ "{\"a\":443}", NODE_NUMBER },
	};
	const struct node *root;
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		root = parse(rows[i].text);
		cr_assert_not_null(root, "%s", rows[i].text);
		cr_expect_eq(node_get(root, STR("a"))->kind, rows[i].kind,
		    "%s is %s", rows[i].text,
		    node_kind_name(node_get(root, STR("a"))->kind));
	}
	cr_expect_eq(pr.n, 0);
}

Test(node, lines_are_those_of_the_file)
{
	const struct node *root = node_parse(&arena,
	    STR("# one\na:\n- b\n-\n  c: |\n    x\n    y\nd: 1\n"), "f", 10,
	    &pr);
	const struct node *a, *c;

	cr_assert_not_null(root);
	a = node_get(root, STR("a"));
	cr_expect_eq(root->first->line, 11u);
	cr_expect_eq(a->first->value->line, 12u);
	c = node_get(a->first->next->value, STR("c"));
	cr_expect_eq(a->first->next->value->first->line, 14u);
	cr_expect(str_eq(c->text, STR("x\ny\n")));
	cr_expect_eq(node_get(root, STR("d"))->line, 17u);
}

Test(node, json_is_read_as_it_is)
{
	const struct node *root = parse("{\n\t\"a\": [1, {\"b\": null}],\n"
					"\t\"c\":\"x\\/\\u00e9\\n\"\n}\n");

	cr_assert_not_null(root);
	cr_expect_eq(node_get(root, STR("a"))->n, 2u);
	cr_expect(str_eq(node_get(root, STR("c"))->text, STR("x/\xc3\xa9\n")));
}

Test(node, aliases_stand_for_what_they_name)
{
	const struct node *root = parse("a: &x {b: 1}\nc: *x\nd: [*x, *x]\n");

	cr_assert_not_null(root);
	cr_expect_eq(node_get(root, STR("c")), node_get(root, STR("a")));
	/* a: 2, c: 2, d: 1 + 2 * 2, the root: 1. */
	cr_expect_eq(root->weight, 10u);
}

Test(node, no_content_is_no_error)
{
	cr_expect_eq(parse("")->kind, NODE_NULL);
	cr_expect_eq(parse("# only\n\n")->kind, NODE_NULL);
	cr_expect_eq(pr.n, 0u);
}

Test(node, what_is_refused_names_its_line)
{
	static const struct {
		const char *text;
		unsigned line;
		const char *why;
	} rows[] = {
		{ "a: 1\nb: 2\na: 3\n", 3, "stands twice" },
		{ "a: {x: 1, x: 2}\n", 1, "stands twice" },
		{ "a: 1\nb: &x {c: 1}\nd:\n  <<: *x\n", 4, "merge key" },
		{ "a: *x\n", 1, "not defined before" },
		{ "a: &x [*x]\n", 1, "not defined before" },
		{ "? [a]\n: b\n", 1, "a key must be" },
		{ "a: [1, 2\nb: 3\n", 2, "not YAML or JSON" },
		{ "a: b\n\tc: d\n", 2, "not YAML or JSON" },
		{ "a: 1\n...\nb: 1\n", 3, "not YAML or JSON" },
		{ "a: \"x\n", 1, "not YAML or JSON" },
		{ "a: 1\nb: \xff\n", 2, "not YAML or JSON" },
		{ "a: 1\nb: \x01\n", 2, "not YAML or JSON" },
		{ "{\"a\": 1", 1, "not YAML or JSON" },
		{ "a: !x!y z\n", 1, "not YAML or JSON" },
	};
	size_t i;

	for (i = 0; i < ARRAY_LEN(rows); i++) {
		problems_free(&pr);
		cr_expect_null(parse(rows[i].text), "%s", rows[i].text);
		cr_assert_eq(pr.n, 1u, "%s", rows[i].text);
		cr_expect_eq(pr.v[0].line, rows[i].line, "%s: line %u",
		    rows[i].text, pr.v[0].line);
		cr_expect_not_null(strstr(pr.v[0].message, rows[i].why),
		    "%s: %s", rows[i].text, pr.v[0].message);
	}
}

Test(node, a_quoted_merge_key_is_a_key)
{
	cr_expect_not_null(parse("\"<<\": 1\n"));
}

Test(node, duplicate_keys_are_found_among_many)
{
	struct text t = TEXT_EMPTY;
	int i;

	for (i = 0; i < 40; i++)
		text_addf(&t, "k%d: 1\n", i);
	cr_expect_not_null(parse(t.p));
	text_add_z(&t, "k7: 2\n");
	cr_expect_null(parse(t.p));
	cr_assert_eq(pr.n, 1u);
	cr_expect_eq(pr.v[0].line, 41u);
	text_free(&t);
}

Test(node, depth_is_capped)
{
	struct text t = TEXT_EMPTY;
	int i;

	for (i = 0; i < NODE_MOST_DEPTH; i++)
		text_add_char(&t, '[');
	for (i = 0; i < NODE_MOST_DEPTH; i++)
		text_add_char(&t, ']');
	cr_expect_not_null(parse(t.p));
	text_clear(&t);
	for (i = 0; i < 5000; i++)
		text_add_z(&t, "- ");
	text_add_char(&t, 'x');
	cr_expect_null(parse(t.p));
	cr_expect_not_null(strstr(pr.v[0].message, "too deeply"));
	text_free(&t);
}

/* Aliases in aliases are as deep as they are where they stand. */
Test(node, depth_counts_aliases)
{
	struct text t = TEXT_EMPTY;
	int i;

	text_add_z(&t, "- &a0 [x]\n");
	for (i = 1; i < 30; i++)
		text_addf(&t, "- &a%d [[*a%d]]\n", i, i - 1);
	cr_expect_not_null(parse(t.p));
	text_add_z(&t, "- &b [[[[*a29]]]]\n- [*b]\n");
	cr_expect_null(parse(t.p));
	cr_expect_not_null(strstr(pr.v[0].message, "too deeply"));
	text_free(&t);
}

/* Nine lines that would be ten to the ninth values. */
Test(node, a_billion_laughs_are_cut_short)
{
	struct text t = TEXT_EMPTY;
	int i, k;

	text_add_z(&t, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
	for (i = 1; i < 9; i++) {
		text_addf(&t, "a%d: &a%d [", i, i);
		for (k = 0; k < 10; k++)
			text_addf(&t, "*a%d,", i - 1);
		text_add_z(&t, "]\n");
	}
	cr_expect_null(parse(t.p));
	cr_assert_eq(pr.n, 1u);
	cr_expect_not_null(strstr(pr.v[0].message, "too many values"));
	text_free(&t);
}

Test(node, length_and_anchors_are_capped)
{
	struct text t = TEXT_EMPTY;
	int i;

	for (i = 0; i < 300; i++)
		text_addf(&t, "- &a%d x\n", i);
	cr_expect_null(parse(t.p));
	text_clear(&t);
	text_add_char(&t, '"');
	memset(text_reserve(&t, NODE_MOST_BYTES), 'x', NODE_MOST_BYTES);
	t.len += NODE_MOST_BYTES;
	text_add_char(&t, '"');
	cr_expect_null(node_parse(&arena, text_str(&t), "f", 1, &pr));
	text_free(&t);
	cr_expect_eq(pr.n, 2u);
}

Test(node, wiping_leaves_no_scalar)
{
	const struct node *root = parse("a: hush\nb: [hush, {c: hush}]\n");
	const struct node *b;

	cr_assert_not_null(root);
	node_wipe(root);
	b = node_get(root, STR("b"));
	cr_expect_eq(node_get(root, STR("a"))->text.p[0], '\0');
	cr_expect_eq(b->first->value->text.p[3], '\0');
	cr_expect_eq(b->first->next->value->first->value->text.p[0], '\0');
}
