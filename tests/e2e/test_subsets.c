/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server names that routes make by tags: each reaches those endpoints only
 * that have them, and a connection ends when its endpoint has them no more.
 */

#include <stdio.h>

#include "e2e/fixture.h"

#define CALLS 6

static void
write_version(
    struct world *w, const char *name, const char *version, uint16_t port)
{
	char file[64];

	snprintf(file, sizeof(file), "%s.yaml", name);
	egress_writef(w->e, file,
	    "type: ExternalService\nmesh: default\nname: %s\ntags: { "
	    "kuma.io/service: s, version: %s }\nnetworking: { address: "
	    "127.0.0.1:%u }\n",
	    name, version, (unsigned)port);
}

/* Servers of versions v1 and v2, and routes to all, v1, v2 and v3. */
static void
start(struct world *w)
{
	static const char *const versions[] = { "v1", "v2" };

	world_init(w, NULL);
	for (size_t i = 0; i < 2; i++) {
		(void)world_serve(w, &(struct ext_config){ .protocol = EXT_ECHO,
					 .name = versions[i] });
		write_version(
		    w, versions[i], versions[i], ext_port(w->servers[i]));
	}
	egress_write(w->e, "routes.yaml",
	    "type: TrafficRoute\nmesh: default\nname: r\nsources: [ { match: "
	    "{ kuma.io/service: '*' } } ]\ndestinations: [ { match: { "
	    "kuma.io/service: s } } ]\nconf:\n  split:\n"
	    "  - { weight: 1, destination: { kuma.io/service: s } }\n"
	    "  - { weight: 1, destination: { kuma.io/service: s, version: v1 } "
	    "}\n"
	    "  - { weight: 1, destination: { kuma.io/service: s, version: v2 } "
	    "}\n"
	    "  - { weight: 1, destination: { kuma.io/service: s, version: v3 } "
	    "}\n");
	world_start(w);
}

static void
open_as(struct world *w, struct mesh_client *m, const char *sni)
{
	struct mesh_options o = caller(w, "s");

	o.sni = sni;
	cr_assert(mesh_open(m, &o), "%s", m->error);
}

/* Whichever server it is; their names are equally long. */
static bool
is_open(struct mesh_client *m)
{
	static const char like[] = "echo v1: x\n";
	char got[sizeof(like)];

	return say(m, "x\n") &&
	       mesh_read_full(m, got, sizeof(like) - 1) == sizeof(like) - 1;
}

static void
use(struct world *w, const char *sni, const char *server)
{
	struct mesh_client m;

	for (size_t i = 0; i < CALLS; i++) {
		open_as(w, &m, sni);
		if (server != NULL)
			check_echo(&m, server);
		else
			cr_assert(is_open(&m));
		mesh_close(&m);
	}
}

Test(subsets, a_name_reaches_only_endpoints_with_its_tags)
{
	struct mesh_options o;
	struct mesh_client m;
	struct world w;

	start(&w);
	use(&w, "s{mesh=default,version=v1}", "v1");
	cr_expect_eq(seen(w.servers[1]).connections, 0);
	use(&w, "s{mesh=default,version=v2}", "v2");
	cr_expect_eq(seen(w.servers[0]).connections, CALLS);
	use(&w, "s{mesh=default}", NULL);
	cr_expect_gt(seen(w.servers[0]).connections, CALLS);
	cr_expect_gt(seen(w.servers[1]).connections, CALLS);
	o = caller(&w, "s");
	o.sni = "s{mesh=default,version=v3}";
	cr_expect_not(mesh_open(&m, &o), "no endpoint has version v3");
	mesh_close(&m);
	cr_expect(
	    has_outcome(w.e, "no_endpoint_of_subset", "\"service\":\"s\""));
	world_end(&w);
}

Test(subsets, a_connection_ends_when_its_endpoint_has_the_tags_no_more)
{
	struct mesh_client all, first, second;
	struct world w;

	start(&w);
	open_as(&w, &first, "s{mesh=default,version=v1}");
	check_echo(&first, "v1");
	open_as(&w, &second, "s{mesh=default,version=v2}");
	check_echo(&second, "v2");
	open_as(&w, &all, "s{mesh=default}");
	cr_assert(is_open(&all));
	write_version(&w, "v2", "v3", ext_port(w.servers[1]));
	cr_expect_eq(mesh_wait_end(&second, 5000), MESH_FIN);
	cr_expect(has_outcome(w.e, "revoked", "\"service\":\"s\""));
	check_echo(&first, "v1");
	cr_expect(is_open(&all));
	use(&w, "s{mesh=default,version=v3}", "v2");
	mesh_close(&all);
	mesh_close(&first);
	mesh_close(&second);
	world_end(&w);
}
