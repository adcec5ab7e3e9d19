/* SPDX-License-Identifier: Apache-2.0 */
/* admin/control.h: lines in, counted texts out. */

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/control.h"
#include "base/clock.h"
#include "base/str.h"
#include "net/sock.h"
#include "unit/admin/admin_rig.h"

#define LATE_MS 5000

struct talk {
	struct rig rig;
	struct loop *loop;
	struct control *control;
	char dir[64];
	char path[96];
};

static void
talk_init(struct talk *t)
{
	int fd;

	rig_init(&t->rig);
	snprintf(t->dir, sizeof(t->dir), "/tmp/zegress-unit.XXXXXX");
	cr_assert_not_null(mkdtemp(t->dir));
	snprintf(t->path, sizeof(t->path), "%s/socket", t->dir);
	t->loop = loop_new();
	fd = sock_listen_unix(t->path, 0660, 8);
	cr_assert_neq(fd, -1);
	t->control = control_new(t->loop, fd, &t->rig.source);
}

static void
talk_fini(struct talk *t)
{
	control_free(t->control);
	loop_free(t->loop);
	unlink(t->path);
	rmdir(t->dir);
	rig_fini(&t->rig);
}

static int
dial(struct talk *t)
{
	int fd = sock_connect_unix(t->path);

	cr_assert_neq(fd, -1);
	return fd;
}

static void
say(int fd, const char *text)
{
	cr_assert_eq(send(fd, text, strlen(text), 0), (ssize_t)strlen(text));
}

/* All that comes until the other side closes. */
static char *
hear(struct talk *t, int fd)
{
	uint64_t end_ms = clock_ms() + LATE_MS;
	struct text all = TEXT_EMPTY;
	ssize_t n = -1;

	while (n != 0 && clock_ms() < end_ms) {
		loop_turn(t->loop);
		n = recv(fd, text_reserve(&all, 4096), 4096, MSG_DONTWAIT);
		if (n > 0)
			all.len += (size_t)n;
	}
	cr_expect_eq(n, 0, "it was not closed");
	close(fd);
	return text_take(&all);
}

static void
expect(struct talk *t, const char *line, const char *word, const char *part)
{
	int fd = dial(t);
	char *all, *body;
	size_t len;

	say(fd, line);
	all = hear(t, fd);
	body = strchr(all, '\n');
	cr_assert_not_null(body, "%s: %s", line, all);
	*body++ = '\0';
	cr_expect_eq(strncmp(all, word, strlen(word)), 0, "%s: %s", line, all);
	len = strtoul(strchr(all, ' ') + 1, NULL, 10);
	cr_expect_eq(len, strlen(body), "%s: %zu", line, len);
	cr_expect_not_null(strstr(body, part), "%s: %s", line, body);
	free(all);
}

Test(control, answers_one_line)
{
	struct talk t;

	talk_init(&t);
	expect(&t, "status\n", "ok ", "serving");
	expect(&t, "conns 3\r\n", "ok ", "conns");
	expect(&t, "nothing\n", "fail ", "there is no command nothing");
	expect(&t, "check\n", "fail ", "networking.address");
	expect(&t, "\n", "fail ", "no command");
	talk_fini(&t);
}

Test(control, a_line_may_come_in_pieces)
{
	struct talk t;
	char *all;
	int fd;

	talk_init(&t);
	fd = dial(&t);
	say(fd, "sta");
	loop_turn(t.loop);
	loop_turn(t.loop);
	say(fd, "tus\n");
	all = hear(&t, fd);
	cr_expect_eq(strncmp(all, "ok ", 3), 0, "%s", all);
	free(all);
	talk_fini(&t);
}

Test(control, a_line_without_end_is_not_kept)
{
	char line[4097];
	struct talk t;
	char *all;
	int fd;

	talk_init(&t);
	memset(line, 'a', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	fd = dial(&t);
	say(fd, line);
	all = hear(&t, fd);
	cr_expect_str_eq(all, "");
	free(all);
	talk_fini(&t);
}

/* Those who say nothing do not keep others out for longer than their time. */
Test(control, holds_a_few_callers_only)
{
	int fds[33];
	struct talk t;
	size_t i;
	char c;

	talk_init(&t);
	for (i = 0; i < ARRAY_LEN(fds); i++) {
		fds[i] = dial(&t);
		loop_turn(t.loop);
		loop_turn(t.loop);
	}
	cr_expect_eq(recv(fds[32], &c, 1, MSG_DONTWAIT), 0, "one too many");
	cr_expect(recv(fds[0], &c, 1, MSG_DONTWAIT) == -1 && errno == EAGAIN,
	    "the first is still there");
	for (i = 0; i < ARRAY_LEN(fds); i++)
		close(fds[i]);
	expect(&t, "status\n", "ok ", "serving");
	talk_fini(&t);
}

Test(control, the_socket_is_not_for_everybody)
{
	struct stat st;
	struct talk t;

	talk_init(&t);
	cr_assert_eq(stat(t.path, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0660);
	talk_fini(&t);
}

/* A stranger: neither root, nor our user, nor our group. */
Test(control, turns_strangers_away)
{
	struct talk t;
	uint64_t end_ms = clock_ms() + LATE_MS;
	int pipes[2];
	char c = '?';

	if (geteuid() != 0)
		cr_skip_test("only root can become a stranger");
	talk_init(&t);
	cr_assert_eq(chmod(t.dir, 0755), 0);
	cr_assert_eq(chmod(t.path, 0666), 0);
	cr_assert_eq(pipe(pipes), 0);
	if (fork() == 0) {
		int fd;

		if (setgid(65534) == -1 || setuid(65534) == -1)
			_exit(1);
		fd = sock_connect_unix(t.path);
		(void)!write(fd, "status\n", 7);
		fcntl(fd, F_SETFL, 0);
		c = read(fd, &c, 1) > 0 ? 'a' : 'n';
		(void)!write(pipes[1], &c, 1);
		_exit(0);
	}
	fcntl(pipes[0], F_SETFL, O_NONBLOCK);
	while (read(pipes[0], &c, 1) != 1 && clock_ms() < end_ms)
		loop_turn(t.loop);
	cr_expect_eq(c, 'n', "answered: %c", c);
	close(pipes[0]);
	close(pipes[1]);
	talk_fini(&t);
}

static bool
is_answered(struct talk *t, int fd)
{
	char b[512];

	for (unsigned i = 0; i < 20; i++)
		loop_turn(t->loop);
	return recv(fd, b, sizeof(b), MSG_DONTWAIT) > 0;
}

/* Who waits to be accepted must not keep the loop busy meanwhile. */
Test(control, without_descriptors_it_rests)
{
	struct rlimit before, few;
	struct talk t;
	int fd, next;

	talk_init(&t);
	clock_fake(1000, 0);
	fd = dial(&t);
	say(fd, "help\n");
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	next = dup(fd);
	close(next);
	few = before;
	few.rlim_cur = (rlim_t)next;
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	cr_expect_not(is_answered(&t, fd));
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	cr_expect_not(is_answered(&t, fd), "it does not look all the time");
	clock_fake(1200, 0);
	cr_expect(is_answered(&t, fd));
	close(fd);
	talk_fini(&t);
}
