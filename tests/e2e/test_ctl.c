/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zegressctl and zegressd's own options: words, answers, exit statuses.  What
 * drain does is in test_process.c, connect in test_connect.c.
 */

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "e2e/fixture.h"

/* Services raw (tcp), api (http) and a MeshExternalService. */
static void
start(struct world *w, const struct egress_options *o)
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
	write_mes(w->e,
	    &(struct mes){ .name = "mes", .port = ext_port(w->servers[0]) });
	world_start(w);
}

struct command_case {
	const char *words;
	int status;
	const char *has[4];
};

static void
check_commands(struct world *w, const struct command_case *v, size_t n)
{
	static char out[65536];
	int status;

	for (size_t i = 0; i < n; i++) {
		status = egress_ctl_status(w->e, v[i].words, out, sizeof(out));
		cr_expect_eq(status, v[i].status, "\"%s\": status %d: %s",
		    v[i].words, status, out);
		for (size_t j = 0; j < 4 && v[i].has[j] != NULL; j++)
			cr_expect(strstr(out, v[i].has[j]) != NULL,
			    "\"%s\": no \"%s\" in: %s", v[i].words, v[i].has[j],
			    out);
	}
}

#define CHECK_COMMANDS(w, rows) \
	check_commands(w, rows, sizeof(rows) / sizeof((rows)[0]))

Test(ctl, what_the_commands_say)
{
	static const struct command_case rows[] = {
		{ "status", 0,
		    { "state       serving for ", ", zone zone-1\n",
			"services    3\n", "refused     0\n" } },
		{ "status", 0,
		    { "listener    127.0.0.1:", " egress\n", "connections 2\n",
			"workers     1\n" } },
		{ "status", 0,
		    { "mesh        default as spiffe://default/zone-egress",
			"minted: can impersonate the mesh",
			"resources   read " } },
		{ "services", 0,
		    { "default/ES/raw tcp local=1 remote=0 raw{mesh=default}\n",
			"default/ES/api http ", "default/MES/mes tcp ",
			".mes.443.default.mes\n" } },
		{ "services raw", 0, { "default/ES/raw tcp " } },
		{ "services default/ES/raw", 0, { "default/ES/raw tcp " } },
		{ "services nobody", 1, { "no service nobody\n" } },
		{ "services -v api", 0,
		    { "service default/ES/api (", "protocol=http",
			"endpoint api 127.0.0.1:", "any caller of the mesh" } },
		{ "services -v nobody", 1, { "no service nobody\n" } },
		{ "services -v", 0,
		    { "service default/ES/api (", "service default/ES/raw (",
			"service default/MES/mes (" } },
		{ "conns", 0,
		    { "identity=spiffe://default/web mesh=default service=raw "
		      "endpoint=127.0.0.1:",
			"service=api http=1.1 requests=1", "/allow-all.yaml:1",
			" age_s=" } },
		{ "conns nonsense", 1, { "a number" } },
		{ "clusters", 0,
		    { "default/ES/raw raw local ", "healthy active=1" } },
		{ "check", 0, { "nothing is refused\n" } },
		{ "reload", 0, { "nothing is refused\n" } },
		{ "bogus", 1, { "there is no command bogus; help lists" } },
		{ "-h", 0, { "usage: zegressctl", "exit status: 0, 1 " } },
		{ "-V", 0, { "zegressctl " } },
		{ "", 2, { "usage: zegressctl" } },
		{ "-x status", 2, { "usage: zegressctl" } },
		{ "check with words", 2, { "usage: zegressctl" } },
	};
	struct world w;
	struct mesh_client tcp, http;

	start(&w, &(struct egress_options){ .zone = NULL });
	call(&w, &tcp, "raw");
	check_echo(&tcp, "ext");
	call(&w, &http, "api");
	cr_expect_eq(status_of(ask_get(&http, "/")), 200);
	CHECK_COMMANDS(&w, rows);
	mesh_close(&tcp);
	mesh_close(&http);
	world_end(&w);
}

Test(ctl, one_line_a_connection)
{
	struct world w;
	struct mesh_client m[3];
	const char *out;
	unsigned lines = 0;

	start(&w, &(struct egress_options){ .workers = 2 });
	cr_expect_str_eq(egress_ctl(w.e, "conns"), "worker 0\nworker 1\n");
	for (size_t i = 0; i < 3; i++) {
		call(&w, &m[i], "raw");
		check_echo(&m[i], "ext");
	}
	out = egress_ctl(w.e, "conns");
	for (const char *l = out; (l = strstr(l, "service=raw")) != NULL; l++)
		lines++;
	cr_expect_eq(lines, 3, "%s", out);
	cr_expect(strstr(egress_ctl(w.e, "conns 0"), "service") == NULL);
	for (size_t i = 0; i < 3; i++)
		mesh_close(&m[i]);
	cr_expect(WAIT_UNTIL(
	    5000, strstr(egress_ctl(w.e, "conns"), "service") == NULL));
	world_end(&w);
}

Test(ctl, help_names_every_command)
{
	static const char *const names[] = {
#define COMMAND(name, fn, args, help) name, help,
#include "admin/control.tbl.h"
	};
	struct world w;
	char out[8192];

	start(&w, &(struct egress_options){ .zone = NULL });
	cr_expect_eq(egress_ctl_status(w.e, "help", out, sizeof(out)), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		cr_expect(strstr(out, names[i]) != NULL, "no %s", names[i]);
	world_end(&w);
}

Test(ctl, check_and_reload_fail_when_anything_is_refused)
{
	static const struct command_case rows[] = {
		{ "check", 1,
		    { "/bad.yaml:5: networking.address: ", "/odd.yaml:2: " } },
		{ "reload", 1, { "/bad.yaml:5: networking.address: " } },
		{ "status", 0,
		    { "refused     2: `zegressctl check` says why\n",
			"/bad.yaml:1 ExternalService default/bad, nothing "
			"serves in its place\n" } },
		{ "services", 0, { "default/ES/raw " } },
	};
	struct world w;

	start(&w, &(struct egress_options){ .zone = NULL });
	egress_write(w.e, "bad.yaml",
	    "type: ExternalService\nmesh: default\nname: bad\n"
	    "tags: { kuma.io/service: bad }\n"
	    "networking: { address: nowhere }\n");
	egress_write(w.e, "odd.yaml",
	    "type: ExternalService\n"
	    "mesh: [ default ]\nname: odd\n"
	    "tags: { kuma.io/service: odd }\n"
	    "networking: { address: '127.0.0.1:1' }\n");
	cr_expect(WAIT_UNTIL(
	    5000, egress_metric(w.e, "zegress_resources_refused") == 2));
	CHECK_COMMANDS(&w, rows);
	world_end(&w);
}

/* A warning is told, and is no failure. */
Test(ctl, a_warning_is_no_failure)
{
	struct world w;
	char out[4096];

	start(&w, &(struct egress_options){ .zone = NULL });
	egress_writef(w.e, "warned.yaml",
	    "type: ExternalService\nmesh: default\nname: warned\n"
	    "tags: { kuma.io/service: warned }\nnetworkin: 1\n"
	    "networking: { address: '127.0.0.1:%u' }\n",
	    ext_port(w.servers[0]));
	cr_expect(in_force(w.e, "ES/warned "));
	cr_expect_eq(
	    egress_ctl_status(w.e, "check", out, sizeof(out)), 0, "%s", out);
	cr_expect(strstr(out, "/warned.yaml:5: networkin: warning: ") != NULL,
	    "%s", out);
	cr_expect_eq(egress_metric(w.e, "zegress_resources_refused"), 0);
	world_end(&w);
}

/* Kuma's other kinds are accepted, and named so that nobody counts on them. */
Test(ctl, kinds_without_effect_are_listed)
{
	static const struct command_case rows[] = {
		{ "status", 0,
		    { "refused     0\n",
			"not used    MeshTrace 2, MeshMetric 1\n" } },
	};
	struct world w;

	world_init(&w, NULL);
	egress_write(w.e, "others.yaml",
	    "type: MeshTrace\nmesh: default\nname: one\n---\n"
	    "type: MeshTrace\nmesh: default\nname: two\n---\n"
	    "type: MeshMetric\nmesh: default\nname: one\n");
	world_start(&w);
	CHECK_COMMANDS(&w, rows);
	world_end(&w);
}

Test(ctl, dump_is_json)
{
	struct world w;
	json_t *all;
	json_error_t e;

	start(&w, &(struct egress_options){ .zone = NULL });
	all = json_loads(egress_ctl(w.e, "dump"), JSON_REJECT_DUPLICATES, &e);
	cr_assert_not_null(all, "line %d: %s", e.line, e.text);
	cr_expect_eq(json_array_size(json_object_get(all, "services")), 3);
	json_decref(all);
	world_end(&w);
}

Test(ctl, nobody_there)
{
	static const struct command_case rows[] = {
		{ "status", 3, { "/ctl.sock: No such file or directory" } },
		{ "reload", 3, { "zegressctl: " } },
		{ "bogus", 3, { "zegressctl: " } },
		{ "-h", 0, { "usage: zegressctl" } },
	};
	static const struct command_case refused[] = {
		{ "status", 3, { "/ctl.sock: Connection refused" } },
	};
	struct world w;
	char out[4096], words[256];

	world_init(&w, NULL);
	CHECK_COMMANDS(&w, rows);
	/* check looks at the files then. */
	(void)snprintf(words, sizeof(words), "check -f %s", w.e->config_path);
	cr_expect_eq(
	    egress_ctl_status(w.e, words, out, sizeof(out)), 0, "%s", out);
	egress_write(w.e, "bad.yaml", "type: Nothing\n");
	cr_expect_eq(egress_ctl_status(w.e, words, out, sizeof(out)), 1);
	cr_expect(strstr(out, "/bad.yaml:1: ") != NULL, "%s", out);
	egress_remove(w.e, "bad.yaml");
	/* One that was killed leaves its socket behind. */
	world_start(&w);
	egress_signal(w.e, SIGKILL);
	(void)egress_wait(w.e, 5000);
	CHECK_COMMANDS(&w, refused);
	world_end(&w);
}

Test(ctl, the_socket_is_not_for_everybody)
{
	struct world w;
	struct stat st;

	start(&w, &(struct egress_options){ .zone = NULL });
	cr_assert_eq(stat(w.e->socket, &st), 0);
	cr_expect(S_ISSOCK(st.st_mode));
	cr_expect_eq(st.st_mode & 07777, 0660, "mode %o", st.st_mode);
	world_end(&w);
}

static int
open_socket(const struct world *w)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(a.sun_path, sizeof(a.sun_path), "%.107s", w->e->socket);
	cr_assert_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

/* Whatever is sent there, the next one is answered. */
Test(ctl, the_socket_takes_rubbish)
{
	static char rubbish[8192];
	struct world w;
	char answer[256];
	int idle, fd;
	ssize_t n;

	start(&w, &(struct egress_options){ .zone = NULL });
	idle = open_socket(&w);
	memset(rubbish, 'x', sizeof(rubbish));
	fd = open_socket(&w);
	(void)send(fd, rubbish, sizeof(rubbish), MSG_NOSIGNAL);
	n = recv(fd, answer, sizeof(answer), 0);
	cr_expect_leq(n, 0, "an answer to a line without an end");
	(void)close(fd);
	fd = open_socket(&w);
	cr_assert_eq(send(fd, "\0\1\2\n", 4, MSG_NOSIGNAL), 4);
	n = recv(fd, answer, sizeof(answer), 0);
	cr_expect(n > 5 && memcmp(answer, "fail ", 5) == 0);
	(void)close(fd);
	cr_expect(strstr(egress_ctl(w.e, "status"), "serving") != NULL);
	(void)close(idle);
	world_end(&w);
}

static int
zegressd_t(struct world *w, char *out, size_t cap)
{
	char words[256];

	(void)snprintf(words, sizeof(words), "-t -f %s", w->e->config_path);
	return run_program("zegressd", words, out, cap);
}

Test(ctl, zegressd_t)
{
	struct world w;
	char out[8192];

	world_init(&w, NULL);
	write_es(w.e, &(struct es){ .name = "raw", .port = 1 });
	cr_expect_eq(zegressd_t(&w, out, sizeof(out)), 0);
	cr_expect_str_empty(out);
	egress_write(w.e, "bad.yaml",
	    "type: ExternalService\nmesh: default\nname: bad\n"
	    "tags: { kuma.io/service: bad }\n"
	    "networking: { address: '127.0.0.1:99999' }\n");
	cr_expect_eq(zegressd_t(&w, out, sizeof(out)), 1);
	cr_expect(strstr(out, "/resources/bad.yaml:5: networking.address: "
			      "port must be in the range") != NULL,
	    "%s", out);
	/* Nothing is left behind, and nothing was taken. */
	cr_expect_neq(access(w.e->socket, F_OK), 0);
	cr_expect_neq(access(w.e->access_path, F_OK), 0);
	egress_remove(w.e, "bad.yaml");
	world_start(&w);
	cr_expect_eq(zegressd_t(&w, out, sizeof(out)), 0,
	    "beside one that serves: %s", out);
	cr_expect(strstr(egress_ctl(w.e, "status"), "serving") != NULL);
	world_end(&w);
}

Test(ctl, zegressd_t_of_a_bad_configuration)
{
	static const struct {
		const char *config;
		const char *said;
	} rows[] = {
		{ "acces_log_format = \"json\";",
		    "acces_log_format: there is no such option; did you mean "
		    "access_log_format?" },
		{ "limits = { idle = 5; };", "limits.idle: " },
		{ "on_revoke = 3;", "on_revoke: wants" },
		{ "access_log_format = \"%{nosuch}\";", "nosuch" },
		{ "verify_without_ca = \"maybe\";",
		    "wants \"system\" or \"none\"" },
		{ "mes_without_rule = ;", "syntax error" },
		{ "deny_addresses = [ \"300.0.0.1\" ];", "deny_addresses: " },
	};
	struct world w;
	char out[8192];

	world_init(&w, NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		egress_configure(
		    w.e, &(struct egress_options){ .config = rows[i].config });
		cr_expect_eq(zegressd_t(&w, out, sizeof(out)), 1, "%s: %s",
		    rows[i].config, out);
		cr_expect(strstr(out, "/zegressd.conf:") != NULL &&
			      strstr(out, rows[i].said) != NULL,
		    "%s: %s", rows[i].config, out);
	}
	cr_expect_eq(remove(w.e->config_path), 0);
	cr_expect_eq(zegressd_t(&w, out, sizeof(out)), 1);
	cr_expect(
	    strstr(out, "/zegressd.conf: cannot be read") != NULL, "%s", out);
	world_end(&w);
}

Test(ctl, options_of_zegressd)
{
	static const struct {
		const char *words;
		int status;
		const char *has;
	} rows[] = {
		{ "-V", 0, "zegressd " },
		{ "-h", 0, "usage: zegressd [-f FILE]" },
		{ "-x", 2, "usage: zegressd [-f FILE]" },
		{ "something", 2, "usage: zegressd [-f FILE]" },
		{ "-f /nonexistent/file", 1, "/nonexistent/file" },
	};
	char out[8192];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(
		    run_program("zegressd", rows[i].words, out, sizeof(out)),
		    rows[i].status, "%s: %s", rows[i].words, out);
		cr_expect(strstr(out, rows[i].has) != NULL, "%s: %s",
		    rows[i].words, out);
	}
	cr_expect_eq(run_program("zegressd", "-V", out, sizeof(out)), 0);
	cr_expect(
	    strstr(out, "OpenSSL 3") != NULL || strstr(out, "AWS-LC ") != NULL,
	    "the TLS library is named: %s", out);
}

/* What is less strict than the default is told when it begins. */
Test(ctl, compat_is_told_in_the_log)
{
	struct world w;
	char out[8192];

	world_init(&w, "compat = \"kuma-2\";");
	world_start(&w);
	cr_expect(egress_said(w.e, "zegressd.conf:"));
	cr_expect(egress_said(w.e, "compat: warning: servers of services "
				   "without caCert are not verified"));
	cr_expect(egress_said(w.e, "compat: warning: a MeshExternalService "
				   "without a rule is open"));
	cr_expect_eq(zegressd_t(&w, out, sizeof(out)), 0, "%s", out);
	cr_expect(strstr(out, "compat: warning: ") != NULL, "%s", out);
	world_end(&w);
}
