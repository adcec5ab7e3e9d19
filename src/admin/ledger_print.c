/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uses in rows.  Names are printable ASCII already (conn/uses.h), so only what
 * a format itself gives a meaning has to be escaped.  Main thread.
 */

#include "admin/ledger_print.h"

#include <stdlib.h>

#include "admin/ledger.h"
#include "base/clock.h"
#include "base/xalloc.h"

#define ROWS 20
#define ROWS_MOST 1000000
#define DAYS 30
#define DAYS_MOST 36500

enum format { FORMAT_TEXT, FORMAT_CSV, FORMAT_JSON };

static const char *const count_names[USE_COUNTS] = {
	[USE_CONNECTIONS] = "connections",
	[USE_REQUESTS] = "requests",
	[USE_BYTES_IN] = "bytes_in",
	[USE_BYTES_OUT] = "bytes_out",
	[USE_DENIED] = "denied",
	[USE_WOULD_DENY] = "would_deny",
};

static uint64_t
bytes_of(const struct use *e)
{
	uint64_t in = e->n[USE_BYTES_IN], out = e->n[USE_BYTES_OUT];

	return in > UINT64_MAX - out ? UINT64_MAX : in + out;
}

static int
compare_sizes(const void *a, const void *b)
{
	const struct use *const *x = a, *const *y = b;
	uint64_t m = bytes_of(*x), n = bytes_of(*y);

	if (m == n) {
		m = (*x)->n[USE_CONNECTIONS];
		n = (*y)->n[USE_CONNECTIONS];
	}
	if (m != n)
		return m > n ? -1 : 1;
	return str_cmp((*x)->key, (*y)->key);
}

static int
compare_connections(const void *a, const void *b)
{
	const struct use *const *x = a, *const *y = b;
	uint64_t m = (*x)->n[USE_CONNECTIONS], n = (*y)->n[USE_CONNECTIONS];

	if (m != n)
		return m > n ? -1 : 1;
	return compare_sizes(a, b);
}

/* To free(). */
static const struct use **
sort(
    const struct uses *u, int (*compare)(const void *, const void *), size_t *n)
{
	const struct use **v =
	    xcalloc(HASH_COUNT(u->table) + 1, sizeof(const struct use *));
	const struct use *e;

	*n = 0;
	for (e = u->table; e != NULL; e = e->hh.next)
		if (use_name(e).kind == USE_OF_SERVICE)
			v[(*n)++] = e;
	qsort(v, *n, sizeof(const struct use *), compare);
	return v;
}

static void
put_text(struct text *out, enum format f, const char *name, struct str s)
{
	size_t i;

	if (f == FORMAT_JSON)
		text_addf(out, "\"%s\":", name);
	text_add_char(out, '"');
	for (i = 0; i < s.len; i++) {
		if (f == FORMAT_JSON && (s.p[i] == '"' || s.p[i] == '\\'))
			text_add_char(out, '\\');
		else if (f == FORMAT_CSV && s.p[i] == '"')
			text_add_char(out, '"');
		text_add_char(out, s.p[i]);
	}
	text_add_z(out, "\",");
}

static void
print_fields(const struct use *e, enum format f, struct text *out)
{
	struct use_name name = use_name(e);
	char first[CLOCK_TEXT], last[CLOCK_TEXT];
	unsigned i;

	clock_print(e->first_s * 1000, first);
	clock_print(e->last_s * 1000, last);
	put_text(out, f, "identity", name.identity);
	put_text(out, f, "service", name.service);
	put_text(out, f, "host", name.host);
	put_text(out, f, "first", str_of(first));
	put_text(out, f, "last", str_of(last));
	for (i = 0; i < USE_COUNTS; i++) {
		if (i > 0)
			text_add_char(out, ',');
		if (f == FORMAT_JSON)
			text_addf(out, "\"%s\":", count_names[i]);
		text_add_u64(out, e->n[i]);
	}
}

static void
print_line(const struct use *e, struct text *out)
{
	struct use_name name = use_name(e);
	char first[CLOCK_TEXT], last[CLOCK_TEXT];
	unsigned i;

	clock_print(e->first_s * 1000, first);
	clock_print(e->last_s * 1000, last);
	text_addf(
	    out, "%.*s %.*s", STR_ARG(name.identity), STR_ARG(name.service));
	if (name.host.len > 0)
		text_addf(out, " %.*s", STR_ARG(name.host));
	for (i = 0; i < USE_COUNTS; i++)
		if (e->n[i] > 0)
			text_addf(out, " %s=%llu", count_names[i],
			    (unsigned long long)e->n[i]);
	text_addf(out, " first=%s last=%s\n", first, last);
}

static void
print_row(const struct use *e, enum format f, bool is_first, struct text *out)
{
	switch (f) {
	case FORMAT_TEXT:
		print_line(e, out);
		break;
	case FORMAT_CSV:
		print_fields(e, f, out);
		text_add_char(out, '\n');
		break;
	case FORMAT_JSON:
		text_add_z(out, is_first ? "{" : ",\n{");
		print_fields(e, f, out);
		text_add_char(out, '}');
		break;
	}
}

static void
print_top(const struct ledger *g, enum format f,
    int (*compare)(const void *, const void *), uint64_t most, struct text *out)
{
	const struct use **v;
	unsigned k;
	size_t n, i;

	v = sort(ledger_uses(g), compare, &n);
	if (f == FORMAT_CSV) {
		text_add_z(out, "identity,service,host,first,last");
		for (k = 0; k < USE_COUNTS; k++)
			text_addf(out, ",%s", count_names[k]);
		text_add_char(out, '\n');
	}
	if (f == FORMAT_JSON)
		text_add_char(out, '[');
	for (i = 0; i < n && i < most; i++)
		print_row(v[i], f, i == 0, out);
	if (f == FORMAT_JSON)
		text_add_z(out, "]\n");
	if (f == FORMAT_TEXT && n > most)
		text_addf(out, "and %zu more\n", n - (size_t)most);
	free(v);
}

static bool
misunderstood(struct str word, struct text *out)
{
	text_addf(out,
	    "ledger: \"%.*s\" is not understood; [top [bytes | connections] "
	    "[N] | unused [DAYS] | suggest | --csv | --json]\n",
	    STR_ARG(word));
	return false;
}

static bool
print_part(const struct admin_state *s, struct str what, struct str args,
    struct text *out)
{
	int (*compare)(const void *, const void *) = compare_sizes;
	bool is_unused = str_eq(what, STR("unused"));
	struct str word = str_cut(&args, ' ');
	uint64_t n = is_unused ? DAYS : ROWS;

	if (!is_unused && !str_eq(what, STR("top")))
		return misunderstood(what, out);
	if (!is_unused &&
	    (str_eq(word, STR("connections")) || str_eq(word, STR("bytes")))) {
		if (str_eq(word, STR("connections")))
			compare = compare_connections;
		word = str_cut(&args, ' ');
	}
	if (word.len > 0 &&
	    !str_to_u64(word, is_unused ? DAYS_MOST : ROWS_MOST, &n))
		return misunderstood(word, out);
	if (is_unused)
		ledger_print_unused(s, n, out);
	else
		print_top(s->ledger, FORMAT_TEXT, compare, n, out);
	return true;
}

bool
ledger_print(const struct admin_state *s, struct str args, struct text *out)
{
	struct str what = str_cut(&args, ' ');
	const struct ledger *g = s->ledger;

	if (g == NULL) {
		text_add_z(out, "no ledger is kept: see ledger.file in "
				"zegressd.conf(5)\n");
		return false;
	}
	if (what.len == 0)
		what = STR("top");
	if (str_eq(what, STR("--csv")))
		print_top(g, FORMAT_CSV, compare_sizes, UINT64_MAX, out);
	else if (str_eq(what, STR("--json")))
		print_top(g, FORMAT_JSON, compare_sizes, UINT64_MAX, out);
	else if (str_eq(what, STR("suggest")))
		ledger_print_suggest(s, out);
	else
		return print_part(s, what, args, out);
	return true;
}
