/* SPDX-License-Identifier: Apache-2.0 */
/* See rule_finder.h. */

#include "policy/rule_finder.h"

#include <stdalign.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/xalloc.h"
#include "policy/identity.h"
#include "policy/pack.h"
#include "policy/service.h"

/* As many principals are asked one after the other in no time. */
#define FEW 8
#define NONE UINT32_MAX

/* A principal under what it wants; chains are in the order of the rules. */
struct entry {
	uint32_t hash;
	uint32_t rule;
	uint32_t principal;
	uint32_t next;
};

struct rule_finder {
	uint32_t *heads; /* by hash & mask */
	uint32_t mask;
	struct entry *entries;
	uint32_t *rest; /* those under nothing, in the order of the rules */
	uint32_t n_entries;
	uint32_t n_rest;
};

static uint32_t
hash_of(struct str s)
{
	return (uint32_t)hash_bytes(s.p, s.len);
}

static bool
is_whole(const struct uri_test *t)
{
	return !t->is_prefix && !t->is_negated;
}

static uint32_t
count_principals(const struct rule *rules, size_t n)
{
	size_t i, all = 0;

	for (i = 0; i < n; i++)
		all += rules[i].n_principals;
	return all > FEW && all < NONE / 4 ? (uint32_t)all : 0;
}

/* How often each place of the table is wanted, for all tests there are. */
static uint32_t *
count_wanted(const struct rule *rules, size_t n, uint32_t mask)
{
	uint32_t *wanted = xcalloc(mask + 1, sizeof(*wanted));
	const struct principal *p;
	size_t i, j, k;

	for (i = 0; i < n; i++)
		for (j = 0; j < rules[i].n_principals; j++) {
			p = &rules[i].principals[j];
			for (k = 0; k < p->n_tests; k++)
				if (is_whole(&p->tests[k]))
					wanted[hash_of(p->tests[k].uri) &
					       mask]++;
		}
	return wanted;
}

/* False: it wants nothing whole. */
static bool
choose_key(const struct principal *p, const uint32_t *wanted, uint32_t mask,
    uint32_t *key)
{
	uint32_t hash, least = NONE;
	size_t i;

	for (i = 0; i < p->n_tests; i++) {
		if (!is_whole(&p->tests[i]))
			continue;
		hash = hash_of(p->tests[i].uri);
		if (wanted[hash & mask] >= least)
			continue;
		least = wanted[hash & mask];
		*key = hash;
	}
	return least != NONE;
}

static void
add(struct rule_finder *f, const struct rule *rules, uint32_t rule,
    uint32_t principal, const uint32_t *wanted)
{
	uint32_t at = f->n_entries++;
	struct entry *e = &f->entries[at];

	*e = (struct entry){ .rule = rule, .principal = principal };
	if (!choose_key(&rules[rule].principals[principal], wanted, f->mask,
		&e->hash)) {
		f->rest[f->n_rest++] = at;
		return;
	}
	e->next = f->heads[e->hash & f->mask];
	f->heads[e->hash & f->mask] = at;
}

/* From the last to the first, as each is put before its chain. */
static void
fill(struct rule_finder *f, const struct rule *rules, size_t n_rules)
{
	uint32_t *wanted = count_wanted(rules, n_rules, f->mask);
	size_t i, j;
	uint32_t last;

	for (i = n_rules; i-- > 0;)
		for (j = rules[i].n_principals; j-- > 0;)
			add(f, rules, (uint32_t)i, (uint32_t)j, wanted);
	free(wanted);
	for (i = 0; i < f->n_rest / 2; i++) {
		last = f->rest[f->n_rest - 1 - i];
		f->rest[f->n_rest - 1 - i] = f->rest[i];
		f->rest[i] = last;
	}
}

struct rule_finder *
rule_finder_new(const struct rule *rules, size_t n_rules)
{
	uint32_t n = count_principals(rules, n_rules);
	struct rule_finder *f;
	uint32_t size = FEW;

	if (n == 0)
		return NULL;
	while (size < n)
		size *= 2;
	f = xcalloc(1, sizeof(*f));
	f->mask = size - 1;
	f->heads = xcalloc(size, sizeof(*f->heads));
	memset(f->heads, 0xff, size * sizeof(*f->heads));
	f->entries = xcalloc(n, sizeof(*f->entries));
	f->rest = xcalloc(n, sizeof(*f->rest));
	fill(f, rules, n_rules);
	return f;
}

void
rule_finder_free(struct rule_finder *f)
{
	if (f == NULL)
		return;
	free(f->heads);
	free(f->entries);
	free(f->rest);
	free(f);
}

struct rule_finder *
rule_finder_lay_out(struct pack *k, const struct rule_finder *f)
{
	struct rule_finder *copy, all;

	if (f == NULL)
		return NULL;
	all = *f;
	copy = pack_copy(k, f, sizeof(*f), alignof(struct rule_finder));
	all.heads = pack_copy(k, f->heads,
	    ((size_t)f->mask + 1) * sizeof(*f->heads), alignof(uint32_t));
	all.entries = pack_copy(k, f->entries,
	    f->n_entries * sizeof(*f->entries), alignof(struct entry));
	all.rest = pack_copy(
	    k, f->rest, f->n_rest * sizeof(*f->rest), alignof(uint32_t));
	if (copy != NULL)
		*copy = all;
	return copy;
}

/* What is looked for, and the best so far. */
struct search {
	const struct rule_finder *f;
	const struct rule *rules;
	const struct identity *id;
	struct str sni;
	uint32_t best;
	bool only_in_force;
};

static bool
speaks_of(const struct search *s, const struct entry *e)
{
	const struct rule *rule = &s->rules[e->rule];

	return (!s->only_in_force || !rule->is_report) &&
	       principal_matches(
		   &rule->principals[e->principal], s->id, s->sni);
}

static void
look_under(struct search *s, struct str key)
{
	uint32_t hash = hash_of(key);
	const struct entry *e;
	uint32_t at;

	for (at = s->f->heads[hash & s->f->mask]; at != NONE; at = e->next) {
		e = &s->f->entries[at];
		if (e->rule >= s->best)
			return;
		if (e->hash == hash && speaks_of(s, e)) {
			s->best = e->rule;
			return;
		}
	}
}

static void
look_in_rest(struct search *s)
{
	const struct entry *e;
	uint32_t i;

	for (i = 0; i < s->f->n_rest; i++) {
		e = &s->f->entries[s->f->rest[i]];
		if (e->rule >= s->best)
			return;
		if (speaks_of(s, e)) {
			s->best = e->rule;
			return;
		}
	}
}

static const struct rule *
ask_each(const struct rule *rules, size_t n, const struct identity *id,
    struct str sni, bool only_in_force)
{
	size_t i;

	for (i = 0; i < n; i++)
		if ((!only_in_force || !rules[i].is_report) &&
		    principals_match(
			rules[i].principals, rules[i].n_principals, id, sni))
			return &rules[i];
	return NULL;
}

const struct rule *
rule_find(const struct rule_finder *f, const struct rule *rules, size_t n_rules,
    const struct identity *id, struct str sni, bool only_in_force)
{
	struct search s = { .f = f,
		.rules = rules,
		.id = id,
		.sni = sni,
		.best = NONE,
		.only_in_force = only_in_force };
	size_t i;

	if (f == NULL)
		return ask_each(rules, n_rules, id, sni, only_in_force);
	for (i = 0; i < id->n_uris; i++)
		look_under(&s, id->uris[i]);
	if (sni.len > 0)
		look_under(&s, sni);
	look_in_rest(&s);
	return s.best == NONE ? NULL : &rules[s.best];
}
