/* SPDX-License-Identifier: Apache-2.0 */
/* Grants: given, shown, ended, and kept over a crash. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "e2e/fixture.h"

/* An echo service that nobody may use. */
static void
configure(struct world *w, const char *grants)
{
	static char config[1024];

	(void)snprintf(
	    config, sizeof(config), "state = \"%s\";\n%s", w->e->dir, grants);
	egress_configure(w->e, &(struct egress_options){
				   .config = config, .dns_port = w->dns_port });
}

static void
start_with(struct world *w, const char *grants)
{

	world_init(w, NULL);
	(void)world_serve(
	    w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "ext" });
	write_es(w->e,
	    &(struct es){ .name = "raw", .port = ext_port(w->servers[0]) });
	egress_remove(w->e, "allow-all.yaml");
	configure(w, grants);
	world_start(w);
}

static void
start(struct world *w)
{
	start_with(w, "");
}

static void
expect_ctl(struct world *w, const char *words, int want, const char *part)
{
	static char said[8192];
	int status = egress_ctl_status(w->e, words, said, sizeof(said));

	cr_expect_eq(status, want, "%s: %d", words, status);
	cr_expect(strstr(said, part) != NULL, "%s: %s", words, said);
}

static void
expect_denied(struct world *w)
{
	struct mesh_client m;

	call(w, &m, "raw");
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_FIN);
	mesh_close(&m);
}

Test(grants, given_shown_and_revoked)
{
	struct mesh_client m;
	struct world w;
	char by[64];

	start(&w);
	expect_denied(&w);
	expect_ctl(&w, "grants", 0, "no grants\n");
	(void)snprintf(by, sizeof(by), "by uid %u\n", (unsigned)geteuid());
	expect_ctl(&w, "grant --reason \"fix the db\" --for 2h web raw", 0,
	    "grant 1: fix the db, until ");
	/* It is in force when the answer is there. */
	call(&w, &m, "raw");
	check_echo(&m, "ext");
	expect_ctl(&w, "grants", 0,
	    "1 spiffe://default/web to raw of mesh default; grant 1: fix the "
	    "db, until ");
	expect_ctl(&w, "grants", 0, by);
	expect_ctl(&w, "explain web raw", 0, "rule        grant 1: fix the db");
	expect_ctl(&w, "explain batch raw", 0, "decision    denied");
	expect_ctl(&w, "services -v raw", 0, "grant 1: fix the db");
	cr_expect(egress_said(w.e, "beside all permissions (grant 1: fix"));
	expect_ctl(&w, "grant --revoke 1", 0,
	    "grant 1 is over\nended 1 connections, 0 requests\n");
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_FIN);
	cr_expect(has_outcome(w.e, "revoked", "no rule matches"));
	cr_expect_eq(egress_metric(w.e,
			 "zegress_rule_allowed{envoy_cluster_name=\"default_"
			 "raw\",rule=\"grants\"}"),
	    -1, "its counter goes with it");
	expect_ctl(&w, "grant --revoke 1", 1, "there is no grant 1");
	expect_denied(&w);
	mesh_close(&m);
	world_end(&w);
}

Test(grants, end_by_themselves)
{
	struct mesh_client m;
	struct world w;
	uint64_t from;

	start(&w);
	expect_ctl(&w, "grant --for 2s --reason shortly web raw", 0,
	    "grant 1: shortly");
	call(&w, &m, "raw");
	from = clock_ms();
	cr_expect_eq(mesh_wait_end(&m, 10000), MESH_FIN);
	cr_expect_lt(clock_ms() - from, 4000);
	cr_expect(has_outcome(w.e, "revoked", "no rule matches"));
	expect_ctl(&w, "grants", 0, "no grants\n");
	expect_denied(&w);
	mesh_close(&m);
	world_end(&w);
}

/* No order is given to it: what was promised is on the disk. */
Test(grants, survive_a_crash)
{
	struct mesh_client m;
	struct world w;

	start(&w);
	expect_ctl(
	    &w, "grant --for 2h --reason first web raw", 0, "grant 1: first");
	egress_signal(w.e, SIGKILL);
	(void)egress_wait(w.e, 5000);
	cr_assert(egress_start(w.e));
	expect_ctl(&w, "grants", 0, "grant 1: first");
	call(&w, &m, "raw");
	check_echo(&m, "ext");
	mesh_close(&m);
	cr_expect(has_outcome(w.e, "ok", "\"rule\":\"grant 1: first, until "));
	expect_ctl(
	    &w, "grant --for 2h --reason next web raw", 0, "grant 2: next");
	world_end(&w);
}

Test(grants, refused)
{
	struct world w;

	start(&w);
	expect_ctl(&w, "grant --for 2h web raw", 1, "are wanted");
	expect_ctl(&w, "grant --for 2h --reason x web nowhere", 1, "--mesh");
	expect_ctl(&w, "grant --for 2h --mesh default --reason x web none", 1,
	    "mesh default has no service none");
	expect_ctl(
	    &w, "grant --for 2000d --reason x web raw", 1, "a year at most");
	expect_ctl(&w, "grant --until 2020-01-01T00:00:00Z --reason x web raw",
	    1, "that time is over");
	expect_ctl(&w, "grants", 0, "no grants\n");
	world_end(&w);
}

static const char *
entry(int64_t until_s)
{
	static char text[256];
	char until[CLOCK_TEXT];

	clock_print(until_s * 1000, until);
	(void)snprintf(text, sizeof(text),
	    "grants = ( { caller = \"web\"; service = \"raw\"; mesh = "
	    "\"default\"; until = \"%s\"; reason = \"fix the db\"; } );",
	    until);
	return text;
}

Test(grants, of_the_configuration)
{
	struct mesh_client m;
	struct world w;

	start_with(&w, entry(clock_wall_s() + 7200));
	call(&w, &m, "raw");
	check_echo(&m, "ext");
	expect_ctl(&w, "grants", 0,
	    "- spiffe://default/web to raw of mesh default; grant /");
	expect_ctl(&w, "grants", 0, "zegressd.conf:");
	expect_ctl(&w, "grants", 0, ": fix the db, until ");
	expect_ctl(&w, "grants", 0, "only by an edit of the file");
	expect_ctl(&w, "explain web raw", 0, "rule        grant /");
	expect_ctl(&w, "grant --revoke 1", 1, "there is no grant 1");
	/* One without an end changes nothing. */
	configure(&w, "grants = ( { caller = \"batch\"; service = \"raw\"; "
		      "mesh = \"default\"; reason = \"x\"; } );");
	expect_ctl(&w, "reload", 1, "grants.until: is missing");
	expect_ctl(&w, "explain batch raw", 0, "decision    denied");
	check_echo(&m, "ext");
	configure(&w, "");
	expect_ctl(&w, "reload", 0, "ended 1 connections, 0 requests");
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_FIN);
	cr_expect(has_outcome(w.e, "revoked", "no rule matches"));
	expect_ctl(&w, "grants", 0, "no grants\n");
	mesh_close(&m);
	/* Taken over, and over by itself. */
	configure(&w, entry(clock_wall_s() + 3));
	expect_ctl(&w, "reload", 0, "");
	call(&w, &m, "raw");
	cr_expect_eq(mesh_wait_end(&m, 10000), MESH_FIN);
	expect_ctl(&w, "grants", 0, "; it is over: take it out\n");
	expect_denied(&w);
	mesh_close(&m);
	world_end(&w);
}
