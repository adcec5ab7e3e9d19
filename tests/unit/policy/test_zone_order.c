/* SPDX-License-Identifier: Apache-2.0 */
/* policy/zone_order.h, and what a build makes of it: which zones take over. */

#include "policy/zone_order.h"

#include <criterion/criterion.h>

#include "build_yaml.h"
#include "policy/service_option.h"

#define RULES 4

static size_t
list(const char *const *from, struct str to[RULES])
{
	size_t n = 0;

	for (; n < RULES && from[n] != NULL; n++)
		to[n] = str_of(from[n]);
	return n;
}

Test(zone_order, rules)
{
	static const struct {
		const char *text;
		bool is_good;
	} rows[] = {
		{ "any", true },
		{ "none", true },
		{ "only z1", true },
		{ "only z1 z2", true },
		{ "except z1 z2 z3", true },
		{ "", false },
		{ "only", false },
		{ "except", false },
		{ "only ", false },
		{ "only  z1", false },
		{ "only z1 ", false },
		{ "any z1", false },
		{ "none z1", false },
		{ "Any", false },
		{ "z1", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		cr_expect_eq(zone_rule_is_good(str_of(rows[i].text)),
		    rows[i].is_good, "'%s'", rows[i].text);
}

Test(zone_order, the_first_that_accepts)
{
	static const struct {
		const char *rules[RULES + 1];
		const char *zone;
		unsigned want;
	} rows[] = {
		{ { "any" }, "z2", 1 },
		{ { "none" }, "z2", 0 },
		{ { "only z2 z3" }, "z3", 1 },
		{ { "only z2 z3" }, "z", 0 },
		{ { "only z2 z3" }, "z2 z3", 0 },
		{ { "except z2" }, "z2", 0 },
		{ { "except z2" }, "z3", 1 },
		/* None is passed over. */
		{ { "only z2", "none", "except z3", "any" }, "z2", 1 },
		{ { "only z2", "none", "except z3", "any" }, "z4", 3 },
		{ { "only z2", "none", "except z3", "any" }, "z3", 4 },
		{ { NULL }, "z2", 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str v[RULES];
		const struct str_list rules = { v, list(rows[i].rules, v) };

		cr_expect_eq(zone_order(&rules, str_of(rows[i].zone)),
		    rows[i].want, "row %zu", i);
	}
}

#define INGRESS(zone, number)                                                 \
	"type: ZoneIngress\nname: " zone "\nzone: " zone                      \
	"\nnetworking: { address: 10.0.0.9, port: 1, advertisedAddress: "     \
	"192.0.2." number ", advertisedPort: 10001 }\n"                       \
	"availableServices:\n- { tags: { kuma.io/service: inner }, mesh: m, " \
	"instances: 1 }\n- { tags: { kuma.io/service: s }, mesh: m, "         \
	"instances: 1, externalService: true }\n---\n"
#define IN_ZONE(name, zone)                                               \
	"type: ExternalService\nmesh: m\nname: " name                     \
	"\ntags: { kuma.io/service: s" zone " }\nnetworking: { address: " \
	"\"192.0.2.99:443\" }\n---\n"

/* The zones of a service with their priorities: "z2=1 z3=2". */
static void
print_zones(const struct service *s, struct text *out)
{
	for (size_t i = 0; i < s->n_remote; i++)
		text_addf(out, "%s%.*s=%u", i > 0 ? " " : "",
		    STR_ARG(s->remote[i].endpoint->zone),
		    s->remote[i].endpoint->priority);
}

static const struct service *
find(const struct snapshot *s, const char *key)
{
	return snapshot_find(s, str_of(key));
}

Test(zone_order, zones_that_take_over)
{
	static const char yaml[] = MESH("m", "zoneEgress: true")
	    INGRESS("z2", "2") INGRESS("z3", "3") INGRESS("z4", "4")
		IN_ZONE("here", "") IN_ZONE("there", ", kuma.io/zone: z2");
	static const struct {
		const char *rules[RULES + 1];
		enum balance_locality locality;
		const char *want;
		bool is_aware;
	} rows[] = {
		{ { NULL }, BALANCE_LOCALITY_AS_MESH, "z2=0 z3=0 z4=0", false },
		{ { NULL }, BALANCE_LOCALITY_ON, "z2=0 z3=0 z4=0", true },
		{ { "only z3", "any" }, BALANCE_LOCALITY_AS_MESH,
		    "z2=2 z3=1 z4=2", true },
		{ { "only z4", "except z3" }, BALANCE_LOCALITY_AS_MESH,
		    "z2=2 z4=1", true },
		{ { "only z3" }, BALANCE_LOCALITY_OFF, "z3=1", false },
		{ { "none" }, BALANCE_LOCALITY_AS_MESH, "", true },
	};
	/* Of this zone too, and only of others. */
	static const char *const keys[] = { "m/ES/s", "m/internal/inner" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str v[RULES];
		struct service_entry e = {
			.mesh = STR("m"),
			.given = { [SERVICE_OPTION_BALANCE_ZONES] = true,
			    [SERVICE_OPTION_BALANCE_LOCALITY] = true,
			    [SERVICE_OPTION_BALANCE_OVERPROVISIONING] = true },
			.options = { .balance_zones = { v,
					 list(rows[i].rules, v) },
			    .balance_locality = rows[i].locality,
			    .balance_overprovisioning = 200 },
			.file = "conf",
		};
		struct build_settings set = default_settings;
		struct store *st = store_new();
		struct problems pr = PROBLEMS_NONE;
		struct snapshot *s;

		set.services = &e;
		set.n_services = 1;
		s = build_in(st, yaml, &set, NULL, NULL, &pr);
		for (size_t k = 0; k < ARRAY_LEN(keys); k++) {
			const struct service *service = find(s, keys[k]);
			struct text zones = TEXT_EMPTY;

			cr_assert_not_null(service, "%s", keys[k]);
			text_add(&zones, STR(""));
			print_zones(service, &zones);
			cr_expect(
			    str_eq(text_str(&zones), str_of(rows[i].want)),
			    "row %zu, %s: %.*s", i, keys[k],
			    STR_ARG(text_str(&zones)));
			cr_expect_eq(service->is_locality_aware,
			    rows[i].is_aware, "row %zu, %s", i, keys[k]);
			cr_expect_eq(service->options->balance_zones.n,
			    e.options.balance_zones.n);
			if (rows[i].rules[0] != NULL)
				cr_expect_eq(
				    service->options->balance_overprovisioning,
				    200);
			text_free(&zones);
		}
		snapshot_unref(s);
		problems_free(&pr);
		store_free(st);
	}
}
