/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes of resources while the daemon serves: how soon they are in force,
 * what they leave alone, and what is no change at all.
 */

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "e2e/fixture.h"

#define IN_FORCE_MS 500
/* A busy machine may be late once; the daemon may not. */
#define TRIES 3

/* Servers "a" and "b", and a tcp service of the first. */
static void
start(struct world *w, const char *config)
{
	world_init(w, config);
	(void)world_serve(
	    w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "a" });
	(void)world_serve(
	    w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "b" });
	write_es(w->e,
	    &(struct es){ .name = "echo", .port = ext_port(w->servers[0]) });
	world_start(w);
}

/* A new connection to the service has an answer of this server. */
static bool
reaches(struct world *w, const char *service, const char *server)
{
	struct mesh_options o = caller(w, service);
	struct mesh_client m;
	char want[32], got[32];
	size_t n = (size_t)snprintf(want, sizeof(want), "echo %s: x\n", server);
	bool ok;

	ok = mesh_open(&m, &o) && mesh_write(&m, "x\n", 2) &&
	     mesh_read_full(&m, got, n) == n && memcmp(got, want, n) == 0;
	mesh_close(&m);
	return ok;
}

static bool
is_unknown(struct world *w, const char *service)
{
	struct mesh_options o = caller(w, service);
	struct mesh_client m;
	bool opened = mesh_open(&m, &o);

	cr_expect(opened || m.end == MESH_RST, "end %d", (int)m.end);
	mesh_close(&m);
	return !opened;
}

static void
name_service(char out[16], int i)
{
	(void)snprintf(out, 16, "extra-%d", i);
}

static void
add_service(struct world *w, int i)
{
	char name[16];

	name_service(name, i);
	write_es(w->e,
	    &(struct es){ .name = name, .port = ext_port(w->servers[0]) });
}

static bool
has_service(struct world *w, int i)
{
	char name[16];

	name_service(name, i);
	return reaches(w, name, "a");
}

static void
move_service(struct world *w, int i)
{
	write_es(w->e, &(struct es){ .name = "echo",
			   .port = ext_port(w->servers[(i + 1) % 2]) });
}

static bool
has_moved(struct world *w, int i)
{
	return reaches(w, "echo", i % 2 == 0 ? "b" : "a");
}

static void
remove_service(struct world *w, int i)
{
	char file[32];

	(void)snprintf(file, sizeof(file), "extra-%d.yaml", i);
	egress_remove(w->e, file);
}

static bool
has_no_service(struct world *w, int i)
{
	char name[16];

	name_service(name, i);
	return is_unknown(w, name);
}

/* From before the rename until a caller notices. */
static uint64_t
measure(struct world *w, int i, void (*change)(struct world *, int),
    bool (*is_in_force)(struct world *, int))
{
	uint64_t from = clock_ms();

	change(w, i);
	cr_assert(WAIT_UNTIL(5000, is_in_force(w, i)), "never in force");
	return clock_ms() - from;
}

static void
check_in_time(struct world *w, const char *what,
    void (*change)(struct world *, int),
    bool (*is_in_force)(struct world *, int))
{
	uint64_t least = UINT64_MAX, ms;

	for (int i = 0; i < TRIES; i++) {
		ms = measure(w, i, change, is_in_force);
		least = ms < least ? ms : least;
	}
	cr_expect_lt(least, IN_FORCE_MS, "%s: in force after %u ms", what,
	    (unsigned)least);
}

Test(reload, changes_are_in_force_within_half_a_second)
{
	struct world w;

	start(&w, NULL);
	check_in_time(&w, "a new service", add_service, has_service);
	check_in_time(&w, "a changed address", move_service, has_moved);
	check_in_time(&w, "a removed service", remove_service, has_no_service);
	world_end(&w);
}

/* Whoever is connected stays where they are. */
Test(reload, a_changed_address_moves_new_connections_only)
{
	struct world w;
	struct mesh_client old;

	start(&w, NULL);
	call(&w, &old, "echo");
	check_echo(&old, "a");
	move_service(&w, 0);
	cr_assert(WAIT_UNTIL(5000, reaches(&w, "echo", "b")));
	check_echo(&old, "a");
	mesh_close(&old);
	cr_expect_eq(ended(w.e, "revoked"), 0);
	world_end(&w);
}

static void
configure_http(struct world *w, const struct ext_server *s)
{
	write_es(
	    w->e, &(struct es){
		      .name = "api", .protocol = "http", .port = ext_port(s) });
}

/* The next request of the same connection goes to the new address. */
Test(reload, requests_follow_a_changed_address)
{
	struct world w;
	struct mesh_client m;
	struct ext_server *s[2];

	start(&w, NULL);
	for (int i = 0; i < 2; i++)
		s[i] = world_serve(
		    &w, &(struct ext_config){ .protocol = EXT_HTTP });
	configure_http(&w, s[0]);
	cr_assert(in_force(w.e, "ES/api "));
	call(&w, &m, "api");
	cr_expect_eq(status_of(ask_get(&m, "/")), 200);
	cr_expect_eq(seen(s[0]).requests, 1);
	configure_http(&w, s[1]);
	cr_assert(WAIT_UNTIL(5000,
	    status_of(ask_get(&m, "/")) == 200 && seen(s[1]).requests > 0));
	/* Its pool is emptied: nothing goes there any more. */
	cr_expect(WAIT_UNTIL(5000, seen(s[0]).open == 0));
	mesh_close(&m);
	world_end(&w);
}

Test(reload, a_removed_service_ends_its_connections)
{
	struct world w;
	struct mesh_client tcp, http;
	struct ext_server *s;

	start(&w, NULL);
	s = world_serve(&w, &(struct ext_config){ .protocol = EXT_HTTP });
	configure_http(&w, s);
	cr_assert(in_force(w.e, "ES/api "));
	call(&w, &tcp, "echo");
	check_echo(&tcp, "a");
	call(&w, &http, "api");
	cr_expect_eq(status_of(ask_get(&http, "/")), 200);
	egress_remove(w.e, "echo.yaml");
	egress_remove(w.e, "api.yaml");
	cr_expect_eq(mesh_wait_end(&tcp, 5000), MESH_FIN);
	cr_expect(has_outcome(w.e, "revoked", "the service is gone"));
	cr_expect_eq(status_of(ask_get(&http, "/")), 403);
	cr_expect(is_unknown(&w, "echo"));
	mesh_close(&tcp);
	mesh_close(&http);
	world_end(&w);
}

/* Connections of services that stay the same do not notice. */
Test(reload, unchanged_services_are_untouched)
{
	struct world w;
	struct mesh_client m;

	start(&w, NULL);
	call(&w, &m, "echo");
	check_echo(&m, "a");
	for (int i = 0; i < 3; i++) {
		add_service(&w, i);
		cr_assert(WAIT_UNTIL(5000, has_service(&w, i)));
		check_echo(&m, "a");
	}
	remove_service(&w, 0);
	cr_assert(WAIT_UNTIL(5000, has_no_service(&w, 0)));
	check_echo(&m, "a");
	cr_expect_eq(seen(w.servers[0]).resets, 0);
	cr_expect_eq(
	    cluster_metric(w.e, "envoy_cluster_update_success", "echo"), 0);
	mesh_close(&m);
	cr_expect(has_outcome(w.e, "ok", "\"bytes_in\":30"));
	world_end(&w);
}

static double
reloads(struct world *w)
{
	return egress_metric(w->e, "envoy_listener_manager_lds_update_success");
}

Test(reload, equal_content_does_nothing)
{
	struct world w;
	double before;
	char out[4096];

	start(&w, NULL);
	before = reloads(&w);
	cr_expect_eq(before, 1);
	write_es(w.e,
	    &(struct es){ .name = "echo", .port = ext_port(w.servers[0]) });
	cr_expect_eq(egress_ctl_status(w.e, "reload", out, sizeof(out)), 0);
	cr_expect_eq(reloads(&w), before);
	/* Also when it comes by itself, before a real change. */
	write_es(w.e,
	    &(struct es){ .name = "echo", .port = ext_port(w.servers[0]) });
	write_permission(w.e, "allow-all", NULL, "kind: Mesh", "Allow");
	add_service(&w, 0);
	cr_assert(WAIT_UNTIL(5000, has_service(&w, 0)));
	cr_expect_eq(reloads(&w), before + 1);
	cr_expect_eq(
	    cluster_metric(w.e, "envoy_cluster_update_success", "echo"), -1,
	    "the service was used by nobody");
	world_end(&w);
}

/* In force when the command returns: no quiet is waited for. */
Test(reload, by_command_is_at_once)
{
	struct world w;
	char out[4096];

	start(&w, NULL);
	for (int i = 0; i < 5; i++) {
		add_service(&w, i);
		cr_assert_eq(
		    egress_ctl_status(w.e, "reload", out, sizeof(out)), 0);
		cr_expect(has_service(&w, i), "service %d", i);
	}
	world_end(&w);
}

/* Half of a file is no file, however long its writer takes. */
Test(reload, a_file_is_read_when_it_is_closed)
{
	static const char half[] = "type: MeshTrafficPermission\n"
				   "mesh: default\nname: allow-all\nspec:\n"
				   "  targetRef: { kind: Mesh }\n";
	static const char rest[] = "  from:\n  - targetRef: { kind: Mesh }\n"
				   "    default: { action: Allow }\n";
	struct world w;
	struct mesh_client m;
	char path[256];
	int fd;

	start(&w, NULL);
	call(&w, &m, "echo");
	check_echo(&m, "a");
	(void)snprintf(
	    path, sizeof(path), "%s/resources/allow-all.yaml", w.e->dir);
	fd = open(path, O_WRONLY | O_TRUNC);
	cr_assert_eq(write(fd, half, strlen(half)), (ssize_t)strlen(half));
	add_service(&w, 0);
	cr_assert(WAIT_UNTIL(5000, has_service(&w, 0)), "allowed no more");
	cr_assert_eq(write(fd, rest, strlen(rest)), (ssize_t)strlen(rest));
	cr_assert_eq(close(fd), 0);
	add_service(&w, 1);
	cr_assert(WAIT_UNTIL(5000, has_service(&w, 1)));
	check_echo(&m, "a");
	mesh_close(&m);
	cr_expect_eq(
	    egress_metric(w.e, "envoy_listener_manager_lds_update_rejected"),
	    0);
	world_end(&w);
}

static void
exchange_dirs(const char *dir, const char *old, const char *new)
{
	char from[256], to[256];

	(void)snprintf(from, sizeof(from), "%s/%s", dir, old);
	(void)snprintf(to, sizeof(to), "%s/%s", dir, new);
	cr_assert_eq(rename(from, to), 0);
}

/* Everything goes on as it was, and says so, until it can be read again. */
Test(reload, a_directory_that_is_gone_revokes_nobody)
{
	struct world w;
	struct mesh_client m;
	char body[512];

	start(&w, NULL);
	call(&w, &m, "echo");
	exchange_dirs(w.e->dir, "resources", "elsewhere");
	cr_assert(WAIT_UNTIL(5000,
	    egress_metric(w.e, "envoy_control_plane_connected_state") == 0));
	cr_expect_eq(egress_get(w.e, "/ready", body, sizeof(body)), 200);
	cr_expect(strstr(body, "resources: ") != NULL &&
		      strstr(body, "No such file") != NULL,
	    "%s", body);
	cr_expect(strstr(egress_ctl(w.e, "status"), "cannot be read") != NULL);
	cr_expect_eq(egress_ctl_status(w.e, "check", body, sizeof(body)), 1);
	check_echo(&m, "a");
	cr_expect(reaches(&w, "echo", "a"));
	exchange_dirs(w.e->dir, "elsewhere", "resources");
	cr_assert(WAIT_UNTIL(5000,
	    egress_metric(w.e, "envoy_control_plane_connected_state") == 1));
	add_service(&w, 0);
	cr_assert(WAIT_UNTIL(5000, has_service(&w, 0)));
	check_echo(&m, "a");
	mesh_close(&m);
	world_end(&w);
}

/* Directories below, and the links of a Kubernetes volume. */
Test(reload, a_link_that_is_exchanged)
{
	struct world w;
	char dir[256], part[300], link[300], temp[300];

	start(&w, NULL);
	(void)snprintf(dir, sizeof(dir), "%s/resources", w.e->dir);
	for (int i = 1; i <= 2; i++) {
		(void)snprintf(part, sizeof(part), "%s/..v%d", dir, i);
		cr_assert_eq(mkdir(part, 0755), 0);
		(void)snprintf(part, sizeof(part), "..v%d/mounted.yaml", i);
		egress_writef(w.e, part,
		    "type: ExternalService\nmesh: default\nname: mounted\n"
		    "tags: { kuma.io/service: mounted }\n"
		    "networking: { address: '127.0.0.1:%u' }\n",
		    ext_port(w.servers[i - 1]));
	}
	(void)snprintf(link, sizeof(link), "%s/..data", dir);
	cr_assert_eq(symlink("..v1", link), 0);
	(void)snprintf(part, sizeof(part), "%s/mounted.yaml", dir);
	cr_assert_eq(symlink("..data/mounted.yaml", part), 0);
	cr_assert(WAIT_UNTIL(5000, reaches(&w, "mounted", "a")));
	(void)snprintf(temp, sizeof(temp), "%s/..data_tmp", dir);
	cr_assert_eq(symlink("..v2", temp), 0);
	cr_assert_eq(rename(temp, link), 0);
	cr_expect(WAIT_UNTIL(5000, reaches(&w, "mounted", "b")));
	world_end(&w);
}

Test(reload, sub_directories_are_watched_too)
{
	struct world w;
	char dir[256];

	start(&w, NULL);
	(void)snprintf(dir, sizeof(dir), "%s/resources/team", w.e->dir);
	cr_assert_eq(mkdir(dir, 0755), 0);
	write_es(w.e, &(struct es){ .name = "team/sub",
			  .service = "sub",
			  .port = ext_port(w.servers[0]) });
	cr_expect(strstr(egress_ctl(w.e, "reload"), "team/sub.yaml") != NULL,
	    "a name with a slash is no name");
	egress_writef(w.e, "team/sub.yaml",
	    "type: ExternalService\nmesh: default\nname: sub\n"
	    "tags: { kuma.io/service: sub }\n"
	    "networking: { address: '127.0.0.1:%u' }\n",
	    ext_port(w.servers[1]));
	cr_expect(WAIT_UNTIL(5000, reaches(&w, "sub", "b")));
	world_end(&w);
}

#define TUNNELS 1000
#define RELOADS 100

/* Each reload is another version of the tunnels' own service. */
static void
reload_to(struct world *w, unsigned i)
{
	char out[4096], allowed[64];

	(void)snprintf(
	    allowed, sizeof(allowed), "kind: MeshService, name: v%u", i);
	write_permission(w->e, "allow-more", "echo", allowed, "Allow");
	egress_writef(w->e, "second.yaml",
	    "type: ExternalService\nmesh: default\nname: second\n"
	    "tags: { kuma.io/service: echo, version: v%u }\n"
	    "networking: { address: '127.0.0.1:%u' }\n",
	    i, ext_port(w->servers[i % 2]));
	cr_assert_eq(egress_ctl_status(w->e, "reload", out, sizeof(out)), 0,
	    "reload %u: %s", i, out);
}

static void
allow_web(struct world *w)
{
	write_permission(
	    w->e, "allow-web", "echo", "kind: MeshService, name: web", "Allow");
}

Test(reload, a_hundred_under_a_thousand_tunnels, .timeout = 180)
{
	static struct mesh_client m[TUNNELS];
	struct world w;
	size_t before, after;

	world_init_with(&w, &(struct egress_options){ .workers = 2 });
	for (int i = 0; i < 2; i++)
		(void)world_serve(
		    &w, &(struct ext_config){
			    .protocol = EXT_ECHO, .name = "ext" });
	write_es(w.e,
	    &(struct es){ .name = "echo", .port = ext_port(w.servers[0]) });
	allow_web(&w);
	world_start(&w);
	reload_to(&w, 0);
	for (size_t i = 0; i < TUNNELS; i++) {
		call(&w, &m[i], "echo");
		check_echo(&m[i], "ext");
	}
	reload_to(&w, 1);
	before = egress_rss(w.e);
	for (unsigned i = 2; i < 2 + RELOADS; i++)
		reload_to(&w, i);
	after = egress_rss(w.e);
	for (size_t i = 0; i < TUNNELS; i++) {
		check_echo(&m[i], "ext");
		mesh_close(&m[i]);
	}
	/* On a slow machine a change is taken before it is asked for. */
	cr_expect_geq(reloads(&w), 2 + 1 + RELOADS);
	cr_expect_eq(ended(w.e, "revoked"), 0);
	cr_expect(MEMORY_IS_PADDED || after <= before + before / 10,
	    "from %zu to %zu KiB", before / 1024, after / 1024);
	world_end(&w);
}
