/* SPDX-License-Identifier: Apache-2.0 */
/* Many connections at once: limits, slices of a reload, the list. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/xalloc.h"
#include "unit/conn/conn_rig.h"

#define SNI "bank{mesh=default}"
#define MANY 300
#define SLICE 256

struct crowd {
	struct rig g;
	int server; /* listens, and accepts nothing */
	char *yaml; /* the service alone */
	struct wire *callers[MANY];
	enum io shaken[MANY];
	size_t n;
};

static void
listen_anywhere(struct crowd *c)
{
	struct addr a;

	c->server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert(addr_parse(STR("127.0.0.1"), 0, &a));
	cr_assert_eq(bind(c->server, &a.u.sa, a.len), 0);
	cr_assert_eq(listen(c->server, MANY + 1), 0);
	cr_assert_eq(getsockname(c->server, &a.u.sa, &a.len), 0);
	c->yaml =
	    xasprintf("type: ExternalService\nmesh: default\nname: bank\n"
		      "tags: { kuma.io/service: bank, kuma.io/protocol: tcp }\n"
		      "networking: { address: \"127.0.0.1:%u\" }\n---\n",
		(unsigned)addr_port(&a));
}

static void
setup(struct crowd *c)
{
	char *yaml;

	*c = (struct crowd){ .n = 0 };
	listen_anywhere(c);
	yaml = xasprintf("%s%s", c->yaml, rig_permission);
	rig_init(&c->g, yaml);
	free(yaml);
}

static void
teardown(struct crowd *c)
{
	for (size_t i = 0; i < c->n; i++)
		wire_free(c->callers[i]);
	rig_fini(&c->g);
	close(c->server);
	free(c->yaml);
}

static void
arrive(struct crowd *c)
{
	struct text why = TEXT_EMPTY;
	struct wire *w;
	struct addr from;
	int fd[2];

	cr_assert(addr_parse(STR("192.0.2.7"), 1, &from));
	cr_assert_eq(
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	conns_accept(c->g.conns, fd[0], &from, &c->g.listener);
	w = wire_new(c->g.loop, fd[1]);
	cr_assert(
	    wire_tls_connect_mesh(w, STR(SNI), str_of(c->g.ca->cert_pem),
		str_of(c->g.caller->cert_pem), str_of(c->g.caller->key_pem),
		STR("spiffe://default/zone-egress"), &why),
	    "%s", why.p);
	c->shaken[c->n] = IO_AGAIN;
	c->callers[c->n++] = w;
}

/* Until n of them are relayed. */
static void
settle(struct crowd *c, size_t n)
{
	struct text list = TEXT_EMPTY;
	size_t relayed = 0;

	for (int i = 0; i < 5000 && relayed < n; i++) {
		for (size_t k = 0; k < c->n; k++)
			if (c->shaken[k] == IO_AGAIN)
				c->shaken[k] =
				    wire_tls_handshake(c->callers[k]);
		loop_turn(c->g.loop);
		text_clear(&list);
		conns_print(c->g.conns, SIZE_MAX, &list);
		relayed = 0;
		for (const char *at = list.p;
		     at != NULL && (at = strstr(at, " CARRY ")) != NULL; at++)
			relayed++;
	}
	text_free(&list);
	cr_assert_eq(relayed, n, "%zu of %zu are relayed", relayed, n);
}

/* No turn of the loop asks more than 256. */
Test(conns, a_reload_asks_again_in_slices)
{
	struct crowd c;

	setup(&c);
	for (size_t i = 0; i < MANY; i++)
		arrive(&c);
	settle(&c, MANY);
	rig_reload(&c.g, c.yaml);
	cr_expect_eq(conns_count(c.g.conns), MANY);
	conns_reauthorize(c.g.conns, NULL, NULL);
	cr_expect_eq(conns_count(c.g.conns), MANY - SLICE);
	rig_turn(&c.g, 2);
	cr_expect_eq(conns_count(c.g.conns), 0);
	cr_expect_eq(rig_ended(OUT_REVOKED), MANY);
	cr_expect_eq(rig_logged(&c.g, "\"outcome\":\"revoked\"", NULL), MANY);
	teardown(&c);
}

/* A second reload begins the walk anew; who ends meanwhile is passed over. */
Test(conns, a_reload_within_the_walk_of_another)
{
	struct crowd c;

	setup(&c);
	for (size_t i = 0; i < MANY; i++)
		arrive(&c);
	settle(&c, MANY);
	rig_reload(&c.g, c.yaml);
	conns_reauthorize(c.g.conns, NULL, NULL);
	conns_reauthorize(c.g.conns, NULL, NULL);
	cr_expect_eq(conns_count(c.g.conns), MANY - SLICE);
	for (size_t i = 0; i < c.n; i += 2)
		wire_reset(c.callers[i]);
	rig_turn(&c.g, 3);
	for (size_t i = 0; i < c.n; i += 2)
		c.callers[i] = NULL;
	cr_expect_eq(conns_count(c.g.conns), 0);
	teardown(&c);
}

Test(conns, more_than_the_limit_are_turned_away)
{
	struct crowd c;

	setup(&c);
	c.g.limits.connections = 2;
	arrive(&c);
	arrive(&c);
	settle(&c, 2);
	arrive(&c);
	rig_turn(&c.g, 5);
	cr_expect_eq(conns_count(c.g.conns), 2);
	cr_expect_eq(wire_tls_handshake(c.callers[2]), IO_FAIL);
	cr_expect_eq(rig_ended(OUT_CONNECTION_LIMIT), 1);
	cr_expect_eq(
	    stats_sum(SCOPE_LISTENER, "test", STAT_DOWNSTREAM_CX_OVERFLOW), 1);
	cr_expect_eq(
	    stats_sum(SCOPE_LISTENER, "test", STAT_DOWNSTREAM_CX_ACTIVE), 2);
	teardown(&c);
}

Test(conns, the_list)
{
	struct text list = TEXT_EMPTY;
	struct crowd c;

	setup(&c);
	for (int i = 0; i < 3; i++)
		arrive(&c);
	settle(&c, 3);
	conns_print(c.g.conns, 2, &list);
	cr_expect_not_null(
	    strstr(list.p, "identity=spiffe://default/caller mesh=default "
			   "service=bank endpoint=127.0.0.1:"));
	cr_expect_not_null(strstr(list.p, "MeshTrafficPermission/callers\""));
	list.p[strcspn(list.p, "\n")] = ' ';
	cr_expect_eq(strchr(list.p, '\n'), list.p + list.len - 1,
	    "two lines were asked for");
	text_free(&list);
	teardown(&c);
}

static void
count_call(void *arg)
{
	unsigned *calls = arg;

	(*calls)++;
}

/* Whoever comes when it drains is not let in, and it ends once. */
Test(conns, drained_once)
{
	unsigned calls = 0;
	struct crowd c;

	setup(&c);
	arrive(&c);
	settle(&c, 1);
	conns_drain(c.g.conns, count_call, &calls);
	arrive(&c);
	cr_expect_eq(conns_count(c.g.conns), 1);
	rig_turn(&c.g, 5);
	cr_expect_eq(calls, 0, "a relay is still open");
	wire_free(c.callers[0]);
	c.callers[0] = NULL;
	rig_pass(&c.g, 31000);
	cr_expect_eq(calls, 1);
	cr_expect_eq(conns_count(c.g.conns), 0);
	teardown(&c);
}

Test(conns, drained_when_there_was_nobody)
{
	unsigned calls = 0;
	struct crowd c;

	setup(&c);
	conns_drain(c.g.conns, count_call, &calls);
	cr_expect_eq(calls, 0, "not within the call");
	rig_turn(&c.g, 2);
	cr_expect_eq(calls, 1);
	teardown(&c);
}
