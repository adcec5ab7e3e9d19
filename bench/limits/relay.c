/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A limit: bytes between two plain sockets and nothing else, not even a look at
 * the server name.
 *
 *   relay PORT TO-PORT rw|splice
 *
 * rw reads and writes 1 MiB at a time, splice moves as much through pipes.
 */

#include "../port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 256
#define ROOM ((size_t)1 << 20)
#define TURNS 8

/* One of two sockets.  What was read here and waits for the other is in rest,
 * or in the pipe. */
struct side {
	int fd;
	int pipe[2];
	unsigned watched;
	bool has_ended;
	size_t waiting;
	char *rest;
	struct side *other;
	struct pair *pair;
};

struct pair {
	struct side sides[2];
	bool is_dead;
	struct pair *next;
};

struct relay {
	int epoll;
	int listener;
	bool splices;
	struct sockaddr_in to;
	char *room;
	struct pair *graves; /* until no event can name them */
};

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

static void
watch(struct relay *r, struct side *s)
{
	struct epoll_event e = { .data = { .ptr = s } };

	if (!s->has_ended && s->waiting == 0)
		e.events |= EPOLLIN;
	if (s->other->waiting > 0)
		e.events |= EPOLLOUT;
	if (e.events == s->watched)
		return;
	s->watched = e.events;
	epoll_ctl(r->epoll, EPOLL_CTL_MOD, s->fd, &e);
}

/* What a read or a splice from s said; true: bytes came. */
static bool
has_come(struct side *s, ssize_t got)
{
	if (got > 0)
		return true;
	if (got == 0) {
		s->has_ended = true;
		shutdown(s->other->fd, SHUT_WR);
	} else if (errno != EAGAIN) {
		s->pair->is_dead = true;
	}
	return false;
}

/* What one to the other side of s said; true: it took some. */
static bool
has_gone(struct side *s, ssize_t put)
{
	if (put > 0)
		return true;
	if (put == 0 || errno != EAGAIN)
		s->pair->is_dead = true;
	return false;
}

static bool
splice_some(struct side *s)
{
	const unsigned flags = SPLICE_F_NONBLOCK | SPLICE_F_MOVE;
	ssize_t n;

	if (s->waiting == 0) {
		n = splice(s->fd, NULL, s->pipe[1], NULL, ROOM, flags);
		if (!has_come(s, n))
			return false;
		s->waiting = (size_t)n;
	}
	while (s->waiting > 0) {
		n = splice(
		    s->pipe[0], NULL, s->other->fd, NULL, s->waiting, flags);
		if (!has_gone(s, n))
			return false;
		s->waiting -= (size_t)n;
	}
	return true;
}

/* false: nothing more can be done now. */
static bool
copy_some(struct relay *r, struct side *s)
{
	char *from = s->rest != NULL ? s->rest : r->room;
	size_t size = s->waiting, sent = 0;
	bool was_full = true;
	ssize_t n;

	if (size == 0) {
		n = recv(s->fd, from, ROOM, 0);
		if (!has_come(s, n))
			return false;
		size = (size_t)n;
		was_full = size == ROOM;
	}
	while (sent < size) {
		n = send(s->other->fd, from + sent, size - sent, MSG_NOSIGNAL);
		if (!has_gone(s, n))
			break;
		sent += (size_t)n;
	}
	s->waiting = size - sent;
	if (s->waiting > 0) {
		if (s->rest == NULL)
			s->rest = malloc(ROOM);
		if (s->rest == NULL)
			die("malloc");
		memmove(s->rest, from + sent, s->waiting);
		return false;
	}
	free(s->rest);
	s->rest = NULL;
	return was_full;
}

static void
move(struct relay *r, struct side *s)
{
	for (int turn = 0; turn < TURNS && !s->pair->is_dead; turn++)
		if (!(r->splices ? splice_some(s) : copy_some(r, s)))
			break;
}

static void
bury(struct relay *r, struct pair *p)
{
	for (int i = 0; i < 2; i++) {
		struct side *s = &p->sides[i];

		close(s->fd);
		if (r->splices) {
			close(s->pipe[0]);
			close(s->pipe[1]);
		}
		free(s->rest);
	}
	p->next = r->graves;
	r->graves = p;
}

static void
step(struct relay *r, struct side *s, unsigned events)
{
	struct pair *p = s->pair;

	if (p->is_dead)
		return;
	if ((events & EPOLLOUT) != 0)
		move(r, s->other);
	if ((events & ~(unsigned)EPOLLOUT) != 0 && s->waiting == 0)
		move(r, s);
	if ((events & (EPOLLHUP | EPOLLERR)) != 0 ||
	    (p->sides[0].has_ended && p->sides[1].has_ended))
		p->is_dead = true;
	if (p->is_dead) {
		bury(r, p);
		return;
	}
	watch(r, s);
	watch(r, s->other);
}

static void
add_side(struct relay *r, struct pair *p, int i, int fd)
{
	struct side *s = &p->sides[i];
	struct epoll_event e = { .events = EPOLLIN, .data = { .ptr = s } };
	int one = 1;

	*s = (struct side){
		.fd = fd, .watched = EPOLLIN, .other = &p->sides[!i], .pair = p
	};
	fcntl(fd, F_SETFL, O_NONBLOCK);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (r->splices) {
		if (pipe2(s->pipe, O_NONBLOCK) == -1)
			die("pipe2");
		fcntl(s->pipe[0], F_SETPIPE_SZ, ROOM);
	}
	epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &e);
}

static void
accept_all(struct relay *r)
{
	int fd;

	while ((fd = accept4(r->listener, NULL, NULL, 0)) != -1) {
		struct pair *p = calloc(1, sizeof(*p));
		int to = socket(AF_INET, SOCK_STREAM, 0);

		if (p == NULL ||
		    connect(to, (struct sockaddr *)&r->to, sizeof(r->to)) == -1)
			die("connect");
		add_side(r, p, 0, fd);
		add_side(r, p, 1, to);
	}
}

static void
free_graves(struct relay *r)
{
	while (r->graves != NULL) {
		struct pair *p = r->graves;

		r->graves = p->next;
		free(p);
	}
}

static void
prepare(struct relay *r, char **argv)
{
	struct epoll_event e = { .events = EPOLLIN };

	r->to = port_address(atoi(argv[2]));
	r->splices = strcmp(argv[3], "splice") == 0;
	r->room = malloc(ROOM);
	r->epoll = epoll_create1(0);
	r->listener = port_listen(atoi(argv[1]));
	if (r->listener == -1)
		die("relay: listen");
	epoll_ctl(r->epoll, EPOLL_CTL_ADD, r->listener, &e);
}

int
main(int argc, char **argv)
{
	struct relay r = { 0 };
	struct epoll_event events[EVENTS];

	if (argc != 4) {
		fprintf(stderr, "usage: relay PORT TO-PORT rw|splice\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	prepare(&r, argv);
	for (;;) {
		int n = epoll_wait(r.epoll, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			if (events[i].data.ptr == NULL)
				accept_all(&r);
			else
				step(&r, events[i].data.ptr, events[i].events);
		}
		free_graves(&r);
	}
}
