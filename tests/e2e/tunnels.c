/* SPDX-License-Identifier: Apache-2.0 */
/* Processes of zegressctl connect. */

#include "e2e/tunnels.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

void
tunnels_prepare(const struct world *w)
{
	char path[2][128];

	(void)snprintf(path[0], sizeof(path[0]), "%s/web.pem", w->home);
	(void)snprintf(path[1], sizeof(path[1]), "%s/web.key", w->home);
	pki_write(w->web, path[0], path[1]);
	(void)snprintf(path[0], sizeof(path[0]), "%s/ca.pem", w->home);
	pki_write(w->mesh_ca, path[0], NULL);
}

/* Words that every call has; more may say them again. */
static const char *
connect_words(const struct world *w, const char *more)
{
	static char words[1024];

	(void)snprintf(words, sizeof(words),
	    "-s %s connect --mesh default --egress 127.0.0.1:%u --cert "
	    "%s/web.pem "
	    "--key %s/web.key --ca %s/ca.pem %s",
	    w->e->socket, w->e->port, w->home, w->home, w->home, more);
	return words;
}

static void
become_tunnel(
    const struct world *w, const struct tunnel *t, const char *more, int out)
{
	char command[2048];
	int err = open(t->errors, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)snprintf(command, sizeof(command), "exec %s %s",
	    egress_program("zegressctl"), connect_words(w, more));
	(void)dup2(out, STDOUT_FILENO);
	(void)dup2(err, STDERR_FILENO);
	(void)execl("/bin/sh", "sh", "-c", command, NULL);
	_exit(127);
}

/* With a listener of its own; its first line says where. */
struct tunnel
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

void
tunnel_stop(struct tunnel *t)
{
	int status;

	cr_expect_eq(kill(t->pid, SIGTERM), 0, "it has ended by itself");
	cr_expect_eq(waitpid(t->pid, &status, 0), t->pid);
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

bool
tunnel_has_said(const struct tunnel *t, const char *text)
{
	char all[4096];
	FILE *f = fopen(t->errors, "re");

	all[fread(all, 1, sizeof(all) - 1, f)] = '\0';
	(void)fclose(f);
	return strstr(all, text) != NULL;
}

void
tunnel_dial(const struct tunnel *t, struct mesh_client *m)
{
	struct mesh_options o = { .port = t->port };

	cr_assert(mesh_connect(m, &o));
}

int
connect_run(struct world *w, const char *before, const char *more, char *out,
    size_t cap)
{
	char command[2048];
	int status;
	FILE *f;

	(void)snprintf(command, sizeof(command), "%s timeout 20 %s %s 2>&1",
	    before, egress_program("zegressctl"), connect_words(w, more));
	f = popen(command, "re");
	cr_assert_not_null(f);
	out[fread(out, 1, cap - 1, f)] = '\0';
	status = pclose(f);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
