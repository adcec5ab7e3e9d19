/* SPDX-License-Identifier: Apache-2.0 */
/* See envoy_traffic.h. */

#include "envoy_traffic.h"

#include <stdlib.h>

#include "model/quantity.h"

static struct str
cut_at(struct str *s, struct str mark)
{
	struct str before = *s;

	while (s->len > 0 && !str_starts(*s, mark))
		*s = str_from(*s, 1);
	before.len -= s->len;
	*s = str_from(*s, mark.len < s->len ? mark.len : s->len);
	return before;
}

/* service{mesh=MESH} */
static struct str
mesh_of(struct str name)
{
	cut_at(&name, STR("{mesh="));
	return str_cut(&name, '}');
}

/* .*&KEY=[^&]*VALUE[,&].*&KEY=..., dots of values escaped. */
static void
add_regex(const char *regex, struct str name, struct text *out)
{
	struct str rest = str_of(regex), key, value;
	const char *before = "";

	cut_at(&rest, STR("&"));
	while (rest.len > 0) {
		key = cut_at(&rest, STR("=[^&]*"));
		value = cut_at(&rest, STR("[,&].*"));
		text_add_z(out, before);
		if (str_eq(key, STR("kuma.io/service")))
			text_addf(
			    out, "spiffe://%.*s/", STR_ARG(mesh_of(name)));
		else
			text_addf(out, "kuma://%.*s/", STR_ARG(key));
		for (size_t i = 0; i < value.len; i++)
			if (value.p[i] != '\\')
				text_add_char(out, value.p[i]);
		if (rest.len > 0)
			rest = str_from(rest, 1);
		before = " and ";
	}
}

static void
add_callers(struct at headers, struct str name, struct text *out)
{
	struct at h = at_item(headers, 0);
	struct at regex = at_walk(h, "safeRegexMatch.regex");

	if (regex.node == NULL)
		regex = at_walk(h, "stringMatch.safeRegex.regex");
	text_add_z(out, " for ");
	if (regex.node == NULL)
		text_add_z(out, "any caller of the mesh");
	else
		add_regex(at_text(regex), name, out);
}

static unsigned long long
ms_of(struct at duration)
{
	uint64_t us = 0;

	if (!parse_go_duration_us(str_of(at_text(duration)), &us))
		abort();
	return us / 1000;
}

/* As Envoy names them, where a dump has them so. */
static const char *
status_of(struct at code)
{
	const char *name = at_text(code);

	if (strcmp(name, "Locked") == 0)
		return "423";
	if (strcmp(name, "FailedDependency") == 0)
		return "424";
	return name[0] == '\0' ? "429" : name;
}

static void
add_bucket(struct at limit, const char *of, struct text *out)
{
	struct at bucket = at_field(limit, "tokenBucket");

	text_addf(out, "%s %s in %llu ms",
	    at_text(at_field(bucket, "maxTokens")), of,
	    ms_of(at_field(bucket, "fillInterval")));
}

static void
add_route(struct at route, struct str name, struct facts *out)
{
	struct at limit = at_field(at_field(route, "typedPerFilterConfig"),
	    "envoy.filters.http.local_ratelimit");
	struct at headers = at_field(limit, "responseHeadersToAdd"), h;
	struct text t = TEXT_EMPTY;
	const char *how;

	if (at_field(limit, "tokenBucket").node == NULL)
		return;
	add_bucket(limit, "requests", &t);
	text_addf(&t, ", else %s", status_of(at_walk(limit, "status.code")));
	for (size_t i = 0; (h = at_item(headers, i)).node != NULL; i++) {
		how = at_text(at_field(h, "appendAction"));
		text_addf(&t, "%s%s %s: %s", i == 0 ? " with " : ", ",
		    strncmp(how, "OVERWRITE", 9) == 0 ? "set" : "added",
		    at_text(at_walk(h, "header.key")),
		    at_text(at_walk(h, "header.value")));
	}
	add_callers(at_walk(route, "match.headers"), name, &t);
	facts_add(out, name, "rate", text_take(&t));
}

static double
percent_of(struct at percentage)
{
	double n = strtod(at_text(at_field(percentage, "numerator")), NULL);
	const char *of = at_text(at_field(percentage, "denominator"));

	if (strcmp(of, "MILLION") == 0)
		return n / 10000;
	return strcmp(of, "TEN_THOUSAND") == 0 ? n / 100 : n;
}

static void
add_chance(struct at fault, struct text *out)
{
	text_addf(out, " of %.6g%%", percent_of(at_field(fault, "percentage")));
}

static void
add_fault(struct at f, struct str name, struct facts *out)
{
	struct at abort_at = at_field(f, "abort");
	struct at delay = at_field(f, "delay");
	struct at slow = at_field(f, "responseRateLimit");
	struct text t = TEXT_EMPTY;

	if (abort_at.node != NULL) {
		text_addf(
		    &t, " abort %s", at_text(at_field(abort_at, "httpStatus")));
		add_chance(abort_at, &t);
	}
	if (delay.node != NULL) {
		text_addf(
		    &t, " delay %llu ms", ms_of(at_field(delay, "fixedDelay")));
		add_chance(delay, &t);
	}
	if (slow.node != NULL) {
		text_addf(&t, " bandwidth %lu bytes/s",
		    strtoul(at_text(at_walk(slow, "fixedLimit.limitKbps")),
			NULL, 10) *
			1000 / 8);
		add_chance(slow, &t);
	}
	add_callers(at_field(f, "headers"), name, &t);
	facts_add(out, name, "fault", str_dup(str_trim(text_str(&t))));
	text_free(&t);
}

static bool
is_type(struct at config, const char *type)
{
	return str_ends(
	    str_of(at_text(at_field(config, "@type"))), str_of(type));
}

static void
add_connections(struct at filter, struct str name, struct facts *out)
{
	struct text t = TEXT_EMPTY;

	add_bucket(filter, "connections", &t);
	text_add_z(&t, " for any caller of the mesh");
	facts_add(out, name, "rate", text_take(&t));
}

static void
add_http(struct at manager, struct str name, struct facts *out)
{
	struct at routes =
	    at_walk(manager, "routeConfig.virtualHosts.0.routes");
	struct at filters = at_field(manager, "httpFilters"), one;
	size_t i;

	for (i = 0; (one = at_item(routes, i)).node != NULL; i++)
		add_route(one, name, out);
	for (i = 0; (one = at_item(filters, i)).node != NULL; i++) {
		one = at_field(one, "typedConfig");
		if (is_type(one, ".HTTPFault"))
			add_fault(one, name, out);
	}
}

void
envoy_add_traffic(struct at chain, struct str name, struct facts *out)
{
	struct at filters = at_field(chain, "filters"), f;

	for (size_t i = 0; (f = at_item(filters, i)).node != NULL; i++) {
		f = at_field(f, "typedConfig");
		if (is_type(f, "local_ratelimit.v3.LocalRateLimit"))
			add_connections(f, name, out);
		if (is_type(f, ".HttpConnectionManager"))
			add_http(f, name, out);
	}
}
