/* SPDX-License-Identifier: Apache-2.0 */
/* See traffic_cells.h. */

#include "policy/traffic_cells.h"

#include "base/arena.h"

static bool
has_test(const struct principal *p, struct str uri)
{
	for (size_t i = 0; i < p->n_tests; i++)
		if (str_eq(p->tests[i].uri, uri))
			return true;
	return false;
}

bool
principal_covers(const struct principal *wide, const struct principal *narrow)
{
	for (size_t i = 0; i < wide->n_tests; i++)
		if (!has_test(narrow, wide->tests[i].uri))
			return false;
	return true;
}

/* spiffe://mesh, kuma://key: values have no slash. */
static struct str
tag_of(struct str uri)
{
	size_t n = uri.len;

	while (n > 0 && uri.p[n - 1] != '/')
		n--;
	return str_first(uri, n);
}

bool
principals_exclude(const struct principal *a, const struct principal *b)
{
	struct str tag;

	for (size_t i = 0; i < a->n_tests; i++) {
		tag = tag_of(a->tests[i].uri);
		for (size_t k = 0; k < b->n_tests; k++)
			if (str_eq(tag, tag_of(b->tests[k].uri)) &&
			    !str_eq(a->tests[i].uri, b->tests[k].uri))
				return true;
	}
	return false;
}

struct principal *
principals_widest(
    struct arena *a, const struct principal *v, size_t n, size_t *n_widest)
{
	struct principal *widest = arena_alloc(a, (n + 1) * sizeof(*widest));
	size_t i, k;

	*n_widest = 0;
	for (i = 0; i < n; i++) {
		for (k = 0; k < n; k++)
			if (k != i && v[k].n_tests < v[i].n_tests &&
			    principal_covers(&v[k], &v[i]))
				break;
		if (k == n)
			widest[(*n_widest)++] = v[i];
	}
	return widest;
}

static bool
has_cell(const struct cells *c, const struct principal *who)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->v[i].n_tests == who->n_tests &&
		    principal_covers(&c->v[i], who))
			return true;
	return false;
}

/* The same test twice, as of a service by name and by tag, counts once. */
static void
add_tests(struct principal *to, const struct principal *from)
{
	for (size_t i = 0; i < from->n_tests; i++)
		if (!has_test(to, from->tests[i].uri))
			to->tests[to->n_tests++] = from->tests[i];
}

static struct principal
unite(
    struct arena *a, const struct principal *one, const struct principal *other)
{
	struct principal both = {
		.tests = arena_alloc(a,
		    (one->n_tests + other->n_tests + 1) * sizeof(*both.tests)),
	};

	add_tests(&both, one);
	add_tests(&both, other);
	return both;
}

static void
add_each(struct cells *c, struct arena *a, const struct principal *const *items,
    size_t n)
{
	const struct principal none = { .n_tests = 0 };
	struct principal one;

	for (size_t i = 0; i < n; i++) {
		one = unite(a, items[i], &none);
		if (!has_cell(c, &one))
			c->v[c->n++] = one;
	}
}

/* With all that it adds to; more of them come while this goes on. */
static void
add_together(
    struct cells *c, struct arena *a, const struct principal *with, size_t most)
{
	struct principal both;

	for (size_t i = 0; i < c->n; i++) {
		if (principal_covers(with, &c->v[i]) ||
		    principals_exclude(with, &c->v[i]))
			continue;
		both = unite(a, &c->v[i], with);
		if (has_cell(c, &both))
			continue;
		if (c->n == most) {
			c->is_crowded = true;
			return;
		}
		c->v[c->n++] = both;
	}
}

/* By insertion: neighbours of one width stay as they are. */
static void
sort(struct cells *c)
{
	struct principal one;
	size_t i, k;

	for (i = 1; i < c->n; i++) {
		one = c->v[i];
		for (k = i; k > 0 && c->v[k - 1].n_tests < one.n_tests; k--)
			c->v[k] = c->v[k - 1];
		c->v[k] = one;
	}
}

struct cells
cells_of(struct arena *a, const struct principal *const *items, size_t n)
{
	size_t most = n + TRAFFIC_CELLS_MAX;
	struct cells c = { .v = arena_alloc(a, most * sizeof(*c.v)) };

	add_each(&c, a, items, n);
	for (size_t i = 0; i < n && !c.is_crowded; i++)
		add_together(&c, a, items[i], most);
	sort(&c);
	return c;
}
