/* SPDX-License-Identifier: Apache-2.0 */
/* What limits of rates may say.  Main thread. */

#include "model/rate_limit.h"

#include <stdio.h>

#include "model/kind_rows.h"
#include "model/policy_form.h"
#include "model/quantity.h"
#include "model/scalar.h"

#define CONF(field) offsetof(struct limit_conf, field)
#define HEADER(field) offsetof(struct limit_header, field)
#define RL(field) offsetof(struct rate_limit, field)
#define FROM(field) offsetof(struct mrl_from, field)
#define MRL(field) offsetof(struct mesh_rate_limit, field)

/* An answer has room for so many that are not its own. */
#define MOST_HEADERS 16
#define MOST_VALUE 1024
#define MOST_INTERVAL_US (UINT32_MAX * UINT64_C(1000))

static const struct bind key_rows[] = {
	{ .key = "key", .type = BIND_STR, .offset = HEADER(name) },
	{ .key = "value", .type = BIND_STR, .offset = HEADER(value) },
	{ .key = "append", .type = BIND_BOOL, .offset = HEADER(is_added) },
	{ .type = BIND_END },
};

static const struct bind legacy_reply_rows[] = {
	{ .key = "status",
	    .type = BIND_UNSIGNED,
	    .offset = CONF(status),
	    .has_offset = CONF(has_status) },
	{ .key = "headers",
	    .type = BIND_LIST,
	    .offset = CONF(set),
	    .n_offset = CONF(n_set),
	    .size = sizeof(struct limit_header),
	    .sub = key_rows },
	{ .type = BIND_END },
};

static const struct bind legacy_http_rows[] = {
	{ .key = "requests",
	    .type = BIND_UNSIGNED,
	    .offset = CONF(num),
	    .has_offset = CONF(has_num) },
	{ .key = "interval",
	    .type = BIND_READ,
	    .offset = CONF(interval_us),
	    .has_offset = CONF(has_interval),
	    .read = read_duration },
	{ .key = "onRateLimit",
	    .type = BIND_STRUCT,
	    .sub = legacy_reply_rows,
	    .has_offset = CONF(has_reply) },
	{ .type = BIND_END },
};

static void
read_legacy_http(
    struct binder *b, const struct node *n, const struct path *at, void *field)
{
	struct limit_conf *conf = field;

	conf->has_rate = true;
	bind_map(b, legacy_http_rows, n, at, conf);
}

static const struct bind conf_rows[] = {
	{ .key = "http",
	    .type = BIND_READ,
	    .offset = RL(http),
	    .has_offset = RL(has_http),
	    .read = read_legacy_http },
	{ .type = BIND_END },
};

const struct bind rate_limit_bind[] = {
	POLICY_SELECTORS("sources", RL(sources), RL(n_sources)),
	POLICY_SELECTORS("destinations", RL(destinations), RL(n_destinations)),
	{ .key = "conf",
	    .type = BIND_STRUCT,
	    .sub = conf_rows,
	    .has_offset = RL(has_conf) },
	{ .type = BIND_END },
};

static const struct bind rate_rows[] = {
	{ .key = "num",
	    .type = BIND_UNSIGNED,
	    .offset = CONF(num),
	    .has_offset = CONF(has_num) },
	{ .key = "interval",
	    .type = BIND_READ,
	    .offset = CONF(interval_us),
	    .has_offset = CONF(has_interval),
	    .read = read_duration },
	{ .type = BIND_END },
};

static const struct bind name_rows[] = {
	{ .key = "name", .type = BIND_STR, .offset = HEADER(name) },
	{ .key = "value", .type = BIND_STR, .offset = HEADER(value) },
	{ .type = BIND_END },
};

static const struct bind headers_rows[] = {
	{ .key = "set",
	    .type = BIND_LIST,
	    .offset = CONF(set),
	    .n_offset = CONF(n_set),
	    .has_offset = CONF(has_set),
	    .size = sizeof(struct limit_header),
	    .sub = name_rows },
	{ .key = "add",
	    .type = BIND_LIST,
	    .offset = CONF(add),
	    .n_offset = CONF(n_add),
	    .has_offset = CONF(has_add),
	    .size = sizeof(struct limit_header),
	    .sub = name_rows },
	{ .type = BIND_END },
};

static const struct bind reply_rows[] = {
	{ .key = "status",
	    .type = BIND_UNSIGNED,
	    .offset = CONF(status),
	    .has_offset = CONF(has_status) },
	{ .key = "headers", .type = BIND_STRUCT, .sub = headers_rows },
	{ .type = BIND_END },
};

static const struct bind http_rows[] = {
	{ .key = "disabled",
	    .type = BIND_BOOL,
	    .offset = CONF(is_disabled),
	    .has_offset = CONF(has_disabled) },
	{ .key = "requestRate",
	    .type = BIND_STRUCT,
	    .sub = rate_rows,
	    .has_offset = CONF(has_rate) },
	{ .key = "onRateLimit",
	    .type = BIND_STRUCT,
	    .sub = reply_rows,
	    .has_offset = CONF(has_reply) },
	{ .type = BIND_END },
};

static const struct bind tcp_rows[] = {
	{ .key = "disabled",
	    .type = BIND_BOOL,
	    .offset = CONF(is_disabled),
	    .has_offset = CONF(has_disabled) },
	{ .key = "connectionRate",
	    .type = BIND_STRUCT,
	    .sub = rate_rows,
	    .has_offset = CONF(has_rate) },
	{ .type = BIND_END },
};

static void
read_http(
    struct binder *b, const struct node *n, const struct path *at, void *field)
{
	bind_map(b, http_rows, n, at, field);
}

static void
read_tcp(
    struct binder *b, const struct node *n, const struct path *at, void *field)
{
	bind_map(b, tcp_rows, n, at, field);
}

static const struct bind local_rows[] = {
	{ .key = "http",
	    .type = BIND_READ,
	    .offset = FROM(http),
	    .has_offset = FROM(has_http),
	    .read = read_http },
	{ .key = "tcp",
	    .type = BIND_READ,
	    .offset = FROM(tcp),
	    .has_offset = FROM(has_tcp),
	    .read = read_tcp },
	{ .type = BIND_END },
};

static const struct bind default_rows[] = {
	{ .key = "local",
	    .type = BIND_STRUCT,
	    .sub = local_rows,
	    .has_offset = FROM(has_local) },
	{ .type = BIND_END },
};

static const struct bind from_rows[] = {
	{ .key = "targetRef", .type = BIND_TARGET, .offset = FROM(target) },
	{ .key = "default", .type = BIND_STRUCT, .sub = default_rows },
	{ .type = BIND_LINE, .offset = FROM(line) },
	{ .type = BIND_END },
};

const struct bind mesh_rate_limit_bind[] = {
	{ .key = "targetRef", .type = BIND_TARGET, .offset = MRL(target) },
	{ .key = "from",
	    .type = BIND_LIST,
	    .offset = MRL(from),
	    .n_offset = MRL(n_from),
	    .size = sizeof(struct mrl_from),
	    .sub = from_rows },
	{ .key = "to", .type = BIND_SKIP, .has_offset = MRL(has_to) },
	{ .key = "rules", .type = BIND_SKIP, .has_offset = MRL(has_rules) },
	{ .type = BIND_END },
};

/* NULL: it may be set. */
static const char *
fault_of_header(const struct limit_header *h)
{
	if (h->name.len == 0)
		return "name must be set";
	if (!is_field_name(h->name))
		return "is no name of a header: letters, digits, and some "
		       "marks as -";
	if (is_connection_field(h->name))
		return "belongs to the connection, or says where a message "
		       "ends: it cannot be set";
	if (h->value.len > MOST_VALUE)
		return "value must not be longer than 1024 bytes";
	if (!is_field_value(h->value))
		return "value must be visible text, without control bytes";
	return NULL;
}

static void
check_headers(const struct limit_header *v, size_t n, const char *path,
    struct problems *pr)
{
	const char *why;

	if (n > MOST_HEADERS)
		policy_complain(
		    pr, "must not have more than 16 elements", "%s", path);
	for (size_t i = 0; i < n && i < MOST_HEADERS; i++) {
		why = fault_of_header(&v[i]);
		if (why != NULL)
			policy_complain(pr, why, "%s[%zu]", path, i);
	}
}

/* Kuma takes any number; Envoy then says 429 instead of what is no failure. */
static void
check_status(const struct limit_conf *c, const char *path, struct problems *pr)
{
	if (!c->has_status)
		return;
	if (!is_http_status(c->status))
		problem_add(pr, PROBLEM_ERROR, NULL, 0, path,
		    "must be in the range [100, 599]");
	else if (c->status < 400)
		problem_add(pr, PROBLEM_WARNING, NULL, 0, path,
		    "%u is no failure, so 429 is answered: use 400 to 599",
		    c->status);
}

static void
check_rate(const struct limit_conf *c, const char *num, const char *at,
    struct problems *pr)
{
	if (!c->has_num)
		policy_complain(pr, "must be set", "%s.%s", at, num);
	else if (c->num == 0)
		policy_complain(
		    pr, "must be greater than zero", "%s.%s", at, num);
	if (!c->has_interval)
		policy_complain(pr, "must be set", "%s.interval", at);
	else if (c->interval_us <= 50000)
		policy_complain(
		    pr, "must be greater than: 50ms", "%s.interval", at);
	else if (c->interval_us > MOST_INTERVAL_US)
		policy_complain(
		    pr, "must not be longer than 49 days", "%s.interval", at);
}

static void
check_legacy_http(const struct limit_conf *c, struct problems *pr)
{
	check_rate(c, "requests", "conf.http", pr);
	check_status(c, "conf.http.onRateLimit.status", pr);
	check_headers(c->set, c->n_set, "conf.http.onRateLimit.headers", pr);
}

void
rate_limit_check(struct resource *r, struct problems *pr)
{
	const struct rate_limit *rl = r->spec;

	policy_shadow_check(r, pr);
	policy_selectors_check(
	    rl->sources, rl->n_sources, POLICY_ITEMS_MAX, "sources", pr);
	policy_selectors_check(rl->destinations, rl->n_destinations,
	    POLICY_ITEMS_MAX, "destinations", pr);
	if (!rl->has_conf)
		problem_add(pr, PROBLEM_ERROR, NULL, 0, "conf", "must be set");
	else if (rl->has_http)
		check_legacy_http(&rl->http, pr);
}

static void
check_http(const struct limit_conf *c, size_t i, struct problems *pr)
{
	char at[96];

	snprintf(at, sizeof(at), "spec.from[%zu].default.local.http", i);
	if (!c->has_disabled && !c->has_rate && !c->has_reply)
		policy_complain(pr,
		    "must have at least one defined: disabled, requestRate, "
		    "onRateLimit",
		    "%s", at);
	if (c->has_rate) {
		snprintf(at, sizeof(at),
		    "spec.from[%zu].default.local.http.requestRate", i);
		check_rate(c, "num", at, pr);
	}
	snprintf(at, sizeof(at),
	    "spec.from[%zu].default.local.http.onRateLimit.status", i);
	check_status(c, at, pr);
	snprintf(at, sizeof(at),
	    "spec.from[%zu].default.local.http.onRateLimit.headers.set", i);
	check_headers(c->set, c->n_set, at, pr);
	memcpy(at + strlen(at) - 3, "add", 3);
	check_headers(c->add, c->n_add, at, pr);
}

static void
check_tcp(const struct limit_conf *c, size_t i, struct problems *pr)
{
	char at[96];

	if (!c->has_disabled && !c->has_rate)
		policy_complain(pr,
		    "must have at least one defined: disabled, connectionRate",
		    "spec.from[%zu].default.local.tcp", i);
	if (!c->has_rate)
		return;
	snprintf(at, sizeof(at),
	    "spec.from[%zu].default.local.tcp.connectionRate", i);
	check_rate(c, "num", at, pr);
}

static void
check_from(const struct mrl_from *from, size_t i, struct problems *pr)
{
	char path[64];

	snprintf(path, sizeof(path), "spec.from[%zu].targetRef", i);
	/* Kuma takes Mesh only: it cannot tell callers for sure, we can. */
	target_check(&from->target, POLICY_FROM_KINDS, path, pr);
	snprintf(path, sizeof(path), "spec.from[%zu].default.local", i);
	if (!from->has_local)
		problem_add(pr, PROBLEM_ERROR, NULL, from->line, path,
		    "must be defined");
	else if (!from->has_http && !from->has_tcp)
		policy_complain(pr, "must have at least one defined: tcp, http",
		    "%s", path);
	if (from->has_http)
		check_http(&from->http, i, pr);
	if (from->has_tcp)
		check_tcp(&from->tcp, i, pr);
}

void
mesh_rate_limit_check(struct resource *r, struct problems *pr)
{
	const struct mesh_rate_limit *mrl = r->spec;
	const struct policy_form form = { .n_from = mrl->n_from,
		.has_to = mrl->has_to,
		.has_rules = mrl->has_rules };

	policy_form_check(&form, &mrl->target, r, pr);
	for (size_t i = 0; i < mrl->n_from && i < POLICY_ITEMS_MAX; i++)
		check_from(&mrl->from[i], i, pr);
}

const struct rate_limit *
rate_limit_of(const struct resource *r)
{
	return r != NULL && r->kind == KIND_RATE_LIMIT ? r->spec : NULL;
}

const struct mesh_rate_limit *
mesh_rate_limit_of(const struct resource *r)
{
	return r != NULL && r->kind == KIND_MESH_RATE_LIMIT ? r->spec : NULL;
}
