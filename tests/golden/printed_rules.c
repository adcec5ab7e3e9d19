/* SPDX-License-Identifier: Apache-2.0 */
/* See printed_rules.h. */

#include "printed_rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/xalloc.h"
#include "lines.h"

#define ANYBODY STR("any caller of the mesh")

enum effect { EFFECT_NONE, EFFECT_ALLOW, EFFECT_SHADOW, EFFECT_DENY };

struct rules {
	enum effect effect; /* of the lines that follow */
	struct lines denied, allowed, shadow;
};

/* One name that a certificate has, and that no other one has with it. */
static bool
is_service(struct str principal)
{
	return str_starts(principal, STR("spiffe://")) &&
	       str_index(principal, ' ') < 0 && str_index(principal, '*') < 0;
}

/* NULL: nobody is left. */
static char *
less_denied(const struct lines *denied, struct str who)
{
	struct text t = TEXT_EMPTY;
	struct str not ;

	if (lines_have(denied, ANYBODY) || lines_have(denied, who))
		return NULL;
	if (!str_eq(who, ANYBODY))
		text_add(&t, who);
	for (size_t i = 0; i < denied->n; i++) {
		not = str_of(denied->v[i]);
		if (is_service(who) && is_service(not ))
			continue;
		text_addf(&t, "%s%s%.*s%s", t.len > 0 ? " and " : "",
		    str_index(not, ' ') < 0 ? "not " : "not (", STR_ARG(not ),
		    str_index(not, ' ') < 0 ? "" : ")");
	}
	if (t.len == 0)
		text_add_z(&t, "any");
	return text_take(&t);
}

static void
take_principal(struct rules *r, struct str who)
{
	char *left;

	if (r->effect == EFFECT_DENY)
		lines_add(&r->denied, str_dup(who));
	if (r->effect != EFFECT_ALLOW && r->effect != EFFECT_SHADOW)
		return;
	left = less_denied(&r->denied, who);
	if (left == NULL)
		return;
	if (r->effect == EFFECT_SHADOW)
		lines_add(&r->shadow, xstrdup(left));
	lines_add(&r->allowed, left);
}

static enum effect
effect_of(struct str line)
{
	line = str_trim(line);
	if (str_starts(line, STR("deny report-only")))
		return EFFECT_NONE;
	if (str_starts(line, STR("deny ")))
		return EFFECT_DENY;
	return str_starts(line, STR("allow-shadow-deny ")) ? EFFECT_SHADOW
							   : EFFECT_ALLOW;
}

static void
add_ruleset(struct rules *r, struct str name, struct facts *out)
{
	struct text t = TEXT_EMPTY;

	lines_sort(&r->allowed);
	lines_join(&r->allowed, ", ", &t);
	if (t.len == 0)
		text_add_z(&t, "nobody");
	facts_add(out, name, "allowed", text_take(&t));
	lines_sort(&r->shadow);
	if (r->shadow.n > 0)
		facts_add(
		    out, name, "shadow-denied", lines_take(&r->shadow, ", "));
	lines_join(&r->denied, "", &t);
	text_free(&t);
	*r = (struct rules){ .effect = EFFECT_NONE };
}

void
printed_add_rules(struct str block, struct str name, struct facts *out)
{
	struct rules r = { .effect = EFFECT_NONE };
	bool is_ruleset = false, is_next;
	struct str line;

	while (next_line(&block, &line)) {
		is_next = str_starts(line, STR("  ruleset "));
		if (is_ruleset && !str_starts(line, STR("    ")))
			add_ruleset(&r, name, out);
		is_ruleset =
		    is_next || (is_ruleset && str_starts(line, STR("    ")));
		if (!is_ruleset || is_next)
			continue;
		if (str_starts(line, STR("      ")))
			take_principal(&r, str_trim(line));
		else
			r.effect = effect_of(line);
	}
	if (is_ruleset)
		add_ruleset(&r, name, out);
}

/* Without the place, which is in brackets at its end. */
static struct str
without_place(struct str line)
{
	size_t i = line.len;

	while (i > 0 && !str_starts(str_from(line, i), STR(" (")))
		i--;
	return str_trim(str_first(line, i));
}

void
printed_add_traffic(struct str block, struct str name, struct facts *out)
{
	struct text t = TEXT_EMPTY;
	struct str line, who;
	const char *what, *before;

	while (next_line(&block, &line)) {
		if (!str_starts(line, STR("  rate ")) &&
		    !str_starts(line, STR("  fault ")))
			continue;
		what = line.p[2] == 'r' ? "rate" : "fault";
		line = without_place(line);
		text_add(&t, str_from(line, strlen(what) + 1));
		before = " for ";
		while (
		    str_starts(block, STR("    ")) && next_line(&block, &who)) {
			who = str_trim(who);
			text_addf(&t, "%s%.*s",
			    str_starts(who, STR("but not ")) ? " " : before,
			    STR_ARG(who));
			before = ", ";
		}
		facts_add(out, name, what, text_take(&t));
	}
}
