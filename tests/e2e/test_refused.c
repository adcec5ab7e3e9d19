/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents that make no sense: what serves in their place, and how everybody
 * is told.
 */

#include <stdio.h>
#include <string.h>

#include "e2e/fixture.h"

/* Services one and two of one echo server. */
static void
prepare(struct world *w)
{
	world_init(w, NULL);
	(void)world_serve(
	    w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "ext" });
	write_es(w->e,
	    &(struct es){ .name = "one", .port = ext_port(w->servers[0]) });
	write_es(w->e,
	    &(struct es){ .name = "two", .port = ext_port(w->servers[0]) });
}

static bool
answers(struct world *w, const char *service)
{
	struct mesh_options o = caller(w, service);
	struct mesh_client m;
	char c;
	bool ok = mesh_open(&m, &o) && mesh_write(&m, "x", 1) &&
		  mesh_read(&m, &c, 1) == 1;

	mesh_close(&m);
	return ok;
}

static void
break_two(struct world *w)
{
	egress_write(w->e, "two.yaml",
	    "type: ExternalService\nmesh: default\nname: two\n"
	    "tags: { kuma.io/service: two }\n"
	    "networking: { address: 'nowhere' }\n");
}

static double
refused(struct world *w)
{
	return egress_metric(w->e, "zegress_resources_refused");
}

static bool
is_refused(struct world *w, unsigned n)
{
	return WAIT_UNTIL(5000, refused(w) == n);
}

/* Every window says the same. */
static void
check_windows(struct world *w, const char *place)
{
	char out[4096];

	cr_expect_eq(egress_get(w->e, "/ready", out, sizeof(out)), 200);
	cr_expect(strstr(out, "READY\nrefused: 1\n") == out, "%s", out);
	cr_expect_eq(egress_ctl_status(w->e, "check", out, sizeof(out)), 1);
	cr_expect(strstr(out, place) != NULL, "%s", out);
	cr_expect_eq(egress_ctl_status(w->e, "status", out, sizeof(out)), 0);
	cr_expect(strstr(out, "refused     1") != NULL, "%s", out);
	cr_expect(strstr(out, place) != NULL, "%s", out);
	cr_expect(egress_said(w->e, place));
}

Test(refused, the_last_good_version_stays_and_the_rest_goes_on)
{
	struct world w;
	struct mesh_client m;
	char out[4096];

	prepare(&w);
	world_start(&w);
	cr_expect_eq(refused(&w), 0);
	call(&w, &m, "two");
	check_echo(&m, "ext");
	break_two(&w);
	write_es(
	    w.e, &(struct es){ .name = "new", .port = ext_port(w.servers[0]) });
	cr_assert(in_force(w.e, "ES/new "));
	cr_expect(answers(&w, "new"));
	cr_expect(answers(&w, "two"));
	check_echo(&m, "ext");
	cr_expect_eq(refused(&w), 1);
	check_windows(&w, "two.yaml:");
	cr_expect(strstr(egress_ctl(w.e, "check"),
		      "two.yaml:5: networking.address: ") != NULL);
	cr_expect(strstr(egress_ctl(w.e, "status"),
		      "ExternalService default/two, its last good version "
		      "serves") != NULL);
	cr_expect_geq(
	    egress_metric(w.e, "envoy_listener_manager_lds_update_rejected"),
	    1);
	write_es(
	    w.e, &(struct es){ .name = "two", .port = ext_port(w.servers[0]) });
	cr_expect(is_refused(&w, 0));
	cr_expect_eq(egress_ctl_status(w.e, "check", out, sizeof(out)), 0);
	cr_expect_str_eq(out, "nothing is refused\n");
	check_echo(&m, "ext");
	mesh_close(&m);
	world_end(&w);
}

Test(refused, one_document_of_a_file_with_several)
{
	struct world w;
	uint16_t port;

	prepare(&w);
	port = ext_port(w.servers[0]);
	egress_writef(w.e, "many.yaml",
	    "type: ExternalService\nmesh: default\nname: three\n"
	    "tags: { kuma.io/service: three }\n"
	    "networking: { address: '127.0.0.1:%u' }\n"
	    "---\ntype: ExternalService\nmesh: default\nname: four\n"
	    "tags: { kuma.io/service: four }\n"
	    "networking: { address: '127.0.0.1:1' }\n",
	    port);
	world_start(&w);
	cr_expect(answers(&w, "three"));
	cr_expect_not(answers(&w, "four"));
	egress_writef(w.e, "many.yaml",
	    "type: ExternalService\nmesh: default\nname: three\n"
	    "tags: { kuma.io/servic: three }\n"
	    "networking: { address: '127.0.0.1:%u' }\n"
	    "---\ntype: ExternalService\nmesh: default\nname: four\n"
	    "tags: { kuma.io/service: four }\n"
	    "networking: { address: '127.0.0.1:%u' }\n",
	    port, port);
	cr_expect(WAIT_UNTIL(5000, answers(&w, "four")));
	cr_expect(answers(&w, "three"));
	check_windows(&w, "many.yaml:");
	world_end(&w);
}

/* Cut off anywhere, a file takes nothing away from anybody. */
Test(refused, a_truncated_file_revokes_nobody)
{
	static const char whole[] =
	    "type: MeshTrafficPermission\nmesh: default\nname: allow-all\n"
	    "spec:\n  targetRef: { kind: Mesh }\n  from:\n"
	    "  - targetRef: { kind: Mesh }\n    default: { action: Allow }\n"
	    "---\n"
	    "type: MeshTrafficPermission\nmesh: default\nname: allow-two\n"
	    "spec:\n  targetRef: { kind: MeshService, name: two }\n  from:\n"
	    "  - targetRef: { kind: Mesh }\n    default: { action: Allow }\n";
	static const size_t cuts[] = { 0, 5, 60, 120, 190 };
	struct world w;
	struct mesh_client m;
	char out[4096], part[sizeof(whole)];

	prepare(&w);
	egress_write(w.e, "allow-all.yaml", whole);
	world_start(&w);
	call(&w, &m, "one");
	for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
		(void)snprintf(part, cuts[i] + 1, "%s", whole);
		egress_write(w.e, "allow-all.yaml", part);
		cr_expect_eq(egress_ctl_status(w.e, "reload", out, sizeof(out)),
		    1, "%zu bytes: %s", cuts[i], out);
		cr_expect(strstr(out, "allow-all.yaml") != NULL, "%s", out);
		check_echo(&m, "ext");
		cr_expect(answers(&w, "two"), "%zu bytes", cuts[i]);
	}
	cr_expect_eq(ended(w.e, "revoked"), 0);
	/* A file that is removed is another matter. */
	egress_remove(w.e, "allow-all.yaml");
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_FIN);
	mesh_close(&m);
	world_end(&w);
}

Test(refused, of_duplicates_the_one_in_force_stays)
{
	struct world w;
	const char *said;

	prepare(&w);
	world_start(&w);
	egress_write(w.e, "again.yaml",
	    "type: ExternalService\nmesh: default\nname: one\n"
	    "tags: { kuma.io/service: one }\n"
	    "networking: { address: '127.0.0.1:1' }\n");
	cr_expect(is_refused(&w, 1));
	cr_expect(answers(&w, "one"));
	said = egress_ctl(w.e, "check");
	cr_expect(strstr(said, "again.yaml:1: ") != NULL &&
		      strstr(said, "one.yaml:1 too") != NULL,
	    "both are named: %s", said);
	/* The other one comes into force when this one goes. */
	egress_remove(w.e, "one.yaml");
	cr_expect(is_refused(&w, 0));
	cr_expect_not(answers(&w, "one"));
	cr_expect(has_outcome(w.e, "connection_refused", NULL));
	world_end(&w);
}

Test(refused, of_duplicates_at_the_start_the_first_by_path)
{
	struct world w;

	prepare(&w);
	egress_write(w.e, "zone.yaml",
	    "type: ExternalService\nmesh: default\nname: one\n"
	    "tags: { kuma.io/service: one }\n"
	    "networking: { address: '127.0.0.1:1' }\n");
	world_start(&w);
	cr_expect_eq(refused(&w), 1);
	cr_expect(answers(&w, "one"));
	world_end(&w);
}

#define BROKEN                                                    \
	"type: MeshTrafficPermission\nmesh: default\nname: odd\n" \
	"spec:\n%s"                                               \
	"  from:\n  - targetRef: { kind: Mesh }\n"                \
	"    default: { action: Perhaps }\n"

/* At the start there is no last good version: doubt denies. */
Test(refused, a_permission_that_was_never_understood_denies_its_target)
{
	struct world w;
	const char *said;

	prepare(&w);
	egress_writef(w.e, "odd.yaml", BROKEN,
	    "  targetRef: { kind: MeshService, name: one }\n");
	world_start(&w);
	cr_expect_not(answers(&w, "one"));
	cr_expect(answers(&w, "two"));
	cr_expect(has_outcome(w.e, "denied", "odd.yaml"));
	said = egress_ctl(w.e, "check");
	cr_expect(
	    strstr(said, "odd.yaml:") != NULL && strstr(said, "action") != NULL,
	    "%s", said);
	egress_remove(w.e, "odd.yaml");
	cr_expect(WAIT_UNTIL(5000, answers(&w, "one")));
	world_end(&w);
}

Test(refused, a_permission_without_a_readable_target_denies_its_mesh)
{
	static const char *const files[] = {
		"type: MeshTrafficPermission\nmesh: default\nname: odd\n"
		"spec: [ 1, 2 ]\n",
		"type: TrafficPermission\nmesh: default\nname: odd\n"
		"sources: no\n",
	};
	struct world w;

	prepare(&w);
	world_start(&w);
	for (size_t i = 0; i < 2; i++) {
		struct mesh_client m;

		cr_expect(WAIT_UNTIL(5000, answers(&w, "one")));
		call(&w, &m, "two");
		egress_write(w.e, "odd.yaml", files[i]);
		/* It takes from those who are connected, too. */
		cr_expect_eq(mesh_wait_end(&m, 5000), MESH_FIN, "file %zu", i);
		mesh_close(&m);
		cr_expect_not(answers(&w, "one"), "file %zu", i);
		cr_expect_not(answers(&w, "two"), "file %zu", i);
		egress_remove(w.e, "odd.yaml");
	}
	world_end(&w);
}

/* Once understood, a mistake in it changes nothing. */
Test(refused, a_permission_keeps_its_last_good_version)
{
	struct world w;
	struct mesh_client m;

	prepare(&w);
	write_permission(
	    w.e, "odd", "one", "kind: MeshService, name: batch", "Deny");
	world_start(&w);
	call(&w, &m, "one");
	check_echo(&m, "ext");
	egress_writef(w.e, "odd.yaml", BROKEN,
	    "  targetRef: { kind: MeshService, name: one }\n");
	cr_expect(is_refused(&w, 1));
	check_echo(&m, "ext");
	cr_expect(answers(&w, "one"));
	mesh_close(&m);
	world_end(&w);
}

Test(refused, a_start_with_refused_documents_serves_the_rest)
{
	struct world w;

	prepare(&w);
	break_two(&w);
	egress_write(w.e, "no-yaml.yaml", "type: [ExternalService\nname: {\n");
	egress_write(w.e, "kind.yaml",
	    "type: ExternalServise\nmesh: default\nname: x\n");
	egress_write(w.e, "list.json", "[ 1, 2, ");
	world_start(&w);
	cr_expect(answers(&w, "one"));
	cr_expect_not(answers(&w, "two"));
	cr_expect_eq(refused(&w), 4);
	cr_expect(egress_said(w.e, "two.yaml:5: "));
	cr_expect(egress_said(w.e, "no-yaml.yaml:"));
	cr_expect(egress_said(w.e, "did you mean") ||
		      egress_said(w.e, "ExternalService"),
	    "the nearest kind");
	cr_expect(egress_said(w.e, "list.json:"));
	world_end(&w);
}

/* A mistake is told once, and that it is mended. */
Test(refused, the_log_tells_each_problem_once)
{
	struct world w;
	char *at, *log;
	char path[256];
	unsigned n = 0;
	FILE *f;

	prepare(&w);
	world_start(&w);
	break_two(&w);
	cr_expect(is_refused(&w, 1));
	for (unsigned i = 0; i < 3; i++)
		(void)egress_ctl(w.e, "reload");
	write_es(
	    w.e, &(struct es){ .name = "two", .port = ext_port(w.servers[0]) });
	cr_expect(is_refused(&w, 0));
	cr_expect(WAIT_UNTIL(5000, egress_said(w.e, "mended")));
	(void)snprintf(path, sizeof(path), "%s/log", w.e->dir);
	f = fopen(path, "re");
	log = calloc(1, 65536);
	cr_assert_gt(fread(log, 1, 65535, f), 0);
	(void)fclose(f);
	for (at = log; (at = strstr(at, "unable to parse port")) != NULL; at++)
		n++;
	free(log);
	cr_expect_eq(n, 1, "%u times", n);
	world_end(&w);
}
