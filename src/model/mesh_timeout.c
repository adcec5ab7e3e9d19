/* SPDX-License-Identifier: Apache-2.0 */
/* What a MeshTimeout may say.  Main thread. */

#include "model/mesh_timeout.h"

#include "model/kind_rows.h"
#include "model/outbound_policy.h"
#include "model/target_bind.h"

static const struct bind http_rows[] = {
	OUTBOUND_ROW("requestTimeout", MT_REQUEST, value_read_time),
	OUTBOUND_ROW("streamIdleTimeout", MT_STREAM_IDLE, value_read_time),
	OUTBOUND_ROW("maxStreamDuration", MT_STREAM_LIFE, value_read_time),
	OUTBOUND_ROW(
	    "maxConnectionDuration", MT_CONNECTION_LIFE, value_read_time),
	OUTBOUND_ROW("requestHeadersTimeout", MT_HEADERS, value_read_time),
	{ .type = BIND_END },
};

static const struct bind default_rows[] = {
	OUTBOUND_ROW(
	    "connectionTimeout", MT_CONNECTION, value_read_time_above_zero),
	OUTBOUND_ROW("idleTimeout", MT_IDLE, value_read_time),
	OUTBOUND_GROUP("http", MT_HTTP, http_rows),
	{ .type = BIND_END },
};

static const struct bind item_rows[] = OUTBOUND_ITEM_ROWS(default_rows);

const struct bind mesh_timeout_bind[] = {
	OUTBOUND_TARGET_ROW,
	OUTBOUND_LIST("to", OUTBOUND_TO, item_rows),
	OUTBOUND_LIST("from", OUTBOUND_FROM, item_rows),
	OUTBOUND_LIST("rules", OUTBOUND_RULES, item_rows),
	{ .type = BIND_END },
};

static void
check_item(
    const struct outbound_item *item, const char *at, struct problems *pr)
{
	const struct policy_value *v = item->v;

	if (!v[MT_CONNECTION].is_given && !v[MT_IDLE].is_given &&
	    !v[MT_HTTP].is_given)
		outbound_error(
		    pr, at, "", "at least one timeout should be configured");
	else if (v[MT_HTTP].is_given && !v[MT_REQUEST].is_given &&
		 !v[MT_STREAM_IDLE].is_given && !v[MT_STREAM_LIFE].is_given &&
		 !v[MT_CONNECTION_LIFE].is_given)
		outbound_error(pr, at, "http",
		    "at least one timeout in this section should be "
		    "configured");
}

static void
check_route_item(
    const struct outbound_item *item, const char *at, struct problems *pr)
{
	static const char why[] =
	    "can't be specified when top-level TargetRef is referencing "
	    "MeshHTTPRoute";
	const struct policy_value *v = item->v;

	check_item(item, at, pr);
	if (v[MT_CONNECTION].is_given)
		outbound_error(pr, at, "connectionTimeout", why);
	if (v[MT_IDLE].is_given)
		outbound_error(pr, at, "idleTimeout", why);
	if (v[MT_STREAM_LIFE].is_given)
		outbound_error(pr, at, "http.maxStreamDuration", why);
	if (v[MT_CONNECTION_LIFE].is_given)
		outbound_error(pr, at, "http.maxConnectionDuration", why);
}

void
mesh_timeout_check(struct resource *r, struct problems *pr)
{
	const struct outbound_policy *p = r->spec;
	bool is_of_route = p->target.kind == TARGET_MESH_HTTP_ROUTE;
	unsigned route = TARGET_BIT(TARGET_MESH_HTTP_ROUTE);
	struct outbound_demands demands = {
		.top = outbound_top_kinds | route,
		.to = outbound_to_kinds | route,
		.wants_items = true,
		.check = is_of_route ? check_route_item : check_item,
	};

	if (is_of_route || p->target.kind == TARGET_MESH_GATEWAY)
		demands.to = TARGET_BIT(TARGET_MESH) |
			     TARGET_BIT(TARGET_MESH_EXTERNAL_SERVICE);
	outbound_policy_check(p, &demands, pr);
}
