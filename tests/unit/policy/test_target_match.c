/* SPDX-License-Identifier: Apache-2.0 */
/* Kuma section 8.1, row by row: selection, order, callers. */

#include <criterion/criterion.h>

#include "base/arena.h"
#include "policy/target_match.h"

#define TAGS(list)                                \
	{                                         \
		.v = (list), .n = ARRAY_LEN(list) \
	}

static struct tag of_service[] = {
	{ STR("kuma.io/service"), STR("pay") },
	{ STR("version"), STR("1") },
};
static struct tag version_1[] = { { STR("version"), STR("1") } };
static struct tag version_2[] = { { STR("version"), STR("2") } };
static struct tag any_version[] = { { STR("version"), STR("*") } };
static struct tag zoned[] = { { STR("kuma.io/zone"), STR("*") } };

Test(target_match, selects_external_services)
{
	static const struct tags service = TAGS(of_service);
	static const struct {
		const char *what;
		struct target_ref t;
		bool is_selected;
	} rows[] = {
		{ "absent", { .kind = TARGET_NONE }, true },
		{ "Mesh", { .kind = TARGET_MESH }, true },
		{ "subset",
		    { .kind = TARGET_MESH_SUBSET, .tags = TAGS(version_1) },
		    true },
		{ "another subset",
		    { .kind = TARGET_MESH_SUBSET, .tags = TAGS(version_2) },
		    false },
		{ "presence",
		    { .kind = TARGET_MESH_SUBSET, .tags = TAGS(any_version) },
		    true },
		{ "absence",
		    { .kind = TARGET_MESH_SUBSET, .tags = TAGS(zoned) },
		    false },
		{ "service",
		    { .kind = TARGET_MESH_SERVICE, .name = STR("pay") }, true },
		{ "another service",
		    { .kind = TARGET_MESH_SERVICE, .name = STR("pa") }, false },
		{ "both",
		    { .kind = TARGET_MESH_SERVICE_SUBSET,
			.name = STR("pay"),
			.tags = TAGS(version_1) },
		    true },
		{ "name only",
		    { .kind = TARGET_MESH_SERVICE_SUBSET,
			.name = STR("pay"),
			.tags = TAGS(version_2) },
		    false },
		{ "tags only",
		    { .kind = TARGET_MESH_SERVICE_SUBSET,
			.name = STR("web"),
			.tags = TAGS(version_1) },
		    false },
		{ "gateway",
		    { .kind = TARGET_MESH_GATEWAY, .name = STR("pay") },
		    false },
		{ "MES",
		    { .kind = TARGET_MESH_EXTERNAL_SERVICE,
			.name = STR("pay") },
		    false },
		{ "route",
		    { .kind = TARGET_MESH_HTTP_ROUTE, .name = STR("pay") },
		    false },
		{ "Dataplane", { .kind = TARGET_DATAPLANE }, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(
		    target_selects_tags(&rows[i].t, STR("pay"), &service),
		    rows[i].is_selected, "%s", rows[i].what);
}

Test(target_match, selects_mesh_external_services)
{
	static const struct resource pay = {
		.kind = KIND_MESH_EXTERNAL_SERVICE,
		.name = STR("pay.system"),
		.display_name = STR("pay"),
		.labels = TAGS(version_1),
	};
	static const struct {
		const char *what;
		struct target_ref t;
		bool is_selected;
	} rows[] = {
		{ "absent", { .kind = TARGET_NONE }, true },
		{ "Mesh", { .kind = TARGET_MESH }, true },
		{ "subset",
		    { .kind = TARGET_MESH_SUBSET, .tags = TAGS(version_1) },
		    false },
		{ "service",
		    { .kind = TARGET_MESH_SERVICE, .name = STR("pay") },
		    false },
		{ "shown name",
		    { .kind = TARGET_MESH_EXTERNAL_SERVICE,
			.name = STR("pay") },
		    true },
		{ "whole name",
		    { .kind = TARGET_MESH_EXTERNAL_SERVICE,
			.name = STR("pay.system") },
		    true },
		{ "another name",
		    { .kind = TARGET_MESH_EXTERNAL_SERVICE,
			.name = STR("system") },
		    false },
		{ "section",
		    { .kind = TARGET_MESH_EXTERNAL_SERVICE,
			.name = STR("pay"),
			.section_name = STR("443") },
		    true },
		{ "another port",
		    { .kind = TARGET_MESH_EXTERNAL_SERVICE,
			.name = STR("pay"),
			.section_name = STR("80") },
		    false },
		{ "no port",
		    { .kind = TARGET_MESH_EXTERNAL_SERVICE,
			.name = STR("pay"),
			.section_name = STR("web") },
		    false },
		{ "labels",
		    { .kind = TARGET_MESH_EXTERNAL_SERVICE,
			.labels = TAGS(version_1) },
		    true },
		{ "other labels",
		    { .kind = TARGET_MESH_EXTERNAL_SERVICE,
			.labels = TAGS(version_2) },
		    false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(target_selects_mes(&rows[i].t, &pay, 443),
		    rows[i].is_selected, "%s", rows[i].what);
}

static struct tag from_zone[] = { { STR("kuma.io/origin"), STR("zone") } };
static struct tag of_owner[] = { { STR("kuma.io/policy-role"),
    STR("workload-owner") } };
static struct tag of_consumer[] = { { STR("kuma.io/policy-role"),
    STR("consumer") } };
static struct tag of_producer[] = { { STR("kuma.io/policy-role"),
    STR("producer") } };
static struct tag shadow[] = { { STR("kuma.io/effect"), STR("shadow") } };

/* Each row speaks before the next one. */
Test(target_match, order)
{
	static const struct {
		enum target_kind kind;
		struct resource r;
	} rows[] = {
		{ TARGET_MESH_SERVICE_SUBSET, { .display_name = STR("z") } },
		{ TARGET_MESH_SERVICE,
		    { .display_name = STR("z"), .labels = TAGS(from_zone) } },
		{ TARGET_MESH_EXTERNAL_SERVICE,
		    { .display_name = STR("z"), .labels = TAGS(of_owner) } },
		{ TARGET_MESH_SERVICE,
		    { .display_name = STR("z"), .labels = TAGS(of_consumer) } },
		{ TARGET_MESH_SERVICE,
		    { .display_name = STR("z"), .labels = TAGS(of_producer) } },
		{ TARGET_MESH_SERVICE, { .display_name = STR("a") } },
		{ TARGET_MESH_SERVICE,
		    { .display_name = STR("b"), .name = STR("b.1") } },
		{ TARGET_MESH_SERVICE,
		    { .display_name = STR("b"), .name = STR("b.2") } },
		{ TARGET_MESH_SUBSET, { .display_name = STR("a") } },
		{ TARGET_MESH, { .display_name = STR("a") } },
		{ TARGET_NONE, { .display_name = STR("b") } },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		for (size_t k = i + 1; k < ARRAY_LEN(rows); k++) {
			struct target_ref a = { .kind = rows[i].kind };
			struct target_ref b = { .kind = rows[k].kind };

			cr_expect_lt(
			    target_order(&rows[i].r, &a, &rows[k].r, &b), 0,
			    "%zu before %zu", i, k);
			cr_expect_gt(
			    target_order(&rows[k].r, &b, &rows[i].r, &a), 0,
			    "%zu after %zu", k, i);
		}
}

Test(target_match, shadow)
{
	struct resource r = { .labels = TAGS(shadow) };

	cr_expect(resource_is_shadow(&r));
	r.labels.n = 0;
	cr_expect_not(resource_is_shadow(&r));
}

static void
expect_callers(
    struct arena *a, const struct target_ref *t, const char *want, size_t row)
{
	struct text printed = TEXT_EMPTY;
	struct principal p;

	if (!principal_of_target(a, STR("m"), t, &p)) {
		cr_expect_null(want, "row %zu means nobody", row);
		return;
	}
	principal_print(&p, &printed);
	cr_assert_not_null(want, "row %zu", row);
	cr_expect_str_eq(printed.p, want, "row %zu", row);
	text_free(&printed);
}

Test(target_match, callers)
{
	static const struct {
		struct target_ref t;
		const char *callers; /* NULL: none */
	} rows[] = {
		{ { .kind = TARGET_NONE }, "any caller of the mesh" },
		{ { .kind = TARGET_MESH }, "any caller of the mesh" },
		{ { .kind = TARGET_MESH_SUBSET, .tags = TAGS(of_service) },
		    "spiffe://m/pay and kuma://version/1" },
		{ { .kind = TARGET_MESH_SUBSET, .tags = TAGS(any_version) },
		    "any caller of the mesh" },
		{ { .kind = TARGET_MESH_SERVICE, .name = STR("web") },
		    "spiffe://m/web" },
		{ { .kind = TARGET_MESH_SERVICE_SUBSET,
		      .name = STR("web"),
		      .tags = TAGS(version_1) },
		    "kuma://version/1 and spiffe://m/web" },
		{ { .kind = TARGET_MESH_GATEWAY, .name = STR("web") }, NULL },
		{ { .kind = TARGET_DATAPLANE }, NULL },
	};
	struct arena a;

	arena_init(&a, 512);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		expect_callers(&a, &rows[i].t, rows[i].callers, i);
	arena_fini(&a);
}

Test(target_match, fit_of_selectors)
{
	static const struct tags all[] = { TAGS(of_service), TAGS(version_1),
		TAGS(any_version) };

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		for (size_t k = 0; k < ARRAY_LEN(all); k++)
			cr_expect_eq(
			    fit_is_better(fit_of(&all[i]), fit_of(&all[k])),
			    i < k, "%zu before %zu", i, k);
}
