/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line out, a head and a text in.  The socket is turned to blocking with a
 * time limit: a program that waits for one answer needs no loop.
 */

#include "ctl/ask.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "net/sock.h"

#define PATIENCE_S 60
#define ANSWER_MOST ((uint64_t)1 << 30)

static int
reach(const char *path)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	int fd = sock_connect_unix(path);

	if (fd == -1)
		return -1;
	if (fcntl(fd, F_SETFL, 0) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		sizeof(patience)) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
		sizeof(patience)) == -1) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool
say(int fd, struct str line)
{
	struct text t = TEXT_EMPTY;
	struct str left;
	ssize_t n = 0;

	text_add(&t, line);
	text_add_char(&t, '\n');
	for (left = text_str(&t); left.len > 0;
	     left = str_from(left, (size_t)n)) {
		n = send(fd, left.p, left.len, MSG_NOSIGNAL);
		if (n == -1)
			break;
	}
	text_free(&t);
	return n != -1;
}

static void
hear(int fd, struct text *out)
{
	ssize_t n;

	while ((n = read(fd, text_reserve(out, 65536), 65536)) > 0)
		out->len += (size_t)n;
}

/* "ok 12" or "fail 12", then exactly that much text. */
static enum ask_status
judge(struct str all, struct str *body)
{
	struct str head = str_cut(&all, '\n');
	struct str word = str_cut(&head, ' ');
	uint64_t len;

	if (!str_to_u64(head, ANSWER_MOST, &len) || len != all.len)
		return ASK_BROKEN;
	*body = all;
	if (str_eq(word, STR("ok")))
		return ASK_OK;
	return str_eq(word, STR("fail")) ? ASK_FAILED : ASK_BROKEN;
}

enum ask_status
ask_text(const char *socket_path, struct str line, struct text *out)
{
	enum ask_status s = ASK_BROKEN;
	struct text all = TEXT_EMPTY;
	struct str body = STR_NONE;
	int fd = reach(socket_path);

	if (fd == -1)
		return ASK_NOBODY;
	if (say(fd, line)) {
		hear(fd, &all);
		s = judge(text_str(&all), &body);
	}
	close(fd);
	if (s != ASK_BROKEN)
		text_add(out, body);
	text_free(&all);
	return s;
}

enum ask_status
ask(const char *socket_path, const char *line)
{
	struct text said = TEXT_EMPTY;
	enum ask_status s = ask_text(socket_path, str_of(line), &said);

	if (s == ASK_BROKEN)
		fputs("zegressctl: no complete answer (is this user root, or "
		      "of the daemon's user or group?)\n",
		    stderr);
	if (said.len > 0)
		fwrite(said.p, 1, said.len, stdout);
	text_free(&said);
	return s;
}
