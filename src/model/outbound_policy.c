/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What policies about outgoing traffic have in common: forms and targets.
 * What their values mean is in policy/compile_policies.c.  Main thread.
 */

#include "model/outbound_policy.h"

#include <stdio.h>
#include <stdlib.h>

#include "model/target_bind.h"

const unsigned outbound_top_kinds =
    TARGET_BIT(TARGET_MESH) | TARGET_BIT(TARGET_MESH_SUBSET) |
    TARGET_BIT(TARGET_MESH_GATEWAY) | TARGET_BIT(TARGET_MESH_SERVICE) |
    TARGET_BIT(TARGET_MESH_SERVICE_SUBSET) | TARGET_BIT(TARGET_DATAPLANE);
const unsigned outbound_to_kinds = TARGET_BIT(TARGET_MESH) |
				   TARGET_BIT(TARGET_MESH_SERVICE) |
				   TARGET_BIT(TARGET_MESH_EXTERNAL_SERVICE) |
				   TARGET_BIT(TARGET_MESH_MULTI_ZONE_SERVICE);

static const char *const form_names[] = { "to", "from", "rules" };

const enum kind outbound_kinds[OUTBOUND_KINDS] = {
	[OUTBOUND_BALANCE] = KIND_MESH_LOAD_BALANCING_STRATEGY,
	[OUTBOUND_HEALTH] = KIND_MESH_HEALTH_CHECK,
	[OUTBOUND_BREAKER] = KIND_MESH_CIRCUIT_BREAKER,
	[OUTBOUND_TIMEOUT] = KIND_MESH_TIMEOUT,
	[OUTBOUND_RETRY] = KIND_MESH_RETRY,
	[OUTBOUND_LOG] = KIND_MESH_ACCESS_LOG,
};

const struct outbound_policy *
outbound_policy_of(const struct resource *r)
{
	size_t i;

	for (i = 0; r != NULL && i < OUTBOUND_KINDS; i++)
		if (r->kind == outbound_kinds[i])
			return r->spec;
	return NULL;
}

void
outbound_error(
    struct problems *pr, const char *at, const char *field, const char *why)
{
	char *path;

	if (asprintf(&path, "%s%s%s", at, field[0] != '\0' ? "." : "", field) ==
	    -1)
		abort();
	problem_add(pr, PROBLEM_ERROR, NULL, 0, path, "%s", why);
	free(path);
}

static void
check_item(const struct outbound_item *item, enum outbound_form form, size_t i,
    const struct outbound_demands *d, struct problems *pr)
{
	char path[64];

	snprintf(
	    path, sizeof(path), "spec.%s[%zu].targetRef", form_names[form], i);
	if (form == OUTBOUND_TO)
		target_check(&item->target, d->to, path, pr);
	else if (form == OUTBOUND_FROM)
		target_check(&item->target, TARGET_BIT(TARGET_MESH), path, pr);
	snprintf(
	    path, sizeof(path), "spec.%s[%zu].default", form_names[form], i);
	d->check(item, path, pr);
}

static void
check_forms(const struct outbound_policy *p, const struct outbound_demands *d,
    struct problems *pr)
{
	size_t to = p->items[OUTBOUND_TO].n, from = p->items[OUTBOUND_FROM].n;
	size_t rules = p->items[OUTBOUND_RULES].n;

	if (rules > 0 && to + from > 0)
		outbound_error(pr, "spec", "",
		    "fields 'to' and 'from' must be empty when 'rules' is "
		    "defined");
	if (d->wants_items && to + from + rules == 0)
		outbound_error(pr, "spec", "",
		    "at least one of 'from', 'to' or 'rules' has to be "
		    "defined");
}

void
outbound_policy_check(const struct outbound_policy *p,
    const struct outbound_demands *d, struct problems *pr)
{
	enum outbound_form form;
	size_t i;

	if (p->target.line > 0)
		target_check(&p->target, d->top, "spec.targetRef", pr);
	check_forms(p, d, pr);
	for (form = OUTBOUND_TO; form <= OUTBOUND_RULES; form++)
		for (i = 0; i < p->items[form].n; i++)
			check_item(&p->items[form].v[i], form, i, d, pr);
}
