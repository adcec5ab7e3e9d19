/* SPDX-License-Identifier: Apache-2.0 */
/* Starts and ends programs of the system. */

#include "support/program.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/mesh_client.h"

#define WORDS 16

static void
say_into(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);

	if (fd == -1)
		_exit(127);
	(void)dup2(fd, STDOUT_FILENO);
	(void)dup2(fd, STDERR_FILENO);
}

pid_t
program_start(const char *out, const char *const *argv)
{
	char *args[WORDS + 1] = { NULL };
	pid_t pid;

	/* execv(3) changes none of them, and does not say so. */
	for (size_t i = 0; argv[i] != NULL && i < WORDS; i++)
		args[i] = strdup(argv[i]);
	pid = fork();
	if (pid == 0) {
		/* A test that fails leaves nothing behind. */
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (out != NULL)
			say_into(out);
		(void)execv(args[0], args);
		_exit(127);
	}
	for (size_t i = 0; args[i] != NULL; i++)
		free(args[i]);
	return pid;
}

void
program_stop(pid_t pid)
{
	if (pid <= 0)
		return;
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
}

bool
program_has_ended(pid_t pid)
{
	return waitpid(pid, NULL, WNOHANG) == pid;
}

bool
program_answers(uint16_t port)
{
	struct mesh_options o = { .port = port };
	struct mesh_client m;
	bool ok = mesh_connect(&m, &o);

	mesh_close(&m);
	return ok;
}
