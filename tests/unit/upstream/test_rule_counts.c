/* SPDX-License-Identifier: Apache-2.0 */
/* upstream/rule_counts.h: however many rules a service has, labels are few. */

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "policy/authorize.h"
#include "upstream/rule_counts.h"
#include "upstream_rig.h"

#define RULES 30 /* rulesets of one each */

static struct rig g;

static void
setup(void)
{
	rig_init(&g);
	rig_start(&g);
}

static void
teardown(void)
{
	rig_fini(&g);
}

TestSuite(rule_counts, .init = setup, .fini = teardown);

static struct service *
service(unsigned first)
{
	struct text rules = TEXT_EMPTY;
	struct service *s;

	for (unsigned i = 0; i < RULES; i++)
		text_addf(&rules, "%sr%u", i > 0 ? " " : "", first + i);
	s = rig_service("s", rules.p,
	    (const struct rig_endpoint[]){
		{ .key = "a", .host = "127.0.0.1", .port = 1, .weight = 1 },
		{ .key = NULL } });
	text_free(&rules);
	return s;
}

/* Lines of zegress_rule_allowed, and what they come to. */
static unsigned
count_lines(uint64_t *sum)
{
	static const char start[] = "\nzegress_rule_allowed{";
	struct text out = TEXT_EMPTY;
	const char *at;
	unsigned n = 0;

	stats_render(&out);
	*sum = 0;
	for (at = out.p; (at = strstr(at, start)) != NULL; n++) {
		at += strlen(start);
		*sum += strtoull(strstr(at, "} ") + 2, NULL, 10);
	}
	text_free(&out);
	return n;
}

static void
count_all(struct cluster *c)
{
	for (uint32_t i = 0; i < RULES; i++)
		cluster_count_rule(c, i, STAT_RULE_ALLOWED);
	cluster_count_rule(c, RULE_NONE, STAT_RULE_ALLOWED);
}

/* One each of the first, one of all others, one of no rule. */
Test(rule_counts, are_bounded)
{
	struct service *s = service(0), *other = service(1000);
	struct cluster *c = clusters_get(g.clusters, s);
	struct snapshot *snap;
	uint64_t sum;

	count_all(c);
	cr_expect_eq(count_lines(&sum), RULES_COUNTED + 2);
	cr_expect_eq(sum, RULES + 1);
	cr_expect_eq(stats_sum(SCOPE_RULE, "m_s other", STAT_RULE_ALLOWED),
	    RULES - RULES_COUNTED);
	cr_expect_eq(
	    stats_sum(SCOPE_RULE, "m_s no rule matches", STAT_RULE_ALLOWED), 1);
	/* Others in their place: those of before go. */
	snap = rig_snapshot(&other, 1);
	clusters_sync(g.clusters, snap);
	snapshot_unref(snap);
	cr_expect_leq(count_lines(&sum), 2);
	count_all(clusters_get(g.clusters, other));
	cr_expect_eq(count_lines(&sum), RULES_COUNTED + 2);
	service_unref(s);
	service_unref(other);
}
