/* SPDX-License-Identifier: Apache-2.0 */
/* base/stats.h: shards that add up, and the Prometheus text. */

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/stats.h"

static bool
has_line(const struct text *t, const char *line)
{
	struct str rest = text_str(t);

	while (rest.len > 0)
		if (str_eq(str_cut(&rest, '\n'), str_of(line)))
			return true;
	return false;
}

static void
expect_lines(const struct text *t, const char *const *lines, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		cr_expect(
		    has_line(t, lines[i]), "%s\nis not in\n%s", lines[i], t->p);
}

Test(stats, get_finds_what_it_made)
{
	struct stats_shard *s = stats_shard_new();
	struct stats_set *a = stats_get(s, SCOPE_CLUSTER, "a");

	cr_expect_eq(a, stats_get(s, SCOPE_CLUSTER, "a"));
	cr_expect_neq(a, stats_get(s, SCOPE_CLUSTER, "b"));
	cr_expect_neq(a, stats_get(s, SCOPE_LISTENER, "a"));
	cr_expect_eq(
	    stats_get(s, SCOPE_SERVER, NULL), stats_get(s, SCOPE_SERVER, NULL));
	cr_expect_eq(a->scope, SCOPE_CLUSTER);
	cr_expect_str_eq(a->name, "a");
	stats_shard_free(s);
	stats_shard_free(NULL);
}

Test(stats, shards_add_up)
{
	struct stats_shard *s = stats_shard_new(), *t = stats_shard_new();

	stat_add(stats_get(s, SCOPE_CLUSTER, "a"), STAT_UPSTREAM_CX_TOTAL, 3);
	stat_inc(stats_get(t, SCOPE_CLUSTER, "a"), STAT_UPSTREAM_CX_TOTAL);
	stat_inc(stats_get(t, SCOPE_CLUSTER, "b"), STAT_UPSTREAM_CX_TOTAL);
	cr_expect_eq(stats_sum(SCOPE_CLUSTER, "a", STAT_UPSTREAM_CX_TOTAL), 4);
	cr_expect_eq(stats_sum(SCOPE_CLUSTER, "b", STAT_UPSTREAM_CX_TOTAL), 1);
	cr_expect_eq(stats_sum(SCOPE_CLUSTER, "c", STAT_UPSTREAM_CX_TOTAL), 0);
	cr_expect_eq(stats_sum(SCOPE_CLUSTER, "a", STAT_UPSTREAM_CX_ACTIVE), 0);
	stats_shard_free(t);
	cr_expect_eq(stats_sum(SCOPE_CLUSTER, "a", STAT_UPSTREAM_CX_TOTAL), 3);
	stats_shard_free(s);
}

Test(stats, what_every_shard_sees_whole_is_not_added)
{
	struct stats_shard *s = stats_shard_new(), *t = stats_shard_new();

	stat_set(stats_get(s, SCOPE_CLUSTER, "a"), STAT_MEMBERSHIP_TOTAL, 3);
	stat_set(stats_get(t, SCOPE_CLUSTER, "a"), STAT_MEMBERSHIP_TOTAL, 2);
	cr_expect_eq(stats_sum(SCOPE_CLUSTER, "a", STAT_MEMBERSHIP_TOTAL), 3);
	stats_shard_free(s);
	stats_shard_free(t);
}

Test(stats, gauges_go_down)
{
	struct stats_shard *s = stats_shard_new(), *t = stats_shard_new();
	const char *line = "envoy_cluster_upstream_cx_active"
			   "{envoy_cluster_name=\"a\"} -1";
	struct text out = TEXT_EMPTY;

	stat_inc(stats_get(s, SCOPE_CLUSTER, "a"), STAT_UPSTREAM_CX_ACTIVE);
	stat_dec(stats_get(t, SCOPE_CLUSTER, "a"), STAT_UPSTREAM_CX_ACTIVE);
	cr_expect_eq(stats_sum(SCOPE_CLUSTER, "a", STAT_UPSTREAM_CX_ACTIVE), 0);
	stat_dec(stats_get(t, SCOPE_CLUSTER, "a"), STAT_UPSTREAM_CX_ACTIVE);
	stats_render(&out);
	expect_lines(&out, &line, 1);
	text_free(&out);
	stats_shard_free(s);
	stats_shard_free(t);
}

Test(stats, dropped_sets_are_gone)
{
	struct stats_shard *s = stats_shard_new();
	struct text out = TEXT_EMPTY;

	stat_inc(stats_get(s, SCOPE_CLUSTER, "gone"), STAT_UPSTREAM_RQ_TOTAL);
	stat_inc(stats_get(s, SCOPE_CLUSTER, "kept"), STAT_UPSTREAM_RQ_TOTAL);
	stats_drop(s, stats_get(s, SCOPE_CLUSTER, "gone"));
	stats_drop(s, NULL);
	stats_render(&out);
	cr_expect_null(strstr(out.p, "gone"));
	cr_expect_not_null(strstr(out.p, "kept"));
	cr_expect_eq(
	    stats_sum(SCOPE_CLUSTER, "gone", STAT_UPSTREAM_RQ_TOTAL), 0);
	text_free(&out);
	stats_shard_free(s);
}

Test(stats, renders_each_scope)
{
	static const char *const lines[] = {
		"# TYPE envoy_server_live gauge",
		"envoy_server_live 1",
		"envoy_server_watchdog_miss 0",
		"# TYPE envoy_listener_ssl_handshake counter",
		"envoy_listener_ssl_handshake"
		"{envoy_listener_address=\"127.0.0.1:10002\"} 2",
		"envoy_cluster_upstream_rq_xx"
		"{envoy_cluster_name=\"m_s\",envoy_response_code_class=\"5\"}"
		" 1",
		"envoy_cluster_membership_healthy"
		"{envoy_cluster_name=\"m_s\"} 0",
		"zegress_ended_total{outcome=\"denied\"} 7",
		"zegress_not_after_seconds{kind=\"ca\",name=\"a b\"} 8",
		"zegress_rule_denied{envoy_cluster_name=\"m_s\",rule=\"f:1 "
		"K/n\"} 9",
		"zegress_wildcard_name_uses"
		"{envoy_cluster_name=\"m_s\",name=\"a.s3.example\"} 3",
	};
	struct stats_shard *s = stats_shard_new();
	struct text out = TEXT_EMPTY;

	stat_set(stats_get(s, SCOPE_SERVER, NULL), STAT_LIVE, 1);
	stat_add(stats_get(s, SCOPE_LISTENER, "127.0.0.1:10002"),
	    STAT_SSL_HANDSHAKE, 2);
	stat_inc(stats_get(s, SCOPE_CLUSTER, "m_s"), STAT_UPSTREAM_RQ_5XX);
	stat_add(stats_get(s, SCOPE_OUTCOME, "denied"), STAT_ENDED, 7);
	stat_set(stats_get(s, SCOPE_EXPIRY, "ca a b"), STAT_NOT_AFTER, 8);
	stat_add(
	    stats_get(s, SCOPE_NAMED, "m_s a.s3.example"), STAT_NAME_USES, 3);
	stat_add(stats_get(s, SCOPE_RULE, "m_s f:1 K/n"), STAT_RULE_DENIED, 9);
	stats_render(&out);
	expect_lines(&out, lines, ARRAY_LEN(lines));
	text_free(&out);
	stats_shard_free(s);
}

static size_t
count_of(const struct text *t, const char *what)
{
	const char *at;
	size_t n = 0;

	for (at = strstr(t->p, what); at != NULL; at = strstr(at + 1, what))
		n++;
	return n;
}

/* A name has one HELP and one TYPE, and its lines stand together. */
Test(stats, names_are_introduced_once)
{
	struct stats_shard *s = stats_shard_new();
	const struct stat_row *rows;
	struct text out = TEXT_EMPTY;
	size_t i, n = stats_rows(&rows);
	char line[300];

	stats_get(s, SCOPE_SERVER, NULL);
	stats_get(s, SCOPE_LISTENER, "l");
	stats_get(s, SCOPE_CLUSTER, "b");
	stats_get(s, SCOPE_CLUSTER, "a");
	stats_get(s, SCOPE_OUTCOME, "o");
	stats_get(s, SCOPE_RESOLVER, "r");
	stats_get(s, SCOPE_EXPIRY, "k n");
	stats_get(s, SCOPE_NAMED, "c n");
	stats_get(s, SCOPE_RULE, "c r");
	stats_render(&out);
	for (i = 0; i < n; i++) {
		snprintf(line, sizeof(line), "# HELP %s %s\n", rows[i].name,
		    rows[i].help);
		cr_expect_eq(count_of(&out, line), 1, "%s", line);
		snprintf(line, sizeof(line), "# TYPE %s ", rows[i].name);
		cr_expect_eq(count_of(&out, line), 1, "%s", line);
	}
	cr_expect_lt(strstr(out.p, "upstream_cx_total{envoy_cluster_name=\"a"),
	    strstr(out.p, "upstream_cx_total{envoy_cluster_name=\"b"),
	    "sorted by name");
	text_free(&out);
	stats_shard_free(s);
}

/* stats.tbl.h keeps a scope's rows together, in the order of the ids. */
Test(stats, rows_are_in_order)
{
	const struct stat_row *rows;
	size_t i, n = stats_rows(&rows), per_scope[SCOPE_N] = { 0 };

	for (i = 0; i < n; i++) {
		cr_expect(i == 0 || rows[i].scope >= rows[i - 1].scope, "%s",
		    rows[i].name);
		cr_expect_null(strchr(rows[i].help, '\n'));
		cr_expect_null(strchr(rows[i].help, '\\'));
		per_scope[rows[i].scope]++;
	}
	cr_expect_eq(per_scope[SCOPE_SERVER], STAT_SERVER_N);
	cr_expect_eq(per_scope[SCOPE_LISTENER], STAT_LISTENER_N);
	cr_expect_eq(per_scope[SCOPE_CLUSTER], STAT_CLUSTER_N);
	cr_expect_eq(per_scope[SCOPE_OUTCOME], STAT_OUTCOME_N);
	cr_expect_eq(per_scope[SCOPE_EXPIRY], STAT_EXPIRY_N);
	cr_expect_eq(per_scope[SCOPE_NAMED], STAT_NAMED_N);
	cr_expect_eq(per_scope[SCOPE_RULE], STAT_RULE_N);
}

Test(stats, labels_are_escaped)
{
	const char *line = "envoy_cluster_update_success"
			   "{envoy_cluster_name=\"a\\\"b\\\\c\\nd\"} 0";
	struct stats_shard *s = stats_shard_new();
	struct text out = TEXT_EMPTY;

	stats_get(s, SCOPE_CLUSTER, "a\"b\\c\nd");
	stats_render(&out);
	expect_lines(&out, &line, 1);
	text_free(&out);
	stats_shard_free(s);
}

#define CX "envoy_cluster_upstream_cx_connect_ms"
#define A "envoy_cluster_name=\"a\""

Test(stats, histogram_adds_up_over_shards)
{
	static const char *const lines[] = {
		"# TYPE " CX " histogram",
		CX "_bucket{" A ",le=\"0.5\"} 2",
		CX "_bucket{" A ",le=\"1\"} 3",
		CX "_bucket{" A ",le=\"5\"} 3",
		CX "_bucket{" A ",le=\"10000\"} 4",
		CX "_bucket{" A ",le=\"3600000\"} 4",
		CX "_bucket{" A ",le=\"+Inf\"} 5",
		CX "_sum{" A "} 3610002.001",
		CX "_count{" A "} 5",
	};
	struct stats_shard *s = stats_shard_new(), *t = stats_shard_new();
	struct text out = TEXT_EMPTY;

	stats_get(s, SCOPE_CLUSTER, "b");
	stat_connect_time(stats_get(s, SCOPE_CLUSTER, "a"), 500);
	stat_connect_time(stats_get(s, SCOPE_CLUSTER, "a"), 501);
	stat_connect_time(stats_get(t, SCOPE_CLUSTER, "a"), 0);
	stat_connect_time(stats_get(t, SCOPE_CLUSTER, "a"), 10000000);
	stat_connect_time(stats_get(t, SCOPE_CLUSTER, "a"), 3600001000);
	stats_render(&out);
	expect_lines(&out, lines, ARRAY_LEN(lines));
	cr_expect_eq(count_of(&out, CX "_bucket{" A), STATS_BUCKETS);
	cr_expect_eq(count_of(&out, CX "_bucket{envoy_cluster_name=\"b\""), 0);
	text_free(&out);
	stats_shard_free(s);
	stats_shard_free(t);
}

struct counting {
	struct stats_shard *shard;
	atomic_bool is_done;
};

static void *
count(void *arg)
{
	struct counting *c = arg;
	char name[16];
	unsigned i;

	c->shard = stats_shard_new();
	for (i = 0; i < 2000; i++) {
		snprintf(name, sizeof(name), "c%u", i % 50);
		stat_inc(stats_get(c->shard, SCOPE_CLUSTER, "all"),
		    STAT_UPSTREAM_RQ_TOTAL);
		stat_connect_time(stats_get(c->shard, SCOPE_CLUSTER, name), i);
		if (i % 7 == 0)
			stats_drop(
			    c->shard, stats_get(c->shard, SCOPE_CLUSTER, name));
	}
	atomic_store(&c->is_done, true);
	return NULL;
}

Test(stats, rendering_while_others_count)
{
	struct counting c[2] = { { .is_done = false }, { .is_done = false } };
	struct text out = TEXT_EMPTY;
	pthread_t thread[2];
	unsigned i;

	for (i = 0; i < 2; i++)
		cr_assert_eq(pthread_create(&thread[i], NULL, count, &c[i]), 0);
	while (!atomic_load(&c[0].is_done) || !atomic_load(&c[1].is_done)) {
		text_clear(&out);
		stats_render(&out);
	}
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	cr_expect_eq(
	    stats_sum(SCOPE_CLUSTER, "all", STAT_UPSTREAM_RQ_TOTAL), 4000);
	text_free(&out);
	stats_shard_free(c[0].shard);
	stats_shard_free(c[1].shard);
}
