/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Matches become principals.  One that names callers of another trust domain
 * allows nobody, as only names of the mesh are an identity here (see
 * identity.h); to deny, whatever the certificate says counts.  Main thread.
 */

#include "policy/compile_matches.h"

#include "policy/compile.h"
#include "policy/compile_rules.h"

static const struct mtp_matches *
list_of(const struct mtp_rule *rule, enum rule_effect effect)
{
	switch (effect) {
	case RULE_DENY:
		return &rule->deny;
	case RULE_ALLOW_SHADOW_DENY:
		return &rule->allow_with_shadow_deny;
	case RULE_ALLOW:
		return &rule->allow;
	}
	return &rule->deny;
}

static bool
counts(const struct caller_match *m, struct str mesh, enum rule_effect effect,
    enum sni_part part)
{
	if (m->sni.is_given != (part == WITH_SNI))
		return false;
	return effect == RULE_DENY || caller_match_fits_mesh(m, mesh);
}

static struct principal
principal_of_match(struct arena *a, const struct caller_match *m)
{
	struct principal p = { .tests = arena_alloc(a, 2 * sizeof(*p.tests)) };

	if (m->spiffe.is_given)
		p.tests[p.n_tests++] = (struct uri_test){
			.uri = m->spiffe.value,
			.is_prefix = m->spiffe.type == MATCH_PREFIX,
		};
	if (m->sni.is_given)
		p.tests[p.n_tests++] =
		    (struct uri_test){ .uri = m->sni.value, .is_sni = true };
	return p;
}

static size_t
count_matches(
    const struct mesh_traffic_permission *mtp, enum rule_effect effect)
{
	size_t i, n = 0;

	for (i = 0; i < mtp->n_rules; i++)
		n += list_of(&mtp->rules[i], effect)->n;
	return n;
}

static void
add_matches(struct arena *a, struct rule *to, const struct mtp_matches *list,
    struct str mesh, enum sni_part part)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (counts(&list->v[i], mesh, to->effect, part))
			to->principals[to->n_principals++] =
			    principal_of_match(a, &list->v[i]);
}

void
rules_of_matches(struct arena *a, struct permit *p, enum rule_effect effect,
    enum sni_part part)
{
	size_t i, n = count_matches(p->mtp, effect);
	struct rule rule = { .effect = effect };

	if (n == 0)
		return;
	rule.principals = arena_alloc(a, n * sizeof(*rule.principals));
	for (i = 0; i < p->mtp->n_rules; i++)
		add_matches(a, &rule, list_of(&p->mtp->rules[i], effect),
		    p->r->mesh, part);
	if (rule.n_principals == 0)
		return;
	rule.origin.text = resource_origin(a, p->r);
	p->rules = arena_alloc(a, sizeof(*p->rules));
	p->rules[0] = rule;
	p->n_rules = 1;
}
