/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random policies and callers: what a service asks of a caller is what comes
 * of taking the items that mean the caller one after the other, which is what
 * Kuma's disjoint subsets of tags say.  The reference here knows neither
 * combinations nor exceptions.
 */

#include <criterion/criterion.h>
#include <stdlib.h>

#include "build_yaml.h"
#include "policy/identity.h"

#define ROUNDS 400
#define MOST_DOCS 4
#define MOST_ITEMS 4
#define N_TAGS 3

/* Tags of a caller and of items; 0: none. */
static const char *const keys[N_TAGS] = { "kuma.io/service", "kuma.io/zone",
	"version" };
static const char *const values[] = { "", "a", "b" };

struct item {
	unsigned tags[N_TAGS];
	bool has_limit;
	unsigned num, status; /* 0: not said */
	int is_disabled;      /* -1: not said */
	const char *set;      /* NULL: not said; "": none */
	int n_faults;         /* -1: not said */
	unsigned fault;       /* its first abort status */
};

struct doc {
	unsigned kind; /* Mesh, MeshService, MeshServiceSubset */
	char name[24];
	struct item items[MOST_ITEMS];
	size_t n;
};

static uint64_t
draw(uint64_t *state, uint64_t below)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return (*state >> 11) % below;
}

static struct item
draw_item(uint64_t *dice)
{
	struct item it = { .is_disabled = -1, .n_faults = -1 };

	for (size_t i = 0; i < N_TAGS; i++)
		it.tags[i] = (unsigned)draw(dice, 3);
	if (draw(dice, 2) == 0)
		it.num = 1 + (unsigned)draw(dice, 1000);
	if (draw(dice, 3) == 0)
		it.status = 400 + (unsigned)draw(dice, 200);
	if (draw(dice, 3) == 0)
		it.is_disabled = (int)draw(dice, 2);
	if (draw(dice, 3) == 0)
		it.set = draw(dice, 3) == 0 ? "" : draw(dice, 2) ? "x" : "y";
	if (it.num == 0 && it.is_disabled < 0 && it.status == 0 &&
	    it.set == NULL)
		it.num = 7;
	if (draw(dice, 3) > 0) {
		it.n_faults = (int)draw(dice, 3);
		it.fault = 200 + (unsigned)draw(dice, 300);
	}
	return it;
}

static void
write_target(struct text *out, const struct item *it)
{
	const char *before = "";

	text_add_z(out, "  - targetRef: ");
	if (it->tags[0] + it->tags[1] + it->tags[2] == 0) {
		text_add_z(out, "{ kind: Mesh }\n");
		return;
	}
	if (it->tags[0] > 0 && it->tags[1] + it->tags[2] == 0) {
		text_addf(out, "{ kind: MeshService, name: %s }\n",
		    values[it->tags[0]]);
		return;
	}
	text_add_z(out, "{ kind: MeshSubset, tags: {");
	for (size_t i = 0; i < N_TAGS; i++)
		if (it->tags[i] > 0) {
			text_addf(out, "%s %s: %s", before, keys[i],
			    values[it->tags[i]]);
			before = ",";
		}
	text_add_z(out, " } }\n");
}

static void
write_limit(struct text *out, const struct item *it)
{
	write_target(out, it);
	text_add_z(out, "    default: { local: { http: {");
	if (it->num > 0)
		text_addf(
		    out, " requestRate: { num: %u, interval: 1s },", it->num);
	if (it->is_disabled >= 0)
		text_addf(
		    out, " disabled: %s,", it->is_disabled ? "true" : "false");
	if (it->status > 0 || it->set != NULL) {
		text_add_z(out, " onRateLimit: {");
		if (it->status > 0)
			text_addf(out, " status: %u,", it->status);
		if (it->set != NULL && it->set[0] == '\0')
			text_add_z(out, " headers: { set: [] }");
		else if (it->set != NULL)
			text_addf(out,
			    " headers: { set: [ { name: %s, value: v } ] }",
			    it->set);
		text_add_z(out, " }");
	}
	text_add_z(out, " } } }\n");
}

static void
write_faults(struct text *out, const struct item *it)
{
	write_target(out, it);
	if (it->n_faults < 0) {
		text_add_z(out, "    default: {}\n");
		return;
	}
	text_add_z(out, "    default: { http: [");
	for (int i = 0; i < it->n_faults; i++)
		text_addf(out,
		    "%s { abort: { httpStatus: %u, percentage: 100 } }",
		    i > 0 ? "," : "", it->fault + (unsigned)i);
	text_add_z(out, " ] }\n");
}

static void
write_doc(struct text *out, const char *kind, const struct doc *d,
    void (*write)(struct text *out, const struct item *it))
{
	static const char *const targets[] = { "kind: Mesh",
		"kind: MeshService, name: es",
		"kind: MeshServiceSubset, name: es, tags: { v: '1' }" };

	text_addf(out,
	    "type: %s\nmesh: m\nname: %s\nspec:\n  targetRef: { %s }\n  "
	    "from:\n",
	    kind, d->name, targets[d->kind]);
	for (size_t i = 0; i < d->n; i++)
		write(out, &d->items[i]);
	text_add_z(out, "---\n");
}

/* From low to high precedence. */
static int
compare(const void *a, const void *b)
{
	const struct doc *x = a, *y = b;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return -strcmp(x->name, y->name);
}

static size_t
draw_docs(uint64_t *dice, struct doc *v)
{
	size_t n = 1 + draw(dice, MOST_DOCS);

	for (size_t i = 0; i < n; i++) {
		v[i] = (struct doc){
			.kind = (unsigned)draw(dice, 3),
			.n = 1 + draw(dice, MOST_ITEMS),
		};
		v[i].name[0] = (char)('a' + draw(dice, 26));
		v[i].name[1] = (char)('0' + i);
		for (size_t k = 0; k < v[i].n; k++)
			v[i].items[k] = draw_item(dice);
	}
	return n;
}

/* The naive reading: what means the caller is taken, one after the other. */
static struct item
merge(const struct doc *v, size_t n, const unsigned *tags)
{
	struct item sum = { .is_disabled = -1, .n_faults = -1 };
	const struct item *it;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < v[i].n; k++) {
			it = &v[i].items[k];
			for (size_t t = 0; t < N_TAGS; t++)
				if (it->tags[t] > 0 && it->tags[t] != tags[t])
					it = NULL, t = N_TAGS;
			if (it == NULL)
				continue;
			sum.num = it->num > 0 ? it->num : sum.num;
			sum.status = it->status > 0 ? it->status : sum.status;
			sum.set = it->set != NULL ? it->set : sum.set;
			if (it->is_disabled >= 0)
				sum.is_disabled = it->is_disabled;
			if (it->n_faults >= 0) {
				sum.n_faults = it->n_faults;
				sum.fault = it->fault;
			}
		}
	sum.has_limit = sum.num > 0 && sum.is_disabled != 1;
	return sum;
}

static void
compare_limit(const struct traffic_policy *t, const struct identity *id,
    const struct item *want, const char *yaml)
{
	const struct rate_rule *r = traffic_rate(t, RATE_OF_REQUESTS, id);
	size_t n_headers = want->set != NULL && want->set[0] != '\0';

	cr_assert_eq(r != NULL, want->has_limit, "%s", yaml);
	if (r == NULL)
		return;
	cr_expect_eq(r->num, want->num, "%s", yaml);
	cr_expect_eq(
	    r->status, want->status > 0 ? want->status : 429u, "%s", yaml);
	cr_assert_eq(r->n_headers, n_headers, "%s", yaml);
	if (n_headers > 0)
		cr_expect(
		    str_eq(r->headers[0].name, str_of(want->set)), "%s", yaml);
}

static void
compare_faults(const struct traffic_policy *t, const struct identity *id,
    const struct item *want, const char *yaml)
{
	const struct fault_rule *f = traffic_fault(t, NULL, id);
	int i;

	for (i = 0; i < want->n_faults; i++) {
		cr_assert_not_null(f, "%s", yaml);
		cr_expect_eq(
		    f->abort_status, want->fault + (unsigned)i, "%s", yaml);
		f = traffic_fault(t, f, id);
	}
	cr_expect_null(f, "%s", yaml);
}

static struct identity *
caller_of(const unsigned *tags)
{
	struct text printed[N_TAGS] = { TEXT_EMPTY, TEXT_EMPTY, TEXT_EMPTY };
	struct str uris[N_TAGS];
	struct identity *id;
	size_t n = 0;

	for (size_t i = 0; i < N_TAGS; i++) {
		if (tags[i] == 0)
			continue;
		if (i == 0)
			text_addf(
			    &printed[i], "spiffe://m/%s", values[tags[i]]);
		else
			text_addf(&printed[i], "kuma://%s/%s", keys[i],
			    values[tags[i]]);
		uris[n++] = text_str(&printed[i]);
	}
	cr_assert_eq(identity_new(STR("m"), uris, n, 0, &id), IDENTITY_OK);
	for (size_t i = 0; i < N_TAGS; i++)
		text_free(&printed[i]);
	return id;
}

static void
compare_callers(const struct service *s, const struct doc *v, size_t n,
    const char *yaml, bool is_limit)
{
	for (unsigned i = 0; i < 18; i++) {
		/* Every caller has a service. */
		unsigned tags[N_TAGS] = { 1 + i % 2, i / 2 % 3, i / 6 };
		struct item want = merge(v, n, tags);
		struct identity *id = caller_of(tags);

		if (is_limit)
			compare_limit(s->traffic, id, &want, yaml);
		else
			compare_faults(s->traffic, id, &want, yaml);
		identity_free(id);
	}
}

static void
run(const char *kind, void (*write)(struct text *out, const struct item *it),
    bool is_limit)
{
	uint64_t dice = 0x5eed1234abcd;
	struct doc docs[MOST_DOCS];
	struct text yaml = TEXT_EMPTY;
	struct snapshot *s;
	size_t i, k, n;

	for (i = 0; i < ROUNDS; i++) {
		text_clear(&yaml);
		text_add_z(&yaml,
		    MESH("m", "") "type: ExternalService\nmesh: m\nname: es\n"
				  "tags: { kuma.io/service: es, v: '1', "
				  "kuma.io/protocol: http }\nnetworking: { "
				  "address: \"192.0.2.1:80\" }\n---\n");
		n = draw_docs(&dice, docs);
		/* The order of documents in files counts for nothing. */
		for (k = 0; k < n; k++)
			write_doc(&yaml, kind, &docs[k], write);
		qsort(docs, n, sizeof(*docs), compare);
		s = build_yaml(yaml.p);
		compare_callers(snapshot_match(s, STR("es{mesh=m}")), docs, n,
		    yaml.p, is_limit);
		snapshot_unref(s);
	}
	text_free(&yaml);
}

Test(traffic_merge, limits_are_those_of_a_naive_merge)
{
	run("MeshRateLimit", write_limit, true);
}

Test(traffic_merge, faults_are_those_of_a_naive_merge)
{
	run("MeshFaultInjection", write_faults, false);
}
