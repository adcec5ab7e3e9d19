/* SPDX-License-Identifier: Apache-2.0 */
/* The rate of new connections, of services with and without requests. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "unit/conn/conn_rig.h"

#define MOST 8

struct crowd {
	struct rig g;
	int server; /* listens, and accepts nothing */
	struct wire *callers[MOST];
	enum io shaken[MOST];
	size_t n;
};

static struct principal anybody = { .n_tests = 0 };

/* Two connections in a second. */
static void
setup(struct crowd *c, const char *protocol, const char *permission)
{
	struct rate_rule rule = { .of = RATE_OF_CONNECTIONS,
		.callers = &anybody,
		.n_callers = 1,
		.num = 2,
		.interval_ms = 1000,
		.origin = STR("limit.yaml:9 MeshRateLimit/two") };
	struct service *s;
	struct addr a;
	char *yaml;

	*c = (struct crowd){ .n = 0 };
	c->server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert(addr_parse(STR("127.0.0.1"), 0, &a));
	cr_assert_eq(bind(c->server, &a.u.sa, a.len), 0);
	cr_assert_eq(listen(c->server, MOST), 0);
	cr_assert_eq(getsockname(c->server, &a.u.sa, &a.len), 0);
	yaml = xasprintf("type: ExternalService\nmesh: default\nname: bank\n"
			 "tags: { kuma.io/service: bank, kuma.io/protocol: "
			 "%s }\nnetworking: { address: \"127.0.0.1:%u\" }\n"
			 "---\n%s",
	    protocol, (unsigned)addr_port(&a), permission);
	rig_init(&c->g, yaml);
	free(yaml);
	s = snapshot_match(c->g.snapshot, STR("bank{mesh=default}"));
	cr_assert_not_null(s);
	s->traffic = traffic_policy_new(
	    &(struct traffic_policy){ .rates = &rule, .n_rates = 1 });
}

static void
teardown(struct crowd *c)
{
	for (size_t i = 0; i < c->n; i++)
		wire_free(c->callers[i]);
	rig_fini(&c->g);
	close(c->server);
}

static void
arrive(struct crowd *c)
{
	struct text why = TEXT_EMPTY;
	struct addr from;
	struct wire *w;
	int fd[2];

	cr_assert(addr_parse(STR("192.0.2.7"), 1, &from));
	cr_assert_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	conns_accept(c->g.conns, fd[0], &from, &c->g.listener);
	w = wire_new(c->g.loop, fd[1]);
	cr_assert(wire_tls_connect_mesh(w, STR("bank{mesh=default}"),
		      str_of(c->g.ca->cert_pem), str_of(c->g.caller->cert_pem),
		      str_of(c->g.caller->key_pem),
		      STR("spiffe://default/zone-egress"), &why),
	    "%s", why.p);
	c->shaken[c->n] = IO_AGAIN;
	c->callers[c->n++] = w;
	for (int i = 0; i < 200; i++) {
		if (c->shaken[c->n - 1] == IO_AGAIN)
			c->shaken[c->n - 1] = wire_tls_handshake(w);
		loop_turn(c->g.loop);
	}
	cr_assert_eq(c->shaken[c->n - 1], IO_DONE);
}

static uint64_t
counted(void)
{
	return stats_sum(SCOPE_CLUSTER, "default_bank", STAT_CX_RATE_LIMITED);
}

Test(conn_traffic, new_connections)
{
	static const char *const protocols[] = { "tcp", "http" };

	for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
		uint64_t had = rig_ended(OUT_CONNECTION_RATE);
		struct crowd c;

		setup(&c, protocols[i], rig_permission);
		for (unsigned k = 0; k < 4; k++)
			arrive(&c);
		cr_expect_eq(conns_count(c.g.conns), 2, "%s", protocols[i]);
		cr_expect_eq(rig_ended(OUT_CONNECTION_RATE) - had, 2);
		cr_expect_eq(counted(), 2);
		cr_expect_eq(
		    rig_logged(&c.g, "\"outcome\":\"connection_rate_limited\"",
			"\"rule\":\"limit.yaml:9 MeshRateLimit/two\"",
			"more than 2 connections in 1000 ms", NULL),
		    2);
		/* Those that are open are not asked again. */
		rig_pass(&c.g, 600);
		cr_expect_eq(conns_count(c.g.conns), 2);
		arrive(&c);
		cr_expect_eq(conns_count(c.g.conns), 3);
		teardown(&c);
	}
}

/* Whoever may not use it takes nothing away from the others. */
Test(conn_traffic, the_denied_do_not_count)
{
	static const char *const protocols[] = { "tcp", "http" };

	for (size_t i = 0; i < ARRAY_LEN(protocols); i++) {
		struct crowd c;

		setup(&c, protocols[i], "");
		for (unsigned k = 0; k < 4; k++)
			arrive(&c);
		cr_expect_eq(counted(), 0, "%s", protocols[i]);
		cr_expect_eq(rig_ended(OUT_CONNECTION_RATE), 0);
		teardown(&c);
	}
}
