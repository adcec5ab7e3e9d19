/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading and checking matches by name.  Names are checked as Kuma does, with
 * two additions: a Prefix may end with a slash, so that it can mean all below a
 * name and not what merely begins alike; and a server name may have the form
 * with tags, which those of ExternalServices have.  Main thread.
 */

#include "model/caller_match.h"

#include <stdio.h>
#include <stdlib.h>

#define SPIFFE "spiffe://"
#define AT(field) offsetof(struct caller_match, field)

static const struct bind_value spiffe_types[] = {
	{ "Exact", MATCH_EXACT },
	{ "Prefix", MATCH_PREFIX },
	{ NULL, 0 },
};

static const struct bind_value sni_types[] = {
	{ "Exact", MATCH_EXACT },
	{ NULL, 0 },
};

static const struct bind spiffe_rows[] = {
	{ .key = "type",
	    .type = BIND_ENUM,
	    .offset = AT(spiffe.type),
	    .values = spiffe_types,
	    .has_offset = AT(spiffe.has_type) },
	{ .key = "value", .type = BIND_STR, .offset = AT(spiffe.value) },
	{ .type = BIND_STRICT },
	{ .type = BIND_END },
};

static const struct bind sni_rows[] = {
	{ .key = "type",
	    .type = BIND_ENUM,
	    .offset = AT(sni.type),
	    .values = sni_types,
	    .has_offset = AT(sni.has_type) },
	{ .key = "value", .type = BIND_STR, .offset = AT(sni.value) },
	{ .type = BIND_STRICT },
	{ .type = BIND_END },
};

const struct bind caller_match_bind[] = {
	{ .key = "spiffeID",
	    .type = BIND_STRUCT,
	    .sub = spiffe_rows,
	    .has_offset = AT(spiffe.is_given) },
	{ .key = "sni",
	    .type = BIND_STRUCT,
	    .sub = sni_rows,
	    .has_offset = AT(sni.is_given) },
	{ .type = BIND_LINE, .offset = AT(line) },
	{ .type = BIND_STRICT },
	{ .type = BIND_END },
};

static bool
is_of(struct str s, const char *extra)
{
	size_t i;
	char c;

	for (i = 0; i < s.len; i++) {
		c = s.p[i];
		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
		    (c == '\0' || strchr(extra, c) == NULL))
			return false;
	}
	return s.len > 0;
}

#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

static bool
is_segment(struct str s)
{
	return is_of(s, UPPER "-._") && !str_eq(s, STR(".")) &&
	       !str_eq(s, STR(".."));
}

/* What is wrong with a SPIFFE ID, or NULL; rest is behind the scheme. */
static const char *
fault_of_id(struct str rest, bool is_prefix)
{
	struct str domain = str_cut(&rest, '/');

	if (domain.len == 0)
		return "must be a valid SPIFFE ID: it names no trust domain";
	if (!is_of(domain, "-._"))
		return "must be a valid SPIFFE ID: a trust domain consists of "
		       "lower-case letters, digits and . - _";
	while (rest.p != NULL) {
		if (rest.len == 0 && is_prefix)
			return NULL;
		if (!is_segment(str_cut(&rest, '/')))
			return "must be a valid SPIFFE ID: each part of its "
			       "path consists of letters, digits and . - _";
	}
	return NULL;
}

static const char *
fault_of_spiffe(const struct match_value *v)
{
	if (v->value.len == 0)
		return "must be set";
	if (!str_starts(v->value, STR(SPIFFE)))
		return "must be a valid SPIFFE ID: it begins with spiffe://";
	return fault_of_id(
	    str_from(v->value, sizeof(SPIFFE) - 1), v->type == MATCH_PREFIX);
}

static bool
is_label(struct str s)
{
	return is_of(s, "-") && s.p[0] != '-' && s.p[s.len - 1] != '-';
}

static bool
is_subdomain(struct str s)
{
	while (s.p != NULL)
		if (!is_label(str_cut(&s, '.')))
			return false;
	return true;
}

/* service{tag=value,mesh=name}, folded as all server names are. */
static bool
is_tag_name(struct str s)
{
	struct str service = str_cut(&s, '{');

	return is_of(service, "-._:") && s.len > 1 && s.p[s.len - 1] == '}' &&
	       is_of(str_first(s, s.len - 1), "-._:/=,");
}

static const char *
fault_of_sni(const struct match_value *v)
{
	if (v->value.len == 0)
		return "must be set";
	if (v->value.len > 253 ||
	    (!is_subdomain(v->value) && !is_tag_name(v->value)))
		return "must be a server name in lower case, as "
		       "aws.a1b2.example or payments{mesh=shop}";
	return NULL;
}

static void
check_value(const struct match_value *v, const char *fault, unsigned line,
    const char *path, const char *field, struct problems *pr)
{
	char *at;

	if (asprintf(&at, "%s.%s.%s", path, field,
		v->has_type ? "value" : "type") == -1)
		abort();
	if (!v->has_type)
		problem_add(pr, PROBLEM_ERROR, NULL, line, at, "must be set");
	else if (fault != NULL)
		problem_add(pr, PROBLEM_ERROR, NULL, 0, at, "%s", fault);
	free(at);
}

static void
warn_foreign(struct str mesh, const char *path, struct problems *pr)
{
	char *at;

	if (asprintf(&at, "%s.spiffeID.value", path) == -1)
		abort();
	problem_add(pr, PROBLEM_WARNING, NULL, 0, at,
	    "fits no caller: those of mesh %.*s are named "
	    "spiffe://%.*s/SERVICE",
	    STR_ARG(mesh), STR_ARG(mesh));
	free(at);
}

void
caller_match_check(const struct caller_match *m, struct str mesh,
    const char *path, struct problems *pr)
{
	const char *fault;

	if (!m->spiffe.is_given && !m->sni.is_given)
		problem_add(pr, PROBLEM_ERROR, NULL, m->line, path,
		    "one of spiffeID and sni must be set");
	if (m->spiffe.is_given) {
		fault = fault_of_spiffe(&m->spiffe);
		check_value(&m->spiffe, fault, m->line, path, "spiffeID", pr);
		if (fault == NULL && !caller_match_fits_mesh(m, mesh))
			warn_foreign(mesh, path, pr);
	}
	if (m->sni.is_given)
		check_value(
		    &m->sni, fault_of_sni(&m->sni), m->line, path, "sni", pr);
}

/* The value is at least "spiffe://" and something, as it has been checked. */
bool
caller_match_fits_mesh(const struct caller_match *m, struct str mesh)
{
	struct str rest;

	if (!m->spiffe.is_given)
		return true;
	rest = str_from(m->spiffe.value, sizeof(SPIFFE) - 1);
	if (m->spiffe.type == MATCH_PREFIX && str_starts(mesh, rest))
		return true;
	if (!str_starts(rest, mesh))
		return false;
	rest = str_from(rest, mesh.len);
	if (rest.len == 0 || rest.p[0] != '/')
		return false;
	return m->spiffe.type == MATCH_PREFIX || rest.len > 1;
}
