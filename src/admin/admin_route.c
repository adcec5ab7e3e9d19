/* SPDX-License-Identifier: Apache-2.0 */
/* The paths of the admin address, from a table.  Main thread. */

#include "admin/admin_route.h"

#include "admin/config_dump.h"
#include "base/stats.h"

#define CLUSTERS_MOST 100000

#define ROUTE(path, fn, type, help) \
	static void fn(const struct admin_source *, struct server_answer *);
#include "admin/admin_route.tbl.h"

static const struct {
	const char *path;
	void (*show)(const struct admin_source *, struct server_answer *);
	const char *type;
	const char *help;
} routes[] = {
#define ROUTE(path, fn, type, help) { path, fn, type, help },
#include "admin/admin_route.tbl.h"
};

static void
show_index(const struct admin_source *src, struct server_answer *a)
{
	size_t i;

	(void)src;
	for (i = 0; i < ARRAY_LEN(routes); i++)
		text_addf(
		    &a->body, "%-18s %s\n", routes[i].path, routes[i].help);
}

/* The words and codes are those that kuma-dp's readiness probe has. */
static void
show_ready(const struct admin_source *src, struct server_answer *a)
{
	struct admin_state s;

	src->state(src->arg, &s);
	switch (s.phase) {
	case PHASE_STARTING:
		a->status = 503;
		text_add_z(&a->body, "NOT_READY\n");
		break;
	case PHASE_SERVING:
		text_add_z(&a->body, "READY\n");
		break;
	case PHASE_DRAINING:
		a->status = 503;
		text_add_z(&a->body, "TERMINATING\n");
		break;
	}
	if (s.refused > 0)
		text_addf(&a->body, "refused: %zu\n", s.refused);
	if (s.feed_error != NULL)
		text_addf(&a->body, "resources: %s\n", s.feed_error);
}

static void
show_stats(const struct admin_source *src, struct server_answer *a)
{
	(void)src;
	stats_render(&a->body);
}

static void
show_clusters(const struct admin_source *src, struct server_answer *a)
{
	if (!src->collect(src->arg, PART_CLUSTERS, CLUSTERS_MOST, &a->body))
		a->status = 503;
}

static void
show_config_dump(const struct admin_source *src, struct server_answer *a)
{
	struct admin_state s;

	src->state(src->arg, &s);
	config_dump(&s, &a->body);
}

void
admin_route_handle(
    void *arg, const struct server_request *q, struct server_answer *a)
{
	const struct admin_source *src = arg;
	size_t i;

	a->status = 200;
	for (i = 0; i < ARRAY_LEN(routes); i++)
		if (str_eq(q->path, str_of(routes[i].path))) {
			a->content_type = routes[i].type;
			routes[i].show(src, a);
			return;
		}
	a->status = 404;
	a->content_type = "text/plain; charset=utf-8";
	text_add_z(&a->body, "no such path; / lists them\n");
}
