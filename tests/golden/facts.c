/* SPDX-License-Identifier: Apache-2.0 */
/* See facts.h. */

#include "facts.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "differences.h"

static bool
holds(const char *value, const char *one)
{
	struct str rest = str_of(value);

	while (rest.len > 0) {
		if (str_eq(str_trim(str_cut(&rest, ';')), str_of(one)))
			return true;
	}
	return value[0] == one[0] && one[0] == '\0';
}

void
facts_add(struct facts *f, struct str name, const char *what, char *value)
{
	struct fact *v;
	char *both;

	for (v = f->v; v < f->v + f->n; v++) {
		if (!str_eq(str_of(v->name), name) ||
		    strcmp(v->what, what) != 0)
			continue;
		if (!holds(v->value, value)) {
			both = xasprintf("%s; %s", v->value, value);
			free(v->value);
			v->value = both;
		}
		free(value);
		return;
	}
	f->v = xreallocarray(f->v, f->n + 1, sizeof(*f->v));
	f->v[f->n++] = (struct fact){
		.name = str_dup(name),
		.what = xstrdup(what),
		.value = value,
	};
}

void
facts_free(struct facts *f)
{
	for (size_t i = 0; i < f->n; i++) {
		free(f->v[i].name);
		free(f->v[i].what);
		free(f->v[i].value);
	}
	free(f->v);
	*f = FACTS_NONE;
}

static int
compare(const void *a, const void *b)
{
	const struct fact *x = a, *y = b;
	int c = strcmp(x->name, y->name);

	return c != 0 ? c : strcmp(x->what, y->what);
}

static void
sort(struct facts *f)
{
	if (f->n > 0)
		qsort(f->v, f->n, sizeof(*f->v), compare);
}

static bool
is_wanted(const char *only, const char *what)
{
	struct str rest = str_of(only != NULL ? only : ""), word;

	while (rest.len > 0) {
		word = str_cut(&rest, ' ');
		if (str_starts(str_of(what), word))
			return true;
	}
	return only == NULL;
}

/* One of the two may be NULL: it says nothing. */
static void
compare_one(const char *of, const struct fact *theirs, const struct fact *ours,
    struct differences *d, struct text *out)
{
	const struct fact *any = theirs != NULL ? theirs : ours;
	const char *a = theirs != NULL ? theirs->value : "-";
	const char *b = ours != NULL ? ours->value : "-";

	if (strcmp(a, b) == 0)
		return;
	if (!differences_allow(d, of, any->name, any->what, a, b))
		text_addf(out, "| `%s` | `%s` | %s | `%s` | `%s` | |\n", of,
		    any->name, any->what, a, b);
}

void
facts_compare(const char *of, const char *only, struct facts *theirs,
    struct facts *ours, struct differences *d, struct text *out)
{
	const struct fact *a, *b;
	size_t i = 0, k = 0;
	int c;

	sort(theirs);
	sort(ours);
	while (i < theirs->n || k < ours->n) {
		a = i < theirs->n ? &theirs->v[i] : NULL;
		b = k < ours->n ? &ours->v[k] : NULL;
		c = a == NULL ? 1 : b == NULL ? -1 : compare(a, b);
		if (c <= 0)
			i++;
		else
			a = NULL;
		if (c >= 0)
			k++;
		else
			b = NULL;
		if (is_wanted(only, (a != NULL ? a : b)->what))
			compare_one(of, a, b, d, out);
	}
}
