/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a MeshRetry may say.  Kuma names the place of what is wrong in default
 * "conf"; here it has the path it stands at.  Main thread.
 */

#include "model/mesh_retry.h"

#include "model/kind_rows.h"
#include "model/outbound_policy.h"
#include "model/target_bind.h"

static const struct bind tcp_rows[] = {
	OUTBOUND_ROW(
	    "maxConnectAttempt", MR_TCP_ATTEMPTS, value_read_above_zero),
	{ .type = BIND_END },
};

static bool
is_one_of(struct str s, const char *const *known)
{
	for (; *known != NULL; known++)
		if (str_eq(s, str_of(*known)))
			return true;
	return false;
}

static bool
is_status(struct str s)
{
	uint64_t n;

	return str_to_u64(s, 599, &n) && n >= 100;
}

static void
read_retry_on(struct binder *b, const struct node *n, const struct path *at,
    struct policy_value *v, const char *const *known, bool takes_statuses)
{
	const struct str *items;
	size_t i;

	value_read_texts(b, n, at, v);
	items = v->list.items;
	for (i = 0; v->is_given && i < v->list.n; i++)
		if (!is_one_of(items[i], known) &&
		    !(takes_statuses && is_status(items[i])))
			bind_error(b, n->line, PATH_ITEM(at, i),
			    "unknown item '%.*s'", STR_ARG(items[i]));
}

static void
read_http_retry_on(
    struct binder *b, const struct node *n, const struct path *at, void *field)
{
	static const char *const known[] = { "5xx", "GatewayError", "Reset",
		"Retriable4xx", "ConnectFailure", "EnvoyRatelimited",
		"RefusedStream", "Http3PostConnectFailure", "HttpMethodConnect",
		"HttpMethodDelete", "HttpMethodGet", "HttpMethodHead",
		"HttpMethodOptions", "HttpMethodPatch", "HttpMethodPost",
		"HttpMethodPut", "HttpMethodTrace", NULL };

	read_retry_on(b, n, at, field, known, true);
}

static void
read_grpc_retry_on(
    struct binder *b, const struct node *n, const struct path *at, void *field)
{
	static const char *const known[] = { "Canceled", "DeadlineExceeded",
		"Internal", "ResourceExhausted", "Unavailable", NULL };

	read_retry_on(b, n, at, field, known, false);
}

static bool
is_text(const struct node *n, const char *text)
{
	return n != NULL && n->kind == NODE_TEXT &&
	       str_eq(n->text, str_of(text));
}

static bool
is_above_zero(const struct node *n)
{
	uint64_t v;

	return n != NULL && str_to_u64(n->text, INT32_MAX, &v) && v > 0;
}

static void
read_hosts(
    struct binder *b, const struct node *n, const struct path *at, void *field)
{
	const struct node *predicate, *map;
	struct policy_value *v = field;
	bool has_priorities = false;
	const struct node_entry *e;
	const struct path *here;
	size_t i = 0;

	v->is_given = bind_expect(b, n, NODE_LIST, at);
	for (e = v->is_given ? n->first : NULL; e != NULL; e = e->next, i++) {
		map = e->value;
		here = PATH_ITEM(at, i);
		predicate = node_get(map, STR("predicate"));
		if (is_text(predicate, "OmitHostsWithTags")) {
			if (!node_is_given(node_get(map, STR("tags"))))
				bind_error(b, e->line, PATH_IN(here, "tags"),
				    "must be defined");
		} else if (is_text(predicate, "OmitPreviousPriorities")) {
			if (has_priorities)
				bind_error(b, e->line,
				    PATH_IN(here, "predicate"),
				    "OmitPreviousPriorities must only be "
				    "specified once");
			if (!is_above_zero(
				node_get(map, STR("updateFrequency"))))
				bind_error(b, e->line,
				    PATH_IN(here, "updateFrequency"),
				    "must be defined and greater than zero");
			has_priorities = true;
		} else if (!is_text(predicate, "OmitPreviousHosts")) {
			bind_error(b, e->line, PATH_IN(here, "predicate"),
			    "unknown predicate type; use OmitPreviousHosts, "
			    "OmitHostsWithTags or OmitPreviousPriorities");
		}
	}
}

static void
read_reset_headers(
    struct binder *b, const struct node *n, const struct path *at, void *field)
{
	struct policy_value *v = field;
	const struct node_entry *e;
	const struct node *name;
	size_t i = 0;

	v->is_given = bind_expect(b, n, NODE_LIST, at);
	for (e = v->is_given ? n->first : NULL; e != NULL; e = e->next, i++) {
		name = node_get(e->value, STR("name"));
		if (!node_is_given(name) || name->text.len == 0)
			bind_error(b, e->line,
			    PATH_IN(PATH_ITEM(at, i), "name"),
			    "must be defined");
	}
}

#define BACK_OFF_ROWS(which)                                                 \
	{                                                                    \
		OUTBOUND_ROW(                                                \
		    "baseInterval", which##_BACK_OFF_BASE, value_read_time), \
		    OUTBOUND_ROW("maxInterval", which##_BACK_OFF_MOST,       \
			value_read_time),                                    \
		    { .type = BIND_END },                                    \
	}
#define LIMITED_ROWS(which)                                               \
	{                                                                 \
		OUTBOUND_ROW("maxInterval", which##_LIMITED_MOST,         \
		    value_read_time_above_zero),                          \
		    OUTBOUND_ROW("resetHeaders", which##_LIMITED_HEADERS, \
			read_reset_headers),                              \
		    { .type = BIND_END },                                 \
	}

static const struct bind http_back_off_rows[] = BACK_OFF_ROWS(MR_HTTP);
static const struct bind http_limited_rows[] = LIMITED_ROWS(MR_HTTP);
static const struct bind grpc_back_off_rows[] = BACK_OFF_ROWS(MR_GRPC);
static const struct bind grpc_limited_rows[] = LIMITED_ROWS(MR_GRPC);

static const struct bind http_rows[] = {
	OUTBOUND_ROW("numRetries", MR_HTTP_RETRIES, value_read_count),
	OUTBOUND_ROW("perTryTimeout", MR_HTTP_PER_TRY, value_read_time),
	OUTBOUND_GROUP("backOff", MR_HTTP_BACK_OFF, http_back_off_rows),
	OUTBOUND_GROUP(
	    "rateLimitedBackOff", MR_HTTP_LIMITED, http_limited_rows),
	OUTBOUND_ROW("retryOn", MR_HTTP_RETRY_ON, read_http_retry_on),
	{ .key = "retriableResponseHeaders",
	    .type = BIND_SKIP,
	    .has_offset = OUTBOUND_GIVEN(MR_HTTP_ANSWER_HEADERS) },
	{ .key = "retriableRequestHeaders",
	    .type = BIND_SKIP,
	    .has_offset = OUTBOUND_GIVEN(MR_HTTP_REQUEST_HEADERS) },
	OUTBOUND_ROW("hostSelection", MR_HTTP_HOSTS, read_hosts),
	OUTBOUND_ROW("hostSelectionMaxAttempts", MR_HTTP_HOSTS_ATTEMPTS,
	    value_read_count),
	{ .type = BIND_END },
};

static const struct bind grpc_rows[] = {
	OUTBOUND_ROW("numRetries", MR_GRPC_RETRIES, value_read_count),
	OUTBOUND_ROW("perTryTimeout", MR_GRPC_PER_TRY, value_read_time),
	OUTBOUND_GROUP("backOff", MR_GRPC_BACK_OFF, grpc_back_off_rows),
	OUTBOUND_GROUP(
	    "rateLimitedBackOff", MR_GRPC_LIMITED, grpc_limited_rows),
	OUTBOUND_ROW("retryOn", MR_GRPC_RETRY_ON, read_grpc_retry_on),
	{ .type = BIND_END },
};

static const struct bind default_rows[] = {
	OUTBOUND_GROUP("tcp", MR_TCP, tcp_rows),
	OUTBOUND_GROUP("http", MR_HTTP, http_rows),
	OUTBOUND_GROUP("grpc", MR_GRPC, grpc_rows),
	{ .type = BIND_END },
};

static const struct bind item_rows[] = OUTBOUND_ITEM_ROWS(default_rows);

const struct bind mesh_retry_bind[] = {
	OUTBOUND_TARGET_ROW,
	OUTBOUND_LIST("to", OUTBOUND_TO, item_rows),
	{ .type = BIND_END },
};

static bool
has_any(const struct policy_value *v, size_t from, size_t to)
{
	for (; from <= to; from++)
		if (v[from].is_given)
			return true;
	return false;
}

struct protocol_part {
	const char *name;
	size_t group;
	size_t last;
	size_t back_off;
	size_t limited;
};

static void
check_part(const struct policy_value *v, const struct protocol_part *part,
    const char *at, struct problems *pr)
{
	struct text path = TEXT_EMPTY;

	if (!v[part->group].is_given)
		return;
	text_addf(&path, "%s.%s", at, part->name);
	if (!has_any(v, part->group + 1, part->last))
		outbound_error(pr, path.p, "", "must not be empty");
	if (v[part->back_off].is_given &&
	    !has_any(v, part->back_off + 1, part->back_off + 2))
		outbound_error(pr, path.p, "backOff", "must not be empty");
	if (v[part->limited].is_given && !v[part->limited + 2].is_given)
		outbound_error(pr, path.p, "rateLimitedBackOff.resetHeaders",
		    "must be defined");
	text_free(&path);
}

static void
check_item(
    const struct outbound_item *item, const char *at, struct problems *pr)
{
	static const struct protocol_part http = { "http", MR_HTTP,
		MR_HTTP_HOSTS, MR_HTTP_BACK_OFF, MR_HTTP_LIMITED };
	static const struct protocol_part grpc = { "grpc", MR_GRPC,
		MR_GRPC_RETRY_ON, MR_GRPC_BACK_OFF, MR_GRPC_LIMITED };
	const struct policy_value *v = item->v;

	if (!v[MR_TCP].is_given && !v[MR_HTTP].is_given && !v[MR_GRPC].is_given)
		outbound_error(pr, at, "",
		    "at least one of the 'tcp', 'http', 'grpc' must be "
		    "specified");
	if (v[MR_TCP].is_given && !v[MR_TCP_ATTEMPTS].is_given)
		outbound_error(pr, at, "tcp", "must not be empty");
	check_part(v, &http, at, pr);
	check_part(v, &grpc, at, pr);
}

void
mesh_retry_check(struct resource *r, struct problems *pr)
{
	const struct outbound_policy *p = r->spec;
	unsigned route = TARGET_BIT(TARGET_MESH_HTTP_ROUTE);
	struct outbound_demands demands = {
		.top = outbound_top_kinds | route,
		.to = outbound_to_kinds | route,
		.check = check_item,
	};

	if (p->target.kind == TARGET_MESH_HTTP_ROUTE ||
	    p->target.kind == TARGET_MESH_GATEWAY)
		demands.to = TARGET_BIT(TARGET_MESH) |
			     TARGET_BIT(TARGET_MESH_EXTERNAL_SERVICE);
	outbound_policy_check(p, &demands, pr);
}
