/* SPDX-License-Identifier: Apache-2.0 */
/* conn/faults.h: which of a policy's faults are made, by the dice. */

#include "conn/faults.h"

#include <criterion/criterion.h>

#include "policy/identity.h"

#define SOMETIMES (CHANCE_ALWAYS / 4)

static struct uri_test of_web[] = { { .uri = STR("spiffe://mesh/web") } };
static struct uri_test of_shop[] = { { .uri = STR("spiffe://mesh/shop") } };
static struct principal web = { .tests = of_web, .n_tests = 1 };
static struct principal shop = { .tests = of_shop, .n_tests = 1 };

#define RULE(n) .origin = STR("f.yaml:" n " MeshFaultInjection/f")
#define OF(who) .callers = &(who), .n_callers = 1

static uint32_t
low(uint32_t n)
{
	cr_expect_eq(n, CHANCE_ALWAYS);
	return SOMETIMES - 1;
}

static uint32_t
high(uint32_t n)
{
	(void)n;
	return SOMETIMES;
}

static uint32_t
unused(uint32_t n)
{
	cr_assert_fail("there is no chance in it");
	return n;
}

/* What it says of the caller web. */
static struct text
say(struct fault_rule *v, size_t n, uint32_t (*dice)(uint32_t))
{
	struct traffic_policy t = { .faults = v, .n_faults = n };
	struct str uri = STR("spiffe://mesh/web");
	struct text out = TEXT_EMPTY;
	struct identity *id;
	struct faults f;

	cr_assert_eq(identity_new(STR("mesh"), &uri, 1, 0, &id), IDENTITY_OK);
	f = faults_draw(&t, id, dice);
	text_add_z(&out, "");
	faults_print(&f, &out);
	identity_free(id);
	return out;
}

#define CHECK(v, dice, want)                                   \
	do {                                                   \
		struct text got_ = say(v, ARRAY_LEN(v), dice); \
		cr_expect_str_eq(got_.p, want, "%s", got_.p);  \
		text_free(&got_);                              \
	} while (0)

Test(faults, the_dice_decide)
{
	struct fault_rule v[] = { { OF(web), .delay_ms = 20,
	    .delay_chance = SOMETIMES, .abort_status = 503,
	    .abort_chance = SOMETIMES, .bytes_per_s = 1000,
	    .bandwidth_chance = SOMETIMES, RULE("1") } };

	CHECK(v, low,
	    "delay of 20 ms by f.yaml:1 MeshFaultInjection/f, "
	    "abort with 503 by f.yaml:1 MeshFaultInjection/f, "
	    "bandwidth of 1000 bytes/s by f.yaml:1 MeshFaultInjection/f");
	CHECK(v, high, "");
	v[0].delay_chance = v[0].bandwidth_chance = CHANCE_ALWAYS;
	v[0].abort_chance = 0;
	CHECK(v, unused,
	    "delay of 20 ms by f.yaml:1 MeshFaultInjection/f, "
	    "bandwidth of 1000 bytes/s by f.yaml:1 MeshFaultInjection/f");
}

Test(faults, of_several_rules)
{
	struct fault_rule v[] = {
		{ OF(web), .delay_ms = 20, .delay_chance = CHANCE_ALWAYS,
		    .bytes_per_s = 500, .bandwidth_chance = CHANCE_ALWAYS,
		    RULE("1") },
		{ OF(shop), .delay_ms = 1000, .delay_chance = CHANCE_ALWAYS,
		    .abort_status = 500, .abort_chance = CHANCE_ALWAYS,
		    RULE("2") },
		{ OF(web), .delay_ms = 30, .delay_chance = CHANCE_ALWAYS,
		    .bytes_per_s = 700, .bandwidth_chance = CHANCE_ALWAYS,
		    RULE("3") },
		{ OF(web), .abort_status = 418, .abort_chance = CHANCE_ALWAYS,
		    RULE("4") },
		{ OF(web), .delay_ms = 7, .delay_chance = CHANCE_ALWAYS,
		    .abort_status = 400, .abort_chance = CHANCE_ALWAYS,
		    RULE("5") },
	};

	CHECK(v, unused,
	    "delay of 50 ms by f.yaml:3 MeshFaultInjection/f, "
	    "abort with 418 by f.yaml:4 MeshFaultInjection/f, "
	    "bandwidth of 500 bytes/s by f.yaml:1 MeshFaultInjection/f");
}

/* A chance of a quarter, of many. */
static uint32_t
next_number(uint32_t n)
{
	static uint32_t at;

	at = (at + 618033) % n; /* evenly spread */
	return at;
}

Test(faults, as_often_as_it_says)
{
	struct fault_rule v[] = { { OF(web), .abort_status = 500,
	    .abort_chance = SOMETIMES, RULE("1") } };
	unsigned n = 0;

	for (unsigned i = 0; i < 10000; i++) {
		struct text got = say(v, 1, next_number);

		n += got.len > 0;
		text_free(&got);
	}
	cr_expect(n > 2450 && n < 2550, "%u", n);
}

Test(faults, none_without_a_policy)
{
	struct faults f = faults_draw(NULL, NULL, unused);

	cr_expect_eq(f.delay_ms, 0);
	cr_expect_eq(f.abort_status, 0);
	cr_expect_eq(f.bytes_per_s, 0);
}
