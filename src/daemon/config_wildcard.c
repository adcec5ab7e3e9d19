/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Services that stand for all names under a suffix.  Main thread.
 */

#include <string.h>

#include "base/arena.h"
#include "daemon/service_reading.h"
#include "policy/wildcard.h"

static void
fold(const struct service_reading *r, struct service_options *o)
{
	char *folded = arena_strdup(r->arena, o->wildcard);

	ascii_lower(folded, o->wildcard.len);
	o->wildcard = str_of(folded);
}

void
config_check_wildcard(const struct service_reading *r, struct service_entry *e)
{
	struct service_options *o = &e->options;

	if (o->wildcard.len == 0)
		return;
	if (!wildcard_is_valid(o->wildcard))
		service_reading_tell(r, PROBLEM_ERROR, SERVICE_OPTION_WILDCARD,
		    "wants \"*.\" and a name of two labels or more, as "
		    "\"*.s3.amazonaws.com\"");
	if (e->service.len == 0)
		service_reading_tell(r, PROBLEM_ERROR, SERVICE_OPTION_WILDCARD,
		    "opens many names, so it is for one service at a time: "
		    "name it in match.service");
	if (o->dial.len > 0)
		service_reading_tell(r, PROBLEM_ERROR, SERVICE_OPTION_DIAL,
		    "leads to one server, and the names of a wildcard to many: "
		    "take one of dial and wildcard out");
	fold(r, o);
}
