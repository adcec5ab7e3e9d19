/* SPDX-License-Identifier: Apache-2.0 */
/* Whom rates and faults concern, and when two policies are one. */

#include <criterion/criterion.h>

#include "policy/fingerprint.h"
#include "policy/identity.h"
#include "policy/traffic.h"

static struct uri_test of_web[] = { { .uri = STR("spiffe://mesh/web") } };
static struct uri_test of_any_web[] = { { .uri = STR("spiffe://mesh/web"),
    .is_prefix = true } };
static struct uri_test of_others[] = { { .uri = STR("spiffe://mesh/web"),
    .is_prefix = true,
    .is_negated = true } };
static struct principal web = { .tests = of_web, .n_tests = 1 };
static struct principal any_web = { .tests = of_any_web, .n_tests = 1 };
static struct principal others = { .tests = of_others, .n_tests = 1 };
static struct principal anybody = { .n_tests = 0 };

static struct identity *
caller(const char *uri)
{
	struct str uris[] = { str_of(uri) };
	struct identity *id;

	cr_assert_eq(identity_new(STR("mesh"), uris, 1, 0, &id), IDENTITY_OK);
	return id;
}

Test(traffic, principals)
{
	static const struct {
		const struct principal *who;
		const char *uri;
		bool is_meant;
	} rows[] = {
		{ &web, "spiffe://mesh/web", true },
		{ &web, "spiffe://mesh/web-2", false },
		{ &any_web, "spiffe://mesh/web-2", true },
		{ &any_web, "spiffe://mesh/my-web", false },
		{ &others, "spiffe://mesh/web-2", false },
		{ &others, "spiffe://mesh/my-web", true },
		{ &anybody, "spiffe://mesh/my-web", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct identity *id = caller(rows[i].uri);

		cr_expect_eq(principal_matches(rows[i].who, id, STR_NONE),
		    rows[i].is_meant, "row %zu", i);
		identity_free(id);
	}
}

Test(traffic, first_rate_and_all_faults)
{
	struct rate_rule rates[] = {
		{ .of = RATE_OF_CONNECTIONS, .callers = &web, .n_callers = 1 },
		{ .of = RATE_OF_REQUESTS, .callers = &web, .n_callers = 1 },
		{ .of = RATE_OF_REQUESTS, .callers = &anybody, .n_callers = 1 },
	};
	struct fault_rule faults[] = {
		{ .callers = &anybody, .n_callers = 1 },
		{ .callers = &others, .n_callers = 1 },
		{ .callers = &web, .n_callers = 1 },
	};
	struct traffic_policy t = { .rates = rates,
		.n_rates = ARRAY_LEN(rates),
		.faults = faults,
		.n_faults = ARRAY_LEN(faults) };
	struct identity *id = caller("spiffe://mesh/web");
	struct identity *other = caller("spiffe://mesh/shop");

	cr_expect_eq(traffic_rate(&t, RATE_OF_REQUESTS, id), &rates[1]);
	cr_expect_eq(traffic_rate(&t, RATE_OF_REQUESTS, other), &rates[2]);
	cr_expect_null(traffic_rate(&t, RATE_OF_CONNECTIONS, other));
	cr_expect_null(traffic_rate(NULL, RATE_OF_REQUESTS, id));
	cr_expect_eq(traffic_fault(&t, NULL, id), &faults[0]);
	cr_expect_eq(traffic_fault(&t, &faults[0], id), &faults[2]);
	cr_expect_null(traffic_fault(&t, &faults[2], id));
	cr_expect_null(traffic_fault(NULL, NULL, id));
	identity_free(id);
	identity_free(other);
}

Test(traffic, but_not_these)
{
	struct rate_rule rate = { .callers = &anybody,
		.n_callers = 1,
		.except = &web,
		.n_except = 1 };
	struct fault_rule fault = { .callers = &any_web,
		.n_callers = 1,
		.except = &web,
		.n_except = 1 };
	struct traffic_policy t = {
		.rates = &rate, .n_rates = 1, .faults = &fault, .n_faults = 1
	};
	struct identity *id = caller("spiffe://mesh/web");
	struct identity *other = caller("spiffe://mesh/web-2");

	cr_expect_null(traffic_rate(&t, RATE_OF_REQUESTS, id));
	cr_expect_eq(traffic_rate(&t, RATE_OF_REQUESTS, other), &rate);
	cr_expect_null(traffic_fault(&t, NULL, id));
	cr_expect_eq(traffic_fault(&t, NULL, other), &fault);
	identity_free(id);
	identity_free(other);
}

static struct digest
digest_with(struct rate_rule r, uint64_t *origins)
{
	struct traffic_policy t = { .rates = &r, .n_rates = 1 };
	struct fingerprint f;

	fingerprint_init(&f);
	traffic_policy_digest(&t, &f);
	fingerprint_fini(&f);
	*origins = t.origins;
	return t.digest;
}

Test(traffic, digest)
{
	struct header_change h = { .name = STR("x-limited"),
		.value = STR("1") };
	struct rate_rule r = { .of = RATE_OF_REQUESTS,
		.callers = &web,
		.n_callers = 1,
		.num = 5,
		.interval_ms = 1000,
		.status = 429,
		.headers = &h,
		.n_headers = 1,
		.origin = STR("a.yaml:1 RateLimit/r") };
	uint64_t there, elsewhere;
	struct digest had = digest_with(r, &there), now;

	r.origin = STR("b.yaml:7 RateLimit/r");
	now = digest_with(r, &elsewhere);
	cr_expect(digest_eq(&had, &now));
	cr_expect_neq(there, elsewhere);
	h.is_added = true;
	now = digest_with(r, &there);
	cr_expect_not(digest_eq(&had, &now));
	h.is_added = false;
	of_web[0].is_prefix = true;
	now = digest_with(r, &there);
	of_web[0].is_prefix = false;
	cr_expect_not(digest_eq(&had, &now));
	r.except = &any_web;
	r.n_except = 1;
	now = digest_with(r, &there);
	cr_expect_not(digest_eq(&had, &now));
}

Test(traffic, a_sealed_one_stands_alone)
{
	struct uri_test of_shop = { .uri = STR("spiffe://mesh/shop") };
	struct principal shop = { .tests = &of_shop, .n_tests = 1 };
	struct rate_rule r = { .callers = &web,
		.n_callers = 1,
		.except = &shop,
		.n_except = 1,
		.num = 5 };
	struct traffic_policy draft = { .rates = &r, .n_rates = 1 }, *t;
	struct identity *id = caller("spiffe://mesh/web");

	t = traffic_policy_new(&draft);
	r.num = 7;
	of_web[0].uri = STR("spiffe://mesh/other");
	of_shop.uri = STR("spiffe://mesh/web");
	cr_assert_not_null(traffic_rate(t, RATE_OF_REQUESTS, id));
	cr_expect_eq(traffic_rate(t, RATE_OF_REQUESTS, id)->num, 5);
	of_web[0].uri = STR("spiffe://mesh/web");
	traffic_policy_unref(t);
	identity_free(id);
}
