/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading lines of access logs.  A line is one object; what is not known of
 * it is passed over, so that logs of other versions can be read.
 */

#include "daemon/replay_line.h"

#include <jansson.h>

static struct str
get(const json_t *line, const char *name)
{
	const json_t *v = json_object_get(line, name);

	if (!json_is_string(v))
		return STR_NONE;
	return (struct str){
		.p = json_string_value(v),
		.len = json_string_length(v),
	};
}

/* More than a certificate may have are no caller's: see identity_new(). */
static void
read_uris(const json_t *line, struct replay_line *out)
{
	struct str rest = get(line, "caller_uris"), zone;

	out->is_assumed = rest.len == 0;
	while (rest.len > 0 && out->n_uris < ARRAY_LEN(out->uris))
		out->uris[out->n_uris++] = str_cut(&rest, ' ');
	if (!out->is_assumed)
		return;
	out->uris[out->n_uris++] = out->identity;
	zone = get(line, "caller_zone");
	if (zone.len == 0)
		return;
	text_addf(&out->zone_uri, "kuma://kuma.io/zone/%.*s", STR_ARG(zone));
	out->uris[out->n_uris++] = text_str(&out->zone_uri);
}

/* Its caller was turned away, whoever it was or for want of an endpoint. */
static bool
is_refusal(struct str outcome)
{
	return str_eq(outcome, STR("denied")) ||
	       str_eq(outcome, STR("revoked")) ||
	       str_eq(outcome, STR("no_endpoint_of_subset"));
}

static enum replay_read
read_object(const json_t *line, struct replay_line *out)
{
	struct str outcome = get(line, "outcome");
	bool is_refused = is_refusal(outcome);

	if (outcome.len == 0 || get(line, "kind").len == 0)
		return REPLAY_UNREADABLE;
	out->time = get(line, "time");
	out->mesh = get(line, "mesh");
	out->service = get(line, "service");
	out->sni = get(line, "sni");
	out->identity = get(line, "identity");
	out->rule = get(line, "rule");
	out->was_allowed = !is_refused;
	out->was_reported = out->was_allowed && get(line, "would_deny").len > 0;
	if (out->identity.len == 0 || out->sni.len == 0 ||
	    (out->rule.len == 0 && !is_refused))
		return REPLAY_UNDECIDED;
	read_uris(line, out);
	return REPLAY_DECIDED;
}

enum replay_read
replay_line_read(struct str bytes, struct replay_line *out)
{
	json_error_t error;
	json_t *line;

	*out = (struct replay_line){ .json = NULL };
	if (bytes.len == 0 || bytes.len > REPLAY_LINE_MOST)
		return REPLAY_UNREADABLE;
	out->json = line =
	    json_loadb(bytes.p, bytes.len, JSON_REJECT_DUPLICATES, &error);
	if (!json_is_object(line))
		return REPLAY_UNREADABLE;
	return read_object(line, out);
}

void
replay_line_free(struct replay_line *l)
{
	text_free(&l->zone_uri);
	json_decref(l->json);
}
