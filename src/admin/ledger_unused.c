/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is in force and nobody needs: services, and documents that allow.
 * Rules are those of the snapshot, a block that services share once.  Main
 * thread.
 */

#include <stdlib.h>

#include "admin/ledger.h"
#include "admin/ledger_print.h"
#include "base/clock.h"
#include "base/xalloc.h"
#include "policy/snapshot.h"

#define DAY_S 86400
/* Documents that are looked at. */
#define RULES_MOST 100000

static void
print_one(const struct admin_state *s, const char *what, struct str name,
    int64_t last_s, uint64_t days, struct text *out)
{
	char when[CLOCK_TEXT];

	if (last_s > clock_wall_s() - (int64_t)days * DAY_S)
		return;
	clock_print(
	    (last_s > 0 ? last_s : ledger_since_s(s->ledger)) * 1000, when);
	text_addf(out, "%-10s %.*s %s %s\n", what, STR_ARG(name),
	    last_s > 0 ? "last used" : "not used since the ledger began,",
	    when);
}

/* When each service was last used; denials are no use. */
static struct uses *
sum_up(const struct uses *u)
{
	struct uses *sums = uses_new(SIZE_MAX);
	const uint64_t none[USE_COUNTS] = { 0 };
	struct use_name name;
	const struct use *e;

	for (e = u->table; e != NULL; e = e->hh.next) {
		name = use_name(e);
		if (name.kind != USE_OF_SERVICE ||
		    e->n[USE_CONNECTIONS] + e->n[USE_REQUESTS] == 0)
			continue;
		name.identity = name.host = STR_NONE;
		uses_add(sums, &name, e->first_s, e->last_s, none);
	}
	return sums;
}

static int64_t
last_use(const struct uses *u, char kind, struct str service, struct str rule)
{
	const struct use_name name = {
		.kind = kind,
		.service = service,
		.identity = rule,
	};
	const struct use *e = uses_find(u, &name);

	return e != NULL ? e->last_s : 0;
}

static int
compare_blocks(const void *a, const void *b)
{
	const struct rule_block *const *x = a, *const *y = b;

	if (*x == *y)
		return 0;
	return (uintptr_t)*x < (uintptr_t)*y ? -1 : 1;
}

/* To free(): those of all services. */
static const struct rule_block **
list_blocks(struct service *const *v, size_t n, size_t *n_blocks)
{
	const struct rule_block **blocks;
	size_t i, j, all = 0;

	for (i = 0; i < n; i++)
		all += v[i]->n_rulesets;
	blocks = xcalloc(all + 1, sizeof(const struct rule_block *));
	*n_blocks = 0;
	for (i = 0; i < n; i++)
		for (j = 0; j < v[i]->n_rulesets; j++)
			if (v[i]->rulesets[j].block != NULL)
				blocks[(*n_blocks)++] = v[i]->rulesets[j].block;
	qsort(blocks, *n_blocks, sizeof(const struct rule_block *),
	    compare_blocks);
	return blocks;
}

/* The document of a rule, once. */
static void
print_rule(const struct admin_state *s, const struct rule *rule,
    struct uses *seen, uint64_t days, struct text *out)
{
	const uint64_t none[USE_COUNTS] = { 0 };
	struct use_name name = { .kind = USE_OF_RULE };
	struct text text = TEXT_EMPTY;

	use_rule_name(rule->origin.text, &text);
	name.identity = text_str(&text);
	if (rule->effect != RULE_DENY &&
	    str_index(rule->origin.text, '/') != -1 &&
	    uses_find(seen, &name) == NULL) {
		uses_add(seen, &name, 0, 0, none);
		print_one(s, "permission", rule->origin.text,
		    last_use(ledger_uses(s->ledger), USE_OF_RULE, STR_NONE,
			name.identity),
		    days, out);
	}
	text_free(&text);
}

static void
print_rules(const struct admin_state *s, struct service *const *v, size_t n,
    uint64_t days, struct text *out)
{
	struct uses *seen = uses_new(RULES_MOST);
	const struct rule_block **blocks;
	size_t n_blocks, i, j;

	blocks = list_blocks(v, n, &n_blocks);
	for (i = 0; i < n_blocks; i++)
		if (i == 0 || blocks[i] != blocks[i - 1])
			for (j = 0; j < blocks[i]->n_rules; j++)
				print_rule(
				    s, &blocks[i]->rules[j], seen, days, out);
	free(blocks);
	uses_free(seen);
}

void
ledger_print_unused(
    const struct admin_state *s, uint64_t days, struct text *out)
{
	struct uses *sums = sum_up(ledger_uses(s->ledger));
	struct service *const *v;
	size_t n, i;

	v = snapshot_services(s->snapshot, &n);
	for (i = 0; i < n; i++)
		if (v[i]->n_local > 0)
			print_one(s, "service", v[i]->key,
			    last_use(sums, USE_OF_SERVICE, v[i]->key, STR_NONE),
			    days, out);
	uses_free(sums);
	print_rules(s, v, n, days, out);
	if (out->len == 0)
		text_addf(out, "all was used in the last %llu days\n",
		    (unsigned long long)days);
}
