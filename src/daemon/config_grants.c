/* SPDX-License-Identifier: Apache-2.0 */
/* See config_grants.h. */

#include "daemon/config_grants.h"

#include <libconfig.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/problem.h"
#include "base/xalloc.h"
#include "daemon/config.h"

/* Where the entry has this option, or the entry itself. */
static void
tell(const config_setting_t *s, const char *name, struct problems *pr,
    const char *what)
{
	const config_setting_t *at = config_setting_get_member(s, name);
	char *path = xasprintf("grants.%s", name);

	if (at == NULL)
		at = s;
	problem_add(pr, PROBLEM_ERROR, config_setting_source_file(at),
	    config_setting_source_line(at), path, "%s", what);
	free(path);
}

static bool
has_all(const config_setting_t *s, struct problems *pr)
{
	static const struct {
		const char *name;
		const char *remedy;
	} wanted[] = {
		{ "caller", "is missing: say who may, as \"web\"" },
		{ "service", "is missing: say what it may use" },
		{ "mesh", "is missing: say which mesh, as \"default\"" },
		{ "until", "is missing: a grant has an end, as "
			   "\"2030-12-31T18:00:00Z\"" },
		{ "reason", "is missing: say why" },
	};
	bool has = true;
	size_t i;

	for (i = 0; i < ARRAY_LEN(wanted); i++)
		if (config_setting_get_member(s, wanted[i].name) == NULL) {
			tell(s, wanted[i].name, pr, wanted[i].remedy);
			has = false;
		}
	return has;
}

static void
set_caller(struct arena *a, struct grant *g)
{
	struct text caller = TEXT_EMPTY;

	if (str_index(g->caller, '/') != -1)
		return;
	text_addf(&caller, "spiffe://%.*s/%.*s", STR_ARG(g->mesh),
	    STR_ARG(g->caller));
	g->caller = arena_str(a, text_str(&caller));
	text_free(&caller);
}

static void
set_place(const config_setting_t *s, const char *path, struct arena *a,
    struct grant *g)
{
	const char *file = config_setting_source_file(s);
	struct text place = TEXT_EMPTY;

	text_addf(&place, "%s:%u", file != NULL ? file : path,
	    (unsigned)config_setting_source_line(s));
	g->place = arena_str(a, text_str(&place));
	text_free(&place);
}

void
config_grant_entry(const config_setting_t *s, const char *path, struct arena *a,
    struct config_grant *g, struct problems *pr)
{
	struct text why = TEXT_EMPTY;
	const char *part;

	if (!has_all(s, pr))
		return;
	set_caller(a, &g->grant);
	set_place(s, path, a, &g->grant);
	part = grant_bad_part(&g->grant, &why);
	if (part != NULL)
		tell(s, part, pr, why.p);
	text_free(&why);
	if (!clock_parse(str_of(g->until), &g->grant.until_s) ||
	    g->grant.until_s <= 0)
		tell(s, "until", pr,
		    "is no time; one is \"2030-12-31T18:00:00Z\"");
}
