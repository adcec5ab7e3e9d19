/* SPDX-License-Identifier: Apache-2.0 */
/* See envoy_traffic.h. */

#include "envoy_traffic.h"

#include <inttypes.h>
#include <stdlib.h>

#include "at.h"
#include "base/xalloc.h"
#include "model/quantity.h"
#include "policy/snapshot.h"

#define MOST 64

struct lines {
	char *v[MOST];
	size_t n;
};

static int
compare(const void *a, const void *b)
{
	char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

static void
add(struct lines *l, char *line)
{
	if (l->n == MOST)
		abort();
	l->v[l->n++] = line;
}

/* Sorted, each once: a server name may stand in several dumps of one thing. */
static void
join(struct lines *l, const char *separator, struct text *out)
{
	size_t i;

	if (l->n > 0)
		qsort(l->v, l->n, sizeof(*l->v), compare);
	for (i = 0; i < l->n; i++)
		if (i == 0 || strcmp(l->v[i - 1], l->v[i]) != 0) {
			text_add_z(out, i > 0 ? separator : "");
			text_add_z(out, l->v[i]);
		}
	for (i = 0; i < l->n; i++)
		free(l->v[i]);
	l->n = 0;
}

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

/* .*&KEY=[^&]*VALUE[,&].*&KEY=..., dots of values escaped. */
static void
add_regex(const char *regex, struct text *out)
{
	struct str rest = str_of(regex), value;
	struct lines tags = { .n = 0 };
	struct text one = TEXT_EMPTY;

	cut_at(&rest, STR("&"));
	while (rest.len > 0) {
		text_add(&one, cut_at(&rest, STR("=[^&]*")));
		text_add_char(&one, '=');
		value = cut_at(&rest, STR("[,&].*"));
		for (size_t i = 0; i < value.len; i++)
			if (value.p[i] != '\\')
				text_add_char(&one, value.p[i]);
		add(&tags, text_take(&one));
		one = TEXT_EMPTY;
		if (rest.len > 0)
			rest = str_from(rest, 1);
	}
	join(&tags, ",", out);
}

static void
add_header_match(struct at headers, struct text *out)
{
	struct at h = at_item(headers, 0);
	struct at regex = at_walk(h, "safeRegexMatch.regex");

	if (regex.node == NULL)
		regex = at_walk(h, "stringMatch.safeRegex.regex");
	text_add_z(out, " callers=");
	if (regex.node == NULL)
		text_add_z(out, "any");
	else
		add_regex(at_text(regex), out);
}

static unsigned long long
ms_of(struct at duration)
{
	uint64_t us = 0;

	if (!parse_duration_us(str_of(at_text(duration)), &us))
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
add_bucket(struct at limit, struct text *out)
{
	struct at bucket = at_field(limit, "tokenBucket");

	text_addf(out, " %s/%llums", at_text(at_field(bucket, "maxTokens")),
	    ms_of(at_field(bucket, "fillInterval")));
}

static void
add_route(struct at route, struct text *out)
{
	struct at limit = at_field(at_field(route, "typedPerFilterConfig"),
	    "envoy.filters.http.local_ratelimit");
	struct at h;
	const char *how;

	if (at_field(limit, "tokenBucket").node == NULL)
		return;
	text_add_z(out, " requests");
	add_bucket(limit, out);
	text_addf(out, " else=%s", status_of(at_walk(limit, "status.code")));
	for (size_t i = 0;
	     (h = at_item(at_field(limit, "responseHeadersToAdd"), i)).node !=
	     NULL;
	     i++) {
		how = at_text(at_field(h, "appendAction"));
		text_addf(out, " %s:%s=%s",
		    strncmp(how, "OVERWRITE", 9) == 0 ? "set" : "add",
		    at_text(at_walk(h, "header.key")),
		    at_text(at_walk(h, "header.value")));
	}
	add_header_match(at_walk(route, "match.headers"), out);
}

static unsigned
millionths(struct at percentage)
{
	unsigned long n =
	    strtoul(at_text(at_field(percentage, "numerator")), NULL, 10);
	const char *of = at_text(at_field(percentage, "denominator"));

	if (strcmp(of, "MILLION") == 0)
		return (unsigned)n;
	return (
	    unsigned)(strcmp(of, "TEN_THOUSAND") == 0 ? n * 100 : n * 10000);
}

static void
add_fault(struct at f, struct text *out)
{
	struct at abort_at = at_field(f, "abort");
	struct at delay = at_field(f, "delay");
	struct at slow = at_field(f, "responseRateLimit");

	text_add_z(out, " fault");
	if (abort_at.node != NULL)
		text_addf(out, " abort=%s*%u",
		    at_text(at_field(abort_at, "httpStatus")),
		    millionths(at_field(abort_at, "percentage")));
	if (delay.node != NULL)
		text_addf(out, " delay=%llums*%u",
		    ms_of(at_field(delay, "fixedDelay")),
		    millionths(at_field(delay, "percentage")));
	if (slow.node != NULL)
		text_addf(out, " kbps=%s*%u",
		    at_text(at_walk(slow, "fixedLimit.limitKbps")),
		    millionths(at_field(slow, "percentage")));
	add_header_match(at_field(f, "headers"), out);
}

static bool
is_type(struct at config, const char *type)
{
	return str_ends(
	    str_of(at_text(at_field(config, "@type"))), str_of(type));
}

static void
add_connections(struct at filters, struct text *out)
{
	struct at f;

	for (size_t i = 0; (f = at_item(filters, i)).node != NULL; i++) {
		f = at_field(f, "typedConfig");
		if (!is_type(f, "local_ratelimit.v3.LocalRateLimit"))
			continue;
		text_add_z(out, " connections");
		add_bucket(f, out);
	}
}

static void
add_http(struct at manager, struct text *out)
{
	struct at routes =
	    at_walk(manager, "routeConfig.virtualHosts.0.routes");
	struct at filters = at_field(manager, "httpFilters"), one;
	size_t i;

	for (i = 0; (one = at_item(routes, i)).node != NULL; i++)
		add_route(one, out);
	for (i = 0; (one = at_item(filters, i)).node != NULL; i++) {
		one = at_field(one, "typedConfig");
		if (is_type(one, ".HTTPFault"))
			add_fault(one, out);
	}
}

static void
describe_chain(struct at chain, struct lines *to)
{
	struct at filters = at_field(chain, "filters"), f, name;
	struct text out = TEXT_EMPTY;
	size_t i;

	add_connections(filters, &out);
	for (i = 0; (f = at_item(filters, i)).node != NULL; i++) {
		f = at_field(f, "typedConfig");
		if (is_type(f, ".HttpConnectionManager"))
			add_http(f, &out);
	}
	for (i = 0;
	     out.len > 0 &&
	     (name = at_item(at_walk(chain, "filterChainMatch.serverNames"), i))
		     .node != NULL;
	     i++)
		add(to, xasprintf("%s%s\n", at_text(name), out.p));
	text_free(&out);
}

/* Wherever listeners are. */
static void
describe_all(struct at a, struct lines *to)
{
	struct at chains = at_field(a, "filterChains"), one;
	size_t i;

	for (i = 0; (one = at_item(chains, i)).node != NULL; i++)
		describe_chain(one, to);
	for (i = 0; (one = at_item(a, i)).node != NULL; i++)
		describe_all(one, to);
}

bool
envoy_describe_traffic(struct str yaml, struct text *out)
{
	struct lines l = { .n = 0 };
	yaml_document_t doc;
	struct at root;

	if (!at_parse(yaml, &doc, &root))
		return false;
	describe_all(root, &l);
	join(&l, "", out);
	yaml_document_delete(&doc);
	return true;
}

/* spiffe://mesh/x is kuma.io/service=x, kuma://tag/x is tag=x. */
static char *
tag_of(struct str uri)
{
	size_t value = uri.len;

	while (uri.p[value - 1] != '/')
		value--;
	if (str_starts(uri, STR("spiffe://")))
		return xasprintf(
		    "kuma.io/service=%.*s", STR_ARG(str_from(uri, value)));
	uri = str_from(uri, strlen("kuma://"));
	value -= strlen("kuma://");
	return xasprintf("%.*s=%.*s", STR_ARG(str_first(uri, value - 1)),
	    STR_ARG(str_from(uri, value)));
}

static void
add_callers(const struct principal *p, struct text *out)
{
	struct lines tags = { .n = 0 };

	text_add_z(out, " callers=");
	if (p->n_tests == 0)
		text_add_z(out, "any");
	for (size_t i = 0; i < p->n_tests; i++)
		add(&tags, tag_of(p->tests[i].uri));
	join(&tags, ",", out);
}

static void
add_rate(const struct rate_rule *r, struct text *out)
{
	text_addf(out, " %s %" PRIu64 "/%ums",
	    r->of == RATE_OF_REQUESTS ? "requests" : "connections", r->num,
	    r->interval_ms);
	if (r->of == RATE_OF_CONNECTIONS)
		return;
	text_addf(out, " else=%u", r->status);
	for (size_t i = 0; i < r->n_headers; i++)
		text_addf(out, " %s:%.*s=%.*s",
		    r->headers[i].is_added ? "add" : "set",
		    STR_ARG(r->headers[i].name), STR_ARG(r->headers[i].value));
	add_callers(r->callers, out);
	text_add_z(out, r->n_except > 0 ? " but not all" : "");
}

static void
add_rule(const struct fault_rule *r, struct text *out)
{
	text_add_z(out, " fault");
	if (r->abort_status > 0)
		text_addf(
		    out, " abort=%u*%u", r->abort_status, r->abort_chance);
	if (r->delay_ms > 0)
		text_addf(out, " delay=%ums*%u", r->delay_ms, r->delay_chance);
	if (r->bytes_per_s > 0)
		text_addf(out, " kbps=%" PRIu64 "*%u",
		    r->bytes_per_s * 8 / 1000, r->bandwidth_chance);
	add_callers(r->callers, out);
	text_add_z(out, r->n_except > 0 ? " but not all" : "");
}

void
snapshot_describe_traffic(const struct snapshot *s, struct text *out)
{
	const struct traffic_policy *t;
	struct service *const *v;
	struct lines l = { .n = 0 };
	size_t i, k, n;

	v = snapshot_services(s, &n);
	for (i = 0; i < n; i++) {
		struct text one = TEXT_EMPTY;

		t = v[i]->traffic;
		for (k = 0; t != NULL && k < t->n_rates; k++)
			add_rate(&t->rates[k], &one);
		for (k = 0; t != NULL && k < t->n_faults; k++)
			add_rule(&t->faults[k], &one);
		for (k = 0; one.len > 0 && k < v[i]->n_snis; k++)
			add(&l, xasprintf(
				    "%.*s%s\n", STR_ARG(v[i]->snis[k]), one.p));
		text_free(&one);
	}
	join(&l, "", out);
}
