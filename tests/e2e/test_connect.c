/* SPDX-License-Identifier: Apache-2.0 */
/* zegressctl connect: a mesh caller for whoever has no sidecar. */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "e2e/fixture.h"

/* Services raw (tcp), sink (tcp), api (http) and a MeshExternalService. */
static void
start(struct world *w)
{
	static const struct {
		const char *name;
		enum ext_protocol protocol;
	} rows[] = {
		{ "raw", EXT_ECHO },
		{ "sink", EXT_SINK },
		{ "api", EXT_HTTP },
	};
	char path[2][128];

	world_init(w, NULL);
	for (size_t i = 0; i < 3; i++)
		write_es(w->e,
		    &(struct es){ .name = rows[i].name,
			.protocol =
			    rows[i].protocol == EXT_HTTP ? "http" : "tcp",
			.port = ext_port(world_serve(w,
			    &(struct ext_config){ .protocol = rows[i].protocol,
				.name = "ext" })) });
	write_mes(w->e,
	    &(struct mes){ .name = "mes", .port = ext_port(w->servers[0]) });
	(void)snprintf(path[0], sizeof(path[0]), "%s/web.pem", w->home);
	(void)snprintf(path[1], sizeof(path[1]), "%s/web.key", w->home);
	pki_write(w->web, path[0], path[1]);
	(void)snprintf(path[0], sizeof(path[0]), "%s/ca.pem", w->home);
	pki_write(w->mesh_ca, path[0], NULL);
	world_start(w);
}

/* Words that every call has; more may say them again. */
static const char *
words_of(const struct world *w, const char *more)
{
	static char words[1024];

	(void)snprintf(words, sizeof(words),
	    "connect --mesh default --egress 127.0.0.1:%u --cert %s/web.pem "
	    "--key %s/web.key --ca %s/ca.pem %s",
	    w->e->port, w->home, w->home, w->home, more);
	return words;
}

struct tunnel {
	pid_t pid;
	uint16_t port;
	char errors[160]; /* a file */
};

static void
become_tunnel(
    const struct world *w, const struct tunnel *t, const char *more, int out)
{
	char command[2048];
	int err = open(t->errors, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)snprintf(command, sizeof(command), "exec %s %s",
	    egress_program("zegressctl"), words_of(w, more));
	(void)dup2(out, STDOUT_FILENO);
	(void)dup2(err, STDERR_FILENO);
	(void)execl("/bin/sh", "sh", "-c", command, NULL);
	_exit(127);
}

/* With a listener of its own; its first line says where. */
static struct tunnel
tunnel_start(const struct world *w, const char *more)
{
	struct tunnel t = { .port = 0 };
	char line[256] = "";
	const char *colon;
	int fds[2];
	FILE *f;

	(void)snprintf(t.errors, sizeof(t.errors), "%s/errors", w->home);
	cr_assert_eq(pipe2(fds, O_CLOEXEC), 0);
	t.pid = fork();
	if (t.pid == 0)
		become_tunnel(w, &t, more, fds[1]);
	(void)close(fds[1]);
	f = fdopen(fds[0], "r");
	cr_assert_not_null(fgets(line, sizeof(line), f), "no line came");
	(void)fclose(f);
	cr_expect_eq(
	    strncmp(line, "listening on 127.0.0.1:", 23), 0, "%s", line);
	colon = strrchr(line, ':');
	t.port = (uint16_t)atoi(colon != NULL ? colon + 1 : "0");
	cr_assert_gt(t.port, 0, "%s", line);
	return t;
}

static void
tunnel_stop(struct tunnel *t)
{
	int status;

	cr_expect_eq(kill(t->pid, SIGTERM), 0, "it has ended by itself");
	cr_expect_eq(waitpid(t->pid, &status, 0), t->pid);
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

static bool
has_said(const struct tunnel *t, const char *text)
{
	char all[4096];
	FILE *f = fopen(t->errors, "re");

	all[fread(all, 1, sizeof(all) - 1, f)] = '\0';
	(void)fclose(f);
	return strstr(all, text) != NULL;
}

static void
dial(const struct tunnel *t, struct mesh_client *m)
{
	struct mesh_options o = { .port = t->port };

	cr_assert(mesh_connect(m, &o));
}

#define LISTEN "--listen 127.0.0.1:0"

Test(connect, an_external_service)
{
	struct world w;
	struct tunnel t;
	struct mesh_client m[3];

	start(&w);
	t = tunnel_start(&w, "--service raw " LISTEN);
	for (size_t i = 0; i < 3; i++) {
		dial(&t, &m[i]);
		check_echo(&m[i], "ext");
	}
	for (size_t i = 0; i < 3; i++) {
		check_echo(&m[i], "ext");
		mesh_close(&m[i]);
	}
	cr_expect(WAIT_UNTIL(
	    5000, egress_logged(w.e, "\"identity\":\"spiffe://default/web\"",
		      "\"service\":\"raw\"") == 3));
	tunnel_stop(&t);
	world_end(&w);
}

Test(connect, http)
{
	struct world w;
	struct tunnel t;
	struct mesh_client m;

	start(&w);
	t = tunnel_start(&w, "--service api " LISTEN);
	dial(&t, &m);
	for (int i = 0; i < 3; i++)
		cr_expect_eq(status_of(ask_get(&m, "/bytes/100")), 200);
	mesh_close(&m);
	tunnel_stop(&t);
	world_end(&w);
}

Test(connect, a_mesh_external_service)
{
	struct world w;
	struct tunnel t;
	struct mesh_client m;

	start(&w);
	t = tunnel_start(&w, "--service mes --port 443 " LISTEN);
	dial(&t, &m);
	check_echo(&m, "ext");
	mesh_close(&m);
	cr_expect(has_outcome(w.e, "ok", mes_sni("mes")));
	tunnel_stop(&t);
	/* By its port it is another one. */
	t = tunnel_start(&w, "--service mes --port 444 " LISTEN);
	dial(&t, &m);
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_RST);
	mesh_close(&m);
	tunnel_stop(&t);
	world_end(&w);
}

Test(connect, a_server_name_as_it_is)
{
	struct world w;
	struct tunnel t;
	struct mesh_client m;

	start(&w);
	t = tunnel_start(&w, "--sni 'raw{mesh=default}' --listen :0");
	dial(&t, &m);
	check_echo(&m, "ext");
	mesh_close(&m);
	tunnel_stop(&t);
	world_end(&w);
}

/* The caller has said all; the answer comes after that. */
Test(connect, half_close)
{
	struct world w;
	struct tunnel t;
	struct mesh_client m;
	char b[64];

	start(&w);
	t = tunnel_start(&w, "--service sink " LISTEN);
	dial(&t, &m);
	cr_assert(mesh_write(&m, "12345", 5));
	mesh_finish(&m);
	cr_expect_eq(mesh_read_all(&m, b, sizeof(b)), 2);
	cr_expect_str_eq(b, "5\n");
	cr_expect_eq(m.end, MESH_FIN, "end %d", (int)m.end);
	mesh_close(&m);
	cr_expect(has_outcome(w.e, "ok", "\"bytes_in\":5"));
	tunnel_stop(&t);
	world_end(&w);
}

/* Of what before it (a pipe, or nothing) prints; see run_program(). */
static int
run_after(struct world *w, const char *before, const char *more, char *out,
    size_t cap)
{
	char command[2048];
	int status;
	FILE *f;

	(void)snprintf(command, sizeof(command), "%s timeout 20 %s %s 2>&1",
	    before, egress_program("zegressctl"), words_of(w, more));
	f = popen(command, "re");
	cr_assert_not_null(f);
	out[fread(out, 1, cap - 1, f)] = '\0';
	status = pclose(f);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Test(connect, by_standard_input_and_output)
{
	struct world w;
	char out[4096];

	start(&w);
	cr_expect_eq(run_after(&w, "echo hello |", "--service raw --stdio", out,
			 sizeof(out)),
	    0);
	cr_expect_str_eq(out, "echo ext: hello\n");
	/* Much of it, and the end at the end. */
	cr_expect_eq(run_after(&w, "head -c 20000000 /dev/zero |",
			 "--service sink --stdio", out, sizeof(out)),
	    0);
	cr_expect_str_eq(out, "20000000\n");
	world_end(&w);
}

Test(connect, callers_that_are_not_let_in)
{
	static const struct {
		const char *words;
		const char *said;
	} rows[] = {
		{ "--service nobody", "the egress ended the connection" },
		{ "--service mes", "the egress ended the connection" },
		{ "--service raw --ca %s/other.pem", "certificate" },
		{ "--service raw --identity spiffe://default/else",
		    "spiffe://default/else" },
		{ "--service raw --egress 127.0.0.1:1",
		    "the egress refuses the connection" },
	};
	struct world w;
	struct pki *other;
	char path[128], words[256], out[4096];

	start(&w);
	other = pki_mesh_ca("default");
	(void)snprintf(path, sizeof(path), "%s/other.pem", w.home);
	pki_write(other, path, NULL);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *at = strstr(rows[i].words, "%s");

		(void)snprintf(words, sizeof(words), "%.*s%s%s --stdio",
		    (int)(at != NULL ? (size_t)(at - rows[i].words)
				     : strlen(rows[i].words)),
		    rows[i].words, at != NULL ? w.home : "",
		    at != NULL ? at + 2 : "");
		cr_expect_eq(
		    run_after(&w, "echo hello |", words, out, sizeof(out)), 1,
		    "%s: %s", words, out);
		cr_expect(
		    strstr(out, "zegressctl connect: 127.0.0.1:") != NULL &&
			strstr(out, rows[i].said) != NULL,
		    "%s: %s", words, out);
	}
	cr_expect_eq(seen(w.servers[0]).connections, 0);
	world_end(&w);
	pki_free(other);
}

/* One that fails is told and reset; the next one has its own chance. */
Test(connect, a_listener_outlives_failures)
{
	struct world w;
	struct tunnel t;
	struct mesh_client m;

	start(&w);
	egress_remove(w.e, "allow-all.yaml");
	cr_assert(WAIT_UNTIL(5000,
	    strstr(egress_ctl(w.e, "services -v raw"), "allow-all") == NULL));
	t = tunnel_start(&w, "--service raw " LISTEN);
	dial(&t, &m);
	cr_expect_neq(mesh_wait_end(&m, 5000), MESH_TIMEOUT);
	mesh_close(&m);
	cr_expect(has_outcome(w.e, "denied", NULL));
	write_permission(w.e, "allow-all", NULL, "kind: Mesh", "Allow");
	cr_assert(WAIT_UNTIL(5000,
	    strstr(egress_ctl(w.e, "services -v raw"), "allow-all") != NULL));
	dial(&t, &m);
	check_echo(&m, "ext");
	mesh_close(&m);
	/* The egress goes away and comes back. */
	cr_expect_eq(egress_stop(w.e, 5000), 0);
	dial(&t, &m);
	cr_expect_eq(mesh_wait_end(&m, 5000), MESH_RST);
	mesh_close(&m);
	cr_expect(WAIT_UNTIL(5000, has_said(&t, "refuses the connection")));
	cr_assert(egress_start(w.e));
	dial(&t, &m);
	check_echo(&m, "ext");
	mesh_close(&m);
	tunnel_stop(&t);
	world_end(&w);
}

/* Rules name the tool's caller as they name any. */
Test(connect, by_rules_of_callers_and_names)
{
	static const char *const allowed[] = {
		"deny: [ { spiffeID: { type: Exact, value: "
		"spiffe://default/batch } } ], allow: [ { spiffeID: { type: "
		"Exact, value: spiffe://default/web }, sni: { type: Exact, "
		"value: 'raw{mesh=default}' } } ]",
		"allow: [ { spiffeID: { type: Prefix, value: "
		"spiffe://default/w } } ]",
	};
	static const char *const denied[] = {
		"allow: [ { spiffeID: { type: Prefix, value: spiffe://default "
		"} } ], deny: [ { spiffeID: { type: Exact, value: "
		"spiffe://default/web } } ]",
		"allow: [ { spiffeID: { type: Exact, value: "
		"spiffe://default/web }, sni: { type: Exact, value: "
		"'api{mesh=default}' } } ]",
	};
	char out[4096];
	struct world w;
	int status;

	start(&w);
	for (size_t i = 0; i < 4; i++) {
		egress_writef(w.e, "allow-all.yaml",
		    "type: MeshTrafficPermission\nmesh: default\nname: all\n"
		    "spec: { rules: [ { default: { %s } } ] }\n",
		    i < 2 ? allowed[i] : denied[i - 2]);
		(void)egress_ctl(w.e, "reload");
		status = run_after(&w, "echo hello |", "--service raw --stdio",
		    out, sizeof(out));
		/* Whoever is denied meets an end or a reset, as it happens. */
		if (i < 2)
			cr_expect_eq(status, 0, "%zu: %s", i, out);
		cr_expect_eq(
		    strstr(out, "echo ext: hello") != NULL, i < 2, "%s", out);
		if (i >= 2)
			cr_expect_eq(
			    WAIT_UNTIL(5000, has_outcome(w.e, "denied",
						 "\"service\":\"raw\"")),
			    true, "%zu", i);
	}
	world_end(&w);
}

Test(connect, words_that_make_no_sense)
{
	static const struct {
		const char *words;
		int status;
		const char *said;
	} rows[] = {
		{ "", 2, "usage: zegressctl connect" },
		{ "--service raw", 2, "usage: " },
		{ "--service raw --sni x --stdio", 2, "usage: " },
		{ "--service raw --listen :0 --stdio", 2, "usage: " },
		{ "--service raw --stdio more", 2, "usage: " },
		{ "--service raw --stdio --nonsense", 2, "--nonsense" },
		{ "--service raw --stdio --cert /none.pem", 1,
		    "/none.pem: No such file" },
		{ "--service raw --stdio --key /dev/null", 1,
		    "/dev/null: is empty" },
		{ "--service raw --port x --stdio", 1,
		    "--port: wants a number" },
		{ "--service raw --stdio --egress 127.0.0.1", 1,
		    "--egress: wants ADDRESS:PORT" },
		{ "--service raw --listen 127.0.0.1", 1,
		    "--listen: wants ADDRESS:PORT" },
		{ "--service raw --listen 192.0.2.1:1", 1,
		    "192.0.2.1:1: Cannot assign" },
		{ "--help", 0, "usage: " },
	};
	struct world w;
	char out[4096];

	start(&w);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_expect_eq(run_after(&w, "", rows[i].words, out, sizeof(out)),
		    rows[i].status, "%s: %s", rows[i].words, out);
		cr_expect(strstr(out, rows[i].said) != NULL, "%s: %s",
		    rows[i].words, out);
	}
	world_end(&w);
}
