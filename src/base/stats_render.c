/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Prometheus text (version 0.0.4) of all shards: first the sets of one
 * name are added up, with a shard's lock held; then they are printed, row by
 * row, with none.  Any thread.
 */

#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/stats.h"
#include "base/stats_shard.h"

/* The sets of one name, of all shards. */
struct total {
	const char *name;
	struct str label; /* `x="y"`, or nothing */
	uint64_t *v;
	uint64_t *bucket; /* NULL: nothing was measured */
	uint64_t sum_us;
	UT_hash_handle hh;
};

struct totals {
	struct total *by_name[SCOPE_N];
	const struct stat_row *rows[SCOPE_N]; /* by id */
	struct arena arena;
};

static const char *const label_names[SCOPE_N] = {
	[SCOPE_SERVER] = NULL,
	[SCOPE_LISTENER] = "envoy_listener_address",
	[SCOPE_CLUSTER] = "envoy_cluster_name",
	[SCOPE_OUTCOME] = "outcome",
	[SCOPE_RESOLVER] = "resolver",
	[SCOPE_EXPIRY] = "name",
	[SCOPE_NAMED] = "name",
	[SCOPE_RULE] = "rule",
};

static void
add_label(struct text *t, const char *name, struct str value)
{
	size_t i;

	text_addf(t, "%s%s=\"", t->len > 0 ? "," : "", name);
	for (i = 0; i < value.len; i++) {
		if (value.p[i] == '\\' || value.p[i] == '"')
			text_add_char(t, '\\');
		if (value.p[i] == '\n')
			text_add(t, STR("\\n"));
		else
			text_add_char(t, value.p[i]);
	}
	text_add_char(t, '"');
}

static struct str
make_label(struct arena *a, enum stat_scope scope, const char *set_name)
{
	struct str value = str_of(set_name), label;
	struct text t = TEXT_EMPTY;

	if (label_names[scope] == NULL)
		return STR_NONE;
	if (scope == SCOPE_EXPIRY)
		add_label(&t, "kind", str_cut(&value, ' '));
	if (scope == SCOPE_NAMED || scope == SCOPE_RULE)
		add_label(&t, "envoy_cluster_name", str_cut(&value, ' '));
	add_label(&t, label_names[scope], value);
	label = arena_str(a, text_str(&t));
	text_free(&t);
	return label;
}

static struct total *
get_total(struct totals *all, const struct stats_set *set)
{
	struct total *t;

	HASH_FIND_STR(all->by_name[set->scope], set->name, t);
	if (t != NULL)
		return t;
	t = arena_alloc(&all->arena, sizeof(*t));
	t->name = arena_strdup(&all->arena, str_of(set->name));
	t->label = make_label(&all->arena, set->scope, set->name);
	t->v = arena_alloc(
	    &all->arena, stats_scope_len(set->scope) * sizeof(*t->v));
	HASH_ADD_KEYPTR(
	    hh, all->by_name[set->scope], t->name, strlen(t->name), t);
	return t;
}

static void
add_histogram(struct totals *all, struct total *t, const struct histogram *h)
{
	unsigned i;

	if (t->bucket == NULL)
		t->bucket = arena_alloc(
		    &all->arena, STATS_BUCKETS * sizeof(*t->bucket));
	for (i = 0; i < STATS_BUCKETS; i++)
		t->bucket[i] +=
		    atomic_load_explicit(&h->bucket[i], memory_order_relaxed);
	t->sum_us += atomic_load_explicit(&h->sum_us, memory_order_relaxed);
}

static void
add_set(const struct stats_set *set, void *arg)
{
	struct totals *all = arg;
	struct total *t = get_total(all, set);
	const struct stat_row *row = all->rows[set->scope];
	size_t i, n = stats_scope_len(set->scope);
	struct histogram *h;

	for (i = 0; i < n; i++)
		stats_merge(&row[i], &t->v[i],
		    atomic_load_explicit(&set->v[i], memory_order_relaxed));
	h = atomic_load_explicit(&set->connect_ms, memory_order_acquire);
	if (h != NULL)
		add_histogram(all, t, h);
}

static void
print_name(const struct stat_row *row, const char *suffix,
    const struct total *t, const char *extra, struct text *out)
{
	const char *between = "{";

	text_add_z(out, row->name);
	text_add_z(out, suffix);
	if (t->label.len > 0) {
		text_add_z(out, between);
		text_add(out, t->label);
		between = ",";
	}
	if (extra != NULL) {
		text_add_z(out, between);
		text_add_z(out, extra);
		between = ",";
	}
	if (between[0] == ',')
		text_add_char(out, '}');
	text_add_char(out, ' ');
}

static void
print_value(const struct stat_row *row, const struct total *t, uint64_t n,
    struct text *out)
{
	print_name(row, "", t, row->label, out);
	/* Shards of a gauge may be below zero; so may their sum, briefly. */
	if (row->type != STAT_COUNTER && n > INT64_MAX) {
		text_add_char(out, '-');
		n = 0 - n;
	}
	text_add_u64(out, n);
	text_add_char(out, '\n');
}

static void
print_count(const struct stat_row *row, const char *suffix,
    const struct total *t, const char *extra, uint64_t n, struct text *out)
{
	print_name(row, suffix, t, extra, out);
	text_add_u64(out, n);
	text_add_char(out, '\n');
}

static void
print_histogram(
    const struct stat_row *row, const struct total *t, struct text *out)
{
	uint64_t count = 0;
	char le[32];
	unsigned i;

	if (t->bucket == NULL)
		return;
	for (i = 0; i < STATS_BUCKETS - 1; i++) {
		count += t->bucket[i];
		snprintf(le, sizeof(le), "le=\"%.10g\"", stats_bucket_ms[i]);
		print_count(row, "_bucket", t, le, count, out);
	}
	count += t->bucket[i];
	print_count(row, "_bucket", t, "le=\"+Inf\"", count, out);
	print_name(row, "_sum", t, NULL, out);
	text_addf(out, "%llu.%03u\n", (unsigned long long)(t->sum_us / 1000),
	    (unsigned)(t->sum_us % 1000));
	print_count(row, "_count", t, NULL, count, out);
}

static const char *
type_word(enum stat_type type)
{
	switch (type) {
	case STAT_COUNTER:
		return "counter";
	case STAT_GAUGE:
	case STAT_GAUGE_MAX:
		return "gauge";
	case STAT_HISTOGRAM:
		return "histogram";
	}
	return "untyped";
}

static void
print_row(const struct totals *all, const struct stat_row *row, unsigned id,
    struct text *out)
{
	const struct total *t;

	for (t = all->by_name[row->scope]; t != NULL; t = t->hh.next)
		if (row->type == STAT_HISTOGRAM)
			print_histogram(row, t, out);
		else
			print_value(row, t, t->v[id], out);
}

static int
by_name(const struct total *a, const struct total *b)
{
	return strcmp(a->name, b->name);
}

/* The rows of a scope stand together in the table. */
static void
find_rows(struct totals *all, const struct stat_row *rows, size_t n)
{
	while (n-- > 0)
		all->rows[rows[n].scope] = &rows[n];
}

void
stats_render(struct text *out)
{
	struct totals all = { .by_name = { NULL } };
	const struct stat_row *rows, *row;
	size_t i, n = stats_rows(&rows);
	unsigned scope;

	arena_init(&all.arena, 65536);
	find_rows(&all, rows, n);
	stats_each(add_set, &all);
	for (scope = 0; scope < SCOPE_N; scope++)
		HASH_SORT(all.by_name[scope], by_name);
	for (i = 0; i < n; i++) {
		row = &rows[i];
		if (all.by_name[row->scope] == NULL)
			continue;
		if (i == 0 || strcmp(row->name, rows[i - 1].name) != 0)
			text_addf(out, "# HELP %s %s\n# TYPE %s %s\n",
			    row->name, row->help, row->name,
			    type_word(row->type));
		print_row(
		    &all, row, (unsigned)(row - all.rows[row->scope]), out);
	}
	for (scope = 0; scope < SCOPE_N; scope++)
		HASH_CLEAR(hh, all.by_name[scope]);
	arena_fini(&all.arena);
}
