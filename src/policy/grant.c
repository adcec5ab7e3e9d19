/* SPDX-License-Identifier: Apache-2.0 */
/* See grant.h.  Pure; any thread. */

#include "policy/grant.h"

#include <inttypes.h>

#include "base/clock.h"

#define NAME_MOST 512
#define REASON_MOST 200

/* Printable ASCII without blanks and what quotes. */
static bool
is_name(struct str s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || s.p[i] == '"' ||
		    s.p[i] == '\\')
			return false;
	return s.len > 0 && s.len <= NAME_MOST;
}

/* One line of text, other languages' too. */
static bool
is_reason(struct str s)
{
	size_t i;

	for (i = 0; i < s.len; i++)
		if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f ||
		    s.p[i] == '"' || s.p[i] == '\\')
			return false;
	return str_trim(s).len > 0 && s.len <= REASON_MOST;
}

static bool
is_caller(struct str s)
{
	return is_name(s) && (str_starts(s, STR("spiffe://")) ||
				 str_starts(s, STR("kuma://")));
}

/* What names are, each by itself. */
static const char *
bad_name(const struct grant *g, struct text *why)
{
	if (!is_caller(g->caller)) {
		text_add_z(why,
		    "the caller has to be a service of the mesh, or a whole "
		    "spiffe:// or kuma:// name of its certificate");
		return "caller";
	}
	if (!is_name(g->service)) {
		text_add_z(why, "the service has to be a name");
		return "service";
	}
	if (!is_name(g->mesh)) {
		text_add_z(why, "the mesh has to be a name");
		return "mesh";
	}
	return NULL;
}

const char *
grant_bad_part(const struct grant *g, struct text *why)
{
	const char *part = bad_name(g, why);

	if (part != NULL || is_reason(g->reason))
		return part;
	text_addf(why,
	    "a reason is wanted, of at most %d bytes without quotes and "
	    "backslashes",
	    REASON_MOST);
	return "reason";
}

bool
grant_check(const struct grant *g, struct text *why)
{
	return grant_bad_part(g, why) == NULL;
}

void
grant_print(const struct grant *g, struct text *out)
{
	char until[CLOCK_TEXT];

	clock_print(g->until_s * 1000, until);
	if (g->id == 0)
		text_addf(out, "grant %.*s: %.*s, until %s", STR_ARG(g->place),
		    STR_ARG(g->reason), until);
	else
		text_addf(out,
		    "grant %" PRIu64 ": %.*s, until %s, by uid %" PRIu32, g->id,
		    STR_ARG(g->reason), until, g->uid);
}
