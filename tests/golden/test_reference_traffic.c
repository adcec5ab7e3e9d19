/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rates and faults beside those of a real Kuma, where its recordings are at
 * hand: ZEGRESS_REFERENCE names a folder with kuma/resources/, what a control
 * plane was given, and kuma/scenarios/, what its egress then had; and with
 * kuma-cases/policies/, what Kuma's own tests expect.  differences.md lists
 * what is meant to differ.
 */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/xalloc.h"
#include "case.h"
#include "diff.h"
#include "envoy_traffic.h"

static const char *
find_reference(void)
{
	const char *reference = getenv("ZEGRESS_REFERENCE");

	if (reference == NULL)
		cr_skip("ZEGRESS_REFERENCE is not set");
	return reference;
}

static void
unpack(const char *path, struct text *out)
{
	char *command = xasprintf("gzip -dc '%s'", path);
	FILE *f = popen(command, "r");
	size_t n;

	cr_assert_not_null(f);
	while ((n = fread(text_reserve(out, 65536), 1, 65536, f)) > 0)
		out->len += n;
	cr_assert_eq(pclose(f), 0, "%s", path);
	free(command);
}

static void
give_ca(struct store *st, const char *mesh)
{
	char *cert = xasprintf("%s.ca-builtin-cert-ca-1", mesh);
	char *key = xasprintf("%s.ca-builtin-key-ca-1", mesh);

	store_put_secret(st, str_of(mesh), str_of(cert), "cert", STR("CA"));
	store_put_secret(st, str_of(mesh), str_of(key), "key", STR("KEY"));
	free(cert);
	free(key);
}

/* Some of what was given holds keys of no use here: problems are no matter. */
static void
describe_store(struct store *st, struct text *out)
{
	struct build_settings set = {
		.zone = STR("zone-1"),
		.verify_without_ca = true,
		.serve_mixed_endpoints = true,
	};
	struct problems pr = PROBLEMS_NONE;
	struct snapshot *s;

	cr_assert(store_commit(st));
	s = snapshot_build(st, &set, NULL, NULL, &pr);
	snapshot_describe_traffic(s, out);
	snapshot_unref(s);
	store_free(st);
	problems_free(&pr);
}

static void
compare(const char *what, struct text *theirs, struct text *ours)
{
	struct text diff = TEXT_EMPTY;

	cr_expect_gt(theirs->len, 0, "%s says nothing", what);
	print_diff(text_str(theirs), text_str(ours), &diff);
	cr_expect_eq(diff.len, 0, "%s:\n%s", what, diff.len > 0 ? diff.p : "");
	text_free(&diff);
	text_free(theirs);
	text_free(ours);
}

static const struct {
	const char *scenario;
	const char *policies[2];
} scenarios[] = {
	{ "06-ratelimit-legacy", { "ratelimit-legacy" } },
	{ "06-ratelimit-mesh", { "ratelimit-mesh", "ratelimit-mesh-tcp" } },
	{ "07-fault-legacy", { "fault-legacy" } },
	{ "07-fault-mesh", { "fault-mesh", "fault-mesh-bw" } },
};

static void
put_resource(struct store *st, const char *reference, const char *name)
{
	struct text bytes = TEXT_EMPTY;
	char *path = xasprintf("%s/kuma/resources/%s.yaml", reference, name);

	cr_assert(read_whole(path, &bytes), "%s", path);
	store_put_file(st, path, text_str(&bytes));
	text_free(&bytes);
	free(path);
}

Test(reference, traffic_as_recorded)
{
	const char *reference = find_reference();

	for (size_t i = 0; i < ARRAY_LEN(scenarios); i++) {
		struct text dump = TEXT_EMPTY, theirs = TEXT_EMPTY;
		struct text ours = TEXT_EMPTY;
		struct store *st = store_new();
		char *path = xasprintf(
		    "%s/kuma/scenarios/%s/egress-1.config_dump.json.gz",
		    reference, scenarios[i].scenario);

		unpack(path, &dump);
		cr_assert(envoy_describe_traffic(text_str(&dump), &theirs));
		put_resource(st, reference, "mesh");
		put_resource(st, reference, "external-services");
		for (size_t k = 0; k < 2; k++)
			if (scenarios[i].policies[k] != NULL)
				put_resource(
				    st, reference, scenarios[i].policies[k]);
		give_ca(st, "default");
		describe_store(st, &ours);
		compare(path, &theirs, &ours);
		text_free(&dump);
		free(path);
	}
}

#define MESH(mesh)                                                   \
	"type: Mesh\nname: " mesh "\nmtls: { enabledBackend: ca-1, " \
	"backends: [ { name: ca-1, type: builtin } ] }\n---\n"
#define SERVICE(mesh, name, protocol)                                      \
	"type: ExternalService\nmesh: " mesh "\nname: " name               \
	"\ntags: { kuma.io/service: " name ", kuma.io/protocol: " protocol \
	" }\nnetworking: { address: \"192.0.2.1:80\" }\n"                  \
	"---\n"
#define POLICY(type, mesh, service)                                      \
	"type: " type "\nmesh: " mesh "\nname: for-" service             \
	"\nspec:\n  targetRef: { kind: MeshService, name: " service " }" \
	"\n  from:\n"

#define RATE_OF_HTTP                                                      \
	"  - targetRef: { kind: Mesh }\n    default: { local: { http: { " \
	"requestRate: { num: 100, interval: 10s } } } }\n---\n"
#define RATE_OF_TCP                                                      \
	"  - targetRef: { kind: Mesh }\n    default: { local: { tcp: { " \
	"connectionRate: { num: 22, interval: 22s } } } }\n---\n"
#define FAULT                                                             \
	"    default: { http: [ { abort: { httpStatus: 444, percentage: " \
	"12 }, delay: { value: 55s, percentage: 55 }, "                   \
	"responseBandwidth: { limit: 111Mbps, percentage: \"62.9\" } } "  \
	"] }\n---\n"

/* What those tests build in memory, as resources. */
static const struct {
	const char *golden;
	const char *yaml;
} cases[] = {
	{ "meshratelimit.basic_egress",
	    MESH("mesh-1") MESH("mesh-2") SERVICE("mesh-1",
		"external-service-1",
		"http") SERVICE("mesh-1", "external-service-2", "tcp")
		SERVICE("mesh-2", "external-service-1", "tcp")
		    SERVICE("mesh-2", "external-service-2", "http")
			POLICY("MeshRateLimit", "mesh-1", "external-service-1")
			    RATE_OF_HTTP POLICY(
				"MeshRateLimit", "mesh-2", "external-service-1")
				RATE_OF_TCP POLICY("MeshRateLimit", "mesh-2",
				    "external-service-2") RATE_OF_HTTP },
	{ "meshfaultinjection.egress_basic_listener",
	    MESH("mesh-1") MESH("mesh-2") SERVICE(
		"mesh-1", "external-service-1", "http") SERVICE("mesh-2",
		"external-service-2",
		"http") POLICY("MeshFaultInjection", "mesh-1",
		"external-service-1") "  - targetRef: { kind: MeshService, "
				      "name: frontend }\n" FAULT POLICY("MeshFa"
									"ultInj"
									"ectio"
									"n",
					  "mesh-2",
					  "external-service-2") "  - "
								"targetRef: { "
								"kind: Mesh "
								"}\n" FAULT },
};

Test(reference, traffic_of_kumas_own_tests)
{
	const char *reference = find_reference();

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct text golden = TEXT_EMPTY, theirs = TEXT_EMPTY;
		struct text ours = TEXT_EMPTY;
		struct store *st = store_new();
		char *path = xasprintf("%s/kuma-cases/policies/%s.golden.yaml",
		    reference, cases[i].golden);

		cr_assert(read_whole(path, &golden), "%s", path);
		cr_assert(envoy_describe_traffic(text_str(&golden), &theirs));
		store_put_file(st, "case.yaml", str_of(cases[i].yaml));
		give_ca(st, "mesh-1");
		give_ca(st, "mesh-2");
		describe_store(st, &ours);
		compare(path, &theirs, &ours);
		text_free(&golden);
		free(path);
	}
}
