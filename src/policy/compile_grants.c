/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Grants become permissions of their own, filed under the service's name as a
 * document that targets it would be.  Main thread.
 */

#include "policy/compile.h"
#include "policy/compile_permit.h"
#include "policy/grant.h"

static bool
lasts(struct compile *c, const struct grant *g)
{
	if (g->until_s <= c->set->now_s)
		return false;
	if (g->until_s < c->plan->next_end_s)
		c->plan->next_end_s = g->until_s;
	return true;
}

/* As if it were a document that targets the service. */
static void
file_grant(struct compile *c, struct mesh_build *m, const struct grant *g,
    const struct rule *rule, enum target_kind kind)
{
	struct mesh_traffic_permission *mtp =
	    arena_alloc(&c->arena, sizeof(*mtp));
	struct permit *p = permit_new(c, &m->rules, NULL);

	mtp->target = (struct target_ref){ .kind = kind, .name = g->service };
	p->mtp = mtp;
	p->is_grant = true;
	p->rules = arena_alloc(&c->arena, sizeof(*p->rules));
	p->rules[0] = *rule;
	p->n_rules = 1;
	permit_file(c, m, p);
}

static void
index_grant(struct compile *c, struct mesh_build *m, const struct grant *g)
{
	struct principal *who = arena_alloc(&c->arena, sizeof(*who));
	struct text origin = TEXT_EMPTY;
	struct rule rule = {
		.effect = RULE_ALLOW,
		.is_grant = true,
		.until_s = g->until_s,
		.principals = who,
		.n_principals = 1,
	};

	who->tests = arena_alloc(&c->arena, sizeof(*who->tests));
	who->tests[0].uri = g->caller;
	who->n_tests = 1;
	grant_print(g, &origin);
	rule.origin.text = arena_str(&c->arena, text_str(&origin));
	text_free(&origin);
	file_grant(c, m, g, &rule, TARGET_MESH_SERVICE);
	file_grant(c, m, g, &rule, TARGET_MESH_EXTERNAL_SERVICE);
}

void
index_grants(struct compile *c, struct mesh_build *m)
{
	const struct grant *g;
	size_t i;

	for (i = 0; i < c->set->n_grants; i++) {
		g = &c->set->grants[i];
		if (str_eq(g->mesh, m->name) && lasts(c, g))
			index_grant(c, m, g);
	}
}
