/* SPDX-License-Identifier: Apache-2.0 */
/* The life of the process: starting, or not; signals; the end. */

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "e2e/fixture.h"

/* A tcp service "raw" and an http service "api"; not started. */
static void
prepare(struct world *w, const struct egress_options *o)
{
	world_init_with(w, o);
	(void)world_serve(
	    w, &(struct ext_config){ .protocol = EXT_ECHO, .name = "ext" });
	(void)world_serve(w, &(struct ext_config){ .protocol = EXT_HTTP });
	write_es(w->e,
	    &(struct es){ .name = "raw", .port = ext_port(w->servers[0]) });
	write_es(w->e, &(struct es){ .name = "api",
			   .protocol = "http",
			   .port = ext_port(w->servers[1]) });
}

static void
start(struct world *w, const char *config)
{
	prepare(w, &(struct egress_options){ .config = config });
	world_start(w);
}

static bool
is_terminating(struct world *w)
{
	char body[256];

	return egress_get(w->e, "/ready", body, sizeof(body)) == 503 &&
	       strcmp(body, "TERMINATING\n") == 0;
}

static bool
is_accepting(const struct world *w)
{
	struct mesh_options o = { .port = w->e->port };
	struct mesh_client m;
	bool ok = mesh_connect(&m, &o);

	mesh_close(&m);
	return ok;
}

Test(process, sigterm_with_nobody_there)
{
	struct world w;
	uint64_t from;

	start(&w, NULL);
	from = clock_ms();
	cr_expect_eq(egress_stop(w.e, 5000), 0);
	cr_expect_lt(clock_ms() - from, 1000);
	cr_expect_neq(access(w.e->socket, F_OK), 0, "the socket is left");
	world_end(&w);
}

Test(process, idle_connections_end_at_once)
{
	struct world w;
	struct mesh_client used, fresh;
	uint64_t from;

	start(&w, NULL);
	call(&w, &used, "api");
	cr_expect_eq(status_of(ask_get(&used, "/")), 200);
	call(&w, &fresh, "api");
	cr_assert(WAIT_UNTIL(
	    5000, egress_metric(w.e, "envoy_listener_ssl_handshake{") == 2));
	from = clock_ms();
	egress_signal(w.e, SIGTERM);
	cr_expect_eq(mesh_wait_end(&used, 5000), MESH_FIN);
	cr_expect_eq(mesh_wait_end(&fresh, 5000), MESH_FIN);
	cr_expect_eq(egress_wait(w.e, 5000), 0);
	cr_expect_lt(clock_ms() - from, 1000);
	cr_expect(has_outcome(w.e, "drained", "\"requests\":1"));
	mesh_close(&used);
	mesh_close(&fresh);
	world_end(&w);
}

static const char request[] = "GET /late HTTP/1.1\r\nHost: h\r\n\r\n";

/* What is in progress is finished, and told to be the last. */
Test(process, a_request_in_progress_is_answered_first)
{
	struct world w;
	struct mesh_client m;
	struct ext_server *s;
	char answer[4096];

	prepare(&w, &(struct egress_options){ .zone = NULL });
	s = world_serve(&w,
	    &(struct ext_config){ .protocol = EXT_HTTP, .fault = EXT_STALLS });
	write_es(
	    w.e, &(struct es){
		     .name = "slow", .protocol = "http", .port = ext_port(s) });
	world_start(&w);
	call(&w, &m, "slow");
	cr_assert(mesh_write(&m, request, strlen(request)));
	cr_assert(WAIT_UNTIL(5000, seen(s).connections == 1));
	egress_signal(w.e, SIGTERM);
	cr_assert(WAIT_UNTIL(5000, is_terminating(&w)));
	cr_expect_eq(egress_metric(w.e, "envoy_server_live"), 0);
	cr_expect(strstr(egress_ctl(w.e, "status"), "draining") != NULL);
	cr_expect_not(is_accepting(&w), "new callers are let in");
	ext_go_on(s);
	cr_expect(mesh_read_response(&m, answer, sizeof(answer)));
	cr_expect_eq(status_of(answer), 200);
	cr_expect(strcasestr(answer, "\r\nconnection: close\r\n") != NULL, "%s",
	    answer);
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_FIN);
	mesh_close(&m);
	cr_expect_eq(egress_wait(w.e, 5000), 0);
	cr_expect(has_outcome(w.e, "ok", "\"path\":\"/late\""));
	world_end(&w);
}

/* Half a head is a request that somebody began. */
Test(process, a_request_that_is_being_sent_is_answered_too)
{
	struct world w;
	struct mesh_client m;
	char answer[4096];

	start(&w, NULL);
	call(&w, &m, "api");
	cr_assert(mesh_write(&m, request, 10));
	cr_assert(WAIT_UNTIL(
	    5000, strstr(egress_ctl(w.e, "conns"), "service=api") != NULL));
	(void)egress_ctl(w.e, "conns");
	egress_signal(w.e, SIGTERM);
	cr_assert(WAIT_UNTIL(5000, is_terminating(&w)));
	cr_assert(mesh_write(&m, request + 10, strlen(request) - 10));
	cr_expect(mesh_read_response(&m, answer, sizeof(answer)));
	cr_expect_eq(status_of(answer), 200);
	mesh_close(&m);
	cr_expect_eq(egress_wait(w.e, 5000), 0);
	world_end(&w);
}

/* Tunnels go on as long as drain_ms allows, and end the drain with them. */
Test(process, tunnels_may_end_by_themselves)
{
	struct world w;
	struct mesh_client m;
	uint64_t from;

	start(&w, NULL);
	call(&w, &m, "raw");
	check_echo(&m, "ext");
	egress_signal(w.e, SIGTERM);
	cr_assert(WAIT_UNTIL(5000, is_terminating(&w)));
	check_echo(&m, "ext");
	from = clock_ms();
	mesh_close(&m);
	cr_expect_eq(egress_wait(w.e, 5000), 0);
	cr_expect_lt(clock_ms() - from, 1000);
	cr_expect(has_outcome(w.e, "ok", "\"bytes_in\":12"));
	world_end(&w);
}

Test(process, drain_ms_ends_the_rest)
{
	struct world w;
	struct mesh_client m;
	uint64_t from, took;

	start(&w, "limits = { drain_ms = 300; };");
	call(&w, &m, "raw");
	check_echo(&m, "ext");
	from = clock_ms();
	egress_signal(w.e, SIGTERM);
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_FIN);
	cr_expect_eq(egress_wait(w.e, 5000), 0);
	took = clock_ms() - from;
	cr_expect(took >= 290 && took < 2000, "after %u ms", (unsigned)took);
	cr_expect(has_outcome(w.e, "drained", "\"service\":\"raw\""));
	mesh_close(&m);
	world_end(&w);
}

Test(process, a_second_sigterm_does_not_wait)
{
	static const int numbers[] = { SIGTERM, SIGINT };
	struct world w;
	struct mesh_client m;
	uint64_t from;

	for (size_t i = 0; i < 2; i++) {
		if (i == 0)
			start(&w, NULL);
		else
			cr_assert(egress_start(w.e));
		call(&w, &m, "raw");
		check_echo(&m, "ext");
		from = clock_ms();
		egress_signal(w.e, numbers[i]);
		cr_assert(WAIT_UNTIL(5000, is_terminating(&w)));
		egress_signal(w.e, numbers[i]);
		cr_expect_eq(egress_wait(w.e, 5000), 0);
		cr_expect_lt(clock_ms() - from, 2000);
		cr_expect_eq(mesh_wait_end(&m, 5000), MESH_FIN);
		mesh_close(&m);
	}
	world_end(&w);
}

Test(process, zegressctl_drain_is_sigterm)
{
	struct world w;
	struct mesh_client m;
	char out[256];

	start(&w, NULL);
	call(&w, &m, "raw");
	check_echo(&m, "ext");
	cr_expect_eq(egress_ctl_status(w.e, "drain", out, sizeof(out)), 0);
	cr_expect_str_eq(out, "draining\n");
	cr_expect(is_terminating(&w));
	check_echo(&m, "ext");
	mesh_close(&m);
	cr_expect_eq(egress_wait(w.e, 5000), 0);
	world_end(&w);
}

static bool
has_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

/* As a rotation does; the old one as if it were a daemon's. */
static struct egress
move_log(const struct egress *e)
{
	struct egress old = *e;

	(void)strcat(old.access_path, ".1");
	cr_assert_eq(rename(e->access_path, old.access_path), 0);
	return old;
}

Test(process, sigusr1_opens_the_access_log_again)
{
	struct world w;
	struct egress old;

	start(&w, NULL);
	(void)get_once(&w, "api", "/one");
	cr_expect(has_outcome(w.e, "ok", "\"path\":\"/one\""));
	old = move_log(w.e);
	(void)get_once(&w, "api", "/two");
	cr_expect(has_outcome(&old, "ok", "\"path\":\"/two\""));
	egress_signal(w.e, SIGUSR1);
	cr_assert(WAIT_UNTIL(5000, has_file(w.e->access_path)));
	(void)get_once(&w, "api", "/three");
	cr_expect(has_outcome(w.e, "ok", "\"path\":\"/three\""));
	cr_expect_eq(egress_logged(w.e, "\"path\":\"/two\"", NULL), 0);
	cr_expect_eq(egress_logged(&old, "\"path\":\"/three\"", NULL), 0);
	world_end(&w);
}

/* The old file is better than none. */
Test(process, an_access_log_that_cannot_be_opened_again)
{
	struct world w;
	struct egress old;

	start(&w, NULL);
	old = move_log(w.e);
	cr_assert_eq(mkdir(w.e->access_path, 0755), 0);
	egress_signal(w.e, SIGUSR1);
	cr_expect(WAIT_UNTIL(5000, egress_said(w.e, "opened again")));
	(void)get_once(&w, "api", "/still");
	cr_expect(has_outcome(&old, "ok", "\"path\":\"/still\""));
	world_end(&w);
}

/* The daemon with the configuration of the world, in the foreground. */
static void
check_no_start(struct world *w, const char *said)
{
	char words[256], out[8192];

	(void)snprintf(words, sizeof(words), "-f %s", w->e->config_path);
	cr_expect_eq(
	    run_program("zegressd", words, out, sizeof(out)), 1, "%s", out);
	cr_expect(strstr(out, said) != NULL, "not \"%s\": %s", said, out);
}

Test(process, no_start_without_readable_resources)
{
	struct world w;
	char dir[160], away[160];
	FILE *f;

	prepare(&w, &(struct egress_options){ .zone = NULL });
	(void)snprintf(dir, sizeof(dir), "%s/resources", w.e->dir);
	(void)snprintf(away, sizeof(away), "%s/away", w.e->dir);
	cr_assert_eq(rename(dir, away), 0);
	check_no_start(&w, dir);
	check_no_start(&w, "No such file or directory");
	f = fopen(dir, "we");
	cr_assert_not_null(f);
	(void)fclose(f);
	check_no_start(&w, "Not a directory");
	world_end(&w);
}

/* Any socket that listens there. */
static int
listen_on(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cr_assert_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	cr_assert_eq(listen(fd, 1), 0);
	return fd;
}

static void
check_port_in_use(struct world *w, uint16_t port)
{
	char said[32];
	int fd = listen_on(port);

	(void)snprintf(said, sizeof(said), "port %u", port);
	check_no_start(w, said);
	check_no_start(w, "Address already in use");
	(void)close(fd);
}

Test(process, no_start_with_a_port_in_use)
{
	struct world w;

	prepare(&w, &(struct egress_options){ .has_ingress = true });
	check_port_in_use(&w, w.e->port);
	check_port_in_use(&w, w.e->ingress);
	check_port_in_use(&w, w.e->admin);
	world_start(&w);
	world_end(&w);
}

/* Two that share a listener would each get half of the callers. */
Test(process, no_start_beside_another_daemon)
{
	struct world w;
	struct egress *second;
	char words[256], out[8192];

	prepare(&w, &(struct egress_options){ .zone = NULL });
	world_start(&w);
	check_no_start(&w, "Address already in use");
	second = world_add_zone(&w, &(struct egress_options){ .zone = NULL });
	second->port = w.e->port;
	egress_configure(second, &(struct egress_options){ .zone = NULL });
	(void)snprintf(words, sizeof(words), "-f %s", second->config_path);
	cr_expect_eq(
	    run_program("zegressd", words, out, sizeof(out)), 1, "%s", out);
	cr_expect(strstr(out, "Address already in use") != NULL, "%s", out);
	/* The first one is none the worse, its socket included. */
	cr_expect_eq(status_of(get_once(&w, "api", "/")), 200);
	cr_expect(strstr(egress_ctl(w.e, "status"), "serving") != NULL);
	world_end(&w);
}

/* What a killed one left behind is in nobody's way. */
Test(process, starts_again_after_a_kill)
{
	struct world w;

	start(&w, NULL);
	egress_signal(w.e, SIGKILL);
	cr_expect_eq(egress_wait(w.e, 5000), -1);
	cr_expect(has_file(w.e->socket));
	cr_assert(egress_start(w.e));
	cr_expect_eq(status_of(get_once(&w, "api", "/")), 200);
	cr_expect(strstr(egress_ctl(w.e, "status"), "serving") != NULL);
	world_end(&w);
}

Test(process, no_start_with_a_configuration_that_makes_no_sense)
{
	static const struct {
		const char *config;
		const char *said;
	} rows[] = {
		{ "zonne = \"x\";", "did you mean zone?" },
		{ "limits = { hello_ms = 0; };", "limits.hello_ms" },
		{ "access_log_format = \"%{nothing}\";", "nothing" },
		{ "mesh_access_log = \"logs\";", "absolute path" },
		{ "mesh_access_log = \"/\";", "a directory of their own" },
		{ "mesh_access_log_sinks = [ \"logs:0\" ];", "HOST:PORT" },
		{ "on_revoke = \"perhaps\";", "\"close\" or \"keep\"" },
		{ "sandbox = ;", "syntax" },
		{ "identity = ( { mesh = \"default\"; } );", "identity" },
	};
	struct world w;

	prepare(&w, &(struct egress_options){ .zone = NULL });
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct egress_options o = { .config = rows[i].config };

		egress_configure(w.e, &o);
		check_no_start(&w, rows[i].said);
	}
	world_end(&w);
}

/* Nothing may be lost for lack of a directory that will be there later. */
Test(process, no_start_without_a_place_for_the_access_log)
{
	struct world w;

	prepare(&w, &(struct egress_options){ .zone = NULL });
	(void)snprintf(w.e->access_path, sizeof(w.e->access_path),
	    "%s/none/access.log", w.e->dir);
	egress_configure(w.e, &(struct egress_options){ .zone = NULL });
	check_no_start(&w, w.e->access_path);
	world_end(&w);
}
