/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ten thousand services: what they hold, and that a reload shares them.  Time
 * is measured by the bench, not here.
 */

#include <criterion/criterion.h>
#include <malloc.h>

#include "build_yaml.h"
#include "policy/traffic_merge.h"

#define SERVICES 10000
#define MOST_BYTES 3072 /* a service */

#ifdef __SANITIZE_ADDRESS__
#define IS_MEASURABLE false
#else
#define IS_MEASURABLE true
#endif

static void
write_services(struct text *yaml, unsigned n)
{
	unsigned i;

	text_add_z(yaml,
	    MESH("m", "") MTP("m", "all", "kind: Mesh", "kind: Mesh", "Allow"));
	for (i = 0; i < n; i++)
		text_addf(yaml,
		    "type: ExternalService\nmesh: m\nname: service-%05u\n"
		    "tags: { kuma.io/service: service-%05u, kuma.io/protocol: "
		    "http }\nnetworking: { address: host-%05u.example:443, "
		    "tls: { enabled: true, caCert: { inlineString: the ca } } "
		    "}\n---\n",
		    i, i, i);
}

Test(scale, ten_thousand_services)
{
	struct text yaml = TEXT_EMPTY, longer = TEXT_EMPTY;
	struct problems pr = PROBLEMS_NONE;
	struct store *st = store_new();
	struct snapshot *a, *b;
	struct snapshot_diff d;
	size_t before, n, i, shared = 0;
	struct service *const *v;

	write_services(&yaml, SERVICES);
	store_put_file(st, "a.yaml", text_str(&yaml));
	cr_assert(store_commit(st));
	before = mallinfo2().uordblks;
	a = snapshot_build(st, &default_settings, NULL, NULL, &pr);
	if (IS_MEASURABLE)
		cr_expect_lt(
		    (mallinfo2().uordblks - before) / SERVICES, MOST_BYTES);
	snapshot_services(a, &n);
	cr_expect_eq(n, SERVICES);

	/* One more: all others stay the objects they are. */
	write_services(&longer, SERVICES + 1);
	b = build_in(st, longer.p, &default_settings, a, NULL, &pr);
	v = snapshot_services(b, &n);
	for (i = 0; i < n; i++)
		shared += snapshot_find(a, v[i]->key) == v[i];
	cr_expect_eq(n, SERVICES + 1);
	cr_expect_eq(shared, SERVICES);
	snapshot_diff(a, b, &d);
	cr_expect_eq(d.n_changed, 1);
	cr_expect_eq(d.n_gone, 0);
	free(d.changed);
	free(d.gone);
	cr_expect_eq(pr.n, 0);
	snapshot_unref(a);
	snapshot_unref(b);
	store_free(st);
	text_free(&yaml);
	text_free(&longer);
}

#define MOST_WITH_PERMISSION 1600 /* bytes, of a service and its permission */
#define MOST_OF_A_PERMISSION 200  /* bytes, where all are for all services */

static void
write_permissions(struct text *yaml, unsigned n, bool is_each)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		text_addf(yaml,
		    "type: MeshTrafficPermission\nmesh: m\nname: p-%05u\n"
		    "spec:\n",
		    i);
		if (is_each)
			text_addf(yaml,
			    "  targetRef: { kind: MeshService, name: "
			    "service-%05u }\n",
			    i);
		text_addf(yaml,
		    "  rules: [ { default: { deny: [ { spiffeID: { type: "
		    "Exact, value: \"spiffe://m/caller-%05u\" } } ] } } "
		    "]\n---\n",
		    i);
	}
}

/* What is allocated; much in one piece is mapped. */
static size_t
in_use(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

/* Bytes of a snapshot with as many services and permissions. */
static size_t
weigh(unsigned n_services, bool is_each)
{
	struct problems pr = PROBLEMS_NONE;
	struct text yaml = TEXT_EMPTY;
	struct store *st = store_new();
	struct snapshot *s;
	size_t bytes;

	write_services(&yaml, n_services);
	write_permissions(&yaml, SERVICES, is_each);
	store_put_file(st, "a.yaml", text_str(&yaml));
	cr_assert(store_commit(st));
	bytes = in_use();
	s = snapshot_build(st, &default_settings, NULL, NULL, &pr);
	bytes = in_use() - bytes;
	snapshot_unref(s);
	problems_free(&pr);
	store_free(st);
	text_free(&yaml);
	return bytes;
}

Test(scale, ten_thousand_permissions)
{
	size_t each = weigh(SERVICES, true), all = weigh(1, false);

	if (!IS_MEASURABLE)
		return;
	cr_expect_lt(
	    each / SERVICES, MOST_WITH_PERMISSION, "%zu", each / SERVICES);
	cr_expect_lt(
	    all / SERVICES, MOST_OF_A_PERMISSION, "%zu", all / SERVICES);
}

/* The linker puts the second in place of the first: see Makefile.am. */
void __real_traffic_merge(struct traffic_merge *, struct traffic_policy *);
void __wrap_traffic_merge(struct traffic_merge *, struct traffic_policy *);

static size_t n_merged;

void
__wrap_traffic_merge(struct traffic_merge *m, struct traffic_policy *draft)
{
	n_merged++;
	__real_traffic_merge(m, draft);
}

/* A policy of the whole mesh with many callers: merged once for all services.
 */
Test(scale, one_traffic_policy)
{
	struct text yaml = TEXT_EMPTY;
	const struct traffic_policy *first;
	struct service *const *v;
	struct snapshot *s;
	size_t n, shared = 0;

	write_services(&yaml, SERVICES);
	text_add_z(&yaml, "type: MeshRateLimit\nmesh: m\nname: all\nspec:\n"
			  "  targetRef: { kind: Mesh }\n  from:\n");
	for (int i = 0; i < 256; i++)
		text_addf(&yaml,
		    "  - targetRef: { kind: MeshService, name: caller-%d }\n"
		    "    default: { local: { http: { requestRate: { num: 5, "
		    "interval: 1s } } } }\n",
		    i);
	n_merged = 0;
	s = build_yaml(yaml.p);
	cr_expect_eq(n_merged, 1, "%zu merges", n_merged);
	v = snapshot_services(s, &n);
	cr_assert_eq(n, SERVICES);
	first = v[0]->traffic;
	cr_assert_not_null(first);
	cr_expect_eq(first->n_rates, 256);
	for (size_t i = 0; i < n; i++)
		shared += v[i]->traffic == first;
	cr_expect_eq(shared, SERVICES);
	snapshot_unref(s);
	text_free(&yaml);
}
