/* SPDX-License-Identifier: Apache-2.0 */
/* Targets of endpoints that name SRV records.  Over real sockets. */

#include <criterion/criterion.h>

#include "upstream/cluster_state.h"
#include "upstream/outlier_report.h"
#include "upstream_rig.h"

static struct rig g;

static struct service *
service(const struct service_options *o, uint16_t port)
{
	return rig_service_with(o, PROTO_TCP, "s", "r0",
	    (const struct rig_endpoint[]){
		{ .key = "a", .host = "_h._tcp.example", .port = port },
		{ .key = NULL } });
}

static void
name(const struct ext_server *x)
{
	static const char *const local[] = { "127.0.0.1", "127.0.0.2", NULL };
	const struct dns_server_srv srv[] = {
		{ 10, 1, ext_port(x), "a.example" },
		{ 0, 0, 0, NULL },
	};

	dns_server_set(g.names, "a.example",
	    &(struct dns_server_answer){ .a = local, .ttl_s = 300 });
	dns_server_set(g.names, "_h._tcp.example",
	    &(struct dns_server_answer){ .srv = srv, .ttl_s = 300 });
}

/* With which those that answer badly are compared. */
static unsigned
compared(struct service *s)
{
	struct shared_service *all = clusters_get(g.clusters, s)->shared;
	const struct shared_endpoint *k;
	struct shared_group *group;
	unsigned n = 0;

	HASH_FIND(hh, all->groups, "targets a", 9, group);
	cr_assert_not_null(group);
	TAILQ_FOREACH(k, &group->endpoints, link)
	n += k->offered > 0;
	return n;
}

/* Connections outlive their endpoint in the resources, what counts does not. */
Test(targets, those_of_an_endpoint_that_is_gone)
{
	struct service_options o = *service_options_standard();
	struct service *old, *now;
	struct snapshot *snapshot;
	struct rig_reached r, other;
	struct ext_server *x;

	o.srv = true;
	rig_init(&g);
	x = rig_server(EXT_ECHO);
	name(x);
	rig_start(&g);
	old = service(&o, 1);
	now = service(&o, 2);
	rig_reach(&g, old, &RIG_ANY, &r);
	cr_assert_eq(r.r.status, REACH_OK, "%s", r.r.detail);
	cr_expect_eq(compared(old), 2);
	snapshot = rig_snapshot(&now, 1);
	clusters_sync(g.clusters, snapshot);
	rig_reach(&g, now, &RIG_ANY, &other);
	cr_assert_eq(other.r.status, REACH_OK, "%s", other.r.detail);
	cr_expect_eq(compared(now), 2, "%u", compared(now));
	rig_hang_up(&r);
	rig_hang_up(&other);
	snapshot_unref(snapshot);
	service_unref(old);
	service_unref(now);
	rig_fini(&g);
	ext_stop(x);
}

/*
 * As to Envoy each address counts, also those of one target: two of four are
 * half of them.
 */
Test(targets, each_address_counts_where_some_are_left_out)
{
	static const char *const four[] = { "127.0.0.1", "127.0.0.2",
		"127.0.0.3", "127.0.0.4", NULL };
	struct service_options o = *service_options_standard();
	struct shared_endpoint *k;
	struct shared_group *group;
	struct rig_reached r;
	struct ext_server *x;
	struct service *s;
	struct cluster *c;

	o.srv = true;
	o.outlier.consecutive_5xx = 1;
	o.outlier.most_percent = 50;
	rig_init(&g);
	x = rig_server(EXT_ECHO);
	name(x);
	dns_server_set(g.names, "a.example",
	    &(struct dns_server_answer){ .a = four, .ttl_s = 300 });
	rig_start(&g);
	s = service(&o, 1);
	rig_reach(&g, s, &RIG_ANY, &r);
	cr_assert_eq(r.r.status, REACH_OK, "%s", r.r.detail);
	cr_expect_eq(compared(s), 4);
	c = clusters_get(g.clusters, s);
	HASH_FIND(hh, c->shared->groups, "targets a", 9, group);
	cr_assert_not_null(group);
	TAILQ_FOREACH(k, &group->endpoints, link)
	outlier_report(c, k, OUTLIER_ERROR);
	cr_expect_eq(rig_stat("s", STAT_OUTLIER_EJECTIONS), 2);
	cr_expect_eq(rig_stat("s", STAT_OUTLIER_OVERFLOW), 2);
	rig_hang_up(&r);
	service_unref(s);
	rig_fini(&g);
	ext_stop(x);
}
