/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What permissions may say.  A rule that is not understood must not be taken
 * for one that says less: every doubt refuses the document, and a refused
 * permission denies (see document.c).  MeshExternalService is a target too,
 * unlike in Kuma, where nothing permits one.  Main thread.
 */

#include "model/permission.h"

#include <stdio.h>

#include "base/arena.h"
#include "base/clock.h"
#include "model/kind_rows.h"
#include "model/policy_form.h"
#include "model/target_bind.h"

#define TP(field) offsetof(struct traffic_permission, field)
#define MTP(field) offsetof(struct mesh_traffic_permission, field)
#define FROM(field) offsetof(struct mtp_from, field)
#define RULE(field) offsetof(struct mtp_rule, field)

static void
bad_label(
    struct problems *pr, const char *path, struct str value, const char *remedy)
{
	problem_add(pr, PROBLEM_ERROR, NULL, 0, path, "\"%.*s\" %s",
	    STR_ARG(str_first(value, 64)), remedy);
}

/*
 * Labels of our own.  An end that cannot be read must not be taken for none,
 * nor a mode for another.
 */
static void
check_labels(struct resource *r, struct problems *pr)
{
	struct str until = tags_get(&r->labels, STR("zegress.io/until"));
	struct str mode = tags_get(&r->labels, STR("zegress.io/mode"));

	if (until.p != NULL &&
	    (!clock_parse(until, &r->until_s) || r->until_s <= 0))
		bad_label(pr, "labels[\"zegress.io/until\"]", until,
		    "is no time; one is \"2030-12-31T18:00:00Z\", or "
		    "\"20301231T180000Z\" where labels may have no colon");
	r->is_reported = str_eq(mode, STR("report"));
	if (mode.p != NULL && !r->is_reported && !str_eq(mode, STR("enforce")))
		bad_label(pr, "labels[\"zegress.io/mode\"]", mode,
		    "is no mode; \"enforce\" and \"report\" are");
}

const struct bind traffic_permission_bind[] = {
	POLICY_SELECTORS("sources", TP(sources), TP(n_sources)),
	POLICY_SELECTORS("destinations", TP(destinations), TP(n_destinations)),
	{ .type = BIND_END },
};

void
traffic_permission_check(struct resource *r, struct problems *pr)
{
	const struct traffic_permission *tp = r->spec;

	check_labels(r, pr);
	if (r->is_reported)
		problem_add(pr, PROBLEM_WARNING, NULL, 0,
		    "labels[\"zegress.io/mode\"]",
		    "a TrafficPermission denies nobody, so there is nothing to "
		    "report: set report for the service in zegressd.conf");
	r->is_reported = false;
	policy_selectors_check(tp->sources, tp->n_sources, 0, "sources", pr);
	policy_selectors_check(
	    tp->destinations, tp->n_destinations, 0, "destinations", pr);
}

static const struct bind_value actions[] = {
	{ "Allow", MTP_ALLOW },
	{ "Deny", MTP_DENY },
	{ "AllowWithShadowDeny", MTP_ALLOW_WITH_SHADOW_DENY },
	{ NULL, 0 },
};

static const struct bind default_rows[] = {
	{ .key = "action",
	    .type = BIND_ENUM,
	    .offset = FROM(action),
	    .values = actions,
	    .has_offset = FROM(has_action) },
	{ .type = BIND_STRICT },
	{ .type = BIND_END },
};

static const struct bind from_rows[] = {
	{ .key = "targetRef", .type = BIND_TARGET, .offset = FROM(target) },
	{ .key = "default", .type = BIND_STRUCT, .sub = default_rows },
	{ .type = BIND_LINE, .offset = FROM(line) },
	{ .type = BIND_STRICT },
	{ .type = BIND_END },
};

#define MATCHES(name, field)                                                  \
	{                                                                     \
		.key = (name), .type = BIND_LIST, .offset = RULE(field.v),    \
		.n_offset = RULE(field.n),                                    \
		.size = sizeof(struct caller_match), .sub = caller_match_bind \
	}

/* A list that is lost denies too little, so nothing here is ignored. */
static const struct bind lists_rows[] = {
	MATCHES("deny", deny),
	MATCHES("allowWithShadowDeny", allow_with_shadow_deny),
	MATCHES("allow", allow),
	{ .type = BIND_STRICT },
	{ .type = BIND_END },
};

static const struct bind rule_rows[] = {
	{ .key = "default", .type = BIND_STRUCT, .sub = lists_rows },
	{ .type = BIND_LINE, .offset = RULE(line) },
	{ .type = BIND_STRICT },
	{ .type = BIND_END },
};

const struct bind mesh_traffic_permission_bind[] = {
	{ .key = "targetRef", .type = BIND_TARGET, .offset = MTP(target) },
	{ .key = "from",
	    .type = BIND_LIST,
	    .offset = MTP(from),
	    .n_offset = MTP(n_from),
	    .size = sizeof(struct mtp_from),
	    .sub = from_rows },
	{ .key = "rules",
	    .type = BIND_LIST,
	    .offset = MTP(rules),
	    .n_offset = MTP(n_rules),
	    .size = sizeof(struct mtp_rule),
	    .sub = rule_rows },
	{ .type = BIND_STRICT },
	{ .type = BIND_END },
};

#define FROM_KINDS                                                  \
	(TARGET_BIT(TARGET_MESH) | TARGET_BIT(TARGET_MESH_SUBSET) | \
	    TARGET_BIT(TARGET_MESH_SERVICE) |                       \
	    TARGET_BIT(TARGET_MESH_SERVICE_SUBSET))
#define TOP_KINDS                                    \
	(FROM_KINDS | TARGET_BIT(TARGET_DATAPLANE) | \
	    TARGET_BIT(TARGET_MESH_EXTERNAL_SERVICE))

static void
check_from(const struct mtp_from *from, size_t i, struct problems *pr)
{
	char path[64];

	snprintf(path, sizeof(path), "spec.from[%zu].targetRef", i);
	target_check(&from->target, FROM_KINDS, path, pr);
	snprintf(path, sizeof(path), "spec.from[%zu].default.action", i);
	if (!from->has_action)
		problem_add(pr, PROBLEM_ERROR, NULL, from->line, path,
		    "must be defined");
}

static void
check_matches(const struct mtp_matches *m, struct str mesh, size_t rule,
    const char *list, struct problems *pr)
{
	char path[96];
	size_t i;

	for (i = 0; i < m->n; i++) {
		snprintf(path, sizeof(path), "spec.rules[%zu].default.%s[%zu]",
		    rule, list, i);
		caller_match_check(&m->v[i], mesh, path, pr);
	}
}

static void
check_rule(
    const struct mtp_rule *rule, struct str mesh, size_t i, struct problems *pr)
{
	char path[64];

	snprintf(path, sizeof(path), "spec.rules[%zu].default", i);
	if (rule->deny.n + rule->allow_with_shadow_deny.n + rule->allow.n == 0)
		problem_add(pr, PROBLEM_ERROR, NULL, rule->line, path,
		    "at least one of allow, allowWithShadowDeny and deny must "
		    "be set");
	check_matches(&rule->deny, mesh, i, "deny", pr);
	check_matches(
	    &rule->allow_with_shadow_deny, mesh, i, "allowWithShadowDeny", pr);
	check_matches(&rule->allow, mesh, i, "allow", pr);
}

static void
check_form(const struct mesh_traffic_permission *mtp, struct problems *pr)
{
	if (mtp->n_rules > 0 && mtp->n_from > 0)
		problem_add(pr, PROBLEM_ERROR, NULL, 0, "spec",
		    "from and rules exclude each other; leave one");
	else if (mtp->n_rules == 0 && mtp->n_from == 0)
		problem_add(pr, PROBLEM_ERROR, NULL, 0, "spec",
		    "one of from and rules must be set");
}

void
mesh_traffic_permission_check(struct resource *r, struct problems *pr)
{
	const struct mesh_traffic_permission *mtp = r->spec;
	size_t i;

	check_labels(r, pr);
	if (mtp->target.line > 0)
		target_check(&mtp->target, TOP_KINDS, "spec.targetRef", pr);
	check_form(mtp, pr);
	policy_shadow_check(r, pr);
	for (i = 0; i < mtp->n_from; i++)
		check_from(&mtp->from[i], i, pr);
	for (i = 0; i < mtp->n_rules; i++)
		check_rule(&mtp->rules[i], r->mesh, i, pr);
}

const struct traffic_permission *
traffic_permission_of(const struct resource *r)
{
	return r != NULL && r->kind == KIND_TRAFFIC_PERMISSION ? r->spec : NULL;
}

const struct mesh_traffic_permission *
mesh_traffic_permission_of(const struct resource *r)
{
	return r != NULL && r->kind == KIND_MESH_TRAFFIC_PERMISSION ? r->spec
								    : NULL;
}
