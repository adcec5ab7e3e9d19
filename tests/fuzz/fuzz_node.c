/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML and JSON: a tree within its bounds, or a problem that says why not.
 */

#include "base/arena.h"
#include "base/problem.h"
#include "fuzz.h"
#include "model/node.h"

/* The nodes below, aliases followed, as weight promises to count them. */
static size_t
count(const struct node *node, unsigned depth)
{
	const struct node_entry *e;
	size_t entries = 0, sum = 1;

	FUZZ_CHECK(depth <= NODE_MOST_DEPTH + 1);
	for (e = node->first; e != NULL; e = e->next) {
		FUZZ_CHECK((node->kind == NODE_MAP) == (e->key.p != NULL));
		sum += count(e->value, depth + 1);
		entries++;
	}
	FUZZ_CHECK(entries == node->n);
	FUZZ_CHECK(sum == node->weight);
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct str text = { .p = (const void *)data, .len = n };
	struct problems pr = PROBLEMS_NONE;
	const struct node *root;
	struct arena a;

	arena_init(&a, 0);
	root = node_parse(&a, text, "fuzz.yaml", 1, &pr);
	if (root == NULL)
		FUZZ_CHECK(pr.errors > 0);
	if (root != NULL) {
		FUZZ_CHECK(count(root, 1) <= NODE_MOST_NODES);
		node_wipe(root);
	}
	problems_free(&pr);
	arena_fini(&a);
	return 0;
}
