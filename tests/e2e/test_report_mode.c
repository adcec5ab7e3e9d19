/* SPDX-License-Identifier: Apache-2.0 */
/* What report mode lets go on, and what it says of it; and explanations. */

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "e2e/fixture.h"

/* An echo service and an http one, and nobody who may use them. */
static void
start(struct world *w, const char *config)
{
	world_init(w, config);
	(void)world_serve(
	    w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "ext" });
	(void)world_serve(w, &(struct ext_config){ .protocol = EXT_HTTP });
	write_es(w->e,
	    &(struct es){ .name = "raw", .port = ext_port(w->servers[0]) });
	write_es(w->e, &(struct es){ .name = "api",
			   .protocol = "http",
			   .port = ext_port(w->servers[1]) });
	egress_remove(w->e, "allow-all.yaml");
	world_start(w);
}

static void
expect_ctl(struct world *w, const char *words, const char *part)
{
	const char *said = egress_ctl(w->e, words);

	cr_expect(strstr(said, part) != NULL, "%s: %s", words, said);
}

Test(report, of_a_service)
{
	struct mesh_client m;
	struct world w;

	start(&w, "services = ( { match = { service = \"raw\"; }; "
		  "report = true; } );");
	call(&w, &m, "raw");
	check_echo(&m, "ext");
	mesh_close(&m);
	cr_expect(has_outcome(w.e, "ok", "\"would_deny\":\"no rule matches\""));
	cr_expect(
	    has_outcome(w.e, "ok", "\"rule\":\"report mode of the service\""));
	cr_expect_eq(
	    cluster_metric(w.e, "zegress_service_would_deny", "raw"), 1);
	cr_expect_eq(cluster_metric(w.e, "zegress_service_allowed", "raw"), 0);
	/* Its neighbour is not. */
	cr_expect_eq(status_of(get_once(&w, "api", "/")), 403);
	cr_expect_eq(cluster_metric(w.e, "zegress_service_denied", "api"), 1);
	expect_ctl(&w, "services -v raw", "report mode of the service");
	expect_ctl(&w, "explain web raw",
	    "decision    allowed, only because of report mode\n");
	expect_ctl(&w, "explain web raw", "would deny  no rule matches\n");
	expect_ctl(&w, "explain web api", "decision    denied\n");
	world_end(&w);
}

Test(report, of_the_daemon_is_said_aloud)
{
	struct world w;

	start(&w, "report_only = true;");
	cr_expect(egress_said(w.e, "NOBODY IS DENIED"));
	cr_expect_eq(status_of(get_once(&w, "api", "/")), 200);
	cr_expect(egress_log_line(w.e, "\"kind\":\"request\"",
		      "\"rule\":\"report mode of the daemon\"") != NULL);
	cr_expect_eq(egress_logged(w.e, "\"kind\":\"request\"",
			 "\"would_deny\":\"no rule matches\""),
	    1);
	expect_ctl(&w, "services -v api", "report mode of the daemon");
	world_end(&w);
}

static void
write_labeled(
    struct egress *e, const char *name, const char *label, const char *action)
{
	char file[64];

	(void)snprintf(file, sizeof(file), "%s.yaml", name);
	egress_writef(e, file,
	    "type: MeshTrafficPermission\nmesh: default\nname: %s\n"
	    "labels: { %s }\n"
	    "spec:\n  targetRef: { kind: MeshService, name: raw }\n"
	    "  from:\n  - targetRef: { kind: Mesh }\n"
	    "    default: { action: %s }\n",
	    name, label, action);
}

/* It says what it would do, stops doing so, and then does it. */
Test(report, of_a_document)
{
	struct mesh_client m, later;
	struct world w;

	start(&w, NULL);
	write_labeled(w.e, "report", "zegress.io/mode: report", "Deny");
	cr_assert(WAIT_UNTIL(5000,
	    strstr(egress_ctl(w.e, "services -v raw"), "report-only") != NULL));
	call(&w, &m, "raw");
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_FIN, "it opens nothing");
	mesh_close(&m);
	write_permission(w.e, "allow", NULL, "kind: Mesh", "Allow");
	cr_assert(WAIT_UNTIL(5000,
	    strstr(egress_ctl(w.e, "explain web raw"), "report mode") != NULL));
	call(&w, &m, "raw");
	check_echo(&m, "ext");
	call(&w, &later, "raw");
	check_echo(&later, "ext");
	mesh_close(&m);
	cr_expect(has_outcome(w.e, "ok", "\"would_deny\":\"") &&
		  has_outcome(w.e, "ok",
		      "report.yaml:1 MeshTrafficPermission/"
		      "report"));
	cr_expect_eq(
	    cluster_metric(w.e, "zegress_service_would_deny", "raw"), 2);
	write_labeled(w.e, "report", "zegress.io/mode: enforce", "Deny");
	cr_expect_eq(mesh_wait_end(&later, 5000), MESH_FIN);
	cr_expect(has_outcome(w.e, "revoked", "report.yaml:1"));
	mesh_close(&later);
	world_end(&w);
}

/* A reload that would deny reports of what is open, and closes nothing. */
Test(report, of_what_is_open)
{
	struct mesh_client m;
	struct world w;

	start(&w, "services = ( { match = { service = \"raw\"; }; "
		  "report = true; } );");
	write_permission(w.e, "allow", NULL, "kind: Mesh", "Allow");
	cr_assert(WAIT_UNTIL(5000, strstr(egress_ctl(w.e, "explain web raw"),
				       "decision    allowed\n") != NULL));
	call(&w, &m, "raw");
	check_echo(&m, "ext");
	egress_remove(w.e, "allow.yaml");
	cr_expect(WAIT_UNTIL(5000,
	    cluster_metric(w.e, "zegress_service_would_deny", "raw") == 1));
	check_echo(&m, "ext");
	mesh_close(&m);
	cr_expect(has_outcome(w.e, "ok", "\"would_deny\":\"no rule matches\""));
	world_end(&w);
}

/* What ends by itself closes what only it allowed. */
Test(ends, of_a_permission_closes_what_it_allowed)
{
	char until[CLOCK_TEXT], label[64];
	struct mesh_client m;
	struct world w;
	uint64_t from;

	start(&w, NULL);
	clock_print((clock_wall_s() + 6) * 1000, until);
	(void)snprintf(label, sizeof(label), "zegress.io/until: '%s'", until);
	write_labeled(w.e, "shortly", label, "Allow");
	cr_assert(WAIT_UNTIL(5000, strstr(egress_ctl(w.e, "explain web raw"),
				       "decision    allowed\n") != NULL));
	expect_ctl(&w, "services -v raw", until);
	call(&w, &m, "raw");
	check_echo(&m, "ext");
	from = clock_ms();
	cr_expect_eq(mesh_wait_end(&m, 10000), MESH_FIN);
	cr_expect_lt(clock_ms() - from, 8000);
	cr_expect(has_outcome(w.e, "revoked", "no rule matches"));
	cr_expect(WAIT_UNTIL(5000, egress_said(w.e, "it ended at")));
	expect_ctl(&w, "check", "zegress.io/until");
	mesh_close(&m);
	world_end(&w);
}

/* Each way to ask. */
Test(explain, by_names_and_keys)
{
	struct world w;

	start(&w, NULL);
	write_permission(
	    w.e, "web", "raw", "kind: MeshService, name: web", "Allow");
	cr_assert(WAIT_UNTIL(5000, strstr(egress_ctl(w.e, "explain web raw"),
				       "decision    allowed\n") != NULL));
	expect_ctl(
	    &w, "explain spiffe://default/web default/ES/raw", "rule        ");
	expect_ctl(&w, "explain spiffe://default/web default/ES/raw",
	    "web.yaml:1 MeshTrafficPermission/web\n");
	expect_ctl(&w, "explain web,kuma://kuma.io/zone/east raw",
	    "caller      kuma://kuma.io/zone/east\n");
	expect_ctl(&w, "explain web raw", "endpoint    raw 127.0.0.1:");
	expect_ctl(&w, "explain batch raw", "not for it  raw 127.0.0.1:");
	expect_ctl(&w, "explain web raw", "route       served here\n");
	expect_ctl(&w, "explain spiffe://other/web raw", "no caller of mesh");
	expect_ctl(&w, "explain web none", "no service none");
	expect_ctl(&w, "explain web", "a caller and a service are wanted");
	world_end(&w);
}
