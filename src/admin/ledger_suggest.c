/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Permissions for exactly what was used: one document a service, because a
 * targetRef names one, with its callers.  Callers whose SPIFFE name is that of
 * a kuma.io/service stand in `from`; if some are not, the document has the
 * `rules` form, which names SPIFFE ids.  Main thread.
 */

#include <stdlib.h>

#include "admin/ledger.h"
#include "admin/ledger_print.h"
#include "base/digest.h"
#include "base/xalloc.h"

/* With what stands before and behind it, fewer than a name may have. */
#define NAME_MOST 200

/* The uses of one service, sorted by caller. */
struct group {
	const struct use **v;
	size_t n;
	struct str mesh;
	bool is_mes;
	struct str name;
};

static int
compare_keys(const void *a, const void *b)
{
	const struct use *const *x = a, *const *y = b;

	return str_cmp((*x)->key, (*y)->key);
}

/* Denied attempts are no use. */
static bool
is_used(const struct use *e)
{
	return use_name(e).kind == USE_OF_SERVICE &&
	       e->n[USE_CONNECTIONS] + e->n[USE_REQUESTS] > 0;
}

static const struct use **
list(const struct uses *u, size_t *n)
{
	const struct use **v =
	    xcalloc(HASH_COUNT(u->table) + 1, sizeof(const struct use *));
	const struct use *e;

	*n = 0;
	for (e = u->table; e != NULL; e = e->hh.next)
		if (is_used(e))
			v[(*n)++] = e;
	qsort(v, *n, sizeof(const struct use *), compare_keys);
	return v;
}

/* In YAML's double quotes. */
static void
put(struct text *out, struct str s)
{
	size_t i;

	text_add_char(out, '"');
	for (i = 0; i < s.len; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			text_add_char(out, '\\');
		text_add_char(out, s.p[i]);
	}
	text_add_char(out, '"');
}

/* What the caller's kuma.io/service is; empty: it has another SPIFFE name. */
static struct str
service_of(const struct group *g, const struct use *e)
{
	struct str rest = use_name(e).identity;

	if (!str_starts(rest, STR("spiffe://")))
		return STR_NONE;
	rest = str_from(rest, sizeof("spiffe://") - 1);
	if (!str_eq(str_cut(&rest, '/'), g->mesh) || str_index(rest, '/') != -1)
		return STR_NONE;
	/* As a tag it would stand for all there are. */
	return str_eq(rest, STR("*")) ? STR_NONE : rest;
}

static bool
is_new(const struct group *g, size_t i)
{
	return !use_is_of_others(g->v[i]) &&
	       (i == 0 || !str_eq(use_name(g->v[i]).identity,
			      use_name(g->v[i - 1]).identity));
}

static void
print_from(const struct group *g, struct text *out)
{
	size_t i;

	text_add_z(out, "  from:\n");
	for (i = 0; i < g->n; i++) {
		if (!is_new(g, i))
			continue;
		text_add_z(out, "  - targetRef: { kind: MeshSubset, "
				"tags: { kuma.io/service: ");
		put(out, service_of(g, g->v[i]));
		text_add_z(out, " } }\n    default: { action: Allow }\n");
	}
}

static void
print_rules(const struct group *g, struct text *out)
{
	size_t i;

	text_add_z(out, "  rules:\n  - default:\n      allow:\n");
	for (i = 0; i < g->n; i++) {
		if (!is_new(g, i))
			continue;
		text_add_z(out, "      - spiffeID: { type: Exact, value: ");
		put(out, use_name(g->v[i]).identity);
		text_add_z(out, " }\n");
	}
}

/*
 * Names of resources are those of DNS.  One that cannot be had as it is gets a
 * digest behind it, or a.b_c and a.b-c would be one document.
 */
static void
put_name(struct text *out, const struct group *g)
{
	struct digest d = digest_of(g->name);
	bool is_whole = g->name.len <= NAME_MOST;
	char hex[17];
	size_t i;
	char c;

	text_add_z(out, g->is_mes ? "used-mes-" : "used-es-");
	for (i = 0; i < g->name.len && i < NAME_MOST; i++) {
		c = ascii_lower_char(g->name.p[i]);
		if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '.')
			c = '-';
		is_whole = is_whole && c == g->name.p[i];
		text_add_char(out, c);
	}
	if (is_whole)
		return;
	digest_print(&d, hex);
	text_addf(out, "-%s", hex);
}

static void
print_document(const struct group *g, struct text *out)
{
	bool is_plain = true;
	size_t i;

	text_add_z(out, "type: MeshTrafficPermission\nmesh: ");
	put(out, g->mesh);
	text_add_z(out, "\nname: ");
	put_name(out, g);
	text_addf(out, "\nspec:\n  targetRef: { kind: %s, name: ",
	    g->is_mes ? "MeshExternalService" : "MeshService");
	put(out, g->name);
	text_add_z(out, " }\n");
	for (i = 0; i < g->n; i++)
		is_plain = is_plain && (use_is_of_others(g->v[i]) ||
					   service_of(g, g->v[i]).len > 0);
	if (is_plain)
		print_from(g, out);
	else
		print_rules(g, out);
}

static void
print_group(struct group *g, struct text *out)
{
	struct str rest = use_name(g->v[0]).service, kind;
	size_t i, known = 0;

	g->mesh = str_cut(&rest, '/');
	kind = str_cut(&rest, '/');
	g->is_mes = str_eq(kind, STR("MES"));
	g->name = rest;
	for (i = 0; i < g->n; i++)
		known += !use_is_of_others(g->v[i]);
	if (known < g->n)
		text_addf(out,
		    "# %.*s had more callers than ledger.entries has room "
		    "for: they are missing here\n",
		    STR_ARG(use_name(g->v[0]).service));
	if (known == 0 || rest.len == 0)
		return;
	text_add_z(out, "---\n");
	print_document(g, out);
}

void
ledger_print_suggest(const struct admin_state *s, struct text *out)
{
	struct group g;
	const struct use **v;
	size_t n, i, j;

	v = list(ledger_uses(s->ledger), &n);
	for (i = 0; i < n; i = j) {
		for (j = i + 1; j < n && str_eq(use_name(v[j]).service,
					     use_name(v[i]).service);
		     j++)
			;
		g = (struct group){ .v = v + i, .n = j - i };
		print_group(&g, out);
	}
	if (n == 0)
		text_add_z(out, "# nothing was used\n");
	free(v);
}
