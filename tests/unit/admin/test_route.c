/* SPDX-License-Identifier: Apache-2.0 */
/* admin/admin_route.h: the paths of the admin address. */

#include <criterion/criterion.h>
#include <jansson.h>
#include <string.h>

#include "admin/admin_route.h"
#include "base/stats.h"
#include "unit/admin/admin_rig.h"

static struct server_answer
get(struct rig *r, const char *path)
{
	struct server_request q = { .path = str_of(path) };
	struct server_answer a = { .status = 0 };

	admin_route_handle(&r->source, &q, &a);
	return a;
}

static void
expect(struct rig *r, const char *path, unsigned status, const char *type,
    const char *part)
{
	struct server_answer a = get(r, path);

	cr_expect_eq(a.status, status, "%s: %u", path, a.status);
	cr_expect_eq(strncmp(a.content_type, type, strlen(type)), 0, "%s: %s",
	    path, a.content_type);
	cr_expect_not_null(strstr(a.body.p, part), "%s: %s", path, a.body.p);
	text_free(&a.body);
}

Test(route, answers)
{
	static const struct {
		const char *path;
		unsigned status;
		const char *type;
		const char *part;
	} rows[] = {
		{ "/", 200, "text/plain", "/config_dump" },
		{ "/ready", 200, "text/plain", "READY\nrefused: 1\n" },
		{ "/stats/prometheus", 200, "text/plain; version=0.0.4",
		    "envoy_server_uptime 5\n" },
		{ "/metrics", 200, "text/plain; version=0.0.4",
		    "envoy_server_uptime 5\n" },
		{ "/clusters", 200, "text/plain", "clusters\n" },
		{ "/config_dump", 200, "application/json", "\"zone\"" },
		{ "/ready/", 404, "text/plain", "no such path" },
		{ "/quitquitquit", 404, "text/plain", "no such path" },
	};
	struct stats_shard *shard = stats_shard_new();
	struct rig r;
	size_t i;

	stat_set(stats_get(shard, SCOPE_SERVER, NULL), STAT_UPTIME, 5);
	rig_init(&r);
	for (i = 0; i < ARRAY_LEN(rows); i++)
		expect(&r, rows[i].path, rows[i].status, rows[i].type,
		    rows[i].part);
	rig_fini(&r);
	stats_shard_free(shard);
}

Test(route, ready_follows_the_phase)
{
	struct rig r;

	rig_init(&r);
	r.state.refused = 0;
	r.state.phase = PHASE_STARTING;
	expect(&r, "/ready", 503, "text/plain", "NOT_READY\n");
	r.state.phase = PHASE_SERVING;
	expect(&r, "/ready", 200, "text/plain", "READY\n");
	r.state.feed_error = "gone";
	expect(&r, "/ready", 200, "text/plain", "READY\nresources: gone\n");
	r.state.phase = PHASE_DRAINING;
	expect(&r, "/ready", 503, "text/plain", "TERMINATING\n");
	rig_fini(&r);
}

Test(route, a_late_worker_shows)
{
	struct rig r;

	rig_init(&r);
	r.has_late_worker = true;
	expect(&r, "/clusters", 503, "text/plain", "clusters\n");
	rig_fini(&r);
}

static const char *
text_at(const json_t *o, const char *a, size_t i, const char *key)
{
	return json_string_value(
	    json_object_get(json_array_get(json_object_get(o, a), i), key));
}

Test(route, config_dump_is_json_without_secrets)
{
	struct server_answer a;
	const json_t *tls, *options;
	struct rig r;
	json_t *o;

	rig_init(&r);
	a = get(&r, "/config_dump");
	o = json_loads(a.body.p, 0, NULL);
	cr_assert_not_null(o, "%s", a.body.p);
	cr_expect_str_eq(text_at(o, "services", 0, "key"), "m/ES/one");
	cr_expect_str_eq(text_at(o, "services", 1, "protocol"), "http");
	cr_expect_str_eq(text_at(o, "meshes", 0, "mesh"), "m");
	cr_expect_str_eq(text_at(o, "refused", 0, "name"), "bad");
	cr_expect_str_eq(
	    text_at(o, "listeners", 0, "address"), "127.0.0.1:10002");
	tls = json_object_get(
	    json_array_get(
		json_object_get(
		    json_array_get(json_object_get(o, "services"), 1), "local"),
		0),
	    "tls");
	cr_assert_not_null(tls, "%s", a.body.p);
	cr_expect_str_eq(
	    json_string_value(json_object_get(tls, "client_key")), "[masked]");
	cr_expect_null(strstr(a.body.p, "BEGIN"));
	options = json_object_get(
	    json_array_get(json_object_get(o, "services"), 1), "options");
	cr_expect_str_eq(
	    json_string_value(json_object_get(options, "host")), "keep");
	cr_expect_eq(
	    json_integer_value(json_object_get(options, "request_ms")), 15000);
	cr_expect_str_eq(json_string_value(json_array_get(
			     json_object_get(options, "upgrades"), 0)),
	    "websocket");
	json_decref(o);
	text_free(&a.body);
	rig_fini(&r);
}
