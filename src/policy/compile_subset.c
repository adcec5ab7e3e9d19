/* SPDX-License-Identifier: Apache-2.0 */
/* See compile_subset.h. */

#include "policy/compile_subset.h"

static int
compare_names(const void *a, const void *b)
{
	const struct subset_name *x = a, *y = b;

	return str_cmp(x->name, y->name);
}

void
subsets_sort(struct subsets *s, struct service *draft)
{
	size_t i;

	if (s->n > 1)
		qsort(s->v, s->n, sizeof(*s->v), compare_names);
	draft->snis = arena_alloc(s->arena, (s->n + 1) * sizeof(*draft->snis));
	draft->n_snis = 0;
	for (i = 0; i < s->n; i++) {
		if (i == 0 || !str_eq(s->v[i - 1].name, s->v[i].name))
			draft->snis[draft->n_snis++] = s->v[i].name;
		s->v[i].index = (unsigned)draft->n_snis - 1;
		if (s->v[i].destination != NULL &&
		    s->v[i].destination->tags.n > 0)
			s->has_tags = true;
	}
	s->n_names = draft->n_snis;
}

static bool
is_for(const struct subset_name *name, const struct tags *tags)
{
	return name->destination == NULL ||
	       tags_match(&name->destination->tags, tags);
}

void
subsets_cover(
    const struct subsets *s, const struct tags *tags, struct cover *cover)
{
	unsigned at;
	size_t i;

	if (!s->has_tags)
		return;
	if (cover->bits == NULL)
		cover->bits = arena_alloc(s->arena, s->n_names / 8 + 1);
	for (i = 0; i < s->n; i++) {
		at = s->v[i].index;
		if (is_for(&s->v[i], tags))
			cover->bits[at / 8] |= (unsigned char)(1U << at % 8);
	}
}

bool
covers_equal(const struct subsets *s, struct cover a, struct cover b)
{
	return !s->has_tags || memcmp(a.bits, b.bits, s->n_names / 8 + 1) == 0;
}

bool
subsets_relay_set(
    struct subsets *s, struct service *draft, struct cover cover, unsigned *set)
{
	size_t i;

	*set = 0;
	if (!s->has_tags)
		return true;
	if (s->relays == NULL)
		s->relays = arena_alloc(
		    s->arena, SERVICE_RULESETS_MAX * sizeof(*s->relays));
	for (i = 0; i < draft->n_relay_sets; i++)
		if (covers_equal(s, s->relays[i], cover))
			break;
	if (i == SERVICE_RULESETS_MAX)
		return false;
	s->relays[i] = cover;
	if (i == draft->n_relay_sets)
		draft->n_relay_sets++;
	*set = (unsigned)i;
	return true;
}

static bool
is_covered(struct cover cover, size_t name)
{
	return (cover.bits[name / 8] >> name % 8 & 1) != 0;
}

static uint64_t
mask_of(const struct cover *v, size_t n, size_t name)
{
	uint64_t mask = 0;
	size_t i;

	for (i = 0; i < n; i++)
		if (is_covered(v[i], name))
			mask |= UINT64_C(1) << i;
	return mask;
}

/* False: each name is for all. */
static bool
set_scopes(const struct subsets *s, struct service *draft)
{
	bool narrows = false;
	struct sni_scope *to;
	size_t i;

	draft->scopes =
	    arena_alloc(s->arena, s->n_names * sizeof(*draft->scopes));
	for (i = 0; i < s->n_names; i++) {
		to = &draft->scopes[i];
		to->rulesets = mask_of(s->rulesets, draft->n_rulesets, i);
		to->relays = mask_of(s->relays, draft->n_relay_sets, i);
		narrows = narrows ||
			  to->rulesets != mask_below(draft->n_rulesets) ||
			  to->relays != mask_below(draft->n_relay_sets);
	}
	return narrows;
}

static struct digest
digest_cover(struct compile *c, const struct service *draft, struct cover cover)
{
	size_t i;

	for (i = 0; i < draft->n_snis; i++)
		if (is_covered(cover, i))
			fingerprint_str(&c->fingerprint, draft->snis[i]);
	return fingerprint_take(&c->fingerprint);
}

/*
 * After a reload a set is the same if it says the same and is for the same
 * names.
 */
static void
digest_sets(struct compile *c, const struct subsets *s, struct service *draft)
{
	struct digest d;
	size_t i;

	for (i = 0; i < draft->n_rulesets; i++) {
		d = digest_cover(c, draft, s->rulesets[i]);
		fingerprint_digest(&c->fingerprint, &d);
		fingerprint_digest(&c->fingerprint, &draft->rulesets[i].digest);
		draft->rulesets[i].digest = fingerprint_take(&c->fingerprint);
	}
	draft->relay_sets = arena_alloc(
	    s->arena, (draft->n_relay_sets + 1) * sizeof(*draft->relay_sets));
	for (i = 0; i < draft->n_relay_sets; i++)
		draft->relay_sets[i] = digest_cover(c, draft, s->relays[i]);
}

/* In whatever zone, whether it can be reached now or not. */
static bool
is_anywhere(const struct named *n, const struct subset_name *name)
{
	const struct member *member;
	const struct offer *o;

	for (member = n->members; member != NULL; member = member->next)
		if (is_for(name, &member->es->tags))
			return true;
	for (o = n->offers; o != NULL; o = o->next)
		if (is_for(name, &o->service->tags))
			return true;
	return false;
}

/*
 * A destination of all services is meant for some of them.  Told once a name:
 * the first document stands for all that lead there.
 */
static void
warn_nowhere(struct compile *c, const struct subsets *s, const struct named *n)
{
	const struct subset_name *name, *told = NULL;
	size_t i;

	for (i = 0; i < s->n; i++) {
		name = &s->v[i];
		if (name->destination == NULL ||
		    str_eq(name->destination->service, STR("*")) ||
		    (told != NULL && told->index == name->index) ||
		    is_anywhere(n, name))
			continue;
		told = name;
		problem_add(c->pr, PROBLEM_WARNING, name->route->file,
		    name->route->line,
		    name->route->kind == KIND_TRAFFIC_ROUTE ? "conf" : "spec",
		    "leads to %.*s, and no endpoint of service %.*s has "
		    "these tags, so who asks for it gets none: give an "
		    "endpoint the tags, or take the destination out",
		    STR_ARG(name->name), STR_ARG(n->name));
	}
}

void
subsets_settle(struct compile *c, const struct subsets *s,
    const struct named *n, struct service *draft)
{
	size_t i;

	if (!s->has_tags)
		return;
	warn_nowhere(c, s, n);
	if (set_scopes(s, draft)) {
		digest_sets(c, s, draft);
		return;
	}
	draft->scopes = NULL;
	draft->n_relay_sets = 0;
	for (i = 0; i < draft->n_remote; i++)
		draft->remote[i].ruleset = 0;
}
