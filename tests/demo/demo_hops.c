/* SPDX-License-Identifier: Apache-2.0 */
/* Reads lines of the access log (JSON) and tells them to a person. */

#include "demo/demo_hops.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "support/wait.h"

static json_t *
find_line(
    struct egress *e, const char *kind, const char *service, unsigned skip)
{
	FILE *f = fopen(e->access_path, "re");
	char line[8192];
	json_t *j, *found = NULL;

	while (f != NULL && found == NULL &&
	       fgets(line, sizeof(line), f) != NULL) {
		const char *k, *s;

		j = json_loads(line, 0, NULL);
		if (j == NULL)
			continue;
		k = json_string_value(json_object_get(j, "kind"));
		s = json_string_value(json_object_get(j, "service"));
		if (k != NULL && s != NULL && strcmp(k, kind) == 0 &&
		    strcmp(s, service) == 0 && skip-- == 0)
			found = json_incref(j);
		json_decref(j);
	}
	if (f != NULL)
		(void)fclose(f);
	return found;
}

static const char *
text(const json_t *j, const char *name)
{
	const char *s = json_string_value(json_object_get(j, name));

	return s != NULL ? s : "";
}

static void
tell(const char *what, const char *value, const char *more)
{
	if (*value != '\0')
		printf("      %-12s %s%s\n", what, value, more);
}

static void
tell_line(const char *zone, const json_t *j)
{
	char more[512];

	printf("    at %s (%s)\n", zone, text(j, "zone_path"));
	tell("who", text(j, "identity"), "");
	tell("from zone", text(j, "caller_zone"), "");
	tell("asked for", text(j, "sni"), "");
	tell("by", text(j, "tls_in"), "");
	tell("rule", text(j, "rule"), "");
	(void)snprintf(more, sizeof(more), " -> %s", text(j, "address"));
	tell("went to", text(j, "endpoint"),
	    *text(j, "address") != '\0' ? more : "");
	(void)snprintf(more, sizeof(more), ", SNI %s, certificate %s",
	    text(j, "tls_out_sni"), text(j, "tls_out_peer"));
	tell("over", text(j, "tls_out"), more);
	if (json_object_get(j, "status") != NULL)
		printf("      %-12s %s %s -> %lld\n", "request",
		    text(j, "method"), text(j, "path"),
		    (long long)json_integer_value(
			json_object_get(j, "status")));
	tell("outcome", text(j, "outcome"), "");
	tell("because", text(j, "detail"), "");
}

bool
hops_tell(
    struct egress *e, const char *kind, const char *service, unsigned skip)
{
	json_t *j = NULL;

	if (!WAIT_UNTIL(
		5000, (j = find_line(e, kind, service, skip)) != NULL)) {
		printf("    at %s: no line in %s\n", e->zone, e->access_path);
		return false;
	}
	tell_line(e->zone, j);
	json_decref(j);
	return true;
}
