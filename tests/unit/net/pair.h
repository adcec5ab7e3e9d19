/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_NET_PAIR_H
#define UNIT_NET_PAIR_H

/*
 * A wire, its owner who notes what happens, and the plain socket at the other
 * end.  Static functions, for the tests of wires only.
 */

#include <criterion/criterion.h>
#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "net/loop.h"
#include "net/sock.h"
#include "net/wire.h"

struct pair {
	struct loop *loop;
	struct wire *wire;
	int fd; /* the other end, blocking */
	unsigned told;
};

static inline void
pair_told(void *arg)
{
	struct pair *p = arg;

	p->told++;
}

static inline void
pair_tcp_fds(int fd[2])
{
	struct addr a, from;
	socklen_t len = sizeof(a.u);
	int l;

	cr_assert(addr_parse(STR("127.0.0.1"), 0, &a));
	l = sock_listen(&a, false, 1);
	cr_assert_neq(l, -1);
	cr_assert_eq(getsockname(l, &a.u.sa, &len), 0);
	fd[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(connect(fd[1], &a.u.sa, a.len), 0);
	fd[0] = sock_accept(l, &from);
	cr_assert_neq(fd[0], -1);
	close(l);
}

static inline void
pair_open(struct pair *p, bool is_tcp)
{
	int fd[2];

	if (is_tcp)
		pair_tcp_fds(fd);
	else
		cr_assert_eq(
		    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fd), 0);
	*p = (struct pair){ .loop = loop_new(), .fd = fd[1] };
	p->wire = wire_new(p->loop, fd[0]);
	wire_set_owner(p->wire, pair_told, p);
	/* The registration's own edge. */
	loop_turn(p->loop);
	p->told = 0;
}

static inline void
pair_close(struct pair *p)
{
	wire_free(p->wire);
	if (p->fd != -1)
		close(p->fd);
	loop_free(p->loop);
}

static inline void
pair_say(struct pair *p, const char *text)
{
	size_t n = strlen(text);

	cr_assert_eq(write(p->fd, text, n), (ssize_t)n);
}

static inline void
pair_hang_up(struct pair *p)
{
	close(p->fd);
	p->fd = -1;
}

static inline void
pair_reset(struct pair *p)
{
	sock_linger_reset(p->fd);
	pair_hang_up(p);
}

/* Read once; what came, as text, or the way it ended. */
#define PAIR_READ(p, result)                                              \
	do {                                                              \
		const char *pair_got_ = pair_read(p);                     \
		cr_expect_str_eq(pair_got_, result, "\"%s\", not \"%s\"", \
		    pair_got_, result);                                   \
	} while (0)

static inline const char *
pair_read(struct pair *p)
{
	static char text[256];
	struct span s;

	switch (wire_read(p->wire, &s)) {
	case IO_DONE:
		cr_assert_lt(s.len, sizeof(text));
		memcpy(text, s.p, s.len);
		text[s.len] = '\0';
		return text;
	case IO_AGAIN:
		return "<again>";
	case IO_EOF:
		return "<eof>";
	case IO_CUT:
		return "<cut>";
	case IO_FAIL:
		return "<fail>";
	}
	return "";
}

#endif
