/* SPDX-License-Identifier: Apache-2.0 */
/* ctl/ask.h: what is made of a daemon's answer. */

#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl/ask.h"
#include "net/sock.h"

/* A daemon that says the same to everybody. */
struct daemon {
	char dir[64];
	char path[96];
	int fd;
	pthread_t thread;
	const char *answer;
	char heard[64];
};

static void *
answer_one(void *arg)
{
	struct daemon *d = arg;
	int fd = accept(d->fd, NULL, NULL);
	ssize_t n = read(fd, d->heard, sizeof(d->heard) - 1);

	d->heard[n > 0 ? n : 0] = '\0';
	(void)!write(fd, d->answer, strlen(d->answer));
	close(fd);
	return NULL;
}

static void
daemon_init(struct daemon *d)
{
	snprintf(d->dir, sizeof(d->dir), "/tmp/zegress-unit.XXXXXX");
	cr_assert_not_null(mkdtemp(d->dir));
	snprintf(d->path, sizeof(d->path), "%s/socket", d->dir);
	d->fd = sock_listen_unix(d->path, 0660, 8);
	cr_assert_neq(d->fd, -1);
	cr_assert_eq(fcntl(d->fd, F_SETFL, 0), 0);
}

static void
daemon_fini(struct daemon *d)
{
	close(d->fd);
	unlink(d->path);
	rmdir(d->dir);
}

Test(ask, judges_the_answer, .init = cr_redirect_stdout)
{
	static const struct {
		const char *answer;
		enum ask_status want;
	} rows[] = {
		{ "ok 5\nfine\n", ASK_OK },
		{ "ok 0\n", ASK_OK },
		{ "fail 4\nbad\n", ASK_FAILED },
		{ "ok 6\ncut o", ASK_BROKEN },
		{ "ok 2\nmore than that", ASK_BROKEN },
		{ "what 2\nno", ASK_BROKEN },
		{ "ok x\n", ASK_BROKEN },
		{ "ok", ASK_BROKEN },
		{ "", ASK_BROKEN },
	};
	struct daemon d;
	char out[64];
	size_t i, n;

	daemon_init(&d);
	for (i = 0; i < ARRAY_LEN(rows); i++) {
		d.answer = rows[i].answer;
		cr_assert_eq(
		    pthread_create(&d.thread, NULL, answer_one, &d), 0);
		cr_expect_eq(ask(d.path, "status -v"), rows[i].want, "%s",
		    rows[i].answer);
		pthread_join(d.thread, NULL);
		cr_expect_str_eq(d.heard, "status -v\n");
	}
	daemon_fini(&d);
	fflush(stdout);
	n = fread(out, 1, sizeof(out) - 1, cr_get_redirected_stdout());
	out[n] = '\0';
	cr_expect_str_eq(out, "fine\nbad\n");
}

Test(ask, nobody_is_there)
{
	cr_expect_eq(ask("/nonexistent/socket", "status"), ASK_NOBODY);
	cr_expect_eq(errno, ENOENT);
}
