/* SPDX-License-Identifier: Apache-2.0 */
/* daemon/sandbox.h: what is left to a process that has entered it. */

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/sandbox.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define IS_SANITIZED 1
#else
#define IS_SANITIZED 0
#endif

/* The wait status of fn in a process of its own, inside the sandbox. */
static int
inside(int (*fn)(void))
{
	pid_t child = fork();
	int status = -1;

	cr_assert_neq(child, -1);
	if (child == 0) {
		if (!sandbox_enter())
			_exit(99);
		_exit(fn());
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	return status;
}

static int
read_a_file(void)
{
	char c;
	int fd = open("/etc/passwd", O_RDONLY);

	return fd != -1 && read(fd, &c, 1) == 1 ? 0 : 1;
}

static int
open_a_connection(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) != -1 ? 0 : 1;
}

static int
rotate_a_log(void)
{
	int fd = open("/dev/null", O_WRONLY | O_CREAT | O_APPEND, 0640);
	int old = dup(fd);

	return old != -1 && dup3(fd, old, O_CLOEXEC) == old ? 0 : 1;
}

static int
gain_rights(void)
{
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 1;
}

static int
listen_anew(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	return listen(fd, 1) == -1 && errno == EPERM ? 0 : 1;
}

static int
run_a_program(void)
{
	char name[] = "/bin/true";
	char *argv[] = { name, NULL };

	execv(name, argv);
	return 1;
}

static int
become_root(void)
{
	return setuid(0);
}

Test(sandbox, leaves_what_serving_needs)
{
	cr_expect_eq(inside(read_a_file), 0);
	cr_expect_eq(inside(open_a_connection), 0);
	cr_expect_eq(inside(rotate_a_log), 0);
	cr_expect_eq(inside(gain_rights), 0);
}

Test(sandbox, refuses_what_it_does_not_know)
{
	if (IS_SANITIZED)
		cr_skip_test("sanitizers need more system calls");
	cr_expect_eq(inside(listen_anew), 0);
}

Test(sandbox, ends_who_does_what_we_never_do)
{
	int status;

	if (IS_SANITIZED)
		cr_skip_test("sanitizers need more system calls");
	status = inside(run_a_program);
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
	status = inside(become_root);
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

static int
try_later(void)
{
	return 0;
}

static void *
wait_and_exec(void *arg)
{
	int fd = *(int *)arg;
	char c;

	if (read(fd, &c, 1) == 1)
		_exit(run_a_program());
	return NULL;
}

/* Workers run before the sandbox is entered: it holds for them too. */
Test(sandbox, holds_for_threads_that_are_there)
{
	int pipes[2], status;
	pthread_t thread;
	pid_t child;

	if (IS_SANITIZED)
		cr_skip_test("sanitizers need more system calls");
	cr_expect_eq(inside(try_later), 0);
	cr_assert_eq(pipe(pipes), 0);
	child = fork();
	if (child == 0) {
		if (pthread_create(&thread, NULL, wait_and_exec, &pipes[0]) !=
			0 ||
		    !sandbox_enter() || write(pipes[1], "x", 1) != 1)
			_exit(98);
		pthread_join(thread, NULL);
		_exit(97);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS,
	    "status %d", status);
}

Test(sandbox, knows_users)
{
	cr_expect(sandbox_become(""));
	cr_expect(!sandbox_become("no-such-user-here"));
}
