/* SPDX-License-Identifier: Apache-2.0 */
/* See exchange_rig.h. */

#include "unit/conn/exchange_rig.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/xalloc.h"

#define TURNS 60

/* Nobody listens on port 1. */
static const char services[] =
    "type: ExternalService\nmesh: default\nname: web\n"
    "tags: { kuma.io/service: web, kuma.io/protocol: http }\n"
    "networking: { address: \"127.0.0.1:1\" }\n---\n"
    "type: ExternalService\nmesh: default\nname: named\n"
    "tags: { kuma.io/service: named, kuma.io/protocol: http }\n"
    "networking: { address: \"real.example:80\" }\n---\n"
    "type: ExternalService\nmesh: default\nname: mixed-a\n"
    "tags: { kuma.io/service: mixed, kuma.io/protocol: http }\n"
    "networking: { address: \"real.example:80\" }\n---\n"
    "type: ExternalService\nmesh: default\nname: mixed-b\n"
    "tags: { kuma.io/service: mixed, kuma.io/protocol: http }\n"
    "networking: { address: \"127.0.0.1:1\" }\n---\n";

/* The test runs it. */
static void
note_wake(struct exchange *x)
{
	CONTAINER_OF(x, struct exchange_rig, x)->wakes++;
}

static void
note_again(struct exchange *x)
{
	CONTAINER_OF(x, struct exchange_rig, x)->agains++;
}

static const struct exchange_host host = { .wake = note_wake,
	.again = note_again };

static char *
resources(void)
{
	return xasprintf("%s%s", services, rig_permission);
}

void
xr_init(struct exchange_rig *r, const char *service)
{
	char *yaml = resources();
	char *sni = xasprintf("%s{mesh=default}", service);
	struct service *s;

	*r = (struct exchange_rig){ .next = WAIT };
	rig_init(&r->g, yaml);
	free(yaml);
	s = snapshot_match(r->g.snapshot, str_of(sni));
	cr_assert_not_null(s, "%s", sni);
	r->conn = (struct conn){
		.all = r->g.conns,
		.listener = &r->g.listener,
		.stage = CARRY,
		.route = ROUTE_SERVE,
		.client = rig_handshake(&r->g, NULL, sni, &r->caller),
		.started_us = clock_us(),
		.sni = sni,
		.service = service_ref(s),
		.is_handshaking = true,
	};
	cr_assert(addr_parse(STR("192.0.2.7"), 1234, &r->conn.from));
	exchange_init(&r->x, &r->conn, &host);
	fake_stream_init(&r->front);
	fake_back_init(&r->back);
	fake_request(&r->request, "GET", "/", "x-request-id", "r1", NULL);
}

void
xr_fini(struct exchange_rig *r)
{
	exchange_fini(&r->x);
	wire_free(r->caller);
	wire_free(r->conn.client);
	service_unref(r->conn.service);
	free(r->conn.sni);
	rig_fini(&r->g);
	cr_expect(r->back.back.guard.cluster == NULL, "the pool was freed");
	fake_stream_fini(&r->front);
	fake_stream_fini(&r->back.stream);
}

void
xr_reload(struct exchange_rig *r, bool allows)
{
	char *yaml = xasprintf("%s%s", services, allows ? rig_permission : "");
	char *other = strstr(yaml, "name: callers");

	/* Else the service would be the one that it was. */
	if (other != NULL)
		memcpy(other, "name: calling", strlen("name: calling"));
	rig_reload(&r->g, yaml);
	free(yaml);
}

void
xr_traffic(struct exchange_rig *r, const struct traffic_policy *draft)
{
	struct service *s = conn_newest_service(&r->conn);

	cr_assert_null(s->traffic);
	s->traffic = traffic_policy_new(draft);
}

void
xr_pool(struct exchange_rig *r, bool is_used)
{
	struct cluster *c = clusters_get(r->g.clusters, r->conn.service);

	fake_back_pool(&r->back, c, 0, is_used);
}

void
xr_go_on(struct exchange_rig *r)
{
	for (int i = 0; i < TURNS && r->next == WAIT; i++) {
		r->next = exchange_run(&r->x);
		loop_turn(r->g.loop);
	}
}

void
xr_run(struct exchange_rig *r)
{
	r->next = WAIT;
	/* As a front says of a request that has no body. */
	if (r->request.h.body == BODY_NONE)
		fake_end(&r->front);
	exchange_begin(&r->x, &r->front.st, &r->request.h);
	xr_go_on(r);
}

void
xr_next(struct exchange_rig *r)
{
	fake_stream_fini(&r->front);
	fake_stream_init(&r->front);
	r->next = WAIT;
}
