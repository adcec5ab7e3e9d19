/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a decision of policy/authorize.c costs: 10,000 services with 10,000
 * permissions, one each, and as many that all concern each of them.  Callers
 * and services are taken at random, so that little is in the CPU's caches.
 */

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "model/store.h"
#include "policy/authorize.h"
#include "policy/snapshot.h"

#define SERVICES 10000u
#define PERMISSIONS 10000u
#define CALLERS 10000u
#define ROUNDS 7
#define DECISIONS 200000u
#define GOAL_NS 1000.0

static uint64_t state = 1;

static uint32_t
below(uint32_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(state >> 33) % n;
}

static const char mesh[] =
    "type: Mesh\nname: m\nmtls: { enabledBackend: b, backends: [ { name: b, "
    "type: builtin } ] }\n---\n"
    "type: Secret\nmesh: m\nname: m.ca-builtin-cert-b\ndata: Y2Egb25l\n---\n"
    "type: Secret\nmesh: m\nname: m.ca-builtin-key-b\ndata: a2V5IG9uZQ==\n"
    "---\n";

static void
add_services(struct text *yaml)
{
	for (unsigned i = 0; i < SERVICES; i++)
		text_addf(yaml,
		    "type: ExternalService\nmesh: m\nname: svc-%u\ntags: { "
		    "kuma.io/service: svc-%u }\nnetworking: { address: "
		    "svc-%u.example:443 }\n---\n",
		    i, i, i);
}

/* Permission i lets caller-i in, by its form, where target says. */
static void
add_permission(struct text *yaml, unsigned i, bool is_each)
{
	text_addf(yaml,
	    "type: MeshTrafficPermission\nmesh: m\nname: p-%u\nspec:\n", i);
	if (is_each)
		text_addf(yaml,
		    "  targetRef: { kind: MeshService, name: svc-%u }\n", i);
	if (i % 2 == 0)
		text_addf(yaml,
		    "  from: [ { targetRef: { kind: MeshServiceSubset, name: "
		    "caller-%u, tags: { kuma.io/zone: eu } }, default: { "
		    "action: Allow } } ]\n---\n",
		    i);
	else
		text_addf(yaml,
		    "  rules: [ { default: { allow: [ { spiffeID: { type: "
		    "Exact, value: \"spiffe://m/caller-%u\" } } ] } } ]\n---\n",
		    i);
}

/* What is allocated; much in one piece is mapped. */
static size_t
in_use(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

static struct snapshot *
build(bool is_each, size_t *bytes)
{
	struct build_settings set = { .zone = { "z", 1 },
		.verify_without_ca = true };
	struct problems pr = PROBLEMS_NONE;
	struct text yaml = TEXT_EMPTY;
	struct store *st = store_new();
	struct snapshot *s;
	size_t before;

	text_add_z(&yaml, mesh);
	add_services(&yaml);
	for (unsigned i = 0; i < PERMISSIONS; i++)
		add_permission(&yaml, i, is_each);
	store_put_file(st, "a.yaml", text_str(&yaml));
	(void)store_commit(st);
	before = in_use();
	s = snapshot_build(st, &set, NULL, NULL, &pr);
	*bytes = in_use() - before;
	if (store_problems(st)->errors + pr.errors > 0)
		abort();
	problems_free(&pr);
	store_free(st);
	text_free(&yaml);
	return s;
}

/* As sidecars have them: the service, and its tags. */
static struct identity *
make_caller(unsigned i)
{
	char text[4][64];
	struct str uris[4];
	struct identity *id;

	(void)snprintf(text[0], sizeof(text[0]), "spiffe://m/caller-%u", i);
	(void)snprintf(
	    text[1], sizeof(text[1]), "kuma://kuma.io/service/caller-%u", i);
	(void)snprintf(text[2], sizeof(text[2]), "kuma://kuma.io/zone/eu");
	(void)snprintf(text[3], sizeof(text[3]), "kuma://version/v%u", i % 7);
	for (size_t j = 0; j < 4; j++)
		uris[j] = str_of(text[j]);
	if (identity_new(STR("m"), uris, 4, 0, &id) != IDENTITY_OK)
		abort();
	return id;
}

struct caller {
	struct identity *id;
	unsigned number;
};

static double
now_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* CPU time of a decision; half of the callers are allowed. */
static double
measure(const struct snapshot *s, const struct caller *callers, bool is_each,
    uint64_t *allowed)
{
	const struct service **chosen = calloc(CALLERS, sizeof(*chosen));
	struct verdict v;
	double begin, all;
	size_t n;

	for (unsigned i = 0; chosen != NULL && i < CALLERS; i++) {
		char key[32];

		(void)snprintf(key, sizeof(key), "m/ES/svc-%u",
		    is_each && i % 2 == 0 ? callers[i].number
					  : below(SERVICES));
		chosen[i] = snapshot_find(s, str_of(key));
		if (chosen[i] == NULL)
			abort();
	}
	begin = now_ns();
	for (n = 0; chosen != NULL && n < DECISIONS; n++) {
		uint32_t i = below(CALLERS);

		authorize(chosen[i], callers[i].id, chosen[i]->snis[0], &v);
		*allowed += v.is_allowed;
	}
	all = now_ns() - begin;
	free(chosen);
	return all / DECISIONS;
}

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static bool
run(const char *what, bool is_each, const struct caller *callers)
{
	double ns[ROUNDS];
	uint64_t allowed = 0;
	struct snapshot *s;
	size_t bytes;

	s = build(is_each, &bytes);
	for (size_t i = 0; i < ROUNDS; i++)
		ns[i] = measure(s, callers, is_each, &allowed);
	qsort(ns, ROUNDS, sizeof(*ns), compare);
	printf("%-44s %6.0f ns  (%.0f to %.0f; %.0f %% allowed, %zu bytes a "
	       "service)  goal %.0f: %s\n",
	    what, ns[ROUNDS / 2], ns[0], ns[ROUNDS - 1],
	    100.0 * (double)allowed / (ROUNDS * (double)DECISIONS),
	    bytes / SERVICES, GOAL_NS,
	    ns[ROUNDS / 2] <= GOAL_NS ? "met" : "MISSED");
	snapshot_unref(s);
	return allowed > 0;
}

int
main(void)
{
	static struct caller callers[CALLERS];
	bool is_good;

	for (unsigned i = 0; i < CALLERS; i++) {
		/* The second half is of nobody whom a permission names. */
		callers[i].number = below(PERMISSIONS);
		callers[i].id = make_caller(
		    i % 2 == 0 ? callers[i].number : callers[i].number + 20000);
	}
	printf("CPU of a decision, %u services, %u permissions:\n", SERVICES,
	    PERMISSIONS);
	is_good = run("one permission for each service", true, callers);
	is_good &= run("all permissions for every service", false, callers);
	for (unsigned i = 0; i < CALLERS; i++)
		identity_free(callers[i].id);
	return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}
