/* SPDX-License-Identifier: Apache-2.0 */
/* upstream/rates.h: which bucket is whose, and how long it remembers. */

#include <criterion/criterion.h>

#include "base/clock.h"
#include "policy/fingerprint.h"
#include "upstream/cluster_state.h"
#include "upstream/rates.h"
#include "upstream_rig.h"

#define SECOND_NS UINT64_C(1000000000)
#define START_NS (1000 * SECOND_NS)

static struct rate_rule
rule_of(uint8_t which, uint64_t num)
{
	return (struct rate_rule){ .of = RATE_OF_REQUESTS,
		.num = num,
		.interval_ms = 1000,
		.origin = STR("a.yaml:1 RateLimit/r"),
		.bucket = { .b = { which } } };
}

static unsigned
take_all(struct rate *b, uint64_t now_ns)
{
	unsigned n = 0;

	while (rate_take(b, now_ns))
		n++;
	return n;
}

/* Services share the rule, and each has its own bucket. */
Test(rates, one_bucket_a_service)
{
	struct rate_rule rule = rule_of(1, 5);
	struct rates *r = rates_new();
	struct rate *of_s = rates_hold(r, STR("m/ES/s"), &rule, START_NS);
	struct rate *of_t = rates_hold(r, STR("m/ES/t"), &rule, START_NS);

	cr_expect_neq(of_s, of_t);
	cr_expect_eq(take_all(of_s, START_NS), 5);
	cr_expect_eq(take_all(of_t, START_NS), 5);
	rates_let_go(r, of_s, START_NS);
	rates_let_go(r, of_t, START_NS);
	rates_free(r);
}

Test(rates, one_bucket_a_digest)
{
	struct rate_rule a = rule_of(1, 5), b = rule_of(2, 3);
	struct rates *r = rates_new();
	struct rate *here = rates_hold(r, STR("m/ES/s"), &a, START_NS);
	struct rate *there = rates_hold(r, STR("m/ES/s"), &a, START_NS);
	struct rate *other = rates_hold(r, STR("m/ES/s"), &b, START_NS);

	cr_expect_eq(here, there);
	cr_expect_neq(here, other);
	cr_expect_eq(take_all(here, START_NS), 5);
	cr_expect_eq(take_all(there, START_NS), 0);
	cr_expect_eq(take_all(other, START_NS), 3);
	rates_let_go(r, here, START_NS);
	rates_let_go(r, there, START_NS);
	rates_let_go(r, other, START_NS);
	rates_free(r);
}

/* Held by nobody for a while, as between two versions of a service. */
Test(rates, what_is_missing_is_remembered)
{
	struct rate_rule a = rule_of(1, 10);
	struct rates *r = rates_new();
	struct rate *b = rates_hold(r, STR("m/ES/s"), &a, START_NS);

	cr_expect_eq(take_all(b, START_NS), 10);
	rates_let_go(r, b, START_NS);
	cr_expect_eq(rates_count(r), 1);
	b = rates_hold(r, STR("m/ES/s"), &a, START_NS + SECOND_NS / 2);
	cr_expect_eq(take_all(b, START_NS + SECOND_NS / 2), 5);
	rates_let_go(r, b, START_NS + SECOND_NS / 2);
	/* Full again: there is nothing to remember. */
	b = rates_hold(r, STR("m/ES/s"), &a, START_NS + 2 * SECOND_NS);
	rates_let_go(r, b, START_NS + 2 * SECOND_NS);
	cr_expect_eq(rates_count(r), 0);
	rates_free(r);
}

Test(rates, those_that_nobody_holds_are_few)
{
	struct rates *r = rates_new();

	for (unsigned i = 0; i < 5000; i++) {
		struct rate_rule a = rule_of(1, 1);
		struct rate *b;

		memcpy(a.bucket.b + 1, &i, sizeof(i));
		b = rates_hold(r, STR("m/ES/s"), &a, START_NS);
		cr_assert(rate_take(b, START_NS));
		rates_let_go(r, b, START_NS);
	}
	cr_expect_eq(rates_count(r), 1024);
	rates_free(r);
}

/* A policy with these rules. */
static struct traffic_policy *
policy_of(struct rate_rule *rules, size_t n)
{
	struct traffic_policy draft = { .rates = rules, .n_rates = n };
	struct fingerprint f;

	fingerprint_init(&f);
	traffic_policy_digest(&draft, &f);
	fingerprint_fini(&f);
	return traffic_policy_new(&draft);
}

static struct service *
service_with(struct rate_rule *rules, size_t n)
{
	static const struct rig_endpoint endpoints[] = {
		{ .key = "e", .host = "127.0.0.1", .port = 1 },
		{ .key = NULL },
	};
	struct service *s = rig_service("s", "a", endpoints);

	if (n > 0)
		s->traffic = policy_of(rules, n);
	return s;
}

/* How many it lets through, until it does not. */
static unsigned
admitted(struct clusters *cs, struct service *s, size_t rule)
{
	unsigned n = 0;

	while (cluster_admits(clusters_get(cs, s), &s->traffic->rates[rule]))
		n++;
	return n;
}

/* The clusters of two workers, and a reload that one of them saw first. */
Test(rates, workers_and_reloads_share)
{
	struct rate_rule rules[] = { rule_of(1, 5), rule_of(2, 3) };
	struct rate_rule turned[] = { rule_of(2, 3), rule_of(3, 4) };
	struct service *s = service_with(rules, 2);
	struct service *newer = service_with(turned, 2);
	struct service *without = service_with(NULL, 0);
	struct rates *r = rates_new();
	struct clusters *other;
	struct rig g, h;

	rig_init(&g);
	rig_init(&h);
	g.env.rates = h.env.rates = r;
	rig_start(&g);
	rig_start(&h);
	other = h.clusters;
	clock_fake(1000000, 0);
	cr_expect(
	    cluster_admits(clusters_get(g.clusters, s), &s->traffic->rates[0]));
	cr_expect_eq(admitted(other, s, 0), 4);
	cr_expect_eq(admitted(g.clusters, s, 0), 0);
	cr_expect_eq(admitted(other, s, 1), 3);
	cr_expect_eq(rates_count(r), 2);
	/* The same rule elsewhere in the list, and one that is new. */
	cr_expect_eq(admitted(other, newer, 0), 0);
	cr_expect_eq(admitted(other, newer, 1), 4);
	/* Who still asks by the old version. */
	clusters_get(other, newer);
	cr_expect_not(
	    cluster_admits(clusters_get(other, newer), &s->traffic->rates[0]));
	cr_expect_eq(rates_count(r), 3);
	/* None any more, and then again: it is still empty. */
	clusters_get(g.clusters, without);
	clusters_get(other, without);
	cr_expect_eq(admitted(other, s, 0), 0);
	clock_fake(1001001, 0);
	cr_expect_eq(admitted(g.clusters, newer, 0), 3);
	rig_fini(&g);
	rig_fini(&h);
	cr_expect_leq(rates_count(r), 3);
	rates_free(r);
	service_unref(s);
	service_unref(newer);
	service_unref(without);
	clock_unfake();
}

/* Nothing to count by: nothing is let through. */
Test(rates, without_buckets)
{
	struct rate_rule rule = rule_of(1, 5);
	struct service *s = service_with(&rule, 1);
	struct rig g;

	rig_init(&g);
	rig_start(&g);
	cr_expect_eq(admitted(g.clusters, s, 0), 0);
	rig_fini(&g);
	service_unref(s);
}
