/* SPDX-License-Identifier: Apache-2.0 */
/* Kuma's side of a case; see reference_case.h. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "at.h"
#include "base/xalloc.h"
#include "case.h"
#include "lines.h"
#include "reference_case.h"

static void
unpack(const char *path, struct text *out)
{
	char *command = xasprintf("gzip -dc '%s'", path);
	FILE *f = popen(command, "r");
	size_t n;

	cr_assert_not_null(f);
	while ((n = fread(text_reserve(out, 65536), 1, 65536, f)) > 0)
		out->len += n;
	cr_assert_eq(pclose(f), 0, "%s", path);
	free(command);
}

/* One list of the three, as if they had been written together. */
static void
read_split(const char *path, struct text *out)
{
	static const char *const parts[] = { "listeners", "clusters",
		"endpoints" };
	struct text one = TEXT_EMPTY;
	struct str rest, line;
	char *part;

	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		part = xasprintf("%s.%s.golden.yaml", path, parts[i]);
		text_clear(&one);
		cr_assert(read_whole(part, &one), "%s", part);
		free(part);
		rest = text_str(&one);
		/* "{}" where there is none. */
		if (!next_line(&rest, &line) ||
		    !str_eq(line, STR("resources:")))
			continue;
		text_add(out, i == 0 ? text_str(&one) : rest);
	}
	text_free(&one);
}

static const char *
folder_of(enum reference_kind kind)
{
	switch (kind) {
	case REFERENCE_EGRESS:
		return "kuma-cases/egress";
	case REFERENCE_POLICY:
		return "kuma-cases/policies";
	case REFERENCE_MATCHING:
		return "kuma-cases/matching";
	case REFERENCE_RECORDED:
		return "kuma/scenarios";
	}
	return "";
}

static void
read_theirs(const struct reference_case *c, const char *root, struct text *out)
{
	char *base = xasprintf("%s/%s/%s", root, folder_of(c->kind), c->name);
	char *path;

	if (c->is_split) {
		read_split(base, out);
	} else if (c->kind == REFERENCE_RECORDED) {
		path = xasprintf("%s/egress-1.config_dump.json.gz", base);
		unpack(path, out);
		free(path);
	} else {
		path = xasprintf("%s.golden.yaml", base);
		cr_assert(read_whole(path, out), "%s", path);
		free(path);
	}
	if (c->kind == REFERENCE_EGRESS)
		reference_mend(out, "spiffe://zone-1/", "spiffe://mesh-1/");
	free(base);
}

/* kuma.io/service: X and others, negated or not, as principals. */
static char *
subset_text(struct at subset)
{
	struct text t = TEXT_EMPTY;
	struct at one;
	const char *key;

	for (size_t i = 0; (one = at_item(subset, i)).node != NULL; i++) {
		key = at_text(at_field(one, "Key"));
		text_addf(&t, "%s%s", i > 0 ? " and " : "",
		    strcmp(at_text(at_field(one, "Not")), "true") == 0 ? "not "
								       : "");
		if (strcmp(key, "kuma.io/service") == 0)
			text_add_z(&t, "spiffe://mesh-1/");
		else
			text_addf(&t, "kuma://%s/", key);
		text_add_z(&t, at_text(at_field(one, "Value")));
	}
	if (t.len == 0)
		text_add_z(&t, "any");
	return text_take(&t);
}

static void
describe_matching(struct str yaml, struct str name, struct facts *out)
{
	struct lines allowed = LINES_NONE, shadow = LINES_NONE;
	yaml_document_t doc;
	struct at root, rules, rule;
	const char *action;

	cr_assert(at_parse(yaml, &doc, &root));
	rules = at_item(at_field(root, "Rules"), 0);
	for (size_t i = 0; (rule = at_item(rules, i)).node != NULL; i++) {
		action = at_text(at_walk(rule, "Conf.action"));
		if (strcmp(action, "Deny") == 0)
			continue;
		lines_add(&allowed, subset_text(at_field(rule, "Subset")));
		if (strcmp(action, "AllowWithShadowDeny") == 0)
			lines_add(
			    &shadow, subset_text(at_field(rule, "Subset")));
	}
	lines_sort(&allowed);
	facts_add(out, name, "allowed", lines_take(&allowed, ", "));
	lines_sort(&shadow);
	if (shadow.n > 0)
		facts_add(
		    out, name, "shadow-denied", lines_take(&shadow, ", "));
	yaml_document_delete(&doc);
}

void
reference_theirs(
    const struct reference_case *c, const char *root, struct facts *out)
{
	struct text bytes = TEXT_EMPTY;

	read_theirs(c, root, &bytes);
	if (c->kind == REFERENCE_MATCHING)
		describe_matching(text_str(&bytes),
		    STR("external-database{mesh=mesh-1}"), out);
	else
		cr_assert(envoy_describe(text_str(&bytes), c->of, out), "%s",
		    c->name);
	text_free(&bytes);
}
